"""Putting values at places and taking them from there: in their own windows, anywhere, and nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from machine_code import planned, run_kernel
from properties import holds

import pullback as tf

pytest.importorskip("llvmlite")

from pullback.core import dtypes
from pullback.core.config import config
from pullback.core.spec import Spec
from pullback.engines.blas import BLAS
from pullback.engines.cpu import plan
from pullback.native import tiles
from pullback.native.ir import F32, I64
from pullback.native.switches import Switches, in_windows, sides
from pullback.ops.nn.pool import (
    AvgPoolGrad,
    MaxPoolGrad,
    MaxPoolGradWithArgmax,
    MaxPoolWithArgmax,
    Repool,
    Unpool,
    native,
)


def truth_of_put(values, at, shape):
    x = np.zeros((shape[0], int(np.prod(shape[1:]))), values.dtype)
    for n in range(shape[0]):
        np.add.at(x[n], at[n].reshape(-1), values[n].reshape(-1))
    return x.reshape(shape)


def truth_of_take(x, at):
    flat = x.reshape(x.shape[0], -1)
    return np.stack([flat[n][at[n]] for n in range(len(x))])


def check(values, at, shape, x):
    size = np.array(shape, np.int32)
    for _ in range(2):
        (made,) = planned(Unpool(), values, at, size)(values, at, size)
        assert np.allclose(made, truth_of_put(values, at, shape), rtol=1e-5)
        (taken,) = planned(Repool(), x, at)(x, at)
        assert np.array_equal(taken, truth_of_take(x, at))


@holds(12, seed=st.integers(0, 2**32 - 1))
def test_any_places(seed):
    """All in their own windows but for some, or anywhere; windows that fit, are cut off, or leave a rest."""
    rng = np.random.default_rng(seed)
    dtype, index = [np.float32, np.float64][int(rng.integers(2))], [np.int32, np.int64][int(rng.integers(2))]
    N, H, W, C = (int(rng.integers(1, n)) for n in (3, 12, 12, 40))
    kernel = tuple(int(n) for n in rng.integers(1, 4, 2))
    padding = "VALID" if kernel[0] <= H and kernel[1] <= W and rng.random() < 0.5 else "SAME"
    x = rng.normal(size=(N, H, W, C)).astype(dtype)
    y, at = MaxPoolWithArgmax(kernel, kernel, padding).reference(x)
    at = at.astype(index)
    for _ in range(int(rng.integers(0, 3))):
        at.reshape(N, -1)[int(rng.integers(N)), int(rng.integers(at.size // N))] = int(rng.integers(H * W * C))
    if rng.random() < 0.2:
        at = rng.integers(0, H * W * C, at.shape).astype(index)
    check(rng.normal(size=y.shape).astype(dtype), at, x.shape, x)


def test_overlapping_windows_add():
    x = np.random.default_rng(0).normal(size=(2, 9, 9, 20)).astype("f4")
    op = MaxPoolWithArgmax((3, 3), (2, 2), "VALID")
    y, at = op.reference(x)
    dy = np.random.default_rng(1).normal(size=y.shape).astype("f4")
    check(dy, at, x.shape, x)
    grad = MaxPoolGradWithArgmax((3, 3), (2, 2), "VALID")
    assert np.allclose(planned(grad, x, dy, at)(x, dy, at)[0], truth_of_put(dy, at, x.shape), rtol=1e-5)


@pytest.mark.parametrize("wrong", [-1, 4 * 4 * 16, 2**31, 2**32, 2**32 + 5, -(2**32), 2**62])
@pytest.mark.parametrize("where", [(0, 0, 0, 0), (1, 1, 1, 15), (1, 0, 1, 3)], ids=str)
def test_places_outside_are_refused(wrong, where):
    """Also those whose lower half would lie inside."""
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 16)).astype("f4")
    y, at = MaxPoolWithArgmax((2, 2), (2, 2), "SAME").reference(x)
    at = at.copy()
    size = np.array(x.shape, np.int32)
    put, take = planned(Unpool(), y, at, size), planned(Repool(), x, at)
    good = put(y, at, size)[0].copy()
    at[where], right = wrong, at[where]
    with pytest.raises(tf.errors.InvalidArgumentError):
        put(y, at, size)
    with pytest.raises(tf.errors.InvalidArgumentError):
        take(x, at)
    at[where] = right
    assert np.array_equal(put(y, at, size)[0], good)


def passes_by(op, *given):
    """Whether a plan of the op has jobs whose result goes past the caches."""
    known = [g if i in op.static else Spec(g.shape, dtypes.from_numpy(g.dtype)) for i, g in enumerate(given)]
    steps: Any = plan.one(op, known, BLAS).steps
    return any(getattr(s, "streams", False) for step in steps for job in step.jobs for s in job.settings)


@pytest.mark.parametrize("shape", [(4, 101, 64, 64), (2, 111, 120, 64), (8, 57, 57, 70)], ids=str)
def test_large_results_are_the_same_with_any_number_of_threads(shape, monkeypatch):
    """Past the caches where pixels are whole lines, and there also where a row or column lies in no window."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype("f4")
    y, at = MaxPoolWithArgmax((2, 2), (2, 2), "VALID").reference(x)
    dy, size = rng.normal(size=y.shape).astype("f4"), np.array(shape, np.int32)
    assert x.nbytes > tiles.STREAMED
    monkeypatch.setattr(native, "CACHED", 0)
    for op, given in [
        (Unpool(), (dy, at, size)),
        (MaxPoolGradWithArgmax(), (x, dy, at)),
        (MaxPoolGrad((2, 2), (2, 2), "VALID"), (x, y, dy)),
        (AvgPoolGrad((2, 2), (2, 2), "VALID"), (size, dy)),
    ]:
        assert passes_by(op, *given) == (shape[3] == 64)
        right = op.reference(*given)
        run = planned(op, *given)
        for threads in (1, 2, 8):
            monkeypatch.setattr(config, "threads", threads)
            np.testing.assert_array_equal(run(*given)[0], right)


@pytest.mark.parametrize("begins", [0, 1, 16], ids=["on a line", "beside one", "on the next"])
def test_only_a_result_that_begins_on_a_line_goes_past_the_cache(begins):
    x = np.random.default_rng(0).normal(size=(2, 6, 8, 32)).astype("f4")
    y, at = MaxPoolWithArgmax((2, 2), (2, 2), "VALID").reference(x)
    room = np.full(x.size + 64, np.nan, "f4")
    first = -room.ctypes.data % tiles.LINE // 4 + begins
    made, marks = room[first:][: x.size], np.ones(6, np.int64)
    s = Switches(F32, I64, "put", (2, 2), True)
    run_kernel(in_windows, (s,), [y, at, made, marks, 6, 8, 32, 3, 4], items=6)
    assert not marks.any()
    np.testing.assert_array_equal(made.reshape(x.shape), truth_of_put(y, at, x.shape))
    assert np.isnan(room[:first]).all() and np.isnan(room[first + x.size :]).all()


@pytest.mark.parametrize(
    "size,windows,side",
    [(56, 28, 2), (27, 14, 2), (27, 13, 2), (10, 4, 3), (11, 4, 3), (5, 5, 1), (3, 5, 0), (9, 0, 0)],
)
def test_sides(size, windows, side):
    assert sides(size, windows) == side
