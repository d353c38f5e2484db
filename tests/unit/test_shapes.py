"""TensorShape and Dimension: what code that asks about shapes relies on."""

import operator

import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core.errors import ShapeError
from pullback.core.shape import as_shape


class TestTensorShape:
    def test_assertions_raise_only_on_contradictions(self):
        s = tf.TensorShape([None, 3])
        s.assert_has_rank(2)
        s.assert_same_rank([1, 1])
        s.assert_same_rank(None)
        s.assert_is_compatible_with([2, 3])
        tf.TensorShape(None).assert_has_rank(7)
        tf.TensorShape([2, 3]).assert_is_fully_defined()
        for wrong, words in (
            (lambda: s.assert_has_rank(3), "rank 3"),
            (lambda: s.assert_same_rank([1]), "same rank"),
            (lambda: s.assert_is_fully_defined(), "not fully defined"),
            (lambda: s.with_rank_at_least(3), "at least 3"),
            (lambda: s.with_rank_at_most(1), "at most 1"),
            (lambda: s.with_rank(3), "not compatible"),
            (lambda: s.merge_with([4, 4]), "not compatible"),
        ):
            with pytest.raises(ValueError, match=words):
                wrong()

    def test_ranks_are_filled_in(self):
        assert tf.TensorShape(None).with_rank(2) == [None, None]
        s = tf.TensorShape([None, 3])
        assert s.with_rank_at_least(2) is s and s.with_rank_at_most(2) is s and s.with_rank(2) == s
        assert tf.TensorShape(None).with_rank_at_least(2).rank is None

    def test_joining(self):
        s = tf.TensorShape([2])
        assert [1] + s == [1, 2] and s + [3] == [2, 3]  # noqa: RUF005
        assert (s + None).rank is None and s.concatenate(tf.TensorShape(None)).rank is None

    def test_an_unknown_rank_answers_what_it_can(self):
        unknown = tf.TensorShape(None)
        assert (unknown.ndims, unknown.dims, unknown.num_elements(), bool(unknown)) == (None, None, None, False)
        assert unknown[0] is None and str(unknown) == "<unknown>" and repr(unknown) == "TensorShape(None)"
        for ask in (len, list):
            with pytest.raises(ValueError, match="unknown rank"):
                ask(unknown)

    def test_equality_and_hash(self):
        assert len({tf.TensorShape([2, None]), tf.TensorShape((2, None))}) == 1
        assert tf.TensorShape([2]) != [3] and tf.TensorShape([2]) != "two"
        assert str(tf.TensorShape([2])) == "(2,)" and tf.TensorShape(3) == [3]

    def test_dims_are_dimensions(self):
        assert [d.value for d in tf.TensorShape([None, 3]).dims] == [None, 3]
        assert repr(v1.TensorShape([None, 3])) == "TensorShape([Dimension(None), Dimension(3)])"

    def test_what_says_no_shape(self):
        for wrong in ("ab", [1.5], [[1]]):
            with pytest.raises(TypeError):
                as_shape(wrong)


class TestDimension:
    def test_merging(self):
        known, unknown = v1.Dimension(3), v1.Dimension(None)
        assert unknown.merge_with(known).value == known.merge_with(None).value == 3
        assert unknown.is_compatible_with(5) and known.is_compatible_with(3) and not known.is_compatible_with(4)
        with pytest.raises(ShapeError, match="not compatible"):
            known.merge_with(4)
        with pytest.raises(ShapeError, match="at least 0"):
            v1.Dimension(-1)

    def test_unknown_stays_unknown(self):
        known, unknown = v1.Dimension(3), v1.Dimension(None)
        for op in (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod):
            assert op(unknown, known).value is None and op(2, unknown).value is None
            assert op(known, 2).value == op(3, 2) and op(7, known).value == op(7, 3)
        for op in (operator.lt, operator.le, operator.gt, operator.ge, operator.ne):
            assert op(unknown, 3) is None and op(known, 2) is op(3, 2)
        assert (str(unknown), str(known), repr(known)) == ("?", "3", "Dimension(3)")
        with pytest.raises(TypeError, match="unknown dimension"):
            range(unknown)

    def test_a_dimension_is_a_number_among_others(self):
        known = v1.Dimension(3)
        assert len({known, v1.Dimension(3)}) == 1 and int(known) == 3 and [10, 20, 30, 40][known] == 40
        assert (known == "three") is False
        with pytest.raises(TypeError):
            known + "three"
