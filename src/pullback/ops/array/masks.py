"""Choosing by truth: Where, boolean_mask, where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.joining import chain
from pullback.ops.array.shape import ExpandDims, Reshape, Squeeze, axis_in, drawn, static_scalar
from pullback.ops.array.sizes import Size
from pullback.ops.math.select import Select


@op
class Where(Op):
    """The places of entries that are true, or not zero, in row order. x [n_1..n_k] -> y [how many, k]"""

    signature = "input: T -> index: int64"
    T = (*dtypes.NUMBERS, dtypes.bool_)
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        return Spec((None, x.rank), dtypes.int64)

    def reference(self, x: Any) -> Any:
        return np.argwhere(x).astype(np.int64)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)) > 0,), ())
        yield Sample(cls(), (np.array(True),), (), name="scalar")
        yield Sample(cls(), (np.zeros((0, 2), bool),), (), name="empty")
        yield from [Sample(cls(), (drawn(rng, (3,), t),), (), name=t.name) for t in cls.T]


# --- public names ---------------------------------------------------------------------------------------------------


@public("where", v1=("where_v2",))
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """x where the condition holds and y elsewhere; or, of a condition alone, the places where it holds.

    Args:
      condition: bool; alone also numbers, which hold where they are not zero.
      x, y: both or none; all three broadcast.
    Returns:
      The chosen entries; or int64 [how many, rank], in row order.
    Raises:
      ArgumentError: only one of x and y is given.
    Gradient: to each of x and y where it was chosen.
    """
    if (x is None) is not (y is None):
        raise ArgumentError("where: give both x and y, or neither").locate()
    if x is None:
        return Where()(condition, name=name)
    return Select()(condition, x, y, name=name)


@public(v1="where")
def where_v1(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """As `where`, but nothing broadcasts: x and y have one shape, and the condition has it too or is a vector, which
    chooses whole rows.

    Raises:
      ShapeError: the shapes are others.
    """
    if (x is None) is not (y is None):
        raise ArgumentError("where: give both x and y, or neither").locate()
    if x is None:
        return Where()(condition, name=name)
    chosen = interpreter.as_tensor(condition)
    known = [t.dtype for t in (x, y) if isinstance(t, Tensor)]
    yes, no = (interpreter.as_tensor(t, None if isinstance(t, Tensor) or not known else known[0]) for t in (x, y))
    have, kind = shape.merged(yes.spec.shape, no.spec.shape, "where: x and y of shapes"), chosen.spec.shape
    by_row = have is not None and kind is not None and len(kind) == 1 and shape.compatible(kind, have[:1])
    if kind and not by_row and not shape.compatible(have, kind):
        raise ShapeError(
            f"where: a condition of shape {shape.text(kind)} does not choose from {shape.text(have)}: it must have "
            "the same shape, or be a vector with an entry for each row"
        ).locate()
    if by_row and have is not None and len(have) > 1:
        chosen = Reshape()(chosen, chain(shape_of(chosen), (1,) * (len(have) - 1)))
    return Select()(chosen, yes, no, name=name)


@public("boolean_mask", v1=None)
def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: str = "boolean_mask") -> Tensor:
    """The slices of a tensor where a mask is true, in row order.

    Args:
      tensor: [a.., n_1..n_k, r..]. mask: bool [n_1..n_k], of known rank.
      axis: how many axes a stand before those of the mask, by default 0.
    Returns:
      [a.., how many, r..]
    Raises:
      ShapeError: the mask's shape is not that of the tensor's axes.
    """
    x, chosen = interpreter.as_tensor(tensor), interpreter.as_tensor(mask, dtypes.bool_)
    k = chosen.spec.rank
    if k is None or x.spec.rank is None:
        raise ShapeError("boolean_mask: tensor and mask must have a known number of axes; use set_shape").locate()
    if k == 0:
        raise ShapeError("boolean_mask: the mask must not be a scalar").locate()
    at = 0 if axis is None else axis if isinstance(axis, int) else static_scalar(axis)
    if at is None:
        raise ArgumentError("boolean_mask: axis must be known").locate()
    at = axis_in(int(at), x.spec.rank, "boolean_mask")
    if not shape.compatible(x.spec.shape[at : at + k], chosen.spec.shape):
        raise ShapeError(
            f"boolean_mask: a mask of shape {shape.text(chosen.spec.shape)} does not fit axes {at} to {at + k - 1} of "
            f"{shape.text(x.spec.shape)}"
        ).locate()
    whole, count = shape_of(x), shape.size_of(chosen.spec.shape)
    many = (count,) if count is not None else ExpandDims()(Size()(chosen), 0)  # not -1: another axis may be empty
    rows = Reshape()(x, chain(whole[:at], many, whole[at + k :]))
    places = Squeeze((1,))(Where()(Reshape()(chosen, (-1,))))
    return GatherV2()(rows, places, at, name=name)


@public(v1="boolean_mask")
def boolean_mask_v1(tensor: Any, mask: Any, name: str = "boolean_mask", axis: Any = None) -> Tensor:
    """As `boolean_mask`, in TensorFlow 1's order of arguments."""
    return boolean_mask(tensor, mask, axis, name)
