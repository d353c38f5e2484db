"""Words and numbers as categories: by a vocabulary, by a hash, or as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import DType, as_dtype, int64, string
from pullback.core.names import public
from pullback.data.features import VarLenFeature
from pullback.feature_column.columns import CategoricalColumn, Features, as_ids, check_same_kind, checked_kind
from pullback.modes.default import control_dependencies
from pullback.ops.array.conversion import identity
from pullback.ops.control.assertions import assert_greater_equal, assert_less
from pullback.ops.math import arithmetic as m
from pullback.ops.math.select import Select
from pullback.ops.sparse import SparseTensor
from pullback.ops.strings.hashing import StringToHashBucketFast
from pullback.ops.strings.numbers import as_string
from pullback.ops.strings.vocabulary import VocabularyIds


@dataclass(frozen=True)
class _OfOneFeature(CategoricalColumn):
    """Base: the categories of one feature's entries."""

    key: str

    @property
    def name(self) -> str:
        return self.key

    @property
    def kind(self) -> DType:
        """Of the feature."""
        raise NotImplementedError

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: VarLenFeature(self.kind)}

    def transform(self, features: Features) -> SparseTensor:
        entries = features.entries(self.key)
        check_same_kind(self, entries.dtype, self.kind)
        return entries.with_values(self.of(entries.values))

    def of(self, values: Any) -> Any:
        """Ids of values. [n] -> [n] int64"""
        raise NotImplementedError


@dataclass(frozen=True)
class HashedCategoricalColumn(_OfOneFeature):
    """See `categorical_column_with_hash_bucket`."""

    hash_bucket_size: int
    dtype: DType

    @property
    def kind(self) -> DType:
        return self.dtype

    @property
    def num_buckets(self) -> int:
        return self.hash_bucket_size

    def of(self, values: Any) -> Any:
        return StringToHashBucketFast(self.hash_bucket_size)(values if values.dtype is string else as_string(values))


@dataclass(frozen=True)
class IdentityCategoricalColumn(_OfOneFeature):
    """See `categorical_column_with_identity`."""

    number_buckets: int
    default_value: int | None

    @property
    def kind(self) -> DType:
        return int64

    @property
    def num_buckets(self) -> int:
        return self.number_buckets

    def of(self, values: Any) -> Any:
        ids = as_ids(values)
        least, count = interpreter.as_tensor(0, int64), interpreter.as_tensor(self.num_buckets, int64)
        if self.default_value is not None:
            inside = m.LogicalAnd()(m.GreaterEqual()(ids, least), m.Less()(ids, count))
            return Select()(inside, ids, ids - ids + self.default_value)
        told = f"column {self.key}: ids must be from 0 to num_buckets - 1 = {self.num_buckets - 1}"
        checks = [assert_greater_equal(ids, least, told), assert_less(ids, count, told)]
        with control_dependencies([check for check in checks if check is not None]):
            return identity(ids)


@dataclass(frozen=True)
class VocabularyListCategoricalColumn(_OfOneFeature):
    """See `categorical_column_with_vocabulary_list`."""

    vocabulary_list: tuple[Any, ...]
    dtype: DType
    default_value: int
    num_oov_buckets: int

    @property
    def kind(self) -> DType:
        return self.dtype

    @property
    def num_buckets(self) -> int:
        return len(self.vocabulary_list) + self.num_oov_buckets

    def of(self, values: Any) -> Any:
        return _looked_up(self.vocabulary_list, self, values)


@dataclass(frozen=True)
class VocabularyFileCategoricalColumn(_OfOneFeature):
    """See `categorical_column_with_vocabulary_file`."""

    vocabulary_file: str
    vocabulary_size: int
    num_oov_buckets: int
    default_value: int
    dtype: DType

    @property
    def kind(self) -> DType:
        return self.dtype

    @property
    def num_buckets(self) -> int:
        return self.vocabulary_size + self.num_oov_buckets

    def of(self, values: Any) -> Any:
        lines = _lines(self.vocabulary_file)
        if len(lines) < self.vocabulary_size:
            raise ValueError(
                f"column {self.key}: vocabulary_size is {self.vocabulary_size}, but {self.vocabulary_file} has only "
                f"{len(lines)} lines"
            )
        words: Any = lines[: self.vocabulary_size]
        return _looked_up(tuple(words if self.dtype is string else map(int, words)), self, values)


def _looked_up(vocabulary: tuple[Any, ...], column: Any, values: Any) -> Any:
    values = values if values.dtype is string else as_ids(values)
    return VocabularyIds(vocabulary, column.num_oov_buckets, column.default_value)(values)


def _lines(path: str) -> list[str]:
    """The lines of a file of words, their ends left out."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return [line.rstrip("\n").removesuffix("\r") for line in file]


@public("feature_column.categorical_column_with_hash_bucket")
def categorical_column_with_hash_bucket(
    key: str, hash_bucket_size: int, dtype: Any = string
) -> HashedCategoricalColumn:
    """Words or numbers by hash: FarmHash's fingerprint of the text, modulo hash_bucket_size (TensorFlow's buckets).

    Raises:
      ValueError: hash_bucket_size is below 1, or dtype is neither string nor integer.
    """
    if hash_bucket_size is None or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be at least 1. hash_bucket_size: {hash_bucket_size}, key: {key}")
    return HashedCategoricalColumn(key, int(hash_bucket_size), checked_kind(f"column_name: {key}", dtype))


@public("feature_column.categorical_column_with_identity")
def categorical_column_with_identity(
    key: str, num_buckets: int, default_value: int | None = None
) -> IdentityCategoricalColumn:
    """Integers from 0 to num_buckets - 1 as they are.

    default_value: stands for others; without it they are an error when run.
    Raises:
      ValueError: num_buckets is below 1, or default_value outside of it.
    """
    if num_buckets < 1:
        raise ValueError(f"num_buckets {num_buckets} < 1, column_name {key}")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise ValueError(f"default_value {default_value} not in range [0, {num_buckets}), column_name {key}")
    return IdentityCategoricalColumn(key, int(num_buckets), default_value)


@public("feature_column.categorical_column_with_vocabulary_list")
def categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Any, dtype: Any = None, default_value: int = -1, num_oov_buckets: int = 0
) -> VocabularyListCategoricalColumn:
    """Words or integers by their place in a list.

    Args:
      default_value: of what is not in it; -1 leaves it out. num_oov_buckets: how many buckets behind the list such
        values fall into by their hash, instead.
      dtype: by default string or int64, as the list holds.
    Raises:
      ValueError: the list is empty, holds a value twice or other than its dtype; or both defaults are said.
    """
    if vocabulary_list is None or len(vocabulary_list) < 1:
        raise ValueError(f"vocabulary_list {vocabulary_list} must be non-empty, column_name: {key}")
    words = [v.decode("utf-8", "surrogateescape") if isinstance(v, bytes) else v for v in vocabulary_list]
    held = string if all(isinstance(v, str) for v in words) else as_dtype(np.array(words).dtype)
    if len(set(words)) != len(words):
        raise ValueError(f"Duplicate keys in vocabulary_list: {vocabulary_list}, column_name: {key}")
    said = checked_kind(f"column {key}", held if dtype is None else dtype)
    if (checked_kind(f"column {key} vocabulary", held) is string) != (said is string):
        raise ValueError(f"dtype {said.name} and vocabulary dtype {held.name} do not match, column_name: {key}")
    _check_unknown(key, default_value, num_oov_buckets, len(words))
    plain = tuple(v if isinstance(v, str) else int(v) for v in words)
    return VocabularyListCategoricalColumn(key, plain, said, int(default_value), int(num_oov_buckets))


def _check_unknown(key: str, default_value: int, num_oov_buckets: int, size: int) -> None:
    if num_oov_buckets < 0:
        raise ValueError(f"Invalid num_oov_buckets {num_oov_buckets} in {key}: it must not be negative")
    if num_oov_buckets and default_value != -1:
        raise ValueError(f"Can't specify both num_oov_buckets and default_value in {key}.")
    if default_value >= size:
        raise ValueError(f"default_value {default_value} in {key} is no place in a vocabulary of {size}")


@public("feature_column.categorical_column_with_vocabulary_file", v1=None)
def categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: Any,
    vocabulary_size: int | None = None,
    dtype: Any = string,
    default_value: int | None = None,
    num_oov_buckets: int = 0,
    file_format: str | None = None,
) -> VocabularyFileCategoricalColumn:
    """Words or integers by the line they stand in. The file is read when the column is used.

    Args:
      vocabulary_size: how many of its lines count; all by default. default_value, num_oov_buckets: as of
        `categorical_column_with_vocabulary_list`.
      file_format: "text", one entry a line; the other one TensorFlow knows, "tfrecord_gzip", is not read.
    Raises:
      ValueError: the file has no lines, vocabulary_size is below 1, or both defaults are said.
    """
    if file_format not in (None, "text"):
        raise ValueError(
            f"column {key}: file_format must be None or 'text', not {file_format!r}: write one entry a line"
        )
    if not vocabulary_file:
        raise ValueError(f"Missing vocabulary_file in {key}.")
    path = str(vocabulary_file)
    size = len(_lines(path)) if vocabulary_size is None else int(vocabulary_size)
    if size < 1:
        raise ValueError(f"Invalid vocabulary_size in {key}: {vocabulary_file} must have at least one line")
    kind = checked_kind(f"column {key}", dtype)
    default = -1 if default_value is None else int(default_value)
    _check_unknown(key, default, num_oov_buckets, size)
    return VocabularyFileCategoricalColumn(key, path, size, int(num_oov_buckets), default, kind)


@public(v1="feature_column.categorical_column_with_vocabulary_file")
def categorical_column_with_vocabulary_file_v1(
    key: str,
    vocabulary_file: Any,
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: int | None = None,
    dtype: Any = string,
) -> VocabularyFileCategoricalColumn:
    """As `categorical_column_with_vocabulary_file`, in TensorFlow 1's order of arguments."""
    return categorical_column_with_vocabulary_file(
        key, vocabulary_file, vocabulary_size, dtype, default_value, num_oov_buckets
    )
