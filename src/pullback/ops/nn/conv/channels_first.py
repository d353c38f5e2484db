"""A channels-first op as transposes around its channels-last self: that is what kernels are written for.

    NCHW --(0,2,3,1)--> NHWC --op--> NHWC --(0,3,1,2)--> NCHW

Only plans look at it. There a transpose that meets its inverse is gone, so that of a network in this layout the ends
alone are turned round.
"""

from __future__ import annotations

from typing import Any

from pullback.core.spec import known_vector
from pullback.ops.array.layout import Transpose
from pullback.ops.nn.conv import shapes, window


def expanded(op: Any, inputs: tuple[Any, ...], images: tuple[int, ...], sizes: int = -1, gives: bool = True) -> Any:
    """The op by its channels-last self; NotImplemented where it is that already.

    Args:
      images: which inputs are images. sizes: which is the shape of one, and must be known.
      gives: whether the result is an image.
    """
    if window.last(op.data_format):
        return NotImplemented
    given: list[Any] = list(inputs)
    if sizes >= 0:
        wanted = known_vector(inputs[sizes].spec)
        if wanted is None or None in wanted:
            return NotImplemented
        given[sizes] = shapes.channels_last(wanted, op.data_format)
    axes = range(op.rank + 2)
    for i in images:
        given[i] = Transpose()(inputs[i], (0, *axes[2:], 1))
    layout = window.LAYOUTS[op.rank][0]
    fields = {name: layout if name == "data_format" else getattr(op, name) for name in op.fields}
    made = type(op)(**fields)(*given)
    return Transpose()(made, (0, axes[-1], *axes[1:-1])) if gives else made
