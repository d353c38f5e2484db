"""CTC: prefix search against the sum over all alignments, and the loss of frames whose number is not known."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core.errors import ArgumentError

RNG = np.random.default_rng(4)


def likelihoods(log_p: Any) -> dict[tuple[int, ...], float]:
    """Each labelling's probability: the sum over the alignments that give it."""
    blank, found = log_p.shape[1] - 1, {}
    for path in itertools.product(range(blank + 1), repeat=len(log_p)):
        labels = tuple(c for i, c in enumerate(path) if c != blank and (not i or path[i - 1] != c))
        found[labels] = found.get(labels, 0.0) + float(np.exp(sum(log_p[t, c] for t, c in enumerate(path))))
    return found


def labels_of(sparse: Any, row: int) -> tuple[int, ...]:
    at = sparse.indices.numpy()[:, 0] == row
    return tuple(sparse.values.numpy()[at].tolist())


def test_a_wide_search_finds_the_likeliest_labellings() -> None:
    x, lengths = RNG.normal(size=(5, 3, 3)) * 2, [5, 4, 2]
    decoded, scores = tf.nn.ctc_beam_search_decoder(x, lengths, beam_width=200, top_paths=3)
    for b, length in enumerate(lengths):
        log_p = x[:length, b] - np.log(np.exp(x[:length, b]).sum(1, keepdims=True))
        best = sorted(likelihoods(log_p).items(), key=lambda pair: -pair[1])[:3]
        assert [labels_of(decoded[k], b) for k in range(3)] == [labels for labels, _ in best]
        assert np.exp(scores.numpy()[b]) == pytest.approx([p for _, p in best])


def test_merging_joins_labels_that_a_blank_parts() -> None:
    x = np.full((3, 1, 2), -9.0)
    x[[0, 2], 0, 0] = x[1, 0, 1] = 9.0
    apart, _ = tf.nn.ctc_beam_search_decoder(x, [3])
    assert labels_of(apart[0], 0) == (0, 0)
    with v1.Graph().as_default(), v1.Session() as session:
        [joined], _ = v1.nn.ctc_beam_search_decoder(x, [3])
        assert session.run(joined).values.tolist() == [0]


def test_more_paths_than_beams_are_refused() -> None:
    with pytest.raises(ArgumentError, match="at most the beam_width 2"):
        tf.nn.ctc_beam_search_decoder(np.zeros((2, 1, 3)), [2], beam_width=2, top_paths=3)


def test_the_loss_takes_frames_whose_number_only_a_run_says() -> None:
    x = RNG.normal(size=(6, 2, 4))
    with v1.Graph().as_default(), v1.Session() as session:
        labels = v1.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 1, 2], [2, 2])
        ends = []
        for shape in ([6, 2, 4], [None, None, 4]):
            frames = v1.placeholder(tf.float64, shape)
            loss = v1.nn.ctc_loss(labels, frames, [6, 4])
            ends.append(session.run([loss, *v1.gradients(loss, frames)], {frames: x}))
    for known, unknown in zip(*ends, strict=True):
        np.testing.assert_allclose(known, unknown, rtol=1e-12)
