"""Optimizers against their formulas in NumPy; their slots' names, both faces, schedules, averages, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.core.errors import ArgumentError

STEPS = 6
START = np.array([[1.0, -2.0], [3.0, 0.5], [-0.25, 4.0]])
ROWS = [np.array([0, 2, 0]), np.array([1, 1, 1]), np.array([2, 0, 1])] * 2
Formula = Callable[[Any, Any, dict[str, Any], int], Any]


def f32(x: float) -> float:
    """A setting as TensorFlow 1 holds it: in float32."""
    return float(np.float32(x))


# --- the formulas, once more: w, g, what is kept, t -> w -----------------------------------------------------------


def descent(w: Any, g: Any, kept: Any, t: int) -> Any:
    return w - f32(0.1) * g


def momentum(w: Any, g: Any, kept: Any, t: int) -> Any:
    kept["a"] = f32(0.9) * kept.get("a", 0.0) + g
    return w - f32(0.1) * kept["a"]


def nesterov(w: Any, g: Any, kept: Any, t: int) -> Any:
    kept["a"] = f32(0.9) * kept.get("a", 0.0) + g
    return w - f32(0.1) * (g + f32(0.9) * kept["a"])


def adam(w: Any, g: Any, kept: Any, t: int) -> Any:
    """Powers of the betas are held in float32, as in TensorFlow."""
    b1, b2 = f32(0.9), f32(0.999)
    kept["m"] = b1 * kept.get("m", 0.0) + (1 - b1) * g
    kept["v"] = b2 * kept.get("v", 0.0) + (1 - b2) * g**2
    p1, p2 = (np.float64(np.multiply.accumulate(np.full(t, b, np.float32))[-1]) for b in (b1, b2))
    return w - f32(0.1) * np.sqrt(1 - p2) / (1 - p1) * kept["m"] / (np.sqrt(kept["v"]) + f32(1e-8))


def adagrad(w: Any, g: Any, kept: Any, t: int) -> Any:
    kept["s"] = kept.get("s", 0.1) + g**2
    return w - f32(0.1) * g / np.sqrt(kept["s"])


def adadelta(w: Any, g: Any, kept: Any, t: int) -> Any:
    rho, e = f32(0.95), f32(0.01)
    kept["s"] = rho * kept.get("s", 0.0) + (1 - rho) * g**2
    d = g * np.sqrt(kept.get("d", 0.0) + e) / np.sqrt(kept["s"] + e)
    kept["d"] = rho * kept.get("d", 0.0) + (1 - rho) * d**2
    return w - d


def rmsprop(w: Any, g: Any, kept: Any, t: int) -> Any:
    kept["s"] = f32(0.9) * kept.get("s", 1.0) + (1 - f32(0.9)) * g**2
    kept["v"] = 0.5 * kept.get("v", 0.0) + f32(0.1) * g / np.sqrt(kept["s"] + f32(1e-10))
    return w - kept["v"]


def centered(w: Any, g: Any, kept: Any, t: int) -> Any:
    kept["s"] = f32(0.9) * kept.get("s", 1.0) + (1 - f32(0.9)) * g**2
    kept["m"] = f32(0.9) * kept.get("m", 0.0) + (1 - f32(0.9)) * g
    return w - f32(0.1) * g / np.sqrt(kept["s"] - kept["m"] ** 2 + f32(1e-10))


def ftrl(w: Any, g: Any, kept: Any, t: int) -> Any:
    before = kept.get("n", f32(0.1))
    kept["n"] = before + g**2
    sigma = (np.sqrt(kept["n"]) - np.sqrt(before)) / 0.5
    kept["z"] = kept.get("z", 0.0) + g + 2 * 0.125 * w - sigma * w
    shrunk = np.sign(kept["z"]) * 0.25 - kept["z"]
    return np.where(np.abs(kept["z"]) > 0.25, shrunk / (np.sqrt(kept["n"]) / 0.5 + 2 * 0.5), 0.0)


def proximal(w: Any, g: Any, kept: Any, t: int) -> Any:
    p = w - f32(0.1) * g
    return np.sign(p) * np.maximum(np.abs(p) - f32(0.1) * 0.5, 0) / (1 + f32(0.1) * 0.25)


def proximal_adagrad(w: Any, g: Any, kept: Any, t: int) -> Any:
    kept["s"] = kept.get("s", 0.1) + g**2
    rate = f32(0.1) / np.sqrt(kept["s"])
    p = w - rate * g
    return np.sign(p) * np.maximum(np.abs(p) - rate * 0.5, 0) / (1 + rate * 0.25)


EARLIER: dict[str, tuple[Formula, Callable[[], Any], list[str]]] = {
    "descent": (descent, lambda: tf1.train.GradientDescentOptimizer(0.1), []),
    "momentum": (momentum, lambda: tf1.train.MomentumOptimizer(0.1, 0.9), ["w/Momentum:0"]),
    "nesterov": (nesterov, lambda: tf1.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True), ["w/Momentum:0"]),
    "adam": (
        adam,
        lambda: tf1.train.AdamOptimizer(0.1),
        ["beta1_power:0", "beta2_power:0", "w/Adam:0", "w/Adam_1:0"],
    ),
    "adagrad": (adagrad, lambda: tf1.train.AdagradOptimizer(0.1), ["w/Adagrad:0"]),
    "adadelta": (
        adadelta,
        lambda: tf1.train.AdadeltaOptimizer(1.0, epsilon=0.01),
        ["w/Adadelta:0", "w/Adadelta_1:0"],
    ),
    "rmsprop": (rmsprop, lambda: tf1.train.RMSPropOptimizer(0.1, momentum=0.5), ["w/RMSProp:0", "w/RMSProp_1:0"]),
    "centered": (
        centered,
        lambda: tf1.train.RMSPropOptimizer(0.1, centered=True),
        ["w/RMSProp:0", "w/RMSProp_1:0", "w/RMSProp_2:0"],
    ),
    "ftrl": (
        ftrl,
        lambda: tf1.train.FtrlOptimizer(
            0.5,
            initial_accumulator_value=f32(0.1),
            l1_regularization_strength=0.25,
            l2_regularization_strength=0.5,
            l2_shrinkage_regularization_strength=0.125,
            accum_name="sum",
        ),
        ["w/Ftrl:0", "w/sum:0"],
    ),
    "proximal": (proximal, lambda: tf1.train.ProximalGradientDescentOptimizer(0.1, 0.5, 0.25), []),
    "proximal_adagrad": (
        proximal_adagrad,
        lambda: tf1.train.ProximalAdagradOptimizer(0.1, 0.1, 0.5, 0.25),
        ["w/ProximalAdagrad:0"],
    ),
}


def gradients(sparse: bool) -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(3)
    return [(rng.normal(size=(3, 2)), ROWS[i] if sparse else None) for i in range(STEPS)]


def by_hand(name: str, sparse: bool) -> Any:
    """The last variable by the formula. Rows that share an index add up; rows without a gradient stand still."""
    w, kept = START.copy(), [{} for _ in START]
    formula = EARLIER[name][0]
    for t, (values, rows) in enumerate(gradients(sparse), 1):
        total = np.zeros_like(w)
        np.add.at(total, range(3) if rows is None else rows, values)
        for i in range(3) if rows is None or name == "adam" else sorted(set(rows.tolist())):
            w[i] = formula(w[i], total[i], kept[i], t)
    return w


def slices(values: Any, rows: Any) -> Any:
    return tf.constant(values) if rows is None else tf.IndexedSlices(tf.constant(values), tf.constant(rows), (3, 2))


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("name", EARLIER)
class TestEarlierFace:
    def test_session_follows_the_formula(self, name: str, sparse: bool) -> None:
        _, make, names = EARLIER[name]
        with tf1.Graph().as_default():
            w, count = tf1.Variable(START, name="w"), tf1.train.create_global_step()
            optimizer = make()
            values, rows = tf1.placeholder(tf1.float64, [None, 2]), tf1.placeholder(tf1.int32, [None])
            g = tf1.IndexedSlices(values, rows, (3, 2)) if sparse else values
            step = optimizer.apply_gradients([(g, w)], global_step=count)
            assert [v.name for v in optimizer.variables()] == names
            with tf1.Session() as s:
                s.run(tf1.global_variables_initializer())
                for v, at in gradients(sparse):
                    assert s.run(step, {values: v, rows: [] if at is None else at}) is None
                np.testing.assert_allclose(s.run(w), by_hand(name, sparse), rtol=1e-10, atol=1e-12)
                assert tf1.train.global_step(s, count) == STEPS

    @pytest.mark.parametrize("traced", [False, True], ids=["at once", "function"])
    def test_eager_steps_follow_the_formula(self, name: str, sparse: bool, traced: bool) -> None:
        w, optimizer = tf.Variable(START, name="w"), EARLIER[name][1]()

        def move(g: Any) -> None:
            optimizer.apply_gradients([(g, w)])

        def move_rows(values: Any, rows: Any) -> None:
            optimizer.apply_gradients([(tf.IndexedSlices(values, rows, (3, 2)), w)])

        dense, by_rows = (tf.function(move), tf.function(move_rows)) if traced else (move, move_rows)
        for v, at in gradients(sparse):
            if at is None:
                dense(tf.constant(v))
            else:
                by_rows(tf.constant(v), tf.constant(at))
        np.testing.assert_allclose(w.numpy(), by_hand(name, sparse), rtol=1e-10, atol=1e-12)
        assert [v.name for v in optimizer.variables()] == EARLIER[name][2]


# Settings that make both faces one formula. Momentum's two forms agree while the rate stands still.
BOTH: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "sgd": (lambda: tf.optimizers.SGD(0.1), lambda: tf1.train.GradientDescentOptimizer(0.1)),
    "momentum": (lambda: tf.optimizers.SGD(0.1, 0.5), lambda: tf1.train.MomentumOptimizer(0.1, 0.5)),
    "nesterov": (
        lambda: tf.optimizers.SGD(0.1, 0.5, nesterov=True),
        lambda: tf1.train.MomentumOptimizer(0.1, 0.5, use_nesterov=True),
    ),
    "adam": (
        lambda: tf.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.75, epsilon=0.125),
        lambda: tf1.train.AdamOptimizer(0.1, 0.5, 0.75, 0.125),
    ),
    "adagrad": (lambda: tf.optimizers.Adagrad(0.1, epsilon=0.0), lambda: tf1.train.AdagradOptimizer(0.1)),
    "adadelta": (
        lambda: tf.optimizers.Adadelta(1.0, rho=0.75, epsilon=0.125),
        lambda: tf1.train.AdadeltaOptimizer(1.0, 0.75, 0.125),
    ),
    "ftrl": (lambda: tf.optimizers.Ftrl(0.5), lambda: tf1.train.FtrlOptimizer(0.5)),
}


@pytest.mark.parametrize("name", BOTH)
def test_both_faces_go_the_same_way(name: str) -> None:
    later, earlier = (make() for make in BOTH[name])
    a, b = tf.Variable(START), tf.Variable(START)
    for values, _ in gradients(False):
        later.apply_gradients([(tf.constant(values), a)])
        earlier.apply_gradients([(tf.constant(values), b)])
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9)
    assert int(later.iterations) == STEPS


KINDS = ("SGD", "Adam", "Adagrad", "Adadelta", "RMSprop", "Ftrl")


@pytest.mark.parametrize("kind", KINDS)
class TestLaterFace:
    def test_sparse_gradient_moves_as_the_dense_one(self, kind: str) -> None:
        a, b = tf.Variable(START), tf.Variable(START)
        first, second = (getattr(tf.optimizers, kind)(0.1) for _ in range(2))
        for values, rows in gradients(True):
            g = slices(values, rows)
            first.apply_gradients([(g, a)])
            second.apply_gradients([(tf.convert_to_tensor(g), b)])
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)

    def test_function_moves_as_eager_steps(self, kind: str) -> None:
        ends = []
        for wrap in (lambda f: f, tf.function):
            w, optimizer = tf.Variable(START, name="w"), getattr(tf.keras.optimizers, kind)(0.1)

            @wrap
            def step(w: Any = w, optimizer: Any = optimizer) -> None:
                with tf.GradientTape() as tape:
                    loss = tf.reduce_sum(w**4)
                optimizer.apply_gradients(zip(tape.gradient(loss, [w]), [w], strict=True))

            for _ in range(STEPS):
                step()
            ends.append(w.numpy())
        np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12)

    def test_minimize_goes_down(self, kind: str) -> None:
        w, optimizer = tf.Variable([1.0, 2.0]), getattr(tf.optimizers, kind)(0.05)
        for _ in range(3):
            optimizer.minimize(lambda: tf.reduce_sum(w * w), [w])
        assert np.sum(w.numpy() ** 2) < 5.0

    def test_config_makes_an_equal_optimizer(self, kind: str) -> None:
        made = getattr(tf.optimizers, kind)(0.25, clipnorm=2.0)
        again = type(made).from_config(made.get_config())
        assert again.get_config() == made.get_config()
        written = tf.optimizers.deserialize(tf.optimizers.serialize(made))
        assert written.get_config() == made.get_config()
        assert type(tf.optimizers.get(kind.lower())) is type(made)


class TestSlots:
    def test_slots_are_found_by_variable_and_name(self) -> None:
        with tf1.Graph().as_default():
            with tf1.variable_scope("net"):
                w = tf1.get_variable("w", [2])
            optimizer = tf1.train.AdamOptimizer()
            optimizer.minimize(w * w)
            assert optimizer.get_slot_names() == ["m", "v"]
            assert optimizer.get_slot(w, "m").name == "net/w/Adam:0"
            assert optimizer.get_slot(w, "v").name == "net/w/Adam_1:0"
            assert optimizer.get_slot(w, "momentum") is None
            assert [v.name for v in tf1.trainable_variables()] == ["net/w:0"]

    def test_second_optimizer_numbers_its_slots_on(self) -> None:
        with tf1.Graph().as_default():
            w = tf1.Variable([1.0], name="w")
            for _ in range(2):
                optimizer = tf1.train.AdamOptimizer()
                optimizer.minimize(w * w)
            names = [v.name for v in optimizer.variables()]
        assert names == ["beta1_power_1:0", "beta2_power_1:0", "w/Adam_2:0", "w/Adam_3:0"]

    def test_own_name_scope_holds_what_is_no_slot(self) -> None:
        with tf1.Graph().as_default():
            w = tf1.Variable([1.0], name="w")
            optimizer = tf1.train.AdamOptimizer(use_own_namescope_for_non_slot_vars=True)
            optimizer.minimize(w * w)
            assert optimizer.variables()[0].name == "Adam/beta1_power:0"

    def test_slots_are_made_once(self) -> None:
        with tf1.Graph().as_default():
            w, optimizer = tf1.Variable([1.0], name="w"), tf1.train.MomentumOptimizer(0.1, 0.9)
            optimizer.minimize(w * w)
            slot = optimizer.get_slot(w, "momentum")
            optimizer.minimize(w * w)
            assert optimizer.get_slot(w, "momentum") is slot

    def test_later_face_keeps_count_rate_and_slots(self) -> None:
        w, optimizer = tf.Variable([1.0, 2.0], name="w"), tf.optimizers.Adam(name="adam")
        optimizer.build([w])
        assert [v.name for v in optimizer.variables] == [
            "adam/iteration:0",
            "adam/learning_rate:0",
            "adam/w_momentum:0",
            "adam/w_velocity:0",
        ]


class TestOwnOptimizers:
    def test_subclass_by_tensorflow_1s_names(self) -> None:
        class Signs(tf1.train.Optimizer):
            def __init__(self) -> None:
                super().__init__(False, "Signs")

            def _create_slots(self, var_list: Any) -> None:
                for v in var_list:
                    self._zeros_slot(v, "count", self._name)

            def _apply_dense(self, grad: Any, var: Any) -> Any:
                counted = self.get_slot(var, "count").assign_add(tf1.ones_like(grad))
                return tf1.group(var.assign_sub(tf1.sign(grad)), counted)

        with tf1.Graph().as_default():
            w, optimizer = tf1.Variable([3.0, -3.0], name="w"), Signs()
            step = optimizer.minimize(tf1.gather(w, [0, 0]) ** 2)
            with tf1.Session() as s:
                s.run(tf1.global_variables_initializer())
                s.run(step)
                assert s.run(w).tolist() == [2.0, -3.0]
                assert s.run(optimizer.get_slot(w, "count")).tolist() == [1.0, 1.0]

    def test_subclass_by_kerass_names(self) -> None:
        class Signs(tf.optimizers.Optimizer):
            def build(self, variables: Any) -> None:
                super().build(variables)
                self.counts = self.add_optimizer_variables(variables, "count")

            def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
                self.assign_add(self.counts[0], 1.0)
                self.assign_sub(variable, tf.sign(gradient) * learning_rate)

        w, optimizer = tf.Variable(3.0), Signs(0.5)
        optimizer.minimize(lambda: w * w, [w])
        assert (float(w), float(optimizer.counts[0])) == (2.5, 1.0)


class TestSettings:
    def test_rate_may_be_a_function_or_tensor(self) -> None:
        w = tf.Variable(1.0)
        tf1.train.MomentumOptimizer(lambda: 0.5, lambda: 0.0).minimize(lambda: w * 1.0, var_list=[w])
        assert float(w) == 0.5
        with tf1.Graph().as_default():
            rate, w = tf1.placeholder(tf1.float32, []), tf1.Variable(1.0)
            step = tf1.train.AdamOptimizer(rate, epsilon=0.0).minimize(w * 1.0)
            with tf1.Session() as s:
                s.run(tf1.global_variables_initializer())
                s.run(step, {rate: 0.25})
                assert s.run(w) == pytest.approx(0.75)

    def test_learning_rate_is_settable(self) -> None:
        w, optimizer = tf.Variable(1.0), tf.optimizers.SGD(0.5)
        optimizer.learning_rate = 0.25
        optimizer.minimize(lambda: w * 1.0, [w])
        assert (float(w), float(optimizer.learning_rate)) == (0.75, 0.25)
        optimizer.learning_rate.assign(0.5)
        optimizer.minimize(lambda: w * 1.0, [w])
        assert float(w) == 0.25

    def test_schedule_follows_the_count(self) -> None:
        w = tf.Variable(1.0)
        optimizer = tf.optimizers.SGD(tf.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.125]))
        for expected in (0.5, 0.375, 0.25):
            optimizer.minimize(lambda: w * 1.0, [w])
            assert float(w) == expected
        with pytest.raises(TypeError, match="not settable"):
            optimizer.learning_rate = 0.1

    @pytest.mark.parametrize(
        ("clip", "moves"),
        [
            ("clipnorm", [[0.6, 0.8], [1.0]]),
            ("clipvalue", [[1.0, 1.0], [1.0]]),
            ("global_clipnorm", [[3.0, 4.0], [12.0]]),
        ],
    )
    def test_clipping(self, clip: str, moves: Any) -> None:
        a, b = tf.Variable([0.0, 0.0]), tf.Variable([0.0])
        grads = [tf.constant([3.0, 4.0]), tf.constant([12.0])]
        tf.optimizers.SGD(1.0, **{clip: 1.0}).apply_gradients(zip(grads, [a, b], strict=True))
        scale = 13.0 if clip == "global_clipnorm" else 1.0
        for v, move in zip((a, b), moves, strict=True):
            np.testing.assert_allclose(-v.numpy() * scale, move, rtol=1e-6)

    @pytest.mark.parametrize("traced", [False, True], ids=["at once", "function"])
    def test_weights_decay_but_those_excluded(self, traced: bool) -> None:
        a, b, c = tf.Variable(1.0, name="a"), tf.Variable(1.0, name="bias"), tf.Variable(1.0, name="c")
        optimizer = tf.optimizers.SGD(0.5, weight_decay=0.5)
        optimizer.exclude_from_weight_decay([c], ["bias"])

        def step() -> None:
            optimizer.apply_gradients([(tf.constant(0.0), v) for v in (a, b, c)])

        (tf.function(step) if traced else step)()
        assert [float(v) for v in (a, b, c)] == [0.75, 1.0, 1.0]

    @pytest.mark.parametrize("traced", [False, True], ids=["at once", "function"])
    def test_gradients_gather(self, traced: bool) -> None:
        w, optimizer = tf.Variable(10.0), tf.optimizers.SGD(1.0, gradient_accumulation_steps=3)

        def step(g: Any) -> None:
            optimizer.apply_gradients([(g, w)])

        step = tf.function(step) if traced else step
        seen = []
        for g in (1.0, 2.0, 6.0, 1.0, 1.0, 1.0):
            step(tf.constant(g))
            seen.append(float(w))
        assert seen == [10.0, 10.0, 7.0, 7.0, 7.0, 6.0]
        assert int(optimizer.iterations) == 2

    @pytest.mark.parametrize("traced", [False, True], ids=["at once", "function"])
    def test_averages_replace_the_weights(self, traced: bool) -> None:
        w = tf.Variable(4.0)
        optimizer = tf.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)

        def step() -> None:
            optimizer.apply_gradients([(tf.constant(1.0), w)])

        step = tf.function(step) if traced else step
        seen = []
        for _ in range(4):
            step()
            seen.append(float(w))
        assert seen == [3.0, 2.5, 1.5, 1.25]  # averages 3, (3 + 2) / 2 -> w, (2.5 + 1.5) / 2, (2 + 0.5) / 2 -> w
        optimizer.finalize_variable_values([w])

    def test_loss_scale(self) -> None:
        w, optimizer = tf.Variable(4.0), tf.optimizers.SGD(1.0, loss_scale_factor=8.0)
        assert float(optimizer.scale_loss(tf.constant(2.0))) == 16.0
        optimizer.apply_gradients([(tf.constant(8.0), w)])
        sparse = tf.Variable([4.0, 4.0])
        slices = tf.IndexedSlices(tf.constant([8.0]), tf.constant([1]), (2,))
        tf.optimizers.SGD(1.0, loss_scale_factor=8.0).apply_gradients([(slices, sparse)])
        assert (float(w), sparse.numpy().tolist()) == (3.0, [4.0, 3.0])

    def test_minimize_by_a_tape(self) -> None:
        w, optimizer = tf.Variable(3.0), tf.optimizers.SGD(0.5)
        with tf.GradientTape() as tape:
            loss = w * w
        optimizer.minimize(loss, lambda: [w], tape=tape)
        assert float(w) == 0.0
        with pytest.raises(ValueError, match="tape"):
            optimizer.minimize(loss, [w])

    def test_gradients_alone_go_to_what_was_built(self) -> None:
        w, optimizer = tf.Variable(3.0), tf.optimizers.SGD(1.0)
        with pytest.raises(ValueError, match="build"):
            optimizer.apply([tf.constant(1.0)])
        optimizer.build([w])
        optimizer.apply([tf.constant(1.0)])
        assert float(w) == 2.0
        with pytest.raises(ValueError, match="2 gradients"):
            optimizer.apply([tf.constant(1.0)] * 2)

    def test_weights_are_set(self) -> None:
        w, optimizer = tf.Variable([1.0, 2.0]), tf.optimizers.Adagrad(0.5)
        with pytest.raises(ValueError, match="build"):
            optimizer.set_weights([])
        optimizer.build([w])
        optimizer.set_weights([np.int64(3), np.float32(0.25), np.array([1.0, 4.0], np.float32)])
        assert (int(optimizer.iterations), float(optimizer.learning_rate)) == (3, 0.25)

    def test_rate_may_become_a_schedule(self) -> None:
        w, optimizer = tf.Variable(1.0), tf.optimizers.SGD(0.5)
        optimizer.learning_rate = lambda: 0.25
        optimizer.minimize(lambda: w * 1.0, [w])
        assert float(w) == 0.75
        assert len(optimizer.variables) == 1

    def test_constraint_holds_after_a_step(self) -> None:
        for optimizer in (tf.optimizers.SGD(1.0), tf1.train.GradientDescentOptimizer(1.0)):
            w = tf.Variable([1.0, -1.0], constraint=tf.nn.relu)
            optimizer.apply_gradients([(tf.constant([0.5, 0.5]), w)])
            assert w.numpy().tolist() == [0.5, 0.0]

    def test_older_name_of_the_rate(self) -> None:
        assert float(tf.optimizers.Adam(lr=0.5).lr) == 0.5

    def test_later_face_builds_a_step_for_sessions(self) -> None:
        with tf1.Graph().as_default():
            w, optimizer = tf1.Variable([2.0], name="w"), tf.optimizers.Adam(0.5)
            step = optimizer.apply_gradients([(w * 1.0, w)])
            with tf1.Session() as s:
                s.run(tf1.global_variables_initializer())
                s.run(step)
                s.run(step)
                assert s.run(optimizer.iterations) == 2
                assert s.run(w) == pytest.approx(1.0, abs=0.01)

    def test_constraint_holds_after_a_run(self) -> None:
        with tf1.Graph().as_default():
            w = tf1.Variable([1.0, -1.0], constraint=tf1.nn.relu)
            step = tf1.train.GradientDescentOptimizer(1.0).apply_gradients([(tf1.constant([0.5, 0.5]), w)])
            with tf1.Session() as s:
                s.run(tf1.global_variables_initializer())
                s.run(step)
                assert s.run(w).tolist() == [0.5, 0.0]

    def test_variable_whose_shape_is_not_known(self) -> None:
        with tf1.Graph().as_default():
            w = tf1.Variable(np.ones(2, np.float32), validate_shape=False)
            step = tf1.train.AdagradOptimizer(0.5, 1.0).apply_gradients([(tf1.constant([0.0, np.sqrt(3.0)]), w)])
            with tf1.Session() as s:
                s.run(tf1.global_variables_initializer())
                s.run(step)
                np.testing.assert_allclose(s.run(w), [1.0, 1.0 - 0.5 * np.sqrt(3.0) / 2], rtol=1e-6)


class TestMistakes:
    @pytest.mark.parametrize(
        ("call", "error", "words"),
        [
            (lambda: tf1.train.AdagradOptimizer(0.1, 0.0), ValueError, "must be positive"),
            (lambda: tf1.train.FtrlOptimizer(0.1, 0.5), ValueError, "learning_rate_power"),
            (lambda: tf.optimizers.Ftrl(l1_regularization_strength=-1.0), ValueError, "l1_regularization_strength"),
            (lambda: tf.optimizers.SGD(momentum=2.0), ValueError, "momentum"),
            (lambda: tf.optimizers.SGD(clipnorm=1.0, clipvalue=1.0), ValueError, "Only one of"),
            (lambda: tf.optimizers.SGD(rate=1.0), ValueError, "not recognized"),
            (lambda: tf.optimizers.get("fast"), ArgumentError, "Unknown optimizer"),
            (lambda: tf.optimizers.SGD("fast"), ValueError, "learning_rate"),
            (lambda: tf.optimizers.SGD(gradient_accumulation_steps=1), ValueError, ">= 2"),
            (lambda: tf.optimizers.SGD().apply_gradients([(None, tf.Variable(1.0))]), ValueError, "No gradients"),
            (lambda: tf1.train.Optimizer(False, ""), ValueError, "name"),
            (lambda: tf1.train.AdamOptimizer().apply_gradients([]), ValueError, "No variables"),
            (lambda: tf1.train.AdamOptimizer().minimize(tf.constant(1.0)), RuntimeError, "function"),
            (lambda: tf1.train.AdamOptimizer().minimize(lambda: 1.0, var_list=[3]), TypeError, "not a tf.Variable"),
            (lambda: tf.optimizers.schedules.ExponentialDecay(0.1, 0, 0.5), ValueError, "decay_steps"),
            (lambda: tf.optimizers.schedules.PiecewiseConstantDecay([1], [0.1]), ValueError, "length"),
        ],
    )
    def test_mistake_is_told(self, call: Any, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            call()

    def test_integers_are_not_trained(self) -> None:
        with tf1.Graph().as_default():
            w = tf1.Variable([1, 2])
            with pytest.raises(ValueError, match="Invalid type"):
                tf1.train.GradientDescentOptimizer(0.1).minimize(w * w)

    def test_unknown_variable_is_told(self) -> None:
        a, b, optimizer = tf.Variable(1.0), tf.Variable(1.0), tf.optimizers.Adam()
        optimizer.apply_gradients([(tf.constant(1.0), a)])
        with pytest.raises(ValueError, match="Unknown variable"):
            optimizer.apply_gradients([(tf.constant(1.0), b)])


class TestSchedules:
    def test_eager_decay_is_a_function_of_the_count(self) -> None:
        tf1.enable_eager_execution()
        try:
            count = tf.Variable(0)
            rate = tf1.train.exponential_decay(0.5, count, 1, 0.5)
            assert float(rate()) == 0.5
            count.assign(1)
            assert float(rate()) == 0.25
        finally:
            tf1.disable_eager_execution()

    def test_piecewise_constant_asks_for_one_type(self) -> None:
        with tf1.Graph().as_default(), pytest.raises(ValueError, match="same dtype as x"):
            tf1.train.piecewise_constant(tf1.constant(1), [0.5], [1.0, 2.0])

    def test_schedule_is_made_again_from_its_words(self) -> None:
        schedules = tf.optimizers.schedules
        made = schedules.CosineDecay(0.5, 10, warmup_target=1.0, warmup_steps=2)
        again = schedules.deserialize(schedules.serialize(made))
        assert [float(again(k)) for k in range(12)] == [float(made(k)) for k in range(12)]


class TestGlobalStep:
    def test_global_step_is_made_once(self) -> None:
        with tf1.Graph().as_default():
            assert tf1.train.get_global_step() is None
            made = tf1.train.get_or_create_global_step()
            assert tf1.train.get_or_create_global_step() is made
            assert made.name == "global_step:0"
            assert made.dtype == tf1.int64
            assert tf1.get_collection(tf1.GraphKeys.GLOBAL_STEP) == [made]
            with pytest.raises(ValueError, match="already exists"):
                tf1.train.create_global_step()

    def test_variable_of_the_name_counts(self) -> None:
        with tf1.Graph().as_default():
            made = tf1.Variable(0, name="global_step", trainable=False)
            assert tf1.train.get_global_step() is made

    def test_global_step_is_an_integer(self) -> None:
        with tf1.Graph().as_default():
            tf1.Variable(0.0, name="global_step")
            with pytest.raises(TypeError, match="integer"):
                tf1.train.get_global_step()

    def test_eager_global_step(self) -> None:
        tf1.enable_eager_execution()
        try:
            made = tf1.train.get_or_create_global_step()
            made.assign_add(2)
            assert tf1.train.global_step(None, tf1.train.get_global_step()) == 2
        finally:
            tf1.disable_eager_execution()
            tf1.reset_default_graph()

    def test_global_step_is_one_scalar(self) -> None:
        with pytest.raises(TypeError, match="Variable or Tensor"):
            tf1.train.assert_global_step(3)
        with pytest.raises(TypeError, match="not scalar"):
            tf1.train.assert_global_step(tf.Variable([1, 2]))


class TestMovingAverage:
    def test_eager_average_follows(self) -> None:
        w, average = tf.Variable([1.0, 2.0], name="w"), tf.train.ExponentialMovingAverage(0.75)
        average.apply([w])
        w.assign([3.0, 4.0])
        average.apply([w])
        assert average.average(w).numpy().tolist() == [1.5, 2.5]
        assert average.average_name(w) == "w/ExponentialMovingAverage"
        assert average.average(tf.Variable(1.0)) is None

    def test_average_of_a_tensor_without_bias(self) -> None:
        with tf1.Graph().as_default():
            x = tf1.placeholder(tf1.float64, [2], name="x")
            average = tf1.train.ExponentialMovingAverage(0.75, zero_debias=True)
            follow = average.apply([x])
            with tf1.Session() as s:
                s.run(tf1.global_variables_initializer())
                s.run(follow, {x: [2.0, 4.0]})
                np.testing.assert_allclose(s.run(average.average(x)), [2.0, 4.0])
                s.run(follow, {x: [4.0, 4.0]})
                share = 0.25 / (1 - 0.75**2)
                np.testing.assert_allclose(s.run(average.average(x)), [(2.0 * 0.75 + 4.0) * share, 4.0])

    def test_names_to_restore(self) -> None:
        with tf1.Graph().as_default():
            w, count = tf1.Variable(1.0, name="w"), tf1.Variable(0, name="count", trainable=False)
            average = tf1.train.ExponentialMovingAverage(0.9)
            average.apply([w])
            names = average.variables_to_restore()
            assert names["w/ExponentialMovingAverage"] is w
            assert names["count"] is count

    def test_all_trainable_variables_by_default(self) -> None:
        with tf1.Graph().as_default():
            w = tf1.Variable([2.0], name="w")
            average = tf1.train.ExponentialMovingAverage(0.5, name="slow")
            assert average.average_name(w) == "w/slow"
            follow = average.apply()
            assert (average.name, average.average(w).name, follow.name) == ("slow", "w/slow:0", "slow")
            with tf1.Session() as s:
                s.run(tf1.global_variables_initializer())
                s.run(w.assign([4.0]))
                s.run(follow)
                assert s.run(average.average(w)).tolist() == [3.0]

    def test_tensors_have_no_eager_average(self) -> None:
        with pytest.raises(TypeError, match="non-Variable"):
            tf.train.ExponentialMovingAverage(0.5).apply([tf.constant(1.0)])

    def test_integers_have_no_average(self) -> None:
        with pytest.raises(TypeError, match="half, float, or double"):
            tf.train.ExponentialMovingAverage(0.9).apply([tf.Variable(1)])


def test_the_rate_of_a_decaying_optimizer_falls_with_the_steps() -> None:
    w = tf.Variable(0.0)
    optimizer = tf.keras.optimizers.SGD(lr=1.0, decay=0.5)
    for _ in range(3):
        optimizer.apply_gradients([(tf.constant(-1.0), w)])
    assert float(w) == pytest.approx(1 + 1 / 1.5 + 1 / 2)
    assert float(optimizer.learning_rate) == 1
    assert type(optimizer).from_config(optimizer.get_config()).decay == 0.5
