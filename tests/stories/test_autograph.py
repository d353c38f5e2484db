"""Programs with Python's control flow on tensors: their gradients, engines, models and input pipelines."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as tf
from pullback.core import interpreter
from pullback.engines.reference import REFERENCE


def power_series(x, n):
    """x^(n/2) and sines in turn."""
    y = x
    for i in tf.range(n):
        if i % 2 == 0:
            y = y * x
        else:
            y = y + tf.sin(x)
    return y


def until(x):
    """x * 1.5^k, doubled, for the first k that takes it beyond 5."""
    for _ in tf.range(10):
        x = x * 1.5
        if x > 5.0:
            return x * 2.0
    return x


def rows_beyond(x):
    """The sum of cubes of rows whose sum is beyond 3, each again until the total is beyond 10."""
    s = tf.constant(0.0, tf.float64)
    while s < 10.0:
        for row in x:
            if tf.reduce_sum(row) > 3.0:
                s += tf.reduce_sum(row**3)
    return s


def derivatives(f, x, *args):
    """f, its gradient, and the gradient of that gradient's sum."""
    x = tf.constant(x, tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x, *args)
        dx = inner.gradient(y, x)
    return [t.numpy() for t in (y, dx, outer.gradient(dx, x))]


class TestGradients:
    def test_through_a_loop_with_branches_to_second_order(self):
        x = 1.3
        y, dx, ddx = derivatives(tf.function(power_series), x, tf.constant(4))
        # ((x*x + sin x) * x) + sin x
        np.testing.assert_allclose(y, x**3 + x * np.sin(x) + np.sin(x))
        np.testing.assert_allclose(dx, 3 * x**2 + np.sin(x) + x * np.cos(x) + np.cos(x))
        np.testing.assert_allclose(ddx, 6 * x + 2 * np.cos(x) - x * np.sin(x) - np.sin(x))

    def test_through_a_return_inside_a_loop(self):
        y, dx, _ = derivatives(tf.function(until), 1.0)
        np.testing.assert_allclose([y, dx], [2 * 1.5**4, 2 * 1.5**4])

    def test_of_the_rows_that_were_taken(self):
        x = [[1.0, 2.0], [3.0, 4.0]]
        y, dx, ddx = derivatives(tf.function(rows_beyond), x)
        assert y == 91.0
        assert dx.tolist() == [[0.0, 0.0], [27.0, 48.0]]
        assert ddx.tolist() == [[0.0, 0.0], [18.0, 24.0]]

    def test_a_tape_inside_the_function(self):
        @tf.function
        def descended(x, steps):
            for _ in tf.range(steps):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = (x - 3.0) ** 2
                x = x - 0.25 * tape.gradient(y, x)
            return x

        np.testing.assert_allclose(descended(tf.constant(11.0), tf.constant(5)).numpy(), 3.0 + 8.0 * 0.5**5)

    def test_of_variables(self):
        w = tf.Variable(2.0)

        @tf.function
        def f(x):
            while x < 10.0:
                x = x * w if x > 1.0 else x + w
            return x

        with tf.GradientTape() as tape:
            y = f(tf.constant(0.5))  # ((0.5 + w) * w) * w
        assert y.numpy() == 10.0
        assert tape.gradient(y, w).numpy() == 2 * 0.5 * 2.0 + 3 * 2.0**2


class TestEngines:
    @pytest.mark.parametrize("f", [power_series, until, rows_beyond], ids=lambda f: f.__name__)
    def test_every_engine_gives_the_same(self, f):
        args = {power_series: (1.3, tf.constant(5)), until: (0.7,), rows_beyond: ([[1.0, 2.0], [3.0, 4.0]],)}[f]
        ours = derivatives(tf.function(f, jit_compile=True), *args)
        with interpreter.using_engine(REFERENCE):
            plain = derivatives(tf.function(f), *args)
        for a, b in zip(ours, plain, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


class Gated(tf.keras.Model):
    """A dense layer, doubled where the batch's mean is positive."""

    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)

    def call(self, x):
        if tf.reduce_mean(x) > 0.0:
            x = x * 2.0
        return self.dense(x)


class TestModels:
    def test_a_models_call_is_converted_inside_fit_and_predict(self):
        model = Gated()
        model.compile("sgd", "mse")
        x, y = np.ones((4, 2), np.float32), np.zeros((4, 1), np.float32)
        assert model.predict(x, verbose=0).ravel().tolist() == [4.0] * 4
        assert model.predict(-x, verbose=0).ravel().tolist() == [-2.0] * 4
        model.fit(x, y, batch_size=4, epochs=1, verbose=0)
        np.testing.assert_allclose(model.dense.kernel.numpy().ravel(), [1.0 - 0.01 * 2 * 4 * 2.0] * 2, rtol=1e-6)

    def test_a_loss_of_ones_own_is_converted(self):
        def clipped(y, p):
            loss = tf.reduce_mean((y - p) ** 2)
            if loss > 1.0:
                loss = 1.0 + 0.0 * loss
            return loss

        model = Gated()
        model.compile("sgd", clipped)
        x, y = np.ones((4, 2), np.float32), np.zeros((4, 1), np.float32)
        assert model.evaluate(x, y, verbose=0) == 1.0

    def test_a_method_as_function_keeps_its_state(self):
        class Counter(tf.Module):
            def __init__(self):
                super().__init__()
                self.count = tf.Variable(0)

            @tf.function
            def add(self, n):
                if n > 0:
                    self.count.assign_add(n)
                return self.count.read_value()

        counter = Counter()
        assert [counter.add(tf.constant(n)).numpy() for n in (3, -1, 2)] == [3, 3, 5]


class TestPipelines:
    def test_functions_of_datasets_are_converted(self):
        def cut(x):
            if x > 3:
                x = x * 10
            return x

        def is_even(x):
            return True if x % 2 == 0 else False  # noqa: SIM210

        def total(state, x):
            for _ in tf.range(2):
                state += x
            return state

        data = tf.data.Dataset.range(6)
        assert [int(x) for x in data.map(cut)] == [0, 1, 2, 3, 40, 50]
        assert [int(x) for x in data.filter(is_even)] == [0, 2, 4]
        assert int(data.reduce(tf.constant(0, tf.int64), total)) == 30

    def test_a_training_loop_over_a_dataset_inside_a_function(self):
        w = tf.Variable(0.0)
        data = tf.data.Dataset.from_tensor_slices(([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])).repeat()

        @tf.function
        def trained(limit):
            steps = 0
            for x, y in data:
                with tf.GradientTape() as tape:
                    loss = (w * x - y) ** 2
                w.assign_sub(0.05 * tape.gradient(loss, w))
                steps += 1
                if steps >= limit:
                    break
            return steps

        assert trained(tf.constant(200)).numpy() == 200
        np.testing.assert_allclose(w.numpy(), 2.0, atol=1e-5)

    def test_an_iterator_is_gone_over_as_far_as_the_loop_goes(self):
        @tf.function
        def taken(elements, n):
            total = 0.0
            for x, k in elements:
                if k >= n:
                    break
                total += x
            return total

        elements = iter(tf.data.Dataset.from_tensor_slices(([1.0, 2.0, 4.0, 8.0], [1, 2, 3, 4])))
        assert [taken(elements, tf.constant(n)).numpy() for n in (2, 9, 9)] == [1.0, 12.0, 0.0]

    def test_an_iterators_end_as_a_value_in_a_function(self):
        @tf.function
        def next_or(elements, otherwise):
            found = elements.get_next_as_optional()
            return found.get_value() if found.has_value() else otherwise

        elements = iter(tf.data.Dataset.range(2))
        assert [next_or(elements, tf.constant(-1, tf.int64)).numpy() for _ in range(3)] == [0, 1, -1]
