"""The folder of a saved model: where its files lie, reading and writing them.

`saved_model.pb` is written at once, after variables and assets, so a folder that has it is complete. `fingerprint.pb`
follows: its checksums tell altered files.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from typing import Any

from pullback.core.errors import DataLossError, InvalidArgumentError, NotFoundError
from pullback.core.names import public
from pullback.io import atomic, bundle, messages
from pullback.io.farmhash import fingerprint64
from pullback.saved_model.constants import (
    ASSETS_DIRECTORY,
    ASSETS_KEY,
    FINGERPRINT_FILENAME,
    SAVED_MODEL_FILENAME_PB,
    SAVED_MODEL_FILENAME_PBTXT,
    SAVED_MODEL_SCHEMA_VERSION,
    VARIABLES_DIRECTORY,
    VARIABLES_FILENAME,
)

_REPAIR = "Export the model again, or copy its folder again from where it came from"
# The form of fingerprints that TensorFlow 2.21 writes, and how the names of ours begin.
_FINGERPRINT_VERSION, _OURS = 4, "pullback-"


class NoModelError(NotFoundError, OSError):
    """A folder holds no saved model."""


class DamagedModelError(DataLossError, OSError):
    """A saved model is cut short, or was altered."""


def folder_of(export_dir: Any) -> str:
    """A folder's path as a word."""
    return os.fsdecode(export_dir)


def variables_prefix(folder: str) -> str:
    """The prefix of the bundle of variables."""
    return os.path.join(folder, VARIABLES_DIRECTORY, VARIABLES_FILENAME)


def asset_path(folder: str, name: str) -> str:
    """The path of a file in assets/.

    Raises:
      DamagedModelError: the name leads out of it.
    """
    if not name or os.path.isabs(name) or ".." in name.replace("\\", "/").split("/") or "\0" in name:
        raise DamagedModelError(f"saved model {folder!r}: asset {name!r} does not lie in its folder assets/").locate()
    return os.path.join(folder, ASSETS_DIRECTORY, name)


def contains(folder: str) -> bool:
    """Whether a saved model's graphs are there."""
    return any(os.path.isfile(os.path.join(folder, n)) for n in (SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT))


@public("saved_model.contains_saved_model", v1=None)
def contains_saved_model(export_dir: Any) -> bool:
    """Whether a folder has a saved model's file of graphs. Nothing is read."""
    return contains(folder_of(export_dir))


@public(
    v1=(
        "saved_model.contains_saved_model",
        "saved_model.maybe_saved_model_directory",
        "saved_model.loader.maybe_saved_model_directory",
    )
)
def maybe_saved_model_directory(export_dir: Any) -> bool:
    """Whether a folder has a saved model's file of graphs. Nothing is read."""
    return contains(folder_of(export_dir))


# --- reading ---------------------------------------------------------------------------------------------------


def read(folder: str) -> Any:
    """The SavedModel message of a folder.

    Raises:
      NoModelError: there is none. DamagedModelError: it is cut short, altered, or of another version of the format.
    """
    binary, text = (os.path.join(folder, n) for n in (SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT))
    path = binary if os.path.isfile(binary) else text
    if not os.path.isfile(path):
        raise NoModelError(
            f"SavedModel file does not exist at: {folder}{os.path.sep}"
            f"{{{SAVED_MODEL_FILENAME_PBTXT}|{SAVED_MODEL_FILENAME_PB}}}. Give the folder that holds it; where "
            "it lacks only this file, its writing was not completed"
        ).locate()
    with open(path, "rb") as file:
        data = file.read()
    if path == binary:
        _check_fingerprint(folder, data)
    try:
        model = messages.parsed(messages.SavedModel(), data, path) if path == binary else _of_text(data, path)
    except DataLossError as error:
        raise DamagedModelError(f"{error.message}. {_REPAIR}").locate() from None
    if model.saved_model_schema_version not in (0, SAVED_MODEL_SCHEMA_VERSION) or not model.meta_graphs:
        raise DamagedModelError(
            f"{path}: it is of version {model.saved_model_schema_version} with {len(model.meta_graphs)} graphs, where "
            f"version {SAVED_MODEL_SCHEMA_VERSION} and at least one are needed. {_REPAIR}"
        ).locate()
    return model


def _of_text(data: bytes, path: str) -> Any:
    from google.protobuf import text_format

    try:
        return text_format.Parse(data.decode(), messages.SavedModel())
    except (text_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise DataLossError(f"{path}: it is no SavedModel in text form: {error}") from None


def _check_fingerprint(folder: str, data: bytes) -> None:
    """Compares the files with the checksums beside them. That of the graphs' file only where it is ours: TensorFlow's
    is of another form of the message.

    Raises:
      DamagedModelError: they differ.
    """
    path = os.path.join(folder, FINGERPRINT_FILENAME)
    if not os.path.isfile(path):
        return
    said = _fingerprint(path)
    checked = {SAVED_MODEL_FILENAME_PB: (data, said.saved_model_checksum)} if said.uuid.startswith(_OURS) else {}
    index = bundle.index_path(variables_prefix(folder))
    if said.checkpoint_hash and os.path.isfile(index):
        with open(index, "rb") as file:
            checked[os.path.relpath(index, folder)] = file.read(), said.checkpoint_hash
    for name, (have, checksum) in checked.items():
        if fingerprint64(have) != checksum:
            raise DamagedModelError(
                f"{os.path.join(folder, name)}: the checksum of its {len(have)} bytes is not the one in "
                f"{FINGERPRINT_FILENAME}; one of the two files was altered or is of another export. {_REPAIR}"
            ).locate()


def _fingerprint(path: str) -> Any:
    with open(path, "rb") as file:
        data = file.read()
    try:
        return messages.parsed(messages.FingerprintDef(), data, path)
    except DataLossError as error:
        raise DamagedModelError(f"{error.message}. {_REPAIR}").locate() from None


def meta_graph_of(model: Any, tags: Any, folder: str) -> Any:
    """The MetaGraphDef with exactly these tags; with None, the only one.

    Raises:
      RuntimeError: there is none. ValueError: tags is None and there are several.
    """
    if tags is None:
        if len(model.meta_graphs) != 1:
            given = [list(g.meta_info_def.tags) for g in model.meta_graphs]
            raise ValueError(
                f"Importing a SavedModel with `tf.saved_model.load` requires a `tags=` argument if there is more than "
                f"one MetaGraph. Got `tags=None`, but there are {len(given)} MetaGraphs in the SavedModel with tag "
                f"sets: {given}. Pass a `tags=` argument to load this SavedModel."
            )
        return model.meta_graphs[0]
    wanted = {tags} if isinstance(tags, str) else set(tags)
    for graph in model.meta_graphs:
        if set(graph.meta_info_def.tags) == wanted:
            return graph
    raise RuntimeError(
        f"MetaGraphDef associated with tags {str(sorted(wanted)).strip('[]')} could not be found in SavedModel "
        f"{folder!r}, with available tags '{[set(g.meta_info_def.tags) for g in model.meta_graphs]}'."
    )


def assets_of(meta: Any, folder: str) -> dict[str, str]:
    """The path of the file that each asset's tensor names: {tensor name: path}.

    Raises:
      DamagedModelError: an asset does not lie in the model's folder, or its description cannot be read.
    """
    found = list(meta.asset_file_def)
    if not found and ASSETS_KEY in meta.collection_def:
        for held in meta.collection_def[ASSETS_KEY].any_list.value:
            try:
                found.append(messages.parsed(messages.AssetFileDef(), held.value, folder))
            except DataLossError as error:
                raise DamagedModelError(f"{error.message}. {_REPAIR}").locate() from None
    return {said.tensor_info.name: asset_path(folder, said.filename) for said in found}


# What writes or removes files when it runs. Nothing of it belongs to what runs while a model is loaded.
_WRITERS = {"SaveV2", "Save", "SaveSlices", "WriteFile", "MergeV2Checkpoints", "ShardedWrite"}


def check_harmless(operation: Any, where: str) -> None:
    """What a stranger's model runs while it is loaded must touch no files but its own.

    Raises:
      InvalidArgumentError: the operation hangs on one that writes files; names it.
    """
    waiting, seen = [operation], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.op.type in _WRITERS:
            raise InvalidArgumentError(
                f"{where}: {operation.name!r}, which loading would run, hangs on {node.name!r} of type "
                f"{node.op.type}, which writes files. If you trust the file, import its graph with "
                "tf.import_graph_def and run the operation yourself"
            ).locate()
        waiting += [t.node for t in node.inputs]
        waiting += node.control_inputs
        waiting += [n for name in node.op.fields if hasattr(b := getattr(node.op, name), "nodes") for n in b.nodes]


# --- writing ---------------------------------------------------------------------------------------------------


def begin(folder: str) -> None:
    """Lets go of the checksums of what is about to be replaced, so that a writer that dies leaves no contradiction."""
    os.makedirs(folder, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, FINGERPRINT_FILENAME))


def write(folder: str, model: Any, as_text: bool = False) -> str:
    """Writes the graphs' file, after all that it needs, and the checksums; returns its path."""
    begin(folder)
    if as_text:
        path = os.path.join(folder, SAVED_MODEL_FILENAME_PBTXT)
        atomic.write(path, str(model).encode())
    else:
        path, data = os.path.join(folder, SAVED_MODEL_FILENAME_PB), model.SerializeToString(deterministic=True)
        atomic.write(path, data)
        atomic.write(os.path.join(folder, FINGERPRINT_FILENAME), _fingerprint_of(folder, data).SerializeToString())
    atomic.settle(folder)
    return path


def _fingerprint_of(folder: str, data: bytes) -> Any:
    made = messages.FingerprintDef(saved_model_checksum=fingerprint64(data), uuid=f"{_OURS}{uuid.uuid4().hex}")
    made.version.producer = _FINGERPRINT_VERSION
    index = bundle.index_path(variables_prefix(folder))
    if os.path.isfile(index):
        with open(index, "rb") as file:
            made.checkpoint_hash = fingerprint64(file.read())
    return made
