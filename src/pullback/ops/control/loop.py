"""While: a body that runs as long as a condition holds. `tf.while_loop`.

    While(cond, body)(*variables, *constants) -> variables; trips, and a list for each tensor its gradient reads

Each list holds the tensor's value at every trip. The gradient is a While that walks the lists backwards, so it has a
gradient of its own, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, nest, shape
from pullback.core.basics import AddN
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape, as_shape
from pullback.core.spec import Spec
from pullback.core.store import Store
from pullback.core.tensor import EagerTensor, Operation, Tensor
from pullback.ops.control import bodies
from pullback.ops.math.arithmetic import LogicalAnd, Sub

_LIST = Spec((), dtypes.variant)


@op
class While(Op):
    """variables = body(*variables, *constants) as long as cond(...) holds. `count` variables; body's further outputs
    are saved at each trip."""

    takes_store = True
    any_rank = True
    cond: Graph
    body: Graph
    count: int
    shapes: tuple[Shape, ...] = ()

    def check(self) -> None:
        self.__dict__["effect"] = bodies.has_effects(self.cond) or bodies.has_effects(self.body)

    def visible(self, results: int) -> int:
        return self.count

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        out = tuple(Spec(s, x.dtype) for s, x in zip(self.shapes, inputs, strict=False))
        return (*out, Spec((), dtypes.int32), *[_LIST for _ in self.body.outputs[self.count :]])

    def reference(self, store: Store, *inputs: Any) -> Any:
        goes_on = interpreter.engine().program(self.cond)
        step = interpreter.engine().program(self.body)
        variables, constants = inputs[: self.count], inputs[self.count :]
        lists: list[list[Any]] = [[] for _ in self.body.outputs[self.count :]]
        trips = 0
        while goes_on(store, *variables, *constants)[0]:
            made = step(store, *variables, *constants)
            variables = made[: self.count]
            for values, value in zip(lists, made[self.count :], strict=True):
                values.append(value)
            trips += 1
        return (*variables, np.int32(trips), *map(tuple, lists))

    def grad(self, node: Any, *dys: Any) -> Any:
        want = bodies.wanted(node)
        if not isinstance(node, Operation):
            raise ArgumentError("a While is recorded in graphs only; eagerly tf.while_loop is Python's own loop")
        return _grad(node, dys, want)

    def attrs(self) -> dict[str, Any]:
        return {"cond": self.cond.name.encode(), "body": self.body.name.encode()}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        specs = [Spec((), dtypes.int32), Spec((2,), dtypes.float64), Spec((2,), dtypes.float64)]
        with interpreter.entered(interpreter.eager()):
            goes_on = bodies.traced(lambda i, x, k: [i < 3], specs, "cond")
            body = bodies.traced(lambda i, x, k: [i + 1, x * x * k], specs, "body")
        made = cls(goes_on, body, 2, ((), (2,)))
        sample = Sample(made, (np.int32(0), rng.normal(size=2), rng.normal(size=2)), wrt=(1, 2))
        yield sample


@op
class ListItem(Op):
    """The entry of a list at a place; zeros where there is none. list, index -> entry"""

    signature = "list: variant, index: int32, like: T -> item: T"
    T = (*dtypes.ANY, dtypes.variant)
    any_rank = True
    shape: Shape = None

    def infer(self, items: Spec, index: Spec, like: Spec) -> Spec:
        return like.with_shape(self.shape)

    def reference(self, items: Any, index: Any, like: Any) -> Any:
        i = int(index)
        found = items[i] if 0 <= i < len(items) else None
        made = like if found is None else found
        return (made,) if isinstance(made, tuple) else made

    def grad(self, node: Any, dy: Any) -> Any:
        return ListWith()(node.inputs[1], dy), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        items = (rng.normal(size=2), None, rng.normal(size=2))
        for i in range(3):
            yield Sample(cls((2,)), (items, np.int32(i), np.zeros(2)), wrt=())


@op
class ListWith(Op):
    """A list with one entry, at a place; the others are absent, which is zero. index, item -> list"""

    signature = "index: int32, item: T -> list: variant"
    T = (*dtypes.ANY, dtypes.variant)
    any_rank = True

    def infer(self, index: Spec, item: Spec) -> Spec:
        return _LIST

    def reference(self, index: Any, item: Any) -> Any:
        return ((*(None,) * int(index), item),)

    def grad(self, node: Any, dlist: Any) -> Any:
        index, item = node.inputs
        return None, ListItem(item.spec.shape)(dlist, index, bodies.zeros_of(item))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.int32(2), rng.normal(size=2)), wrt=())


def _grad(node: Operation, dys: Sequence[Any], want: list[int]) -> Any:
    """The loop backwards: cotangents of the variables are its variables, those of constants gather in accumulators."""
    count = node.op.count
    body = node.op.body
    flows = [i for i in bodies.differentiable(body.inputs[:count])]
    constants = [i for i in want if i >= count]
    starts = [_or_zeros(dys[i], node.results[i]) for i in flows]
    gathers = [bodies.zeros_of(node.inputs[i]) for i in constants]
    lists = {k: dy for k, dy in enumerate(dys[count + 1 :]) if dy is not None}

    def step(i: Tensor, *state: Tensor) -> list[Any]:
        back: Any = interpreter.current()
        back.stands_for = _Lookup(node, i, back)
        saved = node.op.body.outputs[count:]
        ys = [body.outputs[j] for j in flows] + [saved[k] for k in lists]
        seeds: list[Any] = list(state[: len(flows)])
        for k, dlist in lists.items():
            seeds.append(ListItem(bodies.cotangent_spec(saved[k]).shape)(dlist, i, _zeros_like_saved(back, saved[k])))
        dxs = bodies.swept(body, ys, seeds, [body.inputs[j] for j in (*flows, *constants)])
        new = [_or_zeros(dx, body.inputs[j]) for j, dx in zip(flows, dxs, strict=False)]
        for total, dx in zip(state[len(flows) :], dxs[len(flows) :], strict=True):
            new.append(total if dx is None else AddN()(total, interpreter.as_tensor(dx)))
        return [Sub()(i, 1), *new]

    trips = node.results[count]
    specs = [None, *[bodies.cotangent_spec(body.inputs[j]).shape for j in flows], *[t.spec.shape for t in gathers]]
    specs[0] = ()
    results = build(lambda i, *_: i >= 0, step, [Sub()(trips, 1), *starts, *gathers], specs, "while_grad")
    answers: list[Any] = [None] * len(node.inputs)
    for i, dx in zip((*flows, *constants), results[1:], strict=True):
        answers[i] = dx
    return tuple(answers)


def _or_zeros(dx: Any, x: Tensor) -> Tensor:
    return bodies.zeros_of(x) if dx is None else interpreter.as_tensor(dx)


def _zeros_like_saved(back: Graph, t: Tensor) -> Tensor:
    return bodies.zeros_of(back.adopt(t))


class _Lookup:
    """Where a tensor of the loop's body is to be had in one trip of the backward loop: a constant of the loop, or the
    entry of the list that saves it, made now if there is none yet."""

    def __init__(self, node: Operation, trip: Tensor, back: Graph) -> None:
        self.node, self.trip, self.back = node, trip, back
        self.found: dict[int, Tensor] = {}

    def __call__(self, t: Tensor) -> Any:
        node = self.node
        count, body = node.op.count, node.op.body
        if type(t) is EagerTensor or t.node.graph is not body.inputs[0].node.graph:
            return None
        for inside, outside in zip(body.inputs[count:], node.inputs[count:], strict=True):
            if inside is t:
                return outside
        if id(t) not in self.found:
            self.found[id(t)] = self._item(t)
        return self.found[id(t)]

    def _item(self, t: Tensor) -> Tensor:
        node = self.node
        count = node.op.count
        places = [k for k, saved in enumerate(node.op.body.outputs[count:]) if saved is t]
        if places:
            entries = node.results[count + 1 + places[0]]
        else:
            grown = node.op.body.with_outputs([*node.op.body.outputs, t])
            node.graph.extend(node, While(node.op.cond, grown, count, node.op.shapes), (_LIST,))
            entries = node.results[-1]
        shape_ = tuple(0 if n is None else n for n in t.spec.shape or ())
        zeros = np.zeros(shape_, t.dtype.numpy)
        like = entries if t.dtype is dtypes.variant else interpreter.as_tensor(zeros, here=self.back)
        with self.back.control_dependencies(None):
            item = self.back.run(ListItem(t.spec.shape), (entries, self.trip, like))[0]
        item.spec = t.spec
        return item


def build(
    goes_on: Callable[..., Any],
    step: Callable[..., Any],
    start: Sequence[Tensor],
    shapes: Sequence[Shape],
    name: str | None,
) -> list[Tensor]:
    """Records a While of these functions over flat lists of variables."""
    here = interpreter.current()
    start = [here.adopt(t) for t in start]
    specs = [Spec(s, t.dtype) for s, t in zip(shapes, start, strict=True)]
    first = bodies.traced(lambda *v: [goes_on(*v)], specs, "cond")
    test = first.outputs[0]
    if test.dtype is not dtypes.bool_:
        raise DTypeError(f"while_loop: cond must give a bool, but gives {test.dtype.name}").locate()
    body = bodies.traced(step, specs, "body")
    if len(body.outputs) != len(start):
        raise ValueError(f"while_loop: body returns {len(body.outputs)} tensors for {len(start)} loop variables")
    for i, (before, after) in enumerate(zip(specs, body.outputs, strict=True)):
        _check_variable(i, before, after.spec)
    constants = bodies.aligned((first, body), len(start))
    results = here.run(While(first, body, len(start), tuple(s.shape for s in specs)), (*start, *constants), name)
    return list(results[: len(start)])


def _check_variable(i: int, before: Spec, after: Spec) -> None:
    if before.dtype is not after.dtype:
        raise DTypeError(
            f"while_loop: loop variable {i} enters as {before.dtype.name} but body returns {after.dtype.name}"
        ).locate()
    if before.shape is not None and before.dtype is not dtypes.variant:
        fits = after.shape is not None and len(after.shape) == len(before.shape)
        fits = fits and all(m is None or m == n for m, n in zip(before.shape, after.shape or (), strict=True))
        if not fits:
            raise ShapeError(
                f"while_loop: loop variable {i} enters with shape {shape.text(before.shape)} but body returns "
                f"{shape.text(after.shape)}; if it may change, say so in shape_invariants, as tf.TensorShape([None])"
            ).locate()


@public("while_loop", v1=None)
def while_loop_v2(
    cond: Any,
    body: Any,
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeats body while cond holds. See `pullback.v1.while_loop`. The loop variables come back in their structure."""
    return while_loop(
        cond,
        body,
        loop_vars,
        shape_invariants,
        parallel_iterations,
        back_prop,
        swap_memory,
        name,
        maximum_iterations,
        True,
    )


@public(v1="while_loop")
def while_loop(
    cond: Any,
    body: Any,
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """Repeats `loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)` holds.

    Args:
      cond, body: functions of the loop variables; body returns them in the same structure.
      loop_vars: a nest of tensors.
      shape_invariants: shapes in the same structure, where a variable's shape may change.
      parallel_iterations, swap_memory: choose speed and memory, never results.
      back_prop: False takes the results as constants for differentiation.
      maximum_iterations: ends the loop after so many trips.
    Returns:
      The loop variables; a single one bare, unless return_same_structure.
    Raises:
      DTypeError, ShapeError: body returns another type or shape than entered.
    """
    if not callable(cond) or not callable(body):
        raise TypeError("while_loop: cond and body must be functions")
    flat, structure = nest.flatten(loop_vars)
    if not flat:
        raise ValueError("No loop variables provided")
    here = interpreter.current()
    graph = here if isinstance(here, Graph) else interpreter._graph_of(tuple(flat))
    if graph is not None and graph is not here:
        with graph.as_default():
            return while_loop(
                cond, body, loop_vars, shape_invariants, parallel_iterations, back_prop, swap_memory, name,
                maximum_iterations, return_same_structure,
            )  # fmt: skip
    last = [structure]

    def nested(values: Sequence[Any]) -> Any:
        made = nest.unflatten(structure, list(values))
        return made if isinstance(made, (list, tuple)) else (made,)

    def leaves(made: Any) -> list[Any]:
        found, last[0] = nest.flatten(made)
        return found

    start = [interpreter.as_tensor(v) for v in flat]
    if graph is None:
        results = _eagerly(cond, body, start, nested, leaves, maximum_iterations)
    else:
        shapes = [t.spec.shape for t in start] if shape_invariants is None else _invariants(shape_invariants, start)
        results = _recorded(cond, body, start, nested, leaves, shapes, maximum_iterations, name or "while")
    if not back_prop:
        from pullback.ops.math.select import StopGradient

        results = [StopGradient()(r) for r in results]
    made = _as_given(loop_vars, structure, last[0], results)
    plain = type(made) in (list, tuple) and len(made) == 1
    return made[0] if plain and not return_same_structure else made


def _as_given(loop_vars: Any, structure: Any, last: Any, results: list[Any]) -> Any:
    """The results in the structure of loop_vars; a TensorArray as body left it, which knows more of its entries."""
    if all(r.dtype is not dtypes.variant for r in results):
        return nest.unflatten(structure, results)
    made = nest.unflatten(last, results)
    if type(made) is type(loop_vars) or type(loop_vars) not in (list, tuple):
        return made
    return type(loop_vars)(made if type(made) in (list, tuple) else [made])


def _eagerly(cond: Any, body: Any, start: list[Any], nested: Any, leaves: Any, most: Any) -> list[Any]:
    variables, trips = nested(start), 0
    while bool(interpreter.as_tensor(cond(*variables))) and (most is None or trips < int(most)):
        made = body(*variables)
        flat = leaves(made)
        if len(flat) != len(start):
            raise ValueError(f"while_loop: body returns {len(flat)} tensors for {len(start)} loop variables")
        variables, trips = nested([interpreter.as_tensor(v) for v in flat]), trips + 1
    return nest.leaves_of(variables)


def _recorded(
    cond: Any, body: Any, start: list[Any], nested: Any, leaves: Any, shapes: list[Shape], most: Any, name: str
) -> list[Any]:
    if most is None:
        return build(lambda *v: cond(*nested(v)), lambda *v: leaves(body(*nested(v))), start, shapes, name)
    limit = interpreter.as_tensor(most, dtypes.int32)
    counter = interpreter.as_tensor(np.int32(0))
    results = build(
        lambda i, *v: LogicalAnd()(i < limit, cond(*nested(v))),
        lambda i, *v: [i + 1, *leaves(body(*nested(v)))],
        [counter, *start],
        [(), *shapes],
        name,
    )
    return results[1:]


def _invariants(given: Any, start: list[Tensor]) -> list[Shape]:
    flat: list[Any] = []

    def collect(value: Any) -> None:
        if isinstance(value, shape.TensorShape) or value is None:
            flat.append(as_shape(value))
        elif isinstance(value, dict):
            for k in sorted(value):
                collect(value[k])
        else:
            for v in value:
                collect(v)

    collect(given)
    if len(flat) != len(start):
        raise ValueError(
            f"while_loop: {len(flat)} shape_invariants for {len(start)} loop variables; give one TensorShape each"
        )
    return [() if t.dtype is dtypes.variant else found for t, found in zip(start, flat, strict=True)]
