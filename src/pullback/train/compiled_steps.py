"""An optimizer's steps in eager programs: from the third of a kind on one program for all variables.

Op by op a step goes over memory a dozen times for each variable; planned, once, and what it keeps is updated in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType, MethodType
from typing import Any

from pullback.core import interpreter
from pullback.core.config import config
from pullback.core.tensor import EagerTensor
from pullback.modes.function import Function
from pullback.modes.variable import Variable
from pullback.train.schedules import LearningRateSchedule

# Steps of one kind that are taken op by op first: a program costs as much to make as some of them.
FIRST = 2
MOST = 64  # sets of variables that are kept apart


class CompiledSteps:
    """What an optimizer's settings were compiled to; a change of settings needs another.

    Only what computes with tensors alone is compiled. A rate, a constraint or an optimizer that users wrote is run each
    time: it may do anything.
    """

    def __init__(self) -> None:
        # By the variables' ids: how often they were met, then the program, or -1 where there is none.
        self._programs: dict[tuple[int, ...], int | Function] = {}

    def __reduce__(self) -> Any:
        return CompiledSteps, ()  # copies of an optimizer compile for themselves

    def taken(self, optimizer: Any, rate: Any, grads: Sequence[Any], variables: Sequence[Any]) -> bool:
        """Takes a step, where that is compiled. rate: the learning rate as the optimizer holds it."""
        here = interpreter.current()
        if type(here) is not interpreter.Eager or here.tapes or config.functions_run_eagerly:
            return False
        if not all([type(g) is EagerTensor for g in grads]):
            return False
        kind = tuple(map(id, variables))
        found = self._programs.get(kind, 0)
        if isinstance(found, int):
            if found == FIRST:
                found = self._made(optimizer, rate, list(variables))
            elif found >= 0:
                found += 1
            if len(self._programs) >= MOST:
                self._programs.clear()
            self._programs[kind] = found
        if isinstance(found, int):
            return False
        found(*grads)
        return True

    def _made(self, optimizer: Any, rate: Any, variables: list[Any]) -> int | Function:
        """The program of a step, or -1."""
        plain = _is_ours(optimizer) and (isinstance(rate, Variable) or _is_ours(rate, LearningRateSchedule))
        if not plain or any([v.constraint is not None for v in variables]):
            return -1
        return Function(lambda *given: optimizer.apply(given, variables), autograph=False)


def _is_ours(thing: Any, kind: type = object) -> bool:
    """Whether it is of a class of this package, and holds no function of the user's."""
    if not isinstance(thing, kind) or not type(thing).__module__.startswith("pullback."):
        return False
    return not any(isinstance(value, FunctionType | MethodType) for value in vars(thing).values())
