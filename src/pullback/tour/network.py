"""A LeNet-like network for 8 by 8 digits, trained twice: by a session's graph, and by a tape inside `tf.function`.

    digit 8x8 - conv 3x3, 16 - relu - pool 4x4 - conv 3x3, 32 - relu - pool 2x2 - dense 64 - relu - dense 10

Both trainings start from the same weights and see the same batches; only who records the computation differs, so the
losses must agree at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pullback as tf
import pullback.v1 as tf1
from pullback.explain.digits import Digits, Split
from pullback.ops.random import philox

Weights = dict[str, NDArray[Any]]
SHAPES = {
    "w1": (3, 3, 1, 16),
    "b1": (16,),
    "w2": (3, 3, 16, 32),
    "b2": (32,),
    "w3": (128, 64),
    "b3": (64,),
    "w4": (64, 10),
    "b4": (10,),
}
BATCH = 32
RATE = 0.1


def initial(seed: int = 0) -> Weights:
    """Weights to start from: He et al. 2015, normal with variance 2 / fan-in; biases zero.

    From Philox, so a seed always gives the same numbers. The counters of two draws are far apart, that no block of
    random words serves both; those of `split` lie below 2**64, those of `batches` from 2**96 on.
    """
    weights: Weights = {}
    for i, (name, shape) in enumerate(SHAPES.items()):
        fan_in = int(np.prod(shape[:-1]))
        normal = philox.normal(seed, (i + 1) << 64, shape)
        weights[name] = np.zeros(shape, np.float32) if len(shape) == 1 else np.float32(np.sqrt(2 / fan_in)) * normal
    return weights


def batches(digits: Digits, epochs: int, seed: int = 0) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """(images [32,8,8,1], labels as one-hot rows [32,10]), every digit once an epoch, mixed anew each time. The last,
    smaller batch of an epoch is left out."""
    count, rows = len(digits.labels), np.eye(10, dtype=np.float32)
    for epoch in range(epochs):
        order = np.argsort(philox.words(seed, (epoch + 1) << 96, count), kind="stable")
        for start in range(0, count - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            yield digits.images[chosen], rows[digits.labels[chosen]]


def steps(digits: Digits, epochs: int) -> int:
    """How many batches that makes."""
    return len(digits.labels) // BATCH * epochs


@dataclass(frozen=True)
class Layers:
    """What the network makes of images: every tensor the tour looks at."""

    conv1: Any
    pool1: Any
    conv2: Any
    pool2: Any
    logits: Any


def layers(api: Any, images: Any, w: Any) -> Layers:
    """The network, in words that both APIs share. conv1 and conv2 are after their relu."""
    strides, window = [1, 1, 1, 1], [1, 2, 2, 1]
    conv1 = api.nn.relu(api.nn.bias_add(api.nn.conv2d(images, w["w1"], strides, "SAME"), w["b1"]))
    pool1 = api.nn.max_pool(conv1, window, window, "SAME")
    conv2 = api.nn.relu(api.nn.bias_add(api.nn.conv2d(pool1, w["w2"], strides, "SAME"), w["b2"]))
    pool2 = api.nn.max_pool(conv2, window, window, "SAME")
    hidden = api.nn.relu(api.matmul(api.reshape(pool2, [-1, 128]), w["w3"]) + w["b3"])
    return Layers(conv1, pool1, conv2, pool2, api.matmul(hidden, w["w4"]) + w["b4"])


@dataclass(frozen=True)
class Training:
    """What came of one training.

    style, means: whom it is written for, and with what. losses: before each update, [steps].
    accuracy: part of the held-out digits read rightly. told: what each was read as.
    """

    style: str
    means: str
    losses: NDArray[np.float32]
    weights: Weights
    told: NDArray[Any]
    accuracy: float


Progress = Callable[[int], None]


def train_in_graph(data: Split, epochs: int, start: Weights, progress: Progress) -> Training:
    """TensorFlow 1's way: placeholders, a Session, GradientDescentOptimizer.minimize."""
    with tf1.Graph().as_default(), tf1.Session() as session:
        images = tf1.placeholder(tf1.float32, [None, 8, 8, 1], name="images")
        labels = tf1.placeholder(tf1.float32, [None, 10], name="labels")
        w = {name: tf1.Variable(value, name=name) for name, value in start.items()}
        logits = layers(tf1, images, w).logits
        loss = tf1.reduce_mean(tf1.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits))
        train = tf1.train.GradientDescentOptimizer(RATE).minimize(loss)
        session.run(tf1.global_variables_initializer())
        losses = []
        for i, (x, t) in enumerate(batches(data.train, epochs)):
            value, _ = session.run([loss, train], {images: x, labels: t})
            losses.append(value)
            progress(i + 1)
        told = np.argmax(session.run(logits, {images: data.held_out.images}), axis=1)
        weights = session.run(w)
    return _trained("TensorFlow 1", "graph, Session, minimize", losses, weights, told, data)


def train_on_tape(data: Split, epochs: int, start: Weights, progress: Progress) -> Training:
    """TensorFlow 2's way: a function that tapes its own loss and updates the variables."""
    w = {name: tf.Variable(value, name=name) for name, value in start.items()}

    @tf.function
    def step(images: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = layers(tf, images, w).logits
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        for name, gradient in tape.gradient(loss, w).items():
            w[name].assign_sub(RATE * gradient)
        return loss

    losses = []
    for i, (x, t) in enumerate(batches(data.train, epochs)):
        losses.append(step(tf.constant(x), tf.constant(t)).numpy())
        progress(i + 1)
    told = np.argmax(layers(tf, tf.constant(data.held_out.images), w).logits.numpy(), axis=1)
    weights = {name: v.numpy() for name, v in w.items()}
    return _trained("TensorFlow 2", "tf.function, GradientTape", losses, weights, told, data)


def _trained(style: str, means: str, losses: list[Any], weights: Weights, told: Any, data: Split) -> Training:
    accuracy = float(np.mean(told == data.held_out.labels))
    return Training(style, means, np.array(losses, np.float32), weights, told, accuracy)


def apart(a: Training, b: Training) -> float:
    """The largest relative difference of their losses at any step."""
    wide, other = a.losses.astype(np.float64), b.losses.astype(np.float64)
    return float(np.max(np.abs(wide - other) / np.maximum(np.abs(wide), np.finfo(np.float32).tiny), initial=0.0))
