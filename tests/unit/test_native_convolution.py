"""Convolutions and products as machine code against the definition, whatever way they go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from pullback.core import dtypes
from pullback.core.config import config
from pullback.core.spec import Spec
from pullback.engines.blas import BLAS
from pullback.engines.cpu import CPU, plan
from pullback.engines.cpu.run import Runner
from pullback.native import cost, lined, strided, tiles
from pullback.native.ir import F32, F64
from pullback.ops.linalg.matmul import MatMul
from pullback.ops.nn.conv import Conv2D, Conv2DBackpropFilter, Conv2DBackpropInput
from pullback.ops.nn.depthwise import (
    DepthwiseConv2dNative,
    DepthwiseConv2dNativeBackpropFilter,
    DepthwiseConv2dNativeBackpropInput,
)

CONV = Conv2D, Conv2DBackpropInput, Conv2DBackpropFilter
DEPTHWISE = DepthwiseConv2dNative, DepthwiseConv2dNativeBackpropInput, DepthwiseConv2dNativeBackpropFilter
PASSES = ("forward", "to_input", "to_filter")
# Relative to the largest entry.
CLOSE = {"float32": 1e-5, "float64": 1e-13}


@pytest.fixture(autouse=True)
def _settings():
    before = config.winograd, config.threads
    yield
    config.winograd, config.threads = before


def compiled(op, given):
    """What runs the op's machine code on arrays like these."""
    static = [x if i in op.static else Spec(x.shape, dtypes.from_numpy(x.dtype)) for i, x in enumerate(given)]
    return Runner(plan.one(op, static, BLAS))


def near(got, wanted):
    assert got.shape == wanted.shape
    scale = np.abs(wanted).max(initial=0) or 1
    assert np.abs(got - wanted).max(initial=0) <= CLOSE[got.dtype.name] * scale


def case(
    family: Any,
    which: str,
    image: Any,
    kernel: Any,
    strides: Any = (1, 1),
    dilations: Any = (1, 1),
    padding: Any = "SAME",
    dtype: str = "float32",
    seed: int = 0,
) -> Any:
    """(op, its arguments) of one pass."""
    rng = np.random.default_rng(seed)

    def draw(shape):
        return rng.normal(size=shape).astype(dtype)

    fields = strides, padding, "NHWC", dilations
    x, w = draw(image), draw(kernel)
    forward = family[0](*fields)
    if which == "forward":
        return forward, (x, w)
    dy = draw(forward.reference(x, w).shape)
    if which == "to_input":
        return family[1](*fields), (np.array(image, np.int32), w, dy)
    return family[2](*fields), (x, np.array(kernel, np.int32), dy)


def holds(op, given):
    """Checks machine code against the definition, evaluated in double precision."""
    exact = [x.astype("float64") if x.dtype == np.float32 else x for x in given]
    near(compiled(op, given)(None, *given)[0], op.reference(*exact))


# --- minimal filtering -----------------------------------------------------------------------------------------------

FORMS = [("f2", 3), ("f4", 3), ("f4", 5)]
IMAGES = [
    ((1, 8, 8, 16), 32, "SAME"),
    ((2, 7, 9, 5), 3, "SAME"),
    ((1, 6, 13, 33), 17, "VALID"),
    ((3, 5, 5, 1), 70, ((2, 0), (0, 3))),
    ((2, 11, 6, 20), 40, ((4, 4), (4, 4))),
    ((1, 1, 30, 8), 49, "SAME"),
]


@pytest.mark.parametrize("which", PASSES)
@pytest.mark.parametrize("setting, taps", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_minimal_filtering_is_the_convolution(setting, taps, which, dtype):
    config.winograd = setting
    for i, (image, makes, padding) in enumerate(IMAGES[:: 1 if dtype == "float32" else 2]):
        wide = tuple(max(n, taps) for n in image[1:3])
        shape = (image[0], *wide, image[3])
        holds(*case(CONV, which, shape, (taps, taps, image[3], makes), padding=padding, dtype=dtype, seed=i))


# Sides of even and odd length, padding that begins with either phase, or with another one along each axis.
STRIDED_IMAGES = [
    ((1, 8, 8, 16), 32, "SAME"),
    ((2, 7, 9, 5), 3, "SAME"),
    ((1, 6, 13, 33), 17, "VALID"),
    ((2, 10, 11, 20), 40, ((1, 1), (1, 2))),
    ((3, 5, 6, 1), 70, ((2, 0), (0, 3))),
    ((1, 5, 31, 8), 49, ((4, 4), (2, 3))),
    ((1, 9, 8, 7), 8, ((3, 1), (0, 0))),
]


@pytest.mark.parametrize("which", PASSES)
@pytest.mark.parametrize("taps", [3, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_minimal_filtering_at_a_stride_is_the_convolution(taps, which, dtype):
    config.winograd = "f4"
    for i, (image, makes, padding) in enumerate(STRIDED_IMAGES[:: 1 if dtype == "float32" else 2]):
        wide = tuple(max(n, taps) for n in image[1:3])
        shape = (image[0], *wide, image[3])
        given = case(CONV, which, shape, (taps, taps, image[3], makes), (2, 2), padding=padding, dtype=dtype, seed=i)
        holds(*given)


# Two, three, four and five taps of pixels side by side; a last one that is whole; borders all around, or none.
LINED_IMAGES = [
    ((2, 31, 33, 3), (11, 11), 40, (4, 4), "VALID"),
    ((2, 31, 30, 3), (11, 11), 40, (4, 4), "SAME"),
    ((1, 20, 23, 3), (7, 7), 19, (2, 2), ((3, 3), (3, 2))),
    ((1, 9, 90, 2), (8, 8), 96, (1, 4), "SAME"),
    ((2, 4, 41, 5), (9, 5), 7, (2, 3), ((6, 7), (5, 0))),
    ((1, 24, 24, 8), (5, 9), 16, (3, 2), "SAME"),
    ((0, 24, 24, 3), (7, 7), 16, (2, 2), "SAME"),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_minimal_filtering_along_rows_is_the_convolution(dtype):
    config.winograd = "f4"
    for i, (image, kernel, makes, strides, padding) in enumerate(LINED_IMAGES):
        op, given = case(CONV, "forward", image, (*kernel, image[3], makes), strides, (1, 1), padding, dtype, i)
        run = compiled(op, given)
        kernels = [job.emit for step in run.recipe.steps for job in step.jobs]
        assert lined.lined in kernels or not image[0]
        holds(op, given)


@pytest.mark.parametrize("outputs, taps, stride", [(2, 3, 2), (2, 5, 2), (2, 3, 1), (2, 5, 3), (4, 3, 1)])
def test_a_strided_form_is_the_sum_over_its_taps(outputs, taps, stride):
    rng = np.random.default_rng(outputs * taps)
    w, x = rng.normal(size=taps), rng.normal(size=(outputs - 1) * stride + taps)

    def applied(form, filter, inputs):
        back, of_filter, of_inputs = (np.array(m, float) for m in (form.to_outputs, form.of_filter, form.of_inputs))
        return back @ ((of_filter @ filter) * (of_inputs @ inputs))

    y = [x[stride * p : stride * p + taps] @ w for p in range(outputs)]
    np.testing.assert_allclose(applied(strided.forward(outputs, taps, stride), w, x), y, atol=1e-12)
    dy = rng.normal(size=outputs)
    dw = sum(dy[p] * x[stride * p : stride * p + taps] for p in range(outputs))
    np.testing.assert_allclose(applied(strided.to_filter(outputs, taps, stride), dy, x), dw, atol=1e-12)
    for phase in range(stride):
        form = strided.to_input(outputs, taps, stride, phase)
        first = strided.first_reached(phase, taps, stride)
        dy = rng.normal(size=len(form.of_inputs[0]))
        dx = np.zeros(phase + stride * (outputs + len(dy)) + taps)
        for p, value in enumerate(dy, start=first):
            for k in range(taps):
                if phase <= stride * p + k < phase + stride * outputs:
                    dx[stride * p + k] += value * w[k]
        made = applied(form, w[::-1], dy)
        np.testing.assert_allclose(made, dx[phase : phase + stride * outputs], atol=1e-12)


@pytest.mark.parametrize("which", PASSES)
def test_minimal_filtering_of_no_images_gives_nothing_or_zeros(which):
    config.winograd = "f4"
    holds(*case(CONV, which, (0, 8, 8, 4), (3, 3, 4, 8)))


# The largest error that the documentation of `config.winograd` states, relative to the largest entry.
ACCURACY = [
    *[("off", 3, 3e-6), ("f2", 3, 1e-6), ("f4", 3, 5e-6), ("auto", 3, 5e-6)],
    *[("off", 5, 3e-6), ("f4", 5, 3e-6), ("auto", 5, 5e-6)],
]


@pytest.mark.parametrize("setting, taps, stated", ACCURACY)
@pytest.mark.parametrize("which", PASSES)
def test_accuracy_of_a_setting_is_as_stated(setting, taps, stated, which):
    config.winograd = setting
    op, given = case(CONV, which, (2, 20, 20, 96), (taps, taps, 96, 32))
    exact = op.reference(*[x.astype("float64") if x.dtype == np.float32 else x for x in given])
    error = np.abs(compiled(op, given)(None, *given)[0] - exact).max() / np.abs(exact).max()
    assert error < stated


def test_an_unknown_setting_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'off', 'f2', 'f4', 'auto'"):
        config.winograd = "fast"


def test_a_changed_setting_makes_new_plans():
    op, given = case(CONV, "forward", (1, 16, 16, 32), (3, 3, 32, 32))
    run = CPU.kernel(op)
    made = {}
    for setting in ("off", "f4", "off"):
        config.winograd = setting
        run(*given)  # node by node: planned when met again
        made.setdefault(setting, []).append(run(*given))
    np.testing.assert_array_equal(made["off"][0], made["off"][1])
    assert (made["off"][0] != made["f4"][0]).any()


def test_auto_takes_minimal_filtering_where_it_pays_only():
    from pullback.native.cost import Sizes, outputs_of

    config.winograd = "auto"
    assert outputs_of(F32, Sizes(16, 56, 56, 64, 64, 3)) == 4
    assert outputs_of(F32, Sizes(1, 4, 4, 512, 512, 3)) == 0  # the transformed filter is larger than the work
    assert outputs_of(F32, Sizes(16, 56, 56, 64, 64, 4)) == 0
    assert outputs_of(F64, Sizes(16, 56, 56, 64, 64, 3)) == 0  # float64 is the definition unless a form is asked for
    config.winograd = "off"
    assert outputs_of(F32, Sizes(16, 56, 56, 64, 64, 3)) == 0


# --- few channels, and one at a time ---------------------------------------------------------------------------------

SCATTERED = [
    ((2, 23, 23, 3), (11, 11, 3, 20), (4, 4), (1, 1), "VALID"),
    ((8, 14, 14, 1), (5, 5, 1, 32), (1, 1), (1, 1), "SAME"),
    ((1, 17, 12, 2), (3, 4, 2, 9), (2, 3), (1, 1), ((1, 2), (3, 0))),
    ((2, 16, 16, 6), (3, 3, 6, 7), (2, 2), (2, 3), "SAME"),
    ((1, 9, 9, 40), (2, 2, 40, 5), (3, 2), (2, 2), "VALID"),
]


@pytest.mark.parametrize("image, kernel, strides, dilations, padding", SCATTERED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_to_few_channels_and_with_stride_and_dilation(image, kernel, strides, dilations, padding, dtype):
    holds(*case(CONV, "to_input", image, kernel, strides, dilations, padding, dtype))


@pytest.mark.parametrize("which", PASSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_grouped_convolution_is_the_convolution(which, dtype):
    for image, kernel, strides, dilations in (
        ((2, 9, 11, 12), (3, 3, 4, 30), (1, 1), (1, 1)),
        ((1, 12, 9, 6), (5, 2, 3, 34), (2, 1), (1, 3)),
        ((2, 8, 8, 40), (1, 1, 20, 10), (1, 1), (1, 1)),
    ):
        holds(*case(CONV, which, image, kernel, strides, dilations, dtype=dtype))


@pytest.mark.parametrize("which", PASSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_depthwise_convolution_is_the_convolution(which, dtype):
    for image, kernel, strides, dilations, padding in (
        ((2, 9, 11, 37), (3, 3), (1, 1), (1, 1), "SAME"),
        ((1, 12, 9, 8), (5, 2), (1, 1), (2, 3), "SAME"),
        ((2, 14, 14, 16), (3, 3), (2, 2), (1, 1), "SAME"),
        ((1, 13, 13, 50), (2, 1), (3, 3), (1, 1), ((1, 2), (0, 1))),
        ((1, 16, 8, 3), (7, 7), (1, 1), (1, 1), "SAME"),
        ((1, 3, 3, 20), (3, 3), (1, 1), (1, 1), ((2, 2), (2, 2))),
    ):
        shape = (*kernel, image[3], 1)
        holds(*case(DEPTHWISE, which, image, shape, strides, dilations, padding, dtype))


# --- products --------------------------------------------------------------------------------------------------------


def product(turned, sizes, dtype):
    """(op, its arguments, what they make in double precision)."""
    rows, inner, columns = sizes
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=s).astype(dtype) for s in ((rows, inner), (inner, columns)))
    wanted = a.astype("float64") @ b.astype("float64")
    if turned == "first":  # the sum goes over rows
        a = np.ascontiguousarray(a.T)
    if turned == "second":
        b = np.ascontiguousarray(b.T)
    return MatMul(transpose_a=turned == "first", transpose_b=turned == "second"), (a, b), wanted


@pytest.mark.parametrize("turned", ["neither", "first", "second"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 70, 300), (5, 33, 9), (16, 130, 200), (32, 8, 65), (40, 50, 60)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_product_of_thin_matrices(turned, sizes, dtype):
    op, given, wanted = product(turned, sizes, dtype)
    near(compiled(op, given)(None, *given)[0], wanted)


# Several chunks of what is summed; rows that fall on each other in the cache; two sizes of tiles; lanes left over.
LARGE = [(130, 700, 200), (70, 1024, 150), (1024, 90, 136), (33, 300, 7), (100, 64, 1), (450, 257, 64)]


@pytest.mark.parametrize("turned", ["neither", "first", "second"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_product_in_blocks(turned, dtype):
    for sizes in LARGE[:: 1 if dtype == "float32" else 2]:
        op, given, wanted = product(turned, sizes, dtype)
        near(compiled(op, given)(None, *given)[0], wanted)


@pytest.mark.parametrize("columns", [64, 1024])
def test_results_that_go_past_the_cache_are_the_same(columns, monkeypatch):
    """A small result lies anywhere, a large one begins on a line: only that one may go past."""
    config.winograd = "f4"
    monkeypatch.setattr(cost, "deep", lambda *sizes: False)
    asked = [
        product("neither", (90, 50, columns), "float32")[:2],
        case(CONV, "forward", (2, 9, 9, 12), (3, 4, 12, columns)),
        case(CONV, "forward", (2, 21, 20, 12), (3, 3, 12, columns)),
        case(CONV, "forward", (2, 23, 31, 3), (7, 7, 3, columns), (2, 2)),
        case(DEPTHWISE, "forward", (2, 9, 11, columns), (3, 3, columns, 1)),
    ]
    usual = [compiled(op, given)(None, *given)[0] for op, given in asked]
    monkeypatch.setattr(tiles, "STREAMED", 1)
    for (op, given), made in zip(asked, usual, strict=True):
        run = compiled(op, given)
        settings = [s for step in run.recipe.steps for job in step.jobs for s in job.settings]
        assert any(getattr(s, "streams", False) for s in settings), op
        np.testing.assert_array_equal(run(None, *given)[0], made)


# --- whatever the number of threads ----------------------------------------------------------------------------------

WORK = [
    *[(CONV, which, (4, 20, 20, 40), (3, 3, 40, 70), (1, 1)) for which in PASSES],
    *[(CONV, which, (3, 20, 20, 3), (5, 5, 3, 32), (2, 2)) for which in PASSES],
    *[(CONV, which, (3, 20, 20, 1), (5, 5, 1, 32), (1, 1)) for which in PASSES],
    *[(CONV, which, (4, 21, 20, 40), (3, 3, 40, 70), (2, 2)) for which in PASSES],
    *[(CONV, which, (4, 20, 20, 40), (1, 1, 40, 70), (1, 1)) for which in PASSES],
    (CONV, "forward", (3, 63, 63, 3), (11, 11, 3, 40), (4, 4)),
    *[(CONV, which, (3, 20, 20, 8), (3, 3, 4, 12), (1, 1)) for which in PASSES],
    *[(DEPTHWISE, which, (4, 20, 20, 40), (3, 3, 40, 1), (1, 1)) for which in PASSES],
]


@pytest.mark.parametrize("setting", ["off", "f2", "f4"])
def test_results_are_the_same_bits_with_any_number_of_threads(setting):
    config.winograd = setting
    for family, which, image, kernel, strides in WORK:
        op, given = case(family, which, image, kernel, strides)
        run, made = compiled(op, given), []
        for threads in (1, 2, 8):
            config.threads = threads
            made.append(run(None, *given)[0])
        np.testing.assert_array_equal(made[0], made[1])
        np.testing.assert_array_equal(made[0], made[2])


@pytest.mark.parametrize("turned", ["neither", "first", "second"])
def test_products_are_the_same_bits_with_any_number_of_threads(turned):
    for sizes in ((130, 700, 200), (40, 3000, 50)):
        op, given, _ = product(turned, sizes, "float32")
        run, made = compiled(op, given), []
        for threads in (1, 2, 8):
            config.threads = threads
            made.append(run(None, *given)[0])
        np.testing.assert_array_equal(made[0], made[1])
        np.testing.assert_array_equal(made[0], made[2])


# --- many more -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_random_convolutions(seed):
    rng = np.random.default_rng(seed)
    config.winograd = str(rng.choice(["off", "f2", "f4", "auto"]))
    family = (CONV, DEPTHWISE)[int(rng.random() < 0.3)]
    taps = int(rng.choice([3, 5]))
    kernel = (taps, taps) if rng.random() < 0.5 else tuple(map(int, rng.integers(1, 6, 2)))
    strides = (1, 1) if rng.random() < 0.5 else tuple(map(int, rng.integers(1, 4, 2)))
    dilations = (1, 1) if rng.random() < 0.7 else tuple(map(int, rng.integers(1, 3, 2)))
    if family is DEPTHWISE:
        dilations = tuple(d if s == 1 else 1 for s, d in zip(strides, dilations, strict=True))
    padding = (
        "SAME",
        "VALID",
        tuple(tuple(map(int, rng.integers(0, k + 1, 2))) for k in kernel),
    )[int(rng.integers(3))]
    least = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    size = [int(rng.integers(n, n + 20)) for n in least]
    C, K = int(rng.integers(1, 60)), int(rng.integers(1, 90))
    image = (int(rng.integers(1, 5)), *size, C)
    shape = (*kernel, C, K) if family is CONV else (*kernel, C, 1)
    dtype = str(rng.choice(["float32", "float64"]))
    for which in PASSES:
        holds(*case(family, which, image, shape, strides, dilations, padding, dtype, seed))
