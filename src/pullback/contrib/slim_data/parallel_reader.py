"""`slim.parallel_reader`: records of many files, read by several threads into one queue."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib

_SPACE = "slim.parallel_reader"


@contrib(_SPACE, "ParallelReader")
class ParallelReader(tf.ReaderBase):
    """Several readers of one class, whose records meet in a queue.

    Args:
      reader_class: as tf.TFRecordReader. common_queue: of (key, value), two strings: a FIFOQueue keeps an order, a
        RandomShuffleQueue mixes. num_readers: as many threads. reader_kwargs: arguments of the class.
    """

    def __init__(self, reader_class: Any, common_queue: Any, num_readers: int = 4, reader_kwargs: Any = None) -> None:
        self._readers = [reader_class(**(reader_kwargs or {})) for _ in range(num_readers)]
        self._common_queue = common_queue

    @property
    def num_readers(self) -> int:
        return len(self._readers)

    @property
    def common_queue(self) -> Any:
        return self._common_queue

    def read(self, queue: Any, name: str | None = None) -> Any:
        """(key, value) of the next record; files' names come from a queue of strings. Adds the threads to the graph."""
        self._fill([self._common_queue.enqueue(reader.read(queue)) for reader in self._readers])
        return self._common_queue.dequeue(name=name)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> Any:
        """(keys, values), at most num_records each; the common queue's shapes must be known."""
        self._fill([self._common_queue.enqueue_many(reader.read_up_to(queue, num_records)) for reader in self._readers])
        return self._common_queue.dequeue_up_to(num_records, name)

    def _fill(self, enqueue_ops: list[Any]) -> None:
        tf.train.add_queue_runner(tf.train.QueueRunner(self._common_queue, enqueue_ops))

    def num_records_produced(self, name: str | None = None) -> Any:
        """How many records all readers read. [] int64"""
        return tf.add_n([reader.num_records_produced() for reader in self._readers], name=name)

    def num_work_units_completed(self, name: str | None = None) -> Any:
        """How many files all readers read to their end. [] int64"""
        return tf.add_n([reader.num_work_units_completed() for reader in self._readers], name=name)


@contrib(_SPACE, "parallel_read")
def parallel_read(
    data_sources: Any,
    reader_class: Any,
    num_epochs: int | None = None,
    num_readers: int = 4,
    reader_kwargs: Any = None,
    shuffle: bool = True,
    dtypes: Any = None,
    capacity: int = 256,
    min_after_dequeue: int = 128,
    seed: Any = None,
    scope: Any = None,
) -> Any:
    """(key, value) of a record of the files, by several readers at once.

    Args:
      data_sources: see get_data_files. num_epochs: how often each file is read; None: for ever; counts in a local
        variable. shuffle, seed: whether files and records come in random order.
      dtypes: of key and value; strings. capacity, min_after_dequeue: of the queue of records.
    Raises:
      ValueError: there are no files.
    """
    files = get_data_files(data_sources)
    kinds = dtypes or [tf.string, tf.string]
    with tf.name_scope(scope, "parallel_read"):
        names = tf.train.string_input_producer(
            files, num_epochs=num_epochs, shuffle=shuffle, seed=seed, name="filenames"
        )
        if shuffle:
            queue = tf.RandomShuffleQueue(capacity, min_after_dequeue, kinds, seed=seed, name="common_queue")
        else:
            queue = tf.FIFOQueue(capacity, kinds, name="common_queue")
        tf.summary.scalar(f"fraction_of_{capacity}_full", tf.cast(queue.size(), tf.float32) * (1.0 / capacity))
        return ParallelReader(reader_class, queue, num_readers, reader_kwargs).read(names)


@contrib(_SPACE, "single_pass_read")
def single_pass_read(data_sources: Any, reader_class: Any, reader_kwargs: Any = None, scope: Any = None) -> Any:
    """(key, value) of the next record: each file once, in order.

    Raises:
      ValueError: there are no files.
    """
    files = get_data_files(data_sources)
    with tf.name_scope(scope, "single_pass_read"):
        names = tf.train.string_input_producer(files, num_epochs=1, shuffle=False, capacity=1, name="filenames")
        return reader_class(**(reader_kwargs or {})).read(names)


@contrib(_SPACE, "get_data_files")
def get_data_files(data_sources: Any) -> list[str]:
    """The files meant: of a path, a pattern (with *, ? or [) or a list of such.

    Raises:
      ValueError: there are none.
    """
    if isinstance(data_sources, (list, tuple)):
        found = [path for source in data_sources for path in get_data_files(source)]
    elif any(mark in data_sources for mark in "*?["):
        found = tf.gfile.Glob(data_sources)
    else:
        found = [data_sources]
    if not found:
        raise ValueError(f"No data files found in {data_sources}")
    return found
