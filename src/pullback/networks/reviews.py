"""keras.datasets.imdb: film reviews as lists of word numbers, read from an archive that holds pickled lists.

The archive's arrays of lists are pickles, and a pickle can name any function to call. This reader knows three names,
all stand-ins of its own that hold what they are given; any other name ends the reading. So nothing a file says is run.
"""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from typing import Any

import numpy as np

from pullback.core.errors import InvalidArgumentError
from pullback.core.names import public
from pullback.networks.files import STORE, get_file

_ARRAYS = ("numpy.core.multiarray", "numpy._core.multiarray")


class _Held:
    """Stands for an array or a dtype of a pickle: its state, and nothing done with it."""

    state: Any = None

    def __init__(self, *args: Any) -> None:
        del args

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _ListsOnly(pickle.Unpickler):
    """Reads arrays of lists of numbers, and refuses whatever else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module in _ARRAYS and name == "_reconstruct") or (module == "numpy" and name in ("ndarray", "dtype")):
            return _Held
        raise pickle.UnpicklingError(f"it names {module}.{name}, which no array of lists needs")

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside")


def _array(archive: zipfile.ZipFile, name: str, path: str) -> Any:
    """An array of an npz archive; one of lists as an object array.

    Raises:
      InvalidArgumentError: it is not there, or no such array.
    """
    try:
        data = archive.read(f"{name}.npy")
        file = io.BytesIO(data)
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        if dtype.kind != "O":
            return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
        held = _ListsOnly(file, encoding="latin1").load()
        rows = held.state[-1]
        if len(shape) != 1 or len(rows) != shape[0]:
            raise ValueError(f"{len(rows)} lists where the header says {shape}")
        return _lists(rows)
    except Exception as error:  # whatever a foreign file makes of its readers
        raise InvalidArgumentError(
            f"imdb.load_data: {path} is not the archive of reviews ({name}: {error}); put imdb.npz of "
            f"{STORE}imdb.npz there"
        ).locate() from None


def _lists(rows: Any) -> Any:
    """Lists of numbers as an object array [n]."""
    out = np.empty(len(rows), object)
    for i, row in enumerate(rows):
        if not isinstance(row, list) or not all(type(w) is int for w in row):
            raise ValueError(f"entry {i} is no list of numbers")
        out[i] = row
    return out


@public("keras.datasets.imdb.load_data")
def load_imdb(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Any:
    """((x_train, y_train), (x_test, y_test)): reviews as lists of word numbers, object [n]; 1 for praise, int64 [n].

    Args:
      path: the archive's name in ~/.keras/datasets, downloaded unless it is there; or an absolute path.
      num_words, skip_top: words are kept whose number is from skip_top to below num_words (by default the largest);
        others become oov_char, or are left out when it is None.
      maxlen: reviews of so many words or more are left out.
      seed: of the order. start_char: begins each review, if given. index_from: is added to all word numbers.
    Raises:
      TypeError: an argument is not known. ValueError: maxlen leaves no review.
      InvalidArgumentError: the file is another.
    Source: Maas et al. 2011.
    """
    if "nb_words" in kwargs:
        num_words = kwargs.pop("nb_words")  # its name before TensorFlow 1.3
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}.")
    found = path if os.path.isabs(path) else get_file(os.path.basename(path), f"{STORE}imdb.npz")
    with zipfile.ZipFile(found) as archive:
        read = [_array(archive, name, found) for name in ("x_train", "y_train", "x_test", "y_test")]
    random = np.random.RandomState(seed)
    moved = []
    for x, y in (read[:2], read[2:]):
        order = np.arange(len(x))
        random.shuffle(order)
        words = [_moved(row, start_char, index_from) for row in x[order]]
        moved.append(_short(words, y[order], maxlen))
    every = [row for words, _ in moved for row in words]
    limit = num_words or max(max(row) for row in every)
    return tuple((_chosen(words, skip_top, limit, oov_char), y) for words, y in moved)


def _moved(row: list[int], start_char: int | None, index_from: int) -> list[int]:
    start = [] if start_char is None else [start_char]
    return start + [word + index_from for word in row]


def _short(words: list[list[int]], y: Any, maxlen: int | None) -> tuple[list[list[int]], Any]:
    """The reviews that are shorter than maxlen."""
    if not maxlen:
        return words, y
    kept = [i for i, row in enumerate(words) if len(row) < maxlen]
    if not kept:
        raise ValueError(f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept.")
    return [words[i] for i in kept], y[kept]


def _chosen(words: list[list[int]], skip_top: int, limit: int, oov_char: int | None) -> Any:
    """The reviews with words from skip_top to below limit."""
    if oov_char is None:
        return _lists([[w for w in row if skip_top <= w < limit] for row in words])
    return _lists([[w if skip_top <= w < limit else oov_char for w in row] for row in words])
