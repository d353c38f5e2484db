"""Gaps that a test notes are said after the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from generated.gaps import taken


@pytest.fixture(autouse=True)
def _gaps_are_said(record_property: Callable[[str, object], None]) -> Iterator[None]:
    yield
    for line in taken():
        record_property("say", line)
