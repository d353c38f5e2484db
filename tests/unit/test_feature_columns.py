"""Feature columns: what they make of features, the variables they have, and what they want of Examples.

Ids of hashed and crossed columns are those that TensorFlow 2.21 gave.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as v1

fc = v1.feature_column


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with v1.Graph().as_default() as made:
        yield made


def features() -> dict[str, Any]:
    return {
        "age": v1.constant([[23.0], [45.0], [61.0]]),
        "xy": v1.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        "color": v1.constant([["red"], ["nope"], ["blue"]]),
        "tags": v1.SparseTensor([[0, 0], [0, 1], [2, 0]], ["red", "black", "zzz"], [3, 2]),
        "w": v1.SparseTensor([[0, 0], [0, 1], [2, 0]], [0.5, 2.0, 3.0], [3, 2]),
        "n": v1.constant([3, 99, 1]),
        "city": v1.constant(["rome", "paris", "oslo"]),
    }


def run(y: Any, tables: Any = None) -> Any:
    """The value, with every variable (or those of `tables`) counting up in tenths from 0."""
    with v1.Session() as session:
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        for v in v1.global_variables():
            sizes = v.shape.as_list()
            v.load(np.arange(np.prod(sizes), dtype=np.float32).reshape(sizes) / 10, session)
        return session.run(y)


def ids_of(column: Any) -> list[list[int]]:
    """[row, id] of every category that occurs."""
    return np.argwhere(run(fc.input_layer(features(), [fc.indicator_column(column)]))).tolist()


def colors(**settings: Any) -> Any:
    return fc.categorical_column_with_vocabulary_list("color", ["red", "green", "blue"], **settings)


def tags(path: Path) -> Any:
    file = path / "tags.txt"
    file.write_text("red\ngreen\nblue\nblack\n")
    return fc.categorical_column_with_vocabulary_file("tags", str(file))


def test_numbers_stand_side_by_side_by_name() -> None:
    xy = fc.numeric_column("xy", shape=2, normalizer_fn=lambda x: x / 2)
    y = fc.input_layer(features(), [xy, fc.numeric_column("age")])
    assert y.shape.as_list() == [3, 3]
    assert run(y).tolist() == [[23, 0.5, 1], [45, 1.5, 2], [61, 2.5, 3]]


def test_buckets_hold_their_lower_boundary() -> None:
    column = fc.bucketized_column(fc.numeric_column("xy", shape=(2,)), [2.0, 5.0])
    assert column.name == "xy_bucketized" and column.num_buckets == 6
    assert ids_of(column) == [[0, 0], [0, 4], [1, 1], [1, 4], [2, 2], [2, 5]]
    y = run(fc.input_layer(features(), column))
    assert y.tolist() == [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 1]]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (lambda: colors(), [[0, 0], [2, 2]]),
        (lambda: colors(default_value=1), [[0, 0], [1, 1], [2, 2]]),
        (lambda: colors(num_oov_buckets=4), [[0, 0], [1, 4], [2, 2]]),
        (lambda: fc.categorical_column_with_identity("n", 5, default_value=0), [[0, 3], [1, 0], [2, 1]]),
        (lambda: fc.categorical_column_with_hash_bucket("city", 10), [[0, 2], [1, 7], [2, 8]]),
        (lambda: fc.categorical_column_with_hash_bucket("n", 10, v1.int64), [[0, 1], [1, 2], [2, 9]]),
        (lambda: fc.categorical_column_with_hash_bucket("tags", 1000), [[0, 41], [0, 910], [2, 380]]),
    ],
)
def test_ids_are_tensorflows(column: Any, expected: Any) -> None:
    assert ids_of(column()) == expected


def test_crossed_ids_are_tensorflows() -> None:
    buckets = fc.bucketized_column(fc.numeric_column("age"), [30, 50])
    crossed = fc.crossed_column([buckets, "city", "n"], 100)
    assert crossed.name == "age_bucketized_X_city_X_n"
    assert ids_of(crossed) == [[0, 12], [1, 18], [2, 34]]
    assert ids_of(fc.crossed_column(["color", "tags"], 1000)) == [[0, 17], [0, 936], [2, 405]]


def test_a_files_lines_are_the_vocabulary(tmp_path: Path) -> None:
    column = tags(tmp_path)
    assert column.num_buckets == 4
    assert ids_of(column) == [[0, 0], [0, 3]]
    part = fc.categorical_column_with_vocabulary_file("tags", column.vocabulary_file, 2, num_oov_buckets=2)
    assert ids_of(part) == [[0, 0], [0, 3], [2, 2]]


def test_indicators_sum_weights(tmp_path: Path) -> None:
    weighted = fc.weighted_categorical_column(tags(tmp_path), "w")
    assert run(fc.input_layer(features(), fc.indicator_column(weighted))).tolist() == [[0.5, 0, 0, 2], [0] * 4, [0] * 4]


@pytest.mark.parametrize(("combiner", "first"), [("mean", 0.3), ("sum", 0.6), ("sqrtn", 0.6 / 2**0.5)])
def test_embeddings_combine_rows(combiner: str, first: float, tmp_path: Path) -> None:
    """Rows 0 and 3 of [[0, .1], [.2, .3], ..]; an example without known tags gives zeros."""
    made = run(fc.input_layer(features(), fc.embedding_column(tags(tmp_path), 2, combiner)))
    scale = first / 0.6
    np.testing.assert_allclose(made, [[0.6 * scale, 0.8 * scale], [0, 0], [0, 0]], rtol=1e-6)
    assert [v.name for v in v1.trainable_variables()] == ["input_layer/tags_embedding/embedding_weights:0"]


def test_shared_embeddings_have_one_table() -> None:
    other = fc.categorical_column_with_vocabulary_list("tags", ["red", "green", "blue"])
    columns = fc.shared_embedding_columns([colors(), other], 2)
    assert [c.name for c in columns] == ["color_shared_embedding", "tags_shared_embedding"]
    y = run(fc.input_layer(features(), columns))
    np.testing.assert_allclose(y, [[0, 0.1, 0, 0.1], [0] * 4, [0.4, 0.5, 0, 0]], rtol=1e-6)
    names = [v.name for v in v1.global_variables()]
    assert names == ["input_layer/color_tags_shared_embedding/embedding_weights:0"]
    assert v1.get_collection("color_tags_shared_embedding") == v1.global_variables()


def test_an_embedding_starts_from_a_checkpoint(tmp_path: Path) -> None:
    table = np.arange(6, dtype=np.float32).reshape(3, 2)
    with v1.Graph().as_default(), v1.Session() as session:
        v1.get_variable("table", initializer=table)
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(tmp_path / "model"))
    column = fc.embedding_column(colors(), 2, ckpt_to_load_from=path, tensor_name_in_ckpt="table")
    y = fc.input_layer(features(), column)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        assert session.run(y).tolist() == [[0, 1], [0, 0], [4, 5]]


def test_a_linear_model_adds_weights_and_bias(tmp_path: Path) -> None:
    held: dict[Any, Any] = {}
    weighted = fc.weighted_categorical_column(tags(tmp_path), "w")
    y = fc.linear_model(features(), [fc.numeric_column("xy", (2,)), weighted], cols_to_vars=held)
    assert [v.name for v in v1.global_variables()] == [
        "linear_model/tags_weighted_by_w/weights:0",
        "linear_model/xy/weights:0",
        "linear_model/bias_weights:0",
    ]
    assert [v.name for v in held["bias"]] == ["linear_model/bias_weights:0"]
    # xy . [0, .1] + sum of weights times [0, .1, .2, .3][tag]
    np.testing.assert_allclose(run(y), [[0.2 + 2 * 0.3], [0.4], [0.6]], rtol=1e-6)


def test_columns_say_how_examples_are_parsed(tmp_path: Path) -> None:
    weighted = fc.weighted_categorical_column(tags(tmp_path), "w")
    spec = fc.make_parse_example_spec([fc.numeric_column("age"), fc.indicator_column(colors()), weighted])
    assert spec == {
        "age": v1.FixedLenFeature((1,), v1.float32),
        "color": v1.VarLenFeature(v1.string),
        "tags": v1.VarLenFeature(v1.string),
        "w": v1.VarLenFeature(v1.float32),
    }
    example = v1.train.Example()
    example.features.feature["age"].float_list.value.append(7)
    example.features.feature["color"].bytes_list.value.append(b"blue")
    parsed = v1.parse_example([example.SerializeToString()], spec)
    y = fc.input_layer(parsed, [fc.numeric_column("age"), fc.indicator_column(colors())])
    assert run(y).tolist() == [[7, 0, 0, 1]]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: fc.input_layer(features(), colors()), "wrap a categorical column"),
        (lambda: fc.input_layer(features(), fc.numeric_column("absent")), "absent is not in features"),
        (lambda: fc.input_layer(features(), [fc.numeric_column("age")] * 2), "Duplicate feature column name"),
        (lambda: fc.input_layer(features(), []), "must not be empty"),
        (lambda: fc.bucketized_column(fc.numeric_column("age"), [2, 1]), "sorted"),
        (lambda: fc.categorical_column_with_vocabulary_list("c", ["a", "a"]), "Duplicate keys"),
        (lambda: fc.categorical_column_with_vocabulary_list("c", []), "non-empty"),
        (lambda: colors(default_value=1, num_oov_buckets=1), "both"),
        (lambda: fc.categorical_column_with_hash_bucket("c", 0), "hash_bucket_size"),
        (lambda: fc.crossed_column(["a"], 10), "length > 1"),
        (lambda: fc.crossed_column(["a", fc.categorical_column_with_hash_bucket("c", 9)], 10), "not supported"),
        (lambda: fc.embedding_column(fc.numeric_column("age"), 2), "must be a categorical column"),
        (lambda: fc.embedding_column(colors(), 2, tensor_name_in_ckpt="x"), "Must specify both"),
        (lambda: fc.indicator_column(fc.numeric_column("age")), "categorical column"),
    ],
)
def test_mistakes_are_said(wrong: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        wrong()


def test_an_id_out_of_range_is_an_error_when_run() -> None:
    column = fc.categorical_column_with_identity("n", 5)
    with pytest.raises(v1.errors.InvalidArgumentError, match="from 0 to num_buckets - 1 = 4"):
        ids_of(column)
