"""The file that TensorBoard's projector reads."""

from __future__ import annotations

from pathlib import Path

import pullback.v1 as tf

projector = tf.contrib.tensorboard.plugins.projector


def test_the_configuration_stands_beside_the_events(tmp_path: Path) -> None:
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name, embedding.metadata_path = "words:0", "labels.tsv"
    embedding.sprite.single_image_dim.extend([28, 28])
    with tf.Graph().as_default(), tf.summary.FileWriter(str(tmp_path)) as writer:
        projector.visualize_embeddings(writer, config)
    lines = (tmp_path / "projector_config.pbtxt").read_text().split()
    assert lines[:6] == ["embeddings", "{", "tensor_name:", '"words:0"', "metadata_path:", '"labels.tsv"']
    assert lines.count("28") == 2 and not list(tmp_path.glob("*.partial"))
