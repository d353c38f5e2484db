"""tf.data.experimental: transformations for `dataset.apply(...)`. Most are methods by now; these call them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import FailedPreconditionError
from pullback.core.names import public
from pullback.data.dataset import INFINITE
from pullback.data.datasets import Dataset, DatasetV1
from pullback.modes.function import TensorSpec

Transformation = Callable[[Any], Any]


@public("data.experimental.map_and_batch")
def map_and_batch(
    map_func: Callable[..., Any],
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: bool = False,
    num_parallel_calls: Any = None,
) -> Transformation:
    """`map`, then `batch`. How calls are scheduled never changes the elements."""
    return lambda dataset: dataset.map(map_func, num_parallel_calls).batch(batch_size, drop_remainder)


@public(v1="data.experimental.map_and_batch_with_legacy_function")
def map_and_batch_with_legacy_function(
    map_func: Callable[..., Any],
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: bool = False,
    num_parallel_calls: Any = None,
) -> Transformation:
    """The same as `map_and_batch`."""
    return map_and_batch(map_func, batch_size, num_parallel_batches, drop_remainder, num_parallel_calls)


@public("data.experimental.shuffle_and_repeat")
def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Transformation:
    """`shuffle`, then `repeat`: every repetition in another order."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


@public("data.experimental.ignore_errors")
def ignore_errors(log_warning: bool = False) -> Transformation:
    """Leaves out the elements that cannot be made."""
    return lambda dataset: dataset.ignore_errors(log_warning)


@public("data.experimental.prefetch_to_device")
def prefetch_to_device(device: Any, buffer_size: Any = None) -> Transformation:
    """The same elements: memory is one here."""
    return lambda dataset: dataset.prefetch(-1 if buffer_size is None else buffer_size)


@public("data.experimental.copy_to_device")
def copy_to_device(target_device: Any, source_device: Any = "/cpu:0") -> Transformation:
    """The same elements: memory is one here."""
    return lambda dataset: dataset


@public("data.experimental.unbatch")
def unbatch() -> Transformation:
    """The entries of each element along its first axis."""
    return lambda dataset: dataset.unbatch()


@public("data.experimental.unique")
def unique() -> Transformation:
    """The different elements, each where it first comes."""
    return lambda dataset: dataset.unique()


@public("data.experimental.enumerate_dataset")
def enumerate_dataset(start: Any = 0) -> Transformation:
    """(number, element) for each element."""
    return lambda dataset: dataset.enumerate(start)


@public("data.experimental.take_while")
def take_while(predicate: Callable[..., Any]) -> Transformation:
    """The elements before the first for which the predicate does not hold."""
    return lambda dataset: dataset.take_while(predicate)


@public("data.experimental.scan")
def scan(initial_state: Any, scan_func: Callable[..., Any]) -> Transformation:
    """(state, element) -> (new state, what comes out)."""
    return lambda dataset: dataset.scan(initial_state, scan_func)


@public("data.experimental.dense_to_sparse_batch")
def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> Transformation:
    """Batches of tensors of differing sizes, as sparse tensors."""
    return lambda dataset: dataset.sparse_batch(batch_size, row_shape)


@public("data.experimental.group_by_window")
def group_by_window(
    key_func: Callable[..., Any], reduce_func: Callable[..., Any], window_size: Any = None, window_size_func: Any = None
) -> Transformation:
    """Collects elements of equal key; reduce_func makes a dataset of each collection."""
    return lambda dataset: dataset.group_by_window(key_func, reduce_func, window_size, window_size_func)


@public("data.experimental.bucket_by_sequence_length")
def bucket_by_sequence_length(
    element_length_func: Callable[..., Any],
    bucket_boundaries: Any,
    bucket_batch_sizes: Any,
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
) -> Transformation:
    """Batches of elements of similar length."""
    return lambda dataset: dataset.bucket_by_sequence_length(
        element_length_func,
        bucket_boundaries,
        bucket_batch_sizes,
        padded_shapes,
        padding_values,
        pad_to_bucket_boundary,
        no_padding,
        drop_remainder,
    )


@public("data.experimental.parallel_interleave")
def parallel_interleave(
    map_func: Callable[..., Any],
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: Any = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> Transformation:
    """`interleave`. Elements come in order always, which sloppy=True allows too."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


@public("data.experimental.assert_cardinality")
def assert_cardinality(expected_cardinality: Any) -> Transformation:
    """The same elements, of which there must be as many as expected.

    Raises, while it is iterated:
      FailedPreconditionError: there are more or fewer.
    """

    def apply(dataset: Any) -> Any:
        expected = int(expected_cardinality)

        def elements(run: Any) -> Any:
            count = 0
            for leaves in dataset._elements(run):
                count += 1
                if 0 <= expected < count:
                    raise FailedPreconditionError(
                        f"Input dataset was expected to contain {expected} elements but contained at least {count}."
                    )
                yield leaves
            if count != expected:
                raise FailedPreconditionError(
                    f"Input dataset was expected to contain {expected} elements but contained only {count}."
                )

        return dataset._then(elements, None, (), lambda run: expected)

    return apply


@public("data.experimental.choose_from_datasets", v1=None)
def choose_from_datasets(datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = False) -> Any:
    """Elements of several datasets, each next one from the dataset whose number choice_dataset gives."""
    return Dataset.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


@public(v1="data.experimental.choose_from_datasets")
def choose_from_datasets_v1(datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = False) -> Any:
    """Elements of several datasets, each next one from the dataset whose number choice_dataset gives."""
    return DatasetV1.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


@public("data.experimental.sample_from_datasets", v1=None)
def sample_from_datasets(
    datasets: Any, weights: Any = None, seed: Any = None, stop_on_empty_dataset: bool = False
) -> Any:
    """Elements of several datasets, each next one from a dataset drawn by weights."""
    return Dataset.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


@public(v1="data.experimental.sample_from_datasets")
def sample_from_datasets_v1(
    datasets: Any, weights: Any = None, seed: Any = None, stop_on_empty_dataset: bool = False
) -> Any:
    """Elements of several datasets, each next one from a dataset drawn by weights."""
    return DatasetV1.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


def _counter(face: Any, start: Any, step: Any, dtype: Any) -> Any:
    dtype = dtypes.as_dtype(dtype)

    def elements(run: Any) -> Any:
        return ((np.asarray(n, dtype.numpy),) for n in itertools.count(start, step))

    return face._new(TensorSpec((), dtype), elements, (), lambda run: INFINITE)


@public("data.experimental.Counter", v1=None)
def Counter(start: Any = 0, step: Any = 1, dtype: Any = dtypes.int64) -> Any:
    """start, start + step, ... for ever."""
    return _counter(Dataset, start, step, dtype)


@public(v1="data.experimental.Counter")
def CounterV1(start: Any = 0, step: Any = 1, dtype: Any = dtypes.int64) -> Any:
    """start, start + step, ... for ever."""
    return _counter(DatasetV1, start, step, dtype)


@public("data.experimental.from_list")
def from_list(elements: Any, name: str | None = None) -> Any:
    """The elements of a Python list."""
    return Dataset.from_list(elements)
