"""`tf.train.Saver`: a graph's variables to checkpoints and back, by operations of the graph.

    save/Const (the path) --SaveV2(names, values)
                          --RestoreV2(names)--> save/Assign, save/Assign_1, ... --> save/restore_all

The names are TensorFlow's, so a graph's file tells any reader how to save and restore it.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import ArgumentError, InvalidArgumentError, NotFoundError, OpError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import REGISTRY
from pullback.core.tensor import Operation
from pullback.io import atomic, checkpoints, messages
from pullback.io.checkpoint_ops import RestoreV2, SaveV2
from pullback.modes.default import GraphKeys, building, get_default_graph
from pullback.modes.grouping import group
from pullback.modes.session import BaseSession
from pullback.modes.variable import Variable
from pullback.train import checkpoint_state, eager_saving
from pullback.train.meta_graph import export_meta_graph
from pullback.train.named_variables import named_variables, saved_as

_VERSION_2 = 2


@public(v1="train.Saver")
class Saver:
    """Saves and restores variables.

    Args:
      var_list: variables, or {name in the checkpoint: variable}; all of the graph when left out.
      reshape: lets a variable take a value of another shape with as many elements.
      sharded: one file a device; there is one device, so the files are the same.
      max_to_keep: how many checkpoints are kept; older ones are removed. None or 0: all.
      keep_checkpoint_every_n_hours: one of them every so many hours is kept for good.
      name: what the operations' names begin with; "save".
      restore_sequentially: restores one variable after another.
      saver_def: a SaverDef that names the operations, which the graph has already.
      builder: TensorFlow's own helper class; not supported.
      defer_build: adds the operations only when `build` is called.
      allow_empty: having nothing to save is no error.
      write_version: 2; the former format 1 is only read.
      pad_step_number: writes steps with eight digits.
      save_relative_paths: writes paths in the state file relative to its folder.
      filename: the path that the operations use when they are not fed one.
    Raises:
      ValueError: there are no variables, two have one name, or `builder` or `saver_def` and `var_list` contradict.
      TypeError: something in var_list is no variable.
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: Any = None,
        builder: Any = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: int = 2,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
    ) -> None:
        if defer_build and var_list:
            raise ValueError("If `var_list` is provided then build cannot be deferred. Either set defer_build=False.")
        if builder is not None:
            raise ArgumentError("Saver: a `builder` is a class of TensorFlow's own kernels; leave it out").locate()
        if write_version != _VERSION_2:
            raise ArgumentError(
                f"Saver: write_version {write_version} is not written any more, only read; leave it out to write 2"
            ).locate()
        self._var_list, self._reshape, self._name, self._filename = var_list, reshape, name, filename
        self._sequentially, self._allow_empty = restore_sequentially, allow_empty
        self._pad_step_number, self._save_relative_paths = pad_step_number, save_relative_paths
        with building() as here:
            self._eager = saver_def is None and not isinstance(here, Graph)
        self._is_empty, self._is_built = False, False
        self.saver_def: Any = messages.SaverDef(
            max_to_keep=max_to_keep or 0,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            sharded=sharded,
            version=messages.SaverDef.V2,
        )
        self._last: list[tuple[str, float]] = []
        self._going: list[tuple[str, float]] = []  # not kept any more, not yet removed
        self._next_kept = time.time() + keep_checkpoint_every_n_hours * 3600
        if self._eager and var_list is None:
            raise RuntimeError(
                "When eager execution is enabled, `var_list` must specify a list or dict of variables to save"
            )
        if saver_def is not None:
            self._take(saver_def)
        elif not defer_build:
            self.build()

    def _take(self, saver_def: Any) -> None:
        """Uses operations that the graph has already."""
        if not saver_def.restore_op_name or not saver_def.filename_tensor_name or not saver_def.save_tensor_name:
            raise ValueError(f"saver_def must name the save, restore and filename operations, but is: {saver_def}")
        self.saver_def = saver_def
        self._is_built = True
        self._next_kept = time.time() + saver_def.keep_checkpoint_every_n_hours * 3600

    # --- the operations --------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Adds the operations to the current graph.

        Raises:
          RuntimeError: in eager mode, which has no graph. ValueError: there are no variables.
        """
        if self._eager:
            self._variables = named_variables(self._var_list)
            self._is_built = True
            return
        if self._is_built:
            return
        graph = get_default_graph()
        found = self._var_list
        if found is None:
            found = graph.get_collection(GraphKeys.GLOBAL_VARIABLES) + graph.get_collection(GraphKeys.SAVEABLE_OBJECTS)
        self._is_built = True
        self._variables = named_variables(found)
        if not self._variables:
            if not self._allow_empty:
                raise ValueError("No variables to save")
            self._is_empty = True
            return
        with graph.as_default(), graph.control_dependencies(None), graph.name_scope(self._name or "save"):
            self._add_operations(graph, self._filename or "model")

    def _add_operations(self, graph: Graph, filename: str) -> None:
        names, variables = list(self._variables), list(self._variables.values())
        default = interpreter.as_tensor(filename, name=f"{graph.get_name_scope()}/filename/input/")
        given = REGISTRY["PlaceholderWithDefault"](())(default, name="filename")
        path = REGISTRY["PlaceholderWithDefault"](())(given, name="Const")
        types = tuple(v.dtype for v in variables)
        listed, parts = (_strings(list(words)) for words in zip(*map(saved_as, names, variables), strict=True))
        saved = SaveV2(types)(path, listed, parts, *[v.value() for v in variables], name="SaveV2")
        with graph.control_dependencies([saved]):
            written = REGISTRY["Identity"]()(path, name="control_dependency")
        values = graph.run(RestoreV2(types), (path, listed, parts), "RestoreV2")
        restored = self._add_assignments(graph, variables, values)
        self.saver_def.filename_tensor_name = path.name
        self.saver_def.save_tensor_name = written.name
        self.saver_def.restore_op_name = group(*restored, name="restore_all").name

    def _add_assignments(self, graph: Graph, variables: list[Variable], values: Any) -> list[Operation]:
        made: list[Operation] = []
        for variable, value in zip(variables, values, strict=True):
            before = made[-1:] if self._sequentially else []
            with graph.control_dependencies(before) if before else contextlib.nullcontext():
                if self._reshape:
                    value = REGISTRY["Reshape"]()(value, REGISTRY["Shape"]()(variable.initial_value))
                made.append(variable.assign(value, name="Assign", read_value=False))
        return made

    # --- saving ----------------------------------------------------------------------------------------------------

    def save(
        self,
        sess: Any,
        save_path: str,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> str | None:
        """Saves the variables' values in a session. Each file appears whole, and the state file last.

        Args:
          save_path: the checkpoint's name; `global_step` (int, or a tensor) is appended as "-1000".
          latest_filename: name of the state file; "checkpoint".
          meta_graph_suffix: ending of the graph's file, which is written when write_meta_graph.
          write_state: whether the state file is written.
          strip_default_attrs, save_debug_info: as in export_meta_graph.
        Returns:
          The checkpoint's path; None when there is nothing to save.
        Raises:
          ValueError: the folder is not there, or names collide. TypeError: sess is no session.
          UninitializedError: a variable has no value.
        """
        self._check_built()
        path = self._path(sess, save_path, global_step, latest_filename or checkpoint_state.FILENAME)
        if self._is_empty:
            return None
        folder = os.path.dirname(path)
        if self._eager:
            eager_saving.save(path, self._variables)
        else:
            if not isinstance(sess, BaseSession) and not hasattr(sess, "run"):
                raise TypeError(f"'sess' must be a Session; {sess}")
            sess.run(self.saver_def.save_tensor_name, {self.saver_def.filename_tensor_name: path})
            if write_meta_graph:
                self._write_meta_graph(sess.graph, f"{path}.{meta_graph_suffix}", strip_default_attrs, save_debug_info)
        if write_state:
            self._record(path)
            checkpoint_state.write_state(
                folder, path, self.last_checkpoints, latest_filename, self._save_relative_paths
            )
            self._remove_old(meta_graph_suffix)
        atomic.sweep(save_path)
        return path

    def _path(self, sess: Any, save_path: Any, global_step: Any, latest_filename: str) -> str:
        save_path = os.fsdecode(save_path)
        if os.path.split(latest_filename)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        if global_step is not None:
            if not isinstance(global_step, (int, np.integer)):
                global_step = eager_saving.step_of(global_step) if self._eager else sess.run(global_step)
            shown = f"{int(global_step):08d}" if self._pad_step_number else str(int(global_step))
            save_path = f"{save_path}-{shown}"
        elif os.path.basename(save_path) == latest_filename and not self.saver_def.sharded:
            raise ValueError(f"'latest_filename' collides with 'save_path': '{latest_filename}' and '{save_path}'")
        folder = os.path.dirname(save_path)
        if folder and not os.path.isdir(folder):
            raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.")
        return save_path

    def _write_meta_graph(self, graph: Graph, path: str, strip: bool, debug: bool) -> None:
        with graph.as_default():
            self.export_meta_graph(path, strip_default_attrs=strip, save_debug_info=debug)

    def _record(self, path: str) -> None:
        """Notes the newest checkpoint, and which one is too many now."""
        if not self.saver_def.max_to_keep:
            return
        self._last = [pair for pair in self._last if pair[0] != path]
        self._last.append((path, time.time()))
        if len(self._last) > self.saver_def.max_to_keep:
            self._going.append(self._last.pop(0))

    def _remove_old(self, suffix: str) -> None:
        while self._going:
            path, written = self._going.pop(0)
            if written > self._next_kept:
                self._next_kept += self.saver_def.keep_checkpoint_every_n_hours * 3600
            else:
                checkpoint_state.remove_checkpoint(path, self.saver_def.version, suffix)

    # --- restoring -------------------------------------------------------------------------------------------------

    def restore(self, sess: Any, save_path: str) -> None:
        """Gives the variables the values of a checkpoint. They need not be initialised.

        Raises:
          ValueError: there is no such checkpoint. NotFoundError: a variable is not in it.
          InvalidArgumentError: a variable has another shape or type there. DataLossError: it is damaged.
        """
        self._check_built()
        if self._is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        save_path = os.fsdecode(save_path)
        if not checkpoints.exists(save_path):
            raise ValueError(f"The passed save_path is not a valid checkpoint: {save_path}")
        try:
            if self._eager:
                eager_saving.restore(save_path, self._variables)
            else:
                sess.run(self.saver_def.restore_op_name, {self.saver_def.filename_tensor_name: save_path})
        except NotFoundError as error:
            if not self._restored_by_objects(sess, save_path):
                raise _explained(
                    error, "a Variable name or other graph key that is missing from the checkpoint"
                ) from None
        except InvalidArgumentError as error:
            raise _explained(error, "a mismatch between the current graph and the graph from the checkpoint") from None

    def _restored_by_objects(self, sess: Any, path: str) -> bool:
        """Restores from a checkpoint of tf.train.Checkpoint, which also says each variable's name in the graph."""
        keys = eager_saving.keys_by_name(path)
        variables = getattr(self, "_variables", {})
        if not variables or not set(variables) <= set(keys):
            return False
        found = checkpoints.opened(path)
        for name, variable in variables.items():
            value = found.tensor(keys[name])
            variable.assign(value) if self._eager else variable.load(value, sess)
        return True

    # --- what is kept ----------------------------------------------------------------------------------------------

    @property
    def last_checkpoints(self) -> list[str]:
        """Paths of the checkpoints that are kept, oldest first."""
        return [path for path, _ in self._last]

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Says which checkpoints are kept; their age is not known."""
        self._last = [(path, np.inf) for path in last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: list[tuple[str, float]]) -> None:
        """Says which checkpoints are kept: (path, seconds since the epoch) of each."""
        self._last = list(last_checkpoints_with_time)

    def recover_last_checkpoints(self, checkpoint_paths: list[str]) -> None:
        """Takes over checkpoints of an earlier process, those of the list that are there."""
        found = [p for p in checkpoint_paths if checkpoints.exists(p)]
        self._last = list(zip(found, checkpoint_state.get_checkpoint_mtimes(found), strict=True))

    # --- messages --------------------------------------------------------------------------------------------------

    def as_saver_def(self) -> Any:
        """The SaverDef: names of the operations, and what is kept."""
        return self.saver_def

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The SaverDef, without the name of `export_scope`; None when the operations are not in it."""
        if not export_scope:
            return self.saver_def
        front = export_scope.rstrip("/") + "/"
        if not self.saver_def.restore_op_name.startswith(front):
            return None
        made = messages.SaverDef()
        made.CopyFrom(self.saver_def)
        for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
            setattr(made, field, getattr(made, field).removeprefix(front))
        return made

    @staticmethod
    def from_proto(saver_def: Any, import_scope: str | None = None) -> Saver:
        """A Saver of operations that the graph has, under `import_scope`."""
        from pullback.train.meta_graph import scoped

        return Saver(saver_def=scoped(saver_def, import_scope or ""), name=import_scope)

    def export_meta_graph(
        self,
        filename: str | None = None,
        collection_list: Any = None,
        as_text: bool = False,
        export_scope: str | None = None,
        clear_devices: bool = False,
        clear_extraneous_savers: bool = False,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> Any:
        """The current graph with this saver as a MetaGraphDef; see `tf.compat.v1.train.export_meta_graph`."""
        return export_meta_graph(
            filename=filename,
            saver_def=self.saver_def,
            collection_list=collection_list,
            as_text=as_text,
            export_scope=export_scope,
            clear_devices=clear_devices,
            clear_extraneous_savers=clear_extraneous_savers,
            strip_default_attrs=strip_default_attrs,
            save_debug_info=save_debug_info,
        )

    def _check_built(self) -> None:
        if not self._is_built:
            raise RuntimeError("`build()` should be called before save if defer_build==True")


def _strings(words: list[str]) -> np.ndarray[Any, Any]:
    out = np.empty(len(words), object)
    out[:] = [word.encode() for word in words]
    return out


def _explained(error: OpError, why: str) -> OpError:
    return type(error)(
        f"Restoring from checkpoint failed. This is most likely due to {why}. Please ensure that you have not altered "
        f"the graph expected based on the checkpoint. Original error:\n\n{error.message}"
    )
