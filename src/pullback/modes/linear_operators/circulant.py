"""Circulant operators: diagonal after a Fourier transform.

A = F^-1 diag(spectrum) F        over the last one, two or three axes of an array that the vector holds
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype, complex64, complex128
from pullback.core.names import public
from pullback.core.shape import Shape, TensorShape, known
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.assertions import assert_no_zeros, assert_real
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.hints import commuting, hints_of, settled
from pullback.modes.linear_operators.shapes import Dims, dims_of, kept, spliced, static
from pullback.ops.array.conversion import cast
from pullback.ops.array.creation import ones
from pullback.ops.array.shape import expand_dims, reshape
from pullback.ops.control.assertions import assert_less, assert_positive
from pullback.ops.linalg.einsum import einsum
from pullback.ops.linalg.solving import adjoint as adjoint_of
from pullback.ops.math.functions import abs_, conj, imag, log, real
from pullback.ops.math.reduce_functions import reduce_max, reduce_min, reduce_prod, reduce_sum
from pullback.ops.signal import fourier

_FORWARD = {1: fourier.fft, 2: fourier.fft2d, 3: fourier.fft3d}
_BACKWARD = {1: fourier.ifft, 2: fourier.ifft2d, 3: fourier.ifft3d}


def complex_of(x: Any) -> Tensor:
    """The same numbers in the complex type of their precision."""
    return cast(x, complex128 if x.dtype.real_dtype.name == "float64" else complex64)


def _alike(left: Any, right: Any) -> bool:
    return isinstance(right, _Circulant) and left.depth == right.depth


class _Circulant(LinearOperator):
    """Base of the three: arguments as LinearOperatorCirculant's, `depth` axes to a vector."""

    depth = 1

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = complex64,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str | None = None,
    ) -> None:
        self._spectrum = kept(spectrum, "spectrum", self.depth)
        if not self._spectrum.dtype.is_complex:
            is_self_adjoint = settled(is_self_adjoint, True, "an operator with a real spectrum is self-adjoint")
        is_square = settled(is_square, True, "a circulant matrix is always square")
        dtype = as_dtype(input_output_dtype)
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)

    @property
    def spectrum(self) -> Any:
        """As it was given."""
        return self._spectrum

    @property
    def block_depth(self) -> int:
        """How many axes a vector stands for."""
        return self.depth

    @property
    def block_shape(self) -> TensorShape:
        """What is known of them."""
        return self._spectrum.shape[-self.depth :]

    def block_shape_tensor(self) -> Tensor:
        return interpreter.as_tensor(self._block(), "int32")

    def _block(self) -> Dims:
        return dims_of(self._spectrum)[-self.depth :]

    def _shape(self) -> Shape:
        shape = static(self._spectrum)
        if shape is None:
            return None
        block = shape[-self.depth :]
        n = math.prod(block) if known(block) else None  # type: ignore[arg-type]
        return (*shape[: -self.depth], n, n)

    def _shape_tensor(self) -> Dims:
        dims = dims_of(self._spectrum)
        n = reduce_prod(interpreter.as_tensor(dims[-self.depth :], "int32"))
        return spliced(dims[: -self.depth], (n, n))

    def _filtered(self, x: Any, spectrum: Tensor) -> Tensor:
        """The columns of x [..., N, R], each times the spectrum in the transformed space."""
        rows = einsum("...nr->...rn", complex_of(x))
        arrays = reshape(rows, spliced(dims_of(rows)[:-1], self._block()))
        y = _BACKWARD[self.depth](_FORWARD[self.depth](arrays) * expand_dims(spectrum, -self.depth - 1))
        flat = reshape(y, spliced(dims_of(y)[: -self.depth], (self._columns(),)))
        return cast(einsum("...rn->...nr", flat), self.dtype)

    def _turned(self, adjoint: bool) -> Tensor:
        """The spectrum in the arguments' precision."""
        z = cast(self._spectrum, complex128 if self.dtype.real_dtype.name == "float64" else complex64)
        return conj(z) if adjoint else z

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._filtered(adjoint_of(x) if adjoint_arg else x, self._turned(adjoint))

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._filtered(adjoint_of(rhs) if adjoint_arg else rhs, 1 / self._turned(adjoint))

    def convolution_kernel(self, name: str = "convolution_kernel") -> Tensor:
        """The spectrum transformed back: the first column of the matrix, [..., block]."""
        with self._name_scope(name):
            return cast(_BACKWARD[self.depth](complex_of(self._spectrum)), self.dtype)

    def _axes(self) -> list[int]:
        return list(range(-self.depth, 0))

    def _eigvals(self) -> Tensor:
        dims = dims_of(self._spectrum)
        return reshape(self._spectrum, spliced(dims[: -self.depth], (self._columns(),)))

    def _determinant(self) -> Tensor:
        return cast(reduce_prod(self._spectrum, self._axes()), self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return cast(reduce_sum(log(abs_(self._spectrum)), self._axes()), self.dtype.real_dtype)

    def _trace(self) -> Tensor:
        return cast(reduce_sum(self._spectrum, self._axes()), self.dtype)

    def _diag_part(self) -> Tensor:
        share = self.trace() / cast(self._columns(), self.dtype)
        return expand_dims(share, -1) * ones((self._columns(),), self.dtype)

    def _cond(self) -> Tensor:
        size = abs_(self._spectrum)
        return reduce_max(size, self._axes()) / reduce_min(size, self._axes())

    def _with(self, spectrum: Any, hints: dict[str, Any]) -> LinearOperator:
        return type(self)(spectrum, self.dtype, **hints)

    def _linop_adjoint(self) -> LinearOperator:
        return self._with(conj(self._spectrum), hints_of(self))

    def _linop_inverse(self) -> LinearOperator:
        return self._with(1 / cast(self._spectrum, self._spectrum.dtype), hints_of(self))

    def _linop_matmul(self, left_operator: Any, right_operator: Any) -> LinearOperator:
        if not _alike(left_operator, right_operator):
            return super()._linop_matmul(left_operator, right_operator)
        total = left_operator.spectrum * right_operator.spectrum
        return left_operator._with(total, commuting(left_operator, right_operator))

    def _linop_solve(self, left_operator: Any, right_operator: Any) -> LinearOperator:
        if not _alike(left_operator, right_operator):
            return super()._linop_solve(left_operator, right_operator)
        ratio = right_operator.spectrum / left_operator.spectrum
        return left_operator._with(ratio, commuting(left_operator, right_operator))

    def assert_hermitian_spectrum(self, name: str = "assert_hermitian_spectrum") -> Any:
        """Checks when run that the matrix is real: the kernel's imaginary part is zero up to rounding."""
        with self._name_scope(name):
            kernel = _BACKWARD[self.depth](complex_of(self._spectrum))
            step = float(np.finfo(self.dtype.real_dtype.numpy).eps)
            bound = step * cast(self._columns(), kernel.dtype.real_dtype)
            return assert_less(abs_(imag(kernel)), bound, message=f"{self.name}: the spectrum is not Hermitian")

    def _assert_non_singular(self) -> Any:
        return assert_no_zeros(self._spectrum, f"{self.name} is singular: its spectrum holds a zero")

    def _assert_self_adjoint(self) -> Any:
        return assert_real(self._spectrum, f"{self.name} is not self-adjoint: its spectrum is not real")

    def _assert_positive_definite(self) -> Any:
        return assert_positive(
            real(self._spectrum), message=f"{self.name} is not positive definite: its spectrum is not all positive"
        )


@public("linalg.LinearOperatorCirculant", v1=None)
class LinearOperatorCirculant(_Circulant):
    """Circular convolution: each column is the one before it, moved down by one.

    Args:
      spectrum: Tensor or variable [..., N], real or complex: the transform of the first column; the eigenvalues.
      input_output_dtype: of arguments and answers. With a real one the spectrum should be Hermitian, and imaginary
        parts are dropped.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see LinearOperator. With a real spectrum
        it is always self-adjoint.
    Raises:
      ArgumentError: hints deny what it is. ShapeError: the spectrum is a scalar.
    """

    depth = 1

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = complex64,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = "LinearOperatorCirculant",
    ) -> None:
        super().__init__(
            spectrum, input_output_dtype, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )


@public("linalg.LinearOperatorCirculant2D", v1=None)
class LinearOperatorCirculant2D(_Circulant):
    """Circular convolution over two axes, which a vector holds in row order.

    Args: as LinearOperatorCirculant's; spectrum [..., N0, N1].
    """

    depth = 2

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = complex64,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = "LinearOperatorCirculant2D",
    ) -> None:
        super().__init__(
            spectrum, input_output_dtype, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )


@public("linalg.LinearOperatorCirculant3D", v1=None)
class LinearOperatorCirculant3D(_Circulant):
    """Circular convolution over three axes, which a vector holds in row order.

    Args: as LinearOperatorCirculant's; spectrum [..., N0, N1, N2].
    """

    depth = 3

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = complex64,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = "LinearOperatorCirculant3D",
    ) -> None:
        super().__init__(
            spectrum, input_output_dtype, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )
