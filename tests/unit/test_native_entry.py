"""The entry: machine code that CPython calls with arrays. What it takes, what it leaves alone, and who owns what."""

from __future__ import annotations

import ctypes
import os
import threading

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core.config import config
from pullback.core.op import REGISTRY

pytest.importorskip("llvmlite")

from machine_code import in_fresh_python

from pullback.engines import cpu
from pullback.engines.cpu.direct import Direct
from pullback.engines.cpu.run import Runner
from pullback.native import entry

pytestmark = pytest.mark.skipif(not entry.available(), reason="objects lie otherwise in this Python")


@pytest.fixture(autouse=True)
def planned_at_once(monkeypatch):
    monkeypatch.setattr(config, "plan_after", 0)


@pytest.fixture
def found(monkeypatch):
    """For each time that a plan was tried, whether it was the right one."""
    told, tried = [], Direct.tried

    def noted(self, *args):
        made = tried(self, *args)
        told.append(made is not None)
        return made

    monkeypatch.setattr(Direct, "tried", noted)
    return told


class TestArrays:
    def test_addresses_are_written_where_they_are_wanted(self):
        words = (ctypes.c_int64 * 3)()
        start = ctypes.addressof(words)
        a, b = np.zeros((2, 3), np.float32), np.zeros(4, np.int8)
        call = entry.prepared(0, 0, [((2, 3), a.dtype)], [(0, start, 0), (1, start + 8, 0), (0, start + 16, 12)], 1)
        assert call(a, b) is True
        assert list(words) == [a.ctypes.data, b.ctypes.data, a.ctypes.data + 12]

    @pytest.mark.parametrize(
        "other",
        [
            np.zeros((2, 4), np.float32),
            np.zeros((3, 2), np.float32),
            np.zeros((2, 3, 1), np.float32),
            np.zeros(6, np.float32),
            np.zeros((2, 3), np.float64),
            np.zeros((2, 3), ">f4"),
            np.zeros((3, 2), np.float32).T,
            np.zeros((2, 6), np.float32)[:, ::2],
            np.frombuffer(bytes(25), np.uint8)[1:].view(np.float32).reshape(2, 3),
            np.zeros((2, 3), np.float32).view(np.recarray),
            np.float32(1),
            [[0.0] * 3] * 2,
            None,
        ],
        ids=lambda x: f"{type(x).__name__}{getattr(x, 'shape', '')}{getattr(x, 'dtype', '')}",
    )
    def test_what_is_not_expected_is_refused_and_nothing_is_written(self, other):
        word = ctypes.c_int64(0)
        call = entry.prepared(0, 0, [((2, 3), np.dtype("f4"))], [(0, ctypes.addressof(word), 0)])
        assert call(other) is False
        assert word.value == 0

    def test_another_number_of_arrays_is_refused(self):
        call, x = entry.prepared(0, 0, [((), np.dtype("f4"))], []), np.zeros((), np.float32)
        assert (call(), call(x), call(x, x)) == (False, True, False)

    def test_types_that_NumPy_does_not_have(self):
        kind = tf.bfloat16.as_numpy_dtype
        call = entry.prepared(0, 0, [((2,), np.dtype(kind))], [])
        assert call(np.zeros(2, kind)) is True and call(np.zeros(2, np.float16)) is False


class TestPlans:
    def test_a_result_stays_as_it_is(self, found):
        f = tf.function(lambda x: tf.tanh(x) + 1.0)
        inputs = [tf.constant(np.full((3, 4), n, "f4")) for n in range(5)]
        results = [f(x) for x in inputs]
        for n, y in enumerate(results):
            assert np.allclose(y.numpy(), np.tanh(n) + 1)
        assert len({y.value.ctypes.data for y in results}) == 5
        assert found[1:] == [True] * 4

    def test_what_a_job_refuses_is_an_error_and_changes_no_variable(self, found):
        counted, rows = tf.Variable(0.0), tf.constant(np.arange(6, dtype="f4").reshape(3, 2))

        @tf.function
        def f(at):
            taken = tf.reduce_sum(tf.gather(rows, at))
            counted.assign_add(taken)
            return taken

        assert [float(f(tf.constant(at))) for at in ([0, 1], [2, 2], [1, 1])] == [6, 18, 10]
        assert found[1:] == [True, True]
        with pytest.raises(tf.errors.InvalidArgumentError, match="= 3 is not in"):
            f(tf.constant([0, 3]))
        assert float(counted) == 34
        assert float(f(tf.constant([0, 0]))) == 2 and float(counted) == 36

    def test_without_an_entry_plans_run_as_others_do(self, found, monkeypatch):
        monkeypatch.setattr(entry, "available", lambda: False)
        f = tf.function(lambda x: tf.tanh(x) * 3.0)
        for n in range(3):
            assert np.allclose(f(tf.fill([2, 2], float(n))).numpy(), np.tanh(n) * 3)
        (plan,) = cpu.CPU.program(next(iter(f._traces.values())).graph)._plans.values()
        assert type(plan) is Runner and not any(found)

    def test_arguments_that_lie_otherwise(self, found):
        f = tf.function(lambda x: x * 2.0 - 1.0)
        whole = np.arange(24, dtype="f4").reshape(4, 6)
        x = tf.constant(whole)
        for view in (x, tf.transpose(x), x[:, ::2], x[::-1], x):
            assert np.array_equal(f(view).numpy(), view.numpy() * 2 - 1)
        assert True in found

    def test_shapes_that_take_turns(self):
        f = tf.function(lambda x: tf.exp(x), input_signature=[tf.TensorSpec([None])])
        for n in [3, 5, 3, 3, 5, 1, 3]:
            assert np.allclose(f(tf.ones([n])).numpy(), np.full(n, np.e, "f4"))

    def test_a_result_that_is_an_argument_or_another_view(self):
        f = tf.function(lambda x: (x, tf.reshape(x * 2.0, [3, 2]), tf.reshape(x, [6]), tf.constant(7.0)))
        x = tf.constant(np.arange(6, dtype="f4").reshape(2, 3))
        for _ in range(3):
            same, doubled, flat, seven = f(x)
            assert np.array_equal(same.numpy(), x.numpy()) and flat.shape == (6,) and seven.numpy() == 7
            assert np.array_equal(doubled.numpy(), x.numpy().reshape(3, 2) * 2)

    def test_variables_are_read_and_written(self, found):
        v = tf.Variable([1.0, 2.0])
        step = tf.function(lambda x: v.assign_add(x * 2.0))
        held = []
        for n in range(1, 5):
            held.append((v.read_value(), v.numpy()))
            step(tf.constant([1.0, 1.0]))
            assert v.numpy().tolist() == [1 + 2 * n, 2 + 2 * n]
        assert all(np.array_equal(tensor.numpy(), array) for tensor, array in held)
        assert found == [True] * 4 + found[4:]

    def test_each_variable_that_is_given_as_an_argument_is_meant(self, found):
        variables = [tf.Variable([float(n), n + 0.5]) for n in range(3)]
        f = tf.function(lambda handle, x: REGISTRY["ReadVariableOp"]()(handle) * x)
        for n in (0, 1, 2, 2, 0, 1, 1):
            assert f(variables[n].handle, tf.constant(2.0)).numpy().tolist() == [2.0 * n, 2.0 * n + 1]
        assert len(f._traces) == 1 and True in found

    def test_a_variable_that_has_no_value_yet_is_complained_of(self):
        with v1.Graph().as_default(), v1.Session() as session:
            v = v1.get_variable("v", initializer=[1.0, 2.0])
            doubled = v * 2.0
            for _ in range(2):
                with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized"):
                    session.run(doubled)
            session.run(v.initializer)
            assert session.run(doubled).tolist() == [2.0, 4.0]

    def test_what_is_fed_by_value_is_looked_at_every_time(self):
        with v1.Graph().as_default(), v1.Session() as session:
            x, shape = v1.placeholder("float32", [None, None]), v1.placeholder("int32", [2])
            turned = tf.reshape(x, shape) + 1.0
            array, sizes = np.zeros((2, 3), "f4"), np.array([3, 2], "i4")
            assert session.run(turned, {x: array, shape: sizes}).shape == (3, 2)
            assert session.run(turned, {x: array, shape: sizes}).shape == (3, 2)
            sizes[:] = 1, 6  # the same array, changed
            assert session.run(turned, {x: array, shape: sizes}).shape == (1, 6)

    def test_static_inputs_of_an_eager_op(self):
        w, dy = tf.ones([3, 3, 1, 1]), tf.ones([1, 2, 2, 1])
        for size in [4, 3, 4, 4, 3]:
            out = tf.nn.conv2d_transpose(dy, w, [1, size, size, 1], strides=2, padding="SAME")
            assert out.shape == (1, size, size, 1)

    def test_another_choice_of_kernels_is_planned_anew(self, monkeypatch):
        f = tf.function(lambda x: tf.tanh(x))
        x = tf.ones([2])
        f(x)
        program = cpu.CPU.program(next(iter(f._traces.values())).graph)
        monkeypatch.setattr(config, "winograd", "off")
        f(x)
        assert len(program._plans) == 2

    @pytest.mark.parametrize("shape,times", [((6, 7), 400), ((300, 400), 40)], ids=["in the entry", "shared"])
    def test_threads_that_call_at_once(self, shape, times):
        f = tf.function(lambda x: tf.tanh(x * 3.0) - x)
        inputs = [tf.constant(np.random.default_rng(n).normal(size=shape).astype("f4")) for n in range(4)]
        expected = [np.tanh(x.numpy() * 3) - x.numpy() for x in inputs]
        wrong = []

        def call(n):
            made = [f(inputs[n]).numpy() for _ in range(times)]
            wrong.extend(n for y in made if not np.allclose(y, expected[n], atol=1e-5))

        _at_once(call, 4)
        assert not wrong

    @pytest.mark.parametrize("count,times", [(5, 300), (200_000, 30)], ids=["in the entry", "shared"])
    def test_each_call_is_refused_for_its_own_places_only(self, count, times, found):
        rows = tf.constant(np.arange(count, dtype="f4"))
        right = tf.constant(np.arange(count, dtype="i4")[::-1].copy())
        wrong = tf.constant(np.append(right.numpy()[1:], count).astype("i4"))
        f = tf.function(lambda at: tf.gather(rows, at))
        odd = []

        def call(n):
            for i in range(times):
                at = (right, wrong)[(i + n) % 2]
                try:
                    made = f(at).numpy()
                    odd.extend([n] * (at is wrong or not np.array_equal(made, rows.numpy()[::-1])))
                except tf.errors.InvalidArgumentError:
                    odd.extend([n] * (at is right))

        for _ in range(6):
            f(right)
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"= {count} is not in"):
            f(wrong)
        found.clear()
        f(right)
        assert found == [True]  # nothing is left of the refusal
        _at_once(call, 4)
        assert not odd


def _at_once(call, threads):
    made = [threading.Thread(target=call, args=(n,)) for n in range(threads)]
    for t in made:
        t.start()
    for t in made:
        t.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_goes_on_with_the_parents_plans():
    code = """
import os
import numpy as np
import pullback as tf
f = tf.function(lambda x: tf.tanh(x) * 2.0)
x = tf.constant(np.linspace(0, 1, 5, dtype="f4"))
before = [f(x).numpy() for _ in range(4)][-1]
child = os.fork()
if not child:
    os._exit(0 if np.array_equal(f(x).numpy(), before) else 1)
_, status = os.waitpid(child, 0)
print(status == 0 and np.array_equal(f(x).numpy(), before))
"""
    assert in_fresh_python(code).strip() == "True"
