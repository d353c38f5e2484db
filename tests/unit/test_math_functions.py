"""Public mathematics beyond single ops: quotients, complex parts, norms, products, reductions of slices."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


def run(value, feed=None):
    with v1.Session() as session:
        return session.run(value, feed)


class TestQuotients:
    X, Y = np.array([7, -7, 7, -7]), np.array([2, 2, -2, -2])

    def test_integers(self):
        x, y = tf.constant(self.X), tf.constant(self.Y)
        for f in (tf.divide, tf.truediv, lambda a, b: a / b):
            assert f(x, y).dtype is tf.float64 and f(x, y).numpy().tolist() == [3.5, -3.5, -3.5, 3.5]
        assert tf.math.floordiv(x, y).numpy().tolist() == [3, -4, -4, 3]
        assert tf.truncatediv(x, y).numpy().tolist() == [3, -3, -3, 3]
        assert tf.truncatemod(x, y).numpy().tolist() == [1, -1, 1, -1]
        assert tf.divide(np.int8(1), tf.constant(4, tf.int8)).dtype is tf.float32
        assert tf.divide(7, 2).numpy() == 3.5 and (7 / tf.constant(2)).numpy() == 3.5

    def test_python_2s_division(self):
        with v1.Graph().as_default():
            assert run(v1.div(self.X, self.Y)).tolist() == [3, -4, -4, 3]
            assert run(v1.div(7.0, v1.constant(2.0))) == 3.5
            assert run(v1.floor_div(7, v1.constant(2))) == 3
            assert run(v1.realdiv(1.0, 4.0)) == 0.25

    def test_by_zero(self):
        x, y = tf.constant([1.0, 2.0]), tf.constant([0.0, 4.0])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, y])
            z = tf.math.divide_no_nan(x, y)
            r = tf.math.reciprocal_no_nan(y)
        assert z.numpy().tolist() == [0, 0.5] and r.numpy().tolist() == [0, 0.25]
        assert [d.numpy().tolist() for d in tape.gradient(z, [x, y])] == [[0, 0.25], [0, -0.125]]
        assert tape.gradient(r, y).numpy().tolist() == [0, -1 / 16]
        with pytest.raises(tf.errors.InvalidArgumentError, match="zero"):
            tf.constant([1, 2]) // tf.constant([1, 0])

    def test_a_scalar_times_slices(self):
        s = tf.IndexedSlices(tf.constant([[1.5]]), tf.constant([3]), tf.constant([5, 1]))
        assert tf.scalar_mul(2, s).values.numpy().tolist() == [[3.0]]
        assert tf.scalar_mul(2, [1.5]).numpy().tolist() == [3.0]
        with pytest.raises(ValueError, match="scalar multiply"):
            tf.scalar_mul([1.0, 2.0], [1.0, 2.0])


class TestComplex:
    Z = np.array([3 + 4j, -1j, -2])

    def test_parts(self):
        z = tf.constant(self.Z)
        for ours, theirs in ((tf.math.real, np.real), (tf.math.imag, np.imag), (tf.math.conj, np.conj),
                             (tf.math.angle, np.angle), (tf.abs, np.abs)):  # fmt: skip
            np.testing.assert_allclose(ours(z), theirs(self.Z))
        np.testing.assert_array_equal(tf.complex(self.Z.real, self.Z.imag), self.Z)

    def test_parts_of_real_tensors(self):
        x = tf.constant([-2.0, 3.0])
        assert tf.math.real(x) is x and tf.math.conj(x) is x
        assert tf.math.imag(x).numpy().tolist() == [0, 0]
        np.testing.assert_allclose(tf.math.angle(x), [np.pi, 0])

    def test_mistakes(self):
        for wrong, words in (
            (lambda: tf.complex([1], [2]), "both must be float32 or float64"),
            (lambda: tf.math.conj([True]), "bool"),
        ):
            with pytest.raises(TypeError, match=words):
                wrong()


class TestNorms:
    X = np.random.default_rng(0).normal(size=(2, 3, 4))

    @pytest.mark.parametrize("keepdims", [False, True])
    def test_they_are_numpys(self, keepdims):
        for order in (1, 2, 3, np.inf):
            want = np.linalg.norm(self.X, order, 1, keepdims)
            np.testing.assert_allclose(tf.norm(self.X, order, 1, keepdims), want)
        for order, theirs in (("fro", "fro"), ("euclidean", "fro"), (1, 1), (np.inf, np.inf)):
            want = np.linalg.norm(self.X, theirs, (1, 2), keepdims)
            np.testing.assert_allclose(tf.norm(self.X, order, [1, 2], keepdims), want)
        np.testing.assert_allclose(tf.norm(self.X), np.sqrt((self.X**2).sum()))

    def test_of_complex_numbers(self):
        np.testing.assert_allclose(tf.norm(tf.constant([3 + 4j, 12])), 13)
        with v1.Graph().as_default():
            assert run(v1.norm([3.0, 4.0], keep_dims=True)).tolist() == [5]

    def test_mistakes(self):
        for wrong, words in (
            (lambda: tf.norm(self.X, 2.5, [0, 1]), "matrix norm"),
            (lambda: tf.norm(self.X, "fro", [1, 1]), "unique"),
            (lambda: tf.norm(self.X, -1, 1), "above 0"),
            (lambda: tf.norm(self.X, "max", 1), "vector norm"),
        ):
            with pytest.raises(ValueError, match=words):
                wrong()


class TestProducts:
    A, B = np.random.default_rng(1).normal(size=(2, 3, 4)), np.random.default_rng(2).normal(size=(4, 3, 5))

    def test_tensordot_is_numpys(self):
        for axes in (0, 1, [[2], [0]], [[1, 2], [1, 0]], [2, 0], ([-1], [0])):
            if axes == 1:
                want = np.tensordot(self.A, self.B, 1)
            else:
                want = np.tensordot(self.A, self.B, axes)
            np.testing.assert_allclose(tf.tensordot(self.A, self.B, axes), want)

    def test_tensordot_of_sizes_known_only_when_run(self):
        with v1.Graph().as_default():
            a, b = v1.placeholder(tf.float64, [None, 3, None]), v1.placeholder(tf.float64, [None, 3, None])
            found = run(v1.tensordot(a, b, [[1, 2], [1, 0]]), {a: self.A, b: self.B})
            unknown = v1.placeholder(tf.float64)
            with pytest.raises(ValueError, match="ranks"):
                v1.tensordot(a, unknown, 1)
        np.testing.assert_allclose(found, np.tensordot(self.A, self.B, [[1, 2], [1, 0]]))

    def test_tensordot_mistakes(self):
        for axes in (1.5, [[0], [0, 1]], [[0], [0]], 4, [[5], [0]], [[1, 1], [0, 1]]):
            with pytest.raises(ValueError, match=r"tensordot|axes"):
                tf.tensordot(self.A, self.B, axes)

    def test_matrix_times_vector(self):
        a, x = self.A, np.arange(4.0)
        np.testing.assert_allclose(tf.linalg.matvec(a, x), a @ x)
        np.testing.assert_allclose(
            tf.linalg.matvec(a, np.arange(3.0), transpose_a=True), a.swapaxes(1, 2) @ np.arange(3)
        )

    def test_flags_of_matmul(self):
        a, b = self.A[0] + 1j * self.A[1], self.B[:, 0] + 1j * self.B[:, 1]
        np.testing.assert_allclose(tf.matmul(a.T, b, transpose_a=True), a @ b)
        np.testing.assert_allclose(tf.matmul(a.conj().T, b, adjoint_a=True), a @ b)
        np.testing.assert_allclose(tf.matmul(a[None], b.conj().T, adjoint_b=True), (a @ b)[None])
        np.testing.assert_allclose(tf.matmul(a[None], b.T, transpose_b=True), (a @ b)[None])
        small = tf.constant([[100, 100]], tf.int8)
        assert tf.matmul(small, small, transpose_b=True, output_type=tf.int32).numpy().tolist() == [[20000]]
        np.testing.assert_allclose(a.real @ tf.constant(b.real), a.real @ b.real)
        for wrong, words in (
            (lambda: tf.matmul(a, b, True, adjoint_a=True), "only one of transpose_a"),
            (lambda: tf.matmul(a, b, False, True, adjoint_b=True), "only one of transpose_b"),
            (lambda: tf.matmul(a, b, output_type=tf.float32), "only 8-bit"),
        ):
            with pytest.raises((ValueError, TypeError), match=words):
                wrong()


class TestOperators:
    def test_unary(self):
        x = tf.constant([-1.5, 2.0])
        assert (-x).numpy().tolist() == [1.5, -2] and (+x) is x and abs(x).numpy().tolist() == [1.5, 2]
        assert (~tf.constant([True, False])).numpy().tolist() == [False, True]

    def test_what_cannot_be_compared_is_not_equal(self):
        x = tf.constant([1, 2])
        assert (x == None, x != None, x == int) == (False, True, False)  # noqa: E711, E721
        assert (x == tf.constant([1, 2, 3])) is False and (x != "a") is True

    def test_strangers_are_refused(self):
        x = tf.constant([1.0])
        for other in ("a", None, b"b"):
            with pytest.raises(TypeError, match="unsupported operand"):
                x + other
            with pytest.raises(TypeError, match="unsupported operand"):
                other - x

    def test_tensors_are_no_keys_where_equality_is_by_entry(self):
        x = tf.constant([1.0])
        with pytest.raises(TypeError, match=r"tensor\.ref\(\)"):
            {x: 1}  # noqa: B018
        assert {x.ref(): 1}[x.ref()] == 1 and x.ref().deref() is x
        with v1.Graph().as_default():
            y = v1.constant([1.0])
            assert {y: 1}[y] == 1 and (y == y) is True and (y != v1.constant([1.0])) is True

    def test_iterating(self):
        assert [r.numpy().tolist() for r in tf.constant([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]
        with v1.Graph().as_default():
            p = v1.placeholder(tf.float32, [None])
            with pytest.raises(TypeError, match="known first dimension"):
                list(p)


class TestReductionCalls:
    def test_older_names_of_arguments(self):
        x = np.arange(6.0).reshape(2, 3)
        with v1.Graph().as_default():
            assert run(v1.reduce_sum(x, keep_dims=True, reduction_indices=[1])).tolist() == [[3], [12]]
            assert run(v1.argmax(x, dimension=1)).tolist() == [2, 2]
            with pytest.raises(ValueError, match=r"keep_dims|keepdims"):
                v1.reduce_sum(x, keepdims=True, keep_dims=False)

    def test_statistics(self):
        x = np.arange(6.0).reshape(2, 3)
        np.testing.assert_allclose(tf.math.reduce_std(x, 1), x.std(1))
        np.testing.assert_allclose(tf.math.reduce_variance(x, 0, keepdims=True), x.var(0, keepdims=True))
        np.testing.assert_allclose(tf.reduce_mean(tf.constant([1, 2, 4])), 2)
        assert tf.math.count_nonzero([[0, 1], [2, 3]], axis=1).numpy().tolist() == [1, 2]
