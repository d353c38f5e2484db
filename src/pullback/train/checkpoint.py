"""`tf.train.Checkpoint`: saves and restores the variables below an object, found by the objects' attribute names."""

from __future__ import annotations

import contextlib
import inspect
import os
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import int64
from pullback.core.errors import ArgumentError, NotFoundError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.io import bundle, checkpoints
from pullback.modes.default import building, init_scope
from pullback.modes.session import get_default_session
from pullback.modes.variable import Variable, VariableV1
from pullback.train import checkpoint_state
from pullback.train.eager_saving import OBJECT_GRAPH, object_graph_of
from pullback.train.load_status import LoadStatus, NamedStatus, NothingStatus
from pullback.train.restoring import Later, Restoration
from pullback.train.trackable import ObjectGraph, children_of, is_trackable


@public("train.CheckpointOptions")
class CheckpointOptions:
    """How a Checkpoint writes. Files are written by this process at once, so only the defaults are taken.

    Raises:
      ArgumentError: something else is asked for; names it.
    """

    def __init__(
        self,
        experimental_io_device: str | None = None,
        experimental_enable_async_checkpoint: bool = False,
        experimental_write_callbacks: Any = None,
        enable_async: bool = False,
        experimental_skip_slot_variables: bool = False,
        experimental_sharding_callback: Any = None,
    ) -> None:
        asked = {name: value for name, value in locals().items() if name != "self" and value}
        callbacks = asked.pop("experimental_write_callbacks", None)
        asked.pop("experimental_io_device", None)  # there is one device
        if asked:
            raise ArgumentError(f"CheckpointOptions: {sorted(asked)} cannot be honoured; leave them out").locate()
        self.experimental_io_device, self.experimental_write_callbacks = experimental_io_device, callbacks


class _Saveable:
    """What both Checkpoints share: writing and reading."""

    save_counter: Any
    _in_graphs = False  # whether the default graph is meant where none is current

    def _trackable_children(self) -> dict[str, Any]:
        """What is saved: the attributes, or those of the root with them."""
        root = self.__dict__.get("_root")
        held = {} if root is None else children_of(root)
        held.update((name, v) for name, v in vars(self).items() if name != "_root" and is_trackable(v))
        return held

    def _ensure_counter(self) -> None:
        if "save_counter" in self.__dict__:
            return
        with init_scope(), building() if self._in_graphs else contextlib.nullcontext():
            kind = VariableV1 if isinstance(interpreter.current(), Graph) else Variable
            self.save_counter = kind(np.int64(0), trainable=False, name="save_counter", dtype=int64)

    def _write(self, prefix: Any, session: Any, options: Any) -> str:
        path = os.fsdecode(prefix)
        graph = ObjectGraph(self)
        variables = graph.variables()
        values = {key: _value(v, session) for key, v in variables.items()}
        message = np.empty((), object)
        message[()] = graph.message().SerializeToString(deterministic=True)
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        bundle.write_bundle(path, {**values, OBJECT_GRAPH: message})
        for told in (options.experimental_write_callbacks or ()) if options is not None else ():
            told(path) if inspect.signature(told).parameters else told()
        return path

    def _save(self, file_prefix: Any, session: Any, options: Any) -> str:
        self._ensure_counter()
        number = self._counted(session)
        path = self._write(f"{os.fsdecode(file_prefix)}-{number}", session, options)
        checkpoint_state.write_state(os.path.dirname(path), path, [path], None, True)
        return path

    def _counted(self, session: Any) -> int:
        """One more save; returns which."""
        if self.save_counter._graph is None:
            self.save_counter.assign_add(1)
            return int(self.save_counter.numpy())
        found = session or _session("save")
        before = found.store.get(self.save_counter.op.op.resource)
        number = 1 if before is None else int(before) + 1
        self.save_counter.load(np.int64(number), found)
        return number

    def _read(self, save_path: Any, options: Any) -> Any:
        if save_path is None:
            return NothingStatus(self)
        path = os.fsdecode(save_path)
        try:
            found = checkpoints.opened(path)
        except NotFoundError as error:
            raise NotFoundError(
                f"Error when restoring from checkpoint or SavedModel at {path}: {error.message}\nPlease double-check "
                "that the path is correct. You may be missing the checkpoint suffix (the '-1' in 'path/to/ckpt-1')."
            ) from None
        saved = object_graph_of(found, path)
        if saved is None:
            return NamedStatus(self, found, path)
        waits = any(isinstance(v, Variable) and v._graph is not None for v in ObjectGraph(self).nodes)
        restoration = Restoration(self, found, saved, path, Later if waits else None)
        restoration.proceed()
        restoration.wait()
        self._restoration = restoration  # goes on as long as this object lives
        return LoadStatus(restoration)


def _value(variable: Variable, session: Any) -> Any:
    if variable._graph is None:
        return variable.numpy()
    return (session or _session("save")).run(variable)


def _session(what: str) -> Any:
    found = get_default_session()
    if found is None:
        raise RuntimeError(
            f"Checkpoint.{what}: variables of a graph have their values in a session: pass `session`, or use "
            "`with tf.compat.v1.Session():`"
        )
    return found


@public("train.Checkpoint", v1=None)
class Checkpoint(_Saveable):
    """Objects to save and restore: attributes of this object, and all that hangs on them by attribute, list or dict.

    Args:
      root: an object whose attributes are this one's too.
      kwargs: name -> object: variables, modules, layers, optimizers, metrics, lists, tuples and dicts of them.
    Raises:
      ValueError: an object holds nothing that can be saved, or root has another object under the same name.
    """

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        for name, value in sorted(kwargs.items()):
            _check(name, value)
            taken = None if root is None else getattr(root, name, None)
            if taken is not None and taken is not value:
                raise ValueError(f"Cannot create a Checkpoint with keyword argument {name} if root.{name} exists.")
            setattr(self, name, value)
        if root is not None:
            _check("root", root)
            self._root = root

    def save(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Saves under `file_prefix-1`, `-2`, ... and notes it in the folder's `checkpoint` file. Returns the path."""
        return self._save(file_prefix, None, options)

    def write(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Saves under this very path, without number or note."""
        return self._write(file_prefix, None, options)

    def restore(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """Gives the variables the values of a checkpoint; those made later get theirs before they are read.

        Returns:
          A status: `assert_consumed()`, `assert_existing_objects_matched()`, `expect_partial()`.
        Raises:
          NotFoundError: there is none. ValueError: a shape differs. DataLossError: it is damaged.
        """
        self._ensure_counter()
        return self._read(save_path, options)

    def read(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """As `restore`, of what `write` wrote: the count of saves is left alone."""
        return self._read(save_path, options)


@public(v1="train.Checkpoint")
class CheckpointV1(_Saveable):
    """Objects to save and restore; see `tf.train.Checkpoint`. In graphs, values are a session's.

    Args:
      kwargs: name -> object.
    """

    _in_graphs = True

    def __init__(self, **kwargs: Any) -> None:
        for name, value in sorted(kwargs.items()):
            _check(name, value)
            setattr(self, name, value)

    def save(self, file_prefix: Any, session: Any = None) -> str:
        """Saves under `file_prefix-1`, `-2`, ... and notes it in the folder's `checkpoint` file. Returns the path."""
        return self._save(file_prefix, session, None)

    def write(self, file_prefix: Any, session: Any = None) -> str:
        """Saves under this very path, without number or note."""
        return self._write(file_prefix, session, None)

    def restore(self, save_path: Any) -> Any:
        """As `tf.train.Checkpoint.restore`; in graphs the status's `run_restore_ops()` or `initialize_or_restore()`
        does it, in a session."""
        self._ensure_counter()
        return self._read(save_path, None)


def _check(name: str, value: Any) -> None:
    if not is_trackable(value) and not isinstance(value, (list, tuple, dict)):
        raise ValueError(
            f"`Checkpoint` was expecting {name} to be a trackable object (an object derived from `Trackable`), got "
            f"{value}. Give a variable, a Module, an optimizer, or a list, tuple or dict of them."
        )
