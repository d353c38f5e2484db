"""Functions that move, join, cut and repeat: TensorFlow 1's orders of arguments, unknown ranks, mistakes."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

X = np.arange(24.0).reshape(2, 3, 4)


def run(value, feed=None):
    with v1.Session() as session:
        return session.run(value, feed)


@pytest.fixture(autouse=True)
def graph():
    with v1.Graph().as_default() as g:
        yield g


class TestOlderNames:
    def test_they_mean_the_same(self):
        z = np.array([[1 + 2j, 3]])
        for ours, want in (
            (v1.transpose(X, [2, 0, 1]), X.transpose(2, 0, 1)),
            (v1.transpose(z, conjugate=True), z.conj().T),
            (v1.matrix_transpose(X), X.swapaxes(1, 2)),
            (v1.gather(X, [1, 0], axis=2), X[:, :, [1, 0]]),
            (v1.batch_gather(X[0], [[0], [3], [1]]), np.array([[0.0], [7], [9]])),
            (v1.gather_nd(X, [[0, 1], [1, 2]]), X[[0, 1], [1, 2]]),
            (v1.squeeze(X[:1], squeeze_dims=[0]), X[0]),
            (v1.expand_dims(X, dim=1), X[:, None]),
            (v1.arg_max(X, 1), X.argmax(1)),
            (v1.arg_min(X, 2), X.argmin(2)),
            (v1.argmin(X, dimension=1), X.argmin(1)),
            (v1.reverse_sequence(X, [1, 3], seq_dim=1, batch_dim=0), np.stack([X[0], X[1, ::-1]])),
            (v1.space_to_batch(X[:, :2, :, None], [[0, 0], [0, 0]], 2).shape[0].value, 8),
            (v1.zeros_like(X, tf.int32, optimize=False), np.zeros(X.shape)),
            (v1.ones_like(X, tf.bool, optimize=False), np.ones(X.shape, bool)),
            (tf.parallel_stack([X, X]), np.stack([X, X])),
        ):
            np.testing.assert_array_equal(run(ours) if isinstance(ours, tf.Tensor) else ours, want)

    def test_depth_and_space(self):
        image = np.arange(32.0).reshape(1, 4, 4, 2)
        deep = v1.space_to_depth(image, 2)
        assert deep.shape.as_list() == [1, 2, 2, 8]
        np.testing.assert_array_equal(run(v1.depth_to_space(deep, 2)), image)
        blocks = v1.space_to_batch_nd(image, [2, 2], [[0, 0], [2, 0]])
        np.testing.assert_array_equal(run(v1.batch_to_space_nd(blocks, [2, 2], [[0, 0], [2, 0]])), image)
        np.testing.assert_array_equal(run(v1.batch_to_space(blocks, [[0, 0], [2, 0]], 2)), image)
        np.testing.assert_array_equal(run(tf.batch_to_space(blocks, [2, 2], [[0, 0], [2, 0]])), image)


class TestUnknownRanks:
    def test_they_are_no_obstacle_where_none_is_needed(self):
        p = v1.placeholder(tf.float64)
        feed = {p: X}
        np.testing.assert_array_equal(run(v1.transpose(p), feed), X.T)
        np.testing.assert_array_equal(run(v1.zeros_like(p), feed), X * 0)
        np.testing.assert_array_equal(run(v1.ones_like(p, tf.int32), feed), X * 0 + 1)
        np.testing.assert_array_equal(run(v1.reshape(p, [-1]), feed), X.ravel())
        np.testing.assert_array_equal(run(v1.concat([p, p], 1), feed), np.concatenate([X, X], 1))
        assert run(v1.zeros(v1.shape(p)), feed).shape == X.shape and run(v1.fill(v1.shape(p), 7), feed).max() == 7

    def test_where_it_is_needed_that_is_said(self):
        p = v1.placeholder(tf.float64)
        for wrong, words in (
            (lambda: v1.matrix_transpose(p), "set_shape"),
            (lambda: v1.unstack(p), "give num"),
            (lambda: v1.split(p, v1.placeholder(tf.int32)), "give num"),
            (lambda: tf.repeat(p, 2, axis=0), "number of axes"),
            (lambda: v1.batch_gather(X, v1.placeholder(tf.int32)), "known number of axes"),
        ):
            with pytest.raises(ValueError, match=words):
                wrong()
        assert [t.shape.as_list() for t in v1.unstack(v1.placeholder(tf.float32, [None, 2]), 3)] == [[2]] * 3


class TestJoining:
    def test_plain_values_take_the_tensors_type(self):
        x = v1.constant([1.5], tf.float64)
        assert tf.concat([[1], x], 0).dtype is tf.float64 and tf.stack([1, 2.5]).dtype is tf.float32
        assert run(tf.stack([[1, 2.5], x[0] * [1, 1]])).tolist() == [[1, 2.5], [1.5, 1.5]]
        assert run(tf.concat(x, 0)).tolist() == [1.5] and run(tf.stack(v1.constant(X))).shape == X.shape

    def test_pieces(self):
        sizes = v1.placeholder(tf.int32, [2])
        assert [p.tolist() for p in run(v1.split([1, 2, 3], sizes), {sizes: [1, 2]})] == [[1], [2, 3]]
        assert [p.tolist() for p in run(v1.split(np.arange(4), v1.constant(2)))] == [[0, 1], [2, 3]]
        assert [p.tolist() for p in run(v1.split([1, 2, 3], 1))] == [[1, 2, 3]]
        with pytest.raises(ValueError, match="3"):
            v1.split(np.arange(4), 3)

    def test_nothing_to_join(self):
        for wrong in (lambda: tf.concat([], 0), lambda: tf.stack([])):
            with pytest.raises(ValueError, match="at least one"):
                wrong()
        assert tf.unstack(np.zeros((0, 2))) == []


class TestRepeating:
    @pytest.mark.parametrize("axis", [None, 0, 1, -1])
    def test_it_is_numpys(self, axis):
        for x in (X, np.zeros((2, 0)), np.zeros((0, 3))):
            np.testing.assert_array_equal(run(tf.repeat(x, 2, axis)), x.repeat(2, axis))
            n = x.size if axis is None else x.shape[axis]
            times = np.arange(n) % 3
            if n > 1:
                np.testing.assert_array_equal(run(tf.repeat(x, times, axis)), x.repeat(times, axis))
                p = v1.placeholder(tf.int32, [None])
                np.testing.assert_array_equal(run(tf.repeat(x, p, axis), {p: times}), x.repeat(times, axis))


class TestMaking:
    def test_layouts_over_devices_are_refused(self):
        for wrong in (
            lambda: tf.zeros([2], layout="x"),
            lambda: tf.zeros_like([2], layout="x"),
            lambda: tf.fill([2], 1, layout="x"),
        ):
            with pytest.raises(ValueError, match="DTensor"):
                wrong()

    def test_shapes_in_every_form(self):
        n = v1.constant(3)
        assert run(tf.zeros(n)).shape == (3,) and run(tf.ones([n, 2])).shape == (3, 2) and tf.ones(4).shape == [4]
        assert run(tf.zeros([1], tf.string)).tolist() == [b""] and run(tf.ones([1], tf.bool)).tolist() == [True]
        with pytest.raises(ValueError, match="negative"):
            tf.zeros([-1])
        with pytest.raises(TypeError, match="string"):
            tf.ones([1], tf.string)

    def test_sequences_reversed(self):
        with pytest.raises(ValueError, match="seq_axis"):
            tf.reverse_sequence(X, [1, 1])


class TestSlices:
    def test_strided(self):
        np.testing.assert_array_equal(run(tf.strided_slice(X, [0, 1], [2, 3])), X[0:2, 1:3])
        begin = v1.placeholder(tf.int32, [None])
        np.testing.assert_array_equal(run(tf.strided_slice(X, begin, [2]), {begin: [1]}), X[1:2])
        with pytest.raises(ValueError, match="assign"):
            tf.strided_slice(X, [0], [1], var=3)

    def test_indexed_slices(self):
        s = tf.IndexedSlices(v1.constant([[1.0]], name="values"), v1.constant([3]), (5, 1))
        assert (s.name, s.op.type, s.graph, s.device) == ("values:0", "Const", v1.get_default_graph(), "")
        assert s.shape.as_list() == [5, 1] and "values" in repr(s)
        assert v1.convert_to_tensor_or_indexed_slices(s, tf.float32) is s
        assert run(v1.convert_to_tensor_or_indexed_slices([1, 2])).tolist() == [1, 2]
        with pytest.raises(ValueError, match="float32 were given"):
            v1.convert_to_tensor_or_indexed_slices(s, tf.int32)

    def test_stitching_needs_pairs(self):
        with pytest.raises(ValueError, match="2 indices were given for 1"):
            tf.dynamic_stitch([[0], [1]], [[1.0]])
        with pytest.raises(ValueError, match="batch_dims"):
            tf.gather_nd(X, [[0]], batch_dims=2)
