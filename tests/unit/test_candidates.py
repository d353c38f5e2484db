"""Candidate samplers draw TensorFlow's classes; sampled losses, sparse embeddings, statistics follow their formulas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf2
import pullback.v1 as tf

rng = np.random.default_rng(2)
TRUE = np.array([[1, 5], [7, 2], [0, 9]])
W = rng.normal(size=(20, 4)).astype(np.float32)
B = rng.normal(size=20).astype(np.float32)
X = rng.normal(size=(3, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    """A graph of its own for each test."""
    with tf.Graph().as_default() as made:
        yield made


def run(fetches: Any) -> Any:
    with tf.Session() as session:
        return session.run(fetches)


# --- samplers ---------------------------------------------------------------------------------------------------------

# What TensorFlow 2.21 draws, twice in a session, with seed=3 in a graph without one.
DRAWN: dict[str, Any] = {
    "uniform|unique|100": [[35, 0, 3, 48, 37, 14], [72, 31, 33, 28, 97, 43]],
    "uniform|repeats|64": [[39, 36, 15, 32, 9, 34], [56, 51, 12, 1, 56, 5]],
    "log_uniform|unique|100": [[0, 42, 21, 5, 31, 43], [0, 7, 3, 31, 1, 37]],
    "log_uniform|repeats|64": [[0, 29, 0, 15, 4, 22], [0, 6, 0, 0, 3, 22]],
    "learned_unigram|unique|100": [[67, 83, 0, 27, 56, 36], [92, 5, 49, 97, 68, 13]],
    "learned_unigram|repeats|64": [[39, 23, 36, 56, 15, 36], [36, 39, 4, 63, 44, 31]],
    "fixed_unigram|unique|100": [[83, 5, 59, 72, 57, 84], [65, 87, 17, 44, 60, 16]],
    "fixed_unigram|repeats|64": [[23, 63, 36, 40, 53, 40], [33, 50, 29, 60, 12, 20]],
}


def sampler(name: str, unique: bool, many: int) -> Any:
    make = getattr(tf.nn, f"{name}_candidate_sampler")
    more = {"unigrams": [float(1 + (i * 7) % 13) for i in range(many)]} if name == "fixed_unigram" else {}
    return make(TRUE, 2, 6, unique, many, seed=3, **more)


@pytest.mark.parametrize("key", DRAWN)
def test_samplers_draw_tensorflows_classes(key: str) -> None:
    name, unique, many = key.split("|")
    made = sampler(name, unique == "unique", int(many))
    with tf.Session() as session:
        found = [session.run(made[0]).tolist() for _ in range(2)]
    assert found == DRAWN[key]


@pytest.mark.parametrize("name", ["uniform", "log_uniform", "learned_unigram", "fixed_unigram"])
def test_expected_counts_are_the_means_of_counts(name: str) -> None:
    made = sampler(name, False, 10)
    with tf.Session() as session:
        session.run(made[0])
        sampled, true_count, sampled_count = session.run(made)
    again = dict(zip(sampled.tolist(), sampled_count.tolist(), strict=True))
    for c, n in zip(TRUE.ravel(), true_count.ravel(), strict=True):
        if c in again:
            assert n == pytest.approx(again[c])
    if name == "uniform":
        np.testing.assert_allclose(true_count, 6 / 10, rtol=1e-6)
    if name == "log_uniform":
        np.testing.assert_allclose(true_count, 6 * np.log((TRUE + 2) / (TRUE + 1)) / np.log(11), rtol=1e-5)


def test_learned_unigrams_learn() -> None:
    classes = np.zeros((50, 1), np.int64)
    made = tf.nn.learned_unigram_candidate_sampler(classes, 1, 100, False, 4, seed=1)
    with tf.Session() as session:
        first = session.run(made)
        for _ in range(3):
            last = session.run(made)
    np.testing.assert_allclose(first[1], 25.0)
    np.testing.assert_allclose(last[1], 100 * 151 / 154, rtol=1e-6)
    assert (last[0] == 0).mean() > 0.9


def test_every_class_is_sampled_by_all() -> None:
    sampled, true_count, _ = run(tf.nn.all_candidate_sampler(TRUE, 2, 12, True))
    np.testing.assert_array_equal(sampled, np.arange(12))
    np.testing.assert_array_equal(true_count, np.ones((3, 2)))


def test_unigrams_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "words.csv"
    file.write_text("a,4\nb,0\nc,12\n")
    made = tf.nn.fixed_unigram_candidate_sampler([[0], [2]], 1, 40, False, 3, vocab_file=str(file), seed=1)
    sampled, true_count, _ = run(made)
    assert set(sampled.tolist()) == {0, 2}
    np.testing.assert_allclose(true_count[:, 0], [10, 30])


def test_more_classes_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="unique=False"):
        tf.nn.uniform_candidate_sampler(TRUE, 2, 11, True, 10)
    with pytest.raises(ValueError, match="vocab_file or unigrams"):
        tf.nn.fixed_unigram_candidate_sampler(TRUE, 2, 1, True, 10)


def test_accidental_hits() -> None:
    indices, ids, weights = run(tf.nn.compute_accidental_hits(TRUE, [5, 7, 3, 2, 0], 2))
    assert list(zip(indices.tolist(), ids.tolist(), strict=True)) == [(0, 0), (1, 1), (1, 3), (2, 4)]
    np.testing.assert_array_equal(weights, -np.finfo(np.float32).max)


# --- losses -----------------------------------------------------------------------------------------------------------

SAMPLED = (np.array([3, 5, 0, 11]), np.full((3, 2), 0.4, np.float32), np.array([0.5, 0.2, 0.9, 0.1], np.float32))


def logits() -> Any:
    """Of the true classes and of the sampled ones, as the loss has them."""
    true = np.einsum("bd,bkd->bk", X, W[TRUE]) + B[TRUE] - np.log(SAMPLED[1])
    return true, X @ W[SAMPLED[0]].T + B[SAMPLED[0]] - np.log(SAMPLED[2])


def test_nce_loss_is_logistic() -> None:
    loss = run(tf.nn.nce_loss(W, B, TRUE, X, 4, 20, 2, sampled_values=SAMPLED))
    true, sampled = logits()
    softplus = lambda z: np.log1p(np.exp(z))  # noqa: E731
    expected = (softplus(true) - true / 2).sum(1) + softplus(sampled).sum(1)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_sampled_softmax_loss_leaves_accidental_hits_out() -> None:
    loss = run(tf.nn.sampled_softmax_loss(W, B, TRUE, X, 4, 20, 2, sampled_values=SAMPLED))
    true, sampled = logits()
    hit = (TRUE[:, :, None] == SAMPLED[0]).any(1)
    whole = np.hstack([true, np.where(hit, -np.inf, sampled)])
    total = np.log(np.exp(whole).sum(1))
    np.testing.assert_allclose(loss, total - true.mean(1), rtol=1e-5)


def test_weights_may_lie_in_several_tensors() -> None:
    parts = [W[::2], W[1::2]]
    for f, pieces in ((tf.nn.nce_loss, parts), (tf2.nn.nce_loss, [W[:10], W[10:]])):
        whole = f(W, B, TRUE, X, 4, 20, 2, sampled_values=SAMPLED)
        split = f([tf.constant(p) for p in pieces], B, TRUE, X, 4, 20, 2, sampled_values=SAMPLED)
        a, b = run([whole, split])
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_nce_gradients_are_rows() -> None:
    w = tf.Variable(W)
    loss = tf.reduce_sum(tf.nn.nce_loss(w, tf.constant(B), TRUE, X, 4, 20, 2, sampled_values=SAMPLED))
    (dw,) = tf.gradients(loss, [w])
    assert isinstance(dw, tf.IndexedSlices)
    assert dw.values.shape.as_list() == [10, 4]


# --- embeddings of sets -----------------------------------------------------------------------------------------------


def sparse(values: Any) -> Any:
    return tf.SparseTensor([[0, 0], [0, 1], [1, 0], [2, 0]], values, [3, 2])


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
def test_sparse_embeddings_combine_rows(combiner: str) -> None:
    weights = np.array([1.0, 3.0, 2.0, 0.5], np.float32)
    ids = np.array([1, 3, 0, 2])
    got = run(tf.nn.embedding_lookup_sparse(W, sparse(ids), sparse(weights), combiner=combiner))
    rows = weights[:, None] * W[ids]
    expected = np.stack([rows[0] + rows[1], rows[2], rows[3]])
    norms = {"sum": [1, 1, 1], "mean": [4, 2, 0.5], "sqrtn": [np.sqrt(10), 2, 0.5]}[combiner]
    np.testing.assert_allclose(got, expected / np.array(norms)[:, None], rtol=1e-5)


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
def test_a_row_without_ids_has_an_embedding_of_zeros(combiner: str) -> None:
    ids = tf.SparseTensor([[0, 0], [2, 0]], np.array([1, 2]), [3, 1])
    got = run(tf.nn.embedding_lookup_sparse(W, ids, None, combiner=combiner))
    np.testing.assert_allclose(got, [W[1], np.zeros(4), W[2]], rtol=1e-6)


def test_safe_embeddings_fill_empty_rows() -> None:
    ids = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], np.array([1, -1, 2]), [4, 2])
    zeros = tf.nn.safe_embedding_lookup_sparse([tf.constant(W)], ids)
    other = tf.nn.safe_embedding_lookup_sparse([tf.constant(W)], ids, default_id=7)
    a, b = run([zeros, other])
    nothing = np.zeros(4, np.float32)
    np.testing.assert_allclose(a, [W[1], nothing, W[2], nothing], rtol=1e-6)
    np.testing.assert_allclose(b, [W[1], W[7], W[2], W[7]], rtol=1e-6)


# --- small functions --------------------------------------------------------------------------------------------------


def test_in_top_k_counts_what_is_larger() -> None:
    p = np.array([[0.1, 0.3, 0.3], [1, 2, 3], [np.inf, 0, 1], [1, 2, 3]], np.float32)
    targets = [2, 0, 0, 5]
    np.testing.assert_array_equal(run(tf.nn.in_top_k(p, targets, 1)), [True, False, False, False])
    np.testing.assert_array_equal(run(tf2.nn.in_top_k(targets, p, 3)), [True, True, False, False])


def test_affine_functions() -> None:
    plain, held = run([tf.nn.xw_plus_b(X, W.T, B), tf.nn.relu_layer(X, W.T, B)])
    np.testing.assert_allclose(plain, X @ W.T + B, rtol=1e-5)
    np.testing.assert_allclose(held, np.maximum(X @ W.T + B, 0), rtol=1e-5)
    assert run(tf.nn.zero_fraction(np.array([0.0, 1.0, 0.0, 2.0]))) == 0.5


def test_moments_in_parts() -> None:
    counts = tf.nn.sufficient_statistics(X, [0], shift=1.0)
    mean, variance = run(tf.nn.normalize_moments(*counts))
    np.testing.assert_allclose(mean, X.mean(0), rtol=1e-5)
    np.testing.assert_allclose(variance, X.var(0), rtol=1e-4)
    weights = np.array([[1.0], [0.0], [3.0]], np.float32)
    mean, variance = run(tf.nn.weighted_moments(X, [0], weights))
    np.testing.assert_allclose(mean, np.average(X, 0, weights[:, 0]), rtol=1e-5)
    expected = np.average((X - np.average(X, 0, weights[:, 0])) ** 2, 0, weights[:, 0])
    np.testing.assert_allclose(variance, expected, rtol=1e-5)


def test_old_batch_norm() -> None:
    got = run(tf.nn.batch_norm_with_global_normalization(X, X.mean(0), X.var(0), B[:4], B[4:8], 0.1, True))
    np.testing.assert_allclose(got, (X - X.mean(0)) / np.sqrt(X.var(0) + 0.1) * B[4:8] + B[:4], rtol=1e-4, atol=1e-6)


# --- CTC --------------------------------------------------------------------------------------------------------------


def test_ctc_loss_of_sparse_labels_is_the_sum_over_alignments() -> None:
    frames = rng.normal(size=(3, 1, 3)).astype(np.float32)
    labels = tf.SparseTensor([[0, 0], [0, 1]], np.array([0, 1], np.int32), [1, 2])
    loss = run(tf.nn.ctc_loss(labels, frames, [3]))
    p = np.exp(frames[:, 0]) / np.exp(frames[:, 0]).sum(-1, keepdims=True)
    paths = [(0, 0, 1), (0, 1, 1), (0, 1, 2), (0, 2, 1), (2, 0, 1)]
    expected = -np.log(sum(p[0, a] * p[1, b] * p[2, c] for a, b, c in paths))
    np.testing.assert_allclose(loss, [expected], rtol=1e-5)


def test_ctc_loss_takes_sparse_labels_in_both_dialects() -> None:
    frames = rng.normal(size=(4, 2, 3)).astype(np.float32)
    rows = np.array([[1, 2], [2, 0]], np.int32)
    labels = tf2.SparseTensor([[0, 0], [0, 1], [1, 0]], np.array([1, 2, 2], np.int32), [2, 2])
    dense = run(tf2.nn.ctc_loss(rows, frames, [2, 1], [4, 4], blank_index=0))
    np.testing.assert_allclose(run(tf2.nn.ctc_loss(labels, frames, None, [4, 4], blank_index=0)), dense, rtol=1e-6)
    for wrong, lengths in ((rows, None), (labels, [2, 1])):
        with pytest.raises(ValueError, match="label_length"):
            tf2.nn.ctc_loss(wrong, frames, lengths, [4, 4])


def test_greedy_decoding_merges_and_leaves_blanks_out() -> None:
    path = [1, 1, 2, 1, 0, 0]
    frames = np.eye(3, dtype=np.float32)[path][:, None]
    (merged,), score = tf.nn.ctc_greedy_decoder(frames, [6])
    (single,), _ = tf.nn.ctc_greedy_decoder(frames, [4], merge_repeated=False)
    a, b, s = run([merged, single, score])
    assert a.values.tolist() == [1, 1, 0]
    assert b.values.tolist() == [1, 1, 1]
    assert s.tolist() == [[-6.0]]
