"""Candidate samplers: classes drawn as examples of what is wrong, and how often each is to be expected.

    true_classes [B, num_true] --> sampled_candidates [num_sampled], true_expected_count [B, num_true],
                                   sampled_expected_count [num_sampled]

With p the probability of a class and t draws made until num_sampled different ones were found, its expected count is
1 - (1 - p)^t; without `unique`, p num_sampled. Draws are pure functions of (key, counter), word for word TensorFlow's,
so its seeds give its candidates. Source: TensorFlow's "candidate sampling" note, and Walker 1977 for the alias table.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.dtypes import float32, int32, int64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.store import Resource, Store
from pullback.ops.random import philox
from pullback.ops.random.draws import _whole

# Words that TensorFlow sets aside for each candidate.
WORDS_EACH = 2048
_ALL32 = 2**32 - 1
_ALL64 = 2**64 - 1


def _words(key: int, counter: int) -> Callable[[], int]:
    """A function that gives the words of a stream one by one."""

    def made() -> Iterator[int]:
        at = counter
        while True:
            yield from philox.words(key, at, 1024).tolist()
            at += 256

    return made().__next__


def _double(word: Callable[[], int]) -> float:
    """A number in [0, 1) of two words, the high one first."""
    high, low = word(), word()
    return ((high & 0xFFFFF) << 32 | low) * 2.0**-52


def _below(n: int, draw: Callable[[], int], most: int) -> int:
    """An integer in [0, n), all equally likely: draws that would favour small ones are made again."""
    if n & (n - 1) == 0:
        return draw() & (n - 1)
    skewed = most % n + 1
    while (found := draw()) < skewed:
        pass
    return found % n


class _Sampler(Op):
    """Base of the samplers. A subclass says how one class is drawn, and how likely classes are."""

    signature = (
        "true_classes: int64, key: int64, counter: int64 -> "
        "sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32"
    )
    random = True
    num_true: int
    num_sampled: int
    unique: bool
    range_max: int

    def check(self) -> None:
        if self.num_true < 1 or self.num_sampled < 1 or self.range_max < 1:
            raise ArgumentError(f"{self.type}: num_true, num_sampled and range_max must be positive")
        if self.unique and self.num_sampled > self.range_max:
            raise ArgumentError(
                f"{self.type}: {self.num_sampled} different classes cannot be drawn from {self.range_max}; lower "
                "num_sampled, or say unique=False"
            )

    def infer(self, true_classes: Spec, *others: Spec) -> tuple[Spec, ...]:
        if true_classes.rank != 2 or (true_classes.shape or (0, 0))[1] not in (None, self.num_true):
            raise ShapeError(
                f"{self.type}: true_classes must be [batch, {self.num_true}], but have shape "
                f"{shape.text(true_classes.shape)}"
            )
        many = (self.num_sampled,)
        known = (true_classes.shape or (None,))[0]
        return Spec(many, int64), Spec((known, self.num_true), float32), Spec(many, float32)

    def one(self, word: Callable[[], int]) -> int:
        """A class."""
        raise NotImplementedError

    def likely(self, classes: Any) -> Any:
        """float32: the probability of each class."""
        raise NotImplementedError

    def reference(self, true_classes: Any, key: Any, counter: Any) -> Any:
        return self._sampled(true_classes, int(key), _whole(counter), self.one, self.likely)

    def _sampled(self, true_classes: Any, key: int, counter: int, one: Any, likely: Any) -> Any:
        word = _words(key, counter)
        found: list[int] = []
        seen: set[int] = set()
        tries = 0
        while len(found) < self.num_sampled:
            c, tries = one(word), tries + 1
            if not self.unique or c not in seen:
                found.append(c)
                seen.add(c)
        sampled = np.array(found, np.int64)

        def expected(classes: Any) -> Any:
            p = np.asarray(likely(classes), np.float32)
            if tries == self.num_sampled:
                return p * np.float32(tries)
            return -np.expm1(np.float32(tries) * np.log1p(-p))

        return sampled, expected(true_classes), expected(sampled)

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        key, counter = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        for unique in (True, False):
            made = cls(num_true=2, num_sampled=4, unique=unique, range_max=9)
            yield Sample(made, (np.array([[1, 2], [8, 0]]), key, counter), wrt=(), name=f"unique={unique}")
        yield Sample(cls(num_true=1, num_sampled=3, unique=True, range_max=8), (np.zeros((0, 1), int), key, counter))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(num_true=1, num_sampled=5, unique=True, range_max=4), ArgumentError, "unique=False"
        made = cls(num_true=2, num_sampled=1, unique=True, range_max=4)
        yield lambda: made(np.array([[1]]), np.asarray(1), np.array([0, 0])), ShapeError, "[batch, 2]"


@op
class UniformCandidateSampler(_Sampler):
    """All classes in [0, range_max) equally likely."""

    num_true: int = 1
    num_sampled: int = 1
    unique: bool = True
    range_max: int = 1

    def one(self, word: Callable[[], int]) -> int:
        def wide() -> int:
            low, high = word(), word()
            return low | high << 32

        return _below(self.range_max, wide, _ALL64)

    def likely(self, classes: Any) -> Any:
        return np.full(np.shape(classes), 1.0 / self.range_max, np.float32)


@op
class LogUniformCandidateSampler(_Sampler):
    """Class c with probability log((c + 2) / (c + 1)) / log(range_max + 1): as words sorted by frequency are."""

    num_true: int = 1
    num_sampled: int = 1
    unique: bool = True
    range_max: int = 1

    def one(self, word: Callable[[], int]) -> int:
        return (int(math.exp(_double(word) * math.log1p(self.range_max))) - 1) % self.range_max

    def likely(self, classes: Any) -> Any:
        c = np.asarray(classes, np.float64)
        return np.log((c + 2.0) / (c + 1.0)) / math.log1p(self.range_max)


@op
class FixedUnigramCandidateSampler(_Sampler):
    """Class c with probability weights[c] / sum(weights)."""

    num_true: int = 1
    num_sampled: int = 1
    unique: bool = True
    range_max: int = 1
    weights: tuple[float, ...] = (1.0,)

    def check(self) -> None:
        super().check()
        if len(self.weights) != self.range_max:
            raise ArgumentError(
                f"{self.type}: {len(self.weights)} weights were given for range_max={self.range_max} classes"
            )
        if min(self.weights) < 0 or sum(self.weights) <= 0:
            raise ArgumentError(f"{self.type}: weights must not be negative, and not all be 0")
        if self.unique and sum(w > 0 for w in self.weights) < self.num_sampled:
            raise ArgumentError(
                f"{self.type}: fewer than {self.num_sampled} classes have a weight; lower num_sampled, or say "
                "unique=False"
            )

    def one(self, word: Callable[[], int]) -> int:
        kept, other = _alias(self.weights)
        r = np.float32((word() & 0x7FFFFF) * 2.0**-23)
        i = _below(self.range_max, word, _ALL32)
        return i if r < kept[i] else other[i]

    def likely(self, classes: Any) -> Any:
        weights, c = np.array(self.weights, np.float32), np.asarray(classes)
        there = (c >= 0) & (c < self.range_max)
        return np.where(there, weights[np.where(there, c, 0)], 0) / weights.sum(dtype=np.float32)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        key, counter = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        for unique in (True, False):
            made = cls(2, 3, unique, 5, (1.0, 0.5, 2.0, 0.0, 4.0))
            yield Sample(made, (np.array([[1, 2], [4, 0]]), key, counter), wrt=(), name=f"unique={unique}")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(1, 1, True, 3, (1.0,)), ArgumentError, "weights were given"
        yield lambda: cls(1, 2, True, 2, (1.0, 0.0)), ArgumentError, "have a weight"


@functools.lru_cache(16)
def _alias(weights: tuple[float, ...]) -> tuple[list[Any], list[int]]:
    """Walker's table: place i keeps its own class with probability kept[i], else stands for other[i]."""
    n = len(weights)
    total = np.float32(0)
    for w in weights:
        total += np.float32(w)
    share = [np.float32(w) * (np.float32(n) / total) for w in weights]
    other = [-1] * n
    low = [i for i in range(n) if share[i] < 1]
    high = [i for i in range(n) if share[i] >= 1]
    while high and low:
        a, b = low.pop(), high.pop()
        other[a] = b
        share[b] = np.float32(float(share[b]) - (1.0 - float(share[a])))
        (low if share[b] < 1 else high).append(b)
    for i in (*high, *low):
        share[i] = np.float32(1)
    return share, other


@op
class LearnedUnigramCandidateSampler(_Sampler):
    """Class c with probability (1 + how often it was a true class so far) / the sum of these. `counts` keeps them."""

    signature = (
        "true_classes: int64, counts: resource, key: int64, counter: int64 -> "
        "sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32"
    )
    takes_store = True
    effect = True
    num_true: int = 1
    num_sampled: int = 1
    unique: bool = True
    range_max: int = 1

    def reference(self, store: Store, true_classes: Any, counts: Resource, key: Any, counter: Any) -> Any:
        outside = (true_classes < 0) | (true_classes >= self.range_max)
        if outside.any():
            raise ArgumentError(
                f"{self.type}: classes must be in [0, {self.range_max}), but one is {true_classes[outside][0]}"
            )
        seen = store.get(counts)
        seen = np.ones(self.range_max, np.int64) if seen is None else seen
        ends = np.cumsum(seen)
        total = int(ends[-1])

        def one(word: Callable[[], int]) -> int:
            return int(np.searchsorted(ends, _below(total, word, _ALL32), side="right"))

        def likely(classes: Any) -> Any:
            return (seen[classes] / total).astype(np.float32)

        made = self._sampled(true_classes, int(key), _whole(counter), one, likely)
        store.write(counts, seen + np.bincount(np.ravel(true_classes), minlength=self.range_max))
        return made

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        held = Resource("counts", Spec((9,), int64))
        key, counter = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        yield Sample(cls(2, 4, True, 9), (np.array([[1, 2], [8, 0]]), held, key, counter), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(num_true=1, num_sampled=5, unique=True, range_max=4), ArgumentError, "unique=False"


@op
class AllCandidateSampler(Op):
    """Every class: candidates 0, 1, ..., each expected once."""

    signature = (
        "true_classes: int64 -> sampled_candidates: int64, true_expected_count: float32, "
        "sampled_expected_count: float32"
    )
    num_true: int = 1
    num_sampled: int = 1
    unique: bool = True

    infer = _Sampler.infer

    def reference(self, true_classes: Any) -> Any:
        many = self.num_sampled
        return np.arange(many), np.ones(np.shape(true_classes), np.float32), np.ones(many, np.float32)

    def grad(self, node: Any, *dys: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(2, 3), (np.array([[1, 2], [2, 0]]),), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(2, 3)(np.array([1])), ShapeError, "[batch, 2]"


@op
class ComputeAccidentalHits(Op):
    """Where a sampled candidate is a true class: indices [k] of examples, ids [k] of candidates' places, weights [k].

    Weights are the least float: added to a candidate's logit they take it out.
    """

    signature = "true_classes: int64, sampled_candidates: int64 -> indices: int32, ids: int64, weights: float32"
    num_true: int = 1

    def infer(self, true_classes: Spec, sampled: Spec) -> tuple[Spec, ...]:
        if true_classes.rank != 2 or (true_classes.shape or (0, 0))[1] not in (None, self.num_true):
            raise ShapeError(
                f"{self.type}: true_classes must be [batch, {self.num_true}], but have shape "
                f"{shape.text(true_classes.shape)}"
            )
        if sampled.rank != 1:
            raise ShapeError(f"{self.type}: sampled_candidates must be a vector, not {shape.text(sampled.shape)}")
        return Spec((None,), int32), Spec((None,), int64), Spec((None,), float32)

    def reference(self, true_classes: Any, sampled: Any) -> Any:
        place = {int(c): i for i, c in enumerate(sampled)}
        hits = [(b, place[int(c)]) for b, row in enumerate(true_classes) for c in row if int(c) in place]
        rows, places = zip(*hits, strict=True) if hits else ((), ())
        least = np.full(len(hits), -np.finfo(np.float32).max, np.float32)
        return np.array(rows, np.int32), np.array(places, np.int64), least

    def grad(self, node: Any, *dys: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(2), (np.array([[1, 2], [5, 0], [7, 7]]), np.array([5, 2, 0, 9])), wrt=())
        yield Sample(cls(1), (np.array([[1], [2]]), np.array([5])), wrt=(), name="no hits")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(2)(np.array([1]), np.array([1])), ShapeError, "[batch, 2]"
        yield lambda: cls(1)(np.array([[1]]), np.array([[1]])), ShapeError, "a vector"
