"""`import tensorflow` meaning us: what it finds, what it says of what is missing, how it goes away again."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback
import pullback.v1 as tf1
from pullback import alias
from pullback.alias import old_names, old_numpy, symbols


@pytest.fixture
def tf() -> Iterator[Any]:
    with alias.using("tf1"):
        old_names.forget()
        yield importlib.import_module("tensorflow")
    tf1.reset_default_graph()


class TestNames:
    def test_the_root_is_tensorflow_1(self, tf: Any) -> None:
        assert tf.placeholder is not None and tf.float32 is pullback.float32
        assert tf.Session is tf1.Session
        assert tf.__version__ == tf.VERSION == tf.version.VERSION == "1.15.0"

    def test_modules_below(self, tf: Any) -> None:
        nn = importlib.import_module("tensorflow.nn")
        assert nn is tf.nn and nn.conv2d is tf.nn.conv2d
        assert importlib.import_module("tensorflow.compat.v1").Session is tf1.Session
        assert importlib.import_module("tensorflow.compat.v2.nn") is not nn
        assert importlib.import_module("tensorflow.keras.layers").Dense is tf.keras.layers.Dense

    def test_from_import(self, tf: Any) -> None:
        found: dict[str, Any] = {}
        exec("from tensorflow import Session\nfrom tensorflow.nn import conv2d, relu as r", found)
        assert found["Session"] is tf1.Session and found["r"] is tf.nn.relu

    def test_import_star(self, tf: Any) -> None:
        found: dict[str, Any] = {}
        exec("from tensorflow.losses import *", found)
        assert found["mean_squared_error"] is tf.losses.mean_squared_error

    def test_contrib(self, tf: Any) -> None:
        assert tf.contrib.rnn.BasicLSTMCell is tf.nn.rnn_cell.BasicLSTMCell
        assert tf.contrib.slim.conv2d is tf.contrib.layers.conv2d or tf.contrib.slim.conv2d._key_op
        assert importlib.import_module("tensorflow.contrib.slim") is tf.contrib.slim
        inner = importlib.import_module("tensorflow.contrib.layers.python.layers.layers")
        assert inner.conv2d._key_op == tf.contrib.layers.conv2d._key_op
        with pytest.raises(ImportError, match=r"no tf\.contrib\.nonsense"):
            importlib.import_module("tensorflow.contrib.nonsense.python.ops")

    def test_modules_inside_tensorflow(self, tf: Any) -> None:
        ops = importlib.import_module("tensorflow.python.framework.ops")
        assert ops.RegisterGradient is tf.RegisterGradient and ops.GraphKeys is tf.GraphKeys
        assert importlib.import_module("tensorflow.python.ops.rnn_cell").GRUCell is tf.nn.rnn_cell.GRUCell
        math_ops = importlib.import_module("tensorflow.python.ops.math_ops")
        assert math_ops.__class__.__name__ == "TensorFlow" and callable(math_ops.reduce_mean)
        assert tf.python.ops.nn_ops.conv2d.__name__ == tf.nn.conv2d.__name__
        scopes = importlib.import_module("tensorflow.python.ops").variable_scope  # a module, and a class in it
        assert scopes.variable_scope is tf.variable_scope and callable(scopes.get_variable)
        assert importlib.import_module("tensorflow.python.keras.layers").Dense is tf.keras.layers.Dense
        (device,) = importlib.import_module("tensorflow.python.client.device_lib").list_local_devices()
        assert (device.name, device.device_type) == ("/device:CPU:0", "CPU")

    def test_ops_by_their_generated_functions(self, tf: Any) -> None:
        gen = importlib.import_module("tensorflow.python.ops.gen_nn_ops")
        x = tf.constant([[[[1.0], [3.0]], [[2.0], [0.0]]]])
        y = tf.nn.max_pool(x, [1, 2, 2, 1], [1, 1, 1, 1], "VALID")
        dx = gen._max_pool_grad(x, y, tf.constant([[[[5.0]]]]), [1, 2, 2, 1], [1, 1, 1, 1], padding="VALID")
        relu = gen._relu_grad(tf.constant([1.0, 2.0]), tf.constant([3.0, -1.0]))
        with tf.Session() as session:
            assert session.run(dx).ravel().tolist() == [0, 5, 0, 0]
            assert session.run(relu).tolist() == [1, 0]

    def test_tensorflow_2(self) -> None:
        with alias.using("tf2"):
            tf = importlib.import_module("tensorflow")
            assert float(tf.reduce_sum([1.0, 2.0])) == 3 and tf.executing_eagerly()
            assert tf.GradientTape is pullback.GradientTape
            assert tf.__version__.startswith("2.")
            assert tf.compat.v1.executing_eagerly()  # as in TensorFlow 2
            with pytest.raises(AttributeError, match=r"no tf\.Session \(TensorFlow 2\); near it: tf\.compat|--tf1"):
                _ = tf.Session

    def test_tensorflow_2_with_its_behaviour_off_builds_graphs(self) -> None:
        with alias.using("tf2"):
            tf = importlib.import_module("tensorflow")
            tf.compat.v1.disable_eager_execution()
            y = tf.add(tf.compat.v1.placeholder(tf.float32, [], "of_this_test"), 1.0)
            with tf.compat.v1.Session() as session:
                assert session.run(y, {"of_this_test:0": 2.0}) == 3
        tf1.reset_default_graph()


class TestMissing:
    def test_attribute(self, tf: Any) -> None:
        with pytest.raises(AttributeError, match=r"no tf\.nn\.conv22d \(TensorFlow 1\); near it: tf\.nn\.conv2d"):
            _ = tf.nn.conv22d
        assert not hasattr(tf, "nonsense")

    def test_import_says_the_same(self, tf: Any) -> None:
        with pytest.raises(ImportError, match=r"no tf\.nn\.conv22d .*pullback check SCRIPT"):
            exec("from tensorflow.nn import conv22d")
        with pytest.raises(ImportError, match=r"no tf\.contrib\.nonsense"):
            importlib.import_module("tensorflow.contrib.nonsense")
        with pytest.raises(ImportError, match=r"no tf\.python\.ops\.nonsense"):
            exec("from tensorflow.python.ops import nonsense")

    def test_a_name_is_no_module(self, tf: Any) -> None:
        with pytest.raises(ImportError, match=r"is a name, not a module; say: from tensorflow import Session"):
            importlib.import_module("tensorflow.Session")


class TestOldNames:
    def value(self, tf: Any, tensor: Any) -> Any:
        with tf.Session() as session:
            return session.run(tensor).tolist()

    def test_each_warns_once(self, tf: Any) -> None:
        with pytest.warns(old_names.OldNameWarning, match=r"tf\.mul is from before .* now tf\.multiply") as caught:
            first = tf.mul(tf.constant(2.0), 3.0)
            second = tf.mul(tf.constant(2.0), 4.0)
        assert len(caught) == 1 and caught[0].filename == __file__
        assert (self.value(tf, first), self.value(tf, second)) == (6, 8)

    @pytest.mark.parametrize(
        ("call", "wanted"),
        [
            (lambda tf, x: tf.concat(0, [x, x]), [1, 2, 3, 1, 2, 3]),
            (lambda tf, x: tf.concat(concat_dim=0, values=[x, x]), [1, 2, 3, 1, 2, 3]),
            (lambda tf, x: tf.split(0, 3, x)[1], [2]),
            (lambda tf, x: tf.split(split_dim=0, num_split=3, value=x)[2], [3]),
            (lambda tf, x: tf.pack([x, x]), [[1, 2, 3], [1, 2, 3]]),
            (lambda tf, x: tf.unpack(x)[2], 3),
            (lambda tf, x: tf.select([True, False, True], x, -x), [1, -2, 3]),
            (lambda tf, x: tf.neg(x), [-1, -2, -3]),
            (lambda tf, x: tf.reduce_sum(x, reduction_indices=0, keep_dims=True), [6]),
            (lambda tf, x: tf.batch_matmul([[1.0, 2.0]], [[3.0, 4.0]], adj_y=True), [[11]]),
            (lambda tf, x: tf.argmax(x, dimension=0), 2),
        ],
    )
    def test_they_mean_what_they_meant(self, tf: Any, call: Any, wanted: Any) -> None:
        with pytest.warns(old_names.OldNameWarning):
            made = call(tf, tf.constant([1.0, 2.0, 3.0]))
        assert self.value(tf, made) == wanted

    def test_the_orders_of_today_do_not_warn(self, tf: Any) -> None:
        x = tf.constant([1.0, 2.0])
        assert self.value(tf, tf.concat([x, x], 0)) == [1, 2, 1, 2]
        assert self.value(tf, tf.split(x, 2, 0)[0]) == [1]

    def test_cross_entropy_by_position(self, tf: Any) -> None:
        logits, labels = tf.constant([[0.0, 0.0]]), tf.constant([[1.0, 0.0]])
        with pytest.warns(old_names.OldNameWarning, match="labels=..., logits="):
            old = tf.nn.softmax_cross_entropy_with_logits(logits, labels)
        assert self.value(tf, old) == pytest.approx([0.6931472])

    def test_variables(self, tf: Any) -> None:
        w = tf.Variable(1.5)
        with pytest.warns(old_names.OldNameWarning) as caught:
            init = tf.initialize_all_variables()
            assert tf.all_variables() == [w]
        assert len(caught) == 2
        with tf.Session() as session:
            session.run(init)
            assert session.run(w) == 1.5

    def test_summaries(self, tf: Any, tmp_path: Path) -> None:
        x = tf.ones([1, 2, 2, 1])
        with pytest.warns(old_names.OldNameWarning) as caught:
            tf.scalar_summary("level", tf.reduce_mean(x))
            tf.contrib.deprecated.histogram_summary("values", x)
            tf.image_summary("picture", x, max_images=1)
            merged = tf.merge_all_summaries()
            writer = tf.train.SummaryWriter(str(tmp_path))
        assert len(caught) == 5
        with tf.Session() as session:
            writer.add_summary(session.run(merged), 1)
        writer.close()
        (events,) = tmp_path.iterdir()
        (summary,) = [e.summary for e in tf.train.summary_iterator(str(events)) if e.summary.value]
        assert [v.tag for v in summary.value] == ["level", "values", "picture/image"]

    def test_every_row_leads_somewhere(self) -> None:
        gone = {old.new for old in old_names.NAMES.values() if symbols.lookup_public("v1", old.new) is None}
        assert gone <= {"nn.static_state_saving_rnn", "matrix_solve_ls", "svd"}

    def test_they_are_no_names_of_tensorflow_2(self) -> None:
        with alias.using("tf2"), pytest.raises(AttributeError):
            _ = importlib.import_module("tensorflow").mul


class TestOldNumpy:
    def test_names_come_back_with_a_warning_each(self) -> None:
        old_names.forget()
        remove = old_numpy.install()
        try:
            with pytest.warns(old_names.OldNameWarning) as caught:
                assert np.zeros(1, np.int).dtype.kind == "i"  # type: ignore[attr-defined]
                assert np.int is int and np.asscalar(np.ones(1)) == 1.0  # type: ignore[attr-defined]
            assert [str(w.message).partition(" ")[0] for w in caught] == ["np.int", "np.asscalar"]
            assert str(caught[0].message) == "np.int is from before NumPy 2; it works here, and is now int"
            with pytest.raises(AttributeError, match="nonsense"):
                _ = np.nonsense  # type: ignore[attr-defined]
        finally:
            remove()
        with pytest.raises(AttributeError):
            _ = np.int  # type: ignore[attr-defined]


class TestContribCells:
    def test_static_rnn(self, tf: Any) -> None:
        rnn = tf.contrib.rnn
        cell = rnn.MultiRNNCell([rnn.BasicLSTMCell(3, forget_bias=1.0), rnn.BasicLSTMCell(2)])
        steps = tf.unstack(tf.ones([4, 5, 1]), axis=1)
        outputs, _ = rnn.static_rnn(cell, steps, dtype=tf.float32)
        with tf.variable_scope("both"):
            both, _, _ = rnn.static_bidirectional_rnn(
                rnn.BasicLSTMCell(3), rnn.BasicLSTMCell(2), steps, dtype=tf.float32
            )
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert [v.shape for v in session.run(outputs)] == [(4, 2)] * 5
            assert session.run(both[0]).shape == (4, 5)


class TestInstalling:
    def test_it_goes_away(self) -> None:
        with alias.using("tf1"):
            importlib.import_module("tensorflow.nn")
            assert alias.installed() == "tf1"
        assert alias.installed() is None
        assert not [name for name in sys.modules if name.partition(".")[0] == "tensorflow"]
        assert not tf1.executing_eagerly()

    def test_the_last_one_counts(self) -> None:
        with alias.using("tf1"):
            with alias.using("tf2"):
                assert alias.installed() == "tf2"
            assert alias.installed() == "tf1"

    def test_mistakes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ValueError, match='"tf1" or "tf2", not \'tf3\''):
            alias.install("tf3")
        monkeypatch.setitem(sys.modules, "tensorflow", type(sys)("tensorflow"))
        with pytest.raises(RuntimeError, match="imported already"):
            alias.install()


class TestInner:
    """What TensorFlow gives no public name."""

    def test_moving_average(self, tf: Any) -> None:
        average = importlib.import_module("tensorflow.python.training.moving_averages").assign_moving_average
        plain, debiased = tf.Variable(1.0), tf.Variable(0.0, name="d")
        both = average(plain, 3.0, 0.75, zero_debias=False), average(debiased, 3.0, 0.75)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(both) == pytest.approx((1.5, 3.0))
            assert session.run(both) == pytest.approx((1.875, 3.0))
            assert session.run([plain, debiased]) == pytest.approx([1.875, 3.0])

    def test_smart_cond(self, tf: Any) -> None:
        inner = importlib.import_module("tensorflow.python.framework.smart_cond")
        assert inner.smart_cond(True, lambda: "a", lambda: "b") == "a"
        chosen = inner.smart_cond(tf.placeholder_with_default(False, []), lambda: 1.0, lambda: 2.0)
        assert self.value(tf, chosen) == 2
        with pytest.raises(TypeError, match="pred must be"):
            inner.smart_cond("yes", lambda: 1, lambda: 2)

    def value(self, tf: Any, tensor: Any) -> Any:
        with tf.Session() as session:
            return session.run(tensor)

    def test_dependencies(self, tf: Any) -> None:
        w = tf.Variable(1.0)
        after = tf.python.ops.control_flow_ops.with_dependencies([w.assign_add(1.0)], tf.constant(5.0))
        with tf.Session() as session:
            session.run(w.initializer)
            assert session.run(after) == 5 and session.run(w) == 2
