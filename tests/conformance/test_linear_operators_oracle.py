"""Linear operators answer as TensorFlow 2.21's: numbers, hints, classes of products, errors."""

from __future__ import annotations

from typing import Any

import pytest
from closeness import close
from conformance import linear_operator_runs, oracle

import pullback as tf
import pullback.v1 as tf1

RUNS = linear_operator_runs.runs(tf, tf1)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """TensorFlow's answers."""
    return oracle.arrays(linear_operator_runs, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize("what", RUNS, ids=list(RUNS))
def test_answers_are_tensorflows(what: str, theirs: dict[str, Any]) -> None:
    ours = RUNS[what]()
    expected = oracle.answer(theirs, what)
    assert sorted(ours) == sorted(expected)
    for part, value in expected.items():
        if value.tolist() == "Exception":  # a kernel of TensorFlow's takes no such batch
            continue
        assert ours[part].shape == value.shape, f"{part}: {ours[part]} is not {value}"
        if value.dtype.kind == "U":
            assert ours[part].tolist() == value.tolist(), part
        else:
            assert ours[part].dtype == value.dtype, part
            assert close(ours[part], value, 1e-5), f"{part}: {ours[part]} is not {value}"
