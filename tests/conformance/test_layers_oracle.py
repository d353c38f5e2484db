"""Layers, loops over time and candidate samplers answer as TensorFlow 2.21's."""

from __future__ import annotations

from typing import Any

import pytest
from closeness import close
from conformance import layer_runs, oracle

import pullback as tf
import pullback.v1 as tf1

RUNS = layer_runs.runs(tf, tf1)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """TensorFlow's answers."""
    return oracle.arrays(layer_runs, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize("what", RUNS, ids=list(RUNS))
def test_answers_are_tensorflows(what: str, theirs: dict[str, Any]) -> None:
    ours = RUNS[what]()
    expected = oracle.answer(theirs, what)
    assert sorted(ours) == sorted(expected)
    for part, value in expected.items():
        assert ours[part].shape == value.shape, part
        assert close(ours[part], value, 1e-4), f"{part}: {ours[part]} is not {value}"
