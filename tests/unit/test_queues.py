"""Queues, their threads, readers and batches. Random orders are TensorFlow 2.21's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core.errors import CancelledError, OutOfRangeError


def plain(x: Any) -> Any:
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    return [plain(v) for v in x] if isinstance(x, (list, tuple)) else x.tolist() if hasattr(x, "tolist") else x


def pipeline(build: Callable[[], Any], most: int = 30) -> list[Any]:
    """What a pipeline of queues gives until its input ends; its threads end too."""
    with v1.Graph().as_default():
        v1.set_random_seed(1)
        fetches = build()
        with v1.Session() as session:
            session.run([v1.global_variables_initializer(), v1.local_variables_initializer()])
            coordinator = v1.train.Coordinator()
            threads = v1.train.start_queue_runners(session, coordinator)
            out: list[Any] = []
            try:
                for _ in range(most):
                    out.append(plain(session.run(fetches)))  # noqa: PERF401 - what came before the end counts
            except OutOfRangeError:
                out.append("end")
            coordinator.request_stop()
            coordinator.join(threads)
            assert not any(t.is_alive() for t in threads)
            return out


@pytest.fixture
def session() -> Any:
    with v1.Graph().as_default(), v1.Session() as made:
        yield made


def failure(session: Any, operation: Any) -> tuple[threading.Thread, list[Exception]]:
    """A thread that runs an operation which waits, and what it raised."""
    raised: list[Exception] = []
    began = threading.Event()

    def run() -> None:
        began.set()
        try:
            session.run(operation)
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    began.wait()
    return thread, raised


def test_first_in_first_out(session: Any) -> None:
    queue = v1.FIFOQueue(5, [tf.float32, tf.int32], shapes=[[2], []])
    assert queue.enqueue(([1.0, 2.0], 3)).name == "fifo_queue_enqueue"
    session.run(queue.enqueue(([1.0, 2.0], 3)))
    session.run(queue.enqueue_many(([[3.0, 4.0], [5.0, 6.0]], [4, 5])))
    assert session.run(queue.size()) == 3
    assert plain(session.run(queue.dequeue())) == [[1, 2], 3]
    several = queue.dequeue_many(2)
    assert [t.shape.as_list() for t in several] == [[2, 2], [2]]
    assert plain(session.run(several)) == [[[3, 4], [5, 6]], [4, 5]]


def test_closed_queue_gives_what_is_left(session: Any) -> None:
    queue = v1.FIFOQueue(5, tf.int32, shapes=[[]])
    session.run(queue.enqueue_many([[1, 2, 3]]))
    session.run(queue.close())
    assert session.run(queue.is_closed())
    with pytest.raises(OutOfRangeError, match="requested 4, current size 3"):
        session.run(queue.dequeue_many(4))
    assert plain(session.run(queue.dequeue_up_to(4))) == [1, 2, 3]
    with pytest.raises(OutOfRangeError):
        session.run(queue.dequeue())
    with pytest.raises(CancelledError, match="is closed"):
        session.run(queue.enqueue(4))


def test_random_order_is_that_of_the_seed(session: Any) -> None:
    v1.set_random_seed(7)
    queue = v1.RandomShuffleQueue(20, 5, tf.int32, shapes=[[]], seed=3)
    session.run(queue.enqueue_many([list(range(20))]))
    one = queue.dequeue()
    expected = [13, 12, 8, 4, 14, 0, 15, 16, 2, 1, 18, 17, 19, 9, 6]
    assert [int(session.run(one)) for _ in range(15)] == expected
    session.run(queue.close())
    assert sorted(plain(session.run(queue.dequeue_many(5)))) == sorted(set(range(20)) - set(expected))


def test_padding_and_priority_and_names(session: Any) -> None:
    padding = v1.PaddingFIFOQueue(5, [tf.int32], [[None]])
    session.run([padding.enqueue([[1, 2]])])
    session.run(padding.enqueue([[3]]))
    assert plain(session.run(padding.dequeue_many(2))) == [[1, 2], [3, 0]]
    priority = v1.PriorityQueue(5, [tf.string], [[]])
    session.run(priority.enqueue_many([[3, 1, 2], ["c", "a", "b"]]))
    assert [session.run(priority.dequeue())[1] for _ in range(3)] == [b"a", b"b", b"c"]
    named = v1.FIFOQueue(5, [tf.int32, tf.int32], names=["a", "b"], shapes=[[], []])
    session.run(named.enqueue({"a": 1, "b": 2}))
    assert plain(session.run(named.dequeue())) == {"a": 1, "b": 2}


def test_enqueue_waits_for_room(session: Any) -> None:
    queue = v1.FIFOQueue(1, tf.int32)
    session.run(queue.enqueue(1))
    thread, raised = failure(session, queue.enqueue(2))
    assert [int(session.run(queue.dequeue())) for _ in range(2)] == [1, 2]
    thread.join()
    assert not raised


def test_closing_cancels_who_waits(session: Any) -> None:
    queue = v1.FIFOQueue(1, tf.int32)
    session.run(queue.enqueue(1))
    second, close = queue.enqueue(2), queue.close(cancel_pending_enqueues=True)
    thread, raised = failure(session, second)
    session.run(close)
    thread.join()
    assert isinstance(raised[0], CancelledError)


def test_closing_the_session_ends_waiting() -> None:
    with v1.Graph().as_default():
        queue = v1.FIFOQueue(1, tf.int32)
        with v1.Session() as session:
            session.run(queue.size())
            thread, raised = failure(session, queue.dequeue())
            while not queue_waits(session):
                pass
        thread.join()
    assert isinstance(raised[0], (CancelledError, RuntimeError))


def queue_waits(session: Any) -> bool:
    """Whether somebody waits for an element."""
    (state,) = [session.store.get(r) for r in session.store]
    return state._dequeueing.locked()


def test_each_session_has_its_own_elements() -> None:
    with v1.Graph().as_default():
        queue = v1.FIFOQueue(3, tf.int32)
        add, size = queue.enqueue(1), queue.size()
        with v1.Session() as a, v1.Session() as b:
            a.run(add)
            assert (a.run(size), b.run(size)) == (1, 0)


def test_slices_and_batches() -> None:
    def build() -> Any:
        x, y = v1.train.slice_input_producer([np.arange(5), np.arange(5) * 10], num_epochs=2, shuffle=False)
        return v1.train.batch([x, y], 3, allow_smaller_final_batch=True)

    first, *_, last, end = pipeline(build)
    assert first == [[0, 1, 2], [0, 10, 20]]
    assert (last, end) == ([[4], [40]], "end")


def test_shuffled_slices_as_tensorflow_gives_them() -> None:
    def build() -> Any:
        (x,) = v1.train.slice_input_producer([np.arange(5)], num_epochs=2, seed=4)
        return v1.train.batch([x], 2)

    assert pipeline(build) == [[1, 2], [3, 4], [0, 3], [4, 1], [2, 0], "end"]


def test_shuffled_batches_hold_everything_once() -> None:
    def build() -> Any:
        x = v1.train.range_input_producer(8, num_epochs=1).dequeue()
        return v1.train.shuffle_batch({"x": x}, 4, capacity=20, min_after_dequeue=4, num_threads=3)

    *batches, end = pipeline(build)
    assert sorted(n for batch in batches for n in batch["x"]) == list(range(8))
    assert end == "end"


def test_batches_of_what_is_kept_and_padded() -> None:
    def kept() -> Any:
        x = v1.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
        return v1.train.maybe_batch([x], tf.equal(x % 2, 0), 2, allow_smaller_final_batch=True)

    def padded() -> Any:
        x = v1.train.range_input_producer(4, num_epochs=1, shuffle=False).dequeue()
        return v1.train.batch([tf.fill([x], x)], 2, dynamic_pad=True, shapes=[[None]])

    assert pipeline(kept) == [[0, 2], [4], "end"]
    assert pipeline(padded) == [[[0], [1]], [[2, 2, 0], [3, 3, 3]], "end"]


def test_readers(tmp_path: Path) -> None:
    text, pieces, records = (tmp_path / name for name in ("a.txt", "b.bin", "c.rec"))
    text.write_bytes(b"head\none\ntwo\n")
    pieces.write_bytes(b"Haabb")
    with tf.io.TFRecordWriter(str(records)) as writer:
        writer.write(b"r0")
        writer.write(b"r1")

    def reading(reader: Callable[[], Any], path: Path) -> Callable[[], Any]:
        def build() -> Any:
            names = v1.train.string_input_producer([str(path)], num_epochs=1, shuffle=False)
            return list(reader().read(names))

        return build

    def at(path: Path, place: int) -> bytes:
        return f"{path}:{place}".encode()

    lines = pipeline(reading(lambda: v1.TextLineReader(skip_header_lines=1), text))
    assert lines == [[at(text, 2), b"one"], [at(text, 3), b"two"], "end"]
    fixed = pipeline(reading(lambda: v1.FixedLengthRecordReader(2, 1), pieces))
    assert fixed == [[at(pieces, 0), b"aa"], [at(pieces, 1), b"bb"], "end"]
    whole = pipeline(reading(v1.WholeFileReader, text))
    assert whole == [[str(text).encode(), text.read_bytes()], "end"]
    framed = pipeline(reading(v1.TFRecordReader, records))
    assert framed == [[at(records, 0), b"r0"], [at(records, 18), b"r1"], "end"]


def test_a_threads_error_reaches_join() -> None:
    coordinator = tf.train.Coordinator()

    def run() -> None:
        with coordinator.stop_on_exception():
            raise KeyError("from the thread")

    thread = threading.Thread(target=run)
    thread.start()
    with pytest.raises(KeyError, match="from the thread"):
        coordinator.join([thread])
    assert coordinator.should_stop()


def test_an_inputs_end_is_no_error() -> None:
    coordinator = tf.train.Coordinator()
    coordinator.request_stop(OutOfRangeError("the end"))
    coordinator.join([])
    assert coordinator.joined


def test_mistakes_are_explained(session: Any) -> None:
    with pytest.raises(ValueError, match="components, but 3 were given"):
        v1.FIFOQueue(1, [tf.int32, tf.int32]).enqueue((1, 2, 3))
    with pytest.raises(ValueError, match="must have shapes to take several"):
        v1.FIFOQueue(1, [tf.int32]).dequeue_many(2)
    with pytest.raises(ValueError, match="must be < capacity"):
        v1.RandomShuffleQueue(5, 5, tf.int32)
    with pytest.raises(ValueError, match="num_epochs must be > 0"):
        v1.train.limit_epochs(tf.constant(1), 0)
    with pytest.raises(ValueError, match="All shapes must be fully defined"):
        v1.train.batch([v1.placeholder(tf.float32, [None])], 2)


def test_what_is_enqueued_is_named_within_its_operation() -> None:
    with v1.Graph().as_default() as graph:
        queue = v1.FIFOQueue(3, [tf.int32], [()])
        queue.enqueue([1])
        queue.enqueue_many([[1]], name="more")
        names = [op.name for op in graph.get_operations()]
    assert names[1:] == ["fifo_queue_enqueue/component_0", "fifo_queue_enqueue", "more/component_0", "more"]
