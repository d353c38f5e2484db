"""`tf.contrib.data`: what became `tf.data` and `tf.data.experimental`, under its first names and arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.core.names import public_value
from pullback.data import applied, datasets, files, graph_iterators, optionals, tables_of_files
from pullback.data.dataset import AUTOTUNE

__all__ = ["AUTOTUNE"]
Transformation = Callable[[Any], Any]
public_value("AUTOTUNE", v1="contrib.data.AUTOTUNE")

# What takes the same arguments today.
_SAME: tuple[tuple[Any, str], ...] = (
    (datasets, "DatasetV1 get_output_classes get_output_shapes get_output_types get_single_element"),
    (files, "CsvDatasetV1 FixedLengthRecordDatasetV1 TFRecordDatasetV1 TextLineDatasetV1"),
    (graph_iterators, "GraphIterator get_next_as_optional"),
    (optionals, "Optional"),
    (tables_of_files, "make_batched_features_dataset_v1 make_csv_dataset_v1 parse_example_dataset"),
    (
        applied,
        "CounterV1 bucket_by_sequence_length choose_from_datasets_v1 copy_to_device dense_to_sparse_batch "
        "enumerate_dataset group_by_window ignore_errors map_and_batch parallel_interleave prefetch_to_device scan "
        "shuffle_and_repeat unbatch unique",
    ),
)
for _module, _names in _SAME:
    for _name in _names.split():
        _short = _name.removesuffix("_v1").removesuffix("V1").removeprefix("Graph")
        contrib("data", _short)(getattr(_module, _name))


@contrib("data", "sample_from_datasets")
def sample_from_datasets(datasets: Any, weights: Any = None, seed: Any = None) -> Any:
    """Elements of several datasets, each next one from a dataset drawn by weights."""
    return applied.sample_from_datasets_v1(datasets, weights, seed)


@contrib("data", "batch_and_drop_remainder")
def batch_and_drop_remainder(batch_size: Any) -> Transformation:
    """`batch`, of full batches only."""
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


@contrib("data", "padded_batch_and_drop_remainder")
def padded_batch_and_drop_remainder(batch_size: Any, padded_shapes: Any, padding_values: Any = None) -> Transformation:
    """`padded_batch`, of full batches only."""
    return lambda dataset: dataset.padded_batch(batch_size, padded_shapes, padding_values, drop_remainder=True)


@contrib("data", "sloppy_interleave")
def sloppy_interleave(map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1) -> Transformation:
    """`interleave`. Elements come in order always, which "sloppy" allows too."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


@contrib("data", "sliding_window_batch")
def sliding_window_batch(
    window_size: Any, stride: Any = None, window_shift: Any = None, window_stride: Any = 1
) -> Transformation:
    """Batches of window_size elements that overlap: each begins window_shift elements behind the last one.

    Args:
      stride: an earlier name of window_shift. window_stride: from one element of a window to the next. A window that
        is not full is left out.
    Raises:
      ValueError: both stride and window_shift are given.
    """
    if stride is not None and window_shift is not None:
        raise ValueError("Cannot specify both `stride` and `window_shift`")
    shift = stride if stride is not None else 1 if window_shift is None else window_shift

    def together(*windows: Any) -> Any:
        batches = [window.batch(window_size) for window in tf.nest.flatten(windows)]
        packed = tf.nest.pack_sequence_as(windows, batches)
        return packed[0] if len(packed) == 1 else tf.data.Dataset.zip(packed)

    return lambda dataset: dataset.window(window_size, shift, window_stride, drop_remainder=True).flat_map(together)


@contrib("data", "assert_element_shape")
def assert_element_shape(expected_shapes: Any) -> Transformation:
    """The same elements, of tensors that must have these shapes (a nest of them).

    Raises:
      ValueError: what is known of their shapes contradicts. While it is iterated, InvalidArgumentError.
    """

    def shaped(*element: Any) -> Any:
        value = element[0] if len(element) == 1 else element
        leaves, shapes = tf.nest.flatten(value), _flat_shapes(value, expected_shapes)
        return tf.nest.pack_sequence_as(value, [_checked(x, s) for x, s in zip(leaves, shapes, strict=True)])

    return lambda dataset: dataset.map(shaped)


def _flat_shapes(value: Any, shapes: Any) -> list[tf.TensorShape]:
    """A shape for each leaf of value."""
    if isinstance(value, dict):
        return [s for key in sorted(value) for s in _flat_shapes(value[key], shapes[key])]
    if isinstance(value, (list, tuple)):
        return [s for v, each in zip(value, shapes, strict=True) for s in _flat_shapes(v, each)]
    return [tf.TensorShape(shapes)]


def _checked(x: Any, shape: Any) -> Any:
    """x, whose shape must be this one."""
    shape.assert_is_compatible_with(x.shape)
    if shape.ndims is None:
        return x
    checks = [tf.assert_equal(tf.rank(x), shape.ndims)]
    checks += [tf.assert_equal(tf.shape(x)[i], n) for i, n in enumerate(shape.as_list()) if n is not None]
    with tf.control_dependencies([check for check in checks if check is not None]):
        y = tf.identity(x)
    y.set_shape(shape)
    return y


@contrib("data", "read_batch_features")
def read_batch_features(
    file_pattern: Any,
    batch_size: Any,
    features: Any,
    reader: Any = tf.data.TFRecordDataset,
    reader_args: Any = None,
    randomize_input: bool = True,
    num_epochs: Any = None,
    capacity: int = 10000,
) -> Any:
    """The next batch of the Examples in files, as tensors {feature: [batch_size, ..]}; see
    `tf.data.experimental.make_batched_features_dataset`. capacity: how many are shuffled together."""
    made = tables_of_files.make_batched_features_dataset_v1(
        file_pattern, batch_size, features, reader, None, reader_args, num_epochs, randomize_input, capacity
    )
    return made.make_one_shot_iterator().get_next()
