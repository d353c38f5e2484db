"""Strings to bucket numbers, by hashes that are TensorFlow's bit by bit. x [...] -> y [...] int64"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import int64
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.strings.elementwise import WORDS, OneString, each
from pullback.ops.strings.fingerprints import farmhash64, murmur64, siphash24


class _Buckets(OneString):
    """Base: a hash of each string, modulo num_buckets."""

    signature = "x: string -> y: int64"
    num_buckets: int
    own_fields = ("num_buckets",)

    def check(self) -> None:
        if self.num_buckets < 1:
            raise ArgumentError(f"{self.type}: num_buckets must be at least 1, not {self.num_buckets}")

    def infer(self, x: Any) -> Spec:
        return Spec(x.shape, int64)

    def reference(self, x: Any) -> Any:
        return each(lambda value: self.of(value) % self.num_buckets, x, dtype=np.int64)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(7), (WORDS,), wrt=())
        yield Sample(cls(1 << 40), (WORDS[:0],), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(0), ArgumentError, "num_buckets must be at least 1"


@op
class StringToHashBucketFast(_Buckets):
    """FarmHash's Fingerprint64 of each string, modulo num_buckets."""

    def of(self, value: bytes) -> int:
        return farmhash64(value)


@op
class StringToHashBucket(_Buckets):
    """MurmurHash64A of each string, modulo num_buckets."""

    def of(self, value: bytes) -> int:
        return murmur64(value)


@op
class StringToHashBucketStrong(_Buckets):
    """SipHash-2-4 of each string under a key of two numbers, modulo num_buckets."""

    key: tuple[int, int] = (0, 0)

    def check(self) -> None:
        super().check()
        if len(self.key) != 2:
            raise ArgumentError(f"StringToHashBucketStrong: key must be two numbers, but {len(self.key)} were given")

    def of(self, value: bytes) -> int:
        first, second = (k % (1 << 64) for k in self.key)
        return siphash24(value, (first, second))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(7, (1, 2)), (WORDS,), wrt=())


@public("strings.to_hash_bucket_fast", v1=("strings.to_hash_bucket_fast", "string_to_hash_bucket_fast"))
def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """The bucket each string falls into: its 64-bit FarmHash fingerprint modulo num_buckets. int64, input's shape.

    The same everywhere and always, but no defence against strings chosen to collide: see `to_hash_bucket_strong`.
    Raises:
      ArgumentError: num_buckets is below 1.
    """
    return StringToHashBucketFast(int(num_buckets))(input, name=name)


@public("strings.to_hash_bucket_strong", v1=("strings.to_hash_bucket_strong", "string_to_hash_bucket_strong"))
def to_hash_bucket_strong(input: Any, num_buckets: int, key: Any, name: str | None = None) -> Tensor:
    """The bucket each string falls into, by SipHash under a secret key of two 64-bit numbers. int64, input's shape.

    Raises:
      ArgumentError: num_buckets is below 1, or key does not have two entries.
    """
    return StringToHashBucketStrong(int(num_buckets), tuple(int(k) for k in key))(input, name=name)


@public("strings.to_hash_bucket", v1=None)
def to_hash_bucket(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """The bucket each string falls into, by the hash that TensorFlow 2.21 has here.

    TensorFlow says that it may change; new programs take `to_hash_bucket_fast`. int64, input's shape."""
    return StringToHashBucket(int(num_buckets))(input, name=name)


@public(v1=("strings.to_hash_bucket", "string_to_hash_bucket"))
def to_hash_bucket_v1(
    string_tensor: Any = None, num_buckets: Any = None, name: str | None = None, input: Any = None
) -> Tensor:
    """As `to_hash_bucket`; string_tensor and input are two names of one argument.

    Raises:
      ValueError: not exactly one of them is given. TypeError: num_buckets is not given.
    """
    if (string_tensor is None) == (input is None):
        raise ValueError("string_to_hash_bucket: give one of string_tensor and input")
    if num_buckets is None:
        raise TypeError("string_to_hash_bucket: num_buckets must be given")
    return to_hash_bucket(string_tensor if input is None else input, num_buckets, name)
