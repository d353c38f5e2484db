"""Error classes. Each is TensorFlow's class and Python's at once, so both kinds of `except` work.

A message says what failed, what was given, what was needed, how to mend it, and the user's line.
"""

from __future__ import annotations

import os
import sys
from types import FrameType

from pullback.core.names import public

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


@public("errors.OpError", v1=("errors.OpError", "OpError"))
class OpError(Exception):
    """Base of TensorFlow's errors: `OpError(node_def, op, message)` or `OpError(message)`."""

    error_code = 2

    def __init__(self, *args: object) -> None:
        self.node_def, self.op, message = args if len(args) == 3 else (None, None, "".join(map(str, args)))
        self.message = str(message)
        self.located = False
        super().__init__(self.message)

    def locate(self, line: str | None = None) -> OpError:
        """Appends the user's file and line, once: a message that ends with what an inner error said has them."""
        line = line or user_line()
        if not self.located and line:
            self.located = True
            if not self.message.endswith(f"({line})"):
                self.message = f"{self.message} ({line})"
                self.args = (self.message,)
        return self

    def __str__(self) -> str:
        return self.message


def _class(name: str, code: int, *bases: type) -> type[OpError]:
    made = type(name, bases or (OpError,), {"error_code": code, "__module__": __name__})
    return public(f"errors.{name}")(made)


CancelledError = _class("CancelledError", 1)
UnknownError = _class("UnknownError", 2)


@public("errors.InvalidArgumentError")
class InvalidArgumentError(OpError):
    """An argument has a wrong value, shape or type."""

    error_code = 3


DeadlineExceededError = _class("DeadlineExceededError", 4)
NotFoundError = _class("NotFoundError", 5)
AlreadyExistsError = _class("AlreadyExistsError", 6)
PermissionDeniedError = _class("PermissionDeniedError", 7)
ResourceExhaustedError = _class("ResourceExhaustedError", 8)


@public("errors.FailedPreconditionError")
class FailedPreconditionError(OpError):
    """The system is not in the state the call needs, as when a variable was never initialised."""

    error_code = 9


AbortedError = _class("AbortedError", 10)
OutOfRangeError = _class("OutOfRangeError", 11)
UnimplementedError = _class("UnimplementedError", 12)
InternalError = _class("InternalError", 13)
UnavailableError = _class("UnavailableError", 14)
DataLossError = _class("DataLossError", 15)
UnauthenticatedError = _class("UnauthenticatedError", 16)


class ShapeError(InvalidArgumentError, ValueError):
    """Shapes do not fit an op or each other."""


class ArgumentError(InvalidArgumentError, ValueError):
    """An argument's value is none of those that mean something."""


class DTypeError(InvalidArgumentError, TypeError):
    """Types do not fit an op or each other. Tensors are never promoted."""


class GraphError(InvalidArgumentError, ValueError):
    """Tensors of different graphs met, or a graph was asked for what it does not hold."""


class UnfedError(InvalidArgumentError, ValueError):
    """A placeholder was needed and no value was fed for it."""


class UninitializedError(FailedPreconditionError, ValueError):
    """A variable was read before it was given a value."""


class GradientError(InvalidArgumentError, ValueError):
    """A gradient rule's answer does not fit the input it is for."""


class GradientLookupError(OpError, LookupError):
    """No gradient rule is known where one is needed."""

    error_code = 12


class TapeError(FailedPreconditionError, RuntimeError):
    """A tape was asked for what it cannot give, as a second gradient of a tape that is not persistent."""


class StaticOnly(FailedPreconditionError, TypeError):
    """A symbolic tensor was used as a Python value; it has none before it is run."""


def user_frame() -> FrameType | None:
    """The innermost frame outside this package."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def user_line() -> str:
    """ "train.py:41" for the user's innermost frame, "" when there is none."""
    frame = user_frame()
    return "" if frame is None else f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
