"""Keras' models: networks cut from symbolic tensors, training in all three ways, callbacks, files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1

keras = tf.keras
layers = keras.layers
rng = np.random.default_rng(4)
X = rng.normal(size=(64, 3)).astype(np.float32)
Y = (X.sum(1) > 0).astype(np.int32)


@pytest.fixture(autouse=True)
def seeds() -> Iterator[None]:
    """The same numbers and orders in each test."""
    tf.random.set_seed(0)
    np.random.seed(0)  # what fit shuffles by
    yield
    tf.random.set_seed(None)


def small(**kwargs: Any) -> Any:
    model = keras.Sequential([layers.Dense(8, activation="tanh", input_shape=(3,)), layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"], **kwargs)
    return model


def linear() -> Any:
    """One unit, whose training can be followed by hand."""
    model = keras.Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


# --- networks ---------------------------------------------------------------------------------------------------------


def test_a_network_with_branches_shared_layers_and_plain_operations() -> None:
    a, b = keras.Input((3,)), keras.Input((3,), name="b")
    shared = layers.Dense(2, name="shared")
    total = shared(a) * 2.0 + tf.nn.relu(shared(b))
    model = keras.Model([a, b], [total, layers.concatenate([shared(a), total])])
    w, c = model.get_weights()
    first, second = model.predict([X, -X], verbose=0)
    expected = 2 * (X @ w + c) + np.maximum(-X @ w + c, 0)
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(second[:, 2:], expected, rtol=1e-4, atol=1e-5)
    assert len(model.layers) == 4
    assert model.get_layer("shared") is shared


def test_layers_stand_in_keras_order() -> None:
    """Furthest from the outputs first; the orders are Keras 3's."""
    a, b, c = (keras.Input((n,), name=name) for n, name in ((4, "a"), (3, "b"), (2, "c")))
    x, y = layers.Dense(5, name="d1")(a), layers.Dense(5, name="d2")(b)
    z = layers.Add(name="add")([y, layers.Dense(5, name="d3")(x)])
    u = layers.Dense(7, name="shared")(layers.Concatenate(name="cat")([z, c]))
    one = layers.Dense(1, name="one")(layers.Dense(7, name="d4")(u))
    two = layers.Dense(1, name="two")(y)
    first = ["a", "b", "d1", "d2", "d3", "add", "c", "cat", "shared", "d4"]
    assert [layer.name for layer in keras.Model([a, b, c], [one, two]).layers] == [*first, "one", "two"]
    assert [layer.name for layer in keras.Model([c, a, b], [two, one]).layers] == [*first, "two", "one"]
    t, twice = keras.Input((5,), name="t"), layers.Dense(5, name="twice")
    both = layers.Add(name="sum")([twice(twice(t)), layers.Dense(5, name="once")(t)])
    assert [layer.name for layer in keras.Model(t, both).layers] == ["t", "twice", "once", "sum"]


def test_parts_of_a_network_are_models() -> None:
    x = keras.Input((3,))
    h = layers.Dense(4, name="hidden")(x)
    whole = keras.Model(x, layers.Dense(1)(h))
    part = keras.Model(whole.input, whole.get_layer("hidden").output)
    w, b = part.get_weights()
    np.testing.assert_allclose(part(X), X @ w + b, rtol=1e-4, atol=1e-5)
    nested = keras.Sequential([part, layers.Dense(2)])
    assert nested(X).shape == (64, 2)
    assert nested.layers[0] is part


def test_a_network_that_leads_to_no_input_is_refused() -> None:
    a, b = keras.Input((3,)), keras.Input((3,))
    with pytest.raises(ValueError, match="Graph disconnected"):
        keras.Model(a, layers.add([a, b]))


def test_sequential_is_built_when_its_inputs_are_known() -> None:
    model = keras.Sequential([layers.Dense(2), layers.Dense(1)])
    assert model.weights == []
    model.build((None, 3))
    assert [tuple(v.shape) for v in model.weights] == [(3, 2), (2,), (2, 1), (1,)]
    model.pop()
    assert model(X).shape == (64, 2)


def test_training_reaches_layers_that_behave_differently() -> None:
    model = keras.Sequential([layers.Dropout(0.5, input_shape=(3,))])
    np.testing.assert_array_equal(model(X), X)
    assert (np.asarray(model(X, training=True)) == 0).any()


# --- training ---------------------------------------------------------------------------------------------------------


def test_fit_does_what_gradient_descent_does() -> None:
    model = linear()
    y = rng.normal(size=(64, 1)).astype(np.float32)
    w, b = np.ones((3, 1)), np.zeros(1)
    losses = []
    for _ in range(3):
        total = 0.0
        for rows in (slice(0, 32), slice(32, 64)):
            error = X[rows] @ w + b - y[rows]
            total += np.mean(error**2) / 2
            w, b = w - 0.1 * 2 * X[rows].T @ error / 32, b - 0.1 * 2 * error.mean(0)
        losses.append(total)
    history = model.fit(X, y, epochs=3, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4)


def test_weights_of_samples_and_classes_count_alike() -> None:
    by_sample, by_class = small(), small()
    by_class.set_weights(by_sample.get_weights())
    by_sample.fit(X, Y, sample_weight=np.where(Y, 3.0, 1.0), shuffle=False, verbose=0)
    by_class.fit(X, Y, class_weight={0: 1.0, 1: 3.0}, shuffle=False, verbose=0)
    for a, b in zip(by_sample.get_weights(), by_class.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_fit_learns_and_validates() -> None:
    model = small()
    history = model.fit(X, Y, epochs=15, verbose=0, validation_split=0.25).history
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history["loss"][-1] < history["loss"][0] / 2
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    logits = model.predict(X, verbose=0)
    assert accuracy == pytest.approx(np.mean(logits.argmax(1) == Y))
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert loss == pytest.approx(-log_p[np.arange(64), Y].mean(), rel=1e-4)


def test_data_may_come_as_batches() -> None:
    model = linear()
    y = X.sum(1, keepdims=True)

    class Halves(keras.utils.Sequence):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, i: int) -> Any:
            return X[i * 32 : i * 32 + 32], y[i * 32 : i * 32 + 32]

    assert model.fit(Halves(), epochs=2, verbose=0).params["steps"] == 2
    endless = itertools.cycle([(X[:8], y[:8])])
    assert len(model.fit(endless, steps_per_epoch=3, epochs=2, verbose=0).history["loss"]) == 2
    assert model.predict(Halves(), verbose=0).shape == (64, 1)


def test_losses_and_metrics_by_output() -> None:
    x = keras.Input((3,))
    a = layers.Dense(1, name="a")(x)
    model = keras.Model(x, [a, layers.Dense(2, name="b")(a)])
    model.compile("sgd", {"a": "mse", "b": "mae"}, metrics={"b": ["mse"]}, loss_weights={"a": 0.5, "b": 2.0})
    logs = model.evaluate(X, {"a": np.ones((64, 1)), "b": np.zeros((64, 2))}, verbose=0, return_dict=True)
    first, second = model.predict(X, verbose=0)
    assert list(logs) == ["loss", "a_loss", "b_loss", "b_mse"]
    assert logs["a_loss"] == pytest.approx(np.mean((first - 1) ** 2), rel=1e-4)
    assert logs["b_loss"] == pytest.approx(np.mean(np.abs(second)), rel=1e-4)
    assert logs["loss"] == pytest.approx(0.5 * logs["a_loss"] + 2 * logs["b_loss"], rel=1e-4)


def test_layers_losses_count_and_custom_steps_run() -> None:
    class Mine(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.out = layers.Dense(1, kernel_regularizer=keras.regularizers.l2(1.0))

        def call(self, x: Any) -> Any:
            return self.out(x)

        def train_step(self, data: Any) -> Any:
            x, y = data[:2]
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x, training=True) - y) ** 2) + sum(self.losses)
            self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
            return {"loss": loss, "mine": loss * 2.0}

    model = Mine()
    model.compile("sgd", "mse")
    history = model.fit(X, X[:, :1], verbose=0).history
    assert history["mine"][0] == pytest.approx(2 * history["loss"][0], rel=1e-6)
    plain = model.evaluate(X, X[:, :1], verbose=0)
    kernel = model.get_weights()[0]
    error = np.mean((model.predict(X, verbose=0) - X[:, :1]) ** 2)
    assert plain == pytest.approx(error + np.sum(kernel**2), rel=1e-4)


def test_what_is_trained_is_settled_by_compile() -> None:
    judge = linear()
    judge.trainable = False
    x = keras.Input((3,))
    both = keras.Model(x, judge(layers.Dense(3)(x)))
    both.compile("sgd", "mse")
    before = judge.get_weights()[0]
    both.train_on_batch(X, X[:, :1])
    np.testing.assert_array_equal(judge.get_weights()[0], before)
    judge.train_on_batch(X, X[:, :1])
    assert not np.array_equal(judge.get_weights()[0], before)
    assert judge.trainable_weights == []


def test_models_of_tensorflow_1_train_in_its_graph() -> None:
    with tf1.Graph().as_default():
        tf1.set_random_seed(0)
        model = tf1.keras.Sequential(
            [tf1.keras.layers.Dense(8, activation="relu", input_shape=(3,)), tf1.keras.layers.BatchNormalization()]
        )
        model.add(tf1.keras.layers.Dense(2))
        loss = tf1.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(tf1.train.AdamOptimizer(0.05), loss, metrics=["accuracy"])
        history = model.fit(X, Y, epochs=15, verbose=0).history
        assert history["loss"][-1] < history["loss"][0]
        assert model.evaluate(X, Y, verbose=0)[1] > 0.7
        assert model.weights[0] in tf1.trainable_variables()
        mean = tf1.keras.backend.get_value(model.layers[1].moving_mean)
        assert np.abs(mean).max() > 0


# --- callbacks --------------------------------------------------------------------------------------------------------


def test_early_stopping_restores_the_best() -> None:
    model = linear()
    seen: list[Any] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0]))
    stop = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    worse = X[:8], X[:8].sum(1, keepdims=True)  # met at the start, and left by training
    model.fit(X, -X.sum(1), epochs=9, verbose=0, validation_data=worse, callbacks=[keep, stop])
    assert len(seen) == 3
    np.testing.assert_array_equal(model.get_weights()[0], seen[0])


def test_learning_rates_are_steered() -> None:
    model = linear()
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    history = model.fit(X, X[:, :1], epochs=3, verbose=0, callbacks=[schedule]).history
    np.testing.assert_allclose(history["lr"], [0.1, 0.05, 0.1 / 3], rtol=1e-5)
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    model.fit(X, X[:, :1], epochs=3, verbose=0, callbacks=[plateau])
    assert keras.backend.get_value(model.optimizer.learning_rate) == pytest.approx(0.1 / 3 / 4, rel=1e-5)


def test_figures_and_models_go_to_files(tmp_path: Path) -> None:
    model = small()
    table, best = tmp_path / "log.csv", tmp_path / "m-{epoch:02d}.npz"
    model.fit(
        X, Y, epochs=2, verbose=0, callbacks=[keras.callbacks.CSVLogger(table), keras.callbacks.ModelCheckpoint(best)]
    )
    lines = table.read_text().splitlines()
    assert lines[0] == "epoch,accuracy,loss"
    assert lines[2].startswith("1,")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log.csv", "m-01.npz", "m-02.npz"]
    again = keras.models.load_model(tmp_path / "m-02.npz")
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_saved_model_comes_back_compiled(tmp_path: Path) -> None:
    x = keras.Input((3,))
    h = layers.Dense(4, activation="relu")(x)
    model = keras.Model(x, layers.add([h, layers.Dense(4)(h)]))
    model.compile(keras.optimizers.SGD(0.25, momentum=0.5), "mse", metrics=["mae"])
    model.save(tmp_path / "model.h5")
    again = keras.models.load_model(tmp_path / "model.h5")
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
    assert float(again.optimizer.learning_rate) == 0.25
    targets = np.ones((64, 4))
    assert again.evaluate(X, targets, verbose=0) == pytest.approx(model.evaluate(X, targets, verbose=0), rel=1e-5)
    copy = keras.models.model_from_json(model.to_json())
    assert [v.shape for v in copy.weights] == [v.shape for v in model.weights]


def test_weights_by_order_and_by_name(tmp_path: Path) -> None:
    first, second = small(), small()
    first.save_weights(tmp_path / "w")
    second.load_weights(tmp_path / "w")
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
    with pytest.raises(ValueError, match="holds 4 variables, but"):
        linear().load_weights(tmp_path / "w")


def test_files_of_strangers_run_nothing_and_are_named(tmp_path: Path) -> None:
    for content, word in ((b"\x89HDF\r\n\x1a\n", "HDF5"), (b"nonsense", "damaged"), (b"PK\x03\x04half", "damaged")):
        file = tmp_path / "given"
        file.write_bytes(content)
        with pytest.raises(ValueError, match=word):
            keras.models.load_model(file)
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, about=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match="damaged"):
        keras.models.load_model(pickled)
    whole = tmp_path / "whole"
    small().save(whole)
    whole.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(ValueError, match="damaged"):
        keras.models.load_model(whole)


def test_functions_are_not_kept_in_files(tmp_path: Path) -> None:
    def double(x: Any) -> Any:
        return x * 2.0

    model = keras.Sequential([layers.Lambda(double, input_shape=(3,))])
    model.save(tmp_path / "m")
    with pytest.raises(ValueError, match="custom_objects"):
        keras.models.load_model(tmp_path / "m")


# --- words and arrays -------------------------------------------------------------------------------------------------


def test_sequences_of_one_length() -> None:
    pad = keras.preprocessing.sequence.pad_sequences
    np.testing.assert_array_equal(pad([[1, 2, 3], [4], []], maxlen=2), [[2, 3], [0, 4], [0, 0]])
    post = pad([[1, 2, 3], [4]], padding="post", truncating="post", value=9, maxlen=2)
    np.testing.assert_array_equal(post, [[1, 2], [4, 9]])
    np.testing.assert_array_equal(keras.utils.to_categorical([[1], [2]]), [[0, 1, 0], [0, 0, 1]])


def test_words_as_numbers() -> None:
    words = keras.preprocessing.text.Tokenizer(num_words=3, oov_token="?")
    words.fit_on_texts(["The cat, the dog!", "the end"])
    assert words.word_index == {"?": 1, "the": 2, "cat": 3, "dog": 4, "end": 5}
    assert words.texts_to_sequences(["the cat"]) == [[2, 1]]


def test_the_summary_says_what_there_is() -> None:
    lines: list[str] = []
    small().summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "(None, 8)" in text
    assert "Total params: 50" in text


def test_the_backend_answers_under_keras_names() -> None:
    backend = keras.backend
    np.testing.assert_allclose(backend.sum(X, axis=1), X.sum(1), rtol=1e-5)
    assert backend.int_shape(keras.Input((4,))) == (None, 4)
    x = keras.Input((3,))
    f = backend.function([x], [x * 2.0])
    np.testing.assert_allclose(f([X])[0], 2 * X)
    assert (backend.floatx(), backend.epsilon(), backend.image_data_format()) == ("float32", 1e-7, "channels_last")


def test_a_picture_of_a_network_shows_what_flows_where(tmp_path: Path) -> None:
    x = keras.Input((3,), name="x")
    h = layers.Dense(2, name="h")(x) * 2.0
    model = keras.Model(x, layers.add([h, layers.Dense(2, name="g")(h)], name="sum"))
    file = keras.utils.plot_model(model, tmp_path / "model.dot", show_shapes=True, show_layer_names=True)
    text = file.read_text()
    names = {line.split('"')[1].split(":")[0]: line.split()[0] for line in text.splitlines() if "label" in line}
    assert "(None, 3) -> (None, 2)" in text
    arrows = [("x", "h"), ("h", "g"), ("h", "sum"), ("g", "sum")]
    assert all(f"{names[a]} -> {names[b]};" in text for a, b in arrows)
    assert text.count(" -> ") == 4 + 4


def test_a_schedule_that_cannot_be_described_trains() -> None:
    class Halved(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 0.5 ** (tf.cast(step, tf.float32) + 1)

    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(Halved()), "mse")
    before = model.get_weights()[1]
    model.fit(X, np.zeros((len(X), 1), np.float32), epochs=1, verbose=0)
    assert not np.array_equal(model.get_weights()[1], before)
    with pytest.raises(NotImplementedError, match="'Halved' must override `get_config"):
        model.optimizer.get_config()


@pytest.mark.parametrize("given", [2, tf.constant(2), np.zeros((2, 5, 3), np.float32)])
def test_recurrent_layers_begin_with_zeros_for_a_batch_or_its_size(given: Any) -> None:
    (state,) = layers.GRU(4).get_initial_state(given if np.ndim(given) == 0 else tf.constant(given))
    assert state.shape == (2, 4) and state.dtype == tf.float32
    h, c = layers.LSTM(4).get_initial_state(batch_size=2)
    assert h.shape == c.shape == (2, 4)
