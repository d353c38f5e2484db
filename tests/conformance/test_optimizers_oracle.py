"""Optimizers, schedules and averages go where TensorFlow 2.21's go, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conformance import optimizer_runs, oracle

import pullback as tf
import pullback.v1 as tf1

RUNS = optimizer_runs.runs(tf, tf1)
SINGLE = 1e-6  # relative; learning rates are computed in float32, where this is eight roundings


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """TensorFlow's answers."""
    return oracle.arrays(optimizer_runs, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize("what", RUNS, ids=list(RUNS))
def test_optimizer_goes_where_tensorflows_goes(what: str, theirs: dict[str, Any]) -> None:
    ours = RUNS[what]()
    expected = oracle.answer(theirs, what)
    assert sorted(ours) == sorted(expected)
    for part, value in expected.items():
        if value.dtype.kind == "U":
            assert list(ours[part]) == list(value), what
            continue
        scale = np.max(np.abs(value), initial=0.0)
        np.testing.assert_allclose(ours[part], value, rtol=1e-6, atol=1e-6 * scale, err_msg=f"{what}: {part}")
