"""`tf.contrib.layers` and `slim`: batch and layer normalisation."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import add_arg_scope, contrib
from pullback.contrib.inner import assign_moving_average
from pullback.contrib.layers import chosen, finished, kept_in
from pullback.contrib.variables import model_variable
from pullback.core.errors import ArgumentError

_BOTH = "layers slim"


@contrib(_BOTH, "batch_norm")
@add_arg_scope
def batch_norm(
    inputs: Any,
    decay: float = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Any = None,
    param_initializers: Any = None,
    param_regularizers: Any = None,
    updates_collections: Any = "update_ops",
    is_training: Any = True,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    batch_weights: Any = None,
    fused: Any = None,
    data_format: str = "NHWC",
    zero_debias_moving_mean: bool = False,
    scope: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_decay: float = 0.99,
    adjustment: Any = None,
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, channel by channel.

    In training mean and variance are the batch's, and `moving_mean` and `moving_variance` follow them: the updates join
    updates_collections, which the train step must run, or with None are run before the result is there.

    Args:
      decay: of the moving averages; 0.9 suits short trainings.
      center, scale: have `beta`, `gamma`.
      param_initializers, param_regularizers: by variable name.
      is_training: a bool or a scalar bool tensor.
      batch_weights: [N], how much each example counts in the batch's statistics.
      fused: one op for all; the numbers are the same, but that the moving variance takes N/(N-1) (Bessel).
    Raises:
      ArgumentError: renorm or adjustment, which are not there.
    Source: Ioffe & Szegedy 2015.
    """
    if renorm or renorm_clipping is not None or adjustment is not None:
        raise ArgumentError("batch_norm: renorm and adjustment are not supported; leave them out")
    if data_format not in ("NHWC", "NCHW"):
        raise ValueError("data_format has to be either NHWC or NCHW.")
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        first = data_format == "NCHW" and inputs.shape.ndims > 2
        size = tf.dimension_value(inputs.shape[1 if first else -1])
        if size is None:
            raise ValueError(f"Inputs {inputs.name} has undefined channel dimension {inputs.shape}.")
        makers, penalties = param_initializers or {}, param_regularizers or {}

        def made(name: str, start: Any, learnt: bool) -> Any:
            kept = kept_in(variables_collections, name)
            first_value = makers.get(name, start)
            return model_variable(
                name, [size], tf.float32, first_value, penalties.get(name), learnt and trainable, kept
            )

        beta = made("beta", tf.zeros_initializer(), True) if center else None
        gamma = made("gamma", tf.ones_initializer(), True) if scale else None
        mean = made("moving_mean", tf.zeros_initializer(), False)
        variance = made("moving_variance", tf.ones_initializer(), False)
        axes = [a for a in range(inputs.shape.ndims) if a != (1 if first else inputs.shape.ndims - 1)]
        wide = tf.cast(inputs, tf.float32) if inputs.dtype == tf.float16 else inputs

        def of_batch() -> tuple[Any, Any]:
            if batch_weights is not None:
                shape = [-1] + [1] * (inputs.shape.ndims - 1)
                return tf.nn.weighted_moments(wide, axes, tf.reshape(batch_weights, shape))
            return tf.nn.moments(wide, axes)

        used = chosen(is_training, lambda: list(of_batch()), lambda: [tf.identity(mean), tf.identity(variance)])
        updates = _updates(
            is_training, used, mean, variance, decay, zero_debias_moving_mean, _bessel(fused, inputs, axes)
        )
        if updates and updates_collections is None:
            with tf.control_dependencies(updates):
                used = [tf.identity(t) for t in used]
        elif updates:
            for name in [updates_collections] if isinstance(updates_collections, str) else updates_collections:
                tf.add_to_collections(name, updates[0])
                tf.add_to_collections(name, updates[1])
        if first:
            spread = [1, size] + [1] * (inputs.shape.ndims - 2)
            used = [tf.reshape(t, spread) for t in used]
            beta, gamma = (None if t is None else tf.reshape(t, spread) for t in (beta, gamma))
        outputs = tf.cast(tf.nn.batch_normalization(wide, *used, beta, gamma, epsilon), inputs.dtype)
        outputs.set_shape(inputs.shape)
        return finished(outputs, activation_fn, None, None, outputs_collections)


def _bessel(fused: Any, inputs: Any, axes: list[int]) -> Any:
    """n / (n - 1) for n values a channel, where `fused` says so; else 1."""
    if not (fused if fused is not None else inputs.shape.ndims == 4):
        return 1.0
    count = tf.cast(tf.reduce_prod(tf.gather(tf.shape(inputs), axes)), tf.float32)
    return count / tf.maximum(count - 1.0, 1.0)


def _updates(
    is_training: Any, used: list[Any], mean: Any, variance: Any, decay: float, debias: bool, bessel: Any
) -> list[Any]:
    """The moving averages' steps; none when surely not in training, kept still by a tensor that says so."""

    def steps() -> list[Any]:
        return [
            assign_moving_average(mean, used[0], decay, zero_debias=debias),
            assign_moving_average(variance, used[1] * bessel, decay, zero_debias=False),
        ]

    known = is_training if isinstance(is_training, (bool, int)) else tf.get_static_value(is_training)
    if known is not None:
        return steps() if known else []
    # Not in training `used` is the moving average itself, which therefore stays; Bessel's factor must not move it.
    bessel = tf.where(is_training, tf.ones([]) * bessel, tf.ones([]))
    return steps()


@contrib(_BOTH, "layer_norm")
@add_arg_scope
def layer_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    activation_fn: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    begin_norm_axis: int = 1,
    begin_params_axis: int = -1,
    scope: Any = None,
) -> Any:
    """Each example normalised over the axes from begin_norm_axis on; `gamma` and `beta` of the shape from
    begin_params_axis on. Epsilon is 1e-12.

    Raises:
      ValueError: the axes are out of order, or the parameters' shape is not known.
    Source: Ba, Kiros & Hinton 2016.
    """
    with tf.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        rank = inputs.shape.ndims
        begin = begin_norm_axis + rank if begin_norm_axis < 0 else begin_norm_axis
        if begin >= rank or (begin_params_axis + rank if begin_params_axis < 0 else begin_params_axis) >= rank:
            raise ValueError(
                f"begin_norm_axis ({begin_norm_axis}) and begin_params_axis must be < rank(inputs) ({rank})"
            )
        shape = inputs.shape.as_list()[begin_params_axis:]
        if None in shape:
            raise ValueError(f"Inputs {inputs.name}: shape of parameters {shape} must be known")
        dtype = inputs.dtype.base_dtype

        def made(name: str, start: Any) -> Any:
            kept = kept_in(variables_collections, name)
            return model_variable(name, shape, dtype, start, None, trainable, kept)

        beta = made("beta", tf.zeros_initializer()) if center else None
        gamma = made("gamma", tf.ones_initializer()) if scale else None
        mean, variance = tf.nn.moments(inputs, list(range(begin, rank)), keepdims=True)
        outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, 1e-12)
        outputs.set_shape(inputs.shape)
        return finished(outputs, activation_fn, None, None, outputs_collections)
