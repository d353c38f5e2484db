"""Op types that a trace treats by themselves: views, state, calls, reductions."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from pullback.core.basics import AddN, BroadcastTo
from pullback.core.op import lowering
from pullback.core.store import Resource
from pullback.core.tensor import Operation
from pullback.engines.cpu.items import Fold, Known, Map, Native
from pullback.engines.cpu.layout import is_view
from pullback.engines.cpu.task import Buffer, Task
from pullback.engines.cpu.trace import Trace, opens, same
from pullback.native import loops
from pullback.native.loops import REGISTERS


def _view(trace: Trace, node: Operation, x: Any, shape: tuple[int, ...]) -> None:
    """The result is the same memory in another shape."""
    if isinstance(x, Known):
        trace.gives(node, [Known(np.reshape(x.value, shape))])
    else:
        trace.gives(node, [x if x.shape == shape else Buffer(shape, x.dtype, of=x)])


@opens("Reshape", "ExpandDims", "Squeeze")
def reshaped(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    (spec,) = node.op.specs(tuple([trace.spec(x) for x in inputs]))
    array = isinstance(inputs[0], Buffer) and inputs[0].dtype != object
    if not spec.known or not (array or isinstance(inputs[0], Known)):
        return False
    _view(trace, node, inputs[0], spec.shape)  # type: ignore[arg-type]
    return True


@opens("Transpose", passes=True)
def transposed(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    x, perm = inputs
    if not isinstance(x, Buffer) or not isinstance(perm, Known) or x.dtype == object:
        return False
    (spec,) = node.op.specs(tuple([trace.spec(v) for v in inputs]))
    source, order = trace.turned.before(x, tuple([int(i) % len(x.shape) for i in perm.value]))
    if is_view(source.shape, order):
        _view(trace, node, source, spec.shape)
        return True
    y = Buffer(spec.shape, x.dtype)
    if not trace.turn(source, order, y):
        return False
    trace.gives(node, [y])
    return True


@opens("Identity", "StopGradient", "PreventGradient")
def passed_on(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    trace.gives(node, inputs)
    return True


@opens("ZerosLike", "OnesLike")
def alike(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    (x,) = inputs
    if not isinstance(x, Buffer) or x.dtype not in REGISTERS:
        return False
    one = x.dtype.type(node.op.type == "OnesLike")
    trace.gives(node, [Known(np.broadcast_to(one, x.shape))])
    return True


# --- state -----------------------------------------------------------------------------------------------------------


@opens("VarHandleOp", "VariableV2")
def handle(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    trace.gives(node, [Known(node.op.resource)])
    return True


_FLOATS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})


def _resource(x: Any) -> Resource | None:
    return x.value if isinstance(x, Known) and isinstance(x.value, Resource) else None


@opens("ReadVariableOp")
def read(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    resource = _resource(inputs[0])
    if resource is None or trace.is_stale(resource):
        return False
    trace.gives(node, [trace.read(node, resource)])
    return True


def _fixed(resource: Resource | None) -> bool:
    """Whether a variable holds an array that machine code can make."""
    return (
        resource is not None
        and resource.spec.known
        and resource.spec.dtype.numpy is not None
        and (np.dtype(resource.spec.dtype.numpy) in REGISTERS)
    )


@opens("Assign")
def assign(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    resource, value = _resource(inputs[0]), inputs[1]
    if resource is None or not _fixed(resource) or trace.spec(value).shape != resource.spec.shape:
        return False
    new = Buffer(resource.spec.shape, resource.spec.dtype.numpy)  # type: ignore[arg-type]
    trace.add(Map(same, [trace.operand(value)], new))
    trace.write(resource, new)
    trace.gives(node, [new])
    return True


@opens("AssignAdd", "AssignSub")
def changed(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    resource, value = _resource(inputs[0]), inputs[1]
    if resource is None or not _fixed(resource) or trace.is_stale(resource):
        return False
    if trace.spec(value).shape != resource.spec.shape or resource.spec.dtype.is_bool:
        return False
    old = trace.read(node, resource)
    new = Buffer(old.shape, old.dtype)
    rule = _plus if node.op.type == "AssignAdd" else _minus
    trace.add(Map(rule, [old, trace.operand(value)], new))
    trace.write(resource, new)
    trace.gives(node, [new])
    return True


def _plus(f: Any, a: Any, b: Any) -> Any:
    return a + b


def _minus(f: Any, a: Any, b: Any) -> Any:
    return a - b


@opens("PartitionedCall")
def called(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    trace.gives(node, trace.inlined(node.op.body, inputs))
    return True


# --- sums ------------------------------------------------------------------------------------------------------------


@lowering("lanes", AddN)
def add_n(op: Any, f: Any, *values: Any) -> Any:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return NotImplemented if total.type.lanes > 1 and total.type.name == "i1" else total


@lowering("lanes", BroadcastTo)
def broadcast_to(op: Any, f: Any, x: Any, shape: Any) -> Any:
    return x


@opens("BroadcastTo")
def repeated(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    x = inputs[0]
    (spec,) = node.op.specs(tuple([trace.spec(v) for v in inputs]))
    if not isinstance(x, Buffer) or not spec.known or x.dtype not in REGISTERS:
        return False
    if x.shape == spec.shape:
        trace.gives(node, [x])
        return True
    y = Buffer(spec.shape, x.dtype)  # type: ignore[arg-type]
    trace.add(Map(same, [x], y))
    trace.turned.repeats(y, x)
    trace.gives(node, [y])
    return True


@opens("OneHot", passes=True)
def one_hot(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    """Where the index is the place: a comparison with 0, 1, 2, ... along the new axis."""
    indices, _, on, off = inputs
    (spec,) = node.op.specs(tuple([trace.spec(x) for x in inputs]))
    kinds = _INDICES, REGISTERS, REGISTERS
    values = indices, on, off
    fit = all(np.dtype(trace.spec(x).dtype.numpy) in k for x, k in zip(values, kinds, strict=True))
    if not isinstance(indices, Buffer) or not spec.known or not fit:
        return False
    shape, rank = spec.shape, len(indices.shape)
    at = node.op.axis % (rank + 1)
    places = np.arange(shape[at], dtype=indices.dtype).reshape((-1,) + (1,) * (rank - at))
    y = Buffer(shape, trace.spec(on).dtype.numpy)
    found = indices.seen((*indices.shape[:at], 1, *indices.shape[at:]))
    operands = [found, trace.memory(Known(places)), trace.operand(on), trace.operand(off)]
    trace.map(_chosen_where_equal, operands, y)
    trace.gives(node, [y])
    return True


_INDICES = frozenset({np.dtype(np.int32), np.dtype(np.int64)})


def _chosen_where_equal(f: Any, index: Any, place: Any, on: Any, off: Any) -> Any:
    return f.select(index.equals(place), on, off)


def _folded(trace: Trace, node: Operation, how: str, x: Any, axes: frozenset[int], mean: bool = False) -> bool:
    """Adds a fold if there is machine code for it."""
    if not isinstance(x, Buffer) or x.dtype not in _FLOATS or not x.size:
        return False
    (spec,) = node.op.specs(tuple([trace.spec(trace.value(t)) for t in node.inputs]))
    if not spec.known:
        return False
    wide = frozenset(a for a in axes if x.shape[a] != 1)
    if found := trace.turned.origin(x):  # folded where it comes from, if what is left keeps its order
        source, perm = found
        left = [perm[i] for i, n in enumerate(x.shape) if n != 1 and i not in wide]
        if left == sorted(left):
            x, wide = source, frozenset(perm[a] for a in wide)
    if not wide:
        _view(trace, node, x, spec.shape)  # type: ignore[arg-type]
        return True
    y = Buffer(spec.shape, x.dtype)  # type: ignore[arg-type]
    by = prod(x.shape[a] for a in wide) if mean else 1
    kept = [i for i, n in enumerate(x.shape) if n != 1 and i not in wide]
    if kept and not (max(kept) < min(wide) or max(wide) < min(kept)):
        return _folded_between(trace, node, how, x, wide, y, by)
    trace.add(Fold(how, x, wide, y, by))
    trace.gives(node, [y])
    return True


def _folded_between(
    trace: Trace, node: Operation, how: str, x: Buffer, axes: frozenset[int], y: Buffer, by: int
) -> bool:
    """A fold over a run of axes that has others before and behind it."""
    first, last = min(axes), max(axes)
    if any(n != 1 and i not in axes for i, n in enumerate(x.shape) if first < i < last):
        return False
    before, rows, columns = (prod(part) for part in (x.shape[:first], x.shape[first : last + 1], x.shape[last + 1 :]))
    task = Task([x], [y], {})
    words = [x, y, rows, columns, x.dtype.type(by)]
    task.job(loops.middle, (how, x.kind), words, items=before, cost=0.15 * x.size)
    operands = [v if isinstance(v, Buffer) else v.value for v in (trace.value(t) for t in node.inputs)]
    trace.add(Native(task, operands, trace.fallback.kernel(node.op), node))
    trace.gives(node, [y])
    return True


@opens("Sum", "Mean", "Max", "Min", passes=True)
def reduced(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    x, axes = inputs
    if not isinstance(axes, Known) or not isinstance(x, Buffer):
        return False
    which = frozenset(int(a) % max(len(x.shape), 1) for a in np.atleast_1d(axes.value))
    how = {"Max": "max", "Min": "min"}.get(node.op.type, "sum")
    return _folded(trace, node, how, x, which, mean=node.op.type == "Mean")


@opens("SumTo", passes=True)
def sum_to(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    x, to = inputs
    if not isinstance(to, Known) or not isinstance(x, Buffer):
        return False
    shape = tuple(int(n) for n in to.value)
    lead = len(x.shape) - len(shape)
    which = frozenset([*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1)])
    return _folded(trace, node, "sum", x, which)


@opens("BiasAdd", passes=True)
def bias_add(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    x, b = inputs
    if not isinstance(x, Buffer) or x.dtype not in _FLOATS:
        return False
    y, b = Buffer(x.shape, x.dtype), trace.operand(b)
    behind = len(x.shape) - 1 - node.op.axis(len(x.shape))
    trace.map(_plus, [x, b.seen((*b.shape, *[1] * behind)) if behind and isinstance(b, Buffer) else b], y)
    trace.gives(node, [y])
    return True


@opens("BiasAddGrad", passes=True)
def bias_add_grad(trace: Trace, node: Operation, inputs: list[Any]) -> bool:
    (dy,) = inputs
    if not isinstance(dy, Buffer):
        return False
    rank = len(dy.shape)
    axis = node.op.axis(rank)
    others = frozenset(range(rank)) - {axis}
    if axis == rank - 1 or trace.turned.origin(dy) or 1 in (dy.shape[0], prod(dy.shape[2:])):
        return _folded(trace, node, "sum", dy, others)
    if dy.dtype not in _FLOATS or not dy.size:
        return False
    rows, y = Buffer(dy.shape[:2], dy.dtype), Buffer(dy.shape[1:2], dy.dtype)
    trace.add(Fold("sum", dy, others - {0}, rows))
    trace.add(Fold("sum", rows, frozenset({0}), y))
    trace.gives(node, [y])
    return True
