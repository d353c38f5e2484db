"""`tf.logging`: the logger "tensorflow" of the standard library, with TensorFlow's names for what it does."""

from __future__ import annotations

import functools
import logging
import sys
import threading
from collections import Counter
from typing import Any

from pullback.core.names import public, public_value

DEBUG, INFO, WARN, ERROR, FATAL = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.FATAL
for _name in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL"):
    public_value(_name, v1=f"logging.{_name}")
_lines: Counter[tuple[str, int]] = Counter()
_lock = threading.Lock()


class _Stderr(logging.StreamHandler[Any]):
    """Writes to what `sys.stderr` is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None:
        raise AttributeError("the stream is sys.stderr")


@public("get_logger")
@functools.cache
def get_logger() -> logging.Logger:
    """The logger "tensorflow". It shows warnings and worse until `set_verbosity`; "INFO:tensorflow:message" on stderr,
    unless the program has handlers of its own."""
    logger = logging.getLogger("tensorflow")
    if logger.level == logging.NOTSET:
        logger.setLevel(WARN)
    if not logging.getLogger().handlers and not logger.handlers:
        handler = _Stderr()
        handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        logger.addHandler(handler)
        logger.propagate = False
    return logger


@public(v1="logging.get_verbosity")
def get_verbosity() -> int:
    """The level from which messages are shown."""
    return get_logger().getEffectiveLevel()


@public(v1="logging.set_verbosity")
def set_verbosity(v: Any) -> None:
    """Shows messages of level `v` (tf.logging.INFO, or its name) and above."""
    get_logger().setLevel(v)


@public(v1="logging.log")
def log(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    """Logs `msg % args` at a level."""
    get_logger().log(level, msg, *args, **{"stacklevel": 2, **kwargs})


@public(v1="logging.debug")
def debug(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Logs `msg % args` at DEBUG."""
    get_logger().debug(msg, *args, **{"stacklevel": 2, **kwargs})


@public(v1="logging.info")
def info(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Logs `msg % args` at INFO."""
    get_logger().info(msg, *args, **{"stacklevel": 2, **kwargs})


@public(v1="logging.warning")
def warning(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Logs `msg % args` at WARN."""
    get_logger().warning(msg, *args, **{"stacklevel": 2, **kwargs})


@public(v1="logging.warn")
def warn(msg: Any, *args: Any, **kwargs: Any) -> None:
    """`warning` by its short name."""
    get_logger().warning(msg, *args, **{"stacklevel": 2, **kwargs})


@public(v1="logging.error")
def error(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Logs `msg % args` at ERROR."""
    get_logger().error(msg, *args, **{"stacklevel": 2, **kwargs})


@public(v1="logging.fatal")
def fatal(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Logs `msg % args` at FATAL. The program goes on."""
    get_logger().fatal(msg, *args, **{"stacklevel": 2, **kwargs})


@public(v1="logging.vlog")
def vlog(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    """`log`."""
    get_logger().log(level, msg, *args, **{"stacklevel": 2, **kwargs})


@public(v1="logging.flush")
def flush() -> None:
    """Nothing waits: each message is written at once."""


def _seen() -> int:
    """How often the caller's caller's line was here before."""
    frame = sys._getframe(2)
    with _lock:
        key = frame.f_code.co_filename, frame.f_lineno
        _lines[key] += 1
        return _lines[key] - 1


@public(v1="logging.log_every_n")
def log_every_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Logs the first of every n calls from this line."""
    if _seen() % n == 0:
        log(level, msg, *args, stacklevel=3)


@public(v1="logging.log_first_n")
def log_first_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Logs the first n calls from this line."""
    if _seen() < n:
        log(level, msg, *args, stacklevel=3)


@public(v1="logging.log_if")
def log_if(level: int, msg: Any, condition: Any, *args: Any) -> None:
    """Logs when the condition holds."""
    if condition:
        log(level, msg, *args, stacklevel=3)


@public(v1="logging.TaskLevelStatusMessage")
def TaskLevelStatusMessage(msg: Any) -> None:
    """Logs at ERROR."""
    error(msg, stacklevel=3)
