"""An op's derivatives, to the order its sample asks for: they exist, and are those of the values.

A directional derivative by a four-point difference along one random direction, of the op itself, of its gradient, and
of its gradient's gradient, each by the arguments and by the cotangents that came in. Complex numbers follow TensorFlow:
the gradient g of y by x is that for which d Re<dy, y> = Re<g, dx>.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from closeness import close
from generated.cases import TOLERANCE, Case, every_case
from generated.derivatives import arguments, draw, eagerly, inner, magnitude, random_seeds
from generated.gaps import note

from pullback.core import dtypes
from pullback.core.errors import GradientLookupError
from pullback.core.sample import Sample

STEP = 1e-4  # error of the difference about STEP**4 times the fifth derivative
BOUND = 1e-6  # relative to the terms that are summed
WIDE = ("float64", "complex128")


def plain(case: Case) -> bool:
    """Whether there is something to differentiate and no state in the way."""
    return bool(case.wrt) and not case.stateful and bool(case.sample.order)


def measurable(case: Case) -> bool:
    """Whether differences mean something: smooth, and in double precision all the way."""
    specs = case.op.specs(case.specs())
    floats = [*(case.tensors[i].dtype for i in case.wrt), *(s.dtype for s in specs if s.dtype.is_differentiable)]
    return case.sample.smooth and all(dtype.name in WIDE for dtype in floats)


def check_direction(case: Case, rows: list[Any], order: int, seed: int) -> None:
    """F_{order+1} against differences of F_order."""
    xs, earlier, last = arguments(case), rows[:order], rows[order]
    point = [*xs, *(v for row in earlier for v in row)]
    rng = case.rng(seed + 1000)
    direction = [draw(rng, p) for p in point]

    def at(step: float) -> float:
        moved = [p + np.asarray(step * d, p.dtype) for p, d in zip(point, direction, strict=True)]
        values = [y for y in eagerly(case, moved[: len(xs)], regrouped(moved[len(xs) :], earlier)) if y is not None]
        return inner(last, values)

    analytic = eagerly(case, xs, rows[: order + 1])
    ours = inner(analytic, direction)
    theirs = (8 * (at(STEP) - at(-STEP)) - (at(2 * STEP) - at(-2 * STEP))) / (12 * STEP)
    room = BOUND * magnitude(analytic, direction) + 1e-9 * (1 + magnitude(last, values_of(case, earlier)))
    what = f"derivative of order {order + 1} against finite differences"
    assert abs(ours - theirs) <= room * case.sample.tolerance, case.differs(what, ours, theirs, seed)


def values_of(case: Case, rows: list[Any]) -> list[Any]:
    return [y for y in eagerly(case, arguments(case), rows) if y is not None]


def regrouped(flat: list[Any], like: list[Any]) -> list[Any]:
    rest = iter(flat)
    return [[next(rest) for _ in row] for row in like]


def seeds_or_gap(case: Case, order: int, seed: int = 0) -> list[Any]:
    """Seeds for each order; a rule that says NoGradientYet goes on the list instead of failing."""
    try:
        return random_seeds(case, order, seed)
    except GradientLookupError as error:
        if re.search(r"has no gradient; operation", error.message):
            raise
        note(case.cls.type, error.message)
        return []


@every_case(plain)
def test_gradient_fits_its_input(case: Case) -> None:
    """A gradient has its input's shape and type, at every dtype, also where differences mean nothing."""
    rows = seeds_or_gap(case, 1)
    if not rows:
        return
    for x, dx in zip(arguments(case), eagerly(case, arguments(case), rows), strict=True):
        if dx is not None:
            assert (dx.shape, dx.dtype) == (x.shape, x.dtype), case.differs(
                "gradient", (dx.shape, dx.dtype), (x.shape, x.dtype)
            )


@pytest.mark.parametrize("seed", [0, 1])
@every_case(lambda case: plain(case) and measurable(case))
def test_gradient(case: Case, seed: int) -> None:
    rows = seeds_or_gap(case, 1, seed)
    if rows:
        check_direction(case, rows, 0, seed)


@every_case(lambda case: plain(case) and measurable(case) and case.sample.order >= 2)
def test_gradient_of_gradient(case: Case) -> None:
    rows = seeds_or_gap(case, 2)
    if len(rows) >= 2:
        check_direction(case, rows, 1, 0)


@every_case(lambda case: plain(case) and measurable(case) and case.sample.order >= 3)
def test_third_order(case: Case) -> None:
    rows = seeds_or_gap(case, 3)
    if len(rows) >= 3:
        check_direction(case, rows, 2, 0)


@every_case(lambda case: plain(case) and not measurable(case))
def test_closed_under_derivatives(case: Case) -> None:
    """Every order exists where differences mean nothing: at kinks, and in narrow types."""
    rows = seeds_or_gap(case, case.sample.order)
    eagerly(case, arguments(case), rows)


@every_case(lambda case: plain(case) and case.sample.order >= 2)
def test_forward_is_reverse(case: Case) -> None:
    """<J^T dy, v> = <dy, J v>, where J v is the derivative of J^T dy by dy."""
    rows = seeds_or_gap(case, 1)
    if not rows:
        return
    pulled = eagerly(case, arguments(case), rows)
    rng = case.rng(7)
    pushed = [draw(rng, g) for g in pulled if g is not None]
    if not pushed:
        return
    try:
        second = eagerly(case, arguments(case), [rows[0], pushed])
    except GradientLookupError as error:
        if "has no gradient; operation" in error.message:
            raise
        note(case.cls.type, error.message)
        return
    forward = second[len(case.wrt) :]
    reached = [g for g in pulled if g is not None]
    ours, theirs = inner(reached, pushed), inner(rows[0], forward)
    narrow = max(TOLERANCE[a.dtype.name] for a in (*reached, *rows[0]))
    room = narrow * case.sample.tolerance * (magnitude(reached, pushed) + magnitude(rows[0], forward) + 1e-30)
    assert abs(ours - theirs) <= room, case.differs("<J^T dy, v> and <dy, J v>", ours, theirs, 7)


def typed(case: Case) -> bool:
    """Whether the op's own fields settle dtypes, so that wider inputs would not fit."""
    return any(isinstance(getattr(case.op, f), dtypes.DType) for f in case.op.fields) or not widens(case)


def widens(case: Case) -> bool:
    """Whether the signature lets the floating inputs be double."""
    specs = [s.with_dtype(wider(s.dtype)) if s.dtype.is_differentiable else s for s in case.specs()]
    try:
        case.op.specs(tuple(specs))
    except (TypeError, ValueError):
        return False
    return True


def wider(dtype: dtypes.DType) -> dtypes.DType:
    return dtypes.complex128 if dtype.is_complex else dtypes.float64


def widen(array: Any) -> Any:
    if not dtypes.from_numpy(array.dtype).is_differentiable:
        return array
    return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)


def widened(case: Case) -> Case:
    """The same sample in double precision."""
    s = case.sample
    args = tuple(widen(a) if hasattr(a, "dtype") else a for a in s.args)
    return Case(
        case.cls, case.position, Sample(s.op, args, case.wrt, s.order, s.smooth, s.tolerance, s.name), case.name
    )


@every_case(lambda case: plain(case) and not measurable(case) and case.sample.smooth and not typed(case))
def test_gradient_in_narrow_types(case: Case) -> None:
    """In half, single and brain floats the gradient is that of double precision, rounded."""
    rows = seeds_or_gap(case, 1)
    if not rows:
        return
    wide = widened(case)
    ours = eagerly(case, arguments(case), rows)
    theirs = eagerly(wide, arguments(wide), [[widen(v) for v in row] for row in rows])
    for dx, exact in zip(ours, theirs, strict=True):
        if dx is not None and exact is not None:
            bound = 10 * TOLERANCE[dx.dtype.name] * case.sample.tolerance
            assert close(dx, exact, bound), case.differs("gradient in a narrow type", dx, exact)
