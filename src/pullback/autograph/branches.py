"""A branch on a symbolic tensor: both sides are run on the same variables, and recorded as the bodies of an If."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.autograph.places import MISSING, Places
from pullback.core import dtypes, interpreter, nest
from pullback.core.errors import ArgumentError, DTypeError
from pullback.core.graph import Graph
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import reshape
from pullback.ops.control import cond
from pullback.ops.control.lists import TensorListReserve

Side = Callable[[], list[Any]]
_RESULT = "retval_"
_SIDES = ("main", "else")


def checked(test: Tensor, what: str) -> Tensor:
    """A tensor as a condition: a scalar, of a tensor of one entry that entry.

    Raises:
      ArgumentError: it is of another type than bool, or has more entries.
    """
    sizes = test.spec.shape
    if test.dtype is not dtypes.bool_ or any(n not in (1, None) for n in sizes or ()):
        mend = "; to use as boolean Tensor, use `tf.cast`" if test.dtype is not dtypes.bool_ else ""
        raise ArgumentError(
            f"condition of {what} expected to be `tf.bool` scalar, got {test!r}{mend}; "
            "to check for None, use `is not None`"
        ).locate()
    return test if sizes == () else reshape(test, ())


def statement(test: Tensor, then: Callable[[], Any], orelse: Callable[[], Any], places: Places) -> None:
    """Records an `if`; the variables then hold what the side that runs gives them."""
    restore = places.snapshot()

    def side(block: Callable[[], Any]) -> Side:
        def run() -> list[Any]:
            restore()
            block()
            return places.read()

        return run

    test = checked(test, "if statement")
    try:
        values = chosen(test, side(then), side(orelse), places.names)
    finally:
        restore()
    places.write(values)


def chosen(test: Tensor, then: Side, orelse: Side, names: Sequence[str]) -> list[Any]:
    """For each name its value from the side that runs. Values that are the same on both sides stay what they are."""
    here = interpreter.current()
    if not isinstance(here, Graph):
        with test.graph.as_default():
            return chosen(test, then, orelse, names)
    graphs = [Graph(here.dialect, here, name) for name in ("then", "orelse")]
    sides: list[list[Any]] = []
    for graph, run in zip(graphs, (then, orelse), strict=True):
        with graph.as_default():
            sides.append(run())
    rebuilt = [_joined(name, a, b, graphs) for name, a, b in zip(names, *sides, strict=True)]
    results = iter(cond.recorded(here.adopt(test), graphs[0], graphs[1], "cond"))
    return [make(results) for make in rebuilt]


def _joined(name: str, a: Any, b: Any, graphs: list[Graph]) -> Callable[[Any], Any]:
    """Adds a variable's values to the outputs of both bodies; answers what makes it again of the results."""
    if a is b:
        return lambda results: a
    if name == _RESULT:  # where nothing is returned yet, nothing reads it
        a, b = _absent(a, b, graphs[0]), _absent(b, a, graphs[1])
    _both_set(name, a, b)
    (first, structure), (second, other) = nest.flatten(a), nest.flatten(b)
    if len(first) != len(second) or not _alike(structure, other):
        raise DTypeError(
            f"'{name}' must have the same nested structure in the main and else branches: it is {a!r} in the main "
            f"branch, but {b!r} in the else branch"
        ).locate()
    makers = [_leaf(name, x, y, graphs) for x, y in zip(first, second, strict=True)]
    return lambda results: nest.unflatten(structure, [make(results) for make in makers])


def _absent(value: Any, other: Any, graph: Graph) -> Any:
    """Zeros like the other side's value, where a side has none."""
    if value is not MISSING or other is None:
        return value
    with graph.as_default():
        return nest.mapped(lambda x: zeros(spec_of(x)), other)


def zeros(spec: Spec) -> Tensor:
    """Zeros of a type and shape, of none along axes that are not known."""
    if spec.dtype is dtypes.variant:
        return TensorListReserve(dtypes.float32)(np.int32(-1), np.int32(0))
    sizes = tuple(0 if n is None else n for n in spec.shape or ())
    filled = np.full(sizes, b"", object) if spec.dtype is dtypes.string else np.zeros(sizes, spec.dtype.numpy)
    made = interpreter.as_tensor(filled)
    made.spec = Spec(spec.shape, spec.dtype)
    return made


def spec_of(x: Any) -> Spec:
    """The spec of the tensor that x is or becomes."""
    return x.spec if isinstance(x, Tensor) else interpreter.as_tensor(x, here=interpreter.eager()).spec


def _alike(structure: Any, other: Any) -> bool:
    """Whether two nests are laid out alike; TensorArrays may know different things of their entries."""
    if structure == other or not (hasattr(structure, "paths") and hasattr(other, "paths")):
        return bool(structure == other)
    return structure.type is other.type and structure.paths() == other.paths()


def _both_set(name: str, a: Any, b: Any) -> None:
    for value, side in zip((a, b), _SIDES, strict=True):
        if value is MISSING:
            missing = (
                f"the {side} branch must also have a return statement"
                if name == _RESULT
                else f"'{name}' must also be initialized in the {side} branch"
            )
            raise ArgumentError(f"{missing}: the condition is a tensor, so either branch may run").locate()
        if value is None:
            missing = f"the {side} branch must also have a return statement, with a value" if name == _RESULT else ""
            raise ArgumentError(
                missing or f"'{name}' is None at the end of the {side} branch, and has a value in the other one"
            ).locate()


def _leaf(name: str, a: Any, b: Any, graphs: list[Graph]) -> Callable[[Any], Any]:
    if a is b:
        return lambda results: a
    tensors = [_tensor(name, x, y, graph) for x, y, graph in zip((a, b), (b, a), graphs, strict=True)]
    kinds = [t.dtype for t in tensors]
    if kinds[0] is not kinds[1]:
        raise DTypeError(
            f"'{name}' has dtype {kinds[0].name} in the main branch, but dtype {kinds[1].name} in the else branch"
        ).locate()
    for graph, tensor in zip(graphs, tensors, strict=True):
        graph.outputs.append(tensor)
    return next


def _tensor(name: str, value: Any, other: Any, graph: Graph) -> Tensor:
    """A value as a tensor of its side; a Python number takes the type of a tensor on the other side, where it fits."""
    with graph.as_default():
        dtype = other.dtype if isinstance(other, Tensor) and fits(value, other.dtype) else None
        try:
            return graph.adopt(interpreter.as_tensor(value, dtype))
        except (TypeError, ValueError) as error:
            raise DTypeError(
                f"'{name}' is {value!r} in one branch and {other!r} in the other: a condition on a tensor can choose "
                "between tensors, numbers and strings only"
            ).locate() from error


def fits(value: Any, dtype: Any) -> bool:
    """Whether a Python number can be a tensor of this type without loss of kind."""
    if isinstance(value, (bool, np.bool_)):
        return dtype is dtypes.bool_
    if isinstance(value, int):
        return dtype.is_integer or dtype.is_floating or dtype.is_complex
    return isinstance(value, float) and (dtype.is_floating or dtype.is_complex)
