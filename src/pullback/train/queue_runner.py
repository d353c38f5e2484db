"""QueueRunner: threads that fill a queue."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from pullback.core.errors import CancelledError, OpError, OutOfRangeError
from pullback.core.names import public
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.modes.session import get_default_session
from pullback.train.coordinator import Coordinator

# What may be said to end the input, by TensorFlow's numbers.
_ERRORS: dict[int, type[OpError]] = {kind.error_code: kind for kind in (CancelledError, OutOfRangeError)}


class _Named:
    """A queue that came with a graph: its handle alone."""

    def __init__(self, handle: Any) -> None:
        self.queue_ref, self.name = handle, handle.node.name


@public(v1=("train.QueueRunner", "train.queue_runner.QueueRunner"))
class QueueRunner:
    """Runs enqueue operations, each in a thread of its own, until the queue's input ends.

    Args:
      queue: the queue. enqueue_ops: operations, one a thread.
      close_op: closes the queue when the last thread's input ended. cancel_op: closes it when a stop is asked for, and
        cancels what waits.
      queue_closed_exception_types: errors that are the end of the input.
      queue_runner_def: a QueueRunnerDef that names operations of the current graph, under `import_scope`; then nothing
        else is given.
    Raises:
      ValueError: queue or enqueue_ops are missing, or stand beside queue_runner_def.
    """

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Any = None,
        close_op: Any = None,
        cancel_op: Any = None,
        queue_closed_exception_types: Any = None,
        queue_runner_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._running: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._exceptions: list[Exception] = []
        if queue_runner_def is not None:
            if queue is not None or enqueue_ops:
                raise ValueError("queue_runner_def and queue are mutually exclusive.")
            self._take(queue_runner_def, import_scope)
            return
        if queue is None or not enqueue_ops:
            raise ValueError("Must provide queue and enqueue_ops.")
        self._queue, self._enqueue_ops = queue, list(enqueue_ops)
        self._ends = tuple(queue_closed_exception_types or (OutOfRangeError,))
        with queue.queue_ref.graph.as_default():
            self._close_op = queue.close() if close_op is None else close_op
            self._cancel_op = queue.close(cancel_pending_enqueues=True) if cancel_op is None else cancel_op

    def _take(self, said: Any, scope: str | None) -> None:
        """Uses operations that the current graph has.

        Raises:
          KeyError: it has not.
        """
        graph, front = get_default_graph(), f"{scope}/" if scope else ""
        self._queue: Any = _Named(graph.get_operation_by_name(front + said.queue_name).outputs[0])
        self._enqueue_ops = [graph.get_operation_by_name(front + name) for name in said.enqueue_op_name]
        self._close_op = graph.get_operation_by_name(front + said.close_op_name)
        self._cancel_op = graph.get_operation_by_name(front + said.cancel_op_name)
        self._ends = tuple(_ERRORS[code] for code in said.queue_closed_exception_types if code in _ERRORS)
        self._ends = self._ends or (OutOfRangeError,)

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The runner as a QueueRunnerDef message; None when its queue is not in `export_scope`, whose name is left
        out."""
        from pullback.io import messages

        front = f"{export_scope.rstrip('/')}/" if export_scope else ""
        if not self.name.startswith(front):
            return None
        made = messages.QueueRunnerDef(
            queue_name=self.name[len(front) :],
            enqueue_op_name=[op.name[len(front) :] for op in self._enqueue_ops],
            close_op_name=self._close_op.name[len(front) :],
            cancel_op_name=self._cancel_op.name[len(front) :],
        )
        made.queue_closed_exception_types.extend([kind.error_code for kind in self._ends])
        return made

    @staticmethod
    def from_proto(queue_runner_def: Any, import_scope: str | None = None) -> QueueRunner:
        """The runner that a QueueRunnerDef names in the current graph."""
        return QueueRunner(queue_runner_def=queue_runner_def, import_scope=import_scope)

    @property
    def queue(self) -> Any:
        return self._queue

    @property
    def enqueue_ops(self) -> list[Any]:
        return self._enqueue_ops

    @property
    def close_op(self) -> Any:
        return self._close_op

    @property
    def cancel_op(self) -> Any:
        return self._cancel_op

    @property
    def queue_closed_exception_types(self) -> tuple[Any, ...]:
        return self._ends

    @property
    def name(self) -> str:
        return self._queue.name

    @property
    def exceptions_raised(self) -> list[Exception]:
        """What threads raised that no coordinator took."""
        return self._exceptions

    def _run(self, sess: Any, enqueue_op: Any, coord: Coordinator | None) -> None:
        """A thread: enqueues until the input ends or a stop is asked for."""
        counted = True
        try:
            while coord is None or not coord.should_stop():
                try:
                    sess.run(enqueue_op)
                except self._ends:
                    with self._lock:
                        self._running[sess] -= 1
                        counted = False
                        last = self._running[sess] == 0
                    if last:
                        try:
                            sess.run(self._close_op)
                        except RuntimeError:  # the session was closed first
                            return
                    return
        except Exception as error:
            if coord is not None:
                if not (isinstance(error, (CancelledError, RuntimeError)) and coord.should_stop()):
                    coord.request_stop(error)
            else:
                with self._lock:
                    self._exceptions.append(error)
        finally:
            if counted:
                with self._lock:
                    self._running[sess] -= 1

    def _cancel(self, sess: Any, coord: Coordinator) -> None:
        """A thread: closes the queue when a stop is asked for, so that nobody waits for room."""
        coord.wait_for_stop()
        try:
            sess.run(self._cancel_op)
        except Exception:  # the session is closed: nobody waits any more
            return

    def create_threads(
        self, sess: Any, coord: Coordinator | None = None, daemon: bool = False, start: bool = False
    ) -> list[threading.Thread]:
        """The threads for a session; none when those made before still run.

        Args:
          coord: tells the threads to stop and hears of their errors. start: whether they are started.
        """
        with self._lock:
            if self._running.get(sess, 0) > 0:
                return []
            self._running[sess] = len(self._enqueue_ops)
            self._exceptions = []
        made = [
            threading.Thread(target=self._run, args=(sess, operation, coord), name=f"QueueRunnerThread-{self.name}")
            for operation in self._enqueue_ops
        ]
        if coord is not None:
            made.append(threading.Thread(target=self._cancel, args=(sess, coord), name=f"QueueRunnerStop-{self.name}"))
        for thread in made:
            if coord is not None:
                coord.register_thread(thread)
            thread.daemon = daemon
            if start:
                thread.start()
        return made


@public(v1=("train.add_queue_runner", "train.queue_runner.add_queue_runner"))
def add_queue_runner(qr: QueueRunner, collection: str = GraphKeys.QUEUE_RUNNERS) -> None:
    """Adds a queue runner to a collection of the graph."""
    get_default_graph().add_to_collection(collection, qr)


@public(v1=("train.start_queue_runners", "train.queue_runner.start_queue_runners"))
def start_queue_runners(
    sess: Any = None,
    coord: Coordinator | None = None,
    daemon: bool = True,
    start: bool = True,
    collection: str = GraphKeys.QUEUE_RUNNERS,
) -> list[threading.Thread]:
    """Starts the threads of all queue runners of a collection.

    Raises:
      ValueError: there is no session.
    """
    session = sess or get_default_session()
    if session is None:
        raise ValueError(
            "Cannot start queue runners: No default session is registered. Use `with sess.as_default()` or pass an "
            "explicit session to tf.start_queue_runners(sess=sess)"
        )
    runners = session.graph.get_collection(collection)
    return [t for qr in runners for t in qr.create_threads(session, coord, daemon, start)]
