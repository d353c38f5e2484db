"""Twenty steps of every optimizer, by whoever's TensorFlow namespaces are handed in. As a script: by TensorFlow's.

python optimizer_runs.py answers.npz
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

STEPS = 20
SHAPE = (6, 3)
# (class in tf.compat.v1.train, arguments)
EARLIER: list[tuple[str, dict[str, Any]]] = [
    ("GradientDescentOptimizer", {"learning_rate": 0.1}),
    ("MomentumOptimizer", {"learning_rate": 0.1, "momentum": 0.9}),
    ("MomentumOptimizer", {"learning_rate": 0.1, "momentum": 0.9, "use_nesterov": True}),
    ("AdamOptimizer", {"learning_rate": 0.1}),
    ("AdamOptimizer", {"learning_rate": 0.05, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.1}),
    ("AdagradOptimizer", {"learning_rate": 0.1}),
    ("AdadeltaOptimizer", {"learning_rate": 1.0, "epsilon": 1e-4}),
    ("RMSPropOptimizer", {"learning_rate": 0.05}),
    ("RMSPropOptimizer", {"learning_rate": 0.05, "momentum": 0.8, "decay": 0.7}),
    ("RMSPropOptimizer", {"learning_rate": 0.05, "momentum": 0.5, "centered": True, "epsilon": 0.01}),
    ("FtrlOptimizer", {"learning_rate": 0.5}),
    (
        "FtrlOptimizer",
        {
            "learning_rate": 0.5,
            "learning_rate_power": -0.3,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.3,
        },
    ),
    (
        "ProximalGradientDescentOptimizer",
        {"learning_rate": 0.1, "l1_regularization_strength": 0.0, "l2_regularization_strength": 0.0},
    ),
    (
        "ProximalGradientDescentOptimizer",
        {"learning_rate": 0.1, "l1_regularization_strength": 0.3, "l2_regularization_strength": 0.2},
    ),
    (
        "ProximalAdagradOptimizer",
        {"learning_rate": 0.5, "l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2},
    ),
]
# (class in tf.optimizers, arguments)
LATER: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"learning_rate": 0.1}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", {"learning_rate": 0.1}),
    ("Adam", {"learning_rate": 0.1, "beta_2": 0.9, "amsgrad": True}),
    ("Adam", {"learning_rate": 0.1, "clipnorm": 0.5}),
    ("Adam", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 4}),
    ("AdamW", {"learning_rate": 0.1, "weight_decay": 0.05}),
    ("Adamax", {"learning_rate": 0.1}),
    ("Adamax", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.8, "epsilon": 0.1}),
    ("Nadam", {"learning_rate": 0.1}),
    ("Nadam", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.8, "epsilon": 0.1}),
    ("Lamb", {"learning_rate": 0.1, "weight_decay": 0.01}),
    ("Lion", {"learning_rate": 0.01}),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.7, "beta_2": 0.8}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adadelta", {"learning_rate": 1.0, "epsilon": 1e-4}),
    ("RMSprop", {"learning_rate": 0.05}),
    ("RMSprop", {"learning_rate": 0.05, "momentum": 0.5, "centered": True, "epsilon": 0.01}),
    ("RMSprop", {"learning_rate": 0.05, "clipvalue": 0.5}),
    ("Ftrl", {"learning_rate": 0.5}),
    (
        "Ftrl",
        {
            "learning_rate": 0.5,
            "learning_rate_power": -0.3,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.3,
        },
    ),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 0.5}),
]
# Keras gathers by tf.cond, which takes dense gradients only.
GATHERED = ("Adam", {"learning_rate": 0.1, "gradient_accumulation_steps": 3, "loss_scale_factor": 4.0})
# (function in tf.compat.v1.train, arguments beside learning rate and step)
DECAYS: list[tuple[str, dict[str, Any]]] = [
    ("exponential_decay", {"decay_steps": 7, "decay_rate": 0.6}),
    ("exponential_decay", {"decay_steps": 7, "decay_rate": 0.6, "staircase": True}),
    ("natural_exp_decay", {"decay_steps": 7, "decay_rate": 0.6}),
    ("inverse_time_decay", {"decay_steps": 7, "decay_rate": 0.6}),
    ("inverse_time_decay", {"decay_steps": 7, "decay_rate": 0.6, "staircase": True}),
    ("polynomial_decay", {"decay_steps": 9, "power": 2.0}),
    ("polynomial_decay", {"decay_steps": 9, "end_learning_rate": 0.01, "cycle": True}),
    ("cosine_decay", {"decay_steps": 9, "alpha": 0.1}),
    ("cosine_decay_restarts", {"first_decay_steps": 5, "m_mul": 0.8, "alpha": 0.1}),
    ("cosine_decay_restarts", {"first_decay_steps": 5, "t_mul": 1.0}),
    ("linear_cosine_decay", {"decay_steps": 9}),
]
# (class in tf.optimizers.schedules, arguments)
SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"initial_learning_rate": 0.5, "decay_steps": 7, "decay_rate": 0.6, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.5, "decay_steps": 7, "decay_rate": 0.6}),
    ("PolynomialDecay", {"initial_learning_rate": 0.5, "decay_steps": 9, "power": 0.5, "cycle": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 9, "warmup_target": 0.5, "warmup_steps": 4}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.5, "first_decay_steps": 5, "m_mul": 0.7}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 9], "values": [0.5, 0.2, 0.1]}),
]

Answers = dict[str, Any]


def start() -> Any:
    return np.random.default_rng(1).normal(size=SHAPE)


def pulls(sparse: bool, repeats: bool) -> Iterator[tuple[Any, Any]]:
    """For each step (noise, rows): what is added to the variable to give its gradient, and where."""
    rng = np.random.default_rng(2)
    for _ in range(STEPS):
        rows = rng.integers(0, SHAPE[0], 4) if repeats else rng.permutation(SHAPE[0])[:3]
        rows = rows if sparse else np.arange(SHAPE[0])
        yield rng.normal(size=(len(rows), *SHAPE[1:])), rows


def label(name: str, arguments: dict[str, Any], kind: str = "") -> str:
    words = [f"{k}={v}" for k, v in arguments.items() if k != "learning_rate"]
    return f"{name}({', '.join(words)}){kind and ' ' + kind}"


def earlier(tf1: Any, name: str, arguments: dict[str, Any], sparse: bool) -> Answers:
    """Steps in a session: the variable after each, the slots after the last, the names of all."""
    with tf1.Graph().as_default():
        w = tf1.Variable(start(), name="w")
        rows = tf1.placeholder(tf1.int32, [None])
        values = tf1.placeholder(tf1.float64, [None, *SHAPE[1:]])
        g = tf1.IndexedSlices(values, rows, tf1.constant(SHAPE)) if sparse else values
        if name.startswith("Proximal"):  # the one family that does not cast its settings to the variable's type
            arguments = {k: np.float64(v) for k, v in arguments.items()}
        optimizer = getattr(tf1.train, name)(**arguments)
        step = optimizer.apply_gradients([(g, w)])
        with tf1.Session() as s:
            s.run(tf1.global_variables_initializer())
            path = [s.run(w)]
            for noise, at in pulls(sparse, repeats=True):
                s.run(step, {values: noise + 0.3 * path[-1][at], rows: at})
                path.append(s.run(w))
            slots = {slot: s.run(optimizer.get_slot(w, slot)) for slot in optimizer.get_slot_names()}
        names = [v.name for v in optimizer.variables()]
    return {"path": np.array(path), "names": np.array(names, str), **slots}


def later(tf: Any, name: str, arguments: dict[str, Any], sparse: bool) -> Answers:
    """Steps at once: the variable after each, what the optimizer keeps after the last."""
    w = tf.Variable(start(), name="w")
    optimizer = getattr(tf.optimizers, name)(**arguments)
    path = [w.numpy()]
    # Keras squares rows that share an index one by one before it adds them; here they are added first.
    for noise, at in pulls(sparse, repeats=False):
        g = tf.constant(noise + 0.3 * path[-1][at])
        g = tf.IndexedSlices(g, tf.constant(at), tf.constant(SHAPE)) if sparse else g
        optimizer.apply_gradients([(g, w)])
        path.append(w.numpy())
    kept = {f"kept{i}": np.array(v.numpy(), np.float64) for i, v in enumerate(optimizer.variables)}
    return {"path": np.array(path), **kept}


def decay(tf1: Any, name: str, arguments: dict[str, Any]) -> Answers:
    with tf1.Graph().as_default():
        at = tf1.placeholder(tf1.int64, [])
        rate = getattr(tf1.train, name)(0.5, at, **arguments)
        with tf1.Session() as s:
            return {"rates": np.array([s.run(rate, {at: k}) for k in range(30)])}


def schedule(tf: Any, name: str, arguments: dict[str, Any]) -> Answers:
    made = getattr(tf.optimizers.schedules, name)(**arguments)
    return {"rates": np.array([np.array(made(k)) for k in range(30)])}


def averages(tf1: Any) -> Answers:
    """A moving average whose decay grows with the count of steps."""
    with tf1.Graph().as_default():
        w, count = tf1.Variable(start(), name="w"), tf1.Variable(0, trainable=False, name="count")
        average = tf1.train.ExponentialMovingAverage(0.9, count)
        move = tf1.group(w.assign(w * 1.1), count.assign_add(1))
        with tf1.control_dependencies([move]):
            follow = average.apply([w])
        with tf1.Session() as s:
            s.run(tf1.global_variables_initializer())
            path = [(s.run(follow), s.run(average.average(w)))[1] for _ in range(STEPS)]
        return {"path": np.array(path), "names": np.array([average.average_name(w)], str)}


def runs(tf: Any, tf1: Any) -> dict[str, Any]:
    """{what is run: a function that runs it}"""
    made: dict[str, Any] = {}
    for face, cases, run in ((tf1, EARLIER, earlier), (tf, LATER, later)):
        for name, arguments in cases:
            for sparse in (False, True):
                kind = "sparse" if sparse else "dense"
                made[label(name, arguments, kind)] = lambda f=face, r=run, n=name, a=arguments, s=sparse: r(f, n, a, s)
    made[label(*GATHERED)] = lambda: later(tf, *GATHERED, False)
    for name, arguments in DECAYS:
        made[label(name, arguments)] = lambda n=name, a=arguments: decay(tf1, n, a)
    for name, arguments in SCHEDULES:
        made[label(name, arguments)] = lambda n=name, a=arguments: schedule(tf, n, a)
    made["ExponentialMovingAverage"] = lambda: averages(tf1)
    return made


if __name__ == "__main__":
    import tensorflow  # pyright: ignore[reportMissingImports]

    found = runs(tensorflow, tensorflow.compat.v1)
    np.savez(sys.argv[1], **{f"{what}|{part}": v for what, run in found.items() for part, v in run().items()})
