"""Which elements come, in which order, how often: shuffle, repeat, take, cache, prefetch and the like."""

from __future__ import annotations

import fnmatch
import glob
import itertools
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, nest
from pullback.core.errors import ArgumentError, InvalidArgumentError
from pullback.data import structure
from pullback.data.dataset import INFINITE, UNKNOWN, Recipe, symbolic, whole
from pullback.data.draws import Draws, seeds
from pullback.data.structure import Leaves
from pullback.data.traced import Run, Stage
from pullback.modes.function import TensorSpec


class Ordering(Recipe):
    """Transformations that leave elements as they are."""

    def take(self, count: Any, name: str | None = None) -> Any:
        """The first `count` elements; all when count is -1."""
        limit = whole(count, "take: count")

        def elements(run: Run) -> Iterator[Leaves]:
            n = int(run.of(limit))
            return itertools.islice(self._elements(run), n) if n >= 0 else self._elements(run)

        def size(run: Run) -> int:
            have, n = self._size(run), int(run.of(limit))
            return have if n < 0 or have == UNKNOWN else n if have == INFINITE else min(have, n)

        return self._then(elements, None, symbolic(limit), size)

    def skip(self, count: Any, name: str | None = None) -> Any:
        """What follows the first `count` elements; nothing when count is -1."""
        limit = whole(count, "skip: count")

        def elements(run: Run) -> Iterator[Leaves]:
            n = int(run.of(limit))
            return itertools.islice(self._elements(run), n, None) if n >= 0 else iter(())

        def size(run: Run) -> int:
            have, n = self._size(run), int(run.of(limit))
            return 0 if n < 0 else have if have < 0 else max(have - n, 0)

        return self._then(elements, None, symbolic(limit), size)

    def repeat(self, count: Any = None, name: str | None = None) -> Any:
        """The elements `count` times; for ever when count is None or -1."""
        times = whole(-1 if count is None else count, "repeat: count")

        def elements(run: Run) -> Iterator[Leaves]:
            n = int(run.of(times))
            for i in itertools.count() if n < 0 else range(n):
                empty = True
                for leaves in self._elements(run):
                    empty = False
                    yield leaves
                if empty and i == 0:
                    return

        def size(run: Run) -> int:
            have, n = self._size(run), int(run.of(times))
            return 0 if 0 in (have, n) else have if have < 0 else INFINITE if n < 0 else have * n

        return self._then(elements, None, symbolic(times), size)

    def shuffle(
        self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: Any = None, name: str | None = None
    ) -> Any:
        """Elements in random order: each is drawn from a buffer of buffer_size, which the next one refills.

        Args:
          seed: with it (or a graph's seed) the order is the same in every program, and TensorFlow's.
          reshuffle_each_iteration: whether another iteration has another order; by default True.
        Raises:
          InvalidArgumentError: buffer_size is below 1.
        """
        size, stage = whole(buffer_size, "shuffle: buffer_size", -2), Stage()
        with interpreter.entered(self._here()):
            pair = seeds(seed)

        def elements(run: Run) -> Iterator[Leaves]:
            width = int(run.of(size))
            if width < 1 and width not in (UNKNOWN, -1):
                raise InvalidArgumentError(f"shuffle: buffer_size must be at least 1, but is {width}")
            draws = Draws(*pair)
            if reshuffle_each_iteration is not False:
                source = run.recall(stage, lambda: draws)
                draws = Draws(source.word(), source.word())
            return shuffled(self._elements(run), width, draws)

        return self._then(elements, None, symbolic(size))

    def cache(self, filename: Any = "", name: str | None = None) -> Any:
        """The elements of the first complete iteration, kept in memory for the next ones.

        Raises:
          ValueError: a file name is given; what is kept stays in memory here.
        """
        if getattr(filename, "value", filename) not in ("", b"", np.array(b"", object)):
            raise ArgumentError(
                "cache: elements are kept in memory, not in files; leave filename out, or write a TFRecord file"
            ).locate()
        stage = Stage()

        def elements(run: Run) -> Iterator[Leaves]:
            kept = run.recall(stage, list)
            if kept:
                yield from kept[0]
                return
            seen: list[Leaves] = []
            for leaves in self._elements(run):
                seen.append(leaves)
                yield leaves
            kept[:] = [seen]

        return self._then(elements)

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Any:
        """The same elements. A buffer would change when they are made, never what they are; here each is made when it
        is asked for.

        Raises:
          InvalidArgumentError: buffer_size is below -1 (AUTOTUNE).
        """
        size = whole(buffer_size, "prefetch: buffer_size", -1)
        return self._then(self._elements, None, symbolic(size))

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Any:
        """Every num_shards-th element, beginning with number `index`.

        Raises:
          InvalidArgumentError: index is not in [0, num_shards).
        """
        count, first = whole(num_shards, "shard: num_shards", 1), whole(index, "shard: index", 0)

        def pair(run: Run) -> tuple[int, int]:
            n, i = int(run.of(count)), int(run.of(first))
            if not 0 <= i < n:
                raise InvalidArgumentError(f"shard: index must be in [0, {n}), but is {i}")
            return n, i

        if not symbolic(count, first):
            try:
                pair(Run(interpreter.eager().store))
            except InvalidArgumentError as error:
                raise error.locate() from None

        def elements(run: Run) -> Iterator[Leaves]:
            n, i = pair(run)
            return itertools.islice(self._elements(run), i, None, n)

        def size(run: Run) -> int:
            have, (n, i) = self._size(run), pair(run)
            return have if have < 0 else len(range(i, have, n))

        return self._then(elements, None, symbolic(count, first), size)

    def enumerate(self, start: Any = 0, name: str | None = None) -> Any:
        """(number, element) for each element."""
        first = whole(start, "enumerate: start")

        def elements(run: Run) -> Iterator[Leaves]:
            numbers = itertools.count(int(run.of(first)))
            return ((np.asarray(i, np.int64), *leaves) for i, leaves in zip(numbers, self._elements(run), strict=False))

        return self._then(elements, (TensorSpec((), dtypes.int64), self._spec), symbolic(first))

    def concatenate(self, dataset: Any, name: str | None = None) -> Any:
        """This dataset's elements, then the other's.

        Raises:
          TypeError: they have other types or another structure.
        """
        if not structure.alike(self._spec, dataset._spec):
            raise TypeError(f"concatenate: elements {self._spec} and {dataset._spec} have different structures")
        spec = nest.mapped(structure.relaxed, self._spec, dataset._spec)

        def elements(run: Run) -> Iterator[Leaves]:
            yield from self._elements(run)
            yield from dataset._elements(run)

        def size(run: Run) -> int:
            sizes = self._size(run), dataset._size(run)
            return INFINITE if INFINITE in sizes else UNKNOWN if UNKNOWN in sizes else sum(sizes)

        return self._then(elements, spec, dataset._reads, size)

    @classmethod
    def list_files(cls, file_pattern: Any, shuffle: Any = None, seed: Any = None, name: str | None = None) -> Any:
        """The names of the files that match a pattern or one of several, in random order unless shuffle is False.

        Raises:
          InvalidArgumentError: none matches.
        """
        tensor = interpreter.as_tensor(file_pattern, here=interpreter.eager())

        def names(run: Run) -> list[bytes]:
            patterns = [p.decode() for p in np.ravel(run.of(tensor)).tolist()]
            found = sorted({name for p in patterns for name in matching(p)})
            if not found:
                raise InvalidArgumentError(f"No files matched pattern: {', '.join(patterns)}")
            return [f.encode() for f in found]

        if not symbolic(tensor):
            try:
                names(Run(interpreter.eager().store))
            except InvalidArgumentError as error:
                raise error.locate() from None

        def elements(run: Run) -> Iterator[Leaves]:
            return ((np.array(n, object),) for n in names(run))

        made = cls._new(TensorSpec((), dtypes.string), elements, symbolic(tensor), lambda run: len(names(run)))
        return made if shuffle is False else made.shuffle(2**31, seed)

    @classmethod
    def choose_from_datasets(cls, datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True) -> Any:
        """Elements of several datasets, each next one from the dataset whose number choice_dataset gives.

        stop_on_empty_dataset: ends when the chosen dataset has no more; else choices of it are passed over.

        Raises:
          TypeError: choice_dataset does not give scalars of int64.
        """
        spec, chosen = _common(datasets), getattr(choice_dataset, "_spec", None)
        if not structure.is_scalar(chosen, dtypes.int64):
            raise TypeError(f"choose_from_datasets: choice_dataset must give scalars of tf.int64, not {chosen}")

        def elements(run: Run) -> Iterator[Leaves]:
            sources = [d._elements(run) for d in datasets]
            for (choice,) in choice_dataset._elements(run):
                i = int(choice)
                if not 0 <= i < len(sources):
                    raise InvalidArgumentError(f"choose_from_datasets: choice {i} is not in [0, {len(sources)})")
                leaves = next(sources[i], None)
                if leaves is not None:
                    yield leaves
                elif stop_on_empty_dataset:
                    return

        def size(run: Run) -> int:
            return INFINITE if all(d._size(run) == INFINITE for d in (*datasets, choice_dataset)) else UNKNOWN

        reads = [t for d in (*datasets, choice_dataset) for t in d._reads]
        return datasets[0]._new(spec, elements, reads, size)

    @classmethod
    def sample_from_datasets(
        cls,
        datasets: Any,
        weights: Any = None,
        seed: Any = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: Any = None,
    ) -> Any:
        """Elements of several datasets, each next one from a dataset drawn by weights (by default all alike).

        stop_on_empty_dataset: ends when a dataset has no more; else goes on with the others.
        """
        spec, count = _common(datasets), len(datasets)
        shares = np.full(count, 1 / count) if weights is None else np.asarray(weights, np.float64)
        if shares.shape != (count,):
            raise ValueError(f"sample_from_datasets: {count} datasets need as many weights, not {shares.shape}")
        with interpreter.entered(cls._here()):
            pair = seeds(seed)
        stage = Stage()

        def elements(run: Run) -> Iterator[Leaves]:
            draws = Draws(*pair)
            if rerandomize_each_iteration:
                source = run.recall(stage, lambda: draws)
                draws = Draws(source.word(), source.word())
            return sampled([d._elements(run) for d in datasets], shares.copy(), draws, stop_on_empty_dataset)

        def size(run: Run) -> int:
            return INFINITE if all(d._size(run) == INFINITE for d in datasets) else UNKNOWN

        return datasets[0]._new(spec, elements, [t for d in datasets for t in d._reads], size)


def shuffled(elements: Iterator[Leaves], width: int, draws: Draws) -> Iterator[Leaves]:
    """Each element drawn from the next `width` ones (all, when negative)."""
    buffer: deque[Leaves] = deque()
    while True:
        if width < 0:
            buffer.extend(elements)
        else:
            buffer.extend(itertools.islice(elements, width - len(buffer)))
        if not buffer:
            return
        at = draws.word() % len(buffer)
        chosen = buffer[at]
        buffer[at] = buffer[0]
        buffer.popleft()
        yield chosen


def sampled(sources: list[Any], shares: Any, draws: Draws, stop: bool) -> Iterator[Leaves]:
    """Elements of sources drawn by their shares, until all are empty (one is, with `stop`)."""
    while shares.sum() > 0:
        edges = np.cumsum(shares / shares.sum())
        i = int(np.searchsorted(edges, draws.word() / 2**32, side="right"))
        i = min(i, int(np.flatnonzero(shares)[-1]))
        leaves = next(sources[i], None)
        if leaves is not None:
            yield leaves
        elif stop:
            return
        else:
            shares[i] = 0


def matching(pattern: str) -> list[str]:
    """The files that match a pattern; a name without wildcards matches the file that bears it."""
    return [name for name in glob.glob(pattern) if fnmatch.fnmatch(name, pattern) or name == pattern]


def _common(datasets: Any) -> Any:
    """The spec that covers the elements of several datasets."""
    if not datasets:
        raise ValueError("at least one dataset must be given")
    spec = datasets[0]._spec
    for d in datasets[1:]:
        spec = nest.mapped(structure.relaxed, spec, d._spec)
    return spec
