"""`tf.debugging.assert_*`: conditions on values that are checked when they run, and before, where they are known.

In a graph each answers with an operation; run it, or put it into control_dependencies. Eagerly it answers None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype, float32
from pullback.core.errors import DTypeError, InvalidArgumentError, ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import text
from pullback.core.tensor import Tensor
from pullback.ops.array.knowledge import get_static_value
from pullback.ops.array.shape import reshape
from pullback.ops.array.sizes import Rank
from pullback.ops.control.world import Assert
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import equal, greater, greater_equal, less, less_equal, not_equal
from pullback.ops.math.reduce_functions import reduce_all


def _checked(compare: Callable[..., Any], values: list[Any], data: Any, message: Any, summarize: Any, name: str) -> Any:
    """An Assert of all elements of compare(*values); an error at once where the values are known before running."""
    known = _known(compare, values)
    shown = [*([message] if message else []), *data]
    if known is False:
        words = " ".join(str(_plain(d)) for d in shown)
        raise InvalidArgumentError(f"{name}: {words}").locate()
    node = Assert(3 if summarize is None else summarize)(reduce_all(compare(*values)), *shown, name=name)
    return node if isinstance(interpreter.current(), Graph) else None


def _known(compare: Callable[..., Any], values: list[Any]) -> bool | None:
    """Whether a comparison holds in every element, as far as its values are known."""
    found = [get_static_value(v) for v in values]
    if any(v is None for v in found):
        return None
    with interpreter.entered(interpreter.eager()):
        return bool(reduce_all(compare(*found)))


def _plain(x: Any) -> Any:
    value = get_static_value(x)
    return x if value is None else value


def _compared(
    name: str, sign: str, compare: Callable[..., Any], x: Any, y: Any, data: Any, message: Any, summarize: Any
) -> Any:
    x = interpreter.as_tensor(x)
    y = interpreter.as_tensor(y, x.dtype) if not isinstance(y, Tensor) else y
    if data is None:
        data = [f"Condition x {sign} y did not hold element-wise:", "x = ", x, "y = ", y]
    return _checked(compare, [x, y], data, message, summarize, name)


def _two(name: str, sign: str, compare: Callable[..., Any], *, root: bool, swapped: bool = False) -> tuple[Any, Any]:
    """assert_<name>(x, y) in both signatures.

    root: TensorFlow 2 has it without `debugging.` too. swapped: there summarize stands before message.
    """

    def v1(
        x: Any, y: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None
    ) -> Any:
        return _compared(name or full, sign, compare, x, y, data, message, summarize)

    def v2(x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> Any:
        return _compared(name or full, sign, compare, x, y, None, message, summarize)

    def v2_swapped(x: Any, y: Any, summarize: Any = None, message: Any = None, name: str | None = None) -> Any:
        return _compared(name or full, sign, compare, x, y, None, message, summarize)

    full = f"assert_{name}"
    later = v2_swapped if swapped else v2
    said = f"Checks that x {sign} y in every element.\n\n    Raises:\n      InvalidArgumentError: not so.\n    "
    v1.__doc__ = later.__doc__ = said
    v1.__name__, later.__name__ = f"{full}_v1", full
    public(v1=(full, f"debugging.{full}"))(v1)
    public(f"debugging.{full}", *([full] if root else []), v1=None)(later)
    return v1, later


assert_equal_v1, assert_equal = _two("equal", "==", equal, root=True)
assert_none_equal_v1, assert_none_equal = _two("none_equal", "!=", not_equal, root=False, swapped=True)
assert_less_v1, assert_less = _two("less", "<", less, root=True)
assert_less_equal_v1, assert_less_equal = _two("less_equal", "<=", less_equal, root=False)
assert_greater_v1, assert_greater = _two("greater", ">", greater, root=True)
assert_greater_equal_v1, assert_greater_equal = _two("greater_equal", ">=", greater_equal, root=False)


def _one(name: str, sign: str, compare: Callable[..., Any]) -> tuple[Any, Any]:
    """assert_<name>(x): x compared to 0, in both signatures."""

    def checked(x: Any, data: Any, message: Any, summarize: Any, name: str) -> Any:
        x = interpreter.as_tensor(x)
        data = [f"Condition x {sign} 0 did not hold element-wise:", "x = ", x] if data is None else data
        zero = interpreter.as_tensor(np.zeros((), x.dtype.as_numpy_dtype), x.dtype)
        return _checked(compare, [x, zero], data, message, summarize, name)

    def v1(x: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None) -> Any:
        return checked(x, data, message, summarize, name or full)

    def v2(x: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> Any:
        return checked(x, None, message, summarize, name or full)

    full = f"assert_{name}"
    said = f"Checks that x {sign} 0 in every element.\n\n    Raises:\n      InvalidArgumentError: not so.\n    "
    v1.__doc__ = v2.__doc__ = said
    v1.__name__, v2.__name__ = f"{full}_v1", full
    public(v1=(full, f"debugging.{full}"))(v1)
    public(f"debugging.{full}", v1=None)(v2)
    return v1, v2


assert_positive_v1, assert_positive = _one("positive", ">", greater)
assert_negative_v1, assert_negative = _one("negative", "<", less)
assert_non_negative_v1, assert_non_negative = _one("non_negative", ">=", greater_equal)
assert_non_positive_v1, assert_non_positive = _one("non_positive", "<=", less_equal)


def _near(x: Any, y: Any, rtol: Any, atol: Any, data: Any, message: Any, summarize: Any, name: str) -> Any:
    x = interpreter.as_tensor(x)
    y = interpreter.as_tensor(y, x.dtype) if not isinstance(y, Tensor) else y
    coarse = 10 * float(np.finfo(x.dtype.real_dtype.as_numpy_dtype).eps) if x.dtype.is_differentiable else 0
    rtol, atol = (coarse if rtol is None else rtol), (coarse if atol is None else atol)
    if data is None:
        data = [f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}", "x = ", x, "y = ", y]

    def close(x: Any, y: Any) -> Any:
        x, y = interpreter.as_tensor(x), interpreter.as_tensor(y)
        return less(abs(x - y), atol + rtol * abs(y))

    return _checked(close, [x, y], data, message, summarize, name)


@public(v1=("assert_near", "debugging.assert_near"))
def assert_near_v1(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Any = None,
    summarize: Any = None,
    message: Any = None,
    name: str | None = None,
) -> Any:
    """Checks that |x - y| < atol + rtol |y| in every element; both are ten times the type's precision by default."""
    return _near(x, y, rtol, atol, data, message, summarize, name or "assert_near")


@public("debugging.assert_near", v1=None)
def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: Any = None,
    summarize: Any = None,
    name: str | None = None,
) -> Any:
    """Checks that |x - y| < atol + rtol |y| in every element; both are ten times the type's precision by default."""
    return _near(x, y, rtol, atol, None, message, summarize, name or "assert_near")


# --- shapes --------------------------------------------------------------------------------------------------------


def _rank(x: Any, fits: Callable[[int], bool], condition: Callable[[Any], Any], words: str, rest: Any) -> Any:
    data, message, summarize, name = rest
    x = interpreter.as_tensor(x)
    if x.spec.rank is not None:
        if not fits(x.spec.rank):
            raise ShapeError(
                f"{f'{message}. ' if message else ''}{name}: the tensor must have {words}, but has rank "
                f"{x.spec.rank}, shape {text(x.spec.shape)}"
            ).locate()
        return _checked(reduce_all, [interpreter.as_tensor(True)], [words], message, summarize, name)
    data = [f"the tensor must have {words}; rank = ", Rank()(x)] if data is None else data
    return _checked(condition, [Rank()(x)], data, message, summarize, name)


def _whole(rank: Any) -> int:
    known = get_static_value(interpreter.as_tensor(rank))
    if known is None or np.ndim(known) != 0 or np.asarray(known).dtype.kind not in "iu":
        raise ShapeError(f"rank must be a known whole number, but is {rank!r}").locate()
    return int(known)


@public(v1=("assert_rank", "debugging.assert_rank"))
def assert_rank_v1(
    x: Any, rank: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None
) -> Any:
    """Checks the rank: at once where it is known.

    Raises:
      ValueError: it is another.
    """
    r = _whole(rank)
    rest = data, message, summarize, name or "assert_rank"
    return _rank(x, lambda have: have == r, lambda have: equal(have, r), f"rank {r}", rest)


@public("debugging.assert_rank", "assert_rank", v1=None)
def assert_rank(x: Any, rank: Any, message: Any = None, name: str | None = None) -> Any:
    """Checks the rank: at once where it is known.

    Raises:
      ValueError: it is another.
    """
    return assert_rank_v1(x, rank, None, None, message, name)


@public(v1=("assert_rank_at_least", "debugging.assert_rank_at_least"))
def assert_rank_at_least_v1(
    x: Any, rank: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None
) -> Any:
    """Checks that the rank is not below `rank`.

    Raises:
      ValueError: it is.
    """
    r = _whole(rank)
    rest = data, message, summarize, name or "assert_rank_at_least"
    return _rank(x, lambda have: have >= r, lambda have: greater_equal(have, r), f"rank {r} or more", rest)


@public("debugging.assert_rank_at_least", v1=None)
def assert_rank_at_least(x: Any, rank: Any, message: Any = None, name: str | None = None) -> Any:
    """Checks that the rank is not below `rank`.

    Raises:
      ValueError: it is.
    """
    return assert_rank_at_least_v1(x, rank, None, None, message, name)


@public(v1=("assert_rank_in", "debugging.assert_rank_in"))
def assert_rank_in_v1(
    x: Any, ranks: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None
) -> Any:
    """Checks that the rank is one of several.

    Raises:
      ValueError: it is none.
    """
    several = [_whole(r) for r in ranks]

    def condition(have: Any) -> Any:
        found: Any = equal(have, several[0])
        for r in several[1:]:
            found = m.LogicalOr()(found, equal(have, r))
        return found

    rest = data, message, summarize, name or "assert_rank_in"
    words = f"a rank in {tuple(several)}"
    return _rank(x, lambda have: have in several, condition, words, rest)


@public("debugging.assert_rank_in", v1=None)
def assert_rank_in(x: Any, ranks: Any, message: Any = None, name: str | None = None) -> Any:
    """Checks that the rank is one of several.

    Raises:
      ValueError: it is none.
    """
    return assert_rank_in_v1(x, ranks, None, None, message, name)


@public(v1=("assert_scalar", "debugging.assert_scalar"))
def assert_scalar_v1(tensor: Any, name: str | None = None, message: Any = None) -> Any:
    """The tensor, found to be a scalar.

    Raises:
      ValueError: it is none.
    """
    tensor = interpreter.as_tensor(tensor)
    if tensor.spec.rank != 0:
        raise ShapeError(f"{message or ''}Expected scalar shape, saw shape: {text(tensor.spec.shape)}.").locate()
    return tensor


@public("debugging.assert_scalar", v1=None)
def assert_scalar(tensor: Any, message: Any = None, name: str | None = None) -> Any:
    """The tensor, found to be a scalar.

    Raises:
      ValueError: it is none.
    """
    return assert_scalar_v1(tensor, name, message)


# --- types ---------------------------------------------------------------------------------------------------------


@public("debugging.assert_type", v1=("assert_type", "debugging.assert_type"))
def assert_type(tensor: Any, tf_type: Any, message: Any = None, name: str | None = None) -> None:
    """Checks the dtype.

    Raises:
      TypeError: it is another.
    """
    have, wanted = interpreter.as_tensor(tensor).dtype, as_dtype(tf_type)
    if have is not wanted:
        raise DTypeError(f"{message or ''}assert_type: the tensor must be {wanted.name}, but is {have.name}").locate()


@public("debugging.assert_integer", v1=("assert_integer", "debugging.assert_integer"))
def assert_integer(x: Any, message: Any = None, name: str | None = None) -> None:
    """Checks that the dtype is an integer's.

    Raises:
      TypeError: it is not.
    """
    have = interpreter.as_tensor(x).dtype
    if not have.is_integer:
        raise DTypeError(f'{message or ""}Expected "x" to be integer type.  Found: {have.name}').locate()


@public("debugging.assert_same_float_dtype", v1=("assert_same_float_dtype", "debugging.assert_same_float_dtype"))
def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> Any:
    """The floating dtype that tensors share; float32 when there are none.

    Raises:
      TypeError: they differ, or it is not floating.
    """
    found = None if dtype is None else as_dtype(dtype)
    for tensor in tensors or ():
        if tensor is None:
            continue
        found = found or tensor.dtype
        if tensor.dtype is not found:
            raise DTypeError(f"assert_same_float_dtype: expected {found.name}, but got {tensor.dtype.name}").locate()
    found = found or float32
    if not found.is_floating:
        raise DTypeError(f"Expected floating point type, got {found.name}.").locate()
    return found


@public("debugging.assert_proper_iterable", v1=("assert_proper_iterable", "debugging.assert_proper_iterable"))
def assert_proper_iterable(values: Any) -> None:
    """Checks that values are several: a list, not one tensor, array or string.

    Raises:
      TypeError: they are not.
    """
    if isinstance(values, (Tensor, np.ndarray, str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"Expected argument `values` to be a proper iterable, but it is {type(values).__name__}")


@public("math.is_non_decreasing", v1=("math.is_non_decreasing", "is_non_decreasing", "debugging.is_non_decreasing"))
def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether each element of x, in row order, is not below the one before."""
    return _steps(x, greater_equal, name or "is_non_decreasing")


@public(
    "math.is_strictly_increasing",
    v1=("math.is_strictly_increasing", "is_strictly_increasing", "debugging.is_strictly_increasing"),
)
def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether each element of x, in row order, is above the one before."""
    return _steps(x, greater, name or "is_strictly_increasing")


def _steps(x: Any, compare: Callable[..., Any], name: str) -> Tensor:
    flat: Any = reshape(interpreter.as_tensor(x), [-1])
    return reduce_all(compare(flat[1:], flat[:-1]), name=name)
