"""Square matrices: inverse, determinant, Cholesky's factor, linear equations. Over leading axes.

Gradients are products and solutions again, so every order exists. With y the result and ^H the conjugate transpose:

    inverse        dA = -y^H dy y^H
    determinant    dA = dy conj(y) A^-H
    A y = b        db = A^-H dy,   dA = -db y^H
    A = L L^H      dA = the Hermitian part of L^-H phi(L^H dL) L^-1, phi: the lower triangle, its diagonal halved

(Giles 2008, An extended collection of matrix derivative results; Murray 2016 for Cholesky's factor.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.dtypes import COMPLEXES, INTS, REALS, float32, float64
from pullback.core.errors import InvalidArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.linalg.bands import band_part, diag_part, matrix_shape, set_diag
from pullback.ops.linalg.matmul import BatchMatMulV2
from pullback.ops.linalg.structured import Structured, log_determinant, solution
from pullback.ops.math import arithmetic as m
from pullback.ops.math.elementwise import conj
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.scopes import scope

_TYPES = (float64, float32, *COMPLEXES)


def _square(op_type: str, x: Spec) -> Any:
    """The leading axes and the size of square matrices.

    Raises:
      ShapeError: they are not square.
    """
    *lead, rows, columns = matrix_shape(op_type, x)
    if rows is not None and columns is not None and rows != columns:
        raise ShapeError(f"{op_type}: the matrix must be square, but is {shape.text(x.shape)}")
    return tuple(lead), columns if rows is None else rows


def _adjoint(x: Tensor) -> Tensor:
    """The conjugate transpose of the last two axes."""
    rank = x.spec.rank
    if rank is None:
        return REGISTRY["Einsum"]("...ij->...ji")(conj(x))
    return REGISTRY["Transpose"]()(conj(x), (*range(rank - 2), rank - 1, rank - 2))


def _times(a: Tensor, b: Tensor, adj_a: bool = False, adj_b: bool = False) -> Tensor:
    return BatchMatMulV2(adj_a, adj_b)(a, b)


def _cell(x: Tensor) -> Tensor:
    """[...] -> [...,1,1]"""
    return REGISTRY["ExpandDims"]()(REGISTRY["ExpandDims"]()(x, -1), -1)


def _h(a: Any) -> Any:
    return np.conj(np.swapaxes(a, -1, -2))


def _drawn(rng: np.random.Generator, *size: int) -> Any:
    """Matrices far from singular."""
    return rng.normal(size=size) + 3 * np.eye(size[-1])


def _not_square(cls: Any) -> Iterator[tuple[Any, type[Exception], str]]:
    yield lambda: cls()(np.ones((2, 3))), ShapeError, "must be square"
    yield lambda: cls()(np.ones(3)), ShapeError, "must be a matrix"


class _OfMatrix(Op):
    """Base of the ops of one square matrix."""

    signature = "input: T -> output: T"
    T = _TYPES

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (_drawn(rng, 3, 3),))
        yield Sample(cls(), (_drawn(rng, 2, 2, 2),), name="stack")
        yield Sample(cls(), (np.zeros((0, 2, 2)),), name="no_batch")
        yield Sample(cls(), (_drawn(rng, 2, 2).astype(np.float32),), order=1, name="float32")
        if cls.T is _TYPES:
            z = _drawn(rng, 2, 2) + 1j * rng.normal(size=(2, 2))
            yield Sample(cls(), (z,), order=2, name="complex128")
            yield Sample(cls(), (z.astype(np.complex64),), order=1, name="complex64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        return _not_square(cls)


@op
class MatrixInverse(_OfMatrix):
    """The inverse of x, or with `adjoint` of its conjugate transpose. x [..., n, n] -> y [..., n, n]"""

    adjoint: bool = False

    def infer(self, x: Spec) -> Spec:
        lead, n = _square(self.type, x)
        return x.with_shape((*lead, n, n))

    def reference(self, x: Any) -> Any:
        try:
            return np.linalg.inv(_h(x) if self.adjoint else x)
        except np.linalg.LinAlgError:
            raise InvalidArgumentError("MatrixInverse: the input is not invertible") from None

    def grad(self, node: Any, dy: Any) -> Any:
        y = node.results[0]
        if self.adjoint:
            return -_times(_times(y, dy, adj_b=True), y)
        return -_times(_times(y, dy, adj_a=True), y, adj_b=True)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield from super().samples(rng)
        yield Sample(cls(True), (_drawn(rng, 3, 3),))
        yield Sample(cls(True), (_drawn(rng, 2, 2) + 1j * rng.normal(size=(2, 2)),), order=2, name="adjoint complex")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield from _not_square(cls)
        yield lambda: cls()(np.ones((2, 2))), InvalidArgumentError, "not invertible"


@op
class MatrixDeterminant(_OfMatrix):
    """The determinant. x [..., n, n] -> y [...]. Its gradient is by the inverse, as TensorFlow's."""

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(_square(self.type, x)[0])

    def reference(self, x: Any) -> Any:
        return np.asarray(np.linalg.det(x)).astype(x.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        return _cell(dy * conj(node.results[0])) * MatrixInverse(True)(node.inputs[0])


@op
class LogMatrixDeterminant(_OfMatrix):
    """Sign and log of the size of the determinant, without overflow. x [..., n, n] -> sign [...], log_abs [...]"""

    signature = "input: T -> sign: T, log_abs_determinant: T"
    T = (float64, float32)

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        lead = _square(self.type, x)[0]
        return x.with_shape(lead), x.with_shape(lead)

    def reference(self, x: Any) -> Any:
        sign, size = np.linalg.slogdet(x)
        return np.asarray(sign).astype(x.dtype), np.asarray(size).astype(x.dtype)

    def grad(self, node: Any, dsign: Any, dy: Any) -> Any:
        return None if dy is None else _cell(dy) * MatrixInverse(True)(node.inputs[0])


@op
class Cholesky(_OfMatrix):
    """The lower L with L L^H = x, of Hermitian positive definite x, whose lower triangle alone is read.

    x [..., n, n] -> L [..., n, n]. The gradient is shared by both triangles of x, as in TensorFlow.
    """

    def infer(self, x: Spec) -> Spec:
        lead, n = _square(self.type, x)
        return x.with_shape((*lead, n, n))

    def reference(self, x: Any) -> Any:
        try:
            return np.linalg.cholesky(x)
        except np.linalg.LinAlgError:
            raise InvalidArgumentError(
                "Cholesky: decomposition was not successful; the input must be Hermitian and positive definite"
            ) from None

    def grad(self, node: Any, dy: Any) -> Any:
        lower = node.results[0]
        middle = _times(lower, dy, adj_a=True)
        middle = set_diag(middle, diag_part(middle) * 0.5)
        middle = band_part(middle, -1, 0)
        back = MatrixTriangularSolve(True, True)
        left = back(lower, middle)  # L^-H middle
        dx = _adjoint(back(lower, _adjoint(left)))
        return (dx + _adjoint(dx)) * 0.5

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for sample in super().samples(rng):
            (x,) = sample.args
            x = (x @ _h(x)).astype(x.dtype) if x.size else x
            # Differences move one triangle alone, whose share of the gradient is half of what they see.
            yield Sample(sample.op, (x,), order=sample.order, smooth=False, name=sample.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield from _not_square(cls)
        yield lambda: cls()(-np.eye(2)), InvalidArgumentError, "positive definite"


class _Solve(Op):
    """Base of the linear equations. matrix [..., n, n], rhs [..., n, m] -> y [..., n, m]"""

    signature = "matrix: T, rhs: T -> output: T"
    T = _TYPES

    def infer(self, a: Spec, b: Spec) -> Spec:
        lead, n = _square(self.type, a)
        *lead_b, rows, columns = matrix_shape(self.type, b)
        if n is not None and rows is not None and n != rows:
            raise ShapeError(
                f"{self.type}: a matrix {shape.text(a.shape)} and right-hand sides {shape.text(b.shape)} must have "
                "equally many rows"
            )
        lead = shape.merged(lead, tuple(lead_b), f"{self.type}: leading axes")
        return b.with_shape((*lead, n if rows is None else rows, columns))  # type: ignore[misc]

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        from pullback.ops.array.joining import spread

        return self(*[spread(size, x, a) for x, a in zip(inputs, axes, strict=True)]), 0

    @classmethod
    def variants(cls) -> list[Any]:
        return [cls(), cls(True)]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for made in cls.variants():
            yield Sample(made, (_drawn(rng, 3, 3), rng.normal(size=(3, 2))))
            z = _drawn(rng, 2, 2) + 1j * rng.normal(size=(2, 2))
            yield Sample(made, (z, z[::-1] + 1), order=2, name=f"complex-{made!r}")
        yield Sample(cls(), (_drawn(rng, 2, 2, 2), rng.normal(size=(2, 2, 1))), name="stack")
        yield Sample(cls(), (np.zeros((0, 2, 2)), np.zeros((0, 2, 1))), name="no_batch")
        narrow = _drawn(rng, 2, 2).astype(np.float32), rng.normal(size=(2, 1)).astype(np.float32)
        yield Sample(cls(), narrow, order=1, name="float32")
        yield Sample(cls(), tuple(x.astype(np.complex64) for x in narrow), order=1, name="complex64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), np.ones((2, 1))), ShapeError, "must be square"
        yield lambda: cls()(np.eye(2), np.ones((3, 1))), ShapeError, "equally many rows"
        yield lambda: cls()(np.zeros((2, 2)), np.ones((2, 1))), InvalidArgumentError, "not invertible"


@op
class MatrixSolve(_Solve):
    """The y with matrix y = rhs, or with `adjoint` matrix^H y = rhs."""

    adjoint: bool = False

    def reference(self, a: Any, b: Any) -> Any:
        try:
            return np.linalg.solve(_h(a) if self.adjoint else a, b)
        except np.linalg.LinAlgError:
            raise InvalidArgumentError("MatrixSolve: the matrix is not invertible") from None

    def grad(self, node: Any, dy: Any) -> Any:
        a, y = node.inputs[0], node.results[0]
        db = MatrixSolve(not self.adjoint)(a, dy)
        return -(_times(y, db, adj_b=True) if self.adjoint else _times(db, y, adj_b=True)), db


@op
class MatrixTriangularSolve(_Solve):
    """The y with matrix y = rhs, or with `adjoint` matrix^H y = rhs; of the matrix only one triangle is read."""

    lower: bool = True
    adjoint: bool = False

    def reference(self, a: Any, b: Any) -> Any:
        triangle = np.tril(a) if self.lower else np.triu(a)
        if np.any(np.diagonal(triangle, axis1=-2, axis2=-1) == 0):
            raise InvalidArgumentError("MatrixTriangularSolve: the matrix is not invertible")
        return np.linalg.solve(_h(triangle) if self.adjoint else triangle, b)

    def grad(self, node: Any, dy: Any) -> Any:
        a, y = node.inputs[0], node.results[0]
        db = MatrixTriangularSolve(self.lower, not self.adjoint)(a, dy)
        da = -(_times(y, db, adj_b=True) if self.adjoint else _times(db, y, adj_b=True))
        return band_part(da, -1, 0) if self.lower else band_part(da, 0, -1), db

    @classmethod
    def variants(cls) -> list[Any]:
        return [cls(), cls(False), cls(True, True), cls(False, True)]


@op
class Cross(Op):
    """The cross product along the last axis, of size 3. a [..., 3], b [..., 3] -> y [..., 3]"""

    signature = "a: T, b: T -> product: T"
    T = (*REALS, *INTS)

    def infer(self, a: Spec, b: Spec) -> Spec:
        together = shape.merged(a.shape, b.shape, "Cross: shapes")
        if not together or together[-1] not in (3, None):
            raise ShapeError(f"Cross: the last axis must be 3, but shapes are {shape.text(together)}")
        return a.with_shape((*together[:-1], 3))

    def reference(self, a: Any, b: Any) -> Any:
        one, two = [1, 2, 0], [2, 0, 1]
        return a[..., one] * b[..., two] - a[..., two] * b[..., one]

    def grad(self, node: Any, dy: Any) -> Any:
        a, b = node.inputs
        return self(b, dy), self(dy, a)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        from pullback.ops.array.joining import spread

        return self(*[spread(size, x, a) for x, a in zip(inputs, axes, strict=True)]), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))))
        yield Sample(cls(), (np.ones((0, 3)), np.ones((0, 3))), name="empty")
        for t in cls.T:
            args = tuple(rng.integers(0, 3, 3).astype(t.numpy) for _ in range(2))
            yield Sample(cls(), args, order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(2), np.ones(2)), ShapeError, "must be 3"
        yield lambda: cls()(np.ones(3), np.ones((1, 3))), ShapeError, "not compatible"


# --- public names ---------------------------------------------------------------------------------------------------


@public("linalg.inv", v1=("linalg.inv", "matrix_inverse"))
def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Inverses of square matrices [..., n, n]; with `adjoint` of their conjugate transposes. Of a LinearOperator one.

    Raises:
      ShapeError: they are not square. InvalidArgumentError: one is not invertible.
    """
    if isinstance(input, Structured):
        inverse = input.inverse(name=name or "inverse")
        return inverse.adjoint() if adjoint else inverse
    return MatrixInverse(bool(adjoint))(input, name=name)


@public("linalg.det", v1=("linalg.det", "matrix_determinant"))
def det(input: Any, name: str | None = None) -> Tensor:
    """Determinants of square matrices. [..., n, n] -> [...]. The gradient needs an invertible matrix."""
    if isinstance(input, Structured):
        return input.determinant(name=name or "det")
    return MatrixDeterminant()(input, name=name)


@public("linalg.slogdet")
def slogdet(input: Any, name: str | None = None) -> Any:
    """(sign, log |determinant|) of real square matrices, without overflow. [..., n, n] -> [...], [...]"""
    return LogMatrixDeterminant()(input, name=name)


@public("linalg.logdet")
def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """log of the determinant of Hermitian positive definite matrices, by Cholesky's factor. [..., n, n] -> [...]

    Raises:
      InvalidArgumentError: a matrix is not positive definite. ArgumentError: a LinearOperator is not hinted to be.
    """
    if isinstance(matrix, Structured):
        return log_determinant(matrix, name)
    with scope(name, "logdet", matrix):
        diagonal = diag_part(cholesky(matrix))
        if diagonal.dtype.is_complex:
            diagonal = REGISTRY["Real"](diagonal.dtype.real_dtype)(diagonal)
        return reduce_sum(m.Log()(diagonal), -1) * 2.0


@public("linalg.cholesky", v1=("linalg.cholesky", "cholesky"))
def cholesky(input: Any, name: str | None = None) -> Tensor:
    """The lower triangular L with L L^H = input, of Hermitian positive definite matrices [..., n, n].

    Only the lower triangle is read; the gradient is shared by both, as in TensorFlow.

    Raises:
      ShapeError: a matrix is not square. InvalidArgumentError: one is not positive definite.
    """
    if isinstance(input, Structured):
        return input.cholesky(name=name or "cholesky")
    return Cholesky()(input, name=name)


@public("linalg.solve", v1=("linalg.solve", "matrix_solve"))
def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The y with matrix y = rhs; with `adjoint` matrix^H y = rhs.

    Args:
      matrix: [..., n, n]. rhs: [..., n, m], of the same leading axes. Or a LinearOperator: see its `solve`.
    Raises:
      ShapeError: the shapes do not fit. InvalidArgumentError: a matrix is not invertible.
    """
    if isinstance(matrix, Structured) or isinstance(rhs, Structured):
        return solution(matrix, rhs, bool(adjoint), name)
    return MatrixSolve(bool(adjoint))(matrix, rhs, name=name)


@public("linalg.triangular_solve", v1=("linalg.triangular_solve", "matrix_triangular_solve"))
def triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """`solve` by a triangular matrix; the other triangle is not read."""
    return MatrixTriangularSolve(bool(lower), bool(adjoint))(matrix, rhs, name=name)


@public("linalg.cholesky_solve", v1=("linalg.cholesky_solve", "cholesky_solve"))
def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """The y with L L^H y = rhs, given L = `cholesky(a)`."""
    with scope(name, "cholesky_solve", chol, rhs):
        return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


@public("linalg.cross", v1=("linalg.cross", "cross"))
def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """The cross product along the last axis, which has size 3; a and b of one shape."""
    return Cross()(a, b, name=name)


@public("linalg.adjoint")
def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The conjugate transpose of the last two axes. Of a LinearOperator one."""
    from pullback.core import interpreter

    if isinstance(matrix, Structured):
        return matrix.adjoint(name=name or "adjoint")

    with scope(name, "adjoint", matrix):
        x = interpreter.as_tensor(matrix)
        return _adjoint(x)
