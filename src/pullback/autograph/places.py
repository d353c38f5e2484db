"""The variables that a branch or a loop changes, while it is recorded: cells of the converted function, attributes
and items of objects."""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Callable, Sequence
from types import CellType
from typing import Any


class _Missing:
    """What a variable holds that was never set."""

    def __repr__(self) -> str:
        return "<not set>"


MISSING: Any = _Missing()


class Places:
    """The variables of these names, as the given functions see them.

    names: as in the user's code: "x", "self.x", "d['k']".
    """

    def __init__(self, names: Sequence[str], *functions: Callable[..., Any] | None) -> None:
        present: list[Any] = [f for f in functions if f is not None]
        self._cells: dict[str, CellType] = {}
        for f in present:
            self._cells.update(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
        self._globals: dict[str, Any] = present[0].__globals__ if present else {}
        self.names = [n for n in names if n.isidentifier() or self._root_there(n)]

    def _root_there(self, name: str) -> bool:
        """Whether the object of a place is there before the block; otherwise it is the block's own."""
        return all(self._variable(r) is not MISSING for r in _parsed(name)[1])

    def _variable(self, name: str) -> Any:
        if name not in self._cells:
            return self._globals.get(name, getattr(builtins, name, MISSING))
        try:
            return self._cells[name].cell_contents
        except ValueError:
            return MISSING

    def read(self) -> list[Any]:
        """What the variables hold now."""
        return [self._get(name) for name in self.names]

    def write(self, values: Sequence[Any]) -> None:
        """Sets the variables; MISSING unsets."""
        for name, value in zip(self.names, values, strict=True):
            self._set(name, value)

    def snapshot(self) -> Callable[[], None]:
        """Answers what sets all variables that the functions see back to what they hold now."""
        kept = {name: self._variable(name) for name in self._cells}
        values = self.read()

        def restore() -> None:
            for name, value in kept.items():
                self._set(name, value)
            self.write(values)

        return restore

    def _get(self, name: str) -> Any:
        if name.isidentifier():
            return self._variable(name)
        owner, part, is_item = self._owner(name)
        try:
            return owner[part] if is_item else getattr(owner, part)
        except (AttributeError, KeyError, IndexError, TypeError):
            return MISSING

    def _set(self, name: str, value: Any) -> None:
        if not name.isidentifier():
            owner, part, is_item = self._owner(name)
            if self._get(name) is value:
                return
            if value is not MISSING:
                owner.__setitem__(part, value) if is_item else setattr(owner, part, value)
            else:
                owner.__delitem__(part) if is_item else delattr(owner, part)
        elif name in self._cells:
            if value is not MISSING:
                self._cells[name].cell_contents = value
            elif self._variable(name) is not MISSING:
                del self._cells[name].cell_contents
        elif value is not MISSING:
            self._globals[name] = value
        else:
            self._globals.pop(name, None)

    def _owner(self, name: str) -> tuple[Any, Any, bool]:
        """The object that a place is in, the attribute or the key, and whether it is a key."""
        tree = _parsed(name)[0]
        if isinstance(tree, ast.Attribute):
            return self._value(tree.value), tree.attr, False
        return self._value(tree.value), self._value(tree.slice), True

    def _value(self, tree: Any) -> Any:
        if isinstance(tree, ast.Constant):
            return tree.value
        if isinstance(tree, ast.Name):
            return self._variable(tree.id)
        if isinstance(tree, ast.Attribute):
            return getattr(self._value(tree.value), tree.attr)
        return self._value(tree.value)[self._value(tree.slice)]


@functools.lru_cache(maxsize=1024)
def _parsed(name: str) -> tuple[Any, tuple[str, ...]]:
    """The expression of a place and the variables it mentions."""
    tree = ast.parse(name, mode="eval").body
    return tree, tuple(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
