"""Optimizers' steps in eager programs: compiled ones are those that are taken op by op."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import pullback as tf
from pullback.train.compiled_steps import FIRST, CompiledSteps

STEPS = FIRST + 4
K = tf.keras.optimizers
OPTIMIZERS = {
    "SGD": lambda: K.SGD(0.1),
    "momentum": lambda: K.SGD(0.1, momentum=0.9, nesterov=True),
    "Adam": lambda: K.Adam(0.01),
    "AMSGrad": lambda: K.Adam(0.01, amsgrad=True),
    "AdamW": lambda: K.AdamW(0.01, weight_decay=0.02),
    "Adamax": lambda: K.Adamax(0.01),
    "Nadam": lambda: K.Nadam(0.01),
    "RMSprop": lambda: K.RMSprop(0.01, momentum=0.5, centered=True),
    "Adagrad": lambda: K.Adagrad(0.1),
    "Adadelta": lambda: K.Adadelta(0.5),
    "Ftrl": lambda: K.Ftrl(0.1),
    "clipped": lambda: K.SGD(0.1, clipnorm=0.5),
    "together": lambda: K.SGD(0.1, global_clipnorm=0.5),
    "averaged": lambda: K.SGD(0.1, use_ema=True, ema_overwrite_frequency=3),
    "gathered": lambda: K.Adam(0.1, gradient_accumulation_steps=2),
    "scheduled": lambda: K.SGD(K.schedules.ExponentialDecay(0.1, 2, 0.5)),
}


def variables():
    rng = np.random.default_rng(0)
    return [tf.Variable(rng.normal(size=s).astype("f4"), name=f"w{i}") for i, s in enumerate([(3, 2), (2,), ()])]


def gradients(step):
    rng = np.random.default_rng(step + 1)
    return [tf.constant(rng.normal(size=s).astype("f4")) for s in [(3, 2), (2,), ()]]


def values(optimizer, ws):
    return [w.numpy() for w in [*ws, *optimizer.variables]]


def is_compiled(optimizer):
    return any(not isinstance(p, int) for p in optimizer._compiled._programs.values())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_those_taken_op_by_op(name):
    made = []
    for eagerly in (True, False):
        optimizer, ws = OPTIMIZERS[name](), variables()
        tf.config.run_functions_eagerly(eagerly)
        try:
            for step in range(STEPS):
                optimizer.apply_gradients(zip(gradients(step), ws, strict=True))
        finally:
            tf.config.run_functions_eagerly(False)
        assert is_compiled(optimizer) is not eagerly
        made.append(values(optimizer, ws))
    for a, b in zip(*made, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-7)


class TestWhatChanges:
    def test_the_rate(self):
        optimizer, (w, *_) = K.SGD(0.5), variables()
        for rate in (0.5, 0.25, 0.125, 0.0, 1.0, 2.0):
            optimizer.learning_rate = rate
            before = w.numpy()
            optimizer.apply_gradients([(tf.ones([3, 2]), w)])
            np.testing.assert_allclose(before - w.numpy(), np.full((3, 2), rate), atol=1e-6)
        assert is_compiled(optimizer)

    def test_a_setting(self):
        optimizer, (w, *_) = K.SGD(1.0), variables()
        for _ in range(STEPS):
            optimizer.apply_gradients([(tf.ones([3, 2]), w)])
        optimizer.clipvalue = 0.25
        before = w.numpy()
        optimizer.apply_gradients([(tf.ones([3, 2]), w)])
        np.testing.assert_allclose(before - w.numpy(), np.full((3, 2), 0.25), atol=1e-6)

    def test_the_variables(self):
        optimizer, ws = K.Adam(0.1), variables()
        optimizer.build(ws)
        for some in (ws, ws[:1], ws, ws[1:], ws, ws[1:], ws):
            before = [w.numpy() for w in ws]
            optimizer.apply_gradients([(tf.ones(w.shape), w) for w in some])
            moved = [not np.array_equal(w.numpy(), b) for w, b in zip(ws, before, strict=True)]
            assert moved == [any(w is s for s in some) for w in ws]
        assert int(optimizer.iterations) == 7 and is_compiled(optimizer)

    def test_absent_and_sparse_gradients(self):
        optimizer, ws = K.SGD(1.0), variables()
        for _ in range(STEPS):
            optimizer.apply_gradients([(tf.ones(w.shape), w) for w in ws])
        before = [w.numpy() for w in ws]
        optimizer.apply_gradients([(None, ws[0]), (tf.IndexedSlices(tf.ones([1]), tf.constant([1])), ws[1])])
        assert np.array_equal(ws[0].numpy(), before[0]) and np.allclose(ws[1].numpy(), before[1] - [0, 1])

    def test_under_a_tape_each_op_is_heard(self):
        optimizer, (w, *_) = K.SGD(0.5), variables()
        with tf.GradientTape() as tape:
            g = tf.ones([3, 2])
            tape.watch(g)
            for _ in range(STEPS):
                optimizer.apply_gradients([(g * g, w)])
        assert not is_compiled(optimizer)


class TestWhatUsersWrote:
    """Runs at each step."""

    def test_a_rate(self):
        called = []
        optimizer, (w, *_) = K.SGD(lambda: called.append(1) or 0.1), variables()
        for _ in range(STEPS):
            optimizer.apply_gradients([(tf.ones([3, 2]), w)])
        assert len(called) >= STEPS

    def test_a_schedule(self):
        class Mine(K.schedules.LearningRateSchedule):
            steps = 0

            def __call__(self, step):
                self.steps += 1
                return 0.1 * self.steps

        rate = Mine()
        optimizer, (w, *_) = K.SGD(rate), variables()
        start = w.numpy()
        for _ in range(STEPS):
            optimizer.apply_gradients([(tf.ones([3, 2]), w)])
        np.testing.assert_allclose(start - w.numpy(), 0.1 * sum(range(1, STEPS + 1)), rtol=1e-5)

    def test_an_optimizer(self):
        class Mine(K.SGD):
            steps = 0

            def update_step(self, gradient, variable, learning_rate):
                self.steps += 1
                super().update_step(gradient, variable, learning_rate)

        optimizer, (w, *_) = Mine(0.1), variables()
        for _ in range(STEPS):
            optimizer.apply_gradients([(tf.ones([3, 2]), w)])
        assert optimizer.steps == STEPS

    def test_a_constraint(self):
        called = []
        w = tf.Variable([1.0, 2.0], constraint=lambda x: called.append(1) or tf.maximum(x, 0.5))
        optimizer = K.SGD(0.4)
        for _ in range(STEPS):
            optimizer.apply_gradients([(tf.ones([2]), w)])
        assert len(called) == STEPS and w.numpy().tolist() == [0.5, 0.5]


def test_copies_compile_for_themselves():
    steps = CompiledSteps()
    steps._programs[1, 2] = 1
    assert copy.deepcopy(steps)._programs == {}
