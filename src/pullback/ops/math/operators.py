"""Python's operators on tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype
from pullback.core.errors import OpError
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math.complex_numbers import ComplexAbs, part
from pullback.ops.math.select import Cast

# How an operator's nodes are called in a graph, and the op it is.
_BINARY = {
    "add": ("add", m.AddV2),
    "sub": ("sub", m.Sub),
    "mul": ("mul", m.Mul),
    "floordiv": ("floordiv", m.FloorDiv),
    "mod": ("mod", m.FloorMod),
    "pow": ("pow", m.Pow),
    "and": ("and", m.LogicalAnd),
    "or": ("or", m.LogicalOr),
    "xor": ("xor", m.LogicalXor),
}
_COMPARE = {"lt": m.Less, "le": m.LessEqual, "gt": m.Greater, "ge": m.GreaterEqual}
# Types that put themselves in front of a tensor in a binary operation (variables answer through their own methods).
_FOREIGN = (str, bytes, type(None))


def divide(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y. Integers are cast first, as TensorFlow's truediv does: 8 and 16 bits to float32, wider ones to float64."""
    lead = next(
        (
            t
            for t in (x, y)
            if (hasattr(t, "dtype") and hasattr(type(t), "__pullback_tensor__")) or isinstance(t, Tensor)
        ),
        None,
    )
    if lead is None:
        x = interpreter.as_tensor(x)
        lead = x
    if lead.dtype.is_integer:
        to = as_dtype("float32" if lead.dtype.size < 4 else "float64")
        x, y = (Cast(to)(t if isinstance(t, Tensor) else interpreter.as_tensor(t, lead.dtype)) for t in (x, y))
    return m.RealDiv()(x, y, name=name)


def _binary(op: Any, name: str, swapped: bool) -> Callable[[Any, Any], Any]:
    made = op()

    def forward(self: Any, other: Any) -> Any:
        return NotImplemented if isinstance(other, _FOREIGN) else made(self, other, name=name)

    def backward(self: Any, other: Any) -> Any:
        return NotImplemented if isinstance(other, _FOREIGN) else made(other, self, name=name)

    return backward if swapped else forward


def _equality(op: Any, name: str, on_failure: bool) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: Any) -> Any:
        if not self.dialect.elementwise_equality:
            return (self is other) is not on_failure
        if other is None or isinstance(other, type):
            return on_failure
        try:
            return op()(self, other, name=name)
        except OpError:
            return on_failure

    return compare


def _hash(self: Any) -> int:
    if self.dialect.elementwise_equality:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")
    return id(self)


def _matmul(self: Any, other: Any) -> Any:
    from pullback.ops.linalg.matmul import matmul

    return matmul(self, other, name="matmul")


def _rmatmul(self: Any, other: Any) -> Any:
    from pullback.ops.linalg.matmul import matmul

    return matmul(other, self, name="matmul")


def _rows(self: Any) -> Any:
    length = self.spec.shape[0] if self.spec.shape else None
    if length is None:
        raise TypeError(f"iterating needs a known first dimension, but {self!r} has none; use tf.map_fn or tf.unstack")
    return (self[i] for i in range(length))


def install(cls: type) -> None:
    """Gives a class of tensor-like objects the operators."""
    for method, (name, op) in _BINARY.items():
        setattr(cls, f"__{method}__", _binary(op, name, swapped=False))
        setattr(cls, f"__r{method}__", _binary(op, f"r{name}" if name in ("sub", "floordiv") else name, swapped=True))
    for method, op in _COMPARE.items():
        setattr(cls, f"__{method}__", _binary(op, op.type, swapped=False))
    own: Any = cls
    own.__truediv__ = own.__div__ = lambda self, other: divide(self, other, name="truediv")
    own.__rtruediv__ = own.__rdiv__ = lambda self, other: divide(other, self, name="truediv")
    own.__matmul__, own.__rmatmul__ = _matmul, _rmatmul
    own.__neg__ = lambda self: m.Neg()(self)
    own.__pos__ = lambda self: self
    own.__abs__ = lambda self: absolute(self)
    own.__invert__ = lambda self: m.LogicalNot()(self)
    own.__eq__ = _equality(m.Equal, "Equal", False)
    own.__ne__ = _equality(m.NotEqual, "NotEqual", True)
    own.__hash__ = _hash
    own.__iter__ = _rows


def absolute(x: Any, name: str | None = None) -> Any:
    """|x|; for complex x the modulus."""
    x = interpreter.as_tensor(x)
    return part(ComplexAbs, x)(x, name=name) if x.dtype.is_complex else m.Abs()(x, name=name)


install(Tensor)
EagerTensor.__eq__, EagerTensor.__hash__ = Tensor.__eq__, Tensor.__hash__
