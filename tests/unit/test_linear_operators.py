"""Linear operators answer as their dense matrices do; gradients flow to what they were made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from linear_operators import (
    CASES,
    REGULAR,
    SQUARE,
    Case,
    adjoint,
    block_triangle,
    blocks,
    circulant,
    direct_sum,
    drawn,
    full,
    full_hermitian,
    kronecker,
    regular,
    toeplitz,
)

import pullback as tf
import pullback.v1 as tf1

linalg = tf.linalg


def close(ours: Any, expected: Any) -> None:
    assert ours.shape == expected.shape
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
class TestEveryOperator:
    def test_shapes(self, name: str) -> None:
        operator, dense = CASES[name]()
        assert operator.shape == dense.shape
        assert operator.batch_shape == dense.shape[:-2]
        assert operator.tensor_rank == dense.ndim
        assert operator.range_dimension == dense.shape[-2]
        assert operator.domain_dimension == dense.shape[-1]
        assert operator.shape_tensor().numpy().tolist() == list(dense.shape)
        assert operator.batch_shape_tensor().numpy().tolist() == list(dense.shape[:-2])
        assert operator.tensor_rank_tensor().numpy() == dense.ndim
        assert operator.range_dimension_tensor().numpy() == dense.shape[-2]
        assert operator.domain_dimension_tensor().numpy() == dense.shape[-1]
        assert operator.is_square is (dense.shape[-1] == dense.shape[-2])

    def test_matrix_diagonal_and_trace(self, name: str) -> None:
        operator, dense = CASES[name]()
        close(operator.to_dense(), dense)
        close(operator.diag_part(), np.diagonal(dense, axis1=-2, axis2=-1))
        close(operator.trace(), np.trace(dense, axis1=-2, axis2=-1))

    @pytest.mark.parametrize("batch", [(), (2,), (3, 1)], ids=str)
    @pytest.mark.parametrize("turned", [False, True])
    @pytest.mark.parametrize("turned_argument", [False, True])
    def test_product(self, name: str, batch: Any, turned: bool, turned_argument: bool) -> None:
        operator, dense = CASES[name]()
        matrix = adjoint(dense) if turned else dense
        x = drawn(*batch, matrix.shape[-1], 2, kind=operator.dtype.name)
        given = adjoint(x) if turned_argument else x
        close(operator.matmul(given, adjoint=turned, adjoint_arg=turned_argument), matrix @ x)
        if not turned_argument:
            close(operator.matvec(x[..., 0], adjoint=turned), (matrix @ x)[..., 0])

    def test_adjoint(self, name: str) -> None:
        operator, dense = CASES[name]()
        close(operator.H.to_dense(), adjoint(dense))
        x = drawn(dense.shape[-2], 2, kind=operator.dtype.name)
        close(operator.adjoint() @ x, adjoint(dense) @ x)

    def test_sum(self, name: str) -> None:
        operator, dense = CASES[name]()
        x = drawn(3, 1, *dense.shape[-2:], kind=operator.dtype.name)
        close(operator.add_to_tensor(x), dense + x)

    def test_parameters_make_it_again(self, name: str) -> None:
        operator, dense = CASES[name]()
        close(type(operator)(**operator.parameters).to_dense(), dense)

    def test_gradient(self, name: str) -> None:
        """d (A x) / dx by way of a product, where the operator is a constant."""
        operator, dense = CASES[name]()
        x = tf.constant(drawn(dense.shape[-1], 2, kind=operator.dtype.name))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = operator.matmul(x)
        if name.startswith("zeros"):
            assert tape.gradient(y, x) is None
            return
        wanted = adjoint(dense) @ np.ones((dense.shape[-2], 2))
        close(tape.gradient(y, x), wanted.sum(tuple(range(wanted.ndim - 2))))

    def test_in_a_function(self, name: str) -> None:
        _, dense = CASES[name]()
        close(tf.function(lambda: CASES[name]()[0].to_dense())(), dense)


@pytest.mark.parametrize("name", SQUARE)
def test_determinant(name: str) -> None:
    operator, dense = CASES[name]()
    close(operator.determinant(), np.linalg.det(dense))
    with np.errstate(divide="ignore"):
        close(operator.log_abs_determinant(), np.linalg.slogdet(dense)[1])


@pytest.mark.parametrize("name", REGULAR)
class TestRegularOperators:
    @pytest.mark.parametrize("batch", [(), (2,), (3, 1)], ids=str)
    @pytest.mark.parametrize("turned", [False, True])
    @pytest.mark.parametrize("turned_argument", [False, True])
    def test_solution(self, name: str, batch: Any, turned: bool, turned_argument: bool) -> None:
        operator, dense = CASES[name]()
        inverse = np.linalg.inv(adjoint(dense) if turned else dense)
        b = drawn(*batch, dense.shape[-1], 2, kind=operator.dtype.name)
        given = adjoint(b) if turned_argument else b
        close(operator.solve(given, adjoint=turned, adjoint_arg=turned_argument), inverse @ b)
        if not turned_argument:
            close(operator.solvevec(b[..., 0], adjoint=turned), (inverse @ b)[..., 0])

    def test_inverse_and_condition(self, name: str) -> None:
        operator, dense = CASES[name]()
        close(operator.cond(), np.linalg.cond(dense))
        close(operator.inverse().to_dense(), np.linalg.inv(dense))
        operator.assert_non_singular()


@pytest.mark.parametrize("name", [n for n in SQUARE if CASES[n]()[0].is_self_adjoint])
def test_self_adjoint_operators(name: str) -> None:
    operator, dense = CASES[name]()
    close(tf.sort(tf.math.real(operator.eigvals())), np.linalg.eigvalsh(dense))
    operator.assert_self_adjoint()
    if operator.is_positive_definite:
        operator.assert_positive_definite()
        factor = operator.cholesky().to_dense().numpy()
        np.testing.assert_allclose(factor @ adjoint(factor), dense, atol=1e-9)


class TestHints:
    @pytest.mark.parametrize(
        "hints",
        [
            {"is_positive_definite": True, "is_non_singular": False},
            {"is_non_singular": True, "is_square": False},
            {"is_self_adjoint": True, "is_square": False},
        ],
        ids=str,
    )
    def test_contradictions_are_errors(self, hints: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="always"):
            linalg.LinearOperatorFullMatrix(np.eye(2), **hints)

    def test_one_implies_others(self) -> None:
        operator = linalg.LinearOperatorFullMatrix(np.eye(2), is_positive_definite=True)
        assert (operator.is_non_singular, operator.is_square, operator.is_self_adjoint) == (True, True, None)
        assert linalg.LinearOperatorDiag([1.0]).is_self_adjoint is True

    @pytest.mark.parametrize(
        "make",
        [
            lambda: linalg.LinearOperatorDiag([1.0], is_self_adjoint=False),
            lambda: linalg.LinearOperatorIdentity(2, is_positive_definite=False),
            lambda: linalg.LinearOperatorZeros(2, is_non_singular=True),
            lambda: linalg.LinearOperatorZeros(2, 3),
            lambda: linalg.LinearOperatorHouseholder([1.0], is_positive_definite=True),
            lambda: linalg.LinearOperatorLowerTriangular(np.eye(2), is_square=False),
            lambda: linalg.LinearOperatorInversion(linalg.LinearOperatorZeros(2)),
            lambda: linalg.LinearOperatorAdjoint(linalg.LinearOperatorIdentity(2), is_self_adjoint=False),
            lambda: linalg.LinearOperatorBlockDiag([linalg.LinearOperatorIdentity(2)], is_non_singular=False),
            lambda: linalg.LinearOperatorFullMatrix(np.eye(2), is_square=False).is_square,
            lambda: linalg.LinearOperatorPermutation([0, 0]),
            lambda: linalg.LinearOperatorComposition([]),
            lambda: linalg.LinearOperatorIdentity(-1),
            lambda: linalg.LinearOperatorFullMatrix(np.ones(3)),
            lambda: linalg.LinearOperatorFullMatrix(np.eye(2)).cholesky(),
            lambda: linalg.logdet(linalg.LinearOperatorFullMatrix(np.eye(2))),
        ],
    )
    def test_denied_facts_are_errors(self, make: Callable[[], Any]) -> None:
        with pytest.raises(ValueError):
            make()

    def test_what_hints_rule_out_is_refused(self) -> None:
        wide = linalg.LinearOperatorFullMatrix(np.ones((2, 3)))
        for call in (wide.determinant, wide.log_abs_determinant, wide.eigvals, lambda: wide.solvevec(np.ones(2))):
            with pytest.raises(NotImplementedError):
                call()
        with pytest.raises(ValueError, match="no inverse"):
            wide.inverse()

    def test_arguments_must_fit(self) -> None:
        operator = linalg.LinearOperatorFullMatrix(np.ones((2, 3)))
        with pytest.raises(ValueError, match="size 3"):
            operator.matmul(np.ones((2, 1)))
        with pytest.raises(TypeError, match="float64"):
            operator.matvec(np.ones(3, np.float32))
        with pytest.raises(TypeError, match="one type"):
            linalg.LinearOperatorToeplitz(np.ones(2), np.ones(2, np.float32))
        with pytest.raises(ValueError, match="do not fit"):
            operator.matmul(linalg.LinearOperatorIdentity(2, dtype=tf.float64))

    def test_assertions_fail(self) -> None:
        bad = linalg.LinearOperatorFullMatrix([[1.0, 2.0], [0.0, 0.0]])
        for check in (bad.assert_non_singular, bad.assert_self_adjoint, bad.assert_positive_definite):
            with pytest.raises(tf.errors.InvalidArgumentError):
                check()
        with pytest.raises(tf.errors.InvalidArgumentError, match="zero"):
            linalg.LinearOperatorDiag([1.0, 0.0]).assert_non_singular()


class TestAlgebra:
    @pytest.mark.parametrize("left", ["diagonal", "triangular", "scaled", "identity", "full", "block", "permutation"])
    @pytest.mark.parametrize("right", ["diagonal", "triangular", "scaled", "identity", "full", "block", "permutation"])
    def test_products_and_quotients_of_operators(self, left: str, right: str) -> None:
        cases = {**CASES, "block": lambda: direct_sum(full(2, 2), full(1, 1))}
        (a, x), (b, y) = cases[left](), cases[right]()
        close((a @ b).to_dense(), x @ y)
        close(a.solve(b).to_dense(), np.linalg.solve(x, y) if x.ndim == y.ndim else np.linalg.inv(x) @ y)

    @pytest.mark.parametrize(
        ("left", "right", "kind"),
        [
            ("diagonal", "diagonal", "Diag"),
            ("diagonal", "scaled", "Diag"),
            ("diagonal", "triangular", "LowerTriangular"),
            ("triangular", "diagonal", "LowerTriangular"),
            ("scaled", "scaled", "ScaledIdentity"),
            ("full", "identity", "FullMatrix"),
            ("circulant", "circulant", "Circulant"),
            ("block-diagonal", "block-diagonal", "BlockDiag"),
            ("full", "full", "Composition"),
        ],
    )
    def test_products_keep_the_simplest_class(self, left: str, right: str, kind: str) -> None:
        made = CASES[left]()[0] @ CASES[right]()[0]
        assert type(made).__name__ == f"LinearOperator{kind}"

    def test_a_matrix_times_its_adjoint_is_definite(self) -> None:
        a = linalg.LinearOperatorFullMatrix(regular(3, 3), is_non_singular=True)
        square = linalg.LinearOperatorComposition([a, a.H])
        assert (square.is_self_adjoint, square.is_positive_definite, square.is_square) == (True, True, True)

    def test_functions_of_matrices_take_operators(self) -> None:
        operator, dense = full_hermitian("float64")
        x = drawn(3, 3)
        close(linalg.matmul(operator, x), dense @ x)
        close(linalg.matmul(x, operator), x @ dense)
        close(tf.constant(x) @ operator, x @ dense)
        close(x @ operator, x @ dense)
        close(linalg.matmul(x, operator, adjoint_a=True), adjoint(x) @ dense)
        close(linalg.solve(operator, x), np.linalg.inv(dense) @ x)
        close(linalg.inv(operator).to_dense(), np.linalg.inv(dense))
        close(linalg.det(operator), np.linalg.det(dense))
        close(linalg.logdet(operator), np.linalg.slogdet(dense)[1])
        close(linalg.trace(operator), np.trace(dense, axis1=-2, axis2=-1))
        close(linalg.diag_part(operator), np.diagonal(dense, axis1=-2, axis2=-1))
        close(linalg.diag_part(operator, k=1), np.diagonal(dense, 1, -2, -1))
        close(linalg.cholesky(operator).to_dense(), np.linalg.cholesky(dense))
        close(linalg.adjoint(operator).to_dense(), dense)
        with pytest.raises(ValueError, match="transpose"):
            linalg.matmul(operator, x, transpose_a=True)

    @pytest.mark.parametrize("make", [lambda: direct_sum(full(3, 3), full(2, 2)), block_triangle])
    def test_blocks_come_and_go_as_a_list(self, make: Callable[[], Case]) -> None:
        operator, dense = make()
        x = np.broadcast_to(drawn(5, 2), (*dense.shape[:-2], 5, 2))
        parts = [tf.constant(x[..., :3, :]), tf.constant(x[..., 3:, :])]
        columns = [p[..., 0] for p in parts]
        inverse = np.linalg.inv(dense)
        close(tf.concat(operator.matmul(parts), -2), dense @ x)
        close(tf.concat(operator.solve(parts), -2), inverse @ x)
        close(tf.concat(operator.matvec(columns), -1), (dense @ x)[..., 0])
        close(tf.concat(operator.solvevec(columns), -1), (inverse @ x)[..., 0])

    def test_blocks_must_form_a_triangle(self) -> None:
        a, b = full(2, 2)[0], full(3, 3)[0]
        with pytest.raises(ValueError, match="must hold 2 blocks"):
            linalg.LinearOperatorBlockLowerTriangular([[a], [b]])
        with pytest.raises(ValueError, match="must be"):
            linalg.LinearOperatorBlockLowerTriangular([[a], [a, b]])


def slopes(f: Callable[[Any], Any], x: Any, step: float = 1e-6) -> Any:
    """Central differences of a real function."""
    out = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[at] += step
        below[at] -= step
        out[at] = (float(f(tf.constant(above))) - float(f(tf.constant(below)))) / (2 * step)
    return out


def base() -> Any:
    return linalg.LinearOperatorDiag(np.array([3.0, 4.0, 5.0]), is_positive_definite=True)


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (linalg.LinearOperatorFullMatrix, regular(3, 3)),
        (linalg.LinearOperatorLowerTriangular, regular(3, 3)),
        (linalg.LinearOperatorDiag, np.array([2.0, 3.0, -1.0])),
        (lambda m: linalg.LinearOperatorScaledIdentity(3, m), np.array(1.5)),
        (lambda x: linalg.LinearOperatorComposition([base(), linalg.LinearOperatorFullMatrix(x)]), regular(3, 3)),
        (lambda x: linalg.LinearOperatorFullMatrix(x).inverse(), regular(3, 3)),
        (lambda x: linalg.LinearOperatorLowRankUpdate(base(), x), drawn(3, 2)),
        (linalg.LinearOperatorTridiag, drawn(3, 3) + np.array([0, 4, 0])[:, None]),
        (lambda x: linalg.LinearOperatorToeplitz(x, np.array([0.0, 0.5, 0.25])), np.array([3.0, 1.0, 0.5])),
        (lambda x: linalg.LinearOperatorCirculant(x, tf.float64), np.array([3.0, 1.0, 1.0])),
        (linalg.LinearOperatorHouseholder, np.array([1.0, 2.0, -1.0])),
    ],
)
def test_gradients_flow_to_parameters(make: Callable[[Any], Any], given: Any) -> None:
    b = drawn(3, 2, seed=7)

    def answer(parameter: Any) -> Any:
        operator = make(parameter)
        y = operator.matmul(b) + operator.solve(b)
        return tf.reduce_sum(y * b[::-1]) + tf.reduce_sum(operator.log_abs_determinant()) + operator.trace()

    t = tf.constant(given)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = answer(t)
    np.testing.assert_allclose(tape.gradient(y, t), slopes(answer, given), atol=1e-6)


class TestVariables:
    def test_are_read_at_each_call_and_found(self) -> None:
        v = tf.Variable([1.0, 2.0])
        operator = linalg.LinearOperatorDiag(v)
        assert operator.trainable_variables == (v,)
        v.assign([3.0, 4.0])
        assert operator.determinant().numpy() == 12
        with tf.GradientTape() as tape:
            y = operator.trace()
        np.testing.assert_array_equal(tape.gradient(y, v), [1, 1])

    def test_of_parts_are_found(self) -> None:
        v = tf.Variable([1.0, 2.0])
        whole = linalg.LinearOperatorBlockDiag([linalg.LinearOperatorDiag(v), linalg.LinearOperatorIdentity(1)])
        assert whole.trainable_variables == (v,)


class TestGraphs:
    SIZES = (
        ("LowerTriangular", lambda d: tf1.linalg.LinearOperatorLowerTriangular(d), np.tril(regular(2, 3, 3))),
        ("FullMatrix", lambda d: tf1.linalg.LinearOperatorFullMatrix(d), regular(2, 3, 3)),
        ("Diag", lambda d: tf1.linalg.LinearOperatorDiag(tf1.linalg.diag_part(d)), regular(2, 3, 3) * np.eye(3)),
        (
            "Kronecker",
            lambda d: tf1.linalg.LinearOperatorKronecker(
                [tf1.linalg.LinearOperatorFullMatrix(d), tf1.linalg.LinearOperatorIdentity(2, dtype=tf.float64)]
            ),
            kronecker(regular(2, 3, 3), np.eye(2)),
        ),
        (
            "BlockDiag",
            lambda d: tf1.linalg.LinearOperatorBlockDiag(
                [tf1.linalg.LinearOperatorFullMatrix(d), tf1.linalg.LinearOperatorIdentity(2, dtype=tf.float64)]
            ),
            blocks(regular(2, 3, 3), np.eye(2)),
        ),
        (
            "Toeplitz",
            lambda d: tf1.linalg.LinearOperatorToeplitz(tf1.linalg.diag_part(d), tf1.linalg.diag_part(d)),
            toeplitz(*[np.diagonal(regular(2, 3, 3), axis1=-2, axis2=-1)] * 2),
        ),
        (
            "Circulant",
            lambda d: tf1.linalg.LinearOperatorCirculant(tf1.linalg.diag_part(d), tf.complex128),
            circulant(np.diagonal(regular(2, 3, 3), axis1=-2, axis2=-1), 1),
        ),
    )

    @pytest.mark.parametrize(("kind", "make", "dense"), SIZES, ids=[s[0] for s in SIZES])
    @pytest.mark.parametrize("known", [[None, 3, 3], [None, None, None], None], ids=str)
    def test_unknown_sizes(self, kind: str, make: Callable[[Any], Any], dense: Any, known: Any) -> None:
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float64, known)
            operator = make(x)
            b = tf1.constant(drawn(dense.shape[-1], 2).astype(operator.dtype.name))
            wanted = {
                "dense": (operator.to_dense(), dense),
                "product": (operator.matmul(b), dense @ drawn(dense.shape[-1], 2)),
                "solution": (operator.solve(b), np.linalg.inv(dense) @ drawn(dense.shape[-1], 2)),
                "turned": (operator.matmul(b, adjoint=True), adjoint(dense) @ drawn(dense.shape[-1], 2)),
                "trace": (operator.trace(), np.trace(dense, axis1=-2, axis2=-1)),
                "determinant": (operator.determinant(), np.linalg.det(dense)),
                "shape": (operator.shape_tensor(), dense.shape),
                "batch": (operator.batch_shape_tensor(), dense.shape[:-2]),
            }
            found = session.run({key: ours for key, (ours, _) in wanted.items()}, {x: regular(2, 3, 3)})
            for key, (_, expected) in wanted.items():
                np.testing.assert_allclose(found[key], expected, atol=1e-9, err_msg=key)

    def test_sizes_known_only_when_run(self) -> None:
        with tf1.Graph().as_default(), tf1.Session() as session:
            n = tf1.placeholder(tf1.int32, [])
            batch = tf1.placeholder(tf1.int32, [1])
            identity = tf1.linalg.LinearOperatorIdentity(n, batch, assert_proper_shapes=True)
            zeros = tf1.linalg.LinearOperatorZeros(n, 2, batch, is_square=False)
            assert identity.shape.as_list() == [None, None, None]
            y = identity.matmul(tf1.ones([3, 2]))
            feed = {n: 3, batch: [4]}
            np.testing.assert_array_equal(session.run(y, feed), np.ones((4, 3, 2)))
            np.testing.assert_array_equal(session.run(identity.to_dense(), feed), np.stack([np.eye(3)] * 4))
            np.testing.assert_array_equal(session.run(zeros.to_dense(), feed), np.zeros((4, 3, 2)))
            with pytest.raises(tf1.errors.InvalidArgumentError, match="does not fit"):
                session.run(y, {n: 2, batch: [4]})

    def test_outside_of_a_with_block_the_default_graph_is_used(self) -> None:
        with tf1.Graph().as_default() as graph:
            pass
        tf1.reset_default_graph()
        mask = tf1.linalg.LinearOperatorLowerTriangular(tf1.ones([3, 3])).to_dense()
        eye = tf1.linalg.LinearOperatorIdentity(3).to_dense()
        assert mask.graph is eye.graph is tf1.get_default_graph() is not graph
        assert isinstance(mask.shape[0], tf1.Dimension)
        with tf1.Session() as session:
            np.testing.assert_array_equal(session.run([mask, eye]), [np.tril(np.ones((3, 3))), np.eye(3)])

    def test_gradients_and_subclasses(self) -> None:
        class Thrice(tf1.linalg.LinearOperator):
            def __init__(self) -> None:
                super().__init__(tf1.float32)

            def _shape(self) -> Any:
                return [2, 2]

            def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
                return 3.0 * (tf1.linalg.adjoint(x) if adjoint_arg else x)

        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float32, [None, None])
            y = Thrice().matmul(tf1.linalg.LinearOperatorLowerTriangular(x)).to_dense()
            found = session.run([y, tf1.gradients(y, x)[0]], {x: np.ones((2, 2))})
        np.testing.assert_array_equal(found, [3 * np.tril(np.ones((2, 2)))] * 2)

    def test_variants_know_each_others_instances(self) -> None:
        made = tf1.linalg.LinearOperatorDiag([1.0, 2.0])
        assert isinstance(made, tf1.linalg.LinearOperatorDiag) and isinstance(made, linalg.LinearOperatorDiag)
        assert isinstance(made @ made, tf1.linalg.LinearOperatorDiag)
        assert not isinstance(made, tf1.linalg.LinearOperatorFullMatrix)

    def test_assertions_are_operations(self) -> None:
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float32, [None])
            check = tf1.linalg.LinearOperatorDiag(x).assert_positive_definite()
            session.run(check, {x: [1.0, 2.0]})
            with pytest.raises(tf1.errors.InvalidArgumentError, match="positive"):
                session.run(check, {x: [1.0, -2.0]})


class Twice(linalg.LinearOperator):
    """What the documentation shows."""

    def __init__(self, size: int, name: str = "Twice") -> None:
        self._size = size
        super().__init__(tf.float32, is_self_adjoint=True, is_positive_definite=True, name=name)

    def _shape(self) -> Any:
        return tf.TensorShape([self._size, self._size])

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return 2.0 * (tf.linalg.adjoint(x) if adjoint_arg else x)


class TestSubclasses:
    def test_have_every_dense_answer(self) -> None:
        twice = Twice(3)
        assert twice.parameters == {"size": 3, "name": "Twice"}
        close(twice.to_dense(), 2 * np.eye(3))
        close(twice.solvevec(np.ones(3, np.float32)), np.full(3, 0.5))
        close(twice.cholesky().to_dense(), np.sqrt(2 * np.eye(3)).astype(np.float32))
        np.testing.assert_allclose(twice.determinant(), 8, rtol=1e-5)
        np.testing.assert_allclose(twice.cond(), 1)
        np.testing.assert_allclose(twice.eigvals(), [2, 2, 2])
        twice.assert_positive_definite()

    def test_must_say_their_shape(self) -> None:
        with pytest.raises(TypeError, match="abstract"):
            linalg.LinearOperator(tf.float32)
