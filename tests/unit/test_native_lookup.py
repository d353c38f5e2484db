"""Rows looked up and added up by index, one-hot rows."""

from __future__ import annotations

import numpy as np
import pytest
from machine_code import planned

import pullback as tf
from pullback.core.config import config

pytest.importorskip("llvmlite")

from pullback.ops.array.gather import GatherV2
from pullback.ops.array.rows import UnsortedSegmentSum


@pytest.mark.parametrize("index", ["int32", "int64", "int16"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "float16", "complex64"])
@pytest.mark.parametrize("shape,axis", [((50, 33), 0), ((50,), 0), ((4, 50, 3), 1), ((3, 50), -1), ((50, 0), 0)])
def test_looked_up(shape, axis, dtype, index):
    rng = np.random.default_rng(0)
    x, at, along = (
        rng.normal(size=shape).astype(dtype),
        rng.integers(0, 50, (7, 3)).astype(index),
        np.array(axis, np.int32),
    )
    run = planned(GatherV2(), x, at, along)
    assert np.array_equal(run(x, at, along)[0], np.take(x, at, axis))
    if x.size:
        at[3, 1] = 50
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[3,1\] = 50 is not in \[0, 50\)"):
            run(x, at, along)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows,row", [(1, (5,)), (9, ()), (40, (33,)), (40, (2, 8)), (1000, (3,))])
def test_added_up(rows, row, dtype):
    rng = np.random.default_rng(0)
    x, at, count = rng.normal(size=(200, *row)).astype(dtype), rng.integers(-1, rows, 200), np.array(rows, np.int32)
    run, wanted = planned(UnsortedSegmentSum(), x, at, count), np.zeros((rows, *row), dtype)
    np.add.at(wanted, at[at >= 0], x[at >= 0])
    for _ in range(2):
        assert np.allclose(run(x, at, count)[0], wanted, rtol=1e-5, atol=1e-6)
    at[0] = rows
    with pytest.raises(tf.errors.InvalidArgumentError, match="not below num_segments"):
        run(x, at, count)


def test_an_embedding_trains(monkeypatch):
    """Rows, one-hot labels and the gradient by rows in one plan."""
    monkeypatch.setattr(config, "plan_after", 0)
    rng = np.random.default_rng(0)
    table, words = rng.normal(size=(60, 20)).astype("f4"), rng.integers(0, 60, (8, 5))

    def gradient(engine):
        @tf.function
        def f(table, words):
            with tf.GradientTape() as tape:
                tape.watch(table)
                h = tf.reduce_mean(tf.gather(table, words), 1)
                labels = tf.one_hot(words[:, 0] % 20, 20)
                loss = tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=h))
            return loss, tf.convert_to_tensor(tape.gradient(loss, table))

        with tf.engine(engine):
            return [t.numpy() for t in f(tf.constant(table), tf.constant(words))]

    for ours, theirs in zip(gradient("cpu"), gradient("reference"), strict=True):
        assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-6)
