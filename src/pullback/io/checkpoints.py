"""Checkpoints by their prefix, whichever format they have: tensor bundles, or the tables of TensorFlow 0.x."""

from __future__ import annotations

import glob
import os
from typing import Any, Protocol

import numpy as np

from pullback.core.dtypes import DType
from pullback.core.errors import DataLossError, NotFoundError
from pullback.io import bundle, messages, slices
from pullback.io.table import read_table
from pullback.io.tensors import array_of_proto, dtype_of, shape_of_proto, shape_proto


class Checkpoint(Protocol):
    """What a checkpoint holds: tensors by their names."""

    def names(self) -> list[str]: ...

    def shape(self, name: str) -> tuple[int, ...]: ...

    def dtype(self, name: str) -> DType: ...

    def tensor(self, name: str) -> np.ndarray[Any, Any]: ...

    def __contains__(self, name: str) -> bool: ...


def opened(prefix: str) -> Checkpoint:
    """The checkpoint of a prefix; of a pair of files or of one.

    Raises:
      NotFoundError: there is none. DataLossError: it is damaged.
    """
    if not bundle.exists(prefix) and (parts := _parts(prefix)):
        return TableCheckpoint(prefix, parts)
    return bundle.BundleReader(prefix)


def exists(prefix: str) -> bool:
    """Whether there is a checkpoint of this prefix."""
    return bundle.exists(prefix) or bool(_parts(prefix))


def files(prefix: str) -> list[str]:
    """The files of a checkpoint: the one first without which it is none."""
    return bundle.files(prefix) or _parts(prefix)


def _parts(prefix: str) -> list[str]:
    """The files of a checkpoint in the former format: one, or numbered ones."""
    if os.path.isfile(prefix):
        return [prefix]
    return sorted(glob.glob(f"{glob.escape(prefix)}-?????-of-?????"))


class TableCheckpoint:
    """A checkpoint in the format V1: tables whose first row says which slices of which tensors there are, and whose
    others hold a slice's values each. Read only."""

    def __init__(self, prefix: str, parts: list[str]) -> None:
        self._prefix = prefix
        self._meta: dict[str, Any] = {}
        self._values: dict[bytes, tuple[str, bytes]] = {}
        for path in parts:
            with open(path, "rb") as file:
                rows = read_table(file.read(), path)
            head = messages.parsed(messages.SavedTensorSlices(), rows.pop(b"", b""), path)
            for tensor in head.meta.tensor:
                self._meta.setdefault(tensor.name, tensor)
            self._values.update((key, (path, value)) for key, value in rows.items())

    def __contains__(self, name: str) -> bool:
        return name in self._meta

    def names(self) -> list[str]:
        """All tensors' names, in order."""
        return sorted(self._meta)

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape."""
        return tuple(n or 0 for n in shape_of_proto(self._of(name).shape) or ())

    def dtype(self, name: str) -> DType:
        """A tensor's element type."""
        return dtype_of(self._of(name).type, f"checkpoint {self._prefix!r}, tensor {name!r}")

    def tensor(self, name: str) -> np.ndarray[Any, Any]:
        """A tensor's value, put together from its slices.

        Raises:
          NotFoundError: there is no such tensor. DataLossError: a slice of it is missing.
        """
        shape, dtype = self.shape(name), self.dtype(name)

        def value(part: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
            key = slices.key(name, part)
            if key not in self._values:
                raise ValueError(f"slice {slices.text(part)} is missing; a part of the checkpoint is lost")
            path, row = self._values[key]
            proto = messages.parsed(messages.SavedTensorSlices(), row, path).data.data
            proto.dtype = self._meta[name].type  # neither stands in the row
            proto.tensor_shape.CopyFrom(shape_proto(shape))
            return array_of_proto(proto, f"{path}, tensor {name!r}")

        try:
            return slices.assembled(self._of(name).slice, shape, dtype.numpy, value)
        except ValueError as error:
            raise DataLossError(f"checkpoint {self._prefix!r}, tensor {name!r}: {error}").locate() from None

    def _of(self, name: str) -> Any:
        if name not in self._meta:
            raise NotFoundError(f"Tensor name {name!r} not found in checkpoint {self._prefix!r}").locate()
        return self._meta[name]
