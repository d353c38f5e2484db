"""What all tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import settings

# Test folders import their own modules as `generated.cases`, `conformance.grid`.
sys.path.insert(0, str(Path(__file__).parent))

# No test may fail by the clock, and a failure must be the same for whoever runs it again.
settings.register_profile("pullback", deadline=None, derandomize=True)
settings.load_profile("pullback")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Lines that collected modules have to say: how much of the outside truth is served, what has no gradient yet."""
    for line in _said():
        terminalreporter.write_line(line)


def _said() -> Iterator[str]:
    """`said()` of each module that has one; the same in every worker, so it is asked for again here."""
    for name in ("generated.gaps", "conformance.grid", "conformance.served"):
        module = sys.modules.get(name)
        if module is not None:
            yield from module.said()
