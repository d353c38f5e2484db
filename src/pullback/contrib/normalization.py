"""`tf.contrib.layers` and `slim`: normalisation by batch, layer, instance and group."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import add_arg_scope, contrib
from pullback.contrib.inner import assign_moving_average
from pullback.contrib.layers import chosen, finished, kept_in
from pullback.contrib.variables import model_variable
from pullback.core.errors import ArgumentError
from pullback.layers.sizes import sizes_of

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

        used = chosen(
            is_training,
            lambda: list(_of_batch(wide, axes, batch_weights)),
            lambda: [tf.identity(mean), tf.identity(variance)],
        )
        updates = _updates(
            is_training, used, mean, variance, decay, zero_debias_moving_mean, _bessel(fused, inputs, axes)
        )
        used = _behind(updates, updates_collections, used)
        if first:
            spread = [1, size] + [1] * (inputs.shape.ndims - 2)
            used = [tf.reshape(t, spread) for t in used]
            beta, gamma = (None if t is None else tf.reshape(t, spread) for t in (beta, gamma))
        outputs = tf.cast(tf.nn.batch_normalization(wide, *used, beta, gamma, epsilon), inputs.dtype)
        outputs.set_shape(inputs.shape)
        return finished(outputs, activation_fn, None, None, outputs_collections)


def _of_batch(x: Any, axes: list[int], weights: Any) -> tuple[Any, Any]:
    """Mean and variance over axes; weights: [N], or None."""
    if weights is None:
        return tf.nn.moments(x, axes)
    return tf.nn.weighted_moments(x, axes, tf.reshape(weights, [-1] + [1] * (x.shape.ndims - 1)))


def _behind(updates: list[Any], collections: Any, used: list[Any]) -> list[Any]:
    """What is used, behind the updates where no collections take them."""
    if updates and collections is None:
        with tf.control_dependencies(updates):
            return [tf.identity(t) for t in used]
    for update in updates:
        tf.add_to_collections(collections, update)
    return used


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


@contrib(_BOTH, "instance_norm")
@add_arg_scope
def instance_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-06,
    activation_fn: Any = None,
    param_initializers: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """Each channel of each example normalised over its pixels; `gamma` and `beta` [C].

    Raises:
      ValueError: data_format is another word, the channels are not known.
    Source: Ulyanov, Vedaldi, Lempitsky 2016.
    """
    with tf.variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse):
        if data_format not in ("NHWC", "NCHW"):
            raise ValueError("data_format has to be either NHWC or NCHW.")
        inputs = tf.convert_to_tensor(inputs)
        channel = 1 if data_format == "NCHW" else inputs.shape.ndims - 1
        pixels = [a for a in range(1, inputs.shape.ndims) if a != channel]
        mean, variance = tf.nn.moments(inputs, pixels, keepdims=True)
        beta, gamma = _by_channel(inputs, channel, center, scale, param_initializers, variables_collections, trainable)
        outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
        outputs.set_shape(inputs.shape)
        return finished(outputs, activation_fn, None, None, outputs_collections)


def _by_channel(
    inputs: Any, channel: int, center: bool, scale: bool, makers: Any, collections: Any, trainable: bool
) -> list[Any]:
    """`beta` and `gamma` [C], in the shape in which they meet the inputs; None where not wanted.

    Raises:
      ValueError: the number of channels is not known.
    """
    sizes = inputs.shape.as_list()
    if sizes[channel] is None:
        raise ValueError(f"Inputs {inputs.name} has undefined channel dimension {inputs.shape}.")
    spread = [size if axis == channel else 1 for axis, size in enumerate(sizes)]
    made: list[Any] = []
    for name, wanted, start in (("beta", center, tf.zeros_initializer()), ("gamma", scale, tf.ones_initializer())):
        kept, start = kept_in(collections, name), (makers or {}).get(name, start)
        dtype = inputs.dtype.base_dtype
        v = model_variable(name, sizes[channel : channel + 1], dtype, start, None, trainable, kept) if wanted else None
        made.append(v if v is None else tf.reshape(v, spread))
    return made


@contrib(_BOTH, "group_norm")
@add_arg_scope
def group_norm(
    inputs: Any,
    groups: int = 32,
    channels_axis: int = -1,
    reduction_axes: Any = (-3, -2),
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-06,
    activation_fn: Any = None,
    param_initializers: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    mean_close_to_zero: bool = False,
) -> Any:
    """Each group of channels of each example normalised over reduction_axes; `gamma` and `beta` [C].

    Args:
      groups: how many; must divide the channels.
      mean_close_to_zero: take the variance as mean(x^2) - mean(x)^2.
    Raises:
      ValueError: the channels are not known or not divided; an axis is named twice or there is none.
    Source: Wu & He 2018.
    """
    with tf.variable_scope(scope, "GroupNorm", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        rank = inputs.shape.ndims
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        channel, *reduced = (a + rank if a < 0 else a for a in (channels_axis, *reduction_axes))
        if channel in reduced or any(not 0 <= a < rank for a in (channel, *reduced)):
            raise ValueError(
                f"group_norm: channels_axis {channels_axis} and reduction_axes {reduction_axes} must be different axes "
                f"of inputs with {rank}"
            )
        beta, gamma = _by_channel(inputs, channel, center, scale, param_initializers, variables_collections, trainable)
        channels = inputs.shape.as_list()[channel]
        if channels % groups:
            raise ValueError(f"{channels} channels is not commensurate with {groups} groups.")
        sizes = sizes_of(inputs)
        apart = tf.reshape(inputs, [*sizes[:channel], groups, channels // groups, *sizes[channel + 1 :]])
        axes = [channel + 1, *(a + 1 if a > channel else a for a in reduced)]
        if mean_close_to_zero:
            mean = tf.reduce_mean(apart, axes, keepdims=True)
            variance = tf.reduce_mean(apart * apart, axes, keepdims=True) - mean * mean
        else:
            mean, variance = tf.nn.moments(apart, axes, keepdims=True)
        outputs = tf.reshape((apart - mean) * tf.rsqrt(variance + epsilon), sizes)
        outputs = outputs if gamma is None else outputs * gamma
        outputs = outputs if beta is None else outputs + beta
        outputs.set_shape(inputs.shape)
        return finished(outputs, activation_fn, None, None, outputs_collections)
