"""Functions on vectors: errors in units in the last place, measured against more digits; special values."""

from __future__ import annotations

import numpy as np
import pytest
from machine_code import run_kernel

pytest.importorskip("llvmlite")

from pullback.native import mathematics
from pullback.native.ir import F32, F64

KINDS = {np.float32: F32, np.float64: F64}
TRUTH = {
    "exp": np.exp,
    "expm1": np.expm1,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "log": np.log,
    "log1p": np.log1p,
}
SPREAD = {
    "exp": (-87, 88),
    "expm1": (-40, 88),
    "tanh": (-20, 20),
    "sigmoid": (-80, 80),
    "log": (1e-30, 1e30),
    "log1p": (-0.999, 1e6),
}
INF, NAN = np.inf, np.nan


def computed(name, x):
    """The function on an array whose length is a multiple of 16."""
    kind = KINDS[x.dtype.type]

    def function(module, name):
        kernel = module.kernel("function", x=kind.pointer, y=kind.pointer)
        with kernel as (f, source, y), f.loop(f.begin * 16, f.end * 16, 16) as i:
            y.store(getattr(mathematics, name)(f, source.load(i, 16)), i)

    y = np.empty_like(x)
    run_kernel(function, (name,), (np.ascontiguousarray(x), y), x.size // 16)
    return y


def drawn(name, dtype, count=1 << 15):
    low, high = SPREAD[name]
    rng = np.random.default_rng(0)
    x = np.geomspace(low, high, count) if name == "log" else rng.uniform(low, high, count)
    near = rng.choice([-1, 1], count) * np.exp2(rng.uniform(-30, 0, count))
    near = 1 + near / 2 if name == "log" else near * 0.9
    return np.concatenate([x, near]).astype(dtype)


def ulps(y, truth):
    """Errors in units in the last place of the truth, that has more digits."""
    with np.errstate(all="ignore"):
        unit = np.spacing(np.abs(truth.astype(y.dtype))).astype(truth.dtype)
    return np.abs(y.astype(truth.dtype) - truth) / unit


@pytest.mark.parametrize("dtype", KINDS, ids=lambda d: d.__name__)
@pytest.mark.parametrize("name", TRUTH)
def test_within_three_units_in_the_last_place(name, dtype):
    x = drawn(name, dtype)
    wide = np.float64 if dtype is np.float32 else np.longdouble
    if wide is np.longdouble and np.finfo(wide).nmant < 60:
        pytest.skip("this platform has no type with more digits")
    errors = ulps(computed(name, x), TRUTH[name](x.astype(wide)))
    worst = int(np.argmax(errors))
    assert errors[worst] <= 3, f"{name}({x[worst]!r}) is {float(errors[worst]):.2f} units off"


SPECIAL = {
    "exp": [(0, 1), (-0.0, 1), (INF, INF), (-INF, 0), (NAN, NAN), (1000, INF), (-1000, 0), (1, np.e)],
    "expm1": [(0, 0), (-0.0, -0.0), (INF, INF), (-INF, -1), (NAN, NAN), (1000, INF), (-1000, -1), (1e-30, 1e-30)],
    "tanh": [(0, 0), (-0.0, -0.0), (INF, 1), (-INF, -1), (NAN, NAN), (1000, 1), (-1000, -1), (1e-30, 1e-30)],
    "sigmoid": [(0, 0.5), (INF, 1), (-INF, 0), (NAN, NAN), (1000, 1), (-1000, 0), (-0.0, 0.5), (50, 1)],
    "log": [(0, -INF), (-0.0, -INF), (INF, INF), (-INF, NAN), (NAN, NAN), (-1, NAN), (1, 0), (np.e, 1)],
    "log1p": [(0, 0), (-1, -INF), (INF, INF), (-INF, NAN), (NAN, NAN), (-2, NAN), (1e-30, 1e-30), (-0.0, -0.0)],
}


@pytest.mark.parametrize("dtype", KINDS, ids=lambda d: d.__name__)
@pytest.mark.parametrize("name", SPECIAL)
def test_special_values(name, dtype):
    x, wanted = (np.array(column * 2, dtype) for column in zip(*SPECIAL[name], strict=True))
    y = computed(name, x)
    assert np.allclose(y, wanted, rtol=4 * np.finfo(dtype).eps, atol=0, equal_nan=True), (x, y, wanted)
    exact = (wanted == 0) & (np.abs(x) < 1)
    assert np.array_equal(np.signbit(y[exact]), np.signbit(wanted[exact]))


@pytest.mark.parametrize("dtype", KINDS, ids=lambda d: d.__name__)
def test_where_results_are_subnormal_or_overflow(dtype):
    """Gradual underflow is kept; nothing wraps round next to the largest number."""
    limits = np.finfo(dtype)
    low, high = float(np.log(limits.smallest_subnormal)), float(np.log(limits.max))
    x = np.concatenate([np.linspace(low - 2, low + 8, 64), np.linspace(high - 2, high + 2, 64)]).astype(dtype)
    with np.errstate(all="ignore"):
        wanted = np.exp(x.astype(np.longdouble)).astype(dtype)
    y = computed("exp", x)
    large = np.isfinite(wanted) & (wanted > limits.smallest_normal)
    assert np.allclose(y[large], wanted[large], rtol=4 * limits.eps, atol=0)
    small = wanted <= limits.smallest_normal
    assert np.abs(y[small] - wanted[small]).max() <= 2 * limits.smallest_subnormal
    assert np.isinf(y[wanted == INF]).all() and (y[small] >= 0).all()
    tiny = np.full(16, limits.smallest_subnormal, dtype)
    assert np.allclose(computed("log", tiny), np.log(tiny), rtol=4 * limits.eps)
