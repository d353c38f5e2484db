"""Machine types, and values that know theirs: Python's operators on them emit instructions. See ir.py."""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pullback.native.ir import Function


@dataclass(frozen=True)
class Type:
    """A machine type: `name` is LLVM's for one lane, `bits` the width of one lane.

    `element` is what a pointer points to.
    """

    name: str
    bits: int
    lanes: int = 1
    element: Type | None = None

    @functools.cached_property
    def text(self) -> str:
        return self.name if self.lanes == 1 else f"<{self.lanes} x {self.name}>"

    @property
    def floating(self) -> bool:
        return self.name in _FLOATING

    @property
    def bytes(self) -> int:
        """Size of one lane."""
        return max(1, self.bits // 8)

    @property
    def pointer(self) -> Type:
        """A pointer to values of this type."""
        return Type("ptr", 64, 1, self)

    def by(self, lanes: int) -> Type:
        """The same with so many lanes."""
        return Type(self.name, self.bits, lanes, self.element)

    @property
    def scalar(self) -> Type:
        return self.by(1)

    @property
    def suffix(self) -> str:
        """As intrinsics' names spell it: v16f32, i64."""
        one = "bf16" if self.name == "bfloat" else "p0" if self.name == "ptr" else f"{self.kind}{self.bits}"
        return one if self.lanes == 1 else f"v{self.lanes}{one}"

    @property
    def kind(self) -> str:
        return "f" if self.floating else "i"


_FLOATING = frozenset({"half", "bfloat", "float", "double"})
I1, I8, I16, I32, I64 = (Type(f"i{n}", n) for n in (1, 8, 16, 32, 64))
F16, BF16, F32, F64 = Type("half", 16), Type("bfloat", 16), Type("float", 32), Type("double", 64)

Number = int | float


def literal(number: Number, type: Type) -> str:
    """A constant of a type, as LLVM writes it; floats by their bits, so that none is rounded."""
    if type.lanes > 1:
        if number == 0 and not (isinstance(number, float) and str(number) == "-0.0"):
            return "zeroinitializer"
        one = f"{type.name} {literal(number, type.scalar)}"
        return f"<{', '.join([one] * type.lanes)}>"
    if type.name == "ptr":
        return "null" if number == 0 else f"inttoptr (i64 {int(number)} to ptr)"
    if not type.floating:
        return str(int(number)) if type.bits > 1 else ("true" if number else "false")
    value = float(number)
    if type is F32 or type.name == "float":  # a float is written as the double of its value
        value = struct.unpack("f", struct.pack("f", value))[0]
    elif type.name in ("half", "bfloat"):
        bits = struct.unpack("H", struct.pack("e", value))[0] if type.name == "half" else _bfloat_bits(value)
        return f"0x{'H' if type.name == 'half' else 'R'}{bits:04X}"
    return f"0x{struct.unpack('Q', struct.pack('d', value))[0]:016X}"


def _bfloat_bits(value: float) -> int:
    bits = struct.unpack("I", struct.pack("f", value))[0]
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


class Value:
    """The result of an instruction, an argument or a constant."""

    __slots__ = ("f", "text", "type")

    def __init__(self, f: Function, text: str, type: Type) -> None:
        self.f, self.text, self.type = f, text, type

    def __repr__(self) -> str:
        return f"{self.type.text} {self.text}"

    def _binary(self, other: Any, integer: str, floating: str, swapped: bool = False) -> Value:
        other = self.f.as_value(other, self.type)
        a, b = (other, self) if swapped else (self, other)
        if a.type != b.type:
            raise TypeError(f"{integer} of {a!r} and {b!r}: the types must be the same")
        word = floating if a.type.floating else integer
        return self.f.emit(f"{word} {a.type.text} {a.text}, {b.text}", a.type)

    def __add__(self, other: Any) -> Value:
        if type(other) is int and other == 0 and not self.type.floating:
            return self
        return self._binary(other, "add nsw", "fadd")

    __radd__ = __add__

    def __sub__(self, other: Any) -> Value:
        if type(other) is int and other == 0:
            return self
        return self._binary(other, "sub nsw", "fsub")

    def __rsub__(self, other: Any) -> Value:
        return self._binary(other, "sub nsw", "fsub", swapped=True)

    def __mul__(self, other: Any) -> Any:
        if type(other) is int and not self.type.floating:
            if other == 1:
                return self
            if other == 0 and self.type == I64:
                return 0
        return self._binary(other, "mul nsw", "fmul")

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Value:
        return self._binary(other, "sdiv", "fdiv")

    def __rtruediv__(self, other: Any) -> Value:
        return self._binary(other, "sdiv", "fdiv", swapped=True)

    def __floordiv__(self, other: Any) -> Value:
        """Of non-negative integers."""
        return self if type(other) is int and other == 1 else self._binary(other, "udiv", "fdiv")

    def __mod__(self, other: Any) -> Any:
        """Of non-negative integers."""
        return 0 if type(other) is int and other == 1 else self._binary(other, "urem", "frem")

    def __neg__(self) -> Value:
        if self.type.floating:
            return self.f.emit(f"fneg {self.type.text} {self.text}", self.type)
        return 0 - self

    def __and__(self, other: Any) -> Value:
        return self._binary(other, "and", "and")

    def __or__(self, other: Any) -> Value:
        return self._binary(other, "or", "or")

    def __xor__(self, other: Any) -> Value:
        return self._binary(other, "xor", "xor")

    def __invert__(self) -> Value:
        return self ^ (1 if self.type.bits == 1 else -1)

    def __lshift__(self, other: Any) -> Value:
        return self._binary(other, "shl", "shl")

    def __rshift__(self, other: Any) -> Value:
        """Logical: zeros come in from the left."""
        return self._binary(other, "lshr", "lshr")

    def _compare(self, other: Any, signed: str, ordered: str) -> Value:
        other = self.f.as_value(other, self.type)
        word = f"fcmp {ordered}" if self.type.floating else f"icmp {signed}"
        return self.f.emit(f"{word} {self.type.text} {self.text}, {other.text}", I1.by(self.type.lanes))

    def __lt__(self, other: Any) -> Value:
        return self._compare(other, "slt", "olt")

    def __le__(self, other: Any) -> Value:
        return self._compare(other, "sle", "ole")

    def __gt__(self, other: Any) -> Value:
        return self._compare(other, "sgt", "ogt")

    def __ge__(self, other: Any) -> Value:
        return self._compare(other, "sge", "oge")

    def equals(self, other: Any) -> Value:
        return self._compare(other, "eq", "oeq")

    def differs(self, other: Any) -> Value:
        """True of a NaN and anything."""
        return self._compare(other, "ne", "une")

    def to(self, type: Type) -> Value:
        """Converted lane by lane; to an integer it rounds towards zero. Unsigned only from i1."""
        type = type.by(self.type.lanes)
        if type == self.type:
            return self
        wider = type.bits > self.type.bits
        if self.type.floating and type.floating:
            word = "fpext" if wider else "fptrunc"
        elif self.type.floating:
            word = "fptosi"
        elif type.floating:
            word = "uitofp" if self.type.bits == 1 else "sitofp"
        else:
            word = ("zext" if self.type.bits == 1 else "sext") if wider else "trunc"
        return self.f.emit(f"{word} {self.type.text} {self.text} to {type.text}", type)

    def unsigned_to(self, type: Type) -> Value:
        """An integer's bits taken as a non-negative number."""
        type = type.by(self.type.lanes)
        word = "uitofp" if type.floating else "zext" if type.bits > self.type.bits else "trunc"
        return self.f.emit(f"{word} {self.type.text} {self.text} to {type.text}", type)

    def bits_as(self, type: Type) -> Value:
        """The same bits as another type."""
        return self.f.emit(f"bitcast {self.type.text} {self.text} to {type.text}", type)

    def splat(self, lanes: int) -> Value:
        """A scalar in every lane."""
        if lanes == 1 or self.type.lanes > 1:
            return self
        wide = self.type.by(lanes)
        one = self.f.emit(f"insertelement {wide.text} poison, {self.type.text} {self.text}, i64 0", wide)
        return self.f.shuffle(one, one, [0] * lanes)

    def lane(self, i: int) -> Value:
        return self.f.emit(f"extractelement {self.type.text} {self.text}, i64 {i}", self.type.scalar)

    # --- of pointers -----------------------------------------------------------------------------------------------

    @property
    def element(self) -> Type:
        if self.type.element is None:
            raise TypeError(f"{self!r} is no pointer")
        return self.type.element

    def at(self, offset: Any) -> Value:
        """The pointer moved by so many elements."""
        if type(offset) is int and offset == 0:
            return self
        offset = self.f.as_value(offset, I64)
        return self.f.emit(f"getelementptr {self.element.text}, ptr {self.text}, i64 {offset.text}", self.type)

    def load(self, offset: Any = 0, lanes: int = 1, mask: Value | None = None) -> Value:
        """`lanes` elements from an offset on; where a mask says no, zero, and nothing is touched."""
        kind, where = self.element.by(lanes), self.at(offset)
        if mask is not None:
            return self.f.intrinsic(
                f"llvm.masked.load.{kind.suffix}.p0",
                kind,
                where,
                Raw("i32", self.element.bytes),
                mask,
                self.f.zero(kind),
            )
        return self.f.emit(f"load {kind.text}, ptr {where.text}, align {self.element.bytes}", kind)

    def store(self, value: Any, offset: Any = 0, mask: Value | None = None) -> None:
        """Writes a value of any number of lanes; where a mask says no, nothing."""
        value = self.f.as_value(value, self.element)
        where = self.at(offset)
        if mask is not None:
            name = f"llvm.masked.store.{value.type.suffix}.p0"
            self.f.intrinsic(name, None, value, where, Raw("i32", self.element.bytes), mask)
        else:
            self.f.line(f"store {value.type.text} {value.text}, ptr {where.text}, align {self.element.bytes}")

    def stream(self, value: Value, offset: Any = 0) -> None:
        """Writes a value past the caches: for what is not read again soon. The address must be a multiple of the
        value's size."""
        self.f.module.declarations[_STREAMED] = f"{_STREAMED} = !{{i32 1}}"
        size = value.type.bytes * value.type.lanes
        where = self.at(offset).text
        self.f.line(f"store {value.type.text} {value.text}, ptr {where}, align {size}, !nontemporal {_STREAMED}")

    def of(self, element: Type) -> Value:
        """The same address, of other elements."""
        return Value(self.f, self.text, element.pointer)


_STREAMED = "!1"  # the mark of such stores


class Raw:
    """An argument of an intrinsic that must be a constant."""

    def __init__(self, type: str, value: int) -> None:
        self.type, self.text = Type(type, 32), str(value)


class Variable:
    """A mutable register: read and set `value`."""

    __slots__ = ("_place", "_type", "f")

    def __init__(self, f: Function, initial: Value) -> None:
        self.f, self._type = f, initial.type
        self._place = f.local(initial.type)
        self.value = initial

    @property
    def value(self) -> Value:
        return self.f.emit(f"load {self._type.text}, ptr {self._place}", self._type)

    @value.setter
    def value(self, new: Any) -> None:
        new = self.f.as_value(new, self._type)
        self.f.line(f"store {self._type.text} {new.text}, ptr {self._place}")
