"""Convolutions, pooling and Jacobians in TensorFlow's words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from bench import data
from bench.libraries.tensorflow_words import Words, in_words
from bench.worker import Prepared


def prepared(f: Callable[..., Any], *arguments: Any, **more: Any) -> Prepared:
    """A function of tensors, whose results are what it gives."""

    def results() -> list[Any]:
        made = f(*arguments)
        return [m.numpy() for m in (made if isinstance(made, (list, tuple)) else [made])]

    return Prepared(lambda: f(*arguments), results, **more)


@in_words("convolution", variants=("NHWC",))
def convolution(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    tf = words.tf
    x, w, dy = [tf.constant(a.astype(dtype)) for a in data.convolution(case)]
    return prepared(tf.function(_passes(tf, case, x.shape, w.shape)[case["pass"]]), x, w, dy)


@in_words("pooling", variants=("int64", "int32"))
def pooling(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    """variant: the type of places."""
    tf = words.tf
    with_argmax = functools.partial(_with_argmax, words, variant)
    array = data.image(case).astype(dtype)
    x, dx = tf.constant(array), tf.constant(np.ascontiguousarray(array[::-1]))
    pooled = tf.function(with_argmax)
    y, at = [pooled(x) for _ in range(3)][-1]  # arrays as a loop of compiled steps has them, which JAX's are too
    f = tf.function(_pooling(words, with_argmax, case["what"], tuple(x.shape)))
    made = prepared(f, x, y, at, dx)
    if case["what"] == "argmax forward":  # libraries count places each in their own way
        made.results = lambda: [f(x, y, at, dx)[0].numpy()]
    return made


@in_words("jacobian")
def jacobian(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    tf = words.tf
    x, w = [tf.constant(a.astype(dtype)) for a in data.one_image(case)]

    def run(x: Any, w: Any) -> Any:
        by = x if case["by"] == "input" else w
        with tf.GradientTape() as tape:
            tape.watch(by)
            y = tf.nn.conv2d(x, w, 1, "SAME")
        return tape.jacobian(y, by)

    return prepared(run if case.get("eager") else tf.function(run), x, w)


@in_words("hessian")
def hessian(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    tf = words.tf

    def run(x: Any, w: Any, *others: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(w)
            with tf.GradientTape() as inner:
                inner.watch(w)
                loss = tf.reduce_mean(tf.square(mlp(tf, x, [w, *others])))
            dw = inner.gradient(loss, w)
        return outer.jacobian(dw, w)

    return prepared(tf.function(run), *_mlp_arguments(tf, case, dtype))


@in_words("batch_jacobian")
def batch_jacobian(words: Words, case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    tf = words.tf

    def run(x: Any, *weights: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = mlp(tf, x, weights)
        return tape.batch_jacobian(y, x)

    return prepared(tf.function(run), *_mlp_arguments(tf, case, dtype))


def _mlp_arguments(tf: Any, case: dict[str, Any], dtype: Any) -> list[Any]:
    arrays = [data.inputs(case["n"], case["widths"][0]), *data.dense_weights(case["widths"])]
    return [tf.constant(a.astype(dtype)) for a in arrays]


def mlp(tf: Any, h: Any, weights: Any) -> Any:
    """Dense layers with tanh between them."""
    for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        h = tf.tanh(tf.matmul(h, w) + b)
    return tf.matmul(h, weights[-2]) + weights[-1]


def _passes(tf: Any, case: dict[str, Any], x_shape: Any, w_shape: Any) -> dict[str, Callable[..., Any]]:
    stride, pad, strides = case["stride"], case["pad"], [1, case["stride"], case["stride"], 1]
    same = "SAME" if stride == 1 and pad else "VALID" if not pad else ""
    padding: dict[str, Any] = {"padding": same or "EXPLICIT"}
    if not same:
        padding["explicit_paddings"] = [0, 0, pad, pad, pad, pad, 0, 0]
    x_shape, w_shape = [np.array(tuple(s), np.int32) for s in (x_shape, w_shape)]
    raw = tf.raw_ops
    given = {"strides": strides, **padding}
    if case["groups"] > 1:
        return {
            "forward": lambda x, w, dy: raw.DepthwiseConv2dNative(input=x, filter=w, **given),
            "backprop-input": lambda x, w, dy: raw.DepthwiseConv2dNativeBackpropInput(
                input_sizes=x_shape, filter=w, out_backprop=dy, **given
            ),
            "backprop-filter": lambda x, w, dy: raw.DepthwiseConv2dNativeBackpropFilter(
                input=x, filter_sizes=w_shape, out_backprop=dy, **given
            ),
        }
    return {
        "forward": lambda x, w, dy: raw.Conv2D(input=x, filter=w, **given),
        "backprop-input": lambda x, w, dy: raw.Conv2DBackpropInput(
            input_sizes=x_shape, filter=w, out_backprop=dy, **given
        ),
        "backprop-filter": lambda x, w, dy: raw.Conv2DBackpropFilter(
            input=x, filter_sizes=w_shape, out_backprop=dy, **given
        ),
    }


def _with_argmax(words: Words, places: str, x: Any) -> Any:
    return words.tf.nn.max_pool_with_argmax(
        x, 2, 2, "VALID", output_dtype=places, include_batch_in_index=words.batch_in_at
    )


def _pooling(words: Words, with_argmax: Callable[[Any], Any], what: str, shape: tuple[int, ...]) -> Callable[..., Any]:
    """(x, y, at, dx) -> what is asked for."""
    tf = words.tf

    def argmax_backward(x: Any, y: Any, at: Any, dx: Any) -> Any:
        return tf.raw_ops.MaxPoolGradWithArgmax(
            input=x,
            grad=y,
            argmax=at,
            ksize=[1, 2, 2, 1],
            strides=[1, 2, 2, 1],
            padding="VALID",
            include_batch_in_index=words.batch_in_at,
        )

    def unpool_backward(x: Any, y: Any, at: Any, dx: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(y)
            up = words.unpool(y, at, shape)
        return tape.gradient(up, y, output_gradients=dx)

    def both(x: Any, y: Any, at: Any, dx: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            up = words.unpool(*with_argmax(x), shape)
            loss = tf.reduce_sum(tf.square(up))
        return [loss, tape.gradient(loss, x)]

    return {
        "forward": lambda x, y, at, dx: tf.nn.max_pool(x, 2, 2, "VALID"),
        "argmax forward": lambda x, y, at, dx: list(with_argmax(x)),
        "argmax backward": argmax_backward,
        "unpool forward": lambda x, y, at, dx: words.unpool(y, at, shape),
        "unpool backward": unpool_backward,
        "both": both,
    }[what]
