"""Training steps in TensorFlow's words: a function with a tape, and a Session with a training op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench import data
from bench.libraries.tensorflow_kernels import mlp
from bench.libraries.tensorflow_words import Words, in_words
from bench.worker import Prepared

SAME = {0: "VALID", 1: "SAME", 2: "SAME"}  # by pixels of padding, at stride 1
EVENLY = [[0, 0], [1, 1], [1, 1], [0, 0]]  # where "SAME" at stride 2 would pad the end alone, as no other library does


def plain(tf: Any, kind: str, x: Any, weights: Any) -> Any:
    """Logits of a plain network."""
    layers, left = data.PLAIN[kind][0], list(weights)
    for i, (what, *fields) in enumerate(layers):
        if what == "pool":
            x = tf.nn.max_pool(x, [1, fields[0], fields[0], 1], [1, fields[1], fields[1], 1], "VALID")
            continue
        w, b, *left = left
        if what == "conv":
            _, stride, pad, *_ = fields
            x = tf.nn.conv2d(x, w, [1, stride, stride, 1], SAME[pad]) + b
        else:
            x = tf.matmul(tf.reshape(x, [-1, fields[0]]), w) + b
        if i + 1 < len(layers):
            x = tf.nn.relu(x)
    return x


def residual(tf: Any, x: Any, weights: Any) -> Any:
    """Logits of the residual network. Batch norm by the batch's own moments."""
    left = iter(weights)

    def normed(h: Any) -> Any:
        mean, variance = tf.nn.moments(h, [0, 1, 2])
        scale, offset = next(left), next(left)
        return tf.nn.batch_normalization(h, mean, variance, offset, scale, 1e-3)

    h = tf.nn.relu(tf.nn.conv2d(x, next(left), [1, 1, 1, 1], "SAME"))
    for c, k, stride in data.BLOCKS:
        strides, around = [1, stride, stride, 1], "SAME" if stride == 1 else EVENLY
        z = tf.nn.relu(normed(tf.nn.conv2d(h, next(left), strides, around)))
        z = normed(tf.nn.conv2d(z, next(left), [1, 1, 1, 1], "SAME"))
        h = tf.nn.relu(z + (h if c == k else tf.nn.conv2d(h, next(left), strides, "SAME")))
    return tf.matmul(tf.reduce_mean(h, [1, 2]), next(left))


def network(tf: Any, kind: str) -> tuple[Callable[[Any, Any], Any], Any]:
    """logits(x, weights), and the weights one at a time."""
    if kind == "residual":
        return lambda x, weights: residual(tf, x, weights), data.residual_weights()
    return lambda x, weights: plain(tf, kind, x, weights), data.plain_weights(kind)


@in_words("lenet", "alexnet", "residual", variants=("function", "session"))
def classifier(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    kind = case["kind"]
    x, y = data.examples(kind, case["n"])
    make = _by_session if variant == "session" else _by_function
    return _steps(make(words, kind, x.astype(dtype), y, dtype), warm=4)


def _steps(step: Callable[[], Any], warm: int) -> Prepared:
    return Prepared(step, lambda: [np.stack([np.asarray(step()) for _ in range(data.CHECKED)])], warm)


def _kept(optimizer: Any, variables: list[Any]) -> Any:
    if hasattr(optimizer, "keep"):
        optimizer.keep(variables)
    return optimizer


def _by_function(words: Words, kind: str, x: Any, y: Any, dtype: Any) -> Callable[[], Any]:
    tf = words.tf
    logits, weights = network(tf, kind)
    variables = [tf.Variable(w.astype(dtype, copy=False)) for w in weights]
    optimizer = _kept(words.adam() if kind == "lenet" else words.momentum(), variables)

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits(x, variables)))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    x, y = tf.constant(x), tf.constant(y)
    return lambda: step(x, y).numpy()


def _by_session(words: Words, kind: str, x: Any, y: Any, dtype: Any) -> Callable[[], Any]:
    v1 = words.v1
    logits, weights = network(v1, kind)
    adam, momentum = data.ADAM, data.MOMENTUM
    with v1.Graph().as_default() as graph:
        image = v1.placeholder(dtype, [None, *x.shape[1:]])
        label = v1.placeholder(np.int64, [None])
        # First values are fed, one at a time: a graph may not hold constants of this size.
        firsts = [v1.placeholder(dtype, w.shape) for w in weights]
        variables = [v1.Variable(first) for first in firsts]
        loss = v1.reduce_mean(
            v1.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits(image, variables))
        )
        if kind == "lenet":
            optimizer = v1.train.AdamOptimizer(adam["rate"], adam["b1"], adam["b2"], adam["epsilon"])
        else:
            optimizer = v1.train.MomentumOptimizer(momentum["rate"], momentum["momentum"])
        train = optimizer.minimize(loss)
        slots = v1.variables_initializer(v1.global_variables()[len(variables) :])
    session = v1.Session(graph=graph)
    for first, variable, w in zip(firsts, variables, network(v1, kind)[1], strict=True):
        session.run(variable.initializer, {first: w})
    session.run(slots)
    return lambda: session.run([loss, train], {image: x, label: y})[0]


@in_words("pinn", variants=("function", "xla"))
def pinn(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    tf = words.tf
    variables = [tf.Variable(w.astype(dtype)) for w in data.dense_weights(data.PINN_WIDTHS)]
    optimizer = _kept(words.adam(), variables)
    t, x = [tf.constant(p.astype(dtype)) for p in data.points(case["n"])]

    def step(t: Any, x: Any) -> Any:
        with tf.GradientTape() as tape:
            with tf.GradientTape() as second:
                second.watch(x)
                with tf.GradientTape() as first:
                    first.watch([t, x])
                    u = mlp(tf, tf.concat([t, x], 1), variables)
                u_t, u_x = first.gradient(u, [t, x])
            u_xx = second.gradient(u_x, x)
            loss = tf.reduce_mean(tf.square(u_t + u * u_x - data.VISCOSITY * u_xx))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    compiled = tf.function(step, jit_compile=True) if variant == "xla" else tf.function(step)
    return _steps(lambda: compiled(t, x).numpy(), warm=4)
