"""The table from ONNX's operators to functions of tensors, and how a node finds its row.

    @operator("Conv")
    def conv(x, w, bias=None, *, auto_pad="NOTSET", dilations=None, group=1, ...): ...

A node's inputs are the positional arguments in ONNX's order, None for one that is left out; its attributes are given
by name, under ONNX's names and with its defaults. What ONNX has made an input that was an attribute (Squeeze's axes)
is one parameter, and takes either. `since` is the first operator set whose meaning the function has; of several
functions for an operator the newest serves that is not newer than the model's operator set. A function that has a
parameter `outputs` is told how many results its node asks for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pullback.core.errors import ArgumentError, OpError, UnimplementedError

Function = Callable[..., Any]
# The names of ONNX's own domain of operators; other domains are other people's.
OWN = ("", "ai.onnx")
# Attributes of the first operator sets that told an executor about its memory, and change no result.
HINTS = frozenset(["consumed_inputs"])


class Row(NamedTuple):
    """A function for an operator, from an operator set on."""

    name: str
    since: int
    function: Function
    parameters: inspect.Signature

    @property
    def counts_outputs(self) -> bool:
        return "outputs" in self.parameters.parameters

    def __call__(self, inputs: Iterable[Any], attributes: dict[str, Any], outputs: int) -> tuple[Any, ...]:
        """All results of the operator.

        Raises:
          ArgumentError: an attribute or input is missing, or is none that the operator has.
        """
        given = {name: value for name, value in attributes.items() if name not in HINTS}
        if self.counts_outputs:
            given["outputs"] = outputs
        try:
            bound = self.parameters.bind(*inputs, **given)
        except TypeError as error:
            raise ArgumentError(
                f"ONNX {self.name} (translated since operator set {self.since}): {error}; it takes "
                f"{self.name}{self.parameters}"
            ).locate() from None
        made = self.function(*bound.args, **bound.kwargs)
        return made if isinstance(made, tuple) else (made,)


_TABLE: dict[str, list[Row]] = {}


def operator(name: str, since: int = 1) -> Callable[[Function], Function]:
    """Declares a function to be what an ONNX operator means, from operator set `since` on."""

    def declare(function: Function) -> Function:
        rows = _TABLE.setdefault(name, [])
        rows.append(Row(name, since, function, inspect.signature(function)))
        rows.sort(key=lambda row: row.since)
        return function

    return declare


def operators() -> dict[str, tuple[Row, ...]]:
    """Every operator that is translated, by name, with its functions, oldest first."""
    return {name: tuple(rows) for name, rows in sorted(_TABLE.items())}


def is_translated(name: str, version: int) -> bool:
    """Whether there is a function for the operator as an operator set has it."""
    return name in _TABLE and _TABLE[name][0].since <= version


def row(name: str, version: int) -> Row:
    """The function for an operator as an operator set has it.

    Raises:
      UnimplementedError: there is none.
    """
    if not is_translated(name, version):
        raise untranslated(f"a node of operator set {version}", [lacking(name)])
    return [found for found in _TABLE[name] if found.since <= version][-1]


def lacking(name: str) -> str:
    """An operator that is not translated, in words."""
    rows = _TABLE.get(name)
    return f"operator {name} (translated since operator set {rows[0].since})" if rows else f"operator {name}"


def untranslated(where: str, what: Iterable[str]) -> OpError:
    """The error that lists what is not translated."""
    return UnimplementedError(
        f"{where} has what is not translated from ONNX: {', '.join(sorted(set(what)))}. An older operator set may be "
        "converted by onnx.version_converter.convert_version; an operator is added by a function with "
        "@operator(name), from pullback.interop.onnx"
    ).locate()
