"""What gradcheck looks at: a function, or tensors of a graph, as values and cotangents in arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core import interpreter, nest
from pullback.core.basics import Placeholder
from pullback.core.errors import ArgumentError
from pullback.core.tensor import EagerTensor, Tensor
from pullback.explain.checks.slopes import differentiable
from pullback.modes.gradients import gradients
from pullback.modes.tape import GradientTape
from pullback.ops.random import philox


class Subject:
    """A function as gradcheck sees it.

    value(xs): its outputs, as arrays. gradient(xs, seeds): the cotangents of the differentiable inputs.
    takes_complex: whether real inputs may be given as complex ones.
    """

    takes_complex = True

    def __init__(self, values: list[Any], names: list[str], value: Any, gradient: Any, differentiated: Any) -> None:
        self.values, self.names, self.value, self.gradient = values, names, value, gradient
        self.differentiated: Callable[[int], Subject] = differentiated
        self.wrt = [i for i, v in enumerate(values) if differentiable(v)]


def of_function(f: Callable[..., Any], inputs: Any, variables: Sequence[Any] = ()) -> Subject:
    """A function, eager or traced. Variables that it reads come after its inputs, and are assigned to."""
    if not callable(f):
        raise ArgumentError(
            f"gradcheck: {f!r} is no function; of a graph's tensor give the inputs as {{tensor: value}}, and session="
        ).locate()
    listed = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    count = len(listed)
    values = [np.array(interpreter.as_tensor(x).value) for x in (*listed, *variables)]
    names = [f"x{i}" if count > 1 else "x" for i in range(count)]

    def outputs(xs: Sequence[Any]) -> list[Any]:
        answer = [interpreter.as_tensor(y) for y in nest.leaves_of(f(*xs)) if y is not None]
        return [y for y in answer if y.dtype.is_floating or y.dtype.is_complex]

    def given(xs: Sequence[Any]) -> list[Any]:
        for variable, x in zip(variables, xs[count:], strict=True):
            variable.assign(x)
        return [interpreter.as_tensor(x) for x in xs[:count]]

    def value(xs: Sequence[Any]) -> list[Any]:
        return [y.value for y in outputs(given(xs))]

    def pulled(xs: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        wrt = [x for x in (*xs, *variables) if x.dtype.is_floating or x.dtype.is_complex]
        with GradientTape() as tape:
            tape.watch(wrt)
            ys = outputs(xs)
        cotangents = [interpreter.as_tensor(s, y.dtype) for s, y in zip(seeds, ys, strict=True)]
        dxs = tape.gradient(ys, wrt, output_gradients=cotangents)
        return [None if dx is None else interpreter.as_tensor(dx) for dx in dxs]

    def gradient(xs: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        return [None if dx is None else dx.value for dx in pulled(given(xs), seeds)]

    def differentiated(seed: int) -> Subject:
        seeds = weights_for(value(values), seed + 1)
        return of_function(lambda *xs: [dx for dx in pulled(xs, seeds) if dx is not None], values[:count], variables)

    subject = Subject(
        values, [*names, *(v.name.removesuffix(":0") for v in variables)], value, gradient, differentiated
    )
    subject.takes_complex = not variables
    return subject


def of_graph(f: Any, inputs: dict[Any, Any], session: Any, feeds: Any) -> Subject:
    """Tensors of a graph; inputs are fed, variables among them too."""
    if session is None:
        raise ArgumentError("gradcheck: a graph's tensors are computed by a session; give session=").locate()
    ys: list[Any] = list(f) if isinstance(f, (list, tuple)) else [f]
    ys = [y for y in ys if isinstance(y, Tensor) and (y.dtype.is_floating or y.dtype.is_complex)]
    if not ys or any(isinstance(y, EagerTensor) for y in ys):
        raise ArgumentError(f"gradcheck: {f!r} is no floating tensor of a graph").locate()
    xs = [k.deref() if hasattr(k, "deref") else k for k in inputs]
    values = [np.array(v, x.dtype.numpy) for x, v in zip(xs, inputs.values(), strict=True)]
    wrt = [x for x in xs if x.dtype.is_floating or x.dtype.is_complex]
    graph = ys[0].graph
    with graph.as_default(), graph.name_scope("gradcheck"):
        seeds = [graph.bind(Placeholder(y.dtype, y.spec.shape), ()) for y in ys]
        dxs = [None if dx is None else interpreter.as_tensor(dx) for dx in gradients(ys, wrt, grad_ys=seeds)]

    def fed(given: Sequence[Any]) -> dict[Any, Any]:
        return {**(feeds or {}), **dict(zip((x.ref() for x in xs), given, strict=True))}

    def value(given: Sequence[Any]) -> list[Any]:
        return [np.asarray(y) for y in session.run(ys, fed(given))]

    def gradient(given: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
        there = [dx for dx in dxs if dx is not None]
        found = iter(session.run(there, {**fed(given), **dict(zip((s.ref() for s in seeds), weights, strict=True))}))
        return [None if dx is None else np.asarray(next(found)) for dx in dxs]

    def differentiated(seed: int) -> Subject:
        weights = weights_for(value(values), seed + 1)
        more = {**(feeds or {}), **dict(zip((s.ref() for s in seeds), weights, strict=True))}
        return of_graph([dx for dx in dxs if dx is not None], inputs, session, more)

    subject = Subject(values, [x.name.removesuffix(":0") for x in xs], value, gradient, differentiated)
    subject.takes_complex = False  # placeholders have their type
    return subject


def is_one_number(ys: Sequence[Any]) -> bool:
    """Whether f answers one real number, whose derivatives are f's own."""
    return sum(map(np.size, ys)) == 1 and all(np.asarray(y).dtype.kind != "c" for y in ys)


def weights_for(ys: Sequence[Any], seed: int) -> list[NDArray[Any]]:
    """v: of the outputs' shapes and types, of magnitude 1/2 to 1 so that no output hides; 1 of a single real number."""
    if is_one_number(ys):
        return [np.ones_like(y) for y in ys]
    found = []
    for i, y in enumerate(map(np.asarray, ys)):
        draws = [philox.normal(seed, (2 * i + part + 1) << 64, y.shape, "float64") for part in (0, 1)]
        parts = [np.sign(d) * (0.5 + 0.5 * np.exp(-np.abs(d))) for d in draws]
        found.append((parts[0] + 1j * parts[1] if y.dtype.kind == "c" else parts[0]).astype(y.dtype))
    return found
