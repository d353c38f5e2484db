"""Monitored sessions: initialised or restored, with hooks, input threads and an orderly end."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

from pullback.core.errors import ArgumentError, FailedPreconditionError, OutOfRangeError
from pullback.core.names import public
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.modes.grouping import group
from pullback.modes.session import Session
from pullback.modes.variables import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
)
from pullback.train.checkpoint_state import latest_checkpoint
from pullback.train.coordinator import Coordinator
from pullback.train.hooks import SessionRunArgs, SessionRunContext, SessionRunValues
from pullback.train.queue_runner import start_queue_runners
from pullback.train.saver import Saver
from pullback.train.saving_hooks import CheckpointSaverHook, StepCounterHook, SummarySaverHook
from pullback.train.summaries.graph_ops import merge_all


@public(v1="train.Scaffold")
class Scaffold:
    """What a training graph is run with; what is not given is found in the graph's collections, or made.

    Args:
      init_op, init_feed_dict, init_fn: run where there is no checkpoint; init_fn(scaffold, session) after init_op.
      ready_op: names of variables without value, none when all is ready. ready_for_local_init_op: the same before.
      local_init_op, local_init_feed_dict: run in any case. summary_op: what is written. saver: reads and writes.
      copy_from_scaffold: gives what is not given.
    """

    def __init__(
        self,
        init_op: Any = None,
        init_feed_dict: Any = None,
        init_fn: Callable[..., Any] | None = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        local_init_op: Any = None,
        summary_op: Any = None,
        saver: Any = None,
        copy_from_scaffold: Any = None,
        local_init_feed_dict: Any = None,
    ) -> None:
        given = {
            "init_op": init_op,
            "init_feed_dict": init_feed_dict,
            "ready_op": ready_op,
            "ready_for_local_init_op": ready_for_local_init_op,
            "local_init_op": local_init_op,
            "summary_op": summary_op,
            "saver": saver,
            "local_init_feed_dict": local_init_feed_dict,
        }
        for name, value in given.items():
            if value is None and copy_from_scaffold is not None:
                value = getattr(copy_from_scaffold, name)
            setattr(self, f"_{name}", value)
        self._init_fn: Any = None if init_fn is None else (lambda session: init_fn(self, session))
        if init_fn is None and copy_from_scaffold is not None:
            self._init_fn = copy_from_scaffold.init_fn

    def finalize(self) -> Scaffold:
        """Makes what is missing, and lets nothing more be added to the graph."""
        graph = get_default_graph()
        self._init_op = (
            self.get_or_default(
                "init_op", GraphKeys.INIT_OP, lambda: group(global_variables_initializer(), name="init")
            )
            if self._init_op is None
            else self._init_op
        )
        self._ready_op = (
            self._ready_op
            if self._ready_op is not None
            else self.get_or_default("ready_op", GraphKeys.READY_OP, report_uninitialized_variables)
        )
        if self._ready_for_local_init_op is None:
            self._ready_for_local_init_op = self.get_or_default(
                "ready_for_local_init_op",
                "ready_for_local_init_op",
                lambda: report_uninitialized_variables(global_variables()),
            )
        if self._local_init_op is None:
            self._local_init_op = self.get_or_default(
                "local_init_op", GraphKeys.LOCAL_INIT_OP, Scaffold.default_local_init_op
            )
        if self._summary_op is None:
            self._summary_op = self.get_or_default("summary_op", GraphKeys.SUMMARY_OP, merge_all)
        if self._saver is None:
            self._saver = self.get_or_default("saver", GraphKeys.SAVERS, lambda: Saver(allow_empty=True))
        graph.finalize()
        return self

    @staticmethod
    def default_local_init_op() -> Any:
        """Initialises local variables and tables."""
        tables = get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS)
        return group(local_variables_initializer(), *tables)

    @staticmethod
    def get_or_default(arg_name: str, collection_key: Any, default_constructor: Callable[[], Any]) -> Any:
        """What a collection holds; where it is empty, what the constructor makes, which is added to it.

        Raises:
          RuntimeError: the collection holds several.
        """
        graph = get_default_graph()
        found = graph.get_collection(collection_key)
        if len(found) > 1:
            raise RuntimeError(f"More than one item in the collection {collection_key!r}. Give {arg_name} to Scaffold.")
        if found:
            return found[0]
        made = default_constructor()
        if made is not None:
            graph.add_to_collection(collection_key, made)
        return made

    @property
    def init_fn(self) -> Any:
        return self._init_fn


def _readable(name: str) -> property:
    return property(lambda self: getattr(self, f"_{name}"), doc=f"The {name} in use.")


for _name in ("init_op", "init_feed_dict", "ready_op", "ready_for_local_init_op", "local_init_op", "summary_op"):
    setattr(Scaffold, _name, _readable(_name))
for _name in ("saver", "local_init_feed_dict"):
    setattr(Scaffold, _name, _readable(_name))


@public(v1="train.SessionCreator")
class SessionCreator:
    """Base of what makes the session of a monitored session."""

    def create_session(self) -> Any:
        """A session that is ready to run."""
        raise NotImplementedError(f"create_session is not implemented for {type(self)}.")


@public(v1="train.ChiefSessionCreator")
class ChiefSessionCreator(SessionCreator):
    """Makes a session whose variables are those of the latest checkpoint, or initialised where there is none.

    Args:
      master: "" - sessions run in this process. config: a ConfigProto.
      checkpoint_dir: the folder of checkpoints; or checkpoint_filename_with_path, one of them.
    """

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
    ) -> None:
        self._scaffold, self._master, self._config = scaffold or Scaffold(), master, config
        self._folder, self._path = checkpoint_dir, checkpoint_filename_with_path

    def create_session(self) -> Any:
        """The session.

        Raises:
          FailedPreconditionError: variables have no value after initialisation.
        """
        scaffold = self._scaffold
        scaffold.finalize()
        session = Session(self._master, get_default_graph(), self._config)
        path = self._path or (latest_checkpoint(self._folder) if self._folder else None)
        if path:
            scaffold.saver.restore(session, path)  # type: ignore[attr-defined]
        else:
            if scaffold.init_op is not None:  # type: ignore[attr-defined]
                session.run(scaffold.init_op, scaffold.init_feed_dict)  # type: ignore[attr-defined]
            if scaffold.init_fn is not None:
                scaffold.init_fn(session)
        if scaffold.local_init_op is not None:  # type: ignore[attr-defined]
            session.run(scaffold.local_init_op, scaffold.local_init_feed_dict)  # type: ignore[attr-defined]
        missing = session.run(scaffold.ready_op) if scaffold.ready_op is not None else []  # type: ignore[attr-defined]
        if len(missing):
            names = ", ".join(n.decode() for n in missing)
            raise FailedPreconditionError(
                f"Init operations did not make model ready. Variables not initialized: {names}"
            )
        return session


@public(v1="train.WorkerSessionCreator")
class WorkerSessionCreator(ChiefSessionCreator):
    """The same: one process is the chief. max_wait_secs: has nothing to wait for."""

    def __init__(
        self, scaffold: Scaffold | None = None, master: str = "", config: Any = None, max_wait_secs: int = 1800
    ) -> None:
        super().__init__(scaffold, master, config)


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
