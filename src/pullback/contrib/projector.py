"""`tf.contrib.tensorboard.plugins.projector`: tells TensorBoard which variables of a checkpoint are embeddings."""

from __future__ import annotations

import os
from typing import Any

from pullback.contrib.arg_scope import contrib
from pullback.io import atomic

_FILE = "projector_config.pbtxt"


@contrib("tensorboard.plugins.projector", "visualize_embeddings")
def visualize_embeddings(summary_writer: Any, config: Any) -> None:
    """Writes the configuration beside a writer's events, where TensorBoard looks for it: projector_config.pbtxt.

    Args:
      summary_writer: a `tf.summary.FileWriter`. config: a ProjectorConfig.
    Raises:
      ValueError: the writer has no folder.
    """
    from google.protobuf import text_format

    folder = summary_writer.get_logdir()
    if folder is None:
        raise ValueError("Summary writer must have a logdir")
    with atomic.written(os.path.join(folder, _FILE)) as file:
        file.write(text_format.MessageToString(config).encode())
