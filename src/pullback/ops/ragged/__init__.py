"""RaggedTensor: rows of different lengths, as the rows end to end and where each begins.

    [[3, 1], [], [4]]      values [3, 1, 4]      row_splits [0, 2, 2, 3]

`values` may be ragged itself: then rows hold rows. It is structure to nests, so functions and sessions take it.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from pullback.core import interpreter, nest
from pullback.core.basics import Shape_
from pullback.core.dtypes import DType, as_dtype, int64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.shape import TensorShape
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.bounds import searchsorted
from pullback.ops.array.creation import fill
from pullback.ops.array.gather import gather
from pullback.ops.array.joining import concat
from pullback.ops.array.layout import transpose
from pullback.ops.array.masks import boolean_mask
from pullback.ops.array.padding import pad
from pullback.ops.array.ranges import range_
from pullback.ops.array.shape import reshape
from pullback.ops.array.sizes import shape_
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_update
from pullback.ops.math.cumulative import cumsum
from pullback.ops.math.functions import greater_equal, less, logical_and, maximum, minimum, not_equal
from pullback.ops.math.reduce_functions import reduce_max
from pullback.ops.math.select import Cast
from pullback.ops.ragged.checks import checked_ids, checked_places, checked_splits, indices_of
from pullback.ops.sparse import SparseTensor

_PRIVATE = object()


@public("RaggedTensor", v1=None)
class RaggedTensor:
    """Rows of different lengths. Made by its `from_...` functions or by `ragged.constant`."""

    def __init__(self, values: Any, row_partition: Any, internal: Any = False) -> None:
        if internal is not _PRIVATE:
            raise ValueError("RaggedTensor constructor is private; please use one of the factory methods instead.")
        self._values, self._row_splits = values, row_partition

    # --- made of ---------------------------------------------------------------------------------------------------

    @classmethod
    def from_row_splits(cls, values: Any, row_splits: Any, name: str | None = None, validate: bool = True) -> Any:
        """Row i is values[row_splits[i] : row_splits[i + 1]].

        Raises:
          InvalidArgumentError: they do not begin at 0, fall, or do not end at the number of values.
        """
        if not isinstance(values, RaggedTensor):
            values = interpreter.as_tensor(values)
        splits = indices_of(row_splits, "row_splits")
        if splits.spec.rank not in (None, 1):
            raise ShapeError(f"RaggedTensor: row_splits must be a vector, but has rank {splits.spec.rank}").locate()
        if validate:
            splits = checked_splits(splits, _count(values))
        return RaggedTensor(values, splits, _PRIVATE)

    @classmethod
    def from_row_lengths(cls, values: Any, row_lengths: Any, name: str | None = None, validate: bool = True) -> Any:
        """Row i takes the next row_lengths[i] values."""
        lengths = indices_of(row_lengths, "row_lengths")
        return cls.from_row_splits(
            values, concat([Cast(lengths.dtype)(_zero(lengths)), cumsum(lengths)], 0), name, validate
        )

    @classmethod
    def from_row_starts(cls, values: Any, row_starts: Any, name: str | None = None, validate: bool = True) -> Any:
        """Row i begins at row_starts[i] and ends where the next begins."""
        starts = indices_of(row_starts, "row_starts")
        return cls.from_row_splits(values, concat([starts, _last(values, starts.dtype)], 0), name, validate)

    @classmethod
    def from_row_limits(cls, values: Any, row_limits: Any, name: str | None = None, validate: bool = True) -> Any:
        """Row i ends before row_limits[i]."""
        limits = indices_of(row_limits, "row_limits")
        return cls.from_row_splits(values, concat([_zero(limits), limits], 0), name, validate)

    @classmethod
    def from_value_rowids(
        cls, values: Any, value_rowids: Any, nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> Any:
        """Value k belongs to row value_rowids[k]; these ascend. nrows: by default the last one's row plus 1."""
        ids = indices_of(value_rowids, "value_rowids")
        ids = checked_ids(ids) if validate else ids
        count: Any = reduce_max(concat([ids, _zero(ids) - 1], 0)) + 1 if nrows is None else nrows
        rows = range_(Cast(ids.dtype)(interpreter.as_tensor(count)) + 1)
        return cls.from_row_splits(values, searchsorted(ids, rows, out_type=ids.dtype), name, validate)

    @classmethod
    def from_nested_row_splits(
        cls, flat_values: Any, nested_row_splits: Any, name: str | None = None, validate: bool = True
    ) -> Any:
        """Rows of rows; the outermost row_splits first."""
        made = flat_values
        for splits in reversed(list(nested_row_splits)):
            made = cls.from_row_splits(made, splits, name, validate)
        return made

    @classmethod
    def from_tensor(
        cls,
        tensor: Any,
        lengths: Any = None,
        padding: Any = None,
        ragged_rank: int = 1,
        name: str | None = None,
        row_splits_dtype: Any = int64,
    ) -> Any:
        """The rows of a tensor [n, m, ...]: whole, their first `lengths`, or without the `padding` at their ends.

        Raises:
          ArgumentError: both are given; ragged_rank is not 1. ShapeError: the tensor has no two axes.
        """
        x: Any = interpreter.as_tensor(tensor)
        if x.spec.rank is not None and x.spec.rank < 2:
            raise ShapeError(
                f"RaggedTensor.from_tensor: the tensor must have rank 2 or more, not {x.spec.rank}"
            ).locate()
        if (lengths is not None and padding is not None) or ragged_rank != 1:
            raise ArgumentError(
                "RaggedTensor.from_tensor: lengths and padding exclude each other, and ragged_rank must be 1"
            )
        dtype = as_dtype(row_splits_dtype)
        sizes: Any = shape_(x, dtype)
        if padding is not None:
            places = range_(sizes[1]) + 1
            kept = Cast(dtype)(not_equal(x, padding))
            lengths = reduce_max(
                concat([kept * places, fill([sizes[0], 1], Cast(dtype)(interpreter.as_tensor(0)))], 1), 1
            )
        if lengths is None:
            flat = reshape(x, concat([[-1], Cast(interpreter.as_tensor(0).dtype)(sizes[2:])], 0))
            return cls.from_row_splits(flat, range_(sizes[0] + 1) * sizes[1], validate=False)
        lengths = Cast(dtype)(interpreter.as_tensor(lengths))
        mask = less(range_(sizes[1])[None, :], lengths[:, None])
        return cls.from_row_lengths(boolean_mask(x, mask), lengths, validate=False)

    @classmethod
    def from_sparse(cls, st_input: Any, name: str | None = None, row_splits_dtype: Any = int64) -> Any:
        """The rows of a sparse matrix whose entries stand at the rows' beginnings.

        Raises:
          InvalidArgumentError: an entry of a row stands behind a gap.
        """
        rows = st_input.indices[:, 0]
        made = cls.from_value_rowids(st_input.values, rows, st_input.dense_shape[0])
        made = made.with_values(checked_places(st_input.indices[:, 1], made._places(), made.values))
        dtype = as_dtype(row_splits_dtype)
        return cls.from_row_splits(made.values, Cast(dtype)(made.row_splits), validate=False)

    # --- what it is ------------------------------------------------------------------------------------------------

    @property
    def values(self) -> Any:
        """The rows, end to end."""
        return self._values

    @property
    def row_splits(self) -> Tensor:
        """Where each row begins; one entry more, where the last ends."""
        return self._row_splits

    @property
    def flat_values(self) -> Tensor:
        """The innermost values, as one tensor."""
        return self._values.flat_values if isinstance(self._values, RaggedTensor) else self._values

    @property
    def nested_row_splits(self) -> tuple[Tensor, ...]:
        """row_splits of each ragged axis, outermost first."""
        inner = self._values.nested_row_splits if isinstance(self._values, RaggedTensor) else ()
        return (self._row_splits, *inner)

    @property
    def ragged_rank(self) -> int:
        """How many axes are ragged."""
        return len(self.nested_row_splits)

    @property
    def dtype(self) -> DType:
        return self.flat_values.dtype

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape; None along ragged axes."""
        count = self._row_splits.spec.shape
        rows = None if not count or count[0] is None else count[0] - 1
        below = self._values.shape.as_list() if isinstance(self._values, RaggedTensor) else self._values.spec.shape
        return TensorShape(None if below is None else (rows, None, *below[1:]))

    def get_shape(self) -> TensorShape:
        return self.shape

    def nrows(self, out_type: Any = None, name: str | None = None) -> Tensor:
        """How many rows."""
        return Shape_(as_dtype(out_type or self._row_splits.dtype))(self.row_starts())[0]

    def row_starts(self, name: str | None = None) -> Any:
        return self._row_splits[:-1]

    def row_limits(self, name: str | None = None) -> Any:
        return self._row_splits[1:]

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """How long each row is; axis 2: rows of rows."""
        if axis == 1:
            return self._row_splits[1:] - self._row_splits[:-1]
        if axis == 2 and isinstance(self._values, RaggedTensor):
            return self.with_values(self._values.row_lengths())
        raise ArgumentError(f"row_lengths: axis must be 1, or 2 of rows of rows, not {axis}").locate()

    def value_rowids(self, name: str | None = None) -> Tensor:
        """The row each value belongs to."""
        values = range_(Cast(self._row_splits.dtype)(_count(self._values)))
        return searchsorted(self._row_splits, values, "right", out_type=self._row_splits.dtype) - 1

    def _places(self) -> Any:
        """Where each value stands in its row."""
        numbers: Any = range_(Cast(self._row_splits.dtype)(_count(self._values)))
        return numbers - gather(self._row_splits, self.value_rowids())

    def bounding_shape(self, axis: Any = None, name: str | None = None, out_type: Any = None) -> Any:
        """The shape of the smallest tensor that holds it."""
        dtype = as_dtype(out_type or self._row_splits.dtype)
        longest = reduce_max(concat([self.row_lengths(), _zero(self._row_splits)], 0))
        below = self._values.bounding_shape() if isinstance(self._values, RaggedTensor) else shape_(self._values, int64)
        whole: Any = concat([[self.nrows()], [longest], Cast(self._row_splits.dtype)(below)[1:]], 0)
        whole = Cast(dtype)(whole)
        return whole if axis is None else whole[axis]

    def with_values(self, new_values: Any) -> Any:
        """The same rows with other values."""
        return RaggedTensor(new_values, self._row_splits, _PRIVATE)

    def with_flat_values(self, new_values: Any) -> Any:
        """The same rows with other innermost values."""
        inner = self._values.with_flat_values(new_values) if isinstance(self._values, RaggedTensor) else new_values
        return self.with_values(inner)

    # --- made into -------------------------------------------------------------------------------------------------

    def to_tensor(self, default_value: Any = None, name: str | None = None, shape: Any = None) -> Any:
        """A tensor whose rows end in default_value (0, "") where they are short.

        Args:
          shape: cut or grow to it; None leaves an axis as it needs to be.
        """
        rows, at = self.value_rowids(), self._places()
        inner = self._values.to_tensor(default_value) if isinstance(self._values, RaggedTensor) else self._values
        bound: Any = concat([[self.nrows(), self.bounding_shape(1)], shape_(inner, self._row_splits.dtype)[1:]], 0)
        places = interpreter.pack[0]([rows, at], None)
        places = transpose(places)
        zero = default_value if default_value is not None else (b"" if self.dtype.name == "string" else 0)
        base = fill(bound, interpreter.as_tensor(zero, self.dtype))
        made: Any = tensor_scatter_nd_update(base, places, inner)
        return made if shape is None else _fitted(made, shape, zero)

    def to_sparse(self, name: str | None = None) -> SparseTensor:
        """Its values at (row, place)."""
        if isinstance(self._values, RaggedTensor):
            raise ArgumentError("RaggedTensor.to_sparse: rows of rows are not supported; take to_tensor()").locate()
        rows = Cast(int64)(self.value_rowids())
        at = Cast(int64)(self._places())
        bound = Cast(int64)(self.bounding_shape())
        return SparseTensor(transpose(interpreter.pack[0]([rows, at], None)), self._values, bound)

    def to_list(self) -> list[Any]:
        """Nested Python lists.

        Raises:
          ValueError: it is symbolic.
        """
        splits = self._row_splits.numpy().tolist()
        inner = self._values.to_list() if isinstance(self._values, RaggedTensor) else self._values.numpy().tolist()
        return [inner[a:b] for a, b in itertools.pairwise(splits)]

    def numpy(self) -> Any:
        """An array of its rows, each an array."""
        rows = self.to_list()
        out = np.empty(len(rows), object)
        for i, row in enumerate(rows):
            out[i] = np.array(row)
        return out

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            first, rest = key[0], key[1:]
            if rest and isinstance(first, slice) and first == slice(None) and len(rest) == 1:
                return self._columns(rest[0])
            found = self[first]
            if not rest:
                return found
            return found[rest if len(rest) > 1 else key[1]]
        if isinstance(key, slice):
            if key.step not in (None, 1):
                raise ArgumentError("RaggedTensor: a slice of rows must have step 1").locate()
            starts, limits = self.row_starts()[key], self.row_limits()[key]
            begin: Any = starts[0] if _some(starts) else 0
            end: Any = limits[-1] if _some(starts) else 0
            return RaggedTensor.from_row_splits(
                self._values[begin:end], concat([starts - begin, [end - begin]], 0), validate=False
            )
        return self._values[self.row_starts()[key] : self.row_limits()[key]]

    def _columns(self, key: Any) -> Any:
        """self[:, a:b], row by row."""
        if not isinstance(key, slice) or key.step not in (None, 1):
            raise ArgumentError(
                "RaggedTensor: behind a whole first axis a slice with step 1 is needed, as x[:, :2]"
            ).locate()
        if isinstance(self._values, RaggedTensor):
            raise ArgumentError("RaggedTensor: rows of rows have no columns to slice").locate()
        lengths = self.row_lengths()
        first, last = _place(key.start, 0 * lengths, lengths), _place(key.stop, lengths, lengths)
        rows, at = self.value_rowids(), self._places()
        kept = logical_and(greater_equal(at, gather(first, rows)), less(at, gather(last, rows)))
        counts = maximum(last - first, 0)
        return RaggedTensor.from_row_lengths(boolean_mask(self._values, kept), counts, validate=False)

    def __iter__(self) -> Any:
        return (self[i] for i in range(int(self.nrows())))

    def __len__(self) -> int:
        return int(self.nrows())

    def __repr__(self) -> str:
        if isinstance(self._row_splits, EagerTensor):
            return f"<tf.RaggedTensor {self.to_list()}>"
        return f"tf.RaggedTensor(values={self._values}, row_splits={self._row_splits})"


def _again(held: Any, leaves: Any) -> RaggedTensor:
    return RaggedTensor(leaves[0], leaves[1], _PRIVATE)


nest.structured(RaggedTensor, lambda x: ((x._values, x._row_splits), None), _again)


def _count(values: Any) -> Any:
    return values.nrows() if isinstance(values, RaggedTensor) else shape_(values, int64)[0]  # type: ignore[index]


def _last(values: Any, dtype: DType) -> Any:
    return reshape(Cast(dtype)(_count(values)), [1])


def _zero(like: Any) -> Any:
    return interpreter.as_tensor(np.zeros(1, like.dtype.as_numpy_dtype))


def _place(given: int | None, default: Any, lengths: Any) -> Any:
    """Where a slice of rows of these lengths begins or ends, in each."""
    if given is None:
        return default
    return minimum(given, lengths) if given >= 0 else maximum(lengths + given, 0)


def _some(x: Any) -> bool:
    return x.spec.shape is None or x.spec.shape[0] != 0


def _fitted(x: Any, shape: Any, zero: Any) -> Any:
    """A tensor cut, or grown with zeros, to a shape; None leaves an axis."""
    wanted = list(TensorShape(shape).as_list())
    have = list(x.shape.as_list())
    cut = x[tuple(slice(None) if w is None else slice(0, w) for w in wanted)]
    grown = [(0, 0 if w is None else max(w - h, 0)) for w, h in zip(wanted, have, strict=True)]
    return pad(cut, grown, constant_values=zero)
