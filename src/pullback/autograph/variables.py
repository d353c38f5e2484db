"""The variables of a loop: Python's values before it, parameters while its body is recorded, results after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.autograph.branches import fits, spec_of, zeros
from pullback.autograph.places import MISSING, Places
from pullback.core import interpreter, nest, shape
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.graph import Graph
from pullback.core.shape import Shape
from pullback.core.tensor import Tensor

_GENERATED = ("retval_", "do_return", "break_", "continue_")
_NUMBERS = (bool, int, float, complex, str, bytes)


class Variables:
    """What the places hold, as loop variables.

    places: what the body changes. once: runs the body in a graph that is thrown away. options: the shapes said.
    start, shapes: the tensors that enter the loop, and their shapes at every trip.
    first_set: the names that hold nothing before the loop, and are set in it.

    A variable without a value (or None) enters as zeros of the type and shape that the body gives it. What is no
    tensor and becomes none stays outside, and must stay the same.
    """

    def __init__(self, places: Places, once: Callable[[], Any], options: Any) -> None:
        self.places, self.restore = places, places.snapshot()
        self.first_set: list[str] = []
        given = places.read()
        self._numbers = [n for n, v in zip(places.names, given, strict=True) if isinstance(v, (int, float))]
        self._lay_out(given)
        if any(v is None or v is MISSING for v in given):
            self._lay_out(self._foreseen(given, once))
        self.shapes: list[Shape] = [options.shape(g, t) for g, t in zip(self._given, self.start, strict=True)]
        self._last = list(self._structures)

    def _lay_out(self, values: Sequence[Any]) -> None:
        """Takes values apart: tensors to `start`, the others stay."""
        taken = [nest.flatten(v) for v in values]
        self._structures = [structure for _, structure in taken]
        self._leaves = [leaves for leaves, _ in taken]
        self._given = [x for leaves in self._leaves for x in leaves if _carries(x)]
        self.start: list[Tensor] = [interpreter.as_tensor(x) for x in self._given]

    def _foreseen(self, given: list[Any], once: Callable[[], Any]) -> list[Any]:
        """The values before the loop, with zeros where there are none but the body sets some."""
        here = interpreter.current()
        trial = Graph(here.dialect, here, "trial")
        found: list[Any] = []
        with trial.as_default():
            self.load([trial.parameter(t.spec) for t in self.start])
            once()
            for name, before, after in zip(self.places.names, given, self.places.read(), strict=True):
                absent = (before is None or before is MISSING) and after is not None and after is not MISSING
                leaves, structure = nest.flatten(after)
                if absent and all(_carries(x) for x in leaves):
                    specs = [spec_of(x) for x in leaves]
                    found.append((structure, specs))
                    if not name.startswith(_GENERATED):
                        self.first_set.append(name)
                else:
                    found.append(None)
        self.restore()
        return [
            before if new is None else nest.unflatten(new[0], [zeros(spec) for spec in new[1]])
            for before, new in zip(given, found, strict=True)
        ]

    def load(self, tensors: Sequence[Any]) -> None:
        """Sets the variables to these tensors."""
        self.places.write(self._values(tensors, self._structures))

    def finish(self, results: Sequence[Any]) -> None:
        """Sets the variables to a loop's results, which are laid out as the body left them."""
        self.places.write(self._values(results, self._last))

    def _values(self, tensors: Sequence[Any], structures: list[Any]) -> list[Any]:
        found = iter(tensors)
        return [
            nest.unflatten(structure, [next(found) if _carries(x) else x for x in leaves])
            for structure, leaves in zip(structures, self._leaves, strict=True)
        ]

    def collect(self) -> list[Tensor]:
        """The tensors that the body left in the variables.

        Raises:
          DTypeError, ShapeError: a variable has another structure, type or shape than before the loop.
        """
        out: list[Tensor] = []
        for k, (name, after) in enumerate(zip(self.places.names, self.places.read(), strict=True)):
            if after is MISSING and self._leaves[k] != [MISSING]:
                raise ArgumentError(f"'{name}' has a value before the loop, but none after one iteration").locate()
            leaves, structure = nest.flatten(after)
            before = self._leaves[k]
            if before == [MISSING] and after is not MISSING:
                continue  # made anew at each trip, and no tensor
            if len(leaves) != len(before) or type(structure) is not type(self._structures[k]):
                raise DTypeError(
                    f"'{name}' does not have the same nested structure after one iteration: before the loop it has "
                    f"{len(before)} tensors or values, after it is {after!r}"
                ).locate()
            self._last[k] = structure
            for x, y in zip(before, leaves, strict=True):
                if _carries(x):
                    out.append(self._fitted(name, y, len(out)))
                elif x is not y:
                    raise DTypeError(
                        f"'{name}' is {x!r} before the loop, but {y!r} after one iteration: a loop on tensors can "
                        "change tensors, numbers and strings only"
                    ).locate()
        return out

    def _fitted(self, name: str, value: Any, at: int) -> Tensor:
        dtype = self.start[at].dtype
        try:
            after = interpreter.as_tensor(value, dtype if fits(value, dtype) else None)
        except (TypeError, ValueError) as error:
            raise DTypeError(
                f"'{name}' is a tensor before the loop, but {value!r} after one iteration"
            ).locate() from error
        if after.dtype is not dtype:
            raise DTypeError(
                f"'{name}' has dtype {dtype.name} before the loop, but dtype {after.dtype.name} after one iteration"
            ).locate()
        said, found = self.shapes[at], after.spec.shape
        fit = said is None or (found is not None and len(found) == len(said))
        if not fit or any(m is not None and m != n for m, n in zip(said or (), found or (), strict=False)):
            raise ShapeError(
                f"'{name}' has shape {shape.text(said)} before the loop, but shape {shape.text(found)} after one "
                "iteration. Use tf.autograph.experimental.set_loop_options to set shape invariants."
            ).locate()
        return after

    def explained(self, error: DTypeError) -> DTypeError:
        """An error of types in the body, with what may have caused it: a variable that began as a Python number."""
        if not self._numbers:
            return error
        names = ", ".join(repr(n) for n in self._numbers)
        return DTypeError(
            f"{error}; {names} entered the loop as a Python number, which makes a tensor of type int32 or float32: "
            "begin with a tensor of the type it is to have"
        )


def _carries(x: Any) -> bool:
    """Whether a value can be a loop variable: a tensor, or what becomes one."""
    if isinstance(x, (Tensor, np.ndarray, np.generic, *_NUMBERS)):
        return True
    return hasattr(type(x), "__pullback_tensor__")
