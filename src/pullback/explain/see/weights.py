"""Weights from a file into a session's variables, by name. A file can hold numbers only: nothing in it is run."""

from __future__ import annotations

import difflib
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError, NotFoundError, ShapeError
from pullback.core.shape import text
from pullback.io.bundle import BundleReader


def read_weights(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Name -> array.

    Args:
      path: a checkpoint's name (of tf.train.Saver: with or without .index), an .npz or a .safetensors file.
    Raises:
      NotFoundError: it is not there. ArgumentError: it is in another format, holds Python objects, or is damaged.
    """
    path = Path(path)
    if path.suffix == ".npz":
        return _from_npz(path)
    if path.suffix == ".safetensors":
        return _from_safetensors(path)
    reader = BundleReader(str(path.with_suffix("")) if path.suffix == ".index" else str(path))
    kept = {name: reader.dtype(name) for name in reader.names()}
    return {
        name: reader.tensor(name)
        for name, dtype in kept.items()
        if dtype.is_numpy_compatible and dtype.name != "string"
    }


def _from_npz(path: Path) -> dict[str, Any]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise NotFoundError(f"no weights {str(path)!r}: there is no such file") from None
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ArgumentError(
            f"{path}: not an .npz file of plain arrays ({error}); save it with numpy.savez(path, **arrays)"
        ) from None


def _from_safetensors(path: Path) -> dict[str, Any]:
    try:
        from safetensors import SafetensorError  # pyright: ignore[reportMissingImports]
        from safetensors.numpy import load_file  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ArgumentError(f"{path}: reading it needs the package safetensors; say: pip install safetensors") from None
    try:
        return dict(load_file(path))
    except FileNotFoundError:
        raise NotFoundError(f"no weights {str(path)!r}: there is no such file") from None
    except SafetensorError as error:
        raise ArgumentError(f"{path}: not a safetensors file ({error})") from None


def put_weights(session: Any, variables: Sequence[Any], weights: Mapping[str, Any], what: str) -> list[str]:
    """Writes each variable's value. Returns the names in the file that no variable takes.

    Raises:
      ArgumentError: a variable is not in the file; names the nearest. ShapeError: it has another shape there.
    """
    names = {v.name.removesuffix(":0"): v for v in variables}
    missing = [n for n in names if n not in weights]
    if missing:
        near = difflib.get_close_matches(missing[0], list(weights), 3, 0.3)
        hint = f"; the nearest to the first are {', '.join(map(repr, near))}" if near else ""
        raise ArgumentError(
            f"{what} has no values for {len(missing)} of {len(names)} variables: {', '.join(missing[:5])}"
            f"{' ...' if len(missing) > 5 else ''}{hint}. It holds {', '.join(list(weights)[:5]) or 'nothing'} ..."
        )
    for name, variable in names.items():
        value = np.asarray(weights[name])
        if tuple(variable.shape) != value.shape:
            raise ShapeError(
                f"{what}: {name} has shape {text(value.shape)}, but the model's is {text(tuple(variable.shape))}"
            )
        variable.load(value, session)
    return [n for n in weights if n not in names]
