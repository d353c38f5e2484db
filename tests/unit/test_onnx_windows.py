"""ONNX's windows, pads, gaps and rounding, against their definitions."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the package onnx is not installed")
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.onnx_models import run


def pool_by_definition(x: np.ndarray, kind: str, at: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Pooling cell by cell: (values, flat places of the largest). What ceil_mode adds is no cell; pads count where
    count_include_pad says so."""
    n, k, s, d = x.shape[2:], at["kernel_shape"], at["strides"], at["dilations"]
    before, after = at["pads"][:2], at["pads"][2:]
    outs = []
    for i in range(2):
        room = n[i] + before[i] + after[i] - (k[i] - 1) * d[i] - 1
        p = room / s[i] + 1
        p = int(np.ceil(p)) if at["ceil_mode"] else int(np.floor(p))
        outs.append(p - 1 if (p - 1) * s[i] >= n[i] + before[i] and at["ceil_mode"] else p)
    y, where = np.zeros((*x.shape[:2], *outs)), np.zeros((*x.shape[:2], *outs), np.int64)
    for b, c, p, q in np.ndindex(y.shape):
        rows = [p * s[0] - before[0] + r * d[0] for r in range(k[0])]
        columns = [q * s[1] - before[1] + r * d[1] for r in range(k[1])]
        cells = [(i, j) for i, j in product(rows, columns) if 0 <= i < n[0] and 0 <= j < n[1]]
        padded = [(i, j) for i, j in product(rows, columns) if i < n[0] + after[0] and j < n[1] + after[1]]
        if kind == "AveragePool":
            y[b, c, p, q] = sum(x[b, c, i, j] for i, j in cells) / len(padded if at["count_include_pad"] else cells)
        else:
            i, j = max(cells, key=lambda cell: x[b, c, *cell])
            place = i + j * n[0] if at["storage_order"] else i * n[1] + j
            y[b, c, p, q], where[b, c, p, q] = x[b, c, i, j], (b * x.shape[1] + c) * n[0] * n[1] + place
    return y, where


@st.composite
def windows(draw: Any) -> dict[str, Any]:
    pairs = {name: [draw(st.integers(1, most)) for _ in "HW"] for name, most in (("strides", 3), ("dilations", 2))}
    kernel = [draw(st.integers(1, 3)) for _ in "HW"]
    # A window with gaps may miss the image between them only where pads are larger than its gaps.
    pads = [
        draw(st.integers(0, k - 1 if d == 1 else 0)) for k, d in zip(kernel * 2, pairs["dilations"] * 2, strict=True)
    ]
    return {**pairs, "kernel_shape": kernel, "pads": pads, "ceil_mode": draw(st.integers(0, 1))}


@settings(max_examples=40)
@given(windows(), st.integers(0, 1))
def test_max_pool_is_its_definition(at: dict[str, Any], order: int) -> None:
    x = np.random.default_rng(6).permutation(2 * 2 * 5 * 6).reshape(2, 2, 5, 6).astype(np.float64)
    y, places = run("MaxPool", x, outputs=2, **at, storage_order=order)
    expected, where = pool_by_definition(x, "MaxPool", {**at, "storage_order": order})
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(places, where)


@settings(max_examples=40)
@given(windows(), st.integers(0, 1))
def test_average_pool_is_its_definition(at: dict[str, Any], with_pads: int) -> None:
    x = np.random.default_rng(7).normal(size=(1, 2, 5, 6))
    expected, _ = pool_by_definition(x, "AveragePool", {**at, "count_include_pad": with_pads})
    np.testing.assert_allclose(run("AveragePool", x, **at, count_include_pad=with_pads), expected, rtol=1e-12)


@settings(max_examples=40)
@given(windows(), st.integers(1, 2))
def test_transposed_convolution_is_the_adjoint_of_convolution(at: dict[str, Any], group: int) -> None:
    """<conv(x), y> = <x, conv_transpose(y)>, where output_padding is what the last stride left over."""
    rng = np.random.default_rng(8)
    x, w = rng.normal(size=(2, 2, 6, 7)), rng.normal(size=(4, 2 // group, *at["kernel_shape"]))
    attributes = {name: at[name] for name in ("strides", "dilations", "pads")} | {"group": group}
    y = run("Conv", x, w, **attributes)
    g = rng.normal(size=y.shape)
    reach = [(k - 1) * d + 1 for k, d in zip(at["kernel_shape"], at["dilations"], strict=True)]
    room = [n + a + b - e for n, a, b, e in zip((6, 7), at["pads"][:2], at["pads"][2:], reach, strict=True)]
    back = run(
        "ConvTranspose", g, w, **attributes, output_padding=[r % s for r, s in zip(room, at["strides"], strict=True)]
    )
    np.testing.assert_allclose(np.vdot(y, g), np.vdot(x, back), rtol=1e-10)


def test_pads_as_large_as_the_window_never_win_a_maximum() -> None:
    x = -np.arange(1.0, 5.0).reshape(1, 1, 4)
    y, at = run("MaxPool", x, outputs=2, kernel_shape=[2], pads=[2, 0])
    np.testing.assert_array_equal(y, [[[-np.inf, -1, -1, -2, -3]]])
    np.testing.assert_array_equal(at[..., 1:], [[[0, 0, 1, 2]]])


def test_places_of_small_whole_numbers_lie_in_the_image() -> None:
    """A border of uint8 is 0, as large as the image's own zeros; the place must be one of these."""
    _, at = run("MaxPool", np.zeros((1, 1, 3, 3), np.uint8), outputs=2, kernel_shape=[2, 2], pads=[1, 1, 0, 0])
    np.testing.assert_array_equal(at, [[[[0, 0, 1], [0, 0, 1], [3, 3, 4]]]])
