"""The objects that a model is saved with, as the graph that its file holds."""

from __future__ import annotations

from collections import deque
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.tensor import EagerTensor
from pullback.io import messages
from pullback.io.tensors import shape_proto
from pullback.modes.function import ConcreteFunction, Function, TensorSpec
from pullback.modes.variable import Variable
from pullback.saved_model import structured
from pullback.saved_model.options import Asset
from pullback.saved_model.restored import LoadedObject
from pullback.saved_model.traces import FUNCTIONS, Trace, full_arg_spec, traces_of
from pullback.train.trackable import VALUE, children_of, escaped

_SIGNATURES = "signatures"


def children(value: Any) -> dict[str, Any]:
    """Local name -> object, functions with the rest."""
    if isinstance(value, (ConcreteFunction, *FUNCTIONS, Variable, EagerTensor, Asset, Signatures)):
        return value.traces() if isinstance(value, Signatures) else {}
    held = dict(children_of(value))
    if isinstance(value, (list, tuple, dict)):
        return held
    if not isinstance(value, LoadedObject):
        held.update(_functions_of(value))
        held.update((n, v) for n, v in getattr(value, "__dict__", {}).items() if isinstance(v, Asset))
    else:
        held.pop(_SIGNATURES, None)
    return {str(name): v for name, v in held.items()}


def _functions_of(value: Any) -> dict[str, Any]:
    """Attributes that are functions of tensors, those of the class too."""
    names = [n for kind in reversed(type(value).__mro__) for n, v in vars(kind).items() if isinstance(v, Function)]
    names += [n for n, v in vars(value).items() if isinstance(v, (ConcreteFunction, *FUNCTIONS))]
    return {name: getattr(value, name) for name in sorted(set(names))}


class Signatures:
    """The map of a model's signatures, an object like the others."""

    def __init__(self, found: dict[str, Trace]) -> None:
        self.found = found

    def traces(self) -> dict[str, Any]:
        return {key: trace.concrete for key, trace in self.found.items()}


class Objects:
    """All that hangs on a root, breadth first, and the traces of its functions.

    Args:
      root: the object. signatures: those of the model. more: further functions of the root, by name.
    nodes: the objects, the root first. children: for each {local name: place}.
    """

    def __init__(self, root: Any, signatures: dict[str, Trace], more: dict[str, Any]) -> None:
        self.nodes: list[Any] = [root]
        self.children: list[dict[str, int]] = []
        self.paths: list[tuple[str, ...]] = [()]
        self._signatures = {id(t.concrete): t for t in signatures.values()}
        self._places = {id(root): 0}
        self.traces: dict[int, list[Trace]] = {}  # of the functions, by place
        waiting = deque([0])
        while waiting:
            at = waiting.popleft()
            held = children(self.nodes[at])
            if at == 0:
                held = {**held, **more, _SIGNATURES: Signatures(signatures)}
            found: dict[str, int] = {}
            for name, child in held.items():
                if id(child) not in self._places:
                    waiting.append(self._add(child, (*self.paths[at], name)))
                found[name] = self._places[id(child)]
            self.children.append(found)
            self._trace(at)

    def _add(self, value: Any, path: tuple[str, ...]) -> int:
        place = self._places[id(value)] = len(self.nodes)
        self.nodes.append(value)
        self.paths.append(path)
        return place

    def _trace(self, at: int) -> None:
        node = self.nodes[at]
        if isinstance(node, (ConcreteFunction, *FUNCTIONS)):
            known = self._signatures.get(id(node))
            self.traces[at] = [known] if known is not None else traces_of(node, self.paths[at][-1])

    def every_trace(self) -> list[Trace]:
        """All traces, those of the signatures too."""
        return [t for found in self.traces.values() for t in found]

    def bind(self, t: Any, what: str) -> int:
        """The place of what a trace captured: a variable, a file, or a constant, which becomes an object now.

        Raises:
          AssertionError: it is a variable that hangs on no object. ArgumentError: it is no tensor that files hold.
        """
        for i, node in enumerate(self.nodes):
            same = isinstance(node, Variable) and node._graph is None and node.handle.value is getattr(t, "value", None)
            if same or (isinstance(node, Asset) and node.asset_path is t) or node is t:
                return i
        if not isinstance(t, EagerTensor) or not (t.dtype.is_numpy_compatible or t.dtype.name == "string"):
            if getattr(t, "dtype", None) is not None and t.dtype.name == "resource":
                raise AssertionError(
                    f"Tried to export a function which references an 'untracked' resource: function {what} captured "
                    f"{t!r}. Variables captured by functions must be 'tracked' by assigning them to an attribute of a "
                    "tracked object or assigned to an attribute of the main object directly."
                )
            raise ArgumentError(f"saved_model.save: function {what} captured {t!r}, which no file holds").locate()
        place = self._add(t, ("constants", str(len(self.nodes))))
        self.children.append({})
        return place

    def variables(self) -> dict[int, Variable]:
        """The variables, by place."""
        return {i: node for i, node in enumerate(self.nodes) if isinstance(node, Variable)}

    def key(self, at: int) -> str:
        """The key of a variable's value in the checkpoint."""
        return "/".join([*map(escaped, self.paths[at]), ".ATTRIBUTES", VALUE])

    # --- messages --------------------------------------------------------------------------------------------------

    def checkpoint_message(self) -> Any:
        """The objects as the checkpoint in the model has them, at the same places."""
        made = messages.TrackableObjectGraph()
        for at, node in enumerate(self.nodes):
            written = made.nodes.add()
            for name, place in self.children[at].items():
                written.children.add(node_id=place, local_name=name)
            if isinstance(node, Variable):
                written.attributes.add(name=VALUE, full_name=node._shared_name, checkpoint_key=self.key(at))
            written.has_checkpoint_values.value = bool(self.variables())
        return made

    def message(self, names: dict[int, str], constants: dict[int, str], assets: dict[int, int]) -> Any:
        """The objects as a SavedObjectGraph.

        Args:
          names: id of a trace -> the function it is in the library.
          constants: place -> the node that holds its value. assets: place -> which asset.
        """
        made = messages.SavedObjectGraph()
        for at, node in enumerate(self.nodes):
            written = made.nodes.add()
            for name, place in self.children[at].items():
                written.children.add(node_id=place, local_name=name)
            if isinstance(node, ConcreteFunction):
                self._write_bare(written.bare_concrete_function, self.traces[at][0], names)
            elif isinstance(node, FUNCTIONS):
                written.function.concrete_functions.extend([names[id(t)] for t in self.traces[at]])
                _write_spec(written.function.function_spec, full_arg_spec(node), node.input_signature)
            elif isinstance(node, Variable):
                _write_variable(written.variable, node)
            elif at in constants:
                written.constant.operation = constants[at]
            elif at in assets:
                written.asset.asset_file_def_index = assets[at]
            else:
                said = written.user_object
                said.identifier = _identifier(node)
                said.version.producer = said.version.min_consumer = 1
        for trace in self.every_trace():
            said = made.concrete_functions[names[id(trace)]]
            said.bound_inputs.extend([self.bind(t, names[id(trace)]) for t in trace.bound])
            said.canonicalized_input_signature.CopyFrom(structured.encoded(trace.inputs))
            said.output_signature.CopyFrom(structured.encoded(trace.outputs))
        return made

    def _write_bare(self, made: Any, trace: Trace, names: dict[int, str]) -> None:
        made.concrete_function_name = names[id(trace)]
        specs = structured.specs_of(trace.inputs)
        made.argument_keywords.extend([s.name or f"input_{i}" for i, s in enumerate(specs)])
        made.allowed_positional_arguments = 0 if trace.inputs[1] else len(specs)


def _identifier(node: Any) -> str:
    if isinstance(node, Signatures):
        return "signature_map"
    for kind, name in ((list, "list"), (tuple, "tuple"), (dict, "dict")):
        if isinstance(node, kind):
            return f"trackable_{name}_wrapper"
    return "_generic_user_object"


def _write_variable(made: Any, variable: Variable) -> None:
    made.dtype, made.trainable = variable.dtype.as_datatype_enum, variable.trainable
    made.shape.CopyFrom(shape_proto(variable.spec.shape))
    made.name = variable._shared_name
    made.synchronization, made.aggregation = variable.synchronization.value, variable.aggregation.value


def _write_spec(made: Any, parameters: Any, input_signature: Any) -> None:
    try:
        made.fullargspec.CopyFrom(structured.encoded(parameters))
    except structured.Unwritable:  # defaults that no file holds
        made.fullargspec.CopyFrom(structured.encoded(parameters._replace(defaults=None, kwonlydefaults=None)))
    plain = input_signature is not None and all(isinstance(s, (TensorSpec, list, tuple)) for s in input_signature)
    made.input_signature.CopyFrom(structured.encoded(tuple(input_signature or ()) if plain else None))
