"""What users say to convolutions and pooling, as the ops take it. Errors name the function and the user's line."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.basics import Shape_
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.shape import Dimension, TensorShape
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import ExpandDims, Squeeze
from pullback.ops.nn.conv import shapes, window

# Layouts that TensorFlow's 1-D functions also take.
FLAT = {"NHWC": "NWC", "NCHW": "NCW"}


def fields(
    where: str, strides: Any, padding: Any, data_format: Any, dilations: Any, explicit: Any = (), rank: int = 2
) -> tuple[Any, ...]:
    """An op's fields of what the user says. None is 1, and channels last.

    Raises:
      ArgumentError: one of them means nothing.
    """
    try:
        layout = layout_of(where, data_format, rank)
        return (
            window.numbers(1 if strides is None else strides, "strides", where, layout),
            window.padding_of(padding, where, layout, explicit),
            layout,
            window.numbers(1 if dilations is None else dilations, "dilations", where, layout),
        )
    except ArgumentError as error:
        raise error.locate() from None


def fields_of_one(where: str, what: str, value: Any, data_format: Any, rank: int) -> window.Numbers:
    """A number for each spatial axis, of what the user says.

    Raises:
      ArgumentError: it means nothing.
    """
    try:
        return window.numbers(value, what, where, layout_of(where, data_format, rank))
    except ArgumentError as error:
        raise error.locate() from None


def layout_of(where: str, data_format: Any, rank: int) -> str:
    """The layout, channels last where none is said.

    Raises:
      ArgumentError: it is none for so many spatial axes.
    """
    layout = window.LAYOUTS[rank][0] if data_format is None else data_format
    layout = FLAT.get(layout, layout) if rank == 1 else layout
    window.check_format(layout, where, window.LAYOUTS[rank])
    return layout


def either(where: str, new: str, value: Any, old: str, earlier: Any) -> Any:
    """The argument under whichever of its two names it was given.

    Raises:
      ArgumentError: both were given, or neither.
    """
    if value is not None and earlier is not None:
        raise ArgumentError(f"{where}: {new} and {old} are the same argument; give one").locate()
    if value is None and earlier is None:
        raise ArgumentError(f"{where}: {old} is needed").locate()
    return earlier if value is None else value


def either_or_none(where: str, new: str, value: Any, old: str, earlier: Any) -> Any:
    """The argument under whichever of its two names it was given; None where under neither."""
    return None if value is None and earlier is None else either(where, new, value, old, earlier)


def needed(where: str, name: str, value: Any) -> Any:
    """The argument, which TensorFlow's signature lets be absent and its meaning does not."""
    if value is None:
        raise ArgumentError(f"{where}: {name} is needed").locate()
    return value


def of_rank(x: Any, rank: int, where: str, what: str = "input") -> Tensor:
    """x as a tensor of so many dimensions, as far as known.

    Raises:
      ShapeError: it has another number.
    """
    x = interpreter.as_tensor(x)
    if x.spec.shape is not None and len(x.spec.shape) != rank:
        raise ShapeError(
            f"{where}: {what} must have {rank} dimensions, but has shape {x.shape}; use tf.reshape"
        ).locate()
    return x


# --- one spatial axis as the second of two --------------------------------------------------------


def lifted(flat: tuple[Any, ...]) -> tuple[Any, ...]:
    """Fields of a 1-D op as those of a 2-D one over images of height 1; numbers get a 1, layouts an H."""
    return tuple([_lifted(field) for field in flat])


def _lifted(field: Any) -> Any:
    if isinstance(field, str):
        return {"NWC": "NHWC", "NCW": "NCHW"}.get(field, field)
    return ((0, 0), *field) if isinstance(field[0], tuple) else (1, *field)


def raised(x: Tensor, data_format: str) -> Tensor:
    """[N,W,C] -> [N,1,W,C], or [N,C,W] -> [N,C,1,W]"""
    return ExpandDims()(x, window.spatial(data_format))


def lowered(x: Tensor, data_format: str) -> Tensor:
    """[N,1,W,C] -> [N,W,C], or [N,C,1,W] -> [N,C,W]"""
    return Squeeze((window.spatial(data_format),))(x)


def with_height(given: Any, at: int, where: str) -> Any:
    """A 1-D output_shape with a height of 1; None stays None."""
    if isinstance(given, TensorShape):
        given = None if given.rank is None else given.as_list()
    if given is None:
        return None
    if not isinstance(given, (list, tuple)):
        given = of_rank(given, 1, where, "output_shape")
        known = given.spec.value or (None,) * 3  # of the tensor's entries; what is unknown is taken from it when run
        given = [given[i] if n is None else n for i, n in enumerate(known)]
    if len(given) != 3:
        raise ShapeError(f"{where}: output_shape must be 3 numbers, but {list(given)} has {len(given)}").locate()
    return [*given[:at], 1, *given[at:]]


# --- the shape of what a transposed convolution makes ---------------------------------------------


KEPT = "kept"  # an output has as many channels as the input


def output_shape(given: Any, x: Tensor, kernel: Any, channels: Any, op: Any, where: str) -> Any:
    """output_shape as a static input: a tuple of ints or a tensor; what is None is worked out.

    Args:
      kernel: sizes of the window, channels: of the output, both as far as known; or KEPT, those of x.
    """
    if isinstance(given, TensorShape):
        given = None if given.rank is None else tuple(given.as_list())
    if given is None:
        given = (None,) * (op.rank + 2)
    if not isinstance(given, (list, tuple)):
        return given
    entries = tuple([n.value if isinstance(n, Dimension) else n for n in given])
    if None not in entries or len(entries) != op.rank + 2:
        return entries
    natural = _natural_shape(x, kernel, channels, op, where)
    if isinstance(natural, tuple):
        return tuple([m if n is None else n for n, m in zip(entries, natural, strict=True)])
    return [natural[i] if n is None else n for i, n in enumerate(entries)]


def _natural_shape(x: Tensor, kernel: Any, channels: Any, op: Any, where: str) -> Any:
    """The shape that a transposed convolution has when nobody says one: a tuple, or a tensor."""
    kept = channels is KEPT
    if kernel is None or len(kernel) != op.rank or None in kernel or channels is None:
        raise ShapeError(
            f"{where}: output_shape was not given whole, and cannot be worked out of filters whose shape is not "
            f"wholly known; say output_shape"
        ).locate()
    axes = zip(kernel, op.strides, op.dilations, window.per_axis(op.padding, op.rank), strict=True)
    more = tuple([window.restored(0, k, s, d, pad) for k, s, d, pad in axes])
    scale = shapes.in_format((1, *op.strides, int(kept)), op.data_format)
    shift = shapes.in_format((0, *more, 0 if kept else channels), op.data_format)
    dims = x.spec.shape
    if dims is not None and len(dims) == op.rank + 2 and None not in [n for n, a in zip(dims, scale, strict=True) if a]:
        return tuple([b if a == 0 else n * a + b for n, a, b in zip(dims, scale, shift, strict=True)])
    return Shape_()(x) * list(scale) + list(shift)


def value_of(sizes: Any, rank: int) -> tuple[Any, ...]:
    """What is known of a shape argument, for a message."""
    if isinstance(sizes, tuple):
        return sizes
    sizes = interpreter.as_tensor(sizes)
    known = interpreter.static_value(sizes) if hasattr(sizes, "value") else sizes.spec.value
    return known if isinstance(known, tuple) else (None,) * (rank + 2)
