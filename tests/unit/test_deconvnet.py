"""The deconvnet: the golden's every array, and which units are projected."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.explain.see.deconvnet import deconvnet

GOLDENS = Path(__file__).resolve().parents[2].parent / "shared" / "goldens"
with_goldens = pytest.mark.skipif(not GOLDENS.exists(), reason="goldens lie beside the checkout")


def stored():
    return json.loads((GOLDENS / "small_network_backprop_and_deconvnet.json").read_text(encoding="utf-8"))


def read(entry):
    return np.array(entry["values"]).astype(entry["dtype"]).reshape(entry["shape"])


def small_network(api, x, w1, w2):
    conv1 = api.nn.conv2d(x, w1, [1, 1, 1, 1], "SAME")
    relu1 = api.nn.relu(conv1)
    pool1, mask1 = api.nn.max_pool_with_argmax(relu1, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    conv2 = api.nn.conv2d(pool1, w2, [1, 2, 2, 1], "VALID")
    return {"conv1": conv1, "relu1": relu1, "pool1": pool1, "mask1": mask1, "conv2": conv2, "relu2": api.nn.relu(conv2)}


@with_goldens
@pytest.mark.parametrize("dtype, bound", [("float64", 1e-12), ("float32", 1e-5)])
def test_every_array_of_the_golden(dtype, bound):
    data = stored()
    given = {k: tf.constant(read(v).astype(dtype)) for k, v in data["inputs"].items()}
    wanted = {k: read(v) for k, v in data["outputs_float64" if dtype == "float64" else "outputs"].items()}
    x, weights = given["x"], [given["w1"], given["w2"], given["wf"]]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, *weights])
        layers = small_network(tf, x, given["w1"], given["w2"])
        logits = tf.matmul(tf.reshape(layers["relu2"], [1, 16]), given["wf"])
        loss = tf.nn.softmax_cross_entropy_with_logits(labels=given["labels"], logits=logits)
        loss = tf.reduce_mean(loss)
    ours = {name: layers[name] for name in ("conv1", "pool1", "mask1", "conv2")} | {"logits": logits, "loss": loss}
    names = ("grad_x", "grad_w1", "grad_w2", "grad_wf")
    ours |= dict(zip(names, tape.gradient(loss, [x, *weights]), strict=True))

    def model(images):
        return small_network(tf, images, given["w1"], given["w2"])

    for name, onto in (("deconv_of_conv2", "pool1"), ("unpooled", "relu1"), ("deconvnet_picture", None)):
        ours[name] = tf.constant(deconvnet(model, x, "relu2", onto=onto).values[:, 0])
    assert set(ours) == set(wanted)
    for name, value in ours.items():
        np.testing.assert_allclose(value.numpy(), wanted[name], rtol=bound, atol=bound, err_msg=name)


@with_goldens
def test_in_a_graph_it_is_the_same_picture():
    data = stored()
    with tf1.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf1.float64, [None, 10, 10, 2])
        layers = small_network(tf1, x, read(data["inputs"]["w1"]), read(data["inputs"]["w2"]))
        session.graph.finalize()
        picture = deconvnet(x, read(data["inputs"]["x"]), layers["relu2"], session=session).values[:, 0]
    wanted = read(data["outputs_float64"]["deconvnet_picture"])
    np.testing.assert_allclose(picture, wanted, rtol=1e-12, atol=1e-12)


class TestChosenUnits:
    """On a layer that is its own picture: what is projected comes back unchanged, the rest is zero."""

    IMAGE = np.array([[1.0, -2.0], [3.0, 5.0], [4.0, 5.0], [0.5, 1.0]]).reshape(1, 2, 2, 2)

    def project(self, **chosen):
        return deconvnet(tf.nn.relu, self.IMAGE, "output", **chosen).values[0].reshape(-1, 4, 2)[0]

    def test_all(self):
        np.testing.assert_array_equal(self.project(), [[1, 0], [3, 5], [4, 5], [0.5, 1]])

    def test_one_channel(self):
        np.testing.assert_array_equal(self.project(channel=1), [[0, 0], [0, 5], [0, 5], [0, 1]])

    def test_one_unit(self):
        np.testing.assert_array_equal(self.project(unit=(1, 0)), [[0, 0], [0, 0], [4, 5], [0, 0]])

    def test_the_strongest_of_a_channel_and_the_first_of_equals(self):
        np.testing.assert_array_equal(self.project(channel=0, strongest=True), [[0, 0], [0, 0], [4, 0], [0, 0]])
        np.testing.assert_array_equal(self.project(strongest=True), [[0, 0], [0, 5], [0, 0], [0, 0]])

    def test_the_strongest_channels_and_units_come_in_order_of_strength(self):
        by_channel = deconvnet(tf.nn.relu, self.IMAGE, "output", top=2)
        assert [(p.channel, p.unit, p.activation) for p in by_channel.parts[0]] == [(1, None, 5.0), (0, None, 4.0)]
        np.testing.assert_array_equal(by_channel.values[0, 1].reshape(4, 2), [[1, 0], [3, 0], [4, 0], [0.5, 0]])
        by_unit = deconvnet(tf.nn.relu, self.IMAGE, "output", top=4, by="unit")
        assert [(p.channel, p.unit) for p in by_unit.parts[0]] == [(1, (0, 1)), (1, (1, 0)), (0, (1, 0)), (0, (0, 1))]

    def test_several_channels_are_parts_of_their_own(self):
        found = deconvnet(tf.nn.relu, self.IMAGE, "output", channel=[1, 0])
        np.testing.assert_array_equal(found.values[0].sum(axis=(1, 2, 3)), [11, 8.5])

    def test_mistakes_are_named(self):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"channel 2 .* 0 to 1"):
            self.project(channel=2)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"unit \(-1, 0\) .* from \(0, 0\) to \(1, 1\)"):
            self.project(unit=(-1, 0))
        with pytest.raises(tf.errors.InvalidArgumentError, match="not both"):
            self.project(unit=(0, 0), strongest=True)
        with pytest.raises(tf.errors.InvalidArgumentError, match="not together"):
            self.project(unit=(0, 0), top=1)
        with pytest.raises(tf.errors.InvalidArgumentError, match="no batch of feature maps"):
            deconvnet(tf.reduce_max, self.IMAGE, "output")
