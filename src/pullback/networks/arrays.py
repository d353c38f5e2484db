"""keras.utils over arrays: to_categorical, normalize; and Sequence, data by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.names import public


@public("keras.utils.to_categorical")
def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> Any:
    """Classes as rows of zeros with a one. y: ints [...] -> [..., num_classes]; a last axis of 1 is dropped.

    Args:
      num_classes: one more than the largest by default.
    Raises:
      IndexError: a class is out of range.
    """
    classes = np.array(y, int)
    shape = classes.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = shape[:-1]
    flat = classes.ravel()
    count = num_classes or (int(flat.max()) + 1 if flat.size else 0)
    out = np.zeros((flat.size, count), getattr(dtype, "numpy", dtype))
    out[np.arange(flat.size), flat] = 1
    return out.reshape(*shape, count)


@public("keras.utils.normalize")
def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """An array divided by its norms along an axis; norms of 0 count as 1."""
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return x / np.expand_dims(norms, axis)


@public("keras.utils.Sequence")
class Sequence:
    """Base of data by index: a subclass says `__len__`, how many batches, and `__getitem__`, a batch (x, y)."""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say __getitem__(index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must say __len__")

    def on_epoch_end(self) -> None:
        """After each epoch."""

    def __iter__(self) -> Any:
        for i in range(len(self)):
            yield self[i]
        self.on_epoch_end()
