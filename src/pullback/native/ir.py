"""Machine code written as Python expressions: a small typed emitter of LLVM's text form.

    module = Module()
    with module.kernel("double", x=F32.pointer, y=F32.pointer) as (f, x, y):
        with f.loop(f.begin, f.end) as i:
            y.store(x.load(i) * 2.0, i)

Every value knows its type; Python's operators on values emit instructions, and what is known while emitting (plain
ints, `x + 0`, `x * 1`) emits none. Integers are i64 unless said otherwise. Mutable registers are `f.variable(...)`;
LLVM's SROA pass turns them into the loop-carried values that one would otherwise write by hand.

A kernel works on its share `begin <= item < end` of some number of items; its arguments come in a table of 8-byte
words, so every kernel is called the same way (see pool.py). Types and values are in values.py, functions and modules
here. The language is LLVM's own; nothing here knows an op.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pullback.native.values import (
    BF16,
    F16,
    F32,
    F64,
    I1,
    I8,
    I16,
    I32,
    I64,
    Number,
    Raw,
    Type,
    Value,
    Variable,
    literal,
)

__all__ = [
    "BF16",
    "F16",
    "F32",
    "F64",
    "I1",
    "I8",
    "I16",
    "I32",
    "I64",
    "Function",
    "Module",
    "Type",
    "Value",
    "Variable",
    "literal",
]


class Function:
    """A function being written. Made by `Module.kernel` and `Module.function`."""

    def __init__(self, module: Module, name: str, parameters: Sequence[Type], internal: bool) -> None:
        self.module, self.name, self.internal = module, name, internal
        self.parameters = [Value(self, f"%a{i}", t) for i, t in enumerate(parameters)]
        self._locals: list[str] = []
        self._lines: list[str] = []
        self._count = 0
        self.begin: Any = None
        self.end: Any = None
        self.answer: Value | None = None  # what it returns

    # --- emitting --------------------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self._lines.append("  " + text)

    def fresh(self, stem: str = "t") -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def emit(self, text: str, type: Type) -> Value:
        name = "%" + self.fresh()
        self._lines.append(f"  {name} = {text}")
        return Value(self, name, type)

    def local(self, type: Type, count: int = 1) -> str:
        """Room on the stack."""
        name = "%" + self.fresh("v")
        many = f", i64 {count}" if count > 1 else ""
        self._locals.append(f"  {name} = alloca {type.text}{many}, align 64")
        return name

    def buffer(self, element: Type, count: int) -> Value:
        """A small array on the stack."""
        return Value(self, self.local(element, count), element.pointer)

    def as_value(self, x: Any, type: Type) -> Value:
        """A value, or a number as a constant of the type; a scalar is spread over the type's lanes."""
        if isinstance(x, Value):
            return x.splat(type.lanes) if type.lanes > 1 and x.type.lanes == 1 else x
        return Value(self, literal(x, type), type)

    def constant(self, number: Number, type: Type) -> Value:
        return Value(self, literal(number, type), type)

    def constants(self, numbers: Sequence[Number], type: Type) -> Value:
        """A vector of these lanes."""
        wide = type.by(len(numbers))
        return Value(self, f"<{', '.join(f'{type.name} {literal(n, type)}' for n in numbers)}>", wide)

    def zero(self, type: Type) -> Value:
        return Value(self, literal(0, type), type)

    def variable(self, initial: Any, type: Type = I64) -> Variable:
        return Variable(self, self.as_value(initial, type))

    def intrinsic(self, name: str, result: Type | None, *args: Any) -> Any:
        """Calls one of LLVM's intrinsics; declares it."""
        types = ", ".join(a.type.text for a in args)
        out = "void" if result is None else result.text
        self.module.declarations[name] = f"declare {out} @{name}({types})"
        call = f"call {out} @{name}({', '.join(f'{a.type.text} {a.text}' for a in args)})"
        if result is None:
            return self.line(call)
        return self.emit(call, result)

    def call(self, callee: Function, *args: Any) -> None:
        """Calls another function of the module."""
        values = [self.as_value(a, p.type) for a, p in zip(args, callee.parameters, strict=True)]
        convention = "fastcc " if callee.internal else ""
        self.line(f"call {convention}void @{callee.name}({', '.join(f'{v.type.text} {v.text}' for v in values)})")

    def call_pointer(self, pointer: Value, *args: Value, result: Type | None = None) -> Any:
        """Calls whatever function lies there."""
        call = f"{pointer.text}({', '.join(f'{v.type.text} {v.text}' for v in args)})"
        return self.line(f"call void {call}") if result is None else self.emit(f"call {result.text} {call}", result)

    # --- control ---------------------------------------------------------------------------------------------------

    def label(self, name: str) -> None:
        self._lines.append(f"{name}:")

    @contextlib.contextmanager
    def loop(self, begin: Any, end: Any, step: Any = 1) -> Iterator[Any]:
        """Counts from begin to before end. A loop that is known to be taken once emits no loop, one never taken nothing
        that runs."""
        if type(begin) is int and type(end) is int and type(step) is int and 0 < end - begin <= step:
            yield begin
            return
        counter = self.variable(begin)
        head, body, out = (self.fresh(s) for s in ("head", "body", "out"))
        self.line(f"br label %{head}")
        self.label(head)
        i = counter.value
        test = i < end
        self.line(f"br i1 {test.text}, label %{body}, label %{out}")
        self.label(body)
        yield i
        counter.value = i + step
        self.line(f"br label %{head}")
        self.label(out)

    @contextlib.contextmanager
    def repeat_while(self) -> Iterator[Any]:
        """A loop left by calling what it gives with the condition to go on: `with f.repeat_while() as go_on: ...;
        go_on(i < n)`. The body runs at least once."""
        again, out = self.fresh("again"), self.fresh("out")
        self.line(f"br label %{again}")
        self.label(again)
        conditions: list[Value] = []
        yield conditions.append
        self.line(f"br i1 {conditions[-1].text}, label %{again}, label %{out}")
        self.label(out)

    @contextlib.contextmanager
    def when(self, condition: Any) -> Iterator[None]:
        """Emits what is inside for the case that the condition holds."""
        if isinstance(condition, bool):
            if not condition:
                raise ValueError("a branch that is known not to be taken must not be emitted: test it in Python")
            yield
            return
        yes, out = self.fresh("yes"), self.fresh("out")
        self.line(f"br i1 {condition.text}, label %{yes}, label %{out}")
        self.label(yes)
        yield
        self.line(f"br label %{out}")
        self.label(out)

    def leave_when(self, condition: Value) -> None:
        """Returns from the function if the condition holds."""
        yes, out = self.fresh("yes"), self.fresh("out")
        self.line(f"br i1 {condition.text}, label %{yes}, label %{out}")
        self.label(yes)
        self.line("ret void")
        self.label(out)

    # --- arithmetic without an operator ----------------------------------------------------------------------------

    def minimum(self, a: Any, b: Any) -> Any:
        """The lesser; of floats, a NaN wins."""
        return self._extreme(a, b, "smin", "minimum", min)

    def maximum(self, a: Any, b: Any) -> Any:
        """The greater; of floats, a NaN wins."""
        return self._extreme(a, b, "smax", "maximum", max)

    def _extreme(self, a: Any, b: Any, integer: str, floating: str, known: Any) -> Any:
        if not isinstance(a, Value) and not isinstance(b, Value):
            return known(a, b)
        type = a.type if isinstance(a, Value) else b.type
        a, b = self.as_value(a, type), self.as_value(b, type)
        return self.intrinsic(f"llvm.{floating if type.floating else integer}.{type.suffix}", type, a, b)

    def fma(self, a: Any, b: Any, c: Value) -> Value:
        """a * b + c, rounded once."""
        a, b = self.as_value(a, c.type), self.as_value(b, c.type)
        return self.intrinsic(f"llvm.fma.{c.type.suffix}", c.type, a, b, c)

    def unary(self, name: str, x: Value) -> Value:
        """sqrt, fabs, floor, ceil, rint, roundeven, trunc, ctpop, ..."""
        return self.intrinsic(f"llvm.{name}.{x.type.suffix}", x.type, x)

    def library(self, name: str, *values: Value) -> Value:
        """A function of the C mathematics library, lane by lane: `name` is its double form, float has an f behind."""
        kind = values[0].type.scalar
        symbol = name if kind.bits == 64 else name + "f"
        parameters = ", ".join([kind.text] * len(values))
        self.module.declarations[symbol] = f"declare {kind.text} @{symbol}({parameters})"
        lanes = values[0].type.lanes
        made = self.zero(values[0].type)
        for i in range(lanes):
            arguments = ", ".join(f"{kind.text} {(v.lane(i) if lanes > 1 else v).text}" for v in values)
            one = self.emit(f"call {kind.text} @{symbol}({arguments})", kind)
            if lanes == 1:
                return one
            word = f"insertelement {made.type.text} {made.text}, {kind.text} {one.text}, i64 {i}"
            made = self.emit(word, made.type)
        return made

    def copysign(self, magnitude: Any, sign: Value) -> Value:
        """The magnitude with the sign of another."""
        magnitude = self.as_value(magnitude, sign.type)
        return self.intrinsic(f"llvm.copysign.{sign.type.suffix}", sign.type, magnitude, sign)

    def select(self, condition: Value, a: Any, b: Any) -> Value:
        """Lane by lane, a where the condition holds, else b."""
        type = a.type if isinstance(a, Value) else b.type
        lanes = max(type.lanes, condition.type.lanes)
        type = type.by(lanes)
        a, b = self.as_value(a, type), self.as_value(b, type)
        return self.emit(
            f"select {condition.type.text} {condition.text}, {type.text} {a.text}, {type.text} {b.text}", type
        )

    def shuffle(self, a: Value, b: Value, order: Sequence[int]) -> Value:
        """Lanes of a (from 0) and of b (from a's lanes on) in this order."""
        picks = ", ".join(f"i32 {i}" for i in order)
        return self.emit(
            f"shufflevector {a.type.text} {a.text}, {b.type.text} {b.text}, <{len(order)} x i32> <{picks}>",
            a.type.by(len(order)),
        )

    def across(self, x: Value, combine: Callable[[Value, Value], Value]) -> Value:
        """All lanes combined, halves with halves: an order that hangs on nothing but their number."""
        lanes = x.type.lanes
        while lanes > 2:
            half = lanes // 2
            x = combine(self.shuffle(x, x, range(half)), self.shuffle(x, x, range(half, lanes)))
            lanes = half
        return combine(x.lane(0), x.lane(1)) if lanes == 2 else x

    def lanes_below(self, count: Any, lanes: int) -> Value:
        """A mask: true in the first `count` lanes."""
        if type(count) is int:
            return self.constants([int(i < count) for i in range(lanes)], I1)
        return self.constants(range(lanes), I64) < count.splat(lanes)

    def on_lines(self, pointer: Value, size: int) -> Value:
        """Whether an address is a multiple of a size."""
        word = self.emit(f"ptrtoint ptr {pointer.text} to i64", I64)
        return (word & (size - 1)).equals(0)

    # --- memory shared by threads ----------------------------------------------------------------------------------

    def atomic_load(self, place: Value) -> Value:
        return self.emit(f"load atomic i64, ptr {place.text} seq_cst, align 8", I64)

    def atomic_store(self, place: Value, value: Any) -> None:
        self.line(f"store atomic i64 {self.as_value(value, I64).text}, ptr {place.text} seq_cst, align 8")

    def atomic_add(self, place: Value, value: Any) -> Value:
        """Adds; gives what was there before."""
        return self.emit(f"atomicrmw add ptr {place.text}, i64 {self.as_value(value, I64).text} seq_cst, align 8", I64)

    def atomic_or(self, place: Value, value: Any) -> Value:
        """Sets bits; gives what was there before."""
        return self.emit(f"atomicrmw or ptr {place.text}, i64 {self.as_value(value, I64).text} seq_cst, align 8", I64)

    def atomic_swap(self, place: Value, value: Any) -> Value:
        """Puts a value; gives what was there before."""
        return self.emit(f"atomicrmw xchg ptr {place.text}, i64 {self.as_value(value, I64).text} seq_cst, align 8", I64)

    def pause(self) -> None:
        """Tells the processor that this is a waiting loop."""
        if self.module.pause == "x86":
            self.intrinsic("llvm.x86.sse2.pause", None)
        else:
            self.intrinsic("llvm.aarch64.hint", None, Raw("i32", 1))

    def prefetch(self, place: Value, writes: bool = False) -> None:
        """Tells the processor that a cache line will be read, or written, soon. The address may be any."""
        hints = (Raw("i32", number) for number in (int(writes), 3, 1))
        self.intrinsic("llvm.prefetch.p0", None, place, *hints)

    def copy(self, to: Value, source: Value, count: Any) -> None:
        """`count` elements; the two do not overlap."""
        size = self.as_value(count * to.element.bytes, I64)
        self.module.declarations["llvm.memcpy.p0.p0.i64"] = "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"
        self.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {to.text}, ptr {source.text}, i64 {size.text}, i1 false)")

    def clear(self, to: Value, count: Any) -> None:
        """`count` elements become zero."""
        size = self.as_value(count * to.element.bytes, I64)
        self.module.declarations["llvm.memset.p0.i64"] = "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"
        self.line(f"call void @llvm.memset.p0.i64(ptr {to.text}, i8 0, i64 {size.text}, i1 false)")

    def text(self) -> str:
        parameters = ", ".join(f"{p.type.text} {p.text}" for p in self.parameters)
        linkage = "internal fastcc " if self.internal else ""
        body = "\n".join([*self._locals, *self._lines])
        kind, answer = ("void", "void") if self.answer is None else (self.answer.type.text, repr(self.answer))
        return f"define {linkage}{kind} @{self.name}({parameters}) #0 {{\nentry:\n{body}\n  ret {answer}\n}}\n"


class Module:
    """Functions compiled together.

    vector: widest vector in bits that the code should use; pause: whose waiting hint, "x86" or "arm".
    """

    def __init__(self, vector: int = 512, pause: str = "x86") -> None:
        self.vector, self.pause = vector, pause
        self.declarations: dict[str, str] = {}
        self._functions: dict[str, Function] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def __getitem__(self, name: str) -> Function:
        return self._functions[name]

    @property
    def exported(self) -> list[str]:
        """Names of the functions that can be looked up once it is compiled."""
        return [f.name for f in self._functions.values() if not f.internal]

    @contextlib.contextmanager
    def function(self, name: str, *parameters: Type, internal: bool = True) -> Iterator[tuple[Any, ...]]:
        """A function of these parameters that returns `f.answer`, or nothing: gives (function, *parameters)."""
        f = Function(self, name, parameters, internal)
        yield (f, *f.parameters)
        self._functions[name] = f

    @contextlib.contextmanager
    def kernel(self, name: str, **arguments: Type) -> Iterator[tuple[Any, ...]]:
        """A kernel `void(table, begin, end)`: gives (function, *arguments), read from the table's 8-byte words."""
        f = Function(self, name, (I64.pointer, I64, I64), internal=False)
        table, f.begin, f.end = f.parameters
        yield (f, *[_word(f, table, i, kind) for i, kind in enumerate(arguments.values())])
        self._functions[name] = f

    def text(self) -> str:
        attributes = (
            f'attributes #0 = {{ nounwind "min-legal-vector-width"="{self.vector}" '
            f'"prefer-vector-width"="{self.vector}" }}\n'
        )
        parts = [*self.declarations.values(), "", *[f.text() for f in self._functions.values()], attributes]
        return "\n".join(parts)


def _word(f: Function, table: Value, i: int, kind: Type) -> Value:
    """Word `i` of the table as a value of this type."""
    place = table.at(i)
    return f.emit(f"load {kind.text}, ptr {place.text}, align 8", kind)
