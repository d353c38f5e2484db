"""tf.metrics of TensorFlow 1: running figures kept in local variables of the graph.

    value, update_op = tf.metrics.mean(x)
    session.run(tf.local_variables_initializer());  session.run(update_op) per batch;  session.run(value)

Every function takes weights (a tensor that broadcasts to the values; 0 leaves a value out), and adds its answers to
the collections that metrics_collections and updates_collections name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import dtypes, interpreter
from pullback.core.basics import ZerosLike
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import known
from pullback.core.tensor import Tensor
from pullback.modes.default import GraphKeys
from pullback.modes.scopes import variable_scope
from pullback.modes.variable import Variable, VariableV1
from pullback.ops.array.creation import zeros
from pullback.ops.array.sizes import size
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import abs_, divide_no_nan
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.select import Cast, Identity, Select
from pullback.train.weighting import cast, fitting, in_float, same_shape, spread, without_extra_axis

Pair = tuple[Any, Any]


def kept(name: str, shape: Any = (), dtype: Any = dtypes.float32) -> Variable:
    """A local variable of zeros, in LOCAL_VARIABLES and METRIC_VARIABLES."""
    keys = [GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES]
    return VariableV1(lambda: zeros(shape, dtype), trainable=False, collections=keys, name=name)


def opened(what: str, name: str | None, default: str | None = None) -> Any:
    """The metric's variable scope.

    Raises:
      RuntimeError: there is no graph.
    """
    if not isinstance(interpreter.current(), Graph):
        raise RuntimeError(f"tf.metrics.{what} is not supported when eager execution is enabled: use tf.keras.metrics")
    return variable_scope(name, default or what)


def told(value: Any, update: Any, metrics_collections: Any, updates_collections: Any) -> Pair:
    """The pair, after it joined the collections."""
    graph = interpreter.current()
    for names, made in ((metrics_collections, value), (updates_collections, update)):
        if names:
            graph.add_to_collections(names, made)
    return value, update


def pair_of(labels: Any, predictions: Any, what: str) -> tuple[Tensor, Tensor]:
    """(labels, predictions) of one shape."""
    q, p = without_extra_axis(interpreter.as_tensor(labels), interpreter.as_tensor(predictions))
    same_shape(what, q, p)
    return q, p


def weighed(weights: Any, values: Tensor) -> Tensor:
    """Weights of the values' shape, float32."""
    return spread(fitting(cast(weights, dtypes.float32), values), values)


@public(v1="metrics.mean")
def mean(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The weighted mean of all values so far: sum w v / sum w; 0 before the first.

    Returns:
      (value, update_op): the mean so far, and what counts these values in and gives the mean after them.
    """
    with opened("mean", name):
        values = cast(values, dtypes.float32)
        total, count = kept("total"), kept("count")
        if weights is None:
            number = Cast(dtypes.float32)(size(values))
        else:
            w = weighed(weights, values)
            values, number = values * w, reduce_sum(w)
        new_total, new_count = total.assign_add(reduce_sum(values)), count.assign_add(number)
        value = divide_no_nan(total, m.Maximum()(count.value(), 0.0), name="value")
        update = divide_no_nan(new_total, m.Maximum()(new_count, 0.0), name="update_op")
        return told(value, update, metrics_collections, updates_collections)


@public(v1="metrics.mean_tensor")
def mean_tensor(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean of tensors so far, entry by entry. The values' shape must be known."""
    with opened("mean_tensor", name, "mean"):
        values = cast(values, dtypes.float32)
        if not known(values.spec.shape):
            raise ArgumentError(f"metrics.mean_tensor: the shape must be known, but is {values.shape}").locate()
        total, count = kept("total_tensor", values.spec.shape), kept("count_tensor", values.spec.shape)
        w = weighed(1.0 if weights is None else weights, values)
        new_total, new_count = total.assign_add(values * w), count.assign_add(w)
        value = divide_no_nan(total, m.Maximum()(count.value(), 0.0), name="value")
        update = divide_no_nan(new_total, m.Maximum()(new_count, 0.0), name="update_op")
        return told(value, update, metrics_collections, updates_collections)


@public(v1="metrics.accuracy")
def accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """How often predictions equal labels."""
    q, p = pair_of(labels, predictions, "metrics.accuracy")
    p = p if p.dtype is q.dtype else Cast(q.dtype)(p)
    right = Cast(dtypes.float32)(m.Equal()(p, q))
    return mean(right, weights, metrics_collections, updates_collections, name or "accuracy")


def _float_pair(labels: Any, predictions: Any, what: str) -> tuple[Tensor, Tensor]:
    q, p = in_float(labels, predictions)
    return pair_of(q, p, what)


@public(v1="metrics.mean_absolute_error")
def mean_absolute_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean of |predictions - labels|."""
    q, p = _float_pair(labels, predictions, "metrics.mean_absolute_error")
    return mean(abs_(p - q), weights, metrics_collections, updates_collections, name or "mean_absolute_error")


@public(v1="metrics.mean_squared_error")
def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean of (predictions - labels)^2."""
    q, p = _float_pair(labels, predictions, "metrics.mean_squared_error")
    error = m.SquaredDifference()(q, p)
    return mean(error, weights, metrics_collections, updates_collections, name or "mean_squared_error")


@public(v1="metrics.root_mean_squared_error")
def root_mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The root of the mean of (predictions - labels)^2."""
    squares = mean_squared_error(labels, predictions, weights, name=name or "root_mean_squared_error")
    square, new = squares
    return told(m.Sqrt()(square), m.Sqrt()(new), metrics_collections, updates_collections)


@public(v1="metrics.mean_relative_error")
def mean_relative_error(
    labels: Any,
    predictions: Any,
    normalizer: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean of |labels - predictions| / normalizer; 0 where normalizer is 0."""
    q, p = _float_pair(labels, predictions, "metrics.mean_relative_error")
    n = without_extra_axis(cast(normalizer, p.dtype), p)[0]
    same_shape("metrics.mean_relative_error: normalizer", n, p)
    error = abs_(q - p)
    error = Select()(m.Equal()(n, 0.0), ZerosLike()(error), divide_no_nan(error, n))
    return mean(error, weights, metrics_collections, updates_collections, name or "mean_relative_error")


@public(v1="metrics.mean_cosine_distance")
def mean_cosine_distance(
    labels: Any,
    predictions: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """1 - the mean of sum(labels * predictions) along `dim`. Both are taken to have length 1."""
    q, p = _float_pair(labels, predictions, "metrics.mean_cosine_distance")
    cosines = mean(reduce_sum(p * q, [dim], True), weights, None, None, name or "mean_cosine_distance")
    cosine, new = cosines
    return told(1.0 - cosine, 1.0 - new, metrics_collections, updates_collections)


@public(v1="metrics.percentage_below")
def percentage_below(
    values: Any,
    threshold: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The part of values below a threshold."""
    below = Cast(dtypes.float32)(m.Less()(interpreter.as_tensor(values), threshold))
    return mean(below, weights, metrics_collections, updates_collections, name or "percentage_below_threshold")


# --- right and wrong answers -----------------------------------------------------------------------------------------


def _happened(kind: str, q: Tensor, p: Tensor) -> Tensor:
    """Where a bool label and prediction are a case of this kind."""
    right, positive = kind.split("_")
    predicted = p if positive == "positives" else m.LogicalNot()(p)
    actual = q if (right == "true") == (positive == "positives") else m.LogicalNot()(q)
    return m.LogicalAnd()(predicted, actual)


def _count(kind: str) -> Callable[..., Pair]:
    """tf.metrics.true_positives and its three siblings."""

    def count(
        labels: Any,
        predictions: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Pair:
        with opened(kind, name):
            q, p = pair_of(cast(labels, dtypes.bool_), cast(predictions, dtypes.bool_), f"metrics.{kind}")
            cases = Cast(dtypes.float32)(_happened(kind, q, p))
            if weights is not None:
                cases = cases * weighed(weights, cases)
            variable = kept("count")
            update = variable.assign_add(reduce_sum(cases))
            return told(Identity()(variable), update, metrics_collections, updates_collections)

    count.__name__ = count.__qualname__ = kind
    count.__doc__ = f"How many {kind.replace('_', ' ')} there were, by weight. Labels and predictions are cast to bool."
    return public(v1=f"metrics.{kind}")(count)


true_positives = _count("true_positives")
false_positives = _count("false_positives")
true_negatives = _count("true_negatives")
false_negatives = _count("false_negatives")


def _share(
    what: str,
    wrong: Callable[..., Pair],
    labels: Any,
    predictions: Any,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Pair:
    """true positives / (true positives + wrong), 0 where there are none."""
    with opened(what, name):
        right, new_right = true_positives(labels, predictions, weights, name="true_positives")
        missed, new_missed = wrong(labels, predictions, weights, name=wrong.__name__)
        value = divide_no_nan(right, right + missed, name="value")
        update = divide_no_nan(new_right, new_right + new_missed, name="update_op")
        return told(value, update, metrics_collections, updates_collections)


@public(v1="metrics.precision")
def precision(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """true positives / all predicted positives; 0 when there are none."""
    return _share(
        "precision", false_positives, labels, predictions, weights, metrics_collections, updates_collections, name
    )


@public(v1="metrics.recall")
def recall(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """true positives / all positive labels; 0 when there are none."""
    return _share(
        "recall", false_negatives, labels, predictions, weights, metrics_collections, updates_collections, name
    )
