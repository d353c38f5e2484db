"""Input functions made of arrays and tables that are there already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.names import public
from pullback.data.datasets import DatasetV1


@public("estimator.inputs.numpy_input_fn")
def numpy_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
) -> Callable[[], Any]:
    """An input function that gives batches of arrays.

    Args:
      x: an array or dict of them, an entry along the first axis an example. y: labels, likewise, or None.
      num_epochs: how often all come; None: for ever. shuffle: must be said; in random order through queue_capacity.
      num_threads: has no meaning: batches are made when they are asked for.
    Raises:
      ValueError: shuffle is not True or False.
    """
    if shuffle not in (True, False):
        raise ValueError("shuffle must be provided and explicitly set as boolean (True or False)")

    def input_fn() -> Any:
        arrays = x if y is None else (x, y)
        dataset = DatasetV1.from_tensor_slices(arrays)
        if shuffle:
            dataset = dataset.shuffle(queue_capacity)
        return dataset.repeat(num_epochs).batch(batch_size).make_one_shot_iterator().get_next()

    return input_fn


@public("estimator.inputs.pandas_input_fn")
def pandas_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
    target_column: str = "target",
) -> Callable[[], Any]:
    """An input function that gives batches of a pandas DataFrame: {column: [batch]}, and "index".

    Args:
      x: a DataFrame. y: a Series, or a DataFrame whose columns become a dict of labels; of the same index.
      target_column: has no meaning for results: in TensorFlow the name of the labels on the way.
      The rest: as of `numpy_input_fn`.
    Raises:
      TypeError: x is no DataFrame. ValueError: shuffle is not said, the indices differ, or "index" is a column.
    """
    if not hasattr(x, "columns") or not hasattr(x, "to_numpy"):
        raise TypeError(f"x must be a pandas DataFrame; {type(x).__name__} given. numpy_input_fn takes arrays")
    if "index" in x.columns:
        raise ValueError("a column may not be named 'index': the table's index comes under this name")
    if y is not None and not np.array_equal(x.index, y.index):
        raise ValueError(f"Index for x and y are mismatched.\nIndex for x: {x.index}\nIndex for y: {y.index}\n")
    features = {"index": np.asarray(x.index), **{name: _plain(x[name]) for name in x.columns}}
    labels: Any = None
    if y is not None:
        labels = {name: _plain(y[name]) for name in y.columns} if hasattr(y, "columns") else _plain(y)
    return numpy_input_fn(features, labels, batch_size, num_epochs, shuffle, queue_capacity, num_threads)


def _plain(series: Any) -> Any:
    """A column as an array; words as objects."""
    array = np.asarray(series)
    return array if array.dtype.kind in "biufc" else np.array([str(v) for v in array] + [None], object)[:-1]
