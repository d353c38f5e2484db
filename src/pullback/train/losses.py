"""Keras' loss functions: one loss for each example, the mean (or sum) over the last axis.

    f(y_true [..., K], y_pred [..., K]) -> [...]

y_true takes y_pred's type. Probabilities are kept in [1e-7, 1 - 1e-7] before their logarithm.
"""

from __future__ import annotations

import math
from typing import Any

from pullback.core import dtypes, interpreter
from pullback.core.basics import ZerosLike, shape_of
from pullback.core.dtypes import DType
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.layout import transpose
from pullback.ops.array.shape import axis_in
from pullback.ops.math import arithmetic as m
from pullback.ops.math.clipping import clip_by_value
from pullback.ops.math.functions import abs_
from pullback.ops.math.reduce_functions import reduce_all, reduce_max, reduce_mean, reduce_sum
from pullback.ops.math.select import Cast, Select
from pullback.ops.nn import losses as entropy
from pullback.ops.nn.activation import softplus
from pullback.ops.nn.softmax import softmax
from pullback.train.weighting import cast, without_extra_axis

EPSILON = 1e-7


def spaces(*words: str) -> tuple[str, ...]:
    """A loss function's names in TensorFlow 2; they are also metrics."""
    return tuple(
        f"{space}{word}" for space in ("losses.", "keras.losses.", "metrics.", "keras.metrics.") for word in words
    )


def keras_spaces(*words: str) -> tuple[str, ...]:
    """Its names in TensorFlow 1, whose own tf.losses differs."""
    return tuple(f"{space}{word}" for space in ("keras.losses.", "keras.metrics.") for word in words)


def both(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """(y_true, y_pred) in y_pred's type; float32 where that is no float."""
    p = interpreter.as_tensor(y_pred)
    p = p if p.dtype.is_floating else Cast(dtypes.float32)(p)
    return cast(y_true, p.dtype), p


def _function(*words: str) -> Any:
    return public(*spaces(*words), v1=keras_spaces(*words))


@_function("mean_squared_error", "mse", "MSE")
def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean (y_pred - y_true)^2 over the last axis."""
    q, p = both(y_true, y_pred)
    return reduce_mean(m.SquaredDifference()(p, q), -1)


@_function("mean_absolute_error", "mae", "MAE")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean |y_pred - y_true| over the last axis."""
    q, p = both(y_true, y_pred)
    return reduce_mean(abs_(p - q), -1)


@_function("mean_absolute_percentage_error", "mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """100 mean |(y_true - y_pred) / y_true| over the last axis; |y_true| counts as at least 1e-7."""
    q, p = both(y_true, y_pred)
    return 100.0 * reduce_mean(abs_((q - p) / m.Maximum()(abs_(q), EPSILON)), -1)


@_function("mean_squared_logarithmic_error", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean (log(1 + y_pred) - log(1 + y_true))^2 over the last axis, of numbers of at least 1e-7."""
    q, p = both(y_true, y_pred)
    logs = [m.Log()(m.Maximum()(x, EPSILON) + 1.0) for x in (p, q)]
    return reduce_mean(m.SquaredDifference()(*logs), -1)


def _signs(q: Tensor) -> Tensor:
    """Labels -1 and 1; where all are 0 or 1 they are meant so."""
    binary = reduce_all(m.LogicalOr()(m.Equal()(q, 0.0), m.Equal()(q, 1.0)))
    return Select()(binary, 2.0 * q - 1.0, q)


@_function("hinge")
def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """mean max(1 - y_true y_pred, 0) over the last axis; y_true -1 or 1, or 0 or 1."""
    q, p = both(y_true, y_pred)
    return reduce_mean(m.Maximum()(1.0 - _signs(q) * p, 0.0), -1)


@_function("squared_hinge")
def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """mean max(1 - y_true y_pred, 0)^2 over the last axis; y_true -1 or 1, or 0 or 1."""
    q, p = both(y_true, y_pred)
    return reduce_mean(m.Square()(m.Maximum()(1.0 - _signs(q) * p, 0.0)), -1)


@_function("categorical_hinge")
def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """max(1 + the best wrong score - the right one's, 0); y_true one-hot."""
    q, p = both(y_true, y_pred)
    return m.Maximum()(reduce_max((1.0 - q) * p, -1) - reduce_sum(q * p, -1) + 1.0, 0.0)


@_function("huber")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """mean over the last axis of e^2 / 2 where e = |y_pred - y_true| is at most delta, else delta e - delta^2 / 2."""
    q, p = both(y_true, y_pred)
    e = abs_(p - q)
    return reduce_mean(Select()(m.LessEqual()(e, delta), 0.5 * m.Square()(e), delta * e - 0.5 * delta * delta), -1)


@_function("log_cosh", "logcosh")
def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """mean log(cosh(y_pred - y_true)) over the last axis."""
    q, p = both(y_true, y_pred)
    x = p - q
    return reduce_mean(x + softplus(-2.0 * x) - math.log(2.0), -1)


@_function("poisson")
def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """mean (y_pred - y_true log(y_pred + 1e-7)) over the last axis."""
    q, p = both(y_true, y_pred)
    return reduce_mean(p - q * m.Log()(p + EPSILON), -1)


@_function("kl_divergence", "kullback_leibler_divergence", "kld", "KLD")
def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """sum y_true log(y_true / y_pred) over the last axis, of numbers kept in [1e-7, 1]."""
    q, p = (clip_by_value(x, EPSILON, 1.0) for x in both(y_true, y_pred))
    return reduce_sum(q * m.Log()(q / p), -1)


def unit(x: Tensor, axis: Any) -> Tensor:
    """x of length 1 along an axis; vectors shorter than 1e-6 stay shorter."""
    return x * m.Rsqrt()(m.Maximum()(reduce_sum(m.Square()(x), axis, True), 1e-12))


@public("losses.cosine_similarity", "keras.losses.cosine_similarity", v1="keras.losses.cosine_similarity")
def cosine_similarity(y_true: Any, y_pred: Any, axis: Any = -1) -> Tensor:
    """Minus the cosine of the angle between y_true and y_pred along an axis: -1 is the same direction."""
    q, p = both(y_true, y_pred)
    return -reduce_sum(unit(q, axis) * unit(p, axis), axis)


def _positive(label_smoothing: Any) -> bool:
    return not isinstance(label_smoothing, (int, float)) or label_smoothing > 0


def _smoothed(q: Tensor, by: Any, axis: int) -> Tensor:
    """Labels moved a part of the way to 1/K."""
    return q * (1.0 - by) + by / cast(shape_of(q)[axis], q.dtype) if _positive(by) else q


def _inside(p: Tensor) -> Tensor:
    return clip_by_value(p, EPSILON, 1.0 - EPSILON)


@_function("categorical_crossentropy")
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: Any = 0.0, axis: int = -1
) -> Tensor:
    """-sum y_true log p along an axis; p is y_pred, scaled to sum 1, or softmax(y_pred).

    Args:
      y_true: one-hot, or other distributions.
      from_logits: y_pred holds logits.
      label_smoothing: moves y_true this part of the way to 1/K.
    """
    q, p = both(y_true, y_pred)
    q = _smoothed(q, label_smoothing, axis)
    if from_logits:
        return entropy.softmax_cross_entropy_with_logits(q, p, axis)
    return -reduce_sum(q * m.Log()(_inside(p / reduce_sum(p, axis, True))), axis)


@_function("categorical_focal_crossentropy")
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: Any = 0.0,
    axis: int = -1,
) -> Tensor:
    """-sum alpha (1 - p)^gamma y_true log p along an axis: what is known already weighs less.

    Source: Lin et al. 2018, "Focal loss for dense object detection".
    """
    q, p = both(y_true, y_pred)
    q = _smoothed(q, label_smoothing, axis)
    p = softmax(p, axis) if from_logits else p
    p = _inside(p / reduce_sum(p, axis, True))
    return -reduce_sum(alpha * m.Pow()(1.0 - p, gamma) * q * m.Log()(p), axis)


@_function("sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Tensor:
    """-log p[y_true]; p is y_pred, scaled to sum 1, or softmax(y_pred).

    Args:
      y_true: Tensor [...] or [..., 1], class numbers.
      y_pred: Tensor [..., K].
      axis: the classes' axis in y_pred.
      ignore_class: entries of this class get loss 0.
    """
    x = interpreter.as_tensor(y_pred)
    x = x if x.dtype.is_floating else Cast(dtypes.float32)(x)
    if not from_logits:
        x = m.Log()(_inside(x))
    if axis != -1 and x.spec.rank is not None:
        at = axis_in(axis, x.spec.rank, "sparse_categorical_crossentropy")
        x = transpose(x, [i for i in range(x.spec.rank) if i != at] + [at])
    q, x = without_extra_axis(as_classes(y_true), x, 1)
    if ignore_class is None:
        return entropy.sparse_softmax_cross_entropy_with_logits(q, x)
    counts = m.NotEqual()(q, ignore_class)
    values = entropy.sparse_softmax_cross_entropy_with_logits(Select()(counts, q, ZerosLike()(q)), x)
    return Select()(counts, values, ZerosLike()(values))


def as_classes(y: Any, dtype: DType = dtypes.int64) -> Tensor:
    """Class numbers as integers."""
    y = interpreter.as_tensor(y)
    return y if y.dtype is dtype else Cast(dtype)(y)


def _entry_entropy(q: Tensor, p: Tensor, from_logits: bool) -> Tensor:
    if from_logits:
        return entropy.sigmoid_cross_entropy_with_logits(q, p)
    p = _inside(p)
    return -(q * m.Log()(p + EPSILON) + (1.0 - q) * m.Log()(1.0 - p + EPSILON))


def _to_half(q: Tensor, by: Any) -> Tensor:
    return q * (1.0 - by) + 0.5 * by if _positive(by) else q


@_function("binary_crossentropy")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: Any = 0.0, axis: Any = -1
) -> Tensor:
    """mean -(y log p + (1 - y) log(1 - p)) along an axis; p is y_pred or sigmoid(y_pred).

    Args:
      label_smoothing: moves y_true this part of the way to 1/2.
    """
    q, p = both(y_true, y_pred)
    return reduce_mean(_entry_entropy(_to_half(q, label_smoothing), p, from_logits), axis)


@_function("binary_focal_crossentropy")
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: Any = 0.0,
    axis: Any = -1,
) -> Tensor:
    """mean (1 - p_t)^gamma times the binary cross entropy, p_t the probability of the right answer.

    Args:
      apply_class_balancing: weigh 1s by alpha and 0s by 1 - alpha.
    Source: Lin et al. 2018.
    """
    q, p = both(y_true, y_pred)
    q = _to_half(q, label_smoothing)
    chance = m.Sigmoid()(p) if from_logits else p
    right = q * chance + (1.0 - q) * (1.0 - chance)
    values = m.Pow()(1.0 - right, gamma) * _entry_entropy(q, p, from_logits)
    if apply_class_balancing:
        values = values * (q * alpha + (1.0 - q) * (1.0 - alpha))
    return reduce_mean(values, axis)
