"""Matrices that are known by their structure, where the functions of dense ones are called.

`tf.linalg.solve(operator, rhs)` and its like hand over to the operator's own method.
"""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError


class Structured:
    """Base of matrices with methods of their own: matmul, solve, adjoint, inverse, cholesky, determinant, ..."""

    matmul: Any
    solve: Any
    adjoint: Any
    inverse: Any
    cholesky: Any
    determinant: Any
    log_abs_determinant: Any
    diag_part: Any
    trace: Any
    to_dense: Any
    is_self_adjoint: Any
    is_positive_definite: Any


def product(a: Any, b: Any, transposed: bool, adjoint_a: bool, adjoint_b: bool, name: str | None) -> Any:
    """a b, of which at least one is structured. From a tensor a, it is (b^H a^H)^H.

    Raises:
      ArgumentError: a factor is to be transposed and not conjugated.
    """
    from pullback.ops.linalg.solving import adjoint

    if transposed:
        raise ArgumentError(
            "matmul: a LinearOperator has no transpose; use adjoint_a or adjoint_b, or operator.to_dense()"
        ).locate()
    name = name or "matmul"
    if isinstance(a, Structured):
        return a.matmul(b, adjoint=adjoint_a, adjoint_arg=adjoint_b, name=name)
    return adjoint(b.matmul(a, adjoint=not adjoint_b, adjoint_arg=not adjoint_a, name=name))


def solution(matrix: Any, rhs: Any, adjoint: bool, name: str | None) -> Any:
    """The y with matrix y = rhs.

    Raises:
      ArgumentError: only the right-hand side is structured.
    """
    if not isinstance(matrix, Structured):
        raise ArgumentError("solve: rhs is a LinearOperator and matrix a tensor; give rhs.to_dense()").locate()
    return matrix.solve(rhs, adjoint=adjoint, name=name or "solve")


def log_determinant(matrix: Structured, name: str | None) -> Any:
    """log of the determinant of a matrix that is hinted to be positive definite.

    Raises:
      ArgumentError: it is not.
    """
    if not (matrix.is_positive_definite and matrix.is_self_adjoint):
        raise ArgumentError(
            "logdet: needs a LinearOperator made with is_self_adjoint=True and is_positive_definite=True; "
            "use operator.log_abs_determinant()"
        ).locate()
    return matrix.log_abs_determinant(name=name or "log_abs_det")
