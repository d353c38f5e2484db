"""Copies between strided arrays: transposes in squares, slices, joins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from machine_code import planned
from properties import holds

pytest.importorskip("llvmlite")

from pullback.ops.array.layout import ReverseV2, Transpose

TYPES = ["float32", "float64", "int32", "int64", "float16", "bool", "uint8"]


@holds(15, seed=st.integers(0, 2**32 - 1))
def test_any_transpose(seed):
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(2, 6))
    shape = tuple(int(n) for n in rng.integers(1, 45 if rank < 4 else 19, rank))
    x = (rng.normal(size=shape) * 9).astype(TYPES[int(rng.integers(len(TYPES)))])
    perm = rng.permutation(rank).astype(np.int32)
    if not np.array_equal(perm[np.array(shape)[perm] != 1], np.sort(perm[np.array(shape)[perm] != 1])):
        assert np.array_equal(planned(Transpose(), x, perm)(x, perm)[0], x.transpose(perm))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(16, 16), (17, 33), (48, 15), (2, 35, 3, 20), (3, 20, 7, 5)], ids=str)
def test_squares_and_their_edges(shape, dtype):
    """Whole squares, and rows and columns that fill none."""
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    for perm in ((1, 0),) if len(shape) == 2 else ((0, 3, 1, 2), (0, 2, 3, 1), (3, 2, 1, 0)):
        order = np.array(perm, np.int32)
        assert np.array_equal(planned(Transpose(), x, order)(x, order)[0], x.transpose(perm))


def test_backwards():
    x = np.random.default_rng(0).normal(size=(20, 3, 37)).astype("f4")
    for axes in ((0,), (2,), (0, 1, 2)):
        order = np.array(axes, np.int32)
        assert np.array_equal(planned(ReverseV2(), x, order)(x, order)[0], np.flip(x, axes))
