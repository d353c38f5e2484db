"""Characters: strings as code points, and back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import int32, int64, string
from pullback.core.errors import ArgumentError, InvalidArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.ranges import range_
from pullback.ops.array.sizes import size
from pullback.ops.ragged import RaggedTensor
from pullback.ops.strings.elementwise import OneString, OnStrings

_ENCODINGS = {"UTF-8": "utf-8", "UTF-16-BE": "utf-16-be", "UTF-32-BE": "utf-32-be"}
_ERRORS = ("replace", "strict", "ignore")


def _settings(op_type: str, encoding: str, errors: str, replacement_char: int) -> None:
    if encoding not in _ENCODINGS:
        raise ArgumentError(f"{op_type}: encoding must be one of {', '.join(_ENCODINGS)}, not {encoding!r}")
    if errors not in _ERRORS:
        raise ArgumentError(f"{op_type}: errors must be one of {', '.join(_ERRORS)}, not {errors!r}")
    if not 0 <= replacement_char <= 0x10FFFF or 0xD800 <= replacement_char < 0xE000:
        raise ArgumentError(f"{op_type}: replacement_char {replacement_char} is no code point")


def _characters(value: bytes, encoding: str, errors: str, replacement: int, controls: bool) -> list[int]:
    try:
        text = value.decode(_ENCODINGS[encoding], errors)
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(f"Invalid formatting on input string: {value[:40]!r}: {error.reason}") from None
    codes = [replacement if c == "\ufffd" else ord(c) for c in text]
    return [replacement if controls and (c < 32 or 127 <= c < 160) else c for c in codes]


@op
class UnicodeDecode(OnStrings):
    """Code points of each string. x [n] -> row_splits [n+1], codes [k]; string i has those from row_splits[i] on."""

    signature = "x: string -> row_splits: int64, codes: int32"
    input_encoding: str = "UTF-8"
    errors: str = "replace"
    replacement_char: int = 65533
    replace_control_characters: bool = False

    def check(self) -> None:
        _settings(self.type, self.input_encoding, self.errors, self.replacement_char)

    def infer(self, x: Any) -> tuple[Spec, ...]:
        if len(x.shape) != 1:
            raise ShapeError("UnicodeDecode: the strings must be a vector")
        n = x.shape[0]
        return Spec((None if n is None else n + 1,), int64), Spec((None,), int32)

    def reference(self, x: Any) -> Any:
        rows = [
            _characters(v, self.input_encoding, self.errors, self.replacement_char, self.replace_control_characters)
            for v in x
        ]
        splits = np.cumsum([0, *map(len, rows)]).astype(np.int64)
        return splits, np.array([c for row in rows for c in row], np.int32)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return NotImplemented

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([b"a\xc3\xa4", b"", b"\xff"], object),), wrt=())
        yield Sample(cls(errors="ignore"), (np.array([b"a\xff"], object),), wrt=(), name="ignore")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(errors="strict")([b"\xff"]), InvalidArgumentError, "Invalid formatting"
        yield lambda: cls("ascii"), ArgumentError, "UTF-8"


@op
class UnicodeEncode(OnStrings):
    """Strings of code points. codes [k], row_splits [n+1] -> y [n]"""

    signature = "codes: int32, row_splits: int64 -> y: string"
    output_encoding: str = "UTF-8"
    errors: str = "replace"
    replacement_char: int = 65533

    def check(self) -> None:
        _settings(self.type, self.output_encoding, self.errors, self.replacement_char)

    def infer(self, codes: Any, row_splits: Any) -> Spec:
        if len(codes.shape) != 1 or len(row_splits.shape) != 1:
            raise ShapeError("UnicodeEncode: code points and row splits must be vectors")
        n = row_splits.shape[0]
        return Spec((None if n is None else n - 1,), string)

    def reference(self, codes: Any, row_splits: Any) -> Any:
        out = np.empty(len(row_splits) - 1, object)
        for i, (begin, end) in enumerate(itertools.pairwise(row_splits)):
            text = "".join(self._character(int(c)) for c in codes[begin:end])
            out[i] = text.encode(_ENCODINGS[self.output_encoding])
        return out

    def _character(self, code: int) -> str:
        if 0 <= code <= 0x10FFFF and not 0xD800 <= code < 0xE000:
            return chr(code)
        if self.errors == "strict":
            raise InvalidArgumentError(f"UnicodeEncode: {code} is no code point")
        return "" if self.errors == "ignore" else chr(self.replacement_char)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return NotImplemented

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([97, 228, -1], np.int32), np.array([0, 2, 2, 3])), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(errors="strict")([-1], [0, 1]), InvalidArgumentError, "no code point"


@op
class UnicodeTranscode(OneString):
    """Each string in another encoding."""

    input_encoding: str = "UTF-8"
    output_encoding: str = "UTF-8"
    errors: str = "replace"
    replacement_char: int = 65533
    replace_control_characters: bool = False

    def check(self) -> None:
        for encoding in (self.input_encoding, self.output_encoding):
            _settings(self.type, encoding, self.errors, self.replacement_char)

    def of(self, value: bytes) -> bytes:
        codes = _characters(
            value, self.input_encoding, self.errors, self.replacement_char, self.replace_control_characters
        )
        return "".join(map(chr, codes)).encode(_ENCODINGS[self.output_encoding])


def _rows(input: Any, settings: tuple[Any, ...], name: str | None) -> tuple[Any, Any, int]:
    """(row_splits, code points, rank) of a scalar or vector of strings."""
    x = interpreter.as_tensor(input, string)
    rank = x.spec.rank
    if rank is None or rank > 1:
        raise ShapeError(f"unicode: the strings must be a scalar or vector, but have rank {rank}").locate()
    flat = x if rank else interpreter.pack[0]([x], None)
    return *UnicodeDecode(*settings)(flat, name=name), rank


@public("strings.unicode_decode")
def unicode_decode(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """Code points: of a string a vector int32, of a vector of strings a RaggedTensor.

    Args:
      input_encoding: "UTF-8", "UTF-16-BE" or "UTF-32-BE".
      errors: of what is no character: "replace" it by replacement_char, "ignore" it, or "strict": an error.
      replace_control_characters: those too (C0 and C1).
    """
    settings = input_encoding, errors, replacement_char, replace_control_characters
    splits, codes, rank = _rows(input, settings, name)
    return RaggedTensor.from_row_splits(codes, splits) if rank else codes


@public("strings.unicode_split")
def unicode_split(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:
    """Characters, each a string: of a string a vector, of a vector of strings a RaggedTensor."""
    splits, codes, rank = _rows(input, (input_encoding, errors, replacement_char, False), name)
    ends = range_(size(codes, int64) + 1)
    characters = UnicodeEncode(input_encoding, errors, replacement_char)(codes, ends)
    return RaggedTensor.from_row_splits(characters, splits) if rank else characters


@public("strings.unicode_encode")
def unicode_encode(
    input: Any, output_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:
    """Strings of code points: of a vector int32 a string, of a matrix or a RaggedTensor a vector of strings.

    Args:
      errors: of what is no code point: "replace" it by replacement_char, "ignore" it, or "strict": an error.
    """
    op = UnicodeEncode(output_encoding, errors, replacement_char)
    if isinstance(input, RaggedTensor):
        return op(input.values, input.row_splits, name=name)
    codes: Any = interpreter.as_tensor(input, int32)
    if codes.spec.rank == 1:
        ends = interpreter.pack[0]([interpreter.as_tensor(0, int64), size(codes, int64)], int64)
        return op(codes, ends, name=name)[0]
    if codes.spec.rank != 2:
        raise ShapeError(
            f"unicode_encode: the code points must be a vector or matrix, but have rank {codes.spec.rank}"
        ).locate()
    made = RaggedTensor.from_tensor(codes)
    return op(made.values, made.row_splits, name=name)


@public("strings.unicode_transcode")
def unicode_transcode(
    input: Any,
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Tensor:
    """Each string in another encoding."""
    settings = input_encoding, output_encoding, errors, replacement_char, replace_control_characters
    return UnicodeTranscode(*settings)(input, name=name)
