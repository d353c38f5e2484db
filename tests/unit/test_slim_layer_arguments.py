"""slim.utils: sizes, conditions and names of layers' outputs; pooling and transposed convolutions of three axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

slim = tf.contrib.slim
utils = slim.utils


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def run(fetches: Any) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches)


def test_outputs_are_found_by_their_names() -> None:
    x, y = tf.constant(1.0, name="x"), tf.constant(2.0, name="y")
    assert utils.collect_named_outputs("kept", "block/unit_1/", x) is x
    utils.append_tensor_alias(x, "other")
    utils.collect_named_outputs(["kept", "more"], "block/unit_2", y)
    assert utils.collect_named_outputs(None, "nothing", tf.constant(3.0)).op.type == "Const"
    assert utils.convert_collection_to_dict("kept") == {"block/unit_1": x, "other": x, "block/unit_2": y}
    assert tf.get_collection("more") == [y]
    z = tf.constant(4.0, name="z")
    assert utils.gather_tensors_aliases([y, z]) == ["block/unit_2", "z"]


def test_sizes_are_read_off_shapes() -> None:
    shape = tf.TensorShape([None, 5, 7, 3])
    assert utils.last_dimension(shape, min_rank=4) == 3
    assert utils.channel_dimension(shape, "NHWC") == 3 and utils.channel_dimension(shape, "NCHW") == 5
    for call, message in (
        (lambda: utils.first_dimension(shape), "must be known"),
        (lambda: utils.last_dimension(shape, min_rank=5), "at least 5 not: 4"),
        (lambda: utils.last_dimension(tf.TensorShape(None)), "dims of shape must be known"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_numbers_are_completed() -> None:
    assert utils.two_element_tuple(3) == (3, 3)
    assert utils.two_element_tuple([3, 4]) == utils.two_element_tuple(tf.TensorShape([3, 4])) == (3, 4)
    assert utils.n_positive_integers(3, 2) == (2, 2, 2) and utils.n_positive_integers(2, [4, 5]) == (4, 5)
    for call in (
        lambda: utils.two_element_tuple([1, 2, 3]),
        lambda: utils.n_positive_integers(0, 2),
        lambda: utils.n_positive_integers(2, [1, 2, 3]),
        lambda: utils.n_positive_integers(2, -1),
        lambda: utils.n_positive_integers(1, 1.5),
    ):
        with pytest.raises(ValueError, match=r"(?i)must be"):
            call()


def test_conditions_are_decided_when_they_can_be() -> None:
    fed = tf.placeholder_with_default(False, [])
    assert utils.constant_value(True) is True and utils.constant_value(fed) is None
    assert utils.constant_value(tf.constant(True), tf.bool)
    assert utils.smart_cond(tf.constant(True), lambda: "yes", lambda: "no") == "yes"
    assert run(utils.smart_cond(fed, lambda: tf.constant(1), lambda: tf.constant(2))) == 2
    with pytest.raises(ValueError, match="wrong type"):
        utils.smart_cond(tf.constant(1), lambda: 1, lambda: 2)
    with pytest.raises(TypeError, match="must be callable"):
        utils.static_cond(True, 1, 2)


X = np.random.RandomState(0).normal(size=(2, 4, 4, 6, 3)).astype(np.float32)


@pytest.mark.parametrize(("layer", "reduce"), [(slim.max_pool3d, np.max), (slim.avg_pool3d, np.mean)])
def test_pooling_of_three_axes(layer: Any, reduce: Any) -> None:
    wanted = reduce(X.reshape(2, 2, 2, 2, 2, 3, 2, 3), axis=(2, 4, 6))
    y = layer(X, 2, outputs_collections="kept", scope="here")
    np.testing.assert_allclose(run(y), wanted, rtol=1e-6)
    assert list(utils.convert_collection_to_dict("kept")) == ["here"]
    with pytest.raises(ValueError, match="NDHWC or NCDHW"):
        layer(X, 2, data_format="NHWC")
    kind = "MAX" if reduce is np.max else "AVG"
    np.testing.assert_allclose(run(slim.pool(X, 2, kind, stride=2)), wanted, rtol=1e-6)
    with pytest.raises(ValueError, match=">= 3"):
        slim.pool(X[0, 0, 0], 2, kind)


def test_a_transposed_convolution_of_three_axes_is_the_gradient_of_one() -> None:
    y = slim.conv3d_transpose(X, 5, [2, 2, 3], stride=2, biases_initializer=None, activation_fn=None)
    (weights,) = slim.get_variables_by_name("weights")
    assert y.shape.as_list() == [2, 8, 8, 12, 5] and weights.shape.as_list() == [2, 2, 3, 5, 3]
    assert weights.op.name == "Conv3d_transpose/weights"
    forward = tf.zeros([2, 8, 8, 12, 5])
    (turned,) = tf.gradients(tf.nn.conv3d(forward, weights, [1, 2, 2, 2, 1], "SAME"), forward, X)
    made, wanted = run([y, turned])
    np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-5)
