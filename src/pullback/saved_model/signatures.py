"""Signatures: by which names a saved graph's tensors are fed and fetched; and for what: prediction, classification or
regression."""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes, interpreter
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.io import messages
from pullback.io.tensors import shape_proto, tensor_proto
from pullback.modes.default import building, get_default_graph
from pullback.ops.sparse import SparseTensor
from pullback.saved_model.constants import (
    CLASSIFY_INPUTS,
    CLASSIFY_METHOD_NAME,
    CLASSIFY_OUTPUT_CLASSES,
    CLASSIFY_OUTPUT_SCORES,
    PREDICT_METHOD_NAME,
    REGRESS_INPUTS,
    REGRESS_METHOD_NAME,
    REGRESS_OUTPUTS,
)

_STRINGS, _FLOATS = dtypes.string.as_datatype_enum, dtypes.float32.as_datatype_enum


@public(v1=("saved_model.build_tensor_info", "saved_model.utils.build_tensor_info"))
def build_tensor_info(tensor: Any) -> Any:
    """The TensorInfo of a graph's tensor, SparseTensor or variable: its name, element type and shape.

    Raises:
      RuntimeError: eager execution is on, so that tensors have no names.
    """
    with building() as here:
        if not isinstance(here, Graph):
            raise RuntimeError("`build_tensor_info` is not supported in eager execution: eager tensors have no names")
        if isinstance(tensor, SparseTensor):
            parts = {f"{part}_tensor_name": getattr(tensor, part).name for part in ("values", "indices", "dense_shape")}
            made = messages.TensorInfo(coo_sparse=messages.TensorInfo.CooSparse(**parts))
        else:
            tensor = interpreter.as_tensor(tensor, here=here)
            made = messages.TensorInfo(name=tensor.name)
    made.dtype = tensor.dtype.as_datatype_enum
    made.tensor_shape.CopyFrom(shape_proto(tensor.shape.dims and tensor.shape.as_list()))
    return made


@public(v1=("saved_model.get_tensor_from_tensor_info", "saved_model.utils.get_tensor_from_tensor_info"))
def get_tensor_from_tensor_info(tensor_info: Any, graph: Any = None, import_scope: str | None = None) -> Any:
    """The tensor, or SparseTensor, that a TensorInfo names in a graph.

    Args:
      graph: the default one when left out. import_scope: what names begin with there.
    Raises:
      KeyError: the graph has no such tensor. ValueError: the message names none.
    """
    graph, front = graph or get_default_graph(), f"{import_scope}/" if import_scope else ""
    encoding = tensor_info.WhichOneof("encoding")
    if encoding == "name":
        return graph.get_tensor_by_name(front + tensor_info.name)
    if encoding == "coo_sparse":
        said = tensor_info.coo_sparse
        names = (said.indices_tensor_name, said.values_tensor_name, said.dense_shape_tensor_name)
        return SparseTensor(*[graph.get_tensor_by_name(front + name) for name in names])
    raise ValueError(f"Invalid TensorInfo.encoding: {encoding}. Expected `coo_sparse` or `name`.")


@public(v1=("saved_model.build_signature_def", "saved_model.signature_def_utils.build_signature_def"))
def build_signature_def(inputs: Any = None, outputs: Any = None, method_name: str | None = None, defaults: Any = None):
    """A SignatureDef of TensorInfos by name.

    Args:
      defaults: values of inputs that need not be fed, by name: TensorProtos, or what makes tensors.
    Raises:
      ValueError: a default is of no input.
    """
    made = messages.SignatureDef(method_name=method_name or "")
    for name, info in (inputs or {}).items():
        made.inputs[name].CopyFrom(info)
    for name, info in (outputs or {}).items():
        made.outputs[name].CopyFrom(info)
    for name, value in (defaults or {}).items():
        if name not in made.inputs:
            raise ValueError(f"build_signature_def: there is a default for {name!r}, but no such input")
        proto = value if hasattr(value, "SerializeToString") else tensor_proto(_constant(value))
        made.defaults[name].CopyFrom(proto)
    return made


def _constant(value: Any) -> Any:
    return interpreter.as_tensor(value, here=interpreter.eager()).value


@public(v1=("saved_model.predict_signature_def", "saved_model.signature_def_utils.predict_signature_def"))
def predict_signature_def(inputs: Any, outputs: Any) -> Any:
    """The signature of a prediction, of any tensors by name.

    Raises:
      ValueError: there are no inputs or no outputs.
    """
    for what, given in (("inputs", inputs), ("outputs", outputs)):
        if not given:
            raise ValueError(f"Prediction `{what}` cannot be None or empty.")
    return build_signature_def(_infos(inputs), _infos(outputs), PREDICT_METHOD_NAME)


@public(v1=("saved_model.regression_signature_def", "saved_model.signature_def_utils.regression_signature_def"))
def regression_signature_def(examples: Any, predictions: Any) -> Any:
    """The signature of a regression: serialised examples, a string tensor, to predictions, a float32 one.

    Raises:
      ValueError: a tensor is missing or of another type.
    """
    _check_examples("Regression", examples)
    if predictions is None:
        raise ValueError("Regression `predictions` cannot be None.")
    found = _infos({REGRESS_OUTPUTS: predictions})
    if found[REGRESS_OUTPUTS].dtype != _FLOATS:
        raise ValueError(f"Regression output tensors must be of type float. Found {predictions.dtype.name}.")
    return build_signature_def(_infos({REGRESS_INPUTS: examples}), found, REGRESS_METHOD_NAME)


@public(v1=("saved_model.classification_signature_def", "saved_model.signature_def_utils.classification_signature_def"))
def classification_signature_def(examples: Any, classes: Any, scores: Any) -> Any:
    """The signature of a classification: serialised examples to the classes' names, their scores, or both.

    Raises:
      ValueError: tensors are missing or of another type: examples and classes are strings, scores float32.
    """
    _check_examples("Classification", examples)
    if classes is None and scores is None:
        raise ValueError("Classification `classes` and `scores` cannot both be None.")
    given = {CLASSIFY_OUTPUT_CLASSES: classes, CLASSIFY_OUTPUT_SCORES: scores}
    found = _infos({name: t for name, t in given.items() if t is not None})
    if classes is not None and found[CLASSIFY_OUTPUT_CLASSES].dtype != _STRINGS:
        raise ValueError(f"Classification classes must be of type string Tensor. Found {classes.dtype.name}.")
    if scores is not None and found[CLASSIFY_OUTPUT_SCORES].dtype != _FLOATS:
        raise ValueError(f"Classification scores must be a float Tensor. Found {scores.dtype.name}.")
    return build_signature_def(_infos({CLASSIFY_INPUTS: examples}), found, CLASSIFY_METHOD_NAME)


def _infos(tensors: dict[str, Any]) -> dict[str, Any]:
    return {name: build_tensor_info(t) for name, t in tensors.items()}


def _check_examples(what: str, examples: Any) -> None:
    if examples is None:
        raise ValueError(f"{what} `examples` cannot be None.")
    if not isinstance(examples, Tensor):
        raise ValueError(f"Expected {what.lower()} `examples` to be of type Tensor. Found {type(examples).__name__}.")
    if examples.dtype is not dtypes.string:
        raise ValueError(f"{what} input tensors must be of type string. Found {examples.dtype.name}.")


@public(v1=("saved_model.is_valid_signature", "saved_model.signature_def_utils.is_valid_signature"))
def is_valid_signature(signature_def: Any) -> bool:
    """Whether a SignatureDef is one of the three kinds, with the inputs and outputs that its kind has."""
    if signature_def is None or not signature_def.inputs or not signature_def.outputs:
        return False
    ins, outs = signature_def.inputs, signature_def.outputs
    if signature_def.method_name == PREDICT_METHOD_NAME:
        return True
    if signature_def.method_name == REGRESS_METHOD_NAME:
        return _are(ins, {REGRESS_INPUTS: _STRINGS}) and _are(outs, {REGRESS_OUTPUTS: _FLOATS})
    allowed = {CLASSIFY_OUTPUT_CLASSES: _STRINGS, CLASSIFY_OUTPUT_SCORES: _FLOATS}
    return (
        signature_def.method_name == CLASSIFY_METHOD_NAME
        and _are(ins, {CLASSIFY_INPUTS: _STRINGS})
        and all(name in allowed and info.dtype == allowed[name] for name, info in outs.items())
    )


def _are(infos: Any, wanted: dict[str, int]) -> bool:
    return set(infos) == set(wanted) and all(infos[name].dtype == dtype for name, dtype in wanted.items())


def check_signatures(signatures: Any, where: str) -> None:
    """Raises AssertionError where a tensor of a signature has no name, type or shape; KeyError for a reserved name."""
    from pullback.saved_model.constants import INIT_OP_SIGNATURE_KEY

    for key, signature in (signatures or {}).items():
        if key in (INIT_OP_SIGNATURE_KEY, "__saved_model_train_op"):
            raise KeyError(f"SignatureDef map key {key!r} is reserved for the initialization op. Use another key.")
        for info in (*signature.inputs.values(), *signature.outputs.values()):
            if info.WhichOneof("encoding") is None or not (info.name or info.HasField("coo_sparse")):
                raise AssertionError(f"{where}: signature {key!r}: TensorInfo {info} names no tensor")
            if not info.dtype:
                raise AssertionError(f"{where}: signature {key!r}: TensorInfo {info} has no dtype")


@public(v1="saved_model.signature_def_utils.MethodNameUpdater")
class MethodNameUpdater:
    """Changes for what the signatures of a saved model are.

    Args:
      export_dir: the model's folder.
    Raises:
      OSError: there is no saved model.
    """

    def __init__(self, export_dir: Any) -> None:
        from pullback.saved_model import files

        self._folder = files.folder_of(export_dir)
        self._model = files.read(self._folder)

    def replace_method_name(self, signature_key: str, method_name: str, tags: Any = None) -> None:
        """Sets the method name of a signature, in the graphs of these tags, or in all.

        Raises:
          ValueError: an argument is empty, or no graph has the signature.
        """
        if not signature_key or not method_name:
            raise ValueError("signature_key and method_name must be defined.")
        wanted = None if not tags else {tags} if isinstance(tags, str) else set(tags)
        graphs = [g for g in self._model.meta_graphs if wanted is None or set(g.meta_info_def.tags) == wanted]
        found = [g.signature_def[signature_key] for g in graphs if signature_key in g.signature_def]
        if not found:
            raise ValueError(f"MetaGraphDef associated with tags {tags} has no signature {signature_key!r}")
        for signature in found:
            signature.method_name = method_name

    def save(self, new_export_dir: Any = None) -> None:
        """Writes the model back, or only its graphs to another folder, which must be there."""
        from pullback.saved_model import files

        folder = self._folder if new_export_dir is None else files.folder_of(new_export_dir)
        files.write(folder, self._model)


def no_tensors(info: Any) -> bool:
    """Whether a TensorInfo names an operation, as those of init operations do."""
    return ":" not in info.name


def checked_tensor(info: Any, where: str) -> str:
    """The name of the tensor of a TensorInfo.

    Raises:
      ArgumentError: it is no dense tensor.
    """
    if info.WhichOneof("encoding") != "name" or no_tensors(info):
        raise ArgumentError(f"{where}: {info} names no tensor").locate()
    return info.name
