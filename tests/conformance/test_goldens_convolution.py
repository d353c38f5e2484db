"""Programs on convolution, its gradients, and transposed convolution."""

from __future__ import annotations

from typing import Any

import pytest
from conformance.golden import Golden, both_precisions, golden

import pullback as tf
import pullback.v1 as tf1

BACKPROP = ("v1:nn.conv2d_backprop_input", "v1:nn.conv2d_backprop_filter")


def sizes_three_ways(sizes: list[int]) -> list[Any]:
    """Sizes may be a list, a tuple or a tensor."""
    return [sizes, tuple(sizes), tf1.constant(sizes)]


def check_backprop_input(g: Golden, dtype: str) -> None:
    """By TensorFlow 1's function, by the raw op, and as the gradient that a tape gives."""
    w, dy = g.input("filter", dtype), g.input("out_backprop", dtype)
    a = g.attributes
    with tf1.Graph().as_default(), tf1.Session() as session:
        for sizes in sizes_three_ways(a["input_sizes"]):
            dx = tf1.nn.conv2d_backprop_input(sizes, tf1.constant(w), tf1.constant(dy), a["strides"], a["padding"])
            assert dx.get_shape().as_list() == a["input_sizes"]
            g.check("input_backprop", session.run(dx))
    x = tf.zeros(a["input_sizes"], dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.nn.conv2d(x, tf.constant(w), a["strides"], a["padding"])
    g.check("input_backprop", tape.gradient(y, x, output_gradients=tf.constant(dy)).numpy())


def check_backprop_filter(g: Golden, dtype: str) -> None:
    x, dy = g.input("input", dtype), g.input("out_backprop", dtype)
    a = g.attributes
    with tf1.Graph().as_default(), tf1.Session() as session:
        for sizes in sizes_three_ways(a["filter_sizes"]):
            dw = tf1.nn.conv2d_backprop_filter(tf1.constant(x), sizes, tf1.constant(dy), a["strides"], a["padding"])
            assert dw.get_shape().as_list() == a["filter_sizes"]
            g.check("filter_backprop", session.run(dw))
    w = tf.zeros(a["filter_sizes"], dtype)
    with tf.GradientTape() as tape:
        tape.watch(w)
        y = tf.nn.conv2d(tf.constant(x), w, a["strides"], a["padding"])
    g.check("filter_backprop", tape.gradient(y, w, output_gradients=tf.constant(dy)).numpy())


@both_precisions
@golden("conv2d_backprop_input_valid", *BACKPROP)
def test_backprop_input_valid(g: Golden, dtype: str) -> None:
    check_backprop_input(g, dtype)


@both_precisions
@golden("conv2d_backprop_input_same", *BACKPROP)
def test_backprop_input_same(g: Golden, dtype: str) -> None:
    check_backprop_input(g, dtype)


@both_precisions
@golden("conv2d_backprop_filter_valid", *BACKPROP)
def test_backprop_filter_valid(g: Golden, dtype: str) -> None:
    check_backprop_filter(g, dtype)


@both_precisions
@golden("conv2d_backprop_filter_same", *BACKPROP)
def test_backprop_filter_same(g: Golden, dtype: str) -> None:
    check_backprop_filter(g, dtype)


def convolution(g: Golden, dtype: str) -> tuple[Any, Any, Any]:
    """(x, filters, y with its tape)"""
    x, w = tf.constant(g.input("x", dtype)), tf.constant(g.input("filters", dtype))
    a = g.attributes
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, w])
        if "output_shape" in a:
            y = tf.nn.conv2d_transpose(x, w, a["output_shape"], a["strides"], a["padding"])
        else:
            y = tf.nn.conv2d(x, w, a["strides"], a["padding"])
    g.check("y", y.numpy())
    return tape, y, (x, w)


@both_precisions
@golden("conv2d_jacobian_input", "nn.conv2d")
def test_jacobian_by_the_input(g: Golden, dtype: str) -> None:
    """The table of which output uses which input with which weight."""
    tape, y, (x, _) = convolution(g, dtype)
    jacobian = tape.jacobian(y, x)
    g.check("jacobian", jacobian.numpy())
    assert jacobian.numpy().reshape(4, 3, 3).sum(0).sum() == 4 * (1 + 2 + 3 + 4)


@both_precisions
@golden("conv2d_jacobian_filter", "nn.conv2d")
def test_jacobian_by_the_filter(g: Golden, dtype: str) -> None:
    tape, y, (_, w) = convolution(g, dtype)
    g.check("jacobian", tape.jacobian(y, w).numpy())


@both_precisions
@golden("conv2d_transpose_jacobian_input", "nn.conv2d_transpose")
def test_transposed_jacobian_by_the_input(g: Golden, dtype: str) -> None:
    tape, y, (x, _) = convolution(g, dtype)
    jacobian = tape.jacobian(y, x).numpy()
    g.check("jacobian", jacobian)
    g.check("element[2][1][1][1]", jacobian.reshape(4, 4, 3, 3)[2][1][1][1])


@both_precisions
@golden("conv2d_transpose_jacobian_filter", "nn.conv2d_transpose")
def test_transposed_jacobian_by_the_filter(g: Golden, dtype: str) -> None:
    tape, y, (_, w) = convolution(g, dtype)
    jacobian = tape.jacobian(y, w).numpy()
    g.check("jacobian", jacobian)
    g.check("element[2][1][1][0]", jacobian.reshape(4, 4, 2, 2)[2][1][1][0])


@both_precisions
@golden("conv2d_transpose_equals_backprop", "nn.conv2d_transpose", *BACKPROP)
def test_four_routes_one_answer(g: Golden, dtype: str) -> None:
    x, w = tf.constant(g.input("x", dtype)), tf.constant(g.input("filters", dtype))
    shape = g.attributes["output_shape"]
    transposed = tf.nn.conv2d_transpose(x, w, shape, 1, "VALID").numpy()
    backprop = tf1.nn.conv2d_backprop_input(shape, w, x, [1, 1, 1, 1], "VALID")
    padded, rotated = tf.constant(g.input("x_padded", dtype)), tf.constant(g.input("filters_rotated", dtype))
    image = tf.zeros(shape, dtype)
    with tf.GradientTape() as tape:
        tape.watch(image)
        y = tf.nn.conv2d(image, w, 1, "VALID")
    g.check("conv2d_transpose", transposed)
    g.check("conv2d_of_padded_with_rotated", tf.nn.conv2d(padded, rotated, 1, "VALID").numpy())
    g.check("tape_gradient_of_conv2d", tape.gradient(y, image, output_gradients=x).numpy())
    with tf1.Session(graph=backprop.graph) as session:
        backprop = session.run(backprop)
    g.check("conv2d_backprop_input", backprop)
    assert backprop.tobytes() == transposed.tobytes()


@golden("conv_and_deconv_4x4", "v1:nn.conv2d_transpose")
def test_transposed_convolution_does_not_restore(g: Golden) -> None:
    """TensorFlow 1's program; shapes are known before any run."""
    with tf1.Graph().as_default():
        img, kernel = tf1.constant(g.input("img")), tf1.constant(g.input("kernel"))
        strides, shape = g.attributes["strides"], g.attributes["output_shape"]
        conv = tf1.nn.conv2d(img, kernel, strides, "VALID")
        cons = tf1.nn.conv2d(img, kernel, strides, "SAME")
        contv = tf1.nn.conv2d_transpose(conv, kernel, shape, strides, "VALID")
        conts = tf1.nn.conv2d_transpose(cons, kernel, shape, strides, "SAME")
        assert str(conv.shape) == "(1, 2, 2, 1)" and str(contv.get_shape()) == "(1, 4, 4, 1)"
        with tf1.Session() as session:
            values = session.run([conv, cons, contv, conts])
    for name, value in zip(("conv", "cons", "contv", "conts"), values, strict=True):
        g.check(name, value)


@golden("conv_as_sparse_dense_layer", "nn.conv2d")
def test_convolution_is_a_sparse_dense_layer(g: Golden) -> None:
    x, w = tf.constant(g.input("x").reshape(1, 3, 3, 1)), tf.constant(g.input("filters"))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.nn.conv2d(x, w, 1, "VALID")
    dense = tape.jacobian(y, x).numpy().reshape(4, 9).T
    delta = g.input("delta")
    g.check("W_sparse_9x4", dense)
    g.check("y", (x.numpy().reshape(1, 9) @ dense).reshape(1, 2, 2, 1))
    g.check("input_backprop", (delta.reshape(1, 4) @ dense.T).reshape(1, 3, 3, 1))
    g.check("input_backprop", tape.gradient(y, x, output_gradients=tf.constant(delta)).numpy())
    g.check("how_many_outputs_use_each_input", (dense != 0).sum(1).reshape(3, 3))


@golden("padding_and_output_shape_rules", "nn.conv2d_transpose")
def test_sizes_follow_the_rules(g: Golden) -> None:
    """Which sizes a convolution makes, and which output shapes its transpose takes."""
    for padding, n, f, stride, size in g.attributes["conv2d_sizes"][1:]:
        image, kernel = tf.zeros([1, n, n, 1]), tf.zeros([f, f, 1, 1])
        if size < 0:
            with pytest.raises(ValueError):
                tf.nn.conv2d(image, kernel, stride, padding)
        else:
            assert tf.nn.conv2d(image, kernel, stride, padding).shape == (1, size, size, 1)
    for padding, m, f, stride, accepted in g.attributes["conv2d_transpose_accepted"][1:]:
        value, kernel = tf.zeros([1, m, m, 1]), tf.zeros([f, f, 1, 1])
        for n in range(1, 17):
            if n in accepted:
                assert tf.nn.conv2d_transpose(value, kernel, [1, n, n, 1], stride, padding).shape == (1, n, n, 1)
            else:
                with pytest.raises(ValueError, match="conv2d_transpose"):
                    tf.nn.conv2d_transpose(value, kernel, [1, n, n, 1], stride, padding)
