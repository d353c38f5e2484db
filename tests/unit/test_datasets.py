"""tf.data: which elements come, in which order, eagerly and in graphs. Shuffled orders are TensorFlow 2.21's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.data.dataset import AUTOTUNE

D = tf.data.Dataset


def plain(x: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(map(plain, x))
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    return x.tolist() if isinstance(x, (np.ndarray, np.generic)) else x


def listed(dataset: Any) -> list[Any]:
    return [plain(x) for x in dataset.as_numpy_iterator()]


def ran(session: Any, fetches: Any, most: int = 50) -> list[Any]:
    """Values until the iterator ends."""
    out: list[Any] = []
    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
        out.extend(plain(session.run(fetches)) for _ in range(most))
    return out


def lengths(n: Any) -> Any:
    return tf.fill([tf.cast(n, tf.int32)], n)


R = D.range(10)
CASES = {
    "slices": (D.from_tensor_slices({"a": [1, 2], "b": [[1], [3]]}), [{"a": 1, "b": [1]}, {"a": 2, "b": [3]}]),
    "tensors": (D.from_tensors((1, [2, 3])), [(1, [2, 3])]),
    "range": (D.range(2, 10, 3), [2, 5, 8]),
    "map": (D.range(3).map(lambda x: (x, x * x), num_parallel_calls=AUTOTUNE), [(0, 0), (1, 1), (2, 4)]),
    "map of tuples": (D.zip((D.range(3), D.range(1, 4))).map(lambda a, b: a * b), [0, 2, 6]),
    "filter": (R.filter(lambda x: tf.equal(x % 3, 0)), [0, 3, 6, 9]),
    "batch": (R.batch(4), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]),
    "batch without the rest": (R.batch(4, drop_remainder=True), [[0, 1, 2, 3], [4, 5, 6, 7]]),
    "unbatch": (D.from_tensor_slices([[1, 2], [3, 4]]).unbatch(), [1, 2, 3, 4]),
    "padded": (D.range(1, 4).map(lengths).padded_batch(2), [[[1, 0], [2, 2]], [[3, 3, 3]]]),
    "padded further": (
        D.range(1, 3).map(lengths).padded_batch(2, padded_shapes=[3], padding_values=np.int64(-1)),
        [[[1, -1, -1], [2, 2, -1]]],
    ),
    "flat_map": (D.range(1, 4).flat_map(lambda x: D.from_tensors(x).repeat(x)), [1, 2, 2, 3, 3, 3]),
    "interleave": (
        D.range(1, 4).interleave(lambda x: D.from_tensors(x).repeat(x), cycle_length=2, block_length=2),
        [1, 2, 2, 3, 3, 3],
    ),
    "window": (
        R.window(3, shift=2, drop_remainder=True).flat_map(lambda w: w.batch(3)),
        [[0, 1, 2], [2, 3, 4], [4, 5, 6], [6, 7, 8]],
    ),
    "repeat": (D.range(2).repeat(2), [0, 1, 0, 1]),
    "take and skip": (R.skip(3).take(2), [3, 4]),
    "shard": (R.shard(3, 1), [1, 4, 7]),
    "enumerate": (D.range(2).enumerate(5), [(5, 0), (6, 1)]),
    "concatenate": (D.range(2).concatenate(D.range(5, 7)), [0, 1, 5, 6]),
    "scan": (D.range(4).scan(np.int64(0), lambda s, x: (s + x, s + x)), [0, 1, 3, 6]),
    "take_while": (R.take_while(lambda x: x < 3), [0, 1, 2]),
    "unique": (D.from_tensor_slices([1, 2, 1, 3]).unique(), [1, 2, 3]),
    "generator": (D.from_generator(lambda n: iter(range(n)), tf.int64, args=(3,)), [0, 1, 2]),
    "group": (D.range(5).group_by_window(lambda x: x % 2, lambda k, w: w.batch(2), 2), [[0, 2], [1, 3], [4]]),
    "choice": (D.choose_from_datasets([D.range(7, 8).repeat(), D.range(2)], D.range(2).repeat(2)), [7, 0, 7, 1]),
    "prefetch": (D.range(2).prefetch(AUTOTUNE), [0, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_elements(name: str) -> None:
    dataset, expected = CASES[name]
    assert listed(dataset) == expected
    assert listed(dataset) == expected, "a second iteration begins anew"


def test_specs_say_what_is_known() -> None:
    assert R.batch(4).element_spec == tf.TensorSpec([None], tf.int64)
    assert R.batch(4, True).element_spec == tf.TensorSpec([4], tf.int64)
    assert R.map(lambda x: {"a": tf.fill([2, 3], x)}).element_spec == {"a": tf.TensorSpec([2, 3], tf.int64)}
    assert isinstance(R.window(2).element_spec, tf.data.DatasetSpec)


def test_sizes_are_known_without_iterating() -> None:
    sizes = [
        len(R.batch(3)),
        len(R.take(4).repeat(2)),
        int(R.repeat().cardinality()),
        int(R.filter(lambda x: x > 1).cardinality()),
    ]
    assert sizes == [4, 8, tf.data.INFINITE_CARDINALITY, tf.data.UNKNOWN_CARDINALITY]
    with pytest.raises(TypeError, match="infinite"):
        len(R.repeat())


def test_shuffles_as_tensorflow_does() -> None:
    tf.random.set_seed(3)
    dataset = R.shuffle(5, seed=1)
    assert listed(dataset) == [2, 4, 6, 0, 1, 3, 7, 9, 8, 5]
    assert listed(dataset) == [3, 0, 2, 4, 8, 1, 5, 7, 6, 9]
    same = R.shuffle(5, seed=1, reshuffle_each_iteration=False)
    assert listed(same) == listed(same) == [4, 1, 5, 3, 6, 8, 2, 7, 0, 9]


def test_random_draws_in_a_function_begin_anew() -> None:
    tf.random.set_seed(5)
    dataset = D.range(3).map(lambda x: tf.random.uniform([], seed=42))
    np.testing.assert_allclose(listed(dataset), [0.13301516, 0.85457838, 0.45768821], rtol=1e-6)
    assert listed(dataset) == listed(dataset)


def test_function_reads_variables_as_they_are() -> None:
    v = tf.Variable(2.0)
    dataset = D.range(3).map(lambda x: tf.cast(x, tf.float32) * v)
    assert listed(dataset) == [0, 2, 4]
    v.assign(3.0)
    assert listed(dataset) == [0, 3, 6]


def test_reduce_comes_to_one_value() -> None:
    assert R.reduce(np.int64(0), lambda s, x: s + x).numpy() == 45
    total, count = R.reduce((0.0, 0), lambda s, x: (s[0] + tf.cast(x, tf.float32), s[1] + 1))
    assert (float(total), int(count)) == (45.0, 10)


def test_cache_calls_the_function_once() -> None:
    calls = []
    dataset = D.range(2).map(lambda x: tf.py_function(lambda v: calls.append(1) or v, [x], tf.int64)).cache()
    assert listed(dataset) == listed(dataset) == [0, 1]
    assert len(calls) == 2


def test_iteration_goes_on_after_an_error_that_is_ignored() -> None:
    dataset = D.from_tensor_slices([1.0, 0.0, 4.0]).map(lambda x: tf.debugging.check_numerics(1.0 / x, "quotient"))
    assert listed(dataset.ignore_errors()) == [1.0, 0.25]
    with pytest.raises(tf.errors.InvalidArgumentError, match="quotient"):
        listed(dataset)


def test_sparse_elements() -> None:
    rows = D.from_tensor_slices(tf.SparseTensor([[0, 1], [1, 0]], [1, 2], [2, 2]))
    assert listed(rows.map(tf.sparse.to_dense)) == [[0, 1], [2, 0]]
    (batch,) = rows.batch(2)
    assert batch.indices.numpy().tolist() == [[0, 1], [1, 0]]


def test_eager_iterator_ends() -> None:
    iterator = iter(D.range(1))
    assert iterator.get_next().numpy() == 0
    with pytest.raises(tf.errors.OutOfRangeError):
        iterator.get_next()
    assert list(iterator) == []


def test_initializable_iterator_is_fed() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 2])
        size = v1.placeholder(tf.int64, [])
        iterator = v1.data.Dataset.from_tensor_slices((x, x[:, 0])).batch(size).make_initializable_iterator()
        element = iterator.get_next()
        assert element[0].shape.as_list() == [None, 2]
        with pytest.raises(tf.errors.FailedPreconditionError, match="has not been initialized"):
            session.run(element)
        session.run(iterator.initializer, {x: [[0, 1], [2, 3], [4, 5]], size: 2})
        assert ran(session, element) == [([[0, 1], [2, 3]], [0, 2]), ([[4, 5]], [4])]
        session.run(iterator.initializer, {x: [[8, 9]], size: 5})
        assert ran(session, element) == [([[8, 9]], [8])]


def test_one_shot_iterator_refuses_what_must_be_fed() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        assert ran(session, v1.data.Dataset.range(3).make_one_shot_iterator().get_next()) == [0, 1, 2]
        fed = v1.data.Dataset.from_tensors(v1.placeholder(tf.float32, []))
        with pytest.raises(ValueError, match="Cannot capture a placeholder"):
            fed.make_one_shot_iterator()


def test_one_iterator_on_several_datasets() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        iterator = v1.data.Iterator.from_structure(tf.int64, [])
        element = iterator.get_next()
        first, second = (iterator.make_initializer(v1.data.Dataset.range(*r)) for r in ((2,), (5, 8)))
        session.run(first)
        assert ran(session, element) == [0, 1]
        session.run(second)
        assert ran(session, element) == [5, 6, 7]
        with pytest.raises(TypeError, match="Expected elements like"):
            iterator.make_initializer(v1.data.Dataset.from_tensors(1.0))


def test_a_string_handle_chooses_the_iterator() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        word = v1.placeholder(tf.string, [])
        element = v1.data.Iterator.from_string_handle(word, tf.int64, []).get_next()
        sources = [v1.data.Dataset.range(*r).make_one_shot_iterator() for r in ((3,), (10, 13))]
        a, b = session.run([s.string_handle() for s in sources])
        assert [int(session.run(element, {word: w})) for w in (a, b, a, b)] == [0, 10, 1, 11]


def test_each_session_has_its_own_place() -> None:
    with v1.Graph().as_default():
        element = v1.data.Dataset.range(3).make_one_shot_iterator().get_next()
        with v1.Session() as a, v1.Session() as b:
            assert [int(s.run(element)) for s in (a, b, a, b)] == [0, 0, 1, 1]


def test_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo\n\nthree")
    (tmp_path / "b.txt").write_bytes(b"four\n")
    (tmp_path / "x.bin").write_bytes(b"HHaabbF")
    (tmp_path / "c.csv").write_text('a,b,c\n1,2.5,"x,y"\n2,,z\n')
    names = D.list_files(str(tmp_path / "*.txt"), shuffle=False)
    assert listed(tf.data.TextLineDataset(names)) == [b"one", b"two", b"", b"three", b"four"]
    assert listed(tf.data.FixedLengthRecordDataset(str(tmp_path / "x.bin"), 2, 2, 1)) == [b"aa", b"bb"]
    table = tf.data.experimental.CsvDataset(str(tmp_path / "c.csv"), [tf.int32, -1.0, tf.string], header=True)
    assert listed(table) == [(1, 2.5, b"x,y"), (2, -1.0, b"z")]
    with pytest.raises(tf.errors.InvalidArgumentError, match="No files matched"):
        D.list_files(str(tmp_path / "no*"))


@pytest.mark.parametrize("compression", ["", "GZIP", "ZLIB"])
def test_records_come_back(tmp_path: Path, compression: str) -> None:
    path = str(tmp_path / "records")
    written = [b"", b"words", bytes(range(256)) * 9]
    with tf.io.TFRecordWriter(path, compression) as writer:
        for record in written:
            writer.write(record)
    assert listed(tf.data.TFRecordDataset(path, compression)) == written


def test_altered_records_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "records"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"words")
    whole = path.read_bytes()
    # "words" with its length, checksums computed by TensorFlow 2.21.
    assert whole.hex() == "0500000000000000eab2043e776f726473" + whole[-4:].hex()
    for damaged in (whole[:-1], whole[:14] + b"?" + whole[15:], b"no record file at all"):
        path.write_bytes(damaged)
        with pytest.raises(tf.errors.DataLossError, match="record"):
            listed(tf.data.TFRecordDataset(str(path)))
    with pytest.raises(tf.errors.NotFoundError):
        listed(tf.data.TFRecordDataset(str(tmp_path / "none")))


def test_mistakes_are_explained() -> None:
    with pytest.raises(ValueError, match="first dimensions"):
        D.from_tensor_slices(([1, 2], [1, 2, 3]))
    with pytest.raises(TypeError, match="must return a `tf"):
        R.flat_map(lambda x: x)
    with pytest.raises(ValueError, match="must return a scalar bool"):
        R.filter(lambda x: x)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Cannot batch tensors with different shapes"):
        listed(D.range(1, 3).map(lengths).batch(2))
    with pytest.raises(ValueError, match="kept in memory"):
        R.cache("file")
    with v1.Graph().as_default(), pytest.raises(RuntimeError, match="eager execution"):
        iter(R)
    with pytest.raises(tf.errors.InvalidArgumentError, match="did not match the expected structure"):
        listed(D.from_generator(lambda: iter([(1, 2, 3)]), (tf.int32, tf.int32)))
