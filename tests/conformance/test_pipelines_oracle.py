"""Input pipelines give what TensorFlow 2.21's give: the same elements, in the same order, from the same seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance import oracle, pipeline_runs

import pullback as tf
import pullback.v1 as tf1

RUNS = pipeline_runs.runs(tf, tf1)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """TensorFlow's answers."""
    file = tmp_path_factory.mktemp("oracle") / "answers.json"
    oracle.asked(Path(pipeline_runs.__file__), str(file))
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("what", RUNS, ids=list(RUNS))
def test_pipeline_gives_what_tensorflows_gives(what: str, theirs: dict[str, Any]) -> None:
    ours, expected = RUNS[what](), theirs[what]
    if "of bytes" in what:  # a rounding in float32 may fall on either side of a byte
        np.testing.assert_allclose(ours, expected, atol=1)
    else:
        flat = [list(numbers(x)) for x in (ours, expected)]
        np.testing.assert_allclose(*flat, atol=2e-4)


def numbers(x: Any) -> Any:
    """The numbers of a nest, with its brackets as infinities, so that its shape is compared too."""
    if isinstance(x, list):
        yield np.inf
        for part in x:
            yield from numbers(part)
        yield -np.inf
    else:
        yield x
