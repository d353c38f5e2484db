"""Calls of layers: what is in force during one, and the record of calls on symbolic tensors that models are cut from.

Call(layer, arguments) -> outputs      a functional model replays these, and the plain operations between them
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple

from pullback.core import interpreter, nest
from pullback.core.graph import Graph
from pullback.core.tensor import EagerTensor, Tensor


class Frame(NamedTuple):
    """One layer's call: whether it trains, and the prefix of names made in it."""

    layer: Any
    training: Any
    prefix: str


class _Thread(threading.local):
    def __init__(self) -> None:
        self.frames: list[Frame] = []


_thread = _Thread()


def inside() -> Frame | None:
    """The innermost call of a layer that is running."""
    return _thread.frames[-1] if _thread.frames else None


@contextlib.contextmanager
def calling(layer: Any, training: Any, prefix: str) -> Iterator[None]:
    """Runs a layer's call."""
    _thread.frames.append(Frame(layer, training, prefix))
    try:
        yield
    finally:
        _thread.frames.pop()


class Call:
    """One call of a layer on symbolic tensors: `layer(*args, **kwargs) -> outputs`."""

    _made = 0

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs
        Call._made += 1
        self.order = Call._made

    @property
    def inputs(self) -> list[Tensor]:
        """The symbolic tensors among the arguments."""
        return [x for x in nest.leaves_of((self.args, self.kwargs)) if symbolic(x)]


class History:
    """Of one graph: for each tensor that a layer gave, the call; and the tensors that are a model's inputs.

    The entries live as long as the graph, which keeps its tensors."""

    def __init__(self) -> None:
        self.calls: dict[int, Call] = {}
        self.starts: set[int] = set()


def symbolic(x: Any) -> bool:
    return isinstance(x, Tensor) and not isinstance(x, EagerTensor)


def history(graph: Any, make: bool = False) -> History | None:
    """The record of a graph; a graph without model inputs has none."""
    if make:
        return graph.kept.setdefault("calls", History())
    return graph.kept.get("calls") if isinstance(graph, Graph) else None


def call_of(t: Tensor) -> Call | None:
    """The call that gave a tensor."""
    found = history(t.node.graph) if symbolic(t) else None
    return found.calls.get(id(t)) if found else None


class _Masks:
    """What is masked in a tensor, for as long as the tensor lives; of a symbolic one its graph remembers it, since a
    mask holds its graph and so the tensor."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Any, Any]] = {}

    def of(self, t: Any) -> Any:
        if symbolic(t):
            return t.node.graph.kept.get("masks", {}).get(id(t))
        found = self._kept.get(id(t))
        return found[1] if found else None

    def note(self, t: Any, mask: Any) -> None:
        if mask is None:
            return
        key = id(t)
        if symbolic(t):
            t.node.graph.kept.setdefault("masks", {})[key] = mask
            return
        self._kept[key] = weakref.ref(t, lambda _: self._kept.pop(key, None)), mask


masks = _Masks()


def graph_of(values: Any) -> Graph | None:
    """The graph of the first symbolic tensor in a nest."""
    return next((x.node.graph for x in nest.leaves_of(values) if symbolic(x)), None)


@contextlib.contextmanager
def where_inputs_are(values: Any) -> Iterator[Any]:
    """Makes the graph of symbolic inputs current, unless a graph is."""
    here = interpreter.current()
    graph = None if isinstance(here, Graph) else graph_of(values)
    if graph is None:
        yield here
    else:
        with interpreter.entered(graph):
            yield graph
