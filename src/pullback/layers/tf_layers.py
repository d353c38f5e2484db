"""tf.layers: the layers under TensorFlow 1's names and defaults, as classes and as functions.

Each class is the layer of tf.keras with variables by scope; each function makes one and calls it.
"""

from __future__ import annotations

from inspect import Parameter
from typing import Any

from pullback.core.names import public, public_value
from pullback.layers import convolution, normalization, pooling, reshaping, separable, transposed
from pullback.layers import dense as products
from pullback.layers import dropout as drops
from pullback.layers.scoped import functional, scoped
from pullback.train.initializers_v1 import ones_initializer, zeros_initializer

_BIAS: dict[str, Any] = {"bias_initializer": zeros_initializer()}
_KERNEL: dict[str, Any] = {"kernel_initializer": None, **_BIAS}
_PAIR: dict[str, Any] = {"depthwise_initializer": None, "pointwise_initializer": None, **_BIAS}
_POOL: dict[str, Any] = {"pool_size": Parameter.empty, "strides": Parameter.empty, "data_format": "channels_last"}
_UNSAID = "output_padding", "dilation_rate", "groups"


def _conv(cls: type, rank: int, defaults: dict[str, Any], *without: str) -> Any:
    one = 1 if rank == 1 else (1,) * rank
    more = {"data_format": "channels_last", "strides": one, "dilation_rate": one}
    return scoped(cls, __name__, without, **defaults, **more)


def _pool(cls: Any) -> Any:
    return scoped(cls, __name__, trains=False, **_POOL)


# --- classes ------------------------------------------------------------------------------------------------------

Dense = scoped(products.Dense, __name__, **_KERNEL)
Conv1D = _conv(convolution.Conv1D, 1, _KERNEL, "groups")
Conv2D = _conv(convolution.Conv2D, 2, _KERNEL, "groups")
Conv3D = _conv(convolution.Conv3D, 3, _KERNEL, "groups")
Conv2DTranspose = _conv(transposed.Conv2DTranspose, 2, _KERNEL, *_UNSAID)
Conv3DTranspose = _conv(transposed.Conv3DTranspose, 3, _KERNEL, *_UNSAID)
SeparableConv1D = _conv(separable.SeparableConv1D, 1, _PAIR)
SeparableConv2D = _conv(separable.SeparableConv2D, 2, _PAIR)
MaxPooling1D = _pool(pooling.MaxPooling1D)
MaxPooling2D = _pool(pooling.MaxPooling2D)
MaxPooling3D = _pool(pooling.MaxPooling3D)
AveragePooling1D = _pool(pooling.AveragePooling1D)
AveragePooling2D = _pool(pooling.AveragePooling2D)
AveragePooling3D = _pool(pooling.AveragePooling3D)
BatchNormalization = scoped(
    normalization.BatchNormalization,
    __name__,
    beta_initializer=zeros_initializer(),
    gamma_initializer=ones_initializer(),
    moving_mean_initializer=zeros_initializer(),
    moving_variance_initializer=ones_initializer(),
)
Dropout = scoped(drops.Dropout, __name__, trains=False, rate=0.5)
Flatten = scoped(reshaping.Flatten, __name__, trains=False)

# --- functions ----------------------------------------------------------------------------------------------------

dense = functional(Dense, "dense")
conv1d = functional(Conv1D, "conv1d")
conv2d = functional(Conv2D, "conv2d")
conv3d = functional(Conv3D, "conv3d")
conv2d_transpose = functional(Conv2DTranspose, "conv2d_transpose")
conv3d_transpose = functional(Conv3DTranspose, "conv3d_transpose")
separable_conv1d = functional(SeparableConv1D, "separable_conv1d")
separable_conv2d = functional(SeparableConv2D, "separable_conv2d")
max_pooling1d = functional(MaxPooling1D, "max_pooling1d")
max_pooling2d = functional(MaxPooling2D, "max_pooling2d")
max_pooling3d = functional(MaxPooling3D, "max_pooling3d")
average_pooling1d = functional(AveragePooling1D, "average_pooling1d")
average_pooling2d = functional(AveragePooling2D, "average_pooling2d")
average_pooling3d = functional(AveragePooling3D, "average_pooling3d")
batch_normalization = functional(
    BatchNormalization, "batch_normalization", called=("training",), after="gamma_constraint"
)
dropout = functional(Dropout, "dropout", called=("training",))


@public(v1="layers.flatten")
def flatten(inputs: Any, name: str | None = None, data_format: str = "channels_last") -> Any:
    """[N, ...] -> [N, product of the rest]. Makes a `layers.Flatten` and calls it on inputs."""
    return Flatten(data_format=data_format, name=name)(inputs)


for _name in [
    "Dense",
    "dense",
    "Conv1D",
    "conv1d",
    "Conv2D",
    "conv2d",
    "Conv3D",
    "conv3d",
    "Conv2DTranspose",
    "conv2d_transpose",
    "Conv3DTranspose",
    "conv3d_transpose",
    "SeparableConv1D",
    "separable_conv1d",
    "SeparableConv2D",
    "separable_conv2d",
    "MaxPooling1D",
    "max_pooling1d",
    "MaxPooling2D",
    "max_pooling2d",
    "MaxPooling3D",
    "max_pooling3d",
    "AveragePooling1D",
    "average_pooling1d",
    "AveragePooling2D",
    "average_pooling2d",
    "AveragePooling3D",
    "average_pooling3d",
    "BatchNormalization",
    "batch_normalization",
    "Dropout",
    "dropout",
    "Flatten",
]:
    public_value(_name, v1=f"layers.{_name}")
