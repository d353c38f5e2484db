"""keras.preprocessing: sequences of equal length, and words as numbers."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.names import public

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


@public("keras.preprocessing.sequence.pad_sequences", "keras.utils.pad_sequences")
def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Any:
    """Sequences as an array of one length [n, maxlen, ...].

    Args:
      maxlen: the longest's by default. padding, truncating: "pre" at the beginning, "post" at the end.
      value: what is put in.
    Raises:
      ValueError: a sequence has no length, entries differ in shape, or padding or truncating is not known.
    """
    for name, word in (("padding", padding), ("truncating", truncating)):
        if word not in ("pre", "post"):
            raise ArgumentError(f'{name} must be "pre" or "post", not {word!r}').locate()
    if not all(hasattr(s, "__len__") for s in sequences):
        raise ArgumentError("`sequences` must be a list of iterables.").locate()
    longest = max((len(s) for s in sequences), default=0) if maxlen is None else maxlen
    inner = next((np.asarray(s).shape[1:] for s in sequences if len(s)), ())
    kind = getattr(dtype, "numpy", dtype)
    if isinstance(value, str) and kind is not object and not np.issubdtype(kind, np.str_):
        raise ArgumentError(f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}").locate()
    out = np.full((len(sequences), longest, *inner), value, kind)
    for i, s in enumerate(sequences):
        if not len(s) or not longest:
            continue
        kept = np.asarray(s[-longest:] if truncating == "pre" else s[:longest], kind)
        if kept.shape[1:] != inner:
            raise ArgumentError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {i} is different from expected {inner}"
            ).locate()
        if padding == "pre":
            out[i, -len(kept) :] = kept
        else:
            out[i, : len(kept)] = kept
    return out


@public("keras.preprocessing.text.text_to_word_sequence")
def text_to_word_sequence(input_text: str, filters: str = _FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text. filters: characters that count as `split`."""
    text = input_text.lower() if lower else input_text
    text = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [w for w in text.split(split) if w]


@public("keras.preprocessing.text.Tokenizer")
class Tokenizer:
    """Words as numbers, the most frequent first, from 1.

    Args:
      num_words: only numbers below it are given. filters, lower, split: how texts become words.
      char_level: characters are the words. oov_token: stands for words that were not counted. analyzer: text -> words.
      document_count: texts that count as read.
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = _FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: Any = None,
        analyzer: Any = None,
        **kwargs: Any,
    ) -> None:
        self.document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.word_counts: collections.OrderedDict[Any, int] = collections.OrderedDict()
        self.word_docs: dict[Any, int] = collections.defaultdict(int)
        self.index_docs: dict[int, int] = collections.defaultdict(int)
        self.word_index: dict[Any, int] = {}
        self.index_word: dict[int, Any] = {}

    def _words(self, text: Any) -> Iterable[Any]:
        if self.char_level or isinstance(text, list):
            if not self.lower:
                return text
            return [w.lower() for w in text] if isinstance(text, list) else text.lower()
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Counts the words of texts, and numbers them."""
        for text in texts:
            self.document_count += 1
            words = list(self._words(text))
            for w in words:
                self.word_counts[w] = self.word_counts.get(w, 0) + 1
            for w in set(words):
                self.word_docs[w] += 1
        ordered = [w for w, _ in sorted(self.word_counts.items(), key=lambda pair: -pair[1])]
        first = [] if self.oov_token is None else [self.oov_token]
        self.word_index = {w: i for i, w in enumerate([*first, *ordered], 1)}
        self.index_word = {i: w for w, i in self.word_index.items()}
        self.index_docs = {self.word_index[w]: n for w, n in self.word_docs.items()}

    def fit_on_sequences(self, sequences: Iterable[Any]) -> None:
        """Counts in how many sequences of numbers each one is, for `sequences_to_matrix`."""
        for numbers in sequences:
            self.document_count += 1
            for i in set(numbers):
                self.index_docs[i] = self.index_docs.get(i, 0) + 1

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """For each text the numbers of its words; words that were not counted are left out, or the oov_token's."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterable[list[int]]:
        """As `texts_to_sequences`, one after the other."""
        unknown = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for text in texts:
            found = []
            for w in self._words(text):
                i = self.word_index.get(w)
                if i is None or (self.num_words and i >= self.num_words):
                    i = unknown
                if i is not None:
                    found.append(i)
            yield found

    def sequences_to_texts(self, sequences: Iterable[Any]) -> list[str]:
        """The words of numbers, joined by spaces."""
        oov, out = self.oov_token, []
        for numbers in sequences:
            known = [oov if self.num_words and i >= self.num_words else self.index_word.get(int(i)) for i in numbers]
            words = [oov if w is None else w for w in known]
            out.append(" ".join(str(w) for w in words if w is not None))
        return out

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> Any:
        """For each text a row of figures, one for each word; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> Any:
        """For each sequence a row of figures, one for each number.

        mode: "binary" whether it is there, "count" how often, "freq" how often of all, "tfidf" weighed by rarity.
        Raises:
          ValueError: mode is not known, or nothing was counted.
        """
        if mode not in ("binary", "count", "freq", "tfidf"):
            raise ArgumentError(f"Unknown vectorization mode: {mode}").locate()
        width = self.num_words or (len(self.word_index) + 1 if self.word_index else 0)
        if not width or (mode == "tfidf" and not self.document_count):
            raise ArgumentError("Specify a dimension (`num_words` argument), or fit on some text data first.").locate()
        out = np.zeros((len(sequences), width))
        for row, numbers in enumerate(sequences):
            for i, n in collections.Counter(i for i in numbers if i < width).items():
                out[row, i] = {"binary": 1, "count": n, "freq": n / max(len(numbers), 1)}.get(mode, 0)
                if mode == "tfidf":
                    rare = np.log(1 + self.document_count / (1 + self.index_docs.get(i, 0)))
                    out[row, i] = (1 + np.log(n)) * rare
        return out

    def get_config(self) -> dict[str, Any]:
        """What the tokenizer knows; dictionaries as JSON."""
        plain = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        held = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {k: getattr(self, k) for k in plain} | {k: json.dumps(getattr(self, k)) for k in held}

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as JSON."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)
