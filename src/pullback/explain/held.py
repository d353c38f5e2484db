"""What a tensor held, as much of it as can be shown: all of a small one, a heat map and statistics of a large one."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.explain.markup import number
from pullback.explain.pictures import Statistics

# Entries up to which a tensor is shown number by number; cells along a side of a heat map.
MOST_NUMBERS, MAP_SIDE = 64, 24


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor's value, or its derivative.

    shape, dtype: the tensor's.
    statistics: of all of it.
    numbers: all of it where it has at most MOST_NUMBERS entries, else None.
    map: where numbers is None, at most [MAP_SIDE,MAP_SIDE] means over blocks; `drawn` says of what.
    """

    shape: tuple[int, ...]
    dtype: str
    statistics: Statistics
    numbers: NDArray[Any] | None
    map: NDArray[Any] | None
    drawn: str

    @classmethod
    def of(cls, value: Any) -> Held:
        """Takes down an array; keeps nothing of a large one. What is no number (text, a list) keeps its shape only."""
        array = np.asarray(value)
        if array.dtype.kind not in "biufc" and array.dtype.name not in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
            empty = Statistics.of(np.zeros(0))
            return cls(array.shape, str(array.dtype), empty, None, None, "no numbers")
        kept = array.copy() if array.size <= MOST_NUMBERS else None
        plane, drawn = (None, "") if kept is not None else as_plane(array)
        return cls(array.shape, str(array.dtype), Statistics.of(array), kept, _shrunk(plane), drawn)

    @property
    def value(self) -> Any:
        """A float of a scalar, an array of a small tensor, None of a large one."""
        if self.numbers is None:
            return None
        return self.numbers.item() if self.numbers.ndim == 0 else self.numbers

    def __str__(self) -> str:
        """A scalar's number; "[1 2 3]" of a few; otherwise the shape and the mean."""
        if self.numbers is not None and 1 <= self.numbers.size <= 6 and self.numbers.ndim <= 2:
            return _brief(self.numbers)
        sizes = ", ".join(map(str, self.shape))
        return f"[{sizes}] of mean {number(self.statistics.mean)}" if self.statistics.size else f"[{sizes}], empty"

    def data(self) -> dict[str, Any]:
        """For a page's script: numbers as text, the heat map as bytes of -127 to 127, -128 for what is no number."""
        told: dict[str, Any] = {"shape": list(self.shape), "dtype": self.dtype, "brief": str(self)}
        if self.statistics.size > 1:
            told |= {"statistics": str(self.statistics), "mean": f"{self.statistics.mean:.3g}"}
        if self.numbers is not None:
            plane, _ = as_plane(self.numbers)
            told["numbers"] = [[number_of(v) for v in row] for row in plane]
        elif self.map is not None:
            whole = max(float(np.nanmax(np.abs(self.map), initial=0.0)), 1e-300)
            with np.errstate(invalid="ignore"):
                share = np.nan_to_num(np.round(self.map / whole * 127), nan=-128.0)
            told["map"] = base64.b64encode(share.astype(np.int8).tobytes()).decode("ascii")
            told["size"], told["drawn"] = list(self.map.shape), self.drawn
        return told


def number_of(value: Any) -> str:
    """Any entry as it is written: floats, integers, truth values, complex numbers."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (complex, np.complexfloating)):
        return f"{value:.4g}"
    return number(float(value))


def _brief(array: NDArray[Any]) -> str:
    if array.ndim == 0:
        return number_of(array[()])
    return "[" + " ".join(map(_brief, array)) + "]"


def as_plane(array: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """An array of any rank as rows and columns, and what they are.

    [N,H,W,C] with an image of some size is its first image, the mean of its channels; other ranks above two are the
    matrix of all leading axes by the last.
    """
    if array.ndim < 2:
        return array.reshape(1, -1), "a row"
    if array.ndim == 2:
        return array, "rows and columns"
    if array.ndim == 4 and min(array.shape[1:3]) >= 4 and array.size > MOST_NUMBERS:
        channels = f", the mean of its {array.shape[3]} channels" if array.shape[3] > 1 else ""
        return array[0].mean(axis=-1), f"the first of {array.shape[0]} images{channels}"
    return array.reshape(-1, array.shape[-1]), "all leading axes by the last"


def _shrunk(plane: NDArray[Any] | None) -> NDArray[Any] | None:
    """Means over blocks, so that no side is longer than MAP_SIDE. A block that holds a NaN or infinity is NaN."""
    if plane is None:
        return None
    out = np.abs(plane) if plane.dtype.kind == "c" else plane.astype(float)
    out = np.where(np.isfinite(out), out, np.nan)
    if out.shape[0] == 1 and out.shape[1] > MAP_SIDE:  # a long row as a block of text is broken: in lines
        width = min(MAP_SIDE, int(np.ceil(np.sqrt(out.size))))
        lines = -(-out.size // width)
        out = np.concatenate([out.ravel(), np.zeros(lines * width - out.size)]).reshape(lines, width)
    for axis in (0, 1):
        size = out.shape[axis]
        if size > MAP_SIDE:
            edges = np.linspace(0, size, MAP_SIDE + 1).astype(int)
            counts = np.diff(edges).reshape((-1, 1) if axis == 0 else (1, -1))
            out = np.add.reduceat(out, edges[:-1], axis=axis) / counts
    return out
