"""slim's data sets: Examples decoded into items, records read by threads, queues, providers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

slim = tf.contrib.slim
decoder = slim.tfexample_decoder
PIXELS = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3) * 7


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def feature(*values: Any) -> Any:
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def example(**features: Any) -> bytes:
    named = {name.replace("__", "/"): value for name, value in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString()


def decoded(record: bytes, features: dict[str, Any], handler: Any) -> Any:
    (item,) = decoder.TFExampleDecoder(features, {"item": handler}).decode(tf.constant(record))
    with tf.Session() as session:
        session.run(tf.tables_initializer())
        return session.run(item)


IMAGE = {"image/encoded": tf.FixedLenFeature([], tf.string), "image/format": tf.FixedLenFeature([], tf.string)}


def encoded(kind: str) -> bytes:
    if kind == "raw":
        return PIXELS.tobytes()
    with tf.Session() as session:
        make = {"png": tf.image.encode_png, "jpeg": lambda x: tf.image.encode_jpeg(x, quality=100)}[kind]
        return session.run(make(tf.constant(PIXELS)))


class TestItems:
    @pytest.mark.parametrize(("kind", "near"), [("png", 0), ("raw", 0), ("jpeg", 40)])
    def test_an_image_is_decoded_by_its_format(self, kind: str, near: int) -> None:
        record = example(image__encoded=feature(encoded(kind)), image__format=feature(kind.encode()))
        made = decoded(record, IMAGE, decoder.Image(shape=[4, 3, 3]))
        assert made.dtype == np.uint8 and made.shape == (4, 3, 3)
        assert np.abs(made.astype(int) - PIXELS).max() <= near

    def test_an_image_has_channels_and_type(self) -> None:
        record = example(image__encoded=feature(encoded("png")), image__format=feature(b"png"))
        handler = decoder.Image(channels=1, dtype=tf.uint16)
        (item,) = decoder.TFExampleDecoder(IMAGE, {"item": handler}).decode(tf.constant(record))
        assert item.shape.as_list() == [None, None, 1] and item.dtype == tf.uint16

    def test_several_images_are_stacked(self) -> None:
        features = IMAGE | {"image/encoded": tf.VarLenFeature(tf.string)}
        record = example(image__encoded=feature(encoded("png"), encoded("png")), image__format=feature(b"png"))
        made = decoded(record, features, decoder.Image(repeated=True))
        np.testing.assert_array_equal(made, [PIXELS, PIXELS])

    def test_a_tensor_is_reshaped_by_features_or_by_a_shape(self) -> None:
        features = {
            "x": tf.VarLenFeature(tf.float32),
            "shape": tf.FixedLenFeature([2], tf.int64),
            "rows": tf.FixedLenFeature([], tf.int64),
            "columns": tf.VarLenFeature(tf.int64),
        }
        record = example(x=feature(*np.arange(6.0).tolist()), shape=feature(2, 3), rows=feature(2), columns=feature(3))
        wanted = np.arange(6.0).reshape(2, 3)
        handlers = (decoder.Tensor("x", shape_keys="shape"), decoder.Tensor("x", shape=[2, 3]))
        for handler in handlers:
            np.testing.assert_array_equal(decoded(record, features, handler), wanted)
        features["rows"] = tf.FixedLenFeature([1], tf.int64)
        made = decoded(record, features, decoder.Tensor("x", shape_keys=["rows", "columns"]))
        np.testing.assert_array_equal(made, wanted)
        with pytest.raises(ValueError, match="both shape_keys and shape"):
            decoder.Tensor("x", shape_keys="shape", shape=[6])

    def test_boxes_stand_in_rows(self) -> None:
        sides = ("ymin", "xmin", "ymax", "xmax")
        features = {f"box/{side}": tf.VarLenFeature(tf.float32) for side in sides}
        values = {side: (0.1 * i, 0.1 * i + 0.5) for i, side in enumerate(sides)}
        record = example(**{f"box__{side}": feature(*pair) for side, pair in values.items()})
        made = decoded(record, features, decoder.BoundingBox(prefix="box/"))
        np.testing.assert_allclose(made, np.array([values[side] for side in sides]).T, rtol=1e-6)
        with pytest.raises(ValueError, match="4 keys but got 2"):
            decoder.BoundingBox(keys=["a", "b"])

    def test_a_sparse_tensor_of_indices_and_values(self) -> None:
        features = {"indices": tf.VarLenFeature(tf.int64), "values": tf.VarLenFeature(tf.float32)}
        record = example(indices=feature(1, 4), values=feature(2.0, 3.0))
        made = decoded(record, features, decoder.SparseTensor(shape=[6]))
        assert made.indices.tolist() == [[1], [4]] and made.values.tolist() == [2, 3]
        dense = decoded(record, features, decoder.SparseTensor(shape=[6], densify=True, default_value=-1))
        assert dense.tolist() == [-1, 2, -1, -1, 3, -1]

    def test_words_are_looked_up(self) -> None:
        table = tf.contrib.lookup.index_table_from_tensor(["cat", "dog"])
        features = {"name": tf.FixedLenFeature([], tf.string)}
        record = example(name=feature(b"dog"))
        assert decoded(record, features, decoder.LookupTensor("name", table)) == 1

    def test_a_function_makes_an_item_and_a_backup_stands_in(self) -> None:
        features = {"a": tf.FixedLenFeature([], tf.int64), "b": tf.VarLenFeature(tf.int64)}
        record = example(a=feature(3))
        double = decoder.ItemHandlerCallback(["a"], lambda found: found["a"] * 2)
        assert decoded(record, features, double) == 6
        backup = decoder.BackupHandler(decoder.Tensor("b"), decoder.Tensor("a", shape=[1]))
        assert decoded(record, features, backup).tolist() == [3]

    def test_a_default_may_be_a_constant_tensor(self) -> None:
        features = {"a": tf.FixedLenFeature([], tf.int64, default_value=tf.zeros([], tf.int64))}
        assert decoded(example(b=feature(1)), features, decoder.Tensor("a")) == 0
        features = {"a": tf.FixedLenFeature([], tf.int64, default_value=tf.placeholder(tf.int64, []))}
        with pytest.raises(ValueError, match="must be known before it runs"):
            decoded(example(b=feature(1)), features, decoder.Tensor("a"))


def write(folder: Path, files: int, each: int) -> str:
    """Files of Examples {"n": 0, 1, ...}; returns the pattern that finds them."""
    for i in range(files):
        with tf.python_io.TFRecordWriter(str(folder / f"part-{i}")) as writer:
            for k in range(each):
                writer.write(example(n=feature(i * each + k)))
    return str(folder / "part-*")


def numbers(pattern: str) -> Any:
    made = decoder.TFExampleDecoder({"n": tf.FixedLenFeature([], tf.int64)}, {"n": decoder.Tensor("n")})
    return slim.dataset.Dataset(pattern, tf.TFRecordReader, made, 6, {"n": "A number."}, num_classes=2)


def test_a_dataset_keeps_what_it_is_told() -> None:
    held = numbers("x")
    assert (held.data_sources, held.num_samples, held.num_classes) == ("x", 6, 2)
    assert held.items_to_descriptions == {"n": "A number."} and held.decoder.list_items() == ["n"]


class TestReading:
    @pytest.mark.parametrize("shuffle", [False, True])
    def test_a_provider_gives_every_record_once_an_epoch(self, tmp_path: Path, shuffle: bool) -> None:
        provider = slim.dataset_data_provider.DatasetDataProvider(
            numbers(write(tmp_path, 2, 3)), num_readers=1, shuffle=shuffle, num_epochs=2, common_queue_min=4, seed=5
        )
        assert provider.list_items() == ["n", "record_key"] and provider.num_samples() == 6
        n, key = provider.get(["n", "record_key"])
        found = []
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            with slim.queues.QueueRunners(session), pytest.raises(tf.errors.OutOfRangeError):
                while True:
                    found.append(session.run([n, key]))
        assert sorted(int(k) for k, _ in found) == sorted([*range(6)] * 2)
        assert {key.rpartition(b":")[0].decode() for _, key in found} == {str(tmp_path / f"part-{i}") for i in (0, 1)}
        if not shuffle:
            assert [int(k) for k, _ in found] == [*range(6)] * 2

    def test_a_provider_refuses_wrong_items(self, tmp_path: Path) -> None:
        provider = slim.data_provider.DataProvider({"a": 1}, 4)
        assert provider.get(["a"]) == [1]
        with pytest.raises(ValueError, match=r"Item \[b\] is invalid"):
            provider.get(["b"])
        with pytest.raises(ValueError, match="list or tuple"):
            provider.get("a")
        with pytest.raises(ValueError, match="record_key"):
            slim.dataset_data_provider.DatasetDataProvider(numbers(write(tmp_path, 1, 1)), record_key="n")

    def test_one_pass_is_in_order(self, tmp_path: Path) -> None:
        _, value = slim.parallel_reader.single_pass_read(write(tmp_path, 2, 2), tf.TFRecordReader)
        n = tf.parse_single_example(value, {"n": tf.FixedLenFeature([], tf.int64)})["n"]
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            with slim.queues.QueueRunners(session):
                assert [session.run(n) for _ in range(4)] == [0, 1, 2, 3]

    def test_several_readers_count_together(self, tmp_path: Path) -> None:
        names = tf.train.string_input_producer([str(tmp_path / f"part-{i}") for i in range(3)], num_epochs=1)
        queue = tf.FIFOQueue(100, [tf.string, tf.string], [[], []])
        write(tmp_path, 3, 4)
        reader = slim.parallel_reader.ParallelReader(tf.TFRecordReader, queue, num_readers=2)
        keys, _ = reader.read_up_to(names, 5)
        assert reader.num_readers == 2 and reader.common_queue is queue
        found: list[bytes] = []
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            with slim.queues.QueueRunners(session):
                while len(found) < 12:
                    found.extend(session.run(keys))
            counts = session.run([reader.num_records_produced(), reader.num_work_units_completed()])
        assert len(set(found)) == 12 and counts == [12, 3]

    def test_files_are_found(self, tmp_path: Path) -> None:
        pattern = write(tmp_path, 2, 1)
        files = [str(tmp_path / f"part-{i}") for i in (0, 1)]
        assert sorted(slim.parallel_reader.get_data_files([pattern, "other"])) == sorted([*files, "other"])
        with pytest.raises(ValueError, match="No data files found in"):
            slim.parallel_reader.get_data_files(str(tmp_path / "none-*"))


class TestQueues:
    def test_a_prefetch_queue_gives_what_it_is_filled_with(self) -> None:
        counter = tf.Variable(0)
        batch = {"a": counter.assign_add(1), "b": tf.constant([2.0])}
        queue = slim.prefetch_queue.prefetch_queue(batch, capacity=3, name="ahead")
        taken = queue.dequeue()
        assert sorted(taken) == ["a", "b"] and taken["b"].shape.as_list() == [1]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            with slim.queues.QueueRunners(session):
                assert [session.run(taken["a"]) for _ in range(3)] == [1, 2, 3]
        tags = [t.name for t in tf.get_collection(tf.GraphKeys.SUMMARIES)]
        assert tags == ["ahead/fraction_of_3_full:0"]

    def test_a_padding_prefetch_queue_takes_unknown_shapes(self) -> None:
        x = tf.placeholder_with_default(np.ones(3, np.float32), [None])
        with pytest.raises(ValueError, match=r"(?i)shape"):
            slim.prefetch_queue.prefetch_queue([x]).dequeue_many(2)
        queue = slim.prefetch_queue.prefetch_queue([x], dynamic_pad=True, num_threads=2)
        with tf.Session() as session:
            coordinator = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(session, coordinator)
            assert session.run(queue.dequeue_many(2)).tolist() == [[1, 1, 1], [1, 1, 1]]
            coordinator.request_stop()
            coordinator.join(threads)

    def test_queue_runners_do_not_nest_and_hand_on_errors(self) -> None:
        with tf.Session() as session:
            with (
                slim.queues.QueueRunners(session),
                pytest.raises(slim.queues.NestedQueueRunnerError),
                slim.queues.QueueRunners(session),
            ):
                pass
            wrong = tf.FIFOQueue(2, tf.float32)
            bad = tf.check_numerics(tf.constant(0.0) / tf.placeholder_with_default(0.0, []), "bad")
            tf.train.add_queue_runner(tf.train.QueueRunner(wrong, [wrong.enqueue(bad)]))
            with pytest.raises(tf.errors.InvalidArgumentError, match="bad"), slim.queues.QueueRunners(session):
                session.run(wrong.dequeue())
