"""Test data of the three passes, made from one list of convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.interpreter import as_tensor
from pullback.core.sample import Sample
from pullback.ops.nn.conv import Conv2D, Conv2DBackpropFilter, shapes

# name: (x [N,H,W,C], w [R,S,c,K], fields)
CASES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
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
DEEP = ("plain", "same", "strides", "groups", "channels first", "dilations")


def of(cls: type, rng: np.random.Generator) -> Iterator[Sample]:
    """Samples of one of the three."""
    for name, (x, w, fields) in CASES.items():
        yield _sample(cls, rng, x, w, fields, dtypes.float64, order=3 if name in DEEP else 2, name=name)
    for dtype in dtypes.FLOATS:
        if dtype is not dtypes.float64:
            yield _sample(cls, rng, (1, 3, 3, 2), (2, 2, 2, 2), {}, dtype, order=1, name=dtype.name)


def _sample(cls: Any, rng: Any, x: Any, w: Any, fields: Any, dtype: Any, order: int, name: str) -> Sample:
    op = cls(**fields)
    y = shapes.forward(Conv2D(**fields), shapes.in_format(x, op.data_format), w)
    x = shapes.in_format(x, op.data_format)

    def drawn(shape: Any) -> Any:
        values = rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype.is_complex else 0)
        return values.astype(dtype.numpy)

    if cls is Conv2D:
        args: tuple[Any, ...] = (drawn(x), drawn(w))
    elif cls is Conv2DBackpropFilter:
        args = (drawn(x), tuple(w), drawn(y))
    else:
        args = (tuple(x), drawn(w), drawn(y))
    return Sample(op, args, order=order, name=name)


def mistakes_of(cls: Any) -> Iterator[tuple[Any, type[Exception], str]]:
    """Wrong calls of one of the three."""
    yield lambda: cls(padding="same"), ArgumentError, 'did you mean "SAME"'
    yield lambda: cls(padding="FULL"), ArgumentError, "padding must be"
    yield lambda: cls(data_format="CHWN"), ArgumentError, "data_format"
    yield lambda: cls(strides=(0, 1)), ArgumentError, "strides must be"
    x, w, y = np.ones((1, 4, 4, 2)), np.ones((3, 3, 2, 5)), np.ones((1, 2, 2, 5))
    op = cls(padding="VALID")
    if cls is Conv2D:
        yield lambda: op(x[0], w), ShapeError, "must have 4 dimensions"
        yield lambda: op(x, w[0]), ShapeError, "[height,width,in,out]"
        yield lambda: op(x, np.ones((3, 3, 3, 5))), ShapeError, "has 2 channels"
        yield lambda: op(x, np.ones((3, 3, 1, 5))), ShapeError, "2 groups"
        yield lambda: op(x, np.ones((6, 3, 2, 5))), ShapeError, "does not fit H = 4"
        yield lambda: op(as_tensor(x), as_tensor(w.astype(np.float32))), DTypeError, "never converted silently"
    elif cls is Conv2DBackpropFilter:
        yield lambda: op(x, (3, 3, 2), y), ShapeError, "must be 4 numbers"
        yield lambda: op(x, (-1, 3, 2, 5), y), ShapeError, "negative size"
        yield lambda: op(x, (2, 3, 2, 5), y), ShapeError, "makes 3, but out_backprop has 2"
        yield lambda: op(x, (3, 3, 2, 4), y), ShapeError, "must be 5, not 4"
        yield lambda: op(x, (3, 3, 2, 5), np.ones((2, 2, 2, 5))), ShapeError, "batch"
    else:
        yield lambda: op((1, 4, 4), w, y), ShapeError, "must be 4 numbers"
        yield lambda: op((-1, 4, 4, 2), w, y), ShapeError, "negative size"
        yield lambda: op((1, 5, 4, 2), w, y), ShapeError, "H must be 4"
        yield lambda: op((1, 4, 4, 3), w, y), ShapeError, "has 3 channels"
        yield lambda: op((1, 4, 4, 2), w, np.ones((1, 2, 2, 4))), ShapeError, "needs 5"
        yield lambda: op((2, 4, 4, 2), w, y), ShapeError, "batch must be 1"
