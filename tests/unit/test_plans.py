"""Plans: variables, shapes, errors, memory. What a plan does to state is what running node by node does."""

from __future__ import annotations

import gc
import inspect
import threading
import weakref

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core.config import config
from pullback.core.spec import Spec
from pullback.core.store import Resource, Store

pytest.importorskip("llvmlite")

from pullback import engines
from pullback.engines import cpu
from pullback.engines.cpu.direct import Direct
from pullback.engines.cpu.run import Runner


@pytest.fixture(autouse=True)
def planned_at_once(monkeypatch):
    monkeypatch.setattr(config, "plan_after", 0)


@pytest.fixture
def runs(monkeypatch):
    """The runners that have run, one entry a run."""
    called, run, tried = [], Runner._run, Direct.tried

    def noted(self, *args):
        made = tried(self, *args)
        if made is not None:
            called.append(self)
        return made

    monkeypatch.setattr(Runner, "_run", lambda self, *args: called.append(self) or run(self, *args))
    monkeypatch.setattr(Direct, "tried", noted)
    return called


LARGE = 20_000  # numbers: their memory comes from the arena's free list


class TestVariables:
    def test_an_update_in_a_loop(self, runs):
        v = tf.Variable(np.arange(LARGE, dtype="f4"))

        @tf.function
        def step(x):
            v.assign_add(x * 2.0)
            return tf.reduce_sum(v)

        ones = tf.constant(np.ones(LARGE, "f4"))
        for n in range(1, 6):
            total = step(ones)
            assert np.array_equal(v.numpy(), np.arange(LARGE, dtype="f4") + 2 * n)
            assert np.isclose(total.numpy(), v.numpy().sum(dtype="f8"), rtol=1e-5)
        assert len(runs) == 5

    def test_who_holds_the_old_value_keeps_it(self):
        """Eager tensors, NumPy arrays and views of them, fetched before each of several updates."""
        v = tf.Variable(np.zeros(LARGE, "f4"))
        step = tf.function(lambda: v.assign_add(tf.ones([LARGE])))
        held = []
        for n in range(8):
            held.append((n, v.read_value(), np.asarray(v.numpy())[7:], tf.reshape(v, [2, -1])))
            step()
        for n, tensor, view, shaped in held:
            assert (tensor.numpy() == n).all() and (view == n).all() and (shaped.numpy() == n).all()

    def test_what_is_returned_is_not_overwritten(self):
        v = tf.Variable(np.zeros(LARGE, "f4"))

        @tf.function
        def step():
            old = tf.identity(v)
            v.assign_add(tf.ones([LARGE]))
            return old, v.read_value()

        results = [step() for _ in range(6)]
        for n, (old, new) in enumerate(results):
            assert (old.numpy() == n).all() and (new.numpy() == n + 1).all()

    def test_assigns_in_a_chain(self):
        v, w = tf.Variable(np.ones(LARGE, "f4")), tf.Variable(np.full(LARGE, 10, "f4"))

        @tf.function
        def step():
            v.assign(v * 2.0)
            first = v + 0.0
            v.assign_sub(w)
            w.assign(v + w)
            v.assign(w)
            return first, tf.identity(v)

        a, b = np.float32(1), np.float32(10)
        for _ in range(4):
            first, last = step()
            a *= 2
            assert (first.numpy() == a).all()
            a -= b
            b = a + b
            a = b
            assert (last.numpy() == a).all() and (v.numpy() == a).all() and (w.numpy() == b).all()

    def test_two_variables_exchanged(self):
        v, w = tf.Variable(np.zeros(LARGE, "f4")), tf.Variable(np.ones(LARGE, "f4"))

        @tf.function
        def swap():
            a, b = tf.identity(v), tf.identity(w)
            v.assign(b)
            w.assign(a)

        for n in range(1, 6):
            swap()
            assert (v.numpy() == n % 2).all() and (w.numpy() == 1 - n % 2).all()

    def test_an_update_that_reads_its_neighbours(self):
        """Not at one index only: the new value may not be written over what is still to be read."""
        start = np.random.default_rng(0).normal(size=(100, 200)).astype("f4")
        v, truth = tf.Variable(start), start.copy()

        @tf.function
        def step():
            v.assign(tf.reverse(v, [0]) + tf.roll(v, 1, 1) - tf.reduce_mean(v, 0))

        for _ in range(4):
            step()
            truth = truth[::-1] + np.roll(truth, 1, 1) - truth.mean(0)
            assert np.allclose(v.numpy(), truth, rtol=1e-3, atol=1e-4)

    def test_the_old_value_read_after_the_update(self):
        v = tf.Variable(np.ones(LARGE, "f4"))

        @tf.function
        def step(w):
            old = v.read_value()
            v.assign(old * 3.0)
            return tf.reduce_sum(old * w), tf.reduce_max(v)

        for n in range(4):
            total, largest = step(tf.ones([LARGE]))
            assert total.numpy() == LARGE * 3.0**n and largest.numpy() == 3.0 ** (n + 1)

    def test_sessions_do_not_share_state(self):
        with v1.Graph().as_default():
            v = v1.get_variable("v", [LARGE], initializer=v1.zeros_initializer())
            step = v1.assign_add(v, v1.ones([LARGE]))
            with v1.Session() as one, v1.Session() as two:
                for session in (one, two):
                    session.run(v.initializer)
                for _ in range(5):
                    one.run(step)
                two.run(step)
                assert (one.run(v) == 5).all() and (two.run(v) == 1).all()

    def test_control_dependencies(self):
        with v1.Graph().as_default():
            v = v1.get_variable("v", [LARGE], initializer=v1.zeros_initializer(), use_resource=True)
            before = v.read_value()
            with v1.control_dependencies([before]):
                step = v1.assign_add(v, v1.ones([LARGE])).op
            with v1.control_dependencies([step]):
                after = v.read_value()
            with v1.Session() as session:
                session.run(v.initializer)
                for n in range(5):
                    old, new = session.run([before, after])
                    assert (old == n).all() and (new == n + 1).all()

    def test_an_optimizer_trains_as_node_by_node(self):
        """Adam's slots, all in one plan."""
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(32, 20)).astype("f4"), rng.normal(size=(32, 3)).astype("f4")

        def train(engine):
            with v1.Graph().as_default(), tf.engine(engine):
                w = v1.get_variable("w", initializer=v1.constant(np.ones((20, 3), "f4") / 8))
                loss = v1.reduce_mean(v1.square(v1.nn.softplus(v1.matmul(x, w)) - y))
                step = v1.train.AdamOptimizer(0.01).minimize(loss)
                with v1.Session() as session:
                    session.run(v1.global_variables_initializer())
                    losses = [session.run([loss, step])[0] for _ in range(20)]
                    return losses, session.run(w)

        fast, slow = train("cpu"), train("blas")
        assert np.allclose(fast[0], slow[0], rtol=1e-4) and np.allclose(fast[1], slow[1], rtol=1e-3, atol=1e-5)


class TestShapes:
    def test_another_shape_is_planned_anew(self, runs):
        f = tf.function(lambda x: tf.reduce_sum(tf.tanh(x), 1), input_signature=[tf.TensorSpec([None, None])])
        for shape in [(2, 3), (4, 5), (2, 3), (0, 3), (1, 1)]:
            x = np.random.default_rng(0).normal(size=shape).astype("f4")
            assert np.allclose(f(tf.constant(x)).numpy(), np.tanh(x).sum(1), atol=1e-5)
        assert len(set(runs)) == 4

    def test_plans_are_bounded(self):
        f = tf.function(lambda x: x * 2.0 + 1.0, input_signature=[tf.TensorSpec([None])])
        for n in range(1, 200):
            assert f(tf.ones([n])).shape == (n,)
        programs = [p for p in gc.get_objects() if type(p) is cpu.Planned]
        assert max(len(p._plans) for p in programs) <= cpu.MOST_PLANS

    def test_programs_go_when_their_graphs_do(self):
        seen = []
        for n in range(30):
            f = tf.function(lambda x, n=n: x * float(n % 7) + 1.0)
            f(tf.ones([64]))
            seen.append(weakref.ref(f.get_concrete_function(tf.ones([64])).graph))
            del f
        gc.collect()
        assert sum(graph() is not None for graph in seen) <= 1

    @pytest.mark.slow
    def test_a_thousand_plans(self):
        """Each with a kernel of its own shape of work; memory is that of the bounded cache."""
        f = tf.function(lambda x: tf.nn.softmax(x * 2.0), input_signature=[tf.TensorSpec([None, None])])
        for n in range(1, 1001):
            assert np.allclose(f(tf.zeros([2, n])).numpy(), 1 / n)
        programs = [p for p in gc.get_objects() if type(p) is cpu.Planned]
        assert max(len(p._plans) for p in programs) <= cpu.MOST_PLANS

    def test_what_cannot_be_planned_runs_node_by_node(self, runs):
        @tf.function
        def f(x):
            chosen = tf.boolean_mask(x, x > 0.0)
            return tf.reduce_sum(chosen), tf.shape(chosen)

        for _ in range(3):
            total, shape = f(tf.constant([1.0, -2.0, 3.0]))
            assert total.numpy() == 4 and shape.numpy().tolist() == [2]
        assert not runs

    def test_python_between_segments(self, runs):
        @tf.function
        def f(x):
            y = tf.tanh(x) * 2.0
            z = tf.linalg.inv(tf.reshape(y, [3, 3]) + 5.0 * tf.eye(3))
            return tf.reduce_sum(tf.exp(z)), z

        x = np.linspace(-1, 1, 9, dtype="f4")
        for _ in range(3):
            total, z = f(tf.constant(x))
            wanted = np.linalg.inv((np.tanh(x) * 2).reshape(3, 3) + 5 * np.eye(3))
            assert np.allclose(z.numpy(), wanted, atol=1e-5)
            assert np.isclose(total.numpy(), np.exp(wanted).sum(), rtol=1e-4)
        assert len(runs) == 3 and engines.report()["cpu"]["MatrixInverse"].startswith("Python step")

    def test_a_python_step_may_keep_what_it_is_given(self):
        kept = []
        f = tf.function(lambda x: tf.numpy_function(lambda a: kept.append(a) or a, [tf.exp(x)], tf.float32))
        for n in range(4):
            f(tf.fill([LARGE], float(n)))
        for n, array in enumerate(kept):
            assert np.allclose(array, np.exp(n), rtol=1e-5)


class TestFusion:
    def test_operands_that_take_turns_along_many_axes(self):
        f = tf.function(lambda a, b: tf.tanh(a + b) * a)
        a = np.random.default_rng(1).normal(size=(2, 1, 3, 1, 2, 1)).astype("f4")
        b = np.random.default_rng(2).normal(size=(1, 3, 1, 2, 1, 3)).astype("f4")
        assert np.allclose(f(tf.constant(a), tf.constant(b)).numpy(), np.tanh(a + b) * a, atol=1e-6)

    def test_a_chain_and_its_gradient_take_few_passes(self):
        """What a pass needs of another is a buffer; a pass has room for 24 of them and 48 steps."""

        @tf.function
        def slope(x):
            y = x
            for _ in range(600):
                y = tf.tanh(y) * 1.01
            return tf.gradients(y, x)[0]

        x = tf.constant(np.linspace(-1, 1, 50, dtype="f4"))
        y, expected = x.numpy().astype("f8"), np.ones(50)
        for _ in range(600):
            expected = expected * 1.01 * (1 - np.tanh(y) ** 2)
            y = np.tanh(y) * 1.01
        assert np.allclose(slope(x).numpy(), expected, rtol=2e-3)
        native = int(tf.explain_plan(slope, x).partition(" jobs")[0].rpartition(" ")[2])
        assert native <= 2 * 1200 / 36

    def test_a_pass_that_others_wait_for_makes_no_circle(self):
        """Maps of one shape on both sides of a fold over all of it, many times."""

        @tf.function
        def f(x):
            total = tf.reduce_sum(x * 0.0)
            for n in range(1, 40):
                total += tf.reduce_mean(tf.sin(x * total) + x * float(n))
            return total

        x = np.linspace(0, 1, 40, dtype="f4")
        total = 0.0
        for n in range(1, 40):
            total += (np.sin(x * total) + x * n).mean(dtype="f8")
        assert np.isclose(f(tf.constant(x)).numpy(), total, rtol=1e-3)


class TestMemory:
    def test_results_take_the_place_of_what_dies(self):
        """Two operands end where two results begin; a third is read again, in another shape and repeated."""

        def f(x):
            a, b = tf.nn.softmax(x), tf.nn.softmax(x * 2.0)
            c, row = tf.nn.softmax(x * 3.0), tf.nn.softmax(x[0])
            d, e = a * b + row, a - b * c
            g = tf.nn.softmax(tf.reshape(d, [-1, 10])) + tf.reshape(c, [-1, 10])
            return tf.nn.softmax(e), tf.nn.softmax(g), tf.reduce_sum(d - e), tf.nn.softmax(tf.reverse(c, [0]) + e)

        x = tf.constant(np.random.default_rng(0).normal(size=(30, 50)).astype("f4"))
        with tf.engine("reference"):
            wanted = [t.numpy() for t in tf.function(f)(x)]
        planned = tf.function(f)
        for _ in range(3):
            for ours, theirs in zip(planned(x), wanted, strict=True):
                assert np.allclose(ours.numpy(), theirs, rtol=1e-4, atol=1e-6)


class TestFeeds:
    @pytest.mark.parametrize(
        "layout",
        [
            lambda a: a.T.copy().T,
            lambda a: np.repeat(a, 2, 1)[:, ::2],
            lambda a: a[::-1][::-1],
            lambda a: a.astype(">f4"),
            lambda a: np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view("f4").reshape(a.shape),
            lambda a: np.broadcast_to(a[:1], a.shape),
        ],
        ids=["fortran", "gaps", "backwards_twice", "big_endian", "unaligned", "repeated"],
    )
    def test_however_an_array_lies(self, layout):
        given = layout(np.random.default_rng(0).normal(size=(7, 33)).astype("f4"))
        f = tf.function(lambda x: tf.tanh(x) + 1.0)
        with v1.Graph().as_default(), v1.Session() as session:
            p = v1.placeholder(tf.float32, [7, 33])
            y = v1.tanh(p) + 1.0
            for _ in range(3):
                assert np.allclose(session.run(y, {p: given}), np.tanh(given) + 1, atol=1e-5)
        for _ in range(3):
            assert np.allclose(f(given).numpy(), np.tanh(given) + 1, atol=1e-5)

    def test_results_are_the_callers_own(self):
        f = tf.function(lambda x: [x, x * 2.0, tf.reshape(x * 3.0, [-1]), tf.zeros([5])])
        x = np.ones((2, LARGE), "f4")
        first = [t.numpy().copy() for t in f(tf.constant(x))]
        results = f(tf.constant(x))
        del results
        for t, wanted in zip(f(tf.constant(x)), first, strict=True):
            assert np.array_equal(t.numpy(), wanted)
        with v1.Graph().as_default(), v1.Session() as session:
            p = v1.placeholder(tf.float32, [2, LARGE])
            fetched = session.run([p, p * 2.0, v1.constant(x)], {p: x})
            for array in fetched:
                array[:] = 99  # neither the feed nor a constant
            assert (x == 1).all() and (session.run(v1.identity(p) + 0.0, {p: x}) == 1).all()


class TestErrors:
    def test_a_wrong_label_says_which_and_where(self):
        v = tf.Variable(np.zeros(8, "f4"))

        @tf.function
        def step(labels, logits):
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            v.assign_add(tf.ones([8]))
            return loss

        logits = tf.constant(np.random.default_rng(0).normal(size=(4, 3)).astype("f4"))
        good = step(tf.constant([0, 1, 2, 0]), logits).numpy()
        for _ in range(2):
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)3.*test_plans\.py"):
                step(tf.constant([0, 1, 3, 0]), logits)
        assert (v.numpy() <= 3).all()
        assert np.array_equal(step(tf.constant([0, 1, 2, 0]), logits).numpy(), good)

    def test_a_refused_step_changes_no_variable_that_comes_after(self):
        with v1.Graph().as_default(), v1.Session() as session:
            v = v1.get_variable("v", [LARGE], initializer=v1.zeros_initializer())
            labels = v1.placeholder(tf.int64, [2])
            loss = v1.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=v1.zeros([2, 3]))
            with v1.control_dependencies([loss]):
                step = v1.assign_add(v, v1.zeros([LARGE]) + v1.reduce_sum(loss))
            session.run(v.initializer)
            session.run(step, {labels: [0, 2]})
            before = session.run(v)
            with pytest.raises(tf.errors.InvalidArgumentError):
                session.run(step, {labels: [0, 7]})
            assert np.array_equal(session.run(v), before)
            session.run(step, {labels: [0, 2]})
            assert np.allclose(session.run(v), 2 * before)

    def test_what_is_asserted_before_an_update_holds_it_back(self):
        v = tf.Variable(np.zeros(LARGE, "f4"))

        @tf.function
        def step(x):
            tf.debugging.assert_less(x, 5.0)
            v.assign_add(tf.ones([LARGE]) * x)

        step(tf.constant(1.0))
        for _ in range(2):
            with pytest.raises(tf.errors.InvalidArgumentError):
                step(tf.constant(7.0))
            assert (v.numpy() == 1).all()

    def test_a_variable_that_was_never_set(self):
        with v1.Graph().as_default(), v1.Session() as session:
            v = v1.get_variable("never", [3])
            y = v * 2.0
            for _ in range(3):
                with pytest.raises(tf.errors.FailedPreconditionError, match=r"(?s)never.*test_plans\.py"):
                    session.run(y)
            session.run(v.initializer)
            assert session.run(y).shape == (3,)

    def test_a_python_step_that_fails(self):
        def fails(a):
            if a[0] > 1:
                raise ValueError("too large for me")
            return a

        f = tf.function(lambda x: tf.numpy_function(fails, [x * 2.0], tf.float32))
        assert f(tf.constant([0.5])).numpy() == [1.0]
        for _ in range(3):
            with pytest.raises(Exception, match="too large for me"):
                f(tf.constant([1.0]))
        assert f(tf.constant([0.25])).numpy() == [0.5]


class TestThreads:
    def test_many_threads_call_one_function(self):
        f = tf.function(lambda x: tf.reduce_sum(tf.tanh(x) * x, 0))
        inputs = [np.random.default_rng(i).normal(size=(64, 300)).astype("f4") for i in range(8)]
        wanted = [f(tf.constant(x)).numpy() for x in inputs]
        wrong = _at_once(8, 60, lambda i: np.array_equal(f(tf.constant(inputs[i])).numpy(), wanted[i]))
        assert not wrong

    def test_many_sessions_train_at_once(self):
        with v1.Graph().as_default() as graph:
            v = v1.get_variable("v", [LARGE], initializer=v1.zeros_initializer())
            step = v1.assign_add(v, v1.ones([LARGE]))
        sessions = [v1.Session(graph=graph) for _ in range(6)]
        for session in sessions:
            session.run(v.initializer)
        wrong = _at_once(6, 40, lambda i: sessions[i].run(step) is not None)
        assert not wrong
        for session in sessions:
            assert (session.run(v) == 40).all()
            session.close()

    def test_who_asks_for_a_value_that_is_lent_waits(self):
        store, resource = Store(), Resource("v", Spec((2,), tf.float32))
        store.write(resource, np.zeros(2, "f4"))
        array, seen = store.lend(resource), []
        readers = [
            threading.Thread(target=lambda: seen.append(store.read(resource).tolist())),
            threading.Thread(target=lambda: seen.append(store.get(resource).tolist())),
        ]
        for reader in readers:
            reader.start()
        assert store.holds(resource) and not seen
        array[:] = 1
        store.write(resource, array)
        for reader in readers:
            reader.join(20)
        assert seen == [[1, 1], [1, 1]]

    def test_readers_beside_a_writer_see_whole_values(self):
        """An array is written before the variable takes it, and not again while anybody has it."""
        v = tf.Variable(np.zeros(LARGE, "f4"))
        step = tf.function(lambda: v.assign_add(tf.ones([LARGE])))

        def call(i):
            if i == 0:
                step()
                return True
            seen = v.read_value().numpy()
            return bool((seen == seen[0]).all())

        assert not _at_once(4, 100, call)


def _at_once(threads, times, call):
    """Calls `call(i)` in thread i, many times; gives those that were not true."""
    wrong, start = [], threading.Barrier(threads)

    def run(i):
        start.wait()
        try:
            for _ in range(times):
                if not call(i):
                    wrong.append(i)
                    return
        except BaseException as error:
            wrong.append((i, error))

    made = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
    for t in made:
        t.start()
    for t in made:
        t.join(60)
    return wrong or [t for t in made if t.is_alive()]


def test_an_op_planned_at_one_line_complains_of_the_line_that_calls_it(monkeypatch):
    monkeypatch.setattr(config, "plan_after", 0)
    values, shape = tf.ones([1, 2, 2, 1]), (1, 4, 4, 1)
    right, wrong = (tf.constant(np.arange(4).reshape(1, 2, 2, 1) + more) for more in (0, 16))
    tf.nn.max_unpool(values, right, shape)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.nn.max_unpool(values, wrong, shape)
    line = inspect.currentframe().f_lineno - 1
    assert str(caught.value).endswith(f"(test_plans.py:{line})")
