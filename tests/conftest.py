"""What all tests share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hypothesis import settings

# Test folders import their own modules as `generated.cases`, `conformance.grid`.
sys.path.insert(0, str(Path(__file__).parent))

# No test may fail by the clock, and a failure must be the same for whoever runs it again.
settings.register_profile("pullback", deadline=None, derandomize=True)
settings.load_profile("pullback")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints once what tests recorded under "say": what of the outside truth is served, which gradients are missing."""
    reports = [r for rows in terminalreporter.stats.values() for r in rows if hasattr(r, "user_properties")]
    for line in sorted({value for r in reports for name, value in r.user_properties if name == "say"}):
        terminalreporter.write_line(line)
