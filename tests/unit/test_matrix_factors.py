"""Factors and functions of matrices: they give the matrix back; gradients agree with differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1

RNG = np.random.default_rng(0)
SHAPES = [(3, 3), (5, 2), (2, 5), (2, 3, 2)]
KINDS = ["float64", "complex128"]


def drawn(shape: tuple[int, ...], kind: str = "float64") -> Any:
    x = np.random.default_rng(1).normal(size=shape)
    return x + 1j * np.random.default_rng(2).normal(size=shape) if kind == "complex128" else x


def slopes(f: Callable[[Any], Any], x: Any, step: float = 1e-6) -> Any:
    """Central differences of a real function."""
    g = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        for unit in (1, 1j) if x.dtype.kind == "c" else (1,):
            above, below = x.copy(), x.copy()
            above[at] += step * unit
            below[at] -= step * unit
            g[at] += unit * (float(f(tf.constant(above))) - float(f(tf.constant(below)))) / (2 * step)
    return g


def check_gradient(f: Callable[[Any], Any], x: Any) -> None:
    t = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = f(t)
    wanted = slopes(f, x)
    np.testing.assert_allclose(tape.gradient(y, t), wanted, atol=1e-6 * (1 + np.abs(wanted).max()))


def weighed(t: Any) -> Any:
    """A real number that every entry moves."""
    w = np.random.default_rng(t.shape[-1]).normal(size=t.shape)
    real = tf.reduce_sum(tf.math.real(t) * w)
    return real + tf.reduce_sum(tf.math.imag(t) * w[::-1]) if t.dtype.is_complex else real


def projector(t: Any) -> Any:
    return t @ tf.linalg.adjoint(t)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("full", [False, True])
class TestFactors:
    def test_singular_values(self, shape: tuple[int, ...], kind: str, full: bool) -> None:
        x, k = drawn(shape, kind), min(shape[-2:])
        s, u, v = tf.linalg.svd(x, full_matrices=full)
        assert u.shape[-1] == (shape[-2] if full else k) and v.shape[-1] == (shape[-1] if full else k)
        inner = np.zeros((*shape[:-2], u.shape[-1], v.shape[-1]))
        inner[..., range(k), range(k)] = s.numpy()
        np.testing.assert_allclose(u.numpy() @ inner @ np.conj(np.swapaxes(v.numpy(), -1, -2)), x, atol=1e-12)
        np.testing.assert_allclose(tf.linalg.svd(x, compute_uv=False), np.linalg.svd(x, compute_uv=False))

        def f(t: Any) -> Any:
            s, u, v = tf.linalg.svd(t, full_matrices=full)
            phase = (u[..., :k] * np.arange(1.0, k + 1)) @ tf.linalg.adjoint(v[..., :k])
            return weighed(phase) + weighed(projector(u[..., 1:])) + tf.reduce_sum(s**3)

        check_gradient(f, x)

    def test_qr(self, shape: tuple[int, ...], kind: str, full: bool) -> None:
        x, k = drawn(shape, kind), min(shape[-2:])
        q, r = tf.linalg.qr(x, full)
        np.testing.assert_allclose((q @ r).numpy(), x, atol=1e-12)
        assert q.shape[-1] == (shape[-2] if full else k)

        def f(t: Any) -> Any:
            q, r = tf.linalg.qr(t, full)
            return weighed(q[..., :k]) + weighed(r) + weighed(projector(q[..., 1:]))

        check_gradient(f, x)


@pytest.mark.parametrize("kind", KINDS)
class TestSolutions:
    @pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3)])
    @pytest.mark.parametrize(("l2", "fast"), [(0.0, True), (0.3, True), (0.0, False)])
    def test_least_squares(self, shape: tuple[int, int], l2: float, fast: bool, kind: str) -> None:
        a, b = drawn(shape, kind), drawn((shape[0], 2), kind)
        h = a.conj().T
        wanted = h @ np.linalg.solve(a @ h + l2 * np.eye(shape[0]), b) if l2 else np.linalg.lstsq(a, b, None)[0]
        np.testing.assert_allclose(tf.linalg.lstsq(a, b, l2, fast), wanted, atol=1e-10)
        check_gradient(lambda t: weighed(tf.linalg.lstsq(t, b, l2, fast)), a)
        check_gradient(lambda t: weighed(tf.linalg.lstsq(a, t, l2, fast)), b)

    def test_lu(self, kind: str) -> None:
        x, b = drawn((2, 3, 3), kind), drawn((2, 3, 2), kind)
        lu, p = tf.linalg.lu(x)
        rows = np.take_along_axis(x, p.numpy()[..., None].astype(int), -2)
        lower = np.tril(lu.numpy(), -1) + np.eye(3)
        np.testing.assert_allclose(lower @ np.triu(lu.numpy()), rows, atol=1e-12)
        np.testing.assert_allclose(tf.linalg.lu_reconstruct(lu, p), x, atol=1e-12)
        np.testing.assert_allclose(x @ tf.linalg.lu_solve(lu, p, b).numpy(), b, atol=1e-12)
        np.testing.assert_allclose(x @ tf.linalg.lu_matrix_inverse(lu, p).numpy(), [np.eye(3)] * 2, atol=1e-12)
        check_gradient(lambda t: weighed(tf.linalg.lu(t)[0]), x)

    def test_eigenvalues(self, kind: str) -> None:
        x = drawn((3, 3), kind)
        e, v = tf.linalg.eig(x)
        np.testing.assert_allclose(x @ v.numpy(), v.numpy() * e.numpy(), atol=1e-12)
        np.testing.assert_allclose(np.sort_complex(tf.linalg.eigvals(x)), np.sort_complex(np.linalg.eigvals(x)))
        check_gradient(lambda t: tf.reduce_sum(tf.abs(tf.linalg.eigvals(t)) ** 3), x)

        def f(t: Any) -> Any:
            e, v = tf.linalg.eig(t)
            return tf.reduce_sum(tf.math.real(v @ tf.linalg.diag(e**2) @ tf.linalg.adjoint(v)))

        check_gradient(f, x)


class TestFunctions:
    X = RNG.normal(size=(2, 3, 3)) * 0.5 + 2 * np.eye(3)

    def test_they_undo_each_other(self) -> None:
        z = self.X.astype(complex)
        np.testing.assert_allclose(tf.linalg.expm(tf.linalg.logm(z)), z, atol=1e-12)
        root = tf.linalg.sqrtm(self.X).numpy()
        np.testing.assert_allclose(root @ root, self.X, atol=1e-12)

    def test_the_exponential_is_that_of_the_eigenvalues(self) -> None:
        e, v = np.linalg.eig(10 * self.X)
        wanted = (v * np.exp(e)[:, None, :]) @ np.linalg.inv(v)
        np.testing.assert_allclose(tf.linalg.expm(10 * self.X), wanted.real, rtol=1e-9)
        np.testing.assert_allclose(tf.linalg.expm(np.zeros((2, 2))), np.eye(2))
        np.testing.assert_allclose(tf.linalg.expm(np.array([[0.0, 1.0], [0.0, 0.0]])), [[1, 1], [0, 1]])

    def test_of_self_adjoint_ones(self) -> None:
        np.testing.assert_allclose(tf.linalg.sqrtm(np.diag([0.0, 4.0])), np.diag([0.0, 2.0]))
        assert np.isnan(tf.linalg.sqrtm(-np.eye(2)).numpy()).any()
        np.testing.assert_allclose(tf.linalg.logm(-np.eye(2) + 0j), np.pi * 1j * np.eye(2), atol=1e-15)

    @pytest.mark.parametrize("f", [tf.linalg.expm, tf.linalg.sqrtm])
    def test_gradients(self, f: Callable[[Any], Any]) -> None:
        check_gradient(lambda t: weighed(f(t)), self.X)

    def test_pseudo_inverse_and_rank(self) -> None:
        x = drawn((4, 2))
        np.testing.assert_allclose(tf.linalg.pinv(x), np.linalg.pinv(x), atol=1e-12)
        np.testing.assert_allclose(tf.linalg.pinv(np.diag([1.0, 0.0])), np.diag([1.0, 0.0]))
        check_gradient(lambda t: weighed(tf.linalg.pinv(t)), x)
        assert tf.linalg.matrix_rank(np.diag([1.0, 1e-20, 2.0])).numpy() == 2
        assert tf.linalg.matrix_rank([x, x * 0]).numpy().tolist() == [2, 0]
        assert tf.linalg.matrix_rank(np.diag([1.0, 3.0]), tol=2.0).numpy() == 1

    def test_normalize_gives_the_norm_too(self) -> None:
        x, z = drawn((2, 3)), drawn((2, 3), "complex128")
        unit, size = tf.linalg.normalize(x, axis=1)
        np.testing.assert_allclose(size, np.linalg.norm(x, axis=1, keepdims=True))
        np.testing.assert_allclose(unit * size, x)
        np.testing.assert_allclose(tf.linalg.normalize(z)[0], z / np.linalg.norm(z))

    def test_tensorflow_1_has_its_own_names(self) -> None:
        x = drawn((3, 2))
        with tf1.Graph().as_default(), tf1.Session() as session:
            s, x_again = session.run([tf1.svd(x, compute_uv=False), tf1.matmul(*tf1.qr(x))])
            solved = session.run(tf1.matrix_solve_ls(x, x))
        np.testing.assert_allclose(s, np.linalg.svd(x, compute_uv=False))
        np.testing.assert_allclose(x_again, x, atol=1e-12)
        np.testing.assert_allclose(solved, np.eye(2), atol=1e-12)

    def test_sizes_that_are_known_late(self) -> None:
        @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float64)])
        def slope(x: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                q, r = tf.linalg.qr(x, full_matrices=True)
                s, u, v = tf.linalg.svd(x, full_matrices=True)
                y = (
                    tf.reduce_sum(q @ r)
                    + tf.reduce_sum(s**2)
                    + tf.reduce_sum(projector(u))
                    + tf.reduce_sum(projector(v))
                )
            return tape.gradient(y, x)

        for shape in ((3, 2), (2, 3)):  # q r is x, the squares' sum is that of x, the projectors do not move
            x = drawn(shape)
            np.testing.assert_allclose(slope(x), 1 + 2 * x, atol=1e-9)


def test_the_incomplete_beta_function() -> None:
    x = np.linspace(0, 1, 11)
    np.testing.assert_allclose(tf.math.betainc(tf.ones(11, tf.float64), tf.ones(11, tf.float64), x), x)
    np.testing.assert_allclose(tf.math.betainc(2.0 + 0 * x, 1.0 + 0 * x, x), x**2)
    np.testing.assert_allclose(tf.math.betainc(1.0 + 0 * x, 3.0 + 0 * x, x), 1 - (1 - x) ** 3)
    a, b = 2.5 + 0 * x, 40.0 + 0 * x
    np.testing.assert_allclose(tf.math.betainc(a, b, x) + tf.math.betainc(b, a, 1 - x), 1 + 0 * x)
    assert np.isnan(tf.math.betainc([0.0, 1.0], [1.0, 1.0], [0.5, 1.5])).all()


def test_polynomials_and_neighbours() -> None:
    x = np.array([0.5, 2.0])
    np.testing.assert_allclose(tf.math.polyval([1.0, -2.0, 3.0], x), np.polyval([1, -2, 3], x))
    assert tf.math.polyval([], x).numpy().tolist() == [0, 0]
    np.testing.assert_array_equal(tf.math.nextafter(x, x + 1), np.nextafter(x, x + 1))
    with pytest.raises(ValueError, match="list"):
        tf.math.polyval(x, x)
