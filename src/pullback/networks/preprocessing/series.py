"""keras.utils.timeseries_dataset_from_array: windows of a series."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.data.dataset import AUTOTUNE
from pullback.data.datasets import Dataset
from pullback.networks.preprocessing.folder_datasets import only_tf
from pullback.ops.array.gather import gather


@public("keras.utils.timeseries_dataset_from_array", "keras.preprocessing.timeseries_dataset_from_array")
def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Any:
    """A dataset of windows: data[i : i + sequence_length * sampling_rate : sampling_rate], with targets[i].

    Args:
      data: [T,...]; data[start_index:end_index] is what windows are cut from. targets: [n,...], or None.
      sequence_stride: from one i to the next. batch_size: None for single windows.
      shuffle: draw an order; the same for the same seed, and within it another in each iteration.
      format: "tf", the only one.
    Returns:
      A dataset of (windows [N, sequence_length, ...], targets [N, ...]), or of windows.
    Raises:
      ValueError: a number is out of range.
    """
    _check(len(data), sequence_stride, sampling_rate, start_index, end_index)
    only_tf(format)
    start, end = start_index or 0, len(data) if end_index is None else end_index
    count = end - start - (sequence_length - 1) * sampling_rate
    count = count if targets is None else min(count, len(targets))
    begins = np.arange(0, count, sequence_stride, dtype="int32" if count < 2**31 - 1 else "int64")
    if shuffle:
        seed = np.random.randint(10**6) if seed is None else seed
        np.random.RandomState(seed).shuffle(begins)
    steps = np.arange(sequence_length, dtype=begins.dtype) * sampling_rate
    series = data[start:end]
    answers = None if targets is None else targets[start:end]

    def window(begin: Any) -> Any:
        x = gather(series, begin + steps)
        return x if answers is None else (x, gather(answers, begin))

    dataset: Any = Dataset.from_tensor_slices(begins).map(window, AUTOTUNE).prefetch(AUTOTUNE)
    if shuffle:
        dataset = dataset.shuffle(8 * batch_size if batch_size else 1024, seed)
    return dataset if batch_size is None else dataset.batch(batch_size)


def _check(length: int, stride: int, rate: int, start: int | None, end: int | None) -> None:
    """
    Raises:
      ValueError: a number is out of range.
    """
    for name, value, least in (
        ("start_index", start, 0),
        ("end_index", end, (start or 0) + 1),
        ("sampling_rate", rate, 1),
        ("sequence_stride", stride, 1),
    ):
        if value is not None and not least <= value < length:
            raise ArgumentError(
                f"`{name}` must be {least} or greater and lower than the length of the data, {length}. Received: "
                f"{name}={value}"
            ).locate()
