"""Matrix products as machine code: in blocks, native/blocked.py; where one of them is thin, as it lies,
native/products.py; where long columns make a small product, A^T B, as a convolution's gradient to the filter: rows of A
are pixels of an image, rows of B its cotangents.
"""

from __future__ import annotations

from math import prod
from typing import Any

from pullback.core.op import lowering
from pullback.native import products
from pullback.native.blocked import add_product
from pullback.native.gathering import to_filter
from pullback.native.tiles import runs_on
from pullback.ops.linalg.matmul import BatchMatMulV2, MatMul

# Rows up to which products of many small matrices are meant; those of large ones go to BLAS.
FEW_ROWS = 128
# Numbers of a product that are too few to be shared by several threads, where its sums are longer than it is wide.
SMALL = 8192


@lowering("native", MatMul)
def matmul(op: Any, task: Any) -> Any:
    """a b, either turned round; not both."""
    (a, b), (y,) = task.inputs, task.outputs
    if not (runs_on(a) and a.size and b.size) or (op.transpose_a and op.transpose_b):
        return NotImplemented
    rows = a.shape[0]
    if op.transpose_a:
        (products.add_outer if rows <= products.FEW else product_of_columns)(task, a, b, y)
    else:
        _product(task, a, b, y, op.transpose_b)
    return None


def _product(task: Any, a: Any, b: Any, y: Any, turned: bool) -> None:
    """y [M,N] = a [M,K] times b [K,N], or b [N,K] turned round."""
    if a.shape[0] > products.THIN:
        add_product(task, a, b, y, turned=turned)
    else:
        (products.add_dots if turned else products.add_thin)(task, a, b, y)


@lowering("native", BatchMatMulV2)
def batch_matmul(op: Any, task: Any) -> Any:
    """x y of many matrices; either turned round, not both; one of them may be the same for all."""
    (x, y), (z,) = task.inputs, task.outputs
    if not (runs_on(x) and x.size and y.size) or (op.adj_x and op.adj_y):
        return NotImplemented
    left, right = _step(x, z), _step(y, z)
    if right == 0 and left and not op.adj_x:  # the rows of all are the rows of one
        rows = prod(x.shape[:-1])
        merged, result = x.seen((rows, x.shape[-1])), z.seen((rows, z.shape[-1]))
        _product(task, merged, y.seen(y.shape[-2:]), result, op.adj_y)
        return None
    if left is None or right is None or max(*z.shape[-2:], x.shape[-2]) > FEW_ROWS:
        return NotImplemented
    add = products.add_outer if op.adj_x else products.add_dots if op.adj_y else products.add_thin
    add(task, x, y, z, products.Many(prod(z.shape[:-2]), left, right))
    return None


def _step(x: Any, z: Any) -> int | None:
    """Elements from one matrix to the next; 0 of one that is the same for all, None where it is for some."""
    lead, matrix = x.shape[:-2], x.shape[-2] * x.shape[-1]
    if prod(lead) == 1:
        return 0
    return matrix if prod(lead) == prod(z.shape[:-2]) else None


def product_of_columns(task: Any, a: Any, b: Any, y: Any) -> None:
    """y [K,N] = the transposed a [M,K] times b [M,N]."""
    M, K = a.shape
    if y.size > SMALL or max(y.shape) > M:
        add_product(task, a, b, y, columns=True)
        return
    image, cotangent, result = a.seen((1, 1, M, K)), b.seen((1, 1, M, b.shape[1])), y.seen((1, 1, *y.shape))
    to_filter(task, image, cotangent, result, (1, 1), (1, 1), (1, M), (0, 0))
