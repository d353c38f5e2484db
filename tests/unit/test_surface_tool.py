"""The command that says how much of what programs use is there."""

from __future__ import annotations

import ast

import pytest

from tools import surface

ROWS = [
    surface.Symbol("tf.matmul", 10, "math", "12", ("transpose_b",)),
    surface.Symbol("tf.Session", 5, "graph", "1", ("config",)),
    surface.Symbol("tf.contrib.slim.conv2d", 3, "contrib", "1", ("padding", "scope")),
    surface.Symbol("tf.nonsense", 2, "math", "12", ()),
]


def test_three_things_must_hold() -> None:
    run = {"v1": {"Session"}, "v2": {"matmul"}}
    found = surface.judged(ROWS, run)
    assert found["tf.matmul", "v1"].covered and found["tf.matmul", "v2"].covered  # one object
    assert found["tf.Session", "v1"].covered
    slim = found["tf.contrib.slim.conv2d", "v1"]
    assert (slim.exists, slim.fits, slim.run, slim.why) == (True, True, False, "no test uses it")
    assert found["tf.nonsense", "v2"].why == "is not there"
    assert surface.share(ROWS, found, "v1") == (15, 18, 20)


def test_keywords_that_programs_give_must_be_taken() -> None:
    odd = surface.Symbol("tf.contrib.slim.conv2d", 1, "contrib", "1", ("sideways",))
    assert surface.unfit("v1", odd) == "takes no sideways="


def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = surface.judged(ROWS, {"v1": {"Session"}, "v2": set()})
    surface.report(ROWS, verdicts, missing=True)
    said = capsys.readouterr().out
    assert "all" in said and "without data, estimators and contrib" in said
    assert "10  tf.matmul in v2: no test uses it" in said


def test_names_are_read_from_what_tests_import() -> None:
    tree = ast.parse("import pullback as tf\nimport pullback.v1 as tf1\ny = tf.square(tf1.constant(1.0))\n")
    from pullback.alias import uses

    found = {
        speech: {name for name, _ in uses.uses_in(text, uses.bindings([text]))}
        for speech, text in surface._as_tensorflow(tree)
    }
    assert found == {"v1": {"constant"}, "v2": {"square"}}
