"""Python's own functions, on symbolic tensors: what converted code calls in their place. On other values they are
Python's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from pullback.core import dtypes, interpreter
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.graph import Graph
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.sizes import shape_
from pullback.ops.control.tensor_array import TensorArray
from pullback.ops.math.select import Cast


def symbolic(x: Any) -> Any:
    """The symbolic tensor that x is, or stands for in the graph being built; None of anything else."""
    if isinstance(x, Tensor):
        return None if type(x) is EagerTensor else x
    if hasattr(type(x), "__pullback_tensor__") and isinstance(interpreter.current(), Graph):
        return interpreter.as_tensor(x)
    return None


def staged(x: Any) -> Any:
    """The same; also of an eager tensor, where a graph is being built."""
    if type(x) is EagerTensor and isinstance(interpreter.current(), Graph):
        return interpreter.current().adopt(x)
    return symbolic(x)


def is_dataset(x: Any) -> bool:
    return hasattr(type(x), "element_spec") and hasattr(type(x), "take_while")


def is_iterator(x: Any) -> bool:
    """Whether it is an iterator over a dataset."""
    return hasattr(type(x), "get_next_as_optional")


def length(x: Any) -> Any:
    """len: of the leading axis, int32 where it is not known before running."""
    tensor = symbolic(x)
    if isinstance(x, TensorArray):
        return x.size()
    if hasattr(type(x), "nrows"):
        return x.nrows()
    if is_dataset(x) and isinstance(interpreter.current(), Graph):
        return x.cardinality()
    return len(x) if tensor is None else rows(tensor)


def rows(x: Tensor) -> Any:
    """The size of a tensor's leading axis: an int where known.

    Raises:
      ShapeError: it is a scalar.
    """
    if x.spec.shape == ():
        raise ShapeError(f"len and `for` need a tensor with a leading axis, but {x!r} is a scalar").locate()
    if x.spec.shape is not None and x.spec.shape[0] is not None:
        return x.spec.shape[0]
    return shape_(x)[0]


def tensor_range(*args: Any) -> Any:
    """range: tf.range, where an argument is a tensor."""
    if all(symbolic(a) is None for a in args):
        return range(*args)
    from pullback.ops.array.ranges import range_

    return range_(*args)


def _number(python: type, dtype: Any) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        tensor = symbolic(args[0]) if args else None
        if tensor is None:
            return python(*args)
        if len(args) > 1:
            raise ArgumentError(f"{python.__name__}: a base is for Python strings, not for {tensor!r}").locate()
        if tensor.dtype is dtypes.string:
            from pullback.ops.strings.numbers import StringToNumber

            return StringToNumber(dtype)(tensor)
        return tensor if tensor.dtype is dtype else Cast(dtype)(tensor)

    return call


def ordered(x: Any, *, key: Any = None, reverse: bool = False) -> Any:
    """sorted: tf.sort along the leading axis of a vector."""
    tensor = symbolic(x)
    if tensor is None:
        return sorted(x, key=key, reverse=reverse)
    if key is not None or tensor.spec.rank not in (1, None):
        raise ArgumentError(
            f"sorted: of a tensor only a vector can be sorted, without a key, not {tensor!r}; use tf.argsort, tf.gather"
        ).locate()
    from pullback.ops.array.ordering import sort

    return sort(tensor, direction="DESCENDING" if reverse else "ASCENDING")


def numbered(x: Any, start: int = 0) -> Any:
    """enumerate: of a dataset, its `enumerate`."""
    return x.enumerate(start) if is_dataset(x) else enumerate(x, start)


def print_when_run(*args: Any, sep: str = " ", end: str = "\n", **kwargs: Any) -> Any:
    """print: tf.print to standard output, where an argument holds a tensor."""
    if kwargs or not isinstance(interpreter.current(), Graph) or not interpreter.holds_tensor(list(args)):
        return print(*args, sep=sep, end=end, **kwargs)
    from pullback.ops.control.world import print_v2

    print_v2(*args, sep=sep, end=end, output_stream=sys.stdout)
    return None


BUILTINS: dict[Any, Callable[..., Any]] = {
    len: length,
    range: tensor_range,
    int: _number(int, dtypes.int32),
    float: _number(float, dtypes.float32),
    sorted: ordered,
    enumerate: numbered,
}
