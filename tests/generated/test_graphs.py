"""An op means the same in a graph, whatever the graph knows of shapes, and over a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from generated.cases import TOLERANCE, Case, every_case
from generated.derivatives import arguments, constant, differentiable, eagerly, in_graph
from generated.gaps import note
from generated.test_gradients import plain, seeds_or_gap

from pullback.core import interpreter
from pullback.core.backprop import dense
from pullback.core.errors import GradientLookupError
from pullback.core.graph import Graph
from pullback.core.op import REGISTRY
from pullback.core.tensor import EagerTensor
from pullback.modes.function import function
from pullback.modes.tape import GradientTape
from pullback.transforms.batch import batched

# How much a graph knows of its parameters: (shape of a Spec, whether static inputs are constants).
KNOWLEDGE: dict[str, Any] = {
    "known": (lambda s: s.shape, True),
    "dimensions_unknown": (lambda s: (None,) * len(s.shape), True),
    "all_dimensions_unknown": (lambda s: (None,) * len(s.shape), False),
    "rank_unknown": (lambda s: None, True),
    "nothing_known": (lambda s: None, False),
}


@pytest.mark.parametrize("knowledge", ["known", "nothing_known"])
@every_case(lambda case: not case.cls.effect and case.retyped)
def test_graph_is_eager_in_every_type(case: Case, knowledge: str) -> None:
    check_graph(case, knowledge)


@pytest.mark.parametrize("knowledge", KNOWLEDGE)
@every_case(lambda case: not case.cls.effect and not case.retyped)
def test_graph_is_eager(case: Case, knowledge: str) -> None:
    check_graph(case, knowledge)


def check_graph(case: Case, knowledge: str) -> None:
    """Values, gradient and gradient of the gradient."""
    rows = seeds_or_gap(case, min(2, case.sample.order)) if plain(case) else []
    try:
        results, orders, _ = in_graph(case, rows, *KNOWLEDGE[knowledge])
    except GradientLookupError as error:
        if knowledge == "known" or "has no gradient; operation" in error.message:
            raise
        note(case.cls.type, error.message)
        results, orders, _ = in_graph(case, [], *KNOWLEDGE[knowledge])
    values = case.run(interpreter.engine().kernel(case.op), tuple(t.value for t in case.tensors))
    for ours, theirs in zip(results, values, strict=True):
        case.same(f"graph, {knowledge}: value", ours, theirs)
    for k, made in enumerate(orders, 1):
        truth = eagerly(case, arguments(case), rows[:k])
        for ours, theirs in zip(made, truth, strict=True):
            check_same_or_zero(case, f"graph, {knowledge}: derivative of order {k}", ours, theirs)


def check_same_or_zero(case: Case, what: str, ours: Any, theirs: Any) -> None:
    """No dependence and a zero derivative are the same number; which of them a rule finds may hang on what it knows."""
    if ours is None or theirs is None:
        rest = theirs if ours is None else ours
        assert rest is None or not np.any(rest), case.differs(what, ours, theirs)
    elif not np.any(theirs) and ours.dtype.name in TOLERANCE:  # a sum that cancels, rounded in another order
        assert np.shape(ours) == np.shape(theirs), case.differs(what, ours, theirs)
        assert np.all(np.abs(ours) <= TOLERANCE[ours.dtype.name]), case.differs(what, ours, theirs)
    else:
        case.same(what, ours, theirs, factor=10)


def batchable(case: Case) -> list[int]:
    """Inputs that can be stacked: arrays, not what users write as numbers."""
    arrays = [i for i, t in enumerate(case.tensors) if isinstance(t.value, (np.ndarray, np.generic))]
    return [i for i in arrays if i not in case.constants]


@every_case(lambda case: case.op.has("batch") and not case.stateful)
def test_batch_is_loop(case: Case) -> None:
    """Each input stacked alone, then all together; three different draws. NotImplemented means that a loop is used."""
    size, places = 3, batchable(case)
    draws = [case.redrawn(seed) for seed in range(size)]
    alone = [] if case.retyped and len(places) > 1 else [[i] for i in places]
    for stacked in alone + ([places] if len(places) > 1 else []):
        given = [tuple(d[i] if i in stacked else case.tensors[i] for i in range(len(case.tensors))) for d in draws]
        inputs = tuple(
            constant(np.stack([g[i].value for g in given])) if i in stacked else t for i, t in enumerate(case.tensors)
        )
        axes = tuple(0 if i in stacked else None for i in range(len(inputs)))
        answer = case.op.batch(size, inputs, axes)
        if answer is not NotImplemented:
            check_batch(case, stacked, answer, [looped(case, g) for g in given])


def looped(case: Case, tensors: tuple[EagerTensor, ...]) -> tuple[Any, ...]:
    return tuple(t.value for t in interpreter.eager().run(case.op, tensors, None))


def check_batch(case: Case, stacked: list[int], answer: Any, rows: list[tuple[Any, ...]]) -> None:
    outputs, axes = answer
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    axes = axes if isinstance(axes, tuple) else (axes,) * len(outputs)
    visible = case.op.visible(len(rows[0]))
    assert len(outputs) in (visible, len(rows[0])), case.differs("number of outputs", len(outputs), visible)
    for k, (out, axis) in enumerate(zip(outputs, axes, strict=True)):
        assert axis in (0, None), case.differs("axis of the outputs", axis, "0 or None")
        if not out.dtype.is_numpy_compatible:
            continue
        for n, row in enumerate(rows):
            ours = out.value[n, ...] if axis == 0 else out.value
            case.same(
                f"batch over inputs {stacked}, output {k}, row {n}", np.asarray(ours), np.asarray(row[k]), factor=10
            )


@every_case(lambda case: not case.stateful and not case.op.has("batch"))
def test_loop_stands_in_for_batch(case: Case) -> None:
    """An op without a batch rule is mapped, entry by entry."""
    size, places = 3, batchable(case)
    if not places or any(i not in places and i not in case.constants for i in range(len(case.tensors))):
        return
    given = [case.redrawn(seed) for seed in range(size)]
    given = [tuple(d[i] if i in places else case.tensors[i] for i in range(len(d))) for d in given]
    rows = [looped(case, g) for g in given]
    if any(a.shape != b.shape for row in rows for a, b in zip(row, rows[0], strict=True) if hasattr(a, "shape")):
        return  # shapes hang on values: rows do not stack
    graph = Graph()
    with interpreter.entered(graph):
        inputs = tuple(t if i in case.constants else graph.parameter(t.spec) for i, t in enumerate(case.tensors))
        graph.outputs = list(graph.run(case.op, inputs))
    stacked = [constant(np.stack([g[i].value for g in given])) for i in places]
    outputs, axes = batched(graph, stacked, [0] * len(stacked), size)
    check_batch(case, places, (outputs, axes), rows)


@every_case(lambda case: not case.stateful and all(t.dtype.is_numpy_compatible for t in case.tensors))
def test_function_is_eager(case: Case) -> None:
    """Traced once with its gradient by a tape, then called."""
    rows = seeds_or_gap(case, min(1, case.sample.order)) if plain(case) else []
    reached: list[bool] = []

    @function
    def traced(inputs: list[Any], seeds: list[Any]) -> list[Any]:
        inputs = [case.sample.args[i] if i in case.constants - set(case.wrt) else x for i, x in enumerate(inputs)]
        xs = [inputs[i] for i in case.wrt]
        with GradientTape() as tape:
            tape.watch(xs)
            results = interpreter.current().run(case.op, tuple(inputs), None)
        dxs = tape.gradient(differentiable(results), xs, output_gradients=seeds) if seeds else []
        reached[:] = [dx is not None for dx in dxs]
        return [*results, *(dense(dx) for dx in dxs if dx is not None)]

    made = traced(list(case.tensors), [constant(v) for row in rows for v in row])
    values = [t.value for t in made]
    eager = [t.value for t in interpreter.eager().run(case.op, case.tensors, None)]
    grads = iter(values[len(eager) :])
    for ours, theirs in zip(values, eager, strict=False):
        case.same("function: value", ours, theirs)
    if rows:
        for ours, theirs in zip(reached, eagerly(case, arguments(case), rows), strict=True):
            check_same_or_zero(case, "function: gradient", next(grads) if ours else None, theirs)


def test_registry_knows_what_rules_need() -> None:
    """The chain rule's own ops."""
    assert {"AddN", "BroadcastTo", "SumTo", "ZerosLike", "OnesLike", "Shape"} <= set(REGISTRY)
