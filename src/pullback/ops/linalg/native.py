"""Matrix products as machine code, on the tiles of convolutions: a product is a convolution of one pixel wide windows.

A B       rows of A are pixels, B the filter
A B^T     the same with a filter that is packed turned round, as a convolution's gradient to the input
A^T B     rows of A are pixels of an image, rows of B its cotangents: a convolution's gradient to the filter

Where one of them is thin, packing would cost as much as the product: native/products.py.
"""

from __future__ import annotations

from typing import Any

from pullback.core.op import lowering
from pullback.native import products
from pullback.native.gathering import to_filter
from pullback.native.sliding import product
from pullback.native.tiles import runs_on
from pullback.ops.linalg.matmul import MatMul


@lowering("native", MatMul)
def matmul(op: Any, task: Any) -> Any:
    """a b, either turned round; not both."""
    (a, b), (y,) = task.inputs, task.outputs
    if not (runs_on(a) and a.size and b.size) or (op.transpose_a and op.transpose_b):
        return NotImplemented
    rows = a.shape[0]
    if op.transpose_a:
        (products.add_outer if rows <= products.FEW else product_of_columns)(task, a, b, y)
    elif rows <= products.THIN:
        (products.add_dots if op.transpose_b else products.add_thin)(task, a, b, y)
    else:
        product(task, a, b, y, op.transpose_b)
    return None


def product_of_columns(task: Any, a: Any, b: Any, y: Any) -> None:
    """y [K,N] = the transposed a [M,K] times b [M,N]."""
    M, K = a.shape
    image, cotangent, result = a.seen((1, 1, M, K)), b.seen((1, 1, M, b.shape[1])), y.seen((1, 1, *y.shape))
    to_filter(task, image, cotangent, result, (1, 1), (1, 1), (1, M), (0, 0))
