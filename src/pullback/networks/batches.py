"""Data as batches: arrays cut up, or whatever gives batches itself."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import nest
from pullback.core.errors import ArgumentError
from pullback.core.signature import array_of
from pullback.core.tensor import EagerTensor, Tensor
from pullback.layers.sizes import positive
from pullback.networks.arrays import Sequence


def unpacked(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch: x alone, (x,), (x, y) or all three.

    Raises:
      ValueError: it has another form.
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3 or not data:
        raise ArgumentError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, but has "
            f"{len(data)} parts"
        ).locate()
    x, y, w = (*data, None, None)[:3]
    return x, y, w


def packed(x: Any, y: Any, w: Any) -> Any:
    """What steps are given, as TensorFlow has it: (x, y, w), (x, y), or x alone, in a tuple where it is a nest."""
    if w is not None:
        return x, y, w
    if y is not None:
        return x, y
    return (x,) if nest.is_nest(x) else x


def _array(x: Any) -> Any:
    return x.numpy() if isinstance(x, EagerTensor) or (hasattr(x, "numpy") and not isinstance(x, Tensor)) else x


def _arrays(*parts: Any) -> tuple[Any, ...]:
    """Nests with arrays for leaves, data frames as arrays; a list of numbers, or of lists of them, is one array."""
    return tuple(array_of(part, None, "data") if _is_numbers(part) else nest.mapped(_rows, part) for part in parts)


def _is_numbers(part: Any) -> bool:
    return isinstance(part, list) and bool(part) and all(np.isscalar(v) for v in nest.leaves_of(part))


def _rows(x: Any) -> Any:
    """An array of examples; None of None.

    Raises:
      ValueError: it is a single value.
    """
    if x is None:
        return None
    array = np.asarray(_array(x))
    if not array.ndim:
        raise ArgumentError(f"Data must be arrays of examples along their first axes, but one is {x!r}").locate()
    return array


def rows_of(nested: Any) -> int:
    """How many examples arrays hold.

    Raises:
      ValueError: they hold different numbers.
    """
    counts = {len(a) for a in nest.leaves_of(nested) if a is not None}
    if len(counts) > 1:
        raise ArgumentError(
            f"Data cardinality is ambiguous: arrays of {sorted(counts)} examples were given; all must hold as many"
        ).locate()
    return counts.pop() if counts else 0


def split_off(share: float, x: Any, y: Any, w: Any) -> Any:
    """((x, y, w) to train on, the last share of it to validate on).

    Raises:
      ValueError: the data is no arrays, or a part would be empty.
    """
    if not isinstance(x, (np.ndarray, list, tuple, dict, EagerTensor)):
        raise ArgumentError("validation_split is only supported for arrays; give validation_data").locate()
    data = _arrays(x, y, w)
    count = rows_of(data)
    at = math.floor(count * (1 - share))
    if not 0 < at < count:
        raise ArgumentError(f"validation_split={share} of {count} examples leaves a part empty").locate()
    first = nest.mapped(lambda a: None if a is None else a[:at], data)
    return first, nest.mapped(lambda a: None if a is None else a[at:], data)


def class_weights(y: Any, w: Any, by_class: Any) -> Any:
    """Sample weights, times the weights of the labels' classes."""
    if by_class is None:
        return w
    if y is None or nest.is_nest(y):
        raise ArgumentError("class_weight needs labels of one output, as an array of classes or of rows").locate()
    labels = np.asarray(_array(y))
    labels = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.reshape(len(labels))
    table = np.array([by_class.get(int(c), 1.0) for c in labels], np.float32)
    return table if w is None else table * np.asarray(w)


class Batches:
    """Batches as `packed` has them, an epoch at each iteration.

    steps: how many there are, None where it is not known. Arrays are cut into batch_size rows; a generator without an
    end goes on over epochs. What ends before its steps are done ends the epoch, with a warning.
    """

    def __init__(
        self, x: Any, y: Any, w: Any, batch_size: int | None, shuffle: bool, steps: int | None, by_class: Any
    ) -> None:
        self._by_class, self._shuffle = by_class, shuffle
        self._given: Any = None
        self._running: Any = None
        if _gives_batches(x):
            for word, value in (("y", y), ("sample_weight", w), ("batch_size", batch_size)):
                if value is not None:
                    raise ArgumentError(f"`{word}` must not be given where x gives batches, which hold it").locate()
            self._given = x
            self.steps = steps if steps is not None else _length(x)
            return
        if x is None:
            raise ArgumentError("`x` must be given: arrays, or what gives batches").locate()
        self._data = _arrays(x, y, class_weights(y, w, by_class))
        self._rows = rows_of(self._data)
        batch_size = positive(batch_size, "batch_size") if batch_size else None
        self._size = batch_size or 32 if steps is None or batch_size else math.ceil(self._rows / steps)
        whole = math.ceil(self._rows / self._size)
        self.steps = whole if steps is None else steps

    def __iter__(self) -> Iterator[Any]:
        return self._from_given() if self._given is not None else self._from_arrays()

    def _from_arrays(self) -> Iterator[Any]:
        order = np.random.permutation(self._rows) if self._shuffle else None
        done = 0
        while done < (self.steps or 0) and self._rows:
            for start in range(0, self._rows, self._size):
                if done == self.steps:
                    return
                rows: Any = slice(start, start + self._size) if order is None else order[start : start + self._size]
                yield packed(*nest.mapped(lambda a, rows=rows: None if a is None else a[rows], self._data))
                done += 1

    def _from_given(self) -> Iterator[Any]:
        if self._running is None:
            self._running = _iterator(self._given)
        done = 0
        while self.steps is None or done < self.steps:
            try:
                batch = next(self._running)
            except StopIteration:
                self._running = None
                if self.steps is not None:
                    warnings.warn(
                        f"Your input ran out of data after {done} of {self.steps} steps, which ends the epoch; let it "
                        "give steps * epochs batches, as by dataset.repeat()",
                        stacklevel=3,
                    )
                return
            done += 1
            yield self._as_given(batch)
        if _starts_anew(self._given) and _length(self._given) == self.steps:
            next(self._running, None)  # past the last batch, where a Sequence is told that the epoch ended
            self._running = None

    def _as_given(self, batch: Any) -> Any:
        """What a step is told of a batch: a dataset's elements as they are, for steps that users write."""
        if self._by_class is None and hasattr(self._given, "element_spec"):
            return batch
        x, y, w = unpacked(batch)
        return packed(x, y, class_weights(y, w, self._by_class))


def _gives_batches(x: Any) -> bool:
    if isinstance(x, (np.ndarray, Tensor, list, tuple, dict)) or hasattr(x, "__array__"):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def _length(x: Any) -> int | None:
    try:
        return len(x)
    except TypeError:
        return None


def _starts_anew(x: Any) -> bool:
    """Whether another iteration begins from the start."""
    return isinstance(x, Sequence) or not hasattr(x, "__next__")


def _iterator(x: Any) -> Iterator[Any]:
    if hasattr(x, "__iter__") and not isinstance(x, Sequence):
        return iter(x)

    def in_order() -> Iterator[Any]:
        for i in range(len(x)):
            yield x[i]
        if hasattr(x, "on_epoch_end"):
            x.on_epoch_end()

    return in_order()
