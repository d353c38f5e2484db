"""Tensors from numbers: constants, zeros and ones, Fill, Range, eye, linspace, one_hot, meshgrid; conversion and cast."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import BroadcastTo, OnesLike, SumTo, ZerosLike, shape_of, static_tuple
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, DTypeError, OpError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import as_shape
from pullback.core.slices import IndexedSlices
from pullback.core.spec import MOST_STATIC, Spec, known_vector
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.joining import ConcatV2, chain, spread
from pullback.ops.array.shape import ExpandDims, Reshape, axis_in, differentiable, dims, drawn, static_scalar
from pullback.ops.math.arithmetic import Equal
from pullback.ops.math.select import Cast, Identity, Select

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
        if value.value is not None and wanted is not None and len(wanted) == 1 and (wanted[0] or MOST_STATIC + 1) <= MOST_STATIC:
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


@op
class Range(Op):
    """start, start + delta, ... before limit. All scalars -> y [n]"""

    signature = "start: T, limit: T, delta: T -> output: T"
    T = (*dtypes.REALS, *dtypes.INTS)
    static = (0, 1, 2)

    def infer(self, *inputs: Spec) -> Spec:
        if any(s.shape != () for s in inputs):
            raise ShapeError(f"Range: start, limit and delta must be scalars, but are {', '.join(map(repr, inputs))}")
        start, limit, delta = (s.value if s.dtype.is_integer else None for s in inputs)
        if delta == 0:
            raise ArgumentError("Range: delta must not be 0")
        if None in (start, limit, delta):
            return inputs[0].with_shape((None,))
        n = self._length(start, limit, delta)
        return Spec((n,), inputs[0].dtype, tuple(start + i * delta for i in range(n)) if n <= MOST_STATIC else None)

    def _length(self, start: Any, limit: Any, delta: Any) -> int:
        if (limit - start) * delta < 0:
            raise ArgumentError(f"Range: {limit} is not reached from {start} in steps of {delta}")
        return math.ceil((limit - start) / delta)

    def reference(self, start: Any, limit: Any, delta: Any) -> Any:
        if delta == 0:
            raise ArgumentError("Range: delta must not be 0")
        exact = int if start.dtype.kind in "iu" else float
        n = self._length(exact(start), exact(limit), exact(delta))
        return (start + np.arange(n).astype(start.dtype) * delta).astype(start.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        _, _, delta = node.inputs
        y = node.results[0]
        if not y.dtype.is_differentiable:
            return None, None, None
        steps = Cast(y.dtype)(Range()(0, Size()(y), 1))
        return SumTo()(dy, ()), None, SumTo()(dy * steps, ())

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.float64(0.5), np.float64(3.2), np.float64(0.7)), wrt=(0, 2))
        yield Sample(cls(), (np.int32(5), np.int32(-1), np.int32(-2)), name="down")
        yield Sample(cls(), (np.int64(3), np.int64(3), np.int64(1)), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(0, 3, 0), ArgumentError, "must not be 0"
        yield lambda: cls()(0, 3, -1), ArgumentError, "not reached"
        yield lambda: cls()(np.arange(2), 3, 1), ShapeError, "scalars"


@op
class OneHot(Op):
    """on_value where the place along a new axis is the index, off_value elsewhere.

    indices [...], depth [], on_value [], off_value [] -> y [..., depth, ...], the new axis at `axis`
    """

    signature = "indices: TI, depth: int32|int64, on_value: T, off_value: T -> output: T"
    T = dtypes.ANY
    TI = (dtypes.int32, dtypes.int64, dtypes.uint8, dtypes.int8)
    static = (1,)
    axis: int = -1

    def infer(self, indices: Spec, depth: Spec, on: Spec, off: Spec) -> Spec:
        assert indices.shape is not None
        if on.shape != () or off.shape != ():
            raise ShapeError("OneHot: on_value and off_value must be scalars")
        if depth.value is not None and depth.value < 0:
            raise ArgumentError(f"OneHot: depth must not be negative, but is {depth.value}")
        at = axis_in(self.axis, len(indices.shape) + 1, "OneHot")
        return on.with_shape((*indices.shape[:at], depth.value, *indices.shape[at:]))

    def reference(self, indices: Any, depth: Any, on: Any, off: Any) -> Any:
        at = axis_in(self.axis, np.ndim(indices) + 1, "OneHot")
        places = np.arange(int(depth)).reshape((-1,) + (1,) * (np.ndim(indices) - at))
        return np.where(np.expand_dims(indices, at) == places, on, off).astype(on.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        indices, depth, _, _ = node.inputs
        if not dy.dtype.is_differentiable:
            return None, None, None, None
        hot = self(indices, depth, interpreter.as_tensor(1, dy.dtype), interpreter.as_tensor(0, dy.dtype))
        return None, None, SumTo()(dy * hot, ()), SumTo()(dy * (1 - hot), ())

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if axes[1:] != (None, None, None):
            return NotImplemented
        return OneHot(self.axis + 1 if self.axis >= 0 else self.axis)(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        on, off = rng.normal(size=()), rng.normal(size=())
        yield Sample(cls(), (np.array([0, 2, -1, 3], np.int32), np.int32(3), on, off))
        yield Sample(cls(0), (np.array([[0, 2], [1, 1]]), np.int32(3), on, off))
        yield Sample(cls(1), (np.array([[0, 2], [1, 1]], np.uint8), np.int32(3), on, off))
        yield Sample(cls(), (np.zeros((0,), np.int32), np.int32(2), on, off), name="empty")
        yield from [Sample(cls(), (np.array([1, 0]), np.int32(2), drawn(rng, (), t), drawn(rng, (), t)), (), name=t.name) for t in cls.T]

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.array([1]), -1, 1.0, 0.0), ArgumentError, "negative"
        yield lambda: cls(2)(np.array([1]), 2, 1.0, 0.0), ShapeError, "axis 2"


# --- constants ------------------------------------------------------------------------------------------------------


@public("constant", v1=None)
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """A tensor of Python or NumPy values.

    Args:
      value: numbers, words, truths, nested lists of them, or an array. Python floats become float32, ints int32.
      dtype: the element type; by default the values'.
      shape: the result's; a single value is repeated, others must be as many as it holds.
    Raises:
      DTypeError: the values do not convert without loss. ArgumentError: they are another number than the shape's.
    """
    return _constant(value, dtype, shape, name, fills=False)


@public(v1="constant")
def constant_v1(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const", verify_shape: bool = False) -> Tensor:
    """As `constant`, but when fewer values than the shape holds are given, the last is repeated.

    Args:
      verify_shape: the values must have the shape as they are.
    """
    return _constant(value, dtype, shape, name, fills=True, exactly=verify_shape)


def _constant(value: Any, dtype: Any, to: Any, name: str, fills: bool, exactly: bool = False) -> Tensor:
    if isinstance(value, Tensor) and type(value) is not EagerTensor:
        raise DTypeError(f"constant: {value!r} has no value yet, so it is no constant; use tf.identity").locate()
    if to is None or type(value) is EagerTensor:
        x = interpreter.as_tensor(value, dtype, name)
        return x if to is None else _reshaped_eager(x, dims(to))
    try:
        array = interpreter.array_of(value, None if dtype is None else as_dtype(dtype), "constant")
    except OpError as error:
        raise error.locate() from None
    wanted = dims(to if isinstance(to, (tuple, list)) else as_shape(to))
    if exactly and array.shape != wanted:
        raise DTypeError(f"constant: expected values of shape {list(wanted)}, but got shape {list(array.shape)}").locate()
    array = _filled(array, wanted, fills)
    return interpreter.current().constant(array, interpreter.constant_spec(array, dtype and as_dtype(dtype)), name)


def _filled(array: Any, wanted: tuple[int, ...], fills: bool) -> Any:
    """Values as an array of the wanted shape."""
    count = math.prod(wanted)
    if array.size == count:
        return array.reshape(wanted)
    if array.size == 1 or (fills and 0 < array.size < count):
        flat = array.ravel()
        return np.concatenate([flat, np.repeat(flat[-1:], max(count - array.size, 0))])[:count].reshape(wanted)
    raise ArgumentError(f"constant: {array.size} values do not make shape {list(wanted)}, which holds {count}").locate()


def _reshaped_eager(x: Tensor, wanted: Any) -> Tensor:
    if x.spec.shape == wanted:
        return x
    return BroadcastTo()(x, wanted) if x.spec.shape == () else Reshape()(x, wanted)


@public("convert_to_tensor", v1=None)
def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    """A tensor of what is one, stands for one (a variable), or can be a constant; lists may hold tensors.

    Args:
      dtype: the type it must have. dtype_hint: the type to prefer where no tensor settles it.
    Raises:
      DTypeError: a tensor has another type, or the values do not convert.
    """
    if dtype is None and dtype_hint is not None:
        try:
            return interpreter.as_tensor(value, dtype_hint, name)
        except DTypeError:
            return interpreter.as_tensor(value, None, name)
    return interpreter.as_tensor(value, dtype, name)


@public(v1="convert_to_tensor")
def convert_to_tensor_v1(
    value: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None, dtype_hint: Any = None
) -> Tensor:
    """As `convert_to_tensor`; `preferred_dtype` is the hint's earlier name."""
    return convert_to_tensor(value, dtype, dtype_hint if preferred_dtype is None else preferred_dtype, name)


def _uniform(shape: Any, value: int, dtype: Any, name: str | None, layout: Any) -> Tensor:
    """One number everywhere: a constant where the shape is known and small, or eager; a Fill elsewhere."""
    if layout is not None:
        raise ArgumentError("layout spreads a tensor over devices by DTensor, which is not served; leave it None").locate()
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
    if optimize and x.spec.known and kind.is_numpy_compatible and (type(x) is EagerTensor or math.prod(x.spec.shape) < MOST_CONSTANT):
        with interpreter.entered(x.node.graph) if _elsewhere(x) else _here:
            return _uniform(x.spec.shape, value, kind, name, None)
    if kind is x.dtype:
        return made(x, name=name)
    with interpreter.entered(x.node.graph) if _elsewhere(x) else _here:
        return Fill()(shape_of(x), interpreter.as_tensor(bool(value) if kind.is_bool else value, kind), name=name)


def _elsewhere(x: Tensor) -> bool:
    """Whether a symbolic tensor's graph must be entered: when nothing but the eager interpreter is current."""
    return type(x) is not EagerTensor and not hasattr(interpreter.current(), "nodes")


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
        raise ArgumentError("layout spreads a tensor over devices by DTensor, which is not served; leave it None").locate()
    return name


@public("fill")
def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """One value, a scalar, everywhere in a shape. `layout` must be None.

    Gradient: to the value, the sum.
    """
    from pullback.ops.array.shape import dims as as_dims

    return Fill()(as_dims(dims), value, name=_without_layout(name, layout))
