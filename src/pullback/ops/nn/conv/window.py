"""Sizes of sliding windows: how strides, dilations and padding turn n input cells into p output cells.

    SAME         p = ceil(n / s); what is lacking is padded, the odd cell at the end
    VALID        p = (n - e + s) / s, with e = (k - 1) d + 1 the window's extent; no padding
    explicit     VALID on an axis that is (before, after) longer

Paddings are kept as the user said them, "SAME", "VALID" or ((top, bottom), (left, right)), and are resolved here
against sizes. A dimension may be None, unknown.
"""

from __future__ import annotations

import functools
import operator
from typing import Any, NamedTuple

from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.shape import text

Pair = tuple[int, int]
# "SAME", "VALID" or ((top, bottom), (left, right)).
Padding = str | tuple[Pair, Pair]
FORMATS = ("NHWC", "NCHW")


class Axis(NamedTuple):
    """A window along one axis of known size."""

    out: int  # window positions
    before: int  # padding
    after: int


class Geometry(NamedTuple):
    """A window over an image of known size."""

    P: int
    Q: int
    top: int
    bottom: int
    left: int
    right: int

    @property
    def padded(self) -> bool:
        return bool(self.top or self.bottom or self.left or self.right)


# --- what the user says ---------------------------------------------------------------------------


def pair(value: Any, what: str, where: str, data_format: str = "NHWC") -> Pair:
    """(along H, along W) of an int, one, two or four numbers; of four, those for batch and channels must be 1.

    Raises:
      ArgumentError: another count, a number below 1, or one for batch or channels that is not 1.
    """
    if hasattr(value, "numpy"):
        value = value.numpy().tolist()
    try:
        given = tuple(operator.index(v) for v in (value if isinstance(value, (list, tuple)) else (value,)))
    except TypeError:
        given = ()
    if len(given) == 4:
        h = spatial(data_format)
        outer = given[:h] + given[h + 2 :]
        if outer != (1, 1):
            raise ArgumentError(
                f"{where}: {what} {list(given)} move in the batch and channel dimensions, where {data_format} "
                f"windows must have 1; give two numbers, (height, width)"
            )
        given = given[h : h + 2]
    if len(given) == 1:
        given *= 2
    if len(given) != 2 or min(given) < 1:
        raise ArgumentError(f"{where}: {what} must be an int, two or four positive ints, not {value!r}")
    return given


def spatial(data_format: str) -> int:
    """Where H stands; W follows it."""
    return 1 if data_format == "NHWC" else 2


def padding_of(padding: Any, where: str, data_format: str = "NHWC", explicit: Any = ()) -> Padding:
    """A padding as fields hold it, of what users and TensorFlow's attributes say.

    Args:
      padding: "SAME", "VALID", "EXPLICIT" (then `explicit` has eight numbers), or four pairs in data_format's order.
    Raises:
      ArgumentError: it is none of these, pads batch or channels, or pads by less than 0.
    """
    if padding == "EXPLICIT" and len(explicit) == 8:
        padding = [explicit[i : i + 2] for i in range(0, 8, 2)]
    elif len(explicit):
        raise ArgumentError(
            f'{where}: explicit_paddings are eight numbers and go with padding "EXPLICIT", not {padding!r}'
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
    if len(rows) != 4 or any(n < 0 for row in rows for n in row):
        shown = "[[0,0],[top,bottom],[left,right],[0,0]]" if h == 1 else "[[0,0],[0,0],[top,bottom],[left,right]]"
        raise ArgumentError(f'{where}: padding must be "SAME", "VALID" or {shown}, not {padding!r}')
    if any(rows[i] != (0, 0) for i in range(4) if i not in (h, h + 1)):
        raise ArgumentError(
            f"{where}: padding {[list(r) for r in rows]} pads the batch or channel dimension of {data_format}"
        )
    return rows[h], rows[h + 1]


def check_padding(padding: Any, where: str) -> None:
    """Raises ArgumentError where a word is no padding."""
    if isinstance(padding, str) and padding not in ("SAME", "VALID"):
        hint = f'; did you mean "{padding.upper()}"?' if padding.upper() in ("SAME", "VALID") else ""
        raise ArgumentError(f'{where}: padding must be "SAME", "VALID" or a list of pairs, not {padding!r}{hint}')


def check_format(data_format: Any, where: str, formats: tuple[str, ...] = FORMATS) -> None:
    """Raises ArgumentError where a word is no layout."""
    if data_format not in formats:
        raise ArgumentError(f"{where}: data_format must be {' or '.join(map(repr, formats))}, not {data_format!r}")


# --- what TensorFlow's attributes say -------------------------------------------------------------


def four(numbers: Pair, data_format: str) -> list[int]:
    """A pair as TensorFlow's attribute of four numbers."""
    return [1, *numbers, 1] if data_format == "NHWC" else [1, 1, *numbers]


def padding_attrs(padding: Padding, data_format: str) -> dict[str, Any]:
    """TensorFlow's attributes `padding` and `explicit_paddings`."""
    if isinstance(padding, str):
        return {"padding": padding.encode(), "explicit_paddings": []}
    (top, bottom), (left, right) = padding
    inner = [top, bottom, left, right]
    return {
        "padding": b"EXPLICIT",
        "explicit_paddings": [0, 0, *inner, 0, 0] if data_format == "NHWC" else [0, 0, 0, 0, *inner],
    }


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


def per_axis(padding: Padding) -> tuple[Any, Any]:
    """The padding of H and that of W."""
    return (padding, padding) if isinstance(padding, str) else padding


@functools.lru_cache(maxsize=4096)
def geometry(H: int, W: int, R: int, S: int, strides: Pair, dilations: Pair, padding: Padding, where: str) -> Geometry:
    """A window of RxS over an image of HxW.

    Raises:
      ShapeError: the window is too large for the image.
    """
    rows, columns = per_axis(padding)
    y = along(H, R, strides[0], dilations[0], rows, where, "H")
    x = along(W, S, strides[1], dilations[1], columns, where, "W")
    return Geometry(y.out, x.out, y.before, y.after, x.before, x.after)


# --- the way back: which n give p -----------------------------------------------------------------


def restored(p: int, k: int, s: int, d: int, pad: Any) -> int:
    """A natural size that a window maps to p: p s for SAME, else the smallest that the last stride reaches."""
    if pad == "SAME":
        return p * s
    before, after = (0, 0) if pad == "VALID" else pad
    return p * s + max(extent(k, d) - s, 0) - before - after


def check_restored(sizes: Any, outs: Any, k: Pair, op: Any, given: str) -> None:
    """Checks that a window maps `sizes`, (H, W), to `outs`, (P, Q); unknown ones pass.

    Raises:
      ShapeError: it does not. Says which sizes would do.
    """
    axes = zip("HW", sizes, outs, k, op.strides, op.dilations, per_axis(op.padding), strict=True)
    for letter, n, p, kernel, s, d, pad in axes:
        if n is None or p is None or kernel is None:
            continue
        try:
            fits = positions(n, kernel, s, d, pad, given) == p
        except ShapeError:
            fits = False
        if not fits:
            raise ShapeError(
                f"{given} with strides ({op.strides[0]},{op.strides[1]}) and padding {_shown(op.padding)}: "
                f"{_sizes_that_do(letter, p, kernel, s, d, pad)}."
            )


def _shown(padding: Padding) -> str:
    return f'"{padding}"' if isinstance(padding, str) else text(padding[0]) + text(padding[1])


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
