"""Store: where state lives. Each Session has one; eager mode has the process's."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterator
from typing import Any

from pullback.core.dtypes import resource
from pullback.core.errors import UninitializedError
from pullback.core.spec import Spec


class Resource:
    """What a handle leads to: an identity with a name and the Spec of what it holds. Values live in Stores."""

    __slots__ = ("__weakref__", "name", "spec")

    def __init__(self, name: str, spec: Spec) -> None:
        self.name, self.spec = name, spec

    @property
    def handle_spec(self) -> Spec:
        """Spec of a tensor that is a handle to this."""
        return Spec((), resource, self.spec)

    def __repr__(self) -> str:
        return f"<Resource {self.name!r} {self.spec}>"


class Lent:
    """Stands in a Store for an array that somebody is changing in place."""

    __slots__ = ("array", "process")

    def __init__(self, array: Any) -> None:
        self.array, self.process = array, os.getpid()


class Store:
    """Resource -> value. A value is an array that nobody changes in place; when its Resource dies, so does it."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: weakref.WeakKeyDictionary[Resource, Any] = weakref.WeakKeyDictionary()

    def read(self, resource: Resource) -> Any:
        """The value.

        Raises:
          UninitializedError: there is none yet.
        """
        try:
            value = self._values[resource]
            return value if type(value) is not Lent else self._awaited(resource)
        except KeyError:
            raise UninitializedError(
                f"Attempting to use uninitialized value {resource.name}: run its initializer first, "
                "as with tf.compat.v1.global_variables_initializer(), or restore a checkpoint"
            ) from None

    def write(self, resource: Resource, value: Any) -> None:
        self._values[resource] = value

    def get(self, resource: Resource, default: Any = None) -> Any:
        value = self._values.get(resource, default)
        return value if type(value) is not Lent else self._awaited(resource)

    def lend(self, resource: Resource) -> Any:
        """The value, for the caller to change in place: whoever asks meanwhile waits until it is written back."""
        value = self.read(resource)
        self._values[resource] = Lent(value)
        return value

    def _awaited(self, resource: Resource) -> Any:
        """The value, once it is back; of a process forked meanwhile, as it then was."""
        while type(value := self._values[resource]) is Lent:
            if value.process != os.getpid():
                self._values[resource] = value.array
            time.sleep(1e-5)
        return value

    def holds(self, resource: Resource) -> bool:
        return resource in self._values

    def cancel(self) -> None:
        """Lets whoever waits for a value that can be waited for (a queue) stop: nobody will run here again."""
        for value in list(self._values.values()):
            if hasattr(value, "cancel"):
                value.cancel()

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._values)


PROCESS = Store()
