"""The golden that a test is about."""

from __future__ import annotations

import pytest
from conformance.golden import Golden


@pytest.fixture
def g(topic: str) -> Golden:
    return Golden(topic)
