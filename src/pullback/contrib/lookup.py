"""`tf.contrib.lookup`: tables of words and their places, from lists and files."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.data.tables import (
    KeyValueTensorInitializer,
    StaticHashTable,
    StaticHashTableV1,
    StaticVocabularyTable,
    TextFileIndex,
    TextFileInitializer,
)

for _same in (KeyValueTensorInitializer, TextFileInitializer, TextFileIndex):
    contrib("lookup", _same.__name__)(_same)


@contrib("lookup", "HashTable")
class HashTable(StaticHashTableV1):
    """`tf.lookup.StaticHashTable`. shared_name: tables are told apart by themselves; must be None."""

    def __init__(self, initializer: Any, default_value: Any, shared_name: Any = None, name: str | None = None) -> None:
        if shared_name is not None:
            raise ValueError("HashTable: tables are not shared by name; leave shared_name out and pass the table on")
        super().__init__(initializer, default_value, name)

    @property
    def init(self) -> Any:
        return self.initializer


@contrib("lookup", "TextFileStringTableInitializer")
class TextFileStringTableInitializer(TextFileInitializer):
    """Line number -> word. Arguments as of `tf.lookup.TextFileInitializer`."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = TextFileIndex.LINE_NUMBER,
        value_column_index: int = TextFileIndex.WHOLE_LINE,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str = "text_file_string_table_init",
    ) -> None:
        super().__init__(
            filename, tf.int64, key_column_index, tf.string, value_column_index, vocab_size, delimiter, name
        )


@contrib("lookup", "TextFileIdTableInitializer")
class TextFileIdTableInitializer(TextFileInitializer):
    """Word -> line number. Arguments as of `tf.lookup.TextFileInitializer`."""

    def __init__(
        self,
        filename: Any,
        key_column_index: int = TextFileIndex.WHOLE_LINE,
        value_column_index: int = TextFileIndex.LINE_NUMBER,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str = "text_file_id_table_init",
        key_dtype: Any = tf.string,
    ) -> None:
        super().__init__(
            filename, key_dtype, key_column_index, tf.int64, value_column_index, vocab_size, delimiter, name
        )


def _ids(initializer: Any, num_oov_buckets: int, default_value: int, dtype: Any, name: str) -> Any:
    """A table of ids, with buckets for other words or a value for all of them.

    Raises:
      ValueError: num_oov_buckets is below 0, or both are asked for.
    """
    if num_oov_buckets < 0:
        raise ValueError(f"num_oov_buckets must be greater or equal than 0, got {num_oov_buckets}.")
    if not num_oov_buckets:
        return StaticHashTable(initializer, default_value, name)
    if default_value != -1:
        raise ValueError("give num_oov_buckets or default_value, not both")
    return StaticVocabularyTable(initializer, num_oov_buckets, dtype, name)


@contrib("lookup", "index_table_from_tensor")
def index_table_from_tensor(
    mapping: Any, num_oov_buckets: int = 0, default_value: int = -1, dtype: Any = tf.string, name: str | None = None
) -> Any:
    """Word -> its place in a list; other words in buckets behind, by FarmHash, or default_value.

    Raises:
      ValueError: there is no mapping, or both buckets and a default are asked for.
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    words = tf.convert_to_tensor(mapping)
    if words.dtype.is_integer:
        words = tf.cast(words, tf.int64)
    places = tf.cast(tf.range(tf.size(words)), tf.int64)
    made = KeyValueTensorInitializer(words, places, name="table_init")
    return _ids(made, num_oov_buckets, default_value, dtype, name or "string_to_index")


@contrib("lookup", "index_table_from_file")
def index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    key_dtype: Any = tf.string,
    name: str | None = None,
    key_column_index: int = TextFileIndex.WHOLE_LINE,
    value_column_index: int = TextFileIndex.LINE_NUMBER,
    delimiter: str = "\t",
) -> Any:
    """Word -> its line in a file; other words in buckets behind, by FarmHash, or default_value.

    Raises:
      ValueError: there is no file, or both buckets and a default are asked for.
    """
    if not isinstance(vocabulary_file, tf.Tensor) and not vocabulary_file:
        raise ValueError("vocabulary_file must be specified and must not be empty.")
    made = TextFileIdTableInitializer(
        vocabulary_file, key_column_index, value_column_index, vocab_size, delimiter, "table_init", key_dtype
    )
    return _ids(made, num_oov_buckets, default_value, key_dtype, name or "string_to_index")


@contrib("lookup", "index_to_string_table_from_tensor")
def index_to_string_table_from_tensor(mapping: Any, default_value: Any = "UNK", name: str | None = None) -> Any:
    """Place in a list -> word."""
    if mapping is None:
        raise ValueError("mapping must be specified.")
    words = tf.convert_to_tensor(mapping, tf.string)
    made = KeyValueTensorInitializer(tf.cast(tf.range(tf.size(words)), tf.int64), words, name="table_init")
    return StaticHashTable(made, default_value, name or "index_to_string")


@contrib("lookup", "index_to_string_table_from_file")
def index_to_string_table_from_file(
    vocabulary_file: Any,
    vocab_size: int | None = None,
    default_value: Any = "UNK",
    name: str | None = None,
    key_column_index: int = TextFileIndex.LINE_NUMBER,
    value_column_index: int = TextFileIndex.WHOLE_LINE,
    delimiter: str = "\t",
) -> Any:
    """Line in a file -> word."""
    if not isinstance(vocabulary_file, tf.Tensor) and not vocabulary_file:
        raise ValueError("vocabulary_file must be specified and must not be empty.")
    made = TextFileStringTableInitializer(
        vocabulary_file, key_column_index, value_column_index, vocab_size, delimiter, "table_init"
    )
    return StaticHashTable(made, default_value, name or "index_to_string")
