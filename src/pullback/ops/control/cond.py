"""If: one of two bodies runs. `tf.cond`, `tf.case`, `tf.switch_case`.

    If(then, orelse)(pred, *inputs) -> outputs; residuals of then and of orelse, in the order they were asked for

The residuals of the branch that did not run are empty, and nothing reads them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, nest, shape
from pullback.core.errors import ArgumentError, DTypeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.slices import IndexedSlices
from pullback.core.spec import Spec
from pullback.core.store import Store
from pullback.core.tensor import EagerTensor, Node, Operation, Tensor
from pullback.ops.control import bodies


@op
class If(Op):
    """Runs `then` where pred is true, else `orelse`. owners[k] says which body's residual the k-th is: 0 or 1."""

    takes_store = True
    any_rank = True
    then: Graph
    orelse: Graph
    count: int
    owners: tuple[int, ...] = ()

    def check(self) -> None:
        self.__dict__["effect"] = bodies.has_effects(self.then) or bodies.has_effects(self.orelse)

    def visible(self, results: int) -> int:
        return self.count

    def infer(self, pred: Spec, *inputs: Spec) -> tuple[Spec, ...]:
        if pred.dtype is not dtypes.bool_ or pred.shape not in ((), None):
            raise DTypeError(f"cond: pred must be a scalar of type bool, but is {pred}")
        out = []
        for a, b in zip(self.then.outputs[: self.count], self.orelse.outputs[: self.count], strict=True):
            if a.dtype is not b.dtype:
                raise DTypeError(
                    f"cond: the branches give {a.dtype.name} and {b.dtype.name}; they must give the same types"
                )
            out.append(Spec(shape.joined(a.spec.shape, b.spec.shape), a.dtype))
        rows = [iter(self.then.outputs[self.count :]), iter(self.orelse.outputs[self.count :])]
        return (*out, *[next(rows[owner]).spec for owner in self.owners])

    def reference(self, store: Store, pred: Any, *inputs: Any) -> Any:
        took = 0 if pred else 1
        values = interpreter.engine().program((self.then, self.orelse)[took])(store, *inputs)
        own = iter(values[self.count :])
        return (*values[: self.count], *[next(own) if owner == took else np.zeros(()) for owner in self.owners])

    def grad(self, node: Any, *dys: Any) -> Any:
        want = bodies.wanted(node)
        if isinstance(node, Operation):
            return self._grad(node, dys, want)
        # Executed eagerly: the branch's inputs are all there is, so its body runs again under the gradient.
        branch = self.then if node.inputs[0].numpy() else self.orelse
        from pullback.ops.control.call import Call

        visible = branch.with_outputs(branch.outputs[: self.count])
        call = Node(Call(visible, self.count), node.inputs[1:], node.results[: self.count])
        return (None, *call.op.grad(call, *dys[: self.count]))

    def _grad(self, node: Operation, dys: Any, want: list[int]) -> Any:
        def side(which: int) -> tuple[Callable[[], list[Any]], Callable[[Tensor], Any]]:
            def stands_for(t: Tensor) -> Any:
                return self._known(node, which, t)

            def answer() -> list[Any]:
                body = (node.op.then, node.op.orelse)[which]
                own = [i for i in range(len(dys)) if i < self.count or node.op.owners[i - self.count] == which]
                dxs = bodies.swept(
                    body,
                    body.outputs,
                    [dys[i] for i in own] + [None] * (len(body.outputs) - len(own)),
                    [body.inputs[i - 1] for i in want],
                )
                return [
                    bodies.zeros_of(node.inputs[i]) if dx is None else interpreter.as_tensor(dx)
                    for i, dx in zip(want, dxs, strict=True)
                ]

            return answer, stands_for

        answers: list[Any] = [None] * len(node.inputs)
        want = [i for i in want if i > 0]
        if want:
            (then, known_then), (orelse, known_else) = side(0), side(1)
            results = build(node.inputs[0], then, orelse, "cond_grad", (known_then, known_else))
            for i, dx in zip(want, results, strict=True):
                answers[i] = dx
        return tuple(answers)

    def _known(self, node: Operation, which: int, t: Tensor) -> Any:
        """Where a tensor of a branch is to be had outside: an input, a result, or a residual made for it now."""
        body = (node.op.then, node.op.orelse)[which]
        graph = next((x.node.graph for x in (*body.inputs, *body.outputs)), None)
        if type(t) is EagerTensor or t.node.graph is not graph:
            return None
        for inside, outside in zip(body.inputs, node.inputs[1:], strict=True):
            if inside is t:
                return outside
        own = iter(body.outputs[self.count :])
        for k, owner in enumerate(node.op.owners):
            if owner == which and next(own) is t:
                return node.results[self.count + k]
        grown = body.with_outputs([*body.outputs, t])
        then, orelse = (grown, node.op.orelse) if which == 0 else (node.op.then, grown)
        node.graph.extend(node, If(then, orelse, self.count, (*node.op.owners, which)), (t.spec,))
        return node.results[-1]

    def attrs(self) -> dict[str, Any]:
        return {"then_branch": self.then.name.encode(), "else_branch": self.orelse.name.encode()}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        spec = Spec((2, 3), dtypes.float64)
        with interpreter.entered(interpreter.eager()):
            then = bodies.traced(lambda x: [x * x * x], [spec], "then")
            orelse = bodies.traced(lambda x: [x + 1.0], [spec], "orelse")
        for pred in (True, False):
            yield Sample(cls(then, orelse, 1), (np.bool_(pred), rng.normal(size=(2, 3))), wrt=(1,))


def build(
    pred: Any, then: Callable[[], Any], orelse: Callable[[], Any], name: str | None, stands_for: Any = (None, None)
) -> list[Tensor]:
    """Records an If whose branches are these functions, each giving a list of tensors."""
    first = bodies.traced(then, (), "then", stands_for[0])
    second = bodies.traced(orelse, (), "orelse", stands_for[1])
    return recorded(pred, first, second, name)


def recorded(pred: Any, first: Graph, second: Graph, name: str | None) -> list[Tensor]:
    """Records an If of two bodies."""
    count = len(first.outputs)
    if len(second.outputs) != count:
        raise ArgumentError(
            f"cond: the branches give {count} and {len(second.outputs)} tensors; they must give the same"
        )
    inputs = bodies.aligned((first, second), 0)
    results = interpreter.current().run(If(first, second, count), (pred, *inputs), name)
    return list(results[:count])


@public("cond", v1=None)
def cond_v2(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None) -> Any:
    """true_fn() where pred holds, else false_fn(). See `pullback.v1.cond`."""
    return cond(pred, true_fn, false_fn, name=name)


@public(v1="cond")
def cond(
    pred: Any,
    true_fn: Any = None,
    false_fn: Any = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Any = None,
    fn2: Any = None,
) -> Any:
    """true_fn() where pred holds, else false_fn(). In graphs only the branch that is taken runs.

    Args:
      pred: scalar bool tensor, or a Python bool, which chooses at once.
      true_fn, false_fn: functions without arguments that return the same nest of tensors.
      strict: keeps a list of one tensor a list.
      fn1, fn2: former names of true_fn, false_fn.
    Raises:
      TypeError: an argument is missing or no function. DTypeError: the branches' types differ.
    """
    true_fn, false_fn = true_fn or fn1, false_fn or fn2
    if not callable(true_fn) or not callable(false_fn):
        raise TypeError("cond: true_fn and false_fn must be functions without arguments")
    here = interpreter.current()
    if isinstance(pred, (bool, np.bool_)):
        return _single(true_fn() if pred else false_fn(), strict)
    if not isinstance(here, Graph):
        graph = interpreter._graph_of((pred,))
        if graph is None:
            return _single(true_fn() if bool(interpreter.as_tensor(pred)) else false_fn(), strict)
        with graph.as_default():
            return cond(pred, true_fn, false_fn, strict, name)
    structures: list[Any] = []

    def flat(f: Callable[[], Any]) -> Callable[[], list[Any]]:
        def branch() -> list[Any]:
            leaves, structure = nest.flatten(f())
            leaves = [y for y in leaves if y is not None and not isinstance(y, Operation)]
            structures.append((structure, len(leaves)))
            return [interpreter.as_tensor(y) if isinstance(y, IndexedSlices) else y for y in leaves]

        return branch

    results = build(interpreter.as_tensor(pred), flat(true_fn), flat(false_fn), name or "cond")
    structure, count = structures[0]
    if not count:
        return here.nodes[-1]
    return _single(nest.unflatten(structure, results), strict)


def _single(result: Any, strict: bool) -> Any:
    return result[0] if isinstance(result, (list, tuple)) and len(result) == 1 and not strict else result


@public("case", v1=None)
def case_v2(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: str = "case"
) -> Any:
    """The function of the first predicate that holds. See `pullback.v1.case`."""
    return case(pred_fn_pairs, default, exclusive, strict, name)


@public(v1="case")
def case(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: str = "case"
) -> Any:
    """The function of the first predicate that holds, else `default`; without a default, the last function.

    Raises:
      InvalidArgumentError: `exclusive`, and more than one predicate holds; in graphs when it runs.
    """
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    if not pairs:
        return default() if default is not None else None
    if exclusive:
        from pullback.ops.control.world import Assert
        from pullback.ops.math.select import Cast

        total = sum(
            Cast(dtypes.int32)(interpreter.as_tensor(p.deref() if hasattr(p, "deref") else p)) for p, _ in pairs
        )
        checked = Assert()(total <= 1, "case: more than one of exclusive predicates holds")
        with (
            interpreter.current().control_dependencies([checked])
            if isinstance(checked, Operation)
            else contextlib.nullcontext()
        ):
            return case(pairs, default, False, strict, name)
    pred, f = pairs[0]
    rest = pairs[1:]
    if not rest and default is None:
        return f()
    otherwise = default if not rest else (lambda: case(rest, default, False, strict, name))
    return cond(pred.deref() if hasattr(pred, "deref") else pred, f, otherwise, strict, name)


@public("switch_case", v1=None)
def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: str = "switch_case") -> Any:
    """branch_fns[branch_index](); out of range, `default`, or the last function without one."""
    index = interpreter.as_tensor(branch_index, dtypes.int32)
    pairs = list(branch_fns.items() if isinstance(branch_fns, dict) else branch_fns)
    pairs = [p if isinstance(p, tuple) else (i, p) for i, p in enumerate(pairs)]
    default = default or pairs[-1][1]
    from pullback.ops.math.arithmetic import Equal

    return case([(Equal()(index, i), f) for i, f in pairs], default, name=name)
