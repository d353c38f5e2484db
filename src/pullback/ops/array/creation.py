"""Tensors of one value: zeros, ones, Fill."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import BroadcastTo, OnesLike, SumTo, ZerosLike, shape_of, static_tuple
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import MOST_STATIC, Spec, known_vector
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.shape import Reshape, differentiable, dims, drawn

# A constant of zeros or ones with more entries than this is a Fill in a graph, as in TensorFlow.
MOST_CONSTANT = 1000


@op
class Fill(Op):
    """One value everywhere. dims [rank], value [] -> y [dims]"""

    signature = "dims: int32|int64, value: T -> output: T"
    T = dtypes.ANY
    static = (0,)

    def infer(self, to: Spec, value: Spec) -> Spec:
        if value.shape != ():
            raise ShapeError(f"Fill: value must be a scalar, but has shape {shape.text(value.shape)}")
        wanted = known_vector(to)
        if wanted is not None and any(n is not None and n < 0 for n in wanted):
            raise ShapeError(f"Fill: dims {shape.text(wanted)} must not hold negative numbers")
        held = None
        if (
            value.value is not None
            and wanted is not None
            and len(wanted) == 1
            and (wanted[0] or MOST_STATIC + 1) <= MOST_STATIC
        ):
            held = (value.value,) * wanted[0]  # type: ignore[operator]
        return Spec(wanted, value.dtype, held)

    def reference(self, to: Any, value: Any) -> Any:
        return np.full(tuple(to), value, value.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        return None, SumTo()(dy, ())

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        to, value = inputs
        known = static_tuple(to)
        if axes[0] is not None or known is None:
            return NotImplemented
        return BroadcastTo()(Reshape()(value, (size, *(1,) * len(known))), (size, *known)), 0

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), ((2, 3), rng.normal(size=())), wrt=(1,))
        yield Sample(cls(), ((), rng.normal(size=())), wrt=(1,), name="scalar")
        yield Sample(cls(), ((0, 2), rng.normal(size=())), wrt=(1,), name="empty")
        yield from [Sample(cls(), ((2,), drawn(rng, (), t)), differentiable(t, 1), order=1, name=t.name) for t in cls.T]

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()((2,), np.ones(2)), ShapeError, "must be a scalar"
        yield lambda: cls()((-1,), 1.0), ShapeError, "negative"


# --- public names ---------------------------------------------------------------------------------------------------


def _uniform(shape: Any, value: int, dtype: Any, name: str | None, layout: Any) -> Tensor:
    """One number everywhere: a constant where the shape is known and small, or eager; a Fill elsewhere."""
    if layout is not None:
        raise ArgumentError(
            "layout spreads a tensor over devices by DTensor, which is not served; leave it None"
        ).locate()
    dtype = as_dtype(dtype)
    of: Any = {"string": b"", "bool": bool(value)}.get(dtype.name, value)
    to = dims(shape)
    to = (to,) if isinstance(to, int) else to
    here = interpreter.current()
    if isinstance(to, Tensor) and to.spec.rank == 0:
        to = Reshape()(to, (1,))
    if type(to) is EagerTensor:
        to = tuple(to.value.tolist())
    known = isinstance(to, tuple) and all(type(n) is int for n in to)
    if known and min(to, default=0) < 0:
        raise ShapeError(f"shape {list(to)} must not hold negative numbers").locate()
    if known and (not hasattr(here, "nodes") or math.prod(to) < MOST_CONSTANT):
        array = np.full(to, of, dtype.numpy)
        return here.constant(array, interpreter.constant_spec(array, dtype), name)
    return Fill()(to, interpreter.as_tensor(of, dtype), name=name)


@public("zeros")
def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None) -> Tensor:
    """Zeros of a shape; for strings empty ones, for bool False. `layout` must be None.

    Args:
      shape: ints, a vector tensor, or a list mixing both.
    """
    return _uniform(shape, 0, dtype, name or "zeros", layout)


@public("ones")
def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None) -> Tensor:
    """Ones of a shape; for bool True. `layout` must be None."""
    if as_dtype(dtype) is dtypes.string:
        raise DTypeError("ones: a string has no one").locate()
    return _uniform(shape, 1, dtype, name or "ones", layout)


def _like(tensor: Any, dtype: Any, name: str | None, optimize: bool, value: int, made: Any) -> Tensor:
    x = interpreter.as_tensor(tensor)
    kind = x.dtype if dtype is None else as_dtype(dtype)
    if (
        optimize
        and x.spec.known
        and kind.is_numpy_compatible
        and (type(x) is EagerTensor or math.prod(x.spec.shape) < MOST_CONSTANT)
    ):
        return _uniform(x.spec.shape, value, kind, name, None)
    if kind is x.dtype:
        return made(x, name=name)
    return Fill()(shape_of(x), interpreter.as_tensor(bool(value) if kind.is_bool else value, kind), name=name)


@public("zeros_like", v1=None)
def zeros_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """Zeros of a tensor's shape and type, or another `dtype`. `layout` must be None."""
    return _like(input, dtype, _without_layout(name, layout) or "zeros_like", True, 0, ZerosLike())


@public(v1="zeros_like")
def zeros_like_v1(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """As `zeros_like`. With optimize a known shape makes a constant."""
    return _like(tensor, dtype, name or "zeros_like", optimize, 0, ZerosLike())


@public("ones_like", v1=None)
def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """Ones of a tensor's shape and type, or another `dtype`. `layout` must be None."""
    return _like(input, dtype, _without_layout(name, layout) or "ones_like", True, 1, OnesLike())


@public(v1="ones_like")
def ones_like_v1(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """As `ones_like`. With optimize a known shape makes a constant."""
    return _like(tensor, dtype, name or "ones_like", optimize, 1, OnesLike())


def _without_layout(name: str | None, layout: Any) -> str | None:
    if layout is not None:
        raise ArgumentError(
            "layout spreads a tensor over devices by DTensor, which is not served; leave it None"
        ).locate()
    return name


@public("fill")
def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """One value, a scalar, everywhere in a shape. `layout` must be None.

    Gradient: to the value, the sum.
    """
    from pullback.ops.array.shape import dims as as_dims

    return Fill()(as_dims(dims), value, name=_without_layout(name, layout))
