"""The list of ops whose rules say NoGradientYet. Printed after the tests, so that it is seen to shrink."""

from __future__ import annotations

_noted: list[str] = []


def note(op_type: str, why: str) -> None:
    """A gradient that exists in mathematics and has not been written."""
    _noted.append(f"no gradient yet: {op_type}: {why.rsplit(' (', 1)[0]}")


def taken() -> list[str]:
    """What was noted since the last call."""
    lines = _noted.copy()
    _noted.clear()
    return lines
