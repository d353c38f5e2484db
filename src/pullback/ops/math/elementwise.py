"""Elementwise ops are rows of a table.

    Tanh = elementwise("Tanh", numpy=np.tanh, d=lambda x, y: 1 - y * y, domain=(-3, 3))

`d` is the derivative by each argument, made of ordinary operators: dy * conj(d) and every higher order follow from it.
Inputs broadcast as NumPy's do; cotangents are summed back by the chain rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.backprop import asked
from pullback.core.dtypes import DType
from pullback.core.errors import ShapeError
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.silence import silently
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor

Derivative = Callable[..., Any] | None


class Elementwise(Op):
    """Base of the table's rows. x [...], y [...] -> z [broadcast of both]"""

    broadcasts = True
    any_rank = True
    domain: tuple[tuple[float, float], ...] = ()
    derivatives: tuple[Derivative, ...] | None = None
    linear: tuple[int, ...] = ()  # the arguments in each of which it is linear
    carries_values = False  # integer arithmetic that static values flow through
    smooth = True
    holomorphic = True
    kernel: Callable[..., Any]

    def infer(self, *inputs: Spec) -> Spec:
        try:
            together = shape.broadcast(*(x.shape for x in inputs))
        except ShapeError as error:
            raise ShapeError(f"{self.type}: {error.message}") from None
        dtype = self.parsed.outputs(self, inputs)[0]
        return Spec(together, dtype, self._value(inputs) if self.carries_values and dtype.is_integer else None)

    def _value(self, inputs: tuple[Spec, ...]) -> Any:
        """The static value of the result, entry by entry, as far as the inputs' are known."""
        lengths = {len(x.value) for x in inputs if isinstance(x.value, tuple)}
        if len(lengths) > 1 or any(x.shape is None or len(x.shape) > 1 for x in inputs):
            return None
        if any(x.value is None and x.shape != () and x.shape != (next(iter(lengths), None),) for x in inputs):
            return None
        if not lengths:
            values = [x.value for x in inputs]
            return None if None in values or any(x.shape != () for x in inputs) else int(self._one(values))
        (length,) = lengths
        rows = [x.value if isinstance(x.value, tuple) else (x.value,) * length for x in inputs]
        return tuple(None if None in row else int(self._one(row)) for row in zip(*rows, strict=True))

    def _one(self, values: Any) -> Any:
        return silently(type(self).kernel, [np.int64(v) for v in values])

    def reference(self, *inputs: Any) -> Any:
        try:
            return silently(type(self).kernel, inputs)
        except ValueError:
            shapes = " and ".join(shape.text(np.shape(x)) for x in inputs)
            raise ShapeError(f"{self.type}: shapes {shapes} do not broadcast") from None

    def grad(self, node: Any, dy: Any) -> Any:
        if self.derivatives is None:
            return (None,) * len(node.inputs)
        known = (*node.inputs, node.results[0])
        pairs = zip(self.derivatives, asked(node), strict=True)
        return tuple([None if d is None or not used else dy * conj(d(*known)) for d, used in pairs])

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if any(x.spec.shape is None for x in inputs):
            return NotImplemented
        rank = max(len(x.spec.shape) - (a is not None) for x, a in zip(inputs, axes, strict=True))
        return self(*[aligned(x, a, rank) for x, a in zip(inputs, axes, strict=True)]), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        count = len(cls.parsed.inputs)
        domains = cls.domain or ((-3.0, 3.0),)
        domains = domains * count if len(domains) == 1 else domains

        def draw(shapes: tuple[tuple[int, ...], ...], dtype: DType) -> tuple[Any, ...]:
            drawn = [rng.uniform(*d, s) for d, s in zip(domains, shapes, strict=True)]
            if dtype.is_complex:
                drawn = [x + 1j * rng.uniform(*d, s) for x, d, s in zip(drawn, domains, shapes, strict=True)]
            if dtype.is_integer:
                drawn = [np.round(x) + (x > 0) for x in drawn]
            return tuple(np.asarray(x > 0.5 if dtype.is_bool else x).astype(dtype.numpy) for x in drawn)

        allowed = list(cls.parsed.inputs[0].allowed or ())
        main = dtypes.float64 if dtypes.float64 in allowed else allowed[0]
        yield Sample(cls(), draw(((2, 3),) * count, main), smooth=cls.smooth)
        if count == 2:
            yield Sample(cls(), draw(((2, 1, 3), (4, 1)), main), smooth=cls.smooth, name="broadcast")
        yield Sample(cls(), draw(((0, 3),) * count, main), name="empty")
        yield Sample(cls(), draw(((),) * count, main), smooth=cls.smooth, name="scalar")
        for dtype in allowed:
            if dtype is not main and dtype is not dtypes.string:
                smooth = cls.smooth and (cls.holomorphic or not dtype.is_complex)
                yield Sample(cls(), draw(((3,),) * count, dtype), order=1, smooth=smooth, name=dtype.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        if len(cls.parsed.inputs) == 2 and cls.parsed.inputs[0].allowed:
            dtype = cls.parsed.inputs[0].allowed[0].numpy
            yield lambda: cls()(np.ones((2, 3), dtype), np.ones((4,), dtype)), ShapeError, "broadcast"


def elementwise(
    name: str,
    *,
    numpy: Callable[..., Any],
    d: Derivative | tuple[Derivative, ...] = None,
    grad: Callable[..., Any] | None = None,
    takes: str = "x: T",
    gives: str = "T",
    T: tuple[DType, ...] = dtypes.FLOATS,
    domain: Any = (-3.0, 3.0),
    carries_values: bool = False,
    linear: tuple[int, ...] = (),
    smooth: bool = True,
    holomorphic: bool = True,
    doc: str = "",
) -> type[Elementwise]:
    """Makes an elementwise op.

    Args:
      name: TensorFlow's op type.
      numpy: the formula, on arrays of one type.
      d: derivative by each argument, `d(*inputs, output)`; a tuple for several arguments; None: no dependence.
      grad: replaces the product dy * conj(d) where TensorFlow's rule is not that product: `grad(node, dy)`.
      takes, gives, T: the signature.
      domain: (low, high) that samples are drawn from, or one for each argument.
      carries_values: shape arithmetic may flow through it.
      linear: the arguments in each of which it is linear.
      holomorphic: whether it has a complex derivative.
      smooth: whether finite differences mean anything on the domain.
    """
    body: dict[str, Any] = {
        "__doc__": doc or f"{name}, entry by entry.",
        "__module__": _calling_module(),
        "signature": f"{takes} -> z: {gives}",
        "T": T,
        "kernel": staticmethod(numpy),
        "derivatives": None if d is None else d if isinstance(d, tuple) else (d,),
        "domain": domain if isinstance(domain[0], tuple) else (domain,),
        "carries_values": carries_values,
        "linear": linear,
        "smooth": smooth,
        "holomorphic": holomorphic,
    }
    if grad is not None:
        body["grad"] = staticmethod(grad)
    return op(type(name, (Elementwise,), body))


def _calling_module() -> str:
    import sys

    return sys._getframe(2).f_globals["__name__"]


def conj(x: Any) -> Any:
    """The complex conjugate; a real tensor or number itself."""
    if isinstance(x, Tensor):
        return REGISTRY["Conj"]()(x) if x.spec.dtype.is_complex else x
    return x.conjugate() if isinstance(x, complex) else x


def aligned(x: Tensor, axis: int | None, rank: int) -> Any:
    """A batched tensor with size-1 axes after the batch, so that its other axes meet the others' from the right."""
    lacking = 0 if axis is None else rank - (x.spec.rank or 0) + 1
    if lacking <= 0:
        return x
    if x.spec.known:
        return REGISTRY["Reshape"]()(x, (x.spec.shape[0], *(1,) * lacking, *x.spec.shape[1:]))  # type: ignore[index]
    for _ in range(lacking):
        x = REGISTRY["ExpandDims"]()(x, 1)
    return x
