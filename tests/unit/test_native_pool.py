"""Worker threads: every share is run once, in order, whoever helps; parking, waking, forking, callers at once."""

from __future__ import annotations

import ctypes
import os
import threading
import time

import numpy as np
import pytest
from machine_code import in_fresh_python

pytest.importorskip("llvmlite")

from pullback.core.config import config
from pullback.native import pool
from pullback.native.ir import I64


def count_up(module):
    """Adds to each item."""
    with module.kernel("count_up", y=I64.pointer, gained=I64) as (f, y, gained), f.loop(f.begin, f.end) as i:
        y.store(y.load(i) + gained, i)


def take_from(module):
    """y[i] = x[n - 1 - i]: needs all of the job before."""
    words = {"x": I64.pointer, "y": I64.pointer, "n": I64}
    with module.kernel("take_from", **words) as (f, x, y, n), f.loop(f.begin, f.end) as i:
        y.store(x.load(n - 1 - i) + 1, i)


class Jobs:
    """Job words for kernels on arrays, kept alive."""

    def __init__(self, *jobs):
        from pullback.engines.cpu.task import kernel

        self.rows = np.zeros((len(jobs), pool.JOB_WORDS), np.int64)
        self.tables = []
        for row, (emit, words, items, shares) in zip(self.rows, jobs, strict=True):
            values = [w.ctypes.data if isinstance(w, np.ndarray) else w for w in words]
            self.tables.append((ctypes.c_int64 * len(values))(*values))
            row[:4] = kernel(emit, ()), ctypes.addressof(self.tables[-1]), items, shares

    @property
    def at(self):
        return self.rows.ctypes.data, len(self.rows)


@pytest.fixture(params=[1, 2, 3, 8])
def threads(request):
    made = pool.Pool(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("items,shares", [(1, 1), (7, 7), (1000, 16), (5, 3), (64, 64)])
def test_every_item_once(threads, items, shares):
    y = np.zeros(items, np.int64)
    jobs = Jobs((count_up, (y, 3), items, shares))
    for n in range(1, 20):
        threads.run(*jobs.at)
        assert (y == 3 * n).all()


def test_a_job_begins_when_the_one_before_is_done(threads):
    n = 4096
    x, y, z = np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.int64)
    chain = [(x, y), (y, z), (z, x)] * 20
    jobs = Jobs(*[(take_from, (a, b, n), n, 16) for a, b in chain])
    before = x.copy()
    threads.run(*jobs.at)
    # an even number of reversals, and 1 more each time
    assert np.array_equal(x, before + len(chain))


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two processors"
)
def test_a_worker_does_not_wake_where_its_caller_runs():
    every = os.sched_getaffinity(0)
    worker = pool._Parked()
    try:
        worker.leave(min(every))
        assert os.sched_getaffinity(0) == every - {min(every)}
        worker.roam()
        assert os.sched_getaffinity(0) == every
        worker = pool._Parked()
        for unknown in (-1, max(every) + 1):
            worker.leave(unknown)
            worker.roam()
            assert os.sched_getaffinity(0) == every
    finally:
        os.sched_setaffinity(0, every)


def test_workers_park_and_wake():
    made = pool.Pool(3)
    try:
        y = np.zeros(100, np.int64)
        jobs = Jobs((count_up, (y, 1), 100, 10))
        for n in range(1, 4):
            made.run(*jobs.at)
            deadline = time.monotonic() + 20
            while len(made._parked) < 2 and time.monotonic() < deadline:
                time.sleep(0.005)
            assert len(made._parked) == 2  # nobody spins any more
            assert (y == n).all()
            if hasattr(os, "sched_getaffinity"):
                now = [os.sched_getaffinity(w.native_id) for w in made._workers]
                assert now == [os.sched_getaffinity(0)] * 2, "they woke elsewhere, and may run anywhere again"
    finally:
        made.close()
    assert not any(w.is_alive() for w in made._workers)


def test_closing_while_parked_or_spinning():
    for wait in (0, 0.05):
        made = pool.Pool(4)
        time.sleep(wait)
        made.close()
        assert not any(w.is_alive() for w in made._workers)


def test_callers_at_once(threads):
    failures = []

    def call(seed):
        y = np.zeros(500, np.int64)
        jobs = Jobs((count_up, (y, seed), 500, 16), (count_up, (y, 1), 500, 5))
        for n in range(1, 300):
            threads.run(*jobs.at)
            if not (y == n * (seed + 1)).all():
                failures.append((seed, n))
                return

    callers = [threading.Thread(target=call, args=(i,)) for i in range(6)]
    for c in callers:
        c.start()
    for c in callers:
        c.join(60)
    assert not any(c.is_alive() for c in callers) and not failures


def test_the_number_of_threads_is_what_was_asked_for(monkeypatch):
    monkeypatch.setattr(config, "threads", 3)
    assert pool.pool().threads == 3 and len(pool.pool()._workers) == 2
    old = pool.pool()
    monkeypatch.setattr(config, "threads", 1)
    assert pool.pool().threads == 1 and pool.pool() is not old
    assert not any(w.is_alive() for w in old._workers)
    monkeypatch.setattr(config, "threads", 0)
    assert pool.pool().threads == len(os.sched_getaffinity(0))
    assert pool.pool() is pool.pool()


def test_the_environment_and_the_affinity_are_honoured():
    code = """
        import os
        from pullback.native import pool
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        print(pool.pool().threads)
    """
    assert in_fresh_python(code, PULLBACK_NUM_THREADS="0").strip() == "1"
    assert in_fresh_python(code, PULLBACK_NUM_THREADS="5").strip() == "5"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_has_workers_of_its_own():
    code = """
        import os, warnings
        warnings.simplefilter("ignore")
        import numpy as np
        import pullback as tf
        from pullback.core.config import config
        from pullback.native import pool
        config.threads, config.plan_after = 3, 0
        f = tf.function(lambda x: tf.reduce_sum(tf.exp(x) * x, axis=1))
        x = tf.constant(np.random.default_rng(0).normal(size=(300, 2000)).astype("f4"))
        before = f(x).numpy()
        parents = pool.pool()
        child = os.fork()
        if not child:
            right = all((f(x).numpy() == before).all() for _ in range(50))
            own = pool.pool() is not parents and all(w.is_alive() for w in pool.pool()._workers)
            os._exit(0 if right and own else 1)
        after = [f(x).numpy() for _ in range(50)]
        assert all((a == before).all() for a in after)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print("right")
    """
    assert in_fresh_python(code) == "right\n"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_while_another_thread_compiles_and_runs():
    """Locks that a thread held at the fork are free in the child, where that thread is not. Python's own, of modules
    that a thread is importing then, are not; so the names are looked up before."""
    code = """
        import os, threading, time, warnings
        warnings.simplefilter("ignore")
        import numpy as np
        import pullback as tf
        from pullback.core.config import config
        config.threads, config.plan_after = 2, 0
        x = tf.constant(np.ones((64, 64), "f4"))
        names = tf.function, tf.nn.relu, tf.tanh
        stop = []

        def busy():
            n = 0
            while not stop:
                n += 1
                tf.function(lambda x: tf.nn.relu(x * float(n)) + float(n))(x)

        thread = threading.Thread(target=busy)
        thread.start()
        codes = []
        for i in range(12):
            time.sleep(0.01)
            child = os.fork()
            if not child:
                y = tf.function(lambda x: tf.tanh(x) * float(i))(x)
                os._exit(int(not np.allclose(y.numpy(), np.tanh(1) * i)))
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        stop.append(1)
        thread.join()
        print(codes)
    """
    assert in_fresh_python(code, timeout=60, PULLBACK_CACHE_DIR="off") == f"{[0] * 12}\n"


@pytest.mark.parametrize("wait", [0.0, 0.2], ids=["spinning", "parked"])
def test_an_interpreter_ends_with_workers(wait):
    code = f"""
        import time
        import numpy as np
        import pullback as tf
        from pullback.core.config import config
        config.threads, config.plan_after = 8, 0
        f = tf.function(lambda x: tf.exp(x) * 2.0)
        f(tf.constant(np.ones((1000, 1000), "f4")))
        time.sleep({wait})
        print("done")
    """
    assert in_fresh_python(code, timeout=30) == "done\n"
