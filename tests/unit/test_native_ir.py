"""The emitter: types, operators, masks, loops; and that what it writes is well formed for other processors too."""

from __future__ import annotations

import ctypes
import mmap
import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine_code import run_kernel

pytest.importorskip("llvmlite")

from pullback.core import dtypes
from pullback.core.spec import Spec
from pullback.engines.blas import BLAS
from pullback.native import build, ir, machine
from pullback.native.ir import BF16, F16, F32, F64, I1, I8, I16, I32, I64, Module

LANES = {
    F32: np.float32,
    F64: np.float64,
    I32: np.int32,
    I64: np.int64,
}


@pytest.mark.parametrize("kind", LANES, ids=lambda k: k.name)
@pytest.mark.parametrize("lanes", [1, 2, 4, 16])
def test_operators_are_numpys(kind, lanes):
    rng = np.random.default_rng(lanes)
    a, b = (rng.integers(1, 99, lanes).astype(LANES[kind]) for _ in range(2))
    rules = [
        lambda f, x, y: x + y,
        lambda f, x, y: x - y,
        lambda f, x, y: x * y,
        lambda f, x, y: 3 - x,
        lambda f, x, y: 2 * x + 1,
        lambda f, x, y: -x,
        lambda f, x, y: f.select(x < y, x, y),
        lambda f, x, y: ((x >= y) | x.equals(7)).to(x.type.scalar),
        lambda f, x, y: f.minimum(x, y),
        lambda f, x, y: f.maximum(x, 50),
        lambda f, x, y: f.select(~(x.differs(y)), y, x),
        lambda f, x, y: x.to(F64).to(x.type.scalar),
    ]
    wanted = [
        a + b,
        a - b,
        a * b,
        3 - a,
        2 * a + 1,
        -a,
        np.minimum(a, b),
        ((a >= b) | (a == 7)).astype(a.dtype),
        np.minimum(a, b),
        np.maximum(a, 50),
        np.where(a == b, b, a),
        a,
    ]

    def operators(module):
        with module.kernel("operators", a=kind.pointer, b=kind.pointer, y=kind.pointer) as (f, x, y, out):
            for i, rule in enumerate(rules):
                out.store(rule(f, x.load(0, lanes), y.load(0, lanes)), i * lanes)

    out = np.zeros((len(rules), lanes), LANES[kind])
    run_kernel(operators, (), (a, b, out))
    for i, value in enumerate(wanted):
        assert out[i].tolist() == value.tolist(), f"rule {i}"


def test_two_types_do_not_mix():
    with (
        pytest.raises(TypeError, match="the types must be the same"),
        Module().kernel("mixed", x=F32.pointer, y=F64.pointer) as (_, x, y),
    ):
        x.load() + y.load()
    with pytest.raises(TypeError, match="is no pointer"), Module().kernel("value", n=I64) as (_, n):
        n.load()


@given(st.floats(width=64))
def test_constants_are_exact(number):
    """A float is written by its bits: what comes back is the number in that type."""
    for kind, dtype in ((F64, np.float64), (F32, np.float32), (F16, np.float16), (BF16, ml_dtypes.bfloat16)):
        with np.errstate(over="ignore"):
            wanted = np.array(number).astype(dtype)
        if np.isfinite(wanted) and not (kind is BF16 and abs(number) < 1e-30):
            text = ir.literal(float(wanted.astype(np.float64)), kind)
            assert _number(text, kind) == float(wanted.astype(np.float64)), (kind, text)


def _number(text, kind):
    """A constant of LLVM's text form."""
    digits = text[2:].lstrip("HR")
    if kind in (F16, BF16):
        bits = np.array([int(digits, 16)], np.uint16)
        return float(bits.view(np.float16 if kind is F16 else ml_dtypes.bfloat16)[0].astype(np.float64))
    return float(np.array([int(digits, 16)], np.uint64).view(np.float64)[0])


def test_what_is_known_while_emitting_emits_nothing():
    with Module().kernel("known", x=F32.pointer, n=I64) as (f, x, n):
        before = len(f.text())
        assert n + 0 is n and n * 1 is n and n // 1 is n and n - 0 is n and x.at(0) is x
        assert n * 0 == 0 and n % 1 == 0
        assert len(f.text()) == before


@pytest.mark.parametrize("count", range(9))
def test_masked_lanes_are_left_alone(count):
    def masked(module):
        with module.kernel("masked", x=F32.pointer, y=F32.pointer, n=I64) as (f, x, y, n):
            mask = f.lanes_below(n, 8)
            y.store(x.load(0, 8, mask) + 1.0, 0, mask)

    x, y = np.arange(8, dtype=np.float32), np.full(8, -1, np.float32)
    run_kernel(masked, (), (x, y, count))
    assert y.tolist() == [*(x[:count] + 1).tolist(), *[-1.0] * (8 - count)]


def test_masked_loads_do_not_touch_what_is_not_there():
    """What lies behind the mask's last lane may not be read."""
    room = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    whole = np.frombuffer(room, np.float32)
    tail = whole[whole.size // 2 - 3 : whole.size // 2]
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mprotect"):
        beyond = ctypes.c_void_p(whole.ctypes.data + mmap.PAGESIZE)
        assert libc.mprotect(beyond, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
    tail[:] = (1, 2, 3)

    def tailed(module):
        with module.kernel("tailed", x=F32.pointer, y=F32.pointer) as (f, x, y):
            y.store(x.load(0, 16, f.lanes_below(3, 16)))

    y = np.ones(16, np.float32)
    run_kernel(tailed, (), (tail, y))
    assert y.tolist() == [1, 2, 3, *[0] * 13]


@pytest.mark.parametrize("begin,end,step", [(0, 0, 1), (0, 7, 1), (3, 3, 2), (5, 2, 1), (0, 10, 4), (2, 3, 5)])
def test_loops_count_as_ranges_do(begin, end, step):
    def looped(module, known):
        with module.kernel("looped", y=I64.pointer, b=I64, e=I64) as (f, y, b, e):
            at = f.variable(0)
            with f.loop(*((begin, end) if known else (b, e)), step) as i:
                y.store(i, at.value)
                at.value = at.value + 1

    for known in (False, True):
        y = np.full(12, -1)
        run_kernel(looped, (known,), (y, begin, end))
        steps = list(range(begin, end, step))
        assert y[: len(steps)].tolist() == steps and (y[len(steps) :] == -1).all()


def test_branches_and_leaving():
    def branched(module):
        with module.kernel("branched", y=I64.pointer, n=I64) as (f, y, n):
            with f.when(n > 3):
                y.store(1, 0)
            f.leave_when(n > 5)
            count = f.variable(0)
            with f.repeat_while() as go_on:
                count.value = count.value + 2
                go_on(count.value < n)
            y.store(count.value, 1)

    for n, wanted in ((0, [0, 2]), (4, [1, 4]), (5, [1, 6]), (6, [1, 0])):
        y = np.zeros(2, np.int64)
        run_kernel(branched, (), (y, n))
        assert y.tolist() == wanted
    refused = pytest.raises(ValueError, match="known not to be taken")
    with Module().kernel("never", n=I64) as (f, _), refused, f.when(False):
        pass


def test_nan_wins_extremes_and_loses_comparisons():
    def extremes(module):
        with module.kernel("extremes", x=F32.pointer, y=F32.pointer) as (f, x, y):
            a, b = x.load(0, 4), x.load(4, 4)
            y.store(f.minimum(a, b), 0)
            y.store(f.maximum(a, b), 4)
            y.store((a < b).to(F32), 8)
            y.store(a.differs(b).to(F32), 12)

    x = np.array([1, np.nan, 2, -0.0, np.nan, 1, 3, 0.0], np.float32)
    y = np.zeros(16, np.float32)
    run_kernel(extremes, (), (x, y))
    assert np.array_equal(y[:4], np.array([np.nan, np.nan, 2, -0.0]), equal_nan=True) and np.signbit(y[3])
    assert np.array_equal(y[4:8], np.array([np.nan, np.nan, 3, 0]), equal_nan=True) and not np.signbit(y[7])
    assert y[8:].tolist() == [0, 0, 1, 0, 1, 1, 1, 0]


def test_conversions():
    def converted(module):
        with module.kernel("converted", x=I8.pointer, y=I64.pointer, z=F64.pointer) as (f, x, y, z):
            y.store(x.load().to(I64), 0)
            y.store(x.load().unsigned_to(I64), 1)
            y.store(x.load().differs(0).to(I64), 2)
            y.store(f.constant(-2.75, F64).to(I32).to(I64), 3)
            y.store((x.load().to(I16) << 4).to(I64), 4)
            z.store(f.constant(0.1, F32).to(F64), 0)
            z.store(x.load().to(F64), 1)
            z.store(f.constant(1.0, F64).bits_as(I64).to(F64), 2)
            z.store(f.constant(1, I1).to(F64), 3)

    x, y, z = np.array([-5], np.int8), np.zeros(5, np.int64), np.zeros(4)
    run_kernel(converted, (), (x, y, z))
    assert y.tolist() == [-5, 251, 1, -2, -80]
    assert z.tolist() == [float(np.float32(0.1)), -5.0, float(np.float64(1).view(np.int64)), 1.0]


def test_shuffles_and_sums_across():
    def across(module):
        with module.kernel("across", x=F32.pointer, y=F32.pointer) as (f, x, y):
            v = x.load(0, 8)
            y.store(f.shuffle(v, v, [7, 6, 5, 4, 3, 2, 1, 0]), 0)
            y.store(f.across(v, lambda a, b: a + b), 8)
            y.store(f.across(v, f.maximum), 9)
            y.store(v.lane(3), 10)

    x, y = np.array([3, 1, 4, 1, 5, 9, 2, 6], np.float32), np.zeros(11, np.float32)
    run_kernel(across, (), (x, y))
    assert y.tolist() == [*x[::-1].tolist(), 31, 9, 1]


def test_what_is_not_well_formed_is_refused():
    with pytest.raises(RuntimeError, match="nonsense"):
        build.compiled("define void @x() {\n  nonsense\n}\n", machine.host())


# --- other processors --------------------------------------------------------------------------------------------


def _jobs(machine_: machine.Machine, monkeypatch):
    """The jobs that some ops become on a machine. Nothing is compiled."""
    import pullback.ops.nn.conv as conv
    import pullback.ops.nn.pool as pool
    from pullback.engines.cpu.plan import one
    from pullback.ops.linalg.matmul import MatMul
    from pullback.ops.math.arithmetic import Exp, Log, Tanh
    from pullback.ops.nn.softmax import Softmax

    x, w = (2, 12, 12, 6), (3, 3, 6, 20)
    dy, sizes = (2, 12, 12, 20), [np.array(s, np.int32) for s in (x, w)]
    window = ((2, 2), (2, 2), "SAME")
    small, places = (2, 6, 6, 6), Spec((2, 6, 6, 6), dtypes.int64)
    ops = [
        (conv.Conv2D(padding="SAME"), (x, w)),
        (conv.Conv2D(strides=(2, 2), padding="SAME"), (x, w)),
        (conv.Conv2DBackpropInput(padding="SAME"), (sizes[0], w, dy)),
        (conv.Conv2DBackpropFilter(padding="SAME"), (x, sizes[1], dy)),
        (pool.MaxPool(*window), (x,)),
        (pool.MaxPoolGrad(*window), (x, small, small)),
        (pool.AvgPool(*window), (x,)),
        (pool.MaxPoolGradWithArgmax(*window), (x, small, places)),
        (pool.Repool(), (x, places)),
        (MatMul(), ((9, 30), (30, 21))),
        (Softmax(), ((5, 19),)),
        *[(kind(), ((77,),)) for kind in (Exp, Log, Tanh)],
    ]
    for module in [m for name, m in sys.modules.items() if name.startswith("pullback.") and hasattr(m, "host")]:
        if module.host is machine.host:
            monkeypatch.setattr(module, "host", lambda: machine_)
    from pullback.engines.cpu.run import Segment

    found = {}
    for dtype in (np.dtype("float32"), np.dtype("float64")):
        for op, args in ops:
            given = [a if isinstance(a, (np.ndarray, Spec)) else Spec(a, dtypes.from_numpy(dtype)) for a in args]
            for step in one(op, given, BLAS).steps:
                assert isinstance(step, Segment)
                found |= {(job.emit, job.settings): job for job in step.jobs}
    return list(found)


@pytest.mark.parametrize("name", ["neon", "avx2"])
def test_kernels_are_well_formed_elsewhere(name, monkeypatch):
    """Verified and compiled for processors that this one is not; not run."""
    avx2 = machine.Machine("avx2", 256, 16, "x86_64-unknown-linux-gnu", "x86-64-v3", "")
    target = {"neon": machine.NEON, "avx2": avx2}[name]
    jobs = _jobs(target, monkeypatch)
    assert len({emit for emit, _ in jobs}) > 10
    for emit, settings in jobs:
        module = target.module()
        emit(module, *settings)
        assert build.compiled(module.text(), target)[:4] == b"\x7fELF"


def test_masking_what_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("PULLBACK_ISA", "sse9")
    machine.host.cache_clear()
    try:
        with pytest.raises(ValueError, match="PULLBACK_ISA='sse9': this processor has"):
            machine.host()
    finally:
        monkeypatch.undo()
        machine.host.cache_clear()
        machine.host()
