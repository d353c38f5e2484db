"""What a matrix is promised to be: is_non_singular, is_self_adjoint, is_positive_definite, is_square.

Each is True, False or None for "not known". They are promises, never checked against the numbers.
"""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError

HINTS = ("is_non_singular", "is_self_adjoint", "is_positive_definite", "is_square")


class HintError(ArgumentError, NotImplementedError):
    """What an operator's hints rule out was asked of it."""


def settled(given: bool | None, truth: bool, why: str) -> bool:
    """A hint that follows from what the operator is.

    Raises:
      ArgumentError: the user said otherwise; with `why`.
    """
    if given is not None and bool(given) is not truth:
        raise ArgumentError(why).locate()
    return truth


def inherited(operator: Any, given: dict[str, Any], of: str) -> dict[str, Any]:
    """The hints of an operator's inverse or adjoint: the operator's own, which those given may complete.

    Raises:
      ArgumentError: one that is given contradicts the operator's.
    """
    out = {}
    for hint in HINTS:
        own = getattr(operator, hint)
        if own is not None and given[hint] is not None and bool(own) is not bool(given[hint]):
            raise ArgumentError(
                f"{hint}={given[hint]} was given for the {of} of {operator.name}, whose own hint is {own}; "
                f"an operator and its {of} share this property"
            ).locate()
        out[hint] = given[hint] if own is None else own
    return out


def hints_of(operator: Any) -> dict[str, Any]:
    """All four, as keyword arguments."""
    return {hint: getattr(operator, hint) for hint in HINTS}


def shared(operators: Any, given: dict[str, Any], what: str) -> dict[str, Any]:
    """The hints of a direct sum or a Kronecker product, which has the properties that all its parts have.

    Raises:
      ArgumentError: one that is given denies what all parts have.
    """
    out = dict(given)
    for hint in ("is_non_singular", "is_self_adjoint", "is_positive_definite"):
        if all(getattr(operator, hint) for operator in operators):
            words = hint.removeprefix("is_").replace("_", "-")
            out[hint] = settled(given[hint], True, f"the {what} of {words} operators is always {words}; drop {hint}")
    return out


def non_singular(left: Any, right: Any) -> bool | None:
    """The product's hint: singular with either factor, regular with both."""
    if left.is_non_singular is False or right.is_non_singular is False:
        return False
    return True if left.is_non_singular and right.is_non_singular else None


def square(left: Any, right: Any) -> bool | None:
    """The product's hint."""
    a, b = left.is_square, right.is_square
    if a and b:
        return True
    if a is False and b is False:
        rows, columns = left.range_dimension.value, right.domain_dimension.value
        return None if rows is None or columns is None else rows == columns
    return None if a is None or b is None else False


def commuting(left: Any, right: Any) -> dict[str, Any]:
    """The hints of a product of square matrices that commute."""
    a, b = left.is_self_adjoint, right.is_self_adjoint
    definite = a and b and left.is_positive_definite and right.is_positive_definite
    return {
        "is_non_singular": non_singular(left, right),
        "is_self_adjoint": True if a and b else False if {a, b} == {True, False} else None,
        "is_positive_definite": True if definite else None,
        "is_square": True,
    }


def general(left: Any, right: Any) -> dict[str, Any]:
    """The hints of any product."""
    whole = square(left, right)
    rest = False if whole is False else None
    return {
        "is_non_singular": non_singular(left, right) if whole else rest,
        "is_self_adjoint": rest,
        "is_positive_definite": rest,
        "is_square": whole,
    }
