"""The ops of look-up tables. A table's rows live in the Store: each session has its own, filled once.

Keys and values are scalars, each of one type; words are bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.dtypes import DType
from pullback.core.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.store import PROCESS, Resource, Store

_HANDLE = Spec((), dtypes.resource)
# Columns of a text file that are none.
WHOLE_LINE, LINE_NUMBER = -2, -1
_filling = threading.Lock()


class TableResource(Resource):
    """A table's identity. What a Store holds for it is {key: value}, in the order in which keys came."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, _HANDLE)


def rows_of(store: Store, table: TableResource) -> dict[Any, Any]:
    """
    Raises:
      FailedPreconditionError: nobody has filled the table.
    """
    found = store.get(table)
    if found is None:
        raise FailedPreconditionError(
            f"Table not initialized: '{table.name}': run tf.tables_initializer() in this session first"
        )
    return found


def fill(store: Store, table: TableResource, keys: Any, values: Any) -> None:
    """Fills a table, unless it is filled.

    Raises:
      InvalidArgumentError: a key has two values.
    """
    rows: dict[Any, Any] = {}
    for key, value in zip(keys, values, strict=True):
        if rows.setdefault(key, value) != value:
            raise InvalidArgumentError(
                f"HashTable has different value for same key. Key {key} has {rows[key]} and trying to add value {value}"
            )
    with _filling:
        if store.get(table) is None:
            store.write(table, rows)


@op
class HashTableV2(Op):
    """A handle to a table."""

    signature = "-> table_handle: resource"
    untestable = "is a handle; tests/unit/test_tables.py runs it"
    resource: TableResource
    key_dtype: DType
    value_dtype: DType

    def infer(self) -> Spec:
        return _HANDLE

    def reference(self) -> Any:
        return self.resource

    def grad(self, node: Any, *dys: Any) -> Any:
        return ()

    def attrs(self) -> dict[str, Any]:
        return {
            "key_dtype": self.key_dtype,
            "value_dtype": self.value_dtype,
            "shared_name": self.resource.name.encode(),
            "container": b"",
            "use_node_name_sharing": False,
        }


class _OnTable(Op):
    """Base of the ops that take a handle first."""

    effect = True
    takes_store = True
    any_rank = True

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        table = TableResource("sample")
        fill(PROCESS, table, [3, 5], [0.5, 1.5])
        yield Sample(cls(*cls._fields()), (table, *cls._arguments()), ())

    @classmethod
    def _fields(cls) -> tuple[Any, ...]:
        return ()

    @classmethod
    def _arguments(cls) -> tuple[Any, ...]:
        return ()


@op
class LookupTableFindV2(_OnTable):
    """Values of keys, default_value [] where there is none: keys [...] -> values [...]"""

    signature = "table_handle: resource, keys: any, default_value: any -> values: any"

    def infer(self, handle: Spec, keys: Spec, default: Spec) -> Spec:
        return default.with_shape(keys.shape)

    def reference(self, store: Store, handle: Any, keys: Any, default: Any) -> Any:
        rows, keys, default = rows_of(store, handle), np.asarray(keys), np.asarray(default)
        other = default.item()
        found = np.empty(keys.shape, default.dtype)
        found.reshape(-1)[:] = [rows.get(key, other) for key in keys.reshape(-1).tolist()]
        return found

    @classmethod
    def _arguments(cls) -> tuple[Any, ...]:
        return np.array([5, 4, 3]), np.float64(-1)


@op
class InitializeTableV2(_OnTable):
    """Fills a table of keys and values [n]; a second time changes nothing."""

    signature = "table_handle: resource, keys: any, values: any ->"

    def infer(self, handle: Spec, keys: Spec, values: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, store: Store, handle: Any, keys: Any, values: Any) -> Any:
        if np.shape(keys) != np.shape(values) or np.ndim(keys) != 1:
            raise InvalidArgumentError(
                f"table '{handle.name}': keys and values must be vectors of one length, but have shapes "
                f"{np.shape(keys)} and {np.shape(values)}"
            )
        fill(store, handle, np.asarray(keys).tolist(), np.asarray(values).tolist())
        return ()

    @classmethod
    def _arguments(cls) -> tuple[Any, ...]:
        return np.array([7, 8]), np.array([0.5, 2.5])


@op
class InitializeTableFromTextFileV2(_OnTable):
    """Fills a table from the lines of a file, each parted at the delimiter.

    key_index, value_index: which part; WHOLE_LINE, or LINE_NUMBER (plus offset). vocab_size: how many lines are read,
    -1 for all.

    Raises:
      NotFoundError: there is no such file.
      InvalidArgumentError: it has fewer lines than vocab_size, a line is empty or has fewer parts, or a part is no
        number.
    """

    signature = "table_handle: resource, filename: string ->"
    untestable = "reads a file; tests/unit/test_tables.py runs it"
    key_dtype: DType
    value_dtype: DType
    key_index: int = WHOLE_LINE
    value_index: int = LINE_NUMBER
    vocab_size: int = -1
    delimiter: str = "\t"
    offset: int = 0

    def infer(self, handle: Spec, filename: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, store: Store, handle: Any, filename: Any) -> Any:
        name = np.asarray(filename).item().decode("utf-8", "surrogateescape")
        try:
            lines = [line.removesuffix(b"\r") for line in Path(name).read_bytes().removesuffix(b"\n").split(b"\n")]
        except OSError as e:
            raise NotFoundError(f"table '{handle.name}': {name}: {e.strerror}") from None
        if self.vocab_size >= 0:
            if len(lines) < self.vocab_size:
                raise InvalidArgumentError(
                    f"Invalid vocab_size in {name}: expected {self.vocab_size} but got {len(lines)} lines"
                )
            lines = lines[: self.vocab_size]
        if b"" in lines:
            raise InvalidArgumentError(f"Invalid content in {name}: line {lines.index(b'') + 1} is empty; leave it out")
        columns = [
            [self._part(name, n, line, index, kind) for n, line in enumerate(lines)]
            for index, kind in ((self.key_index, self.key_dtype), (self.value_index, self.value_dtype))
        ]
        fill(store, handle, *columns)
        return ()

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        return iter(())

    def _part(self, name: str, number: int, line: bytes, index: int, kind: DType) -> Any:
        if index == LINE_NUMBER:
            return number + self.offset
        if index == WHOLE_LINE:
            return line
        parts = line.split(self.delimiter.encode())
        try:
            part = parts[index]
            return part if kind is dtypes.string else np.array(part.decode(), kind.numpy).item()
        except (IndexError, ValueError):
            raise InvalidArgumentError(
                f"{name}: line {number + 1} has {len(parts)} columns, {parts[:5]}; column {index} must be {kind.name}"
            ) from None


@op
class LookupTableSizeV2(_OnTable):
    """How many rows a table has."""

    signature = "table_handle: resource -> size: int64"

    def infer(self, handle: Spec) -> Spec:
        return Spec((), dtypes.int64)

    def reference(self, store: Store, handle: Any) -> Any:
        return np.int64(len(rows_of(store, handle)))


@op
class LookupTableExportV2(_OnTable):
    """All keys [n] and values [n]."""

    signature = "table_handle: resource -> keys: any; values: any"
    key_dtype: DType
    value_dtype: DType

    def visible(self, results: int) -> int:
        return results

    def infer(self, handle: Spec) -> tuple[Spec, ...]:
        return Spec((None,), self.key_dtype), Spec((None,), self.value_dtype)

    def reference(self, store: Store, handle: Any) -> Any:
        rows = rows_of(store, handle)
        return np.array(list(rows), self.key_dtype.numpy), np.array(list(rows.values()), self.value_dtype.numpy)

    @classmethod
    def _fields(cls) -> tuple[Any, ...]:
        return dtypes.int64, dtypes.float64
