"""`tf.saved_model.save`: an object with its variables and traced functions as a saved model.

objects --> object graph      traces --> function library      signatures --> calls in the main graph
variables --> checkpoint, and operations of the main graph that restore it, for readers without objects
"""

from __future__ import annotations

import os
import shutil
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.basics import Placeholder
from pullback.core.dialect import V2
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import REGISTRY
from pullback.core.shape import as_shape
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.core.tensor import EagerTensor, Tensor
from pullback.io import atomic, bundle, messages
from pullback.io.checkpoint_ops import RestoreV2, SaveV2
from pullback.io.graph_export import graph_def_with
from pullback.io.tensors import shape_proto
from pullback.modes.function import ConcreteFunction, Function, TensorSpec
from pullback.modes.grouping import group
from pullback.saved_model import files
from pullback.saved_model.constants import (
    INIT_OP_SIGNATURE_KEY,
    PREDICT_METHOD_NAME,
    SAVED_MODEL_SCHEMA_VERSION,
    SERVING,
)
from pullback.saved_model.objects import Objects, children
from pullback.saved_model.options import Asset, SaveOptions
from pullback.saved_model.traces import FUNCTIONS, Trace, signature_traces
from pullback.train.eager_saving import OBJECT_GRAPH
from pullback.train.meta_graph import TENSORFLOW, writer
from pullback.train.trackable import is_trackable


@public("saved_model.save", v1=("saved_model.save", "saved_model.experimental.save"))
def save(obj: Any, export_dir: str, signatures: Any = None, options: SaveOptions | None = None) -> None:
    """Saves an object with all that hangs on it: variables, modules, layers, and tf.functions with their traces.

    Args:
      obj: a Module, a Keras model, or another object that holds variables.
      export_dir: the model's folder; what a saved model there had is replaced.
      signatures: {name: function}, or one function, for programs that know no Python: tf.functions with an
        input_signature, or concrete functions. When left out: a Keras model's call, or the object's only function.
      options: SaveOptions.
    Raises:
      ValueError: obj holds nothing that can be saved, or a signature is no function of tensors.
      AssertionError: a function reads a variable that hangs on no saved object.
      ArgumentError: a graph is current, or a function takes or gives what no file holds.
    """
    if type(interpreter.current()) is not interpreter.Eager:
        raise ArgumentError(
            "saved_model.save: call it outside of graphs and tf.functions; a session's graph is saved by "
            "tf.compat.v1.saved_model.simple_save"
        ).locate()
    if not is_trackable(obj) and not children_or_none(obj):
        raise ValueError(
            f"Expected an object of type `Trackable`, such as `tf.Module` or a subclass of the `Trackable` class, for "
            f"export. Got {obj} with type {type(obj)}."
        )
    options = options or SaveOptions()
    more = _model_functions(obj)
    found = signature_traces(signatures if signatures is not None else _default(obj, more))
    folder = files.folder_of(export_dir)
    _Writer(Objects(obj, found, more), found, folder, options).write()


def children_or_none(obj: Any) -> dict[str, Any]:
    """What hangs on an object; nothing of what is no object with attributes."""
    return children(obj) if hasattr(obj, "__dict__") else {}


def _model_functions(obj: Any) -> dict[str, Function]:
    """Of a Keras model whose inputs are known: its call, traced for prediction and for training."""
    inputs = getattr(obj, "inputs", None) if callable(getattr(obj, "call", None)) else None
    if not inputs or not hasattr(obj, "input_names"):
        return {}
    specs = [TensorSpec(t.shape, t.dtype, name) for t, name in zip(inputs, obj.input_names, strict=True)]

    def call(inputs: Any, training: bool = False) -> Any:
        return obj(inputs, training=training)

    call.__name__ = getattr(obj, "name", None) or "call"
    made = Function(call)
    for training in (False, True):
        made.get_concrete_function(specs[0] if len(specs) == 1 else specs, training=training)
    return {"__call__": made}


def _default(obj: Any, more: dict[str, Function]) -> Any:
    """The signatures of an object that is saved without any."""
    if more:
        found = next(c for c in more["__call__"]._traces.values() if c.structured_input_signature[0][1:] == (False,))
        return {"serving_default": _with_dict(found, obj)}
    functions = [f for f in children(obj).values() if isinstance(f, (ConcreteFunction, *FUNCTIONS))]
    if len(functions) != 1:
        return {}
    only = functions[0]
    if isinstance(only, ConcreteFunction) or getattr(only, "input_signature", None) is not None:
        return {"serving_default": only}
    return {}


def _with_dict(concrete: ConcreteFunction, obj: Any) -> ConcreteFunction:
    """A model's call for signatures: named tensors alone."""
    specs = [s for s in _leaves(concrete.structured_input_signature) if isinstance(s, TensorSpec)]
    wrapped = Function(lambda *tensors: concrete.run(tensors))
    made = wrapped.get_concrete_function(*specs)
    made.structured_input_signature = tuple(specs), {}
    return made


def _leaves(value: Any) -> list[Any]:
    from pullback.core import nest

    return nest.leaves_of(value)


class _Writer:
    """One model on its way to its folder."""

    def __init__(self, objects: Objects, signatures: dict[str, Trace], folder: str, options: SaveOptions) -> None:
        self._objects, self._signatures, self._folder, self._options = objects, signatures, folder, options
        for trace in objects.every_trace():  # constants become objects
            for t in trace.bound:
                objects.bind(t, trace.body.name)
        self._graph = Graph(V2)
        self._handles: dict[int, Tensor] = {}
        self._constants: dict[int, str] = {}
        self._assets: dict[int, int] = {}
        self._meta = messages.MetaGraphDef()

    def write(self) -> None:
        """Variables and assets first, the graphs' file last."""
        files.begin(self._folder)
        with self._graph.as_default():
            self._add_values()
            self._add_signatures()
            self._add_saver()
        traces = self._objects.every_trace()
        graph, names = graph_def_with(self._graph, [t.body for t in traces])
        known = {id(t): name for t, name in zip(traces, names, strict=True)}
        self._meta.graph_def.CopyFrom(graph)
        self._meta.object_graph_def.CopyFrom(self._objects.message(known, self._constants, self._assets))
        info = self._meta.meta_info_def
        info.tags.extend([SERVING, *self._options.extra_tags])
        info.tensorflow_version, info.tensorflow_git_version = TENSORFLOW, writer()
        self._note_aliases(known)
        self._write_checkpoint()
        model = messages.SavedModel(saved_model_schema_version=SAVED_MODEL_SCHEMA_VERSION)
        model.meta_graphs.append(self._meta)
        files.write(self._folder, model)

    # --- the main graph --------------------------------------------------------------------------------------------

    def _add_values(self) -> None:
        for i, node in enumerate(self._objects.nodes):
            if i in (variables := self._objects.variables()):
                spec = Spec(variables[i].spec.shape, variables[i].dtype)
                name = self._graph.unique_name(_plain(variables[i]._shared_name), mark_as_used=False)
                self._handles[i] = REGISTRY["VarHandleOp"](Resource(name, spec))(name=name)
            elif isinstance(node, Asset):
                self._add_asset(i, node)
            elif isinstance(node, EagerTensor):
                made = self._graph.constant(node.value, node.spec, "Const")
                self._constants[i], self._handles[i] = made.node.name, made

    def _add_asset(self, place: int, asset: Asset) -> None:
        source = asset.asset_path.numpy().decode()
        taken = {said.filename for said in self._meta.asset_file_def}
        base, number = os.path.basename(source), 0
        name = base
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        target = files.asset_path(self._folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with atomic.written(target) as out, open(source, "rb") as file:
            shutil.copyfileobj(file, out)
        made = interpreter.as_tensor(os.path.join("assets", name), dtypes.string, here=self._graph)
        self._assets[place], self._handles[place] = len(self._meta.asset_file_def), made
        said = self._meta.asset_file_def.add(filename=name)
        said.tensor_info.CopyFrom(_info(made))

    def _add_signatures(self) -> None:
        for key, trace in self._signatures.items():
            said = self._meta.signature_def[key]
            said.method_name = PREDICT_METHOD_NAME
            fed = []
            for name, spec in trace.inputs[1].items():
                shape = as_shape(spec.shape)
                fed.append(self._graph.run(Placeholder(spec.dtype, shape), (), f"{_plain(key)}_{_plain(name)}")[0])
                said.inputs[name].CopyFrom(_info(fed[-1]))
            bound = [self._handles[self._objects.bind(t, key)] for t in trace.bound]
            call = REGISTRY["PartitionedCall"](trace.body, len(trace.body.outputs))
            results = self._graph.run(call, (*fed, *bound), "StatefulPartitionedCall")
            for name, t in zip(sorted(trace.outputs), results, strict=True):
                said.outputs[name].CopyFrom(_info(t))
        done = REGISTRY["NoOp"]()(name="NoOp")
        info = self._meta.signature_def[INIT_OP_SIGNATURE_KEY].outputs[INIT_OP_SIGNATURE_KEY]
        info.name = done.name
        info.tensor_shape.unknown_rank = True

    def _add_saver(self) -> None:
        """Operations that save and restore the variables by their keys."""
        variables = self._objects.variables()
        if not variables:
            return
        path = self._graph.run(Placeholder(dtypes.string, ()), (), "saver_filename")[0]
        types = tuple(v.dtype for v in variables.values())
        keys = _words([self._objects.key(i) for i in variables])
        whole = _words([""] * len(variables))
        values = [REGISTRY["ReadVariableOp"]()(self._handles[i]) for i in variables]
        saved = SaveV2(types)(path, keys, whole, *values, name="SaveV2")
        with self._graph.control_dependencies([saved]):
            written = REGISTRY["Identity"]()(path, name="saved_path")
        restored = self._graph.run(RestoreV2(types), (path, keys, whole), "RestoreV2")
        assigned = [
            REGISTRY["Assign"]()(self._handles[i], t, name="restored").op
            for i, t in zip(variables, restored, strict=True)
        ]
        said = self._meta.saver_def
        said.filename_tensor_name, said.save_tensor_name = path.name, written.name
        said.restore_op_name = group(*assigned, name="restore_all").name
        said.version = messages.SaverDef.V2

    # --- files -----------------------------------------------------------------------------------------------------

    def _note_aliases(self, names: dict[int, str]) -> None:
        for alias, function in self._options.function_aliases.items():
            for place, traces in self._objects.traces.items():
                if self._objects.nodes[place] is function:
                    for trace in traces:
                        self._meta.meta_info_def.function_aliases[names[id(trace)]] = alias

    def _write_checkpoint(self) -> None:
        message = np.empty((), object)
        message[()] = self._objects.checkpoint_message().SerializeToString(deterministic=True)
        values = {self._objects.key(i): v.numpy() for i, v in self._objects.variables().items()}
        bundle.write_bundle(files.variables_prefix(self._folder), {**values, OBJECT_GRAPH: message})


def _plain(name: str) -> str:
    """A name that operations of a graph may have."""
    made = "".join(c if c.isalnum() or c in "_./-" else "_" for c in name)
    return made if made[:1].isalnum() else f"v{made}"


def _words(words: list[str]) -> Any:
    out = np.empty(len(words), object)
    out[:] = [word.encode() for word in words]
    return out


def _info(t: Tensor) -> Any:
    made = messages.TensorInfo(name=t.name, dtype=t.dtype.as_datatype_enum)
    made.tensor_shape.CopyFrom(shape_proto(t.spec.shape))
    return made
