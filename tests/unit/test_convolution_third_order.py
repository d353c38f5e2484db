"""The third derivative of every function of convolution, pooling, unpooling and patches, against finite differences.

s(x, w, ...) = <c, f(x, w, ...)^3>       cubic at least in every input, also where f is linear
d1 = <grad s, u>   d2 = <grad d1, v>     d3 = <grad d2, t>  =  the derivative of d2 along t
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from window_functions import FUNCTIONS

import pullback as tf
from pullback import _names
from pullback.core import nest
from pullback.core.op import REGISTRY

STEP = 1e-3


def parts(y: Any) -> list[Any]:
    """The outputs that are floating."""
    return [t for t in nest.flatten(y)[0] if t.dtype.is_floating]


def directional(f: Callable[..., Any], xs: list[Any], directions: list[list[Any]], c: list[Any]) -> Any:
    """The derivative of <c, f^3> along so many directions, one after another, by nested tapes."""
    if not directions:
        return tf.add_n([tf.reduce_sum(ci * y**3) for ci, y in zip(c, parts(f(*xs)), strict=True)])
    with tf.GradientTape() as tape:
        tape.watch(xs)
        inner = directional(f, xs, directions[1:], c)
    grads = tape.gradient(inner, xs, unconnected_gradients="zero")
    return tf.add_n([tf.reduce_sum(g * u) for g, u in zip(grads, directions[0], strict=True)])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_third_derivative(name: str) -> None:
    f, shapes = FUNCTIONS[name]
    rng = np.random.default_rng(len(name))
    # Far enough apart that no step changes a winner, and no sum of pixel and weight ties.
    xs = [rng.permutation(int(np.prod(s))).reshape(s) / 20 / 1.7**i + 0.3 for i, s in enumerate(shapes)]
    c = [rng.normal(size=y.shape) for y in parts(f(*map(tf.constant, xs)))]
    directions = [[rng.normal(size=s) for s in shapes] for _ in range(3)]

    def second(step: float) -> float:
        moved = [tf.constant(x + step * t) for x, t in zip(xs, directions[0], strict=True)]
        return float(directional(f, moved, directions[1:], c))

    ours = float(directional(f, [tf.constant(x) for x in xs], directions, c))
    theirs = (8 * (second(STEP) - second(-STEP)) - (second(2 * STEP) - second(-2 * STEP))) / (12 * STEP)
    assert ours != 0
    assert abs(ours - theirs) <= 1e-6 * (1 + abs(theirs)), (name, ours, theirs)


ROOMS = tuple(
    f"pullback.ops.{room}" for room in ("nn.conv", "nn.depthwise", "nn.pool", "nn.morphology", "image.patches")
)


def test_every_op_is_checked_to_order_three() -> None:
    """The generated tests measure the third derivative of every op of the family, on more than one sample of it."""
    family = [kind for kind, room in _names.OPS.items() if room.startswith((*ROOMS, "pullback.ops.array.blocks"))]
    assert len(family) > 40
    for kind in family:
        samples = REGISTRY[kind].samples(np.random.default_rng(0))
        measured = [s for s in samples if s.order >= 3 and s.smooth and _double(s)]
        assert len(measured) >= 2, kind


def _double(sample: Any) -> bool:
    return any(getattr(a, "dtype", None) == np.float64 and a.size for a in sample.args)
