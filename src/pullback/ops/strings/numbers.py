"""Numbers from strings, and strings from numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import (
    DType,
    as_dtype,
    bool_,
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    string,
)
from pullback.core.dtypes import int64 as int64_
from pullback.core.errors import ArgumentError, InvalidArgumentError
from pullback.core.names import public
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.strings.elementwise import OnStrings, each


@op
class StringToNumber(OnStrings):
    """The number each string writes. x [...] -> y [...]

    Raises:
      InvalidArgumentError: a string writes none, or none of the type.
    """

    signature = "x: string -> y: out_type"
    out_type: DType = float32

    def check(self) -> None:
        if self.out_type not in (float32, float64, int32, int64_):
            raise ArgumentError(
                f"StringToNumber: out_type must be float32, float64, int32 or int64, not {self.out_type.name}"
            )

    def infer(self, x: Any) -> Spec:
        return Spec(x.shape, self.out_type)

    def reference(self, x: Any) -> Any:
        return each(self._number, x, dtype=self.out_type.numpy)

    def _number(self, value: bytes) -> Any:
        try:
            if b"_" in value:
                raise ValueError
            number = float(value) if self.out_type.is_floating else int(value)
        except ValueError:
            raise InvalidArgumentError(
                f"StringToNumberOp could not correctly convert string: {value.decode('utf-8', 'replace')}"
            ) from None
        if self.out_type.is_integer and not self.out_type.min <= number <= self.out_type.max:
            raise InvalidArgumentError(f"StringToNumberOp: {number} does not fit {self.out_type.name}")
        return number

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([b"1.5", b"-2e3"], object),), wrt=())
        yield Sample(cls(int64_), (np.array([[b"7"], [b" -8 "]], object),), wrt=(), name="int64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(b"one"), InvalidArgumentError, "could not correctly convert string: one"
        yield lambda: cls(int32)(b"3000000000"), InvalidArgumentError, "does not fit int32"


@op
class AsString(OnStrings):
    """Each number in writing: whole numbers as such, others with 6 digits after the point, or `precision` digits;
    `scientific` 1e+00, `shortest` whichever is shorter; at least `width` wide, filled with `fill` (" ", "0", "-", "+").

    x [...] -> y [...]
    """

    signature = "x: T -> y: string"
    T = (float32, float64, int8, int16, int32, int64_, bool_, complex64, complex128, string)
    precision: int = -1
    scientific: bool = False
    shortest: bool = False
    width: int = -1
    fill: str = ""

    def check(self) -> None:
        if self.scientific and self.shortest:
            raise ArgumentError("AsString: scientific and shortest exclude each other")
        if self.fill not in ("", " ", "0", "-", "+"):
            raise ArgumentError(f'AsString: fill must be "", " ", "0", "-" or "+", not {self.fill!r}')

    def infer(self, x: Any) -> Spec:
        if not (x.dtype.is_floating or x.dtype.is_complex) and (
            self.precision >= 0 or self.scientific or self.shortest
        ):
            raise ArgumentError(
                f"AsString: precision, scientific and shortest are for numbers with a fraction, not {x.dtype.name}"
            )
        return Spec(x.shape, string)

    def reference(self, x: Any) -> Any:
        return each(self._words, x)

    def _words(self, value: Any) -> bytes:
        if isinstance(value, (bytes, bool, np.bool_)):
            shown = value if isinstance(value, bytes) else (b"true" if value else b"false")
            return shown
        if isinstance(value, (complex, np.complexfloating)):
            return b"(" + self._words(value.real) + b"," + self._words(value.imag) + b")"
        width = str(self.width) if self.width >= 0 else ""
        if isinstance(value, (int, np.integer)):
            return f"%{self.fill}{width}d".encode() % int(value)
        kind = "e" if self.scientific else "g" if self.shortest else "f"
        digits = f".{self.precision}" if self.precision >= 0 else ""
        return f"%{self.fill}{width}{digits}{kind}".encode() % float(value)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([1.5, -2.0]),), wrt=())
        yield Sample(cls(precision=2, scientific=True), (np.array([1.5, -2.0], np.float32),), wrt=(), name="scientific")
        yield Sample(cls(width=5, fill="0"), (np.array([[7], [-8]], np.int32),), wrt=(), name="filled")
        yield Sample(cls(), (np.array([True, False]),), wrt=(), name="bool")
        yield Sample(cls(shortest=True), (np.array([1 + 2j]),), wrt=(), name="complex")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(fill="x"), ArgumentError, "fill"


@public("strings.to_number", v1=None)
def to_number(input: Any, out_type: Any = float32, name: str | None = None) -> Tensor:
    """The number each string writes.

    Raises:
      InvalidArgumentError: a string writes none.
    """
    return StringToNumber(as_dtype(out_type))(input, name=name)


@public(v1=("strings.to_number", "string_to_number"))
def to_number_v1(
    string_tensor: Any = None, out_type: Any = float32, name: str | None = None, input: Any = None
) -> Tensor:
    """The number each string writes.

    Raises:
      InvalidArgumentError: a string writes none.
    """
    return StringToNumber(as_dtype(out_type))(string_tensor if input is None else input, name=name)


@public("strings.as_string", "as_string", v1=("strings.as_string", "as_string", "dtypes.as_string"))
def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Tensor:
    """Each number in writing.

    Args:
      precision: digits after the point; 6 by default.
      scientific: as 1.0e+00. shortest: whichever is shorter.
      width: at least so wide. fill: with what ("0", " ", "-" to the left, "+" with a sign).
    """
    return AsString(precision, scientific, shortest, width, fill)(input, name=name)
