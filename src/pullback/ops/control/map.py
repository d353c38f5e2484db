"""Map: a body run for each entry of a leading axis, the results stacked. What batching falls back to.

Its gradient is a Map of the body's gradient, so every order exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.graph import Graph
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.store import Store
from pullback.core.tensor import Tensor
from pullback.ops.control import bodies


@op
class Map(Op):
    """y[i] = body(x[i] of the inputs that have the axis, the others whole)."""

    type = "Map"
    takes_store = True
    any_rank = True
    body: Graph
    axes: tuple[int | None, ...]

    def check(self) -> None:
        self.__dict__["effect"] = bodies.has_effects(self.body)

    def visible(self, results: int) -> int:
        return len(self.body.outputs)

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        rows = [x.shape[0] for x, a in zip(inputs, self.axes, strict=True) if a is not None and x.shape]
        size = next((n for n in rows if n is not None), None)
        shapes = [t.spec.shape for t in self.body.outputs]
        return tuple(
            Spec(None if s is None else (size, *s), t.dtype) for s, t in zip(shapes, self.body.outputs, strict=True)
        )

    def reference(self, store: Store, *inputs: Any) -> Any:
        run = interpreter.engine().program(self.body)
        size = next(len(x) for x, a in zip(inputs, self.axes, strict=True) if a is not None)
        rows = [
            run(store, *[x if a is None else x[i] for x, a in zip(inputs, self.axes, strict=True)]) for i in range(size)
        ]
        if not rows:
            return tuple(_no_rows(t.spec) for t in self.body.outputs)
        return tuple(stacked(column) for column in zip(*rows, strict=True))

    def grad(self, node: Any, *dys: Any) -> Any:
        want = bodies.wanted(node)
        given = [k for k, dy in enumerate(dys) if dy is not None]
        body = self.body

        def one(*values: Tensor) -> list[Any]:
            here: Any = interpreter.current()
            inside = {id(t): v for t, v in zip(body.inputs, values, strict=False)}
            graph = body.inputs[0].node.graph if body.inputs else body

            def available(t: Tensor) -> Any:
                if id(t) in inside:
                    return inside[id(t)]
                return t if t.node.graph is not graph else None

            def stands_for(t: Tensor) -> Any:
                if id(t) not in inside and type(t) is Tensor and t.node.graph is graph:
                    inside[id(t)] = bodies.remade(here, t, available)
                return inside.get(id(t))

            here.stands_for = stands_for
            dxs = bodies.swept(
                body, [body.outputs[k] for k in given], values[len(body.inputs) :], [body.inputs[i] for i in want]
            )
            return [
                bodies.zeros_of(values[i]) if dx is None else interpreter.as_tensor(dx)
                for i, dx in zip(want, dxs, strict=True)
            ]

        arguments = [*node.inputs, *[dys[k] for k in given]]
        results = build(one, arguments, (*self.axes, *(0,) * len(given)))
        answers: list[Any] = [None] * len(node.inputs)
        for i, dx in zip(want, results, strict=True):
            answers[i] = dx if self.axes[i] is not None else REGISTRY["Sum"]()(dx, (0,))
        return tuple(answers)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        spec = Spec((3,), dtypes.float64)
        with interpreter.entered(interpreter.eager()):
            body = bodies.traced(lambda x, y: [x * y * y], [spec, spec], "sample")
        yield Sample(cls(body, (0, None)), (rng.normal(size=(2, 3)), rng.normal(size=3)))
        yield Sample(cls(body, (0, 0)), (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))))


def _no_rows(spec: Spec) -> Any:
    if spec.dtype is dtypes.variant:
        return ()
    return np.zeros((0, *[n or 0 for n in spec.shape or ()]), spec.dtype.numpy)


def stacked(column: Sequence[Any]) -> Any:
    """The entries' results as one value: an array with the axis; of lists, a list for each entry."""
    return tuple(column) if isinstance(column[0], tuple) else np.stack(column)


def build(f: Any, inputs: Sequence[Tensor], axes: Sequence[int | None]) -> list[Tensor]:
    """f on each entry: f takes and gives tensors without the axis."""
    here = interpreter.current()
    inputs = [here.adopt(x) for x in inputs]
    body = bodies.traced(f, [entry_spec(x.spec, a) for x, a in zip(inputs, axes, strict=True)], "map")
    outside = bodies.captured(body)
    results = here.run(Map(body, (*axes, *(None,) * len(outside))), (*inputs, *outside))
    return list(results)


def entry_spec(spec: Spec, axis: int | None) -> Spec:
    """Spec of one entry along the leading axis."""
    if axis is None:
        return spec
    return Spec(None if spec.shape is None else spec.shape[1:], spec.dtype)
