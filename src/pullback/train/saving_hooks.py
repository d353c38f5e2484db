"""Hooks that write files: summaries, steps a second, checkpoints."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from pullback.app import log
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.io import messages
from pullback.io.graphs import write_graph
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.train.hooks import (
    SecondOrStepTimer,
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
    step_tensor,
)
from pullback.train.summaries.writer import FileWriterCache


def _writer(output_dir: Any, summary_writer: Any) -> Any:
    return summary_writer if summary_writer is not None or not output_dir else FileWriterCache.get(output_dir)


@public(v1=("train.StepCounterHook", "estimator.StepCounterHook"))
class StepCounterHook(SessionRunHook):
    """Writes and logs how many steps there are a second, under the tag global_step/sec.

    Raises:
      ValueError: both or none of every_n_steps and every_n_secs are given.
    """

    def __init__(
        self,
        every_n_steps: int | None = 100,
        every_n_secs: float | None = None,
        output_dir: Any = None,
        summary_writer: Any = None,
    ) -> None:
        self._timer = SecondOrStepTimer(every_n_secs, every_n_steps)
        self._output_dir, self._summary_writer = output_dir, summary_writer

    def begin(self) -> None:
        self._summary_writer = _writer(self._output_dir, self._summary_writer)
        self._step = step_tensor("StepCounterHook")
        self._tag = f"{getattr(self._step, 'op', self._step).name.partition(':')[0]}/sec"

    def before_run(self, run_context: SessionRunContext) -> Any:
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        step = int(run_values.results) + 1
        if not self._timer.should_trigger_for_step(step):
            return
        step = int(run_context.session.run(self._step))
        if not self._timer.should_trigger_for_step(step):
            return
        seconds, steps = self._timer.update_last_triggered_step(step)
        if seconds and steps is not None:
            self._log_and_record(steps, seconds, step)

    def _log_and_record(self, elapsed_steps: int, elapsed_time: float, global_step: int) -> None:
        rate = elapsed_steps / elapsed_time
        if self._summary_writer is not None:
            summary = messages.Summary()
            summary.value.add(tag=self._tag, simple_value=rate)
            self._summary_writer.add_summary(summary, global_step)
        log.info(f"{self._tag}: {rate:g}")


@public(v1=("train.SummarySaverHook", "estimator.SummarySaverHook"))
class SummarySaverHook(SessionRunHook):
    """Writes summaries every so many steps or seconds.

    Args:
      summary_op: what is written; or scaffold, whose summary_op is.
    Raises:
      ValueError: both or none of scaffold and summary_op, or of save_steps and save_secs, are given.
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: Any = None,
        summary_writer: Any = None,
        scaffold: Any = None,
        summary_op: Any = None,
    ) -> None:
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        self._summary_op, self._scaffold = summary_op, scaffold
        self._output_dir, self._summary_writer = output_dir, summary_writer
        self._timer = SecondOrStepTimer(save_secs, save_steps)

    def begin(self) -> None:
        self._summary_writer = _writer(self._output_dir, self._summary_writer)
        self._next: int | None = None
        self._step = step_tensor("SummarySaverHook")

    def before_run(self, run_context: SessionRunContext) -> Any:
        self._due = self._next is None or self._timer.should_trigger_for_step(self._next)
        wanted = {"step": self._step}
        op = self._summary_op if self._summary_op is not None else self._scaffold.summary_op
        if self._due and op is not None:
            wanted["summary"] = op
        return SessionRunArgs(wanted)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if self._summary_writer is None:
            return
        step = int(run_values.results["step"]) + 1
        if self._due:
            step = int(run_context.session.run(self._step))
            self._timer.update_last_triggered_step(step)
            found = run_values.results.get("summary")
            for summary in found if isinstance(found, list) else [] if found is None else [found]:
                self._summary_writer.add_summary(summary, step)
        self._next = step + 1

    def end(self, session: Any) -> None:
        if self._summary_writer is not None:
            self._summary_writer.flush()


@public(v1=("train.CheckpointSaverListener", "estimator.CheckpointSaverListener"))
class CheckpointSaverListener:
    """Base of what is told of checkpoints; every method may be overridden."""

    def begin(self) -> None:
        """Called once before the session is made."""

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Called before a checkpoint is written."""

    def after_save(self, session: Any, global_step_value: int) -> Any:
        """Called when it is written. Returns whether to stop."""

    def end(self, session: Any, global_step_value: int) -> None:
        """Called at the end."""


@public(v1=("train.CheckpointSaverHook", "estimator.CheckpointSaverHook"))
class CheckpointSaverHook(SessionRunHook):
    """Writes a checkpoint at first, every so many steps or seconds, and at the end.

    Args:
      checkpoint_dir: the folder. saver: what writes; or scaffold, whose saver does.
      save_graph_def: whether the graph is written too, as text.
    Raises:
      ValueError: both saver and scaffold, or both or none of save_secs and save_steps, are given.
    """

    def __init__(
        self,
        checkpoint_dir: Any,
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: Any = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: Any = None,
        listeners: Iterable[Any] | None = None,
        save_graph_def: bool = True,
    ) -> None:
        if saver is not None and scaffold is not None:
            raise ValueError("You cannot provide both saver and scaffold.")
        self._saver, self._scaffold, self._folder = saver, scaffold, os.fsdecode(checkpoint_dir)
        self._path = os.path.join(self._folder, checkpoint_basename)
        self._timer = SecondOrStepTimer(save_secs, save_steps)
        self._listeners, self._writes_graph = list(listeners or ()), save_graph_def

    def begin(self) -> None:
        self._summary_writer = FileWriterCache.get(self._folder)
        self._step = step_tensor("CheckpointSaverHook")
        for listener in self._listeners:
            listener.begin()

    def after_create_session(self, session: Any, coord: Any) -> None:
        step = int(session.run(self._step))
        if self._writes_graph:
            write_graph(get_default_graph(), self._folder, "graph.pbtxt")
        self._summary_writer.add_graph(get_default_graph())
        self._save(session, step)
        self._timer.update_last_triggered_step(step)

    def before_run(self, run_context: SessionRunContext) -> Any:
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not self._timer.should_trigger_for_step(int(run_values.results) + 1):
            return
        step = int(run_context.session.run(self._step))
        if self._timer.should_trigger_for_step(step):
            self._timer.update_last_triggered_step(step)
            if self._save(run_context.session, step):
                run_context.request_stop()

    def end(self, session: Any) -> None:
        step = int(session.run(self._step))
        if step != self._timer.last_triggered_step():
            self._save(session, step)
        for listener in self._listeners:
            listener.end(session, step)

    def _save(self, session: Any, step: int) -> bool:
        """Writes a checkpoint; returns whether a listener asks to stop."""
        for listener in self._listeners:
            listener.before_save(session, step)
        self._get_saver().save(session, self._path, global_step=step, write_meta_graph=self._writes_graph)
        saved = messages.SessionLog(
            status=messages.SessionLog.SessionStatus.Value("CHECKPOINT"), checkpoint_path=self._path
        )
        self._summary_writer.add_session_log(saved, step)
        return any([bool(listener.after_save(session, step)) for listener in self._listeners])

    def _get_saver(self) -> Any:
        if self._saver is not None:
            return self._saver
        if self._scaffold is not None:
            return self._scaffold.saver
        found = get_default_graph().get_collection(GraphKeys.SAVERS)
        if len(found) != 1:
            raise ArgumentError(
                f"CheckpointSaverHook: the collection SAVERS holds {len(found)} savers, one is needed; give `saver`"
            )
        self._saver = found[0]
        return self._saver
