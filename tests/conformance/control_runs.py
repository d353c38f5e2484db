"""Functions with control flow on tensors that run on TensorFlow and on us alike: `cases(tf)` gives
{name: (function, pairs of arguments and the value that Python's meaning gives them)}; `mistakes(tf)` those that fail,
with the error's class and words of its message.

As a script, by TensorFlow's Python, it writes TensorFlow's answers to a file: `python control_runs.py answers.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from conformance.control_cases import Cases, branches, jumps, loops
from conformance.control_programs import calls, objects, values


def cases(tf: Any) -> Cases:
    return {**branches(tf), **loops(tf), **jumps(tf), **values(tf), **calls(tf), **objects(tf)}


def mistakes(tf: Any) -> dict[str, tuple[Callable[..., Any], tuple[Any, ...], type[Exception], str]]:
    """{name: (function, arguments, class of the error, words of its message)}"""

    def one_branch(x):
        if x > 0:
            y = x
        return y

    def other_branch(x):
        if x > 0:
            z = 1  # noqa: F841
        else:
            y = x
        return y

    def types(x):
        if x > 0:
            y = 1.0
        else:
            y = 2
        return y

    def nests(x):
        if x > 0:
            y = (1, 2)
        else:
            y = 2
        return y

    def no_return(x):
        if x > 0:
            return x

    def shape_after_a_trip(x):
        for _ in tf.range(3):
            x = tf.concat([x, x], 0)
        return x

    def type_after_a_trip(x):
        i = 0
        while x > 0:
            x = x - 1
            i = tf.constant(0.5)
        return i

    def number_as_condition(x):
        if x:
            return 1
        return 2

    def vector_as_condition(x):
        if x:
            return 1
        return 2

    def none_in_a_branch(x):
        a = None
        if x > 0:
            a = x
        return a

    def never_run(n):
        for i in tf.range(n):
            x = i
        return x

    def attribute_in_one_branch(x):
        class Thing:
            pass

        thing = Thing()
        if x > 0:
            thing.value = 1
        return x

    invalid = tf.errors.InvalidArgumentError
    return {
        "one branch": (one_branch, (1,), ValueError, "'y' must also be initialized in the else branch"),
        "other branch": (other_branch, (1,), ValueError, "'y' must also be initialized in the main branch"),
        "types": (types, (1,), TypeError, "'y' has dtype float32 in the main branch, but dtype int32 in the"),
        "nests": (nests, (1,), TypeError, "must have the same nested structure in the main and else branches"),
        "no return": (no_return, (1,), ValueError, "the else branch must also have a return statement"),
        "shape": (shape_after_a_trip, ([1],), ValueError, "after one iteration. Use tf.autograph.experimental."),
        "type": (type_after_a_trip, (1,), TypeError, "'i' has dtype int32 before the loop, but dtype float32 after"),
        "number": (number_as_condition, (1,), ValueError, "of if statement expected to be `tf.bool` scalar, got"),
        "vector": (vector_as_condition, ([True, False],), ValueError, "statement expected to be `tf.bool` scalar"),
        "none": (none_in_a_branch, (1,), ValueError, "'a' is None at the end of the else branch"),
        "never run": (never_run, (0,), invalid, "loop must iterate at least once to initialize x"),
        "attribute": (attribute_in_one_branch, (1,), ValueError, "'thing.value' must also be initialized in the else"),
    }  # fmt: skip


def plain(x: Any) -> Any:
    """Values as JSON holds them."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in sorted(x.items())}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return np.asarray(x).tolist()


def answers(tf: Any) -> dict[str, Any]:
    """What the functions give as tf.function, for each of their arguments; of mistakes, the message."""
    given: dict[str, Any] = {}
    for name, (f, pairs) in cases(tf).items():
        made = tf.function(f)
        try:
            given[name] = [plain(made(*map(tf.constant, args))) for args, _ in pairs]
        except (TypeError, ValueError, NotImplementedError) as refused:
            given[name] = f"refused: {refused}"
    for name, (f, args, error, _) in mistakes(tf).items():
        try:
            tf.function(f)(*map(tf.constant, args))
        except error as raised:
            given[name] = str(raised)
    return given


if __name__ == "__main__":
    import tensorflow

    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(answers(tensorflow), file)
