"""What a tf.train.Example should hold: how `parse_example` is told of its features."""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.core.names import public


class FixedLenFeature(NamedTuple):
    """A feature of a known shape; without a default_value every Example must have it."""

    shape: Any
    dtype: Any
    default_value: Any = None


class VarLenFeature(NamedTuple):
    """A feature of any length, parsed to a SparseTensor."""

    dtype: Any


class FixedLenSequenceFeature(NamedTuple):
    """A feature that is a sequence of entries of a known shape. In Examples it needs allow_missing=True, and batches of
    it are padded with default_value."""

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class SparseFeature(NamedTuple):
    """A SparseTensor whose places and values stand in two features (several for more axes).

    size: of the axes. already_sorted: whether places come in order.
    """

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


for _cls in (FixedLenFeature, VarLenFeature, FixedLenSequenceFeature, SparseFeature):
    public(f"io.{_cls.__name__}", v1=(f"io.{_cls.__name__}", _cls.__name__))(_cls)
