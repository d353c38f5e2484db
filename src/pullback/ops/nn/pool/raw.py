"""TensorFlow's raw pooling ops by their attributes."""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes
from pullback.core.dtypes import as_dtype
from pullback.core.tensor import Tensor
from pullback.ops.nn.pool import (
    AvgPool,
    AvgPool3D,
    AvgPool3DGrad,
    AvgPoolGrad,
    MaxPool,
    MaxPool3D,
    MaxPool3DGrad,
    MaxPool3DGradGrad,
    MaxPoolGrad,
    MaxPoolGradGrad,
    MaxPoolGradGradWithArgmax,
    MaxPoolGradWithArgmax,
    MaxPoolWithArgmax,
)
from pullback.ops.nn.pool.arguments import fields, made
from pullback.ops.raw_op import NEEDED, raw_function, raw_op

_WINDOW: dict[str, Any] = {"ksize": NEEDED, "strides": NEEDED, "padding": NEEDED}
_IMAGES = {**_WINDOW, "data_format": "NHWC"}
_EXPLICIT = {**_WINDOW, "explicit_paddings": [], "data_format": "NHWC"}
_VOLUMES = {**_WINDOW, "data_format": "NDHWC"}


def by_attributes(
    kind: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, explicit_paddings: Any = ()
) -> Any:
    """The op that TensorFlow's attributes mean."""
    return made(kind, fields(kind.type, ksize, strides, padding, data_format, kind.rank, explicit_paddings))


def _by_argmax(kind: Any, ksize: Any, strides: Any, padding: Any, include_batch_in_index: bool, **more: Any) -> Any:
    k, s, pad, _ = fields(kind.type, ksize, strides, padding, "NHWC")
    types = [as_dtype(t) for t in more.values()]
    return made(kind, (k, s, pad, *types, bool(include_batch_in_index)))


for _kind in (MaxPool, MaxPoolGrad):
    raw_op(globals(), _kind, by_attributes, _EXPLICIT)
for _kind in (MaxPoolGradGrad, AvgPool, AvgPoolGrad):
    raw_op(globals(), _kind, by_attributes, _IMAGES)
for _kind in (MaxPool3D, MaxPool3DGrad, MaxPool3DGradGrad, AvgPool3D, AvgPool3DGrad):
    raw_op(globals(), _kind, by_attributes, _VOLUMES)
for _kind in (MaxPoolGradWithArgmax, MaxPoolGradGradWithArgmax):
    raw_op(globals(), _kind, _by_argmax, {**_WINDOW, "include_batch_in_index": False})
raw_op(globals(), MaxPoolWithArgmax, _by_argmax, {**_WINDOW, "Targmax": dtypes.int64, "include_batch_in_index": False})


# --- ksize and strides as tensors -----------------------------------------------------------------


def max_pool_v2(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """MaxPool whose ksize and strides may be tensors, of a value known when the op is made."""
    return by_attributes(MaxPool, ksize, strides, padding, data_format)(input, name=name)


def max_pool_grad_v2(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """MaxPoolGrad whose ksize and strides may be tensors, of a value known when the op is made."""
    return by_attributes(MaxPoolGrad, ksize, strides, padding, data_format)(orig_input, orig_output, grad, name=name)


def max_pool_grad_grad_v2(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """MaxPoolGradGrad whose ksize and strides may be tensors, of a value known when the op is made."""
    op = by_attributes(MaxPoolGradGrad, ksize, strides, padding, data_format)
    return op(orig_input, orig_output, grad, name=name)


raw_function(globals(), "MaxPoolV2", max_pool_v2)
raw_function(globals(), "MaxPoolGradV2", max_pool_grad_v2)
raw_function(globals(), "MaxPoolGradGradV2", max_pool_grad_grad_v2)
