"""What operators share that are made of others: of several (products, direct sums), or of one (adjoint, inverse)."""

from __future__ import annotations

import functools
import operator as python_operator
from collections.abc import Callable
from typing import Any

from pullback.core.errors import ArgumentError, DTypeError
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.assertions import all_of
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.hints import inherited


def parts(operators: Any) -> list[Any]:
    """The operators that another is made of.

    Raises:
      ArgumentError: there is none. DTypeError: their types differ.
    """
    operators = list(operators)
    if not operators:
        raise ArgumentError("operators: at least one operator is needed, but the list is empty").locate()
    if len({part.dtype for part in operators}) > 1:
        shown = ", ".join(f"{part.name} {part.dtype.name}" for part in operators)
        raise DTypeError(f"operators must be of one type, but are {shown}").locate()
    return operators


def multiplied(factors: Any) -> Any:
    """The product of numbers or tensors, from the left."""
    return functools.reduce(python_operator.mul, factors)


def added(terms: Any) -> Any:
    return functools.reduce(python_operator.add, terms)


def of_square_parts(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A method that goes by the parts' own where all are square; elsewhere LinearOperator's general one is called."""

    @functools.wraps(rule)
    def chosen(self: Any, *args: Any, **kwargs: Any) -> Any:
        if all(part.is_square for part in self._operators):
            return rule(self, *args, **kwargs)
        return getattr(LinearOperator, rule.__name__)(self, *args, **kwargs)

    return chosen


class OfParts(LinearOperator):
    """Base of what is made of several operators, of one type. sign: stands between their names, where it has none."""

    def __init__(self, operators: list[Any], hints: dict[str, Any], name: str | None, sign: str) -> None:
        self._operators = operators
        super().__init__(operators[0].dtype, **hints, name=name or sign.join(part.name for part in operators))

    @property
    def operators(self) -> list[Any]:
        """The factors from the left, or the blocks from the top."""
        return self._operators

    @of_square_parts
    def _assert_non_singular(self) -> Any:
        return all_of(part.assert_non_singular() for part in self._operators)


class OfOne(LinearOperator):
    """Base of what is made of one operator, whose hints, condition and assertions are its own.

    given: the hints that it is given. what: how messages call it. suffix: of its name, where it has none.
    """

    def __init__(self, operator: Any, given: dict[str, Any], what: str, name: str | None, suffix: str) -> None:
        self._operator = operator
        hints = inherited(operator, given, what)
        super().__init__(operator.dtype, **hints, name=name or f"{operator.name}{suffix}")

    @property
    def operator(self) -> Any:
        """What it is made of."""
        return self._operator

    def _cond(self) -> Tensor:
        return self._operator.cond()

    def _assert_non_singular(self) -> Any:
        return self._operator.assert_non_singular()

    def _assert_self_adjoint(self) -> Any:
        return self._operator.assert_self_adjoint()

    def _assert_positive_definite(self) -> Any:
        return self._operator.assert_positive_definite()
