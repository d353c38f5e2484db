"""`slim.learning`, `slim.losses` beside the layers, `slim.model_analyzer`, and `contrib.layers.optimize_loss`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.variables import get_or_create_global_step
from pullback.core.errors import ArgumentError

_OPTIMIZERS = {
    "Adagrad": "AdagradOptimizer",
    "Adam": "AdamOptimizer",
    "Ftrl": "FtrlOptimizer",
    "Momentum": "MomentumOptimizer",
    "RMSProp": "RMSPropOptimizer",
    "SGD": "GradientDescentOptimizer",
}


@contrib("slim.model_analyzer", "tensor_description")
def tensor_description(var: Any) -> str:
    """ "(float32_ref 3x3x64)"."""
    name = var.dtype.name if var.dtype.name.endswith("_ref") else f"{var.dtype.name}_ref"
    return f"({name} {'x'.join(map(str, var.get_shape().as_list()))})"


@contrib("slim.model_analyzer", "analyze_vars")
def analyze_vars(variables: Any, print_info: bool = False) -> tuple[int, int]:
    """(how many numbers the variables hold, how many bytes), printed variable by variable if asked."""
    if print_info:
        print("---------\nVariables: name (type shape) [size]\n---------")
    total, total_bytes = 0, 0
    for var in variables:
        size = var.get_shape().num_elements() or 0
        width = var.dtype.size
        total, total_bytes = total + size, total_bytes + size * width
        if print_info:
            print(var.name, tensor_description(var), f"[{size}, bytes: {size * width}]")
    if print_info:
        print(f"Total size of variables: {total}\nTotal bytes of variables: {total_bytes}")
    return total, total_bytes


@contrib("slim.learning", "multiply_gradients")
def multiply_gradients(grads_and_vars: Any, gradient_multipliers: Any) -> list[Any]:
    """Gradients times a number for their variable (or its name)."""
    if not isinstance(gradient_multipliers, dict):
        raise ValueError("`gradient_multipliers` must be a dict.")
    out = []
    for grad, var in grads_and_vars:
        factor = gradient_multipliers.get(var, gradient_multipliers.get(var.op.name))
        if factor is not None:
            if grad is None:
                raise ValueError(f"Requested multiple of `None` gradient of {var.op.name}.")
            grad = grad * tf.cast(factor, grad.dtype)
        out.append((grad, var))
    return out


@contrib("slim.learning", "clip_gradient_norms")
def clip_gradient_norms(gradients_to_variables: Any, max_norm: float) -> list[Any]:
    """Each gradient clipped to a norm."""
    return [(None if g is None else tf.clip_by_norm(g, max_norm), v) for g, v in gradients_to_variables]


@contrib("slim.learning training", "create_train_op")
def create_train_op(
    total_loss: Any,
    optimizer: Any,
    global_step: Any = 0,
    update_ops: Any = None,
    variables_to_train: Any = None,
    clip_gradient_norm: float = 0,
    summarize_gradients: bool = False,
    gate_gradients: int = 1,
    aggregation_method: Any = None,
    colocate_gradients_with_ops: bool = False,
    gradient_multipliers: Any = None,
    check_numerics: bool = True,
    transform_grads_fn: Callable[..., Any] | None = None,
) -> Any:
    """A tensor that, when run, takes one step and answers the loss.

    Args:
      global_step: by default the graph's own, made when there is none; None counts nothing.
      update_ops: what runs before the loss; the collection UPDATE_OPS by default.
      clip_gradient_norm: each gradient is clipped to it, when above 0.
      gradient_multipliers: {variable or name: number}.
      check_numerics: an error when the loss is infinite or NaN.
    Raises:
      ArgumentError: summarize_gradients: add tf.summary.histogram to what transform_grads_fn is given instead.
    """
    if summarize_gradients:
        raise ArgumentError(
            "create_train_op: summarize_gradients is not supported; use tf.summary.histogram on gradients"
        )
    if isinstance(global_step, int) and global_step == 0:
        global_step = get_or_create_global_step()
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS) if update_ops is None else list(update_ops)
    with tf.control_dependencies(updates):
        total_loss = tf.identity(total_loss)
    pairs = optimizer.compute_gradients(
        total_loss,
        variables_to_train,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
    )
    if transform_grads_fn is not None:
        pairs = transform_grads_fn(pairs)
    if gradient_multipliers:
        pairs = multiply_gradients(pairs, gradient_multipliers)
    if clip_gradient_norm > 0:
        pairs = clip_gradient_norms(pairs, clip_gradient_norm)
    step = optimizer.apply_gradients(pairs, global_step=global_step)
    if check_numerics:
        total_loss = tf.check_numerics(total_loss, "LossTensor is inf or nan")
    with tf.control_dependencies([step]):
        made = tf.identity(total_loss, name="train_op")
    tf.add_to_collection(tf.GraphKeys.TRAIN_OP, made)
    return made


@contrib("layers", "optimize_loss")
def optimize_loss(
    loss: Any,
    global_step: Any,
    learning_rate: Any,
    optimizer: Any,
    gradient_noise_scale: Any = None,
    gradient_multipliers: Any = None,
    clip_gradients: Any = None,
    learning_rate_decay_fn: Any = None,
    update_ops: Any = None,
    variables: Any = None,
    name: Any = None,
    summaries: Any = None,
    colocate_gradients_with_ops: bool = False,
    increment_global_step: bool = True,
) -> Any:
    """A tensor that, when run, takes one step and answers the loss.

    Args:
      optimizer: "SGD", "Adam", "Adagrad", "Ftrl", "Momentum", "RMSProp", an Optimizer, its class, or a function of the
        learning rate.
      gradient_noise_scale: times which normal noise is added to gradients.
      clip_gradients: a norm over all gradients, or a function of the pairs.
      learning_rate_decay_fn: (learning rate, global step) -> learning rate.
      summaries: what to summarize, as "loss", "learning_rate"; none by default here.
    Raises:
      ValueError: the optimizer's name is none of those, or gradients cannot be had.
    """
    step = get_or_create_global_step() if global_step is None else global_step
    with tf.variable_scope(name, "OptimizeLoss", [loss, step]):
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS) if update_ops is None else list(update_ops)
        with tf.control_dependencies(updates):
            loss = tf.identity(loss)
        rate = learning_rate
        if isinstance(rate, float):
            rate = tf.get_variable("learning_rate", [], trainable=False, initializer=tf.constant_initializer(rate))
        if learning_rate_decay_fn is not None:
            rate = learning_rate_decay_fn(rate, step)
        chosen = _optimizer(optimizer, rate)
        pairs = chosen.compute_gradients(loss, variables, colocate_gradients_with_ops=colocate_gradients_with_ops)
        if gradient_noise_scale is not None:
            pairs = [
                (None if g is None else g + gradient_noise_scale * tf.truncated_normal(tf.shape(g)), v)
                for g, v in pairs
            ]
        if gradient_multipliers:
            pairs = multiply_gradients(pairs, gradient_multipliers)
        if callable(clip_gradients):
            pairs = clip_gradients(pairs)
        elif clip_gradients is not None:
            clipped, _ = tf.clip_by_global_norm([g for g, _ in pairs], clip_gradients)
            pairs = list(zip(clipped, [v for _, v in pairs], strict=True))
        if summaries:
            for what, value in (("loss", loss), ("learning_rate", rate)):
                if what in summaries:
                    tf.summary.scalar(what, value)
        apply = chosen.apply_gradients(pairs, global_step=step if increment_global_step else None, name="train")
        with tf.control_dependencies([apply]):
            return tf.identity(loss)


def _optimizer(given: Any, rate: Any) -> Any:
    if isinstance(given, str):
        if given not in _OPTIMIZERS:
            raise ValueError(f"Optimizer name should be one of [{', '.join(_OPTIMIZERS)}], you provided {given}.")
        extra = (0.9,) if given == "Momentum" else ()
        return getattr(tf.train, _OPTIMIZERS[given])(rate, *extra)
    if isinstance(given, tf.train.Optimizer):
        return given
    return given(rate) if rate is not None else given()
