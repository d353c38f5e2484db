"""Small calls and long chains in TensorFlow's words: what a library costs around its kernels."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from bench import data
from bench.libraries.tensorflow_kernels import prepared
from bench.libraries.tensorflow_words import Words, in_words
from bench.worker import Prepared

SMALL = {"h": 5, "w": 5, "c": 1, "k": 1, "size": 3}


@in_words("compiled", "eager")
def convolution_gradient(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    tf = words.tf
    x, w = [tf.constant(a.astype(dtype)) for a in data.one_image(SMALL)]

    def gradient(x: Any, w: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = tf.nn.conv2d(x, w, 1, "SAME")
        return tape.gradient(y, [x, w])

    return prepared(gradient if case["kind"] == "eager" else tf.function(gradient), x, w, warm=20)


@in_words("eager op")
def eager_op(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    tf = words.tf
    x = tf.constant(data.inputs(case["n"], case["width"]).astype(dtype))

    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.square(tf.tanh(x)))
        return tape.gradient(loss, x)

    run = {
        "sigmoid": tf.sigmoid,
        "tanh": tf.tanh,
        "relu": tf.nn.relu,
        "product": lambda x: x * x,
        "sum": tf.reduce_sum,
        "softmax": tf.nn.softmax,
        "concat": lambda x: tf.concat([x, x], 0),
        "gradient": gradient,
    }[case["what"]]
    return prepared(run, x)


@in_words("session")
def session_run(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    v1 = words.v1
    arrays = [a.astype(dtype) for a in data.one_image(SMALL)]
    with v1.Graph().as_default() as graph:
        x, w = [v1.placeholder(dtype, a.shape) for a in arrays]
        gradients = v1.gradients(v1.nn.conv2d(x, w, [1, 1, 1, 1], "SAME"), [x, w])
    session = v1.Session(graph=graph)
    feed = dict(zip([x, w], arrays, strict=True))
    return Prepared(lambda: session.run(gradients, feed), lambda: session.run(gradients, feed), warm=20)


@in_words("first")
def first_run(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    v1 = words.v1
    arrays = [a.astype(dtype) for a in data.one_image(SMALL)]

    def run() -> Any:
        with v1.Graph().as_default(), v1.Session() as session:
            x, w = [v1.placeholder(dtype, a.shape) for a in arrays]
            gradients = v1.gradients(v1.nn.conv2d(x, w, [1, 1, 1, 1], "SAME"), [x, w])
            return session.run(gradients, dict(zip([x, w], arrays, strict=True)))

    return Prepared(run, run)


@in_words("tape")
def eager_tape(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    tf, n = words.tf, case["n"]
    x = tf.constant(data.inputs(8, 8).astype(dtype))

    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for i in range(n):
                y = tf.tanh(y) if i % 2 else y * 1.0001
        return tape.gradient(y, x)

    return prepared(run, x, warm=3 if n < 1000 else 0)


@in_words("chain")
def chain(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    """Seconds an op of each stage, from an empty graph on. `plan` is the second run, as far as it takes longer than a
    later one; `with plan` is everything up to its end."""
    v1, n = words.v1, case["n"]
    if n > words.longest_chain:
        raise ValueError(f"not asked for more than {words.longest_chain:,} ops in a row")
    array = data.inputs(1, 64)[0].astype(dtype)

    def run() -> dict[str, float]:
        with v1.Graph().as_default(), v1.Session() as session:
            moments = [time.perf_counter()]
            x = v1.placeholder(dtype, [64])
            y = x
            for i in range(n):
                y = v1.tanh(y) if i % 2 else y * 1.0001
            moments.append(time.perf_counter())
            dx = v1.gradients(y, x)[0]
            for _ in range(8):
                moments.append(time.perf_counter())
                session.run(dx, {x: array})
            moments.append(time.perf_counter())
        build, gradient, first, second, *later = (np.diff(moments) / n).tolist()
        steady, start = min(later), build + gradient + first
        stages = {"build": build, "gradient": gradient, "first run": first, "plan": max(second - steady, 0.0)}
        return {**stages, "steady": steady, "build to first run": start, "with plan": start + second}

    return Prepared(run, warm=0, staged=True)
