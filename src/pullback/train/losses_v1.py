"""tf.losses of TensorFlow 1: a weighted loss for each entry, reduced, and collected in the graph.

    loss = sum_i w_i l_i / n        n: how many w_i are not 0 (the default), all entries, sum of w_i, or 1

Numbers that are no floats count as float32; the loss has the predictions' type.
"""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes, interpreter
from pullback.core.basics import ZerosLike, add_n, shape_of
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import known
from pullback.core.tensor import EagerTensor, Tensor
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.ops.array.conversion import constant
from pullback.ops.array.shape import one_of
from pullback.ops.array.sizes import size
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import abs_, divide_no_nan
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.scopes import scope as named
from pullback.ops.math.select import Cast, Select, StopGradient
from pullback.ops.nn import losses as entropy
from pullback.ops.nn.activation import relu
from pullback.train.weighting import (
    cast,
    check_broadcast,
    count_present,
    in_float,
    same_shape,
    spread,
    without_extra_axis,
)


@public(v1="losses.Reduction")
class Reduction:
    """How the losses of the entries become one."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_OVER_NONZERO_WEIGHTS

    @classmethod
    def validate(cls, key: Any) -> None:
        """
        Raises:
          ValueError: there is no such reduction.
        """
        if key not in cls.all():
            raise ArgumentError(f"Invalid Reduction Key {key}; one of {', '.join(cls.all())} is needed").locate()


_BY_PRESENT = Reduction.SUM_BY_NONZERO_WEIGHTS


@public(v1="losses.add_loss")
def add_loss(loss: Any, loss_collection: Any = "losses") -> None:
    """Adds a loss to a collection of its graph. None is no collection; eagerly there are none."""
    if loss_collection and type(loss) is not EagerTensor:
        loss.graph.add_to_collection(loss_collection, loss)


@public(v1="losses.get_losses")
def get_losses(scope: str | None = None, loss_collection: Any = "losses") -> list[Tensor]:
    """The losses of a collection; with `scope`, those whose names match it."""
    return get_default_graph().get_collection(loss_collection, scope)


@public(v1="losses.get_regularization_losses")
def get_regularization_losses(scope: str | None = None) -> list[Tensor]:
    """The losses that regularizers of variables made."""
    return get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


@public(v1="losses.get_regularization_loss")
def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Tensor:
    """The sum of the regularization losses; 0.0 when there are none."""
    found = get_regularization_losses(scope)
    return add_n(found, name=name) if found else constant(0.0, name="Const")


@public(v1="losses.get_total_loss")
def get_total_loss(
    add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None
) -> Tensor:
    """The sum of all losses of the default graph.

    Raises:
      ValueError: there are none.
    """
    found = get_losses(scope)
    if add_regularization_losses:
        found += get_regularization_losses(scope)
    if not found:
        raise ArgumentError("get_total_loss: the graph has collected no loss yet").locate()
    return add_n(found, name=name)


def _default(scope: Any, name: str, *values: Any) -> Any:
    return named(scope if isinstance(scope, str) else getattr(scope, "name", None), name, *values)


@public(v1="losses.compute_weighted_loss")
def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
) -> Tensor:
    """losses, weighted and reduced.

    Args:
      losses: Tensor [N, ...].
      weights: a number, or a tensor of as many axes, each 1 or as long as losses'. Gradients reach it.
      scope: name of the scope.
      loss_collection: the collection that the loss joins; None for none.
      reduction: one of `Reduction`.
    Returns:
      A scalar of losses' type; of Reduction.NONE a tensor of losses' shape. 0 where there is nothing to divide by.
    Raises:
      ValueError: weights do not fit losses, or there is no such reduction.
    """
    Reduction.validate(reduction)
    with _default(scope, "weighted_loss", losses, weights):
        losses = interpreter.as_tensor(losses)
        given = losses.dtype
        wide = given if given is dtypes.float64 else dtypes.float32
        values, w = cast(losses, wide), cast(weights, wide)
        check_broadcast(w, values)
        fits = w.spec.shape == () or (known(w.spec.shape) and known(values.spec.shape))
        weighted = m.Mul()(values, w if fits else spread(w, values))
        loss = weighted if reduction == Reduction.NONE else reduce_sum(weighted)
        if reduction == Reduction.MEAN:
            loss = divide_no_nan(loss, reduce_sum(spread(w, values)), name="value")
        elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
            loss = divide_no_nan(loss, count_present(w, values), name="value")
        elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
            loss = divide_no_nan(loss, Cast(wide)(size(values)), name="value")
        loss = loss if loss.dtype is given else Cast(given)(loss)
        add_loss(loss, loss_collection)
        return loss


def _both(what: str, labels: Any, predictions: Any) -> tuple[Tensor, Tensor]:
    """(labels, predictions) as floats of one shape."""
    if labels is None or predictions is None:
        raise ArgumentError(f"{what}: labels and predictions must not be None.").locate()
    labels, predictions = in_float(labels, predictions)
    same_shape(what, labels, predictions)
    return labels, predictions


@public(v1="losses.absolute_difference")
def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
) -> Tensor:
    """|predictions - labels|; arguments and errors as `compute_weighted_loss`."""
    with _default(scope, "absolute_difference", predictions, labels, weights) as within:
        q, p = _both("absolute_difference", labels, predictions)
        return compute_weighted_loss(abs_(m.Sub()(p, q)), weights, within, loss_collection, reduction)


@public(v1="losses.mean_squared_error")
def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
) -> Tensor:
    """(predictions - labels)^2; arguments and errors as `compute_weighted_loss`."""
    with _default(scope, "mean_squared_error", predictions, labels, weights) as within:
        q, p = _both("mean_squared_error", labels, predictions)
        return compute_weighted_loss(m.SquaredDifference()(p, q), weights, within, loss_collection, reduction)


@public(v1="losses.log_loss")
def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-07,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
) -> Tensor:
    """-q log(p + epsilon) - (1 - q) log(1 - p + epsilon), p predictions from 0 to 1, q labels."""
    with _default(scope, "log_loss", predictions, labels, weights) as within:
        q, p = _both("log_loss", labels, predictions)
        values = -q * m.Log()(p + epsilon) - (1 - q) * m.Log()(1 - p + epsilon)
        return compute_weighted_loss(values, weights, within, loss_collection, reduction)


@public(v1="losses.hinge_loss")
def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
) -> Tensor:
    """max(0, 1 - t x), t = 2 labels - 1 for labels 0 or 1. Gradient: 0 at the kink."""
    with _default(scope, "hinge_loss", logits, labels, weights) as within:
        q, x = _both("hinge_loss", labels, logits)
        return compute_weighted_loss(relu(1 - (2 * q - 1) * x), weights, within, loss_collection, reduction)


@public(v1="losses.huber_loss")
def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
) -> Tensor:
    """e^2 / 2 where e = |predictions - labels| is at most delta, delta e - delta^2 / 2 beyond.

    Source: Huber 1964.
    """
    with _default(scope, "huber_loss", predictions, labels, weights) as within:
        q, p = _both("huber_loss", labels, predictions)
        error = abs_(m.Sub()(p, q))
        square = m.Minimum()(error, delta)
        values = 0.5 * square * square + delta * (error - square)
        return compute_weighted_loss(values, weights, within, loss_collection, reduction)


@public(v1="losses.cosine_distance")
def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: Any = None,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
    dim: Any = None,
) -> Tensor:
    """1 - sum(labels * predictions) along an axis, which stays as 1. Both are taken to have length 1.

    Raises:
      ValueError: no axis is given.
    """
    axis = one_of("axis", axis, "dim", dim)
    if axis is None:
        raise ArgumentError("cosine_distance: You must specify 'axis'.").locate()
    with _default(scope, "cosine_distance_loss", predictions, labels, weights) as within:
        q, p = _both("cosine_distance", labels, predictions)
        values = 1 - reduce_sum(p * q, axis, True)
        return compute_weighted_loss(values, weights, within, loss_collection, reduction)


@public(v1="losses.mean_pairwise_squared_error")
def mean_pairwise_squared_error(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: Any = None, loss_collection: Any = "losses"
) -> Tensor:
    """Within each example, the mean of ((d_i - d_j)^2) over pairs i != j of entries, d = predictions - labels; summed
    over examples by their weights.

    Args:
      labels, predictions: Tensors [N, ...].
      weights: a number, or a tensor [N, 1, ...]; entries of weight 0 do not count as present.
    """
    with _default(scope, "mean_pairwise_squared_error", predictions, labels, weights):
        q, p = _both("mean_pairwise_squared_error", labels, predictions)
        d, w = m.Sub()(p, q), cast(weights, p.dtype)
        if d.spec.rank is None:
            raise ArgumentError("mean_pairwise_squared_error: the number of axes must be known").locate()
        inner = list(range(1, d.spec.rank))
        present = count_present(w, d, inner, True)
        squares, total = reduce_sum(d * d, inner, True), reduce_sum(d, inner, True)
        pairs = m.Maximum()(present - 1, 0)
        first = divide_no_nan(squares, pairs)
        second = divide_no_nan(total * total, m.Maximum()(present * pairs, 0))
        loss = reduce_sum((2 * first - 2 * second) * w)
        loss = Select()(reduce_sum(present) > 0, loss, ZerosLike()(loss), name="value")
        add_loss(loss, loss_collection)
        return loss


@public(v1="losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: Any = 0,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
) -> Tensor:
    """Cross entropy of labels with sigmoid(logits), entry by entry.

    Args:
      label_smoothing: moves labels this part of the way to 1/2.
    """
    with _default(scope, "sigmoid_cross_entropy_loss", logits, multi_class_labels, weights) as within:
        q, x = _both("sigmoid_cross_entropy", multi_class_labels, logits)
        if not isinstance(label_smoothing, (int, float)) or label_smoothing > 0:
            q = q * (1 - label_smoothing) + 0.5 * label_smoothing
        values = entropy.sigmoid_cross_entropy_with_logits(q, x, "xentropy")
        return compute_weighted_loss(values, weights, within, loss_collection, reduction)


@public(v1="losses.softmax_cross_entropy")
def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: Any = 0,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
) -> Tensor:
    """Cross entropy of labels with softmax(logits), along the last axis.

    Args:
      onehot_labels, logits: Tensors [..., K].
      weights: a number, or a tensor that fits [...].
      label_smoothing: moves labels this part of the way to 1/K.
    Gradient: none to the labels.
    """
    with _default(scope, "softmax_cross_entropy_loss", logits, onehot_labels, weights) as within:
        q, x = _both("softmax_cross_entropy", onehot_labels, logits)
        if not isinstance(label_smoothing, (int, float)) or label_smoothing > 0:
            classes = cast(shape_of(x)[-1], x.dtype)
            q = q * (1 - label_smoothing) + label_smoothing / classes
        values = entropy.softmax_cross_entropy_with_logits(StopGradient()(q), x, name="xentropy")
        return compute_weighted_loss(values, weights, within, loss_collection, reduction)


@public(v1="losses.sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = "losses",
    reduction: Any = _BY_PRESENT,
) -> Tensor:
    """Cross entropy of the class each label names with softmax(logits).

    Args:
      labels: Tensor [...] or [..., 1], integer.
      logits: Tensor [..., K].
      weights: a number, or a tensor that fits [...] or [..., 1].
    """
    if labels is None or logits is None:
        raise ArgumentError("sparse_softmax_cross_entropy: labels and logits must not be None.").locate()
    with _default(scope, "sparse_softmax_cross_entropy_loss", logits, labels, weights) as within:
        q, x = without_extra_axis(interpreter.as_tensor(labels), interpreter.as_tensor(logits), 1)
        w = cast(weights, x.dtype)
        if w.spec.shape and q.spec.rank is not None:
            w = without_extra_axis(w, q)[0]
        values = entropy.sparse_softmax_cross_entropy_with_logits(q, x, "xentropy")
        return compute_weighted_loss(values, w, within, loss_collection, reduction)
