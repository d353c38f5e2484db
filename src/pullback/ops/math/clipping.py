"""Clipping, by value and by norm. Gradients pass through the scale too, unless it is stopped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import interpreter, shape
from pullback.core.basics import AddN, OnesLike, ZerosLike
from pullback.core.dtypes import INTS, REALS
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, op
from pullback.core.sample import Sample
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math.elementwise import Elementwise
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Identity, Select


@op
class ClipByValue(Elementwise):
    """min(max(t, low), high), entry by entry. t passes its cotangent also at either end; outside, the end gets it."""

    signature = "t: T, clip_value_min: T, clip_value_max: T -> output: T"
    T = (*REALS, *INTS)

    def reference(self, t: Any, low: Any, high: Any) -> Any:
        return np.minimum(np.maximum(t, low), high)

    def grad(self, node: Any, dy: Any) -> Any:
        t, low, high = node.inputs
        below, above, zero = m.Less()(t, low), m.Greater()(t, high), ZerosLike()(dy)
        outside = m.LogicalOr()(below, above)
        return Select()(outside, zero, dy), Select()(below, dy, zero), Select()(above, dy, zero)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([-3.0, -0.5, 0.5, 4.0]), np.asarray(-1.0), np.asarray(2.0)))
        yield Sample(
            cls(), (np.array([[-3.0, 3.0]]), np.array([[-1.0], [-2.0]]), np.array([1.0, 2.0])), name="broadcast"
        )
        yield Sample(cls(), (np.array([-1.0, 2.0]), np.asarray(-1.0), np.asarray(2.0)), smooth=False, name="ends")
        yield Sample(cls(), (np.ones((0, 2)), np.asarray(-1.0), np.asarray(2.0)), name="empty")
        yield Sample(cls(), (np.arange(5), np.asarray(1), np.asarray(3)), name="int64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), np.ones(2), np.ones(3)), ShapeError, "broadcast"


def _values(t: Any) -> Tensor:
    return interpreter.as_tensor(t.values if isinstance(t, IndexedSlices) else t, name="t")


def _like(values: Tensor, t: Any) -> Any:
    """The clipped values as what was given: IndexedSlices stay so."""
    return IndexedSlices(values, t.indices, t.dense_shape) if isinstance(t, IndexedSlices) else values


def _same_shape(what: str, values: Tensor, clipped: Tensor) -> None:
    if not shape.compatible(values.spec.shape, clipped.spec.shape):
        raise ShapeError(
            f"{what}: the limit would broadcast {shape.text(values.spec.shape)} to {shape.text(clipped.spec.shape)}; "
            "it must be a scalar, or broadcast to the tensor's shape"
        ).locate()


@public("clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """max(min(t, clip_value_max), clip_value_min), entry by entry.

    Args:
      t: Tensor or IndexedSlices.
      clip_value_min, clip_value_max: numbers, or tensors that broadcast to t.
    Returns:
      What t was, clipped.
    Raises:
      ShapeError: a limit would broadcast t.
    Gradient: to t inside and at both ends, to the limit outside.
    """
    with scope(name, "clip_by_value", t, clip_value_min, clip_value_max) as full:
        values = _values(t)
        below = m.Minimum()(values, clip_value_max)
        _same_shape("clip_by_value", values, below)
        clipped = m.Maximum()(below, clip_value_min, name=full)
        _same_shape("clip_by_value", values, clipped)
        return _like(clipped, t)


@public("clip_by_norm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """t clip_norm / norm where the L2 norm is larger than clip_norm, else t.

    Args:
      t: Tensor or IndexedSlices.
      clip_norm: the largest norm, above 0; a number or a tensor that broadcasts to t.
      axes: the axes of each norm; all when left out.
    Returns:
      What t was, scaled.
    Raises:
      ShapeError: clip_norm would broadcast t.
    """
    with scope(name, "clip_by_norm", t, clip_norm) as full:
        values = _values(t)
        squares = reduce_sum(values * values, axes, keepdims=True)
        positive = squares > 0
        # sqrt's gradient at 0 is infinite; there the root of 1 is taken instead and not used.
        root = m.Sqrt()(Select()(positive, squares, OnesLike()(squares)))
        norm = Select()(positive, root, squares)
        scaled = values * clip_norm
        _same_shape("clip_by_norm", values, scaled)
        return _like(Identity()(scaled / m.Maximum()(norm, clip_norm), name=full), t)


@public(v1="clip_by_average_norm")
def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """t clip_norm / a where the average norm a (L2 norm / number of entries) is larger than clip_norm, else t.

    Args:
      t: Tensor.
      clip_norm: the largest average norm, above 0.
    """
    with scope(name, "clip_by_average_norm", t, clip_norm) as full:
        t = interpreter.as_tensor(t, name="t")
        count = _size(t)
        inverse = m.Rsqrt()(reduce_sum(t * t))
        limit = 1.0 / interpreter.as_tensor(clip_norm, t.dtype)
        return Identity()(t * clip_norm * m.Minimum()(inverse * count, limit), name=full)


def _size(t: Tensor) -> Any:
    """How many entries t has: a number, where unknown a tensor of t's type."""
    if t.spec.known:
        return float(math.prod(t.spec.shape))  # type: ignore[arg-type]
    return Cast(t.dtype)(REGISTRY["Size"]()(t))


def _listed(t_list: Any, what: str) -> list[Any]:
    if isinstance(t_list, (str, bytes, Tensor)) or not isinstance(t_list, Sequence):
        raise TypeError(f"`t_list` should be a sequence of tensors, but {what} got {type(t_list).__name__}")
    return list(t_list)


@public("linalg.global_norm", v1=("global_norm", "linalg.global_norm"))
def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """sqrt of the sum of the squares of all entries of all tensors. None counts as nothing.

    Args:
      t_list: list of Tensor, IndexedSlices or None.
    Raises:
      TypeError: t_list is no list. ValueError: it holds no tensor.
    """
    given = _listed(t_list, "global_norm")
    with scope(name, "global_norm", *given):
        squares = []
        for t in given:
            if t is not None:
                values = _values(t)
                squares.append(reduce_sum(m.Square()(values)))
        if not squares:
            raise ValueError("global_norm needs at least one tensor that is not None")
        return m.Sqrt()(AddN()(*squares), name="global_norm")


@public("clip_by_global_norm")
def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """All tensors times clip_norm / norm where their common norm is larger than clip_norm, else as they are.

    Args:
      t_list: list of Tensor, IndexedSlices or None; None stays None.
      clip_norm: the largest common norm, above 0.
      use_norm: the norm, where it is known already; by default `global_norm(t_list)`.
    Returns:
      (the list, scaled; the norm before). All entries are nan when the norm is infinite or nan.
    Raises:
      TypeError: t_list is no list.
    """
    given = _listed(t_list, "clip_by_global_norm")
    use_norm = global_norm(given, name) if use_norm is None else use_norm
    with scope(name, "clip_by_global_norm", *given, clip_norm) as full:
        of = next((_values(t).dtype for t in given if t is not None), None)
        norm = interpreter.as_tensor(use_norm, of, name="use_norm")
        limit = interpreter.as_tensor(clip_norm, norm.dtype, name="clip_norm")
        scale = limit * m.Minimum()(1.0 / norm, 1.0 / limit)
        scale = Select()(m.IsFinite()(norm), scale, ZerosLike()(scale) + math.nan)
        clipped: list[Any] = []
        for i, t in enumerate(given):
            clipped.append(None if t is None else _like(Identity()(_values(t) * scale, name=f"{full}_{i}"), t))
        return clipped, norm
