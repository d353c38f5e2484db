"""Ops on each string by itself. x [...] -> y [...]"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import INDICES, bool_, int32
from pullback.core.errors import ArgumentError, InvalidArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import broadcast
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor

WORDS = np.array([[b"Ab c", b""], [b" x\xc3\xa4 ", b"12"]], object)


def each(f: Callable[..., Any], *arrays: Any, dtype: Any = object) -> Any:
    """f of each element (and those beside it); the arrays broadcast."""
    whole = np.broadcast_arrays(*[np.asarray(a) for a in arrays])
    out = np.empty(whole[0].shape, dtype)
    for i in np.ndindex(out.shape):
        out[i] = f(*[a[i] for a in whole])
    return out


def text_of(value: bytes) -> str:
    """The characters; what is no UTF-8 becomes U+FFFD."""
    return value.decode("utf-8", "replace")


class OnStrings(Op):
    """Base of ops on strings: nothing flows back, and a batch axis is an axis like others."""

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return (self(*inputs), 0) if len(inputs) == 1 else NotImplemented


class OneString(OnStrings):
    """Base of ops with one input, of strings, and an output of its shape."""

    signature = "x: string -> y: string"

    def infer(self, x: Any) -> Spec:
        return x.with_shape(x.shape)

    def reference(self, x: Any) -> Any:
        return each(self.of, x)

    def of(self, value: bytes) -> Any:
        """The answer for one string."""
        raise NotImplementedError

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (WORDS,), wrt=())
        yield Sample(cls(), (WORDS[:0],), wrt=(), name="empty")


def _encoding(op_type: str, encoding: str) -> None:
    if encoding.lower() not in ("", "utf-8"):
        raise ArgumentError(f'{op_type}: encoding must be "" (ASCII letters only) or "utf-8", not {encoding!r}')


@op
class StringLower(OneString):
    """In small letters: ASCII's, or with encoding "utf-8" all."""

    encoding: str = ""

    def check(self) -> None:
        _encoding("StringLower", self.encoding)

    def of(self, value: bytes) -> bytes:
        return text_of(value).lower().encode() if self.encoding else value.lower()

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls("latin"), ArgumentError, "encoding"


@op
class StringUpper(OneString):
    """In capital letters: ASCII's, or with encoding "utf-8" all."""

    encoding: str = ""

    def check(self) -> None:
        _encoding("StringUpper", self.encoding)

    def of(self, value: bytes) -> bytes:
        return text_of(value).upper().encode() if self.encoding else value.upper()


@op
class StringStrip(OneString):
    """Without white space at both ends."""

    def of(self, value: bytes) -> bytes:
        return value.strip()


@op
class EncodeBase64(OneString):
    """In the web-safe base64 alphabet, with "=" at the end when `pad`."""

    pad: bool = False

    def of(self, value: bytes) -> bytes:
        made = base64.urlsafe_b64encode(value)
        return made if self.pad else made.rstrip(b"=")


@op
class DecodeBase64(OneString):
    """What base64 stands for.

    Raises:
      InvalidArgumentError: it is none.
    """

    def of(self, value: bytes) -> bytes:
        try:
            if b"+" in value or b"/" in value:  # the other alphabet's
                raise binascii.Error("it holds '+' or '/', for which it has '-' and '_'")
            return base64.b64decode(value + b"=" * (-len(value) % 4), b"-_", validate=True)
        except binascii.Error as error:
            raise InvalidArgumentError(f"DecodeBase64: {value[:40]!r} is no web-safe base64: {error}") from None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([b"QWI", b""], object),), wrt=())


def _unit(op_type: str, unit: str) -> None:
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise ArgumentError(f'{op_type}: unit must be "BYTE" or "UTF8_CHAR", not {unit!r}')


@op
class StringLength(OnStrings):
    """How long each string is, in bytes or characters. x [...] -> y [...] int32"""

    signature = "x: string -> y: int32"
    unit: str = "BYTE"

    def check(self) -> None:
        _unit("StringLength", self.unit)

    def infer(self, x: Any) -> Spec:
        return Spec(x.shape, int32)

    def reference(self, x: Any) -> Any:
        return each(len if self.unit == "BYTE" else lambda v: len(text_of(v)), x, dtype=np.int32)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (WORDS,), wrt=())
        yield Sample(cls("UTF8_CHAR"), (WORDS,), wrt=(), name="characters")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls("WORD"), ArgumentError, "UTF8_CHAR"


@op
class Substr(OnStrings):
    """x[pos : pos + length] of each string, in bytes or characters; a negative pos counts from the end.

    x [...], pos and length of the same shape or broadcast to it -> y [...]

    Raises:
      InvalidArgumentError: pos is outside the string.
    """

    signature = "x: string, pos: I, length: I -> y: string"
    I = INDICES  # noqa: E741
    unit: str = "BYTE"

    def check(self) -> None:
        _unit("Substr", self.unit)

    def infer(self, x: Any, pos: Any, length: Any) -> Spec:
        if len(pos.shape) != len(length.shape):
            raise ShapeError("Substr: pos and len must have the same rank")
        return x.with_shape(broadcast(x.shape, pos.shape))

    def reference(self, x: Any, pos: Any, length: Any) -> Any:
        return each(self._piece, x, pos, length)

    def _piece(self, value: bytes, pos: Any, length: Any) -> bytes:
        whole: Any = value if self.unit == "BYTE" else text_of(value)
        if not -len(whole) <= pos <= len(whole):
            raise InvalidArgumentError(
                f"Substr: pos {pos} out of range for string {value[:40]!r} of {len(whole)} units"
            )
        begin = int(pos) + len(whole) if pos < 0 else int(pos)
        piece = whole[begin : begin + max(int(length), 0)]
        return piece if isinstance(piece, bytes) else piece.encode()

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        words = np.array([b"abc", b"\xc3\xa4bc"], object)
        yield Sample(cls(), (words, np.int32(1), np.int32(2)), wrt=())
        yield Sample(cls("UTF8_CHAR"), (words, np.array([-2, 0]), np.array([1, 9])), wrt=(), name="characters")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(b"abc", 4, 1), InvalidArgumentError, "out of range"


def characters(value: bytes) -> str:
    """The characters, as patterns see them; bytes that are no UTF-8 stand for themselves."""
    return value.decode("utf-8", "surrogateescape")


def _pattern(op_type: str, pattern: bytes) -> re.Pattern[str]:
    try:
        return re.compile(characters(pattern), re.ASCII)
    except re.error as error:
        raise InvalidArgumentError(f"{op_type}: {pattern!r} is no regular expression: {error}") from None


@op
class RegexReplace(OnStrings):
    r"""Each match of a pattern replaced (the first only, without replace_global). In `rewrite`, \1 is a group and \0
    the match. x [...], pattern and rewrite scalars -> y [...]"""

    signature = "x: string, pattern: string, rewrite: string -> y: string"
    replace_global: bool = True

    def infer(self, x: Any, pattern: Any, rewrite: Any) -> Spec:
        if pattern.shape or rewrite.shape:
            raise ShapeError("RegexReplace: pattern and rewrite must be scalars")
        return x.with_shape(x.shape)

    def reference(self, x: Any, pattern: Any, rewrite: Any) -> Any:
        found = _pattern("RegexReplace", np.asarray(pattern).item())
        # \0 is the match in TensorFlow's patterns, \g<0> in Python's.
        new = re.sub(r"\\([0-9])", r"\\g<\1>", characters(np.asarray(rewrite).item()))
        count = 0 if self.replace_global else 1
        try:
            return each(lambda v: found.sub(new, characters(v), count).encode("utf-8", "surrogateescape"), x)
        except re.error as error:
            raise InvalidArgumentError(f"RegexReplace: the rewrite does not fit the pattern: {error}") from None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        args = WORDS, np.array(b"([a-c])", object), np.array(rb"<\1\0>", object)
        yield Sample(cls(), args, wrt=())
        yield Sample(cls(False), args, wrt=(), name="first")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(b"abc", b"(", b""), InvalidArgumentError, "no regular expression"


@op
class RegexFullMatch(OnStrings):
    """Whether each string as a whole matches a pattern. x [...], pattern scalar -> y [...] bool"""

    signature = "x: string, pattern: string -> y: bool"

    def infer(self, x: Any, pattern: Any) -> Spec:
        if pattern.shape:
            raise ShapeError("RegexFullMatch: the pattern must be a scalar")
        return Spec(x.shape, bool_)

    def reference(self, x: Any, pattern: Any) -> Any:
        found = _pattern("RegexFullMatch", np.asarray(pattern).item())
        return each(lambda v: found.fullmatch(characters(v)) is not None, x, dtype=np.bool_)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (WORDS, np.array(b"[0-9]+", object)), wrt=())


# --- public functions ----------------------------------------------------------------------------------------------


@public("strings.lower")
def lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """In small letters: ASCII's, or with encoding "utf-8" all."""
    return StringLower(encoding)(input, name=name)


@public("strings.upper")
def upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """In capital letters: ASCII's, or with encoding "utf-8" all."""
    return StringUpper(encoding)(input, name=name)


@public("strings.strip", v1=("strings.strip", "string_strip"))
def strip(input: Any, name: str | None = None) -> Tensor:
    """Without white space at both ends."""
    return StringStrip()(input, name=name)


@public("strings.length", v1=None)
def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """How long each string is, in "BYTE" or "UTF8_CHAR"; int32."""
    return StringLength(unit)(input, name=name)


@public(v1="strings.length")
def length_v1(input: Any, name: str | None = None, unit: str = "BYTE") -> Tensor:
    """How long each string is, in "BYTE" or "UTF8_CHAR"; int32."""
    return StringLength(unit)(input, name=name)


@public("strings.substr", v1=None)
def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """input[pos : pos + len] of each string, in "BYTE" or "UTF8_CHAR"; a negative pos counts from the end.

    Raises:
      InvalidArgumentError: pos is outside a string.
    """
    return Substr(unit)(input, pos, len, name=name)


@public(v1=("strings.substr", "substr"))
def substr_v1(input: Any, pos: Any, len: Any, name: str | None = None, unit: str = "BYTE") -> Tensor:
    """input[pos : pos + len] of each string, in "BYTE" or "UTF8_CHAR"; a negative pos counts from the end.

    Raises:
      InvalidArgumentError: pos is outside a string.
    """
    return Substr(unit)(input, pos, len, name=name)


@public("strings.regex_replace", v1=("strings.regex_replace", "regex_replace"))
def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""Each match of a pattern replaced, or the first only. In `rewrite`, \1 is a group and \0 the match.

    Patterns are Python's, which share RE2's syntax where both have it.
    """
    return RegexReplace(replace_global)(input, pattern, rewrite, name=name)


@public("strings.regex_full_match")
def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Tensor:
    """Whether each string as a whole matches a pattern."""
    return RegexFullMatch()(input, pattern, name=name)


@public("io.encode_base64", v1=("io.encode_base64", "encode_base64"))
def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Tensor:
    """Web-safe base64 of each string."""
    return EncodeBase64(pad)(input, name=name)


@public("io.decode_base64", v1=("io.decode_base64", "decode_base64"))
def decode_base64(input: Any, name: str | None = None) -> Tensor:
    """What each web-safe base64 string stands for."""
    return DecodeBase64()(input, name=name)
