"""Models that TensorFlow 1 saved, as TensorFlow 2 has them: each signature a function, cut from the graph."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.dialect import V2
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph, ancestors
from pullback.core.tensor import EagerTensor, Tensor
from pullback.modes.function import TensorSpec
from pullback.modes.session import Session
from pullback.modes.variable import Variable
from pullback.saved_model import signatures
from pullback.saved_model.constants import INIT_OP_SIGNATURE_KEY
from pullback.saved_model.loader import restored
from pullback.saved_model.restored import LoadedConcrete, LoadedObject, SignatureMap


def loaded(meta: Any, folder: str) -> LoadedObject:
    """The object of a model: `signatures`, `variables`, `graph`, and `prune(feeds, fetches)`.

    Raises:
      as `tf.saved_model.load`.
    """
    graph = Graph(V2)
    session = Session(graph=graph)
    with graph.as_default():
        restored(session, meta, folder)
    made: Any = LoadedObject()
    handles = _variables(graph, session)
    made.variables = list(handles.values())
    made.graph = graph

    def prune(feeds: Any, fetches: Any, name: str | None = None) -> LoadedConcrete:
        """A function from tensors of the graph to tensors of the graph."""
        ins = [graph.as_graph_element(x) for x in (feeds if isinstance(feeds, (list, tuple)) else [feeds])]
        outs = [graph.as_graph_element(x) for x in (fetches if isinstance(fetches, (list, tuple)) else [fetches])]
        inputs = tuple(TensorSpec(t.spec.shape, t.dtype) for t in ins), {}
        outputs = [TensorSpec(t.spec.shape, t.dtype) for t in outs]
        single = outputs if isinstance(fetches, (list, tuple)) else outputs[0]
        return _cut(ins, outs, inputs, single, handles, name or "pruned")

    made.__dict__["prune"] = prune
    made.signatures = SignatureMap(
        (key, _signature(graph, said, handles, key))
        for key, said in sorted(meta.signature_def.items())
        if key != INIT_OP_SIGNATURE_KEY
    )
    return made


def _variables(graph: Graph, session: Any) -> dict[int, Variable]:
    """Variables that hold what the session's do: id of the graph's handle -> variable."""
    known = {id(v.handle): v.trainable for v in graph.get_collection("variables") if isinstance(v, Variable)}
    made: dict[int, Variable] = {}
    for node in graph.nodes:
        if node.op.type not in ("VariableV2", "VarHandleOp") or not session.store.holds(node.op.resource):
            continue
        trainable = known.get(id(node.results[0]), False)
        with interpreter.entered(interpreter.eager()):
            made[id(node.results[0])] = Variable(
                session.store.read(node.op.resource), trainable=trainable, name=node.name
            )
    return made


def _signature(graph: Graph, said: Any, handles: dict[int, Variable], key: str) -> LoadedConcrete:
    where = f"signature {key!r}"
    ins = {name: graph.get_tensor_by_name(signatures.checked_tensor(said.inputs[name], where)) for name in said.inputs}
    outs = {
        name: graph.get_tensor_by_name(signatures.checked_tensor(said.outputs[name], where)) for name in said.outputs
    }
    ins, outs = dict(sorted(ins.items())), dict(sorted(outs.items()))
    inputs = (), {name: TensorSpec(t.spec.shape, t.dtype, name) for name, t in ins.items()}
    outputs = {name: TensorSpec(t.spec.shape, t.dtype, name) for name, t in outs.items()}
    return _cut(list(ins.values()), list(outs.values()), inputs, outputs, handles, f"signature_wrapper_{key}")


def _cut(
    ins: list[Tensor], outs: list[Tensor], inputs: Any, outputs: Any, handles: dict[int, Variable], name: str
) -> LoadedConcrete:
    """A function of what lies between tensors of a graph. The handles of its variables are its last inputs."""
    body = Graph(V2, interpreter.eager(), name)
    found: dict[int, Tensor] = {}
    with body.as_default():
        for t in ins:
            found[id(t)] = body.parameter(t.spec, t.node.name)
        nodes = ancestors(outs, ins, controls=True)
        used = [handles[id(t)] for n in nodes for t in n.results if id(t) in handles]
        for variable, t in zip(used, [t for n in nodes for t in n.results if id(t) in handles], strict=True):
            found[id(t)] = body.parameter(variable.handle.spec, t.node.name)
        made: dict[int, Any] = {}
        for node in nodes:
            if node.results and all(id(t) in found for t in node.results):
                continue
            _copy(body, node, found, made)
        body.outputs = [found[id(t)] for t in outs]
    bound: list[EagerTensor] = [v.handle for v in used]
    return LoadedConcrete(body, inputs, outputs, bound, used)


def _copy(body: Graph, node: Any, found: dict[int, Tensor], made: dict[int, Any]) -> None:
    if node.op.type == "Placeholder":
        raise ArgumentError(
            f"{body.name}: the result hangs on placeholder {node.name!r}, which is no input of the signature"
        ).locate()
    controls = [made[id(c)] for c in node.control_inputs if id(c) in made]
    with body.name_scope(None), body.control_dependencies(controls):
        again = body.append(node.op, tuple(found[id(t)] for t in node.inputs), node.name)
    again.mark, again.source, again.device = node.mark, node.source, node.device
    made[id(node)] = again
    found.update((id(old), new) for old, new in zip(node.results, again.results, strict=True))
