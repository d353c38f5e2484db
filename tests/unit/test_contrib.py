"""`tf.contrib`: scopes of arguments, layers by their variables, eager gradients, scipy, MNIST's files."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.core import interpreter
from pullback.modes import default

layers, slim, framework, tfe = tf.contrib.layers, tf.contrib.slim, tf.contrib.framework, tf.contrib.eager
mnist = tf.examples.tutorials.mnist.input_data


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def run(*fetches: Any, feed: Any = None) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(list(fetches), feed)
    return found[0] if len(found) == 1 else found


class TestArgScope:
    def test_nesting_and_order(self) -> None:
        @slim.add_arg_scope
        def f(x: int, a: int = 1, b: int = 2) -> Any:
            return x, a, b

        with slim.arg_scope([f], a=5) as outer:
            with slim.arg_scope([f], b=6):
                assert f(0) == (0, 5, 6) and f(0, b=7) == (0, 5, 7)
            assert f(0) == (0, 5, 2)
        assert f(0) == (0, 1, 2)
        with slim.arg_scope(outer):
            assert f(0) == (0, 5, 2)
        assert slim.has_arg_scope(f) and slim.arg_scoped_arguments(f) == ("a", "b")

    def test_mistakes(self) -> None:
        with pytest.raises(ValueError, match="not decorated"), slim.arg_scope([len], a=1):
            pass
        with pytest.raises(ValueError, match="no argument 'strides'"), slim.arg_scope([slim.conv2d], strides=2):
            pass
        with pytest.raises(TypeError, match="list/tuple"), slim.arg_scope(3):
            pass
        with pytest.raises(ValueError, match="kwargs must be empty"), slim.arg_scope({}, a=1):
            pass


class TestLayers:
    def test_fully_connected(self) -> None:
        x = np.array([[1.0, -2.0], [3.0, 4.0]], np.float32)
        y = layers.fully_connected(x, 3, weights_initializer=tf.ones_initializer(), scope="fc")
        z = layers.linear(x[None], 1, weights_initializer=tf.ones_initializer(), biases_initializer=None)
        assert [v.op.name for v in tf.trainable_variables()] == ["fc/weights", "fc/biases", "fully_connected/weights"]
        out, ranks = run(y, z)
        assert out.tolist() == [[0, 0, 0], [7, 7, 7]] and ranks.tolist() == [[[-1], [7]]]
        assert len(slim.get_model_variables("fc")) == 2

    def test_convolutions(self) -> None:
        x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
        ones = {"weights_initializer": tf.ones_initializer(), "activation_fn": None}
        y = layers.conv2d(x, 1, 2, padding="VALID", stride=2, **ones)
        up = layers.conv2d_transpose(x, 1, [2, 2], stride=2, **ones)
        deep = layers.separable_conv2d(x, None, 2, padding="VALID", **ones)
        first = layers.conv2d(x.transpose(0, 3, 1, 2), 1, 2, padding="VALID", stride=2, data_format="NCHW", **ones)
        pooled = layers.avg_pool2d(x, 2), layers.max_pool2d(x, 2)
        blocks = x.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(2, 2, 4)
        found, grown, alone, channels, mean, most = run(y, up, deep, first, *pooled)
        assert found[0, :, :, 0].tolist() == blocks.sum(2).tolist() == channels[0, 0].tolist()
        assert (
            mean[0, :, :, 0].tolist() == blocks.mean(2).tolist() and most[0, :, :, 0].tolist() == blocks.max(2).tolist()
        )
        assert grown.shape == (1, 8, 8, 1) and grown[0, ::2, ::2, 0].tolist() == x[0, :, :, 0].tolist()
        assert alone.shape == (1, 3, 3, 1)
        names = [v.op.name for v in tf.trainable_variables()]
        assert names[:4] == ["Conv/weights", "Conv/biases", "Conv2d_transpose/weights", "Conv2d_transpose/biases"]
        assert names[4:6] == ["SeparableConv2d/depthwise_weights", "SeparableConv2d/biases"]

    def test_repeat_and_stack_name_their_scopes(self) -> None:
        x = tf.zeros([1, 4, 4, 1])
        slim.repeat(x, 2, slim.conv2d, 2, [3, 3], scope="c")
        slim.stack(slim.flatten(x), slim.fully_connected, [3, 2], scope="f")
        assert [v.op.name for v in slim.get_variables_by_name("weights")] == [
            "c/c_1/weights", "c/c_2/weights", "f/f_1/weights", "f/f_2/weights",
        ]  # fmt: skip

    def test_batch_norm_follows_the_batch(self) -> None:
        x = np.array([[1.0, 2.0], [3.0, 6.0]], np.float32)
        training = tf.placeholder_with_default(True, [])
        y = layers.batch_norm(x, decay=0.5, scale=True, is_training=training, epsilon=0.0, scope="bn")
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        names = [v.op.name for v in layers_variables()]
        assert names == ["bn/beta", "bn/gamma", "bn/moving_mean", "bn/moving_variance"]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert np.allclose(session.run(y), [[-1, -1], [1, 1]])
            session.run(updates)
            mean, variance = session.run(layers_variables()[2:])
            assert np.allclose(mean, [1, 2]) and np.allclose(variance, [1, 2.5])
            assert np.allclose(session.run(y, {training: False}), (x - mean) / np.sqrt(variance))
            session.run(updates, {training: False})
            assert np.allclose(session.run(layers_variables()[2]), mean)

    def test_batch_norm_updates_in_place(self) -> None:
        y = layers.batch_norm(np.float32([[1.0], [3.0]]), decay=0.0, updates_collections=None)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(y)
            assert session.run(tf.moving_average_variables() or layers_variables()[1]).tolist() == [2]

    def test_layer_norm(self) -> None:
        out = run(layers.layer_norm(np.float32([[1.0, 3.0], [10.0, 20.0]])))
        assert np.allclose(out, [[-1, 1], [-1, 1]])

    def test_regularizers_and_initializers(self) -> None:
        w = tf.constant([1.0, -2.0])
        both = layers.l1_regularizer(0.5)(w), layers.l2_regularizer(0.5)(w), layers.l1_l2_regularizer(1.0, 1.0)(w)
        assert run(*both) == pytest.approx([1.5, 1.25, 5.5])
        assert layers.l2_regularizer(0.0)(w) is None
        with pytest.raises(ValueError, match="cannot be an integer"):
            layers.l2_regularizer(1)
        drawn = run(layers.xavier_initializer(seed=1)([100, 50]))
        assert np.abs(drawn).max() <= np.sqrt(6 / 150) and drawn.std() == pytest.approx(np.sqrt(2 / 150), rel=0.05)
        slim.conv2d(tf.zeros([1, 4, 4, 1]), 1, 1, weights_regularizer=slim.l2_regularizer(0.5))
        assert len(tf.losses.get_regularization_losses()) == 1

    def test_small_ones(self) -> None:
        assert run(layers.one_hot_encoding([1, 0], 3)).tolist() == [[0, 1, 0], [1, 0, 0]]
        assert np.allclose(run(layers.unit_norm(np.float32([[3.0, 4.0]]), 1)), [[0.6, 0.8]])
        assert run(slim.dropout(tf.ones([4]), is_training=False)).tolist() == [1, 1, 1, 1]
        assert run(layers.embed_sequence([[0, 1]], 3, 2, initializer=tf.ones_initializer())).tolist() == [
            [[1, 1], [1, 1]]
        ]
        assert run(layers.bias_add(tf.zeros([1, 2]), initializer=tf.ones_initializer())).tolist() == [[1, 1]]


def layers_variables() -> Any:
    return tf.contrib.framework.get_model_variables()


class TestTraining:
    def test_create_train_op_and_optimize_loss(self) -> None:
        w = tf.get_variable("w", initializer=4.0)
        step = slim.learning.create_train_op(w * w, tf.train.GradientDescentOptimizer(0.25), clip_gradient_norm=1.0)
        other = layers.optimize_loss(w * w, None, 0.25, "SGD")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(step) == 16 and session.run(w) == 3.75
            session.run(other)
            assert session.run([w, framework.get_global_step()]) == [1.875, 2]
        with pytest.raises(ValueError, match="Optimizer name should be one of"):
            layers.optimize_loss(w, None, 0.1, "Best")

    def test_losses_have_predictions_first(self) -> None:
        p, t = tf.constant([1.0, 2.0]), tf.constant([1.0, 4.0])
        assert run(tf.contrib.losses.mean_squared_error(p, t)) == run(tf.losses.mean_squared_error(t, p)) == 2
        logits, labels = tf.constant([[1.0, 0.0]]), tf.constant([[1.0, 0.0]])
        assert run(slim.losses.softmax_cross_entropy(logits, labels)) == pytest.approx(0.31326166)
        assert len(slim.losses.get_losses()) == 3
        with pytest.raises(TypeError, match="needs 'labels'"):
            slim.losses.mean_squared_error(p)

    def test_metrics(self) -> None:
        value, update = tf.contrib.metrics.streaming_accuracy(tf.constant([1, 0]), tf.constant([1, 1]))
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            session.run(update)
            assert session.run(value) == 0.5
        assert run(tf.contrib.metrics.accuracy(tf.constant([1, 0]), tf.constant([1, 1]))) == 0.5
        assert slim.metrics.aggregate_metrics((1, 2), (3, 4)) == ([1, 3], [2, 4])

    def test_variables_by_value(self) -> None:
        w = slim.model_variable("w", [2], initializer=tf.zeros_initializer())
        slim.variable("v", [1], initializer=tf.zeros_initializer())
        assert slim.get_model_variables() == [w] and slim.get_unique_variable("w") is w
        assert [v.op.name for v in slim.get_variables_to_restore(exclude=["v"])] == ["w"]
        with tf.Session() as session:
            slim.assign_from_values_fn({"w": np.array([1.0, 2.0])})(session)
            assert session.run(w).tolist() == [1, 2]
        assert slim.model_analyzer.analyze_vars([w]) == (2, 8)

    def test_scipy(self) -> None:
        pytest.importorskip("scipy")
        v = tf.Variable([7.0, 7.0])
        loss = tf.reduce_sum(tf.square(v))
        free = tf.contrib.opt.ScipyOptimizerInterface(loss, options={"maxiter": 50})
        bound = tf.contrib.opt.ScipyOptimizerInterface(loss, var_to_bounds={v: (1.0, 9.0)})
        kept = tf.contrib.opt.ScipyOptimizerInterface(loss, equalities=[v[0] - 2.0], inequalities=[v[1] - 3.0])
        seen: list[Any] = []
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            free.minimize(session, fetches=[loss], loss_callback=seen.append)
            assert np.allclose(session.run(v), [0, 0], atol=1e-4) and seen[0] == 98
            bound.minimize(session)
            assert np.allclose(session.run(v), [1, 1], atol=1e-4)
            kept.minimize(session)
            assert np.allclose(session.run(v), [2, 3], atol=1e-4)


class TestEager:
    @pytest.fixture(autouse=True)
    def eagerly(self, graph: None) -> Iterator[None]:
        before = default.eager_by_default(True)
        with interpreter.entered(interpreter.eager()):
            yield
        default.eager_by_default(before)

    def test_gradients_of_functions(self) -> None:
        f = lambda x: tf.square(tf.sin(x))  # noqa: E731
        first = tfe.gradients_function(f)
        second = tfe.gradients_function(lambda x: first(x)[0])
        assert float(first(1.0)[0]) == pytest.approx(np.sin(2.0), rel=1e-6)
        assert float(second(1.0)[0]) == pytest.approx(2 * np.cos(2.0), rel=1e-6)
        value, (by_y,) = tfe.value_and_gradients_function(lambda x, y: x * y, ["y"])(3.0, 4.0)
        assert (float(value), float(by_y)) == (12, 3)
        with pytest.raises(ValueError, match="is no parameter"):
            tfe.gradients_function(f, ["z"])(1.0)

    def test_gradients_of_variables(self) -> None:
        w = tfe.Variable(3.0)
        value, ((dw, of),) = tfe.implicit_value_and_gradients(lambda x: x * w * w)(2.0)
        assert (float(value), float(dw)) == (18, 12) and of is w
        with pytest.raises(ValueError, match="No trainable variables"):
            tfe.implicit_gradients(lambda: tf.constant(1.0))()

    def test_iterators(self) -> None:
        found = tfe.Iterator(tf.data.Dataset.from_tensor_slices([1, 2, 3]))
        assert [int(found.next()), int(found.get_next()), *map(int, found)] == [1, 2, 3]
        with pytest.raises(tf.errors.OutOfRangeError):
            found.get_next()


class TestMnist:
    def write(self, folder: Path, name: str, array: Any, packed: bool = False) -> None:
        head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        data = head + array.astype(np.uint8).tobytes()
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data) if packed else data)

    def test_files_plain_and_packed(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        images, labels = rng.integers(0, 256, (12, 28, 28)), np.arange(12) % 10
        self.write(tmp_path, "train-images-idx3-ubyte", images, packed=True)
        self.write(tmp_path, "train-labels-idx1-ubyte", labels)
        self.write(tmp_path, "t10k-images-idx3-ubyte", images[:3])
        self.write(tmp_path, "t10k-labels-idx1-ubyte", labels[:3], packed=True)
        data = mnist.read_data_sets(str(tmp_path), one_hot=True, validation_size=2, seed=3)
        assert [part.num_examples for part in data] == [10, 2, 3]
        assert np.allclose(data.test.images, images[:3].reshape(3, 784) / 255)
        assert data.validation.labels.argmax(1).tolist() == [0, 1]
        seen = [data.train.next_batch(4) for _ in range(5)]
        assert data.train.epochs_completed == 1
        assert sorted(np.concatenate([y for _, y in seen]).argmax(1)[:10]) == sorted(labels[2:] % 10)
        for x, y in seen:
            assert np.allclose(x * 255, images.reshape(12, 784)[[int(self.place(images, row)) for row in x]])
            assert y.shape == (4, 10)

    def place(self, images: Any, row: Any) -> Any:
        return np.abs(images.reshape(12, 784) - row * 255).sum(1).argmin()

    def test_what_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(
            FileNotFoundError, match=r"train-images-idx3-ubyte, .* are not in .*put the four files there"
        ):
            mnist.read_data_sets(str(tmp_path))
        x, y = mnist.read_data_sets(str(tmp_path), fake_data=True, one_hot=True).train.next_batch(3)
        assert x.shape == (3, 784) and y.shape == (3, 10)

    def test_what_is_no_idx_file(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 28, 28))
        with pytest.raises(tf.errors.DataLossError, match="says it holds"):
            mnist.extract_images(str(tmp_path / "x"))
        (tmp_path / "x").write_bytes(b"PNG")
        with pytest.raises(tf.errors.DataLossError, match="no IDX file"):
            mnist.extract_labels(str(tmp_path / "x"))
