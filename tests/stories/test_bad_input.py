"""Bad input: TensorFlow's class and Python's at once, and a message that says what failed, what was given, what was
needed, how to mend it, and the line of this file."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

x = np.ones((1, 8, 8, 3), np.float32)
w = np.ones((3, 3, 3, 4), np.float32)

CALLS = {
    "conv rank": (lambda: tf.nn.conv2d(x[0], w, 1, "SAME"), ValueError, ["Conv2D", "[8,8,3]"]),
    "conv channels": (lambda: tf.nn.conv2d(x[..., :2], w, 1, "SAME"), ValueError, ["Conv2D", "channel", "2", "3"]),
    "conv padding word": (lambda: tf.nn.conv2d(x, w, 1, "SAMME"), ValueError, ["padding", "SAMME", "VALID"]),
    "conv strides": (lambda: tf.nn.conv2d(x, w, [1, 0, 1, 1], "SAME"), ValueError, ["strides"]),
    "conv window too large": (
        lambda: tf.nn.conv2d(x[:, :1, :1], w, 1, "VALID"),
        ValueError,
        ["window of 3", "H = 1", "SAME"],
    ),
    "conv dtype": (
        lambda: tf.nn.conv2d(tf.constant(x), tf.constant(w, tf.float64), 1, "SAME"),
        TypeError,
        ["float64", "float32", "tf.cast"],
    ),
    "conv of integers": (
        lambda: tf.nn.conv2d(x.astype("int32"), w.astype("int32"), 1, "SAME"),
        TypeError,
        ["int32", "float32"],
    ),
    "transpose output_shape": (
        lambda: tf.nn.conv2d_transpose(x[:, :4, :4, :1], np.ones((3, 3, 2, 1), np.float32), [1, 9, 9, 2], 2, "SAME"),
        ValueError,
        ["conv2d_transpose", "output_shape [1,9,9,2]", "[1,4,4,1]", "7 or 8"],
    ),
    "transpose negative size": (
        lambda: tf.nn.conv2d_transpose(x[:, :4, :4, :1], np.ones((3, 3, 2, 1), np.float32), [1, -8, 8, 2], 2, "SAME"),
        ValueError,
        ["-8"],
    ),
    "pool window": (lambda: tf.nn.max_pool(x, 10, 1, "VALID"), ValueError, ["window of 10", "H = 8"]),
    "pool padding word": (lambda: tf.nn.avg_pool(x, 2, 2, "FULL"), ValueError, ["FULL"]),
    "matmul": (lambda: tf.matmul(np.ones((2, 3)), np.ones((2, 3))), ValueError, ["MatMul", "[2,3]"]),
    "broadcast": (lambda: tf.constant([1.0, 2.0]) + tf.constant([1.0, 2.0, 3.0]), ValueError, ["AddV2", "[2]", "[3]"]),
    "reshape": (lambda: tf.reshape(tf.ones([2, 3]), [4, -1]), ValueError, ["Reshape", "6"]),
    "reshape twice -1": (lambda: tf.reshape(tf.ones([2, 3]), [-1, -1]), ValueError, ["-1"]),
    "concat": (lambda: tf.concat([tf.ones([2, 3]), tf.ones([2, 4])], 0), ValueError, ["[2,3]", "[2,4]"]),
    "stack": (lambda: tf.stack([tf.ones([2]), tf.ones([3])]), ValueError, ["[2]", "[3]"]),
    "gather outside": (lambda: tf.gather(tf.ones([3]), [3]), tf.errors.InvalidArgumentError, ["3"]),
    "slice outside": (lambda: tf.ones([3])[5], (IndexError, ValueError), ["5"]),
    "reduce axis": (lambda: tf.reduce_sum(tf.ones([2]), 3), ValueError, ["3"]),
    "cast name": (lambda: tf.cast([1.0], "float23"), TypeError, ["float23", "float32"]),
    "constant": (lambda: tf.constant([[1, 2], [3]]), (TypeError, ValueError), ["rectangular"]),
    "int overflow": (lambda: tf.constant(300, tf.uint8), TypeError, ["uint8", "255"]),
    "labels and logits": (
        lambda: tf.nn.softmax_cross_entropy_with_logits(labels=tf.ones([2, 3]), logits=tf.ones([2, 4])),
        ValueError,
        ["[2,3]", "[2,4]"],
    ),
    "assign shape": (lambda: tf.Variable([1.0, 2.0]).assign([1.0]), ValueError, ["Assign", "[1]", "[2]"]),
    "assign dtype": (lambda: tf.Variable([1, 2]).assign([1.5, 2.0]), TypeError, ["int32"]),
}


@pytest.mark.parametrize("name", CALLS)
def test_eager_and_in_a_function(name):
    call, error, words = CALLS[name]
    for run in (call, tf.function(call)):
        with pytest.raises(error) as raised:
            run()
        message = str(raised.value)
        assert all(word in message for word in words), message
        assert "test_bad_input.py:" in message
        assert isinstance(raised.value, (tf.errors.InvalidArgumentError, IndexError))


def test_where_a_graph_finds_out_only_when_it_runs():
    with v1.Graph().as_default(), v1.Session() as session:
        a, b = v1.placeholder(v1.float32, name="a"), v1.placeholder(v1.float32, name="b")
        total = a + b
        with pytest.raises(ValueError, match=r"AddV2: shapes \[2\] and \[3\] do not broadcast \(test_bad_input.py"):
            session.run(total, {a: [1, 2], b: [1, 2, 3]})


def test_variables():
    with v1.Graph().as_default(), v1.Session() as session:
        v = v1.Variable(1.0, name="v")
        with pytest.raises(
            v1.errors.FailedPreconditionError, match=r"uninitialized value v.*initializer.*test_bad_input"
        ):
            session.run(v * 2.0)
    with pytest.raises(ValueError, match="initial_value"):
        tf.Variable()
    with pytest.raises(ValueError, match=r"no variable|No variables"), v1.Graph().as_default():
        v1.train.GradientDescentOptimizer(0.1).minimize(v1.constant(1.0))


def test_nan_and_empty_are_values():
    assert np.isnan(tf.reduce_sum(tf.constant([np.nan, 1.0])).numpy())
    empty = tf.ones([0, 8, 8, 3])
    with tf.GradientTape() as tape:
        tape.watch(empty)
        y = tf.nn.max_pool(tf.nn.relu(tf.nn.conv2d(empty, w, 1, "SAME")), 2, 2, "SAME")
    assert tape.gradient(y, empty).shape == (0, 8, 8, 3)


def test_a_file_of_names_says_what_is_near():
    with pytest.raises(AttributeError, match=r"did you mean 'nn\.conv2d'"):
        tf.nn.conv2dd  # noqa: B018
    with pytest.raises(AttributeError, match=r"it is in 'pullback\.v1'"):
        tf.placeholder  # noqa: B018
