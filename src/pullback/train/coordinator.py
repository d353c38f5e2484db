"""Coordinator: lets several threads stop together, and tells one of them what went wrong in another."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core.errors import OutOfRangeError
from pullback.core.names import public


@public("train.Coordinator")
class Coordinator:
    """Coordinates the end of threads: each asks `should_stop()`, any may call `request_stop()`, one waits in `join`.

    clean_stop_exception_types: errors that are an ordinary end, as OutOfRangeError (the default) of an input.
    """

    def __init__(self, clean_stop_exception_types: Any = None) -> None:
        if clean_stop_exception_types is None:
            clean_stop_exception_types = (OutOfRangeError,)
        self._clean = tuple(clean_stop_exception_types)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._raised: Any = None
        self._joined = False
        self._registered: set[threading.Thread] = set()

    def request_stop(self, ex: Any = None) -> None:
        """Asks all threads to stop. ex: an exception (or sys.exc_info()) that `join` raises again, unless it is an
        ordinary end."""
        with self._lock:
            error = ex[1] if isinstance(ex, tuple) else ex
            if error is not None and self._joined:
                raise error
            if not self._stop.is_set():
                if error is not None and not isinstance(error, self._clean):
                    self._raised = error
                self._stop.set()

    def clear_stop(self) -> None:
        """Lets the coordinator be used again."""
        with self._lock:
            self._joined, self._raised = False, None
            self._stop.clear()

    def should_stop(self) -> bool:
        return self._stop.is_set()

    @contextlib.contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """Asks all to stop when an exception is raised inside, and keeps it for `join`."""
        try:
            yield
        except BaseException:  # every one is handed to `join`
            self.request_stop(ex=sys.exc_info())

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Waits until a stop is asked for, at most `timeout` seconds. Returns whether it was."""
        return self._stop.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """Lets `join` wait for a thread too."""
        with self._lock:
            self._registered.add(thread)

    def join(self, threads: Any = None, stop_grace_period_secs: float = 120, ignore_live_threads: bool = False) -> None:
        """Waits for all threads to end; raises what `request_stop` was given.

        Args:
          threads: those to wait for beside the registered ones.
          stop_grace_period_secs: how long they may go on once a stop is asked for.
          ignore_live_threads: whether threads that go on after that are no error.
        Raises:
          RuntimeError: a thread goes on. Whatever a thread raised.
        """
        with self._lock:
            waited = [*self._registered, *(t for t in threads or () if t not in self._registered)]
        while any(t.is_alive() for t in waited) and not self._stop.wait(0.05):
            pass
        deadline = time.monotonic() + stop_grace_period_secs
        for thread in waited:
            if thread.is_alive():
                thread.join(max(deadline - time.monotonic(), 0))
        alive = [t.name for t in waited if t.is_alive()]
        with self._lock:
            self._joined = True
            self._registered.clear()
            raised, self._raised = self._raised, None
        if raised is not None:
            raise raised
        if alive and not ignore_live_threads:
            raise RuntimeError(f"Coordinator stopped with threads still running: {' '.join(alive)}")

    @property
    def joined(self) -> bool:
        return self._joined

    def raise_requested_exception(self) -> None:
        """Raises what `request_stop` was given, if anything."""
        with self._lock:
            if self._raised is not None:
                raise self._raised


@public(v1="train.LooperThread")
class LooperThread(threading.Thread):
    """A thread that calls a function again and again until its coordinator stops.

    timer_interval_secs: how long after one call the next begins; None: at once.
    """

    def __init__(
        self,
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any] | None = None,
        args: Any = None,
        kwargs: Any = None,
    ) -> None:
        super().__init__(daemon=True)
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        self._coord, self._interval = coord, timer_interval_secs
        self._call, self._args_, self._kwargs_ = target, tuple(args or ()), dict(kwargs or {})
        coord.register_thread(self)

    @staticmethod
    def loop(
        coord: Coordinator, timer_interval_secs: float | None, target: Any, args: Any = None, kwargs: Any = None
    ) -> LooperThread:
        """Starts a thread that calls `target`."""
        looper = LooperThread(coord, timer_interval_secs, target, args, kwargs)
        looper.start()
        return looper

    def run(self) -> None:
        with self._coord.stop_on_exception():
            self.start_loop()
            if self._interval is None:
                while not self._coord.should_stop():
                    self.run_loop()
            else:
                due = time.time()
                while not self._coord.wait_for_stop(max(due - time.time(), 0)):
                    due += self._interval
                    self.run_loop()
            self.stop_loop()

    def start_loop(self) -> None:
        """Called once before the loop."""

    def stop_loop(self) -> None:
        """Called once after the loop."""

    def run_loop(self) -> None:
        """One turn of the loop."""
        if self._call is not None:
            self._call(*self._args_, **self._kwargs_)
