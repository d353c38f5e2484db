"""Datasets of batches straight from files: tables of comma-separated values, and records of Examples.

files --> rows or records --> dicts of columns --> in random order, again and again --> batches
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.data.dataset import AUTOTUNE
from pullback.data.datasets import Dataset, DatasetV1
from pullback.data.files import (
    CsvDataset,
    CsvDatasetV1,
    TFRecordDataset,
    TFRecordDatasetV1,
    compression_of,
    lines,
    table,
)
from pullback.data.ordering import matching
from pullback.data.parsing import parse_example

# What a column may hold, the first that all its entries fit.
_KINDS: tuple[tuple[dtypes.DType, Callable[[str], bool]], ...] = (
    (dtypes.int32, lambda word: _fits(word, np.iinfo(np.int32))),
    (dtypes.int64, lambda word: _fits(word, np.iinfo(np.int64))),
    (dtypes.float32, lambda word: _is_number(word, float(np.finfo(np.float32).max))),
    (dtypes.float64, lambda word: _is_number(word, math.inf)),
    (dtypes.string, lambda word: True),
)


def _fits(word: str, limits: Any) -> bool:
    try:
        return limits.min <= int(word) <= limits.max
    except ValueError:
        return False


def _is_number(word: str, largest: float) -> bool:
    try:
        return abs(float(word)) <= largest or not math.isfinite(float(word))
    except ValueError:
        return False


def _files(file_pattern: Any) -> list[str]:
    """The files of a pattern, or of several, in order of their names.

    Raises:
      ValueError: there are none.
    """
    patterns = [file_pattern] if isinstance(file_pattern, (str, bytes)) else list(file_pattern)
    words = [p.decode() if isinstance(p, bytes) else str(p) for p in patterns]
    found = sorted(name for word in words for name in matching(word))
    if not found:
        raise ValueError(f"No files match {file_pattern}.")
    return found


class _Table:
    """The columns of files of comma-separated values: names, which are taken, their defaults."""

    def __init__(self, files: list[str], names: Any, select: Any, header: bool, reading: dict[str, Any]) -> None:
        self._files, self._header, self._reading = files, header, reading
        if names is None and not header:
            raise ValueError("Cannot infer column names without a header line.")
        every = self._first_line() if names is None else [str(name) for name in names]
        if len(set(every)) != len(every):
            raise ValueError("Cannot have duplicate column names.")
        self.taken = list(range(len(every))) if select is None else sorted(self._place(c, every) for c in select)
        self.names = [every[i] for i in self.taken]
        self._width = len(every)

    def _rows(self, name: str) -> Any:
        source = lines(name.encode(), self._reading["compression"])
        return table(source, self._reading["field_delim"], self._reading["use_quote_delim"])

    def _first_line(self) -> list[str]:
        firsts = [next(self._rows(name), []) for name in self._files]
        for name, first in zip(self._files, firsts, strict=True):
            if first != firsts[0]:
                raise ValueError(f"All input CSV files should have the same header row; {name} has {first}")
        return firsts[0]

    def _place(self, column: Any, names: list[str]) -> int:
        if isinstance(column, (int, np.integer)):
            if not 0 <= column < len(names):
                raise ValueError(f"select_columns: there is no column {column} of {len(names)}")
            return int(column)
        if column not in names:
            raise ValueError(f"select_columns: no column is named {column!r}; they are {names}")
        return names.index(column)

    def defaults(self, rows: int) -> list[Any]:
        """For each column that is taken, 0 or "" of the type that its first entries fit."""
        kinds: list[int | None] = [None] * len(self.taken)
        source = (row for name in self._files for row in itertools.islice(self._rows(name), int(self._header), None))
        for row in itertools.islice(source, rows):
            if len(row) != self._width:
                raise ValueError(f"Problem inferring types: a row has {len(row)} fields, not {self._width}: {row}")
            for i, place in enumerate(self.taken):
                if row[place] not in ("", self._reading["na_value"]):
                    kinds[i] = next(k for k in range(kinds[i] or 0, len(_KINDS)) if _KINDS[k][1](row[place]))
        found = [dtypes.float32 if k is None else _KINDS[k][0] for k in kinds]
        return [np.array([b"" if t is dtypes.string else 0], t.numpy) for t in found]


def _endlessly(dataset: Any, num_epochs: Any, shuffle: bool, width: int, seed: Any) -> Any:
    """Each repetition in another order."""
    dataset = dataset.shuffle(width, seed) if shuffle else dataset
    return dataset if num_epochs == 1 else dataset.repeat(num_epochs)


def _csv(face: Any, cls: Any) -> Callable[..., Any]:
    def make_csv_dataset(
        file_pattern: Any,
        batch_size: Any,
        column_names: Any = None,
        column_defaults: Any = None,
        label_name: Any = None,
        select_columns: Any = None,
        field_delim: str = ",",
        use_quote_delim: bool = True,
        na_value: str = "",
        header: bool = True,
        num_epochs: Any = None,
        shuffle: bool = True,
        shuffle_buffer_size: int = 10000,
        shuffle_seed: Any = None,
        prefetch_buffer_size: Any = None,
        num_parallel_reads: Any = None,
        sloppy: bool = False,
        num_rows_for_inference: int | None = 100,
        compression_type: Any = None,
        ignore_errors: bool = False,
        encoding: str = "utf-8",
    ) -> Any:
        """Batches of the rows of CSV files: {column: [batch_size]}, or (that, label) with a label_name.

        Args:
          file_pattern: files or patterns. column_names: by default those of the first line.
          column_defaults: a dtype (must be filled) or a tensor with the default, for each column taken; by default 0
            or "" of the type that the first num_rows_for_inference rows (None: all) fit.
          select_columns: numbers or names of the columns that are taken. header: the first line is no row.
          num_epochs: how often all rows come; None: for ever, and then every batch is full.
          shuffle: in random order, drawn from shuffle_buffer_size rows. ignore_errors: leaves out rows that do not fit.
          prefetch_buffer_size, num_parallel_reads, sloppy: say how files are read, never what comes.
          encoding: must be "utf-8".
        Raises:
          ValueError: no file matches, names are double or not there, or the encoding is another.
        """
        if encoding.lower().replace("_", "-") != "utf-8":
            raise ValueError(f"make_csv_dataset: files are read as utf-8, not {encoding!r}")
        files = _files(file_pattern)
        kind = compression_of(compression_type)
        reading = {"field_delim": field_delim, "use_quote_delim": use_quote_delim, "na_value": na_value}
        columns = _Table(files, column_names, select_columns, header, {**reading, "compression": kind})
        if label_name is not None and label_name not in columns.names:
            raise ValueError(f"`label_name` provided must be one of the columns: {columns.names}")
        rows = 2**62 if num_rows_for_inference is None else num_rows_for_inference
        defaults = columns.defaults(rows) if column_defaults is None else column_defaults
        names = face.from_tensor_slices(files)
        names = names.shuffle(len(files), shuffle_seed) if shuffle else names
        made = cls(names, defaults, compression_type, header=header, select_cols=columns.taken, **reading)
        made = made.ignore_errors() if ignore_errors else made
        made = _endlessly(made, num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
        made = made.batch(batch_size, drop_remainder=num_epochs is None)

        def named(*values: Any) -> Any:
            features = dict(zip(columns.names, values, strict=True))
            return features if label_name is None else (features, features.pop(label_name))

        return made.map(named).prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)

    return make_csv_dataset


make_csv_dataset = public("data.experimental.make_csv_dataset", v1=None)(_csv(Dataset, CsvDataset))
make_csv_dataset_v1 = _csv(DatasetV1, CsvDatasetV1)
make_csv_dataset_v1.__name__ = "make_csv_dataset_v1"
public(v1="data.experimental.make_csv_dataset")(make_csv_dataset_v1)


@public("data.experimental.parse_example_dataset")
def parse_example_dataset(
    features: Any, num_parallel_calls: Any = 1, deterministic: bool | None = None
) -> Callable[[Any], Any]:
    """For `apply`: batches of serialized Examples [B] become {feature: tensor}, as `tf.io.parse_example` makes them.
    num_parallel_calls, deterministic: how calls are scheduled never changes the elements."""
    if features is None:
        raise ValueError("Missing: `features` is None.")
    return lambda dataset: dataset.map(lambda serialized: parse_example(serialized, features))


def _batched_features(face: Any, default_reader: Any) -> Callable[..., Any]:
    def make_batched_features_dataset(
        file_pattern: Any,
        batch_size: Any,
        features: Any,
        reader: Any = None,
        label_key: Any = None,
        reader_args: Any = None,
        num_epochs: Any = None,
        shuffle: bool = True,
        shuffle_buffer_size: int = 10000,
        shuffle_seed: Any = None,
        prefetch_buffer_size: Any = None,
        reader_num_threads: Any = None,
        parser_num_threads: Any = None,
        sloppy_ordering: bool = False,
        drop_final_batch: bool = False,
    ) -> Any:
        """Batches of the Examples in files: {feature: [batch_size, ..]}, or (that, label) with a label_key.

        Args:
          file_pattern: files or patterns. features: what `tf.io.parse_example` is told.
          reader: a dataset class of the files' records, TFRecordDataset by default; reader_args: its further arguments.
          num_epochs, shuffle, shuffle_buffer_size, shuffle_seed: as of `make_csv_dataset`.
          drop_final_batch: leaves out a last batch that is not full; without num_epochs there is none.
          prefetch_buffer_size, reader_num_threads, parser_num_threads, sloppy_ordering: say how files are read, never
            what comes.
        Raises:
          ValueError: no file matches, or label_key is none of the features.
        """
        make = default_reader if reader is None else reader
        if hasattr(make, "read") and not hasattr(make, "batch"):
            raise ArgumentError(
                "make_batched_features_dataset: reader must be a dataset class, as tf.data.TFRecordDataset"
            )
        if label_key is not None and label_key not in features:
            raise ValueError(
                f"The `label_key` provided ({label_key!r}) must be one of the `features` keys: {sorted(features)}"
            )
        files = _files(file_pattern)
        names = face.from_tensor_slices(files)
        names = names.shuffle(len(files), shuffle_seed) if shuffle else names
        made = names.flat_map(lambda name: make(name, *(reader_args or [])))
        made = _endlessly(made, num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
        made = made.batch(batch_size, drop_remainder=drop_final_batch or num_epochs is None)
        made = made.map(lambda serialized: parse_example(serialized, features))
        if label_key is not None:
            made = made.map(lambda parsed: ({k: v for k, v in parsed.items() if k != label_key}, parsed[label_key]))
        return made.prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)

    return make_batched_features_dataset


make_batched_features_dataset = public("data.experimental.make_batched_features_dataset", v1=None)(
    _batched_features(Dataset, TFRecordDataset)
)
make_batched_features_dataset_v1 = _batched_features(DatasetV1, TFRecordDatasetV1)
make_batched_features_dataset_v1.__name__ = "make_batched_features_dataset_v1"
public(v1="data.experimental.make_batched_features_dataset")(make_batched_features_dataset_v1)
