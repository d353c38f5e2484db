"""Checks when run that several operators share. Each is an operation; eagerly None."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pullback.core import interpreter
from pullback.modes.grouping import group
from pullback.ops.array.creation import zeros_like
from pullback.ops.control.assertions import assert_equal, assert_none_equal
from pullback.ops.math.functions import abs_, imag


def all_of(assertions: Iterable[Any]) -> Any:
    """Several checks as one."""
    return group(*[assertion for assertion in assertions if assertion is not None])


def assert_no_zeros(x: Any, message: str) -> Any:
    size = abs_(interpreter.as_tensor(x))
    return assert_none_equal(size, zeros_like(size), message=message)


def assert_real(x: Any, message: str) -> Any:
    """That imaginary parts are zero."""
    part = imag(interpreter.as_tensor(x))
    return assert_equal(part, zeros_like(part), message=message)
