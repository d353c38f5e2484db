"""The public random functions: tf.random.*, and TensorFlow 1's random_* names."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.basics import Shape_
from pullback.core.dtypes import DType, as_dtype, float32, int32, resource
from pullback.core.errors import ArgumentError, DTypeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import Op
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.shape import dims
from pullback.ops.math.arithmetic import AddV2, Maximum
from pullback.ops.math.scopes import scope
from pullback.ops.random import draws as d
from pullback.ops.random.seeds import eager_stream, get_seed


def next_counter(op: Op, seed: Any, shape: Any, words: int = d.WORDS_EACH) -> tuple[Tensor, Tensor]:
    """(key, counter) for one draw of `op`, from the stream that its seeds lead to.

    Args:
      op: eagerly, ops of one value and one pair of seeds share a stream; in a graph each call makes its own.
      seed: the op seed, an int or None.
      shape: how many numbers are drawn.
      words: random words set aside for each.
    """
    first, second = get_seed(seed)
    made = Resource(f"{op.type} stream", d.STREAM)
    here: Any = interpreter.current()
    if isinstance(here, Graph):
        handle = here.constant(made, Spec((), resource, d.STREAM), "stream")
    else:
        stream = eager_stream((op, first, second), made)
        handle = EagerTensor(stream.handle_spec, stream)
    return d.DrawCounter(first or 0, second or 0, words)(handle, shape)


def _sizes(shape: Any) -> Tensor:
    """The shape argument as one tensor, which the counter and the draw share."""
    shape = dims(shape)
    plain = isinstance(shape, tuple) and not interpreter.holds_tensor(shape)
    return _tensor(shape, int32 if plain else None, "shape")


def _real_type(what: str, dtype: Any, integers: bool = False) -> DType:
    dtype = as_dtype(dtype)
    if not (dtype.is_floating or (integers and dtype.is_integer)):
        allowed = "float16, bfloat16, float32, float64" + (", int32 or int64" if integers else "")
        raise DTypeError(f"{what}: dtype is {dtype.name}, but must be one of {allowed}").locate()
    return dtype


def _parameters(dtype: DType, **values: Any) -> list[Tensor]:
    """A distribution's parameters as tensors of its type."""
    return [_tensor(value, dtype, name) for name, value in values.items()]


def _tensor(value: Any, dtype: DType | None, name: str) -> Tensor:
    """A tensor; eagerly the one that stands for a number, made once."""
    eager = type(interpreter.current()) is interpreter.Eager
    found = interpreter.number(value, dtype) if eager else None
    return interpreter.as_tensor(value, dtype, name=name) if found is None else found


def _is(value: Any, number: int) -> bool:
    return isinstance(value, int) and value == number


@public("random.uniform", v1=("random.uniform", "random_uniform"))
def random_uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Numbers in [minval, maxval), all equally likely. Of integers the small ones are likelier by at most
    (maxval - minval) / 2^32.

    Args:
      shape: of the result; a list or an integer tensor.
      minval, maxval: the range; maxval is 1 for floats and must be given for integers.
      dtype: of the result.
      seed: the op seed, see `set_seed`.
    Raises:
      ValueError: maxval is missing for an integer dtype. DTypeError: dtype is neither real nor integer.
      InvalidArgumentError: minval is not below maxval, for integers.
    """
    dtype = _real_type("random.uniform", dtype, integers=True)
    if maxval is None:
        if dtype.is_integer:
            raise ArgumentError(f"random.uniform: Must specify maxval for integer dtype {dtype!r}").locate()
        maxval = 1
    with scope(name, "random_uniform", shape, minval, maxval) as full:
        sizes = _sizes(shape)
        if dtype.is_integer:
            low, high = _parameters(dtype, min=minval, max=maxval)
            op: Any = d.RandomUniformInt()
            return op(sizes, low, high, *next_counter(op, seed, sizes), name=full)
        op = d.RandomUniform(dtype)
        if _is(minval, 0) and _is(maxval, 1):
            return op(sizes, *next_counter(op, seed, sizes))
        low, high = _parameters(dtype, min=minval, max=maxval)
        drawn = op(sizes, *next_counter(op, seed, sizes))
        return AddV2()(drawn * (high - low), low, name=full)


@public("random.normal", v1=("random.normal", "random_normal"))
def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Draws from the normal distribution.

    Args:
      shape: of the result; a list or an integer tensor.
      mean, stddev: numbers, or tensors that broadcast to shape. Gradients reach them.
      dtype: of the result, real.
      seed: the op seed, see `set_seed`.
    Raises:
      DTypeError: dtype is not real.
    """
    dtype = _real_type("random.normal", dtype)
    with scope(name, "random_normal", shape, mean, stddev) as full:
        sizes = _sizes(shape)
        op = d.RandomStandardNormal(dtype)
        plain = type(mean) in (int, float) and type(stddev) in (int, float) and mean == 0 and stddev == 1
        if plain and type(interpreter.current()) is interpreter.Eager:
            return op(sizes, *next_counter(op, seed, sizes))
        centre, spread = _parameters(dtype, mean=mean, stddev=stddev)
        return AddV2()(op(sizes, *next_counter(op, seed, sizes)) * spread, centre, name=full)


@public("random.truncated_normal", v1=("random.truncated_normal", "truncated_normal"))
def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Draws from the normal distribution, those two standard deviations or more from the mean drawn again.

    Args:
      shape: of the result; a list or an integer tensor.
      mean, stddev: of the distribution before it is cut; numbers, or tensors that broadcast to shape.
      dtype: of the result, real.
      seed: the op seed, see `set_seed`.
    Raises:
      DTypeError: dtype is not real.
    """
    dtype = _real_type("random.truncated_normal", dtype)
    with scope(name, "truncated_normal", shape, mean, stddev) as full:
        sizes = _sizes(shape)
        centre, spread = _parameters(dtype, mean=mean, stddev=stddev)
        op = d.TruncatedNormal(dtype)
        return AddV2()(op(sizes, *next_counter(op, seed, sizes)) * spread, centre, name=full)


@public("random.shuffle", v1=("random.shuffle", "random_shuffle"))
def random_shuffle(value: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """The rows of a tensor (its entries along axis 0) in a random order.

    Args:
      value: Tensor [n, ...].
      seed: the op seed, see `set_seed`.
    Raises:
      ShapeError: value is a scalar.
    Gradient: each row's cotangent goes back to where the row came from.
    """
    with scope(name, "RandomShuffle", value) as full:
        value = interpreter.as_tensor(value, name="value")
        rows = value.spec.shape[0] if value.spec.shape else None
        steps: Any = (max(rows - 1, 0),) if rows is not None else Maximum()(Shape_()(value)[:1] - 1, 0)
        op = d.RandomShuffle()
        return op(value, *next_counter(op, seed, steps, words=1), name=full)


def _stateless(what: str, seed: Any, alg: Any) -> tuple[Tensor, Tensor]:
    """(key, counter) of a pair of seeds.

    Raises:
      ArgumentError: another generator than Philox is asked for.
    """
    if not (alg in ("auto_select", "philox", None) or getattr(alg, "value", alg) in (1, 3)):
        raise ArgumentError(
            f"{what}: alg is {alg!r}, but the generator here is Philox: give 'philox' or 'auto_select'"
        ).locate()
    return d.StatelessRandomGetKeyCounter()(interpreter.as_tensor(seed, name="seed"))


@public("random.stateless_uniform")
def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """`random.uniform` as a pure function: the same seed gives the same numbers.

    Args:
      shape: of the result; a list or an integer tensor.
      seed: two integers, [2].
      minval, maxval: the range; maxval is 1 for floats. Of integers both None means the type's whole range.
      dtype: of the result.
      alg: "philox" or "auto_select".
    Raises:
      ValueError: maxval is missing for an integer dtype, or alg is another one. ShapeError: seed is not of shape [2].
    """
    dtype = _real_type("random.stateless_uniform", dtype, integers=True)
    if dtype.is_integer and (minval is None) != (maxval is None):
        raise ArgumentError(
            f"random.stateless_uniform: for integer dtype {dtype!r}, minval and maxval must be both None or "
            f"both given; got minval={minval} and maxval={maxval}"
        ).locate()
    with scope(name, "stateless_random_uniform", shape, seed, minval, maxval) as full:
        sizes = _sizes(shape)
        start = _stateless("random.stateless_uniform", seed, alg)
        if dtype.is_integer and minval is None:
            return d.StatelessRandomUniformFullIntV2(dtype)(sizes, *start, name=full)
        if dtype.is_integer:
            low, high = _parameters(dtype, min=minval, max=maxval)
            return d.StatelessRandomUniformIntV2()(sizes, low, high, *start, name=full)
        low, high = _parameters(dtype, min=0 if minval is None else minval, max=1 if maxval is None else maxval)
        drawn = d.StatelessRandomUniformV2(dtype)(sizes, *start)
        return AddV2()(drawn * (high - low), low, name=full)


@public("random.stateless_normal")
def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """`random.normal` as a pure function: the same seed gives the same numbers.

    Args:
      shape: of the result; a list or an integer tensor.
      seed: two integers, [2].
      mean, stddev: numbers, or tensors that broadcast to shape.
      dtype: of the result, real.
      alg: "philox" or "auto_select".
    Raises:
      ValueError: alg is another one. ShapeError: seed is not of shape [2]. DTypeError: dtype is not real.
    """
    dtype = _real_type("random.stateless_normal", dtype)
    with scope(name, "stateless_random_normal", shape, seed, mean, stddev) as full:
        sizes = _sizes(shape)
        centre, spread = _parameters(dtype, mean=mean, stddev=stddev)
        start = _stateless("random.stateless_normal", seed, alg)
        return AddV2()(d.StatelessRandomNormalV2(dtype)(sizes, *start) * spread, centre, name=full)


@public("random.stateless_truncated_normal")
def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """`random.truncated_normal` as a pure function: the same seed gives the same numbers.

    Args:
      shape: of the result; a list or an integer tensor.
      seed: two integers, [2].
      mean, stddev: of the distribution before it is cut; numbers, or tensors that broadcast to shape.
      dtype: of the result, real.
      alg: "philox" or "auto_select".
    Raises:
      ValueError: alg is another one. ShapeError: seed is not of shape [2]. DTypeError: dtype is not real.
    """
    dtype = _real_type("random.stateless_truncated_normal", dtype)
    with scope(name, "stateless_truncated_normal", shape, seed, mean, stddev) as full:
        sizes = _sizes(shape)
        centre, spread = _parameters(dtype, mean=mean, stddev=stddev)
        start = _stateless("random.stateless_truncated_normal", seed, alg)
        return AddV2()(d.StatelessTruncatedNormalV2(dtype)(sizes, *start) * spread, centre, name=full)
