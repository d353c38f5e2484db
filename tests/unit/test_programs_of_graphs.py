"""What TensorFlow 1 programs do with graphs: override gradients of Python functions, call functions, name tensors."""

from __future__ import annotations

import unittest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.contrib.lookup import HashTable
from pullback.contrib.unexported import Defun


@v1.RegisterGradient("TwentyFold")
def twenty_fold(op: Any, dy: Any) -> Any:
    return dy * 20.0 * op.inputs[0]


@pytest.mark.parametrize("stateful", [True, False])
def test_a_python_functions_gradient_can_be_overridden(stateful: bool) -> None:
    graph: Any = v1.Graph()
    with graph.as_default(), v1.Session() as session:
        x = v1.constant([1.0, 2.0])
        names = {"PyFunc": "TwentyFold", "PyFuncStateless": "TwentyFold"}
        with graph.gradient_override_map(names):
            [y] = v1.py_func(np.square, [x], [tf.float32], stateful=stateful)
        assert y.op.type == ("PyFunc" if stateful else "PyFuncStateless")
        value, dx = session.run([y, *v1.gradients(y, x)])
        assert (value.tolist(), dx.tolist()) == ([1, 4], [20, 40])
        assert v1.gradients(v1.py_func(np.square, [x], tf.float32), x) == [None]


def test_a_function_joins_the_graph_of_its_arguments() -> None:
    @tf.function
    def cube(x: Any, *, by: Any = 1.0) -> Any:
        return x * x * x * by

    graph = v1.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [])
    y = cube(x, by=2.0)  # outside the graph's context, as where a script has the default graph
    with v1.Session(graph=graph) as session:
        assert session.run(y, {x: 3.0}) == 54


def test_a_defun_takes_a_gradient_in_either_form() -> None:
    forms: tuple[dict[str, Any], ...] = (
        {"grad_func": lambda x, dy: dy * x * 5.0},
        {"python_grad_func": lambda op, dy: dy * op.inputs[0] * op.outputs[0] * 5.0},
    )
    for form in forms:
        rounded = Defun(tf.float32, shape_func=lambda op: [op.inputs[0].shape], **form)(lambda x: tf.sign(x))
        with v1.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [2])
            y = rounded(x)
            assert y.shape == (2,)
            value, dx = session.run([y, *v1.gradients(y, x)], {x: [1.5, 2.0]})
            assert (value.tolist(), dx.tolist()) == ([1, 1], [7.5, 10])
    with pytest.raises(ValueError, match="Gradient defined twice"):
        Defun(tf.float32, grad_func=len, python_grad_func=len)


def test_sparse_tensors_go_through_functions_that_keep_zeros() -> None:
    sparse = tf.SparseTensor([[0, 1], [2, 0]], [-4.0, 9.0], [3, 4])
    assert tf.cast(sparse, tf.int32).dtype == tf.int32
    assert tf.identity(sparse).values.numpy().tolist() == [-4, 9]
    for function in (tf.abs, tf.negative, tf.square, tf.sign, tf.tanh, tf.math.erf):
        made = function(sparse)
        assert made.indices.numpy().tolist() == [[0, 1], [2, 0]]
        np.testing.assert_array_equal(made.values, function(tf.constant([-4.0, 9.0])))
    assert tf.sqrt(tf.square(sparse)).values.numpy().tolist() == [4, 9]
    assert tf.shape(sparse).numpy().tolist() == [3, 4]
    assert tf.shape(sparse, tf.int64).dtype == tf.int64
    assert (int(tf.size(sparse)), int(tf.rank(sparse))) == (12, 2)


def test_what_is_sparse_stays_so_and_the_rest_becomes_a_tensor() -> None:
    convert = v1.convert_to_tensor_or_sparse_tensor
    with v1.Graph().as_default():
        sparse = convert(v1.SparseTensorValue([[0]], [1.0], [2]), tf.float32)
        assert convert(sparse) is sparse
        assert convert([1, 2]).shape == (2,)
        with pytest.raises(RuntimeError, match="Sparse dtype mismatch"):
            convert(sparse, tf.int32)


@pytest.mark.parametrize("kind", [HashTable, v1.lookup.StaticHashTable])
def test_a_table_made_in_the_default_graph_is_initialised_with_the_others(kind: Any) -> None:
    with v1.Graph().as_default() as graph:
        pairs = v1.lookup.KeyValueTensorInitializer(["a", "b"], v1.constant([1, 2], tf.int64))
    default = v1.get_default_graph()
    assert default is not graph
    with graph.as_default(), v1.Session() as session:
        table = kind(pairs, -1)
        assert isinstance(table, v1.lookup.StaticHashTable)
        session.run(v1.tables_initializer())
        assert session.run(table.lookup(v1.constant(["b", "c"]))).tolist() == [2, -1]


def test_a_producer_takes_the_files_that_a_pattern_matches(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name)
    with v1.Graph().as_default(), v1.Session() as session:
        names = v1.train.match_filenames_once(str(tmp_path / "*.txt"))
        found = v1.train.string_input_producer(names, num_epochs=1, shuffle=False).dequeue_many(2)
        session.run([v1.global_variables_initializer(), v1.local_variables_initializer()])
        with v1.train.Coordinator().stop_on_exception():
            threads = v1.train.start_queue_runners(session)
            assert [Path(n.decode()).name for n in session.run(found).tolist()] == ["a.txt", "b.txt"]
        for thread in threads:
            thread.join()


def test_a_hook_logs_an_operations_output_by_its_name() -> None:
    seen = []
    with v1.Graph().as_default():
        rate = v1.identity(0.25, name="rate")
        hook = v1.train.LoggingTensorHook(
            {"lr": "rate"}, every_n_iter=1, formatter=lambda values: str(seen.append(values))
        )
        with v1.train.MonitoredTrainingSession(hooks=[hook]) as session:
            session.run(rate)
    assert seen == [{"lr": 0.25}]


def test_noise_on_a_linear_cosine_decay_has_the_variance_that_is_asked_for() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        steps = (0.1, tf.constant(4), 16)
        plain = v1.train.linear_cosine_decay(*steps)
        noisy = v1.train.noisy_linear_cosine_decay(*steps, initial_variance=2.0, variance_decay=0.5)
        values = np.array([session.run(noisy) for _ in range(300)])
        spread = 0.1 * np.sqrt(2 / 5**0.5) * (0.5 * (1 + np.cos(np.pi / 4)))
        assert values.std() == pytest.approx(spread, rel=0.2)
        assert values.mean() == pytest.approx(session.run(plain), abs=4 * spread / 300**0.5)


def test_each_test_that_a_program_runs_has_a_graph_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Twice(v1.test.TestCase):
        def test_first(self) -> None:
            v1.get_variable("w", [])

        test_second = test_first

    def run(module: str, argv: Any) -> None:
        result = unittest.TestResult()
        for name in ("test_first", "test_second"):
            Twice(name).run(result)
        assert (result.testsRun, result.errors) == (2, [])

    monkeypatch.setattr(unittest, "main", run)
    v1.test.main(["program"])
