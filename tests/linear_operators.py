"""Linear operators of every kind, each beside its matrix as NumPy has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as tf

linalg = tf.linalg
Case = tuple[Any, Any]  # (operator, its matrix)


def drawn(*shape: int, kind: str = "float64", seed: int = 0) -> Any:
    x = np.random.default_rng(seed).normal(size=shape)
    return x + 1j * np.random.default_rng(seed + 99).normal(size=shape) if kind == "complex128" else x


def regular(*shape: int, kind: str = "float64", seed: int = 0) -> Any:
    return drawn(*shape, kind=kind, seed=seed) + 4 * np.eye(shape[-1])


def adjoint(x: Any) -> Any:
    return np.conj(np.swapaxes(x, -1, -2))


def definite(*shape: int, kind: str = "float64") -> Any:
    x = regular(*shape, kind=kind)
    square = x @ adjoint(x)
    return (square + adjoint(square)) / 2


def diagonal(d: Any) -> Any:
    return d[..., None] * np.eye(d.shape[-1])


def full(*shape: int, seed: int = 0, **hints: Any) -> Case:
    x = regular(*shape, seed=seed) if shape[-1] == shape[-2] else drawn(*shape, seed=seed)
    return linalg.LinearOperatorFullMatrix(x, **hints), x


def spread(*matrices: Any) -> list[Any]:
    batch = np.broadcast_shapes(*[m.shape[:-2] for m in matrices])
    return [np.broadcast_to(m, (*batch, *m.shape[-2:])) for m in matrices]


def blocks(*matrices: Any) -> Any:
    flat = spread(*matrices)
    rows, columns = (np.cumsum([0, *[m.shape[axis] for m in flat]]) for axis in (-2, -1))
    out = np.zeros((*flat[0].shape[:-2], rows[-1], columns[-1]))
    for m, i, j in zip(flat, rows, columns, strict=False):
        out[..., i : i + m.shape[-2], j : j + m.shape[-1]] = m
    return out


def kronecker(a: Any, b: Any) -> Any:
    both = np.einsum("...ij,...kl->...ikjl", a, b)
    return both.reshape(*both.shape[:-4], a.shape[-2] * b.shape[-2], a.shape[-1] * b.shape[-1])


def tridiagonal(above: Any, main: Any, below: Any) -> Any:
    n = main.shape[-1]
    out = diagonal(main).astype(main.dtype)
    for i in range(n - 1):
        out[..., i, i + 1], out[..., i + 1, i] = above[..., i], below[..., i + 1]
    return out


def toeplitz(col: Any, row: Any) -> Any:
    n = col.shape[-1]
    rows = [[col[..., i - j] if i >= j else row[..., j - i] for j in range(n)] for i in range(n)]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def circulant(spectrum: Any, depth: int) -> Any:
    """Each unit array, transformed, multiplied and transformed back."""
    block, axes = spectrum.shape[-depth:], tuple(range(-depth, 0))
    n = int(np.prod(block))
    batch = spectrum.shape[:-depth]
    columns = []
    for unit in np.eye(n):
        y = np.fft.ifftn(np.fft.fftn(unit.reshape(block), axes=axes) * spectrum, axes=axes)
        columns.append(y.reshape(*batch, n))
    return np.stack(columns, -1)


def full_hermitian(kind: str) -> Case:
    x = definite(2, 3, 3, kind=kind)
    return linalg.LinearOperatorFullMatrix(x, is_self_adjoint=True, is_positive_definite=True), x


def triangular(kind: str, *batch: int) -> Case:
    x = regular(*batch, 3, 3, kind=kind)
    return linalg.LinearOperatorLowerTriangular(x), np.tril(x)


def of_diagonal(kind: str, *batch: int) -> Case:
    d = drawn(*batch, 3, kind=kind) + 3
    return linalg.LinearOperatorDiag(d), diagonal(d)


def scaled(kind: str, *batch: int) -> Case:
    m = drawn(*batch, kind=kind) + 3
    return linalg.LinearOperatorScaledIdentity(3, m), m[..., None, None] * np.eye(3)


def composition(*cases: Case) -> Case:
    product = cases[0][1]
    for _, x in cases[1:]:
        product = product @ x
    return linalg.LinearOperatorComposition([o for o, _ in cases]), product


def direct_sum(*cases: Case, is_square: bool = True) -> Case:
    return linalg.LinearOperatorBlockDiag([o for o, _ in cases], is_square=is_square), blocks(*[x for _, x in cases])


def block_triangle() -> Case:
    (a, x), (b, y), (c, z) = full(3, 3), full(2, 2, 3), full(2, 2)
    dense = blocks(x, np.broadcast_to(z, (2, 2, 2)))
    dense[..., 3:, :3] = y
    return linalg.LinearOperatorBlockLowerTriangular([[a], [b, c]]), dense


def kronecker_product(*cases: Case) -> Case:
    product = cases[0][1]
    for _, x in cases[1:]:
        product = kronecker(product, x)
    return linalg.LinearOperatorKronecker([o for o, _ in cases]), product


def updated(kind: str, own_v: bool, update: bool, **hints: Any) -> Case:
    base = 3 + np.abs(drawn(2, 4))
    u, v = drawn(4, 2, kind=kind) / 2, drawn(2, 4, 2, kind=kind, seed=5) / 2
    d = np.array([0.5, 1.5]).astype(kind) if update else None
    v = None if own_v else v
    lower = linalg.LinearOperatorDiag(base.astype(kind), is_positive_definite=True, is_self_adjoint=True)
    operator = linalg.LinearOperatorLowRankUpdate(lower, u, d, v, **hints)
    middle = np.eye(2) if d is None else diagonal(d)
    return operator, diagonal(base) + u @ middle @ adjoint(u if v is None else v)


def tridiag(kind: str, form: str) -> Case:
    three = drawn(2, 3, 4, kind=kind) + np.array([0, 5, 0])[:, None]
    above, main, below = (three[:, i] for i in range(3))
    dense = tridiagonal(above, main, below)
    given = {"compact": three, "sequence": [above, main, below[0]], "matrix": dense}[form]
    if form == "sequence":
        dense = tridiagonal(above, main, np.stack([below[0]] * 2))
    return linalg.LinearOperatorTridiag(given, form), dense


def of_toeplitz(kind: str) -> Case:
    col, row = drawn(2, 4, kind=kind) + np.array([5, 0, 0, 0]), drawn(4, kind=kind, seed=3)
    return linalg.LinearOperatorToeplitz(col, row), toeplitz(col, np.stack([row, row]))


def of_circulant(depth: int, real: bool = False) -> Case:
    block = (2, 4, 3, 2)[: depth + 1]
    z = drawn(*block, kind="float64" if real else "complex128") + 3
    made = (linalg.LinearOperatorCirculant, linalg.LinearOperatorCirculant2D, linalg.LinearOperatorCirculant3D)
    return made[depth - 1](z, tf.complex128), circulant(z, depth)


def circulant_of_reals() -> Case:
    kernel = np.array([3.0, 0.5, -0.25, 0.125])
    z = np.fft.fft(kernel)
    return linalg.LinearOperatorCirculant(z, tf.float64), toeplitz(kernel, kernel[[0, 3, 2, 1]])


def householder(kind: str) -> Case:
    v = drawn(2, 3, kind=kind)
    column = v[..., None] / np.linalg.norm(v, axis=-1)[..., None, None]
    return linalg.LinearOperatorHouseholder(v), np.eye(3) - 2 * column @ adjoint(column)


def permutation() -> Case:
    perm = np.array([[2, 0, 1], [0, 2, 1]])
    return linalg.LinearOperatorPermutation(perm, tf.float64), np.eye(3)[perm]


def zero_matrix(rows: int, columns: int) -> Case:
    made = linalg.LinearOperatorZeros(rows, columns, [2], tf.float64, is_square=rows == columns)
    return made, np.zeros((2, rows, columns))


CASES: dict[str, Callable[[], Case]] = {
    "full": lambda: full(3, 3),
    "full-batch": lambda: full(2, 3, 3),
    "full-tall": lambda: full(2, 4, 3),
    "full-complex": lambda: (
        linalg.LinearOperatorFullMatrix(regular(2, 3, 3, kind="complex128")),
        regular(2, 3, 3, kind="complex128"),
    ),
    "full-definite": lambda: full_hermitian("float64"),
    "full-definite-complex": lambda: full_hermitian("complex128"),
    "triangular": lambda: triangular("float64"),
    "triangular-complex-batch": lambda: triangular("complex128", 2),
    "diagonal": lambda: of_diagonal("float64", 2),
    "diagonal-complex": lambda: of_diagonal("complex128"),
    "identity": lambda: (linalg.LinearOperatorIdentity(3, dtype=tf.float64), np.eye(3)),
    "identity-batch": lambda: (linalg.LinearOperatorIdentity(3, [2], tf.float64), np.stack([np.eye(3)] * 2)),
    "scaled": lambda: scaled("float64"),
    "scaled-complex-batch": lambda: scaled("complex128", 2),
    "zeros": lambda: zero_matrix(3, 3),
    "zeros-wide": lambda: zero_matrix(2, 3),
    "composition": lambda: composition(full(2, 3, 3), triangular("float64"), of_diagonal("float64")),
    "composition-tall": lambda: composition(full(4, 3), full(2, 3, 2)),
    "composition-square-of-others": lambda: composition(full(2, 3), full(3, 2, seed=1)),
    "adjoint": lambda: (full(2, 4, 3)[0].adjoint(), adjoint(full(2, 4, 3)[1])),
    "inverse": lambda: (full(2, 3, 3)[0].inverse(), np.linalg.inv(full(2, 3, 3)[1])),
    "block-diagonal": lambda: direct_sum(full(2, 3, 3), full(2, 2), of_diagonal("float64")),
    "block-diagonal-wide": lambda: direct_sum(full(2, 3), full(2, 4, 5), is_square=False),
    "block-triangular": block_triangle,
    "kronecker": lambda: kronecker_product(full(2, 3, 3), full(2, 2), of_diagonal("float64")),
    "kronecker-tall": lambda: kronecker_product(full(4, 3), full(2, 3, 2)),
    "update": lambda: updated("float64", False, True),
    "update-complex": lambda: updated("complex128", False, False),
    "update-definite": lambda: updated("float64", True, True, is_diag_update_positive=True),
    "update-definite-complex": lambda: updated("complex128", True, False),
    "tridiagonal": lambda: tridiag("float64", "compact"),
    "tridiagonal-sequence": lambda: tridiag("float64", "sequence"),
    "tridiagonal-matrix-complex": lambda: tridiag("complex128", "matrix"),
    "toeplitz": lambda: of_toeplitz("float64"),
    "toeplitz-complex": lambda: of_toeplitz("complex128"),
    "circulant": lambda: of_circulant(1),
    "circulant-real-spectrum": lambda: of_circulant(1, real=True),
    "circulant-real": circulant_of_reals,
    "circulant-2d": lambda: of_circulant(2),
    "circulant-3d": lambda: of_circulant(3),
    "householder": lambda: householder("float64"),
    "householder-complex": lambda: householder("complex128"),
    "permutation": permutation,
}
SQUARE = [name for name in CASES if not name.endswith(("tall", "wide")) and name != "adjoint"]
REGULAR = [name for name in SQUARE if name != "zeros"]
