"""Linear operators at work, the same for pullback and for TensorFlow 2.21: what each answers.

Run by TensorFlow's Python with a path, it writes TensorFlow's answers there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Answer = dict[str, Any]
HINTS = ("is_non_singular", "is_self_adjoint", "is_positive_definite", "is_square")


def numbers(*shape: int, kind: str = "float64") -> Any:
    rng = np.random.RandomState(sum(shape) + 7 * len(shape))
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if kind == "complex128" else x


def regular(*shape: int, kind: str = "float64") -> Any:
    return numbers(*shape, kind=kind) + 4 * np.eye(shape[-1])


def narrow(*shape: int) -> Any:
    return (numbers(*shape, kind="complex128") + 3).astype(np.complex64)


def definite(*shape: int) -> Any:
    x = regular(*shape)
    return x @ np.swapaxes(x, -1, -2)


def operators(linalg: Any, dtypes: Any) -> dict[str, Callable[[], Any]]:
    full, diag = linalg.LinearOperatorFullMatrix, linalg.LinearOperatorDiag
    lower, identity = linalg.LinearOperatorLowerTriangular, linalg.LinearOperatorIdentity
    real = dtypes.float64
    positive = np.abs(numbers(4)) + 2
    return {
        "full": lambda: full(regular(2, 3, 3)),
        "full complex": lambda: full(regular(3, 3, kind="complex128")),
        "full tall": lambda: full(numbers(4, 3)),
        "full definite": lambda: full(definite(2, 3, 3), is_self_adjoint=True, is_positive_definite=True),
        "full float32": lambda: full(regular(3, 3).astype(np.float32), name="own_name"),
        "triangular": lambda: lower(regular(2, 3, 3), is_non_singular=True),
        "triangular complex": lambda: lower(regular(3, 3, kind="complex128")),
        "diagonal": lambda: diag(numbers(2, 3) + 3),
        "diagonal complex": lambda: diag(numbers(3, kind="complex128")),
        "diagonal definite": lambda: diag(positive, is_positive_definite=True),
        "identity": lambda: identity(3, dtype=real),
        "identity batch": lambda: identity(3, [2, 1], real),
        "scaled": lambda: linalg.LinearOperatorScaledIdentity(3, numbers(2) + 3),
        "scaled complex": lambda: linalg.LinearOperatorScaledIdentity(3, numbers(2, kind="complex128") + 3),
        "zeros": lambda: linalg.LinearOperatorZeros(3, batch_shape=[2], dtype=real),
        "composition": lambda: linalg.LinearOperatorComposition([full(regular(2, 3, 3)), diag(numbers(3))]),
        "composition tall": lambda: linalg.LinearOperatorComposition([full(numbers(4, 3)), full(numbers(2, 3, 2))]),
        "adjoint": lambda: linalg.LinearOperatorAdjoint(full(numbers(4, 3, kind="complex128"))),
        "inverse": lambda: linalg.LinearOperatorInversion(full(regular(2, 3, 3), is_non_singular=True)),
        "block diagonal": lambda: linalg.LinearOperatorBlockDiag(
            [full(regular(2, 3, 3), is_non_singular=True), lower(regular(2, 2), is_non_singular=True)]
        ),
        "block triangular": lambda: linalg.LinearOperatorBlockLowerTriangular(
            [[full(regular(2, 3, 3))], [full(numbers(2, 3)), lower(regular(2, 2))]]
        ),
        "kronecker": lambda: linalg.LinearOperatorKronecker(
            [full(regular(2, 3, 3), is_non_singular=True), diag(numbers(2) + 3, is_non_singular=True)]
        ),
        "update": lambda: linalg.LinearOperatorLowRankUpdate(
            full(regular(4, 4)), numbers(4, 2), numbers(2) + 3, numbers(2, 4, 2), is_square=True
        ),
        "update definite": lambda: linalg.LinearOperatorLowRankUpdate(
            diag(positive, is_positive_definite=True), numbers(2, 4, 2)
        ),
        "tridiagonal": lambda: linalg.LinearOperatorTridiag(numbers(3, 4) + np.array([0, 5, 0])[:, None]),
        "tridiagonal sequence": lambda: linalg.LinearOperatorTridiag(
            [numbers(4), numbers(4) + 5, numbers(4)], "sequence", is_non_singular=True
        ),
        "toeplitz": lambda: linalg.LinearOperatorToeplitz(numbers(2, 4) + np.array([5, 0, 0, 0]), numbers(2, 4)),
        "circulant": lambda: linalg.LinearOperatorCirculant(narrow(2, 4)),
        "circulant real": lambda: linalg.LinearOperatorCirculant(np.fft.fft([3.0, 0.5, 0.25, 0.5]).real, real),
        "circulant 2d": lambda: linalg.LinearOperatorCirculant2D(narrow(2, 3, 2)),
        "circulant 3d": lambda: linalg.LinearOperatorCirculant3D(narrow(2, 3, 2)),
        "householder": lambda: linalg.LinearOperatorHouseholder(numbers(2, 3)),
        "permutation": lambda: linalg.LinearOperatorPermutation(np.array([[2, 0, 1], [1, 2, 0]], np.int32), real),
    }


def said(call: Callable[[], Any]) -> Any:
    """An answer as an array; of an error, which of Python's classes it is: "Exception" where a kernel refused."""
    try:
        return np.asarray(call())
    except Exception as error:
        kinds = (NotImplementedError, ValueError, TypeError, Exception)
        return np.array(next(kind.__name__ for kind in kinds if isinstance(error, kind)))


def operator_answers(tf: Any, made: Callable[[], Any]) -> Answer:
    operator = made()
    rows, columns = operator.shape[-2:]
    kind = operator.dtype.name
    x, b = numbers(3, 1, columns, 2).astype(kind), numbers(rows, 2).astype(kind)
    order = operator.shape[-1] == operator.shape[-2]
    asked: dict[str, Callable[[], Any]] = {
        "name": lambda: operator.name,
        "dtype": lambda: kind,
        "parameters": lambda: sorted(operator.parameters),
        "hints": lambda: [str(getattr(operator, hint)) for hint in HINTS],
        "shape": operator.shape_tensor,
        "batch": operator.batch_shape_tensor,
        "rank": operator.tensor_rank_tensor,
        "dense": operator.to_dense,
        "diagonal": operator.diag_part,
        "trace": operator.trace,
        "product": lambda: operator.matmul(x),
        "product of adjoints": lambda: operator.matmul(
            tf.linalg.adjoint(b.astype(kind)), adjoint=True, adjoint_arg=True
        ),
        "vector product": lambda: operator.matvec(x[..., 0]),
        "sum": lambda: operator.add_to_tensor(tf.ones(tuple(operator.shape), kind)),
        "adjoint": lambda: operator.adjoint().to_dense(),
        "adjoint's hints": lambda: [str(getattr(operator.adjoint(), hint)) for hint in HINTS],
    }
    if order:
        asked |= {
            "determinant": operator.determinant,
            "log determinant": lambda: np.real(operator.log_abs_determinant()),
            "solution": lambda: operator.solve(b),
            "solution of adjoints": lambda: operator.solve(tf.linalg.adjoint(b), adjoint=True, adjoint_arg=True),
            "vector solution": lambda: operator.solvevec(b[..., 0]),
            "inverse": lambda: operator.inverse().to_dense(),
            "eigenvalues": lambda: np.sort(np.real(operator.eigvals()), -1),
            "condition": lambda: np.abs(operator.cond()),
            "cholesky": lambda: operator.cholesky().to_dense(),
        }
    else:
        asked |= {
            "determinant": operator.determinant,
            "solution": lambda: operator.solve(b),
            "inverse": operator.inverse,
        }
    return {what: said(call) for what, call in asked.items()}


ALGEBRA = (
    "full",
    "full definite",
    "triangular",
    "diagonal",
    "identity",
    "scaled",
    "zeros",
    "inverse",
    "circulant real",
)


def algebra_answers(tf: Any, made: dict[str, Callable[[], Any]]) -> Answer:
    """Classes and hints of products and quotients of 3 x 3 operators."""
    out = {}
    for left in ALGEBRA[:-1]:
        for right in ALGEBRA[:-1]:
            for sign, combine in (("@", lambda a, b: a @ b), ("/", lambda a, b: a.solve(b))):

                def seen(left: str = left, right: str = right, combine: Any = combine) -> Any:
                    total = combine(made[left](), made[right]())
                    return [type(total).__name__, *(str(getattr(total, hint)) for hint in HINTS)]

                out[f"{left} {sign} {right}"] = said(seen)
    return out


def gradient_answers(tf: Any) -> Answer:
    """Gradients of a solution and a determinant to an operator's parameter."""
    out = {}
    given = {
        "FullMatrix": regular(3, 3),
        "LowerTriangular": regular(3, 3),
        "Diag": numbers(3) + 3,
        "Tridiag": numbers(3, 3) + np.array([0, 5, 0])[:, None],
        "Householder": numbers(3),
    }
    for name, value in given.items():
        parameter = tf.constant(value)
        with tf.GradientTape() as tape:
            tape.watch(parameter)
            operator = getattr(tf.linalg, f"LinearOperator{name}")(parameter)
            loss = tf.reduce_sum(operator.solve(numbers(3, 2)) * numbers(3, 2)) + operator.log_abs_determinant()
        out[name] = np.asarray(tape.gradient(loss, parameter))
    return out


def graph_answers(tf1: Any) -> Answer:
    """A mask as transformers make it, and a batch of unknown size, in a graph of TensorFlow 1."""
    with tf1.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf1.float32, [None, 3, 3])
        mask = tf1.linalg.LinearOperatorLowerTriangular(tf1.ones_like(x[0])).to_dense()
        operator = tf1.linalg.LinearOperatorLowerTriangular(x)
        y = operator.solve(tf1.ones([3, 1]))
        static = np.array([str(operator.shape.as_list()), str(y.shape.as_list())])
        found = session.run([mask, y, operator.shape_tensor()], {x: regular(2, 3, 3).astype(np.float32)})
    return {"static": static, **{str(i): value for i, value in enumerate(found)}}


def runs(tf: Any, tf1: Any) -> dict[str, Callable[[], Answer]]:
    """Everything that is compared, by name."""
    made = operators(tf.linalg, tf)
    out: dict[str, Callable[[], Answer]] = {
        f"operator {name}": lambda make=make: operator_answers(tf, make) for name, make in made.items()
    }
    out["algebra"] = lambda: algebra_answers(tf, made)
    out["gradients"] = lambda: gradient_answers(tf)
    out["graph"] = lambda: graph_answers(tf1)
    return out


def main() -> None:
    import tensorflow as tf  # pyright: ignore[reportMissingImports]

    made = {what: run() for what, run in runs(tf, tf.compat.v1).items()}
    np.savez(
        sys.argv[1], **{f"{what}|{part}": value for what, answer in made.items() for part, value in answer.items()}
    )


if __name__ == "__main__":
    main()
