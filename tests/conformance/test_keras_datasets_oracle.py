"""Datasets of folders, windows and parts give what Keras 3's in TensorFlow 2.21 give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from closeness import close
from conformance import keras_dataset_runs, oracle

import pullback as tf

NAMES = list(keras_dataset_runs.runs(tf, ""))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures and texts of three classes."""
    made = tmp_path_factory.mktemp("classes")
    keras_dataset_runs.laid_out(made, lambda pixels: tf.io.encode_png(pixels).numpy())
    return made


@pytest.fixture(scope="module")
def theirs(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Keras' answers."""
    return oracle.arrays(keras_dataset_runs, tmp_path_factory, str(folder))


@pytest.mark.slow
@pytest.mark.parametrize("what", NAMES)
def test_elements_are_keras(
    what: str, folder: Path, theirs: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    ours = keras_dataset_runs.runs(tf, str(folder))[what]()
    expected = oracle.answer(theirs, what)
    assert sorted(ours) == sorted(expected)
    for part, value in expected.items():
        assert ours[part].shape == value.shape, part
        words = value.dtype.kind == "U"
        same = np.array_equal(ours[part], value) if words else close(ours[part], value, 1e-4)
        assert same, f"{part}: {ours[part]} is not {value}"
