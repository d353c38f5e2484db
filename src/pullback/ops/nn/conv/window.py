"""Sizes of sliding windows: how strides, dilations and padding turn n input cells into p output cells.

    SAME         p = ceil(n / s); what is lacking is padded, the odd cell at the end
    VALID        p = (n - e + s) / s, with e = (k - 1) d + 1 the window's extent; no padding
    explicit     VALID on an axis that is (before, after) longer

Everything here is for any number of spatial axes; the layout's name ("NWC", "NHWC", "NDHWC", ...) says how many.
Paddings are kept as the user said them, "SAME", "VALID" or a pair (before, after) an axis, and are resolved here
against sizes. A dimension may be None, unknown.
"""

from __future__ import annotations

import functools
import operator
from typing import Any, NamedTuple

import numpy as np

from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import attribute_as_field
from pullback.core.shape import text
from pullback.core.tensor import EagerTensor, Tensor

Pair = tuple[int, int]
Triple = tuple[int, int, int]
Numbers = tuple[int, ...]  # one for each spatial axis
# "SAME", "VALID" or ((top, bottom), (left, right)), a pair for each spatial axis.
Padding = str | tuple[Pair, ...]
# The layouts by their number of spatial axes, channels last and channels first.
LAYOUTS = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}
FORMATS = LAYOUTS[2]
AXES = {"D": "depth", "H": "height", "W": "width"}
COUNTS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 8: "eight", 10: "ten"}


class Axis(NamedTuple):
    """A window along one axis of known size."""

    out: int  # window positions
    before: int  # padding
    after: int


class Geometry(NamedTuple):
    """A window over an image of known size; an entry for each spatial axis."""

    outs: Numbers
    before: Numbers
    after: Numbers

    @property
    def padded(self) -> bool:
        return any(self.before) or any(self.after)

    @property
    def inner(self) -> Any:
        """Index of the image within its border: [N,H,W,C] of [N,H',W',C]."""
        cut = [slice(b, -a if a else None) for b, a in zip(self.before, self.after, strict=True)]
        return (slice(None), *cut)

    def bordered(self, sizes: Any) -> Numbers:
        """Spatial sizes with the border, of those without."""
        return tuple([b + n + a for b, n, a in zip(self.before, sizes, self.after, strict=True)])


# --- layouts --------------------------------------------------------------------------------------


def rank_of(data_format: str) -> int:
    """How many spatial axes a layout has."""
    return len(data_format) - 2


def letters(data_format: str) -> str:
    """The spatial axes of a layout: "HW" of "NHWC"."""
    return data_format.strip("N").replace("C", "")


def last(data_format: str) -> bool:
    """Whether the channels stand last."""
    return data_format.endswith("C")


def spatial(data_format: str) -> int:
    """Where the first spatial axis stands; the others follow it."""
    return 1 if last(data_format) else 2


def named(data_format: str) -> str:
    """The spatial axes in words: "(height, width)"."""
    return "(" + ", ".join(AXES[n] for n in letters(data_format)) + ")"


# --- what the user says ---------------------------------------------------------------------------


def numbers(value: Any, what: str, where: str, data_format: str = "NHWC") -> Numbers:
    """A number for each spatial axis, of an int, one, as many as there are axes, or two more in data_format's order; of
    these last, those for batch and channels must be 1.

    Raises:
      ArgumentError: another count, a number below 1, or one for batch or channels that is not 1.
    """
    if isinstance(value, Tensor):
        value = _settled(value, what, where)
    elif isinstance(value, np.ndarray):
        value = value.tolist()
    try:
        given = tuple(operator.index(v) for v in (value if isinstance(value, (list, tuple)) else (value,)))
    except TypeError:
        given = ()
    rank = rank_of(data_format)
    if len(given) == rank + 2:
        h = spatial(data_format)
        outer = given[:h] + given[h + rank :]
        if outer != (1, 1):
            raise ArgumentError(
                f"{where}: {what} {list(given)} move in the batch and channel dimensions, where {data_format} "
                f"windows must have 1; give {COUNTS[rank]} numbers, {named(data_format)}"
            )
        given = given[h : h + rank]
    if len(given) == 1:
        given *= rank
    if len(given) != rank or min(given) < 1:
        counts = f"{COUNTS[rank]} or {COUNTS[rank + 2]}"
        raise ArgumentError(f"{where}: {what} must be an int, {counts} positive ints, not {value!r}")
    return given


def _settled(value: Tensor, what: str, where: str) -> Any:
    """The numbers of an integer tensor.

    Raises:
      ArgumentError: they are not known yet.
    """
    known = value.numpy().tolist() if isinstance(value, EagerTensor) else value.spec.value
    if known is None or (isinstance(known, tuple) and None in known):
        raise ArgumentError(
            f"{where}: {what} must be known when the operation is made, and {value!r} is known only when it runs; "
            f"give ints or a constant"
        )
    return known


def padding_of(padding: Any, where: str, data_format: str = "NHWC", explicit: Any = ()) -> Padding:
    """A padding as fields hold it, of what users and TensorFlow's attributes say.

    Args:
      padding: "SAME", "VALID", "EXPLICIT" (then `explicit` has the pairs, flat), or a pair for each dimension in
        data_format's order.
    Raises:
      ArgumentError: it is none of these, pads batch or channels, or pads by less than 0.
    """
    rank = rank_of(data_format)
    count = 2 * (rank + 2)
    if padding == "EXPLICIT" and len(explicit) == count:
        padding = [explicit[i : i + 2] for i in range(0, count, 2)]
    elif len(explicit):
        raise ArgumentError(
            f'{where}: explicit_paddings are {COUNTS[count]} numbers and go with padding "EXPLICIT", not {padding!r}'
        )
    if isinstance(padding, bytes):
        padding = padding.decode()
    if isinstance(padding, str):
        check_padding(padding, where)
        return padding
    try:
        rows = tuple((operator.index(before), operator.index(after)) for before, after in padding)
    except (TypeError, ValueError):
        rows = ()
    h = spatial(data_format)
    if len(rows) != rank + 2 or any(n < 0 for row in rows for n in row):
        raise ArgumentError(f'{where}: padding must be "SAME", "VALID" or {_pairs(data_format)}, not {padding!r}')
    if any(rows[i] != (0, 0) for i in range(rank + 2) if not h <= i < h + rank):
        raise ArgumentError(
            f"{where}: padding {[list(r) for r in rows]} pads the batch or channel dimension of {data_format}"
        )
    return rows[h : h + rank]


def _pairs(data_format: str) -> str:
    """Explicit padding as it is written: "[[0,0],[top,bottom],[left,right],[0,0]]"."""
    names = {"D": "[front,back]", "H": "[top,bottom]", "W": "[left,right]"}
    return "[" + ",".join(names.get(letter, "[0,0]") for letter in data_format) + "]"


def check_padding(padding: Any, where: str, rank: int | None = None) -> None:
    """Raises ArgumentError where a word is no padding, or pairs are not one (before, after) for each of `rank` axes."""
    if isinstance(padding, str):
        if padding not in ("SAME", "VALID"):
            hint = f'; did you mean "{padding.upper()}"?' if padding.upper() in ("SAME", "VALID") else ""
            raise ArgumentError(f'{where}: padding must be "SAME", "VALID" or a list of pairs, not {padding!r}{hint}')
        return
    pairs = padding if isinstance(padding, tuple) else ()
    whole = all(isinstance(pair, tuple) and len(pair) == 2 and min(pair) >= 0 for pair in pairs)
    if not pairs or not whole or rank not in (None, len(pairs)):
        raise ArgumentError(
            f'{where}: padding must be "SAME", "VALID" or a pair (before, after) for each spatial axis, not {padding!r}'
        )


def check_format(data_format: Any, where: str, formats: tuple[str, ...] = FORMATS) -> None:
    """Raises ArgumentError where a word is no layout."""
    if data_format not in formats:
        raise ArgumentError(f"{where}: data_format must be {' or '.join(map(repr, formats))}, not {data_format!r}")


# --- what TensorFlow's attributes say -------------------------------------------------------------


def full(numbers: Numbers, data_format: str) -> list[int]:
    """A number for each spatial axis as TensorFlow's attribute, which has one for each dimension."""
    return [1, *numbers, 1] if last(data_format) else [1, 1, *numbers]


def padding_attrs(padding: Padding, data_format: str) -> dict[str, Any]:
    """TensorFlow's attributes `padding` and `explicit_paddings`."""
    if isinstance(padding, str):
        return {"padding": padding.encode(), "explicit_paddings": []}
    inner = [n for row in padding for n in row]
    return {
        "padding": b"EXPLICIT",
        "explicit_paddings": [0, 0, *inner, 0, 0] if last(data_format) else [0, 0, 0, 0, *inner],
    }


def inner(numbers: Any, data_format: str, where: str, what: str) -> tuple[int, ...]:
    """The numbers of the spatial axes of such an attribute, the inverse of `full`.

    Raises:
      ArgumentError: batch or channels have another number than 1.
    """
    numbers = tuple(numbers)
    spatial = numbers[1:-1] if last(data_format) else numbers[2:]
    if full(spatial, data_format) != list(numbers):
        raise ArgumentError(f"{where}: {what} must be 1 for batch and channels, but is {list(numbers)}")
    return spatial


def padding_from(attrs: dict[str, Any]) -> Padding:
    """The padding of TensorFlow's attributes `padding` and `explicit_paddings`, the inverse of `padding_attrs`."""
    if attrs["padding"] != b"EXPLICIT":
        return attrs["padding"].decode()
    numbers = list(attrs["explicit_paddings"])
    rows = list(zip(numbers[::2], numbers[1::2], strict=True))
    return tuple(rows[1:-1] if last(attrs.get("data_format", b"NHWC").decode()) else rows[2:])


def fields_from(cls: Any, attrs: dict[str, Any], numbers: tuple[str, ...], default: str = "NHWC") -> Any:
    """The windowed op of TensorFlow's attributes: `numbers` names those with a number for each dimension.

    Raises:
      ArgumentError: one of them is not 1 for batch and channels.
    """
    data_format = attrs.get("data_format", default.encode()).decode()
    found: dict[str, Any] = {n: inner(attrs[n], data_format, cls.type, n) for n in numbers if n in attrs}
    found["padding"] = padding_from(attrs)
    others = {f: attribute_as_field(attrs[f]) for f in cls.fields if f in attrs and f not in found}
    return cls(**found, **others)


# --- sizes ----------------------------------------------------------------------------------------


def extent(k: int, d: int) -> int:
    """How many cells a dilated window spans."""
    return (k - 1) * d + 1


def positions(n: int | None, k: int | None, s: int, d: int, pad: Any, where: str, letter: str = "H") -> int | None:
    """How many places a window has along an axis of n cells; None when unknown.

    Raises:
      ShapeError: the window is too large for the axis.
    """
    if n is None or (k is None and pad != "SAME"):
        return None
    if pad == "SAME":
        return -(-n // s)
    assert k is not None
    before, after = (0, 0) if pad == "VALID" else pad
    room = n + before + after - extent(k, d) + s
    if room <= -s:  # between -s and s TensorFlow's division, towards zero, makes an empty output
        padded = "" if pad == "VALID" else f" padded to {n + before + after}"
        raise ShapeError(
            f"{where}: a window of {extent(k, d)} does not fit {letter} = {n}{padded}; "
            f'use padding "SAME", more padding, or a smaller window'
        )
    return max(room, 0) // s


def along(n: int, k: int, s: int, d: int, pad: Any, where: str, letter: str = "H") -> Axis:
    """Positions and padding of a window along an axis of n cells.

    Raises:
      ShapeError: the window is too large for the axis.
    """
    p = positions(n, k, s, d, pad, where, letter)
    assert p is not None
    if pad == "VALID":
        return Axis(p, 0, 0)
    if pad != "SAME":
        return Axis(p, *pad)
    lacking = max((p - 1) * s + extent(k, d) - n, 0)
    return Axis(p, lacking // 2, lacking - lacking // 2)


def per_axis(padding: Padding, rank: int) -> tuple[Any, ...]:
    """The padding of each spatial axis."""
    return (padding,) * rank if isinstance(padding, str) else padding


@functools.lru_cache(maxsize=4096)
def geometry(
    sizes: Numbers, kernel: Numbers, strides: Numbers, dilations: Numbers, padding: Padding, where: str, axes: str
) -> Geometry:
    """A window over an image; `axes` are its letters.

    Raises:
      ShapeError: the window is too large for the image.
    """
    pads = per_axis(padding, len(sizes))
    rows = zip(sizes, kernel, strides, dilations, pads, axes, strict=True)
    found = [along(n, k, s, d, pad, where, letter) for n, k, s, d, pad, letter in rows]
    return Geometry(*[tuple(axis) for axis in zip(*found, strict=True)])


# --- the way back: which n give p -----------------------------------------------------------------


def restored(p: int, k: int, s: int, d: int, pad: Any) -> int:
    """A natural size that a window maps to p: p s for SAME, else the smallest that the last stride reaches."""
    if pad == "SAME":
        return p * s
    before, after = (0, 0) if pad == "VALID" else pad
    return p * s + max(extent(k, d) - s, 0) - before - after


def check_restored(sizes: Any, outs: Any, kernel: Any, op: Any, given: str) -> None:
    """Checks that a window maps spatial `sizes` to `outs`; unknown ones pass.

    Raises:
      ShapeError: it does not. Says which sizes would do.
    """
    pads = per_axis(op.padding, len(sizes))
    axes = zip(letters(op.data_format), sizes, outs, kernel, op.strides, op.dilations, pads, strict=True)
    for letter, n, p, k, s, d, pad in axes:
        if n is None or p is None or k is None:
            continue
        try:
            fits = positions(n, k, s, d, pad, given) == p
        except ShapeError:
            fits = False
        if not fits:
            strides = ",".join(map(str, op.strides))
            raise ShapeError(
                f"{given} with strides ({strides}) and padding {_shown(op.padding)}: "
                f"{_sizes_that_do(letter, p, k, s, d, pad)}."
            )


def _shown(padding: Padding) -> str:
    return f'"{padding}"' if isinstance(padding, str) else "".join(map(text, padding))


def _sizes_that_do(letter: str, p: int, k: int, s: int, d: int, pad: Any) -> str:
    """Which sizes give p, as "ceil(H/2) must be 4, so H is 7 or 8"."""
    before, after = (0, 0) if isinstance(pad, str) else pad
    less = 0 if pad == "SAME" else extent(k, d) - 1 - before - after
    inner = letter if less == 0 else f"({letter}{-less:+d})"
    last = p * s + less
    first = max(last - s + 1, 0)
    if last < first:
        return f"no {letter} gives {p}"
    sizes = f"{first}" if first == last else f"{first} or {last}" if last == first + 1 else f"{first} to {last}"
    if s == 1:
        return f"{letter} must be {sizes}"
    rule = f"ceil({inner}/{s})"
    return f"{rule} must be {p}, so {letter} is {sizes}"
