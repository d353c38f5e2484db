"""What users say to pooling, as the ops take it, for any number of spatial axes."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.tensor import Tensor
from pullback.ops.math.scopes import scope
from pullback.ops.nn.conv import window
from pullback.ops.nn.conv.arguments import layout_of, lifted, lowered, of_rank, raised
from pullback.ops.nn.pool import AvgPool, AvgPool3D, MaxPool, MaxPool3D

MAX, AVG = {1: MaxPool, 2: MaxPool, 3: MaxPool3D}, {1: AvgPool, 2: AvgPool, 3: AvgPool3D}

# What TensorFlow calls the ops of its 1-D functions.
_SCOPES = {"max_pool1d": "MaxPool1d", "avg_pool1d": "AvgPool1D", "max_pool": "MaxPool1d", "avg_pool": "AvgPool1D"}


def fields(
    where: str, ksize: Any, strides: Any, padding: Any, data_format: Any, rank: int = 2, explicit: Any = ()
) -> tuple[Any, ...]:
    """An op's fields of what the user says.

    Raises:
      ArgumentError: one of them means nothing.
    """
    try:
        layout = layout_of(where, data_format, rank)
        return (
            window.numbers(ksize, "ksize", where, layout),
            window.numbers(strides, "strides", where, layout),
            window.padding_of(padding, where, layout, explicit),
            layout,
        )
    except ArgumentError as error:
        raise error.locate() from None


def made(kind: Any, found: tuple[Any, ...]) -> Any:
    """The op of these fields, its errors with the user's line."""
    try:
        return kind(*found)
    except ArgumentError as error:
        raise error.locate() from None


def image(input: Any, where: str, rank: int = 2, what: str = "input") -> Tensor:
    """The input as a tensor of rank + 2 dimensions, as far as known."""
    x = interpreter.as_tensor(input)
    if x.spec.shape is not None and len(x.spec.shape) != rank + 2:
        layouts = " or ".join(f"[{','.join(layout)}]" for layout in window.LAYOUTS[rank])
        raise ShapeError(
            f"{where}: {what} must have {rank + 2} dimensions, {layouts}, but has shape {x.shape}; use tf.reshape"
        ).locate()
    return x


def rank_said(where: str, x: Tensor, data_format: Any) -> int:
    """How many spatial axes: what the layout says, else the input's number of dimensions, else two."""
    for rank, layouts in window.LAYOUTS.items():
        if data_format in layouts:
            return rank
    if data_format is None and x.spec.shape is not None:
        if len(x.spec.shape) - 2 not in window.LAYOUTS:
            raise ShapeError(
                f"{where}: input must have 3 to 5 dimensions, [N,*spatial,C] or [N,C,*spatial], but has shape {x.shape}"
            ).locate()
        return len(x.spec.shape) - 2
    return 2


def pooled(
    kinds: Any, where: str, input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, rank: int, name: Any
) -> Tensor:
    """What the op for so many spatial axes makes; one axis is the second of two."""
    if rank == 1:
        return _pooled_rows(kinds, where, input, ksize, strides, padding, data_format, name)
    found = fields(where, ksize, strides, padding, data_format, rank)
    return made(kinds[rank], found)(image(input, where, rank), name=name)


def _pooled_rows(
    kinds: Any, where: str, input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, name: Any
) -> Tensor:
    flat = fields(where, ksize, strides, padding, data_format, 1)
    x = of_rank(input, 3, where)
    op = made(kinds[1], lifted(flat))
    with scope(name, _SCOPES.get(where, where), x):
        return lowered(op(raised(x, flat[3])), flat[3])


def either(where: str, value: Any, input: Any) -> Any:
    """The argument under whichever of its two names it was given."""
    if (value is None) == (input is None):
        raise ArgumentError(f"{where}: give value or input, which are the same argument, once").locate()
    return input if value is None else value
