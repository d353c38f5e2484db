"""Attention, and layers that prepare words and images, answer as Keras 3's in TensorFlow 2.21."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from closeness import close
from conformance import input_layer_runs, oracle

import pullback as tf

RUNS = input_layer_runs.runs(tf)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Keras' answers."""
    return oracle.arrays(input_layer_runs, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.parametrize("what", RUNS, ids=list(RUNS))
def test_answers_are_keras(what: str, theirs: dict[str, Any]) -> None:
    ours = {part: input_layer_runs.as_text(value) for part, value in RUNS[what]().items()}
    expected = oracle.answer(theirs, what)
    assert sorted(ours) == sorted(expected)
    for part, value in expected.items():
        assert ours[part].shape == value.shape, part
        words = value.dtype.kind == "U"
        # Some gradients are 0 but for rounding: softmax does not see what all scores share, as a key's bias is.
        near = not words and np.abs(ours[part] - value).max(initial=0.0) < 2e-6
        same = near or (np.array_equal(ours[part], value) if words else close(ours[part], value, 1e-4))
        assert same, f"{part}: {ours[part]} is not {value}"
