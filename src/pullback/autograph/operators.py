"""What converted code calls. On Python's values each is the statement or expression it stands for; on symbolic
tensors it is recorded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from pullback.autograph import branches, loops
from pullback.autograph.calls import callee
from pullback.autograph.functions import is_dataset, is_iterator, staged, symbolic
from pullback.autograph.places import Places
from pullback.core import interpreter
from pullback.core.graph import Graph
from pullback.ops.control.world import Assert
from pullback.ops.math.arithmetic import LogicalNot

__all__ = ["any_of", "asserted", "both", "branch", "callee", "each", "either", "loop", "loop_options", "negated"]

Block = Callable[[], Any]


def branch(test: Any, then: Block, orelse: Block, names: Sequence[str]) -> None:
    """if test: then() else: orelse(). names: the variables they change that are read later."""
    tensor = None if type(test) is bool else symbolic(test)
    if tensor is not None:
        branches.statement(tensor, then, orelse, Places(names, then, orelse))
    elif test:
        then()
    else:
        orelse()


def either(test: Any, then: Block, orelse: Block, shown: str) -> Any:
    """then() if test else orelse(). shown: the test as it is written."""
    tensor = None if type(test) is bool else symbolic(test)
    if tensor is None:
        return then() if test else orelse()
    tensor = branches.checked(tensor, "conditional expression")
    return branches.chosen(tensor, lambda: [then()], lambda: [orelse()], [shown])[0]


def both(a: Any, b: Block) -> Any:
    """a and b(); b is asked only where a holds."""
    tensor = symbolic(a)
    if tensor is None:
        return a and b()
    tensor = branches.checked(tensor, "`and`")
    return branches.chosen(tensor, lambda: [b()], lambda: [tensor], ["and"])[0]


def any_of(a: Any, b: Block) -> Any:
    """a or b(); b is asked only where a does not hold."""
    tensor = symbolic(a)
    if tensor is None:
        return a or b()
    tensor = branches.checked(tensor, "`or`")
    return branches.chosen(tensor, lambda: [tensor], lambda: [b()], ["or"])[0]


def negated(a: Any) -> Any:
    """not a; of each entry of a tensor."""
    tensor = symbolic(a)
    return not a if tensor is None else LogicalNot()(tensor)


def asserted(test: Any, message: Block | None = None) -> None:
    """assert test, message(). On a tensor InvalidArgumentError is raised when it runs and an entry does not hold."""
    tensor = symbolic(test)
    if tensor is not None:
        said = "assert" if message is None else message()
        Assert()(tensor, *(said if isinstance(said, (list, tuple)) else (said,)))
    elif message is None:
        assert test
    else:
        assert test, message()


def loop(test: Block, body: Block, names: Sequence[str], options: Block | None) -> None:
    """while test(): body()"""
    while True:
        goes_on = _first(test)
        if symbolic(goes_on) is not None:
            return loops.repeated(test, body, names, options)
        if not goes_on:
            return None
        body()


def _first(test: Block) -> Any:
    """What a loop's test says, asked where nothing is recorded."""
    here = interpreter.current()
    if not isinstance(here, Graph):
        return test()
    with Graph(here.dialect, here, "test").as_default():
        return test()


def each(
    over: Any, body: Callable[[Any], Any], names: Sequence[str], options: Block | None, goes_on: Block | None
) -> None:
    """for item in over: body(item), as long as goes_on() holds."""
    entries = loops.entries_of(over, staged(over))
    if entries is not None:
        return loops.over_entries(entries, body, names, options, goes_on)
    if isinstance(interpreter.current(), Graph):
        if is_dataset(over):
            return loops.over_dataset(over, body, names, options, goes_on)
        if is_iterator(over):
            return loops.over_iterator(over, body, names, options, goes_on)
    for item in over:
        more = True if goes_on is None else goes_on()
        if (tensor := symbolic(more)) is not None:
            branches.statement(tensor, functools.partial(body, item), _nothing, Places(names, body))
        elif more:
            body(item)
        else:
            return None
    return None


def _nothing() -> None:
    return None


def loop_options(**said: Any) -> loops.Options:
    """What set_loop_options says in a loop's body."""
    return loops.Options(**said)
