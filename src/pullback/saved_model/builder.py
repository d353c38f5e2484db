"""TensorFlow 1's side of writing: graphs with their sessions' variables as saved models."""

from __future__ import annotations

import os
import shutil
from typing import Any

from pullback.core.basics import Const
from pullback.core.names import public
from pullback.core.tensor import Operation, Tensor
from pullback.io import atomic, messages
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.saved_model import files
from pullback.saved_model.constants import (
    ASSETS_KEY,
    DEFAULT_SERVING_SIGNATURE_DEF_KEY,
    LEGACY_INIT_OP_KEY,
    MAIN_OP_KEY,
    SAVED_MODEL_SCHEMA_VERSION,
    SERVING,
    VARIABLES_DIRECTORY,
)
from pullback.saved_model.signatures import check_signatures, predict_signature_def
from pullback.train.meta_graph import export_meta_graph
from pullback.train.saver import Saver

_ASSET_TYPE = "type.googleapis.com/tensorflow.AssetFileDef"


@public(v1=("saved_model.Builder", "saved_model.builder.SavedModelBuilder"))
class SavedModelBuilder:
    """Collects graphs, which share variables and files, and writes them as one saved model.

    Args:
      export_dir: the model's folder: new, or empty.
    Raises:
      AssertionError: the folder holds something.

    The first graph goes in by `add_meta_graph_and_variables`, others by `add_meta_graph`; `save` writes the last file,
    without which the folder is no saved model.
    """

    def __init__(self, export_dir: Any) -> None:
        self._folder = files.folder_of(export_dir)
        if os.path.isdir(self._folder) and os.listdir(self._folder):
            raise AssertionError(
                f"Export directory {self._folder} already exists, and isn't empty. Please choose a different export "
                "directory, or delete all the contents of the specified directory."
            )
        os.makedirs(self._folder, exist_ok=True)
        self._model = messages.SavedModel(saved_model_schema_version=SAVED_MODEL_SCHEMA_VERSION)
        self._has_variables = False
        self._assets: dict[str, str] = {}  # name in assets/ -> where it came from

    def add_meta_graph_and_variables(
        self,
        sess: Any,
        tags: Any,
        signature_def_map: Any = None,
        assets_collection: Any = None,
        legacy_init_op: Any = None,
        clear_devices: bool = False,
        main_op: Any = None,
        strip_default_attrs: bool = False,
        saver: Any = None,
    ) -> None:
        """Adds the session's graph, and writes its variables' values.

        Args:
          tags: words to find the graph by.
          signature_def_map: {name: SignatureDef}.
          assets_collection: string constants of the graph that name files, which are copied into the model.
          main_op, legacy_init_op: an Operation to run whenever the model is loaded, after the variables.
          clear_devices, strip_default_attrs: as in export_meta_graph.
          saver: saves and restores the variables; one of all variables when left out.
        Raises:
          AssertionError: there are variables already, or a signature is incomplete. KeyError: a signature's name is
            reserved. TypeError: main_op is no Operation, or an asset no string constant. ValueError: the graph has a
            main_op already. UninitializedError: a variable has no value.
        """
        if self._has_variables:
            raise AssertionError(
                "Graph state including variables and assets has already been saved. Please invoke `add_meta_graph()` "
                "instead."
            )
        with sess.graph.as_default():
            self._prepare(signature_def_map, assets_collection, _one_of(main_op, legacy_init_op))
            os.makedirs(os.path.join(self._folder, VARIABLES_DIRECTORY), exist_ok=True)
            saver = saver or _saver()
            saver.save(sess, files.variables_prefix(self._folder), write_meta_graph=False, write_state=False)
            self._add(saver, tags, signature_def_map, clear_devices, strip_default_attrs)
        self._has_variables = True

    def add_meta_graph(
        self,
        tags: Any,
        signature_def_map: Any = None,
        assets_collection: Any = None,
        legacy_init_op: Any = None,
        clear_devices: bool = False,
        main_op: Any = None,
        strip_default_attrs: bool = False,
        saver: Any = None,
    ) -> None:
        """Adds the current graph, whose variables are among those written before. Arguments and errors as in
        `add_meta_graph_and_variables`.

        Raises:
          AssertionError: no variables were written yet.
        """
        if not self._has_variables:
            raise AssertionError(
                "Graph state including variables and assets has not been saved yet. Please invoke "
                "`add_meta_graph_and_variables()` first."
            )
        self._prepare(signature_def_map, assets_collection, _one_of(main_op, legacy_init_op))
        self._add(saver or _saver(), tags, signature_def_map, clear_devices, strip_default_attrs)

    def save(
        self,
        as_text: bool = False,
        experimental_image_format: bool = False,
        experimental_image_writer_options: Any = None,
    ) -> bytes:
        """Writes the graphs' file, which makes the model complete; returns its path.

        Args:
          as_text: in protocol-buffer text.
          experimental_image_format, experimental_image_writer_options: TensorFlow's form for models of over 2 GiB,
            which its own builds cannot write.
        Raises:
          RuntimeError: experimental_image_format is asked for.
        """
        if experimental_image_format or experimental_image_writer_options is not None:
            raise RuntimeError("No proto_splitter is provided, cannot use experimental_image_format. Leave it out.")
        return os.fsencode(files.write(self._folder, self._model, as_text))

    # --- one graph -------------------------------------------------------------------------------------------------

    def _prepare(self, signatures: Any, assets: Any, main_op: Any) -> None:
        check_signatures(signatures, "SavedModelBuilder")
        graph = get_default_graph()
        for tensor in assets or ():
            name = self._copied(_path_of(tensor))
            said = messages.AssetFileDef(filename=name)
            said.tensor_info.name = tensor.name
            graph.add_to_collection(ASSETS_KEY, said)
        if main_op is None:
            return
        if not isinstance(main_op, Operation):
            raise TypeError(f"Expected {main_op} to be an Operation but got type {type(main_op)} instead.")
        for key in (MAIN_OP_KEY, LEGACY_INIT_OP_KEY):
            if graph.get_collection(key):
                raise ValueError(f"Graph already contains one or more main ops under the collection {key}.")
        graph.add_to_collection(MAIN_OP_KEY, main_op)

    def _copied(self, path: str) -> str:
        """Copies a file into the model; its name there, numbered where another file has it."""
        base, number = os.path.basename(path), 0
        name = base
        while self._assets.get(name, path) != path:
            number += 1
            name = f"{base}_{number}"
        if name not in self._assets:
            target = files.asset_path(self._folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with atomic.written(target) as out, open(path, "rb") as source:
                shutil.copyfileobj(source, out)
            self._assets[name] = path
        return name

    def _add(self, saver: Any, tags: Any, signatures: Any, clear_devices: bool, strip: bool) -> None:
        if saver.saver_def.restore_op_name:
            made = saver.export_meta_graph(clear_devices=clear_devices, strip_default_attrs=strip)
        else:  # there are no variables
            made = export_meta_graph(clear_devices=clear_devices, strip_default_attrs=strip)
        made.meta_info_def.tags.extend([tags] if isinstance(tags, str) else tags)
        for name, signature in (signatures or {}).items():
            made.signature_def[name].CopyFrom(signature)
        if ASSETS_KEY in made.collection_def:
            _pack(made.collection_def[ASSETS_KEY])
        self._model.meta_graphs.append(made)


def _saver() -> Saver:
    found = get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES)
    return Saver(found + get_default_graph().get_collection(GraphKeys.SAVEABLE_OBJECTS), sharded=True, allow_empty=True)


def _one_of(main_op: Any, legacy_init_op: Any) -> Any:
    return main_op if main_op is not None else legacy_init_op


def _path_of(tensor: Any) -> str:
    """The path that a string constant names.

    Raises:
      TypeError: it is none.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"Asset path tensor {tensor} must be a Tensor.")
    if not isinstance(tensor.node.op, Const) or tensor.dtype.name != "string" or tensor.spec.shape != ():
        raise TypeError(f"Asset path tensor {tensor} must be a string constant of shape ().")
    return os.fsdecode(tensor.node.op.value.item())


def _pack(held: Any) -> None:
    """A collection of AssetFileDefs in the form TensorFlow has it: messages that say their type."""
    values = list(held.bytes_list.value)
    held.any_list.SetInParent()
    for value in values:
        held.any_list.value.add(type_url=_ASSET_TYPE, value=value)


@public(v1="saved_model.simple_save")
def simple_save(session: Any, export_dir: Any, inputs: Any, outputs: Any, legacy_init_op: Any = None) -> None:
    """Saves a session's graph and variables for serving.

    Args:
      export_dir: the model's folder: new, or empty.
      inputs, outputs: {name: tensor} of the signature "serving_default".
      legacy_init_op: an Operation to run whenever the model is loaded.
    Raises:
      AssertionError: the folder holds something. ValueError: there are no inputs or no outputs.
    """
    with session.graph.as_default():
        signature = predict_signature_def(inputs, outputs)
        builder = SavedModelBuilder(export_dir)
        builder.add_meta_graph_and_variables(
            session,
            [SERVING],
            {DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature},
            get_default_graph().get_collection(GraphKeys.ASSET_FILEPATHS),
            main_op=legacy_init_op,
            clear_devices=True,
        )
        builder.save()
