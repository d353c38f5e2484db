"""Monitored sessions: initialised or restored, with hooks, input threads and an orderly end."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

from pullback.core.errors import ArgumentError, OutOfRangeError
from pullback.core.names import public
from pullback.train.coordinator import Coordinator
from pullback.train.hooks import SessionRunArgs, SessionRunContext, SessionRunValues
from pullback.train.queue_runner import start_queue_runners
from pullback.train.saving_hooks import CheckpointSaverHook, StepCounterHook, SummarySaverHook
from pullback.train.scaffold import ChiefSessionCreator, Scaffold


class StepContext:
    """What `run_step_fn` gives its function: the session, runs with hooks, and a way to stop."""

    def __init__(self, session: Any, run_with_hooks: Callable[..., Any]) -> None:
        self.session, self.run_with_hooks = session, run_with_hooks

    def request_stop(self) -> None:
        """Ends the step and the training."""
        raise StopIteration("step_fn has requested the iterations to stop.")


class _Monitored:
    """A session with hooks."""

    def __init__(self, session_creator: Any, hooks: Any, stop_grace_period_secs: float) -> None:
        self._hooks, self._grace = list(hooks or ()), stop_grace_period_secs
        self._stopped = False
        for hook in self._hooks:
            hook.begin()
        self._coordinator = Coordinator(clean_stop_exception_types=[])
        self._session: Any = session_creator.create_session()
        self._threads = start_queue_runners(self._session, self._coordinator)
        for hook in self._hooks:
            hook.after_create_session(self._session, self._coordinator)

    @property
    def graph(self) -> Any:
        return None if self._session is None else self._session.graph

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Runs fetches, and what hooks add, once.

        Raises:
          RuntimeError: the session is closed, or a hook feeds what another feeds. Whatever an input thread raised.
        """
        if self._session is None:
            raise RuntimeError("Run called even after should_stop requested.")
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict, options), self._session)
        wanted: dict[Any, Any] = {"caller": fetches}
        feeds: dict[Any, Any] = dict(feed_dict or {})
        for i, hook in enumerate(self._hooks):
            asked = hook.before_run(context)
            if asked is None:
                continue
            if asked.fetches is not None:
                wanted[f"hook {i:03}"] = asked.fetches
            if set(asked.feed_dict or {}) & set(feeds):
                raise RuntimeError("Same tensor is fed by two hooks, or by a hook and the caller.")
            feeds.update(asked.feed_dict or {})
        try:
            values = self._session.run(wanted, feeds or None, options, run_metadata)
        except Exception:
            self._coordinator.raise_requested_exception()
            raise
        for i, hook in enumerate(self._hooks):
            hook.after_run(context, SessionRunValues(values.get(f"hook {i:03}"), options, run_metadata))
        self._stopped = self._stopped or context.stop_requested
        return values["caller"]

    def run_step_fn(self, step_fn: Callable[..., Any]) -> Any:
        """Calls step_fn(step_context), or as a method step_fn(self, step_context), whose `session` is the plain one and
        whose `run_with_hooks` is `run`.

        Raises:
          ValueError: step_fn takes other arguments.
        """
        names = list(inspect.signature(step_fn).parameters)
        if names not in (["step_context"], ["self", "step_context"]):
            raise ValueError(f"`step_fn` may either have one `step_context` argument, or be a method; it has {names}")
        try:
            return step_fn(StepContext(self._session, self.run))
        except StopIteration:
            self._stopped = True
            return None

    def should_stop(self) -> bool:
        """Whether a hook or an input thread asked to stop, or the session is closed."""
        return self._session is None or self._stopped or self._coordinator.should_stop()

    def close(self) -> None:
        """Ends hooks, threads and the session."""
        self._close(None)

    def _close(self, error: Any) -> None:
        session = self._session
        if session is None:
            return
        try:
            if error is None:
                for hook in self._hooks:
                    hook.end(session)
        finally:
            self._session = None
            self._coordinator.request_stop()
            try:
                self._coordinator.join(self._threads, self._grace, ignore_live_threads=True)
            finally:
                session.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        ended = kind in (OutOfRangeError, StopIteration)
        self._close(None if ended else error)
        return ended


@public(v1="train.MonitoredSession")
class MonitoredSession(_Monitored):
    """A session that begins ready, calls hooks and ends in order; `with` it, until `should_stop()`.

    An OutOfRangeError, the end of an input, ends the `with` without an error.

    Args:
      session_creator: makes the session, by default a ChiefSessionCreator. hooks: SessionRunHooks.
      stop_grace_period_secs: how long threads may go on at the end.
    """

    StepContext = StepContext

    def __init__(self, session_creator: Any = None, hooks: Any = None, stop_grace_period_secs: float = 120) -> None:
        super().__init__(session_creator or ChiefSessionCreator(), hooks, stop_grace_period_secs)


@public(v1="train.SingularMonitoredSession")
class SingularMonitoredSession(_Monitored):
    """A monitored session that is also the default one; `raw_session()` is the plain session."""

    StepContext = StepContext

    def __init__(
        self,
        hooks: Any = None,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: Any = None,
        stop_grace_period_secs: float = 120,
        checkpoint_filename_with_path: Any = None,
    ) -> None:
        creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path)
        super().__init__(creator, hooks, stop_grace_period_secs)
        self._contexts = contextlib.ExitStack()

    def raw_session(self) -> Any:
        """The plain session."""
        return self._session

    def __enter__(self) -> Any:
        self._contexts.enter_context(self._session.as_default())
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self._contexts.close()
        return super().__exit__(kind, error, trace)


class _Default:
    """Stands for a setting that is not given."""

    def __repr__(self) -> str:
        return "<object object at default>"


USE_DEFAULT = _Default()


def _either(steps: Any, seconds: Any, default_steps: Any, default_seconds: Any) -> tuple[Any, Any]:
    """(steps, seconds) of two settings, of which the defaults hold when neither is given."""
    if steps is USE_DEFAULT and seconds is USE_DEFAULT:
        return default_steps, default_seconds
    return None if steps is USE_DEFAULT else steps, None if seconds is USE_DEFAULT else seconds


@public(v1="train.MonitoredTrainingSession")
def MonitoredTrainingSession(
    master: str = "",
    is_chief: bool = True,
    checkpoint_dir: Any = None,
    scaffold: Scaffold | None = None,
    hooks: Any = None,
    chief_only_hooks: Any = None,
    save_checkpoint_secs: Any = USE_DEFAULT,
    save_summaries_steps: Any = USE_DEFAULT,
    save_summaries_secs: Any = USE_DEFAULT,
    config: Any = None,
    stop_grace_period_secs: float = 120,
    log_step_count_steps: Any = 100,
    max_wait_secs: int = 7200,
    save_checkpoint_steps: Any = USE_DEFAULT,
    summary_dir: Any = None,
    save_graph_def: bool = True,
) -> MonitoredSession:
    """A MonitoredSession for training, with hooks that save.

    Args:
      is_chief: whether this process saves; there is one. chief_only_hooks: hooks of the one that does.
      checkpoint_dir: where checkpoints are read and written; None: nowhere.
      save_checkpoint_secs, save_checkpoint_steps: how often; by default every 600 seconds.
      save_summaries_steps, save_summaries_secs: how often; by default every 100 steps.
      log_step_count_steps: how often steps a second are logged. summary_dir: by default checkpoint_dir.
      max_wait_secs: has nothing to wait for in one process.
    Raises:
      ArgumentError: is_chief is False: one process has nobody to wait for.
    """
    if not is_chief:
        raise ArgumentError("MonitoredTrainingSession: one process trains here, so is_chief must be True").locate()
    summary_steps, summary_secs = _either(save_summaries_steps, save_summaries_secs, 100, None)
    checkpoint_steps, checkpoint_secs = _either(save_checkpoint_steps, save_checkpoint_secs, None, 600)
    scaffold = scaffold or Scaffold()
    every = [*(hooks or ()), *(chief_only_hooks or ())]
    folder = summary_dir or checkpoint_dir
    if folder:
        if log_step_count_steps and log_step_count_steps > 0:
            every.append(StepCounterHook(log_step_count_steps, output_dir=folder))
        if (summary_steps or 0) > 0 or (summary_secs or 0) > 0:
            every.append(SummarySaverHook(summary_steps, summary_secs, folder, scaffold=scaffold))
    if checkpoint_dir and ((checkpoint_secs or 0) > 0 or (checkpoint_steps or 0) > 0):
        saving = CheckpointSaverHook(
            checkpoint_dir, checkpoint_secs, checkpoint_steps, scaffold=scaffold, save_graph_def=save_graph_def
        )
        every.append(saving)
    creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir)
    return MonitoredSession(creator, every, stop_grace_period_secs)
