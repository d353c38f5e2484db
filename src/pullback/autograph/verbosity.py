"""What conversion tells about itself: `tf.autograph.set_verbosity`, `tf.autograph.trace`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from pullback.core.names import public

_verbosity = {"level": int(os.environ.get("AUTOGRAPH_VERBOSITY", "0") or 0), "to_stdout": 0}


@public("autograph.set_verbosity")
def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """What conversion tells on standard error: at 0 nothing, from 1 which functions run as they stand for want of
    source, from 3 also the converted code. At first the level is AUTOGRAPH_VERBOSITY of the environment.

    alsologtostdout: tells it on standard output too.
    """
    _verbosity.update(level=int(level), to_stdout=int(alsologtostdout))


@public("autograph.trace")
def trace(*args: Any) -> None:
    """Prints its arguments while tracing."""
    print(*args)


def tell(level: int, text: Callable[[], str]) -> None:
    """Writes what is to be said about a conversion, where the verbosity asks for it."""
    if _verbosity["level"] >= level:
        for stream in (sys.stderr, sys.stdout) if _verbosity["to_stdout"] else (sys.stderr,):
            stream.write(text() + "\n")
