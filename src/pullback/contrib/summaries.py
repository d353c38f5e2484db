"""Summaries of layers and gradients: `contrib.layers.summarize_*`, `contrib.training.add_gradients_summaries`."""

from __future__ import annotations

import functools
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib


@contrib("layers", "summarize_tensor")
def summarize_tensor(tensor: Any, tag: str | None = None) -> Any:
    """A scalar's value, or a histogram of other tensors, under `tag` or its operation's name."""
    name = tag or tensor.op.name
    rank = tensor.shape.ndims
    return tf.summary.scalar(name, tensor) if rank == 0 else tf.summary.histogram(name, tensor)


@contrib("layers", "summarize_activation")
def summarize_activation(op: Any) -> Any:
    """A histogram of a layer's outputs; of Relu, Relu6 and Softplus also the share of `zeros`, of Relu6 of `sixes`."""
    name, kind = op.op.name, op.op.type
    if kind in ("Relu", "Softplus", "Relu6"):
        tf.summary.scalar(f"{name}/zeros", tf.nn.zero_fraction(op))
    if kind == "Relu6":
        tf.summary.scalar(f"{name}/sixes", tf.reduce_mean(tf.cast(tf.equal(op, 6), tf.float32)))
    return tf.summary.histogram(f"{name}/activations", op)


@contrib("layers", "summarize_tensors")
def summarize_tensors(tensors: Any, summarizer: Any = summarize_tensor) -> list[Any]:
    """Summaries of several tensors."""
    return [summarizer(t) for t in tensors]


@contrib("layers", "summarize_collection")
def summarize_collection(collection: str, name_filter: str | None = None, summarizer: Any = summarize_tensor) -> Any:
    """Summaries of a collection's tensors whose names match name_filter (a regular expression)."""
    return summarize_tensors(tf.get_collection(collection, name_filter), summarizer)


def _named(name: str, collection: str, summarizer: Any) -> Any:
    made = functools.partial(summarize_collection, collection, summarizer=summarizer)

    def summarize(name_filter: str | None = None) -> Any:
        return made(name_filter)

    summarize.__name__ = summarize.__qualname__ = name
    summarize.__doc__ = f'Summaries of the collection "{collection}", of names that match name_filter.'
    return contrib("layers", name)(summarize)


summarize_variables = _named("summarize_variables", tf.GraphKeys.GLOBAL_VARIABLES, summarize_tensor)
summarize_weights = _named("summarize_weights", tf.GraphKeys.WEIGHTS, summarize_tensor)
summarize_biases = _named("summarize_biases", tf.GraphKeys.BIASES, summarize_tensor)
summarize_activations = _named("summarize_activations", tf.GraphKeys.ACTIVATIONS, summarize_activation)


@contrib("training slim.learning", "add_gradients_summaries")
def add_gradients_summaries(grads_and_vars: Any) -> list[Any]:
    """For each pair with a gradient a histogram of it, and its norm."""
    out = []
    for grad, var in grads_and_vars:
        if grad is not None:
            values = grad.values if isinstance(grad, tf.IndexedSlices) else grad
            out.append(tf.summary.histogram(f"{var.op.name}_gradient", values))
            out.append(tf.summary.scalar(f"{var.op.name}_gradient_norm", tf.global_norm([values])))
    return out
