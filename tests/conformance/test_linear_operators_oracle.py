"""Linear operators answer as TensorFlow 2.21's: numbers, hints, classes of products, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from closeness import close
from conformance import linear_operator_runs, oracle

import pullback as tf
import pullback.v1 as tf1

RUNS = linear_operator_runs.runs(tf, tf1)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """TensorFlow's answers."""
    file = tmp_path_factory.mktemp("oracle") / "answers.npz"
    oracle.asked(Path(linear_operator_runs.__file__), str(file))
    with np.load(file) as found:
        return dict(found)


@pytest.mark.slow
@pytest.mark.parametrize("what", RUNS, ids=list(RUNS))
def test_answers_are_tensorflows(what: str, theirs: dict[str, Any]) -> None:
    ours = RUNS[what]()
    expected = {key.partition("|")[2]: value for key, value in theirs.items() if key.partition("|")[0] == what}
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
