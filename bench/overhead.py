"""What Pullback adds around the NumPy call: per operation, per Session.run, per import."""

from __future__ import annotations

import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np


def best(f: Callable[[], Any], seconds: float = 0.4) -> float:
    """Microseconds a call: the best of repeated batches, which is the least disturbed."""
    timer = timeit.Timer(f)
    number = 1
    while timer.timeit(number) < seconds / 20:
        number *= 2
    return min(timer.repeat(15, number)) / number * 1e6


def eager_op() -> tuple[float, float, float]:
    """(with a tape, without, NumPy alone) in microseconds, for a product of two 2x2 matrices, entry by entry."""
    import pullback as tf

    array = np.ones((2, 2), np.float32)
    x = tf.constant(array)
    plain = best(lambda: np.multiply(array, array))
    without = best(lambda: tf_multiply(x))

    def taped() -> None:
        with tf.GradientTape() as tape:
            tape.watch(x)
            for _ in range(1000):
                x * x

    return best(taped) / 1000, without, plain


def tf_multiply(x: Any) -> Any:
    return x * x


def session_run() -> tuple[float, float]:
    """(Session.run of a two-op graph with a feed, the same in NumPy) in microseconds."""
    import pullback.v1 as tf

    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [2, 2])
        y = x * x + 1.0
        array = np.ones((2, 2), np.float32)
        return best(lambda: session.run(y, {x: array})), best(lambda: array * array + np.float32(1))


def conv_gradient() -> tuple[float, float]:
    """(eager gradient of a 3x3 convolution by both inputs with a tape, the same by hand in NumPy) in microseconds."""
    import pullback as tf

    x = tf.constant(np.ones((1, 5, 5, 1), np.float32))
    w = tf.constant(np.ones((3, 3, 1, 1), np.float32))

    def taped() -> Any:
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = tf.nn.conv2d(x, w, 1, "VALID")
        return tape.gradient(y, [x, w])

    array, kernel = np.ones((5, 5), np.float32), np.ones((3, 3), np.float32)

    def by_hand() -> Any:
        windows = np.lib.stride_tricks.sliding_window_view(array, (3, 3))
        y = np.tensordot(windows, kernel, 2)
        dy = np.ones_like(y)
        dw = np.tensordot(dy, windows, 2)
        dx = np.zeros_like(array)
        for r in range(3):
            for s in range(3):
                dx[r : r + 3, s : s + 3] += kernel[r, s] * dy
        return dx, dw

    return best(taped), best(by_hand)


def first_run() -> float:
    """Milliseconds to build a small graph with gradients and run it once."""
    import pullback.v1 as tf

    def once() -> None:
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float32, [1, 5, 5, 1])
            w = tf.constant(np.ones((3, 3, 1, 1), np.float32))
            y = tf.nn.conv2d(x, w, [1, 1, 1, 1], "VALID")
            session.run(tf.gradients(y, [x, w]), {x: np.ones((1, 5, 5, 1))})

    return best(once) / 1e3


def imports() -> tuple[float, float]:
    """(import pullback, import numpy) in seconds, the best of five processes each."""

    def seconds(module: str) -> float:
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        return min(
            float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
            for _ in range(5)
        )

    return seconds("pullback"), seconds("numpy")


def chain(n: int) -> tuple[float, float, float]:
    """Microseconds a node to build, differentiate and run a chain of n operations."""
    import pullback.v1 as tf

    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [])
        start = time.perf_counter()
        y = x
        for _ in range(n):
            y = tf.negative(y)
        built = time.perf_counter()
        dx = tf.gradients(y, x)[0]
        differentiated = time.perf_counter()
        session.run([y, dx], {x: 1.0})
        done = time.perf_counter()
    return (built - start) / n * 1e6, (differentiated - built) / n * 1e6, (done - differentiated) / n * 1e6


def report(line: Callable[[str, str, str], None]) -> None:
    """Prints every figure: line(what, figure, what it is to be compared with)."""
    taped, without, plain = eager_op()
    line(
        "eager operation with a tape",
        f"{taped:.1f} us",
        f"NumPy {plain:.2f} us, so {taped - plain:.1f} us above it (goal 5)",
    )
    line("eager operation without", f"{without:.1f} us", f"{without / plain:.0f} times NumPy")
    run, by_numpy = session_run()
    line("Session.run of a tiny graph", f"{run:.1f} us", f"NumPy {by_numpy:.2f} us (goal 30)")
    conv, by_hand = conv_gradient()
    line("eager gradient of a 3x3 convolution", f"{conv:.0f} us", f"by hand in NumPy {by_hand:.0f} us")
    line("TF1 graph, gradients and first run", f"{first_run():.2f} ms", "")
    mine, numpy = imports()
    line("import pullback", f"{mine:.3f} s", f"NumPy alone {numpy:.3f} s (goal 0.12)")
    for n in (1_000, 10_000, 100_000):
        build, gradient, first = chain(n)
        line(
            f"chain of {n} operations",
            f"{build + gradient + first:.1f} us a node",
            f"build {build:.1f}, gradient {gradient:.1f}, run {first:.1f}",
        )
