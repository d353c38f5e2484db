"""What TensorFlow 1 programs take for granted. Numbers of random draws are TensorFlow 2.21's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

MULTINOMIAL = [[[2, 2, 1, 2, 2]], [[2, 2, 0, 2, 1]], [[0, 1, 2, 2, 2]]]


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    tf.reset_default_graph()
    yield tf.get_default_graph()
    tf.reset_default_graph()


class TestAVariableByItsName:
    """`graph.get_tensor_by_name("w:0")` is read where it is used, and may be assigned to."""

    def test_in_the_graph_that_made_it(self, graph: Any) -> None:
        tf.Variable([[1.0, 2.0]], name="w")
        w = graph.get_tensor_by_name("w:0")
        y = tf.matmul(w, w, transpose_b=True)
        assert w.shape.as_list() == [1, 2] and w.dtype == tf.float32 and w.name == "w:0"
        (dw,) = tf.gradients(y, w)
        changed = tf.assign(w, [[5.0, 6.0]])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert [v.tolist() for v in session.run([w, y, dw])] == [[[1, 2]], [[5]], [[2, 4]]]
            assert session.run(changed).tolist() == session.run(w).tolist() == [[5.0, 6.0]]
            assert session.run(w + 1.0, {w: [[0.0, 1.0]]}).tolist() == [[1.0, 2.0]]

    def test_in_a_graph_from_a_file(self, tmp_path: Path) -> None:
        x, w = tf.placeholder(tf.float32, name="x"), tf.Variable(2.0, name="w")
        tf.multiply(x, w, name="y")
        with tf.Session() as session:
            session.run(w.initializer)
            saved = tf.train.Saver().save(session, str(tmp_path / "model"))
        with tf.Graph().as_default() as again, tf.Session() as session:
            tf.train.import_meta_graph(saved + ".meta").restore(session, saved)
            y = again.get_tensor_by_name("y:0") * again.get_tensor_by_name("w:0")
            train = tf.train.GradientDescentOptimizer(0.25).minimize(y)
            assert session.run(y, {"x:0": 3.0}) == 12.0
            session.run(train, {"x:0": 1.0})  # d(w x w) = 2 w x
            assert session.run("w:0") == 1.0


class TestArrays:
    def test_are_made_in_the_default_graph(self) -> None:
        array = tf.TensorArray(tf.float32, 3, clear_after_read=False).write(0, 1.0).write(1, 2.0).write(2, 3.0)
        rows = tf.TensorArray(tf.float32, 2).unstack([[1.0, 2.0], [3.0, 4.0]])
        assert isinstance(array, tf.TensorArray)
        with tf.Session() as session:
            assert session.run([array.stack(), array.size()])[0].tolist() == [1, 2, 3]
            assert session.run(rows.read(1)).tolist() == [3, 4]

    def test_have_gradients(self) -> None:
        x = tf.constant([1.0, 2.0, 3.0])
        entries = tf.TensorArray(tf.float32, 3).unstack(x)
        _, total = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a + entries.read(i) ** 2), [0, 0.0])
        with tf.Session() as session:
            assert session.run(tf.gradients(total, x))[0].tolist() == [2, 4, 6]


class TestSeeds:
    def test_of_multinomial(self) -> None:
        drawn = tf.multinomial([[1.0, 2.0, 3.0]], 5, seed=4)
        tf.set_random_seed(1)
        other = tf.multinomial([[1.0, 2.0, 3.0]], 5, seed=4)
        with tf.Session() as session:
            assert [session.run(drawn).tolist() for _ in range(3)] == MULTINOMIAL
            assert session.run(other).tolist() == [[0, 2, 2, 1, 2]]

    def test_of_the_orthogonal_initializer(self) -> None:
        tf.set_random_seed(0)
        w = tf.get_variable("w", [3, 3], initializer=tf.orthogonal_initializer(seed=7))
        with tf.Session() as session:
            session.run(w.initializer)
            wanted = [[-0.18593, 0.08159, 0.97917], [-0.59036, -0.80589, -0.04495], [0.78543, -0.58642, 0.198]]
            np.testing.assert_allclose(session.run(w), wanted, atol=1e-5)


class TestScopesAndCollections:
    def test_a_scope_entered_again_counts_on(self) -> None:
        with tf.variable_scope("a") as scope:
            pass
        with tf.variable_scope("a"):
            pass
        with tf.variable_scope(scope):
            assert tf.constant(0, name="x").name == "a_2/x:0"
            assert tf.get_variable("v", []).name == "a/v:0"

    def test_a_getter_is_told_everything(self) -> None:
        told: dict[str, Any] = {}

        def getter(get: Any, name: str, **settings: Any) -> Any:
            told.update(settings)
            return get(name, **settings)

        with tf.variable_scope("s", custom_getter=getter):
            assert tf.get_variable("v", [2]).name == "s/v:0"
        assert {"caching_device", "partitioner", "use_resource", "synchronization", "aggregation"} <= set(told)

    def test_collection_keys(self, graph: Any) -> None:
        tf.add_to_collection("mine", 1)
        tf.Variable(0.0)
        assert set(graph.get_all_collection_keys()) == {"mine", "variables", "trainable_variables"}

    def test_names_of_what_is_tied_together(self) -> None:
        first, _ = tf.tuple([tf.constant(1), tf.constant(2)])
        assert first.name == "tuple/control_dependency:0"
        assert [tf.global_variables_initializer().name, tf.local_variables_initializer().name] == ["init", "init_1"]

    def test_differences_have_names(self) -> None:
        found = tf.setdiff1d([1, 2, 3, 4], [1, 3])
        with tf.Session() as session:
            assert session.run(found.out).tolist() == [2, 4]
            assert session.run(found).idx.tolist() == [1, 3]


class TestNames:
    """By which saved graphs are asked for what they hold."""

    def test_of_losses(self) -> None:
        x = tf.ones([2, 3])
        assert tf.losses.mean_squared_error(x, x).name == "mean_squared_error/value:0"
        assert tf.losses.softmax_cross_entropy(x, x).name == "softmax_cross_entropy_loss/value:0"
        assert tf.losses.mean_squared_error(x, x, scope="mine").name == "mine/value:0"

    def test_of_draws_and_classes(self) -> None:
        assert tf.multinomial(tf.ones([1, 2]), 1).name == "multinomial/Multinomial:0"
        assert tf.one_hot([1], 2).name == "one_hot:0"

    def test_a_session_gives_its_graph_as_a_message(self) -> None:
        tf.constant(1.0, name="c")
        with tf.Session() as session:
            assert [node.name for node in session.graph_def.node] == ["c"]
