"""The tables of a convolution's gradients: coefficients, names and sums, against the goldens."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pullback as tf
from pullback.explain.convolution import convolution_tables, transposed_tables

GOLDENS = Path(__file__).resolve().parents[2].parent / "shared" / "goldens"
A, W = np.arange(1.0, 10.0).reshape(3, 3), np.array([[1.0, 2.0], [3.0, 4.0]])
with_goldens = pytest.mark.skipif(not GOLDENS.exists(), reason="goldens lie beside the checkout")


def golden(topic, name):
    entry = json.loads((GOLDENS / f"{topic}.json").read_text(encoding="utf-8"))["outputs"][name]
    return np.array(entry["values"], float).reshape(entry["shape"])


@with_goldens
def test_coefficients_are_the_jacobian_by_input():
    t = convolution_tables(A, W)
    np.testing.assert_array_equal(t.by_input, golden("conv2d_jacobian_input", "jacobian").reshape(2, 2, 3, 3))
    np.testing.assert_array_equal(t.y, golden("conv2d_jacobian_input", "y").reshape(2, 2))


@with_goldens
def test_patches_are_the_jacobian_by_kernel():
    jacobian = golden("conv2d_jacobian_filter", "jacobian").reshape(2, 2, 2, 2)
    np.testing.assert_array_equal(convolution_tables(A, W).by_kernel, jacobian)


@with_goldens
def test_the_sparse_layer_and_who_uses_what():
    t = convolution_tables(A, W)
    topic = "conv_as_sparse_dense_layer"
    np.testing.assert_array_equal(t.sparse_matrix, golden(topic, "W_sparse_9x4"))
    np.testing.assert_array_equal(t.outputs_using, golden(topic, "how_many_outputs_use_each_input"))
    np.testing.assert_array_equal(A.ravel() @ t.sparse_matrix, golden(topic, "y").ravel())


@with_goldens
def test_transposed_convolution_has_its_own_jacobian():
    t = transposed_tables(A, W, (4, 4))
    jacobian = golden("conv2d_transpose_jacobian_input", "jacobian").reshape(4, 4, 3, 3)
    np.testing.assert_array_equal(t.by_input, jacobian)
    assert t.sum_of_output((2, 1)) == "y32 = 4*a21 + 3*a22 + 2*a31 + a32"


def test_sums_are_written_out():
    t = convolution_tables(A, [[1.0, -2.0], [0.0, 4.0]])
    assert t.sum_of_output((0, 0)) == "y11 = a11 - 2*a12 + 0*a21 + 4*a22"
    assert t.sum_of_gradient((1, 1)) == "df/da22 = 4*d11 + 0*d12 - 2*d21 + d22"


def test_a_weight_of_zero_is_still_used():
    t = convolution_tables(A, np.zeros((2, 2)))
    np.testing.assert_array_equal(t.outputs_using, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


def test_rows_name_the_weights_and_the_patches():
    t = convolution_tables(A, W)
    assert t.input_rows()[4] == ["a22", "4 = w22", "3 = w21", "2 = w12", "1 = w11", "4"]
    assert t.input_rows()[0] == ["a11", "1 = w11", "", "", "", "1"]
    assert t.kernel_rows()[0] == ["w11", "1 = a11", "2 = a12", "4 = a21", "5 = a22"]


def test_padding_leaves_weights_without_an_input():
    t = convolution_tables(A, W, padding="SAME")
    assert t.kernel_rows()[3][-1] == "0"
    assert t.outputs_using[1, 1] == 4


def test_strides_leave_inputs_unused():
    t = convolution_tables(np.ones((3, 3)), np.ones((1, 1)), strides=2)
    np.testing.assert_array_equal(t.outputs_using, [[1, 0, 1], [0, 0, 0], [1, 0, 1]])
    assert t.sum_of_gradient((1, 1)) == "df/da22 = 0"


def test_it_shows_in_the_page():
    page = convolution_tables(A, W).html()
    assert "4 = w22" in page and 'scope="col"' in page and page.count("<caption>") == 3


def test_four_dimensions_are_refused_with_the_way_out():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a\[0, :, :, 0\]"):
        convolution_tables(A[None, :, :, None], W)
