"""Control flow on tensors means what it means in TensorFlow 2.21: the same values, and the same mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance import control_runs, oracle

import pullback as tf

CASES, MISTAKES = control_runs.cases(tf), control_runs.mistakes(tf)
# What TensorFlow 2.21 cannot convert, and says so.
BEYOND = {
    "at_most",
    "callable_object",
    "closure_with_nonlocal",
    "method_of_the_base",
    "nested_conditional_expressions",
    "recursion",
}


def numbers(x: Any) -> Any:
    """The numbers of a nest."""
    if isinstance(x, dict):
        x = [x[k] for k in sorted(x)]
    return [n for part in x for n in numbers(part)] if isinstance(x, (list, tuple)) else [x]


@pytest.mark.parametrize("name", CASES, ids=list(CASES))
def test_a_converted_function_gives_what_python_means(name: str) -> None:
    f, pairs = CASES[name]
    made = tf.function(f)
    for args, expected in pairs:
        given = control_runs.plain(made(*map(tf.constant, args)))
        np.testing.assert_allclose(numbers(given), numbers(expected), rtol=1e-6)


@pytest.mark.parametrize("name", MISTAKES, ids=list(MISTAKES))
def test_a_mistake_names_the_variable(name: str) -> None:
    f, args, error, words = MISTAKES[name]
    with pytest.raises(error) as raised:
        tf.function(f)(*map(tf.constant, args))
    assert words in str(raised.value)
    assert "control_runs.py:" in str(raised.value)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """TensorFlow's answers."""
    file = tmp_path_factory.mktemp("oracle") / "answers.json"
    oracle.asked(Path(control_runs.__file__), str(file))
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES, ids=list(CASES))
def test_a_converted_function_gives_what_tensorflows_gives(name: str, theirs: dict[str, Any]) -> None:
    f, pairs = CASES[name]
    if name in BEYOND:
        assert str(theirs[name]).startswith("refused")
        return
    ours = [control_runs.plain(tf.function(f)(*map(tf.constant, args))) for args, _ in pairs]
    np.testing.assert_allclose(numbers(ours), numbers(theirs[name]), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES, ids=list(MISTAKES))
def test_tensorflow_says_the_same_of_a_mistake(name: str, theirs: dict[str, Any]) -> None:
    assert MISTAKES[name][3] in theirs[name]
