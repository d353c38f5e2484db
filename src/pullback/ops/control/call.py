"""Call: a function's body as one op.

    Call(body)(*inputs) -> outputs; residuals

The backward body is traced once for each (rules, which cotangents exist, which are wanted) and kept with the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core import interpreter
from pullback.core.backprop import current_sweep
from pullback.core.errors import OpError
from pullback.core.graph import Graph
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.slices import IndexedSlices
from pullback.core.spec import Spec
from pullback.core.store import Store
from pullback.core.tensor import EagerTensor, Operation, Tensor
from pullback.ops.control import bodies


class Backward(NamedTuple):
    """A backward body and how to call it.

    given: positions of the forward results whose cotangents it takes, first.
    reads: what else it takes: tensors of the forward body, or of outside.
    answers: for each wanted input, None or how to take its cotangent from the outputs: (count, dense_shape).
    """

    body: Graph
    given: tuple[int, ...]
    reads: list[Tensor]
    answers: list[Any]


@op
class Call(Op):
    """Runs a body. The first `count` outputs are the function's, the rest residuals."""

    type = "PartitionedCall"
    takes_store = True
    any_rank = True
    body: Graph
    count: int

    def check(self) -> None:
        self.__dict__["effect"] = bodies.has_effects(self.body)

    def visible(self, results: int) -> int:
        return self.count

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return tuple(t.spec for t in self.body.outputs)

    def reference(self, store: Store, *inputs: Any) -> Any:
        return interpreter.engine().program(self.body)(store, *inputs)

    def grad(self, node: Any, *dys: Any) -> Any:
        given = tuple(i for i, dy in enumerate(dys) if dy is not None)
        want = tuple(bodies.wanted(node))
        body = self.body
        backward = backward_of(body, given, want, saved=None if isinstance(node, Operation) else _saved(body))
        found = {id(t): x for t, x in zip(body.inputs, node.inputs, strict=True)}
        found.update((id(t), y) for t, y in zip(body.outputs, node.results, strict=False))
        lacking = [
            t for t in backward.reads if id(t) not in found and type(t) is Tensor and t.node.graph is _base(body)
        ]
        if lacking:
            more = body.with_outputs([*body.outputs, *lacking])
            node.graph.extend(node, Call(more, self.count), tuple(t.spec for t in lacking))
            found.update((id(t), y) for t, y in zip(lacking, node.results[-len(lacking) :], strict=True))
        inputs = [*[dys[i] for i in backward.given], *[found.get(id(t), t) for t in backward.reads]]
        results = list(called(backward.body, inputs))
        dxs: list[Any] = [None] * len(node.inputs)
        for i, answer in zip(want, backward.answers, strict=True):
            if answer is not None:
                parts = [results.pop(0) for _ in range(answer[0])]
                dxs[i] = parts[0] if len(parts) == 1 else IndexedSlices(parts[0], parts[1], answer[1])
        return tuple(dxs)

    def attrs(self) -> dict[str, Any]:
        return {"f": self.body.name.encode()}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        with interpreter.entered(interpreter.eager()):
            x = Spec((2, 3), interpreter.spec_of(np.zeros(1)).dtype)
            body = bodies.traced(lambda a, b: [a * b, a * a * b], [x, x], "sample")
        yield Sample(cls(body, 2), (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))))


def _base(body: Graph) -> Graph:
    """The graph that a body's tensors belong to (views share it)."""
    return body.inputs[0].node.graph if body.inputs else body.outputs[0].node.graph


def _saved(body: Graph) -> frozenset[int]:
    """Ids of the forward tensors that an executed call still has."""
    found = body.programs.get("saved")
    if found is None:
        found = body.programs["saved"] = frozenset([*map(id, body.inputs), *map(id, body.outputs)])
    return found


def called(body: Graph, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Calls a body; when a tape watches, with the residuals its backward body reads. Returns the visible outputs."""
    here = interpreter.current()
    count = len(body.outputs)
    if here.tapes and here.watches(tuple(inputs)) and not isinstance(here, Graph):
        body = with_residuals(body)
    return here.run(Call(body, count), tuple(inputs))[:count]


def computed(body: Graph, inputs: Sequence[EagerTensor]) -> list[EagerTensor]:
    """The outputs of a body, at once and told to nobody: `called` without tapes."""
    specs: Any = body.programs.get("specs")
    if specs is None:
        known = [Spec(t.spec.shape, t.spec.dtype) if t.spec.known else None for t in body.outputs]
        specs = body.programs["specs"] = known
    try:
        values = interpreter.engine().program(body)(interpreter.current().store, *[x.value for x in inputs])
    except OpError as error:
        raise error.locate() from None
    if None in specs:
        return [EagerTensor(s or interpreter.spec_of(v), v) for s, v in zip(specs, values, strict=True)]
    return list(map(EagerTensor, specs, values))


def with_residuals(body: Graph) -> Graph:
    """The body, also giving what its full backward body reads."""
    found = body.programs.get("residuals")
    if found is None:
        given = tuple(bodies.differentiable(body.outputs))
        want = tuple(bodies.differentiable(body.inputs))
        known = _saved(body)
        more = {id(t): t for t in bodies.draws(body) if id(t) not in known}
        base = _base(body) if body.inputs or body.outputs else body
        for t in backward_of(body, given, want, saved=None).reads:
            if id(t) not in known and type(t) is Tensor and t.node.graph is base:
                more[id(t)] = t
        found = body.programs["residuals"] = body.with_outputs([*body.outputs, *more.values()])
        found.programs["residuals"] = found
    return found


def backward_of(body: Graph, given: tuple[int, ...], want: tuple[int, ...], saved: frozenset[int] | None) -> Backward:
    """The backward body. With `saved`, whatever else it needs of the forward body it computes again; without, it may
    read every tensor."""
    sweep = current_sweep()
    rules = tuple((id(k), id(v)) for k, v in sweep.rules.items())
    key = ("backward", given, want, saved, rules, id(sweep.on_step), sweep.carries)
    found = body.programs.get(key)
    if found is None:
        found = body.programs[key] = _backward(body, given, want, saved)
        body.programs["held", key] = sweep.rules, sweep.on_step  # the key names them by id
    return found


def _backward(body: Graph, given: tuple[int, ...], want: tuple[int, ...], saved: frozenset[int] | None) -> Backward:
    back = Graph(body.dialect, _base(body) if body.inputs or body.outputs else body, f"{body.name}_grad")
    base = back.outer

    kept = frozenset() if saved is None else saved

    def stands_for(t: Tensor) -> Tensor | None:
        if saved is None or id(t) in kept or type(t) is not Tensor or t.node.graph is not base:
            return None
        again = bodies.remade(back, t, lambda x: x if id(x) in kept or x.node.graph is not base else None)
        back.captures[id(t)] = t, again
        return again

    back.stands_for = stands_for
    answers: list[Any] = []
    with back.as_default():
        dys = [back.parameter(bodies.cotangent_spec(body.outputs[i])) for i in given]
        dxs = bodies.swept(body, [body.outputs[i] for i in given], dys, [body.inputs[i] for i in want])
        outputs: list[Tensor] = []
        for dx in dxs:
            if isinstance(dx, IndexedSlices):
                answers.append((2, dx.dense_shape if isinstance(dx.dense_shape, tuple) else None))
                outputs += [dx.values, dx.indices]
            else:
                answers.append(None if dx is None else (1, None))
                outputs += [] if dx is None else [dx]
        back.outputs = [back.adopt(t) for t in outputs]
    parameters = {id(t) for t in back.inputs}
    reads = [outer for outer, inner in back.captures.values() if id(inner) in parameters]
    return Backward(back, given, reads, answers)
