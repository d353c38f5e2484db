"""Test data of the three passes, made from one list of convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.interpreter import as_tensor
from pullback.core.sample import Sample
from pullback.ops.nn.conv import shapes, window
from pullback.ops.nn.conv.passes import Forward, ToFilter

Case = tuple[Any, Any, dict[str, Any]]
# name: (x [N,H,W,C], w [R,S,c,K], fields)
IMAGES: dict[str, Case] = {
    "plain": ((2, 4, 5, 2), (3, 2, 2, 3), {"padding": "VALID"}),
    "same": ((1, 4, 5, 2), (2, 3, 2, 2), {}),
    "strides": ((1, 6, 5, 2), (3, 2, 2, 2), {"strides": (2, 3)}),
    "stride over the window": ((1, 5, 6, 1), (1, 2, 1, 2), {"strides": (2, 3), "padding": "VALID"}),
    "dilations": ((1, 7, 6, 1), (2, 3, 1, 2), {"dilations": (3, 2)}),
    "explicit": ((1, 4, 3, 2), (3, 2, 2, 1), {"padding": ((1, 0), (0, 2)), "strides": (2, 1)}),
    "groups": ((2, 3, 4, 4), (2, 2, 2, 6), {}),
    "depthwise": ((1, 4, 4, 3), (2, 2, 1, 3), {"padding": "VALID"}),
    "channels first": ((2, 4, 5, 2), (3, 2, 2, 3), {"data_format": "NCHW", "strides": (2, 1)}),
    "point": ((2, 3, 3, 2), (1, 1, 2, 3), {}),
    "window over the image": ((1, 2, 3, 1), (5, 5, 1, 2), {}),
    "empty batch": ((0, 4, 4, 2), (2, 2, 2, 3), {}),
    "no channels out": ((1, 3, 3, 2), (2, 2, 2, 0), {}),
    "empty output": ((1, 1, 4, 1), (2, 2, 1, 1), {"padding": "VALID"}),
}
# name: (x [N,D,H,W,C], w [U,R,S,c,K], fields)
VOLUMES: dict[str, Case] = {
    "plain": ((1, 3, 3, 4, 2), (2, 2, 3, 2, 2), {"padding": "VALID"}),
    "same": ((2, 2, 3, 3, 1), (2, 3, 2, 1, 2), {}),
    "strides": ((1, 4, 3, 5, 1), (2, 2, 3, 1, 2), {"strides": (2, 1, 3)}),
    "dilations": ((1, 3, 4, 5, 1), (2, 2, 2, 1, 2), {"dilations": (1, 3, 2)}),
    "explicit": ((1, 2, 3, 3, 1), (2, 3, 2, 1, 2), {"padding": ((1, 0), (0, 2), (1, 1)), "strides": (2, 1, 2)}),
    "groups": ((1, 2, 3, 2, 4), (2, 2, 1, 2, 4), {}),
    "a filter a channel": ((1, 2, 3, 2, 3), (2, 1, 2, 1, 3), {}),
    "channels first": ((2, 3, 2, 4, 2), (2, 1, 3, 2, 3), {"data_format": "NCDHW", "strides": (1, 2, 1)}),
    "point": ((2, 2, 1, 3, 2), (1, 1, 1, 2, 3), {}),
    "empty batch": ((0, 2, 2, 2, 2), (2, 1, 1, 2, 3), {}),
    "empty output": ((1, 1, 2, 3, 1), (2, 2, 2, 1, 1), {"padding": "VALID"}),
}
# name: (x [N,H,W,C], w [R,S,C,M], fields)
DEPTHWISE: dict[str, Case] = {
    "plain": ((2, 4, 5, 2), (3, 2, 2, 3), {"padding": "VALID"}),
    "same": ((1, 4, 5, 3), (2, 3, 3, 1), {}),
    "strides": ((1, 6, 5, 2), (3, 2, 2, 2), {"strides": (2, 2)}),
    "dilations": ((1, 7, 6, 2), (2, 3, 2, 2), {"dilations": (3, 2)}),
    "explicit": ((1, 4, 3, 2), (3, 2, 2, 2), {"padding": ((1, 0), (0, 2)), "strides": (2, 1)}),
    "channels first": ((2, 4, 5, 2), (3, 2, 2, 2), {"data_format": "NCHW", "strides": (2, 1)}),
    "one channel": ((1, 4, 4, 1), (2, 2, 1, 3), {}),
    "empty batch": ((0, 4, 4, 2), (2, 2, 2, 3), {}),
    "empty output": ((1, 1, 4, 1), (2, 2, 1, 1), {"padding": "VALID"}),
}
DEEP = ("plain", "same", "strides", "groups", "channels first", "dilations")


def of(cls: Any, rng: np.random.Generator) -> Iterator[Sample]:
    """Samples of one of the passes."""
    for name, (x, w, fields) in (DEPTHWISE if cls.depthwise else VOLUMES if cls.rank == 3 else IMAGES).items():
        yield _sample(cls, rng, x, w, fields, dtypes.float64, order=3 if name in DEEP else 2, name=name)
    for dtype in dtypes.FLOATS:
        if dtype is not dtypes.float64:
            yield _sample(
                cls, rng, (1, *(3, 3, 2)[: cls.rank], 2), (*(2, 2, 1)[: cls.rank], 2, 2), {}, dtype, 1, dtype.name
            )


def _sample(cls: Any, rng: Any, x: Any, w: Any, fields: Any, dtype: Any, order: int, name: str) -> Sample:
    op = cls(**fields)
    x = shapes.in_format(x, op.data_format)
    y = shapes.forward(op, x, w)

    def drawn(shape: Any) -> Any:
        values = rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype.is_complex else 0)
        return values.astype(dtype.numpy)

    if issubclass(cls, Forward):
        args: tuple[Any, ...] = (drawn(x), drawn(w))
    elif issubclass(cls, ToFilter):
        args = (drawn(x), tuple(w), drawn(y))
    else:
        args = (tuple(x), drawn(w), drawn(y))
    return Sample(op, args, order=order, name=name)


def mistakes_of(cls: Any) -> Iterator[tuple[Any, type[Exception], str]]:
    """Wrong calls of one of the passes."""
    rank, words = cls.rank, "[" + ",".join(window.AXES[a] for a in ("DHW" if cls.rank == 3 else "HW"))
    yield lambda: cls(padding="same"), ArgumentError, 'did you mean "SAME"'
    yield lambda: cls(padding="FULL"), ArgumentError, "padding must be"
    yield lambda: cls(padding=((1, 1),)), ArgumentError, "for each spatial axis"
    yield lambda: cls(padding=((0, -1),) * rank), ArgumentError, "for each spatial axis"
    yield lambda: cls(data_format="CHWN"), ArgumentError, "data_format"
    yield lambda: cls(data_format="NHWC" if rank == 3 else "NDHWC"), ArgumentError, "data_format"
    yield lambda: cls(strides=(0,) * rank), ArgumentError, "strides must be"
    yield lambda: cls(dilations=(1,)), ArgumentError, "dilations must be"
    images, windows, outs = (1, *(4,) * rank), (3,) * rank, (1, *(2,) * rank)
    made = 2 * 5 if cls.depthwise else 5
    x, w, y = np.ones((*images, 2)), np.ones((*windows, 2, 5)), np.ones((*outs, made))
    op, count = cls(padding="VALID"), f"must be {rank + 2} numbers"
    first = "D" if rank == 3 else "H"
    if issubclass(cls, Forward):
        yield lambda: op(x[0], w), ShapeError, f"must have {rank + 2} dimensions"
        yield lambda: op(x, w[0]), ShapeError, words
        yield lambda: op(x, np.ones((*windows, 3, 5))), ShapeError, "has 2 channels"
        if not cls.depthwise:
            yield lambda: op(x, np.ones((*windows, 1, 5))), ShapeError, "2 groups"
        yield lambda: op(x, np.ones((6, *windows[1:], 2, 5))), ShapeError, f"does not fit {first} = 4"
        yield lambda: op(as_tensor(x), as_tensor(w.astype(np.float32))), DTypeError, "never converted silently"
    elif issubclass(cls, ToFilter):
        yield lambda: op(x, (*windows, 2), y), ShapeError, count
        yield lambda: op(x, (-1, *windows[1:], 2, 5), y), ShapeError, "negative size"
        yield lambda: op(x, (2, *windows[1:], 2, 5), y), ShapeError, "makes 3, but out_backprop has 2"
        yield lambda: op(x, (*windows, 2, 4), y), ShapeError, "not 8" if cls.depthwise else "must be 5, not 4"
        yield lambda: op(x, (*windows, 2, 5), np.ones((2, *outs[1:], made))), ShapeError, "batch"
        yield lambda: op(x[0], (*windows, 2, 5), y), ShapeError, f"input must have {rank + 2} dimensions"
        yield lambda: op(x, (*windows, 2, 5), y[0]), ShapeError, f"out_backprop must have {rank + 2} dimensions"
        yield lambda: op(x, (*windows, 3, 5), np.ones((*outs, 5 * len(outs)))), ShapeError, "channels"
    else:
        yield lambda: op(images, w, y), ShapeError, count
        yield lambda: op((-1, *images[1:], 2), w, y), ShapeError, "negative size"
        yield lambda: op((1, 5, *images[2:], 2), w, y), ShapeError, f"{first} must be 4"
        yield lambda: op((*images, 3), w, y), ShapeError, "has 3 channels"
        yield lambda: op((*images, 2), w, np.ones((*outs, 4))), ShapeError, f"needs {made}"
        yield lambda: op((2, *images[1:], 2), w, y), ShapeError, "batch must be 1"
        yield lambda: op((*images, 2), w[0], y), ShapeError, words
        yield lambda: op((*images, 2), w, y[0]), ShapeError, f"out_backprop must have {rank + 2} dimensions"
