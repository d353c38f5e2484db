"""What convolution, pooling, unpooling and patches are to each other, for any number of axes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st
from properties import SEEDS, check_linear, check_with_unknown_sizes, distinct, gradient, holds, integers

import pullback as tf


def places(n: int, e: int, s: int, padding: str) -> int:
    """Positions of a window that spans e of n cells, counted one by one."""
    starts = range(0, n, s)
    return len(starts) if padding == "SAME" else sum(p + e <= n for p in starts)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_size_rule_for_every_size(padding: str) -> None:
    """n cells, a window of f, stride s, rate d: convolution, pooling and patches have as many positions as fit."""
    for n, f, s, d in np.ndindex(11, 5, 4, 3):
        n, f, s, d = n + 1, f + 1, s + 1, d + 1
        e = (f - 1) * d + 1
        p = places(n, e, s, padding)
        x = np.zeros((1, n, 1))
        if padding == "VALID" and n - e + s <= -s:  # too small a size is refused, as in TensorFlow
            with pytest.raises(tf.errors.InvalidArgumentError, match="does not fit W"):
                tf.nn.conv1d(x, np.zeros((f, 1, 1)), s, padding, dilations=d)
            continue
        assert tf.nn.conv1d(x, np.zeros((f, 1, 1)), s, padding, dilations=d).shape == (1, p, 1)
        patch = tf.image.extract_patches(x[:, None], [1, 1, f, 1], [1, 1, s, 1], [1, 1, d, 1], padding)
        assert patch.shape == (1, 1, p, f)
        if d == 1:
            assert tf.nn.max_pool1d(x, f, s, padding).shape == (1, p, 1)
        if p:
            back = tf.nn.conv1d_transpose(np.zeros((1, p, 1)), np.zeros((f, 1, 1)), [1, n, 1], s, padding, dilations=d)
            assert back.shape == (1, n, 1)


class Window(NamedTuple):
    """A window over any number of axes: everything but the numbers."""

    image: tuple[int, ...]  # N, *sizes, C
    kernel: tuple[int, ...]  # *window, channels of a group, K
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: Any
    first: bool  # channels first

    @property
    def rank(self) -> int:
        return len(self.strides)

    @property
    def layout(self) -> str:
        return "NC" + "DHW"[-self.rank :] if self.first else "N" + "DHW"[-self.rank :] + "C"

    def axis(self, i: int) -> tuple[int, int]:
        """(positions, cells of padding before) along a spatial axis."""
        n, s, e = self.image[1 + i], self.strides[i], (self.kernel[i] - 1) * self.dilations[i] + 1
        if self.padding == "SAME":
            p = -(-n // s)
            return p, max((p - 1) * s + e - n, 0) // 2
        before, after = (0, 0) if self.padding == "VALID" else self.padding[i]
        return (n + before + after - e) // s + 1, before

    @property
    def output(self) -> tuple[int, ...]:
        return self.image[0], *[self.axis(i)[0] for i in range(self.rank)], self.kernel[-1]

    def laid(self, x: Any) -> Any:
        """An array [N,*sizes,C], or its shape, in the layout."""
        if isinstance(x, tuple):
            return (x[0], x[-1], *x[1:-1]) if self.first else x
        return np.moveaxis(x, -1, 1) if self.first else x

    @property
    def arguments(self) -> dict[str, Any]:
        pad = self.padding
        if not isinstance(pad, str):
            ends = [[0, 0], [0, 0], *pad] if self.first else [[0, 0], *pad, [0, 0]]
            pad = [list(pair) for pair in ends]
        return {"strides": self.strides, "padding": pad, "data_format": self.layout, "dilations": self.dilations}


@st.composite
def windows(draw: Any, ranks: tuple[int, ...] = (1, 2, 3), grouped: bool = True, plain: bool = False) -> Window:
    rank = draw(st.sampled_from(ranks))
    each = st.tuples(*[st.integers(1, 3 if rank < 3 else 2)] * rank)
    window, strides = draw(each), draw(each)
    dilations = (1,) * rank if plain else draw(each)
    padding = draw(st.sampled_from(["SAME", "VALID"] + ([] if plain else ["explicit"])))
    if padding == "explicit":
        padding = tuple(draw(st.tuples(st.integers(0, 2), st.integers(0, 2))) for _ in range(rank))
    least = [1 if padding == "SAME" else (k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)]
    sizes = [draw(st.integers(n, n + (4 if rank < 3 else 2))) for n in least]
    groups, c, k = draw(st.integers(1, 2)) if grouped else 1, draw(st.integers(1, 2)), draw(st.integers(1, 2))
    image = (draw(st.integers(0, 2)), *sizes, groups * c)
    return Window(image, (*window, c, groups * k), strides, dilations, padding, not plain and draw(st.booleans()))


def normal(seed: int, shape: Any) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


def near(a: Any, b: Any) -> None:
    """Equal to 1e-12 of the largest entry."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * max(1, np.max(np.abs(b), initial=0)))


@holds(60, of=windows(), seed=SEEDS)
def test_convolution_and_its_transpose_are_adjoint(of: Window, seed: int) -> None:
    """<conv(x), g> = <x, conv_transpose(g)>, over one to three axes, in either layout, however padded."""
    x, w, g = of.laid(normal(seed, of.image)), normal(seed + 1, of.kernel), of.laid(normal(seed + 2, of.output))
    y = tf.nn.convolution(x, w, **of.arguments)
    back = tf.nn.conv_transpose(g, w, of.laid(of.image), **of.arguments)
    near(np.sum(y.numpy() * g), np.sum(x * back.numpy()))
    dx, dw = gradient(lambda a, b: tf.nn.convolution(a, b, **of.arguments), [x, w], g)
    near(back, dx)
    near(np.sum(y.numpy() * g), np.sum(w * dw))


@holds(60, of=windows(grouped=False), seed=SEEDS)
def test_transpose_is_convolution_of_the_interleaved_bordered_input(of: Window, seed: int) -> None:
    """Zeros between the cells, a border, then the kernel turned by half with in and out exchanged: to 1e-12."""
    w, g = normal(seed, of.kernel), normal(seed + 1, of.output)
    spans = [(k - 1) * d for k, d in zip(of.kernel, of.dilations, strict=False)]
    wide = np.zeros((of.image[0], *[n + 2 * e + 9 for n, e in zip(of.image[1:-1], spans, strict=True)], g.shape[-1]))
    at = [
        slice(e - of.axis(i)[1] + 4, e - of.axis(i)[1] + 4 + of.axis(i)[0] * s, s)
        for i, (e, s) in enumerate(zip(spans, of.strides, strict=True))
    ]
    wide[(slice(None), *at)] = g
    wide = wide[(slice(None), *[slice(4, 4 + n + e) for n, e in zip(of.image[1:-1], spans, strict=True)])]
    turned = np.flip(w, tuple(range(of.rank))).swapaxes(-1, -2)
    plain = tf.nn.convolution(wide, turned, 1, "VALID", None, of.dilations)
    made = tf.nn.conv_transpose(of.laid(g), w, of.laid(of.image), **of.arguments)
    near(made, of.laid(plain.numpy()))


@holds(40, of=windows(ranks=(1, 2)), seed=SEEDS)
def test_convolution_is_a_sparse_dense_layer(of: Window, seed: int) -> None:
    """y = x M with M the kernel laid out, 0 where no edge is; dx = g M^T; M is the Jacobian."""
    x, w, g = integers(seed, of.image), integers(seed + 1, of.kernel), integers(seed + 2, of.output)
    groups, (*window, c, K) = of.image[-1] // of.kernel[-2], of.kernel
    M = np.zeros((*of.image[1:], *of.output[1:]))
    for p in np.ndindex(*of.output[1:-1]):
        for r in np.ndindex(*window):
            cell = tuple(p[i] * of.strides[i] + r[i] * of.dilations[i] - of.axis(i)[1] for i in range(of.rank))
            if all(0 <= i < n for i, n in zip(cell, of.image[1:-1], strict=True)):
                for q in range(groups):
                    ins, outs = slice(q * c, (q + 1) * c), slice(q * K // groups, (q + 1) * K // groups)
                    M[(*cell, ins, *p, outs)] += w[(*r, slice(None), outs)]
    M = M.reshape(int(np.prod(of.image[1:])), int(np.prod(of.output[1:])))
    f = lambda a: tf.nn.convolution(a, w, **of.arguments)  # noqa: E731
    y = of.laid((x.reshape(len(x), M.shape[0]) @ M).reshape(of.output))
    np.testing.assert_array_equal(f(of.laid(x)), y)
    (dx,) = gradient(f, [of.laid(x)], of.laid(g))
    np.testing.assert_array_equal(dx, of.laid((g.reshape(len(g), M.shape[1]) @ M.T).reshape(of.image)))


@holds(40, of=windows(ranks=(2, 3), grouped=False, plain=True), seed=SEEDS)
def test_convolution_is_patches_times_the_filter(of: Window, seed: int) -> None:
    x, w = integers(seed, of.image), integers(seed + 1, of.kernel)
    sizes, steps = [1, *of.kernel[:-2], 1], [1, *of.strides, 1]
    if of.rank == 2:
        patches = tf.image.extract_patches(x, sizes, steps, [1] * 4, of.padding)
    else:
        patches = tf.extract_volume_patches(x, sizes, steps, of.padding)
    y = tf.matmul(tf.reshape(patches, [-1, w[..., 0].size]), w.reshape(-1, of.kernel[-1]))
    np.testing.assert_array_equal(tf.reshape(y, of.output), tf.nn.convolution(x, w, **of.arguments))


@holds(30, of=windows(ranks=(2,), grouped=False), seed=SEEDS)
def test_depthwise_separable_and_grouped(of: Window, seed: int) -> None:
    """A depthwise convolution is one with a group a channel; a separable one goes on with single pixels."""
    x, w = of.laid(integers(seed, of.image)), integers(seed + 1, of.kernel)
    (*window, C, M), arguments = of.kernel, of.arguments
    both = {**arguments, "strides": (of.strides[0],) * 2}
    spread = [1, 1, *both["strides"]] if of.first else [1, *both["strides"], 1]
    depthwise = tf.nn.depthwise_conv2d(x, w, spread, both["padding"], of.layout, of.dilations)
    np.testing.assert_array_equal(depthwise, tf.nn.conv2d(x, w.reshape(*window, 1, C * M), **both))
    point = integers(seed + 2, (1, 1, C * M, 2))
    separable = tf.nn.separable_conv2d(x, w, point, spread, both["padding"], of.layout, of.dilations)
    np.testing.assert_array_equal(separable, tf.nn.conv2d(depthwise, point, 1, "VALID", of.layout))


@holds(30, of=windows(ranks=(1, 2, 3), grouped=False, plain=True), rate=st.integers(1, 3), seed=SEEDS)
def test_dilation_is_a_plain_window_on_every_phase(of: Window, rate: int, seed: int) -> None:
    """with_space_to_batch of a convolution is the dilated convolution; sizes known or not."""
    x, w = integers(seed, of.image), integers(seed + 1, of.kernel)
    rates = [rate] * of.rank
    sizes = [max(n, (k - 1) * rate + 1) for n, k in zip(of.image[1:-1], of.kernel, strict=False)]
    x = integers(seed, (of.image[0], *sizes, of.image[-1]))
    want = tf.nn.convolution(x, w, 1, of.padding, None, rates).numpy()

    def by_phases(image: Any) -> Any:
        def plain(phases: Any, _: int, padding: str) -> Any:
            return tf.nn.convolution(phases, w, 1, padding)

        return tf.nn.with_space_to_batch(image, rates, of.padding, plain, w.shape[: of.rank])

    np.testing.assert_array_equal(by_phases(x), want)
    check_with_unknown_sizes(by_phases, x, [True] * (x.ndim - 1) + [False], want)


@holds(30, of=windows(grouped=False, plain=True), seed=SEEDS)
def test_blocks_go_there_and_back(of: Window, seed: int) -> None:
    """batch_to_space undoes space_to_batch, by the paddings that are required; the gradient of one is the other."""
    x, blocks = integers(seed, of.image), list(of.strides)
    border = [[k - 1, k] for k in of.kernel[: of.rank]]
    paddings, crops = tf.required_space_to_batch_paddings(of.image[1:-1], blocks, border)
    padded = np.array(of.image[1:-1]) + paddings.numpy().sum(1)
    assert not (padded % blocks).any() and (paddings.numpy() - border < np.array(blocks)[:, None]).all()
    np.testing.assert_array_equal(paddings.numpy() - border, crops)
    y = tf.space_to_batch(x, blocks, paddings)
    np.testing.assert_array_equal(tf.batch_to_space(y, blocks, paddings), x)
    check_linear(lambda a: tf.space_to_batch(a, blocks, paddings), x, y.numpy(), seed)


@holds(40, of=windows(ranks=(2,), grouped=False, plain=True), seed=SEEDS)
def test_erosion_is_the_dual_of_dilation(of: Window, seed: int) -> None:
    x, w = integers(seed, of.image), integers(seed + 1, of.kernel[:-1])
    last = [1, *of.strides, 1], of.padding, "NHWC", [1, 1, 1, 1]
    np.testing.assert_array_equal(tf.nn.erosion2d(x, w, *last), -tf.nn.dilation2d(-x, w[::-1, ::-1], *last))
    flat = np.zeros_like(w)
    np.testing.assert_array_equal(
        tf.nn.dilation2d(x, flat, *last), tf.nn.max_pool2d(x, of.kernel[:2], of.strides, of.padding)
    )


def test_dilation_where_a_window_sees_the_border_alone() -> None:
    """TensorFlow 2.21's numbers: the type's lowest value; a gradient to the pixel nearest the window's first place."""
    x, w = np.array([3.0, 5.0, 7.0]).reshape(1, 1, 3, 1), np.zeros((2, 1, 1))
    f = lambda a, b: tf.nn.dilation2d(a, b, [1, 1, 1, 1], "SAME", "NHWC", [1, 2, 1, 1])  # noqa: E731
    np.testing.assert_array_equal(f(x, w), np.full(x.shape, np.finfo(np.float64).min))
    dx, dw = gradient(f, [x, w], np.ones(x.shape))
    assert (dx.ravel().tolist(), dw.ravel().tolist()) == ([1, 1, 1], [3, 0])


# --- unpooling --------------------------------------------------------------------------------------------------------


@holds(60, of=windows(ranks=(2,), plain=True), counted=st.booleans(), seed=SEEDS)
def test_max_unpooling(of: Window, counted: bool, seed: int) -> None:
    """Values return to their places, adding where windows share one; sizes need not divide."""
    x = distinct(seed, of.image)
    sizes = of.kernel[:2], of.strides, of.padding
    y, at = tf.nn.max_pool_with_argmax(x, *sizes, include_batch_in_index=counted)
    back = tf.nn.max_unpool(y, at, of.image, include_batch_in_index=counted)
    want = np.zeros(of.image)
    for (n, *_), place, value in zip(np.ndindex(*at.shape), at.numpy().ravel(), y.numpy().ravel(), strict=True):
        (want if counted else want[n]).reshape(-1)[place] += value
    np.testing.assert_array_equal(back, want)
    np.testing.assert_array_equal(back, gradient(lambda a: tf.nn.max_pool2d(a, *sizes), [x], y)[0])
    if all(k <= s for k, s in zip(of.kernel, of.strides, strict=False)):
        np.testing.assert_array_equal(back, np.where(back != 0, x, 0))
        if all(k == s for k, s in zip(of.kernel, of.strides, strict=False)):
            np.testing.assert_array_equal(tf.nn.max_pool2d(back, *sizes), y)
    check_linear(
        lambda v: tf.nn.max_unpool(v, at, of.image, counted), integers(seed, y.shape), *_put(at, of, counted, seed)
    )


def _put(at: Any, of: Window, counted: bool, seed: int) -> tuple[Any, int]:
    """What unpooling makes of whole numbers, and a seed."""
    values, x = integers(seed, at.shape), np.zeros(of.image)
    for n in np.ndindex(*at.shape):
        image = x.reshape(-1) if counted else x[n[0]].reshape(-1)
        image[at.numpy()[n]] += values[n]
    return x, seed


@holds(60, of=windows(grouped=False, plain=True), seed=SEEDS)
def test_average_unpooling(of: Window, seed: int) -> None:
    """Each value whole on every cell of its window, adding where they overlap; exactly the sizes that pool to it."""
    v = integers(seed, (*of.output[:-1], of.image[-1]))
    x = np.zeros(of.image)
    for p in np.ndindex(*of.output[1:-1]):
        starts = [p[i] * of.strides[i] - of.axis(i)[1] for i in range(of.rank)]
        window = [slice(max(s, 0), s + k) for s, k in zip(starts, of.kernel, strict=False)]
        x[(slice(None), *window)] += v[(slice(None), *p)].reshape(len(v), *(1,) * of.rank, of.image[-1])

    def f(a: Any) -> Any:
        return tf.nn.avg_unpool(a, of.kernel[: of.rank], of.strides, of.padding, of.image)

    check_linear(f, v, x, seed)
    if all(k == s and n % s == 0 for k, s, n in zip(of.kernel, of.strides, of.image[1:], strict=False)):
        near(tf.nn.avg_pool(f(v), of.kernel[: of.rank], of.strides, of.padding), v)
