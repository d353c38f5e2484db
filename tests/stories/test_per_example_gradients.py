"""A gradient of the weights for each example, without a loop: batching makes one grouped convolution of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pullback as tf

rng = np.random.default_rng(7)
LOOPS = {"Map", "While", "StatelessWhile", "If", "Case"}


def op_types(f: Any, *args: Any) -> list[str]:
    """The ops of f traced on these, bodies included."""
    found: list[str] = []

    def walk(graph: Any) -> None:
        for node in graph.nodes:
            found.append(node.type)
            for field in node.op.fields:
                held = getattr(node.op, field)
                if hasattr(held, "nodes"):
                    walk(held)

    walk(tf.function(f).get_concrete_function(*args).graph)
    return found


def of_each(loss: Callable[..., Any], weights: list[Any]) -> Callable[..., Any]:
    """The gradients by the weights for each example, stacked; an op that would loop is an error."""

    def one(example: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(*example)
        return tape.gradient(value, weights)

    return lambda *examples: tf.vectorized_map(one, examples, fallback_to_while_loop=False)


def check(loss: Callable[..., Any], weights: list[Any], examples: list[Any]) -> list[str]:
    """Each example's gradient is what it is alone; answers with the op types."""
    made = of_each(loss, weights)(*examples)
    for i in range(len(examples[0])):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(*[e[i] for e in examples])
        for stacked, alone in zip(made, tape.gradient(value, weights), strict=True):
            np.testing.assert_allclose(stacked[i], alone, rtol=1e-11, atol=1e-11)
    return op_types(of_each(loss, weights), *examples)


def normal(*shape: int) -> Any:
    return tf.constant(rng.normal(size=shape))


CONVOLUTIONS: dict[str, tuple[Any, tuple[int, ...], tuple[int, ...], str]] = {
    "conv1d": (lambda x, w: tf.nn.conv1d(x, w, 2, "SAME"), (7, 2), (3, 2, 3), "Conv2DBackpropFilter"),
    "conv2d": (lambda x, w: tf.nn.conv2d(x, w, 2, "SAME"), (7, 6, 2), (3, 2, 2, 3), "Conv2DBackpropFilter"),
    "grouped": (lambda x, w: tf.nn.conv2d(x, w, 1, "VALID"), (5, 6, 4), (2, 2, 2, 6), "Conv2DBackpropFilter"),
    "channels first": (
        lambda x, w: tf.nn.conv2d(x, w, 1, "SAME", "NCHW", 2),
        (2, 5, 6),
        (2, 2, 2, 3),
        "Conv2DBackpropFilter",
    ),
    "depthwise": (
        lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"),
        (5, 6, 2),
        (3, 2, 2, 2),
        "DepthwiseConv2dNativeBackpropFilter",
    ),
    "conv3d": (lambda x, w: tf.nn.conv3d(x, w, 1, "SAME"), (3, 4, 2, 2), (2, 2, 2, 2, 1), "Conv3DBackpropFilterV2"),
    "transposed": (
        lambda x, w: tf.nn.conv2d_transpose(x, w, [2, 8, 6, 3], 2),
        (4, 3, 2),
        (3, 3, 3, 2),
        "Conv2DBackpropFilter",
    ),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_one_op_computes_all_gradients(name: str) -> None:
    """Examples of two images each; the filter's gradient is one op, and none of the ops is a loop."""
    conv, image, window, kind = CONVOLUTIONS[name]
    w = normal(*window)
    types = check(lambda x: tf.reduce_sum(conv(x, w) ** 2), [w], [normal(5, 2, *image)])
    assert types.count(kind) == 1 and not LOOPS & set(types), types


def test_a_network() -> None:
    """Convolution, bias, relu, max pooling and a dense layer, with the loss of each image by itself."""
    w, b, v = normal(3, 3, 2, 4), normal(4), normal(3 * 3 * 4, 5)
    images, labels = normal(6, 7, 7, 2), tf.constant(rng.integers(0, 5, 6))

    def loss(image: Any, label: Any) -> Any:
        h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(image[None], w, 1, "SAME"), b))
        h = tf.reshape(tf.nn.max_pool2d(h, 3, 2, "VALID"), [1, -1])
        return tf.nn.sparse_softmax_cross_entropy_with_logits(label[None], h @ v)[0]

    types = check(loss, [w, b, v], [images, labels])
    assert types.count("Conv2DBackpropFilter") == 1 and not LOOPS & set(types), types
    assert "Conv2DBackpropInput" not in types  # nobody asked for the images' gradients
    with tf.GradientTape() as tape:
        tape.watch(w)
        total = tf.add_n([loss(image, label) for image, label in zip(images, labels, strict=True)])
    together = of_each(loss, [w, b, v])(images, labels)[0]
    np.testing.assert_allclose(tf.reduce_sum(together, 0), tape.gradient(total, w), rtol=1e-11)


@pytest.mark.parametrize("pool", ["max", "argmax", "avg", "fractional", "dilation", "patches", "unpool", "blocks"])
def test_pools_and_patches_need_no_loop(pool: str) -> None:
    w, x = normal(2, 2, 2, 2), normal(4, 2, 6, 6, 2)
    image = (2, 6, 6, 2)

    def layer(h: Any) -> Any:
        if pool == "max":
            return tf.nn.max_pool2d(h, 3, 2, "SAME")
        if pool == "argmax":
            return tf.nn.max_pool_with_argmax(h, 3, 2, "SAME", include_batch_in_index=True)[0]
        if pool == "unpool":
            return tf.nn.max_unpool(*tf.nn.max_pool_with_argmax(h, 2, 2, "SAME"), image)
        if pool == "avg":
            return tf.nn.avg_unpool(tf.nn.avg_pool2d(h, 3, 2, "SAME"), 3, 2, "SAME", image)
        if pool == "fractional":
            return tf.nn.fractional_max_pool(h, 1.5, seed=3).output + tf.nn.fractional_avg_pool(h, 1.5, seed=3).output
        if pool == "dilation":
            return tf.nn.dilation2d(h, np.ones((2, 2, 2)), [1, 1, 1, 1], "SAME", "NHWC", 1)
        if pool == "patches":
            return tf.image.extract_patches(h, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID")
        phases = tf.space_to_batch(tf.nn.space_to_depth(h, 2), [3, 3], [[0, 0], [0, 0]])
        return tf.nn.depth_to_space(tf.batch_to_space(phases, [3, 3], [[0, 0], [0, 0]]), 2)

    types = check(lambda images: tf.reduce_sum(layer(tf.nn.conv2d(images, w, 1, "SAME")) ** 2), [w], [x])
    assert not LOOPS & set(types), types
