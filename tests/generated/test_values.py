"""An op's values: what `infer` promises is what `reference` gives, and every engine gives the same."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import numpy as np
import pytest
from generated.cases import CASES, Case, every_case

from pullback.core import interpreter, shape
from pullback.core.config import config
from pullback.core.graph import Graph
from pullback.core.op import Op
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.engines.base import ENGINES

KNOWN = {
    "known": (lambda s: s.shape, True),
    "static_value_unknown": (lambda s: s.shape, False),
    "dimensions_unknown": (lambda s: None if s.shape is None else (None,) * len(s.shape), True),
    "all_dimensions_unknown": (lambda s: None if s.shape is None else (None,) * len(s.shape), False),
    "rank_unknown": (lambda s: None, True),
    "nothing_known": (lambda s: None, False),
}


def reference(case: Case) -> tuple[Any, ...]:
    return case.run(case.op.reference, tuple(t.value for t in case.tensors))


@every_case()
def test_inferred_is_computed(case: Case) -> None:
    """Shape and dtype of every result, however little of the inputs is known."""
    values = reference(case)
    for how, (shape_of, static) in KNOWN.items():
        specs = case.op.specs(case.specs(shape_of, static))
        assert len(specs) == len(values), case.differs(f"{how}: number of results", len(specs), len(values))
        for spec, value in zip(specs, values, strict=True):
            check_spec(case, how, spec, value, exact=how == "known")


def check_spec(case: Case, how: str, spec: Spec, value: Any, exact: bool) -> None:
    if not spec.dtype.is_numpy_compatible:
        assert isinstance(value, (tuple, Resource)), case.differs(f"{how}: a {spec.dtype.name}", spec, type(value))
        return
    assert isinstance(value, (np.ndarray, np.generic)), case.differs(f"{how}: not an array", spec, type(value))
    assert value.dtype == spec.dtype.numpy, case.differs(f"{how}: dtype", spec.dtype.name, value.dtype)
    assert shape.compatible(spec.shape, value.shape), case.differs(f"{how}: shape", spec.shape, value.shape)
    if spec.value is not None:
        flat = (spec.value,) if isinstance(spec.value, int) else spec.value
        truth = tuple(np.ravel(value).tolist())
        assert shape.compatible(flat, truth), case.differs(f"{how}: static value", spec.value, truth)
    if exact and not shape.known(spec.shape):
        assert hangs_on_values(case.cls), case.differs("known inputs, unknown shape", spec.shape, value.shape)


@functools.cache
def hangs_on_values(cls: type[Op]) -> bool:
    """Whether on any of the op's samples other values of the same shapes give a result of another shape, as `where`,
    `range` and `unique` do."""
    fills = (
        np.zeros_like,
        np.ones_like,
        lambda a: np.arange(a.size).reshape(a.shape).astype(a.dtype),
        lambda a: np.full(a.shape, b"", object) if a.dtype == object else a,
    )
    for case in CASES:
        if case.cls is cls:
            shapes = [np.shape(value) for value in reference(case)]
            arrays = [tuple(t.value for t in case.redrawn(seed)) for seed in range(1, 5)]
            arrays += [tuple(f(t.value) if laid_out(t.value) else t.value for t in case.tensors) for f in fills]
            for values in arrays:
                with contextlib.suppress(Exception):  # a fill may be no valid argument
                    if [np.shape(value) for value in case.run(case.op.reference, values)] != shapes:
                        return True
    return all(t.spec.shape == () for case in CASES if case.cls is cls for t in case.tensors)


@pytest.mark.parametrize("name", sorted(ENGINES))
@every_case(lambda case: not case.cls.effect)
def test_engine_is_reference(case: Case, name: str) -> None:
    """On the sample as it is, on arrays with gaps, and on arrays in Fortran's order."""
    truth = reference(case)
    kernel = ENGINES[name].kernel(case.op)
    for layout in (lambda a: a, gapped, np.asfortranarray):
        values = tuple(layout(t.value) if laid_out(t.value) else t.value for t in case.tensors)
        made = case.run(kernel, values)
        assert len(made) == len(truth), case.differs("number of results", len(made), len(truth))
        for ours, theirs in zip(made, truth, strict=True):
            case.same(f"engine {name} against the reference", ours, theirs)


@every_case(lambda case: not case.cls.effect)
def test_a_plan_is_the_reference(case: Case) -> None:
    """The op as a plan of one node: fused where it is elementwise, else the room's machine code or a Python step."""
    pytest.importorskip("llvmlite")
    from pullback.engines.cpu.plan import made
    from pullback.engines.cpu.run import Runner
    from pullback.engines.cpu.trace import UnplannableError

    given = [
        Spec(t.value.shape, t.spec.dtype)
        if laid_out(t.value) and i not in case.static and t.value.dtype != object
        else t.value
        for i, t in enumerate(case.tensors)
    ]
    body = Graph()
    with interpreter.entered(body):
        inputs = [body.parameter(t.spec) for t in case.tensors]
        node = body.append(case.op, tuple(inputs))
    try:
        run = Runner(made([node], inputs, node.results, given, ENGINES["blas"]))
    except UnplannableError:
        return
    for _ in range(2):  # the second time memory is used again
        results = run(case.store(), *[t.value for t in case.tensors])
        for ours, theirs in zip(results, reference(case), strict=True):
            case.same("its plan against the reference", ours, theirs)


def laid_out(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0


def gapped(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same values, every second place of a larger array, last axis backwards."""
    room = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    view = room[..., ::-2]
    view[...] = array
    return view


@every_case(lambda case: not case.cls.effect)
def test_inputs_are_left_alone(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays are writable here, so that nothing but their bytes can tell; and a second run gives the same bytes, by the
    same code."""
    monkeypatch.setattr(config, "plan_after", 0)
    for engine in ENGINES.values():
        values = tuple(t.value.copy() if laid_out(t.value) else t.value for t in case.tensors)
        kernel, before = engine.kernel(case.op), bytes_of(values)
        first = bytes_of(case.run(kernel, values))
        assert bytes_of(values) == before, case.differs("an input was written to", values, case.sample.args)
        assert bytes_of(case.run(kernel, values)) == first, case.differs("two runs differ", values, engine.name)


def bytes_of(values: tuple[Any, ...]) -> list[bytes]:
    return [v.tobytes() for v in values if isinstance(v, (np.ndarray, np.generic)) and v.dtype != object]


def test_there_are_cases() -> None:
    """An empty registry would pass everything."""
    assert len(CASES) > 100
