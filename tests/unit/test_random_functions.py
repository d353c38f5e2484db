"""Seeds make draws repeatable; ranges, types and parameters are what was asked; dropout keeps the mean."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


@pytest.fixture(autouse=True)
def seedless():
    yield
    tf.random.set_seed(None)


DRAWS = {
    "uniform": lambda **k: tf.random.uniform([500], **k),
    "integers": lambda **k: tf.random.uniform([500], 2, 9, tf.int32, **k),
    "normal": lambda **k: tf.random.normal([500], **k),
    "truncated": lambda **k: tf.random.truncated_normal([500], **k),
    "shuffle": lambda **k: tf.random.shuffle(np.arange(500), **k),
}


@pytest.mark.parametrize("name", DRAWS)
class TestSeeds:
    def test_the_global_seed_starts_the_sequence_anew(self, name):
        tf.random.set_seed(7)
        first = [DRAWS[name]().numpy() for _ in range(2)]
        tf.random.set_seed(7)
        again = [DRAWS[name]().numpy() for _ in range(2)]
        np.testing.assert_array_equal(first, again)
        assert (first[0] != first[1]).any()
        tf.random.set_seed(8)
        assert (DRAWS[name]().numpy() != first[0]).any()

    def test_without_seeds_every_draw_is_another(self, name):
        assert (DRAWS[name]().numpy() != DRAWS[name]().numpy()).any()

    def test_a_graphs_seed_makes_its_sessions_agree(self, name):
        with v1.Graph().as_default():
            v1.set_random_seed(3)
            y, z = DRAWS[name](), DRAWS[name]()
            with v1.Session() as one, v1.Session() as two:
                first, second = one.run([y, z])
                np.testing.assert_array_equal(two.run(y), first)
                assert (first != second).any() and (one.run(y) != first).any()

    def test_an_op_seed_alone(self, name):
        def run():
            with v1.Graph().as_default(), v1.Session() as session:
                return session.run(DRAWS[name](seed=5))

        np.testing.assert_array_equal(run(), run())


class TestWhatIsDrawn:
    def test_parameters(self):
        x = tf.random.uniform([4000], -3, 5, tf.float64).numpy()
        assert x.min() >= -3 and x.max() < 5 and abs(x.mean() - 1) < 0.3
        x = tf.random.normal([4000], 10, 2).numpy()
        assert abs(x.mean() - 10) < 0.2 and abs(x.std() - 2) < 0.2
        x = tf.random.truncated_normal([4000], 10, 2).numpy()
        assert x.min() > 6 and x.max() < 14 and 1.5 < x.std() < 2
        assert set(tf.random.uniform([500], 2, 5, tf.int64).numpy()) == {2, 3, 4}
        assert tf.random.uniform(tf.constant([2, 0])).shape == (2, 0)

    def test_gradients_reach_the_parameters(self):
        mean, stddev = tf.constant(1.0), tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch([mean, stddev])
            x = tf.random.normal([7], mean, stddev)
            total = tf.reduce_sum(x)
        d_mean, d_stddev = tape.gradient(total, [mean, stddev])
        assert d_mean.numpy() == 7
        np.testing.assert_allclose(d_stddev, (x.numpy() - 1).sum() / 2, rtol=1e-4)

    def test_shuffled_rows_carry_their_gradients_home(self):
        x = tf.constant(np.arange(10.0))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.random.shuffle(x)
            total = tf.reduce_sum(y * tf.constant(np.arange(10.0)))
        assert sorted(y.numpy()) == list(range(10))
        np.testing.assert_array_equal(tape.gradient(total, x).numpy()[y.numpy().astype(int)], np.arange(10))

    def test_a_shuffle_of_rows_not_counted_yet(self):
        with v1.Graph().as_default(), v1.Session() as session:
            p = v1.placeholder(tf.float32, [None, 2])
            y = session.run(v1.random_shuffle(p, seed=1), {p: np.arange(12.0).reshape(6, 2)})
        assert sorted(y[:, 0]) == [0, 2, 4, 6, 8, 10] and (y[:, 1] == y[:, 0] + 1).all()

    def test_stateless_draws_are_functions_of_their_seed(self):
        for draw in (tf.random.stateless_uniform, tf.random.stateless_normal, tf.random.stateless_truncated_normal):
            x = draw([5], [1, 2]).numpy()
            np.testing.assert_array_equal(draw([5], [1, 2], alg="philox"), x)
            assert (draw([5], [1, 3]).numpy() != x).all()
        whole = tf.random.stateless_uniform([100], [1, 2], None, None, tf.int32).numpy()
        assert whole.min() < -(2**29) and whole.max() > 2**29
        assert set(tf.random.stateless_uniform([100], [1, 2], 3, 5, tf.int64).numpy()) == {3, 4}

    def test_mistakes(self):
        for wrong, words in (
            (lambda: tf.random.uniform([2], dtype=tf.int32), "maxval"),
            (lambda: tf.random.normal([2], dtype=tf.int32), "int32"),
            (lambda: tf.random.uniform([2], 5, 5, tf.int32), "5"),
            (lambda: tf.random.stateless_uniform([2], [1, 2], 0, None, tf.int32), "both"),
            (lambda: tf.random.stateless_normal([2], [1, 2], alg="threefry"), "Philox"),
            (lambda: tf.random.stateless_normal([2], [1, 2, 3]), r"\[3\]"),
            (lambda: tf.random.shuffle(1.0), "scalar|1 axis|rank|axes"),
        ):
            with pytest.raises((ValueError, TypeError), match=words):
                wrong()


class TestSeedPairs:
    def test_the_two_seeds_an_op_draws_by(self):
        with v1.Graph().as_default():
            assert v1.get_seed(None) == (None, None)
            assert v1.get_seed(9) == (87654321, 9)
            v1.set_random_seed(4)
            assert v1.get_seed(9) == (4, 9)
            assert [v1.get_seed(None) for _ in range(2)] == [(4, 0), (4, 1)]
            v1.set_random_seed(0)
            assert v1.get_seed(0) == (0, 2**31 - 1)


class TestDropout:
    def test_what_stays_is_scaled(self):
        x = tf.ones([4000])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.nn.dropout(x, 0.25)
        assert set(np.unique(y)) == {0, np.float32(4 / 3)} and abs(y.numpy().mean() - 1) < 0.1
        np.testing.assert_array_equal(tape.gradient(y, x), y)

    def test_masks_are_shared_along_axes_of_one(self):
        y = tf.nn.dropout(tf.ones([6, 50]), tf.constant(0.5), noise_shape=[1, None]).numpy()
        assert (y == y[:1]).all() and {0, 2} == set(np.unique(y))
        rows = tf.nn.dropout(tf.ones([50, 6]), 0.5, noise_shape=tf.TensorShape([50, 1])).numpy()
        assert (rows == rows[:, :1]).all()

    def test_nothing_to_drop(self):
        x = tf.ones([3])
        assert tf.nn.dropout(x, 0) is x

    def test_sizes_known_only_when_run(self):
        with v1.Graph().as_default(), v1.Session() as session:
            x, keep = v1.placeholder(tf.float64, [None, 3]), v1.placeholder(tf.float32, [])
            y = v1.nn.dropout(x, keep)
            mask = v1.nn.dropout(x, rate=0.5, noise_shape=[None, 1])
            assert y.shape.as_list() == [None, 3]
            assert session.run(y, {x: np.ones((5, 3)), keep: 1.0}).tolist() == np.ones((5, 3)).tolist()
            rows = session.run(mask, {x: np.ones((40, 3))})
            assert rows.shape == (40, 3) and (rows == rows[:, :1]).all()

    def test_mistakes(self):
        x = tf.ones([3])
        for wrong, words in (
            (lambda: tf.nn.dropout(x, 1.0), r"\[0, 1\)"),
            (lambda: tf.nn.dropout([1, 2], 0.5), "floating"),
            (lambda: tf.nn.dropout(x, tf.constant([0.5])), "scalar"),
            (lambda: tf.nn.dropout(x, tf.constant(1)), "floating"),
            (lambda: v1.nn.dropout(np.ones(3)), "keep_prob"),
            (lambda: v1.nn.dropout(np.ones(3), 0.5, rate=0.5), "keep_prob"),
        ):
            with pytest.raises((ValueError, TypeError), match=words), v1.Graph().as_default():
                wrong()
