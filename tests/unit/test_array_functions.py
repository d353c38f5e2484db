"""Functions that make and convert tensors: constants, casts, sizes, grids, embeddings, masks."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


def run(value, feed=None):
    with v1.Session() as session:
        return session.run(value, feed)


@pytest.fixture
def graph():
    with v1.Graph().as_default() as g:
        yield g


class TestConstants:
    def test_values_fill_a_shape(self, graph):
        assert tf.constant(3, shape=[2, 2]).shape == (2, 2)
        assert run(v1.constant([1, 2], shape=[2, 2])).tolist() == [[1, 2], [2, 2]]
        assert run(v1.constant([1, 2, 3, 4], shape=[2, 2], verify_shape=False)).tolist() == [[1, 2], [3, 4]]
        for wrong in (
            lambda: v1.constant([1, 2], shape=[2, 2], verify_shape=True),
            lambda: tf.constant([1, 2], shape=[3]),
            lambda: tf.constant(v1.placeholder(tf.float32)),
            lambda: tf.constant(1.5, tf.int32, shape=[2]),
        ):
            with pytest.raises((TypeError, ValueError), match=r"test_array_functions\.py"):
                wrong()

    def test_eager_tensors_take_another_shape(self):
        x = tf.constant([1, 2, 3, 4])
        assert tf.constant(x, shape=[2, 2]).numpy().tolist() == [[1, 2], [3, 4]]
        assert tf.constant(x, shape=[4]) is x
        assert tf.constant(tf.constant(7), shape=[2]).numpy().tolist() == [7, 7]

    def test_hints_prefer_and_types_insist(self):
        assert tf.convert_to_tensor([1, 2], dtype_hint=tf.float64).dtype is tf.float64
        assert tf.convert_to_tensor(1.5, dtype_hint=tf.int32).dtype is tf.float32
        with pytest.raises(TypeError, match="int32"):
            tf.convert_to_tensor(1.5, tf.int32)
        with v1.Graph().as_default():
            assert v1.convert_to_tensor(3, preferred_dtype=tf.float64).dtype is tf.float64


class TestCasts:
    def test_short_names(self, graph):
        names = ("float", "double", "int32", "int64", "bfloat16", "complex64", "complex128")
        types = [getattr(v1, f"to_{n}")(v1.constant(1.0)).dtype.name for n in names]
        assert types == ["float32", "float64", *names[2:]]

    def test_saturating(self):
        for x, to, want in (
            ([300, -5, 7], tf.uint8, [255, 0, 7]),
            ([1e20, -1e20, 3.7], tf.int32, [2**31 - 128, -(2**31), 3]),
            ([1e20, -1e20], tf.int64, [2**63 - 2**39, -(2**63)]),
            ([1.0, 0.0], tf.bool, [True, False]),
            ([70000.0, -70000.0], tf.float16, [65504, -65504]),
        ):
            assert tf.saturate_cast(tf.constant(x), to).numpy().tolist() == want

    def test_slices_stay_slices(self):
        s = tf.IndexedSlices(tf.constant([[1.5]]), tf.constant([3]), tf.constant([5, 1]))
        assert tf.cast(s, tf.float32) is s
        whole, same = tf.cast(s, tf.int32), tf.identity(s)
        assert (whole.dtype, whole.values.numpy().tolist(), whole.indices.numpy().tolist()) == (tf.int32, [[1]], [3])
        assert same is not s and same.values.numpy().tolist() == [[1.5]]

    def test_lists_of_identities(self):
        assert [t.numpy() for t in tf.identity_n([1, 2.5])] == [1, 2.5]


class TestSizes:
    def test_constants_where_known_nodes_elsewhere(self, graph):
        known, some, none = (v1.placeholder(tf.float32, s) for s in ([2, 3], [None, 3], None))
        assert [t.op.type for t in (v1.shape(known), v1.size(known), v1.rank(known), v1.rank(some))] == ["Const"] * 4
        nodes = [v1.shape(some), v1.size(some, out_type=tf.int64), v1.rank(none), *v1.shape_n([some, none])]
        assert [t.op.type for t in nodes] == ["Shape", "Size", "Rank", "ShapeN", "ShapeN"]
        found = run(nodes, {some: np.ones((4, 3)), none: np.ones((1, 2, 5))})
        assert [np.asarray(v).tolist() for v in found] == [[4, 3], 12, 3, [4, 3], [1, 2, 5]]
        assert found[1].dtype == np.int64
        with pytest.raises(ValueError, match="int32 or int64"):
            v1.shape(known, out_type=tf.float32)

    def test_lists_of_shapes(self):
        assert [s.numpy().tolist() for s in tf.shape_n([tf.ones([2])])] == [[2]]
        assert tf.shape_n([]) == []

    def test_broadcast_shapes(self):
        assert tf.broadcast_static_shape(tf.TensorShape([None, 1]), tf.TensorShape([4])) == [None, 4]
        assert tf.broadcast_dynamic_shape([2, 1], tf.constant([5])).numpy().tolist() == [2, 5]
        with pytest.raises(ValueError, match=r"broadcast.*test_array_functions\.py"):
            tf.broadcast_static_shape(tf.TensorShape([2]), tf.TensorShape([3]))

    def test_shapes_are_ensured_when_run(self, graph):
        p = v1.placeholder(tf.float32)
        y = v1.ensure_shape(p, [None, 2])
        assert y.shape.as_list() == [None, 2] and run(y, {p: np.ones((3, 2))}).shape == (3, 2)
        with pytest.raises(ValueError, match=r"\[3,4\]"):
            run(y, {p: np.ones((3, 4))})


class TestGrids:
    def test_linspace(self):
        np.testing.assert_allclose(tf.linspace(0, 1, 5), np.linspace(0, 1, 5))
        a, b = np.array([0.0, 1.0]), np.array([4.0, 9.0])
        for axis in (0, 1, -1):
            np.testing.assert_allclose(tf.linspace(a, b, 3, axis=axis), np.linspace(a, b, 3, axis=axis))
        np.testing.assert_allclose(tf.linspace(tf.constant(2.0), 3.0, tf.constant(1, tf.int64)), [2])
        assert tf.linspace(0.0, 0.3, 7).numpy()[-1] == np.float32(0.3)
        for wrong, words in (
            (lambda: tf.linspace(0.0, 1.0, 0), "at least 1"),
            (lambda: tf.linspace(tf.constant(1), tf.constant(3), 2), "floating"),
        ):
            with pytest.raises((ValueError, TypeError), match=words):
                wrong()

    @pytest.mark.parametrize("indexing", ["xy", "ij"])
    def test_meshgrid(self, indexing):
        rows = [np.arange(n) for n in (2, 3, 4)]
        for count in (1, 2, 3):
            ours, theirs = tf.meshgrid(*rows[:count], indexing=indexing), np.meshgrid(*rows[:count], indexing=indexing)
            for mine, want in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(mine, want)
        with pytest.raises(ValueError, match="'xy' or 'ij'"):
            tf.meshgrid([1], [2], indexing="yx")

    def test_eye(self, graph):
        np.testing.assert_array_equal(run(tf.eye(2, 3)), np.eye(2, 3))
        n = v1.placeholder(tf.int32, [])
        for made in (tf.eye(n), tf.eye(3, n, batch_shape=[2]), tf.eye(n, dtype=tf.bool), tf.eye(n, 3, [n])):
            found = run(made, {n: 3})
            np.testing.assert_array_equal(found, np.broadcast_to(np.eye(3), found.shape))
            assert found.dtype == made.dtype.as_numpy_dtype and found.shape[-2:] == (3, 3)

    def test_one_hot(self):
        assert tf.one_hot([0, 2], 3).dtype is tf.float32
        assert tf.one_hot([1], 2, on_value="yes", off_value="no").numpy().tolist() == [[b"no", b"yes"]]
        assert tf.one_hot([0, 1], 2, axis=0, dtype=tf.bool).numpy().tolist() == [[True, False], [False, True]]
        assert tf.one_hot([5, -1], 2, 7).numpy().tolist() == [[0, 0], [0, 0]]
        with pytest.raises(TypeError, match="both on_value and off_value"):
            tf.one_hot([0], 2, on_value="yes")


class TestWhere:
    def test_of_one_argument(self, graph):
        mask = np.array([[True, False], [False, True]])
        assert run(v1.where(mask)).tolist() == [[0, 0], [1, 1]]
        assert run(tf.where([3.0, 0.0, -1.0])).tolist() == [[0], [2]]

    def test_rows_by_a_vector(self, graph):
        x, y = np.ones((2, 3)), np.zeros((2, 3))
        assert run(v1.where([True, False], x, y)).tolist() == [[1, 1, 1], [0, 0, 0]]
        some = v1.placeholder(tf.float64, [None, 3])
        assert run(v1.where([False, True], some, y), {some: x}).tolist() == [[0, 0, 0], [1, 1, 1]]

    def test_nothing_broadcasts_in_v1(self, graph):
        with pytest.raises(ValueError, match="does not choose"):
            v1.where([[True], [False]], np.ones((2, 3)), np.ones((2, 3)))
        for where in (v1.where, tf.where):
            with pytest.raises(ValueError, match="both x and y"):
                where([True], x=1.0)


class TestMasks:
    def test_an_axis_before_the_masks(self):
        x = np.arange(24.0).reshape(2, 3, 4)
        mask = np.array([[True, False, True, False]] * 3)
        np.testing.assert_array_equal(tf.boolean_mask(x, mask, axis=1), x[:, mask])
        with v1.Graph().as_default():
            np.testing.assert_array_equal(run(v1.boolean_mask(x, mask, axis=1)), x[:, mask])

    def test_nothing_masked_of_nothing(self):
        assert tf.boolean_mask(np.zeros((0, 0, 2)), np.zeros((0, 0), bool)).shape == (0, 2)

    def test_mistakes(self):
        x = tf.ones([2, 3])
        with v1.Graph().as_default():
            unknown = v1.placeholder(tf.bool)
            for wrong, words in (
                (lambda: v1.boolean_mask(np.ones(3), unknown), "known number of axes"),
                (lambda: v1.boolean_mask(np.ones(3), True), "scalar"),
                (lambda: v1.boolean_mask(np.ones(3), [True, False]), r"\[2\] does not fit"),
            ):
                with pytest.raises(ValueError, match=words):
                    wrong()
        with pytest.raises(ValueError, match="axis"):
            tf.boolean_mask(x, [True, False], axis=5)


class TestEmbeddings:
    TABLES = (np.arange(6.0).reshape(3, 2), 10 + np.arange(4.0).reshape(2, 2))

    def test_tables_one_after_the_other_and_in_turn(self, graph):
        lookup = v1.nn.embedding_lookup
        assert run(lookup(self.TABLES[0], [[2, 0]])).tolist() == [[[4, 5], [0, 1]]]
        # In turn: 0, 2, 4 lie in the first table, 1, 3 in the second.
        ids, rows = [0, 1, 2, 3, 4], [[0, 1], [10, 11], [2, 3], [12, 13], [4, 5]]
        assert run(lookup(self.TABLES, ids)).tolist() == rows
        assert run(lookup(self.TABLES, ids, "div")).tolist() == [[0, 1], [2, 3], [4, 5], [10, 11], [12, 13]]

    def test_norms_are_bounded(self):
        rows = tf.nn.embedding_lookup(np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]), [0, 1, 2], max_norm=1.0)
        np.testing.assert_allclose(rows, [[0.6, 0.8], [0.3, 0.4], [0, 0]])

    def test_the_gradient_is_slices_of_the_table(self):
        table = tf.Variable(self.TABLES[0])
        with tf.GradientTape() as tape:
            y = tf.nn.embedding_lookup(table, [1, 1])
        d = tape.gradient(y, table)
        assert isinstance(d, tf.IndexedSlices)
        assert tf.convert_to_tensor(d).numpy().tolist() == [[0, 0], [2, 2], [0, 0]]

    def test_mistakes(self, graph):
        with pytest.raises(ValueError, match="'mod' or 'div'"):
            v1.nn.embedding_lookup(self.TABLES, [0], "round")
        with pytest.raises(ValueError, match="at least one table"):
            v1.nn.embedding_lookup([], [0])
