"""tf.Module, templates, creators of variables, nests, assertions, and what is known before a run."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1


class Inner(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.b = tf.Variable([1.0], name="b", trainable=False)


class OuterLayer(tf.Module):
    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.w = tf.Variable(2.0, name="w")
        self.parts = [Inner(), {"again": Inner()}]

    @tf.Module.with_name_scope
    def __call__(self, x: Any) -> Any:
        return x * self.w


class TestModule:
    def test_finds_what_it_holds(self) -> None:
        m = OuterLayer()
        assert m.name == "outer_layer" and OuterLayer("mine").name == "mine"
        assert [v.name for v in m.variables] == ["w:0", "b:0", "b:0"]
        assert m.trainable_variables == (m.w,) and len(m.non_trainable_variables) == 2
        assert m.submodules == (m.parts[0], m.parts[1]["again"])
        assert float(m(3.0)) == 6
        with pytest.raises(ValueError, match="not a valid module name"):
            OuterLayer("1x")

    def test_names_in_graphs(self) -> None:
        with tf1.Graph().as_default():
            m = OuterLayer("m")
            assert m(tf1.constant(1.0)).op.name.startswith("m/")


class TestTemplates:
    def test_variables_are_made_once(self) -> None:
        with tf1.Graph().as_default():
            scale = tf1.make_template(
                "scale", lambda x: x * tf1.get_variable("w", [], initializer=tf1.ones_initializer())
            )
            other = tf1.make_template("scale", lambda x: x * tf1.get_variable("w", []))
            scale(tf1.constant(2.0)), scale(tf1.constant(3.0)), other(tf1.constant(1.0))
            assert [v.name for v in tf1.global_variables()] == ["scale/w:0", "scale_1/w:0"]
            assert scale.trainable_variables == tf1.global_variables()[:1]

    def test_no_variable_in_later_calls(self) -> None:
        with tf1.Graph().as_default():
            bad = tf1.make_template("bad", lambda: tf1.Variable(1.0))
            bad()
            with pytest.raises(ValueError, match=r"perhaps you used tf\.Variable"):
                bad()


class TestCreators:
    def test_they_have_a_say_and_the_inner_one_first(self) -> None:
        said: list[str] = []

        def creator(name: str) -> Any:
            def make(following: Any, **settings: Any) -> Any:
                said.append(name)
                return following(**{**settings, "trainable": False})

            return make

        with tf.variable_creator_scope(creator("outer")), tf.variable_creator_scope(creator("inner")):
            v = tf.Variable(1.0)
            with tf1.Graph().as_default():
                w = tf1.get_variable("w", [2])
        assert not v.trainable and not w.trainable and said == ["inner", "outer"] * 2
        assert tf.Variable(1.0).trainable


class TestNests:
    Pair = namedtuple("Pair", "a b")

    def test_structure(self) -> None:
        nested = {"b": 1, "a": [2, self.Pair(3, (4,))]}
        assert tf.nest.flatten(nested) == [2, 3, 4, 1] and tf.nest.flatten(5) == [5]
        assert tf.nest.pack_sequence_as(nested, [5, 6, 7, 8]) == {"b": 8, "a": [5, self.Pair(6, (7,))]}
        assert tf.nest.map_structure(lambda x, y: x + y, [1, {"x": 2}], [3, {"x": 4}]) == [4, {"x": 6}]
        assert tf.nest.is_nested([1]) and not tf.nest.is_nested("ab")

    def test_sparse_tensors_are_leaves(self) -> None:
        x = tf.SparseTensor([[0]], [1.0], [2])
        assert tf.nest.flatten([x, 1]) == [x, 1]
        assert len(tf.nest.flatten([x], expand_composites=True)) == 3

    def test_mistakes(self) -> None:
        with pytest.raises(ValueError, match="same number of elements"):
            tf.nest.assert_same_structure([1, 2], [1])
        with pytest.raises(TypeError, match="same sequence type"):
            tf.nest.map_structure(max, [1], (2,))
        assert tf.nest.map_structure(max, [1], (2,), check_types=False) == [2]
        with pytest.raises(ValueError, match="has 1 leaves, but 2"):
            tf.nest.pack_sequence_as([1], [1, 2])
        with pytest.raises(TypeError, match="must be callable"):
            tf.nest.map_structure(3, [1])


class TestAssertions:
    @pytest.mark.parametrize(
        ("name", "good", "bad"),
        [
            ("equal", ([1, 2], [1, 2]), ([1, 2], [1, 3])),
            ("none_equal", ([1], [2]), ([1], [1])),
            ("less", ([1], [2]), ([2], [2])),
            ("less_equal", ([2], [2]), ([3], [2])),
            ("greater", ([3], [2]), ([2], [2])),
            ("greater_equal", ([2], [2]), ([1], [2])),
            ("positive", ([1.0],), ([0.0],)),
            ("negative", ([-1.0],), ([0.0],)),
            ("non_negative", ([0.0],), ([-1.0],)),
            ("non_positive", ([0.0],), ([1.0],)),
            ("near", ([1.0], [1.0]), ([1.0], [1.1])),
        ],
    )
    def test_values(self, name: str, good: Any, bad: Any) -> None:
        check, old = getattr(tf.debugging, f"assert_{name}"), getattr(tf1, f"assert_{name}")
        assert check(*good) is None
        with pytest.raises(tf.errors.InvalidArgumentError, match="words"):
            check(*bad, message="words")
        with tf1.Graph().as_default(), tf1.Session() as session:
            fed = [tf1.placeholder_with_default(v, [None]) for v in bad]
            with pytest.raises(tf.errors.InvalidArgumentError, match="assertion failed"):
                session.run(old(*fed))
            with pytest.raises(tf.errors.InvalidArgumentError, match=f"assert_{name}"):
                old(*(tf1.constant(v) for v in bad))
            session.run(old(*good))

    def test_shapes_and_types(self) -> None:
        x = tf.zeros([2, 3])
        tf.debugging.assert_rank(x, 2)
        tf.debugging.assert_rank_at_least(x, 1)
        tf.debugging.assert_rank_in(x, [0, 2])
        tf.debugging.assert_scalar(1.0)
        tf.debugging.assert_type(x, tf.float32)
        tf.debugging.assert_integer(1)
        tf.debugging.assert_proper_iterable([1])
        assert tf.debugging.assert_same_float_dtype([x]) is tf.float32
        for call, error in (
            (lambda: tf.debugging.assert_rank(x, 1), ValueError),
            (lambda: tf.debugging.assert_rank_at_least(x, 3), ValueError),
            (lambda: tf.debugging.assert_rank_in(x, [0, 1]), ValueError),
            (lambda: tf.debugging.assert_scalar(x), ValueError),
            (lambda: tf.debugging.assert_type(x, tf.int32), TypeError),
            (lambda: tf.debugging.assert_integer(x), TypeError),
            (lambda: tf.debugging.assert_proper_iterable(x), TypeError),
            (lambda: tf.debugging.assert_same_float_dtype([1], tf.int32), (TypeError, AttributeError)),
        ):
            with pytest.raises(error):
                call()

    def test_ranks_that_are_not_known(self) -> None:
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf.float32)
            op = tf1.assert_rank(x, 1)
            session.run(op, {x: [1.0]})
            with pytest.raises(tf.errors.InvalidArgumentError, match="rank 1"):
                session.run(op, {x: 1.0})

    def test_order(self) -> None:
        assert bool(tf.math.is_non_decreasing([1, 1, 2])) and not bool(tf.math.is_strictly_increasing([1, 1, 2]))


class TestKnowledge:
    def test_values_before_a_run(self) -> None:
        with tf1.Graph().as_default():
            assert tf1.get_static_value(tf1.concat([[1], [2]], 0)).tolist() == [1, 2]
            assert tf1.get_static_value(tf1.cast(tf1.constant(2), tf.float32)) == 2
            x = tf1.placeholder(tf.float32, [None, 3])
            assert tf1.get_static_value(x) is None and tf1.get_static_value(tf1.shape(x)) is None
            assert tf1.get_static_value(tf1.shape(x), partial=True).tolist() == [None, 3]
        assert tf.get_static_value(tf.constant([1.5])).tolist() == [1.5]

    def test_what_is_a_tensor(self) -> None:
        sparse = tf.SparseTensor([[0]], [1.0], [2])
        assert all(map(tf.is_tensor, (tf.constant(1), tf.Variable(1), sparse)))
        assert not any(map(tf.is_tensor, (1, [1], np.ones(2), "x")))
        assert tf.debugging.is_numeric_tensor(tf.constant(1)) and not tf.debugging.is_numeric_tensor(tf.constant("x"))
        assert tf.is_symbolic_tensor(tf1.constant(1)) and not tf.is_symbolic_tensor(tf.constant(1))

    def test_objects_that_stand_for_tensors(self) -> None:
        class Celsius:
            def __init__(self, degrees: float) -> None:
                self.degrees = degrees

        def refused(value: Any, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Any:
            return NotImplemented

        def made(value: Any, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Any:
            return tf.constant(value.degrees + 273.15)

        tf.register_tensor_conversion_function(Celsius, made)
        tf.register_tensor_conversion_function(Celsius, refused, priority=50)
        assert float(tf.convert_to_tensor(Celsius(0.0))) == pytest.approx(273.15)
        assert float(tf.reduce_sum([Celsius(0.0), Celsius(1.0)])) == pytest.approx(547.3)
        with pytest.raises(TypeError, match="is fixed"):
            tf.register_tensor_conversion_function(int, made)

    def test_switches_of_the_default_graph(self) -> None:
        tf1.reset_default_graph()
        try:
            tf1.enable_v2_tensorshape()
            assert tf1.zeros([2, 3]).shape[1] == 3 and isinstance(tf1.zeros([2, 3]).shape[1], int)
        finally:
            tf1.disable_v2_tensorshape()
        assert tf1.zeros([2, 3]).shape[1].value == 3
        tf1.reset_default_graph()

    def test_cropping(self) -> None:
        x = np.arange(60).reshape(4, 5, 3)
        with tf1.Graph().as_default(), tf1.Session() as session:
            piece = session.run(tf1.random_crop(x, [2, 2, 3], seed=5))
        corner = int(piece[0, 0, 0]) // 3
        i, j = divmod(corner, 5)
        assert np.array_equal(piece, x[i : i + 2, j : j + 2])
        with pytest.raises(tf.errors.InvalidArgumentError, match="must fit"):
            tf.image.random_crop(x, [5, 2, 3])

    def test_diagonals_and_eigenvalues(self) -> None:
        with tf1.Graph().as_default(), tf1.Session() as session:
            d = tf1.diag([[1.0, 2.0], [3.0, 4.0]])
            assert d.shape.as_list() == [2, 2, 2, 2]
            assert session.run(tf1.diag_part(d)).tolist() == [[1, 2], [3, 4]]
            e, v = session.run(tf1.self_adjoint_eig([[2.0, 1.0], [1.0, 3.0]]))
        assert np.allclose(e, [(5 - 5**0.5) / 2, (5 + 5**0.5) / 2])
        assert np.allclose(v @ np.diag(e) @ v.T, [[2, 1], [1, 3]], atol=1e-5)
