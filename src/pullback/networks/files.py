"""keras.utils.get_file, and keras.datasets read from files that it keeps."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tarfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError, NotFoundError
from pullback.core.names import public
from pullback.io import atomic

# Where the data sets lie.
STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def cache_folder(cache_dir: Any = None, subdir: str = "datasets") -> Path:
    """Where downloaded files are kept: $KERAS_HOME or ~/.keras, and a folder in it."""
    home = Path(cache_dir) if cache_dir else Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return home / subdir


@public("keras.utils.get_file")
def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
) -> str:
    """The path of a file, downloaded from origin unless it is there already.

    Args:
      fname: its name, or an absolute path; origin's last part by default.
      md5_hash, file_hash: of the file; one that differs is downloaded again. hash_algorithm: "md5", "sha256" or "auto".
      untar, extract: unpack it beside itself, as tar or zip. archive_format: "auto", "tar", "zip" or None.
      cache_subdir, cache_dir: the folder it is kept in: cache_dir/cache_subdir, ~/.keras/datasets by default.
    Raises:
      NotFoundError: it is not there and cannot be had. ValueError: its hash is another.
    """
    if origin is None:
        raise ArgumentError('Please specify the "origin" argument (URL of the file to download).').locate()
    name = fname or origin.rstrip("/").rpartition("/")[2]
    folder = cache_folder(cache_dir, cache_subdir)
    path = folder / (f"{name}.tar.gz" if untar and not name.endswith((".tar", ".gz", ".tgz", ".bz2")) else name)
    wanted = file_hash or md5_hash
    if not path.exists() or (wanted and _hash(path, wanted, hash_algorithm) != wanted):
        _download(origin, path)
        if wanted and _hash(path, wanted, hash_algorithm) != wanted:
            path.unlink()
            raise ArgumentError(f"{origin}: the file's hash is not {wanted}; it is incomplete, or another").locate()
    if (untar or extract) and archive_format is not None:
        _unpack(path, folder)
    return str(folder / name) if untar else str(path)


def _download(origin: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with atomic.written(str(path)) as file, urllib.request.urlopen(origin, timeout=60) as response:
            shutil.copyfileobj(response, file)
    except (OSError, ValueError) as error:
        raise NotFoundError(
            f"{path.name} is not there and cannot be downloaded from {origin} ({error}); put it at {path}"
        ).locate() from None


def _hash(path: Path, wanted: str, algorithm: str) -> str:
    if algorithm not in ("auto", "md5", "sha256"):
        raise ArgumentError(f'get_file: hash_algorithm must be "auto", "md5" or "sha256", not {algorithm!r}').locate()
    kind = "sha256" if algorithm == "sha256" or (algorithm == "auto" and len(wanted) == 64) else "md5"
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


def _unpack(path: Path, folder: Path) -> None:
    """Unpacks tar and zip; nothing lands outside of the folder."""
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)


def _archive(name: str, path: str) -> Any:
    """An npz archive of the store, from the cache."""
    found = get_file(os.path.basename(path), STORE + name) if not os.path.isabs(path) else path
    return np.load(found, allow_pickle=False)


@public("keras.datasets.mnist.load_data")
def load_mnist(path: str = "mnist.npz") -> Any:
    """((x_train, y_train), (x_test, y_test)): digits uint8 [n, 28, 28], classes uint8 [n].

    From ~/.keras/datasets/mnist.npz, downloaded unless it is there.
    """
    with _archive("mnist.npz", path) as f:
        return (f["x_train"], f["y_train"]), (f["x_test"], f["y_test"])


@public("keras.datasets.fashion_mnist.load_data")
def load_fashion_mnist() -> Any:
    """((x_train, y_train), (x_test, y_test)): clothes uint8 [n, 28, 28], classes uint8 [n].

    From IDX files in ~/.keras/datasets/fashion-mnist, downloaded unless they are there.
    """

    def idx(name: str, offset: int, shape: tuple[int, ...]) -> Any:
        path = get_file(name, f"{STORE}{name}", cache_subdir=os.path.join("datasets", "fashion-mnist"))
        with gzip.open(path, "rb") as file:
            return np.frombuffer(file.read(), np.uint8, offset=offset).reshape(shape)

    return tuple(
        (idx(f"{part}-images-idx3-ubyte.gz", 16, (-1, 28, 28)), idx(f"{part}-labels-idx1-ubyte.gz", 8, (-1,)))
        for part in ("train", "t10k")
    )


@public("keras.datasets.cifar10.load_data")
def load_cifar10() -> Any:
    """((x_train, y_train), (x_test, y_test)): pictures uint8 [n, 32, 32, 3], classes uint8 [n, 1].

    From the data set's binary form (its Python form holds code) in ~/.keras/datasets/cifar-10-batches-bin, downloaded
    unless it is there. Source: Krizhevsky 2009.
    """
    folder = cache_folder() / "cifar-10-batches-bin"
    if not folder.is_dir():
        get_file("cifar-10-binary.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", extract=True)

    def part(*names: str) -> Any:
        rows = np.concatenate([np.fromfile(folder / f"{name}.bin", np.uint8).reshape(-1, 3073) for name in names])
        return rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, :1]

    return part(*[f"data_batch_{i}" for i in range(1, 6)]), part("test_batch")


@public("keras.datasets.boston_housing.load_data")
def load_boston_housing(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Any:
    """((x_train, y_train), (x_test, y_test)): 13 figures of a district, and its median price."""
    with _archive("boston_housing.npz", path) as f:
        x, y = f["x"], f["y"]
    order = np.random.RandomState(seed).permutation(len(x))
    x, y, at = x[order], y[order], int(len(x) * (1 - test_split))
    return (x[:at], y[:at]), (x[at:], y[at:])


@public("keras.datasets.imdb.get_word_index")
def imdb_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """{word: its place among the most frequent}."""
    found = get_file(os.path.basename(path), f"{STORE}imdb_word_index.json") if not os.path.isabs(path) else path
    return json.loads(Path(found).read_text(encoding="utf-8"))
