"""`slim.queues`: the graph's input threads for the length of a `with`; and `slim.prefetch_queue`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib

_one_at_a_time = threading.Lock()


@contrib("slim.queues", "NestedQueueRunnerError")
class NestedQueueRunnerError(Exception):
    """QueueRunners stands inside of another one."""


@contrib("slim.queues", "QueueRunners")
@contextlib.contextmanager
def QueueRunners(session: Any) -> Iterator[None]:
    """Runs the threads of the graph's queue runners inside a `with`.

    Raises:
      NestedQueueRunnerError: it stands inside of another one. Whatever a thread raised.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise NestedQueueRunnerError("QueueRunners cannot be nested")
    try:
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        try:
            yield
        finally:
            coordinator.request_stop()
            try:
                coordinator.join(threads, stop_grace_period_secs=120)
            except RuntimeError:  # a thread goes on: it ends with its session
                session.close()
    finally:
        _one_at_a_time.release()


@contrib("slim.prefetch_queue", "prefetch_queue")
def prefetch_queue(
    tensors: Any,
    capacity: int = 8,
    num_threads: int = 1,
    dynamic_pad: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """A queue that num_threads threads fill with the tensors, so that the next batches wait ready.

    Args:
      tensors: a list, or a dict, which `dequeue` then gives too. dynamic_pad: whether the queue pads.
    Raises:
      ValueError: a shape is not known and dynamic_pad is False: a batch of a known size, and images resized, have one.
    """
    names = sorted(tensors) if isinstance(tensors, dict) else None
    listed = [tensors[n] for n in names] if names else list(tensors)
    with tf.name_scope(name, "prefetch_queue", listed):
        listed = [tf.convert_to_tensor(t) for t in listed]
        kind = tf.PaddingFIFOQueue if dynamic_pad else tf.FIFOQueue
        shapes = [t.shape for t in listed]
        queue = kind(capacity, [t.dtype for t in listed], shapes, names, shared_name)
        add = queue.enqueue(dict(zip(names, listed, strict=True)) if names else listed)
        tf.train.add_queue_runner(tf.train.QueueRunner(queue, [add] * num_threads))
        tf.summary.scalar(f"fraction_of_{capacity}_full", tf.cast(queue.size(), tf.float32) * (1.0 / capacity))
    return queue
