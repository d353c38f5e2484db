"""Random numbers by machine code: the same to the last bit as NumPy makes them."""

from __future__ import annotations

import numpy as np
import pytest
from machine_code import planned, run_kernel

pytest.importorskip("llvmlite")

from pullback.core.dtypes import as_dtype
from pullback.native import mathematics
from pullback.native.ir import F64
from pullback.native.machine import host
from pullback.ops.random import philox
from pullback.ops.random.draws import (
    StatelessRandomNormalV2,
    StatelessRandomUniformV2,
    StatelessTruncatedNormalV2,
)

DRAWS = [
    (StatelessRandomUniformV2, philox.uniform, "float32"),
    (StatelessRandomUniformV2, philox.uniform, "float64"),
    (StatelessRandomNormalV2, philox.normal, "float32"),
    (StatelessTruncatedNormalV2, philox.truncated_normal, "float32"),
]
COUNTERS = [0, 5, 2**64 - 3, 2**128 - 3]  # the last two run over into the high half, and around


@pytest.mark.parametrize(("op", "truth", "dtype"), DRAWS, ids=lambda v: getattr(v, "__name__", v))
@pytest.mark.parametrize("counter", COUNTERS)
def test_the_same_numbers(op, truth, dtype, counter):
    key = 0x9D3A_1122_3344_5566
    halves = np.array([counter & 2**64 - 1, counter >> 64], np.uint64).view(np.int64)
    for count in (1, 3, 31, 33, 5000):
        given = np.array([count]), np.array(key, np.uint64).view(np.int64), halves
        made = op(as_dtype(dtype))
        (ours,) = planned(made, *given)(*given)
        assert ours.tobytes() == truth(key, counter, (count,), dtype).tobytes()


def probe(module, what):
    """Kernel: y, z = ln x; or the sine and cosine of x."""
    with module.kernel("probe", x=F64.pointer, y=F64.pointer, z=F64.pointer) as (f, x, y, z):
        lanes = host().lanes(F64)
        with f.loop(f.begin, f.end, lanes) as i:
            value = x.load(i, lanes)
            if what == "log":
                y.store(mathematics.log(f, value), i)
            else:
                for to, made in zip((y, z), mathematics.sine_and_cosine(f, value), strict=True):
                    to.store(made, i)


@pytest.mark.slow
def test_every_uniform_gives_the_same_normals():
    """All 2^23 of them: logarithm, sine and cosine round to the same float32 as NumPy's."""
    uniforms = np.arange(2**23) * 2.0**-23
    y, z = np.empty_like(uniforms), np.empty_like(uniforms)
    u = np.maximum(uniforms, np.float64(np.float32(1e-7)))
    run_kernel(probe, ("log",), [u, y, z], u.size)
    assert np.array_equal(y.astype("f4"), np.log(u).astype("f4"))
    angles = (2 * np.pi * uniforms).astype("f4").astype("f8")
    run_kernel(probe, ("sine and cosine",), [angles, y, z], u.size)
    assert np.array_equal(y.astype("f4"), np.sin(angles).astype("f4"))
    assert np.array_equal(z.astype("f4"), np.cos(angles).astype("f4"))
