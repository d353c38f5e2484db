"""A loop on symbolic tensors: its body is run once on parameters, and recorded as the body of a While."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.autograph import branches
from pullback.autograph.functions import rows, symbolic
from pullback.autograph.places import Places
from pullback.autograph.variables import Variables
from pullback.core import dtypes, interpreter, nest
from pullback.core.errors import DTypeError
from pullback.core.graph import Graph
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.ops.array.ranges import Range
from pullback.ops.control import loop
from pullback.ops.control.world import Assert
from pullback.ops.math.arithmetic import LogicalAnd, LogicalNot
from pullback.ops.math.select import Cast

Block = Callable[[], Any]


class Options:
    """What set_loop_options says. `parallel_iterations` and `swap_memory` choose speed and memory, never results."""

    def __init__(
        self,
        parallel_iterations: Any = None,
        swap_memory: Any = None,
        maximum_iterations: Any = None,
        shape_invariants: Any = None,
    ) -> None:
        self.most = maximum_iterations
        self._shapes: dict[int, Any] = {}
        for value, shape in shape_invariants or ():
            for leaf, of_leaf in zip(nest.leaves_of(value), nest.leaves_of(shape), strict=True):
                self._shapes[id(leaf)] = as_shape(of_leaf)

    def shape(self, given: Any, tensor: Tensor) -> Any:
        """The shape that a variable has at every trip, of the value it was given before the loop."""
        return self._shapes.get(id(given), tensor.spec.shape)


class Entries:
    """What a loop goes over: count, an int or a tensor, and item(i)."""

    def __init__(self, count: Any, item: Callable[[Tensor], Any]) -> None:
        self.count, self.item = count, item


def entries_of(over: Any, tensor: Tensor | None) -> Entries | None:
    """The entries of a tensor along its leading axis, or the rows of a ragged tensor; None of anything else."""
    if tensor is not None:
        start, _, step = tensor.node.inputs if type(tensor.node.op) is Range else (None, None, None)
        if start is None:
            return Entries(rows(tensor), lambda i: tensor[i])
        count = rows(tensor)
        return Entries(count, lambda i: start + (i if i.dtype is start.dtype else Cast(start.dtype)(i)) * step)
    if hasattr(type(over), "nrows") and symbolic(over.flat_values) is not None:
        return Entries(over.nrows(), lambda i: over[i])
    return None


def repeated(
    test: Block,
    body: Block,
    names: Sequence[str],
    options: Callable[[], Options] | None,
    *called: Callable[..., Any] | None,
) -> None:
    """Records `while test(): body()`. called: functions that change variables of the loop, besides these."""
    said = options() if options is not None else Options()
    here = interpreter.current()
    if not isinstance(here, Graph):
        with test().graph.as_default():
            return repeated(test, body, names, lambda: said, *called)
    variables = Variables(Places(names, test, body, *called), body, said)

    def goes_on() -> Tensor:
        return branches.checked(interpreter.as_tensor(test()), "while loop")

    return _recorded(variables, lambda _: goes_on(), lambda _: body(), said, None)


def over_entries(
    entries: Entries,
    body: Callable[[Any], Any],
    names: Sequence[str],
    options: Callable[[], Options] | None,
    goes_on: Block | None,
) -> None:
    """Records `for item in entries: body(item)`, as long as goes_on() holds."""
    said = options() if options is not None else Options()
    here = interpreter.current()
    if not isinstance(here, Graph):
        with entries.item(interpreter.as_tensor(0)).graph.as_default():
            return over_entries(entries, body, names, lambda: said, goes_on)
    count = interpreter.as_tensor(entries.count)
    variables = Variables(Places(names, body, goes_on), lambda: body(entries.item(_integer(count.dtype))), said)

    def more(i: Tensor) -> Tensor:
        there = i < count
        return there if goes_on is None else LogicalAnd()(there, interpreter.as_tensor(goes_on()))

    return _recorded(variables, more, lambda i: body(entries.item(i)), said, entries.count, count.dtype)


def _integer(dtype: Any) -> Tensor:
    """An index whose value is not known."""
    return interpreter.current().parameter(interpreter.spec_of(np.zeros((), dtype.numpy)))


def _recorded(
    variables: Variables,
    goes_on: Callable[[Any], Tensor],
    step: Callable[[Any], Any],
    options: Options,
    count: Any,
    index: Any = dtypes.int32,
) -> None:
    """Records a While of the variables, and of the number of the trip where something needs it.

    count: the entries a `for` goes over, an int or a tensor; None of a `while`. index: the type of trip numbers.
    """
    counts = [interpreter.as_tensor(np.zeros((), index.numpy))]
    if count is None and options.most is None and not variables.first_set and variables.start:
        counts = []
    n = len(counts)

    def test(*state: Tensor) -> Tensor:
        variables.load(state[n:])
        more = goes_on(state[0])
        limited = None if options.most is None else state[0] < Cast(index)(interpreter.as_tensor(options.most))
        return more if limited is None else LogicalAnd()(limited, more)

    def trip(*state: Tensor) -> list[Tensor]:
        variables.load(state[n:])
        try:
            step(state[0])
        except DTypeError as error:
            raise variables.explained(error) from None
        return [*[i + 1 for i in state[:n]], *variables.collect()]

    try:
        results = loop.build(test, trip, [*counts, *variables.start], [*[()] * n, *variables.shapes], "while")
    finally:
        variables.restore()
    variables.finish(results[n:])
    if variables.first_set and not (isinstance(count, int) and count > 0):
        _must_run(results[0], variables.first_set)


def _must_run(trips: Tensor, names: list[str]) -> None:
    Assert()(trips > 0, f"loop must iterate at least once to initialize {', '.join(names)}")


def over_dataset(
    dataset: Any,
    body: Callable[[Any], Any],
    names: Sequence[str],
    options: Callable[[], Options] | None,
    goes_on: Block | None,
) -> None:
    """Records a loop over a dataset's elements as its `reduce`; what may break off, as `scan` and `take_while`."""
    said = options() if options is not None else Options()
    if said.most is not None:
        dataset = dataset.take(said.most)

    def once() -> None:
        def trial(state: Any, element: Any) -> Any:
            body(element)
            return state, state

        dataset.scan(np.int32(0), trial)

    variables = Variables(Places(names, body, goes_on), once, said)

    def step(state: Any, element: Any) -> tuple[Any, ...]:
        trips, *carried = state
        variables.load(carried)
        body(element)
        return (trips + 1, *variables.collect())

    def guarded(state: Any, element: Any) -> Any:
        assert goes_on is not None
        variables.load(state[1:])
        more = interpreter.as_tensor(goes_on())
        new = branches.chosen(more, lambda: list(step(state, element)), lambda: list(state), ["loop"] * len(state))
        return tuple(new), (more, *new)

    start = (interpreter.as_tensor(np.int32(0)), *variables.start)
    try:
        if goes_on is not None:
            tried = dataset.scan(start, guarded).take_while(lambda more, *_: more)
            trips, *results = tried.reduce(start, lambda _, element: element[1:])
        else:
            trips, *results = dataset.reduce(start, step)
    finally:
        variables.restore()
    variables.finish(results)
    if variables.first_set:
        _must_run(trips, variables.first_set)


def over_iterator(
    iterator: Any,
    body: Callable[[Any], Any],
    names: Sequence[str],
    options: Callable[[], Options] | None,
    goes_on: Block | None,
) -> None:
    """Records a loop over the elements that an iterator still has."""
    ended_ = False

    def more() -> Any:
        going = LogicalNot()(interpreter.as_tensor(ended_))
        return going if goes_on is None else LogicalAnd()(going, interpreter.as_tensor(goes_on()))

    def step() -> None:
        found = iterator.get_next_as_optional()
        places = Places([*names, "ended_"], body, stop)
        branches.statement(found.has_value(), lambda: body(found.get_value()), stop, places)

    def stop() -> None:
        nonlocal ended_
        ended_ = True

    repeated(more, step, [*names, "ended_"], options, body, stop)
