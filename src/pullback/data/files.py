"""Datasets of what stands in files: lines, records, pieces of fixed length, rows of comma-separated values."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.errors import InvalidArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.data.dataset import Recipe, symbolic, whole
from pullback.data.datasets import Dataset, DatasetV1
from pullback.data.rows import check_delimiter, columns_of, fields_of
from pullback.data.structure import Leaves
from pullback.data.traced import Run
from pullback.io.records import TFRecordOptions, opened, records
from pullback.modes.function import TensorSpec

Names = Callable[[Run], Iterator[bytes]]


def file_names(filenames: Any) -> tuple[Names, list[Tensor]]:
    """(the names in a run, what they read) of a name, a list of them, a tensor, or a dataset of names."""
    if isinstance(filenames, Recipe):
        return lambda run: (bytes(leaf.item()) for (leaf,) in filenames._elements(run)), filenames._reads
    if hasattr(filenames, "__fspath__"):
        filenames = filenames.__fspath__()
    tensor = interpreter.as_tensor(filenames, dtypes.string, here=interpreter.eager(), what="filenames")
    return lambda run: iter(np.ravel(run.of(tensor)).tolist()), symbolic(tensor)


def word(data: bytes) -> Any:
    """Bytes as a tensor's value."""
    out = np.empty((), object)
    out[()] = data
    return out


def compression_of(value: Any) -> str:
    """A compression type as users give it."""
    if isinstance(value, Tensor):
        value = value.numpy().decode()
    return TFRecordOptions.get_compression_type_string(value)


class _Files(Dataset):
    """Base of the datasets made of files, whose constructors TensorFlow users call.

    buffer_size and num_parallel_reads say how files are read, never what comes: files in order, one after another.
    """

    def _read(self, filenames: Any, of: Callable[[bytes], Iterator[bytes]]) -> None:
        names, reads = file_names(filenames)

        def elements(run: Run) -> Iterator[Leaves]:
            return ((word(data),) for name in names(run) for data in of(name))

        self._set(TensorSpec((), dtypes.string), elements, reads)


@public("data.TFRecordDataset", v1=None)
class TFRecordDataset(_Files):
    """The records of TFRecord files.

    Args:
      filenames: a name, several, a tensor, or a dataset of names. compression_type: "", "ZLIB" or "GZIP".
    Raises, while it is iterated:
      NotFoundError: a file is not there. DataLossError: one is cut off or altered.
    """

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        kind = compression_of(compression_type)
        self._read(filenames, lambda path: records(path, kind))


@public("data.TextLineDataset", v1=None)
class TextLineDataset(_Files):
    """The lines of text files, without their ends.

    Args:
      filenames: a name, several, a tensor, or a dataset of names. compression_type: "", "ZLIB" or "GZIP".
    """

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        kind = compression_of(compression_type)
        self._read(filenames, lambda path: lines(path, kind))


@public("data.FixedLengthRecordDataset", v1=None)
class FixedLengthRecordDataset(_Files):
    """Pieces of record_bytes bytes of files, between header_bytes at the beginning and footer_bytes at the end.

    Raises:
      InvalidArgumentError: a number of bytes is negative, or record_bytes 0; while it is iterated: what lies between
        is no whole number of pieces.
    """

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
        compression_type: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        kind = compression_of(compression_type)
        given = (
            ("record_bytes", record_bytes, 1),
            ("header_bytes", header_bytes, 0),
            ("footer_bytes", footer_bytes, 0),
        )
        size, header, footer = (
            int(whole(0 if n is None else n, f"FixedLengthRecordDataset: {what}", least).numpy())
            for what, n, least in given
        )
        self._read(filenames, lambda path: pieces(path, size, header, footer, kind))


def lines(path: bytes, compression: str) -> Iterator[bytes]:
    """The lines of a file, without their ends."""
    with opened(path, compression) as file:
        rest = b""
        while piece := file.read(1 << 16):
            *whole_lines, rest = (rest + piece).split(b"\n")
            for line in whole_lines:
                yield line.removesuffix(b"\r")
        if rest:
            yield rest.removesuffix(b"\r")


def pieces(path: bytes, size: int, header: int, footer: int, compression: str) -> Iterator[bytes]:
    """Pieces of a file between its header and its footer."""
    with opened(path, compression) as file:
        data = file.read()
    body = data[header : len(data) - footer]
    if len(data) < header + footer or len(body) % size:
        raise InvalidArgumentError(
            f"{path.decode()}: {len(data)} bytes less a header of {header} and a footer of {footer} are no "
            f"whole number of records of {size} bytes"
        )
    return (yield from (body[i : i + size] for i in range(0, len(body), size)))


@public("data.experimental.CsvDataset", v1=None)
class CsvDataset(Dataset):
    """The rows of files of comma-separated values: a tuple of scalars each.

    Args:
      filenames: a name, several, a tensor, or a dataset of names.
      record_defaults: for each column a dtype (the column must be filled) or a tensor with the default of an empty one.
      header: whether the first line of each file is left out. field_delim: one character.
      use_quote_delim: whether double quotes enclose a field. na_value: what also counts as empty.
      select_cols, exclude_cols: numbers of the columns, of which record_defaults then speaks.
    Raises, while it is iterated:
      InvalidArgumentError: a row has another number of fields, or a field does not convert.
    """

    def __init__(
        self,
        filenames: Any,
        record_defaults: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        header: bool = False,
        field_delim: str = ",",
        use_quote_delim: bool = True,
        na_value: str = "",
        select_cols: Any = None,
        exclude_cols: Any = None,
    ) -> None:
        kind = compression_of(compression_type)
        if select_cols is not None and exclude_cols is not None:
            raise InvalidArgumentError("CsvDataset: give select_cols or exclude_cols, not both").locate()
        check_delimiter(field_delim)
        columns = columns_of(record_defaults)
        names, reads = file_names(filenames)

        def elements(run: Run) -> Iterator[Leaves]:
            rows = (
                row
                for name in names(run)
                for row in itertools.islice(table(lines(name, kind), field_delim, use_quote_delim), int(header), None)
            )
            # `map` goes on behind a row that does not fit, for `ignore_errors`.
            return map(lambda row: fields_of(_chosen(row, select_cols, exclude_cols), columns, na_value), rows)

        self._set(tuple(TensorSpec((), c.dtype) for c in columns), elements, reads)


def _chosen(row: list[str], select: Any, exclude: Any) -> list[str]:
    if select is not None:
        if len(row) <= max(select, default=-1):
            raise InvalidArgumentError(f"Expect {max(select) + 1} fields but have {len(row)} in record")
        return [row[i] for i in select]
    return row if exclude is None else [field for i, field in enumerate(row) if i not in exclude]


def table(source: Iterator[bytes], delimiter: str, quotes: bool) -> Iterator[list[str]]:
    """The rows of comma-separated lines; quoted fields may hold line ends."""
    text = (line.decode("utf-8", "surrogateescape") + "\n" for line in source)
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    try:
        for row in csv.reader(text, delimiter=delimiter, quoting=quoting, strict=quotes):  # type: ignore[arg-type]
            if row:
                yield row
    except csv.Error as error:
        raise InvalidArgumentError(f"CSV: {error}") from None


class _V1(DatasetV1):
    """Base of the same classes under TensorFlow 1, which add graph iterators."""


def _earlier(cls: type) -> Any:
    """TensorFlow 1's class of the same name."""
    made: Any = type(f"{cls.__name__}V1", (_V1, cls), {"__doc__": cls.__doc__, "__module__": __name__})
    made.__init__ = cls.__init__
    return made


TFRecordDatasetV1 = public(v1="data.TFRecordDataset")(_earlier(TFRecordDataset))
TextLineDatasetV1 = public(v1="data.TextLineDataset")(_earlier(TextLineDataset))
FixedLengthRecordDatasetV1 = public(v1="data.FixedLengthRecordDataset")(_earlier(FixedLengthRecordDataset))
CsvDatasetV1 = public(v1="data.experimental.CsvDataset")(_earlier(CsvDataset))


@public("data.experimental.TFRecordWriter")
class TFRecordDatasetWriter:
    """Writes a dataset of words to a TFRecord file."""

    def __init__(self, filename: Any, compression_type: Any = None) -> None:
        self._filename, self._options = filename, compression_of(compression_type)

    def write(self, dataset: Any) -> None:
        """Writes every element.

        Raises:
          TypeError: elements are no scalar words.
        """
        from pullback.io.records import TFRecordWriter

        if dataset.element_spec.dtype is not dtypes.string:
            raise TypeError(f"TFRecordWriter.write: elements must be scalar strings, not {dataset.element_spec}")
        with TFRecordWriter(self._filename, self._options) as writer:
            for record in dataset.as_numpy_iterator():
                writer.write(record)
