"""The glass without a browser: the plain convolution it says it is, its sums, and what it refuses."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from rich.console import Console

import pullback as tf
from pullback.explain import glass, pooling
from pullback.explain.convolution import every

PADDINGS = ("VALID", "SAME", [[0, 0], [1, 2], [0, 1], [0, 0]], [[0, 0], [2, 3], [3, 0], [0, 0]])
SETTINGS = list(itertools.product([(5, 6), (7, 4)], [(1, 2), (3, 3)], [(1, 1), (2, 1), (3, 2)], [1, (2, 1)], PADDINGS))


def numbers(shape, seed):
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(float)


def plainly(made):
    """`seen` convolved with `moving`, without padding."""
    strides, dilations = made.steps
    x, w = made.seen[None, :, :, None], made.moving[:, :, None, None]
    return tf.nn.conv2d(x, w, strides, "VALID", dilations=dilations).numpy()[0, :, :, 0]


def ops(size, kernel, strides, dilations, padding):
    forward = glass.conv2d(numbers(size, 1), numbers(kernel, 2), strides, padding, dilations)
    yield forward
    yield glass.conv2d_backprop_input(size, forward.w, forward.y, strides, padding, dilations)
    yield glass.conv2d_transpose(forward.y, forward.w, size, strides, padding, dilations)
    yield glass.conv2d_backprop_filter(forward.a, kernel, forward.y, strides, padding, dilations)


@pytest.mark.parametrize("setting", SETTINGS[::7], ids=str)
def test_each_op_is_the_plain_convolution_it_says(setting):
    for made in ops(*setting):
        np.testing.assert_array_equal(plainly(made), made.y, err_msg=made.setting.op)


@pytest.mark.parametrize("setting", SETTINGS[5::11], ids=str)
def test_the_matrix_is_the_op(setting):
    for made in ops(*setting):
        np.testing.assert_array_equal(made.a.ravel() @ made.sparse_matrix, made.y.ravel())
        np.testing.assert_array_equal(np.einsum("pqrs,rs->pq", made.by_kernel, made.w), made.y)


def test_every_output_in_symbols_and_numbers():
    made = glass.conv2d_backprop_filter([[1, 2], [3, 4]], (1, 1), [[5, 6], [7, -8]])
    assert str(made).splitlines()[1:] == ["dw11 = g11*a11 + g12*a12 + g21*a21 + g22*a22 = 5*1 + 6*2 + 7*3 - 8*4 = 6"]


def test_a_terminal_shows_the_padded_picture_and_the_turned_kernel():
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(glass.conv2d_transpose([[1, 2], [3, 4]], [[5, 6], [7, 8]], (4, 4), 2, "SAME"))
    text = console.export_text()
    assert "turned by 180 degrees: strides 1, 1, dilations 1, 1" in text
    assert "│ 0 │ 1 │ 0 │ 2 │ 0 │" in text and "│ 8 │ 7 │" in text
    assert "y11 = w11*a11 = 5*1 = 5" in text


def test_an_output_of_border_alone_is_zero():
    made = glass.conv2d(np.ones((1, 1)), np.ones((1, 1)), 1, [[0, 0], [1, 0], [0, 0], [0, 0]])
    assert made.sum_in_numbers((0, 0)) == "y11 = 0"


def test_pages_hold_the_setting_and_a_fallback():
    made = glass.conv2d_transpose(np.ones((2, 2)), np.ones((2, 2)), (1, 4, 4, 1), 2)
    data = made.page().data["setting"]
    assert (data["picture"], data["kernel"], data["strides"], data["padding"]) == ([4, 4], [2, 2], [2, 2], "SAME")
    assert "<noscript>" in made.page().html() and made._repr_html_().startswith("<iframe")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: glass.conv2d(np.ones((1, 3, 3, 1)), np.ones((2, 2))), r"x\[0, :, :, 0\]"),
        (lambda: glass.conv2d(np.ones((60, 60)), np.ones((2, 2))), "more than a page can show"),
        (lambda: glass.conv2d(np.ones((2, 2)), np.ones((3, 3))), "does not fit|larger than"),
        (lambda: glass.conv2d(np.ones((2, 2)), np.ones((1, 1)), padding="SOME"), "SAME"),
        (lambda: glass.conv2d(np.ones((2, 2)), np.ones((1, 1)), strides=0), "strides"),
        (lambda: glass.conv2d_transpose(np.ones((2, 2)), np.ones((2, 2)), (9, 9), 2), "must be|should|H is"),
        (lambda: glass.conv2d_transpose(np.ones((2, 2)), np.ones((2, 2)), 4, 2), "output_shape must be"),
        (lambda: pooling.max_pool(np.ones((60, 60))), "more than a page can show"),
        (lambda: pooling.max_pool(np.ones(4)), "x has shape"),
    ],
)
def test_mistakes_are_named(call, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        call()


class TestPooling:
    X = np.array([[1.0, 5, 2, 0], [3, 5, 1, 1], [0, -2, 7, 7], [1, 1, 7, 6]])

    def test_the_first_of_equal_values_wins(self):
        made = pooling.max_pool(self.X)
        assert made.switches.tolist() == [[1, 2], [12, 10]]
        assert made.sum_of_output((0, 0)) == "y11 = max(a11, a12, a21, a22) = max(1, 5, 3, 5) = 5 = a12"
        assert made.sum_of_gradient((0, 1)) == "df/da12 = d11"
        assert made.sum_of_gradient((1, 1)) == "df/da22 = 0"
        assert made.sum_of_unpooled((2, 2)) == "u33 = y22 = 7" and made.sum_of_unpooled((0, 0)) == "u11 = 0"

    def test_windows_that_overlap_add(self):
        made = pooling.max_pool(self.X, 2, 1)
        assert made.sum_of_gradient((0, 1)) == "df/da12 = d11 + d12"
        assert made.unpooled[0, 1] == 10

    def test_a_mean_divides_by_the_cells_that_are_there(self):
        made = pooling.avg_pool(self.X, 3, 2, "SAME")
        assert made.sum_of_output((1, 1)) == "y22 = (a33 + a34 + a43 + a44)/4 = (7 + 7 + 7 + 6)/4 = 6.75"
        assert made.sum_of_gradient((3, 3)) == "df/da44 = 0.25*d22"

    def test_it_prints_and_shows(self):
        made = pooling.avg_pool(self.X)
        assert len(str(made).splitlines()) == 4 + 16
        assert "y11 = " not in made.html() and "(a11 + a12 + a21 + a22)/4" in made.html()
        assert all(made.sum_of_unpooled(a).startswith("u") for a in every(made.a))
