"""Which variables a Saver saves, and under which names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pullback.modes.partitioned import PartitionedVariable
from pullback.modes.variable import Variable


def named_variables(given: Any) -> dict[str, Variable]:
    """Name in the checkpoint -> variable, in order of names.

    Raises:
      TypeError: something is no variable. ValueError: two have one name.
    """
    if isinstance(given, dict):
        unnamed = [name for name in given if not isinstance(name, str)]
        if unnamed:
            raise TypeError(f"var_list must map strings to variables, but has the names {unnamed}")
        pairs = [pair for name, value in given.items() for pair in _parts_of(name, value)]
    elif isinstance(given, Iterable) and not isinstance(given, (str, bytes, Variable)):
        pairs = [pair for value in given for pair in _parts_of(_name_of(value), value)]
    else:
        raise TypeError(f"Variables to save should be passed in a dict or a list. Got {given}")
    found: dict[str, Variable] = {}
    for name, value in sorted(pairs, key=lambda pair: pair[0]):
        if not isinstance(value, Variable):
            raise TypeError(f"var_list must map names to variables, but {name!r} maps to {value!r}, which is none")
        if name in found:
            raise ValueError(f"At least two variables have the same name: {name}")
        found[name] = value
    return found


def _parts_of(name: str, value: Any) -> list[tuple[str, Any]]:
    """(name, variable), of a variable in parts (name/part_i, part) each."""
    if not isinstance(value, PartitionedVariable):
        return [(name, value)]
    return [(f"{name}/part_{i}", part) for i, part in enumerate(value)]


def saved_as(name: str, variable: Variable) -> tuple[str, str]:
    """The tensor a checkpoint holds the variable in, and where in it: "" all of it, else as SliceInfo.spec says."""
    info = variable._save_slice_info
    return (name, "") if info is None else (name.rpartition("/part_")[0] or info.full_name, info.spec)


def _name_of(value: Any) -> str:
    if isinstance(value, PartitionedVariable):
        return value.name
    if not isinstance(value, Variable):
        raise TypeError(f"Variable to save is not a Variable: {value}")
    return value._shared_name
