"""The derivatives of a case, of any order, eagerly or in a graph, as plain functions of arrays.

F_0(xs)            = op(xs)
F_1(xs, v0)        = J^T v0                        backprop of F_0
F_2(xs, v0, v1)    = gradient of <v1, F_1> by xs and v0
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from generated.cases import Case, recorded

from pullback.core import dtypes, interpreter
from pullback.core.backprop import backprop, dense
from pullback.core.graph import Graph, ancestors
from pullback.core.spec import Spec
from pullback.core.store import Store
from pullback.core.tensor import EagerTensor, Tensor

Arrays = list[Any]
Rows = Sequence[Sequence[Any]]  # for each order, a cotangent for each result


def tower(
    ys: Sequence[Any], xs: Sequence[Tensor], seeds: Sequence[Sequence[Tensor]], nodes: Callable[..., Any]
) -> list[Any]:
    """F_k of ys as functions of xs, for k = number of seeds: one tensor, or None, for each of xs and earlier seeds."""
    xs = list(xs)
    for row in seeds:
        reached = [y for y in ys if y is not None]
        dxs = backprop(reached, xs, row, nodes(reached))
        ys = [dense(dx) for dx in dxs]
        xs += row
    return list(ys)


def differentiable(results: Sequence[Tensor]) -> list[Tensor]:
    return [y for y in results if y.dtype.is_differentiable]


def constant(array: Any) -> EagerTensor:
    return EagerTensor(Spec(np.shape(array), dtypes.from_numpy(array.dtype)), array)


def eagerly(case: Case, xs: Sequence[Any], seeds: Rows) -> Arrays:
    """F_k at arrays xs (for case.wrt) and seeds (one row for each order), run at once."""
    tensors = list(case.tensors)
    for i, x in zip(case.wrt, xs, strict=True):
        tensors[i] = constant(x)
    rows = [[constant(s) for s in row] for row in seeds]
    with recorded() as nodes:
        results = interpreter.eager().run(case.op, tuple(tensors), None)
        made = tower(differentiable(results), [tensors[i] for i in case.wrt], rows, lambda ys: list(nodes))
    return [None if y is None else y.value for y in made]


def in_graph(case: Case, seeds: Rows, shape: Callable[[Spec], Any], static: bool) -> tuple[Arrays, list[Arrays], Graph]:
    """All results and F_1 ... F_k, from one graph whose parameters have the shapes that `shape` says; static inputs
    are parameters too unless `static`. Returns (results, [F_1, ...], graph)."""
    graph, fed = Graph(), []

    def parameter(t: EagerTensor) -> Tensor:
        fed.append(t.value)
        plain = t.dtype.is_numpy_compatible
        return graph.parameter(Spec(shape(t.spec), t.dtype) if plain else t.spec)

    with interpreter.entered(graph):
        inputs = tuple(
            t if static and i in case.constants - set(case.wrt) else parameter(t) for i, t in enumerate(case.tensors)
        )
        results = graph.run(case.op, inputs)
        xs = [inputs[i] for i in case.wrt]
        rows = [[parameter(constant(s)) for s in row] for row in seeds]
        orders = [tower(differentiable(results), xs, rows[:k], ancestors) for k in range(1, len(rows) + 1)]
    wanted = [y for made in orders for y in made if y is not None]
    graph.outputs = [*results, *wanted]
    values = list(interpreter.engine().program(graph)(case.store() if case.stateful else Store(), *fed))
    for tensor, value in zip(graph.outputs, values, strict=True):
        if isinstance(value, np.ndarray):
            tensor.set_shape(value.shape)  # raises where inference promised another
    rest = iter(values[len(results) :])
    return values[: len(results)], [[None if y is None else next(rest) for y in made] for made in orders], graph


def draw(rng: np.random.Generator, like: Any) -> Any:
    """A random array of an array's shape and dtype; 0 where that is not finite."""
    x = np.where(np.isfinite(like), rng.normal(size=np.shape(like)), 0)
    if np.iscomplexobj(like):
        x = x + 1j * rng.normal(size=np.shape(like))
    return np.asarray(x).astype(like.dtype)


def inner(a: Sequence[Any], b: Sequence[Any]) -> float:
    """Re <a, b>, in double precision. Where a is 0, b counts for nothing, not even when it is infinite."""
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    return float(sum(np.real(np.vdot(_wide(x), np.where(x == 0, 0, _wide(y)))) for x, y in pairs))


def _wide(x: Any) -> Any:
    return np.asarray(x).astype(np.complex128 if np.iscomplexobj(x) else np.float64)


def magnitude(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The sum of |a||b|: what an inner product is small against."""
    return inner(
        [None if x is None else np.abs(_wide(x)) for x in a], [None if y is None else np.abs(_wide(y)) for y in b]
    )


def arguments(case: Case) -> Arrays:
    """The arrays that are differentiated."""
    return [case.tensors[i].value for i in case.wrt]


def random_seeds(case: Case, order: int, seed: int = 0) -> list[Arrays]:
    """For each order a random cotangent for what that order gives; shorter when nothing is left to differentiate."""
    rng, rows = case.rng(seed), []
    for _ in range(order):
        made = [y for y in eagerly(case, arguments(case), rows) if y is not None]
        if not made:
            break
        rows.append([draw(rng, y) for y in made])
    return rows
