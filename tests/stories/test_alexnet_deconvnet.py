"""AlexNet's conv5 as pictures, by the tool, against the golden."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conformance.golden import FOLDER, Golden
from conformance.test_goldens_pooling import LAYERS, alexnet_image, mix

import pullback as tf
from pullback.explain.see.deconvnet import deconvnet

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.exists(), reason="goldens lie beside the checkout"),
]


@pytest.fixture(scope="module")
def alexnet():
    weights = [
        tf.constant((mix(f * f * cin * cout, 100 + i) * np.sqrt(6 / (f * f * cin))).reshape(f, f, cin, cout))
        if kind == "conv"
        else None
        for i, (kind, f, cin, cout, _, _) in enumerate(LAYERS)
    ]

    def model(h: Any) -> dict[str, Any]:
        layers: dict[str, Any] = {}
        for (kind, f, _, _, stride, padding), w in zip(LAYERS, weights, strict=True):
            if kind == "conv":
                h = tf.nn.relu(tf.nn.conv2d(h, w, stride, padding))
            else:
                h = tf.nn.max_pool2d(h, f, stride, padding)
            layers[f"{kind}{sum(name.startswith(kind) for name in layers) + 1}"] = h
        return layers

    return model


def test_all_three_pictures_are_the_goldens(alexnet):
    g = Golden("alexnet_conv5_deconvnet")
    stored, image = np.load(FOLDER / "alexnet_conv5_deconvnet.npz"), alexnet_image()
    single = deconvnet(alexnet, image, "conv5", top=1, by="unit")
    (part,) = single.parts[0]
    g.check("conv5_argmax_yxc", np.array([*part.unit, part.channel], np.int32))
    found = {
        "all_of_conv5": deconvnet(alexnet, image, "conv5"),
        "channel_of_max": deconvnet(alexnet, image, "conv5", channel=part.channel),
        "single_max_unit": single,
    }
    places = g.input("sample_points_yx")
    for name, projections in found.items():
        picture = projections.values[0, 0]
        np.testing.assert_allclose(picture, stored[name], rtol=1e-5, atol=1e-5)
        g.check(f"{name}_sum_sq", np.sum(picture**2), 1e-9)
        g.check(f"{name}_samples", picture[places[:, 0], places[:, 1]], 1e-9)


def test_one_units_picture_stays_within_its_window(alexnet):
    g = Golden("alexnet_conv5_deconvnet")
    image = alexnet_image()
    strongest = deconvnet(alexnet, image, "conv5", top=1, by="unit")
    g.check("single_max_unit_support_y0x0y1x1", np.array(strongest.window(0, 0), np.int32))
    most = int(np.argmax(alexnet(tf.constant(image))["conv5"].numpy()[0, 6, 6]))
    centre = deconvnet(alexnet, image, "conv5", channel=[most, 0, 100, 200], unit=(6, 6))
    g.check("centre_unit_support_y0x0y1x1", np.array(centre.window(0, 0), np.int32))
    boxes = [box for k in range(4) if (box := centre.window(0, k)) is not None]
    assert boxes and all(bottom - top < 163 and right - left < 163 for top, left, bottom, right in boxes)
