"""TensorFlow's raw pooling ops by their attributes."""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes
from pullback.core.dtypes import DType, as_dtype
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv.arguments import keywords_only, sizes_of
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
    MaxPoolWithArgmax,
)
from pullback.ops.nn.pool.arguments import fields, made


def _op(kind: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, explicit: Any = ()) -> Any:
    return made(kind, fields(kind.type, ksize, strides, padding, data_format, kind.rank, explicit))


# --- images ---------------------------------------------------------------------------------------


@public("raw_ops.MaxPool")
@keywords_only
def raw_max_pool(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    explicit_paddings: Any = [],  # noqa: B006
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """`max_pool` by TensorFlow's attributes: padding may be "EXPLICIT", with explicit_paddings of eight numbers."""
    return _op(MaxPool, ksize, strides, padding, data_format, explicit_paddings)(input, name=name)


@public("raw_ops.MaxPoolGrad")
@keywords_only
def raw_max_pool_grad(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    explicit_paddings: Any = [],  # noqa: B006
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """The gradient of max_pool."""
    op = _op(MaxPoolGrad, ksize, strides, padding, data_format, explicit_paddings)
    return op(orig_input, orig_output, grad, name=name)


@public("raw_ops.MaxPoolGradGrad")
@keywords_only
def raw_max_pool_grad_grad(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """The gradient of MaxPoolGrad by its `grad`."""
    return _op(MaxPoolGradGrad, ksize, strides, padding, data_format)(orig_input, orig_output, grad, name=name)


@public("raw_ops.MaxPoolWithArgmax")
@keywords_only
def raw_max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    Targmax: DType = dtypes.int64,
    include_batch_in_index: bool = False,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """`max_pool_with_argmax` by TensorFlow's attributes."""
    k, s, pad, _ = fields("MaxPoolWithArgmax", ksize, strides, padding, "NHWC")
    op = made(MaxPoolWithArgmax, (k, s, pad, as_dtype(Targmax), bool(include_batch_in_index)))
    return op(input, name=name)


@public("raw_ops.AvgPool")
@keywords_only
def raw_avg_pool(
    value: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """`avg_pool` by TensorFlow's attributes."""
    return _op(AvgPool, ksize, strides, padding, data_format)(value, name=name)


@public("raw_ops.AvgPoolGrad")
@keywords_only
def raw_avg_pool_grad(
    orig_input_shape: Any,
    grad: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """The gradient of avg_pool, of shape orig_input_shape."""
    return _op(AvgPoolGrad, ksize, strides, padding, data_format)(sizes_of(orig_input_shape), grad, name=name)


# --- volumes --------------------------------------------------------------------------------------


@public("raw_ops.MaxPool3D")
@keywords_only
def raw_max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """`max_pool3d` by TensorFlow's attributes."""
    return _op(MaxPool3D, ksize, strides, padding, data_format)(input, name=name)


@public("raw_ops.MaxPool3DGrad")
@keywords_only
def raw_max_pool3d_grad(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """The gradient of max_pool3d."""
    return _op(MaxPool3DGrad, ksize, strides, padding, data_format)(orig_input, orig_output, grad, name=name)


@public("raw_ops.MaxPool3DGradGrad")
@keywords_only
def raw_max_pool3d_grad_grad(
    orig_input: Any,
    orig_output: Any,
    grad: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """The gradient of MaxPool3DGrad by its `grad`."""
    return _op(MaxPool3DGradGrad, ksize, strides, padding, data_format)(orig_input, orig_output, grad, name=name)


@public("raw_ops.AvgPool3D")
@keywords_only
def raw_avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """`avg_pool3d` by TensorFlow's attributes."""
    return _op(AvgPool3D, ksize, strides, padding, data_format)(input, name=name)


@public("raw_ops.AvgPool3DGrad")
@keywords_only
def raw_avg_pool3d_grad(
    orig_input_shape: Any,
    grad: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """The gradient of avg_pool3d, of shape orig_input_shape."""
    return _op(AvgPool3DGrad, ksize, strides, padding, data_format)(sizes_of(orig_input_shape), grad, name=name)
