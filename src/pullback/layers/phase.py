"""Keras' settings of the process: the type of floats, the order of axes, the fuzz, and the learning phase."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.modes.session import placeholder_with_default


class _Settings:
    floatx = "float32"
    layout = "channels_last"
    epsilon = 1e-7
    phase: int | None = None


@public("keras.backend.floatx")
def floatx() -> str:
    """The type of floats that layers take by default, "float32"."""
    return _Settings.floatx


@public("keras.backend.set_floatx")
def set_floatx(value: Any) -> None:
    """Sets `floatx`: "float16", "bfloat16", "float32" or "float64".

    Raises:
      ValueError: it is none of these.
    """
    name = as_dtype(value).name
    if name not in ("float16", "bfloat16", "float32", "float64"):
        raise ArgumentError(f"set_floatx: unknown floatx {value!r}; give float16, float32 or float64").locate()
    _Settings.floatx = name


@public("keras.backend.image_data_format")
def image_data_format() -> str:
    """The order of axes that layers take by default, "channels_last"."""
    return _Settings.layout


@public("keras.backend.set_image_data_format")
def set_image_data_format(data_format: str) -> None:
    """Sets `image_data_format`.

    Raises:
      ValueError: it is neither "channels_last" nor "channels_first".
    """
    _Settings.layout = layout_of(data_format)


def layout_of(data_format: Any) -> str:
    """The order of axes, the default for None.

    Raises:
      ValueError: it is neither "channels_last" nor "channels_first".
    """
    found = _Settings.layout if data_format is None else str(data_format).lower()
    if found not in ("channels_last", "channels_first"):
        raise ArgumentError(f'data_format must be "channels_last" or "channels_first", but is {data_format!r}').locate()
    return found


@public("keras.backend.epsilon")
def epsilon() -> float:
    """A small number that keeps divisions from zero, 1e-7."""
    return _Settings.epsilon


@public("keras.backend.set_epsilon")
def set_epsilon(value: float) -> None:
    """Sets `epsilon`."""
    _Settings.epsilon = float(value)


@public("keras.backend.set_learning_phase")
def set_learning_phase(value: Any) -> None:
    """Says whether layers train where nobody else says it: 1 yes, 0 no.

    Raises:
      ValueError: it is neither.
    """
    if value not in (0, 1):
        raise ArgumentError(f"set_learning_phase: expected learning phase to be 0 or 1, but it is {value!r}").locate()
    here = interpreter.current()
    if isinstance(here, Graph) and isinstance(here.outermost, Graph):
        here.outermost.kept["learning phase"] = int(value)
    else:
        _Settings.phase = int(value)


@public("keras.backend.learning_phase")
def learning_phase() -> Any:
    """Whether layers train: 0 or 1; in a session's graph a scalar bool that may be fed, False by default."""
    here = interpreter.current()
    outermost = here.outermost if isinstance(here, Graph) else here
    if not isinstance(outermost, Graph):
        return _Settings.phase or 0
    if "learning phase" not in outermost.kept:
        with outermost.as_default(), outermost.control_dependencies(None), outermost.name_scope(None):
            made = placeholder_with_default(False, (), name="keras_learning_phase")
            outermost.kept["learning phase"] = made
    return outermost.kept["learning phase"]


def chosen(here: Any) -> Any:
    """What `set_learning_phase` said; None when nothing."""
    outermost = here.outermost if isinstance(here, Graph) else here
    if not isinstance(outermost, Graph):
        return None if _Settings.phase is None else bool(_Settings.phase)
    found = outermost.kept.get("learning phase")
    return None if found is None or isinstance(found, Tensor) else bool(found)


def forget(graph: Graph) -> None:
    """Nobody says whether layers train, neither eagerly nor in this graph."""
    _Settings.phase = None
    graph.kept.pop("learning phase", None)
