"""`tf.contrib.learn.preprocessing`: words of documents as numbers, by a vocabulary that is learned from them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from pullback.contrib.arg_scope import contrib
from pullback.core.errors import ArgumentError, DataLossError
from pullback.io import atomic

_SPACES = "learn.preprocessing"
_KIND = "pullback vocabulary processor"
# Capitals that are no word's beginning, a capitalised part of CamelCase, or what is between spaces and signs.
_WORDS = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|[\'\w\-]+", re.UNICODE)


@contrib(_SPACES, "tokenizer")
def tokenizer(iterator: Iterable[str]) -> Iterator[list[str]]:
    """The words of each document: "TensorFlow's NaN, 3-d" has "Tensor", "Flow's", "Na", "N", "3-d"."""
    for value in iterator:
        yield _WORDS.findall(value)


@contrib(_SPACES, "ByteProcessor")
class ByteProcessor:
    """Documents as their bytes in UTF-8, cut or filled up with zeros to max_document_length."""

    def __init__(self, max_document_length: int) -> None:
        self.max_document_length = max_document_length

    def fit(self, x: Any) -> None:
        """Does nothing: there is nothing to learn."""

    def fit_transform(self, x: Iterable[Any]) -> Iterator[Any]:
        """`transform`."""
        return self.transform(x)

    def reverse(self, x: Iterable[Any]) -> Iterator[str]:
        """The text of rows of bytes, without the zeros behind it; "" for what is no UTF-8."""
        for row in x:
            try:
                yield np.trim_zeros(np.asarray(row).astype(np.uint8), trim="b").tobytes().decode("utf-8")
            except UnicodeDecodeError:
                yield ""

    def transform(self, x: Iterable[str | bytes]) -> Iterator[Any]:
        """uint8 [max_document_length] for each document."""
        for document in x:
            data = document.encode("utf-8") if isinstance(document, str) else bytes(document)
            row = np.frombuffer(data[: self.max_document_length], np.uint8)
            yield np.pad(row, (0, self.max_document_length - len(row)))


@contrib(_SPACES, "CategoricalVocabulary")
class CategoricalVocabulary:
    """Numbers for categories, in the order in which they are first asked for; 0 is the unknown one.

    Args:
      unknown_token: what 0 is called. support_reverse: whether `reverse` is wanted.
    """

    def __init__(self, unknown_token: str = "<UNK>", support_reverse: bool = True) -> None:
        self._unknown_token, self._support_reverse = unknown_token, support_reverse
        self._mapping: dict[Any, int] = {unknown_token: 0}
        self._reverse_mapping: list[Any] = [unknown_token]
        self._freq: dict[Any, int] = {}
        self._freeze = False

    def __len__(self) -> int:
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """Whether categories that come from now on are unknown."""
        self._freeze = freeze

    def get(self, category: Any) -> int:
        """The category's number; a new one, unless the vocabulary is frozen."""
        if category not in self._mapping:
            if self._freeze:
                return 0
            self._mapping[category] = len(self._mapping)
            self._reverse_mapping.append(category)
        return self._mapping[category]

    def add(self, category: Any, count: int = 1) -> None:
        """Counts the category; the unknown one is not counted."""
        if self.get(category) > 0:
            self._freq[category] = self._freq.get(category, 0) + count

    def trim(self, min_frequency: int, max_frequency: int = -1) -> None:
        """Keeps the categories counted more than min_frequency times, and (if it is above 0) less than max_frequency
        times, and numbers them anew: the most frequent first, those of one frequency in order of the alphabet."""
        ordered = sorted(self._freq.items(), key=lambda item: (isinstance(item[0], str), item[0]))
        ordered.sort(key=lambda item: -item[1])
        kept = [(c, n) for c, n in ordered if n > min_frequency and not 0 < max_frequency <= n]
        self._reverse_mapping = [self._unknown_token, *(category for category, _ in kept)]
        self._mapping = {category: i for i, category in enumerate(self._reverse_mapping)}
        self._freq = dict(kept)

    def reverse(self, class_id: int) -> Any:
        """The category of a number.

        Raises:
          ValueError: the vocabulary was made with support_reverse=False.
        """
        if not self._support_reverse:
            raise ValueError("This vocabulary wasn't initialized with support_reverse to support reverse() function.")
        return self._reverse_mapping[class_id]


@contrib(_SPACES, "VocabularyProcessor")
class VocabularyProcessor:
    """Documents as the numbers of their words.

    Args:
      max_document_length: documents are cut to so many words, or filled up with 0.
      min_frequency: `fit` keeps only words that it saw more often (0: all).
      vocabulary: a CategoricalVocabulary, if there is one. tokenizer_fn: documents -> lists of words; `tokenizer` by
        default.
    """

    def __init__(
        self,
        max_document_length: int,
        min_frequency: int = 0,
        vocabulary: CategoricalVocabulary | None = None,
        tokenizer_fn: Callable[[Iterable[str]], Iterable[Any]] | None = None,
    ) -> None:
        self.max_document_length, self.min_frequency = max_document_length, min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents: Iterable[str], unused_y: Any = None) -> VocabularyProcessor:
        """Learns the vocabulary, which then takes no further words."""
        for words in self._tokenizer(raw_documents):
            for word in words:
                self.vocabulary_.add(word)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(self, raw_documents: Any, unused_y: Any = None) -> Iterator[Any]:
        """`fit`, then `transform`; the documents are gone through twice."""
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> Iterator[Any]:
        """int64 [max_document_length] for each document: its words' numbers, then zeros."""
        for words in self._tokenizer(raw_documents):
            ids = np.zeros(self.max_document_length, np.int64)
            for i, word in enumerate(words):
                if i >= self.max_document_length:
                    break
                ids[i] = self.vocabulary_.get(word)
            yield ids

    def reverse(self, documents: Iterable[Any]) -> Iterator[str]:
        """The words of rows of numbers, a space between."""
        for row in documents:
            yield " ".join(str(self.vocabulary_.reverse(int(i))) for i in row)

    def save(self, filename: Any) -> None:
        """Writes the processor as JSON (TensorFlow wrote a pickle). A tokenizer_fn cannot be written: its name is.

        Raises:
          ValueError: a category is neither text nor a number.
        """
        words = self.vocabulary_
        if not all(isinstance(c, (str, int, float)) for c in words._reverse_mapping):
            raise ArgumentError("VocabularyProcessor.save: categories must be text or numbers").locate()
        own = None if self._tokenizer is tokenizer else getattr(self._tokenizer, "__qualname__", "a function")
        content = {
            "kind": _KIND,
            "max_document_length": self.max_document_length,
            "min_frequency": self.min_frequency,
            "tokenizer_fn": own,
            "support_reverse": words._support_reverse,
            "frozen": words._freeze,
            "categories": words._reverse_mapping,
            "counts": [words._freq.get(c, 0) for c in words._reverse_mapping],
        }
        atomic.write(str(filename), json.dumps(content, ensure_ascii=False).encode())

    @classmethod
    def restore(cls, filename: Any) -> VocabularyProcessor:
        """The processor of a file that `save` wrote. One that had a tokenizer_fn of its own knows its vocabulary, and
        transforms once `_tokenizer` is set to that function again.

        Raises:
          DataLossError: the file is another one, as TensorFlow's: those are pickles, which could run anything.
        """
        with open(filename, "rb") as file:
            content = _parsed(str(filename), file.read())
        words = CategoricalVocabulary(content["categories"][0], content["support_reverse"])
        words._reverse_mapping = content["categories"]
        words._mapping = {category: i for i, category in enumerate(content["categories"])}
        words._freq = {c: n for c, n in zip(content["categories"], content["counts"], strict=True) if n}
        words._freeze = content["frozen"]
        own = content["tokenizer_fn"]
        return cls(
            content["max_document_length"], content["min_frequency"], words, None if own is None else _missing(own)
        )


def _parsed(name: str, data: bytes) -> dict[str, Any]:
    """What a file of `VocabularyProcessor.save` holds.

    Raises:
      DataLossError: it is another file.
    """
    try:
        content = json.loads(data.decode("utf-8"))
        if content["kind"] == _KIND and len(content["categories"]) == len(content["counts"]) > 0:
            return content
        found = "another JSON file"
    except (ValueError, TypeError, KeyError):
        found = "a pickle" if data[:1] == b"\x80" else "another kind of file"
    raise DataLossError(
        f"VocabularyProcessor.restore: {name} is {found}, not what VocabularyProcessor.save writes here, which is "
        "JSON. TensorFlow's own files are pickles, which can run any program when they are read, so they are not read: "
        "fit the processor again on the same documents, and save it"
    )


def _missing(name: str) -> Callable[[Iterable[str]], Iterable[Any]]:
    """Stands for a tokenizer that a file cannot hold."""

    def tokenize(documents: Iterable[str]) -> Iterable[Any]:
        raise ArgumentError(
            f"this VocabularyProcessor was saved with the tokenizer {name}, which a file cannot hold: "
            "set processor._tokenizer to it"
        ).locate()

    return tokenize
