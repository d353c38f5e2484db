"""Module: an object that finds the variables it holds. make_template: a function that makes its variables once."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.modes.default import get_default_graph
from pullback.modes.scopes import variable_scope
from pullback.modes.variable import Variable

_IDENTIFIER = re.compile(r"[a-zA-Z_]([a-zA-Z0-9_])*\Z")


def _snake(name: str) -> str:
    """ "DenseLayer" -> "dense_layer"."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).lower()


@public("Module")
class Module:
    """Base of objects that hold variables and other modules, in attributes, lists, tuples and dicts.

    Args:
      name: a Python name; the class's by default.
    Raises:
      ValueError: the name is no Python name.
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = _snake(type(self).__name__) if name is None else name
        if not _IDENTIFIER.match(self._name):
            raise ValueError(
                f"{self._name!r} is not a valid module name. Module names must be valid Python identifiers"
            )
        with _scope(self._name) as scope:
            self._scope_name = scope

    @property
    def name(self) -> str:
        return self._name

    @property
    def name_scope(self) -> Any:
        """A context: names made inside begin with the module's."""
        return _scope(self._scope_name)

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: the method runs in the module's name scope."""

        @functools.wraps(method)
        def inside(self: Any, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return inside

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables of this module and those it holds, by attribute name."""
        return tuple(self._flatten(predicate=lambda x: isinstance(x, Variable)))

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """Those of the variables that are trained."""
        return tuple(self._flatten(predicate=lambda x: isinstance(x, Variable) and x.trainable))

    @property
    def non_trainable_variables(self) -> tuple[Any, ...]:
        """Those of the variables that are not trained."""
        return tuple(self._flatten(predicate=lambda x: isinstance(x, Variable) and not x.trainable))

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The modules it holds, and those they hold."""
        return tuple(self._flatten(predicate=lambda x: isinstance(x, Module)))

    def _flatten(
        self,
        recursive: bool = True,
        predicate: Callable[[Any], bool] | None = None,
        attribute_traversal_key: Any = None,
        with_path: bool = False,
        expand_composites: bool = False,
    ) -> Iterator[Any]:
        """Attribute values that the predicate takes, each once; (path, value) with with_path."""
        if expand_composites:
            raise ArgumentError("Module._flatten: expand_composites is not supported; leave it False")
        seen = {id(self)}

        def walk(module: Any, path: tuple[Any, ...]) -> Iterator[Any]:
            held: list[tuple[tuple[Any, ...], Module]] = []
            for name in sorted(vars(module), key=attribute_traversal_key):
                for below, value in _leaves(vars(module)[name], (*path, name)):
                    if id(value) in seen:
                        continue
                    if predicate is None or predicate(value):
                        seen.add(id(value))
                        yield (below, value) if with_path else value
                    if recursive and isinstance(value, Module):
                        seen.add(id(value))
                        held.append((below, value))
            for below, value in held:
                yield from walk(value, below)

        yield from walk(self, ())


def _leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) of an attribute's value."""
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _leaves(value[key], (*path, key))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _leaves(item, (*path, i))
    else:
        yield path, value


@contextlib.contextmanager
def _scope(name: str) -> Iterator[str]:
    with interpreter.current().name_scope(name) as scope:
        yield scope or f"{name}/"


# --- templates -----------------------------------------------------------------------------------------------------


class Template:
    """A function that makes its variables at the first call and finds them at later ones; see `make_template`."""

    def __init__(self, name: str, func: Callable[..., Any], unique_name: str | None, custom_getter: Any) -> None:
        self._func, self._name, self._unique = func, name, unique_name
        self._custom_getter, self._scope, self._called = custom_getter, None, False

    def open(self) -> None:
        """Chooses the variable scope, made unique."""
        given = {"custom_getter": self._custom_getter, "auxiliary_name_scope": False}
        with variable_scope(self._unique, self._name, **given) as scope:
            self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._scope is None:
            self.open()
        with variable_scope(self._scope, reuse=True if self._called else None):
            before = len(get_default_graph().get_collection("trainable_variables"))
            made = self._func(*args, **kwargs)
            if self._called and len(get_default_graph().get_collection("trainable_variables")) > before:
                raise ValueError(
                    f"Trainable variable created when calling a template after the first time, perhaps you used "
                    f"tf.Variable when you meant tf.get_variable: {self._func.__name__}"
                )
            self._called = True
            return made

    @property
    def name(self) -> str:
        return self._name

    @property
    def func(self) -> Callable[..., Any]:
        return self._func

    @property
    def variable_scope(self) -> Any:
        return self._scope

    @property
    def variable_scope_name(self) -> str | None:
        return None if self._scope is None else self._scope.name

    def _collected(self, key: str) -> list[Any]:
        if self._scope is None:
            return []
        return get_default_graph().get_collection(key, f"{self._scope.name}/")

    @property
    def variables(self) -> list[Any]:
        """What it made."""
        return self._collected("variables") + self._collected("local_variables")

    @property
    def trainable_variables(self) -> list[Any]:
        """What it made and is trained."""
        return self._collected("trainable_variables")

    @property
    def global_variables(self) -> list[Any]:
        return self._collected("variables")


@public(v1="make_template")
def make_template(
    name_: str,
    func_: Callable[..., Any],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Any = None,
    **kwargs: Any,
) -> Template:
    """A function that makes its variables (by get_variable) at the first call, and shares them at later ones.

    Args:
      create_scope_now_: choose the variable scope here, not at the first call.
      unique_name_: the scope's name as it is; two templates of it are an error unless scopes are reused.
      kwargs: arguments of func_, fixed.
    Raises:
      ValueError: a later call makes a variable.
    """
    made = Template(name_, functools.partial(func_, **kwargs) if kwargs else func_, unique_name_, custom_getter_)
    if create_scope_now_:
        made.open()
    return made
