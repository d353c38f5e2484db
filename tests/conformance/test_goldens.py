"""How many of the goldens are served, and that nothing is served by accident."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance.golden import FOLDER, TOPICS, TOTAL, missing, mix

beside = pytest.mark.skipif(not FOLDER.exists(), reason=f"goldens lie beside the checkout; {FOLDER} is not there")


@beside
def test_goldens_are_served(record_property: Callable[[str, object], None]) -> None:
    for found in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if found.name.startswith("test_goldens_"):
            importlib.import_module(f"conformance.{found.name}")
    served = [topic for topic, needs in TOPICS.items() if not missing(needs)]
    record_property("say", f"goldens: {len(served)} of {TOTAL}")
    for topic in sorted(set(TOPICS) - set(served)):
        record_property("say", f"golden not yet: {topic}: needs {', '.join(missing(TOPICS[topic]))}")


@beside
def test_every_golden_has_a_program() -> None:
    test_goldens_are_served(lambda name, value: None)
    assert set(TOPICS) == {path.stem for path in FOLDER.glob("*.json")}


def test_numbers_without_a_file() -> None:
    """The first ones, by the rule of the goldens' README in plain integers."""
    for k in range(20):
        h = (k * 2654435761 + 7 * 40503) % 2**32
        h ^= h >> 15
        h = h * 2246822519 % 2**32
        h ^= h >> 13
        assert mix(20, 7)[k] == h / 2147483648 - 1
