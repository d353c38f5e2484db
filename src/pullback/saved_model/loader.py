"""TensorFlow 1's side of reading: a saved model into a session."""

from __future__ import annotations

import os
from typing import Any

from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Operation
from pullback.io import checkpoints
from pullback.saved_model import files
from pullback.saved_model.constants import INIT_OP_SIGNATURE_KEY, LEGACY_INIT_OP_KEY, MAIN_OP_KEY
from pullback.train.meta_graph import import_meta_graph


@public(v1=("saved_model.load", "saved_model.loader.load"))
def load(sess: Any, tags: Any, export_dir: Any, import_scope: str | None = None, **saver_kwargs: Any) -> Any:
    """Adds a saved model's graph to a session's, gives its variables their values, and runs its initialisation.

    Args:
      tags: words; the graph with exactly these is taken.
      export_dir: the model's folder.
      import_scope: what the operations' names begin with. The message that is returned keeps the names of the file.
      saver_kwargs: as import_meta_graph's: `input_map`, `restore_collections_predicate`.
    Returns:
      The MetaGraphDef, with its signatures.
    Raises:
      OSError: there is no saved model, or it is damaged. RuntimeError: no graph has the tags.
      UnknownOpError: operations are of types not known here; lists them all.
      InvalidArgumentError: the initialisation would write files.
    """
    folder = files.folder_of(export_dir)
    meta = files.meta_graph_of(files.read(folder), tags, folder)
    with sess.graph.as_default():
        restored(sess, meta, folder, import_scope, **saver_kwargs)
    return meta


def restored(sess: Any, meta: Any, folder: str, scope: str | None = None, **saver_kwargs: Any) -> None:
    """Adds a MetaGraphDef to the current graph, which is the session's, restores, and initialises.

    Raises:
      as `load`.
    """
    graph: Graph = sess.graph
    assets = files.assets_of(meta, folder)
    saver = import_meta_graph(_without_objects(meta), import_scope=scope, **saver_kwargs)
    prefix = files.variables_prefix(folder)
    if saver is not None and meta.saver_def.restore_op_name:
        files.check_harmless(graph.get_operation_by_name(saver.saver_def.restore_op_name), folder)
        if not checkpoints.exists(prefix):
            raise files.DamagedModelError(
                f"saved model {folder!r}: its graph has variables, but {os.path.relpath(prefix, folder)}.index is not "
                "there. Copy the folder again from where it came from"
            ).locate()
        saver.restore(sess, prefix)
    front = f"{scope.rstrip('/')}/" if scope else ""
    found = init_op(graph, meta, front)
    if found is not None:
        files.check_harmless(found, folder)
        sess.run(found, {front + name: path for name, path in assets.items()})


def _without_objects(meta: Any) -> Any:
    """The message without what only TensorFlow 2's side reads."""
    made = type(meta)()
    made.CopyFrom(meta)
    made.ClearField("object_graph_def")
    return made


def init_op(graph: Graph, meta: Any, front: str) -> Operation | None:
    """What the model wants run after its variables are restored; None where it says nothing.

    Raises:
      RuntimeError: it names several.
    """
    signature = meta.signature_def.get(INIT_OP_SIGNATURE_KEY)
    if signature is not None:
        for info in signature.outputs.values():
            return graph.operation(graph.as_graph_element(front + info.name))
    for key in (MAIN_OP_KEY, LEGACY_INIT_OP_KEY):
        names = list(meta.collection_def[key].node_list.value) if key in meta.collection_def else []
        if len(names) > 1:
            raise RuntimeError(f"Expected exactly one SavedModel init op. Found {len(names)}: {names}.")
        for name in names:
            return graph.operation(graph.as_graph_element(front + name))
    return None
