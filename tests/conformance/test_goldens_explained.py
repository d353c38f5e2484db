"""What the explaining tools say of the seed documents' examples, against the goldens: every figure that was lost."""

from __future__ import annotations

import numpy as np
import pytest
from conformance.golden import FOLDER, Golden

import pullback as tf
from pullback.explain import glass, pooling
from pullback.explain.convolution import cells, every

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="goldens lie beside the checkout")


def plane(array):
    """The picture of [1,H,W,1], the kernel of [R,S,1,1]."""
    array = np.asarray(array, float)
    return array[0, :, :, 0] if array.shape[0] == 1 and array.ndim == 4 and array.shape[3] == 1 else array[:, :, 0, 0]


def told(g, name):
    return np.asarray(g.output(name), float)


class TestTheWalk:
    """S2: the graph n1 to n7 with values and arrows back."""

    def test_every_number_and_derivative(self):
        g = Golden("reverse_autodiff_walk")
        walk = tf.explain(lambda x, y: x * x * y + (y + 2), [3.0, 4.0])
        np.testing.assert_array_equal([n.value for n in walk.numbers], told(g, "values_n1_to_n7"))
        np.testing.assert_array_equal([n.derivative for n in walk.numbers], told(g, "df_dn1_to_n7"))
        assert walk.locals(walk.by_name("n4")) == ["dn5/dn4 = n2 = 4"]
        assert walk.locals(walk.by_name("y")) == ["dn5/dn2 = n4 = 9", "dn6/dn2 = 1"]
        assert walk.locals(walk.by_name("x")) == ["dn4/dn1 = n1 + n1 = 3 + 3 = 6"]
        assert walk.by_name("n4").line == "walk = tf.explain(lambda x, y: x * x * y + (y + 2), [3.0, 4.0])"

    def test_a_fully_connected_net_carries_its_deltas(self):
        """S1 3.1: dW = a' delta, da = delta W', the delta before it = da * act'(z), said by the rules themselves."""
        g = Golden("fully_connected_backprop")
        t = g.input("target")

        def net(x, W1, b1, W2, b2):
            a1 = tf.sigmoid(tf.matmul(x, W1) + b1)
            a2 = tf.sigmoid(tf.matmul(a1, W2) + b2)
            return tf.reduce_sum(tf.square(a2 - t)) / 2.0

        walk = tf.explain(net, [g.input(n) for n in ("x", "W1", "b1", "W2", "b2")], function="C")
        assert walk.result.value == pytest.approx(float(g.output("C")), rel=1e-12)
        for name in ("x", "W1", "b1", "W2", "b2"):
            golden = told(g, "dx" if name == "x" else f"d{name}")
            np.testing.assert_allclose(walk.by_name(name).derivative, golden, rtol=1e-10)
        z1, a1, z2 = [n for n in walk.numbers if n.op in ("AddV2", "Sigmoid")][:3]
        np.testing.assert_allclose(z1.value, told(g, "z1"), rtol=1e-12)
        np.testing.assert_allclose(a1.value, told(g, "a1"), rtol=1e-12)
        for number, delta in ((z1, "delta1"), (a1, "da1"), (z2, "delta2")):
            np.testing.assert_allclose(number.derivative, told(g, delta), rtol=1e-10)
        product = walk.numbers[walk.by_name("W2").terms[0].via - 1]
        assert walk.by_name("W2").terms[0].pull == f"{a1.label}.T @ dC/d{product.label}"
        assert a1.terms[0].pull == f"dC/d{product.label} @ {walk.by_name('W2').label}.T"
        assert z1.terms[0].pull == f"dC/d{a1.label}*{a1.label}*(1 - {a1.label})"


class TestConvolution:
    def test_coefficients_and_patches(self):
        """S1 1.2, 1.3: which output uses which input, and the red box under the kernel."""
        g, f = Golden("conv2d_jacobian_input"), Golden("conv2d_jacobian_filter")
        made = glass.conv2d(plane(g.input("x")), plane(g.input("filters")))
        np.testing.assert_array_equal(made.y, [[37, 47], [67, 77]])
        np.testing.assert_array_equal(made.by_input, told(g, "jacobian").reshape(2, 2, 3, 3))
        np.testing.assert_array_equal(made.by_kernel, told(f, "jacobian").reshape(2, 2, 2, 2))
        assert made.sum_in_numbers((0, 0)) == "y11 = 1*1 + 2*2 + 3*4 + 4*5 = 37"

    def test_the_transposed_convolution(self):
        """S1 2.1: padded to 5 by 5, the kernel turned to (4 3; 2 1), and y32 in its own words."""
        g = Golden("conv2d_transpose_equals_backprop")
        x, w = plane(g.input("x")), plane(g.input("filters"))
        made = glass.conv2d_transpose(x, w, (4, 4), padding="VALID")
        np.testing.assert_array_equal(made.seen, plane(g.input("x_padded")))
        np.testing.assert_array_equal(made.moving, plane(g.input("filters_rotated")))
        np.testing.assert_array_equal(made.y, plane(told(g, "conv2d_of_padded_with_rotated")))
        assert made.sum_of_output((2, 1)) == "y32 = 4*a21 + 3*a22 + 2*a31 + a32"
        i, f = Golden("conv2d_transpose_jacobian_input"), Golden("conv2d_transpose_jacobian_filter")
        made = glass.conv2d_transpose(plane(i.input("x")), plane(i.input("filters")), (4, 4), padding="VALID")
        np.testing.assert_array_equal(made.by_input, told(i, "jacobian").reshape(4, 4, 3, 3))
        np.testing.assert_array_equal(made.by_kernel, told(f, "jacobian").reshape(4, 4, 2, 2))
        assert made.by_input[2, 1, 1, 1] == told(i, "element[2][1][1][1]")
        assert made.by_kernel[2, 1, 1, 0] == told(f, "element[2][1][1][0]")

    def test_as_a_sparse_dense_layer(self):
        g = Golden("conv_as_sparse_dense_layer")
        made = glass.conv2d(g.input("x"), plane(g.input("filters")))
        np.testing.assert_array_equal(made.sparse_matrix, told(g, "W_sparse_9x4"))
        np.testing.assert_array_equal(made.outputs_using, told(g, "how_many_outputs_use_each_input"))
        delta = plane(g.input("delta"))
        np.testing.assert_array_equal(made.sparse_matrix @ delta.ravel(), told(g, "input_backprop").ravel())

    @pytest.mark.parametrize("padding", ["valid", "same"])
    def test_both_backprops_as_convolutions(self, padding):
        """S0: dF/dx is the full convolution of the padded gradient with the turned kernel, dF/dK slides it over x."""
        g, f = Golden(f"conv2d_backprop_input_{padding}"), Golden(f"conv2d_backprop_filter_{padding}")
        made = glass.conv2d_backprop_input(
            (3, 3), plane(g.input("filter")), plane(g.input("out_backprop")), padding=padding.upper()
        )
        np.testing.assert_allclose(made.y, plane(told(g, "input_backprop")), rtol=1e-6)
        np.testing.assert_array_equal(made.moving, made.w[::-1, ::-1])
        assert made.seen.shape == (4, 4)
        by_kernel = glass.conv2d_backprop_filter(
            plane(f.input("input")), (2, 2), plane(f.input("out_backprop")), padding=padding.upper()
        )
        np.testing.assert_allclose(by_kernel.y, plane(told(f, "filter_backprop")), rtol=1e-6)
        first = " + ".join(f"g{i}{j}*a{i}{j}" for i, j in every1(by_kernel.w))
        assert by_kernel.sum_in_symbols((0, 0)) == f"dw11 = {first}"
        border = by_kernel.seen.shape[0] - 3
        assert border == (1 if padding == "same" else 0), "the zero border stands at the end"

    @pytest.mark.parametrize(("padding", "conv", "back"), [("VALID", "conv", "contv"), ("SAME", "cons", "conts")])
    def test_deconvolution_step_by_step(self, padding, conv, back):
        """S4: 4 by 4 ones, stride 2, and back: not what it began with."""
        g = Golden("conv_and_deconv_4x4")
        forward = glass.conv2d(plane(g.input("img")), plane(g.input("kernel")), 2, padding)
        np.testing.assert_array_equal(forward.y, plane(told(g, conv)))
        made = glass.conv2d_transpose(forward.y, plane(g.input("kernel")), (4, 4), 2, padding)
        np.testing.assert_array_equal(made.y, plane(told(g, back)))
        np.testing.assert_array_equal(np.argwhere(made.seen), [[1, 1], [1, 3], [3, 1], [3, 3]])


def every1(array):
    return [(i + 1, j + 1) for i, j in every(array)]


class TestPooling:
    def test_switches_and_unpooling_of_every_channel(self):
        g = Golden("max_pool_argmax_unpool")
        img = np.asarray(g.input("img"), float)
        for c in range(2):
            made = pooling.max_pool(img[0, :, :, c], 2, 2, "SAME")
            np.testing.assert_array_equal(made.y, told(g, "max_pool")[0, :, :, c])
            np.testing.assert_array_equal(made.switches * 2 + c, told(g, "mask")[0, :, :, c])
            np.testing.assert_array_equal(made.unpooled, told(g, "un_max_pool")[0, :, :, c])

    @pytest.mark.parametrize(
        ("img", "pooled", "mask", "back"),
        [("img", "pooled", "mask", "unpooled"), ("img_odd", "pooled_odd", "mask_odd", "unpooled_odd_true")],
    )
    def test_batches_and_odd_sizes(self, img, pooled, mask, back):
        g = Golden("max_pool_argmax_unpool_batch")
        x = np.asarray(g.input(img), float)
        channels = x.shape[3]
        for n in range(x.shape[0]):
            for c in range(channels):
                made = pooling.max_pool(x[n, :, :, c], 2, 2, "SAME")
                np.testing.assert_array_equal(made.y, told(g, pooled)[n, :, :, c])
                np.testing.assert_array_equal(made.switches * channels + c, told(g, mask)[n, :, :, c])
                np.testing.assert_array_equal(made.unpooled, told(g, back)[n, :, :, c])

    def test_average_unpooling_copies(self):
        g = Golden("average_unpool")
        x = g.input("img")
        for n in range(2):
            for c in range(2):
                made = pooling.avg_pool(x[n, :, :, c], 2, 2, "SAME")
                np.testing.assert_allclose(made.y, told(g, "avg_pool")[n, :, :, c], rtol=1e-12)
                np.testing.assert_allclose(made.unpooled, told(g, "average_unpool")[n, :, :, c], rtol=1e-12)
                back = np.tensordot(made.y, made.by_input, 2)
                golden = told(g, "avg_pool_gradient_with_pooled_as_upstream")[n, :, :, c]
                np.testing.assert_allclose(back, golden, rtol=1e-12)
                assert all(len(cells(made.uses[y])) == 4 for y in every(made.y))
