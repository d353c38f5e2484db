"""Rows of comma-separated values as scalars: `decode_csv` and what CSV datasets share with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, InvalidArgumentError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import EagerTensor, Tensor

_TYPES = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64, dtypes.string)


class Column(NamedTuple):
    """A column's type, and what an empty field stands for; None when it must be filled."""

    dtype: DType
    default: Any


def columns_of(record_defaults: Any) -> list[Column]:
    """The columns that a list of defaults describes: dtypes, numbers, words, or vectors with at most one entry.

    Raises:
      ArgumentError: a default has another type, or more than one entry.
    """
    out = []
    for given in record_defaults:
        if isinstance(given, (DType, type)):
            column = Column(as_dtype(given), None)
        else:
            tensor = (
                given
                if isinstance(given, Tensor)
                else interpreter.as_tensor(
                    np.zeros(0, np.float32) if isinstance(given, (list, tuple)) and not len(given) else given,
                    here=interpreter.eager(),
                )
            )
            if not isinstance(tensor, EagerTensor):
                tensor = _constant(tensor)
            flat = np.ravel(tensor.value)
            if flat.size > 1:
                raise ArgumentError(f"record_defaults: {given!r} has {flat.size} entries; give one or none").locate()
            column = Column(tensor.dtype, flat[0] if flat.size else None)
        if column.dtype not in _TYPES:
            names = ", ".join(t.name for t in _TYPES)
            raise ArgumentError(f"record_defaults: {given!r} is {column.dtype.name}, not one of {names}").locate()
        out.append(column)
    return out


def check_delimiter(delimiter: Any) -> None:
    """
    Raises:
      ArgumentError: it is not one character.
    """
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise ArgumentError(
            f"field_delim must be one character, neither a quote nor the end of a line, but is {delimiter!r}"
        ).locate()


def _constant(tensor: Tensor) -> EagerTensor:
    """The value of a constant of a graph."""
    if tensor.node.op.type != "Const":
        raise ArgumentError("record_defaults must be constants, so that columns are known beforehand").locate()
    return EagerTensor(Spec(tensor.spec.shape, tensor.dtype), tensor.node.op.value)


def fields_of(row: list[str], columns: list[Column], na_value: str) -> tuple[Any, ...]:
    """A row's fields as scalars.

    Raises:
      InvalidArgumentError: there is another number of them, or one does not convert.
    """
    if len(row) != len(columns):
        raise InvalidArgumentError(f"Expect {len(columns)} fields but have {len(row)} in record")
    return tuple(_field(text, i, c, na_value) for i, (text, c) in enumerate(zip(row, columns, strict=True)))


def _field(text: str, i: int, column: Column, na_value: str) -> Any:
    out = np.empty((), column.dtype.numpy)
    if text in ("", na_value):
        if column.default is None:
            raise InvalidArgumentError(f"Field {i} is required but missing in record!")
        out[()] = column.default
    elif column.dtype is dtypes.string:
        out[()] = text.encode("utf-8", "surrogateescape")
    else:
        try:
            out[()] = int(text) if column.dtype.is_integer else float(text)
        except (ValueError, OverflowError):
            raise InvalidArgumentError(f"Field {i} in record is not a valid {column.dtype.name}: {text}") from None
    return out


@op
class DecodeCSV(Op):
    """The fields of records, a tensor of the records' shape for each column."""

    signature = "records: string -> *output: any"
    any_rank = True
    types: tuple[DType, ...]
    empty: tuple[Any, ...]  # of each column None or what an empty field stands for
    field_delim: str = ","
    use_quote_delim: bool = True
    na_value: str = ""
    select_cols: tuple[int, ...] = ()

    def infer(self, records: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(records.shape, t) for t in self.types)

    def visible(self, results: int) -> int:
        return results

    def reference(self, records: Any) -> Any:
        columns = [Column(t, d) for t, d in zip(self.types, self.empty, strict=True)]
        rows = [fields_of(self._row(r), columns, self.na_value) for r in np.ravel(records).tolist()]
        out = []
        for i, column in enumerate(columns):
            values = np.empty(len(rows), column.dtype.numpy)
            for k, row in enumerate(rows):
                values[k] = row[i].item()
            out.append(values.reshape(np.shape(records)))
        return tuple(out)

    def _row(self, record: bytes) -> list[str]:
        text = io.StringIO(record.decode("utf-8", "surrogateescape"), newline="")
        quoting = csv.QUOTE_MINIMAL if self.use_quote_delim else csv.QUOTE_NONE
        try:
            row = next(csv.reader(text, delimiter=self.field_delim, quoting=quoting, strict=self.use_quote_delim), [""])
        except csv.Error as error:
            raise InvalidArgumentError(f"DecodeCSV: {error} in record {record!r}") from None
        if not self.select_cols:
            return row
        if len(row) <= self.select_cols[-1]:
            raise InvalidArgumentError(f"Expect {self.select_cols[-1] + 1} fields but have {len(row)} in record")
        return [row[i] for i in self.select_cols]

    def grad(self, node: Any, *dys: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        lines = np.array([b"1,2.5,x", b'3,,"a,b"'], object)
        types = (dtypes.int32, dtypes.float32, dtypes.string)
        yield Sample(cls(types, (None, 7.0, None)), (lines,), ())
        yield Sample(cls(types[:1], (None,), select_cols=(0,)), (lines,), (), name="chosen")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        lines = np.array([b"1,x"], object)
        yield lambda: cls((dtypes.int32,), (None,))(lines), InvalidArgumentError, "Expect 1 fields but have 2"
        yield lambda: cls((dtypes.int32,) * 2, (None,) * 2)(lines), InvalidArgumentError, "is not a valid int32: x"


def _decoded(
    records: Any, defaults: Any, delimiter: str, quotes: bool, na: str, select: Any, name: str | None
) -> list[Tensor]:
    check_delimiter(delimiter)
    columns = columns_of(defaults)
    if select is not None and (len(select) != len(columns) or list(select) != sorted(set(select))):
        raise ArgumentError(f"decode_csv: select_cols {select} must rise and name {len(columns)} columns").locate()
    plain = tuple(d.item() if hasattr(d, "item") else d for _, d in columns)
    made = DecodeCSV(tuple(c.dtype for c in columns), plain, delimiter, quotes, na, tuple(select or ()))(
        records, name=name
    )
    return list(made) if isinstance(made, tuple) else [made]


@public("io.decode_csv", v1=None)
def decode_csv(
    records: Any,
    record_defaults: Any,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    select_cols: Any = None,
    name: str | None = None,
) -> list[Tensor]:
    """The fields of comma-separated records: a tensor of the records' shape for each column.

    Args:
      records: strings, each a row. record_defaults: for each column a dtype or a list with at most one entry, the value
        of an empty field; without one the field must be filled.
      field_delim: one character. use_quote_delim: whether double quotes enclose fields. na_value: counts as empty.
      select_cols: numbers of the columns wanted, rising.
    Raises:
      InvalidArgumentError: a row has another number of fields, or a field does not convert.
    """
    return _decoded(records, record_defaults, field_delim, use_quote_delim, na_value, select_cols, name)


@public(v1=("decode_csv", "io.decode_csv"))
def decode_csv_v1(
    records: Any,
    record_defaults: Any,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    name: str | None = None,
    na_value: str = "",
    select_cols: Any = None,
) -> list[Tensor]:
    """As `decode_csv`, in TensorFlow 1's order of arguments."""
    return _decoded(records, record_defaults, field_delim, use_quote_delim, na_value, select_cols, name)
