"""keras.preprocessing.image: pictures in batches without an end, each made by an ImageDataGenerator.

next(iterator)     goes on over epochs         iterator[i]     the i-th batch of an epoch, as fit and predict ask
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator as Iterating
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers import phase
from pullback.networks.arrays import Sequence
from pullback.networks.preprocessing.pictures import save_img


@public("keras.preprocessing.image.Iterator")
class Iterator(Sequence):
    """Base of iterators: a subclass says `_get_batches_of_transformed_samples(index_array)`, the batch of some samples.

    Args:
      n: how many samples there are. batch_size: how many make a batch; the last may be smaller.
      shuffle: draw an order for each epoch.
      seed: for each batch NumPy's generator is seeded with it, plus how many batches were given before.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: Any = None  # the order of the epoch, once it is drawn
        self.index_generator = self._flow_index()

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _seeded(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1

    def __getitem__(self, index: int) -> Any:
        if index >= len(self):
            raise ArgumentError(f"Asked to retrieve element {index}, but the Sequence has length {len(self)}").locate()
        self._seeded()
        if self.index_array is None:
            self._set_index_array()
        order: Any = self.index_array
        return self._get_batches_of_transformed_samples(order[self.batch_size * index :][: self.batch_size])

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def on_epoch_end(self) -> None:
        """Draws another order."""
        self._set_index_array()

    def reset(self) -> None:
        """`next` begins an epoch."""
        self.batch_index = 0

    def _flow_index(self) -> Iterating[Any]:
        while True:
            self._seeded()
            if self.batch_index == 0:
                self._set_index_array()
            start = self.batch_index * self.batch_size % self.n if self.n else 0
            self.batch_index = self.batch_index + 1 if self.n > start + self.batch_size else 0
            yield self.index_array[start : start + self.batch_size]

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        with self.lock:
            chosen = next(self.index_generator)
        return self._get_batches_of_transformed_samples(chosen)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say _get_batches_of_transformed_samples(index_array)")


@public("keras.preprocessing.image.NumpyArrayIterator")
class NumpyArrayIterator(Iterator):
    """Batches of arrays' rows, each picture transformed and standardized: x, (x, y) or (x, y, sample_weight).

    Args:
      x: pictures [N,H,W,C], or (pictures, what goes with them unchanged: an array or a list of them).
      y, sample_weight: [N,...].
      image_data_generator: whose `get_random_transform`, `apply_transform` and `standardize` are applied.
      batch_size, shuffle, seed: as `Iterator` has them. data_format: of x.
      save_to_dir: a folder, there already, for pictures of what was given: save_prefix_number_random.save_format.
      subset: "validation" for the first share of rows, the generator's validation_split, "training" for the others.
      ignore_class_split: let the two differ in which labels they hold.
      dtype: of the batches; float32 by default.
    Raises:
      ValueError: lengths differ, x has other axes, subset is not known, or its labels are not those of the others.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:
        self.dtype = dtype or phase.floatx()
        self.data_format = phase.layout_of(data_format)
        x, beside = _parts(x)
        for name, other in (("y", y), ("sample_weight", sample_weight)):
            if other is not None and len(other) != len(x):
                raise ArgumentError(
                    f"`x` (images tensor) and `{name}` should have the same length. Found: x.shape = "
                    f"{np.shape(x)}, {name}.shape = {np.shape(other)}"
                ).locate()
        if subset is not None:
            kept = _rows_of(subset, int(len(x) * image_data_generator._validation_split), y, ignore_class_split)
            x, beside = x[kept], [b[kept] for b in beside]
            y, sample_weight = (None if a is None else a[kept] for a in (y, sample_weight))
        self.x, self.x_misc = np.asarray(x, self.dtype), beside
        self.y, self.sample_weight = (None if a is None else np.asarray(a) for a in (y, sample_weight))
        if self.x.ndim != 4:
            raise ArgumentError(
                f"Input data in `NumpyArrayIterator` should have rank 4. You passed an array with shape {self.x.shape}"
            ).locate()
        warn_of_channels(self.x, self.data_format)
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        batch = np.zeros((len(index_array), *self.x.shape[1:]), self.dtype)
        for i, j in enumerate(index_array):
            batch[i] = made_by(self.image_data_generator, self.x[j].astype(self.dtype))
        save_batch(self, batch, index_array, 10**4)
        x = [batch, *(b[index_array] for b in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return x
        labels = self.y[index_array]
        return (x, labels) if self.sample_weight is None else (x, labels, self.sample_weight[index_array])


def _parts(x: Any) -> tuple[Any, list[Any]]:
    """(pictures, what goes with them)."""
    if not isinstance(x, (tuple, list)):
        return x, []
    pictures, others = x[0], [np.asarray(o) for o in (x[1] if isinstance(x[1], list) else [x[1]])]
    for o in others:
        if len(o) != len(pictures):
            raise ArgumentError(
                "All of the arrays in `x` should have the same length. Found a pair with: len(x[0]) = "
                f"{len(pictures)}, len(x[?]) = {len(o)}"
            ).locate()
    return pictures, others


def _rows_of(subset: str, at: int, y: Any, ignore_class_split: bool) -> slice:
    if subset not in ("training", "validation"):
        raise ArgumentError(f'Invalid subset name: {subset}; expected "training" or "validation".').locate()
    if y is not None and not ignore_class_split and not np.array_equal(np.unique(y[:at]), np.unique(y[at:])):
        raise ArgumentError(
            "Training and validation subsets have different number of classes after the split. If your numpy arrays "
            "are sorted by the label, you might want to shuffle them."
        ).locate()
    return slice(at) if subset == "validation" else slice(at, None)


def warn_of_channels(x: Any, data_format: str) -> None:
    """Warns where pictures [N,...] have another number of channels than 1, 3 or 4."""
    axis = 3 if data_format == "channels_last" else 1
    if x.shape[axis] not in (1, 3, 4):
        warnings.warn(
            f'Expected images of the data format "{data_format}", with 1, 3 or 4 channels on axis {axis}; but an array '
            f"of shape {x.shape} was passed ({x.shape[axis]} channels).",
            stacklevel=4,
        )


def made_by(generator: Any, picture: Any) -> Any:
    """A picture as a generator gives it: transformed at random, then standardized."""
    return generator.standardize(generator.apply_transform(picture, generator.get_random_transform(picture.shape)))


def save_batch(iterator: Any, batch: Any, index_array: Any, names: int) -> None:
    """Writes pictures of a batch into the iterator's save_to_dir, if it has one; a number below `names` is drawn for
    each name."""
    if not iterator.save_to_dir:
        return
    for picture, j in zip(batch, index_array, strict=True):
        name = f"{iterator.save_prefix}_{j}_{np.random.randint(names)}.{iterator.save_format}"
        save_img(os.path.join(iterator.save_to_dir, name), picture, iterator.data_format)
