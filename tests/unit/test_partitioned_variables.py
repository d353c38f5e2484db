"""Variables in parts: how they are divided, used, trained, and kept in checkpoints as slices of one tensor.

The partitioners' answers are those of TensorFlow 2.21.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

SHAPES = ([10, 4], [2, 4], [7, 5], [64, 64], [1, 9])


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with tf.Graph().as_default() as made:
        yield made


@pytest.mark.parametrize(
    ("partitioner", "expected"),
    [
        (tf.fixed_size_partitioner(3), [[3, 1], [2, 1], [3, 1], [3, 1], [1, 1]]),
        (tf.fixed_size_partitioner(3, 1), [[1, 3]] * 5),
        (tf.variable_axis_size_partitioner(64), [[3, 1], [1, 1], [3, 1], [64, 1], [1, 1]]),
        (tf.variable_axis_size_partitioner(100, 1, max_shards=2), [[1, 2], [1, 1], [1, 2], [1, 2], [1, 1]]),
        (tf.min_max_variable_partitioner(4, 0, 40), [[4, 1], [1, 1], [4, 1], [4, 1], [1, 1]]),
        (tf.min_max_variable_partitioner(10, 1, 8), [[1, 4], [1, 4], [1, 5], [1, 10], [1, 5]]),
    ],
)
def test_partitioners_count_as_tensorflows(partitioner: Any, expected: Any) -> None:
    assert [list(partitioner(shape=tf.TensorShape(s), dtype=tf.float32)) for s in SHAPES] == expected


def divided(name: str, value: Any, count: int, axis: int = 0) -> Any:
    return tf.get_variable(name, initializer=value, partitioner=tf.fixed_size_partitioner(count, axis))


WHOLE = np.arange(14, dtype=np.float32).reshape(7, 2)


def test_parts_are_variables_and_the_whole_a_tensor() -> None:
    w = divided("w", tf.constant(WHOLE), 3)
    assert [v.name for v in w] == ["w/part_0:0", "w/part_1:0", "w/part_2:0"]
    assert [v.shape.as_list() for v in w] == [[3, 2], [2, 2], [2, 2]]
    assert w.shape.as_list() == [7, 2] and len(w) == 3 and tf.trainable_variables() == list(w)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(tf.convert_to_tensor(w)).tolist() == WHOLE.tolist()
        assert session.run(w * 2).tolist() == (2 * WHOLE).tolist()
        session.run(w.assign(-WHOLE))
        assert session.run(w.as_tensor()).tolist() == (-WHOLE).tolist()


def test_columns_divide_too() -> None:
    w = divided("w", tf.constant(WHOLE), 2, axis=1)
    assert [v.shape.as_list() for v in w] == [[7, 1], [7, 1]]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(w.as_tensor()).tolist() == WHOLE.tolist()


def test_scopes_divide_what_is_made_inside_and_share_it() -> None:
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2)):
        w = tf.get_variable("w", [4, 2])
        x = tf.layers.dense(tf.ones([3, 4]), 2, name="d")
    with tf.variable_scope("s", reuse=True, partitioner=tf.fixed_size_partitioner(2)):
        again = tf.get_variable("w", [4, 2])
    assert list(w) == list(again)
    assert [v.name for v in tf.trainable_variables()][2:4] == ["s/d/kernel/part_0:0", "s/d/kernel/part_1:0"]
    assert x.shape.as_list() == [3, 2]


def test_initializers_know_the_whole() -> None:
    """Glorot's bound is that of the whole matrix."""
    w = tf.get_variable("w", [4, 300], initializer=tf.glorot_uniform_initializer(1), partitioner=lambda **_: [4, 1])
    bound = np.sqrt(6 / 304)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        largest = [np.abs(part).max() for part in session.run(list(w))]
    assert all(0.9 * bound < x <= bound for x in largest)


def test_training_moves_every_part() -> None:
    w = divided("w", tf.constant(WHOLE), 3)
    loss = tf.reduce_sum(tf.matmul(tf.ones([1, 7]), w)) + tf.reduce_sum(
        tf.nn.embedding_lookup(w, [0, 6], partition_strategy="div")
    )
    step = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
    expected = WHOLE - 1
    expected[[0, 6]] -= 1
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        assert session.run(w.as_tensor()).tolist() == expected.tolist()


def test_a_checkpoint_holds_one_tensor(tmp_path: Path) -> None:
    """It is restored into other parts, and into a variable that has none."""
    divided("w", tf.constant(WHOLE), 3)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, str(tmp_path / "model"))
    assert tf.train.list_variables(path) == [("w", [7, 2])]
    assert tf.train.load_variable(path, "w").tolist() == WHOLE.tolist()
    for count in (None, 1, 2, 7):
        with tf.Graph().as_default(), tf.Session() as session:
            partitioner = count and tf.fixed_size_partitioner(count)
            w = tf.get_variable("w", [7, 2], partitioner=partitioner)
            tf.train.Saver().restore(session, path)
            assert session.run(tf.convert_to_tensor(w)).tolist() == WHOLE.tolist()


def test_a_saver_names_the_whole_anew(tmp_path: Path) -> None:
    w = divided("w", tf.constant(WHOLE), 2)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver({"other": w}).save(session, str(tmp_path / "model"))
    assert tf.train.list_variables(path) == [("other", [7, 2])]


def test_parts_start_from_a_checkpoint(tmp_path: Path) -> None:
    tf.get_variable("w", initializer=WHOLE)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, str(tmp_path / "model"))
    with tf.Graph().as_default(), tf.Session() as session:
        w = tf.get_variable("x", [7, 2], partitioner=tf.fixed_size_partitioner(2))
        tf.train.init_from_checkpoint(path, {"w": w})
        session.run(tf.global_variables_initializer())
        assert session.run(tf.convert_to_tensor(w)).tolist() == WHOLE.tolist()


def test_parts_are_known_again_from_a_graphs_file(tmp_path: Path) -> None:
    divided("w", tf.constant(WHOLE), 2)
    meta = tf.train.export_meta_graph()
    with tf.Graph().as_default():
        tf.train.import_meta_graph(meta)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            path = tf.train.Saver().save(session, str(tmp_path / "model"))
    assert tf.train.list_variables(path) == [("w", [7, 2])]


def test_partitions_that_do_not_fit_are_refused() -> None:
    for counts, words in (
        ([2, 2], "more than one dimension"),
        ([8, 1], "8 partitions of an axis of 7"),
        ([2], "a count"),
    ):
        with pytest.raises(ValueError, match=words):
            tf.get_variable("w", [7, 2], partitioner=lambda counts=counts, **_: counts)
    with pytest.raises(ValueError, match="max_shard_bytes"):
        tf.variable_axis_size_partitioner(0)
    with pytest.raises(ValueError, match="outside of a variable"):
        tf.get_variable("w", [7], partitioner=tf.fixed_size_partitioner(2, 1))
