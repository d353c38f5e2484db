"""`slim.learning`, `slim.losses` beside the layers, `slim.model_analyzer`, and `contrib.layers.optimize_loss`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.summaries import add_gradients_summaries
from pullback.contrib.variables import get_or_create_global_step

_OPTIMIZERS = {
    "Adagrad": "AdagradOptimizer",
    "Adam": "AdamOptimizer",
    "Ftrl": "FtrlOptimizer",
    "Momentum": "MomentumOptimizer",
    "RMSProp": "RMSPropOptimizer",
    "SGD": "GradientDescentOptimizer",
}
_SUMMARIES = {"loss", "learning_rate", "gradients", "gradient_norm", "global_gradient_norm"}


@contrib("slim.model_analyzer", "tensor_description")
def tensor_description(var: Any) -> str:
    """ "(float32_ref 3x3x64)" of a variable, "(float32 ?x64)" of a tensor."""
    held = isinstance(var, tf.Variable) and not var.dtype.name.endswith("_ref")
    sizes = "x".join("?" if n is None else str(n) for n in var.get_shape().as_list())
    return f"({var.dtype.name}{'_ref' if held else ''} {sizes})"


@contrib("slim.model_analyzer", "analyze_ops")
def analyze_ops(graph: Any, print_info: bool = False) -> int:
    """How many numbers the operations of a graph give, as far as sizes are known; printed one by one if asked."""
    if print_info:
        print("---------\nOperations: name -> (type shapes) [size]\n---------")
    total = 0
    for op in graph.get_operations():
        size = sum(output.get_shape().num_elements() or 0 for output in op.outputs)
        total += size
        if print_info:
            shapes = [tensor_description(o) for o in op.outputs if o.get_shape().ndims is not None]
            print(op.name, "\t->", ", ".join(shapes), f"[{size}]")
    if print_info:
        print(f"---------\nTotal size: {total}")
    return total


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


def _on_values(change: Callable[[Any], Any], grad: Any) -> Any:
    """A gradient changed, a sparse one in its values."""
    if isinstance(grad, tf.IndexedSlices):
        return tf.IndexedSlices(change(grad.values), grad.indices, grad.dense_shape)
    return change(grad)


@contrib("slim.learning training", "multiply_gradients")
def multiply_gradients(grads_and_vars: Any, gradient_multipliers: Any) -> list[Any]:
    """Gradients times a number for their variable (or its name).

    Raises:
      ValueError: the numbers are no dict, there are none, or one is of a variable without gradient.
    """
    if not isinstance(grads_and_vars, list):
        raise ValueError("`grads_and_vars` must be a list.")
    if not gradient_multipliers or not isinstance(gradient_multipliers, dict):
        raise ValueError("`gradient_multipliers` must be a dict, and not empty.")
    out = []
    for grad, var in grads_and_vars:
        factor = gradient_multipliers.get(var, gradient_multipliers.get(var.op.name))
        if factor is not None:
            if grad is None:
                raise ValueError(f"Requested multiple of `None` gradient of {var.op.name}.")
            grad = _on_values(lambda g, factor=factor: g * tf.cast(factor, g.dtype), grad)
        out.append((grad, var))
    return out


@contrib("slim.learning training", "clip_gradient_norms")
def clip_gradient_norms(gradients_to_variables: Any, max_norm: float) -> list[Any]:
    """Each gradient clipped to a norm."""
    return [
        (None if g is None else _on_values(lambda x: tf.clip_by_norm(x, max_norm), g), v)
        for g, v in gradients_to_variables
    ]


@contrib("training", "clip_gradient_norms_fn")
def clip_gradient_norms_fn(max_norm: float) -> Callable[[Any], list[Any]]:
    """`clip_gradient_norms` as a transform_grads_fn."""
    return lambda gradients_to_variables: clip_gradient_norms(gradients_to_variables, max_norm)


@contrib("training", "create_train_op")
def create_train_op(
    total_loss: Any,
    optimizer: Any,
    global_step: Any = 0,
    update_ops: Any = None,
    variables_to_train: Any = None,
    transform_grads_fn: Callable[..., Any] | None = None,
    summarize_gradients: bool = False,
    gate_gradients: int = 1,
    aggregation_method: Any = None,
    colocate_gradients_with_ops: bool = False,
    check_numerics: bool = True,
) -> Any:
    """A tensor that, when run, takes one step and answers the loss.

    Args:
      global_step: by default the graph's own, made when there is none; None counts nothing.
      update_ops: what runs before the loss; the collection UPDATE_OPS by default.
      transform_grads_fn: changes the list of (gradient, variable).
      summarize_gradients: summaries of each gradient and its norm.
      check_numerics: an error when the loss is infinite or NaN.
    """
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
    if summarize_gradients:
        with tf.name_scope("summarize_grads"):
            add_gradients_summaries(pairs)
    step = optimizer.apply_gradients(pairs, global_step=global_step)
    if check_numerics:
        total_loss = tf.check_numerics(total_loss, "LossTensor is inf or nan")
    with tf.control_dependencies([step]):
        made = tf.identity(total_loss, name="train_op")
    tf.add_to_collection(tf.GraphKeys.TRAIN_OP, made)
    return made


@contrib("slim.learning", "create_train_op")
def slim_create_train_op(
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
) -> Any:
    """`contrib.training.create_train_op`, with gradients multiplied, then clipped.

    Args:
      clip_gradient_norm: each gradient is clipped to it, when above 0.
      gradient_multipliers: {variable or name: number}.
    """

    def transform(pairs: Any) -> Any:
        if gradient_multipliers:
            pairs = multiply_gradients(pairs, gradient_multipliers)
        return clip_gradient_norms(pairs, clip_gradient_norm) if clip_gradient_norm > 0 else pairs

    return create_train_op(
        total_loss,
        optimizer,
        global_step,
        update_ops,
        variables_to_train,
        transform,
        summarize_gradients,
        gate_gradients,
        aggregation_method,
        colocate_gradients_with_ops,
        check_numerics,
    )


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
      summaries: what to summarize: "loss", "learning_rate", "gradients" (histograms), "gradient_norm",
        "global_gradient_norm"; none by default here.
    Raises:
      ValueError: the optimizer's name or a summary is none of those, or gradients cannot be had.
    """
    wanted: set[str] = set(summaries or ())
    if wanted - _SUMMARIES:
        raise ValueError(
            f"Summaries should be one of {sorted(_SUMMARIES)}, you provided {sorted(wanted - _SUMMARIES)}."
        )
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
        _summarize_norm("gradient_norm", pairs, wanted)
        if callable(clip_gradients):
            pairs = clip_gradients(pairs)
        elif clip_gradients is not None:
            clipped, _ = tf.clip_by_global_norm([g for g, _ in pairs], clip_gradients)
            pairs = list(zip(clipped, [v for _, v in pairs], strict=True))
        for what, value in (("loss", loss), ("learning_rate", rate)):
            if what in wanted:
                tf.summary.scalar(what, value)
        _summarize_gradients(pairs, wanted)
        if clip_gradients is not None:
            _summarize_norm("clipped_gradient_norm", pairs, wanted)
        apply = chosen.apply_gradients(pairs, global_step=step if increment_global_step else None, name="train")
        with tf.control_dependencies([apply]):
            return tf.identity(loss)


def _summarize_norm(name: str, pairs: Any, wanted: set[str]) -> None:
    """The norm of all gradients, where it or each one's is asked for."""
    if wanted & {"gradient_norm", "global_gradient_norm"}:
        tf.summary.scalar(f"global_norm/{name}", tf.global_norm([g for g, _ in pairs]))


def _summarize_gradients(pairs: Any, wanted: set[str]) -> None:
    for grad, var in pairs:
        if grad is None:
            continue
        values, name = grad.values if isinstance(grad, tf.IndexedSlices) else grad, var.name.replace(":", "_")
        if "gradients" in wanted:
            tf.summary.histogram(f"gradients/{name}", values)
        if "gradient_norm" in wanted:
            tf.summary.scalar(f"gradient_norm/{name}", tf.global_norm([values]))


def _optimizer(given: Any, rate: Any) -> Any:
    if isinstance(given, str):
        if given not in _OPTIMIZERS:
            raise ValueError(f"Optimizer name should be one of [{', '.join(_OPTIMIZERS)}], you provided {given}.")
        extra = (0.9,) if given == "Momentum" else ()
        return getattr(tf.train, _OPTIMIZERS[given])(rate, *extra)
    if isinstance(given, tf.train.Optimizer):
        return given
    return given(rate) if rate is not None else given()
