"""Variables of a graph as VariableDef messages, and variables made again from what a graph's file brought.

A VariableDef names the handle, the initialiser, the read and the initial value; the variable is made of those.
"""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError, GraphError
from pullback.core.graph import Graph
from pullback.core.names import method_of
from pullback.core.tensor import Operation
from pullback.modes.default import get_default_graph
from pullback.modes.partitioned import SliceInfo
from pullback.modes.variable import Variable, VariableAggregation, VariableSynchronization, VariableV1


@method_of(Variable)
def to_proto(self: Variable, export_scope: str | None = None) -> Any:
    """The variable as a VariableDef message; None when it is not in `export_scope`, whose name is left out.

    Raises:
      ArgumentError: the variable was made eagerly, so no graph holds it.
    """
    from pullback.io import messages
    from pullback.io.functional_export import is_reference

    if self._graph is None:
        raise ArgumentError(
            f"variable {self.name!r} was made eagerly; only variables of a graph are exported. Save its value with "
            "tf.train.Checkpoint"
        ).locate()
    front = "" if not export_scope else export_scope.rstrip("/") + "/"
    if not self.name.startswith(front):
        return None
    made = messages.VariableDef(
        variable_name=self.name[len(front) :],
        initializer_name=self.initializer.name[len(front) :],
        snapshot_name=self._cached.name[len(front) :],
        initial_value_name=self.initial_value.name[len(front) :] if self._initial_value is not None else "",
        trainable=self.trainable,
        is_resource=not is_reference(self.handle),
        synchronization=self.synchronization.value,
        aggregation=self.aggregation.value,
    )
    if self._save_slice_info is not None:
        where = made.save_slice_info_def
        where.full_name, *places = self._save_slice_info
        for field, numbers in zip((where.full_shape, where.var_offset, where.var_shape), places, strict=True):
            field.extend(numbers)
    return made


@method_of(Variable)
@staticmethod
def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
    """The variable that a VariableDef names in the current graph, under `import_scope`.

    Raises:
      GraphError: the graph does not hold what the message names.
    """
    graph: Graph = get_default_graph()
    front = "" if not import_scope else import_scope.rstrip("/") + "/"
    name = front + variable_def.variable_name
    handle_name = name if ":" in name else f"{name}:0"
    known = (v for values in graph.collections.values() for v in values if isinstance(v, Variable))
    earlier = next((v for v in known if v.name == handle_name), None)
    if earlier is not None:
        return earlier
    made = object.__new__(VariableV1 if graph.dialect.variable == "VariableV2" else Variable)
    try:
        made.handle = graph.get_tensor_by_name(handle_name)
        made._initializer = graph.get_operation_by_name(front + variable_def.initializer_name)
        made._cached = _read(graph, made.handle, front + variable_def.snapshot_name)
        known = variable_def.initial_value_name
        made._initial_value = graph.get_tensor_by_name(front + known) if known else _assigned(made._initializer)
    except (KeyError, ValueError) as error:
        raise GraphError(f"variable {name!r} cannot be made again from the graph's file: {error}").locate() from None
    made._name, made._graph = handle_name, graph
    made.trainable, made.constraint = variable_def.trainable or _older(variable_def), None
    made.synchronization = VariableSynchronization(variable_def.synchronization)
    made.aggregation = VariableAggregation(variable_def.aggregation)
    made._save_slice_info = None
    if variable_def.HasField("save_slice_info_def"):
        info = variable_def.save_slice_info_def
        places = (list(info.full_shape), list(info.var_offset), list(info.var_shape))
        made._save_slice_info = SliceInfo(info.full_name, *places)
    return made


def _older(variable_def: Any) -> bool:
    """Files from before `trainable` was written say it by the collections alone, and name no initial value."""
    return not variable_def.initial_value_name


def _read(graph: Graph, handle: Any, name: str) -> Any:
    """The variable's shared read, which its other uses share from now on."""
    read = graph.get_tensor_by_name(name)
    if read.node.op.type == "ReadVariableOp" and not read.node.control_inputs:
        graph.reads[id(handle)] = read
    return graph.reads.get(id(handle), read)


def _assigned(initializer: Operation) -> Any:
    """What an initialiser assigns."""
    return initializer.inputs[-1]
