"""contrib.image, resampler, losses.metric_learning, cells of contrib.rnn, and what programs take from inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.contrib import image, metric_learning, renamed, rnn_cells, summaries, unexported

rng = np.random.RandomState(2)
PICTURE = rng.rand(2, 5, 6, 3).astype(np.float32)


def run(make: Any) -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        made = make()
        session.run(tf.global_variables_initializer())
        return session.run(made)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


# --- images -----------------------------------------------------------------------------------------------------------


def test_a_quarter_turn_is_exact() -> None:
    square = PICTURE[:, :, :5]
    np.testing.assert_allclose(run(lambda: image.rotate(square, np.pi / 2)), np.rot90(square, 1, (1, 2)))
    np.testing.assert_allclose(run(lambda: image.rotate(square[0], np.pi)), square[0, ::-1, ::-1])


def test_translation_moves_right_and_down() -> None:
    y = run(lambda: image.translate(PICTURE, [2.0, 1.0]))
    np.testing.assert_allclose(y[:, 1:, 2:], PICTURE[:, :-1, :-2])
    assert np.all(y[:, 0] == 0)
    assert np.all(y[:, :, :2] == 0)


def test_composed_transforms_are_one_after_the_other() -> None:
    def both() -> Any:
        turn = image.angles_to_projective_transforms(0.3, 5, 6)
        shift = image.translations_to_projective_transforms([1.0, -0.5])
        return image.compose_transforms(turn, shift), image.flat_transforms_to_matrices(turn) @ (
            image.flat_transforms_to_matrices(shift)
        )

    flat, matrix = run(both)
    np.testing.assert_allclose(np.append(flat[0], 1).reshape(3, 3), matrix[0], rtol=1e-5, atol=1e-6)


def bilinear(x: Any, h: float, w: float) -> Any:
    total = np.zeros(x.shape[-1])
    for r in (int(np.floor(h)), int(np.floor(h)) + 1):
        for c in (int(np.floor(w)), int(np.floor(w)) + 1):
            if 0 <= r < x.shape[0] and 0 <= c < x.shape[1]:
                total += x[r, c] * (1 - abs(h - r)) * (1 - abs(w - c))
    return total


def test_resampling_goes_in_proportion_and_is_0_beyond() -> None:
    warp = np.array([[[1.25, 2.5], [-0.5, 0.0]], [[5.0, 4.0], [9.0, 1.0]]], np.float32)
    y = run(lambda: image.resampler(PICTURE, warp))
    expected = [[bilinear(x, h, w) for w, h in row] for x, row in zip(PICTURE, warp, strict=True)]
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_a_flow_of_whole_pixels_moves_the_image() -> None:
    flow = np.zeros((2, 5, 6, 2), np.float32)
    flow[..., 0], flow[..., 1] = 1, -2
    y = run(lambda: image.dense_image_warp(PICTURE, flow))
    rows, columns = np.clip(np.arange(5) - 1, 0, 4), np.clip(np.arange(6) + 2, 0, 5)
    np.testing.assert_allclose(y, PICTURE[:, rows][:, :, columns], rtol=1e-5)


def test_gradients_reach_images_and_places() -> None:
    def gradients() -> Any:
        x, warp = tf.constant(PICTURE), tf.constant([[[1.25, 2.5]], [[0.5, 0.5]]])
        return tf.gradients(image.resampler(x, warp), [x, warp])

    dx, dwarp = run(gradients)
    np.testing.assert_allclose(dx.sum((1, 2)), 1, rtol=1e-6)
    right = PICTURE[0, 2:4, 2].mean(0) - PICTURE[0, 2:4, 1].mean(0)
    np.testing.assert_allclose(dwarp[0, 0, 0], right.sum(), rtol=1e-4)


# --- metric learning --------------------------------------------------------------------------------------------------

LABELS = np.array([0, 1, 0, 2, 1, 0])
POINTS = rng.normal(size=(6, 4)).astype(np.float32)
APART = np.sqrt(((POINTS[:, None] - POINTS[None]) ** 2).sum(-1))


def pairs() -> list[tuple[int, int]]:
    return [(i, j) for i in range(6) for j in range(6) if i != j and LABELS[i] == LABELS[j]]


def test_triplets_take_the_nearest_farther_one() -> None:
    losses = []
    for a, p in pairs():
        others = [APART[a, n] ** 2 for n in range(6) if LABELS[n] != LABELS[a]]
        farther = [d for d in others if d > APART[a, p] ** 2]
        losses.append(max(0.5 + APART[a, p] ** 2 - (min(farther) if farther else max(others)), 0))
    got = run(lambda: metric_learning.triplet_semihard_loss(LABELS, POINTS, 0.5))
    np.testing.assert_allclose(got, np.mean(losses), rtol=1e-4)


def test_lifted_structures() -> None:
    terms = []
    for i, j in pairs():
        far = sum(np.exp(1.0 - APART[k, n]) for k in (i, j) for n in range(6) if LABELS[n] != LABELS[i])
        terms.append(max(APART[i, j] + np.log(far), 0) ** 2)
    got = run(lambda: metric_learning.lifted_struct_loss(LABELS, POINTS))
    np.testing.assert_allclose(got, np.mean(terms) / 2, rtol=1e-4)


def test_contrastive_and_npairs() -> None:
    other, together = POINTS[::-1], np.array([1, 0, 1, 0, 0, 1])
    d = np.sqrt(((POINTS - other) ** 2).sum(1))
    expected = np.mean(np.where(together, d**2, np.maximum(2.0 - d, 0) ** 2))
    got = run(lambda: metric_learning.contrastive_loss(together, POINTS, other, 2.0))
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    scores = POINTS @ other.T
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    same = LABELS[:, None] == LABELS[None]
    lengths = (POINTS**2).sum(1).mean() + (other**2).sum(1).mean()
    expected = -(logs * same / same.sum(1, keepdims=True)).sum(1).mean() + 0.25 * 0.002 * lengths
    np.testing.assert_allclose(run(lambda: metric_learning.npairs_loss(LABELS, POINTS, other)), expected, rtol=1e-4)


# --- cells ------------------------------------------------------------------------------------------------------------

X, C, H = (rng.normal(size=(2, n)).astype(np.float32) for n in (3, 4, 4))


def test_block_cells_have_the_formulas_of_the_plain_ones() -> None:
    def cell(kind: Any, state: Any, **more: Any) -> Any:
        with tf.variable_scope("one", reuse=tf.AUTO_REUSE):
            return kind(4, **more)(tf.constant(X), state)

    def lstm() -> Any:
        state = tf.nn.rnn_cell.LSTMStateTuple(C, H)
        made = cell(rnn_cells.LSTMBlockCell, state, name="cell"), cell(tf.nn.rnn_cell.BasicLSTMCell, state, name="cell")
        assert len(tf.global_variables()) == 2
        return made

    for make in (
        lstm,
        lambda: (cell(rnn_cells.GRUBlockCell, H, name="cell"), cell(tf.nn.rnn_cell.GRUCell, H, name="cell")),
    ):
        (ours, state), (theirs, other) = run(make)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
        for a, b in zip(state, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)


def test_peepholes_see_the_cell() -> None:
    def make() -> Any:
        state = tf.nn.rnn_cell.LSTMStateTuple(C, H)
        made = rnn_cells.LSTMBlockCell(4, use_peephole=True, cell_clip=0.4)(tf.constant(X), state)
        return made, {v.op.name.rpartition("/")[2]: v for v in tf.global_variables()}

    (y, (c, _)), w = run(make)
    i, j, f, o = np.split(np.concatenate([X, H], 1) @ w["kernel"] + w["bias"], 4, 1)
    new = sigmoid(f + 1 + C * w["w_f_diag"]) * C + sigmoid(i + C * w["w_i_diag"]) * np.tanh(j)
    new = np.clip(new, -0.4, 0.4)
    np.testing.assert_allclose(c, new, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(y, sigmoid(o + new * w["w_o_diag"]) * np.tanh(new), rtol=1e-4, atol=1e-6)


def test_a_convolutional_cell_of_one_pixel_is_an_lstm() -> None:
    def make() -> Any:
        state = tf.nn.rnn_cell.LSTMStateTuple(C[:, None, None], H[:, None, None])
        cell = rnn_cells.Conv2DLSTMCell(input_shape=[1, 1, 3], output_channels=4, kernel_shape=[1, 1])
        return cell(tf.constant(X[:, None, None]), state)[0], tf.global_variables()

    y, (kernel, bias) = run(make)
    i, j, f, o = np.split(np.concatenate([X, H], 1) @ kernel[0, 0] + bias, 4, 1)
    new = sigmoid(f + 1) * C + sigmoid(i) * np.tanh(j)
    np.testing.assert_allclose(y[:, 0, 0], np.tanh(new) * sigmoid(o), rtol=1e-4, atol=1e-6)


def test_attention_over_last_outputs_runs_in_a_loop() -> None:
    def make() -> Any:
        cell = rnn_cells.AttentionCellWrapper(tf.nn.rnn_cell.BasicLSTMCell(4), 3)
        outputs, state = tf.nn.dynamic_rnn(cell, tf.constant(rng.rand(2, 5, 3), tf.float32), dtype=tf.float32)
        names = sorted(v.op.name.partition("attention_cell_wrapper/")[2] for v in tf.trainable_variables())
        return outputs, state[2], tf.constant(names)

    outputs, last, names = run(make)
    np.testing.assert_allclose(last.reshape(2, 3, 4), outputs[:, 2:], rtol=1e-5)
    assert {b"attention/attn_v", b"attention/attn_w", b"attn_output_projection/kernel", b"kernel"} <= set(names)


# --- from inside ------------------------------------------------------------------------------------------------------


def test_jacobians_in_a_graph() -> None:
    def make() -> Any:
        x = tf.constant(X)
        y = tf.square(x) * tf.reduce_sum(x, 1, keepdims=True)
        return unexported.jacobian(y, x), unexported.batch_jacobian(y, x)

    whole, batch = run(make)
    for b in range(2):
        expected = np.diag(2 * X[b] * X[b].sum()) + X[b][:, None] ** 2
        np.testing.assert_allclose(batch[b], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(whole[b, :, b], expected, rtol=1e-4, atol=1e-5)
    assert np.all(whole[0, :, 1] == 0)


def test_hessian_vector_product_and_defun() -> None:
    def make() -> Any:
        x = tf.constant(X[0])
        cube = unexported.Defun(tf.float32)(lambda t: t * t * t)
        return unexported.hessian_vector_product(cube(x), [x], [tf.constant([1.0, 2.0, 3.0])])[0]

    np.testing.assert_allclose(run(make), 6 * X[0] * [1, 2, 3], rtol=1e-4)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = rng.normal(size=100_000).astype(np.float32)
    y = run(lambda: renamed.alpha_dropout(x, 0.8, seed=3))
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1) < 0.03
    with pytest.raises(ValueError, match="keep_prob"):
        renamed.alpha_dropout(x, 1.5)


def test_summaries_of_layers() -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [2, 3])
        y = tf.nn.relu(tf.layers.dense(x, 2), name="out")
        summaries.summarize_activation(y)
        summaries.add_gradients_summaries([(tf.gradients(y, v)[0], v) for v in tf.trainable_variables()])
        names = [t.op.name for t in tf.get_collection(tf.GraphKeys.SUMMARIES)]
    assert "out/zeros" in names
    assert "out/activations" in names
    assert "dense/kernel_gradient_norm" in names
