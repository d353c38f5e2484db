"""Pictures in record files, read by queues and by tf.data, train one small network, and TensorBoard can follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

COUNT, SIDE = 24, 4


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Dark and bright pictures [COUNT,SIDE,SIDE,1], and whether they are bright."""
    rng = np.random.default_rng(0)
    bright = np.arange(COUNT) % 2
    pixels = rng.integers(0, 100, (COUNT, SIDE, SIDE, 1)) + 150 * bright[:, None, None, None]
    return pixels.astype(np.uint8), bright


@pytest.fixture
def records(tmp_path: Path) -> str:
    path = str(tmp_path / "pictures.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for pixels, label in zip(*pictures(), strict=True):
            example = tf.train.Example()
            features = example.features.feature
            features["picture"].bytes_list.value.append(tf.image.encode_png(pixels).numpy())
            features["label"].int64_list.value.append(int(label))
            writer.write(example.SerializeToString())
    return path


def parsed(record: Any) -> tuple[Any, Any]:
    wanted = {"picture": v1.FixedLenFeature([], tf.string), "label": v1.FixedLenFeature([], tf.int64)}
    found = v1.parse_single_example(record, wanted)
    picture = v1.image.decode_png(found["picture"], channels=1)
    picture.set_shape([SIDE, SIDE, 1])
    return v1.image.convert_image_dtype(picture, tf.float32), found["label"]


def by_queues(path: str) -> Any:
    names = v1.train.string_input_producer([path], shuffle=False)
    _, record = v1.TFRecordReader().read(names)
    return v1.train.batch(list(parsed(record)), batch_size=8)


def by_datasets(path: str) -> Any:
    return v1.data.TFRecordDataset(path).map(parsed).repeat().batch(8).make_one_shot_iterator().get_next()


def losses(batch: Any, folder: Path, steps: int) -> list[float]:
    """Of logistic regression on batches, with summaries, in a monitored session."""
    x, labels = batch
    w = v1.get_variable("w", [SIDE * SIDE, 1], initializer=v1.zeros_initializer())
    b = v1.get_variable("b", [1], initializer=v1.zeros_initializer())
    logits = tf.matmul(tf.reshape(x, [-1, SIDE * SIDE]), w) + b
    targets = tf.cast(labels, tf.float32)[:, None]
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))
    v1.summary.scalar("loss", loss)
    v1.summary.image("x", x)
    step = v1.train.get_or_create_global_step()
    train = v1.train.GradientDescentOptimizer(0.5).minimize(loss, global_step=step)
    out = []
    hooks = [v1.train.StopAtStepHook(last_step=steps)]
    with v1.train.MonitoredTrainingSession(
        checkpoint_dir=str(folder), hooks=hooks, save_summaries_steps=1, save_checkpoint_steps=100
    ) as session:
        while not session.should_stop():
            out.append(float(session.run([loss, train])[0]))
    return out


def test_queues_and_datasets_train_alike(records: str, tmp_path: Path) -> None:
    found = []
    for name, batch in (("queues", by_queues), ("datasets", by_datasets)):
        with v1.Graph().as_default():
            found.append(losses(batch(records), tmp_path / name, 12))
    np.testing.assert_array_equal(*found)
    assert found[0][0] == pytest.approx(np.log(2), rel=1e-5)
    assert found[0][-1] < 0.6 * found[0][0]


def test_tensorboard_follows(records: str, tmp_path: Path) -> None:
    with v1.Graph().as_default():
        expected = losses(by_datasets(records), tmp_path / "log", 3)
    events = [e for p in (tmp_path / "log").glob("*tfevents*") for e in v1.train.summary_iterator(str(p))]
    values = [(e.step, v) for e in events for v in e.summary.value]
    assert [s for s, v in values if v.tag == "loss"] == [1, 2, 3]
    assert [v.simple_value for _, v in values if v.tag == "loss"] == pytest.approx(expected)
    shown = next(v.image for _, v in values if v.tag == "x/image/0")
    assert (shown.height, shown.width) == (SIDE, SIDE)
    assert any(e.graph_def for e in events)


def test_eager_loop_sees_the_same_pictures(records: str) -> None:
    pixels, bright = pictures()
    dataset = tf.data.TFRecordDataset(records).map(parsed).batch(COUNT)
    ((x, labels),) = dataset
    np.testing.assert_allclose(x, pixels / 255, rtol=1e-6)
    np.testing.assert_array_equal(labels, bright)
