"""What convolutions and poolings are to each other, on images, windows, strides and paddings of every size."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st
from properties import SEEDS, distinct, gradient, holds, integers

import pullback as tf
import pullback.v1 as v1
from pullback.ops.nn.pool import MaxPoolGrad, MaxPoolGradGrad
from pullback.ops.nn.pool.switches import Repool, Unpool


class Window(NamedTuple):
    """A window over an image: everything but the numbers."""

    image: tuple[int, int, int, int]
    kernel: tuple[int, int, int, int]  # R, S, channels of a group, K
    strides: tuple[int, int]
    dilations: tuple[int, int]
    padding: Any  # "SAME", "VALID" or four pairs

    @property
    def extents(self) -> tuple[int, int]:
        """Cells that the window spans: (k-1) d + 1."""
        R, S = ((k - 1) * d + 1 for k, d in zip(self.kernel[:2], self.dilations, strict=True))
        return R, S

    def axis(self, i: int) -> tuple[int, int, int]:
        """Positions along H (0) or W (1), and the padding before and after."""
        n, s, e = self.image[1 + i], self.strides[i], self.extents[i]
        if self.padding == "SAME":
            p = -(-n // s)
            lack = max((p - 1) * s + e - n, 0)
            return p, lack // 2, lack - lack // 2
        before, after = (0, 0) if self.padding == "VALID" else self.padding[1 + i]
        return (n + before + after - e) // s + 1, before, after

    @property
    def output(self) -> tuple[int, int, int, int]:
        return self.image[0], self.axis(0)[0], self.axis(1)[0], self.kernel[3]

    @property
    def arguments(self) -> dict[str, Any]:
        return {"strides": list(self.strides), "padding": self.padding, "dilations": list(self.dilations)}


@st.composite
def windows(draw: Any, dilated: bool = True, grouped: bool = True) -> Window:
    small = st.integers(1, 3)
    R, S, K = draw(small), draw(small), draw(small)
    strides = (draw(small), draw(small))
    # One of the two, as TensorFlow has it: strides or dilations.
    dilations = (draw(small), draw(small)) if dilated else (1, 1)
    groups = draw(st.integers(1, 2)) if grouped else 1
    c = draw(st.integers(1, 2))
    padding = draw(st.sampled_from(["SAME", "VALID", "explicit"]))
    if padding == "explicit":
        pairs = [[draw(st.integers(0, 3)), draw(st.integers(0, 3))] for _ in "HW"]
        padding = [[0, 0], *pairs, [0, 0]]
    least = (1, 1) if padding == "SAME" else ((R - 1) * dilations[0] + 1, (S - 1) * dilations[1] + 1)
    H, W = (draw(st.integers(n, n + 5)) for n in least)
    image = (draw(st.integers(0, 2)), H, W, groups * c)
    return Window(image, (R, S, c, groups * K), strides, dilations, padding)


def conv(x: Any, w: Any, of: Window) -> Any:
    return tf.nn.conv2d(x, w, **of.arguments)


@holds(80, of=windows(), seed=SEEDS)
def test_size_rules(of: Window, seed: int) -> None:
    """ceil(H / s) for SAME, floor((H + padding - extent) / s) + 1 otherwise; static and real."""
    x, w = integers(seed, of.image), integers(seed + 1, of.kernel)
    assert conv(x, w, of).shape == of.output
    with v1.Graph().as_default():
        p = v1.placeholder(tf.float64, [None, None, of.image[2], of.image[3]])
        assert conv(p, w, of).shape.as_list() == [None, None, *of.output[2:]]


@holds(60, of=windows(), seed=SEEDS)
def test_convolution_is_its_sum(of: Window, seed: int) -> None:
    """y[n,p,q,k] = sum_{r,s,c} x[n, p a + r d - top, q b + s e - left, c] w[r,s,c,k], group by group."""
    x, w = integers(seed, of.image), integers(seed + 1, of.kernel)
    (_, top, bottom), (_, left, right) = of.axis(0), of.axis(1)
    padded = np.pad(x, [(0, 0), (top, bottom + 9), (left, right + 9), (0, 0)])
    R, S, c, K = of.kernel
    _N, P, Q, _ = of.output
    groups = of.image[3] // c
    y = np.zeros(of.output)
    for p, q, r, s in np.ndindex(P, Q, R, S):
        cell = padded[:, p * of.strides[0] + r * of.dilations[0], q * of.strides[1] + s * of.dilations[1]]
        for g in range(groups):
            own = slice(g * K // groups, (g + 1) * K // groups)
            y[:, p, q, own] += cell[:, g * c : (g + 1) * c] @ w[r, s, :, own]
    np.testing.assert_array_equal(conv(x, w, of), y)


@holds(80, of=windows(), seed=SEEDS)
def test_the_three_passes_are_adjoint(of: Window, seed: int) -> None:
    """<conv(x, w), g> = <x, backprop_input(w, g)> = <w, backprop_filter(x, g)>; exactly, for whole numbers."""
    x, w, g = integers(seed, of.image), integers(seed + 1, of.kernel), integers(seed + 2, of.output)
    dx = v1.nn.conv2d_backprop_input
    with v1.Graph().as_default(), v1.Session() as session:
        found = session.run([
            dx(of.image, w, g, **of.arguments),
            v1.nn.conv2d_backprop_filter(x, of.kernel, g, **of.arguments),
        ])  # fmt: skip
    both = gradient(lambda a, b: conv(a, b, of), [x, w], g)
    for d, same in zip(found, both, strict=True):
        np.testing.assert_array_equal(d, same)
    inner = np.sum(conv(x, w, of).numpy() * g)
    assert inner == np.sum(x * found[0]) == np.sum(w * found[1])


@holds(60, of=windows(), seed=SEEDS)
def test_transposed_convolution_is_backprop_input_and_adjoint(of: Window, seed: int) -> None:
    x, w, g = integers(seed, of.image), integers(seed + 1, of.kernel), integers(seed + 2, of.output)
    up = tf.nn.conv2d_transpose(g, w, of.image, **of.arguments)
    (dx,) = gradient(lambda a: conv(a, w, of), [x], g)
    np.testing.assert_array_equal(up, dx)
    assert np.sum(conv(x, w, of).numpy() * g) == np.sum(x * up.numpy())
    back = gradient(lambda a, b: tf.nn.conv2d_transpose(a, b, of.image, **of.arguments), [g, w], x)
    np.testing.assert_array_equal(back[0], conv(x, w, of))


@holds(80, of=windows(grouped=False), seed=SEEDS)
def test_transposed_convolution_is_convolution_with_the_rotated_kernel(of: Window, seed: int) -> None:
    """Stride s: s - 1 zeros between the cells of g; then borders; then the kernel turned by half, C and K swapped.

    Cell p of g lies at p s + extent - 1 - top of the bordered image, and of that image of size H + extent - 1 the plain
    convolution leaves H.
    """
    w, g = integers(seed, of.kernel), integers(seed + 1, of.output)
    N, H, W, _ = of.image
    e, f = of.extents
    wide = np.zeros((N, H + e - 1, W + f - 1, of.kernel[3]))
    (P, top, _), (Q, left, _) = of.axis(0), of.axis(1)
    for p, q in np.ndindex(P, Q):
        i, j = p * of.strides[0] + e - 1 - top, q * of.strides[1] + f - 1 - left
        if 0 <= i < wide.shape[1] and 0 <= j < wide.shape[2]:  # else it falls on the padding alone
            wide[:, i, j] += g[:, p, q]
    rotated = w[::-1, ::-1].swapaxes(2, 3)
    plain = tf.nn.conv2d(wide, rotated, 1, "VALID", dilations=list(of.dilations))
    np.testing.assert_array_equal(tf.nn.conv2d_transpose(g, w, of.image, **of.arguments), plain)


@holds(60, of=windows(grouped=False), seed=SEEDS)
def test_sizes_a_transposed_convolution_takes(of: Window, seed: int) -> None:
    """Exactly those heights that a convolution maps to g's; the others are refused by name."""
    w, g = integers(seed, of.kernel), integers(seed + 1, of.output)
    for H in range(max(of.image[1] - 3, 1), of.image[1] + 4):
        other = of._replace(image=(of.image[0], H, *of.image[2:]))
        fits = other.axis(0)[0] == of.axis(0)[0]
        call = lambda: tf.nn.conv2d_transpose(g, w, other.image, **of.arguments)  # noqa: E731, B023
        if fits:
            assert call().shape == other.image
        else:
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"conv2d_transpose: output_shape.*H"):
                call()


@holds(40, of=windows(), seed=SEEDS)
def test_channels_first_is_the_same_convolution(of: Window, seed: int) -> None:
    x, w, g = integers(seed, of.image), integers(seed + 1, of.kernel), integers(seed + 2, of.output)
    first = lambda t: np.moveaxis(t, 3, 1)  # noqa: E731
    padding = of.padding if isinstance(of.padding, str) else [[0, 0], [0, 0], *of.padding[1:3]]

    def f(a: Any, b: Any) -> Any:
        return tf.nn.conv2d(a, b, list(of.strides), padding, "NCHW", list(of.dilations))

    np.testing.assert_array_equal(f(first(x), w), first(conv(x, w, of).numpy()))
    dx, dw = gradient(f, [first(x), w], first(g))
    want = gradient(lambda a, b: conv(a, b, of), [x, w], g)
    np.testing.assert_array_equal(dx, first(want[0]))
    np.testing.assert_array_equal(dw, want[1])


# --- pooling ----------------------------------------------------------------------------------------------------------


@st.composite
def poolings(draw: Any) -> Window:
    """Windows for pooling: "SAME" or "VALID", every channel by itself."""
    of = draw(windows(dilated=False, grouped=False))
    padding = of.padding if isinstance(of.padding, str) else "VALID"
    C = of.image[3]
    return of._replace(padding=padding, kernel=(*of.kernel[:2], 1, C))


def cells(of: Window) -> Any:
    """Each window: its place p, q, and the rows and columns of the image in it."""
    (P, top, _), (Q, left, _) = of.axis(0), of.axis(1)
    for p, q in np.ndindex(P, Q):
        i, j = p * of.strides[0] - top, q * of.strides[1] - left
        yield p, q, slice(max(i, 0), i + of.kernel[0]), slice(max(j, 0), j + of.kernel[1])


@holds(80, of=poolings(), seed=SEEDS)
def test_average_pooling(of: Window, seed: int) -> None:
    """The mean of the real pixels of each window; its gradient is its adjoint."""
    x, g = integers(seed, of.image), integers(seed + 1, of.output)
    y = np.zeros(of.output)
    for p, q, rows, columns in cells(of):
        y[:, p, q] = x[:, rows, columns].mean((1, 2))
    f = lambda a: tf.nn.avg_pool2d(a, list(of.kernel[:2]), list(of.strides), of.padding)  # noqa: E731
    np.testing.assert_allclose(f(x), y, rtol=1e-13, atol=1e-13)
    (dx,) = gradient(f, [x], g)
    np.testing.assert_allclose(np.sum(y * g), np.sum(x * dx), rtol=1e-11, atol=1e-11)


@holds(80, of=poolings(), seed=SEEDS)
def test_max_pooling_and_its_switches(of: Window, seed: int) -> None:
    x, g = distinct(seed, of.image), integers(seed + 1, of.output)
    sizes = list(of.kernel[:2]), list(of.strides), of.padding
    y, at = tf.nn.max_pool_with_argmax(x, *sizes)
    want, dx = np.zeros(of.output), np.zeros(of.image)
    for p, q, rows, columns in cells(of):
        part = x[:, rows, columns]
        want[:, p, q] = part.max((1, 2))
        dx[:, rows, columns] += (part == part.max((1, 2), keepdims=True)) * g[:, p : p + 1, q : q + 1]
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(tf.nn.max_pool(x, *sizes), want)
    for image, places, values in zip(x, at.numpy(), want, strict=True):
        np.testing.assert_array_equal(image.ravel()[places], values)
    for f in (lambda a: tf.nn.max_pool(a, *sizes), lambda a: tf.nn.max_pool_with_argmax(a, *sizes)[0]):
        np.testing.assert_array_equal(gradient(f, [x], g)[0], dx)


@holds(80, of=poolings(), seed=SEEDS)
def test_unpooling_and_repooling_are_adjoint(of: Window, seed: int) -> None:
    """<repool(v, at), g> = <v, unpool(g, at)>: for the switches' ops and for TensorFlow's pair alike."""
    x, v, g = distinct(seed, of.image), integers(seed + 1, of.image), integers(seed + 2, of.output)
    y, at = tf.nn.max_pool_with_argmax(x, list(of.kernel[:2]), list(of.strides), of.padding)
    up, down = Unpool()(g, at, of.image), Repool()(v, at)
    assert np.sum(down.numpy() * g) == np.sum(v * up.numpy())
    fields = of.kernel[:2], of.strides, of.padding
    np.testing.assert_array_equal(MaxPoolGrad(*fields)(x, y, g), up)
    np.testing.assert_array_equal(MaxPoolGradGrad(*fields)(x, y, v), down)
    np.testing.assert_array_equal(gradient(lambda a: Unpool()(a, at, of.image), [g], v)[0], down)
    np.testing.assert_array_equal(gradient(lambda a: Repool()(a, at), [v], g)[0], up)
