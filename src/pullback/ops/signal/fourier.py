"""Discrete Fourier transforms over the last one, two or three axes.

    FFT    y[k] = sum_j x[j] exp(-2 pi i j k / n)                 IFFT   its inverse
    RFFT   of real x, k = 0 .. n/2 only                           IRFFT  its inverse

The adjoint of FFT is n IFFT, so they are each other's derivatives. RFFT is FFT of a real signal, its upper half left
out; its adjoint fills that half with zeros, takes n IFFT and the real part. IRFFT counts each frequency twice, but
those that are their own mirror image (0, and n/2 of even n): so its adjoint is RFFT with these weights, over n.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import COMPLEXES, DType, complex64, complex128, float32, float64, int32
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.array.creation import zeros_like
from pullback.ops.array.joining import concat, stack
from pullback.ops.array.padding import pad
from pullback.ops.array.ranges import range_
from pullback.ops.array.sizes import shape_
from pullback.ops.array.slicing import slice_
from pullback.ops.math.complex_numbers import Real
from pullback.ops.math.functions import equal, logical_or, minimum
from pullback.ops.math.reduce_functions import reduce_prod
from pullback.ops.math.select import Cast

_COMPLEX_OF = {float32: complex64, float64: complex128}
_REAL_OF = {made: real for real, made in _COMPLEX_OF.items()}


def _axes(rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


def fitted(x: Any, wanted: Any) -> Any:
    """x cut, and grown with zeros, at the ends of its axes to a shape (a vector)."""
    kept = minimum(shape_(x), wanted)
    cut = slice_(x, zeros_like(kept), kept)
    return pad(cut, stack([zeros_like(kept), wanted - kept], 1))


class _Fourier(Op):
    """Base of the transforms of complex signals."""

    signature = "x: T -> y: T"
    T = COMPLEXES
    rank = 1
    inverse = False
    mate: Any = None  # the transform back

    def infer(self, x: Any) -> Spec:
        if len(x.shape) < self.rank:
            raise ShapeError(f"{self.type}: the input must have at least {self.rank} axes, but has {len(x.shape)}")
        return x.with_shape(x.shape)

    def reference(self, x: Any) -> Any:
        if not x.size:
            return x
        transform = np.fft.ifftn if self.inverse else np.fft.fftn
        return transform(x, axes=_axes(self.rank)).astype(x.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        size = Cast(dy.dtype)(reduce_prod(shape_(dy)[-self.rank :]))  # type: ignore[index]
        back = REVERSED[type(self)]()(dy)
        return back / size if self.inverse else back * size

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        shape = (2, 4, 3, 2)[-cls.rank - 1 :]
        x = rng.normal(size=shape) + 1j * rng.normal(size=shape)
        yield Sample(cls(), (x,), order=2)
        yield Sample(cls(), (x.astype(np.complex64),), wrt=(), name="complex64")
        yield Sample(cls(), (x[:0],), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.complex64(1)), ShapeError, f"at least {cls.rank} axes"


@op
class FFT(_Fourier):
    """The transform over the last axis."""


@op
class IFFT(_Fourier):
    """The inverse over the last axis."""

    inverse = True


@op
class FFT2D(_Fourier):
    """The transform over the last two axes."""

    rank = 2


@op
class IFFT2D(_Fourier):
    """The inverse over the last two axes."""

    rank, inverse = 2, True


@op
class FFT3D(_Fourier):
    """The transform over the last three axes."""

    rank = 3


@op
class IFFT3D(_Fourier):
    """The inverse over the last three axes."""

    rank, inverse = 3, True


REVERSED: dict[Any, Any] = {FFT: IFFT, FFT2D: IFFT2D, FFT3D: IFFT3D}
REVERSED |= {back: forth for forth, back in REVERSED.items()}


class _OfReal(Op):
    """Base of transforms between real signals and half spectra. fft_length: the signal's length along each axis."""

    static = (1,)
    rank = 1

    def _lengths(self, x: Any, fft_length: Any) -> tuple[Any, ...]:
        if len(x.shape) < self.rank:
            raise ShapeError(f"{self.type}: the input must have at least {self.rank} axes, but has {len(x.shape)}")
        known = known_vector(fft_length)
        if known is None:
            return (None,) * self.rank
        if len(known) != self.rank or any(n is not None and n < 1 for n in known):
            raise ShapeError(f"{self.type}: fft_length must be {self.rank} numbers above 0, but is {list(known)}")
        return known

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return (self(*inputs), 0) if axes[1] is None else NotImplemented


class _RFFT(_OfReal):
    """Base of the transforms of real signals: cut or grown with zeros to fft_length, then transformed."""

    signature = "x: R, fft_length: int32 -> y: Tcomplex"
    R = (float32, float64)
    Tcomplex: DType = complex64
    own_fields = ("Tcomplex",)

    def infer(self, x: Any, fft_length: Any) -> Spec:
        if _COMPLEX_OF[x.dtype] is not self.Tcomplex:
            raise DTypeError(
                f"{self.type}: of {x.dtype.name} comes {_COMPLEX_OF[x.dtype].name}, not {self.Tcomplex.name}"
            )
        n = self._lengths(x, fft_length)
        last = None if n[-1] is None else n[-1] // 2 + 1
        return Spec((*x.shape[: -self.rank], *n[:-1], last), self.Tcomplex)

    def reference(self, x: Any, fft_length: Any) -> Any:
        n = tuple(int(v) for v in fft_length)
        if not x.size and not all(x.shape[: -self.rank]):
            return np.zeros((*x.shape[: -self.rank], *n[:-1], n[-1] // 2 + 1), self.Tcomplex.numpy)
        return np.fft.rfftn(x, n, _axes(self.rank)).astype(self.Tcomplex.numpy)

    def grad(self, node: Any, dy: Any) -> Any:
        x, n = node.inputs
        whole = fitted(dy, concat([shape_(dy)[:-1], n[-1:]], 0))  # type: ignore[index]
        back = INVERSES[self.rank]()(whole)
        dx = Real(x.dtype)(back) * Cast(x.dtype)(reduce_prod(n))
        return fitted(dx, shape_(x)), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        shape = (2, 4, 3, 6)[-cls.rank - 1 :]
        x = rng.normal(size=shape)
        wide = cls(complex128)
        yield Sample(wide, (x, np.array(shape[1:], np.int32)), wrt=(0,), order=2)
        yield Sample(wide, (x, np.array([5] * cls.rank, np.int32)), wrt=(0,), order=2, name="cut and grown")
        yield Sample(cls(), (x.astype(np.float32), np.array(shape[1:], np.int32)), wrt=(), name="float32")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.zeros((2, 2, 2), np.float32), [0] * cls.rank), ShapeError, "above 0"


class _IRFFT(_OfReal):
    """Base of the real signals of half spectra: cut or grown with zeros to fft_length's, then transformed back."""

    signature = "x: C, fft_length: int32 -> y: Treal"
    C = COMPLEXES
    Treal: DType = float32
    own_fields = ("Treal",)

    def infer(self, x: Any, fft_length: Any) -> Spec:
        if _REAL_OF[x.dtype] is not self.Treal:
            raise DTypeError(f"{self.type}: of {x.dtype.name} comes {_REAL_OF[x.dtype].name}, not {self.Treal.name}")
        return Spec((*x.shape[: -self.rank], *self._lengths(x, fft_length)), self.Treal)

    def reference(self, x: Any, fft_length: Any) -> Any:
        n = tuple(int(v) for v in fft_length)
        if not x.size and not all(x.shape[: -self.rank]):
            return np.zeros((*x.shape[: -self.rank], *n), self.Treal.numpy)
        return np.fft.irfftn(x, n, _axes(self.rank)).astype(self.Treal.numpy)

    def grad(self, node: Any, dy: Any) -> Any:
        x, n = node.inputs
        length = n[-1]
        k = range_(length // 2 + 1)
        alone = logical_or(equal(k, 0), equal(2 * k, length))
        weight = Cast(dy.dtype)(2 - Cast(int32)(alone)) / Cast(dy.dtype)(reduce_prod(n))
        dx = FORWARD[self.rank](x.dtype)(dy, n) * Cast(x.dtype)(weight)
        return fitted(dx, shape_(x)), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        shape = (2, 4, 3, 4)[-cls.rank - 1 :]
        x = rng.normal(size=shape) + 1j * rng.normal(size=shape)
        wide = cls(float64)
        even, odd = (np.array([*shape[1:-1], n], np.int32) for n in (6, 7))
        yield Sample(wide, (x, even), wrt=(0,), order=2)
        yield Sample(wide, (x, odd), wrt=(0,), order=2, name="odd")
        yield Sample(wide, (x, np.array([5] * cls.rank, np.int32)), wrt=(0,), order=2, name="cut and grown")
        yield Sample(cls(), (x.astype(np.complex64), even), wrt=(), name="complex64")


@op
class RFFT(_RFFT):
    """The half spectrum over the last axis."""


@op
class RFFT2D(_RFFT):
    """The half spectrum over the last two axes: half along the last."""

    rank = 2


@op
class RFFT3D(_RFFT):
    """The half spectrum over the last three axes: half along the last."""

    rank = 3


@op
class IRFFT(_IRFFT):
    """The real signal of a half spectrum, over the last axis."""


@op
class IRFFT2D(_IRFFT):
    """The real signal of a half spectrum, over the last two axes."""

    rank = 2


@op
class IRFFT3D(_IRFFT):
    """The real signal of a half spectrum, over the last three axes."""

    rank = 3


INVERSES: dict[int, Any] = {1: IFFT, 2: IFFT2D, 3: IFFT3D}
FORWARD: dict[int, Any] = {1: RFFT, 2: RFFT2D, 3: RFFT3D}
_BACK: dict[int, Any] = {1: IRFFT, 2: IRFFT2D, 3: IRFFT3D}


# --- public functions ----------------------------------------------------------------------------------------------


def _complex(kind: Any, name: str, words: str) -> Any:
    def transform(input: Any, name: str | None = None) -> Tensor:
        return kind()(input, name=name)

    transform.__name__ = transform.__qualname__ = name
    transform.__doc__ = f"{words} [..., n] -> [..., n], complex."
    return public(f"signal.{name}", v1=(f"signal.{name}", name, f"spectral.{name}"))(transform)


fft = _complex(FFT, "fft", "The Fourier transform over the last axis.")
ifft = _complex(IFFT, "ifft", "The inverse Fourier transform over the last axis.")
fft2d = _complex(FFT2D, "fft2d", "The Fourier transform over the last two axes.")
ifft2d = _complex(IFFT2D, "ifft2d", "The inverse Fourier transform over the last two axes.")
fft3d = _complex(FFT3D, "fft3d", "The Fourier transform over the last three axes.")
ifft3d = _complex(IFFT3D, "ifft3d", "The inverse Fourier transform over the last three axes.")


def _of_real(rank: int, inverse: bool, name: str, words: str) -> Any:
    def transform(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
        x: Any = interpreter.as_tensor(input_tensor)
        table = _REAL_OF if inverse else _COMPLEX_OF
        if x.dtype not in table:
            names = ", ".join(t.name for t in table)
            raise DTypeError(f"{full}: the input must be one of {names}, but is {x.dtype.name}").locate()
        kind: Any = (_BACK if inverse else FORWARD)[rank]
        if fft_length is None:
            if x.spec.rank is not None and x.spec.rank < rank:
                raise ArgumentError(f"{full}: the input must have at least {rank} axes").locate()
            sizes: Any = shape_(x)[-rank:]  # type: ignore[index]
            last = sizes[-1:]
            fft_length = concat([sizes[:-1], 2 * (last - 1)], 0) if inverse else sizes
        return kind(table[x.dtype])(x, interpreter.as_tensor(fft_length, int32), name=name)

    full = name
    transform.__name__ = transform.__qualname__ = name
    transform.__doc__ = f"""{words}

    Args:
      fft_length: length of the signal along each axis transformed, {rank} numbers; by default what the input says{
        " (an even last one)" if inverse else ""
    }. The input is cut or grown with zeros to it.
    """
    return public(f"signal.{name}", v1=(f"signal.{name}", f"spectral.{name}"))(transform)


rfft = _of_real(1, False, "rfft", "The half spectrum of a real signal. [..., n] -> [..., n//2 + 1]")
rfft2d = _of_real(2, False, "rfft2d", "The half spectrum of real images. [..., m, n] -> [..., m, n//2 + 1]")
rfft3d = _of_real(3, False, "rfft3d", "The half spectrum of real volumes, half along the last axis.")
irfft = _of_real(1, True, "irfft", "The real signal of a half spectrum. [..., n//2 + 1] -> [..., n]")
irfft2d = _of_real(2, True, "irfft2d", "The real images of half spectra. [..., m, n//2 + 1] -> [..., m, n]")
irfft3d = _of_real(3, True, "irfft3d", "The real volumes of half spectra.")
