"""A copy of a tensor, changed at places that rows of indices name.

TensorScatterUpdate    replaced             TensorScatterAdd, Sub    added to, subtracted from
TensorScatterMax, Min  the larger, the smaller of what was there and what comes
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from pullback.core import dtypes
from pullback.core.basics import ZerosLike
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.joining import spread
from pullback.ops.array.places import ByPlace, GatherNd, by_places, numbered
from pullback.ops.array.shape import differentiable, drawn
from pullback.ops.math.arithmetic import Equal, Neg
from pullback.ops.math.select import Cast


class _Changed(ByPlace):
    """Base of the five. tensor [n_1..n_k, r..], indices [i.., k], updates [i.., r..] -> y, of the tensor's shape"""

    signature = "tensor: T, indices: Tindices, updates: T -> output: T"
    any_rank = True
    change: ClassVar[Any] = None  # NumPy's function of the old entry and the new; None replaces

    def infer(self, x: Spec, indices: Spec, updates: Spec) -> Spec:
        self.fit(x.shape, indices.shape, updates.shape)
        return x.with_shape(x.shape)

    def reference(self, x: Any, indices: Any, updates: Any) -> Any:
        y = np.array(x, order="C")  # so that its rows are views of it
        self.fit(y.shape, indices.shape, updates.shape)
        place, exists = self.places(y.shape, indices)
        rows = by_places(y, indices.shape[-1])
        if type(self).change is None:
            for at, new in zip(place[exists], updates[exists], strict=True):  # in order: the last of one place stays
                rows[at] = new
        else:
            type(self).change.at(rows, place[exists], updates[exists])
        return y

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, indices, updates = (spread(size, t, a) for t, a in zip(inputs, axes, strict=True))
        if indices.spec.rank is None:
            return NotImplemented
        return self(x, numbered(indices), updates), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(4, 2))
        yield Sample(cls(), (x, np.array([[1], [3]], np.int32), rng.normal(size=(2, 2))), name="rows")
        yield Sample(cls(), (x, np.array([[1, 0], [3, 1]]), rng.normal(size=(2,))), name="entries")
        yield Sample(cls(), (x, np.zeros((0, 1), np.int32), np.zeros((0, 2))), name="empty")
        yield Sample(cls("IGNORE"), (x, np.array([[1], [4]]), rng.normal(size=(2, 2))), name="ignore")
        for t in cls.T:
            args = (drawn(rng, (3,), t), np.array([[1]]), drawn(rng, (1,), t))
            yield Sample(cls(), args, differentiable(t, 0, 2), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(3), np.array([[3]]), np.ones(1)), ArgumentError, "[3] does not index"
        yield lambda: cls()(np.ones(3), np.array([[1]]), np.ones(2)), ShapeError, "updates"


@op
class TensorScatterUpdate(_Changed):
    """The tensor with updates put at places; of several at one place the last stays."""

    bad_indices_policy: str = ""

    def grad(self, node: Any, dy: Any) -> Any:
        _, indices, updates = node.inputs
        return self(dy, indices, ZerosLike()(updates)), None, GatherNd(self.bad_indices_policy)(dy, indices)


@op
class TensorScatterAdd(_Changed):
    """The tensor with updates added at places; those of one place add up."""

    T = dtypes.NUMBERS
    bad_indices_policy: str = ""
    change = np.add

    def grad(self, node: Any, dy: Any) -> Any:
        return dy, None, GatherNd(self.bad_indices_policy)(dy, node.inputs[1])


@op
class TensorScatterSub(_Changed):
    """The tensor with updates subtracted at places; those of one place add up."""

    T = dtypes.NUMBERS
    bad_indices_policy: str = ""
    change = np.subtract

    def grad(self, node: Any, dy: Any) -> Any:
        return dy, None, Neg()(GatherNd(self.bad_indices_policy)(dy, node.inputs[1]))


class _Extreme(_Changed):
    """Base of the two that choose. Where several reach the value that stays, they share its gradient equally."""

    T = (*dtypes.REALS, *dtypes.INTS)

    def grad(self, node: Any, dy: Any) -> Any:
        x, indices, updates = node.inputs
        y, read = node.results[0], GatherNd(self.bad_indices_policy)
        stayed, won = Cast(dy.dtype)(Equal()(x, y)), Cast(dy.dtype)(Equal()(read(y, indices), updates))
        share = dy / TensorScatterAdd(self.bad_indices_policy)(stayed, indices, won)
        return share * stayed, None, read(share, indices) * won


@op
class TensorScatterMax(_Extreme):
    """The tensor with, at places, the largest of its entry and the updates."""

    bad_indices_policy: str = ""
    change = np.maximum


@op
class TensorScatterMin(_Extreme):
    """The tensor with, at places, the smallest of its entry and the updates."""

    bad_indices_policy: str = ""
    change = np.minimum


# --- public names ---------------------------------------------------------------------------------------------------


@public("tensor_scatter_nd_update", v1=("tensor_scatter_nd_update", "tensor_scatter_update"))
def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """A copy of a tensor with updates put at places.

    Args:
      tensor: [n_1..n_k, r..]. indices: [i.., k] integers. updates: [i.., r..].
    Raises:
      ArgumentError: a place lies outside. ShapeError: updates do not fit.
    Ties: of several updates of one place the last stays; each gets the gradient, as in TensorFlow.
    """
    return TensorScatterUpdate()(tensor, indices, updates, name=name)


@public("tensor_scatter_nd_add", v1=("tensor_scatter_nd_add", "tensor_scatter_add"))
def tensor_scatter_nd_add(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Tensor:
    """A copy of a tensor with updates added at places; shapes and errors as `tensor_scatter_nd_update`. Those of one
    place add up. With bad_indices_policy="IGNORE" places outside are passed over."""
    return TensorScatterAdd(bad_indices_policy)(tensor, indices, updates, name=name)


@public("tensor_scatter_nd_sub", v1=("tensor_scatter_nd_sub", "tensor_scatter_sub"))
def tensor_scatter_nd_sub(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Tensor:
    """A copy of a tensor with updates subtracted at places; otherwise as `tensor_scatter_nd_add`."""
    return TensorScatterSub(bad_indices_policy)(tensor, indices, updates, name=name)


@public("tensor_scatter_nd_max")
def tensor_scatter_nd_max(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Tensor:
    """A copy of a tensor with, at places, the largest of entry and updates. Ties share the gradient equally."""
    return TensorScatterMax(bad_indices_policy)(tensor, indices, updates, name=name)


@public("tensor_scatter_nd_min")
def tensor_scatter_nd_min(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Tensor:
    """A copy of a tensor with, at places, the smallest of entry and updates. Ties share the gradient equally."""
    return TensorScatterMin(bad_indices_policy)(tensor, indices, updates, name=name)
