"""train.Supervisor: sessions that start from the latest checkpoint, with threads that save and summarise beside them.

`MonitoredTrainingSession` took its place; programs from before TensorFlow 1.0 use this.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.modes.default import get_default_graph
from pullback.modes.session import Session
from pullback.modes.variables import local_variables_initializer
from pullback.train.coordinator import Coordinator, LooperThread
from pullback.train.global_step import get_global_step
from pullback.train.queue_runner import start_queue_runners
from pullback.train.scaffold import ChiefSessionCreator, Scaffold
from pullback.train.summaries.graph_ops import merge_all
from pullback.train.summaries.writer import FileWriter

# Stands for "found in the graph, or made". None is "there is none".
USE_DEFAULT = 0


def _given(value: Any) -> bool:
    """Whether a caller said it; tensors are not compared."""
    return not (type(value) is int and value == USE_DEFAULT)


@public(v1="train.Supervisor")
class Supervisor:
    """Makes a session ready, from the latest checkpoint or initialised, and saves while it is used. From here on
    nothing can be added to the graph.

    Args:
      graph: the default one. logdir: the folder of checkpoints and summaries; None saves nothing.
      init_op, init_feed_dict, init_fn: run where there is no checkpoint; init_fn(session) after init_op.
      local_init_op: run in any case. ready_op, ready_for_local_init_op: names of variables without a value.
      summary_op: what is written every save_summaries_secs (0: never); None: nothing. summary_writer: by default one of
        logdir. saver, checkpoint_basename: what saves every save_model_secs (0: never).
      global_step: the variable that counts steps. stop_grace_secs: how long threads are waited for.
      is_chief, recovery_wait_secs: there is one process, and it is the chief.
      session_manager, local_init_run_options: are not supported; init_fn may do what they would.
    Raises:
      ArgumentError: is_chief is False, or a session_manager or local_init_run_options are given.
    """

    USE_DEFAULT = USE_DEFAULT

    def __init__(
        self,
        graph: Any = None,
        ready_op: Any = USE_DEFAULT,
        ready_for_local_init_op: Any = USE_DEFAULT,
        is_chief: bool = True,
        init_op: Any = USE_DEFAULT,
        init_feed_dict: Any = None,
        local_init_op: Any = USE_DEFAULT,
        logdir: Any = None,
        summary_op: Any = USE_DEFAULT,
        saver: Any = USE_DEFAULT,
        global_step: Any = USE_DEFAULT,
        save_summaries_secs: float = 120,
        save_model_secs: float = 600,
        recovery_wait_secs: float = 30,
        stop_grace_secs: float = 120,
        checkpoint_basename: str = "model.ckpt",
        session_manager: Any = None,
        summary_writer: Any = USE_DEFAULT,
        init_fn: Callable[[Any], Any] | None = None,
        local_init_run_options: Any = None,
    ) -> None:
        if not is_chief or session_manager is not None or local_init_run_options is not None:
            raise ArgumentError(
                "Supervisor: one process is the chief and makes its session itself; leave is_chief, session_manager "
                "and local_init_run_options out"
            ).locate()
        self.graph = graph or get_default_graph()
        self.is_chief, self.coord, self._grace = True, Coordinator(), stop_grace_secs
        self._logdir = os.fsdecode(logdir) if logdir else None
        self.save_path = os.path.join(self._logdir, checkpoint_basename) if self._logdir else None
        self.save_summaries_secs, self.save_model_secs = save_summaries_secs, save_model_secs
        offered = {
            "ready_op": ready_op,
            "ready_for_local_init_op": ready_for_local_init_op,
            "init_op": init_op,
            "local_init_op": local_init_op,
            "saver": saver,
        }
        with self.graph.as_default():
            if local_init_op is None:
                offered["local_init_op"] = local_variables_initializer()
            # Summaries are the Supervisor's to write, on its own clock.
            self.summary_op = merge_all() if not _given(summary_op) else summary_op
            self.global_step = global_step if _given(global_step) else get_global_step()
            self._scaffold = Scaffold(
                init_feed_dict=init_feed_dict,
                init_fn=None if init_fn is None else lambda _, session: init_fn(session),
                **{name: value for name, value in offered.items() if _given(value) and value is not None},
            )
            self._scaffold.finalize()
        self.saver: Any = None if saver is None else self._scaffold.saver  # type: ignore[attr-defined]
        self.summary_writer = summary_writer if _given(summary_writer) else self._writer()

    def _writer(self) -> Any:
        return FileWriter(self._logdir) if self._logdir else None

    @property
    def init_op(self) -> Any:
        return self._scaffold.init_op  # type: ignore[attr-defined]

    @property
    def ready_op(self) -> Any:
        return self._scaffold.ready_op  # type: ignore[attr-defined]

    # --- sessions --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def managed_session(
        self,
        master: str = "",
        config: Any = None,
        start_standard_services: bool = True,
        close_summary_writer: bool = True,
    ) -> Iterator[Session]:
        """A session that is ready; at the end threads are stopped, and what they raised is raised.

        start_standard_services: whether saving and summarising go on beside.
        """
        session = self.prepare_or_wait_for_session(master, config, start_standard_services=start_standard_services)
        try:
            yield session
        except Exception as error:
            self.coord.request_stop(error)
        finally:
            try:
                self.stop(close_summary_writer=close_summary_writer)
            finally:
                session.close()

    def prepare_or_wait_for_session(
        self,
        master: str = "",
        config: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        start_standard_services: bool = True,
    ) -> Session:
        """A session that is ready, with the threads of input queues started.

        wait_for_checkpoint, max_wait_secs: the chief does not wait.
        """
        self.coord.clear_stop()
        with self.graph.as_default():
            session = ChiefSessionCreator(self._scaffold, master, config, self._logdir).create_session()
        if start_standard_services:
            self.start_standard_services(session)
        self.start_queue_runners(session)
        return session

    def start_queue_runners(self, sess: Any, queue_runners: Any = None) -> list[Any]:
        """Starts threads of input queues, by default all of the graph's."""
        if queue_runners is None:
            with self.graph.as_default():
                return start_queue_runners(sess, self.coord)
        threads: list[Any] = []
        for runner in queue_runners:
            threads += runner.create_threads(sess, self.coord, daemon=True, start=True)
        return threads

    def start_standard_services(self, sess: Any) -> list[LooperThread]:
        """Starts the threads that write summaries and save; none without a logdir."""
        if not self._logdir:
            return []
        threads = []
        if self.summary_writer is not None:
            self.summary_writer.add_graph(self.graph)
            if self.summary_op is not None and self.save_summaries_secs:
                threads.append(self.loop(self.save_summaries_secs, self._summarise, (sess,)))
        if self.saver is not None and self.save_model_secs:
            threads.append(self.loop(self.save_model_secs, self._save, (sess,)))
        return threads

    def _summarise(self, sess: Any) -> None:
        self.summary_computed(sess, sess.run(self.summary_op))

    def _save(self, sess: Any) -> None:
        self.saver.save(sess, self.save_path, global_step=self.global_step)

    def summary_computed(self, sess: Any, summary: Any, global_step: Any = None) -> None:
        """Writes a summary that was run.

        Raises:
          RuntimeError: there is no writer.
        """
        if self.summary_writer is None:
            raise RuntimeError("Writing a summary requires a summary writer: give the Supervisor a logdir.")
        if global_step is None and self.global_step is not None:
            global_step = sess.run(self.global_step)
        self.summary_writer.add_summary(summary, global_step)

    # --- threads ---------------------------------------------------------------------------------------------------

    def loop(self, timer_interval_secs: Any, target: Any, args: Any = None, kwargs: Any = None) -> LooperThread:
        """Starts a thread that calls `target` every so many seconds until the Supervisor stops."""
        return LooperThread.loop(self.coord, timer_interval_secs, target, args, kwargs)

    Loop = loop

    def should_stop(self) -> bool:
        return self.coord.should_stop()

    def request_stop(self, ex: Any = None) -> None:
        """Asks all threads to stop."""
        self.coord.request_stop(ex)

    def wait_for_stop(self) -> None:
        """Waits until someone asks to stop."""
        self.coord.wait_for_stop()

    def stop(self, threads: Any = None, close_summary_writer: bool = True, ignore_live_threads: bool = False) -> None:
        """Ends the threads, and raises what they raised."""
        self.coord.request_stop()
        try:
            self.coord.join(threads, self._grace, ignore_live_threads)
        finally:
            if close_summary_writer and self.summary_writer is not None:
                self.summary_writer.close()
