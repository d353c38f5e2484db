"""Convolutions of many channels and few pixels, to few channels, of volumes and with several filters a channel, as
machine code against the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from machine_code import planned

from pullback.core.config import config
from pullback.native import cost
from pullback.native.ir import F32
from pullback.native.winograd_tiles import grid
from pullback.ops.nn.conv import (
    Conv2D,
    Conv2DBackpropFilter,
    Conv2DBackpropInput,
    Conv3D,
    Conv3DBackpropFilterV2,
    Conv3DBackpropInputV2,
)
from pullback.ops.nn.depthwise import (
    DepthwiseConv2dNative,
    DepthwiseConv2dNativeBackpropFilter,
    DepthwiseConv2dNativeBackpropInput,
)

CONV = Conv2D, Conv2DBackpropInput, Conv2DBackpropFilter
VOLUMES = Conv3D, Conv3DBackpropInputV2, Conv3DBackpropFilterV2
DEPTHWISE = DepthwiseConv2dNative, DepthwiseConv2dNativeBackpropInput, DepthwiseConv2dNativeBackpropFilter
PASSES = ("forward", "to_input", "to_filter")
# Relative to the largest entry.
CLOSE = {"float32": 1e-5, "float64": 1e-13}


@pytest.fixture(autouse=True)
def _settings():
    before = config.winograd, config.threads
    yield
    config.winograd, config.threads = before


def case(family: Any, which: str, image: Any, kernel: Any, dtype: str = "float32", seed: int = 0, **fields: Any) -> Any:
    """(op, its arguments) of one pass."""
    rng = np.random.default_rng(seed)

    def draw(shape: Any) -> Any:
        return rng.normal(size=shape).astype(dtype)

    x, w = draw(image), draw(kernel)
    forward = family[0](**fields)
    if which == "forward":
        return forward, (x, w)
    dy = draw(forward.reference(x, w).shape)
    if which == "to_input":
        return family[1](**fields), (np.array(image, np.int32), w, dy)
    return family[2](**fields), (x, np.array(kernel, np.int32), dy)


def error(op: Any, given: Any) -> float:
    """Of the machine code, against the definition in double precision."""
    exact = op.reference(*[x.astype("float64") if x.dtype == np.float32 else x for x in given])
    made = planned(op, *given)(*given)[0]
    assert made.shape == exact.shape
    return np.abs(made - exact).max(initial=0) / (np.abs(exact).max(initial=0) or 1)


def holds(op: Any, given: Any) -> None:
    assert error(op, given) <= CLOSE[given[-1].dtype.name]


# --- tiles that are kept ---------------------------------------------------------------------------------------------

# Tiles of m and of m - 1 results, along both axes, one, or none; some that hang over; several blocks of channels, and
# channels left over; more tiles than are summed at once.
DEEP = [
    ((4, 7, 7, 40), 50, "SAME"),
    ((3, 13, 14, 300), 20, "SAME"),
    ((2, 6, 5, 20), 33, "VALID"),
    ((2, 8, 7, 100), 80, "SAME"),
    ((2, 7, 8, 20), 20, ((2, 0), (0, 3))),
    ((1, 5, 5, 1), 3, "SAME"),
    ((20, 9, 9, 16), 96, "SAME"),
]


@pytest.mark.parametrize("which", PASSES)
@pytest.mark.parametrize("setting, taps", [("f2", 3), ("f4", 3), ("f4", 5)])
@pytest.mark.parametrize("stride", [1, 2])
def test_kept_tiles_make_the_convolution(setting, taps, stride, which, monkeypatch):
    config.winograd = setting
    monkeypatch.setattr(cost, "deep", lambda *sizes, **others: True)
    for i, (image, makes, padding) in enumerate(DEEP[: 3 if stride > 1 else None]):
        dtype = "float64" if i % 3 == 2 else "float32"
        kernel = (taps, taps, image[3], makes)
        holds(*case(CONV, which, image, kernel, dtype, i, padding=padding, strides=(stride, stride)))


@pytest.mark.parametrize("P, Q", [(7, 13), (8, 8), (6, 5), (2, 3), (1, 1), (14, 7)])
def test_tiles_cover_the_results_once(P, Q):
    of = grid(3, P, Q, 4)
    for size, large, less in ((P, of.down, of.less_down), (Q, of.over, of.less_over)):
        assert size <= large * 4 + less * 3 <= max(size, 3 * (large + less))
    assert of.tiles == 3 * (of.down + of.less_down) * (of.over + of.less_over)
    every, last_row, last_column, both = of.taking_part()
    assert every - last_row == 3 * of.less_down * (of.over + of.less_over)
    assert every - last_column == 3 * of.less_over * (of.down + of.less_down)
    assert both == 3 * of.down * of.over


@pytest.mark.parametrize("to_filter", [False, True])
def test_tiles_are_kept_where_the_filter_is_the_larger(to_filter):
    assert cost.deep(F32, cost.Sizes(1, 7, 7, 512, 512, 3), 4, to_filter)
    assert not cost.deep(F32, cost.Sizes(64, 112, 112, 32, 32, 3), 4, to_filter)


@pytest.mark.slow
@pytest.mark.parametrize("which", PASSES)
@pytest.mark.parametrize("channels", [256, 1024, 2048])
def test_error_of_long_sums_stays_below_the_stated(which, channels):
    config.winograd = "auto"
    makes = {"forward": (channels, 24), "to_input": (24, channels), "to_filter": (64, channels)}[which]
    assert error(*case(CONV, which, (4, 7, 7, makes[0]), (3, 3, *makes))) < 5e-6


# --- lanes along what is summed --------------------------------------------------------------------------------------

FEW = [
    ((2, 9, 11, 37), (3, 4, 37, 2), {}),
    ((2, 12, 14, 50), (3, 2, 50, 3), {"dilations": (2, 3)}),
    ((2, 12, 14, 50), (3, 2, 50, 3), {"dilations": (1, 3)}),
    ((1, 6, 13, 16), (5, 5, 16, 1), {"padding": ((4, 4), (4, 4))}),
    ((1, 6, 13, 16), (3, 5, 16, 1), {"padding": ((2, 2), (4, 4))}),
    ((3, 7, 7, 20), (3, 3, 20, 5), {"padding": "VALID"}),
    ((3, 3, 3, 5), (3, 3, 5, 1), {"padding": "VALID"}),
    ((0, 8, 8, 16), (3, 3, 16, 2), {}),
]


@pytest.mark.parametrize("setting", ["off", "f2"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_convolution_to_few_channels(setting, dtype, monkeypatch):
    config.winograd = setting
    monkeypatch.setattr(cost, "crossed", lambda *sizes: -1.0)
    monkeypatch.setattr(cost, "outputs_of", lambda *sizes, **others: 0)
    for i, (image, kernel, fields) in enumerate(FEW):
        holds(*case(CONV, "forward", image, kernel, dtype, i, **fields))
        turned = (*kernel[:2], kernel[3], kernel[2])
        holds(*case(CONV, "to_input", (*image[:3], kernel[3]), turned, dtype, i, **fields))
    holds(*case(CONV, "forward", (2, 9, 12, 20), (3, 3, 20, 3), dtype, strides=(2, 3)))


# --- volumes ---------------------------------------------------------------------------------------------------------

OVER_VOLUMES = [
    ((2, 5, 7, 9, 6), (3, 3, 3, 6, 10), {}),
    ((1, 6, 7, 8, 8), (2, 3, 3, 4, 10), {}),
    ((2, 7, 7, 9, 3), (3, 2, 3, 3, 20), {"strides": (2, 1, 2), "padding": "VALID"}),
    ((1, 9, 8, 8, 20), (3, 3, 3, 20, 17), {"dilations": (2, 1, 2)}),
    ((2, 4, 8, 8, 20), (1, 3, 3, 20, 17), {}),
    ((2, 4, 8, 8, 20), (1, 1, 1, 20, 17), {}),
    ((1, 9, 9, 9, 4), (2, 3, 3, 2, 6), {"strides": (3, 2, 2)}),
    ((1, 3, 6, 6, 2), (5, 3, 3, 2, 3), {}),
    ((0, 3, 6, 6, 2), (3, 3, 3, 2, 3), {}),
]


@pytest.mark.parametrize("which", PASSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_convolution_of_volumes_is_the_convolution(which, dtype):
    for i, (image, kernel, fields) in enumerate(OVER_VOLUMES):
        holds(*case(VOLUMES, which, image, kernel, dtype, i, **fields))


# --- several filters a channel ---------------------------------------------------------------------------------------

REPEATED = [
    ((2, 9, 11, 37), (3, 3, 37, 2), {}),
    ((1, 12, 9, 8), (5, 2, 8, 3), {"dilations": (2, 3)}),
    ((2, 14, 14, 16), (3, 3, 16, 4), {"strides": (2, 2)}),
    ((1, 13, 13, 50), (2, 1, 50, 8), {"strides": (3, 3), "padding": ((1, 2), (0, 1))}),
    ((2, 13, 13, 1), (3, 3, 1, 20), {"strides": (2, 2)}),
    ((2, 8, 8, 3), (3, 3, 3, 5), {}),
    ((0, 8, 8, 3), (3, 3, 3, 5), {}),
]


@pytest.mark.parametrize("which", PASSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_depthwise_convolution_with_several_filters_a_channel(which, dtype):
    for i, (image, kernel, fields) in enumerate(REPEATED):
        holds(*case(DEPTHWISE, which, image, kernel, dtype, i, **fields))


# --- whatever the number of threads ----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", PASSES)
def test_results_are_the_same_bits_with_any_number_of_threads(which):
    config.winograd = "f4"
    for family, image, kernel in (
        (CONV, (4, 7, 7, 200), (3, 3, 200, 150)),
        (CONV, (3, 13, 13, 3), (3, 3, 3, 40)),
        (VOLUMES, (2, 5, 9, 9, 20), (3, 3, 3, 20, 24)),
        (DEPTHWISE, (4, 12, 12, 20), (3, 3, 20, 3)),
    ):
        op, given = case(family, which, image, kernel)
        run, made = planned(op, *given), []
        for threads in (1, 2, 8):
            config.threads = threads
            made.append(run(*given)[0])
        np.testing.assert_array_equal(made[0], made[1])
        np.testing.assert_array_equal(made[0], made[2])
