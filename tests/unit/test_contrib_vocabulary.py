"""contrib.learn.preprocessing and datasets: documents as numbers, tables of examples."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from pullback.contrib import csv_datasets, vocabulary
from pullback.core.errors import ArgumentError, DataLossError, NotFoundError

DOCUMENTS = ["the cat sat on the mat", "the dog sat", "a NaN in HTMLParser, it's 3-fold"]


def test_words_are_runs_of_letters_and_parts_of_camel_case() -> None:
    assert list(vocabulary.tokenizer(DOCUMENTS[1:])) == [
        ["the", "dog", "sat"],
        ["a", "Na", "N", "in", "HTML", "Parser", "it's", "3-fold"],
    ]


def test_words_are_numbered_as_they_come_and_the_rest_is_zero() -> None:
    processor = vocabulary.VocabularyProcessor(4)
    ids = list(processor.fit_transform(DOCUMENTS[:2]))
    assert [row.tolist() for row in ids] == [[1, 2, 3, 4], [1, 6, 3, 0]]
    assert ids[0].dtype == np.int64 and len(processor.vocabulary_) == 7
    assert next(processor.transform(["the bird sat"])).tolist() == [1, 0, 3, 0]
    assert list(processor.reverse([[1, 0, 3]])) == ["the <UNK> sat"]


def test_rare_words_go_and_frequent_ones_come_first() -> None:
    processor = vocabulary.VocabularyProcessor(3, min_frequency=1).fit(DOCUMENTS[:2])
    assert processor.vocabulary_._mapping == {"<UNK>": 0, "the": 1, "sat": 2}


def test_trim_by_both_frequencies_breaks_ties_by_the_alphabet() -> None:
    words = vocabulary.CategoricalVocabulary()
    for word, count in (("z", 3), ("b", 2), ("a", 2), ("rare", 1), ("often", 9)):
        words.add(word, count)
    words.trim(1, 9)
    assert [words.reverse(i) for i in range(len(words))] == ["<UNK>", "z", "a", "b"]


def test_a_frozen_vocabulary_knows_nothing_new() -> None:
    words = vocabulary.CategoricalVocabulary("?", support_reverse=False)
    assert words.get("a") == 1
    words.freeze()
    assert words.get("b") == 0 and len(words) == 2
    words.freeze(False)
    assert words.get("b") == 2
    with pytest.raises(ValueError, match="support_reverse"):
        words.reverse(1)


def test_saved_as_json_and_restored(tmp_path: Path) -> None:
    path = tmp_path / "vocab"
    processor = vocabulary.VocabularyProcessor(4, 1).fit([*DOCUMENTS, "süß the"])
    processor.save(path)
    assert json.loads(path.read_text(encoding="utf-8"))["max_document_length"] == 4
    again = vocabulary.VocabularyProcessor.restore(path)
    assert again.vocabulary_._mapping == processor.vocabulary_._mapping and again.min_frequency == 1
    assert again.vocabulary_._freq == processor.vocabulary_._freq
    for a, b in zip(again.transform(DOCUMENTS), processor.transform(DOCUMENTS), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_tokenizer_of_ones_own_must_be_set_again(tmp_path: Path) -> None:
    def letters(documents):  # type: ignore[no-untyped-def]
        return (list(d) for d in documents)

    processor = vocabulary.VocabularyProcessor(2, tokenizer_fn=letters).fit(["abc"])
    processor.save(tmp_path / "v")
    again = vocabulary.VocabularyProcessor.restore(tmp_path / "v")
    with pytest.raises(ArgumentError, match=r"letters.*_tokenizer"):
        list(again.transform(["ab"]))
    again._tokenizer = letters
    assert next(iter(again.transform(["cb"]))).tolist() == [3, 2]


class _Harm:
    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.write_text, (Path("harm"), "done"))


@pytest.mark.parametrize("data", [pickle.dumps(_Harm()), b"{}", b"[1]", b"", b"\xff\xfe"])
def test_other_files_are_refused_and_pickles_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v").write_bytes(data)
    with pytest.raises(DataLossError, match="pickle"):
        vocabulary.VocabularyProcessor.restore(tmp_path / "v")
    assert not (tmp_path / "harm").exists()


def test_only_text_and_numbers_are_saved(tmp_path: Path) -> None:
    words = vocabulary.CategoricalVocabulary()
    words.add(("a", "pair"))
    with pytest.raises(ArgumentError, match="text or numbers"):
        vocabulary.VocabularyProcessor(3, vocabulary=words).save(tmp_path / "v")


def test_documents_as_bytes() -> None:
    processor = vocabulary.ByteProcessor(5)
    rows = list(processor.fit_transform(["aß", b"longer"]))
    assert [row.tolist() for row in rows] == [[97, 0xC3, 0x9F, 0, 0], list(b"longe")]
    assert list(processor.reverse(rows)) == ["aß", "longe"]
    assert list(processor.reverse([np.array([0xFF, 1])])) == [""]


@pytest.mark.parametrize("header", [True, False])
def test_tables_of_examples(tmp_path: Path, header: bool) -> None:
    path = tmp_path / "t.csv"
    path.write_text(("2,3,a,b\n" if header else "") + "1.5,2,3,0\n4,5,6,1\n")
    load = csv_datasets.load_csv_with_header if header else csv_datasets.load_csv_without_header
    made = load(path, np.int64, np.float32)
    assert made.data.tolist() == [[1.5, 2, 3], [4, 5, 6]] and made.data.dtype == np.float32
    assert made.target.tolist() == [0, 1] and made.target.dtype == np.int64
    assert load(path, np.float64, np.float64, 0).target.tolist() == [1.5, 4]
    if header:
        assert csv_datasets.load_iris(path).target.tolist() == [0, 1]


def test_tables_that_are_not_there_or_not_whole(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing is downloaded"):
        csv_datasets.load_csv_with_header(tmp_path / "none", int, float)
    for text, said in (
        ("2,1\n1,0\n", "2 examples, but 1"),
        ("1,2\n1,0\n", "2 features"),
        ("", "empty"),
        ("a\n", "begin"),
    ):
        (tmp_path / "t").write_text(text)
        with pytest.raises(DataLossError, match=said):
            csv_datasets.load_csv_with_header(tmp_path / "t", int, float)
    with pytest.raises(ArgumentError, match="data_path"):
        csv_datasets.load_iris()
    with pytest.raises(ArgumentError, match="dbpedia"):
        csv_datasets.load_dataset("dbpedia")
    with pytest.raises(NotFoundError, match="put it there"):
        csv_datasets.maybe_download("f", tmp_path, "http://example.com/f")
