"""`tf.lookup`, eagerly, in functions, in sessions, from files; and `tf.contrib.lookup`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf2
import pullback.v1 as tf

lookup, contrib = tf2.lookup, tf.contrib.lookup


def numbers(default: float = -1.0) -> Any:
    return lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a", "b"], [1.0, 2.0]), default)


class TestEager:
    def test_keys_of_any_shape_find_their_values(self) -> None:
        table = numbers()
        assert table.lookup(tf2.constant([["b", "x"], ["a", "b"]])).numpy().tolist() == [[2, -1], [1, 2]]
        assert table["a"].numpy() == 1 and table.size().numpy() == 2
        assert table.lookup(tf2.constant([], tf2.string)).shape == (0,)
        keys, values = table.export()
        assert keys.numpy().tolist() == [b"a", b"b"] and values.numpy().tolist() == [1, 2]

    def test_sparse_and_ragged_keys_keep_their_structure(self) -> None:
        table = numbers()
        sparse = table.lookup(tf2.SparseTensor([[0, 1], [1, 0]], ["b", "z"], [2, 2]))
        assert sparse.values.numpy().tolist() == [2, -1] and sparse.dense_shape.numpy().tolist() == [2, 2]
        ragged = table.lookup(tf2.ragged.constant([["a"], [], ["b", "z"]]))
        assert ragged.to_list() == [[1.0], [], [2.0, -1.0]]

    def test_in_functions_and_data_sets(self) -> None:
        table = numbers()

        @tf2.function
        def found(x: Any) -> Any:
            return table.lookup(x) * 10

        assert found(tf2.constant(["b", "q"])).numpy().tolist() == [20, -10]
        data = tf2.data.Dataset.from_tensor_slices(["a", "b"]).map(table.lookup)
        assert [x.numpy() for x in data] == [1, 2]

    def test_words_outside_a_vocabulary_fall_into_buckets(self) -> None:
        init = lookup.KeyValueTensorInitializer(["emerson", "lake"], tf2.constant([0, 1], tf2.int64))
        table = lookup.StaticVocabularyTable(init, 3)
        ids = table.lookup(tf2.constant(["lake", "palmer", "king", "palmer"])).numpy()
        assert ids[0] == 1 and ids[1] == ids[3] and all(2 <= i < 5 for i in ids[1:])
        assert table.size().numpy() == 5
        buckets = tf2.strings.to_hash_bucket_fast(["palmer", "king"], 3).numpy() + 2
        assert ids[1:3].tolist() == buckets.tolist()
        only = lookup.StaticVocabularyTable(None, 4, lookup_key_dtype=tf2.int64)
        assert only[tf2.constant([7], tf2.int64)].numpy() == tf2.strings.to_hash_bucket_fast(["7"], 4).numpy()
        small = lookup.KeyValueTensorInitializer(tf2.constant([5, 9]), tf2.constant([0, 1], tf2.int64))
        wide = lookup.StaticVocabularyTable(small, 1, lookup_key_dtype=tf2.int64)
        assert wide[tf2.constant([9, 3], tf2.int64)].numpy().tolist() == [1, 2]

    def test_mistakes(self) -> None:
        with pytest.raises(TypeError, match="must be string, received: int32"):
            numbers().lookup(tf2.constant([1]))
        with pytest.raises(tf2.errors.InvalidArgumentError, match="different value for same key"):
            lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), 0)
        with pytest.raises(ValueError, match="vectors of one length"):
            lookup.KeyValueTensorInitializer(["a", "b"], [1])
        with pytest.raises(ValueError, match="oov_buckets must be > 0"):
            lookup.StaticVocabularyTable(None, 0)
        with pytest.raises(ValueError, match="must be a scalar"):
            lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a"], [1]), [0])
        with pytest.raises(TypeError, match="Invalid `value_dtype`"):
            lookup.StaticVocabularyTable(lookup.KeyValueTensorInitializer(["a"], [1.0]), 1)


class TestFiles:
    @pytest.fixture
    def words(self, tmp_path: Path) -> str:
        path = tmp_path / "words.txt"
        path.write_text("emerson\t10\nlake\t20\npalmer\t30\n")
        return str(path)

    def test_columns(self, words: str) -> None:
        init = lookup.TextFileInitializer(words, tf2.string, 0, tf2.int64, 1)
        assert lookup.StaticHashTable(init, -1)[tf2.constant(["palmer", "lake", "x"])].numpy().tolist() == [30, 20, -1]
        index = lookup.TextFileIndex
        lines = lookup.TextFileInitializer(
            words, tf2.int64, index.LINE_NUMBER, tf2.string, index.WHOLE_LINE, vocab_size=2
        )
        table = lookup.StaticHashTable(lines, "?")
        assert table[tf2.constant([1, 2], tf2.int64)].numpy().tolist() == [b"lake\t20", b"?"]
        shifted = lookup.TextFileInitializer(words, tf2.string, 0, tf2.int64, index.LINE_NUMBER, value_index_offset=5)
        assert lookup.StaticHashTable(shifted, -1)["lake"].numpy() == 6

    def test_mistakes(self, words: str) -> None:
        def table(*args: Any, **options: Any) -> Any:
            return lookup.StaticHashTable(lookup.TextFileInitializer(*args, **options), -1)

        with pytest.raises(tf2.errors.NotFoundError, match="No such file"):
            table(words + "x", tf2.string, 0, tf2.int64, 1)
        with pytest.raises(tf2.errors.InvalidArgumentError, match=r"line 1 has 2 columns.*column 2 must be int64"):
            table(words, tf2.string, 0, tf2.int64, 2)
        with pytest.raises(tf2.errors.InvalidArgumentError, match="column 0 must be int64"):
            table(words, tf2.string, 1, tf2.int64, 0)
        with pytest.raises(tf2.errors.InvalidArgumentError, match="expected 9 but got 3 lines"):
            table(words, tf2.string, 0, tf2.int64, 1, vocab_size=9)
        with pytest.raises(ValueError, match="whole lines must be string"):
            table(words, tf2.int64, -2, tf2.int64, 1)
        with pytest.raises(ValueError, match="line numbers must be int64"):
            table(words, tf2.string, 0, tf2.int32, -1)
        with pytest.raises(ValueError, match="Invalid value index -3"):
            table(words, tf2.string, 0, tf2.int64, -3)


class TestSessions:
    def test_each_session_fills_its_own(self) -> None:
        with tf.Graph().as_default():
            words = tf.placeholder(tf.string, [None])
            table = contrib.index_table_from_tensor(["a", "b"], num_oov_buckets=2)
            ids, back = table.lookup(words), contrib.index_to_string_table_from_tensor(["a", "b"])
            again = back.lookup(ids)
            assert len(tf.get_collection(tf.GraphKeys.TABLE_INITIALIZERS)) == 2
            init = tf.tables_initializer()
            with tf.Session() as session:
                with pytest.raises(tf.errors.FailedPreconditionError, match="Table not initialized: 'string_to_index'"):
                    session.run(ids, {words: ["a"]})
                session.run(init)
                session.run(init)
                found, text = session.run([ids, again], {words: ["b", "zz"]})
                assert found[0] == 1 and found[1] in (2, 3) and text.tolist() == [b"b", b"UNK"]
            with tf.Session() as session, pytest.raises(tf.errors.FailedPreconditionError):
                session.run(ids, {words: ["a"]})

    def test_of_files(self, tmp_path: Path) -> None:
        path = tmp_path / "v.txt"
        path.write_text("x\ny\n")
        with tf.Graph().as_default():
            there = contrib.index_table_from_file(str(path), default_value=7)
            back = contrib.index_to_string_table_from_file(str(path), vocab_size=1)
            fetches = there.lookup(tf.constant(["y", "q"])), back.lookup(tf.constant([0, 1], tf.int64)), there.size()
            assert len(tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)) == 2
            with tf.Session() as session:
                session.run(tf.tables_initializer())
                ids, words, size = session.run(fetches)
        assert ids.tolist() == [1, 7] and words.tolist() == [b"x", b"UNK"] and size == 2
        with pytest.raises(ValueError, match="not both"):
            contrib.index_table_from_tensor(["a"], 1, 5)

    def test_hash_table_of_contrib(self) -> None:
        with tf.Graph().as_default(), tf.Session() as session:
            init = contrib.KeyValueTensorInitializer(np.array([3, 4]), np.array([5.0, 6.0]))
            table = contrib.HashTable(init, 0.0)
            found = table.lookup(tf.constant([4, 9], tf.int64))
            table.init.run()
            assert session.run(found).tolist() == [6, 0]


def test_only_line_ends_part_the_lines_of_a_file(tmp_path: Path) -> None:
    def read(data: bytes) -> Any:
        path = tmp_path / "words.txt"
        path.write_bytes(data)
        reads = lookup.TextFileInitializer(str(path), tf2.string, -2, tf2.int64, -1)
        return lookup.StaticHashTable(reads, -1)

    words, places = read(b"a\rb\nc\r\n\xc2\x85d").export()
    assert dict(zip(words.numpy(), places.numpy().tolist(), strict=True)) == {b"a\rb": 0, b"c": 1, b"\xc2\x85d": 2}
    with pytest.raises(tf2.errors.InvalidArgumentError, match="line 2 is empty"):
        read(b"a\n\nb\n")
