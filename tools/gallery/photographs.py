"""A small network that tells six photographs apart by any piece of them, trained in seconds.

    piece 64x64x3 - conv 5x5/2, 16 - relu - conv 3x3/2, 24 - relu - pool 2x2 - conv 3x3, 48 - relu - mean - dense 6

The photographs come with scikit-image. The last layer but one is a mean over all places, so an image of any size will
do: a collage of two photographs has evidence for both, each on its own side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

import pullback.v1 as tf

SUBJECTS = {
    "cat": data.chelsea,
    "coffee": data.coffee,
    "astronaut": data.astronaut,
    "rocket": data.rocket,
    "galaxies": data.hubble_deep_field,
    "motorcycle": lambda: data.stereo_motorcycle()[0],
}
PIECE = 64
SHAPES = {
    "conv1/w": (5, 5, 3, 16),
    "conv1/b": (16,),
    "conv2/w": (3, 3, 16, 24),
    "conv2/b": (24,),
    "conv3/w": (3, 3, 24, 48),
    "conv3/b": (48,),
    "scores/w": (48, 6),
    "scores/b": (6,),
}


def photograph(subject: str, height: int = 160) -> NDArray[np.float32]:
    """A photograph of this height, [H,W,3], 0 to 1."""
    image = Image.fromarray(np.asarray(SUBJECTS[subject]())[..., :3])
    small = image.resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS)
    return np.asarray(small, np.float32) / np.float32(255)


def square(subject: str, side: int = 160) -> NDArray[np.float32]:
    """The middle of a photograph, [side,side,3]."""
    image = photograph(subject, side)
    left = (image.shape[1] - side) // 2
    return image[:, left : left + side]


def collage(left: str, right: str) -> NDArray[np.float32]:
    """Two photographs side by side, [160,320,3]."""
    return np.concatenate([square(left), square(right)], axis=1)


def pieces(rng: np.random.Generator, photographs: list[list[NDArray[Any]]], count: int) -> tuple[Any, Any]:
    """(pieces [N,64,64,3], labels [N]): from anywhere in a photograph, at some scale, mirrored and lit at random."""
    labels = rng.integers(0, len(photographs), count)
    out = np.empty((count, PIECE, PIECE, 3), np.float32)
    for i, label in enumerate(labels):
        image = photographs[label][rng.integers(len(photographs[label]))]
        y, x = (rng.integers(0, n - PIECE + 1) for n in image.shape[:2])
        piece = image[y : y + PIECE, x : x + PIECE]
        out[i] = np.clip((piece[:, :: rng.choice([-1, 1])] - 0.5) * rng.uniform(0.7, 1.3) + 0.5, 0, 1)
    return out, labels.astype(np.int32)


def layers(api: Any, images: Any, w: Any) -> dict[str, Any]:
    """The network, in words that both APIs share; each layer after its relu."""

    def convolved(x: Any, name: str, stride: int) -> Any:
        return api.nn.relu(
            api.nn.bias_add(api.nn.conv2d(x, w[f"{name}/w"], [1, stride, stride, 1], "SAME"), w[f"{name}/b"])
        )

    conv1 = convolved(images - 0.5, "conv1", 2)
    conv2 = convolved(conv1, "conv2", 2)
    conv3 = convolved(api.nn.max_pool(conv2, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"), "conv3", 1)
    scores = api.matmul(api.reduce_mean(conv3, [1, 2]), w["scores/w"]) + w["scores/b"]
    return {"conv1": conv1, "conv2": conv2, "conv3": conv3, "scores": scores}


def trained(steps: int = 500, batch: int = 32) -> tuple[dict[str, Any], float]:
    """(weights, part of new pieces that are told rightly)."""
    rng = np.random.default_rng(0)
    photographs = [[photograph(s, height) for height in (96, 128, 160, 224)] for s in SUBJECTS]
    with tf.Graph().as_default(), tf.Session() as session:
        images = tf.placeholder(tf.float32, [None, PIECE, PIECE, 3])
        labels = tf.placeholder(tf.int32, [None])
        w = {n: tf.Variable(_initial(rng, shape), name=n) for n, shape in SHAPES.items()}
        scores = layers(tf, images, w)["scores"]
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores))
        train = tf.train.AdamOptimizer(0.003).minimize(loss)
        session.run(tf.global_variables_initializer())
        for _ in range(steps):
            x, t = pieces(rng, photographs, batch)
            session.run(train, {images: x, labels: t})
        x, t = pieces(rng, photographs, 512)
        told = session.run(scores, {images: x}).argmax(axis=1)
        return session.run(w), float(np.mean(told == t))


def _initial(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """He et al. 2015: normal with variance 2 / fan-in; biases 0."""
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    return (rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1]))).astype(np.float32)
