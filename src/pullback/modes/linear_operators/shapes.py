"""Shapes of operators and their arguments: tuples where they are known, vectors of int32 where they are not."""

from __future__ import annotations

import functools
from typing import Any

from pullback.core import interpreter
from pullback.core.errors import DTypeError, ShapeError
from pullback.core.shape import Shape, TensorShape, as_shape, broadcast, known, text
from pullback.core.tensor import Tensor
from pullback.ops.array.conversion import cast
from pullback.ops.array.joining import concat
from pullback.ops.array.knowledge import get_static_value
from pullback.ops.array.sizes import broadcast_dynamic_shape, broadcast_to, shape_

Dims = Any  # a tuple of ints and scalar tensors, or a vector


def static(x: Any) -> Shape:
    """What is known of a shape, of a tensor, a variable or an operator."""
    return as_shape(x.shape)


def lead(x: Any) -> Shape:
    """The known batch axes of matrices."""
    shape = static(x)
    return None if shape is None else shape[:-2]


def dims_of(x: Any) -> Dims:
    """The shape of a tensor, to build others from."""
    shape = static(x)
    return shape if known(shape) else shape_(x)


def spliced(*pieces: Dims) -> Dims:
    """Shapes one behind the other."""
    if all(isinstance(piece, tuple) for piece in pieces):
        return sum(pieces, ())
    return concat([_vector(piece) for piece in pieces], 0)


def _vector(piece: Dims) -> Tensor:
    return interpreter.as_tensor(list(piece) if isinstance(piece, tuple) else piece, "int32")


def together(*shapes: Dims) -> Dims:
    """What batch axes broadcast to."""
    if all(isinstance(shape, tuple) and known(shape) for shape in shapes):
        return broadcast(*shapes)
    return functools.reduce(broadcast_dynamic_shape, map(_vector, shapes))


def batch(operators: Any) -> Shape:
    """The known batch axes of several operators, broadcast."""
    return broadcast(*[lead(operator) for operator in operators])


def matrix(shape: Shape, rows: int | None, columns: int | None) -> Shape:
    """Batch axes, then two more."""
    return None if shape is None else (*shape, rows, columns)


def aligned(*matrices: Any) -> list[Tensor]:
    """Matrices with their batch axes broadcast to one another's, for ops that do not broadcast."""
    tensors = [interpreter.as_tensor(x) for x in matrices]
    common = broadcast(*[lead(x) for x in tensors])
    if known(common) and all(lead(x) == common for x in tensors):
        return tensors
    run = common if known(common) else functools.reduce(broadcast_dynamic_shape, [shape_(x)[:-2] for x in tensors])
    out = []
    for x in tensors:
        last = static(x)[-2:] if static(x) else (None, None)  # type: ignore[index]
        y = broadcast_to(x, spliced(run, last if known(last) else shape_(x)[-2:]))
        if not isinstance(run, tuple):
            y.set_shape(matrix(common, *last))
        out.append(y)
    return out


def kept(x: Any, name: str, rank: int = 0) -> Any:
    """An operator's parameter: a variable stays one, so that it is read anew each time; the rest become tensors.

    Raises:
      ShapeError: it has fewer axes than `rank`.
    """
    if not (hasattr(type(x), "__pullback_tensor__") and hasattr(x, "shape")):
        x = interpreter.as_tensor(x, name=name)
    shape = static(x)
    if shape is not None and len(shape) < rank:
        raise ShapeError(f"{name} must have at least {rank} axes, but its shape is {text(shape)}").locate()
    return x


def one_type(**tensors: Any) -> None:
    """Checks that an operator's parameters are of one type.

    Raises:
      DTypeError: they are not.
    """
    found = {name: x.dtype.base_dtype.name for name, x in tensors.items() if x is not None}
    if len(set(found.values())) > 1:
        shown = ", ".join(f"{name} {dtype}" for name, dtype in found.items())
        raise DTypeError(f"an operator's parameters must be of one type, but are {shown}; use tf.cast").locate()


def number(x: Any, name: str) -> Any:
    """A size: an int where it is known, else an int32 scalar.

    Raises:
      DTypeError: it is no integer. ShapeError: it is no scalar, or negative.
    """
    tensor, value = _whole(x, name, 0)
    return tensor if value is None else int(value)


def batch_axes(x: Any) -> Dims:
    """A batch_shape that a user gave: a tuple of ints where it is known, else an int32 vector.

    Raises:
      DTypeError: it is not of integers. ShapeError: it is no vector, or has a negative size.
    """
    x = as_shape(x) if isinstance(x, TensorShape) else x
    if x is None or (isinstance(x, (tuple, list)) and not x):
        return ()
    tensor, value = _whole(x, "batch_shape", 1)
    return tensor if value is None else tuple(int(n) for n in value)


def _whole(x: Any, name: str, rank: int) -> tuple[Tensor, Any]:
    """An int32 tensor of sizes, and its value where that is known."""
    tensor = interpreter.as_tensor(x, name=name)
    if not tensor.dtype.is_integer:
        raise DTypeError(f"{name} must be of integers, but is of type {tensor.dtype.name}").locate()
    if tensor.spec.rank not in (None, rank):
        kind = "vector" if rank else "scalar"
        raise ShapeError(f"{name} must be a {kind}, but its shape is {text(tensor.spec.shape)}").locate()
    value = get_static_value(tensor)
    if value is not None and (value < 0).any():
        raise ShapeError(f"{name} must not be negative, but is {value}").locate()
    return cast(tensor, "int32"), value
