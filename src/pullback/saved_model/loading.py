"""`tf.saved_model.load`: a saved model as an object with variables, functions and signatures.

    objects of the file --kind--> LoadedObject, list, dict, Variable, RestoredFunction, constant, asset
    functions of the library --their bound inputs--> traces         checkpoint --object graph--> values of variables

No code comes with a file: functions are graphs of ops that are known here. A file by TensorFlow 1 has no objects; its
signatures become functions, cut from its graph.
"""

from __future__ import annotations

import inspect
from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError, NotFoundError, UnimplementedError
from pullback.core.names import public
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.core.tensor import EagerTensor
from pullback.io import checkpoints, graph_import
from pullback.io.tensors import array_of_proto, dtype_of, shape_of_proto
from pullback.modes.default import init_scope
from pullback.modes.variable import Variable, VariableAggregation, VariableSynchronization
from pullback.saved_model import files, loading_v1, structured
from pullback.saved_model.options import LoadOptions
from pullback.saved_model.restored import LoadedConcrete, LoadedObject, RestoredFunction, SignatureMap
from pullback.train.eager_saving import object_graph_of
from pullback.train.restoring import assign
from pullback.train.trackable import VALUE

_LISTS = {"trackable_list_wrapper": list, "trackable_tuple_wrapper": tuple, "trackable_dict_wrapper": dict}


@public("saved_model.load", v1="saved_model.load_v2")
def load(export_dir: Any, tags: Any = None, options: LoadOptions | None = None) -> Any:
    """Loads a saved model.

    Args:
      export_dir: its folder.
      tags: words that its graph has; may be left out where there is one graph.
      options: LoadOptions.
    Returns:
      An object with the attributes that were saved: variables with their values, functions that can be called,
      differentiated and traced, `signatures`. Of a model that TensorFlow 1 saved: signatures, variables, graph.
    Raises:
      OSError: there is no saved model, or it is damaged. ValueError: tags do not say which graph.
      UnknownOpError: operations are of types not known here; lists them all.
      UnimplementedError: an object is of a kind that is not supported; names it.
    """
    folder = files.folder_of(export_dir)
    meta = files.meta_graph_of(files.read(folder), tags, folder)
    with init_scope():
        if not meta.HasField("object_graph_def"):
            return loading_v1.loaded(meta, folder)
        if type(interpreter.current()) is not interpreter.Eager:
            raise ArgumentError(
                f"saved model {folder!r} is one of TensorFlow 2's, whose variables have their values at once: load it "
                "outside of graphs, or load it into a session with tf.compat.v1.saved_model.load"
            ).locate()
        try:
            return _Loader(meta, folder, options or LoadOptions()).root
        except RecursionError:
            raise files.DamagedModelError(f"saved model {folder!r}: its functions nest too deep").locate() from None


class _Loader:
    """One file on its way to objects."""

    def __init__(self, meta: Any, folder: str, options: LoadOptions) -> None:
        self._meta, self._folder, self._objects = meta, folder, meta.object_graph_def
        self._nodes = list(self._objects.nodes)
        self._check_places()
        wanted = list(self._objects.concrete_functions)
        self._library = graph_import.library(interpreter.eager(), meta.graph_def, wanted, folder)
        self._constants = {n.name: n for n in meta.graph_def.node if n.op == "Const"}
        self._made: dict[int, Any] = {}
        self._traces: dict[str, LoadedConcrete] = {}
        self._make_values()
        self._make_functions()
        if not options.experimental_skip_checkpoint:
            self._restore(options)
        self._initialise()
        self.root = self._made[0]
        if isinstance(self.root, LoadedObject):
            self.root.__dict__["tensorflow_version"] = meta.meta_info_def.tensorflow_version
            self.root.__dict__["tensorflow_git_version"] = meta.meta_info_def.tensorflow_git_version
            self.root.__dict__["graph_debug_info"] = None

    def _check_places(self) -> None:
        """Raises DamagedModelError where an object names another that is not there."""
        count = len(self._nodes)
        places = [c.node_id for n in self._nodes for c in n.children]
        places += [i for f in self._objects.concrete_functions.values() for i in f.bound_inputs]
        names = set(self._objects.concrete_functions)
        used = {name for n in self._nodes for name in n.function.concrete_functions}
        used |= {
            n.bare_concrete_function.concrete_function_name for n in self._nodes if self._kind(n).startswith("bare")
        }
        if not count or any(not 0 <= i < count for i in places) or used - names:
            raise files.DamagedModelError(
                f"saved model {self._folder!r}: its {count} objects name others, or functions "
                f"{sorted(used - names)[:3]}, that are not there. Export it again"
            ).locate()

    @staticmethod
    def _kind(node: Any) -> str:
        return node.WhichOneof("kind") or "user_object"

    # --- objects ---------------------------------------------------------------------------------------------------

    def _make_values(self) -> None:
        for i, node in enumerate(self._nodes):
            kind = self._kind(node)
            if kind == "user_object":
                self._made[i] = LoadedObject() if node.user_object.identifier != "signature_map" else SignatureMap()
            elif kind == "variable":
                self._made[i] = self._variable(node.variable)
            elif kind == "constant":
                self._made[i] = self._constant(node.constant.operation)
            elif kind == "asset":
                self._made[i] = self._asset(node.asset.asset_file_def_index)
            elif kind not in ("function", "bare_concrete_function", "captured_tensor"):
                names = [c.local_name for n in self._nodes for c in n.children if c.node_id == i]
                raise UnimplementedError(
                    f"saved model {self._folder!r}: object {names or i} is a {kind}, such as a look-up table, which is "
                    "not supported in saved models"
                ).locate()

    def _variable(self, said: Any) -> Variable:
        what = f"saved model {self._folder!r}, variable {said.name!r}"
        dtype, shape = dtype_of(said.dtype, what), shape_of_proto(said.shape)
        made = object.__new__(Variable)
        held = Resource(said.name or "Variable", Spec(shape, dtype))
        made.handle = EagerTensor(held.handle_spec, held)
        made._name, made._graph, made._initial_value = f"{held.name}:0", None, None
        made.trainable, made.constraint, made._initializer = said.trainable, None, None
        made._cached = made._save_slice_info = None
        try:
            made.synchronization = VariableSynchronization(said.synchronization)
            made.aggregation = VariableAggregation(said.aggregation)
        except ValueError as error:
            raise ArgumentError(f"{what}: {error}").locate() from None
        return made

    def _constant(self, name: str) -> Any:
        node = self._constants.get(name)
        if node is None:
            raise files.DamagedModelError(
                f"saved model {self._folder!r}: constant {name!r} is not in its graph. Export it again"
            ).locate()
        value = array_of_proto(node.attr["value"].tensor, f"saved model {self._folder!r}, constant {name!r}")
        return interpreter.as_tensor(value, here=interpreter.eager())

    def _asset(self, index: int) -> Any:
        if not 0 <= index < len(self._meta.asset_file_def):
            raise files.DamagedModelError(f"saved model {self._folder!r}: it has no asset {index}").locate()
        path = files.asset_path(self._folder, self._meta.asset_file_def[index].filename)
        return interpreter.as_tensor(path, here=interpreter.eager())

    # --- functions -------------------------------------------------------------------------------------------------

    def _make_functions(self) -> None:
        for i, node in enumerate(self._nodes):
            kind = self._kind(node)
            if kind == "function":
                self._made[i] = self._function(i, node.function)
            elif kind == "bare_concrete_function":
                self._made[i] = self._trace(node.bare_concrete_function.concrete_function_name)
            elif kind == "captured_tensor":
                self._made[i] = None
        for i, node in enumerate(self._nodes):
            self._attach(i, node)
        for i in range(len(self._nodes)):
            self._made[i] = self._as_nest(i, set())

    def _attach(self, i: int, node: Any) -> None:
        made = self._made[i]
        for child in node.children:
            value = self._made[child.node_id]
            if isinstance(made, LoadedObject):
                made._held[child.local_name] = value
            elif isinstance(made, SignatureMap):
                made[child.local_name] = value

    def _as_nest(self, i: int, above: set[int]) -> Any:
        """The object, or the list, tuple or dict that it stands for."""
        made = self._made[i]
        if not isinstance(made, LoadedObject) or i in above:
            return made
        kind = _LISTS.get(self._nodes[i].user_object.identifier)
        held = {c.local_name: self._as_nest(c.node_id, above | {i}) for c in self._nodes[i].children}
        if kind is not None:
            return _nested(kind, held)
        for name, value in held.items():
            made._held[name] = value
            if name != "__call__":
                made.__dict__[name] = value
        return made

    def _trace(self, name: str) -> LoadedConcrete:
        if name in self._traces:
            return self._traces[name]
        said, what = self._objects.concrete_functions[name], f"saved model {self._folder!r}, function {name!r}"
        body = self._library.own_body(name)
        bound = [self._made[i] for i in said.bound_inputs]
        tensors = [b.handle if isinstance(b, Variable) else b for b in bound]
        inputs = structured.decoded(said.canonicalized_input_signature, what)
        outputs = structured.decoded(said.output_signature, what)
        fits = isinstance(inputs, tuple) and len(inputs) == 2 and isinstance(inputs[1], dict)
        given = structured.specs_of(inputs) if fits else []
        if (
            not fits
            or len(given) + len(tensors) != len(body.inputs)
            or len(structured.specs_of(outputs)) != len(body.outputs)
            or not all(isinstance(t, EagerTensor) for t in tensors)
            or any(t.dtype is not p.dtype for t, p in zip([*given, *tensors], body.inputs, strict=True))
        ):
            raise files.DamagedModelError(
                f"{what}: its {len(body.inputs)} inputs and {len(body.outputs)} outputs are not those that its "
                "signature says. Export it again"
            ).locate()
        made = LoadedConcrete(body, inputs, outputs, tensors, [b for b in bound if isinstance(b, Variable)])
        self._traces[name] = made
        return made

    def _function(self, i: int, said: Any) -> RestoredFunction:
        names = [c.local_name for n in self._nodes for c in n.children if c.node_id == i]
        name = names[0] if names else "function"
        traces = [self._trace(n) for n in said.concrete_functions]
        what = f"saved model {self._folder!r}, function {name!r}"
        parameters, declared = _parameters(said.function_spec, what)
        return RestoredFunction(traces, parameters, name, declared)

    # --- values ----------------------------------------------------------------------------------------------------

    def _restore(self, options: LoadOptions) -> None:
        variables = {i: v for i, v in self._made.items() if isinstance(v, Variable)}
        if not variables:
            return
        prefix = files.variables_prefix(self._folder)
        try:
            found = checkpoints.opened(prefix)
        except NotFoundError as error:
            raise files.DamagedModelError(
                f"saved model {self._folder!r}: it has variables, but {error.message}"
            ).locate() from None
        saved = object_graph_of(found, prefix)
        if saved is None or len(saved.nodes) < len(self._nodes):
            raise files.DamagedModelError(
                f"saved model {self._folder!r}: the checkpoint in variables/ is not of its objects. Copy it again"
            ).locate()
        for i, variable in variables.items():
            key = next((a.checkpoint_key for a in saved.nodes[i].attributes if a.name == VALUE), None)
            if key is None and not options.allow_partial_checkpoint:
                continue  # shares its value with another, which TensorFlow leaves without one too
            if key is not None:
                assign(variable, found, key, None)

    def _initialise(self) -> None:
        """Runs what the root wants run when it is loaded."""
        initialiser = dict(self._children(0)).get("_initializer")
        found = self._made.get(initialiser) if initialiser is not None else None
        if isinstance(found, RestoredFunction):
            found()

    def _children(self, i: int) -> list[tuple[str, int]]:
        return [(c.local_name, c.node_id) for c in self._nodes[i].children]


def _nested(kind: type, held: dict[str, Any]) -> Any:
    if kind is dict:
        return held
    places = sorted((int(name), value) for name, value in held.items() if name.isdigit()) if held else []
    return kind(value for _, value in sorted(places, key=lambda pair: pair[0]))


def _parameters(spec: Any, what: str) -> tuple[inspect.Signature | None, Any]:
    """(a function's parameters, its input_signature), as far as the file says them."""
    if not spec.HasField("fullargspec"):
        return None, None
    said = structured.decoded(spec.fullargspec, what)
    declared = structured.decoded(spec.input_signature, what) if spec.HasField("input_signature") else None
    try:
        return _signature_of(said, spec.is_method), declared
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise ArgumentError(f"{what}: its parameters make no sense: {error}").locate() from None


def _signature_of(said: Any, is_method: bool) -> inspect.Signature:
    kinds = inspect.Parameter
    names = list(said.args)
    defaults = list(said.defaults or ())
    made = []
    for i, name in enumerate(names):
        at = i - (len(names) - len(defaults))
        made.append(kinds(name, kinds.POSITIONAL_OR_KEYWORD, default=defaults[at] if at >= 0 else kinds.empty))
    if is_method and made and made[0].name == "self":
        del made[0]
    if said.varargs:
        made.append(kinds(said.varargs, kinds.VAR_POSITIONAL))
    only = said.kwonlydefaults or {}
    made += [kinds(n, kinds.KEYWORD_ONLY, default=only.get(n, kinds.empty)) for n in said.kwonlyargs or ()]
    if said.varkw:
        made.append(kinds(said.varkw, kinds.VAR_KEYWORD))
    return inspect.Signature(made)
