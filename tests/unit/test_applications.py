"""keras.applications: numbers of parameters as published, names of layers, weights from a file, images prepared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf

made = tf.keras.applications
# As Keras' documentation tells them.
PUBLISHED = {"VGG16": 138_357_544, "VGG19": 143_667_240, "ResNet50": 25_636_712, "MobileNetV2": 3_538_984}


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_as_many_as_published(name: str) -> None:
    assert getattr(made, name)(weights=None).count_params() == PUBLISHED[name]


def test_layers_have_keras_names() -> None:
    names = [layer.name for layer in made.ResNet50(weights=None, include_top=False, input_shape=(32, 32, 3)).layers]
    assert {"conv1_pad", "conv1_bn", "conv2_block1_0_conv", "conv5_block3_out"} <= set(names)
    small = made.MobileNetV2((32, 32, 3), 0.35, weights=None, classes=3)
    assert {"Conv1", "expanded_conv_project_BN", "block_1_pad", "block_16_depthwise", "predictions"} <= {
        layer.name for layer in small.layers
    }
    assert small.name == "mobilenetv2_0.35_32"


@pytest.mark.parametrize("file", ["small.weights.h5", "small.h5"])
def test_weights_come_from_a_file(tmp_path: Path, file: str) -> None:
    def network(weights: Any) -> Any:
        return made.MobileNetV2((32, 32, 3), 0.35, weights=weights, classes=3)

    first = network(None)
    first.save_weights(str(tmp_path / file))
    again = network(str(tmp_path / file))
    x = np.random.RandomState(0).rand(1, 32, 32, 3).astype(np.float32)
    np.testing.assert_allclose(again.predict(x, verbose=0), first.predict(x, verbose=0), rtol=1e-5)


def test_published_weights_are_told_of_not_fetched() -> None:
    with pytest.raises(ValueError, match="not fetched from the net"):
        made.VGG16()
    with pytest.raises(ValueError, match="no file of weights"):
        made.VGG16(weights="nowhere.h5")
    with pytest.raises(ValueError, match="too small"):
        made.VGG16(weights=None, input_shape=(8, 8, 3), include_top=False)


def test_images_are_prepared() -> None:
    x = np.array([[[[255.0, 127.5, 0.0]]]], np.float32)
    np.testing.assert_allclose(made.mobilenet_v2.preprocess_input(x), [[[[1, 0, -1]]]], atol=1e-6)
    expected = [[[[0 - 103.939, 127.5 - 116.779, 255 - 123.68]]]]
    np.testing.assert_allclose(made.vgg16.preprocess_input(x), expected, rtol=1e-5)
    np.testing.assert_allclose(made.vgg16.preprocess_input(tf.constant(x)), expected, rtol=1e-5)


def test_predictions_are_named_by_a_file(tmp_path: Path) -> None:
    names = {str(i): [f"n{i}", f"thing {i}"] for i in range(1000)}
    (tmp_path / "index.json").write_text(json.dumps(names), encoding="utf-8")
    scores = np.zeros((1, 1000))
    scores[0, [7, 3]] = 0.6, 0.3
    ((first, second),) = made.vgg16.decode_predictions(scores, 2, class_index=tmp_path / "index.json")
    assert (first, second) == (("n7", "thing 7", 0.6), ("n3", "thing 3", 0.3))
    with pytest.raises(ValueError, match="no file of class names"):
        made.vgg16.decode_predictions(scores, class_index=tmp_path / "other.json")
