"""tf.scan, foldl, foldr: a function over the entries of the leading axis that carries what it returned before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.errors import ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import REGISTRY
from pullback.core.tensor import Tensor
from pullback.ops.control.lists import TensorListStack
from pullback.ops.control.loop import while_loop
from pullback.ops.control.tensor_array import TensorArray, _element_shape
from pullback.ops.math.select import StopGradient


@public("scan")
def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """What fn(carried, entry) gives at each entry along the leading axis, stacked; it is carried to the next one.

    Args:
      fn: takes what it returned before and an entry, nests as initializer (or elems) and elems are.
      elems: tensor [n, ...], or a nest of such.
      initializer: what is carried at first; without it the first entry, which is then the first result.
      back_prop: False takes the results as constants for differentiation.
      infer_shape: fn gives the same shape at every entry; False allows what stacking allows.
      reverse: begins with the last entry; results stand where their entries do.
      parallel_iterations, swap_memory: choose speed and memory, never results.
    Returns:
      [n, ...], in the structure of initializer, or of elems without it.
    Raises:
      TypeError: fn is no function. ValueError: elems hold no tensor or a scalar, or, without initializer, no entry.
    """
    run = _Run(fn, elems, "scan")
    with run.context(name):
        n, start, first = run.begin(initializer, reverse)
        arrays = [TensorArray(x.dtype, n, infer_shape=infer_shape, element_shape=None) for x in start.flat]
        if initializer is None:
            at = n - 1 if reverse else 0
            arrays = [a.write(at, x) for a, x in zip(arrays, start.flat, strict=True)]

        def step(i: Any, carried: Any, written: Any) -> Any:
            made = run.called(fn, carried, i, start)
            written = [a.write(i, y) for a, y in zip(written, made, strict=True)]
            return (i - 1 if reverse else i + 1), made, written

        goes_on = (lambda i, *_: i >= 0) if reverse else (lambda i, *_: i < n)
        loop = while_loop(goes_on, step, (first, start.flat, arrays), back_prop=back_prop, return_same_structure=True)
        count = run.count if isinstance(run.count, int) else -1
        stacked = [
            TensorListStack(a.dtype, count)(a.flow, _element_shape(x.spec.shape if infer_shape else a._shape))
            for a, x in zip(loop[2], loop[1], strict=True)
        ]
        if not back_prop:
            stacked = [StopGradient()(y) for y in stacked]
    return nest.unflatten(start.structure, stacked)


@public("foldl")
def foldl(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """fn(... fn(fn(initializer, elems[0]), elems[1]) ..., elems[n-1]): the last result of `scan`, whose arguments
    these are."""
    return _fold(fn, elems, initializer, back_prop, False, name, "foldl")


@public("foldr")
def foldr(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """fn(... fn(fn(initializer, elems[n-1]), elems[n-2]) ..., elems[0]): `foldl` from the last entry."""
    return _fold(fn, elems, initializer, back_prop, True, name, "foldr")


def _fold(fn: Any, elems: Any, initializer: Any, back_prop: bool, reverse: bool, name: str | None, what: str) -> Any:
    run = _Run(fn, elems, what)
    with run.context(name):
        n, start, first = run.begin(initializer, reverse)

        def step(i: Any, carried: Any) -> Any:
            return (i - 1 if reverse else i + 1), run.called(fn, carried, i, start)

        goes_on = (lambda i, _: i >= 0) if reverse else (lambda i, _: i < n)
        loop = while_loop(goes_on, step, (first, start.flat), back_prop=back_prop, return_same_structure=True)
    return nest.unflatten(start.structure, list(loop[1]))


class _Start:
    """What is carried at first: its tensors and how they are laid out."""

    def __init__(self, flat: list[Tensor], structure: Any) -> None:
        self.flat, self.structure = flat, structure


class _Run:
    """The entries that a scan or fold goes over."""

    def __init__(self, fn: Any, elems: Any, what: str) -> None:
        if not callable(fn):
            raise TypeError(f"{what}: fn must be a function")
        self.what = what
        flat, self.structure = nest.flatten(elems)
        if not flat:
            raise ValueError(f"{what}: elems must hold at least one tensor")
        here = interpreter.current()
        self.graph = here if isinstance(here, Graph) else interpreter._graph_of(tuple(flat))
        self.tensors = [interpreter.as_tensor(x, here=self.graph or here) for x in flat]
        for t in self.tensors:
            if t.spec.shape == ():
                raise ShapeError(f"{what}: elems must have a leading axis, but one is a scalar").locate()
        sizes = {t.spec.shape[0] for t in self.tensors if t.spec.shape} - {None}
        if len(sizes) > 1:
            raise ShapeError(f"{what}: elems must have the same leading axis, but have {sorted(sizes)}").locate()  # type: ignore[type-var]
        self.count: Any = next(iter(sizes), None)

    def context(self, name: str | None) -> Any:
        """Context: where the nodes go, under a name."""
        return _in_graph(self.graph, name or self.what)

    def begin(self, initializer: Any, reverse: bool) -> tuple[Any, _Start, Any]:
        """(how many entries, what is carried at first, the first index to call fn at)."""
        n = self.count if self.count is not None else REGISTRY["Shape"]()(self.tensors[0])[0]
        if initializer is not None:
            flat, structure = nest.flatten(initializer)
            start = _Start([interpreter.as_tensor(x) for x in flat], structure)
        else:
            if self.count == 0:
                raise ShapeError(f"{self.what}: elems have no entry, so initializer must say the result").locate()
            start = _Start([t[n - 1 if reverse else 0] for t in self.tensors], self.structure)
        skipped = 0 if initializer is not None else 1
        first = interpreter.as_tensor(n - 1 - skipped if reverse else skipped)
        return n, start, first

    def called(self, fn: Any, carried: Any, i: Any, start: _Start) -> list[Any]:
        """fn's result at an entry, as a flat list of tensors."""
        entry = nest.unflatten(self.structure, [t[i] for t in self.tensors])
        made = nest.leaves_of(fn(nest.unflatten(start.structure, list(carried)), entry))
        if len(made) != len(start.flat):
            raise ValueError(
                f"{self.what}: fn returns {len(made)} tensors, but {len(start.flat)} are carried; they must match"
            )
        return [interpreter.as_tensor(y, x.dtype) for y, x in zip(made, start.flat, strict=True)]


@contextlib.contextmanager
def _in_graph(graph: Any, name: str) -> Iterator[None]:
    if graph is None:
        yield
        return
    with graph.as_default(), graph.name_scope(name):
        yield
