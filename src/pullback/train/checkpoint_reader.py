"""Reading checkpoints by name: `NewCheckpointReader`, `load_checkpoint`, `list_variables`, `load_variable`."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from pullback.core.dtypes import DType
from pullback.core.names import public
from pullback.io import checkpoints, messages
from pullback.train.checkpoint_state import latest_checkpoint


class CheckpointReader:
    """A checkpoint's tensors by their names.

    Args:
      filepattern: the checkpoint's path, as latest_checkpoint gives it.
    Raises:
      NotFoundError: there is none. DataLossError: it is damaged.
    """

    def __init__(self, filepattern: Any) -> None:
        self._found = checkpoints.opened(os.fsdecode(filepattern))

    def has_tensor(self, tensor_str: str) -> bool:
        """Whether there is a tensor of this name."""
        return tensor_str in self._found

    def get_tensor(self, tensor_str: str) -> Any:
        """A tensor's value: an array; of a scalar a NumPy scalar, of a string bytes.

        Raises:
          NotFoundError: there is no such tensor. DataLossError: its data is damaged.
        """
        array = self._found.tensor(tensor_str)
        return array[()] if array.ndim == 0 else array

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Name -> shape."""
        return {name: list(self._found.shape(name)) for name in self._found.names()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """Name -> element type."""
        return {name: self._found.dtype(name) for name in self._found.names()}

    def debug_string(self) -> bytes:
        """A line for each tensor: name, type, shape."""
        rows = [(name, self._found.dtype(name), list(self._found.shape(name))) for name in self._found.names()]
        kinds = messages.DataType
        return "".join(f"{n} ({kinds.Name(t.as_datatype_enum)}) {shape}\n" for n, t, shape in rows).encode()


@public(v1="train.NewCheckpointReader")
def NewCheckpointReader(filepattern: Any) -> CheckpointReader:
    """A reader of the checkpoint of this path.

    Raises:
      NotFoundError: there is none. DataLossError: it is damaged.
    """
    return CheckpointReader(filepattern)


@public("train.load_checkpoint")
def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """A reader of a checkpoint, or of the newest of a folder.

    Raises:
      ValueError: the folder has none.
    """
    return CheckpointReader(checkpoint_of(ckpt_dir_or_file))


@public("train.load_variable")
def load_variable(ckpt_dir_or_file: Any, name: str) -> np.ndarray[Any, Any]:
    """A variable's value in a checkpoint, or in the newest of a folder. A name may end in ":0"."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


@public("train.list_variables")
def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """(name, shape) of all that a checkpoint holds, in order of names."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def checkpoint_of(folder_or_file: Any) -> str:
    """The path itself, or of a folder the newest checkpoint's.

    Raises:
      ValueError: the folder has none.
    """
    given = os.fsdecode(folder_or_file)
    if not os.path.isdir(given):
        return given
    found = latest_checkpoint(given)
    if found is None:
        raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {given}")
    return found
