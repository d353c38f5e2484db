"""Cross entropies and the L2 loss.

    loss     = sum_k q_k (log Z - x_k)        q labels, x logits, p = softmax(x), along the last axis
    backprop = p - q                          d loss / d x where the labels sum to 1

As in TensorFlow, the loss's gradient to the logits is dy * backprop even where labels do not sum to 1, and backprop
counts as constant in the labels: the loss's own gradient to them is -dy log p.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import BroadcastTo, SumTo, ZerosLike
from pullback.core.dtypes import REALS
from pullback.core.errors import ArgumentError, InvalidArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.math.arithmetic import AddV2, Exp, GreaterEqual, Log1p
from pullback.ops.math.select import Cast, Select, StopGradient
from pullback.ops.nn.softmax import LogSoftmax, Softmax, log_softmax_of, precise, softmax_of, summed, swapped


def _column(dy: Tensor) -> Tensor:
    """[...] -> [...,1]"""
    return REGISTRY["ExpandDims"]()(dy, -1)


def _by_backprop(x: Tensor, g: Tensor) -> Tensor:
    """What a cotangent of p - q sends to the logits: the softmax's own gradient."""
    p = Softmax()(x)
    return p * (g - summed(g * p))


@op
class SoftmaxCrossEntropyWithLogits(Op):
    """Cross entropy of labels with softmax(features), along the last axis. features and labels broadcast.

    x [...,K]   q [...,K]   ->   loss [...], backprop [...,K]
    """

    signature = "features: T, labels: T -> loss: T, backprop: T"
    T = REALS
    broadcasts = True

    def infer(self, x: Spec, q: Spec) -> tuple[Spec, ...]:
        if not x.shape or not q.shape:
            raise ShapeError(
                "SoftmaxCrossEntropyWithLogits: logits and labels must have at least one dimension, the classes'"
            )
        try:
            together = shape.broadcast(x.shape, q.shape)
        except ShapeError:
            raise ShapeError(
                f"SoftmaxCrossEntropyWithLogits: logits and labels must have the same shape, but have "
                f"{shape.text(x.shape)} and {shape.text(q.shape)}"
            ) from None
        return x.with_shape(together[:-1]), x.with_shape(together)  # type: ignore[index]

    def reference(self, x: Any, q: Any) -> tuple[Any, ...]:
        dtype, (x, q) = x.dtype, (precise(x), precise(q))
        loss = -(q * log_softmax_of(x)).sum(axis=-1)
        return np.asarray(loss).astype(dtype), (softmax_of(x) - q).astype(dtype)

    def grad(self, node: Any, dy: Any, g: Any) -> Any:
        x = node.inputs[0]
        dx = dq = None
        if dy is not None:
            dx, dq = _column(dy) * node.results[1], _column(dy) * -LogSoftmax()(x)
        if g is not None:
            dx = _by_backprop(x, g) if dx is None else dx + _by_backprop(x, g)
        return dx, dq

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if any(x.spec.shape is None for x in inputs):
            return NotImplemented
        ranks = [len(x.spec.shape) - (a is not None) for x, a in zip(inputs, axes, strict=True)]
        if ranks[0] != ranks[1]:
            return NotImplemented
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        def labels(*sizes: int) -> Any:
            q = rng.uniform(0.1, 1, sizes)
            return q / q.sum(axis=-1, keepdims=True)

        yield Sample(cls(), (rng.normal(size=(3, 4)), labels(3, 4)), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(3, 4)), labels(3, 4)), smooth=False, name="labels too")
        yield Sample(cls(), (rng.normal(size=(2, 2, 3)), labels(2, 2, 3)), wrt=(0,), name="three dimensions")
        yield Sample(cls(), (rng.normal(size=(3, 4)), labels(1, 4)), wrt=(0,), name="broadcast")
        yield Sample(cls(), (rng.normal(size=(0, 4)), rng.normal(size=(0, 4))), wrt=(0,), name="empty batch")
        for dtype in REALS:
            if dtype is not dtypes.float64:
                args = (rng.normal(size=(2, 3)).astype(dtype.numpy), labels(2, 3).astype(dtype.numpy))
                yield Sample(cls(), args, wrt=(0,), order=1, name=dtype.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), np.ones((2, 4))), ShapeError, "same shape"
        yield lambda: cls()(np.float64(1), np.float64(1)), ShapeError, "at least one dimension"


@op
class SparseSoftmaxCrossEntropyWithLogits(Op):
    """Cross entropy of the class each label names with softmax(features): loss = -log p[label].

    x [...,K]   labels [...]   ->   loss [...], backprop [...,K]
    """

    signature = "features: T, labels: int32|int64 -> loss: T, backprop: T"
    T = REALS

    def infer(self, x: Spec, labels: Spec) -> tuple[Spec, ...]:
        assert x.shape is not None and labels.shape is not None
        if len(labels.shape) != len(x.shape) - 1:
            raise ShapeError(
                "SparseSoftmaxCrossEntropyWithLogits: labels must have one dimension less than logits, but have shapes "
                f"{shape.text(labels.shape)} and {shape.text(x.shape)}; for one-hot labels use "
                "softmax_cross_entropy_with_logits"
            )
        lead = shape.merged(
            x.shape[:-1], labels.shape, "SparseSoftmaxCrossEntropyWithLogits: logits without classes, and labels:"
        )
        return x.with_shape(lead), x.with_shape((*lead, x.shape[-1]))  # type: ignore[misc]

    def reference(self, x: Any, labels: Any) -> tuple[Any, ...]:
        dtype, x, classes = x.dtype, precise(x), x.shape[-1]
        if x.shape[:-1] != labels.shape:
            raise ShapeError(
                f"SparseSoftmaxCrossEntropyWithLogits: labels of shape {shape.text(labels.shape)} do not fit "
                f"logits {shape.text(x.shape)}"
            )
        wrong = labels[(labels < 0) | (labels >= classes)]
        if wrong.size:
            raise InvalidArgumentError(
                f"SparseSoftmaxCrossEntropyWithLogits: received a label value of {wrong.flat[0]}, which is outside the "
                f"valid range of [0, {classes}); logits {shape.text(x.shape)} have {classes} classes"
            )
        at = labels[..., None].astype(np.int64)
        loss = (
            -np.take_along_axis(log_softmax_of(x), at, axis=-1)[..., 0] if classes else np.zeros(labels.shape, x.dtype)
        )
        return loss.astype(dtype), (softmax_of(x) - (np.arange(classes) == at)).astype(dtype)

    def grad(self, node: Any, dy: Any, g: Any) -> Any:
        x = node.inputs[0]
        dx = None if dy is None else _column(dy) * node.results[1]
        if g is not None:
            dx = _by_backprop(x, g) if dx is None else dx + _by_backprop(x, g)
        return dx, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if not all(t.spec.known for t in inputs):
            return NotImplemented
        full = [
            t if a is not None else BroadcastTo()(t, (size, *t.spec.shape)) for t, a in zip(inputs, axes, strict=True)
        ]
        return self(*full), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(3, 4)), np.array([1, 0, 3])))
        yield Sample(cls(), (rng.normal(size=(2, 2, 3)), np.array([[1, 0], [2, 2]], np.int32)), name="three dimensions")
        yield Sample(cls(), (rng.normal(size=3), np.array(1)), name="vector")
        yield Sample(cls(), (rng.normal(size=(0, 4)), np.zeros(0, np.int64)), name="empty batch")
        for dtype in REALS:
            if dtype is not dtypes.float64:
                yield Sample(
                    cls(), (rng.normal(size=(2, 3)).astype(dtype.numpy), np.array([1, 0])), order=1, name=dtype.name
                )

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        x = np.ones((2, 3))
        yield lambda: cls()(x, np.array([[1, 0]])), ShapeError, "one dimension less"
        yield lambda: cls()(x, np.array([1, 3])), InvalidArgumentError, "label value of 3"
        yield lambda: cls()(x, np.array([1, 0, 2])), ShapeError, "not compatible"


@op
class L2Loss(Op):
    """y = sum(t^2) / 2, over everything.

    t [...]   ->   y []
    """

    signature = "t: T -> output: T"
    T = REALS
    any_rank = True

    def infer(self, t: Spec) -> Spec:
        return t.with_shape(())

    def reference(self, t: Any) -> Any:
        flat = precise(t).reshape(-1)
        return np.asarray(np.dot(flat, flat) / 2).astype(t.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        return node.inputs[0] * dy

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        (t,) = inputs
        if not t.spec.known:
            return NotImplemented
        ones = (1,) * (len(t.spec.shape) - 1)
        return REGISTRY["Reshape"]()(SumTo()(t * t * 0.5, (size, *ones)), (size,)), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),))
        yield Sample(cls(), (rng.normal(size=()),), name="scalar")
        yield Sample(cls(), (rng.normal(size=(0, 3)),), name="empty")
        for dtype in REALS:
            if dtype is not dtypes.float64:
                yield Sample(cls(), (rng.normal(size=(2, 3)).astype(dtype.numpy),), order=1, name=dtype.name)


# --- public functions -----------------------------------------------------------------------------


def _both(where: str, labels: Any, logits: Any) -> tuple[Any, Tensor]:
    if labels is None or logits is None:
        raise ArgumentError(f"{where}: both labels and logits must be given").locate()
    return labels, interpreter.as_tensor(logits)


def _wide(x: Tensor) -> Tensor:
    """x in the type that losses are computed in: 16-bit types in float32, as TensorFlow does."""
    return Cast(dtypes.float32)(x) if x.dtype.size == 2 and x.dtype.is_floating else x


@public("nn.softmax_cross_entropy_with_logits", v1=None)
def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Cross entropy of labels with softmax(logits): -sum(labels * log_softmax(logits)) along an axis.

    Args:
      labels: Tensor of logits' shape; along the axis a distribution (not checked). Cast to logits' type.
      logits: Tensor of at least one dimension, floating; unscaled.
      axis: the classes' axis.
    Returns:
      Tensor of logits' shape without the axis.
    Raises:
      ShapeError: the shapes differ. ArgumentError: one is missing, or there is no such axis.
    Gradient: to the logits dy (softmax(logits) - labels), as if labels sum to 1; to the labels -dy log_softmax(logits).
    """
    where = "softmax_cross_entropy_with_logits"
    labels, x = _both(where, labels, logits)
    out, x = x.dtype, _wide(x)
    q = interpreter.as_tensor(labels)
    q = q if q.dtype is x.dtype else Cast(x.dtype)(q)
    order = swapped(x, axis, where)
    if order is not None:
        transpose = REGISTRY["Transpose"]()
        x, q = transpose(x, order), transpose(q, order)
    loss = SoftmaxCrossEntropyWithLogits()(x, q, name=name or where)[0]
    if order is not None:
        # The last axis now stands where the classes were: of the losses' axes, put it back at the end.
        at = order.index(len(order) - 1)
        back = (*range(at), *range(at + 1, len(order) - 1), at)
        loss = loss if back == tuple(range(len(back))) else REGISTRY["Transpose"]()(loss, back)
    return loss if loss.dtype is out else Cast(out)(loss)


@public(v1="nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None
) -> Tensor:
    """`softmax_cross_entropy_with_logits` with TensorFlow 1's names: `dim` is axis. The labels get a gradient too."""
    return softmax_cross_entropy_with_logits(labels, logits, _the_axis(axis, dim), name)


@public(v1="nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits_v1(
    labels: Any = None, logits: Any = None, dim: int = -1, name: str | None = None, axis: int | None = None
) -> Tensor:
    """`softmax_cross_entropy_with_logits` whose gradient stops at the labels, as TensorFlow 1's does."""
    labels, logits = _both("softmax_cross_entropy_with_logits", labels, logits)
    fixed = StopGradient()(interpreter.as_tensor(labels))
    return softmax_cross_entropy_with_logits(fixed, logits, _the_axis(axis, None if dim == -1 else dim), name)


def _the_axis(axis: int | None, dim: int | None) -> int:
    if axis is not None and dim is not None:
        raise ArgumentError("softmax_cross_entropy_with_logits: axis and dim are the same argument; give one").locate()
    given = dim if axis is None else axis
    return -1 if given is None else given


@public("nn.sparse_softmax_cross_entropy_with_logits", v1=None)
def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    """Cross entropy of one class an entry with softmax(logits): -log_softmax(logits)[label].

    Args:
      labels: Tensor [...], integer; each from 0 to K - 1.
      logits: Tensor [...,K], floating; unscaled.
    Returns:
      Tensor [...].
    Raises:
      ShapeError: labels are not of logits' shape without its last axis. InvalidArgumentError: a label names no class.
    Gradient: to the logits dy (softmax(logits) - onehot(labels)).
    """
    where = "sparse_softmax_cross_entropy_with_logits"
    labels, x = _both(where, labels, logits)
    out, x = x.dtype, _wide(x)
    q = interpreter.as_tensor(labels)
    if q.dtype.is_integer and q.dtype not in dtypes.INDICES:
        q = Cast(dtypes.int64)(q)
    loss = SparseSoftmaxCrossEntropyWithLogits()(x, q, name=name or "SparseSoftmaxCrossEntropyWithLogits")[0]
    return loss if loss.dtype is out else Cast(out)(loss)


@public(v1="nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits_v1(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """`sparse_softmax_cross_entropy_with_logits`; both arguments are needed, and are best given by name."""
    return sparse_softmax_cross_entropy_with_logits(labels, logits, name)


@public("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Tensor:
    """Cross entropy of labels with sigmoid(logits), entry by entry: max(x, 0) - x q + log(1 + exp(-|x|)).

    Args:
      labels: Tensor of logits' shape and type, from 0 to 1 (not checked).
      logits: Tensor, floating; unscaled.
    Returns:
      Tensor of logits' shape.
    Raises:
      ShapeError: the shapes differ. ArgumentError: one is missing.
    Gradient: to the logits dy (sigmoid(logits) - labels), to the labels -dy logits; at logits 0 too.
    """
    where = "sigmoid_cross_entropy_with_logits"
    labels, x = _both(where, labels, logits)
    q = interpreter.as_tensor(labels, x.dtype, what=f"{where}: labels")
    if not shape.compatible(x.spec.shape, q.spec.shape):
        raise ShapeError(
            f"{where}: logits and labels must have the same shape, but have {x.shape} and {q.shape}"
        ).locate()
    zeros = ZerosLike()(x)
    positive = GreaterEqual()(x, zeros)
    above = Select()(positive, x, zeros)
    minus_size = Select()(positive, -x, x)
    return AddV2()(above - x * q, Log1p()(Exp()(minus_size)), name=name or "logistic_loss")


@public("nn.l2_loss")
def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """sum(t^2) / 2 over all entries, a scalar; floating, any shape. Gradient: dy t."""
    return L2Loss()(t, name=name)
