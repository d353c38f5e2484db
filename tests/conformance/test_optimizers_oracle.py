"""Optimizers, schedules and averages go where TensorFlow 2.21's go, step by step."""

from __future__ import annotations

from pathlib import Path
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
    file = tmp_path_factory.mktemp("oracle") / "answers.npz"
    oracle.asked(Path(optimizer_runs.__file__), str(file))
    with np.load(file) as found:
        return dict(found)


@pytest.mark.slow
@pytest.mark.parametrize("what", RUNS, ids=list(RUNS))
def test_optimizer_goes_where_tensorflows_goes(what: str, theirs: dict[str, Any]) -> None:
    ours = RUNS[what]()
    expected = {key.partition("|")[2]: value for key, value in theirs.items() if key.partition("|")[0] == what}
    assert sorted(ours) == sorted(expected)
    for part, value in expected.items():
        if value.dtype.kind == "U":
            assert list(ours[part]) == list(value), what
            continue
        scale = np.max(np.abs(value), initial=0.0)
        np.testing.assert_allclose(ours[part], value, rtol=1e-6, atol=1e-6 * scale, err_msg=f"{what}: {part}")
