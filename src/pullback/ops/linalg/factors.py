"""Singular values and the QR factors of matrices of any proportions, over leading axes; what is built on them.

    x = u diag(s) v^H        u [M,K], s [K], v [N,K], K = min(M, N); with full_matrices u [M,M], v [N,N]
    x = q r                  q [M,K], r [K,N];                       with full_matrices q [M,M], r [M,N]

Signs are LAPACK's choice. The columns that full_matrices adds, q2 beside q1, are known only as a whole: a small change
of q1 turns them by dq2 = -q1 dq1^H q2, so that their cotangents are those of the thin factor,

    dq1 - q2 dq2^H q1

and both gradients are written for thin factors alone. They are made of products and solutions: every order exists.

Sources: Townsend 2016, Differentiating the singular value decomposition; Walter & Lehmann 2018 for QR.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import OnesLike, Shape_
from pullback.core.dtypes import COMPLEXES, float32, float64, int32
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import expand_dims
from pullback.ops.linalg.bands import band_part, diag, diag_part, matrix_shape
from pullback.ops.linalg.solving import MatrixTriangularSolve, _adjoint, _times
from pullback.ops.math import arithmetic as m
from pullback.ops.math.complex_numbers import Real
from pullback.ops.math.reduce_functions import reduce_max, reduce_min, reduce_sum
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast

_TYPES = (float64, float32, *COMPLEXES)


def reciprocal_or_zero(x: Tensor) -> Tensor:
    """1 / x, and 0 where x is 0."""
    return m.DivNoNan()(OnesLike()(x), x)


def _or_zeros(dy: Any, y: Any) -> Any:
    return y * 0 if dy is None else dy


def _thin(q: Tensor, dq: Tensor, columns: Any) -> tuple[Tensor, Tensor]:
    """A full factor and its cotangent as those of its first columns."""
    q1, q2 = q[..., :columns], q[..., columns:]
    turned = _times(_times(q2, dq[..., columns:], adj_b=True), q1)
    return q1, dq[..., :columns] - turned


def _real(dy: Tensor) -> Tensor:
    """The cotangent of what is real, though its type may be complex."""
    return Cast(dy.dtype)(Real(dy.dtype.real_dtype)(dy)) if dy.dtype.is_complex else dy


def _smaller(rows: int | None, columns: int | None) -> int | None:
    return None if rows is None or columns is None else min(rows, columns)


def _rank_at_most(x: Tensor) -> Any:
    """K = min(M, N) of [..., M, N]: an int, or a tensor where it is not known."""
    known = None if x.spec.shape is None else _smaller(*x.spec.shape[-2:])
    return reduce_min(Shape_()(x)[-2:]) if known is None else known


class _Factors(Op):
    """Base of the two."""

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    @classmethod
    def made(cls) -> list[Any]:
        """The op for thin, then for full factors."""
        raise NotImplementedError

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        thin, full = cls.made()
        for rows, columns in ((3, 3), (4, 2), (2, 3)):
            x = rng.normal(size=(rows, columns)) + 4 * np.eye(rows, columns) * np.arange(1, columns + 1)
            yield Sample(thin, (x,), order=2, tolerance=10, name=f"{rows}x{columns}")
            if abs(rows - columns) < 2:
                yield Sample(full, (x,), order=2, tolerance=10, name=f"full {rows}x{columns}")
        yield Sample(thin, (rng.normal(size=(2, 3, 2)),), order=1, tolerance=10, name="stack")
        yield Sample(thin, (np.zeros((0, 3, 2)),), order=1, name="no_batch")
        yield Sample(full, (rng.normal(size=(4, 2)),), wrt=(), name="full 4x2")
        for t in _TYPES[1:]:
            yield Sample(thin, (rng.normal(size=(3, 2)).astype(t.numpy),), wrt=(), name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(3)), ShapeError, "must be a matrix"


@op
class Svd(_Factors):
    """Singular values, descending, and vectors in columns. Without compute_uv u and v are empty, [0].

    x [..., M, N] -> s [..., K] of x's type, u [..., M, K], v [..., N, K], K = min(M, N)
    """

    signature = "input: T -> s: T, u: T, v: T"
    T = _TYPES
    compute_uv: bool = True
    full_matrices: bool = False

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        *lead, rows, columns = matrix_shape(self.type, x)
        k = _smaller(rows, columns)
        s = x.with_shape((*lead, k))
        if not self.compute_uv:
            return s, x.with_shape((0,)), x.with_shape((0,))
        of_u, of_v = (rows, columns) if self.full_matrices else (k, k)
        return s, x.with_shape((*lead, rows, of_u)), x.with_shape((*lead, columns, of_v))

    def reference(self, x: Any) -> Any:
        if not self.compute_uv:
            s = np.linalg.svd(x, compute_uv=False)
            return s.astype(x.dtype), np.zeros(0, x.dtype), np.zeros(0, x.dtype)
        u, s, vh = np.linalg.svd(x, full_matrices=self.full_matrices)
        return s.astype(x.dtype), u, np.conj(np.swapaxes(vh, -1, -2))

    def grad(self, node: Any, ds: Any, du: Any, dv: Any) -> Any:
        """With f_ij = 1 / (s_j^2 - s_i^2), 0 on the diagonal and where they are equal, A = u^H du - (u^H du)^H, B of v:

        dx = u ((f . A) S + S (f . B) + diag(ds)) v^H + (1 - u u^H) du S^-1 v^H + u S^-1 dv^H (1 - v v^H)

        and of complex matrices diag(A) / 2S inside, by which the phases of u and v turn together.
        """
        if not self.compute_uv:
            s, u, v = Svd()(node.inputs[0])
            return None if ds is None else _times(u * expand_dims(_real(ds), -2), v, adj_b=True)
        s, u, v = node.results
        ds = None if ds is None else _real(ds)
        if du is dv is None and not self.full_matrices:
            return _times(u * expand_dims(ds, -2), v, adj_b=True)
        du, dv = _or_zeros(du, u), _or_zeros(dv, v)
        if self.full_matrices:
            k = _rank_at_most(node.inputs[0])
            u, du = _thin(u, du, k)
            v, dv = _thin(v, dv, k)
        across, down = expand_dims(s, -2), expand_dims(s, -1)
        f = reciprocal_or_zero((across - down) * (across + down))
        inverse = expand_dims(reciprocal_or_zero(s), -2)
        of_u, of_v = _times(u, du, adj_a=True), _times(v, dv, adj_a=True)
        turned = of_u - _adjoint(of_u)
        inner = f * turned * across + down * f * (of_v - _adjoint(of_v))
        if ds is not None:
            inner = inner + diag(ds)
        if s.dtype.is_complex:
            inner = inner + diag(diag_part(turned) * reciprocal_or_zero(s) * 0.5)
        left = _times(u, inner) + (du - _times(u, of_u)) * inverse
        right = (dv - _times(v, of_v)) * inverse
        return _times(left, v, adj_b=True) + _times(u, right, adj_b=True)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0 if self.compute_uv else (0, None, None)

    @classmethod
    def made(cls) -> list[Any]:
        return [cls(), cls(full_matrices=True)]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield from super().samples(rng)
        yield Sample(cls(compute_uv=False), (rng.normal(size=(2, 3)),), order=2, tolerance=10, name="values")
        z = rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))
        yield Sample(cls(compute_uv=False), (z,), order=1, name="complex values")


@op
class Qr(_Factors):
    """q with orthonormal columns, r upper triangular. x [..., M, N] -> q [..., M, K], r [..., K, N], K = min(M, N)

    The gradient needs the first K columns of x to be independent.
    """

    signature = "input: T -> q: T, r: T"
    T = _TYPES
    full_matrices: bool = False

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        *lead, rows, columns = matrix_shape(self.type, x)
        k = rows if self.full_matrices else _smaller(rows, columns)
        return x.with_shape((*lead, rows, k)), x.with_shape((*lead, k, columns))

    def reference(self, x: Any) -> Any:
        if 0 in x.shape:
            mode_rows = x.shape[-2] if self.full_matrices else min(x.shape[-2:])
            q = np.zeros((*x.shape[:-1], mode_rows), x.dtype) + np.eye(x.shape[-2], mode_rows, dtype=x.dtype)
            return q, np.zeros((*x.shape[:-2], mode_rows, x.shape[-1]), x.dtype)
        q, r = np.linalg.qr(x, "complete" if self.full_matrices else "reduced")
        return q, r

    def grad(self, node: Any, dq: Any, dr: Any) -> Any:
        """Of x = [x1 x2] with x1 of K columns, r = [r1 r2] likewise: x2 = q r2, hence dx2 = q dr2, and dr2 reaches q
        as x2 dr2^H. Of x1 = q r1, with A = q^H dq, B = r1 dr1^H and low(.) the lower triangle with
        half the diagonal (which is imaginary):

        dx1 = q (dr1 + low(A - A^H + B - B^H) r1^-H) + (dq - q A) r1^-H
        """
        (x,), (q, r) = node.inputs, node.results
        dq, dr = _or_zeros(dq, q), _or_zeros(dr, r)
        k = _rank_at_most(x)
        if self.full_matrices:
            q, dq = _thin(q, dq, k)
            r, dr = r[..., :k, :], dr[..., :k, :]
        if isinstance(k, int) and x.spec.shape[-1] == k:
            return _qr_back(q, r, dq, dr)
        dq = dq + _times(x[..., k:], dr[..., k:], adj_b=True)
        dx1 = _qr_back(q, r[..., :k], dq, dr[..., :k])
        return REGISTRY["ConcatV2"]()(dx1, _times(q, dr[..., k:]), -1)

    @classmethod
    def made(cls) -> list[Any]:
        return [cls(), cls(True)]


def _qr_back(q: Tensor, r: Tensor, dq: Tensor, dr: Tensor) -> Tensor:
    """The cotangent of x = q r, r square."""
    of_q, of_r = _times(q, dq, adj_a=True), _times(r, dr, adj_b=True)
    low = band_part(of_q - _adjoint(of_q) + of_r - _adjoint(of_r), -1, 0)
    if q.dtype.is_complex:  # phases: r's diagonal stays real
        low = low - diag(diag_part(low)) * 0.5
    inner = dq - _times(q, of_q) + _times(q, low)
    return _times(q, dr) + _adjoint(MatrixTriangularSolve(lower=False)(r, _adjoint(inner)))


# --- public names ---------------------------------------------------------------------------------------------------


@public("linalg.svd", v1=("linalg.svd", "svd"))
def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Singular value decomposition: tensor = u diag(s) v^H.

    Args:
      tensor: [..., M, N], float32, float64 or complex.
      full_matrices: u and v are square; otherwise they have K = min(M, N) columns.
      compute_uv: with False only the singular values are found.
    Returns:
      (s [..., K] real, descending; u [..., M, K]; v [..., N, K]), or s alone. v is not transposed, unlike NumPy's.
    Gradient: of the vectors it exists where the singular values differ; equal ones share nothing. A vector's sign is
      LAPACK's choice; of the columns that full_matrices adds only the space they span has a gradient.
    """
    s, u, v = Svd(bool(compute_uv), bool(full_matrices))(tensor, name=name)
    s = Real(s.dtype.real_dtype)(s) if s.dtype.is_complex else s
    return (s, u, v) if compute_uv else s


@public("linalg.qr", v1=("linalg.qr", "qr"))
def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> tuple[Tensor, Tensor]:
    """input = q r, the columns of q orthonormal, r upper triangular.

    Args:
      input: [..., M, N], float32, float64 or complex.
      full_matrices: q [..., M, M], r [..., M, N]; otherwise q [..., M, K], r [..., K, N], K = min(M, N).
    Gradient: needs the first K columns to be independent. Signs are LAPACK's choice: r's diagonal may be negative.
    """
    return Qr(bool(full_matrices))(input, name=name)


@public("linalg.matrix_rank")
def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """How many singular values are above tol. [..., M, N] -> int32 [...]

    Args:
      tol: numbers that broadcast to [...]; by default the machine's precision times max(M, N) times the largest one.
      validate_args: has no meaning, the shape is always checked.
    """
    with scope(name, "matrix_rank", a):
        a = interpreter.as_tensor(a)
        s = svd(a, compute_uv=False)
        if tol is None:
            tol = reduce_max(s, -1, keepdims=True) * _precision(a)
        else:
            tol = expand_dims(interpreter.as_tensor(tol, s.dtype), -1)
        return reduce_sum(Cast(int32)(m.Greater()(s, tol)), -1)


@public("linalg.pinv")
def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The pseudo-inverse of Moore and Penrose. [..., M, N] -> [..., N, M]

    Args:
      rcond: singular values up to rcond times the largest one count as 0; numbers that broadcast to [...]; by default
        10 max(M, N) times the machine's precision.
      validate_args: has no meaning, the shape is always checked.
    Gradient: by the singular vectors, where the singular values differ.
    """
    with scope(name, "pinv", a):
        a = interpreter.as_tensor(a)
        s, u, v = svd(a)
        limit = _precision(a) * 10.0 if rcond is None else expand_dims(interpreter.as_tensor(rcond, s.dtype), -1)
        kept = m.Greater()(s, reduce_max(s, -1, keepdims=True) * limit)
        inverse = m.DivNoNan()(Cast(s.dtype)(kept), s)
        inverse = Cast(v.dtype)(inverse) if v.dtype.is_complex else inverse
        return _times(v * expand_dims(inverse, -2), u, adj_b=True)


def _precision(a: Tensor) -> Any:
    """max(M, N) times the spacing of numbers at 1."""
    spacing = float(np.finfo(a.dtype.real_dtype.numpy).eps)
    sizes = [n for n in (a.spec.shape or ())[-2:] if n is not None]
    if len(sizes) == 2:
        return max(sizes) * spacing
    longest = reduce_max(Shape_()(a)[-2:])
    return Cast(a.dtype.real_dtype)(longest) * spacing
