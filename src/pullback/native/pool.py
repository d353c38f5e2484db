"""Worker threads that run lists of jobs natively: spin for a while, then park.

A job is eight words: a kernel's address, its argument table, how many items it has, into how many shares they are cut,
a bit for each share that a thread has claimed, and how many are done. The caller claims too, so a worker that is
parked, forked away or slow to be scheduled costs time, never an answer. The next job begins when the last share of the
one before is done. How items are cut is the job's, not the pool's: results do not hang on the number of threads.

Each thread begins with shares of its own, the same part of every job, and only then takes what others have left, the
last first. So what it has written in one job or step it mostly reads in the next, out of caches near it.

    run(state, jobs, count, ...)   the caller: posts the list, works on it, closes it, waits until no worker is inside
    watch(state, seen, ...)        a worker: spins for a new list, helps, comes back to Python to park
    alone(jobs, count)             the same list without anybody else
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import os
import threading
from typing import Any

import numpy as np

from pullback.core.config import config
from pullback.native.build import linked
from pullback.native.ir import I64, Function, Module, Value
from pullback.native.machine import host

# Words of a job.
KERNEL, TABLE, ITEMS, SHARES, CLAIMED, DONE = range(6)
JOB_WORDS = 8
# Words of the state. On cache lines of their own: what the caller posts, and who is inside.
SEQUENCE, JOBS, COUNT, STOP, INSIDE, BUSY = 0, 1, 2, 3, 8, 16
STATE_WORDS = 24
SPINS = 20_000  # about half a millisecond of waiting before a worker parks


def _emit_share(f: Function, job: Value, i: Any) -> None:
    """Runs share i of a job."""
    items, shares = job.load(ITEMS), job.load(SHARES)
    kernel = job.of(I64.pointer).load(KERNEL)
    table = job.of(I64.pointer).load(TABLE)
    f.call_pointer(kernel, table, items * i // shares, items * (i + 1) // shares)


def _emit_work(module: Module) -> None:
    parameters = (I64.pointer, *[I64] * 3)
    with module.function("work", *parameters) as (f, jobs, count, rank, threads), f.loop(0, count) as j:
        job = jobs.at(j * JOB_WORDS)
        shares, claimed = job.load(SHARES), job.at(CLAIMED)
        first, beyond = shares * rank // threads, shares * (rank + 1) // threads
        with f.loop(0, shares) as turn:
            ahead, back = first + turn, beyond - turn - 1
            i = f.select(ahead < beyond, ahead, f.select(back < 0, back + shares, back))
            bit = f.as_value(1, I64) << i
            with (
                f.when((f.atomic_load(claimed) & bit).equals(0)),
                f.when((f.atomic_or(claimed, bit) & bit).equals(0)),
            ):
                _emit_share(f, job, i)
                f.atomic_add(job.at(DONE), 1)
        with f.repeat_while() as go_on:
            f.pause()
            go_on(f.atomic_load(job.at(DONE)) < shares)


def emit_alone(module: Module) -> None:
    """alone(jobs, count): runs them, one share after the other."""
    with module.function("alone", I64.pointer, I64, internal=False) as (f, jobs, count), f.loop(0, count) as j:
        job = jobs.at(j * JOB_WORDS)
        with f.loop(0, job.load(SHARES)) as i:
            _emit_share(f, job, i)


def _emit_run(module: Module) -> None:
    parameters = (I64.pointer, I64.pointer, I64, I64)
    with module.function("run", *parameters, internal=False) as (f, state, jobs, count, threads):
        taken = f.atomic_swap(state.at(BUSY), 1).differs(0)  # another thread is running a list
        with f.when(taken):
            f.call(module["alone"], jobs, count)
        f.leave_when(taken)
        with f.loop(0, count) as j:
            jobs.store(0, j * JOB_WORDS + CLAIMED)
            jobs.store(0, j * JOB_WORDS + DONE)
        state.store(count, COUNT)
        f.atomic_store(state.at(JOBS), _as_word(f, jobs))
        f.atomic_add(state.at(SEQUENCE), 1)
        f.call(module["work"], jobs, count, 0, threads)
        f.atomic_swap(state.at(JOBS), 0)
        with f.repeat_while() as go_on:
            f.pause()
            go_on(f.atomic_load(state.at(INSIDE)).differs(0))
        f.atomic_store(state.at(BUSY), 0)


def _emit_watch(module: Module) -> None:
    """`seen` points to the sequence number that the worker has seen last; the caller's rank is 0."""
    parameters = (I64.pointer, I64.pointer, *[I64] * 3)
    with module.function("watch", *parameters, internal=False) as (f, state, seen, spins, rank, threads):
        waited = f.variable(0)
        with f.repeat_while() as go_on:
            f.pause()
            waited.value = waited.value + 1
            posted = f.atomic_load(state.at(SEQUENCE))
            with f.when(posted.differs(seen.load())):
                seen.store(posted)
                waited.value = 0
                f.atomic_add(state.at(INSIDE), 1)  # before looking: the caller closes first, then waits for this
                word = f.atomic_load(state.at(JOBS))
                with f.when(word.differs(0)):
                    f.call(module["work"], as_pointer(f, word), state.load(COUNT), rank, threads)
                f.atomic_add(state.at(INSIDE), -1)
            stopped = f.atomic_load(state.at(STOP)).differs(0)
            go_on((waited.value < spins) & ~stopped)


def _as_word(f: Function, pointer: Value) -> Value:
    return f.emit(f"ptrtoint ptr {pointer.text} to i64", I64)


def as_pointer(f: Function, word: Value) -> Value:
    """An address as a pointer to words."""
    return f.emit(f"inttoptr i64 {word.text} to ptr", I64.pointer)


@functools.cache
def _functions() -> tuple[Any, Any, Any]:
    """run, alone, watch."""
    module = host().module()
    _emit_work(module)
    emit_alone(module)
    _emit_run(module)
    _emit_watch(module)
    code = linked(module)
    word, address = ctypes.c_int64, ctypes.c_void_p
    run = ctypes.CFUNCTYPE(None, address, address, word, word)(code["run"])
    alone = ctypes.CFUNCTYPE(None, address, word)(code["alone"])
    watch = ctypes.CFUNCTYPE(None, address, address, word, word, word)(code["watch"])
    return run, alone, watch


def alone(jobs: int, count: int) -> None:
    """Runs `count` jobs that lie at an address by this thread only: for work too small to share."""
    _functions()[1](jobs, count)


def thread_count() -> int:
    """How many threads share work: `config.threads`, or one for each core this process may use."""
    if config.threads > 0:
        return config.threads
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def _getcpu() -> Any:
    return getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None


def _processor() -> int:
    """The number of the processor that runs this thread; -1 where the system does not say."""
    ask = _getcpu()
    return -1 if ask is None else ask()


class _Parked:
    """A worker that waits in Python, by a held lock; made by its own thread.

    It wakes on another processor than its caller's. Linux mostly sees to that, but where other programs keep the
    processors busy it may wake the worker where the caller runs, and the two then take turns: with as many of those as
    processors, steps of 0.15 ms were found to take 1 ms.
    """

    __slots__ = ("allowed", "lock", "moved", "thread")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()
        self.moved, self.thread = False, threading.get_native_id()
        self.allowed = os.sched_getaffinity(0) if _getcpu() is not None else set[int]()

    def leave(self, processor: int) -> None:
        """Keeps the worker from a processor until it `roam`s; called before it is woken."""
        others = self.allowed - {processor}
        if others and len(others) < len(self.allowed):
            with contextlib.suppress(OSError):  # not permitted here
                os.sched_setaffinity(self.thread, others)
                self.moved = True

    def roam(self) -> None:
        """Lets this thread run again wherever it might before."""
        if self.moved:
            with contextlib.suppress(OSError):  # the system has taken them away meanwhile
                os.sched_setaffinity(0, self.allowed)


class Pool:
    """The workers of this process. Made at first use; a forked child makes its own."""

    def __init__(self, threads: int) -> None:
        self.threads, self.asked = threads, config.threads
        self._run, _, self._watch = _functions()
        room = np.zeros(STATE_WORDS + 8, np.int64)
        self._state = room[-room.ctypes.data // 8 % 8 :][:STATE_WORDS]
        self._address = self._state.ctypes.data
        self._parked: list[_Parked] = []
        self._workers = [
            threading.Thread(target=self._work, args=(rank,), name="pullback", daemon=True)
            for rank in range(1, threads)
        ]
        for worker in self._workers:
            worker.start()

    def run(self, jobs: int, count: int) -> None:
        """Runs `count` jobs that lie at an address, in order; all threads help."""
        if self._parked:
            self._wake()
        self._run(self._address, jobs, count, self.threads)

    def _wake(self) -> None:
        here = _processor()
        while self._parked:
            try:
                worker = self._parked.pop()
            except IndexError:  # another caller took it
                break
            worker.leave(here)
            worker.lock.release()

    def _work(self, rank: int) -> None:
        seen = np.zeros(1, np.int64)
        place, state = seen.ctypes.data, self._state
        while not state[STOP]:
            worker = _Parked()
            self._parked.append(worker)
            if state[SEQUENCE] == seen[0] and not state[STOP]:
                worker.lock.acquire()
                worker.roam()
            self._watch(self._address, place, SPINS, rank, self.threads)

    def close(self) -> None:
        """Ends the workers."""
        self._state[STOP] = 1
        while self._parked:
            self._parked.pop().lock.release()
        for worker in self._workers:
            worker.join(timeout=1)


_pool: Pool | None = None
_making = threading.Lock()


def pool() -> Pool:
    """The process's pool, with as many threads as are asked for now."""
    global _pool
    found = _pool
    if found is None or found.asked != config.threads:
        with _making:
            if _pool is None or _pool.asked != config.threads:
                if _pool is not None:
                    _pool.close()
                else:
                    atexit.register(_close)
                _pool = Pool(thread_count())
            found = _pool
    return found


def _close() -> None:
    if _pool is not None:
        _pool.close()


def _forget() -> None:
    """In a forked child: threads did not come along."""
    global _pool, _making
    if _pool is not None:
        atexit.unregister(_close)
    _pool, _making = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
