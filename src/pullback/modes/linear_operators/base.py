"""LinearOperator: what every operator answers. The dense ways to answer stand in `dense_answers`.

    public method      hook that a subclass may write     what it falls back on
    matmul, matvec     _matmul (must), _matvec            -
    solve, solvevec    _solve, _solvevec                  a dense solve
    to_dense           _to_dense                          _matmul of the identity
    determinant ...    _determinant ...                   the dense matrix

The public methods convert and check their arguments and open a name scope; hooks do the arithmetic. Hooks named
_linop_* answer with operators.
"""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.names import public
from pullback.core.shape import text
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.dense_answers import DenseAnswers
from pullback.modes.linear_operators.hints import HintError
from pullback.modes.linear_operators.shapes import static
from pullback.ops.linalg import solving


@public("linalg.LinearOperator", v1=None)
class LinearOperator(DenseAnswers):
    """Base of matrices [batch..., M, N] that are known by their structure.

    A subclass hands its dtype and hints to `super().__init__` and writes at least `_shape` and `_matmul`, and
    `_shape_tensor` where its shape may be unknown until it runs. Every other hook has a dense default:

        class Twice(tf.linalg.LinearOperator):
            def __init__(self, size, name="Twice"):
                self._size = size
                super().__init__(tf.float32, is_self_adjoint=True, is_positive_definite=True, name=name)

            def _shape(self):
                return tf.TensorShape([self._size, self._size])

            def _matmul(self, x, adjoint=False, adjoint_arg=False):
                return 2.0 * (tf.linalg.adjoint(x) if adjoint_arg else x)

    Args:
      dtype: of the matrix, its arguments and its answers.
      graph_parents: tensors the operator depends on; only kept, for `graph_parents`.
      is_non_singular, is_self_adjoint, is_positive_definite (x^H A x has a positive real part for every x but 0),
        is_square: promises, which choose faster ways and are not checked: True, False, or None for "not known".
      name: begins the names of the operator's ops; by default the class's.
      parameters: what the operator was made with; by default the arguments of the constructor.
    Raises:
      ArgumentError: hints contradict each other.
    Gradients flow to the tensors and variables an operator was made with; variables are read at each call.
    """

    # --- products -----------------------------------------------------------------------------------------------

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """A x. [..., M, N] times [..., N, R] -> [..., M, R]; batch axes broadcast.

        Args:
          x: Tensor of the operator's type, or a LinearOperator: then the answer is an operator too.
          adjoint: A^H in place of A. adjoint_arg: x^H in place of x.
        Raises:
          ShapeError: the sizes do not fit. DTypeError: x is of another type.
        """
        with self._name_scope(name):
            if isinstance(x, LinearOperator):
                left, right = self._pair(x, adjoint, adjoint_arg)
                return left._linop_matmul(left, right)
            x = self._argument(x, "x", -2 if adjoint else -1, -1 if adjoint_arg else -2)
            return self._matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    __array_ufunc__ = None  # so that array @ operator is left to __rmatmul__

    def __matmul__(self, other: Any) -> Any:
        return self.matmul(other)

    def __rmatmul__(self, other: Any) -> Any:
        return solving.adjoint(self.matmul(other, adjoint=True, adjoint_arg=True))

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Tensor:
        """A x of vectors. [..., M, N] times [..., N] -> [..., M]"""
        with self._name_scope(name):
            return self._matvec(self._argument(x, "x", -2 if adjoint else -1, -1), adjoint=adjoint)

    def _argument(self, x: Any, name: str, own: int, axis: int) -> Tensor:
        """A tensor of the operator's type whose `axis` is as long as the operator's axis `own`."""
        x = interpreter.as_tensor(x, name=name)
        if x.dtype is not self.dtype:
            raise DTypeError(
                f"{self.name}: {name} must be of the operator's type {self.dtype.name}, but is of "
                f"{x.dtype.name}; use tf.cast"
            ).locate()
        needed = self.range_dimension.value if own == -2 else self.domain_dimension.value
        shape = x.spec.shape
        if shape is not None and len(shape) < -axis:
            raise ShapeError(f"{self.name}: {name} must have at least {-axis} axes, but is {text(shape)}").locate()
        given = None if shape is None else shape[axis]
        if None not in (needed, given) and needed != given:
            raise ShapeError(
                f"{self.name}: axis {axis} of {name} {text(shape)} must have size {needed}, as the operator's shape "
                f"is {text(static(self))}"
            ).locate()
        return x

    def _pair(self, other: LinearOperator, adjoint: bool, adjoint_arg: bool) -> tuple[Any, Any]:
        """Two operators to be multiplied."""
        left = self.adjoint() if adjoint else self
        right = other.adjoint() if adjoint_arg else other
        n, m = left.domain_dimension.value, right.range_dimension.value
        if n is not None and m is not None and n != m:
            raise ShapeError(
                f"operators {left.name} {left.shape} and {right.name} {right.shape} do not fit: the second must "
                f"have {n} rows"
            ).locate()
        return left, right

    # --- solutions ----------------------------------------------------------------------------------------------

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """The X with A X = rhs. [..., N, N], rhs [..., N, R] -> [..., N, R]; batch axes broadcast.

        Args:
          rhs: Tensor of the operator's type, or a LinearOperator: then the answer is an operator too.
          adjoint: A^H in place of A. adjoint_arg: rhs^H in place of rhs.
        Raises:
          HintError (a NotImplementedError): the operator is hinted to be singular, or not square.
        """
        self._solvable()
        with self._name_scope(name):
            if isinstance(rhs, LinearOperator):
                left, right = self._pair(rhs, adjoint, adjoint_arg)
                return left._linop_solve(left, right)
            rhs = self._argument(rhs, "rhs", -1 if adjoint else -2, -1 if adjoint_arg else -2)
            return self._solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Tensor:
        """The x with A x = rhs, of vectors. rhs [..., N] -> [..., N]"""
        self._solvable()
        with self._name_scope(name):
            return self._solvevec(self._argument(rhs, "rhs", -1 if adjoint else -2, -1), adjoint=adjoint)

    def _solvable(self) -> None:
        if self.is_non_singular is False or self.is_square is False:
            fault = "singular" if self.is_square else "not square"
            raise HintError(f"{self.name}: a matrix that is {fault} has no exact solve; see tf.linalg.lstsq").locate()

    # --- operators made from it ---------------------------------------------------------------------------------

    def adjoint(self, name: str | None = "adjoint") -> Any:
        """A^H as an operator; itself when hinted to be self-adjoint."""
        if self.is_self_adjoint is True:
            return self
        with self._name_scope(name):
            return self._linop_adjoint()

    H = property(adjoint)

    def inverse(self, name: str | None = "inverse") -> Any:
        """A^-1 as an operator, which solves where it multiplies.

        Raises:
          ArgumentError: the operator is hinted to be singular, or not square.
        """
        if self.is_square is False or self.is_non_singular is False:
            fault = "not square" if self.is_square is False else "singular"
            raise ArgumentError(f"{self.name}: a matrix that is {fault} has no inverse").locate()
        with self._name_scope(name):
            return self._linop_inverse()

    def cholesky(self, name: str | None = "cholesky") -> Any:
        """The L with L L^H = A, as an operator.

        Raises:
          ArgumentError: the operator is not hinted to be self-adjoint and positive definite.
        """
        if not self._can_use_cholesky():
            raise ArgumentError(
                f"{self.name}: Cholesky's factor needs a positive definite matrix; make the operator with "
                "is_self_adjoint=True and is_positive_definite=True"
            ).locate()
        with self._name_scope(name):
            return self._linop_cholesky()

    # --- numbers ------------------------------------------------------------------------------------------------

    def to_dense(self, name: str = "to_dense") -> Tensor:
        """The matrix written out. [..., M, N]"""
        with self._name_scope(name):
            return interpreter.as_tensor(self._to_dense())

    def diag_part(self, name: str = "diag_part") -> Tensor:
        """The main diagonal. [..., min(M, N)]"""
        with self._name_scope(name):
            return interpreter.as_tensor(self._diag_part())

    def trace(self, name: str = "trace") -> Tensor:
        """The sum of the main diagonal. [...]"""
        with self._name_scope(name):
            return self._trace()

    def add_to_tensor(self, x: Any, name: str = "add_to_tensor") -> Tensor:
        """A + x. x broadcasts to [..., M, N]."""
        with self._name_scope(name):
            return self._add_to_tensor(interpreter.as_tensor(x, self.dtype, name="x"))

    def determinant(self, name: str = "det") -> Tensor:
        """The determinant. [...]

        Raises:
          HintError (a NotImplementedError): the operator is not square.
        """
        self._has_determinant()
        with self._name_scope(name):
            return self._determinant()

    def log_abs_determinant(self, name: str = "log_abs_det") -> Tensor:
        """log of the determinant's absolute value: real, of a complex operator too. [...]

        Raises:
          HintError (a NotImplementedError): the operator is not square.
        """
        self._has_determinant()
        with self._name_scope(name):
            return self._log_abs_determinant()

    def _has_determinant(self) -> None:
        if self.is_square is False:
            raise HintError(f"{self.name}: only square matrices have a determinant; shape {self.shape}").locate()

    def eigvals(self, name: str = "eigvals") -> Tensor:
        """The eigenvalues. [..., N]

        Raises:
          HintError (a NotImplementedError): the operator is not hinted to be self-adjoint.
        """
        if not self.is_self_adjoint:
            raise HintError(
                f"{self.name}: eigvals needs is_self_adjoint=True; of others use tf.linalg.eigvals(x.to_dense())"
            ).locate()
        with self._name_scope(name):
            return interpreter.as_tensor(self._eigvals())

    def cond(self, name: str = "cond") -> Tensor:
        """The condition number: the largest singular value over the smallest. [...]"""
        with self._name_scope(name):
            return self._cond()

    # --- assertions ---------------------------------------------------------------------------------------------

    def assert_non_singular(self, name: str = "assert_non_singular") -> Any:
        """Checks when run that the matrix is not singular, up to rounding. An operation; eagerly None.

        Raises:
          InvalidArgumentError: when run, it is.
        """
        with self._name_scope(name):
            return self._assert_non_singular()

    def assert_self_adjoint(self, name: str = "assert_self_adjoint") -> Any:
        """Checks when run that the matrix is its own adjoint, exactly. An operation; eagerly None."""
        with self._name_scope(name):
            return self._assert_self_adjoint()

    def assert_positive_definite(self, name: str = "assert_positive_definite") -> Any:
        """Checks when run that the Hermitian part's eigenvalues are positive. An operation; eagerly None."""
        with self._name_scope(name):
            return self._assert_positive_definite()
