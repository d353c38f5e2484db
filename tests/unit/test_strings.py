"""Strings, rows of different lengths, and sets. What is expected is what TensorFlow 2.21 gave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1

s = tf.strings


def plain(x: Any) -> Any:
    """A tensor's, sparse tensor's or ragged tensor's content as Python's."""
    if hasattr(x, "to_list"):
        return x.to_list()
    if hasattr(x, "indices"):
        return plain(x.indices), plain(x.values), plain(x.dense_shape)
    value = x.numpy() if hasattr(x, "numpy") else x
    return value.tolist() if hasattr(value, "tolist") else value


class TestStrings:
    @pytest.mark.parametrize(
        ("made", "wanted"),
        [
            (lambda: s.lower("ABC Ä"), "abc Ä".encode()),
            (lambda: s.upper("abcä", encoding="utf-8"), "ABCÄ".encode()),
            (lambda: s.strip(" x "), b"x"),  # noqa: B005 - not str.strip
            (lambda: s.length(["abc", "ä"]), [3, 2]),
            (lambda: s.length(["abc", "ä"], unit="UTF8_CHAR"), [3, 1]),
            (lambda: s.substr(["abc", "def"], 1, 2), [b"bc", b"ef"]),
            (lambda: s.substr("abcdef", -3, 2), b"de"),
            (lambda: s.regex_replace("abcab", "(a)b", r"<\1\0>"), b"<aab>c<aab>"),
            (lambda: s.regex_replace("aa", "a", "b", replace_global=False), b"ba"),
            (lambda: s.regex_full_match(["ab", "abc"], "ab"), [True, False]),
            (lambda: s.to_number(["1.5", "-3"]), [1.5, -3.0]),
            (lambda: s.to_number("12", tf.int64), 12),
            (lambda: s.as_string([1.5, 2.0]), [b"1.500000", b"2.000000"]),
            (lambda: s.as_string([1, 22], width=4, fill="0"), [b"0001", b"0022"]),
            (lambda: tf.as_string(3.14159, precision=2), b"3.14"),
            (lambda: s.as_string(1e-7, shortest=True), b"1e-07"),
            (lambda: s.as_string(True), b"true"),
            (lambda: s.join(["a", ["b", "c"]], separator="-"), [b"a-b", b"a-c"]),
            (lambda: s.reduce_join([["a", "b"], ["c", "d"]]), b"abcd"),
            (lambda: s.reduce_join([["a", "b"], ["c", "d"]], axis=0, separator=","), [b"a,c", b"b,d"]),
            (lambda: s.reduce_join([["a", "b"], ["c", "d"]], axis=[1, 0]), b"abcd"),
            (lambda: s.reduce_join([["a", "b"], ["c", "d"]], axis=[0, 1]), b"acbd"),
            (lambda: s.reduce_join([[["a", "b"]], [["c", "d"]]], axis=[-1, 0]), [b"abcd"]),
            (lambda: s.join([]), b""),
            (lambda: s.regex_replace("aä", ".", "x"), b"xx"),
            (lambda: s.regex_full_match(["ä", "1", "١"], "[^a]"), [True, True, True]),
            (lambda: s.regex_full_match(["1", "١"], r"\d"), [True, False]),
            (lambda: s.regex_replace(b"\xffa", "a", "b"), b"\xffb"),
            (lambda: s.reduce_join([["a", "b"], ["c", "d"]], axis=1, keepdims=True), [[b"ab"], [b"cd"]]),
            (lambda: s.split("a,b,,c", ","), [b"a", b"b", b"", b"c"]),
            (lambda: s.split(["a b", "c  d e", ""]), [[b"a", b"b"], [b"c", b"d", b"e"], []]),
            (lambda: s.unicode_decode("aä€", "UTF-8"), [97, 228, 8364]),
            (lambda: s.unicode_decode(["ab", b"\xffc"], "UTF-8"), [[97, 98], [65533, 99]]),
            (lambda: s.unicode_encode([97, 228], "UTF-8"), "aä".encode()),
            (lambda: s.unicode_encode([[97, 98], [99, 100]], "UTF-16-BE"), [b"\0a\0b", b"\0c\0d"]),
            (lambda: s.unicode_split(["aä", "b"], "UTF-8"), [[b"a", "ä".encode()], [b"b"]]),
            (lambda: s.unicode_transcode("aä", "UTF-8", "UTF-16-BE"), b"\0a\0\xe4"),
            (lambda: tf.io.decode_base64(tf.io.encode_base64(["ab?", ""])), [b"ab?", b""]),
        ],
    )
    def test_values(self, made: Any, wanted: Any) -> None:
        assert plain(made()) == wanted

    def test_mistakes(self) -> None:
        with pytest.raises(tf.errors.InvalidArgumentError, match="could not correctly convert string: one"):
            s.to_number("one")
        with pytest.raises(tf.errors.InvalidArgumentError, match="out of range"):
            s.substr("abc", 4, 1)
        with pytest.raises(ValueError, match="must have one shape"):
            s.join([["a", "b"], ["c"]])
        with pytest.raises(tf.errors.InvalidArgumentError, match="the rewrite does not fit the pattern"):
            s.regex_replace("abc", "(b)", r"\5")
        with pytest.raises(tf.errors.InvalidArgumentError, match="no web-safe base64"):
            tf.io.decode_base64("a+/b")
        with pytest.raises(ValueError, match="for numbers with a fraction, not int32"):
            s.as_string(1, precision=2)
        with pytest.raises(ValueError, match="must be a scalar or vector"):
            s.split([["a"]])

    def test_graphs(self) -> None:
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf.string, [None])
            split, coarse = session.run([tf1.string_split(x), tf1.string_split(x, " b")], {x: ["a b", "c  d"]})
            assert split.values.tolist() == [b"a", b"b", b"c", b"d"] and split.dense_shape.tolist() == [2, 2]
            assert coarse.values.tolist() == [b"a", b"c", b"d"]
            dense = tf1.strings.split(x, result_type="RaggedTensor").to_tensor("-")
            assert session.run(dense, {x: ["a b", "c"]}).tolist() == [[b"a", b"b"], [b"c", b"-"]]
            assert session.run(tf1.substr(x, 0, 1), {x: ["xy"]}).tolist() == [b"x"]
            assert session.run(tf1.string_to_number(x), {x: ["2.5"]}).tolist() == [2.5]
            assert session.run(tf1.strings.length(x), {x: ["abc"]}).tolist() == [3]
            assert session.run(tf1.reduce_join([["a", "b"]], 1)).tolist() == [b"ab"]
            assert session.run(tf1.regex_replace(x, "a", "b"), {x: ["aa"]}).tolist() == [b"bb"]
            assert session.run(tf1.string_join(["a", "b"])) == b"ab"


class TestRagged:
    rows = [[3, 1], [], [4, 5, 6]]

    def test_parts(self) -> None:
        r = tf.ragged.constant(self.rows)
        assert plain(r) == self.rows and plain(r.row_splits) == [0, 2, 2, 5]
        assert plain(r.row_lengths()) == [2, 0, 3] and plain(r.value_rowids()) == [0, 0, 2, 2, 2]
        assert plain(r.row_starts()) == [0, 2, 2] and plain(r.row_limits()) == [2, 2, 5]
        assert plain(r.bounding_shape()) == [3, 3] and plain(r.nrows()) == 3 and r.ragged_rank == 1
        assert r.shape.as_list() == [3, None] and r.dtype is tf.int32
        assert repr(r) == "<tf.RaggedTensor [[3, 1], [], [4, 5, 6]]>"

    def test_slices(self) -> None:
        r = tf.ragged.constant(self.rows)
        assert plain(r[0]) == [3, 1] and plain(r[1:]) == [[], [4, 5, 6]] and plain(r[:, :2]) == [[3, 1], [], [4, 5]]
        assert [plain(row) for row in r] == self.rows and len(r) == 3 and plain(r[2, 1]) == 5

    def test_places_from_the_end(self) -> None:
        r = tf.ragged.constant(self.rows)
        assert plain(r[-1]) == [4, 5, 6] and plain(r[-2]) == [] and plain(r[-3, 0]) == 3
        assert plain(r[:, 1:]) == [[1], [], [5, 6]] and plain(r[:, -1:]) == [[1], [], [6]]
        assert plain(r[:, :-1]) == [[3], [], [4, 5]] and plain(r[:, 2:1]) == [[], [], []]
        with pytest.raises(ValueError, match="index 3 of dimension 0 out of bounds"):
            r[3]

    def test_rows_without_values(self) -> None:
        r = tf.ragged.constant([[], []], dtype=tf.int32)
        assert r.to_tensor().shape == (2, 0) and plain(r.value_rowids()) == []
        assert plain(tf.ragged.constant([], ragged_rank=1, dtype=tf.int32)) == []

    def test_in_graphs(self) -> None:
        made = tf1.RaggedTensor
        with tf1.Graph().as_default():
            x = tf1.placeholder(tf.int32, [None])
            of_lists = made.from_row_splits([1, 2, 3], [0, 1, 3])
            fed = made.from_row_lengths([1, 2, 3], x)
            assert isinstance(of_lists, made) and isinstance(tf.ragged.constant([[1]]), made)
        with tf1.Session(graph=x.graph) as session:
            assert session.run(of_lists.to_tensor()).tolist() == [[1, 0], [2, 3]]
            assert session.run([of_lists.nrows(), of_lists[-1]])[1].tolist() == [2, 3]
            assert session.run(fed[:, :1].to_tensor(), {x: [2, 0, 1]}).tolist() == [[1], [0], [3]]
            with pytest.raises(tf.errors.InvalidArgumentError, match="row_splits must begin at 0, never fall"):
                session.run(fed.to_tensor(), {x: [4, -1]})

    def test_made_of_parts(self) -> None:
        made = tf.RaggedTensor
        assert plain(made.from_row_lengths([1, 2, 3], [1, 0, 2])) == [[1], [], [2, 3]]
        assert plain(made.from_value_rowids([1, 2, 3], [0, 0, 2], nrows=5)) == [[1, 2], [], [3], [], []]
        assert plain(made.from_row_starts([1, 2, 3], [0, 1])) == [[1], [2, 3]]
        assert plain(made.from_row_limits([1, 2, 3], [1, 3])) == [[1], [2, 3]]
        assert plain(made.from_tensor([[1, 2, 0], [3, 0, 0]], padding=0)) == [[1, 2], [3]]
        assert plain(made.from_tensor([[1, 2, 0], [3, 0, 0]], lengths=[2, 3])) == [[1, 2], [3, 0, 0]]
        assert plain(made.from_row_splits([1, 2], [0, 1, 2])) == [[1], [2]]

    def test_made_into(self) -> None:
        r = tf.ragged.constant(self.rows)
        assert plain(r.to_tensor()) == [[3, 1, 0], [0, 0, 0], [4, 5, 6]]
        assert plain(r.to_tensor(-1, shape=[None, 2])) == [[3, 1], [-1, -1], [4, 5]]
        assert plain(r.to_sparse().indices) == [[0, 0], [0, 1], [2, 0], [2, 1], [2, 2]]
        assert plain(tf.ragged.map_flat_values(tf.square, r)) == [[9, 1], [], [16, 25, 36]]
        n = tf.ragged.constant([[[1], [2, 3]], [], [[4]]])
        assert plain(n.to_tensor()) == [[[1, 0], [2, 3]], [[0, 0], [0, 0]], [[4, 0], [0, 0]]]

    def test_in_functions(self) -> None:
        doubled = tf.function(lambda r: r.with_values(r.values * 2))(tf.ragged.constant(self.rows))
        assert plain(doubled) == [[6, 2], [], [8, 10, 12]]

    def test_mistakes(self) -> None:
        with pytest.raises(ValueError, match="constructor is private"):
            tf.RaggedTensor([1], [0, 1])
        with pytest.raises(ValueError, match="must begin at 0"):
            tf.RaggedTensor.from_row_splits([1, 2], [0, 3])
        with pytest.raises(ValueError, match="same nesting depth"):
            tf.ragged.constant([[1], 2])
        with pytest.raises(ValueError, match="have no ragged_rank 5"):
            tf.ragged.constant([[1]], ragged_rank=5)
        with pytest.raises(ValueError, match="value_rowids must not fall"):
            tf.RaggedTensor.from_value_rowids([1, 2, 3], [2, 0, 0])
        with pytest.raises(ValueError, match="rank 2 or more"):
            tf.RaggedTensor.from_tensor([1, 2])
        with pytest.raises(ValueError, match=r"must be 0, 1, 2, .*but are \[1\]"):
            tf.RaggedTensor.from_sparse(tf.SparseTensor([[0, 1]], [1], [3, 2]))
        with tf1.Graph().as_default(), pytest.raises(ValueError, match="must begin at 0"):
            tf1.RaggedTensor.from_row_splits([1, 2, 3], [0, 2, 1, 3])


class TestSets:
    def test_operations(self) -> None:
        a, b = [[1, 2, 2, 3], [4, 5, 6, 6]], [[2, 3, 9, 9], [7, 7, 6, 4]]
        assert plain(tf.sets.intersection(a, b))[1:] == ([2, 3, 4, 6], [2, 2])
        assert plain(tf.sets.union(a, b))[1:] == ([1, 2, 3, 9, 4, 5, 6, 7], [2, 4])
        assert plain(tf.sets.difference(a, b))[:2] == ([[0, 0], [1, 0]], [1, 5])
        assert plain(tf.sets.difference(a, b, aminusb=False))[1] == [9, 7]
        sparse = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 1, 3], [2, 2])
        assert plain(tf.sets.size(sparse)) == [1, 1]

    def test_edit_distance(self) -> None:
        hypothesis = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], ["a", "b", "c"], [2, 2])
        truth = tf.SparseTensor([[0, 0], [1, 0], [1, 1]], ["a", "d", "c"], [2, 2])
        assert plain(tf.edit_distance(hypothesis, truth)) == [1.0, 0.5]
        assert plain(tf.edit_distance(hypothesis, truth, normalize=False)) == [1.0, 1.0]
        with pytest.raises(TypeError, match="must be a SparseTensor"):
            tf.edit_distance([[1]], truth)

    def test_places_in_sorted_rows(self) -> None:
        assert plain(tf.searchsorted([[1, 3, 5]], [[3, 4]])) == [[1, 2]]
        assert plain(tf.searchsorted([1, 3, 5], [3, 4], side="right")) == [2, 2]
        with pytest.raises(ValueError, match="side must be"):
            tf.searchsorted([1], [1], side="top")

    def test_differences_of_lists(self) -> None:
        with tf1.Graph().as_default(), tf1.Session() as session:
            out, places = session.run(tf1.setdiff1d([1, 2, 3, 4], [2, 9]))
        assert out.tolist() == [1, 3, 4] and places.tolist() == [0, 2, 3] and places.dtype == np.int32
