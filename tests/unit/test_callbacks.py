"""Callbacks: what they do to training, and what they say of arguments that mean nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
from pullback.networks.callback import MOMENTS

C = tf.keras.callbacks


class Told:
    """A model whose only weight is the number of the epoch."""

    stop_training = False

    def __init__(self) -> None:
        self.weight = 0.0

    def get_weights(self) -> float:
        return self.weight

    def set_weights(self, weight: float) -> None:
        self.weight = weight


def _run(callback: Any, figures: list[float]) -> Told:
    """A training whose loss goes as told."""
    model = Told()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(figures):
        model.weight = float(epoch)
        callback.on_epoch_end(epoch, {"loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return model


def test_the_best_epochs_weights_come_back_also_where_training_is_not_stopped() -> None:
    stopping = C.EarlyStopping("loss", patience=10, restore_best_weights=True)
    assert _run(stopping, [3.0, 1.0, 2.0]).weight == 1.0


def test_training_that_still_gets_better_goes_on_below_its_baseline() -> None:
    assert not _run(C.EarlyStopping("loss", patience=1, baseline=0.5), [3.0, 2.0, 1.0]).stop_training
    assert _run(C.EarlyStopping("loss", patience=1, baseline=0.5), [3.0, 2.0, 2.5]).stop_training


def test_a_figure_that_is_not_there_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"EarlyStopping: there is no figure 'val_loss'.*\['loss'\]"):
        _run(C.EarlyStopping(), [1.0])


def _model() -> Any:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    return model


def _fit(model: Any, *callbacks: Any, **how: Any) -> Any:
    return model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0, callbacks=list(callbacks), **how)


def test_a_schedules_own_type_error_is_shown() -> None:
    def wrong(epoch: int, rate: float) -> float:
        return rate + "1"  # type: ignore[operator]

    with pytest.raises(TypeError, match="unsupported operand"):
        _fit(_model(), C.LearningRateScheduler(wrong))
    with pytest.raises(ValueError, match="must give a number"):
        _fit(_model(), C.LearningRateScheduler(lambda epoch: None))  # type: ignore[arg-type]


def test_a_schedule_may_take_the_epoch_alone() -> None:
    model = _model()
    _fit(model, C.LearningRateScheduler(lambda epoch: 0.5))
    assert float(model.optimizer.learning_rate.numpy()) == 0.5


def test_a_checkpoints_name_that_no_figure_fills_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"names 'acc', but the figures are \['loss'\]"):
        _fit(_model(), C.ModelCheckpoint(tmp_path / "{acc}.npz"))


def test_arguments_of_fit_generator_stand_in_keras_order() -> None:
    def batches() -> Any:
        while True:
            yield np.ones((2, 1)), np.ones((2, 1))

    history = _model().fit_generator(batches(), 1, 4, 0, None, None, None, 1, None, 10, 1, False, True, 2)
    assert history.epoch == [2, 3]
    with pytest.raises(TypeError, match="fit_generator: 14 arguments"):
        _model().fit_generator(batches(), *[None] * 14)


REFUSED = {
    "a moment of another name": (lambda: C.LambdaCallback(on_epoch_ends=print), TypeError, "on_epoch_ends"),
    "weights to begin with": (lambda: C.ModelCheckpoint("x", load_weights_on_restart=True), ValueError, "load_weights"),
    "a strategy in compile": (lambda: _model().compile("sgd", "mse", distribute=1), ValueError, "strategy's scope"),
    "signatures": (lambda: _model().save("x", signatures={}), ValueError, "saved_model"),
    "updates of no session": (lambda: _function(updates=[1]), ValueError, "updates are for a session's graph"),
    "options of no session": (lambda: _function(options=1), ValueError, "options"),
}


def _function(**how: Any) -> Any:
    x = tf.keras.Input((1,))
    return tf.keras.backend.function([x], [x * 2], **how)


@pytest.mark.parametrize(("call", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_is_refused(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_each_moment_is_told_of_its_figures() -> None:
    told: list[Any] = []
    moments = {name: lambda *args, name=name: told.append((name, *args)) for name in sorted(MOMENTS)}
    _fit(_model(), C.LambdaCallback(**moments))
    assert [(name, len(rest)) for name, *rest in told] == [
        ("on_train_begin", 1), ("on_epoch_begin", 2), ("on_train_batch_begin", 2), ("on_train_batch_end", 2),
        ("on_epoch_end", 2), ("on_train_end", 1),
    ]  # fmt: skip
    assert all(isinstance(rest[-1], dict) for _, *rest in told)


def test_a_tokenizer_counts_sequences_of_numbers() -> None:
    words = tf.keras.preprocessing.text.Tokenizer(num_words=3)
    words.fit_on_sequences([[1, 1, 2], [1]])
    found = words.sequences_to_matrix([[1, 2]], "tfidf")
    np.testing.assert_allclose(found, [[0, np.log(1 + 2 / (1 + 2)), np.log(1 + 2 / (1 + 1))]])


def test_a_tokenizers_number_of_words_counts_on_the_way_back() -> None:
    words = tf.keras.preprocessing.text.Tokenizer(num_words=3)
    words.fit_on_texts(["a a a b b c"])
    assert words.sequences_to_texts([[1, 2, 3]]) == ["a b"]


def test_figures_are_found_by_the_names_of_other_versions() -> None:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, activation="sigmoid", input_shape=(3,))])
    model.compile(tf.keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
    x, y = np.ones((4, 3), np.float32), np.ones((4, 1), np.float32)
    stop = C.EarlyStopping("val_acc", patience=1)
    rate = C.LearningRateScheduler(lambda epoch: 0.1)
    history = model.fit(x, y, epochs=9, verbose=0, validation_split=0.5, callbacks=[stop, rate]).history
    assert history["val_acc"] is history["val_accuracy"] and len(history["acc"]) == len(history["learning_rate"]) < 9
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy", "lr"}
    assert history.get("acc") == history["accuracy"] and history.get("mae") is None
    with pytest.raises(KeyError, match="val_mae"):
        history["val_mae"]
