"""`tf.contrib.learn.datasets`: tables of examples from CSV files that are there. Nothing is downloaded."""

from __future__ import annotations

import csv
import os
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.contrib.arg_scope import contrib
from pullback.contrib.mnist import (
    DataSet,
    Datasets,
    MissingDataError,
    dense_to_one_hot,
    extract_images,
    extract_labels,
    read_data_sets,
)
from pullback.core.errors import ArgumentError, DataLossError
from pullback.core.names import public_value

Dataset = contrib("learn.datasets.base", "Dataset")(namedtuple("Dataset", ["data", "target"]))
_ALSO_HERE = {
    "mnist": (DataSet, dense_to_one_hot, extract_images, extract_labels, read_data_sets),
    "base": (Datasets,),
}
for _module, _values in _ALSO_HERE.items():
    for _made in _values:
        public_value(_made.__name__, v1=f"contrib.learn.datasets.{_module}.{_made.__name__}")


@contrib("learn.datasets.base", "load_csv_with_header")
def load_csv_with_header(filename: Any, target_dtype: Any, features_dtype: Any, target_column: int = -1) -> Any:
    """A table of examples.

    Args:
      filename: a CSV file whose first line begins with the number of examples and the number of features; each further
        line is an example. target_column: where in a line its label stands.
    Returns:
      Dataset(data [examples, features], target [examples]).
    Raises:
      NotFoundError: there is no such file. DataLossError: it holds other than its first line says.
    """
    header, rows = _rows(filename)
    try:
        examples, features = int(header[0]), int(header[1])
    except (ValueError, IndexError):
        raise DataLossError(
            f"{filename}: the first line must begin with the number of examples and of features, not {header[:2]}; "
            "load_csv_without_header reads files without it"
        ) from None
    if len(rows) != examples:
        raise DataLossError(f"{filename}: the first line says {examples} examples, but {len(rows)} follow")
    return _table(filename, rows, target_dtype, features_dtype, target_column, features)


@contrib("learn.datasets.base", "load_csv_without_header")
def load_csv_without_header(filename: Any, target_dtype: Any, features_dtype: Any, target_column: int = -1) -> Any:
    """As `load_csv_with_header`, of a file that has examples from its first line on."""
    first, rows = _rows(filename)
    return _table(filename, [first, *rows], target_dtype, features_dtype, target_column, len(first) - 1)


def _rows(filename: Any) -> tuple[list[str], list[list[str]]]:
    """(the first line's fields, those of the others)"""
    if not os.path.exists(filename):
        raise MissingDataError(f"{filename} is not there; nothing is downloaded")
    with open(filename, newline="", encoding="utf-8") as file:
        lines = [row for row in csv.reader(file) if row]
    if not lines:
        raise DataLossError(f"{filename} is empty")
    return lines[0], lines[1:]


def _table(filename: Any, rows: list[list[str]], target: Any, kind: Any, column: int, features: int) -> Any:
    labels, data = [], []
    for i, row in enumerate(rows):
        if len(row) != features + 1:
            raise DataLossError(f"{filename}, example {i}: {features} features and a label expected, {len(row)} fields")
        labels.append(row.pop(column))
        data.append(row)
    values = np.array(data).astype(kind).reshape(len(rows), features)
    return Dataset(data=values, target=np.array(labels).astype(target))


@contrib("learn.datasets.base", "maybe_download")
def maybe_download(filename: str, work_directory: Any, source_url: str) -> str:
    """The path of a file in a folder, where it must be already.

    Raises:
      NotFoundError: it is not there; says from where it would come.
    """
    path = os.path.join(work_directory, filename)
    if not os.path.exists(path):
        raise MissingDataError(f"{path} is not there. Nothing is downloaded: fetch {source_url}, and put it there")
    return path


def _shipped(name: str, target: Any, columns: str) -> Callable[..., Any]:
    """A loader of a table that TensorFlow brought along."""

    def load(data_path: Any = None) -> Any:
        if data_path is None:
            raise ArgumentError(
                f"{name}: the table is not part of this library; give data_path, a CSV file with {columns} and, as its "
                "first line, the number of examples and of features"
            ).locate()
        return load_csv_with_header(data_path, target, np.float64)

    load.__name__ = load.__qualname__ = name
    load.__doc__ = f"The table in data_path: {columns}, as `load_csv_with_header` reads it."
    return contrib("learn.datasets.base learn.datasets", name)(load)


load_iris = _shipped("load_iris", np.int64, "four lengths and a class from 0 to 2")
load_boston = _shipped("load_boston", np.float64, "thirteen features and a price")


@contrib("learn.datasets", "load_dataset")
def load_dataset(name: str, size: str = "small", test_with_fake_data: bool = False) -> Any:
    """One of TensorFlow's tables by name: "mnist", from the four files in the folder `MNIST-data`.

    Args:
      size, test_with_fake_data: are of tables that are not there: leave them out.
    Raises:
      ValueError: another name. NotFoundError: the files are missing.
    """
    if size != "small" or test_with_fake_data:
        raise ArgumentError("load_dataset: size and test_with_fake_data are of dbpedia only; leave them out").locate()
    if name != "mnist":
        raise ArgumentError(
            f"load_dataset: the table {name!r} is not part of this library; 'mnist' is read from the folder "
            "MNIST-data, and tables in CSV by datasets.base.load_csv_with_header"
        ).locate()
    return read_data_sets("MNIST-data")
