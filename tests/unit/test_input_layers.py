"""Attention, and layers that prepare words and images: formulas, masks, configurations, mistakes, saved models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf

layers = tf.keras.layers
rng = np.random.default_rng(4)
QUERY, VALUE = (rng.normal(size=(2, n, 3)).astype(np.float32) for n in (4, 5))
PICTURES = rng.integers(0, 256, (2, 6, 8, 3)).astype(np.float32)
WORDS = np.array([["a", "b"], ["zz", "a"]])


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# --- attention --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("traced", [False, True])
def test_attention_is_softmax_of_products(traced: bool) -> None:
    layer = layers.Attention()
    kept = np.array([[True, False, True, True, True], [True, True, False, False, False]])
    call = tf.function(layer) if traced else layer
    y = call([QUERY, VALUE], mask=[None, tf.constant(kept)])
    scores = np.where(kept[:, None], QUERY @ VALUE.transpose(0, 2, 1), -1e9)
    np.testing.assert_allclose(y, softmax(scores) @ VALUE, rtol=1e-5, atol=1e-6)


def test_no_query_looks_ahead_under_a_causal_mask() -> None:
    _, weights = layers.AdditiveAttention()([QUERY, VALUE], return_attention_scores=True, use_causal_mask=True)
    assert np.all(np.triu(weights.numpy()[0], 1) == 0)
    np.testing.assert_allclose(weights.numpy().sum(-1), 1, rtol=1e-6)


def test_heads_are_attention_between_products() -> None:
    layer = layers.MultiHeadAttention(2, 4)
    y = layer(QUERY, VALUE)
    wq, bq, wk, bk, wv, bv, wo, bo = layer.get_weights()
    q, k, v = (
        np.einsum("btd,dhk->bhtk", x, w) + b[:, None] for x, w, b in ((QUERY, wq, bq), (VALUE, wk, bk), (VALUE, wv, bv))
    )
    heads = softmax(q @ k.transpose(0, 1, 3, 2) / 2.0) @ v
    np.testing.assert_allclose(y, np.einsum("bhtk,hkd->btd", heads, wo) + bo, rtol=1e-4, atol=1e-5)


def test_masks_of_embeddings_reach_attention() -> None:
    words = np.array([[3, 1, 0, 0]])
    embedding = layers.Embedding(5, 3, mask_zero=True)
    x = embedding(words)
    _, weights = layers.MultiHeadAttention(1, 2)(x, x, return_attention_scores=True)
    assert np.all(weights.numpy()[0, 0, :2, 2:] == 0)
    assert np.all(layers.Attention()([x, x]).numpy()[0, 2:] == 0)


def test_a_model_with_heads_is_saved_and_loaded(tmp_path: Path) -> None:
    x = tf.keras.Input((4, 3))
    y = layers.GroupNormalization(1)(layers.MultiHeadAttention(2, 4)(x, x))
    model = tf.keras.Model(x, layers.Dense(2)(y))
    model.save(str(tmp_path / "model.keras"))
    again = tf.keras.models.load_model(str(tmp_path / "model.keras"))
    np.testing.assert_allclose(again.predict(QUERY, verbose=0), model.predict(QUERY, verbose=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: layers.Attention()(QUERY), "list of inputs"),
        (lambda: layers.Attention(score_mode="sum"), "'dot' or 'concat'"),
        (lambda: layers.MultiHeadAttention(0, 2), "num_heads must be a positive integer"),
        (lambda: layers.MultiHeadAttention(1, 2)(QUERY[0], QUERY[0]), "queries must be"),
        (lambda: layers.EinsumDense("ab->b", 3)(QUERY[0]), "not of the form"),
        (lambda: layers.GroupNormalization(2)(QUERY), "multiple of groups"),
        (lambda: layers.CategoryEncoding(3)([[5]]), "go from 5 to 5"),
        (lambda: layers.Discretization(), "one of bin_boundaries and num_bins"),
        (lambda: layers.Discretization(num_bins=3)([1.0]), "call adapt first"),
        (lambda: layers.StringLookup(vocabulary=["a", "a"]), "more than once"),
        (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), "consider num_oov_indices=1"),
        (lambda: layers.StringLookup(vocabulary=["a"]).adapt(WORDS), "Cannot adapt"),
        (lambda: layers.TextVectorization(split="comma"), "split is 'comma'"),
        (lambda: layers.Normalization(mean=1.0), "both mean and variance"),
        (lambda: layers.RandomFlip("sideways"), "mode must be"),
        (lambda: layers.RandomRotation((0.3, 0.1)), "two numbers in order"),
        (lambda: layers.RandomZoom(0.1, fill_mode="edge"), "fill_mode must be"),
        (lambda: layers.Resizing(3, 0), "width must be a positive integer"),
        (lambda: layers.ConvLSTM2D(2, 3, seed=3), "leave seed out"),
        (lambda: layers.Hashing(3, salt=[1]), "salt must be"),
    ],
)
def test_mistakes_say_how_to_mend(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


# --- normalising ------------------------------------------------------------------------------------------------------


def test_spectral_normalization_makes_the_largest_singular_value_one() -> None:
    kernel = tf.keras.initializers.GlorotUniform(seed=3)
    layer = layers.SpectralNormalization(layers.Dense(4, kernel_initializer=kernel), power_iterations=30)
    layer(QUERY[0])
    layer(QUERY[0], training=True)
    np.testing.assert_allclose(np.linalg.svd(layer.layer.kernel.numpy())[1][0], 1, rtol=1e-4)


def test_adapting_in_batches_is_adapting_to_all() -> None:
    layer = layers.Normalization()
    layer.adapt(tf.data.Dataset.from_tensor_slices(PICTURES).batch(1))
    mean, variance = PICTURES.mean((0, 1, 2)), PICTURES.var((0, 1, 2))
    np.testing.assert_allclose(layer(PICTURES), (PICTURES - mean) / np.sqrt(variance), rtol=1e-4, atol=1e-4)


# --- images -----------------------------------------------------------------------------------------------------------


def test_random_layers_leave_images_alone_in_use() -> None:
    for layer in (layers.RandomFlip(), layers.RandomRotation(0.3), layers.RandomContrast(0.4)):
        np.testing.assert_array_equal(layer(PICTURES, training=False), PICTURES)


def test_a_flipped_image_is_itself_or_its_mirror_image() -> None:
    y = layers.RandomFlip("horizontal", seed=1)(np.repeat(PICTURES[:1], 32, 0)).numpy()
    kept = [np.array_equal(row, PICTURES[0]) for row in y]
    turned = [np.array_equal(row, PICTURES[0, :, ::-1]) for row in y]
    assert all(a or b for a, b in zip(kept, turned, strict=True))
    assert any(kept)
    assert any(turned)


def test_a_quarter_turn_is_exact() -> None:
    square = PICTURES[:, :6, :6]
    y = layers.RandomRotation((0.25, 0.25), interpolation="nearest")(square)
    np.testing.assert_allclose(y, np.rot90(square, 1, (1, 2)))


def test_contrast_grows_around_the_mean() -> None:
    y = layers.RandomContrast((-0.5, 0.5), value_range=(-999, 999))(PICTURES)
    mean = PICTURES.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(y, (PICTURES - mean) * 1.5 + mean, rtol=1e-4, atol=1e-3)


def test_a_crop_is_a_part_of_the_image() -> None:
    y = layers.RandomCrop(3, 4, seed=2)(PICTURES).numpy()
    places = [(i, j) for i in range(4) for j in range(5) if np.array_equal(y, PICTURES[:, i : i + 3, j : j + 4])]
    assert len(places) == 1


def test_gradients_pass_through_turned_images() -> None:
    x = tf.constant(PICTURES)
    layer = layers.RandomTranslation((0.5, 0.5), (0.0, 0.0), "constant")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(layer(x))
    dx = tape.gradient(y, x).numpy()
    assert np.all(dx[:, :3] == 1)  # the upper half moved down, the lower half out
    assert np.all(dx[:, 3:] == 0)


def test_padding_and_cropping_may_be_named() -> None:
    assert layers.ZeroPadding2D(1, name="pad").name == "pad"
    assert layers.Cropping2D(1, name="cut").name == "cut"


def test_channels_first_is_the_same_image() -> None:
    layer, other = layers.Resizing(3, 5), layers.Resizing(3, 5, data_format="channels_first")
    y = other(PICTURES.transpose(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(y.transpose(0, 2, 3, 1), layer(PICTURES), rtol=1e-6)


# --- words ------------------------------------------------------------------------------------------------------------


def test_words_and_back() -> None:
    to = layers.StringLookup(vocabulary=["a", "b"])
    back = layers.StringLookup(vocabulary=["a", "b"], invert=True)
    np.testing.assert_array_equal(to(WORDS), [[1, 2], [0, 1]])
    assert back(to(WORDS)).numpy().tolist() == [[b"a", b"b"], [b"[UNK]", b"a"]]


def test_a_vocabulary_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "terms.txt").write_text("a\nb\n", encoding="utf-8")
    assert layers.StringLookup(vocabulary=str(tmp_path / "terms.txt")).get_vocabulary() == ["[UNK]", "a", "b"]


def test_texts_are_vectorized_within_a_dataset() -> None:
    layer = layers.TextVectorization(output_sequence_length=3)
    layer.adapt(["one two two", "two, three!"])
    data = tf.data.Dataset.from_tensor_slices(["Two one", "nothing known here at all"]).batch(2).map(layer)
    two, one = (layer.get_vocabulary().index(w) for w in ("two", "one"))
    (rows,) = [batch.numpy() for batch in data]
    np.testing.assert_array_equal(rows, [[two, one, 0], [1, 1, 1]])


def configured() -> list[Any]:
    learnt = layers.TextVectorization(ngrams=2, output_mode="tf_idf")
    learnt.adapt(["a b", "b c"])
    return [
        learnt,
        layers.Attention(True, dropout=0.5),
        layers.AdditiveAttention(False),
        layers.MultiHeadAttention(2, 3, output_shape=4),
        layers.EinsumDense("ab,bc->ac", 3, bias_axes="c"),
        layers.ConvLSTM2D(2, 3, return_sequences=True),
        layers.SpectralNormalization(layers.Dense(2)),
        layers.RandomContrast((0.1, 0.2)),
        layers.RandomCrop(2, 3, name="cut"),
        layers.Discretization(num_bins=3),
        layers.IntegerLookup(vocabulary=[3, 5], mask_token=0),
        layers.Hashing(4, salt=3),
    ]


@pytest.mark.parametrize("layer", configured(), ids=lambda layer: type(layer).__name__)
def test_configurations_come_back(layer: Any) -> None:
    again = layers.deserialize(layers.serialize(layer))
    assert again.get_config() == layer.get_config()
