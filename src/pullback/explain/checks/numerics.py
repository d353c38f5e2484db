"""Stopping at the first op that makes a NaN or an infinity, forward or backward.

    with check_numerics():
        session.run(train)         or a function, or eager code and its tape

It listens where computation is told of anyway: programs (sessions, functions) by the engine's `on_node`, eager ops as a
tape does. The error names the op, what it was given, and the user's line; of a gradient, the op it is the gradient of.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.backprop import current_sweep
from pullback.core.errors import InvalidArgumentError, OpError, user_frame, user_line
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import text
from pullback.core.tensor import EagerTensor, Node, Operation, Tensor
from pullback.engines.base import Engine
from pullback.explain.pictures import Statistics
from pullback.modes.grouping import group
from pullback.ops.math.check_numerics import check_numerics as checked

# Ops whose business these numbers are: they hand on what they were given, or answer whether it is finite.
_HANDS_ON = frozenset({"Placeholder", "PlaceholderWithDefault", "Const", "CheckNumerics", "Print", "PrintV2", "Assert"})


class NumericsError(InvalidArgumentError):
    """An op made NaN or infinity.

    type, name: of the op; the name is "" in eager mode. backward: whether it belongs to a gradient.
    inputs: what each of its inputs held, as `Statistics`.
    """

    def __init__(self, message: str, type: str = "", name: str = "", backward: str = "", inputs: Any = ()) -> None:
        super().__init__(message)
        self.type, self.name, self.backward, self.inputs = type, name, backward, tuple(inputs)

    def locate(self, line: str | None = None) -> OpError:
        """Writes the user's file and line at the end of the first line, once."""
        line = line or user_line()
        if not self.located and line:
            self.located = True
            first, _, rest = self.message.partition("\n")
            self.message = f"{first} ({line})" + (f"\n{rest}" if rest else "")
            self.args = (self.message,)
        return self


class _Checking(Engine):
    """The engine that was in force, node by node, each looked at."""

    def __init__(self, inner: Any) -> None:
        self.name, self.lowers, self._inner = f"{inner.name}, numerics checked", getattr(inner, "lowers", ()), inner
        self.on_node = _look_at

    def kernel(self, op: Any, reads: Any = (), makes: Any = ()) -> Any:
        return self._inner.kernel(op, reads, makes)


class _Listener:
    """Hears each eager op, as a tape does."""

    def __init__(self, lines: int, width: int) -> None:
        self._lines, self._width = lines, width

    def record(self, op: Any, inputs: tuple[Any, ...], results: tuple[Any, ...], node: Any) -> None:
        bad = _first_bad([r.value for r in results if isinstance(r, EagerTensor)])
        if bad is None or op.type in _HANDS_ON or node is not None:
            return
        step = current_sweep().node
        backward = "" if step is None else f"{step.type} {step.name!r}" if step.name else step.type
        told = _told(op.type, "", backward, bad, list(inputs), [_value(x) for x in inputs])
        raise NumericsError(
            f"{told}\n{self._stack()}", op.type, "", backward, _statistics([_value(x) for x in inputs])
        ).locate()

    def watches(self, inputs: tuple[Any, ...]) -> bool:
        return False

    def accessed(self, variable: Any) -> None:
        return None

    def _stack(self) -> str:
        """The user's frames, innermost first."""
        frame, lines = user_frame(), []
        while frame is not None and len(lines) < self._lines:
            path = frame.f_code.co_filename
            path = path if len(path) <= self._width else f"...{path[-self._width :]}"
            lines.append(f"  {path}:{frame.f_lineno} in {frame.f_code.co_name}")
            frame = frame.f_back
        return "called from\n" + "\n".join(lines) if lines else ""


def _look_at(node: Operation, inputs: tuple[Any, ...], results: tuple[Any, ...]) -> None:
    """The engine's hook: raises where a result is no finite number."""
    bad = _first_bad(list(results))
    if bad is None or node.type in _HANDS_ON:
        return
    backward = _gradient_of(node)
    told = _told(node.type, node.name, backward, bad, list(node.inputs), list(inputs))
    raise NumericsError(told, node.type, node.name, backward, _statistics(inputs))


def _first_bad(values: list[Any]) -> Any:
    """The first array with NaN or infinity; None where all are finite."""
    for v in values:
        array = v if isinstance(v, (np.ndarray, np.generic)) else None
        if array is None or (array.dtype.kind not in "fc" and array.dtype.name != "bfloat16"):
            continue
        if not np.isfinite(array).all():
            return array
    return None


def _told(op_type: str, name: str, backward: str, bad: Any, tensors: list[Any], values: list[Any]) -> str:
    called = f"{op_type} {name!r}" if name else op_type
    of = f", in the gradient of {backward}," if backward else ""
    nans, infinities = int(np.isnan(bad).sum()), int(np.isinf(bad).sum())
    counts = [f"{count} {word}" for count, word in ((nans, "NaN"), (infinities, "infinite")) if count]
    lines = [f"{called}{of} made {' and '.join(counts)} among {np.size(bad)} values of {bad.dtype.name} {_size(bad)}"]
    given = []
    for i, (tensor, value) in enumerate(zip(tensors, values, strict=True)):
        label = tensor.name if isinstance(tensor, Tensor) and not isinstance(tensor, EagerTensor) else ""
        given.append(f"  input {i}{f' {label!r}' if label else ''}: {_described(value)}")
    first = next((i for i, v in enumerate(values) if _first_bad([v]) is not None), None)
    if first is not None:
        lines.append(f"its input {first} held some already: it was fed, stored or read so")
    return "\n".join([*lines, *(["from"] if given else []), *given])


def _described(value: Any) -> str:
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "biufc":
        return type(value).__name__
    return f"{value.dtype.name} {_size(value)}, {Statistics.of(value)}"


def _size(array: Any) -> str:
    return text(np.shape(array))


def _statistics(values: Any) -> list[Statistics | None]:
    return [
        Statistics.of(v) if isinstance(v, (np.ndarray, np.generic)) and v.dtype.kind in "biufc" else None
        for v in values
    ]


def _value(x: Any) -> Any:
    return x.value if isinstance(x, EagerTensor) else x


def _gradient_of(node: Operation) -> str:
    """ "Log 'loss/Log'" of a node that a gradient rule made, "gradients/loss/Log_grad/mul"; "" of others."""
    parts = node.name.split("/")
    ends = [i for i, part in enumerate(parts[:-1]) if part.partition("_grad")[1]]
    for end in reversed(ends):
        last = parts[end].rpartition("_grad")[0]
        for start in range(end + 1):
            found = _operation(node.graph, "/".join([*parts[start:end], last]))
            if found is not None:
                return f"{found.type} {found.name!r}" + (f" of {found.where}" if found.where else "")
    return ""


def _operation(graph: Any, name: str) -> Node | None:
    while isinstance(graph, Graph):
        if name in graph._by_name:
            return graph._by_name[name]
        graph = graph.outer
    return None


@contextlib.contextmanager
def check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> Iterator[None]:
    """Inside, the first op that makes NaN or infinity raises, in this thread.

    It serves sessions, functions and eager code, forward and backward. Everything runs node by node, and is looked at:
    for finding a fault, not for training.

    Args:
      stack_height_limit: how many of the user's frames the error of an eager op lists.
      path_length_limit: how many characters of a file's path it shows.
    Raises:
      NumericsError (an InvalidArgumentError): names the op, what it was given, and the user's line.
    """
    eager = interpreter.eager()
    listener = _Listener(stack_height_limit, path_length_limit)
    before = interpreter.engine()
    engine = before if isinstance(before, _Checking) else _checking(before)
    eager.tapes = (*eager.tapes, listener)
    try:
        with interpreter.using_engine(engine):
            yield
    finally:
        eager.tapes = tuple(t for t in eager.tapes if t is not listener)


def _checking(inner: Any) -> _Checking:
    """One for each engine: programs that it compiled are kept under its name."""
    key = f"{inner.name}, numerics checked"
    found = _made.get(key)
    if found is None:
        found = _made[key] = _Checking(inner)
    return found


_made: dict[str, _Checking] = {}


class _Enabled(threading.local):
    def __init__(self) -> None:
        self.stack: contextlib.ExitStack | None = None


_enabled = _Enabled()


@public("debugging.enable_check_numerics")
def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """From here on the first op that makes NaN or infinity raises, in this thread, until `disable_check_numerics`.

    Arguments and errors as of `pullback.explain.check_numerics`. Enabling again changes nothing.
    """
    if _enabled.stack is None:
        _enabled.stack = contextlib.ExitStack()
        _enabled.stack.enter_context(check_numerics(stack_height_limit, path_length_limit))


@public("debugging.disable_check_numerics")
def disable_check_numerics() -> None:
    """Ends what `enable_check_numerics` began; without it, does nothing."""
    if _enabled.stack is not None:
        _enabled.stack.close()
        _enabled.stack = None


@public(v1="add_check_numerics_ops")
def add_check_numerics_ops() -> Operation:
    """An operation that checks every floating tensor made so far in the default graph, in order.

    Raises:
      RuntimeError: in eager mode, where `debugging.enable_check_numerics` does it.
    """
    graph = interpreter.current()
    if not isinstance(graph, Graph):
        raise RuntimeError(
            "add_check_numerics_ops() is not compatible with eager execution. To check for Inf's and NaN's under "
            "eager execution call tf.debugging.enable_check_numerics() before executing the checked operations."
        )
    last: list[Any] = []
    for node in graph.get_operations():
        for t in node.outputs:
            if t.dtype.is_floating:
                with graph.control_dependencies(last):
                    last = [checked(t, message=f"{node.name}:{t.value_index}")]
    return group(*last)
