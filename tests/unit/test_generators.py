"""Generators and stateless draws: TensorFlow 2.21's numbers where the algorithm is its own, laws where it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pullback as tf


def generator() -> tf.random.Generator:
    return tf.random.Generator.from_seed(5)


class TestTensorFlowsNumbers:
    def test_draws_and_the_state_after_each(self) -> None:
        g = generator()
        np.testing.assert_allclose(g.normal([3]), [1.0278524, 0.27974114, -0.01347923], rtol=1e-6)
        assert g.state.numpy().tolist() == [773, 0, 0]
        wanted = [0.24910692, 0.31812107, 0.46679706, 0.01726639, 0.71583074]
        np.testing.assert_allclose(g.uniform([5], dtype=tf.float64), wanted, rtol=1e-6)
        np.testing.assert_allclose(g.truncated_normal([3]), [1.0251256, -0.5657337, -1.2282583], rtol=1e-6)
        assert g.uniform([3], 0, 10, tf.int32).numpy().tolist() == [8, 6, 2]
        assert [h.state.numpy().tolist() for h in g.split(2)] == [
            [0, 0, -5451549617255049866],
            [0, 0, 3409298132332453852],
        ]
        assert g.uniform_full_int([2]).numpy().tolist() == [2415240746602099447, 15048618078857800204]
        assert g.make_seeds(2).numpy().tolist() == [[-5075479666913656029, 8668347890927322385], [0, 0]]
        assert g.skip(10).numpy().tolist() == [5125, 0, 0] and g.state.numpy().tolist() == [7685, 0, 0]
        assert g.binomial([3], 5.0, 0.3).shape == (3,) and g.state.numpy().tolist() == [84485, 0, 0]

    def test_states_of_seeds(self) -> None:
        def state(seed: object) -> list[int]:
            return tf.random.create_rng_state(seed, "philox").numpy().tolist()

        assert [state(3), state(-5), state([1, 2]), state(2**70)] == [[3, 0, 0], [-5, -1, -1], [0, 1, 2], [0, 64, 0]]
        assert state(tf.constant([1, 2, 3, 4])) == [1, 2, 3]
        assert tf.random.Generator.from_key_counter(7, [1, 2], "philox").state.numpy().tolist() == [1, 2, 7]

    def test_seeds_of_seeds_shuffles_and_classes(self) -> None:
        seed = [1, 2]
        wanted = [[1105988140, 1738052849], [-335576002, 370444179], [10670227, -246211131]]
        assert tf.random.split(seed, 3).numpy().tolist() == wanted
        assert tf.random.fold_in(seed, 5).numpy().tolist() == [1105988140, 5]
        assert tf.random.experimental.stateless_shuffle(tf.range(6), seed).numpy().tolist() == [4, 5, 0, 3, 1, 2]
        classes = tf.random.stateless_categorical([[0.0, 1.0, 2.0]], 6, seed)
        assert classes.numpy().tolist() == [[2, 2, 1, 2, 2, 2]]


class TestGenerators:
    def test_functions_advance_it_call_by_call(self) -> None:
        g, same = generator(), generator()
        drawn = tf.function(lambda: g.normal([2]))
        np.testing.assert_array_equal([drawn(), drawn()], [same.normal([2]), same.normal([2])])

    def test_reset_and_copies(self) -> None:
        g = generator()
        first, copy = g.normal([2]), tf.random.Generator(copy_from=g)
        np.testing.assert_array_equal(copy.normal([2]), g.normal([2]))
        g.reset_from_seed(5)
        np.testing.assert_array_equal(g.normal([2]), first)
        g.reset_from_key_counter(0, [5, 0])
        np.testing.assert_array_equal(g.normal([2]), first)
        g.reset([5, 0, 0])
        np.testing.assert_array_equal(g.normal([2]), first)
        assert g.key.numpy() == 0 and g.algorithm == tf.random.Algorithm.PHILOX.value

    def test_a_variable_is_shared(self) -> None:
        state = tf.Variable(np.array([5, 0, 0]))
        g = tf.random.Generator.from_state(state, "philox")
        np.testing.assert_array_equal(g.normal([2]), generator().normal([2]))
        assert state.numpy()[0] == 5 + 2 * 256

    def test_checkpoints_hold_the_state(self, tmp_path: Path) -> None:
        g = generator()
        saved = tf.train.Checkpoint(generator=g)
        path = saved.save(str(tmp_path / "at"))
        drawn = g.normal([2])
        saved.restore(path)
        np.testing.assert_array_equal(g.normal([2]), drawn)

    def test_the_global_one_can_be_replaced(self) -> None:
        before = tf.random.get_global_generator()
        tf.random.set_global_generator(generator())
        np.testing.assert_array_equal(tf.random.get_global_generator().normal([2]), generator().normal([2]))
        tf.random.set_global_generator(before)
        other = tf.random.Generator.from_non_deterministic_state()
        assert (other.uniform([4]).numpy() != before.uniform([4]).numpy()).any()

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: tf.random.Generator(), "state and alg are needed"),
            (lambda: tf.random.Generator.from_seed(1, "threefry"), "is Philox"),
            (lambda: tf.random.Generator.from_state([1, 2], "philox"), r"must have shape \[3\]"),
            (lambda: tf.random.Generator.from_key_counter(1, [2], 1), r"must have shape \[2\]"),
            (lambda: tf.random.Generator(generator(), alg=1), "not both"),
            (lambda: generator().uniform([2], 3, dtype=tf.int32), "both None or both given"),
            (lambda: generator().binomial([2], 3.0, 1.5), r"in \[0, 1\]"),
        ],
    )
    def test_mistakes(self, call, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            call()


class TestLaws:
    def test_stateless_means(self) -> None:
        n, seed = 4000, [3, 4]
        gamma = tf.random.stateless_gamma([n, 2], seed, [2.0, 3.0], 2.0).numpy()
        np.testing.assert_allclose(gamma.mean(0), [1.0, 1.5], atol=0.1)
        poisson = tf.random.stateless_poisson([n, 2], seed, [2.0, 5.0]).numpy()
        np.testing.assert_allclose(poisson.mean(0), [2.0, 5.0], atol=0.2)
        binomial = tf.random.stateless_binomial([n, 2], seed, [4.0, 10.0], 0.25).numpy()
        np.testing.assert_allclose(binomial.mean(0), [1.0, 2.5], atol=0.1)
        again = tf.random.stateless_binomial([n, 2], seed, [4.0, 10.0], 0.25).numpy()
        assert binomial.dtype == np.int32 and (binomial == again).all()

    def test_a_cut_normal_is_the_normal_between_its_ends(self) -> None:
        from math import erf, sqrt

        cut = np.sort(tf.random.stateless_parameterized_truncated_normal([4000], [5, 6], 1.0, 2.0, 0.0, 4.0).numpy())
        assert cut[0] >= 0 and cut[-1] <= 4
        below, upto, at = (erf((x - 1.0) / 2.0 / sqrt(2)) for x in (0.0, 4.0, 2.0))
        assert np.mean(cut < 2.0) == pytest.approx((at - below) / (upto - below), abs=0.03)


IMAGE = np.arange(24, dtype=np.float32).reshape(2, 4, 3) / 24
CHANGES = {
    "flips": (lambda s: tf.image.stateless_random_flip_left_right(IMAGE, s), [0.375, 0.41666666]),
    "turns": (lambda s: tf.image.stateless_random_flip_up_down(IMAGE, s), [0.5, 0.5416667]),
    "brightness": (lambda s: tf.image.stateless_random_brightness(IMAGE, 0.5, s), [-0.25671256, -0.21504588]),
    "contrast": (lambda s: tf.image.stateless_random_contrast(IMAGE, 0.5, 1.5, s), [0.11231175, 0.1539784]),
    "hue": (lambda s: tf.image.stateless_random_hue(IMAGE, 0.3, s), [0.0, 0.08333334]),
    "saturation": (lambda s: tf.image.stateless_random_saturation(IMAGE, 0.5, 1.5, s), [0.02139271, 0.05236302]),
    "crop": (lambda s: tf.image.stateless_random_crop(IMAGE, [1, 2, 3], s), [0.0, 0.04166667]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes_of_pictures_are_tensorflows(name: str) -> None:
    change, wanted = CHANGES[name]
    np.testing.assert_allclose(np.ravel(change([3, 4]))[:2], wanted, atol=1e-6)


def test_several_pictures_turn_each_by_itself() -> None:
    turned = tf.image.stateless_random_flip_left_right(np.stack([IMAGE, IMAGE]), [3, 4])
    np.testing.assert_allclose(turned[:, 0, 0, 0], [0.0, 0.375])


def test_mistakes_about_pictures() -> None:
    for call, words in (
        (lambda: tf.image.stateless_random_hue(IMAGE, 0.7, [1, 2]), "0.5"),
        (lambda: tf.image.stateless_random_brightness(IMAGE, -1, [1, 2]), "non-negative"),
        (lambda: tf.image.stateless_random_saturation(IMAGE, 0.5, 1.5), "needs a seed"),
        (lambda: tf.image.stateless_random_contrast(IMAGE, 2, 1, [1, 2]), "upper must be > lower"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
