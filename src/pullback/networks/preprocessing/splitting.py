"""keras.utils.split_dataset: two datasets of one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from pullback.core import nest
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.data.dataset import AUTOTUNE, Recipe
from pullback.data.datasets import Dataset


@public("keras.utils.split_dataset")
def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """(the first elements, the last elements) as two datasets, both held in memory.

    Args:
      dataset: a dataset, one made by `batch` counting by single elements and batched again; an array of examples, or
        a list or tuple of arrays of as many.
      left_size, right_size: how many elements, or as a float below 1 which share; what one does not say is left by
        the other.
      shuffle: draw the order, from Python's generator seeded by `seed`.
      preferred_backend: "tensorflow", the only one.
    Raises:
      TypeError: dataset or a size is of another type. ValueError: a size leaves a side empty or exceeds the whole.
    """
    if preferred_backend not in (None, "tensorflow"):
        raise ArgumentError(
            f'split_dataset: preferred_backend must be "tensorflow" or None, but is {preferred_backend!r}'
        ).locate()
    batch_size = getattr(dataset, "_batch_size", None)
    elements = _elements(dataset, left_size is None and right_size is None)
    if shuffle:
        random.Random(random.randint(0, 10**6) if seed is None else seed).shuffle(elements)
    left, right = _sizes(left_size, right_size, len(elements))
    made = []
    for part in (elements[:left], elements[-right:]):
        half = Dataset.from_tensor_slices(_stacked(part))
        made.append((half if batch_size is None else half.batch(batch_size)).prefetch(AUTOTUNE))
    return made[0], made[1]


def _elements(dataset: Any, sizeless: bool) -> list[Any]:
    if not isinstance(dataset, (Recipe, list, tuple, np.ndarray)):
        raise TypeError(
            "The `dataset` argument must be either a `tf.data.Dataset` object, or an array, or a list/tuple of arrays. "
            f"Received: dataset={dataset} of type {type(dataset)}"
        )
    if sizeless:
        raise ArgumentError(
            "At least one of the `left_size` or `right_size` must be specified. Received: left_size=None and "
            "right_size=None"
        ).locate()
    if isinstance(dataset, (list, tuple)):
        _check_arrays(dataset)
        elements = list(zip(*dataset, strict=True))
    elif isinstance(dataset, np.ndarray):
        elements = list(dataset)
    else:
        whole: Any = dataset
        elements = list((whole if whole._batch_size is None else whole.unbatch()).as_numpy_iterator())
    if not elements:
        raise ArgumentError("Received an empty dataset. Argument `dataset` must hold at least one element.").locate()
    return elements


def _check_arrays(arrays: Any) -> None:
    """
    Raises:
      ValueError: there are none, one is no array, or they hold different numbers of examples.
    """
    if not len(arrays):
        raise ArgumentError("Received an empty list dataset. Please provide a non-empty list of arrays.").locate()
    for i, a in enumerate(arrays):
        if not isinstance(a, np.ndarray):
            raise ArgumentError(
                f"Expected a list of `numpy.ndarray` objects, Received: {type(a)} at index {i}."
            ).locate()
        if len(a) != len(arrays[0]):
            raise ArgumentError(
                f"Received a list of NumPy arrays with different lengths. Mismatch found at index {i}, Expected "
                f"shape={arrays[0].shape} Received shape={a.shape}. Please provide a list of NumPy arrays of the same "
                "length."
            ).locate()


def _stacked(elements: list[Any]) -> Any:
    """Elements as arrays along a first axis, in the structure of one.

    Raises:
      ValueError: they differ in shape.
    """
    leaves = [np.array(values) for values in zip(*map(nest.leaves_of, elements), strict=True)]
    return nest.unflatten(nest.flatten(elements[0])[1], leaves)


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    """(how many elements are left, how many are right)."""
    counts = [_count(name, size, total) for name, size in (("left_size", left), ("right_size", right))]
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ArgumentError(
            "The sum of `left_size` and `right_size` is greater than 1. It must be less than or equal to 1."
        ).locate()
    if counts[0] is None:
        counts[0] = total - counts[1]
    elif counts[1] is None:
        counts[1] = total - counts[0]
    if sum(counts) > total:
        raise ArgumentError(
            f"The sum of `left_size` and `right_size` should be smaller than the {total}. Received: left_size + "
            f"right_size = {sum(counts)} and total_length = {total}"
        ).locate()
    if 0 in counts:
        raise ArgumentError(
            f"With `dataset` of length={total}, `left_size`={counts[0]} and `right_size`={counts[1]}, one side is "
            "empty. Adjust any of the aforementioned parameters"
        ).locate()
    return counts[0], counts[1]


def _count(name: str, size: Any, total: int) -> Any:
    """A number of elements, None where none is given.

    Raises:
      TypeError: it is neither int nor float. ValueError: it is not between nothing and everything.
    """
    if size is None:
        return None
    if type(size) not in (int, float):
        raise TypeError(f"Invalid `{name}` Type. Expected: int or float or None, Received: {type(size)}.")
    if not 0 < size < (total if isinstance(size, int) else 1):
        raise ArgumentError(
            f"`{name}` should be either a positive integer smaller than {total}, or a float within the range `[0, 1]`. "
            f"Received: {name}={size}"
        ).locate()
    return round(size * total) if isinstance(size, float) else size
