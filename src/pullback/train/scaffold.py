"""What a training graph is run with, and how its session is made: initialised, or restored from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.errors import FailedPreconditionError
from pullback.core.names import public
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.modes.grouping import group
from pullback.modes.session import Session
from pullback.modes.variables import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
)
from pullback.train.checkpoint_state import latest_checkpoint
from pullback.train.saver import Saver
from pullback.train.summaries.graph_ops import merge_all


@public(v1="train.Scaffold")
class Scaffold:
    """What a training graph is run with; what is not given is found in the graph's collections, or made.

    Args:
      init_op, init_feed_dict, init_fn: run where there is no checkpoint; init_fn(scaffold, session) after init_op.
      ready_op: names of variables without value, none when all is ready. ready_for_local_init_op: the same before.
      local_init_op, local_init_feed_dict: run in any case. summary_op: what is written. saver: reads and writes.
      copy_from_scaffold: gives what is not given.
    """

    def __init__(
        self,
        init_op: Any = None,
        init_feed_dict: Any = None,
        init_fn: Callable[..., Any] | None = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        local_init_op: Any = None,
        summary_op: Any = None,
        saver: Any = None,
        copy_from_scaffold: Any = None,
        local_init_feed_dict: Any = None,
    ) -> None:
        given = {
            "init_op": init_op,
            "init_feed_dict": init_feed_dict,
            "ready_op": ready_op,
            "ready_for_local_init_op": ready_for_local_init_op,
            "local_init_op": local_init_op,
            "summary_op": summary_op,
            "saver": saver,
            "local_init_feed_dict": local_init_feed_dict,
        }
        for name, value in given.items():
            if value is None and copy_from_scaffold is not None:
                value = getattr(copy_from_scaffold, name)
            setattr(self, f"_{name}", value)
        self._init_fn: Any = None if init_fn is None else (lambda session: init_fn(self, session))
        if init_fn is None and copy_from_scaffold is not None:
            self._init_fn = copy_from_scaffold.init_fn

    def finalize(self) -> Scaffold:
        """Makes what is missing, and lets nothing more be added to the graph."""
        graph = get_default_graph()
        self._init_op = (
            self.get_or_default(
                "init_op", GraphKeys.INIT_OP, lambda: group(global_variables_initializer(), name="init")
            )
            if self._init_op is None
            else self._init_op
        )
        self._ready_op = (
            self._ready_op
            if self._ready_op is not None
            else self.get_or_default("ready_op", GraphKeys.READY_OP, report_uninitialized_variables)
        )
        if self._ready_for_local_init_op is None:
            self._ready_for_local_init_op = self.get_or_default(
                "ready_for_local_init_op",
                "ready_for_local_init_op",
                lambda: report_uninitialized_variables(global_variables()),
            )
        if self._local_init_op is None:
            self._local_init_op = self.get_or_default(
                "local_init_op", GraphKeys.LOCAL_INIT_OP, Scaffold.default_local_init_op
            )
        if self._summary_op is None:
            self._summary_op = self.get_or_default("summary_op", GraphKeys.SUMMARY_OP, merge_all)
        if self._saver is None:
            self._saver = self.get_or_default("saver", GraphKeys.SAVERS, lambda: Saver(allow_empty=True))
        graph.finalize()
        return self

    @staticmethod
    def default_local_init_op() -> Any:
        """Initialises local variables and tables."""
        tables = get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS)
        return group(local_variables_initializer(), *tables)

    @staticmethod
    def get_or_default(arg_name: str, collection_key: Any, default_constructor: Callable[[], Any]) -> Any:
        """What a collection holds; where it is empty, what the constructor makes, which is added to it.

        Raises:
          RuntimeError: the collection holds several.
        """
        graph = get_default_graph()
        found = graph.get_collection(collection_key)
        if len(found) > 1:
            raise RuntimeError(f"More than one item in the collection {collection_key!r}. Give {arg_name} to Scaffold.")
        if found:
            return found[0]
        made = default_constructor()
        if made is not None:
            graph.add_to_collection(collection_key, made)
        return made

    @property
    def init_fn(self) -> Any:
        return self._init_fn


def _readable(name: str) -> property:
    return property(lambda self: getattr(self, f"_{name}"), doc=f"The {name} in use.")


for _name in ("init_op", "init_feed_dict", "ready_op", "ready_for_local_init_op", "local_init_op", "summary_op"):
    setattr(Scaffold, _name, _readable(_name))
for _name in ("saver", "local_init_feed_dict"):
    setattr(Scaffold, _name, _readable(_name))


@public(v1="train.SessionCreator")
class SessionCreator:
    """Base of what makes the session of a monitored session."""

    def create_session(self) -> Any:
        """A session that is ready to run."""
        raise NotImplementedError(f"create_session is not implemented for {type(self)}.")


@public(v1="train.ChiefSessionCreator")
class ChiefSessionCreator(SessionCreator):
    """Makes a session whose variables are those of the latest checkpoint, or initialised where there is none.

    Args:
      master: "" - sessions run in this process. config: a ConfigProto.
      checkpoint_dir: the folder of checkpoints; or checkpoint_filename_with_path, one of them.
    """

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
    ) -> None:
        self._scaffold, self._master, self._config = scaffold or Scaffold(), master, config
        self._folder, self._path = checkpoint_dir, checkpoint_filename_with_path

    def create_session(self) -> Any:
        """The session.

        Raises:
          FailedPreconditionError: variables have no value after initialisation.
        """
        scaffold = self._scaffold
        scaffold.finalize()
        session = Session(self._master, get_default_graph(), self._config)
        path = self._path or (latest_checkpoint(self._folder) if self._folder else None)
        if path:
            scaffold.saver.restore(session, path)  # type: ignore[attr-defined]
        else:
            if scaffold.init_op is not None:  # type: ignore[attr-defined]
                session.run(scaffold.init_op, scaffold.init_feed_dict)  # type: ignore[attr-defined]
            if scaffold.init_fn is not None:
                scaffold.init_fn(session)
        if scaffold.local_init_op is not None:  # type: ignore[attr-defined]
            session.run(scaffold.local_init_op, scaffold.local_init_feed_dict)  # type: ignore[attr-defined]
        missing = session.run(scaffold.ready_op) if scaffold.ready_op is not None else []  # type: ignore[attr-defined]
        if len(missing):
            names = ", ".join(n.decode() for n in missing)
            raise FailedPreconditionError(
                f"Init operations did not make model ready. Variables not initialized: {names}"
            )
        return session


@public(v1="train.WorkerSessionCreator")
class WorkerSessionCreator(ChiefSessionCreator):
    """The same: one process is the chief. max_wait_secs: has nothing to wait for."""

    def __init__(
        self, scaffold: Scaffold | None = None, master: str = "", config: Any = None, max_wait_secs: int = 1800
    ) -> None:
        super().__init__(scaffold, master, config)
