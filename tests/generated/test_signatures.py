"""Public functions have TensorFlow's parameters: names, order, defaults, in both dialects."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pullback import _names
from pullback.core import dtypes, tensor

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "tf_signatures.json"
# Classes that users hold and never construct.
MADE_BY_US = (dtypes.DType, tensor.Tensor)
SIGNATURES: dict[str, dict[str, str]] = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
# What stands for no value that could be written down.
_OPAQUE = re.compile(r"<(object|function|class|built-in|.* object at)|\?")


def pieces(text: str) -> list[str]:
    """A parameter list, split at its commas."""
    out, depth, quote, start = [], 0, "", 0
    for i, c in enumerate(text):
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
        elif c in "([{" or (c == "<" and text[i - 1 : i] in "= "):
            depth += 1
        elif c in ")]}" or (c == ">" and text[i - 1 : i] != "-" and depth):
            depth -= 1
        elif c == "," and not depth:
            out.append(text[start:i].strip())
            start = i + 1
    return [p for p in (*out, text[start:].strip()) if p]


def inside(text: str) -> str:
    """What stands between the outer parentheses."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if not depth:
            return text[1:i]
    return text[1:]


def parameters(text: str) -> list[tuple[str, str | None]]:
    """[(name, default as text or None)], positional ones; `*args` and what follows a bare `*` keep their stars."""
    out = []
    for piece in pieces(inside(text)):
        name, _, default = piece.partition("=")
        out.append((name.partition(":")[0].strip(), default.strip() if "=" in piece else None))
    return out


def default_is(ours: Any, theirs: str) -> bool:
    """Whether our default is what TensorFlow's prints."""
    if _OPAQUE.search(theirs):
        return True
    try:
        value = ast.literal_eval(theirs)
    except (ValueError, SyntaxError):
        named = getattr(ours, "name", ours)
        return theirs in (repr(ours), str(ours), f"tf.{named}", f"<dtype: '{named}'>") or re.sub(
            r"<(\w+\.\w+): .*>", r"\1", theirs
        ) == str(ours)
    ours = list(ours) if isinstance(ours, tuple) else ours
    value = list(value) if isinstance(value, tuple) else value
    return type(ours) is type(value) and ours == value


def cases() -> list[Any]:
    out = []
    for table, dialect in (("V1", "v1"), ("V2", "v2")):
        for name, place in sorted(getattr(_names, table).items()):
            text = SIGNATURES.get(name, {}).get(dialect)
            if text and text.startswith("("):
                out.append(pytest.param(name, place, text, id=f"{dialect}-{name}"))
    return out


def tells_nothing(theirs: list[tuple[str, str | None]]) -> bool:
    """A wrapper's `(*args, **kwargs)`."""
    return {name for name, _ in theirs} <= {"*args", "**kwargs"}


@pytest.mark.parametrize(("name", "place", "text"), cases())
def test_signature_is_tensorflows(name: str, place: str, text: str) -> None:
    module, _, attribute = place.partition(":")
    made = getattr(importlib.import_module(module), attribute)
    if not callable(made):
        return
    theirs = parameters(text)
    if (theirs and tells_nothing(theirs)) or made in MADE_BY_US:
        return
    ours = [p for p in inspect.signature(made).parameters.values() if p.name != "self"]
    if any(p.kind is p.VAR_POSITIONAL for p in ours):
        return
    needed = {name for name, default in theirs if default is None}
    required = [p.name for p in ours if p.kind is p.KEYWORD_ONLY and p.default is p.empty and p.name not in needed]
    assert not required, f"{place}: {required} have no default, so TensorFlow's calls fail"
    positional = [p for p in ours if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if name.startswith("raw_ops."):
        positional = ours  # TensorFlow's raw_ops take keywords only; their printed signature does not say so
    star = next((i for i, (name, _) in enumerate(theirs) if name.startswith("*")), len(theirs))
    listed = [(name, default) for name, default in theirs[:star] if name not in ("self", "/")]
    named = [name for name, _ in listed]
    assert [p.name for p in positional] == named, f"{place}: {[p.name for p in positional]} should be {named}"
    keywords = {p.name: p for p in ours if p.kind is p.KEYWORD_ONLY}
    for name, default in theirs[star + 1 :]:
        if not name.startswith("*"):
            assert name in keywords, f"{place}: keyword {name!r} is missing"
            check_default(place, keywords[name], default)
    for p, (_, default) in zip(positional, listed, strict=True):
        check_default(place, p, default)


def check_default(place: str, ours: inspect.Parameter, theirs: str | None) -> None:
    if theirs is None:
        assert ours.default is ours.empty, f"{place}: {ours.name} has a default, TensorFlow's has none"
    else:
        assert ours.default is not ours.empty, f"{place}: {ours.name} should default to {theirs}"
        assert default_is(ours.default, theirs), f"{place}: {ours.name} is {ours.default!r}, TensorFlow's {theirs}"


def test_parser_reads_what_python_prints() -> None:
    """Commas in brackets, words and objects are no separators."""
    text = "(a, b: 'int' = (1, 2), c=\", \", *, d=<dtype: 'float32'>, **kw) -> tuple[int, str]"
    expected = [("a", None), ("b", "(1, 2)"), ("c", '", "'), ("*", None), ("d", "<dtype: 'float32'>"), ("**kw", None)]
    assert parameters(text) == expected
