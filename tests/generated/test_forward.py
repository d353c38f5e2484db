"""ForwardAccumulator on every op: its tangents are the adjoint of the tape's gradients, <u, J v> = <J^T u, v>."""

from __future__ import annotations

from typing import Any

import numpy as np
from generated.cases import TOLERANCE, Case, every_case
from generated.derivatives import arguments, constant, draw, inner, magnitude
from generated.gaps import note

from pullback.core import interpreter
from pullback.core.backprop import dense
from pullback.core.errors import GradientLookupError
from pullback.modes.forward import ForwardAccumulator
from pullback.modes.tape import GradientTape


def followed(case: Case) -> bool:
    """Whether there is something to differentiate and no state in the way; one dtype stands for all."""
    return bool(case.wrt) and not case.stateful and bool(case.sample.order) and not case.retyped


@every_case(followed)
def test_tangents_are_adjoint_to_gradients(case: Case) -> None:
    rng = case.rng(3)
    tensors: list[Any] = list(case.tensors)
    xs = [constant(x) for x in arguments(case)]
    for i, x in zip(case.wrt, xs, strict=True):
        tensors[i] = x
    directions = [draw(rng, x.value) for x in xs]
    try:
        with GradientTape() as tape:
            tape.watch(xs)
            with ForwardAccumulator(xs, [constant(v) for v in directions]) as accumulator:
                results = interpreter.current().run(case.op, tuple(tensors))
        ys = [y for y in results if y.dtype.is_differentiable]
        if not ys:
            return
        seeds = [draw(rng, y.value) for y in ys]
        pushed = [t.value for t in accumulator.jvp(ys, "zero")]
        pulled = tape.gradient(ys, xs, [constant(u) for u in seeds], "zero")
    except GradientLookupError as error:
        note(case.cls.type, error.message)
        return
    values = [dense(dx).value for dx in pulled]
    for y, t in zip(ys, pushed, strict=True):
        assert (t.shape, t.dtype) == (y.value.shape, y.value.dtype), case.differs("tangent", t, y)
    ours, theirs = inner(seeds, pushed), inner(values, directions)
    narrow = max(TOLERANCE[np.asarray(a).dtype.name] for a in (*seeds, *directions))
    room = narrow * case.sample.tolerance * (magnitude(seeds, pushed) + magnitude(values, directions) + 1e-30)
    assert abs(ours - theirs) <= room, case.differs("<u, J v> and <J^T u, v>", ours, theirs, 3)
