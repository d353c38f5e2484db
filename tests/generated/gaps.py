"""The list of ops whose rules say NoGradientYet. Printed after the tests, so that it is seen to shrink."""

from __future__ import annotations

from collections.abc import Iterator

_noted: dict[str, set[str]] = {}


def note(op_type: str, why: str) -> None:
    """A gradient that exists in mathematics and has not been written."""
    _noted.setdefault(op_type, set()).add(why.rsplit(" (", 1)[0])


def said() -> Iterator[str]:
    for op_type in sorted(_noted):
        for why in sorted(_noted[op_type]):
            yield f"no gradient yet: {op_type}: {why}"
