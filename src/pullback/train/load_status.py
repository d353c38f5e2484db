"""What restoring a checkpoint of objects answers: whether everything found its place, and, in graphs, how to run it."""

from __future__ import annotations

from typing import Any

from pullback.io import checkpoints
from pullback.modes.session import default_session
from pullback.modes.variable import Variable
from pullback.train.restoring import Later, Restoration, assign
from pullback.train.trackable import ObjectGraph


class LoadStatus:
    """Of a checkpoint of objects."""

    def __init__(self, restoration: Restoration) -> None:
        self._restoration = restoration

    def assert_consumed(self) -> LoadStatus:
        """Checks that every value of the checkpoint went to a variable, and every variable got one.

        Raises:
          AssertionError: names what is left over.
        """
        self.assert_existing_objects_matched()
        left = self._left()
        if left:
            raise AssertionError(
                f"Unresolved object in checkpoint {self._restoration.path}: no object takes {left[:10]}"
            )
        return self

    def assert_existing_objects_matched(self) -> LoadStatus:
        """Checks that every variable there is got a value.

        Raises:
          AssertionError: names those that got none.
        """
        self._restoration.proceed()
        names = [v.name for v in self._restoration.unmatched() if not self._has(v) and v._shared_name != "save_counter"]
        if names:
            raise AssertionError(f"No checkpoint value in {self._restoration.path} for the variables {names[:10]}")
        return self

    def assert_nontrivial_match(self) -> LoadStatus:
        """Checks that anything but the root found its place.

        Raises:
          AssertionError: nothing did.
        """
        self._restoration.proceed()
        if len(self._restoration.matched) < 2:
            raise AssertionError(
                f"Nothing except the root object matched a checkpointed value in {self._restoration.path}: the "
                "attributes have other names"
            )
        return self

    def expect_partial(self) -> LoadStatus:
        """Says that values may be left over."""
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """In graphs: gives the variables their values in a session (the default one)."""
        restoration = self._restoration
        if restoration.session is Later:
            restoration.session = session or default_session("run_restore_ops")
        restoration.proceed()

    def initialize_or_restore(self, session: Any = None) -> None:
        """In graphs: as `run_restore_ops`, and initialises the variables that the checkpoint lacks."""
        self.run_restore_ops(session)
        if self._restoration.session is not None:
            left = [v.initializer for v in self._restoration.unmatched()]
            self._restoration.session.run(left)

    def _has(self, variable: Variable) -> bool:
        """Whether a variable is matched, and only waits for a session."""
        return any(live is variable for live in self._restoration.matched.values())

    def _left(self) -> list[str]:
        if self._restoration.session is not Later:
            return self._restoration.unrestored()
        nodes = enumerate(self._restoration.saved.nodes)
        return [a.checkpoint_key for i, n in nodes if i not in self._restoration.matched for a in n.attributes]


class NothingStatus:
    """Of no checkpoint at all: `restore(None)`, as when there is no latest one. Variables keep their values."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def assert_consumed(self) -> Any:
        """Raises AssertionError: there is no checkpoint."""
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    assert_existing_objects_matched = assert_nontrivial_match = assert_consumed

    def expect_partial(self) -> NothingStatus:
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """Raises AssertionError: there is no checkpoint."""
        self.assert_consumed()

    def initialize_or_restore(self, session: Any = None) -> None:
        """In graphs: initialises the variables in a session."""
        variables = [v for v in ObjectGraph(self._root).variables().values() if v._graph is not None]
        if variables:
            (session or default_session("initialize_or_restore")).run([v.initializer for v in variables])


class NamedStatus:
    """Of a checkpoint of a Saver, whose values go by the variables' names."""

    def __init__(self, root: Any, found: checkpoints.Checkpoint, path: str) -> None:
        self._root, self._found, self._path = root, found, path
        self._restore([v for v in self._variables() if v._graph is None], None)

    def assert_consumed(self) -> NamedStatus:
        """Checks that every value went to a variable, and every variable got one. Raises AssertionError."""
        self.assert_existing_objects_matched()
        left = sorted(set(self._found.names()) - {v._shared_name for v in self._variables()})
        if left:
            raise AssertionError(f"Some values of {self._path} were not restored: {left[:10]}")
        return self

    def assert_existing_objects_matched(self) -> NamedStatus:
        """Checks that every variable got a value. Raises AssertionError."""
        missing = [v._shared_name for v in self._variables() if v._shared_name not in self._found]
        missing = [name for name in missing if name != "save_counter"]
        if missing:
            raise AssertionError(f"Some objects had no value in {self._path}: {missing[:10]}")
        return self

    def assert_nontrivial_match(self) -> NamedStatus:
        """Checks that any variable got a value. Raises AssertionError."""
        if not any(v._shared_name in self._found for v in self._variables()):
            raise AssertionError(f"No variable has a value in {self._path}")
        return self

    def expect_partial(self) -> NamedStatus:
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """In graphs: gives the variables their values in a session (the default one)."""
        waiting = [v for v in self._variables() if v._graph is not None]
        self._restore(waiting, session or default_session("run_restore_ops"))

    def initialize_or_restore(self, session: Any = None) -> None:
        """In graphs: as `run_restore_ops`, and initialises what the checkpoint lacks."""
        self.run_restore_ops(session)
        left = [v.initializer for v in self._variables() if v._graph is not None and v._shared_name not in self._found]
        if left:
            (session or default_session("initialize_or_restore")).run(left)

    def _variables(self) -> list[Variable]:
        return list(ObjectGraph(self._root).variables().values())

    def _restore(self, variables: list[Variable], session: Any) -> None:
        for v in variables:
            if v._shared_name in self._found:
                assign(v, self._found, v._shared_name, session)
