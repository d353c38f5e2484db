"""The arena's places do not overlap; memory that is given back is used again, and only then."""

from __future__ import annotations

import gc
import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from pullback.native import arena
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


def test_large_memory_comes_back_once_its_last_array_is_gone():
    array = arena.empty((1 << 16,), np.float32)
    assert array.ctypes.data % ALIGNMENT == 0 and arena.owned(array)
    place, view = array.ctypes.data, array.reshape(256, 256)[3:]
    assert not arena.owned(view)
    del array
    gc.collect()
    other = arena.empty((1 << 16,), np.float32)
    assert other.ctypes.data != place  # a view still lies there
    view[:] = 7
    del view
    again = arena.empty((1 << 16,), np.float32)
    assert again.ctypes.data == place
    assert sys.getrefcount(other) <= 2


@pytest.mark.parametrize("dtype", ["float32", "bool", "complex128", "int8", ml_dtypes.bfloat16, "float16"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (300, 400)])
def test_empty_is_an_array_of_its_type(dtype, shape):
    array = arena.empty(shape, dtype)
    assert (array.shape, array.dtype) == (shape, np.dtype(dtype)) and array.flags.c_contiguous
    array[...] = 1
    assert (array == 1).all()


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(arena, "MOST_FREE", arena._free.bytes + 3_000_000)
    before = arena._free.bytes
    many = [arena.empty((1 << 18,), np.float32) for _ in range(20)]
    del many
    gc.collect()
    assert arena._free.bytes <= max(before, arena.MOST_FREE)
