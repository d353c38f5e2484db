"""Matrix products."""

from __future__ import annotations

import pullback as tf
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import operator


@operator("MatMul")
def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Products of matrices [...,M,K] and [...,K,N], whose leading axes broadcast; a vector is a row, or a column."""
    row, column = values.rank(a, "ONNX MatMul") == 1, values.rank(b, "ONNX MatMul") == 1
    y = tf.matmul(a[None] if row else a, b[:, None] if column else b)
    gone = [axis for axis, bare in ((-1, column), (-2, row)) if bare]
    return tf.squeeze(y, gone) if gone else y


@operator("Gemm")
def gemm(
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    broadcast: int = 1,
    transA: int = 0,
    transB: int = 0,
) -> Tensor:
    """alpha a b + beta c, either of a and b transposed where asked. [M,K] [K,N] [M,N] -> [M,N]

    c is broadcast. Before operator set 7 only where `broadcast` said so; then it has the result's shape elsewhere.
    """
    y = tf.matmul(a, b, transpose_a=bool(transA), transpose_b=bool(transB))
    y = y if alpha == 1 else y * alpha
    return y if c is None else y + (c if beta == 1 else c * beta)


@operator("Einsum", since=12)
def einsum(*parts: Tensor, equation: str) -> Tensor:
    """Einstein's sum by an equation, "ij,jk->ik"."""
    return tf.einsum(equation.replace(" ", ""), *parts)


@operator("Det", since=11)
def det(x: Tensor) -> Tensor:
    """Determinants of matrices [...,N,N]."""
    return tf.linalg.det(x)
