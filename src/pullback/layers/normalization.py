"""Normalising layers: BatchNormalization, LayerNormalization.

While training, batch normalization uses the batch's mean and variance, and moves its averages towards them:

    moving <- moving - (1 - momentum) (moving - of the batch)

Images of four axes go through FusedBatchNormV3, whose variance that is averaged is divided by n - 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.layers import constraints
from pullback.layers.base import Layer
from pullback.layers.dropout import either
from pullback.layers.input_spec import InputSpec
from pullback.layers.sizes import axes_of
from pullback.modes.default import graph_for
from pullback.ops.array.shape import reshape
from pullback.ops.math.select import Cast
from pullback.ops.nn.fused_norm import FusedBatchNormV3
from pullback.ops.nn.normalization import batch_normalization, moments
from pullback.train import regularizers


class _Scaled(Layer):
    """Base: beta and gamma, which the normalised inputs are moved and scaled by."""

    settings = (
        "epsilon", "center", "scale", "beta_initializer", "gamma_initializer", "beta_regularizer", "gamma_regularizer",
        "beta_constraint", "gamma_constraint",
    )  # fmt: skip
    supports_masking = True
    _casts_variables = False  # of short floats it computes in its variables' type
    gamma: Any = None
    beta: Any = None

    def keep(self, epsilon: float, center: bool, scale: bool, initializers: Any, penalties: Any, limits: Any) -> None:
        """Keeps the arguments; pairs are (beta's, gamma's)."""
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer, self.gamma_initializer = initializers
        self.beta_regularizer, self.gamma_regularizer = map(regularizers.get, penalties)
        self.beta_constraint, self.gamma_constraint = map(constraints.get, limits)

    def widened(self, x: Tensor) -> Tensor:
        """Inputs in the type of the variables, where the layer's policy is mixed."""
        kind = as_dtype(self._dtype)
        return x if x.dtype is kind or not self._mixed else Cast(kind)(x)

    def add_scale(self, shape: Any, dtype: Any) -> None:
        """Makes gamma and beta."""
        if self.scale:
            self.gamma = self.add_weight_as_set("gamma", shape, dtype=dtype)
        if self.center:
            self.beta = self.add_weight_as_set("beta", shape, dtype=dtype)


@public("keras.layers.BatchNormalization")
class BatchNormalization(_Scaled):
    """Inputs normalised along all axes but `axis`: by the batch's mean and variance while training, else by averages.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    Args:
      axis: the channels' axis, or several. momentum: how much of the averages stays at each step.
      epsilon: a small number, so that nothing is divided by 0; at least 1.001e-5 for images.
      center, scale: have beta, gamma.
      *_initializer, *_regularizer, *_constraint: of beta, gamma and the averages.
      fused: use the op for images; by default where it can be.
      renorm, virtual_batch_size, adjustment: must be left out.
    Raises:
      ValueError: axis does not fit, fused cannot be, or batch renormalization is asked for.
    In a session's graph the averages move when the ops in `updates` (of tf.layers: UPDATE_OPS) run.
    Source: Ioffe & Szegedy 2015.
    """

    settings = ("axis", "momentum", "moving_mean_initializer", "moving_variance_initializer")

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        if renorm or renorm_clipping is not None:
            raise ArgumentError("BatchNormalization: batch renormalization is not there; leave renorm out").locate()
        if virtual_batch_size is not None or adjustment is not None:
            raise ArgumentError(
                "BatchNormalization: virtual_batch_size and adjustment are not there; leave them out"
            ).locate()
        initializers = beta_initializer, gamma_initializer
        penalties, limits = (beta_regularizer, gamma_regularizer), (beta_constraint, gamma_constraint)
        self.keep(epsilon, center, scale, initializers, penalties, limits)
        self.axis, self.momentum, self.fused = axis, momentum, fused
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: Any) -> None:
        sizes = as_shape(input_shape)
        if sizes is None:
            raise ValueError("BatchNormalization: the inputs must have a known number of axes")
        self._axes = axes_of(self.axis, len(sizes), "BatchNormalization")
        counts = [sizes[a] for a in self._axes]
        if None in counts:
            raise ValueError(f"BatchNormalization: the size of axis {self.axis} must be known, but inputs are {sizes}")
        self.input_spec = InputSpec(ndim=len(sizes), axes=dict(zip(self._axes, counts, strict=True)))
        self._settle_fused(len(sizes))
        self._shape = counts if len(counts) == 1 else [sizes[a] if a in self._axes else 1 for a in range(len(sizes))]
        wide = "float32" if as_dtype(self._dtype).size == 2 else self._dtype
        self.add_scale(self._shape, wide)
        start = self.moving_mean_initializer, self.moving_variance_initializer
        self.moving_mean, self.moving_variance = (
            self.add_weight(name, self._shape, wide, initializer, trainable=False)
            for name, initializer in zip(("moving_mean", "moving_variance"), start, strict=True)
        )
        self.built = True

    def _settle_fused(self, rank: int) -> None:
        can = (rank, self._axes) in ((4, [1]), (4, [3]), (5, [1]), (5, [4]))
        if self.fused and not can:
            raise ArgumentError(
                f"BatchNormalization: fused needs inputs of 4 or 5 axes with channels at 1 or last, but axis is "
                f"{self.axis} of {rank}; leave fused out"
            ).locate()
        self._fused = can and rank == 4 if self.fused is None else self.fused
        self._layout = ("NCHW" if rank == 4 else "NCDHW") if self._axes == [1] else ("NHWC" if rank == 4 else "NDHWC")

    def call(self, inputs: Any, training: Any = None) -> Any:
        training = training if self._trainable else False
        y, mean, variance = (self._by_op if self._fused else self._by_formula)(inputs, training)
        if isinstance(training, Tensor) or training:
            rate = either(training, lambda: _constant(1 - self.momentum), lambda: _constant(0.0))
            for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                self._move(average, value, rate)
        return y

    def _by_op(self, x: Any, training: Any) -> tuple[Any, Any, Any]:
        kind, count = self.moving_mean.dtype, self._shape
        fixed = [] if self.scale and self.center else [_filled(count, n, kind) for n in (1.0, 0.0)]
        gamma = self.gamma if self.scale else fixed[0]
        beta = self.beta if self.center else fixed[1]

        def trained() -> Any:
            made = FusedBatchNormV3(float(self.epsilon), 1.0, self._layout, True)
            return list(made(x, gamma, beta, _filled([0], 0.0, kind), _filled([0], 0.0, kind))[:3])

        def otherwise() -> Any:
            averages = self.moving_mean.value(), self.moving_variance.value()
            made = FusedBatchNormV3(float(self.epsilon), 1.0, self._layout, False)
            return [made(x, gamma, beta, *averages)[0], *averages]

        y, mean, variance = either(training, trained, otherwise)
        y.set_shape(x.spec.shape)
        return y, mean, variance

    def _by_formula(self, x: Any, training: Any) -> tuple[Any, Any, Any]:
        rank: int = x.spec.rank
        folded = [a for a in range(rank) if a not in self._axes]
        several = len(self._axes) > 1
        kind = self.moving_mean.dtype
        given = x if x.dtype is kind else Cast(kind)(x)

        def trained() -> Any:
            return list(moments(given, folded, keepdims=several))

        def otherwise() -> Any:
            return [self.moving_mean.value(), self.moving_variance.value()]

        mean, variance = either(training, trained, otherwise)
        wide = several or self._axes == [rank - 1]
        shaped = (lambda t: t) if wide else (lambda t: None if t is None else reshape(t, self._across(rank)))
        y = batch_normalization(
            given, shaped(mean), shaped(variance), shaped(self.beta), shaped(self.gamma), self.epsilon
        )
        y = y if y.dtype is x.dtype else Cast(x.dtype)(y)
        y.set_shape(x.spec.shape)
        return y, mean, variance

    def _across(self, rank: int) -> list[Any]:
        return [self._shape[0] if a == self._axes[0] else 1 for a in range(rank)]

    def _move(self, average: Any, value: Any, rate: Any) -> None:
        """average <- average - rate (average - value)"""
        here = graph_for()
        if not isinstance(here, Graph):
            average.assign_sub((average.value() - value) * rate)
            return
        with here.name_scope("AssignMovingAvg") as scope:
            step = (average.value() - value) * rate
            done = average.assign_sub(step, name=scope)
        self.add_update(getattr(done, "op", done) if isinstance(here.outermost, Graph) else done)


def _constant(value: float) -> Tensor:
    return interpreter.as_tensor(value, "float32")


def _filled(shape: Any, value: float, kind: Any) -> Tensor:
    return interpreter.as_tensor(np.full(shape, value, kind.numpy))


@public("keras.layers.LayerNormalization")
class LayerNormalization(_Scaled):
    """Each example normalised over `axis`: y = gamma (x - mean) / sqrt(variance + epsilon) + beta.

    Source: Ba, Kiros & Hinton 2016.
    """

    settings = ("axis",)

    def __init__(
        self,
        axis: Any = -1,
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
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def build(self, input_shape: Any) -> None:
        sizes = as_shape(input_shape)
        if sizes is None:
            raise ValueError("LayerNormalization: the inputs must have a known number of axes")
        self._axes = sorted(axes_of(self.axis, len(sizes), "LayerNormalization"))
        self.add_scale([sizes[a] for a in self._axes], None)
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = self.widened(inputs)
        mean, variance = moments(x, self._axes, keepdims=True)
        rank: int = inputs.spec.rank
        plain = self._axes == list(range(rank - len(self._axes), rank))
        sizes = [inputs.spec.shape[a] if a in self._axes else 1 for a in range(rank)]
        beta, gamma = (v if v is None or plain else reshape(v, sizes) for v in (self.beta, self.gamma))
        y = batch_normalization(x, mean, variance, beta, gamma, self.epsilon)
        y = y if x is inputs else Cast(inputs.dtype)(y)
        y.set_shape(inputs.spec.shape)
        return y
