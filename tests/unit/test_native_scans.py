"""Along an axis: running sums and products, and where the extremes stand."""

from __future__ import annotations

import numpy as np
import pytest
from machine_code import planned

import pullback as tf

pytest.importorskip("llvmlite")

from pullback.core.config import config
from pullback.core.dtypes import as_dtype
from pullback.ops.array.search import ArgMax, ArgMin

SHAPES = [(1,), (10,), (7, 1), (3, 100), (2, 33, 5), (2, 4, 150)]


def by_hand(x, axis, product, exclusive, reverse):
    """One entry after the other, in x's own type."""
    rows = np.moveaxis(x, axis, 0)[:: -1 if reverse else 1]
    out = np.empty_like(rows)
    total = None
    for k, row in enumerate(rows):
        before = np.full_like(row, float(product)) if total is None else total
        total = row.copy() if total is None else (total * row if product else total + row)
        out[k] = before if exclusive else total
    return np.moveaxis(out[:: -1 if reverse else 1], 0, axis)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("exclusive", [False, True])
def test_running_sums_and_products_to_the_last_bit(shape, dtype, exclusive, reverse, monkeypatch):
    monkeypatch.setattr(config, "plan_after", 0)
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    x.reshape(-1)[0] = -0.0
    for axis in range(-1, len(shape)):
        for name, run in (("Cumsum", tf.cumsum), ("Cumprod", tf.math.cumprod)):
            f = tf.function(lambda x, run=run, axis=axis: run(x, axis, exclusive, reverse))
            assert f(x).numpy().tobytes() == by_hand(x, axis, name == "Cumprod", exclusive, reverse).tobytes()
            assert " scan " in tf.explain_plan(f, x)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("what", ["different", "ties", "NaN", "infinite"])
def test_where_extremes_stand(shape, dtype, what):
    """The first of equal ones; a NaN before all."""
    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, shape).astype(dtype) if what == "ties" else rng.normal(size=shape).astype(dtype)
    if what in ("NaN", "infinite"):
        x[rng.random(shape) < 0.2] = np.nan if what == "NaN" else -np.inf
    for axis in range(len(shape)):
        for op, truth in ((ArgMax, np.argmax), (ArgMin, np.argmin)):
            given = x, np.int32(axis)
            for index in ("int32", "int64"):
                (made,) = planned(op(as_dtype(index)), *given)(*given)
                assert made.dtype == index and np.array_equal(made, truth(x, axis))
