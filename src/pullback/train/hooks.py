"""Hooks: what is done beside each run of a monitored session. Those that write files are in saving_hooks.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pullback.app import log
from pullback.core.names import public
from pullback.modes.default import get_default_graph
from pullback.train.global_step import get_global_step


class SessionRunArgs(NamedTuple):
    """What a hook adds to a run."""

    fetches: Any
    feed_dict: Any = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What a run gave for a hook's fetches."""

    results: Any
    options: Any
    run_metadata: Any


public(v1=("train.SessionRunArgs", "estimator.SessionRunArgs"))(SessionRunArgs)
public(v1=("train.SessionRunValues", "estimator.SessionRunValues"))(SessionRunValues)


@public(v1=("train.SessionRunContext", "estimator.SessionRunContext"))
class SessionRunContext:
    """The run that is under way. original_args: what the user asked for, as SessionRunArgs."""

    def __init__(self, original_args: SessionRunArgs, session: Any) -> None:
        self._original_args, self._session, self._stop_requested = original_args, session, False

    @property
    def original_args(self) -> SessionRunArgs:
        return self._original_args

    @property
    def session(self) -> Any:
        return self._session

    @property
    def stop_requested(self) -> bool:
        return self._stop_requested

    def request_stop(self) -> None:
        """Lets the session's `should_stop` be True from here on."""
        self._stop_requested = True


@public(v1=("train.SessionRunHook", "estimator.SessionRunHook"))
class SessionRunHook:
    """Base of the hooks; every method may be overridden."""

    def begin(self) -> None:
        """Called once before the session is made; the graph may still grow."""

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Called when the session is made; the graph is final."""

    def before_run(self, run_context: SessionRunContext) -> Any:
        """Called before each run. Returns SessionRunArgs that are added to it, or None."""

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Called after each run, with what it gave for the hook's fetches."""

    def end(self, session: Any) -> None:
        """Called at the end, unless an error ended the session."""


@public(v1=("train.SecondOrStepTimer", "estimator.SecondOrStepTimer"))
class SecondOrStepTimer:
    """Says when something is due: every so many steps or seconds, of which exactly one is given.

    Raises:
      ValueError: both or none are given.
    """

    def __init__(self, every_secs: float | None = None, every_steps: int | None = None) -> None:
        if (every_secs is None) == (every_steps is None):
            raise ValueError("exactly one of every_secs and every_steps should be provided.")
        self._secs, self._steps = every_secs, every_steps
        self.reset()

    def reset(self) -> None:
        self._last_step: int | None = None
        self._last_time: float | None = None

    def should_trigger_for_step(self, step: int) -> bool:
        """Whether it is due at a step; always at the first that is asked about."""
        if self._last_step is None or self._last_time is None:
            return True
        if self._last_step == step:
            return False
        if self._secs is not None:
            return time.time() >= self._last_time + self._secs
        return step >= self._last_step + (self._steps or 0)

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        """Notes that it was done. Returns (seconds, steps) since the last time, (None, None) at the first."""
        now = time.time()
        since = (
            (None, None)
            if self._last_step is None or self._last_time is None
            else (now - self._last_time, step - self._last_step)
        )
        self._last_time, self._last_step = now, step
        return since

    def last_triggered_step(self) -> int | None:
        return self._last_step


def step_tensor(what: str) -> Any:
    """The graph's global step; RuntimeError when there is none."""
    step = get_global_step()
    if step is None:
        raise RuntimeError(f"Global step should be created to use {what}: tf.train.get_or_create_global_step()")
    return step


@public(v1=("train.StopAtStepHook", "estimator.StopAtStepHook"))
class StopAtStepHook(SessionRunHook):
    """Stops after num_steps further steps, or at global step last_step; one of them is given.

    Raises:
      ValueError: both or none are given.
    """

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        if (num_steps is None) == (last_step is None):
            raise ValueError("One of num_steps or last_step must be specified, and not both.")
        self._num_steps, self._last_step = num_steps, last_step

    def begin(self) -> None:
        self._step = step_tensor("StopAtStepHook")

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._last_step is None:
            self._last_step = int(session.run(self._step)) + (self._num_steps or 0)

    def before_run(self, run_context: SessionRunContext) -> Any:
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        last = self._last_step or 0
        # The fetched step may be that of before the update: it is read again where it matters.
        if int(run_values.results) + 1 >= last and int(run_context.session.run(self._step)) >= last:
            run_context.request_stop()


@public(v1=("train.LoggingTensorHook", "estimator.LoggingTensorHook"))
class LoggingTensorHook(SessionRunHook):
    """Logs tensors every so many runs or seconds, or only at the end.

    Args:
      tensors: a dict {tag: tensor or name}, or a list; an operation's name stands for its output.
      formatter: makes the line of the dict of values.
    Raises:
      ValueError: it is not said when, or twice.
    """

    def __init__(
        self,
        tensors: Any,
        every_n_iter: int | None = None,
        every_n_secs: float | None = None,
        at_end: bool = False,
        formatter: Callable[[dict[str, Any]], str] | None = None,
    ) -> None:
        only_at_end = at_end and every_n_iter is None and every_n_secs is None
        if not only_at_end and (every_n_iter is None) == (every_n_secs is None):
            raise ValueError("either at_end and/or exactly one of every_n_iter and every_n_secs must be provided.")
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        pairs = tensors.items() if isinstance(tensors, dict) else [(getattr(t, "name", t), t) for t in tensors]
        self._tensors, self._formatter, self._at_end = dict(pairs), formatter, at_end
        self._timer = None if only_at_end else SecondOrStepTimer(every_n_secs, every_n_iter)

    def begin(self) -> None:
        if self._timer is not None:
            self._timer.reset()
        self._runs = 0
        graph = get_default_graph()
        names = {k: t if ":" in t else f"{t}:0" for k, t in self._tensors.items() if isinstance(t, str)}
        self._tensors |= {k: graph.as_graph_element(name) for k, name in names.items()}

    def before_run(self, run_context: SessionRunContext) -> Any:
        self._due = self._timer is not None and self._timer.should_trigger_for_step(self._runs)
        return SessionRunArgs(self._tensors) if self._due else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if self._due:
            self._log(run_values.results)
        self._runs += 1

    def _log(self, values: dict[str, Any]) -> None:
        seconds = None if self._timer is None else self._timer.update_last_triggered_step(self._runs)[0]
        if self._formatter is not None:
            log.info(self._formatter(values))
            return
        line = ", ".join(f"{tag} = {values[tag]}" for tag in self._tensors)
        log.info(line if seconds is None else f"{line} ({seconds:.3f} sec)")

    def end(self, session: Any) -> None:
        if self._at_end:
            self._log(session.run(self._tensors))


class NanLossDuringTrainingError(RuntimeError):
    """The loss was not a number."""

    def __str__(self) -> str:
        return "NaN loss during training."


public(v1=("train.NanLossDuringTrainingError", "estimator.NanLossDuringTrainingError"))(NanLossDuringTrainingError)


@public(v1=("train.NanTensorHook", "estimator.NanTensorHook"))
class NanTensorHook(SessionRunHook):
    """Stops, or with fail_on_nan_loss raises NanLossDuringTrainingError, when a loss is not a number."""

    def __init__(self, loss_tensor: Any, fail_on_nan_loss: bool = True) -> None:
        self._loss, self._fails = loss_tensor, fail_on_nan_loss

    def before_run(self, run_context: SessionRunContext) -> Any:
        return SessionRunArgs(self._loss)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if np.isnan(run_values.results):
            if self._fails:
                raise NanLossDuringTrainingError
            run_context.request_stop()


@public(v1=("train.FinalOpsHook", "estimator.FinalOpsHook"))
class FinalOpsHook(SessionRunHook):
    """Runs operations at the end; their values are then `final_ops_values`."""

    def __init__(self, final_ops: Any, final_ops_feed_dict: Any = None) -> None:
        self._ops, self._feeds, self._values = final_ops, final_ops_feed_dict, None

    @property
    def final_ops_values(self) -> Any:
        return self._values

    def end(self, session: Any) -> None:
        if self._ops is not None:
            self._values = session.run(self._ops, self._feeds)


@public(v1=("train.FeedFnHook", "estimator.FeedFnHook"))
class FeedFnHook(SessionRunHook):
    """Feeds each run what a function gives."""

    def __init__(self, feed_fn: Callable[[], Any]) -> None:
        self.feed_fn = feed_fn

    def before_run(self, run_context: SessionRunContext) -> Any:
        return SessionRunArgs(None, self.feed_fn())


@public(v1=("train.GlobalStepWaiterHook", "estimator.GlobalStepWaiterHook"))
class GlobalStepWaiterHook(SessionRunHook):
    """Lets runs wait until the global step, which others move on, has reached a number."""

    def __init__(self, wait_until_step: int) -> None:
        self._until = wait_until_step

    def begin(self) -> None:
        self._reached, self._step = self._until <= 0, step_tensor("GlobalStepWaiterHook")

    def before_run(self, run_context: SessionRunContext) -> Any:
        while not self._reached:
            self._reached = int(run_context.session.run(self._step)) >= self._until
            if not self._reached:
                time.sleep(0.5)
