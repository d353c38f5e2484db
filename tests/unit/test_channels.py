"""The glass with channels, without a browser: its sums are the op's, its words its numbers, its mistakes named."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

import pullback as tf
from pullback.explain.convolution import every

R = np.random.default_rng(0)
X, W, DY = R.normal(size=(2, 5, 4, 3)), R.normal(size=(3, 2, 3, 2)), R.normal(size=(2, 5, 4, 2))
B = np.array([0.5, -1.0])


def test_conv2d_is_tensorflows_with_bias_and_activation():
    made = tf.explain.conv2d(X, W, 1, "SAME", bias=B, activation="relu")
    wanted = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(X, W, 1, "SAME"), B)).numpy()
    np.testing.assert_array_equal(made.y, wanted)
    np.testing.assert_array_equal(made.values, wanted.transpose(0, 3, 1, 2))


def test_its_gradients_are_the_tapes():
    x, w = tf.constant(X), tf.constant(W)
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        y = tf.nn.conv2d(x, w, 1, "SAME")
    dx, dw = tape.gradient(y, [x, w], output_gradients=tf.constant(DY))
    np.testing.assert_allclose(tf.explain.conv2d_backprop_input(X.shape, W, DY, 1, "SAME").y, dx.numpy())
    np.testing.assert_allclose(tf.explain.conv2d_backprop_filter(X, W.shape, DY, 1, "SAME").y, dw.numpy())


def test_the_transpose_is_tensorflows():
    made = tf.explain.conv2d_transpose(DY, W, (10, 8), 2)
    np.testing.assert_array_equal(made.y, tf.nn.conv2d_transpose(DY, W, (2, 10, 8, 3), 2).numpy())


@pytest.mark.parametrize(
    "made",
    [
        tf.explain.conv2d(X, W, (2, 1), "SAME", (1, 2)),
        tf.explain.conv2d_transpose(DY, W, (10, 8), 2),
        tf.explain.conv2d_backprop_input((5, 4), W, DY, 1, "SAME"),
        tf.explain.conv2d_backprop_filter(X, (3, 2), DY, 1, "SAME"),
    ],
    ids=lambda made: made.setting.op,
)
def test_the_terms_and_the_pairs_add_up(made):
    """sums[i, j] is the sum of what each pair (i, t), (t, j) makes under the one-plane glass."""
    for i, j in np.ndindex(made.sums.shape[:2]):
        np.testing.assert_allclose(made.terms(i, j).sum(axis=0), made.sums[i, j], atol=1e-12)
        for t, term in enumerate(made.terms(i, j)):
            np.testing.assert_allclose(made.pair(i, t, j).y, term, atol=1e-12)


def test_a_plane_is_one_channel():
    a, w = X[0, :, :, 0], W[:, :, 0, 0]
    one, many = tf.explain.conv2d(a, w), tf.explain.conv2d(a[..., None], w[..., None, None])
    np.testing.assert_allclose(many.pair(0, 0, 0).y, one.y)
    np.testing.assert_allclose(many.values[0, 0], one.y)
    np.testing.assert_allclose(tf.explain.conv2d(a, w, bias=[2.0]).values[0, 0], one.y + 2)


def test_a_sum_is_written_out():
    x, w = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[[2.0], [-1.0], [0.5]]]])
    assert tf.explain.conv2d(x, w).sum_of_output(0, 0, (0, 0)) == "y11 = 2 - 2 + 1.5 (input channels 1 to 3) = 1.5"
    made = tf.explain.conv2d(x, w, bias=[-2.0], activation="relu")
    said = "z11 = 2 - 2 + 1.5 (input channels 1 to 3) - 2 (bias) = -0.5; y11 = relu(z11) = 0"
    assert made.sum_of_output(0, 0, (0, 0)) == said
    assert said in str(made)
    many = tf.explain.conv2d(np.ones((1, 1, 1, 14)), np.ones((1, 1, 14, 1))).sum_of_output(0, 0, (0, 0))
    assert many == f"y11 = {' + '.join(['1'] * 12)} (input channels 1 to 12) + 2 (input channels 13 to 14) = 14"


def test_a_terminal_and_a_page_without_scripts_show_the_sums():
    made = tf.explain.conv2d_backprop_filter(X, W.shape, DY, 1, "SAME")
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(made)
    assert made.sum_of_output(0, 0, (0, 0)) in console.export_text()
    page = made.page().html()
    for cell in every(made.sums[0, 0]):
        assert f"<td>{made.sums[0, 0][cell]:.6g}</td>" in page


def test_a_page_of_many_channels_holds_the_first_and_says_so():
    made = tf.explain.conv2d(np.ones((3, 16, 16, 200)), np.ones((3, 3, 200, 9)))
    assert made.shown == (1, 4)
    assert "image 1 of 3 and output channels 1 to 4 of 9" in made.page().lead
    assert len(made.page().html()) < 400_000
    assert tf.explain.conv2d(X, W).folded == ""


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tf.explain.conv2d(X, W[:, :, :2]), "3 input channels in the first array, 2 in the second"),
        (lambda: tf.explain.conv2d(X, W[..., 0]), r"w has shape \[3, 2, 3\].*kernel \[R,S,C,K\]"),
        (lambda: tf.explain.conv2d(X[0, 0], W), r"x has shape \[4, 3\]"),
        (lambda: tf.explain.conv2d(X, W, bias=[1.0]), "each of the 2 output channels"),
        (lambda: tf.explain.conv2d(X, W, activation="gelu"), "'relu', 'sigmoid', 'tanh', not 'gelu'"),
        (lambda: tf.explain.conv2d(X[:0], W), "nothing to explain"),
        (lambda: tf.explain.conv2d(np.ones((1, 50, 50, 3)), W), "crop"),
        (lambda: tf.explain.conv2d(np.ones((1, 2, 2, 3)), W), "does not fit|larger than"),
        (lambda: tf.explain.conv2d_backprop_input((9, 5, 4, 3), W, DY, 1, "SAME"), "2 and 3 where it says 9 and 3"),
        (lambda: tf.explain.conv2d_backprop_filter(X, (3, 2, 3, 7), DY, 1, "SAME"), "3 and 2 where it says 3 and 7"),
        (lambda: tf.explain.conv2d_backprop_filter(X[:1], (3, 2), DY, 1, "SAME"), "1 image.* 2 in the second"),
        (lambda: tf.explain.conv2d_transpose(DY, W, (9, 9, 9)), "output_shape must be"),
        (
            lambda: tf.explain.conv2d(np.where(X[0, 0, 0, 0] == X, np.inf, X), W),
            "x holds 1 numbers that are not finite",
        ),
        (lambda: tf.explain.conv2d(X, "kernel"), "w must be an array of real numbers, not str"),
        (lambda: tf.explain.conv2d(X + 1j, W), "x must be an array of real numbers"),
        (lambda: tf.explain.max_pool([[np.nan]]), "x holds 1 numbers"),
    ],
)
def test_mistakes_are_named(call, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        call()


class TestPooling:
    def test_each_channel_is_pooled_by_itself(self):
        made = tf.explain.max_pool(X, (2, 3), (2, 1), "SAME")
        np.testing.assert_array_equal(made.y, tf.nn.max_pool(X, (2, 3), (2, 1), "SAME").numpy())
        one = tf.explain.max_pool(X[1, :, :, 2], (2, 3), (2, 1), "SAME")
        np.testing.assert_array_equal(made.planes[1][2].switches, one.switches)
        assert str(one).splitlines()[0] in str(made.planes[1][2])

    def test_an_image_without_batch_is_a_batch_of_one(self):
        assert tf.explain.avg_pool(X[0]).y.shape == (1, 2, 2, 3)

    def test_too_many_numbers_are_refused(self):
        with pytest.raises(tf.errors.InvalidArgumentError, match="fewer images or channels"):
            tf.explain.max_pool(np.zeros((100, 16, 16, 64)))


class TestSoftmax:
    def test_shares_and_derivatives_are_the_formulas(self):
        z = np.array([2.0, -1.0, 0.5])
        made = tf.explain.softmax(z, label=1)
        y = np.exp(z) / np.exp(z).sum()
        np.testing.assert_allclose(made.y, y)
        np.testing.assert_allclose(made.jacobian, np.diag(y) - np.outer(y, y))
        np.testing.assert_allclose([made.loss, *made.gradient], [-np.log(y[1]), y[0], y[1] - 1, y[2]])

    def test_it_is_written_out(self):
        made = tf.explain.softmax([[1.0, 1.0]], 0, ["cat", "dog"])
        assert made.sum_of_output(1) == "y1 = exp(z1 - max)/sum = exp(1 - 1)/2 = 1/2 = 0.5"
        assert str(made).splitlines()[2:] == ["L = -log(y0) = 0.693147", "dL/dz0 = y0 - 1 = -0.5", "dL/dz1 = y1 = 0.5"]
        assert "<td>0.5</td>" in made.html() and made.sum_of_gradient(0) in str(made)
        assert tf.explain.softmax([1.0]).sum_of_gradient(0) == ""

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: tf.explain.softmax(np.zeros((3, 4))), r"logits\[0\]"),
            (lambda: tf.explain.softmax([np.nan, 1.0]), "finite"),
            (lambda: tf.explain.softmax([1.0, 2.0], 2), "none of the classes 0 to 1"),
            (lambda: tf.explain.softmax([1.0, 2.0], names=["a"]), "1 names for 2 classes"),
        ],
    )
    def test_mistakes_are_named(self, call, words):
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            call()
