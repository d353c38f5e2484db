"""Memory that is given back is used again, and only then."""

from __future__ import annotations

import gc
import sys

import ml_dtypes
import numpy as np
import pytest

import pullback as tf
from pullback.core import memory


def test_large_memory_comes_back_once_its_last_array_is_gone():
    array = memory.empty((1 << 16,), np.float32)
    assert array.ctypes.data % memory.ALIGNMENT == 0 and memory.owned(array)
    place, view = array.ctypes.data, array.reshape(256, 256)[3:]
    assert not memory.owned(view)
    del array
    gc.collect()
    other = memory.empty((1 << 16,), np.float32)
    assert other.ctypes.data != place  # a view still lies there
    view[:] = 7
    del view
    again = memory.empty((1 << 16,), np.float32)
    assert again.ctypes.data == place
    assert sys.getrefcount(other) <= 2


@pytest.mark.parametrize("dtype", ["float32", "bool", "complex128", "int8", ml_dtypes.bfloat16, "float16"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (300, 400)])
def test_empty_is_an_array_of_its_type(dtype, shape):
    array = memory.empty(shape, dtype)
    assert (array.shape, array.dtype) == (shape, np.dtype(dtype)) and array.flags.c_contiguous
    array[...] = 1
    assert (array == 1).all()


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(memory, "MOST_FREE", memory._free.bytes + 3_000_000)
    before = memory._free.bytes
    many = [memory.empty((1 << 18,), np.float32) for _ in range(20)]
    del many
    gc.collect()
    assert memory._free.bytes <= max(before, memory.MOST_FREE)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "complex64"])
def test_constants_of_large_arrays_are_copies_on_lines(dtype):
    given = np.arange(150_000).reshape(500, 300).astype(dtype)
    for array in (given, given.T, given[::2, ::-1]):
        tensor = tf.constant(array)
        value = tensor.value
        assert value.flags.c_contiguous and value.ctypes.data % memory.ALIGNMENT == 0 and memory.owned(value)
        assert np.array_equal(tensor.numpy(), array) and tensor.dtype == dtype
    before = tensor.numpy()
    given[...] = 0
    assert np.array_equal(tensor.numpy(), before)
