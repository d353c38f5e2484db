"""Slices of tensors that were saved in parts, and the keys they are stored under.

A key is made of pieces whose bytes sort as their values do: a zero, the tensor's name, the rank, and for each axis
start and length (-1: the whole axis).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pullback.io import messages

_WHOLE = -1


def extents(part: Any) -> list[tuple[int, int]]:
    """(start, length) of each axis of a TensorSliceProto; length -1 is the whole axis."""
    return [(e.start, e.length if e.HasField("length") else _WHOLE) for e in part.extent]


def text(part: Any) -> str:
    """As TensorFlow writes slices: "0,3:-"."""
    return ":".join("-" if length == _WHOLE else f"{start},{length}" for start, length in extents(part))


def place(part: Any, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Where the slice lies in a tensor of this shape.

    Raises:
      ValueError: it does not lie in it.
    """
    said = extents(part)
    if len(said) != len(shape) or any(
        length != _WHOLE and not 0 <= start <= start + length <= size
        for (start, length), size in zip(said, shape, strict=True)
    ):
        raise ValueError(f"slice {text(part)} does not lie in a tensor of shape {shape}")
    return tuple(slice(None) if length == _WHOLE else slice(start, start + length) for start, length in said)


def assembled(
    parts: Iterable[Any], shape: tuple[int, ...], dtype: np.dtype[Any], value: Callable[[Any, tuple[int, ...]], Any]
) -> np.ndarray[Any, Any]:
    """A tensor put together from slices, of which `value(part, shape)` gives each one's numbers.

    Raises:
      ValueError: a slice does not lie in the tensor, or slices leave some of it out.
    """
    whole, count = np.zeros(shape, dtype), 0
    for part in parts:
        at = place(part, shape)
        size = whole[at].size
        whole[at] = value(part, whole[at].shape)
        count += size
    if count < whole.size:
        raise ValueError(f"its slices hold {count} of {whole.size} elements")
    return whole


class Parts:
    """A tensor to be written in slices.

    found: [(words as "7 5 0,3:0,5", the slice)]
    Raises:
      ValueError: the words name different shapes, or do not fit their slice.
    """

    def __init__(self, found: list[tuple[str, Any]]) -> None:
        said = [words.split(" ") for words, _ in found]
        self.shape = tuple(map(int, said[0][:-1]))
        self.pieces = [(proto(words[-1]), np.asarray(array)) for words, (_, array) in zip(said, found, strict=True)]
        for words, (part, array) in zip(said, self.pieces, strict=True):
            at = place(part, self.shape)
            if tuple(map(int, words[:-1])) != self.shape or np.empty(self.shape, bool)[at].shape != array.shape:
                raise ValueError(f"slice {' '.join(words)} of shape {array.shape} is none of a tensor of {self.shape}")


def proto(words: str) -> Any:
    """The TensorSliceProto of words like "0,3:-"."""
    part = messages.TensorSliceProto()
    for axis in words.split(":"):
        extent = part.extent.add()
        if axis != "-":
            extent.start, extent.length = map(int, axis.split(","))
    return part


def key(name: str, part: Any) -> bytes:
    """The key of a tensor's slice."""
    pieces = [_natural(0), _string(name.encode()), _natural(len(part.extent))]
    for start, length in extents(part):
        pieces += [_integer(start), _integer(length)]
    return b"".join(pieces)


def _natural(n: int) -> bytes:
    """Its length in bytes, then its bytes, highest first."""
    width = (n.bit_length() + 7) // 8
    return bytes([width]) + n.to_bytes(width, "big")


def _string(value: bytes) -> bytes:
    """Zeros and 255s are escaped; an escape no string holds ends it."""
    escaped = {0: b"\0\xff", 255: b"\xff\0"}
    return b"".join([escaped.get(byte, bytes([byte])) for byte in value]) + b"\0\1"


def _integer(n: int) -> bytes:
    """Leading bits of the first bytes say sign and width: 10 one byte, 110 two, and so on; 01, 001 for negatives."""
    width = 1
    while not -(1 << (7 * width - 1)) <= n < 1 << (7 * width - 1):
        width += 1
    bits = 8 * width
    lead = ((1 << width) - 1) << (bits - width)
    return ((n % (1 << bits)) ^ lead).to_bytes(width, "big")
