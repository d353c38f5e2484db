"""Attention, and layers that prepare words and images, the same for pullback and for Keras 3: what each answers.

Run by TensorFlow's Python with a path, it writes Keras' answers there. Draws from a range of one number are none, so
the random layers can be compared too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Answer = dict[str, Any]
rng = np.random.RandomState(5)
QUERY, VALUE, KEY = (rng.normal(size=(2, n, 3)).astype(np.float32) for n in (4, 5, 5))
QUERY_MASK = np.array([[1, 1, 1, 0], [1, 1, 1, 1]], bool)
VALUE_MASK = np.array([[1, 0, 1, 1, 1], [1, 1, 0, 0, 0]], bool)
FILMS = rng.normal(size=(2, 3, 5, 4, 2)).astype(np.float32)
PICTURES = rng.randint(0, 256, (2, 9, 12, 3)).astype(np.float32)
TEXTS = np.array(["The cat, sat!", "a cat and a dog and a cat", "", "Zebra"])
WORDS = np.array([["a", "b"], ["zz", ""], ["c", "a"]])
COUNTS = np.array([[1, 7], [12, -3]])


def settled(layer: Any) -> None:
    """Gives a layer's variables values that do not hang on chance."""
    made = [np.sin(np.arange(w.size) * 0.9 + i).reshape(w.shape) * 0.5 for i, w in enumerate(layer.get_weights())]
    layer.set_weights([w.astype(np.float32) for w in made])


def trained(tf: Any, make: Callable[[], Any], *xs: Any, **kwargs: Any) -> Answer:
    """What a layer gives, and the gradients of its variables and inputs."""
    layer, given = make(), [tf.constant(x) for x in xs]
    inputs: Any = [given] if "attention" in layer.name and "multi" not in layer.name else given
    layer(*inputs)
    settled(layer)
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = layer(*inputs, **kwargs)
        first = y[0] if isinstance(y, (tuple, list)) else y
        loss = tf.reduce_sum(tf.sin(first) + first * first)
    found = tape.gradient(loss, [*layer.trainable_variables, *given])
    out = {f"gradient {i}": np.asarray(tf.convert_to_tensor(g)) for i, g in enumerate(found)}
    return out | {f"y{i}": np.asarray(t) for i, t in enumerate(y if isinstance(y, (tuple, list)) else [y])}


def attention(tf: Any) -> dict[str, Callable[[], Answer]]:
    made = tf.keras.layers
    xs, masks = (QUERY, VALUE, KEY), [tf.constant(QUERY_MASK), tf.constant(VALUE_MASK), None]
    scores = {"return_attention_scores": True}
    heads = {"num_heads": 2, "key_dim": 4}
    wide = np.where(np.arange(4 * 5).reshape(1, 4, 5) % 3 > 0, 1, 0).astype(bool).repeat(2, 0)
    return {
        "dot": lambda: trained(tf, lambda: made.Attention(use_scale=True), *xs, mask=masks, **scores),
        "concat": lambda: trained(tf, lambda: made.Attention(True, "concat"), *xs, use_causal_mask=True, **scores),
        "additive": lambda: trained(tf, lambda: made.AdditiveAttention(), *xs, mask=masks, **scores),
        "heads": lambda: trained(tf, lambda: made.MultiHeadAttention(**heads), *xs, use_causal_mask=True, **scores),
        "heads masked": lambda: trained(
            tf, lambda: made.MultiHeadAttention(value_dim=3, output_shape=6, **heads), *xs,
            value_mask=tf.constant(VALUE_MASK), attention_mask=tf.constant(wide),
        ),
        "heads over two axes": lambda: trained(
            tf, lambda: made.MultiHeadAttention(attention_axes=(2, 3), use_bias=False, **heads), FILMS, FILMS + 1
        ),
        "einsum dense": lambda: trained(
            tf, lambda: made.EinsumDense("abc,cde->abde", (None, 4, 2), "tanh", "e"), QUERY
        ),
        "conv lstm": lambda: trained(
            tf, lambda: made.ConvLSTM2D(3, 3, strides=2, return_sequences=True, return_state=True), FILMS
        ),
        "conv lstm same": lambda: trained(tf, lambda: made.ConvLSTM2D(2, 2, padding="same", go_backwards=True), FILMS),
        "groups": lambda: trained(tf, lambda: made.GroupNormalization(2, axis=1), QUERY),
        "groups of one": lambda: trained(tf, lambda: made.GroupNormalization(-1), FILMS[:, 0]),
        "unit": lambda: trained(tf, lambda: made.UnitNormalization(axis=[1, 2]), QUERY),
    }  # fmt: skip


def pictures(tf: Any) -> dict[str, Callable[[], Any]]:
    made = tf.keras.layers
    return {
        "turned": lambda: made.RandomRotation((0.1, 0.1)),
        "turned on a ground": lambda: made.RandomRotation((-0.2, -0.2), "constant", "nearest", fill_value=3.0),
        "shifted": lambda: made.RandomTranslation((0.2, 0.2), (-0.13, -0.13)),
        "shifted around": lambda: made.RandomTranslation((0.2, 0.2), (-0.13, -0.13), "wrap"),
        "farther": lambda: made.RandomZoom((0.3, 0.3)),
        "taller": lambda: made.RandomZoom((-0.3, -0.3), (0.2, 0.2), "nearest"),
        "lighter": lambda: made.RandomBrightness((0.2, 0.2)),
        "whole": lambda: made.RandomCrop(9, 12),
        "resized": lambda: made.Resizing(5, 7),
        "resized after cropping": lambda: made.Resizing(5, 4, crop_to_aspect_ratio=True),
        "resized after padding": lambda: made.Resizing(6, 4, "nearest", pad_to_aspect_ratio=True, fill_value=2.0),
        "resized smoothly": lambda: made.Resizing(4, 5, "bicubic", antialias=True),
        "cropped": lambda: made.CenterCrop(4, 5),
        "cropped beyond": lambda: made.CenterCrop(14, 10),
        "rescaled": lambda: made.Rescaling(1 / 127.5, -1.0),
    }


def adapted(tf: Any, make: Callable[[], Any], data: Any, x: Any) -> Answer:
    layer = make()
    if data is not None:
        layer.adapt(data)
    out = {"y": np.asarray(layer(x))}
    words = layer.get_vocabulary() if hasattr(layer, "get_vocabulary") else getattr(layer, "bin_boundaries", None)
    return out if words is None else out | {"kept": np.array(words)}


def prepared(tf: Any) -> dict[str, Callable[[], Answer]]:
    made = tf.keras.layers
    abc = ["a", "b", "c"]
    texts = {
        "texts": {},
        "texts counted": {"output_mode": "count", "max_tokens": 5},
        "texts weighed": {"output_mode": "tf_idf"},
        "texts cut": {"output_sequence_length": 3, "ngrams": 2},
        "letters": {"split": "character", "standardize": "lower"},
        "pairs": {"output_mode": "multi_hot", "ngrams": (2,), "pad_to_max_tokens": True, "max_tokens": 20},
    }
    words = {
        "words": {},
        "words in buckets": {"num_oov_indices": 3, "mask_token": ""},
        "words hot": {"output_mode": "multi_hot"},
        "words counted": {"output_mode": "count", "mask_token": ""},
    }
    steps = np.array([[-1, 0.5], [1.0, 3.0]], np.float32)
    many = np.random.RandomState(0).normal(size=1000).astype(np.float32)
    rows: dict[str, tuple[Callable[[], Any], Any, Any]] = {
        **{k: (lambda v=v: made.TextVectorization(**v), TEXTS, TEXTS) for k, v in texts.items()},
        **{k: (lambda v=v: made.StringLookup(vocabulary=abc, **v), None, WORDS) for k, v in words.items()},
        "words learnt": (lambda: made.StringLookup(), WORDS, WORDS),
        "words back": (
            lambda: made.StringLookup(vocabulary=abc, invert=True, mask_token=""), None, np.array([[0, 1], [4, 7]]),
        ),
        "numbers": (lambda: made.IntegerLookup(), COUNTS, COUNTS),
        "numbers in buckets": (
            lambda: made.IntegerLookup(vocabulary=[7, 12], num_oov_indices=2, mask_token=1), None, COUNTS,
        ),
        "hashed": (lambda: made.Hashing(5), None, WORDS),
        "hashed with salt": (lambda: made.Hashing(5, salt=7, mask_value=""), None, WORDS),
        "hashed numbers": (lambda: made.Hashing(4, output_mode="multi_hot"), None, COUNTS),
        "bins": (lambda: made.Discretization([0.0, 1.0, 2.0]), None, steps),
        "bins learnt": (lambda: made.Discretization(num_bins=4), many, steps),
        "bins of few": (lambda: made.Discretization(num_bins=4), np.arange(10, dtype=np.float32), steps),
        "categories": (lambda: made.CategoryEncoding(4, "count"), None, np.array([[0, 1], [3, 3]])),
        "normalised": (lambda: made.Normalization(), PICTURES, PICTURES),
        "normalised in rows": (lambda: made.Normalization(axis=(1, 3)), PICTURES, PICTURES),
        "turned back": (lambda: made.Normalization(mean=3.0, variance=4.0, invert=True), None, PICTURES),
    }  # fmt: skip
    return {k: lambda row=row: adapted(tf, *row) for k, row in rows.items()}


def runs(tf: Any) -> dict[str, Callable[[], Answer]]:
    """Everything that is compared, by name."""
    return {
        **attention(tf),
        **{k: lambda v=v: {"y": np.asarray(v()(PICTURES))} for k, v in pictures(tf).items()},
        **prepared(tf),
    }


def as_text(answer: Any) -> Any:
    """Words as str, whether they came as bytes or not."""
    array = np.asarray(answer)
    if array.dtype.kind not in "OSU":
        return array
    words = [w.decode() if isinstance(w, bytes) else str(w) for w in array.ravel()]
    return np.array(words, "U").reshape(array.shape)


def main() -> None:
    import tensorflow as tf  # pyright: ignore[reportMissingImports]

    made = {what: run() for what, run in runs(tf).items()}
    np.savez(sys.argv[1], **{f"{w}|{part}": as_text(v) for w, answer in made.items() for part, v in answer.items()})


if __name__ == "__main__":
    main()
