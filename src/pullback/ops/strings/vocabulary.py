"""Words and numbers to their places in a list, as categorical columns have them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import INTS, int64, string
from pullback.core.errors import ArgumentError
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.ops.strings.elementwise import WORDS, OnStrings, each
from pullback.ops.strings.fingerprints import farmhash64


@op
class VocabularyIds(OnStrings):
    """The place of each value in a vocabulary. x [...] -> ids [...] int64

    vocabulary: what is known, in order; words as str (bytes that are no UTF-8 by surrogates). What is not in it falls
    into one of oov_buckets behind the last place, by the hash of its text, or without buckets has default_value.
    """

    signature = "x: T -> ids: int64"
    T = (*INTS, string)
    vocabulary: tuple[Any, ...]
    oov_buckets: int = 0
    default_value: int = -1

    def check(self) -> None:
        if len(set(self.vocabulary)) != len(self.vocabulary):
            twice = sorted({str(v) for v in self.vocabulary if self.vocabulary.count(v) > 1})[:5]
            raise ArgumentError(f"VocabularyIds: Duplicate keys in vocabulary_list: {twice} stand there twice")

    def infer(self, x: Any) -> Spec:
        return Spec(x.shape, int64)

    def reference(self, x: Any) -> Any:
        return each(functools.partial(self._place, _places(self)), x, dtype=np.int64)

    def _place(self, places: dict[Any, int], value: Any) -> int:
        found = places.get(value)
        if found is not None:
            return found
        if not self.oov_buckets:
            return self.default_value
        text = value if isinstance(value, bytes) else str(value).encode()
        return len(places) + farmhash64(text) % self.oov_buckets

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(("12", "Ab c")), (WORDS,), wrt=())
        yield Sample(cls(("12",), 3), (WORDS,), wrt=(), name="buckets")
        yield Sample(cls((5, 7), 2), (np.array([7, 8, 5]),), wrt=(), name="numbers")
        yield Sample(cls(("12",), 0, 0), (WORDS[:0],), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(("a", "b", "a")), ArgumentError, "Duplicate keys"


@functools.lru_cache(32)
def _places(of: VocabularyIds) -> dict[Any, int]:
    """Value -> place."""
    words = (v.encode("utf-8", "surrogateescape") if isinstance(v, str) else v for v in of.vocabulary)
    return {v: i for i, v in enumerate(words)}
