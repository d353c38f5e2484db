"""The goldens: what TensorFlow computed for each program of the seed documents.

They lie beside the checkout, in ../shared/goldens; the README there says what the fields mean. A program that needs a
public name which is not there yet is skipped, with that name as the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from closeness import close
from conformance.calls import found

import pullback as tf

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "goldens"
TOTAL = len(list(FOLDER.glob("*.json")))
# Topics whose programs stand in test_goldens_*.py -> what they need of tf and tf1.
TOPICS: dict[str, tuple[str, ...]] = {}
BOUND = {"float64": 1e-12, "float32": 1e-5}
TRAINED = 1e-4  # traces of training


class Golden:
    """One program's inputs and outputs."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.data: dict[str, Any] = json.loads((FOLDER / f"{topic}.json").read_text(encoding="utf-8"))
        self.attributes: dict[str, Any] = self.data["attributes"]

    def input(self, name: str, dtype: Any = None) -> Any:
        """An input, cast to `dtype`; a list of arrays when the golden holds a list."""
        value = _read(self.data["inputs"][name])
        if dtype is None:
            return value
        return [v.astype(dtype) for v in value] if isinstance(value, list) else value.astype(dtype)

    def output(self, name: str, dtype: Any = None) -> Any:
        """An output; of a float64 run where asked and kept."""
        wide = self.data.get("outputs_float64") or {}
        if dtype is not None and np.dtype(dtype) == np.float64 and name in wide:
            return _read(wide[name])
        return _read(self.data["outputs"][name])

    def check(self, name: str, ours: Any, bound: float | None = None) -> None:
        """Asserts that ours is the golden's output: by the precision of ours, unless `bound` says how nearly."""
        dtype = np.float64 if _wide(ours) else None
        self.same(name, ours, self.output(name, dtype), bound)

    def same(self, name: str, ours: Any, theirs: Any, bound: float | None = None) -> None:
        what = f"{self.topic}: {name}\n  ours   {ours!r}\n  golden {theirs!r}"
        if isinstance(theirs, list):
            assert len(ours) == len(theirs), what
            for a, b in zip(ours, theirs, strict=True):
                self.same(name, a, b, bound)
            return
        if theirs is None or ours is None:
            assert ours is None and theirs is None, what
            return
        if isinstance(theirs, str):
            assert ours == theirs, what
            return
        ours = np.asarray(ours)
        assert ours.shape == theirs.shape, what
        if theirs.dtype.kind != "f":
            assert np.array_equal(ours, theirs), what
            return
        assert ours.dtype.kind == "f", what
        assert close(ours, theirs, bound or max(BOUND[ours.dtype.name], BOUND[theirs.dtype.name])), what


def _wide(ours: Any) -> bool:
    if isinstance(ours, (list, tuple)):
        return any(map(_wide, ours))
    return getattr(ours, "dtype", None) == np.float64


def _read(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return [_read(v) for v in value]
    if "text" in value:
        return value["text"]
    words = {"true": True, "false": False, "True": True, "False": False}
    flat = [words.get(v, v) for v in value["values"]]
    return np.array(flat, dtype=value["dtype"]).reshape(value["shape"])


def missing(names: tuple[str, ...]) -> list[str]:
    """Which public names are not there. "v1:train.X" is looked up in pullback.v1."""
    return [n for n in names if found(tf, n) is None]


def golden(topic: str, *needs: str) -> Callable[[Any], Any]:
    """Decorator: the test is the program of this topic; the fixture `g` is its Golden."""
    TOPICS[topic] = needs

    def mark(test: Any) -> Any:
        absent = missing(needs)
        test = pytest.mark.parametrize("topic", [topic])(test)
        test = pytest.mark.skipif(bool(absent), reason=f"needs {', '.join(absent)}")(test)
        return pytest.mark.skipif(
            not FOLDER.exists(), reason=f"goldens lie beside the checkout; {FOLDER} is not there"
        )(test)

    return mark


def mix(n: int, layer: int) -> Any:
    """Numbers without a file, as the goldens' README makes them; in [-1, 1)."""
    k = np.arange(n, dtype=np.uint64)
    h = (k * np.uint64(2654435761) + np.uint64(layer * 40503)) % np.uint64(2**32)
    h ^= h >> np.uint64(15)
    h = (h * np.uint64(2246822519)) % np.uint64(2**32)
    h ^= h >> np.uint64(13)
    return h.astype(np.float64) / 2147483648 - 1


both_precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
