"""Between complex numbers and pairs of real ones: Complex, Real, Imag, ComplexAbs, Angle.

A cotangent of a complex z holds the derivative by its real part and, times i, that by its imaginary part. So the
gradient of Real is Complex(dy, 0), that of Imag is Complex(0, dy), and that of Complex is the pair of parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.basics import ZerosLike
from pullback.core.dtypes import COMPLEXES, DType, complex64, complex128, float32, float64
from pullback.core.errors import DTypeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.ops.math.arithmetic import Reciprocal, Sign
from pullback.ops.math.elementwise import Elementwise


def _complex_of(real: DType) -> DType:
    return complex128 if real is float64 else complex64


@op
class Complex(Elementwise):
    """real + i imag, entry by entry."""

    signature = "real: T, imag: T -> out: Tout"
    T = (float32, float64)
    Tout: DType = complex64

    def infer(self, *parts: Any) -> Any:
        given = parts[0].dtype
        if _complex_of(given) is not self.Tout:
            raise DTypeError(f"Complex: parts of {given.name} make {_complex_of(given).name}, not {self.Tout.name}")
        return super().infer(*parts)

    def reference(self, *parts: Any) -> Any:
        real, imag = np.broadcast_arrays(*parts)
        z = np.empty(real.shape, self.Tout.numpy)
        z.real, z.imag = real, imag
        return z

    def grad(self, node: Any, dy: Any) -> Any:
        part = node.inputs[0].dtype
        return Real(part)(dy), Imag(part)(dy)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(complex128), (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))))
        yield Sample(cls(complex128), (rng.normal(size=(2, 1)), rng.normal(size=(3,))), name="broadcast")
        yield Sample(cls(), (np.ones((0, 3), np.float32), np.ones((0, 3), np.float32)), name="empty")
        yield Sample(cls(), (np.ones(3, np.float32), np.ones(3, np.float32)), order=1, name="complex64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(2), np.ones(2)), DTypeError, "complex128"


class _Part(Elementwise):
    """Base of the real functions of one complex number."""

    T = COMPLEXES
    Tout: DType

    def infer(self, *inputs: Any) -> Any:
        given = inputs[0].dtype
        if given.real_dtype is not self.Tout:
            raise DTypeError(f"{self.type}: of {given.name} it is {given.real_dtype.name}, not {self.Tout.name}")
        return super().infer(*inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(float64), (rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3)),))
        yield Sample(cls(), (np.ones((0, 2), np.complex64),), name="empty")
        yield Sample(cls(), (np.array([1 + 2j, -1 + 1j], np.complex64),), order=1, name="complex64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(float64)(np.ones(2, np.complex64)), DTypeError, "float32"


@op
class Real(_Part):
    """The real part."""

    signature = "input: T -> output: Tout"
    Tout: DType = float32
    kernel = staticmethod(np.real)

    def grad(self, node: Any, dy: Any) -> Any:
        return Complex(node.inputs[0].dtype)(dy, ZerosLike()(dy))


@op
class Imag(_Part):
    """The imaginary part."""

    signature = "input: T -> output: Tout"
    Tout: DType = float32
    kernel = staticmethod(np.imag)

    def grad(self, node: Any, dy: Any) -> Any:
        return Complex(node.inputs[0].dtype)(ZerosLike()(dy), dy)


@op
class ComplexAbs(_Part):
    """The modulus. Its gradient dy z / |z| is 0 at 0."""

    signature = "x: T -> y: Tout"
    Tout: DType = float32
    kernel = staticmethod(np.abs)

    def grad(self, node: Any, dy: Any) -> Any:
        z = node.inputs[0]
        return Complex(z.dtype)(dy, ZerosLike()(dy)) * Sign()(z)


@op
class Angle(_Part):
    """The argument, in (-pi, pi]. Its gradient is i z / |z|^2 dy = -dy / (i conj z), nan at 0."""

    signature = "input: T -> output: Tout"
    Tout: DType = float32
    kernel = staticmethod(np.angle)

    def grad(self, node: Any, dy: Any) -> Any:
        z = node.inputs[0]
        parts = Imag(self.Tout)(z), Real(self.Tout)(z)
        return -(Complex(z.dtype)(dy, ZerosLike()(dy)) * Reciprocal()(Complex(z.dtype)(*parts)))


def part(op_type: type[Op], z: Any) -> Any:
    """An op of this file, for the type of the complex tensor z."""
    return op_type(z.dtype.real_dtype)
