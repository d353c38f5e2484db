"""Strings put together, and taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import int64, string
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.shape import broadcast, compatible
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.math.axes import folded, ints, known_axes
from pullback.ops.ragged import RaggedTensor
from pullback.ops.sparse import SparseTensor
from pullback.ops.strings.elementwise import OnStrings, each

_PAIRS = np.array([[b"a", b"b"], [b"c", b""]], object)


@op
class StringJoin(OnStrings):
    """The strings at one place, joined by a separator. xs [...], scalars broadcast -> y [...]"""

    signature = "*xs: string -> y: string"
    separator: str = ""

    def infer(self, *xs: Any) -> Spec:
        shape: Any = ()
        for x in xs:
            if x.shape and shape and len(x.shape) != len(shape):
                raise ShapeError("StringJoin: the inputs must have one shape, or be scalars")
            if x.shape and shape and not compatible(x.shape, shape):
                raise ShapeError(f"StringJoin: the inputs must have one shape, not {shape} and {x.shape}")
            shape = broadcast(shape, x.shape)
        return Spec(shape, string)

    def reference(self, *xs: Any) -> Any:
        return each(lambda *values: self.separator.encode().join(values), *xs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls("-"), (_PAIRS, _PAIRS), wrt=())
        yield Sample(cls(), (np.array(b"x", object), _PAIRS), wrt=(), name="scalar")


@op
class ReduceJoin(OnStrings):
    """The strings along axes, joined by a separator; the axis named first varies fastest. x [...], axes -> y [...]"""

    signature = "x: string, axes: int32 -> y: string"
    static = (1,)
    keep_dims: bool = False
    separator: str = ""

    def infer(self, x: Any, axes: Any) -> Spec:
        known = known_axes(axes)
        if known is None:
            return Spec(None, string)
        at = folded("ReduceJoin", known, len(x.shape))
        return x.with_shape(tuple(1 if i in at else d for i, d in enumerate(x.shape) if self.keep_dims or i not in at))

    def reference(self, x: Any, axes: Any) -> Any:
        folded("ReduceJoin", ints(axes), x.ndim)  # says what is no axis
        at = [a % x.ndim for a in ints(axes)]
        glue = self.separator.encode()
        for axis in at:
            moved = np.moveaxis(x, axis, -1)
            x = np.empty(moved.shape[:-1], object)
            for i in np.ndindex(x.shape):
                x[i] = glue.join(moved[i].tolist())
            x = np.expand_dims(x, axis)
        return x if self.keep_dims else x.reshape([d for i, d in enumerate(x.shape) if i not in at])

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(separator=","), (_PAIRS, np.array([0], np.int32)), wrt=())
        yield Sample(cls(keep_dims=True), (_PAIRS, np.array([0, 1], np.int32)), wrt=(), name="both")


def pieces(value: bytes, sep: bytes, maxsplit: int, any_of: bool) -> list[bytes]:
    """A string's pieces. sep b"": at white space, runs of it as one; any_of: each byte of sep separates."""
    if any_of:
        return re.split(b"[" + re.escape(sep) + b"]", value) if sep else [value[i : i + 1] for i in range(len(value))]
    if not sep:
        return value.split(None, maxsplit)
    return value.split(sep, maxsplit)


class _Splitting(OnStrings):
    def infer(self, x: Any, sep: Any) -> tuple[Spec, ...]:
        if len(x.shape) != 1 or sep.shape:
            raise ShapeError(f"{self.type}: the strings must be a vector and the separator a scalar")
        return Spec((None, 2), int64), Spec((None,), string), Spec((2,), int64)

    def _sparse(self, rows: list[list[bytes]]) -> Any:
        places = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
        values = np.empty(len(places), object)
        values[:] = [piece for row in rows for piece in row]
        longest = max((len(row) for row in rows), default=0)
        return (
            np.array(places, np.int64).reshape(-1, 2),
            values,
            np.array([len(rows), longest], np.int64),
        )

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return NotImplemented

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([b"a b", b"", b"c  d"], object), np.array(b" ", object)), wrt=())


@op
class StringSplit(_Splitting):
    """Each string's pieces, as a sparse matrix; every byte of the delimiter separates.

    x [n], delimiter -> indices [k,2], values [k], shape [2]
    """

    signature = "x: string, delimiter: string -> indices: int64, values: string, shape: int64"
    skip_empty: bool = True

    def reference(self, x: Any, delimiter: Any) -> Any:
        rows = [pieces(value, np.asarray(delimiter).item(), -1, True) for value in x]
        return self._sparse([[p for p in row if p or not self.skip_empty] for row in rows])


@op
class StringSplitV2(_Splitting):
    """Each string's pieces, as a sparse matrix; the separator as a whole separates, b"" means white space.

    x [n], sep -> indices [k,2], values [k], shape [2]
    """

    signature = "x: string, sep: string -> indices: int64, values: string, shape: int64"
    maxsplit: int = -1

    def reference(self, x: Any, sep: Any) -> Any:
        return self._sparse([pieces(value, np.asarray(sep).item(), self.maxsplit, False) for value in x])


@public("strings.join", v1=("strings.join", "string_join"))
def join(inputs: Any, separator: str = "", name: str | None = None) -> Tensor:
    """The strings at one place of several tensors, joined; scalars broadcast. Of no tensors, the empty string."""
    if not inputs:
        return interpreter.as_tensor("", string, name)
    return StringJoin(separator)(*[interpreter.as_tensor(x, string) for x in inputs], name=name)


def _reduced(inputs: Any, axis: Any, keep: bool, separator: str, name: str | None) -> Tensor:
    x = interpreter.as_tensor(inputs, string)
    if axis is None:
        if x.spec.rank is None:
            raise ArgumentError("reduce_join: the rank must be known when no axis is given").locate()
        axis = tuple(reversed(range(x.spec.rank)))
    return ReduceJoin(keep, separator)(x, np.atleast_1d(np.asarray(axis, np.int32)), name=name)


@public("strings.reduce_join", v1=None)
def reduce_join(
    inputs: Any, axis: Any = None, keepdims: bool = False, separator: str = "", name: str | None = None
) -> Tensor:
    """The strings along axes, all by default, joined."""
    return _reduced(inputs, axis, keepdims, separator, name)


@public(v1=("strings.reduce_join", "reduce_join"))
def reduce_join_v1(
    inputs: Any,
    axis: Any = None,
    keep_dims: Any = None,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """The strings along axes, all by default, joined."""
    return _reduced(inputs, reduction_indices if axis is None else axis, bool(keepdims or keep_dims), separator, name)


@public(v1="string_split")
def string_split(
    source: Any,
    sep: Any = None,
    skip_empty: bool = True,
    delimiter: Any = None,
    result_type: str = "SparseTensor",
    name: str | None = None,
) -> Any:
    """Each string's pieces, as a SparseTensor [n, most pieces]. Every byte of sep (" " by default) separates; with ""
    every byte is a piece.

    Args:
      skip_empty: leave empty pieces out.
      result_type: "SparseTensor", or "RaggedTensor".
    """
    sep = delimiter if sep is None else sep
    made = StringSplit(skip_empty)(source, " " if sep is None else sep, name=name)
    return _answer(made, result_type)


def _answer(made: Any, result_type: str) -> Any:
    sparse = SparseTensor(*made)
    if result_type == "SparseTensor":
        return sparse
    if result_type != "RaggedTensor":
        raise ArgumentError(f'result_type must be "SparseTensor" or "RaggedTensor", not {result_type!r}')
    return RaggedTensor.from_sparse(sparse)


@public(v1="strings.split")
def split_v1(
    input: Any = None,
    sep: Any = None,
    maxsplit: int = -1,
    result_type: str = "SparseTensor",
    source: Any = None,
    name: str | None = None,
) -> Any:
    """Each string's pieces. The separator as a whole separates; "" or None means white space.

    Args:
      maxsplit: at most so many cuts.
      result_type: "SparseTensor", or "RaggedTensor".
    """
    given = interpreter.as_tensor(source if input is None else input, string)
    if given.spec.rank == 0:
        given = interpreter.pack[0]([given], None)
    return _answer(StringSplitV2(maxsplit)(given, sep or "", name=name), result_type)


@public("strings.split", v1=None)
def split(input: Any, sep: Any = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """Each string's pieces: of a scalar a vector, of a vector a RaggedTensor. "" or None means white space.

    Raises:
      ValueError: the rank is above 1, or not known.
    """
    given = interpreter.as_tensor(input, string)
    rank = given.spec.rank
    if rank is None or rank > 1:
        raise ShapeError(f"strings.split: the strings must be a scalar or vector, but have rank {rank}").locate()
    if rank == 0:
        return StringSplitV2(maxsplit)(interpreter.pack[0]([given], None), sep or "", name=name)[1]
    return _answer(StringSplitV2(maxsplit)(given, sep or "", name=name), "RaggedTensor")
