"""Pooling layers: the largest or mean value of windows, or of all places."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.layers import phase
from pullback.layers.base import Layer
from pullback.layers.convolution import layout, numbers, padding_of
from pullback.layers.input_spec import InputSpec
from pullback.ops.math.reduce_functions import reduce_max, reduce_mean, reduce_sum
from pullback.ops.math.select import Cast
from pullback.ops.nn.pool import functions as f


class _Pooling(Layer):
    """The largest (or mean) value of each window.

    x [N, *spatial, C] (or [N, C, *spatial]) -> [N, *spatial', C]

    Args:
      pool_size, strides: a number for each spatial axis, or one; strides are pool_size by default.
      padding: "valid" or "same". data_format: "channels_last" or "channels_first".
    """

    settings = ("pool_size", "strides", "padding", "data_format")
    rank = 2
    function: Any = None

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = numbers(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else numbers(strides, self.rank, "strides")
        self.padding, self.data_format = padding_of(padding), phase.layout_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        where = layout(self.data_format, self.rank)
        return type(self).function(inputs, self.pool_size, self.strides, self.padding.upper(), where)


class _Global(Layer):
    """The largest (or mean) value of all places. keepdims: spatial axes stay, of size 1."""

    settings = ("data_format", "keepdims")
    rank = 2
    function: Any = None

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format, self.keepdims = phase.layout_of(data_format), keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def axes(self) -> list[int]:
        first = 1 if self.data_format == "channels_last" else 2
        return list(range(first, first + self.rank))

    def call(self, inputs: Any) -> Any:
        return type(self).function(inputs, self.axes, self.keepdims)


def _classes(kind: str, base: type, rank: int, function: Any, doc: str, *more: str) -> Any:
    names = [f"keras.layers.{name}" for name in (kind, *more)]
    body = {"rank": rank, "function": staticmethod(function), "__doc__": doc, "__module__": __name__}
    return public(*names)(type(kind, (base,), body))


_MOST = "The largest value in each window. Arguments as of MaxPooling2D: pool_size, strides, padding, data_format."
_MEAN = "The mean of each window. Arguments as of MaxPooling2D: pool_size, strides, padding, data_format."
_ALL = "One value a channel, over all places. keepdims: spatial axes stay, of size 1."

MaxPooling1D = _classes("MaxPooling1D", _Pooling, 1, f.max_pool1d, _MOST, "MaxPool1D")
MaxPooling2D = _classes("MaxPooling2D", _Pooling, 2, f.max_pool2d, _MOST, "MaxPool2D")
MaxPooling3D = _classes("MaxPooling3D", _Pooling, 3, f.max_pool3d, _MOST, "MaxPool3D")
AveragePooling1D = _classes("AveragePooling1D", _Pooling, 1, f.avg_pool1d, _MEAN, "AvgPool1D")
AveragePooling2D = _classes("AveragePooling2D", _Pooling, 2, f.avg_pool2d, _MEAN, "AvgPool2D")
AveragePooling3D = _classes("AveragePooling3D", _Pooling, 3, f.avg_pool3d, _MEAN, "AvgPool3D")
GlobalMaxPooling1D = _classes("GlobalMaxPooling1D", _Global, 1, reduce_max, _ALL, "GlobalMaxPool1D")
GlobalMaxPooling2D = _classes("GlobalMaxPooling2D", _Global, 2, reduce_max, _ALL, "GlobalMaxPool2D")
GlobalMaxPooling3D = _classes("GlobalMaxPooling3D", _Global, 3, reduce_max, _ALL, "GlobalMaxPool3D")
GlobalAveragePooling2D = _classes("GlobalAveragePooling2D", _Global, 2, reduce_mean, _ALL, "GlobalAvgPool2D")
GlobalAveragePooling3D = _classes("GlobalAveragePooling3D", _Global, 3, reduce_mean, _ALL, "GlobalAvgPool3D")


@public("keras.layers.GlobalAveragePooling1D", "keras.layers.GlobalAvgPool1D")
class GlobalAveragePooling1D(_Global):
    """The mean over all steps; with a mask, over those that it lets through."""

    rank, function = 1, staticmethod(reduce_mean)
    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        counted = Cast(inputs.dtype)(mask)
        counted = counted[:, :, None] if self.data_format == "channels_last" else counted[:, None, :]
        total = reduce_sum(inputs * counted, self.axes, self.keepdims)
        return total / reduce_sum(counted, self.axes, self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None
