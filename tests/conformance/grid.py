"""The grid: 813 small programs with values and derivatives that TensorFlow 2.21 computed.

Lies beside the checkout, in ../shared/grid; its README says what the roles mean.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from conformance.calls import Call, call_of

import pullback as tf

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "grid"


class GridCase:
    """One case, with the arrays of one precision at a time."""

    def __init__(self, position: int, data: dict[str, Any], arrays: Any, call: Call) -> None:
        self.position, self.data, self._arrays, self._call = position, data, arrays, call
        self.id: str = data["id"]
        self.inputs: list[str] = data["inputs"]
        self.wrt: list[str] = data["wrt"]

    @property
    def precisions(self) -> list[str]:
        """Suffixes of roles: "" and, where the case has it, "@f32"."""
        return [""] + (["@f32"] if any(role.endswith("@f32") for role in self.data["arrays"]) else [])

    def role(self, name: str, precision: str) -> Any:
        """An array, None when the case has no such role."""
        key = name + precision
        return self._arrays()[f"{self.id}/{key}"] if key in self.data["arrays"] else None

    def input(self, name: str, precision: str) -> Any:
        return self._cast(self.role(f"in/{name}", ""), precision)

    def vector(self, name: str, precision: str) -> Any:
        """vector/NAME; the one of double precision where single has none of its own."""
        own = self.role(f"vector/{name}", precision)
        return own if own is not None else self._cast(self.role(f"vector/{name}", ""), precision)

    def cotangents(self, precision: str) -> dict[str, Any]:
        """Role -> upstream gradient, one for each floating result; none where TensorFlow has no gradient."""
        names = [role for role in self.data["arrays"] if role.startswith("cotangent") and not role.endswith("@f32")]
        types = [y.dtype for y in self.results(precision) if y is not None and y.dtype.kind == "f"]
        if not names:
            return {}
        names.sort(key=_number)
        return {name: self.role(name, "").astype(dtype) for name, dtype in zip(names, types, strict=True)}

    def results(self, precision: str) -> list[Any]:
        names = [r for r in self.data["arrays"] if r == "y" or (r[0] == "y" and r[1:].isdigit())]
        return [self.role(name, precision) for name in sorted(names, key=_number)]

    def _cast(self, array: Any, precision: str) -> Any:
        narrow = precision and array is not None and array.dtype == np.float64
        return array.astype(np.float32) if narrow else array

    def call(self, args: list[Any]) -> list[Any]:
        """The results as a flat list."""
        made = self._call(tf, args, self.data["attrs"])
        return list(made) if isinstance(made, (list, tuple)) else [made]

    def says(self, what: str, precision: str) -> str:
        """What stands above a failing comparison."""
        d = self.data
        return (
            f"{what}{precision} of {d['op']}{d['attrs']} on {[self.role('in/' + n, '').shape for n in self.inputs]}"
            f" {d.get('tag', '')}\n  again: pytest 'tests/conformance/test_grid.py' -k '{self.id}'"
        )


def _number(role: str) -> int:
    digits = "".join(c for c in role if c.isdigit())
    return int(digits) if digits else 0


@functools.cache
def _load(family: str) -> Any:
    return np.load(FOLDER / f"{family}.npz")


def collect() -> tuple[list[GridCase], int]:
    """(cases whose function is served, how many there are)."""
    cases: list[GridCase] = []
    total = 0
    for path in sorted(FOLDER.glob("*.json")):
        rows = json.loads(path.read_text(encoding="utf-8"))["cases"]
        total += len(rows)
        for row in rows:
            through = " through sqrt" if row.get("tag", "").startswith("kink: nan through the branch not taken") else ""
            call = call_of(tf, row["op"] + through)
            if call is not None:
                cases.append(GridCase(len(cases), row, functools.partial(_load, path.stem), call))
    return cases, total


CASES, TOTAL = collect() if FOLDER.exists() else ([], 0)
