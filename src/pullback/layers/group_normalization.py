"""Normalising layers beside those of batches: GroupNormalization, UnitNormalization, SpectralNormalization."""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.layers.base import Layer
from pullback.layers.dropout import either
from pullback.layers.input_spec import InputSpec
from pullback.layers.normalization import _Scaled
from pullback.layers.sizes import axes_of, packed, positive, sizes_of
from pullback.layers.wrappers import Wrapper
from pullback.ops.array.shape import reshape
from pullback.ops.linalg.matmul import matmul
from pullback.ops.math.select import Cast
from pullback.ops.nn.normalization import batch_normalization, l2_normalize, moments
from pullback.train.initializers import TruncatedNormal


@public("keras.layers.GroupNormalization")
class GroupNormalization(_Scaled):
    """Each example normalised over its axes within groups of channels, then gamma x + beta a channel.

    Args:
      groups: how many groups the channels are split into; -1: each channel is one. axis: the channels'.
      epsilon, center, scale, beta_*, gamma_*: as for BatchNormalization.
    Raises:
      ValueError: axis is the batch's or does not fit, or the channels are no multiple of groups.
    Source: Wu & He 2018.
    """

    settings = ("groups", "axis")

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        initializers = beta_initializer, gamma_initializer
        penalties, limits = (beta_regularizer, gamma_regularizer), (beta_constraint, gamma_constraint)
        self.keep(epsilon, center, scale, initializers, penalties, limits)
        self.groups, self.axis = groups, axis

    def build(self, input_shape: Any) -> None:
        sizes = as_shape(input_shape)
        if sizes is None:
            raise ArgumentError("GroupNormalization: the inputs must have a known number of axes").locate()
        (self._axis,) = axes_of(self.axis, len(sizes), "GroupNormalization")
        channels = sizes[self._axis]
        if channels is None or self._axis == 0:
            raise ArgumentError(
                f"GroupNormalization: axis {self.axis} must be one of channels, of known size, but inputs are {sizes}"
            ).locate()
        count = channels if self.groups == -1 else self.groups
        if count < 1 or channels % count:
            raise ArgumentError(
                f"GroupNormalization: the number of channels, {channels}, must be a multiple of groups={self.groups}"
            ).locate()
        self._count = count
        self.input_spec = InputSpec(ndim=len(sizes), axes={self._axis: channels})
        self.add_scale((channels,), None)
        self.built = True

    def call(self, inputs: Any) -> Any:
        at, sizes = self._axis, sizes_of(inputs)
        apart = [*sizes[:at], self._count, sizes[at] // self._count, *sizes[at + 1 :]]
        wide_inputs = self.widened(inputs)
        x = reshape(wide_inputs, packed(apart))
        mean, variance = moments(x, [a for a in range(1, len(apart)) if a != at], keepdims=True)
        wide = [self._count, sizes[at] // self._count, *[1] * (len(sizes) - at - 1)]
        beta, gamma = (None if v is None else reshape(v, wide) for v in (self.beta, self.gamma))
        y = reshape(batch_normalization(x, mean, variance, beta, gamma, self.epsilon), packed(sizes))
        y = y if wide_inputs is inputs else Cast(inputs.dtype)(y)
        y.set_shape(inputs.spec.shape)
        return y


@public("keras.layers.UnitNormalization")
class UnitNormalization(Layer):
    """Inputs divided by their Euclidean length along `axis`, one or several."""

    settings = ("axis",)
    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def call(self, inputs: Any) -> Any:
        return l2_normalize(inputs, self.axis)


@public("keras.layers.SpectralNormalization")
class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided, at each training call, by its largest singular value.

    With W the kernel as a matrix [-1, outputs], a call does power_iterations times v <- W u, u <- W^T v, both made unit
    vectors, and then W <- W / (v^T W u).

    Args:
      layer: has a `kernel` or `embeddings`. power_iterations: how many; more come closer to the singular value.
    Raises:
      ValueError: power_iterations is not positive, or the layer has no kernel.
    Source: Miyato et al. 2018.
    """

    settings = ("power_iterations",)

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = positive(power_iterations, "SpectralNormalization: power_iterations")
        self.vector_u: Any = None
        self._kernel: Any = None

    def build(self, input_shape: Any) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
        self._kernel = getattr(self.layer, "kernel", None)
        if self._kernel is None:
            self._kernel = getattr(self.layer, "embeddings", None)
        if self._kernel is None:
            raise ArgumentError(
                f"SpectralNormalization: {type(self.layer).__name__} has no attribute 'kernel' nor 'embeddings'"
            ).locate()
        start = TruncatedNormal(stddev=0.02)
        self.vector_u = self.add_weight("vector_u", (1, self._kernel.shape[-1]), None, start, trainable=False)
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        u, kernel = either(training, self._normalised, lambda: [self.vector_u.value(), self._kernel.value()])
        for variable, value in ((self.vector_u, u), (self._kernel, kernel)):
            self.add_update(variable.assign(value))
        given = {"training": training} if "training" in self.layer._call_parameters() else {}
        return self.layer(inputs, **given)

    def _normalised(self) -> list[Any]:
        """(u, the kernel divided by v^T W u)"""
        kernel, u = self._kernel.value(), self.vector_u.value()
        w = reshape(kernel, [-1, self._kernel.shape[-1]])
        v = u
        for _ in range(self.power_iterations):
            v = l2_normalize(matmul(u, w, transpose_b=True))
            u = l2_normalize(matmul(v, w))
        return [u, kernel / reshape(matmul(matmul(v, w), u, transpose_b=True), [])]

    def normalize_weights(self) -> None:
        """Divides the kernel as a training call does."""
        u, kernel = self._normalised()
        self.vector_u.assign(u)
        self._kernel.assign(kernel)
