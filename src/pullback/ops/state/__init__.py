"""Variables as the graph sees them: a handle, its reads and its assignments. Values live in a Store.

    VarHandleOp -> handle
    ReadVariableOp(handle) -> value                     gradient: to the handle, as to any input
    Assign(handle, value), AssignAdd, AssignSub -> the new value

A variable gathers its gradient at its handle, so `backprop` needs to know nothing of variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.store import Resource, Store
from pullback.core.tensor import EagerTensor
from pullback.ops.math.arithmetic import Neg


@op
class VarHandleOp(Op):
    """A handle to a variable; its value lives in the Store of who runs it."""

    signature = "-> handle: resource"
    resource: Resource

    def infer(self) -> Spec:
        return self.resource.handle_spec

    def reference(self) -> Any:
        return self.resource

    def grad(self, node: Any, dy: Any) -> Any:
        return ()

    def attrs(self) -> dict[str, Any]:
        held = self.resource.spec
        return {
            "dtype": held.dtype,
            "shape": shape.TensorShape(held.shape),
            "shared_name": self.resource.name.encode(),
            "container": b"",
        }

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(_sample_resource(rng)), ())


@op
class VariableV2(VarHandleOp):
    """TensorFlow 1's type of the same."""


class _OnState(Op):
    """Base of ops that take a handle first."""

    takes_store = True
    effect = True
    any_rank = True

    def held(self, handle: Spec, *values: Spec) -> Spec:
        """What the handle leads to, once a value is found to fit it."""
        have = handle.held
        for value in values:
            if value.dtype is not have.dtype:
                raise DTypeError(
                    f"{self.type}: the variable is {have.dtype.name} but the value is {value.dtype.name}; "
                    f"use tf.cast(value, tf.{have.dtype.name})"
                )
            if not shape.compatible(value.shape, have.shape):
                raise ShapeError(
                    f"{self.type}: a value of shape {shape.text(value.shape)} does not fit the variable's "
                    f"shape {shape.text(have.shape)}; a variable made with validate_shape=False takes any"
                )
        return have

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        held = _sample_resource(rng)
        yield Sample(cls(), (held, rng.normal(size=(2, 3))), wrt=())


def _sample_resource(rng: np.random.Generator) -> Resource:
    from pullback.core.dtypes import float64
    from pullback.core.store import PROCESS

    held = Resource("sample", Spec((2, 3), float64))
    PROCESS.write(held, rng.normal(size=(2, 3)))
    return held


@op
class ReadVariableOp(_OnState):
    """The variable's value at this point of the program."""

    signature = "resource: resource -> value: any"
    effect = False
    takes_slices = True

    def infer(self, handle: Spec) -> Spec:
        return handle.held

    def reference(self, store: Store, held: Resource) -> Any:
        return store.read(held)

    def grad(self, node: Any, dy: Any) -> Any:
        return dy

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (_sample_resource(rng),), wrt=())


@op
class Assign(_OnState):
    """The variable holds `value` from here on. Output: the new value."""

    signature = "ref: resource, value: any -> output: any"

    def infer(self, handle: Spec, value: Spec) -> Spec:
        return value.with_shape(shape.merged(self.held(handle, value).shape, value.shape))

    def reference(self, store: Store, held: Resource, value: Any) -> Any:
        if not shape.compatible(np.shape(value), held.spec.shape):
            raise ShapeError(
                f"Assign: a value of shape {shape.text(np.shape(value))} does not fit variable "
                f"{held.name!r} of shape {shape.text(held.spec.shape)}"
            )
        value = np.array(value)
        store.write(held, value)
        return value

    def grad(self, node: Any, dy: Any) -> Any:
        return None, dy


class _Update(_OnState):
    """Base of assignments that start from the old value."""

    signature = "ref: resource, value: any -> output: any"

    def infer(self, handle: Spec, value: Spec) -> Spec:
        return self.held(handle, value)

    def reference(self, store: Store, held: Resource, value: Any) -> Any:
        new = self.updated(store.read(held), value)
        store.write(held, new)
        return new

    def updated(self, old: Any, value: Any) -> Any:
        raise NotImplementedError


@op
class AssignAdd(_Update):
    """The variable grows by `value`. Output: the new value."""

    def updated(self, old: Any, value: Any) -> Any:
        return np.asarray(old + value)

    def grad(self, node: Any, dy: Any) -> Any:
        return dy, dy


@op
class AssignSub(_Update):
    """The variable shrinks by `value`. Output: the new value."""

    def updated(self, old: Any, value: Any) -> Any:
        return np.asarray(old - value)

    def grad(self, node: Any, dy: Any) -> Any:
        return dy, Neg()(dy)


class _Scatter(_OnState):
    """Base of updates of rows: ref[indices[i]] (op)= updates[i]; equal indices act one after the other."""

    signature = "ref: resource, indices: int32|int64, updates: any -> output: any"

    def infer(self, handle: Spec, indices: Spec, updates: Spec) -> Spec:
        have = handle.held
        if updates.dtype is not have.dtype:
            raise DTypeError(f"{self.type}: the variable is {have.dtype.name} but updates are {updates.dtype.name}")
        if have.shape and indices.shape is not None and updates.shape:
            needed = (*indices.shape, *have.shape[1:])
            if not shape.compatible(updates.shape, needed):
                raise ShapeError(
                    f"{self.type}: updates have shape {shape.text(updates.shape)}, but must have "
                    f"{shape.text(needed)}, the indices' shape and then a row's, or be a scalar"
                )
        return have

    def reference(self, store: Store, held: Resource, indices: Any, updates: Any) -> Any:
        new = np.array(store.read(held))
        outside = np.ravel(indices)[np.ravel((indices < 0) | (indices >= len(new)))]
        if outside.size:
            raise ShapeError(f"{self.type}: indices must be in [0, {len(new)}), but one is {outside[0]}")
        self.into(new, indices, updates)
        store.write(held, new)
        return new

    def into(self, new: Any, indices: Any, updates: Any) -> None:
        raise NotImplementedError

    def grad(self, node: Any, dy: Any) -> Any:
        from pullback.core.op import NoGradientYet

        return (
            None,
            None,
            NoGradientYet(
                "the gradient through a sparse assignment is not written; "
                "differentiate tf.tensor_scatter_nd_update instead"
            ),
        )

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (_sample_resource(rng), np.array([1, 0, 1]), rng.normal(size=(3, 3))), wrt=())


@op
class ScatterUpdate(_Scatter):
    """Rows replaced; of equal indices the last wins."""

    def into(self, new: Any, indices: Any, updates: Any) -> None:
        new[indices] = updates


@op
class ScatterAdd(_Scatter):
    """Rows added."""

    def into(self, new: Any, indices: Any, updates: Any) -> None:
        np.add.at(new, indices, updates)


@op
class ScatterSub(_Scatter):
    """Rows subtracted."""

    def into(self, new: Any, indices: Any, updates: Any) -> None:
        np.subtract.at(new, indices, updates)


@op
class ScatterMul(_Scatter):
    """Rows multiplied."""

    def into(self, new: Any, indices: Any, updates: Any) -> None:
        np.multiply.at(new, indices, updates)


@op
class ScatterDiv(_Scatter):
    """Rows divided; of integers the quotient is cut off towards zero.

    Raises:
      ArgumentError: an integer is divided by zero.
    """

    def into(self, new: Any, indices: Any, updates: Any) -> None:
        if new.dtype.kind not in "iu":
            return np.divide.at(new, indices, updates)
        if not np.all(updates):
            raise ArgumentError("ScatterDiv: Integer division by zero")
        for at in np.ndindex(np.shape(indices)):
            row, by = new[indices[at]], updates[at]
            new[indices[at]] = np.sign(row) * np.sign(by) * (np.abs(row) // np.abs(by))
        return None


@op
class ScatterMin(_Scatter):
    """The smaller of the rows and the updates."""

    def into(self, new: Any, indices: Any, updates: Any) -> None:
        np.minimum.at(new, indices, updates)


@op
class ScatterMax(_Scatter):
    """The larger of the rows and the updates."""

    def into(self, new: Any, indices: Any, updates: Any) -> None:
        np.maximum.at(new, indices, updates)


@op
class VarIsInitializedOp(_OnState):
    """Whether the variable has a value."""

    signature = "resource: resource -> is_initialized: bool"
    effect = False

    def infer(self, handle: Spec) -> Spec:
        from pullback.core.dtypes import bool_

        return Spec((), bool_)

    def reference(self, store: Store, held: Resource) -> Any:
        return np.bool_(store.holds(held))

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (_sample_resource(rng),), wrt=())


@op
class NoOp(Op):
    """Nothing; something to hang control inputs on."""

    signature = "->"

    def infer(self) -> tuple[Spec, ...]:
        return ()

    def reference(self) -> Any:
        return ()

    def grad(self, node: Any, *dys: Any) -> Any:
        return ()

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), ())


def eager_handle(held: Resource) -> EagerTensor:
    """A handle outside of graphs."""
    return EagerTensor(held.handle_spec, held)
