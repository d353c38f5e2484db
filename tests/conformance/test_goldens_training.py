"""Programs that train: by an optimizer, by assignments, in part, with clipping and schedules."""

from __future__ import annotations

from typing import Any

import numpy as np
from conformance.golden import FOLDER, TRAINED, Golden, golden, mix

import pullback.v1 as tf1

DESCENT = "v1:train.GradientDescentOptimizer"


def session() -> Any:
    made = tf1.Session()
    made.run(tf1.global_variables_initializer())
    return made


@golden("minimize_y1_times_y", DESCENT)
def test_minimize_sums_what_is_no_scalar(g: Golden) -> None:
    with tf1.Graph().as_default():
        w = tf1.Variable(g.input("w", np.float32))
        y = w * tf1.constant(g.input("X", np.float32))
        cost = y[1] * y
        step = tf1.train.GradientDescentOptimizer(1).minimize(cost)
        (gradient,) = tf1.gradients(cost, w)
        with session() as s:
            for name, value in zip(("Y", "w_before", "cost", "gradient"), s.run([y, w, cost, gradient]), strict=True):
                g.check(name, value)
            s.run(step)
            g.check("w_after", s.run(w))


@golden("minimize_cosine_cost", DESCENT)
def test_minimize_a_cosine(g: Golden) -> None:
    with tf1.Graph().as_default():
        w = tf1.Variable(g.input("w", np.float32))
        y, truth = w * tf1.constant(g.input("X", np.float32)), tf1.constant(g.input("truth", np.float32))
        norms = tf1.sqrt(tf1.reduce_sum(y * y)) * tf1.sqrt(tf1.reduce_sum(truth * truth))
        cost = tf1.reduce_sum(y * truth) / norms
        step = tf1.train.GradientDescentOptimizer(1).minimize(cost)
        with session() as s:
            g.check("cost", s.run(cost))
            g.check("gradient", s.run(tf1.gradients(cost, w)[0]), TRAINED)
            s.run(step)
            g.check("w_after", s.run(w))


def line(g: Golden, precision: Any) -> tuple[Any, Any, Any, Any, Any]:
    """(x, y, w, b, loss) of the articles' regression on one sample a step."""
    x, y = tf1.placeholder(precision), tf1.placeholder(precision)
    w, b = tf1.Variable(np.array(2.0, precision)), tf1.Variable(np.array(1.0, precision))
    return x, y, w, b, tf1.square(y - (w * x + b)) / 64


def samples(g: Golden, precision: Any) -> Any:
    return zip(range(20), g.input("x_train", precision), g.input("y_train", precision), strict=False)


@golden("regression_print_gradients", DESCENT)
def test_regression_prints_its_gradients(g: Golden) -> None:
    """One run reads each variable once: loss and gradient are those before the update."""
    with tf1.Graph().as_default():
        x, y, w, b, loss = line(g, np.float32)
        step = tf1.train.GradientDescentOptimizer(0.01).minimize(loss)
        (gradient,) = tf1.gradients(loss, w)
        with session() as s:
            rows = []
            for i, sx, sy in samples(g, np.float32):
                _, before, dw = s.run([step, loss, gradient], {x: sx, y: sy})
                rows.append([i, before, dw, *s.run([w, b])])
    g.check("trace", np.array(rows, np.float32), TRAINED)


@golden("regression_own_update")
def test_regression_by_own_update(g: Golden) -> None:
    for precision in (np.float32, np.float64):
        with tf1.Graph().as_default():
            x, y, w, b, loss = line(g, precision)
            dw, db = tf1.gradients(loss, [w, b])
            new_w, new_b = w.assign(w - 0.01 * dw), b.assign(b - 0.01 * db)
            with session() as s:
                rows = []
                for i, sx, sy in samples(g, precision):
                    before, printed, _ = s.run([loss, new_b, new_w], {x: sx, y: sy})
                    rows.append([i, before, printed, *s.run([w, b])])
        g.check("trace", np.array(rows, precision), TRAINED if precision is np.float32 else 1e-10)


@golden("linear_regression", DESCENT)
def test_linear_regression(g: Golden) -> None:
    x, y = g.input("x", np.float32), g.input("y", np.float32)
    with tf1.Graph().as_default():
        w, b = tf1.Variable([0.7]), tf1.Variable(tf1.zeros([1]))
        loss = tf1.reduce_mean(tf1.square(w * x + b - y))
        step = tf1.train.GradientDescentOptimizer(0.5).minimize(loss)
        grads = tf1.gradients(loss, [w, b])
        rows = []
        with session() as s:
            for i in range(201):
                if i % 20 == 0:
                    rows.append([i, *(np.squeeze(v) for v in s.run([w, b, loss, *grads]))])
                s.run(step)
    g.check("trace", np.array(rows, np.float32), TRAINED)


@golden("backprop_regression_classification", DESCENT, "v1:nn.sigmoid_cross_entropy_with_logits")
def test_one_sample_steps(g: Golden) -> None:
    with tf1.Graph().as_default():
        x, a = tf1.placeholder(tf1.float32), tf1.Variable(-0.5)
        loss = tf1.square(x * a - 10.0)
        step = tf1.train.GradientDescentOptimizer(0.02).minimize(loss)
        data, rows = g.input("x", np.float32), []
        with session() as s:
            for i, k in enumerate(g.input("order"), 1):
                s.run(step, {x: data[k]})
                if i % 25 == 0:
                    rows.append([i, *s.run([a, loss], {x: data[k]})])
    g.check("regression_trace", np.array(rows, np.float32), TRAINED)
    with tf1.Graph().as_default():
        z, label, a = tf1.placeholder(tf1.float32), tf1.placeholder(tf1.float32), tf1.Variable(10.5)
        loss = tf1.nn.sigmoid_cross_entropy_with_logits(labels=label, logits=z + a)
        step = tf1.train.GradientDescentOptimizer(0.05).minimize(loss)
        data, labels, rows = g.input("z", np.float32), g.input("t", np.float32), []
        with session() as s:
            for i, k in enumerate(g.input("order2"), 1):
                fed = {z: data[k], label: labels[k]}
                s.run(step, fed)
                if i % 200 == 0:
                    rows.append([i, *s.run([a, loss], fed)])
    g.check("classification_trace", np.array(rows, np.float32), TRAINED)


@golden("gradient_descent_var_list", DESCENT, "v1:nn.softmax", "v1:one_hot")
def test_only_listed_variables_move(g: Golden) -> None:
    pixels = (mix(4 * 784, 1) * 0.5 + 0.5).reshape(4, 784).astype(np.float32)
    with tf1.Graph().as_default():
        w, b, c = tf1.Variable(tf1.zeros([784, 10])), tf1.Variable(tf1.zeros([10])), tf1.Variable(tf1.zeros([10]))
        predicted = tf1.nn.softmax(tf1.matmul(tf1.constant(pixels), w) + b + c)
        loss = -tf1.reduce_sum(tf1.one_hot(g.input("labels"), 10) * tf1.log(predicted))
        optimizer = tf1.train.GradientDescentOptimizer(0.01)
        everything, listed = optimizer.minimize(loss), optimizer.minimize(loss, var_list=[b])
        with session() as s:
            g.check("loss_before", s.run(loss))
            s.run(everything)
            weights, bias, value = s.run([w, b, loss])
            g.check("b_after_step_all", bias, TRAINED)
            g.check("W_row0_after_step_all", weights[0], TRAINED)
            g.check("W_row783_after_step_all", weights[783], TRAINED)
            g.check("W_sum_abs_after_step_all", np.abs(weights).sum(dtype=np.float64), TRAINED)
            g.check("loss_after_step_all", value, TRAINED)
            s.run(listed)
            after, bias, other, value = s.run([w, b, c, loss])
            g.check("b_after_step_var_list", bias, TRAINED)
            g.check("c_after_step_var_list", other, TRAINED)
            g.check("loss_after_step_var_list", value, TRAINED)
            assert np.array_equal(after, weights)


@golden("gradient_accumulation", DESCENT)
def test_gradients_gathered_then_applied_once(g: Golden) -> None:
    groups = [(g.input(f"x{i}", np.float32), g.input(f"y{i}", np.float32)) for i in range(3)]
    with tf1.Graph().as_default():
        x, y = tf1.placeholder(tf1.float32, [None, 2]), tf1.placeholder(tf1.float32, [None, 1])
        w = tf1.Variable(np.array(g.attributes["w0"], np.float32))
        b = tf1.Variable(np.array(g.attributes["b0"], np.float32))
        loss = tf1.reduce_mean(tf1.square(tf1.matmul(x, w) + b - y))
        optimizer = tf1.train.GradientDescentOptimizer(0.1)
        pairs = optimizer.compute_gradients(loss)
        fed = [(tf1.placeholder(tf1.float32, v.shape), v) for _, v in pairs]
        apply = optimizer.apply_gradients(fed)
        with session() as s:
            rows = [s.run([loss, *(d for d, _ in pairs)], {x: sx, y: sy}) for sx, sy in groups]
            g.check("losses", np.array([row[0] for row in rows]), TRAINED)
            g.check("grads_w", np.array([row[1] for row in rows]), TRAINED)
            g.check("grads_b", np.array([row[2] for row in rows]).reshape(3, 1), TRAINED)
            for ending, share in (("", 1), ("_mean", 3)):
                s.run(tf1.global_variables_initializer())
                totals = [np.sum([row[k] for row in rows], axis=0) / share for k in (1, 2)]
                s.run(apply, {p: total for (p, _), total in zip(fed, totals, strict=True)})
                g.check(f"w_after{ending}", s.run(w), TRAINED)
                g.check(f"b_after{ending}", s.run(b), TRAINED)


@golden("partial_update_rows_stop_gradient")
def test_masked_rows_stay(g: Golden) -> None:
    with tf1.Graph().as_default():
        mask, emb = tf1.constant(g.input("mask").reshape(10, 1)), tf1.Variable(g.input("emb"))
        parm = tf1.constant(g.input("parm"))
        matrix = tf1.stop_gradient(tf1.abs(mask - 1) * emb) + mask * emb
        loss = tf1.reduce_sum(tf1.matmul(matrix, parm))
        with session() as s:
            values = s.run([loss, *tf1.gradients(loss, [emb, matrix])])
    for name, value in zip(("loss", "grad_emb", "grad_matrix"), values, strict=True):
        g.check(name, value)


@golden("partial_update_by_scope", DESCENT, "v1:train.AdamOptimizer")
def test_only_a_scope_is_trained(g: Golden) -> None:
    for name, optimizer in (
        ("adam", lambda: tf1.train.AdamOptimizer(0.01, 0.9, 0.999, 1e-8)),
        ("sgd", lambda: tf1.train.GradientDescentOptimizer(0.1)),
    ):
        with tf1.Graph().as_default():
            h = tf1.constant(g.input("X", np.float32))
            for scope, act in (("frozen", tf1.tanh), ("head", lambda z: z)):
                with tf1.variable_scope(scope):
                    start = g.input(f"{scope}/w", np.float32)
                    w = tf1.get_variable("w", initializer=tf1.constant(start))
                    b = tf1.get_variable("b", initializer=tf1.zeros([start.shape[1]]))
                    h = act(tf1.matmul(h, w) + b)
            loss = tf1.reduce_mean(tf1.square(h - tf1.constant(g.input("Y", np.float32))))
            trained = tf1.get_collection(tf1.GraphKeys.TRAINABLE_VARIABLES, scope="head")
            count = tf1.Variable(0, trainable=False, name="global_step")
            step = optimizer().minimize(loss, global_step=count, var_list=trained)
            with session() as s:
                losses = [s.run(loss)] + [s.run([step, loss]) and s.run(loss) for _ in range(3)]
                values = s.run({v.name.split(":")[0]: v for v in tf1.trainable_variables()})
                g.check(f"{name}_updated", [v.name for v in trained])
                g.check(f"{name}_losses", np.array(losses), TRAINED)
                g.check(f"{name}_global_step", s.run(count))
        for part in ("frozen/w", "frozen/b", "head/w", "head/b"):
            g.check(f"{name}_{part.replace('/', '_')}", values[part], TRAINED)


CLIPPING = (
    "v1:clip_by_norm",
    "v1:clip_by_value",
    "v1:clip_by_global_norm",
    "v1:clip_by_average_norm",
    "v1:global_norm",
)


@golden("gradient_clipping", DESCENT, *CLIPPING)
def test_clipping(g: Golden) -> None:
    with tf1.Graph().as_default():
        a, b = tf1.constant(g.input("a", np.float32)), tf1.constant(g.input("b", np.float32))
        made = {
            "clip_by_value_-1_1": tf1.clip_by_value(a, -1.0, 1.0),
            "clip_by_norm_6.5": tf1.clip_by_norm(a, 6.5),
            "clip_by_norm_100": tf1.clip_by_norm(a, 100.0),
            "clip_by_norm_axis1_5": tf1.clip_by_norm(a, 5.0, axes=[1]),
            "clip_by_average_norm_1": tf1.clip_by_average_norm(a, 1.0),
            "clip_by_norm_zero": tf1.clip_by_norm(tf1.zeros([3]), 1.0),
            "clip_by_global_norm_7": tf1.clip_by_global_norm([a, b], 7.0)[0],
            "global_norm": tf1.global_norm([a, b]),
            "clip_by_global_norm_1000": tf1.clip_by_global_norm([a, b], 1000.0)[0],
            "clip_by_global_norm_7_use_norm_70": tf1.clip_by_global_norm([a, b], 7.0, use_norm=tf1.constant(70.0))[0],
            "clip_by_global_norm_inf": tf1.clip_by_global_norm([a, b], 7.0, use_norm=tf1.constant(np.inf, tf1.float32))[
                0
            ],
        }
        assert tf1.clip_by_global_norm([a, None, b], 7.0)[0][1] is None
        with session() as s:
            for name, fetch in made.items():
                g.check(name, s.run(fetch))


@golden("gradient_clipping", DESCENT, *CLIPPING)
def test_clipping_between_compute_and_apply(g: Golden) -> None:
    ways = {
        "w_u_after_global_norm_5": lambda grads: tf1.clip_by_global_norm(grads, 5.0)[0],
        "w_u_after_value_1": lambda grads: [tf1.clip_by_value(d, -1.0, 1.0) for d in grads],
    }
    with tf1.Graph().as_default():
        w, u = tf1.Variable(g.input("w0", np.float32)), tf1.Variable(g.input("u0", np.float32))
        loss = tf1.reduce_sum(w * w) * u + u * u
        optimizer = tf1.train.GradientDescentOptimizer(0.1)
        grads, variables = zip(*optimizer.compute_gradients(loss), strict=True)
        steps = {
            name: optimizer.apply_gradients(zip(clip(list(grads)), variables, strict=True))
            for name, clip in ways.items()
        }
        with session() as s:
            g.check("train_grads", s.run(list(grads)))
            g.check("train_norm", s.run(tf1.global_norm(list(grads))))
            for name, step in steps.items():  # the golden's second step goes on from the first
                s.run(step)
                g.check(name, s.run([w, u]))


@golden("exponential_decay", DESCENT, "v1:train.exponential_decay", "v1:train.ExponentialMovingAverage")
def test_learning_rate_decays(g: Golden) -> None:
    a = g.attributes
    with tf1.Graph().as_default():
        at = tf1.placeholder(tf1.int32, [])
        rates = [
            tf1.train.exponential_decay(a["learning_rate"], at, a["decay_steps"], a["decay_rate"], staircase=stairs)
            for stairs in (False, True)
        ]
        with session() as s:
            rows = np.array([s.run(rates, {at: k}) for k in g.input("global_steps")])
    g.check("smooth", rows[:, 0])
    g.check("staircase", rows[:, 1])


@golden("exponential_decay", DESCENT, "v1:train.exponential_decay", "v1:train.ExponentialMovingAverage")
def test_training_with_decay_and_averages(g: Golden) -> None:
    with tf1.Graph().as_default():
        count, w = tf1.Variable(0, trainable=False), tf1.Variable(5.0)
        loss = tf1.square(w + 1)
        rate = tf1.train.exponential_decay(0.1, count, 2, 0.5, staircase=True)
        step = tf1.train.GradientDescentOptimizer(rate).minimize(loss, global_step=count)
        average = tf1.train.ExponentialMovingAverage(0.99, count)
        with tf1.control_dependencies([step]):
            update = average.apply([w])
        rows = []
        with session() as s:
            for _ in range(6):
                used = s.run(rate)
                s.run(update)
                n, value, square, shadow = s.run([count, w, loss, average.average(w)])
                rows.append([n, used, value, square, shadow])
        weights = tf1.constant([[1.0, -2.0], [-3.0, 4.0]])
        with session() as s:
            g.check("l2_regularizer_0.5", s.run(0.5 * tf1.nn.l2_loss(weights)))
            g.check("l1_regularizer_0.5", s.run(0.5 * tf1.reduce_sum(tf1.abs(weights))))
    g.check("trace", np.array(rows, np.float32), TRAINED)


@golden("checkpoint_reader", "v1:train.NewCheckpointReader")
def test_checkpoint_is_read(g: Golden) -> None:
    reader = tf1.train.NewCheckpointReader(str(FOLDER / "ckpt-182802"))
    shapes = reader.get_variable_to_shape_map()
    assert {name: list(shape) for name, shape in shapes.items()} == g.attributes["shapes"]
    for name in shapes:
        g.check(name, reader.get_tensor(name))
