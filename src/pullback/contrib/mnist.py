"""`tensorflow.examples.tutorials.mnist.input_data`: MNIST from IDX files that are there. Nothing is downloaded.

An IDX file: two zero bytes, a type byte (8: uint8), the number of axes, each axis's length (big-endian uint32), data.
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pullback.core.dtypes import as_dtype, float32
from pullback.core.errors import ArgumentError, DataLossError, NotFoundError
from pullback.core.names import public

_HOME = "examples.tutorials.mnist.input_data"
_FILES = {
    "train images": "train-images-idx3-ubyte",
    "train labels": "train-labels-idx1-ubyte",
    "test images": "t10k-images-idx3-ubyte",
    "test labels": "t10k-labels-idx1-ubyte",
}


class MissingDataError(NotFoundError, FileNotFoundError):
    """The data files are not where the program looks for them."""


def _idx(name: str, data: bytes, axes: int) -> Any:
    """The array of an IDX file of bytes.

    Raises:
      DataLossError: it is none, or holds less than it says.
    """
    if len(data) < 4 + 4 * axes or data[:4] != bytes([0, 0, 8, axes]):
        raise DataLossError(f"{name}: no IDX file of bytes with {axes} axes; its first bytes are {data[:4].hex()}")
    shape = struct.unpack_from(f">{axes}I", data, 4)
    size = 1
    for length in shape:
        size *= length
    if len(data) - 4 - 4 * axes != size:
        raise DataLossError(
            f"{name}: says it holds {size} bytes of shape {shape}, but {len(data) - 4 - 4 * axes} follow"
        )
    return np.frombuffer(data, np.uint8, size, 4 + 4 * axes).reshape(shape)


def _opened(f: Any) -> tuple[str, bytes]:
    """(name, contents) of a path or open file; gzip is recognised by its first bytes."""
    if hasattr(f, "read"):
        name, data = str(getattr(f, "name", "file")), f.read()
    else:
        name, data = str(f), Path(f).read_bytes()
    return name, gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


@public(v1=f"{_HOME}.extract_images")
def extract_images(f: Any) -> Any:
    """Images of an IDX file, plain or gz: uint8 [N, rows, columns, 1]."""
    return _idx(*_opened(f), axes=3)[..., None]


@public(v1=f"{_HOME}.extract_labels")
def extract_labels(f: Any, one_hot: bool = False, num_classes: int = 10) -> Any:
    """Labels of an IDX file, plain or gz: uint8 [N], or with one_hot float64 [N, num_classes]."""
    labels = _idx(*_opened(f), axes=1)
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


@public(v1=f"{_HOME}.dense_to_one_hot")
def dense_to_one_hot(labels_dense: Any, num_classes: int) -> Any:
    """Labels [N] as rows with a 1 each."""
    return np.eye(num_classes)[np.asarray(labels_dense)]


@public(v1=f"{_HOME}.DataSet")
class DataSet:
    """Images with labels, given out batch by batch.

    Args:
      images: uint8 [N, rows, columns, depth]. labels: [N] or [N, classes].
      fake_data: batches are all ones, whatever the images.
      dtype: uint8 leaves 0..255; float32 makes 0..1. reshape: images become rows of pixels.
      seed: of the shuffling; without one NumPy's own state is used.
    """

    def __init__(
        self,
        images: Any,
        labels: Any,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: Any = float32,
        reshape: bool = True,
        seed: int | None = None,
    ) -> None:
        kind = as_dtype(dtype)
        if kind.name not in ("uint8", "float32"):
            raise TypeError(f"Invalid image dtype {kind.name}, expected uint8 or float32")
        self._rng = np.random if seed is None else np.random.RandomState(seed)
        self._fake, self._one_hot = fake_data, one_hot
        if fake_data:
            self._examples, images, labels = 10000, np.zeros((0, 28, 28, 1), np.uint8), np.zeros((0,), np.uint8)
        else:
            if len(images) != len(labels):
                raise ArgumentError(f"DataSet: {len(images)} images and {len(labels)} labels; there must be one each")
            self._examples = len(images)
        if reshape:
            images = images.reshape(len(images), int(np.prod(images.shape[1:])))
        self._images = images.astype(np.float32) * np.float32(1 / 255) if kind is float32 else images
        self._labels = labels
        self._epochs, self._at = 0, 0

    @property
    def images(self) -> Any:
        return self._images

    @property
    def labels(self) -> Any:
        return self._labels

    @property
    def num_examples(self) -> int:
        return self._examples

    @property
    def epochs_completed(self) -> int:
        return self._epochs

    def _shuffled(self) -> None:
        order = self._rng.permutation(self._examples)
        self._images, self._labels = self._images[order], self._labels[order]

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> tuple[Any, Any]:
        """(images, labels) of the next examples; a batch may span two epochs."""
        if fake_data or self._fake:
            label = [1] + [0] * 9 if self._one_hot else 0
            return np.ones((batch_size, 784), np.float32), np.array([label] * batch_size)
        if batch_size > self._examples:
            raise ArgumentError(f"next_batch: {batch_size} examples were asked for, but there are {self._examples}")
        if self._epochs == 0 and self._at == 0 and shuffle:
            self._shuffled()
        begin, end = self._at, self._at + batch_size
        if end <= self._examples:
            self._at = end
            return self._images[begin:end], self._labels[begin:end]
        rest = self._images[begin:], self._labels[begin:]
        self._epochs += 1
        if shuffle:
            self._shuffled()
        self._at = end - self._examples
        return np.concatenate([rest[0], self._images[: self._at]]), np.concatenate([rest[1], self._labels[: self._at]])


class Datasets(NamedTuple):
    """What `read_data_sets` gives."""

    train: DataSet
    validation: DataSet
    test: DataSet


public(v1=f"{_HOME}.Datasets")(Datasets)


def _found(folder: Path, stem: str) -> Path | None:
    """A data file by its usual names: plain or .gz, with "-" or "." before "idx"."""
    for name in (stem, stem.replace("-idx", ".idx")):
        for suffix in ("", ".gz"):
            if (folder / f"{name}{suffix}").is_file():
                return folder / f"{name}{suffix}"
    return None


@public(v1=f"{_HOME}.read_data_sets")
def read_data_sets(
    train_dir: Any,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str = "",
) -> Datasets:
    """MNIST in three parts, from the four IDX files in a folder.

    Args:
      fake_data: batches of ones, for trying a program out without files.
      validation_size: how many of the training examples are set apart.
      source_url: where TensorFlow downloaded from; files must be there already, so it may only be left out or be named.
    Raises:
      NotFoundError: files are missing; says which, where, and what to do.
      ValueError: validation_size is not within the training examples.
    """
    if fake_data:
        made = [DataSet([], [], True, one_hot, dtype, seed=seed) for _ in range(3)]
        return Datasets(*made)
    folder = Path(train_dir)
    found = {what: _found(folder, stem) for what, stem in _FILES.items()}
    absent = [_FILES[what] for what, path in found.items() if path is None]
    if absent:
        raise MissingDataError(
            f"MNIST: {', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not in {folder.resolve()}; put the four "
            f"files there, plain or as .gz ({', '.join(_FILES.values())}). Nothing is downloaded; "
            "read_data_sets(..., fake_data=True) tries a program out without them."
        )
    images, labels = extract_images(found["train images"]), extract_labels(found["train labels"], one_hot)
    if not 0 <= validation_size <= len(images):
        raise ValueError(f"Validation size should be between 0 and {len(images)}. Received: {validation_size}.")
    test = extract_images(found["test images"]), extract_labels(found["test labels"], one_hot)
    cut = validation_size

    def part(images: Any, labels: Any) -> DataSet:
        return DataSet(images, labels, False, one_hot, dtype, reshape, seed)

    return Datasets(part(images[cut:], labels[cut:]), part(images[:cut], labels[:cut]), part(*test))
