"""Norms of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import one_of
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import abs_
from pullback.ops.math.reduce_functions import reduce_max, reduce_sum
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast


@public("norm", "linalg.norm", v1=None)
def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool | None = None, name: str | None = None
) -> Tensor:
    """The norm of vectors or matrices.

    Args:
      tensor: Tensor, real or complex.
      ord: of vectors "euclidean", or p > 0: (sum |x|^p)^(1/p), numpy.inf for the largest |x|. Of matrices "euclidean"
        or "fro", 1 for the largest column sum, numpy.inf for the largest row sum.
      axis: a number: each vector along it. A pair: each matrix over them. None: all entries as one vector.
      keepdims: keep the axes as 1.
    Raises:
      ValueError: ord is none of these.
    Gradient: nan at a zero vector, except of 1 and numpy.inf; entries that tie share that of numpy.inf equally.
    """
    matrix = isinstance(axis, (tuple, list)) and len(axis) > 1
    axis = axis[0] if isinstance(axis, (tuple, list)) and len(axis) == 1 else axis
    _check(ord, axis, matrix)
    keep = bool(keepdims)
    with scope(name, "norm", tensor):
        x = interpreter.as_tensor(tensor)
        if ord in ("fro", "euclidean", 2, 2.0):
            squares = x * m.Conj()(x) if x.dtype.is_complex else x * x
            root = m.Sqrt()(reduce_sum(squares, axis, keepdims=keep))
            return abs_(root) if x.dtype.is_complex else root
        size = abs_(x)
        if matrix:
            sums, over = (axis[0], axis[1]) if ord == 1 else (axis[1], axis[0])
            widest = reduce_max(reduce_sum(size, sums, keepdims=True), over, keepdims=True)
            return widest if keep else reduce_sum(widest, axis)
        if ord == 1:
            return reduce_sum(size, axis, keepdims=keep)
        if ord == np.inf:
            return reduce_max(size, axis, keepdims=keep)
        return m.Pow()(reduce_sum(m.Pow()(size, ord), axis, keepdims=keep), 1.0 / ord)


def _check(ord: Any, axis: Any, matrix: bool) -> None:
    if matrix:
        if len(axis) != 2 or len(set(axis)) != 2:
            raise ArgumentError(
                f"norm: 'axis' must be None, an integer, or a pair of unique integers, got {axis}"
            ).locate()
        if ord in ("fro", "euclidean", 1, np.inf):
            return
        raise ArgumentError(
            f"norm: 'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, inf], got {ord!r}; for the "
            "spectral norm take the largest singular value"
        ).locate()
    if ord == "euclidean" or (not isinstance(ord, str) and ord > 0):
        return
    raise ArgumentError(
        f"norm: 'ord' must be a supported vector norm, 'euclidean' or a number above 0, got {ord!r}"
    ).locate()


@public("linalg.normalize")
def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(tensor / its norm, the norm with its axes kept as 1); arguments and errors as `norm`. nan at a zero vector."""
    with scope(name, "normalize", tensor):
        x = interpreter.as_tensor(tensor)
        size = norm(x, ord, axis, keepdims=True)
        return x / (Cast(x.dtype)(size) if x.dtype.is_complex else size), size


@public(v1=("norm", "linalg.norm"))
def norm_v1(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """The norm of vectors or matrices; `keep_dims` is an earlier name of `keepdims`. See TensorFlow 2's `norm`."""
    return norm(tensor, ord, axis, one_of("keepdims", keepdims, "keep_dims", keep_dims), name)
