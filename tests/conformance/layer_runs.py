"""Layers, recurrent networks and samplers at work, the same for pullback and for TensorFlow 2.21: what each answers.

Run by TensorFlow's Python with a path, it writes TensorFlow's answers there. Variables are set to the same numbers in
both, so nothing hangs on initializers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Answer = dict[str, Any]


def numbers(*shape: int) -> Any:
    return np.random.RandomState(sum(shape) + 7 * len(shape)).normal(size=shape).astype(np.float32)


ROWS, IMAGES, VOLUMES = numbers(2, 5, 3), numbers(2, 6, 6, 3), numbers(2, 4, 4, 4, 2)
MASK = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]], bool)
CLASSES = np.array([[1, 5], [7, 2], [0, 9]])


def settled(layer: Any) -> None:
    """Gives a layer's variables values that do not hang on chance."""
    made = [
        (np.sin(np.arange(w.size) * 0.9 + i) * 0.4 + (0.9 if w.ndim == 1 else 0)).reshape(w.shape)
        for i, w in enumerate(layer.get_weights())
    ]
    layer.set_weights([w.astype(np.float32) for w in made])


def layers_of(keras: Any) -> dict[str, tuple[Callable[[], Any], Any]]:
    made = keras.layers
    rows = {
        "dense": lambda: made.Dense(4, activation="relu"),
        "conv1d causal": lambda: made.Conv1D(4, 3, padding="causal", dilation_rate=2),
        "simple rnn backwards": lambda: made.SimpleRNN(4, return_sequences=True, go_backwards=True),
        "lstm": lambda: made.LSTM(4),
        "lstm sequences": lambda: made.LSTM(4, return_sequences=True),
        "gru": lambda: made.GRU(4),
        "gru reset before": lambda: made.GRU(4, reset_after=False, return_sequences=True),
        "bidirectional": lambda: made.Bidirectional(made.LSTM(3, return_sequences=True)),
        "time distributed": lambda: made.TimeDistributed(made.Dense(2)),
        "layer normalization": lambda: made.LayerNormalization(axis=[1, 2]),
        "batch normalization": lambda: made.BatchNormalization(momentum=0.7),
        "prelu": lambda: made.PReLU(),
        "separable": lambda: made.SeparableConv1D(3, 2),
        "average over time": lambda: made.GlobalAveragePooling1D(),
    }
    images = {
        "conv2d": lambda: made.Conv2D(6, 3, strides=2, padding="same", groups=3),
        "conv2d transpose": lambda: made.Conv2DTranspose(2, 3, strides=2, padding="same"),
        "depthwise": lambda: made.DepthwiseConv2D(3, depth_multiplier=2),
        "max pooling": lambda: made.MaxPooling2D(3, 2, "same"),
        "average pooling": lambda: made.AveragePooling2D(3, 2, "same"),
        "batch normalization of images": lambda: made.BatchNormalization(),
        "upsampling": lambda: made.UpSampling2D(2, interpolation="bilinear"),
        "zero padding": lambda: made.ZeroPadding2D(((1, 2), (0, 1))),
    }
    volumes = {"conv3d": lambda: made.Conv3D(3, 2), "conv3d transpose": lambda: made.Conv3DTranspose(3, 2, strides=2)}
    groups = (rows, ROWS), (images, IMAGES), (volumes, VOLUMES)
    return {name: (make, x) for group, x in groups for name, make in group.items()}


def layer_answers(tf: Any, make: Callable[[], Any], x: Any) -> Answer:
    """What a layer gives, in use and training, under a mask, and its gradients."""
    layer = make()
    layer(x)
    settled(layer)
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_sum(tf.sin(y) + y * y)
    grads = tape.gradient(loss, layer.trainable_variables)
    out = {"y": y, **{f"gradient {i}": tf.convert_to_tensor(g) for i, g in enumerate(grads)}}
    if "normalization" in layer.name:
        out["trained"] = layer(x, training=True)
        if x is not IMAGES:  # where Keras 2 and TensorFlow 1 average the variance divided by n - 1, and Keras 3 by n
            out["after"] = layer(x)
    if x is ROWS and any(word in layer.name for word in ("rnn", "lstm", "gru", "bidirectional", "average")):
        out["masked"] = layer(tf.constant(x), mask=tf.constant(MASK))
    return {key: np.asarray(value) for key, value in out.items()}


def training_answers(tf: Any) -> Answer:
    """The figures of some epochs."""
    keras = tf.keras
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(5, "tanh", kernel_regularizer="l2"), keras.layers.Dense(2, "softmax")]
    )
    for layer in model.layers:
        settled(layer)
    x = numbers(32, 3)
    y = (x.sum(1) > 0).astype(np.int32)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    fitted = model.fit(
        x, y, batch_size=8, epochs=3, shuffle=False, verbose=0, validation_data=(x[:6], y[:6]),
        class_weight={0: 1.0, 1: 2.0},
    )  # fmt: skip
    out = {key: np.array(values) for key, values in fitted.history.items()}
    return out | {"prediction": model.predict(x, verbose=0), "evaluation": np.array(model.evaluate(x, y, verbose=0))}


class Recurrent:
    """A cell without variables of its own, for TensorFlow's loops."""

    state_size = output_size = 4

    def __init__(self, tf: Any) -> None:
        self.tf, self.w = tf, tf.constant(numbers(7, 4))

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        return self.tf.zeros([batch_size, 4], dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        new = self.tf.tanh(self.tf.matmul(self.tf.concat([inputs, state], 1), self.w))
        return new, new


def loop_answers(tf: Any, lengths: Any) -> Answer:
    """dynamic_rnn, in both directions, with its gradient."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(ROWS)
        start = tf.zeros([2, 4])
        y, last = tf.nn.dynamic_rnn(Recurrent(tf), x, lengths, initial_state=start)
        both, states = tf.nn.bidirectional_dynamic_rnn(
            Recurrent(tf), Recurrent(tf), x, lengths, initial_state_fw=start, initial_state_bw=start
        )
        static = tf.nn.static_rnn(Recurrent(tf), tf.unstack(x, axis=1), start, sequence_length=lengths)
        (dx,) = tf.gradients(tf.reduce_sum(tf.sin(y)) + tf.reduce_sum(last * last), [x])
        found = session.run([y, last, *both, *states, *static[0], static[1], dx])
    return {str(i): value for i, value in enumerate(found)}


def sampler_answers(tf: Any, name: str, unique: bool, many: int) -> Answer:
    """Two draws of a sampler."""
    more = {"unigrams": [1.0 + (i * 7) % 13 for i in range(many)], "distortion": 0.75} if "fixed" in name else {}
    with tf.Graph().as_default(), tf.Session() as session:
        made = getattr(tf.nn, f"{name}_candidate_sampler")(CLASSES, 2, 6, unique, many, seed=11, **more)
        found = [session.run(made) for _ in range(2)]
    return {f"{i} {j}": value for i, draw in enumerate(found) for j, value in enumerate(draw)}


def sampled_loss_answers(tf: Any, name: str) -> Answer:
    """A sampled loss and its gradients."""
    with tf.Graph().as_default(), tf.Session() as session:
        xs = [tf.constant(a) for a in (numbers(20, 4), numbers(20), numbers(3, 4))]
        sampled = tf.nn.log_uniform_candidate_sampler(CLASSES, 2, 5, True, 20, seed=4)
        loss = getattr(tf.nn, name)(xs[0], xs[1], CLASSES, xs[2], 5, 20, 2, sampled_values=sampled)
        found = session.run([loss, *map(tf.convert_to_tensor, tf.gradients(loss, xs))])
    return {str(i): value for i, value in enumerate(found)}


def runs(tf: Any, tf1: Any) -> dict[str, Callable[[], Answer]]:
    """Everything that is compared, by name."""
    out: dict[str, Callable[[], Answer]] = {
        f"layer {name}": lambda made=made: layer_answers(tf, *made) for name, made in layers_of(tf.keras).items()
    }
    out["training"] = lambda: training_answers(tf)
    for lengths in (None, [3, 5]):
        out[f"loop {lengths}"] = lambda lengths=lengths: loop_answers(tf1, lengths)
    for name in ("uniform", "log_uniform", "learned_unigram", "fixed_unigram"):
        for unique, many in ((True, 64), (True, 100), (False, 10)):
            out[f"sampler {name} {unique} {many}"] = lambda args=(name, unique, many): sampler_answers(tf1, *args)
    for name in ("nce_loss", "sampled_softmax_loss"):
        out[f"loss {name}"] = lambda name=name: sampled_loss_answers(tf1, name)
    return out


def main() -> None:
    import tensorflow as tf  # pyright: ignore[reportMissingImports]

    made = {what: run() for what, run in runs(tf, tf.compat.v1).items()}
    np.savez(
        sys.argv[1], **{f"{what}|{part}": value for what, answer in made.items() for part, value in answer.items()}
    )


if __name__ == "__main__":
    main()
