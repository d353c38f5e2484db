"""Engines against the reference on random convolutions, poolings, unpoolings and patches: no mismatch in 20,000.

PULLBACK_SEED=7 draws others. A failure names the seed and the number of the case, which make it again.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from closeness import close
from conformance.drawn_windows import Drawn, case

from pullback.engines.base import ENGINES

SEED = int(os.environ.get("PULLBACK_SEED", "20160811"))
CHUNK = 1000
# How many cases an engine is given, the default one the most.
CASES = {"blas": 20_000}
OTHERS = 2_000
QUICK = 200
# Relative to the largest entry; all other types are exact.
BOUNDS = {"float64": 1e-12, "complex128": 1e-12, "float32": 1e-5, "complex64": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}
NAMES = sorted(set(ENGINES) - {"reference"})


def check(engine: str, numbers: range) -> None:
    """Runs the cases of these numbers; each is drawn from the seed and its number alone."""
    for number in numbers:
        drawn = case(np.random.default_rng([SEED, number]))
        with np.errstate(all="ignore"):
            ours, theirs = ENGINES[engine].kernel(drawn.op)(*drawn.args), drawn.op.reference(*drawn.args)
        for a, b in zip(results(ours), results(theirs), strict=True):
            assert agree(a, b), message(engine, number, drawn, a, b)


def results(made: Any) -> tuple[Any, ...]:
    return made if isinstance(made, tuple) else (made,)


def agree(a: Any, b: Any) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    bound = BOUNDS.get(a.dtype.name)
    return np.array_equal(a, b) if bound is None else bool(close(a, b, bound))


def message(engine: str, number: int, drawn: Drawn, a: Any, b: Any) -> str:
    return (
        f"engine {engine}, seed {SEED}, case {number}: {drawn}\n  {engine}     {a!r}\n  reference {b!r}\n"
        f"  again: case(np.random.default_rng([{SEED}, {number}]))"
    )


@pytest.mark.parametrize("engine", NAMES)
def test_the_first_cases(engine: str) -> None:
    check(engine, range(QUICK))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "first"),
    [pytest.param(e, n, id=f"{e}-{n}") for e in NAMES for n in range(0, CASES.get(e, OTHERS), CHUNK)],
)
def test_all_cases(engine: str, first: int, record_property: Any) -> None:
    check(engine, range(first, first + CHUNK))
    total = CASES.get(engine, OTHERS)
    record_property("say", f"engine {engine}: {total} random windows against the reference, seed {SEED}")


def test_cases_are_of_every_kind() -> None:
    """Every op of the family, layout, padding, type, groups, empty batches and outputs are among the first 3,000."""
    drawn = [case(np.random.default_rng([SEED, number])) for number in range(3000)]
    kinds = {d.op.type for d in drawn}
    assert len(kinds) >= 39, sorted(kinds)
    types = {a.dtype.name for d in drawn for a in d.args}
    assert {"float16", "bfloat16", "float32", "float64", "complex64", "complex128", "int8", "uint64"} <= types
    layouts = {getattr(d.op, "data_format", None) for d in drawn}
    assert {"NHWC", "NCHW", "NDHWC", "NCDHW"} <= layouts
    conv = [d for d in drawn if d.op.type == "Conv2D"]
    assert any(d.args[0].shape[-1] > d.args[1].shape[-2] > 1 for d in conv if d.op.data_format == "NHWC")
    assert {type(d.op.padding) for d in conv} == {str, tuple}
    assert any(max(d.op.strides) > 1 and max(d.op.dilations) > 1 for d in conv)
    assert any(d.args[0].shape[0] == 0 for d in conv) and any(0 in d.args[0].shape[1:] for d in drawn)
