"""Machine code as a Python function of arrays: CPython calls it itself, without ctypes' conversions.

    call = entry.prepared(jobs, count, expected, moves)
    call(x, w, y)      -> True: the jobs have run;   False: an array is not as expected, or a job refuses what it holds

It reads an array's type, shape and address where CPython and NumPy keep them, and writes the addresses into the jobs'
argument tables. The interpreter's lock is held meanwhile, so no two calls overlap: for work of microseconds. Whether
objects lie in memory as is believed here is tried once, on an array; elsewhere there is no entry.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.native import pool
from pullback.native.build import linked
from pullback.native.ir import I1, I32, I64, Function, Value
from pullback.native.machine import host

# Where objects hold what, in bytes: the type in PyObject; the rest in PyArrayObject.
_TYPE, _DATA, _RANK, _SIZES, _DTYPE, _FLAGS = 8, 16, 24, 32, 56, 64
DENSE = 0x101  # NumPy's flags for row-major and aligned
# Words of a table.
JOBS, COUNT, GIVEN, EXPECTED, MOVED, ARRAY, ANSWER, REFUSALS, REFUSABLE = range(9)
HEAD = 9
_FASTCALL = 0x80  # CPython's METH_FASTCALL: f(self, arguments, how many)


class _Method(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def _field(f: Function, thing: Value, offset: int, word: Any = I64) -> Value:
    """A field of an object."""
    return thing.of(word).load(offset // word.bytes)


def _emit_entry(module: Any) -> None:
    """`self` is an array that holds the table; what follows its head is read in order:

    for each expected array    its dtype's address, its rank, its sizes
    for each move              the number of an argument, where its address is written, how many bytes are added
    """
    pool.emit_alone(module)
    with module.function("entry", I64.pointer, I64.pointer, I64, internal=False) as (f, self, given, count):
        table = pool.as_pointer(f, _field(f, self, _DATA))
        fits = f.variable(table.load(GIVEN).equals(count), I1)
        at = f.variable(HEAD)
        with f.when(fits.value), f.loop(0, table.load(EXPECTED)) as i, f.when(fits.value):
            x = pool.as_pointer(f, given.load(i))
            fits.value = _field(f, x, _TYPE).equals(table.load(ARRAY))
            with f.when(fits.value):
                rank = table.load(at.value + 1)
                dense = (_field(f, x, _FLAGS, I32) & DENSE).equals(DENSE)
                same = _field(f, x, _DTYPE).equals(table.load(at.value)) & _field(f, x, _RANK, I32).to(I64).equals(rank)
                fits.value = dense & same
                with f.when(fits.value):
                    sizes = pool.as_pointer(f, _field(f, x, _SIZES))
                    with f.loop(0, rank) as axis:
                        fits.value = fits.value & sizes.load(axis).equals(table.load(at.value + 2 + axis))
                at.value = at.value + 2 + rank
        with f.when(fits.value):
            with f.loop(0, table.load(MOVED)) as i:
                move = table.at(at.value + 3 * i)
                address = _field(f, pool.as_pointer(f, given.load(move.load(0))), _DATA)
                pool.as_pointer(f, move.load(1)).store(address + move.load(2))
            f.call(module["alone"], pool.as_pointer(f, table.load(JOBS)), table.load(COUNT))
            words = pool.as_pointer(f, table.load(REFUSALS))
            with f.loop(0, table.load(REFUSABLE)) as i:
                fits.value = fits.value & words.load(i).equals(0)
                words.store(0, i)
        answer = pool.as_pointer(f, table.load(ANSWER))
        f.answer = f.call_pointer(answer, fits.value.unsigned_to(I64), result=I64.pointer)


@functools.cache
def _method() -> _Method:
    """What CPython is to call."""
    module = host().module()
    _emit_entry(module)
    made = _Method(b"run", linked(module)["entry"], _FASTCALL, None)
    ctypes.pythonapi["Py_IncRef"](ctypes.py_object(made))  # functions point to it until the process has ended
    return made


@functools.cache
def _makes() -> Any:
    """CPython's PyCFunction_NewEx(method, self, module)."""
    made = ctypes.pythonapi["PyCFunction_NewEx"]  # an object of our own: nobody else's argument types are changed
    made.restype, made.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return made


def prepared(
    jobs: int,
    count: int,
    expected: Sequence[tuple[tuple[int, ...], Any]],
    moves: Sequence[tuple[int, int, int]],
    fresh: int = 0,
    refusals: Any = (),
) -> Callable[..., bool]:
    """A function of arrays that runs `count` jobs lying at an address, by the calling thread alone.

    Args:
      expected: shape and dtype of each of the first arrays, which are looked at.
      moves: (number of an array, where its address is to be written, bytes to be added to it).
      fresh: how many more arrays follow, which are taken as they are.
      refusals: ctypes words, zero, that jobs set where they refuse what arrays hold. After a call they are zero again.
    """
    answer = ctypes.cast(ctypes.pythonapi["PyBool_FromLong"], ctypes.c_void_p).value
    words = [jobs, count, len(expected) + fresh, len(expected), len(moves), id(np.ndarray), answer]
    words += [ctypes.addressof(refusals), len(refusals)] if refusals else [0, 0]
    for shape, dtype in expected:
        kept = np.dtype(dtype)
        words += [id(_dtypes.setdefault(id(kept), kept)), len(shape), *shape]
    for move in moves:
        words += move
    return _makes()(ctypes.addressof(_method()), np.array(words, np.int64), None)


_dtypes: dict[int, Any] = {}  # that tables name by address, and so must live


@functools.cache
def available() -> bool:
    """Whether objects lie in memory as this module believes. In a CPython without the interpreter's lock they do not:
    their heads are longer."""
    if sys.implementation.name != "cpython":
        return False
    probe = np.zeros((3, 5), np.float32)[1:]
    whole, half = ctypes.c_int64.from_address, ctypes.c_int32.from_address
    place = id(probe)
    laid_out = (
        whole(place + _TYPE).value == id(np.ndarray)
        and whole(place + _DATA).value == probe.ctypes.data
        and half(place + _RANK).value == 2
        and whole(place + _DTYPE).value == id(probe.dtype)
        and half(place + _FLAGS).value == probe.flags.num
    )
    sizes = whole(place + _SIZES).value
    return laid_out and (whole(sizes).value, whole(sizes + 8).value) == probe.shape and _works(probe)


def _works(probe: Any) -> bool:
    """Whether the function tells arrays apart, and finds one's address."""
    found = ctypes.c_int64(0)
    call = prepared(0, 0, [(probe.shape, probe.dtype)], [(0, ctypes.addressof(found), 0)])
    others = (probe.T, probe[:, ::2], probe.astype(np.int32), probe[:1], 1.0)
    refused = not any(call(x) for x in others) and not call() and found.value == 0
    return refused and call(probe) is True and found.value == probe.ctypes.data
