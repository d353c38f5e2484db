"""TensorFlow 1's input pipelines of queues: producers of names, numbers and slices. The batches are in batches.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import as_shape, text
from pullback.core.tensor import Tensor
from pullback.data.queues import FIFOQueue
from pullback.modes.default import GraphKeys, building
from pullback.modes.variable import VariableV1
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.ranges import range_
from pullback.ops.array.sizes import shape_
from pullback.ops.math.select import Cast, Identity
from pullback.ops.random.functions import random_shuffle
from pullback.ops.state.counting import CountUpTo
from pullback.train.queue_runner import QueueRunner, add_queue_runner
from pullback.train.summaries.graph_ops import scalar


@public(v1="count_up_to")
def count_up_to(ref: Any, limit: int, name: str | None = None) -> Tensor:
    """The variable's value, which then grows by one. OutOfRangeError, when it runs, once it has reached the limit."""
    return CountUpTo(int(limit))(ref.handle, name=name)


@public(v1="train.limit_epochs")
def limit_epochs(tensor: Any, num_epochs: Any = None, name: str | None = None) -> Tensor:
    """The tensor, num_epochs times; then OutOfRangeError. Counts in a local variable, which must be initialised
    (`local_variables_initializer`).

    Raises:
      ValueError: num_epochs is below 1.
    """
    if num_epochs is None:
        return interpreter.as_tensor(tensor)
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    with building() as here, here.name_scope(name or "limit_epochs") as scope:
        zero = np.int64(0)
        epochs = VariableV1(zero, name="epochs", trainable=False, collections=[GraphKeys.LOCAL_VARIABLES])
        with here.control_dependencies([count_up_to(epochs, num_epochs)]):
            return Identity()(tensor, name=scope)


def graph_needed(what: str) -> None:
    """Raises RuntimeError in eager mode."""
    if not isinstance(interpreter.current(), Graph):
        raise RuntimeError(f"{what} uses queues, which need a graph. With eager execution, use tf.data instead.")


@public(v1="train.input_producer")
def input_producer(
    input_tensor: Any,
    element_shape: Any = None,
    num_epochs: Any = None,
    shuffle: bool = True,
    seed: Any = None,
    capacity: Any = 32,
    shared_name: str | None = None,
    summary_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> Any:
    """A queue of the rows of a tensor, filled by a QueueRunner, which it adds to the graph.

    Args:
      input_tensor: [n, ..]. element_shape: of a row, where it is not known.
      num_epochs: how often the rows come; None: for ever. shuffle: whether in another random order each time.
    Raises:
      ValueError: a row's shape is not known. RuntimeError: in eager mode.
    """
    with building() as here:
        graph_needed("input_producer")
        with here.name_scope(name or "input_producer"):
            given = interpreter.as_tensor(input_tensor, name="input_tensor")
            rows = None if given.spec.shape is None else given.spec.shape[1:]
            each = shape.merged(rows, as_shape(element_shape))
            if not shape.known(each):
                raise ArgumentError(
                    f"input_producer: the shape of a row must be known, but is {text(each)}; give element_shape"
                ).locate()
            if shuffle:
                given = random_shuffle(given, seed=seed)
            given = limit_epochs(given, num_epochs)
            queue = FIFOQueue(capacity, [given.dtype], [each], shared_name=shared_name)
            runner = QueueRunner(queue, [queue.enqueue_many([given])], cancel_op=cancel_op)
            add_queue_runner(runner)
            if summary_name is not None:
                fullness(queue, summary_name, int(capacity))
        return queue


def fullness(queue: Any, tag: str, capacity: int, offset: int = 0) -> None:
    """A summary of how full a queue is, from `offset` on."""
    from pullback.ops.math.arithmetic import Maximum

    size = queue.size()
    held = Maximum()(size - offset, 0) if offset else size
    scalar(tag, Cast(dtypes.float32)(held) * (1.0 / (capacity - offset)))


@public(v1="train.string_input_producer")
def string_input_producer(
    string_tensor: Any,
    num_epochs: Any = None,
    shuffle: bool = True,
    seed: Any = None,
    capacity: Any = 32,
    shared_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> Any:
    """A queue of strings, as of names of files for a reader; else as `input_producer`.

    Raises:
      ValueError: there are none.
    """
    nothing = "string_input_producer requires a non-null input tensor"
    if isinstance(string_tensor, (list, tuple, np.ndarray)) and not len(string_tensor):
        raise ValueError(nothing)
    with building() as here, here.name_scope(name or "input_producer") as scope:
        words = interpreter.as_tensor(string_tensor, dtypes.string)
        return input_producer(
            words,
            (),
            num_epochs,
            shuffle,
            seed,
            capacity,
            shared_name,
            f"fraction_of_{capacity}_full",
            scope,
            cancel_op,
        )


@public(v1="train.range_input_producer")
def range_input_producer(
    limit: Any,
    num_epochs: Any = None,
    shuffle: bool = True,
    seed: Any = None,
    capacity: Any = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """A queue of the numbers 0 to limit - 1; else as `input_producer`."""
    with building() as here, here.name_scope(name or "input_producer") as scope:
        numbers = range_(limit)
        return input_producer(
            numbers, (), num_epochs, shuffle, seed, capacity, shared_name, f"fraction_of_{capacity}_full", scope
        )


@public(v1="train.slice_input_producer")
def slice_input_producer(
    tensor_list: Any,
    num_epochs: Any = None,
    shuffle: bool = True,
    seed: Any = None,
    capacity: Any = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> list[Tensor]:
    """Tensors that are one row of each tensor of a list, the same number each; else as `input_producer`.

    Raises:
      ValueError: the list is empty.
    """
    if not tensor_list:
        raise ValueError("Expected at least one tensor in slice_input_producer().")
    with building() as here, here.name_scope(name or "input_producer"):
        tensors = [interpreter.as_tensor(t) for t in tensor_list]
        count = shape_(tensors[0])[0]
        queue = range_input_producer(count, num_epochs, shuffle, seed, capacity, shared_name)
        index = queue.dequeue()
        return [GatherV2()(t, index, 0) for t in tensors]
