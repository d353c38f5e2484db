"""Random ops: pure functions of (key, counter). Drawing the counter is the only effect.

    stream --DrawCounter--> key, counter --RandomUniform(shape)--> numbers
    seed   --StatelessRandomGetKeyCounter--> key, counter --StatelessRandomUniformV2(shape)--> numbers

A stream is a Resource whose value, a key and the next counter, lives in the Store of who runs the op. So each run of
a session goes on where the last one ended, two sessions draw the same sequence, and a draw that is recomputed from
the same counter is the same draw. Counters advance as TensorFlow's kernels
advance theirs, so its seeds give its numbers.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.dtypes import ANY, INTS, REALS, DType, float32, float64, int32, int64, uint64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.core.store import Resource, Store
from pullback.ops.random import philox

_LOW64 = 2**64 - 1
# Words that TensorFlow sets aside for each number drawn: 256 blocks of four.
WORDS_EACH = 1024
# What a stream holds: the key, and the low and high halves of the next counter.
STREAM = Spec((3,), uint64)
_lock = threading.Lock()


def _signed(word: int) -> int:
    """The 64 bits as an int64."""
    word &= _LOW64
    return word - 2**64 if word >> 63 else word


def _halves(counter: int) -> Any:
    return np.array([_signed(counter), _signed(counter >> 64)], np.int64)


def _whole(counter: Any) -> int:
    """The 128-bit counter of its two halves, low one first."""
    low, high = counter.tolist()
    return (low & _LOW64) | (high & _LOW64) << 64


@op
class DrawCounter(Op):
    """Takes the next counters of a stream: enough for `words` words a number of this shape.

    seed, seed2: where the stream starts; both 0: anywhere, chosen when it is first drawn from.
    """

    signature = "stream: resource, shape: int32|int64 -> key: int64, counter: int64"
    takes_store = True
    effect = True
    seed: int = 0
    seed2: int = 0
    words: int = WORDS_EACH

    def infer(self, stream: Spec, shape_: Spec) -> tuple[Spec, ...]:
        return Spec((), int64), Spec((2,), int64)

    def reference(self, store: Store, stream: Resource, shape_: Any) -> tuple[Any, ...]:
        blocks = -(-max(math.prod(shape_.tolist()), 0) * self.words // 4)
        with _lock:
            state = store.get(stream)
            key, counter = self._start() if state is None else (int(state[0]), int(state[1]) | int(state[2]) << 64)
            after = counter + blocks
            store.write(stream, np.array([key, after & _LOW64, after >> 64 & _LOW64], np.uint64))
        return np.asarray(_signed(key), np.int64), _halves(counter)

    def _start(self) -> tuple[int, int]:
        if self.seed == self.seed2 == 0:
            drawn = int.from_bytes(os.urandom(16), "little")
            return philox.from_seeds(drawn & _LOW64, drawn >> 64)
        return philox.from_seeds(self.seed, self.seed2)

    def grad(self, node: Any, *dys: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(1, 2), (Resource("stream", STREAM), np.array([2, 3])), wrt=())
        yield Sample(cls(1, 2, 1), (Resource("stream", STREAM), np.array([0])), wrt=(), name="nothing drawn")


@op
class StatelessRandomGetKeyCounter(Op):
    """Where the draws of a pair of seeds start. seed [2] -> key [], counter [2]"""

    signature = "seed: Tseed -> key: int64, counter: int64"
    Tseed = (int32, int64)

    def infer(self, seed: Spec) -> tuple[Spec, ...]:
        if not shape.compatible(seed.shape, (2,)):
            raise ShapeError(f"stateless random ops: seed must have shape [2], not {shape.text(seed.shape)}")
        return Spec((), int64), Spec((2,), int64)

    def reference(self, seed: Any) -> tuple[Any, ...]:
        key, counter = philox.scrambled(*seed.tolist())
        return np.asarray(_signed(key), np.int64), _halves(counter)

    def grad(self, node: Any, *dys: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([1, -2], np.int32),), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.arange(3)), ShapeError, "shape [2]"


class _Draw(Op):
    """Base of ops that fill a shape with numbers. The last two inputs are key and counter."""

    static = (0,)
    dtype: DType

    def infer(self, shape_: Spec, *others: Spec) -> Spec:
        if shape_.rank not in (1, None):
            raise ShapeError(
                f"{self.type}: shape must be a vector of sizes, but its own shape is {shape.text(shape_.shape)}"
            )
        wanted = known_vector(shape_)
        if wanted is not None and any(n is not None and n < 0 for n in wanted):
            raise ShapeError(f"{self.type}: sizes must not be negative, but shape is {shape.text(wanted)}")
        return Spec(wanted, self.parsed.outputs(self, (shape_, *others))[0])

    def reference(self, shape_: Any, *inputs: Any) -> Any:
        *limits, key, counter = inputs
        sizes = tuple(np.ravel(shape_).tolist())
        if any(n < 0 for n in sizes):
            raise ShapeError(f"{self.type}: sizes must not be negative, but shape is {shape.text(sizes)}")
        return self.draw(int(key), _whole(counter), sizes, *limits)

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        """The numbers."""
        raise NotImplementedError

    def grad(self, node: Any, dy: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        key, counter = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        for dtype in REALS:
            yield Sample(cls(dtype), ((3, 2), key, counter), wrt=(), smooth=False, name=dtype.name)
        yield Sample(cls(), ((0, 2), key, counter), wrt=(), name="empty")
        yield Sample(cls(float64), ((), key, counter), wrt=(), name="scalar")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()((2, -1), np.asarray(1), np.array([0, 0])), ShapeError, "negative"
        yield lambda: cls()(3, np.asarray(1), np.array([0, 0])), ShapeError, "vector"


class _Uniform(_Draw):
    signature = "shape: int32|int64, key: int64, counter: int64 -> output: dtype"

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        return philox.uniform(key, counter, sizes, self.dtype)


class _Normal(_Draw):
    signature = "shape: int32|int64, key: int64, counter: int64 -> output: dtype"

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        return philox.normal(key, counter, sizes, self.dtype)


class _Truncated(_Draw):
    signature = "shape: int32|int64, key: int64, counter: int64 -> output: dtype"

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        return philox.truncated_normal(key, counter, sizes, self.dtype)


class _Integers(_Draw):
    signature = "shape: int32|int64, minval: Tout, maxval: Tout, key: int64, counter: int64 -> output: Tout"
    Tout = INTS

    def infer(self, shape_: Spec, low: Spec, high: Spec, *others: Spec) -> Spec:
        for limit in (low, high):
            if limit.rank not in (0, None):
                raise ShapeError(f"{self.type}: minval and maxval must be scalars, not {shape.text(limit.shape)}")
        return super().infer(shape_, low, high, *others)

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        low, high = (int(n) for n in limits)
        if low >= high and math.prod(sizes):
            raise ArgumentError(f"{self.type}: Need minval < maxval, got {low} >= {high}")
        if not math.prod(sizes):
            return np.zeros(sizes, limits[0].dtype)
        return philox.integers(key, counter, sizes, low, high, limits[0].dtype)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        key, counter = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        for dtype in (np.int32, np.int64):
            limits = (np.asarray(-3, dtype), np.asarray(4, dtype))
            yield Sample(cls(), ((3, 2), *limits, key, counter), name=np.dtype(dtype).name)
            yield Sample(cls(), ((0,), *limits, key, counter), name=f"empty {np.dtype(dtype).name}")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()((2,), 3, 3, np.asarray(1), np.array([0, 0])), ArgumentError, "minval < maxval"
        yield lambda: cls()((2,), [1, 2], 3, np.asarray(1), np.array([0, 0])), ShapeError, "scalars"


@op
class RandomUniform(_Uniform):
    """Numbers in [0, 1), all equally likely."""

    random = True
    dtype: DType = float32


@op
class RandomStandardNormal(_Normal):
    """Draws from N(0, 1)."""

    random = True
    dtype: DType = float32


@op
class TruncatedNormal(_Truncated):
    """Draws from N(0, 1), those at 2 or beyond drawn again."""

    random = True
    dtype: DType = float32


@op
class RandomUniformInt(_Integers):
    """Integers in [minval, maxval), all equally likely but for the remainder of 2^32 by their number."""

    random = True


@op
class StatelessRandomUniformV2(_Uniform):
    """Numbers in [0, 1), all equally likely."""

    dtype: DType = float32


@op
class StatelessRandomNormalV2(_Normal):
    """Draws from N(0, 1)."""

    dtype: DType = float32


@op
class StatelessTruncatedNormalV2(_Truncated):
    """Draws from N(0, 1), those at 2 or beyond drawn again."""

    dtype: DType = float32


@op
class StatelessRandomUniformIntV2(_Integers):
    """Integers in [minval, maxval), all equally likely but for the remainder of 2^32 by their number."""


@op
class StatelessRandomUniformFullIntV2(_Draw):
    """Integers over the whole range of their type."""

    signature = "shape: int32|int64, key: int64, counter: int64 -> output: dtype"
    dtype: DType = int32

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        return philox.bits(key, counter, sizes, self.dtype)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for dtype in (int32, int64, uint64):
            yield Sample(cls(dtype), ((3,), np.asarray(7), np.array([3, 5])), name=dtype.name)


@op
class RandomShuffle(Op):
    """The rows of a tensor in a random order; each order is equally likely. value [n, ...] -> output [n, ...]

    Row i of the output is row at[i] of the value; row i of the value went to back[i].
    """

    signature = "value: T, key: int64, counter: int64 -> output: T; at: int64, back: int64"
    T = ANY
    random = True

    def infer(self, value: Spec, key: Spec, counter: Spec) -> tuple[Spec, ...]:
        if not value.shape:
            raise ShapeError("RandomShuffle: value must have at least one axis, but it is a scalar")
        return Spec(value.shape, value.dtype), Spec(value.shape[:1], int64), Spec(value.shape[:1], int64)

    def reference(self, value: Any, key: Any, counter: Any) -> tuple[Any, ...]:
        n = len(value)
        order = list(range(n))
        steps = philox.words(int(key), _whole(counter), max(n - 1, 0)).tolist()
        for i, word in enumerate(steps):  # Fisher and Yates
            j = i + word % (n - i)
            order[i], order[j] = order[j], order[i]
        at = np.array(order, np.int64)
        return value[at], at, np.argsort(at)

    def grad(self, node: Any, *dys: Any) -> Any:
        back = node.results[2]
        return (None if dys[0] is None else REGISTRY["GatherV2"]()(dys[0], back, 0)), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        key, counter = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        yield Sample(cls(), (rng.normal(size=(5, 2)), key, counter), wrt=(0,))
        yield Sample(cls(), (np.arange(4), key, counter), name="int64")
        yield Sample(cls(), (np.ones((0, 2)), key, counter), wrt=(0,), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.asarray(1.0), np.asarray(1), np.array([0, 0])), ShapeError, "scalar"
