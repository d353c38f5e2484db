"""TensorFlow 1's batches: threads run the tensors again and again into a queue, from which batches are taken."""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes, interpreter, shape
from pullback.core.errors import ArgumentError, CancelledError, OutOfRangeError
from pullback.core.names import public
from pullback.core.shape import as_shape, text
from pullback.core.tensor import Tensor
from pullback.data.input_producers import fullness, graph_needed
from pullback.data.queues import FIFOQueue, PaddingFIFOQueue, RandomShuffleQueue
from pullback.modes.default import building
from pullback.ops.array.creation import fill
from pullback.ops.array.masks import boolean_mask
from pullback.ops.array.sizes import shape_
from pullback.train.queue_runner import QueueRunner, add_queue_runner


def _flat(tensors: Any) -> tuple[list[Any], Any]:
    """(tensors, names or None) of a list, a dict or one tensor."""
    if isinstance(tensors, dict):
        names = sorted(tensors)
        return [tensors[n] for n in names], names
    return (list(tensors), None) if isinstance(tensors, (list, tuple)) else ([tensors], False)


def _batched(
    tensors_list: Any,
    batch_size: Any,
    make: Any,
    enqueue_many: bool,
    shapes: Any,
    padded: bool,
    smaller: bool,
    threads: int,
    keep: Any,
    name: str | None,
    default: str,
    capacity: int,
    offset: int = 0,
) -> Any:
    """What all batch functions do: threads that fill a queue, and several of its elements at once."""
    with building() as here:
        graph_needed(f"tf.train.{default}")
        if not tensors_list:
            raise ValueError(f"Expected at least one tuple of tensors in tf.train.{default}().")
        with here.name_scope(name or default) as scope:
            parts = [_flat(t) for t in tensors_list]
            names = parts[0][1]
            if any(p[1] != names for p in parts):
                raise ValueError(f"All dictionaries must have the same keys, but they have {[p[1] for p in parts]}")
            rows = [[interpreter.as_tensor(t) for t in p[0]] for p in parts]
            types = [t.dtype for t in rows[0]]
            sizes = _element_shapes(rows, shapes, enqueue_many, padded)
            queue = make(types, sizes)
            enqueues = [_enqueued(queue, row, keep, enqueue_many) for row in rows]
            add_queue_runner(QueueRunner(queue, enqueues * threads, queue_closed_exception_types=_ENDS))
            fullness(
                queue, f"fraction_{f'over_{offset}_' if offset else ''}of_{capacity - offset}_full", capacity, offset
            )
            take = queue.dequeue_up_to if smaller else queue.dequeue_many
            made = take(batch_size, name=scope)
        made = made if isinstance(made, list) else [made]
        if names:
            return dict(zip(names, made, strict=True))
        return made[0] if names is False or len(made) == 1 else made


_ENDS = (OutOfRangeError, CancelledError)


def _enqueued(queue: Any, row: list[Tensor], keep: Any, many: bool) -> Any:
    """The operation that adds a row, where `keep` says so."""
    if keep is True:
        return queue.enqueue_many(row) if many else queue.enqueue(row)
    if many:
        flags = interpreter.as_tensor(keep, dtypes.bool_)
        if flags.spec.rank == 1:
            return queue.enqueue_many([boolean_mask(t, flags) for t in row])
        return queue.enqueue_many([boolean_mask(t, _repeated(flags, t)) for t in row])
    flag = interpreter.as_tensor(keep, dtypes.bool_)
    return queue.enqueue_many([boolean_mask(t[None], flag[None]) for t in row])


def _repeated(flag: Tensor, like: Tensor) -> Tensor:
    return fill(shape_(like)[:1], flag)


def _element_shapes(rows: list[list[Tensor]], shapes: Any, many: bool, padded: bool) -> list[Any]:
    """The shape of each component of an element.

    Raises:
      ValueError: one is not known and cannot be padded.
    """
    out = []
    for i in range(len(rows[0])):
        if shapes is not None:
            each = as_shape(shapes[i])
        else:
            each = rows[0][i].spec.shape
            for row in rows[1:]:
                each = shape.joined(each, row[i].spec.shape) if padded else shape.merged(each, row[i].spec.shape)
            each = each if each is None or not many else each[1:]
        if each is None or not (padded or shape.known(each)):
            raise ArgumentError(
                f"All shapes must be fully defined: component {i} is {text(each)}; set its shape, or give `shapes` or "
                "dynamic_pad=True"
            ).locate()
        out.append(each)
    return out


def _in_order(
    lists: Any,
    batch_size: Any,
    capacity: Any,
    many: bool,
    shapes: Any,
    padded: bool,
    smaller: bool,
    shared_name: str | None,
    name: str | None,
    kind: str,
    threads: int = 1,
    keep: Any = True,
) -> Any:
    """Batches of a queue that gives elements in the order they come."""
    cls = PaddingFIFOQueue if padded else FIFOQueue

    def make(types: Any, sizes: Any) -> Any:
        return cls(capacity, types, sizes, shared_name=shared_name)

    return _batched(
        lists, batch_size, make, many, shapes, padded, smaller, threads, keep, name, kind, int(capacity)
    )  # fmt: skip


def _at_random(
    lists: Any,
    batch_size: Any,
    capacity: Any,
    least: Any,
    seed: Any,
    many: bool,
    shapes: Any,
    smaller: bool,
    shared_name: str | None,
    name: str | None,
    kind: str,
    threads: int = 1,
    keep: Any = True,
) -> Any:
    """Batches of a queue that keeps `least` elements to choose from."""

    def make(types: Any, sizes: Any) -> Any:
        return RandomShuffleQueue(capacity, least, types, sizes, seed=seed, shared_name=shared_name)

    return _batched(
        lists, batch_size, make, many, shapes, False, smaller, threads, keep, name, kind, int(capacity), int(least)
    )


@public(v1="train.batch")
def batch(
    tensors: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: Any = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Batches of tensors that each run makes anew, by num_threads threads, in the order they come.

    Args:
      tensors: a tensor, or a list or dict of them, one element; with enqueue_many several, along the first axes.
      capacity: of the queue between. shapes: of an element's tensors, where they are not known.
      dynamic_pad: whether axes that differ are padded with zeros.
      allow_smaller_final_batch: whether what is left at the end is a batch too.
    Returns:
      The tensors with a new first axis of batch_size.
    Raises:
      ValueError: a shape is not known. RuntimeError: in eager mode. When it runs, OutOfRangeError at the end.
    """
    return _in_order(
        [tensors], batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch,
        shared_name, name, "batch", threads=num_threads,
    )  # fmt: skip


@public(v1="train.batch_join")
def batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: Any = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch` of several lists of tensors, each with a thread of its own."""
    return _in_order(
        tensors_list, batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch,
        shared_name, name, "batch_join",
    )  # fmt: skip


@public(v1="train.maybe_batch")
def maybe_batch(
    tensors: Any,
    keep_input: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: Any = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch` of the elements for which keep_input, [] bool (or [n] with enqueue_many), holds."""
    return _in_order(
        [tensors], batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch,
        shared_name, name, "batch", threads=num_threads, keep=keep_input,
    )  # fmt: skip


@public(v1="train.maybe_batch_join")
def maybe_batch_join(
    tensors_list: Any,
    keep_input: Any,
    batch_size: Any,
    capacity: Any = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch_join` of the elements for which keep_input holds."""
    return _in_order(
        tensors_list, batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch,
        shared_name, name, "batch_join", keep=keep_input,
    )  # fmt: skip


@public(v1="train.shuffle_batch")
def shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: Any,
    min_after_dequeue: Any,
    num_threads: int = 1,
    seed: Any = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`batch` in random order: of a queue that keeps min_after_dequeue elements to choose from.

    seed: with it the order is the same in every program, as far as the threads' order is.
    """
    return _at_random(
        [tensors], batch_size, capacity, min_after_dequeue, seed, enqueue_many, shapes,
        allow_smaller_final_batch, shared_name, name, "shuffle_batch", threads=num_threads,
    )  # fmt: skip


@public(v1="train.shuffle_batch_join")
def shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: Any,
    min_after_dequeue: Any,
    seed: Any = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`shuffle_batch` of several lists of tensors, each with a thread of its own."""
    return _at_random(
        tensors_list, batch_size, capacity, min_after_dequeue, seed, enqueue_many, shapes,
        allow_smaller_final_batch, shared_name, name, "shuffle_batch_join",
    )  # fmt: skip


@public(v1="train.maybe_shuffle_batch")
def maybe_shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: Any,
    min_after_dequeue: Any,
    keep_input: Any,
    num_threads: int = 1,
    seed: Any = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`shuffle_batch` of the elements for which keep_input holds."""
    return _at_random(
        [tensors], batch_size, capacity, min_after_dequeue, seed, enqueue_many, shapes,
        allow_smaller_final_batch, shared_name, name, "shuffle_batch", threads=num_threads, keep=keep_input,
    )  # fmt: skip


@public(v1="train.maybe_shuffle_batch_join")
def maybe_shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: Any,
    min_after_dequeue: Any,
    keep_input: Any,
    seed: Any = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """`shuffle_batch_join` of the elements for which keep_input holds."""
    return _at_random(
        tensors_list, batch_size, capacity, min_after_dequeue, seed, enqueue_many, shapes,
        allow_smaller_final_batch, shared_name, name, "shuffle_batch_join", keep=keep_input,
    )  # fmt: skip
