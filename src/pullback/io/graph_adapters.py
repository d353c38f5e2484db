"""Op types that TensorFlow's graphs write otherwise than ours: former names, other orders of inputs, seeds as
attributes, functions as attributes.

An adapter takes (importer, name, inputs, attributes) and gives what the node becomes, or None when its type here is
the same after all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.basics import Const
from pullback.core.op import REGISTRY
from pullback.core.shape import as_shape
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.core.tensor import Operation, Tensor
from pullback.io.array_adapters import ARRAYS
from pullback.io.functional_export import loop
from pullback.io.update_adapters import UPDATES
from pullback.ops.random.draws import STREAM, WORDS_EACH, DrawCounter

Made = Operation | Sequence[Tensor] | None
Adapter = Callable[[Any, str, list[Tensor], dict[str, Any]], Made]


def _named(kind: str, order: tuple[int, ...] | None = None) -> Adapter:
    """The same op under another type, its inputs in another order."""

    def adapt(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
        cls: Any = REGISTRY[kind]
        ordered = inputs if order is None else [inputs[i] for i in order]
        return importer.append(cls.from_attrs(attrs), importer.values(cls, ordered), name)

    return adapt


def _variable(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
    held = Resource(importer.prefix + name, Spec(attrs.get("shape"), attrs["dtype"]))
    return importer.append(REGISTRY["VariableV2"](held), (), name)


def _division(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
    """TensorFlow 1's Div truncates integers and divides all else."""
    kind = "TruncateDiv" if inputs[0].dtype.is_integer else "RealDiv"
    return _named(kind)(importer, name, inputs, attrs)


def _concat(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
    return _named("ConcatV2")(importer, name, [*inputs[1:], inputs[0]], attrs)


def _gather(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
    """Rows, from a tensor or a variable."""
    params, indices = inputs
    if params.dtype is dtypes.resource:
        params = importer.read(params)
    axis = importer.append(Const(np.array(0, np.int32), dtypes.int32), (), f"{name}/axis").results[0]
    return importer.append(REGISTRY["GatherV2"](), (params, indices, axis), name)


def _select(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
    """A vector condition chooses whole rows; the newer op would broadcast it along the last axis, so it gets the axes
    that it lacks."""
    condition, x, y = importer.values(REGISTRY["SelectV2"], inputs)
    if condition.spec.rank is None or x.spec.rank is None or condition.spec.rank != x.spec.rank:
        graph = importer.graph
        with graph.as_default(), graph.name_scope(f"{importer.prefix}{name}/"):
            lacks = REGISTRY["Rank"]()(x) - REGISTRY["Rank"]()(condition)
            ones = REGISTRY["Fill"]()(REGISTRY["Pack"]()(lacks), 1)
            sizes = REGISTRY["ConcatV2"]()(REGISTRY["Shape"]()(condition), ones, 0)
            condition = REGISTRY["Reshape"]()(condition, sizes)
    return importer.append(REGISTRY["SelectV2"](), (condition, x, y), name)


def _random_of(kind: str, count: int) -> Adapter:
    """A draw by seeds. One of our own graphs has key and counter among its inputs, and is left as it is."""

    def adapt(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
        if len(inputs) != count:
            return None
        held = Resource(f"{importer.prefix}{name}/stream", STREAM)
        stream = importer.append(REGISTRY["VarHandleOp"](held), (), f"{name}/stream").results[0]
        draw = DrawCounter(attrs.get("seed", 0), attrs.get("seed2", 0), WORDS_EACH)
        key_and_counter = importer.append(draw, (stream, inputs[0]), f"{name}/counter").results
        op = REGISTRY[kind].from_attrs(attrs)
        return importer.append(op, (*inputs, *key_and_counter), name)

    return adapt


def _call(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
    body = importer.body(attrs["f"].name)
    return importer.append(REGISTRY["PartitionedCall"](body, len(body.outputs)), inputs, name)


def _dequeued(kind: str) -> Adapter:
    """Elements of a queue; TensorFlow's op does not say their shapes, which the queue does."""

    def adapt(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
        queue = inputs[0].node.op
        types = tuple(attrs["component_types"])
        shapes = tuple(getattr(queue, "shapes", ())) or (None,) * len(types)
        return importer.append(REGISTRY[kind](types, shapes), inputs, name)

    return adapt


def _nothing(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
    """What only tells TensorFlow's memory what to do."""
    return importer.append(REGISTRY["NoOp"](), (), name)


def _if(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
    then, orelse = importer.body(attrs["then_branch"].name), importer.body(attrs["else_branch"].name)
    return importer.append(REGISTRY["If"](then, orelse, len(then.outputs)), inputs, name)


def _while(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Made:
    goes_on, body = importer.body(attrs["cond"].name), importer.body(attrs["body"].name)
    said = attrs.get("output_shapes") or [t.spec.shape for t in inputs]
    op, count = loop(goes_on, body, [as_shape(s) for s in said])
    made = importer.append(op, inputs, name)
    return made if count == len(inputs) else [*made.results[:count], *inputs[count:]]


ADAPTERS: dict[str, Adapter] = {
    **UPDATES,
    **ARRAYS,
    "Add": _named("AddV2"),
    "BatchMatMul": _named("BatchMatMulV2"),
    "BatchMatMulV3": _named("BatchMatMulV2"),
    "FusedBatchNorm": _named("FusedBatchNormV3"),
    "FusedBatchNormV2": _named("FusedBatchNormV3"),
    "AssignVariableOp": _named("Assign"),
    "AssignAddVariableOp": _named("AssignAdd"),
    "AssignSubVariableOp": _named("AssignSub"),
    "ResourceScatterAdd": _named("ScatterAdd"),
    "ResourceScatterSub": _named("ScatterSub"),
    "ResourceScatterUpdate": _named("ScatterUpdate"),
    "IsVariableInitialized": _named("VarIsInitializedOp"),
    "Variable": _variable,
    "Div": _division,
    "Concat": _concat,
    "Gather": _gather,
    "ResourceGather": _gather,
    "Select": _select,
    "RandomUniform": _random_of("RandomUniform", 1),
    "RandomStandardNormal": _random_of("RandomStandardNormal", 1),
    "TruncatedNormal": _random_of("TruncatedNormal", 1),
    "RandomUniformInt": _random_of("RandomUniformInt", 3),
    "DisableCopyOnRead": _nothing,
    "ResourceCountUpTo": _named("CountUpTo"),
    **{f"QueueDequeue{kind}V2": _dequeued(f"QueueDequeue{kind}V2") for kind in ("", "Many", "UpTo")},
    "PartitionedCall": _call,
    "StatefulPartitionedCall": _call,
    "If": _if,
    "StatelessIf": _if,
    "While": _while,
    "StatelessWhile": _while,
}
