"""The arena's places do not overlap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from pullback.native.arena import ALIGNMENT, Arena


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5000)), max_size=120))
def test_places_taken_at_once_do_not_overlap(steps):
    """Steps take a place or give back one of those taken; at the end, all are given back."""
    places, taken = Arena(), []
    for takes, number in steps:
        if takes or not taken:
            at = places.take(number)
            assert at % ALIGNMENT == 0 and at + number <= places.bytes
            for other, size in taken:
                assert at + max(number, 1) <= other or other + max(size, 1) <= at
            taken.append((at, number))
        else:
            at, _ = taken.pop(number % len(taken))
            places.give_back(at)
    for at, _ in taken:
        places.give_back(at)
    whole = places.bytes
    if whole:
        assert places.take(whole) == 0 and places.bytes == whole  # all gaps are one again


def test_the_smallest_gap_that_is_large_enough():
    places = Arena()
    a, _, b, _ = [places.take(size) for size in (640, 64, 128, 64)]
    places.give_back(a)
    places.give_back(b)
    assert places.take(100) == b and places.take(600) == a
