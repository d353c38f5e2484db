"""Eigenvalues and eigenvectors, of self-adjoint and of any square matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import DType, complex64, complex128, float32, float64
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import text
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import expand_dims
from pullback.ops.linalg.bands import band_part, diag, diag_part, set_diag
from pullback.ops.linalg.solving import MatrixSolve, _adjoint, _square, _times
from pullback.ops.math import arithmetic as m
from pullback.ops.math.complex_numbers import Real
from pullback.ops.math.elementwise import conj
from pullback.ops.math.select import Cast


@op
class SelfAdjointEigV2(Op):
    """x = v diag(e) v^H for each matrix, eigenvalues in ascending order, eigenvectors in columns.

    x [..., n, n] -> e [..., n], v [..., n, n] ([0] without compute_v). Only the lower triangle of x is read.
    """

    signature = "x: T -> e: T, v: T"
    T = (float32, float64, complex64, complex128)
    compute_v: bool = True

    def infer(self, x: Any) -> tuple[Spec, ...]:
        if len(x.shape) < 2 or (None not in x.shape[-2:] and x.shape[-1] != x.shape[-2]):
            raise ShapeError(f"SelfAdjointEigV2: matrices must be square, but the shape is {text(x.shape)}")
        n = x.shape[-1] if x.shape[-2] is None else x.shape[-2]
        square = (*x.shape[:-2], n, n)
        return x.with_shape(square[:-1]), x.with_shape(square if self.compute_v else (0,))

    def reference(self, x: Any) -> Any:
        if not self.compute_v:
            return np.linalg.eigvalsh(x).astype(x.dtype), np.zeros((0,), x.dtype)
        e, v = np.linalg.eigh(x)
        return e.astype(x.dtype), v.astype(x.dtype)

    def grad(self, node: Any, de: Any, dv: Any) -> Any:
        """With f_ij = 1 / (e_j - e_i), 0 on the diagonal: dx = v (diag(de) + f . (v^H dv)) v^H, read back through the
        lower triangle that x is known by. Source: Giles 2008, section 3.1."""
        if not self.compute_v:
            e, v = SelfAdjointEigV2()(node.inputs[0])
            dv = None
        else:
            e, v = node.outputs
        inner: Any = None if de is None else diag(de)
        if dv is not None:
            apart = expand_dims(e, -2) - expand_dims(e, -1)
            # Equal eigenvalues have no derivative of their own vectors: their share is 0, as on the diagonal.
            same = m.Equal()(apart, apart * 0)
            f = Cast(e.dtype)(m.LogicalNot()(same)) / (apart + Cast(e.dtype)(same))
            turned = f * _times(v, dv, adj_a=True)
            inner = turned if inner is None else inner + turned
        if inner is None:
            return None
        dx = _times(v, _times(inner, v, adj_b=True))
        dx = band_part(dx + _adjoint(dx), -1, 0)
        return set_diag(dx, diag_part(dx) * 0.5)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(2, 3, 3)) + np.diag([0.0, 4.0, 9.0])
        yield Sample(cls(compute_v=False), (x[0],), name="values")
        yield Sample(cls(compute_v=False), (x.astype(np.float32),), wrt=(), name="float32")
        yield Sample(cls(), (x[0] + 20 * np.diag([0.0, 1.0, 2.0]),), order=2, name="vectors")
        yield Sample(cls(compute_v=False), (np.zeros((0, 2, 2)),), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.zeros((2, 3))), ShapeError, "square"


@op
class Eig(Op):
    """x v = v diag(e) for each matrix: eigenvalues in no order, eigenvectors of length 1 in columns, all complex.

    x [..., n, n] -> e [..., n], v [..., n, n] ([0] without compute_v).
    """

    signature = "x: T -> e: Tout, v: Tout"
    T = (float32, float64, complex64, complex128)
    compute_v: bool = True
    Tout: DType = complex128

    def infer(self, x: Any) -> tuple[Spec, ...]:
        lead, n = _square(self.type, x)
        square = (*lead, n, n)
        return Spec(square[:-1], self.Tout), Spec(square if self.compute_v else (0,), self.Tout)

    def reference(self, x: Any) -> Any:
        to = self.Tout.numpy
        if not self.compute_v:
            return np.linalg.eigvals(x).astype(to), np.zeros((0,), to)
        e, v = np.linalg.eig(x)
        return e.astype(to), v.astype(to)

    def grad(self, node: Any, de: Any, dv: Any) -> Any:
        """With f_ij = 1 / conj(e_j - e_i), 0 on the diagonal, and A = v^H dv:
        dx = v^-H (diag(de) + f . (A - v^H v diag(Re A))) v^H. Source: Giles 2008, section 3.1, and the length of v."""
        (x,) = node.inputs
        e, v = node.results if self.compute_v else Eig(True, self.Tout)(x)
        inner: Any = None if de is None else diag(de)
        if self.compute_v and dv is not None:
            apart = conj(expand_dims(e, -2) - expand_dims(e, -1))
            along = _times(v, dv, adj_a=True)
            length = Cast(e.dtype)(Real(e.dtype.real_dtype)(diag_part(along)))
            across = along - _times(v, v, adj_a=True) * expand_dims(length, -2)
            turned = m.DivNoNan()(across, apart)
            inner = turned if inner is None else inner + turned
        if inner is None:
            return None
        dx = MatrixSolve(True)(v, _times(inner, v, adj_b=True))
        return Cast(x.dtype)(dx if x.dtype.is_complex else Real(dx.dtype.real_dtype)(dx))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(2, 3, 3)) + np.diag([0.0, 4.0, 9.0])
        yield Sample(cls(False), (x,), order=2, name="values")
        yield Sample(cls(), (x[0],), order=1, name="vectors")
        yield Sample(cls(), (np.array([[0.0, 1.0], [-1.0, 0.0]]),), wrt=(), name="rotation")
        yield Sample(cls(False), (np.zeros((0, 2, 2)),), wrt=(), name="empty")
        for t in (float32, complex64):
            yield Sample(cls(False, complex64), (x[0].astype(t.numpy),), wrt=(), name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.zeros((2, 3))), ShapeError, "square"


@public("linalg.eig", v1=None)
def eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(eigenvalues [..., n], in no order; eigenvectors [..., n, n], in columns, of length 1) of square matrices.

    Both are complex. Gradient: where the eigenvalues differ; a vector's phase is the algorithm's choice.
    """
    x = interpreter.as_tensor(tensor)
    e, v = Eig(True, complex64 if x.dtype in (float32, complex64) else complex128)(x, name=name)
    return e, v


@public("linalg.eigvals", v1=None)
def eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """Eigenvalues [..., n], complex, in no order, of square matrices [..., n, n]."""
    x = interpreter.as_tensor(tensor)
    return Eig(False, complex64 if x.dtype in (float32, complex64) else complex128)(x, name=name)[0]


@public("linalg.eigh", v1=("linalg.eigh", "self_adjoint_eig"))
def eigh(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(eigenvalues [..., n], ascending; eigenvectors [..., n, n], in columns) of self-adjoint matrices [..., n, n].

    Only the lower triangle is read. A vector's sign is the algorithm's choice.
    Gradient: of the vectors it exists where the eigenvalues differ; equal ones share nothing.
    """
    e, v = SelfAdjointEigV2()(tensor, name=name)
    return e, v


@public("linalg.eigvalsh", v1=("linalg.eigvalsh", "self_adjoint_eigvals"))
def eigvalsh(tensor: Any, name: str | None = None) -> Tensor:
    """Eigenvalues [..., n], ascending, of self-adjoint matrices [..., n, n]."""
    return SelfAdjointEigV2(compute_v=False)(tensor, name=name)[0]
