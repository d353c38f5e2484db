"""`tf.lookup`: tables from keys to values, filled once."""

from __future__ import annotations

import contextlib
from typing import Any, cast

from pullback.core import dtypes, interpreter
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.data import table_ops as ops
from pullback.data.table_ops import TableResource
from pullback.modes.default import GraphKeys, building, init_scope
from pullback.modes.sparse import SameInstances
from pullback.ops.math.arithmetic import NotEqual
from pullback.ops.math.select import Cast, Select
from pullback.ops.ragged import RaggedTensor
from pullback.ops.sparse import SparseTensor
from pullback.ops.strings.hashing import StringToHashBucketFast
from pullback.ops.strings.numbers import as_string


@public("lookup.TextFileIndex")
class TextFileIndex:
    """Columns of a text file that are none: the whole line, and its number from 0."""

    WHOLE_LINE = ops.WHOLE_LINE
    LINE_NUMBER = ops.LINE_NUMBER


class TableInitializer:
    """What fills a table: key_dtype, value_dtype, and `initialize(table)`."""

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype, self._value_dtype = as_dtype(key_dtype), as_dtype(value_dtype)

    @property
    def key_dtype(self) -> Any:
        return self._key_dtype

    @property
    def value_dtype(self) -> Any:
        return self._value_dtype

    def initialize(self, table: Any) -> Any:
        """Fills a table; in a session's graph an operation that does, of the collection TABLE_INITIALIZERS."""
        filled = self._filled(table.resource_handle)
        if isinstance(interpreter.current(), Graph):
            cast(Graph, interpreter.current()).add_to_collection(GraphKeys.TABLE_INITIALIZERS, filled)
        return filled

    def _filled(self, handle: Tensor) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say how a table is filled")


@public("lookup.KeyValueTensorInitializer")
class KeyValueTensorInitializer(TableInitializer):
    """Fills a table of keys [n] and values [n].

    Raises:
      ValueError: they are no vectors of one length.
    """

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: str | None = None
    ) -> None:
        self._keys = interpreter.as_tensor(keys, key_dtype, "keys")
        self._values = interpreter.as_tensor(values, value_dtype, "values")
        if self._keys.spec.rank not in (None, 1) or not self._keys.shape.is_compatible_with(self._values.shape):
            raise ArgumentError(
                f"KeyValueTensorInitializer: keys and values must be vectors of one length, but have shapes "
                f"{self._keys.shape} and {self._values.shape}"
            ).locate()
        self._name = name or "key_value_init"
        super().__init__(self._keys.dtype, self._values.dtype)

    def _filled(self, handle: Tensor) -> Any:
        return ops.InitializeTableV2()(handle, self._keys, self._values, name=self._name)


@public("lookup.TextFileInitializer")
class TextFileInitializer(TableInitializer):
    """Fills a table from the lines of a text file.

    Args:
      filename: a path, or a scalar tensor of one.
      key_index, value_index: which column: a number from 0, or TextFileIndex.WHOLE_LINE (words) or LINE_NUMBER (int64).
      vocab_size: how many lines are read; all by default. delimiter: between columns.
      value_index_offset: added to line numbers.
    Raises:
      ValueError: an index is below -2, or its column cannot be of the type.
    """

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
        value_index_offset: int = 0,
    ) -> None:
        super().__init__(key_dtype, value_dtype)
        for what, index, kind in (("key", key_index, self._key_dtype), ("value", value_index, self._value_dtype)):
            _check_column(what, index, kind)
        if vocab_size is not None and vocab_size < 1:
            raise ArgumentError(f"Invalid vocab_size {vocab_size}, must be at least 1").locate()
        self._filename, self._name = filename, name or "text_file_init"
        self._reads = ops.InitializeTableFromTextFileV2(
            self._key_dtype, self._value_dtype, key_index, value_index, vocab_size or -1, delimiter, value_index_offset
        )

    def _filled(self, handle: Tensor) -> Any:
        filename = interpreter.as_tensor(self._filename, dtypes.string, "asset_filepath")
        if isinstance(interpreter.current(), Graph):
            cast(Graph, interpreter.current()).add_to_collection(GraphKeys.ASSET_FILEPATHS, filename)
        return self._reads(handle, filename, name=self._name)


def _check_column(what: str, index: int, kind: Any) -> None:
    """
    Raises:
      ValueError: there is no such column, or it is not of the type.
    """
    if index < ops.WHOLE_LINE:
        raise ArgumentError(f"Invalid {what} index {index}.").locate()
    if index == ops.LINE_NUMBER and kind is not dtypes.int64:
        raise ArgumentError(
            f"Signature mismatch. {what}s that are line numbers must be int64, got {kind.name}."
        ).locate()
    if index == ops.WHOLE_LINE and kind is not dtypes.string:
        raise ArgumentError(
            f"Signature mismatch. {what}s that are whole lines must be string, got {kind.name}."
        ).locate()


class _Table:
    """What tables share: keys of any shape, sparse or ragged ones too."""

    _key_dtype: Any

    @property
    def key_dtype(self) -> Any:
        return self._key_dtype

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of keys, in their shape: a tensor, a SparseTensor or a RaggedTensor, as the keys are.

        Raises:
          TypeError: the keys are not of the table's type.
          FailedPreconditionError: the table is not initialised in this session.
        """
        if isinstance(keys, SparseTensor):
            return SparseTensor(keys.indices, self.lookup(keys.values, name), keys.dense_shape)
        if isinstance(keys, RaggedTensor):
            return keys.with_flat_values(self.lookup(keys.flat_values, name))
        given = interpreter.as_tensor(keys, None if isinstance(keys, Tensor) else self._key_dtype, "keys")
        if given.dtype is not self._key_dtype:
            raise TypeError(f"Dtype of argument `keys` must be {self._key_dtype.name}, received: {given.dtype.name}")
        return self._found(given, name)

    def __getitem__(self, keys: Any) -> Any:
        return self.lookup(keys)

    def _found(self, keys: Tensor, name: str | None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say how keys are found")


@public("lookup.StaticHashTable", v1=None)
class StaticHashTable(_Table):
    """A table that is filled once, and does not change.

    Args:
      initializer: what fills it. default_value: of keys that it has not.
      experimental_is_anonymous: tables are told apart by themselves, not by their name; they always are.
    Eager: filled when it is made. In a session's graph: by `tables_initializer` (or `table.initializer`).
    """

    def __init__(
        self, initializer: Any, default_value: Any, name: str | None = None, experimental_is_anonymous: bool = False
    ) -> None:
        self._key_dtype, self._value_dtype = initializer.key_dtype, initializer.value_dtype
        self._name = name or "hash_table"
        make = ops.HashTableV2(TableResource(self._name), self._key_dtype, self._value_dtype)
        with init_scope():
            self._handle = make(name=self._name)
            self._default_value = interpreter.as_tensor(default_value, self._value_dtype, "default_value")
            self._init_op = initializer.initialize(self)
        if self._default_value.spec.rank not in (None, 0):
            raise ArgumentError(
                f"{self._name}: default_value must be a scalar, not {self._default_value.shape}"
            ).locate()

    @property
    def resource_handle(self) -> Tensor:
        return self._handle

    @property
    def value_dtype(self) -> Any:
        return self._value_dtype

    @property
    def default_value(self) -> Tensor:
        return self._default_value

    @property
    def name(self) -> str:
        return self._name

    @property
    def initializer(self) -> Any:
        """The operation that fills the table."""
        return self._init_op

    def _building(self) -> Any:
        """Where the table's operations go: its own graph where no other is current."""
        if isinstance(interpreter.current(), Graph) or not hasattr(self._handle, "node"):
            return contextlib.nullcontext()
        return self._handle.graph.as_default()

    def _found(self, keys: Tensor, name: str | None) -> Any:
        with self._building():
            made = ops.LookupTableFindV2()(
                self._handle, keys, self._default_value, name=name or f"{self._name}_Lookup/LookupTableFindV2"
            )
            return cast(Tensor, made)

    def size(self, name: str | None = None) -> Any:
        """How many keys the table has: int64 []."""
        with self._building():
            return ops.LookupTableSizeV2()(self._handle, name=name or f"{self._name}_Size/LookupTableSizeV2")

    def export(self, name: str | None = None) -> Any:
        """(keys [n], values [n])"""
        take = ops.LookupTableExportV2(self._key_dtype, self._value_dtype)
        with self._building():
            return take(self._handle, name=name or f"{self._name}_export_values")


@public("lookup.StaticVocabularyTable", v1=None)
class StaticVocabularyTable(_Table):
    """Ids of words: what a table has, and behind its ids so many buckets for other words, by the hash of their text.

    Args:
      initializer: fills the table, with int64 values; None: there are only buckets.
      num_oov_buckets: how many; at least 1.
      lookup_key_dtype: of the keys; by default the initializer's. Whole numbers may be looked up as int64.
      experimental_is_anonymous: as of StaticHashTable.
    Raises:
      ValueError: num_oov_buckets is below 1. TypeError: a type does not fit.
    """

    def __init__(
        self,
        initializer: Any,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: str | None = None,
        experimental_is_anonymous: bool = False,
    ) -> None:
        if num_oov_buckets <= 0:
            raise ArgumentError("oov_buckets must be > 0.").locate()
        kind: Any = None if initializer is None else initializer.key_dtype
        self._key_dtype = as_dtype(lookup_key_dtype or kind or dtypes.string)
        if initializer is not None:
            if initializer.value_dtype is not dtypes.int64:
                raise TypeError(f"Invalid `value_dtype`, expected {dtypes.int64}, received {initializer.value_dtype}.")
            if kind.is_integer != self._key_dtype.is_integer:
                raise TypeError(f"Invalid `key_dtype`, expected {self._key_dtype.name} or alike, received {kind.name}.")
        elif self._key_dtype not in (dtypes.string, dtypes.int64):
            raise TypeError("Invalid `lookup_key_dtype`. Expected either string or int64")
        self._buckets, self._name = num_oov_buckets, name or "hash_bucket"
        self._table = None if initializer is None else StaticHashTable(initializer, -1, self._name)

    @property
    def resource_handle(self) -> Any:
        return None if self._table is None else self._table.resource_handle

    @property
    def initializer(self) -> Any:
        """The operation that fills the table; None where there is none."""
        return None if self._table is None else self._table.initializer

    @property
    def value_dtype(self) -> Any:
        return dtypes.int64

    @property
    def name(self) -> str:
        return self._name

    def size(self, name: str | None = None) -> Any:
        """How many ids there are: int64 []."""
        if self._table is None:
            return interpreter.as_tensor(self._buckets, dtypes.int64)
        return self._table.size(name) + self._buckets

    def _found(self, keys: Tensor, name: str | None) -> Any:
        text = keys if keys.dtype is dtypes.string else as_string(keys)
        bucket = StringToHashBucketFast(self._buckets)(text)
        if self._table is None:
            return bucket
        known = keys if keys.dtype is self._table.key_dtype else Cast(self._table.key_dtype)(keys)
        ids = self._table.lookup(known, name)
        return Select()(NotEqual()(ids, -1), ids, bucket + self._table.size())


@public(v1="lookup.StaticHashTable")
class StaticHashTableV1(StaticHashTable, metaclass=SameInstances):
    """A StaticHashTable of the default graph."""

    def __init__(
        self, initializer: Any, default_value: Any, name: str | None = None, experimental_is_anonymous: bool = False
    ) -> None:
        with building():
            super().__init__(initializer, default_value, name, experimental_is_anonymous)


@public(v1="lookup.StaticVocabularyTable")
class StaticVocabularyTableV1(StaticVocabularyTable, metaclass=SameInstances):
    """A StaticVocabularyTable of the default graph."""

    def __init__(
        self,
        initializer: Any,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: str | None = None,
        experimental_is_anonymous: bool = False,
    ) -> None:
        with building():
            super().__init__(initializer, num_oov_buckets, lookup_key_dtype, name, experimental_is_anonymous)
