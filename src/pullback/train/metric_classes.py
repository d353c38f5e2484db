"""Keras' accuracies, and the running means of its loss functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import dtypes, interpreter
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.search import argmax
from pullback.ops.array.shape import expand_dims
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import divide_no_nan
from pullback.ops.math.reduce_functions import reduce_mean, reduce_sum
from pullback.ops.math.select import Cast
from pullback.train import losses as f
from pullback.train.metric import Mean, MeanMetricWrapper, named
from pullback.train.weighting import cast, same_shape, without_extra_axis


def _function(name: str) -> Any:
    return public(f"metrics.{name}", f"keras.metrics.{name}", v1=f"keras.metrics.{name}")


def _float(x: Tensor) -> Tensor:
    return Cast(dtypes.float32)(x)


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where y_pred equals y_true, else 0."""
    p = interpreter.as_tensor(y_pred)
    q = cast(y_true, p.dtype)
    same_shape("accuracy", q, p)
    return _float(m.Equal()(q, p))


@_function("binary_accuracy")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """How often, over the last axis, y_pred is above the threshold where y_true is 1, and not where it is 0."""
    q, p = f.both(y_true, y_pred)
    return _float(reduce_mean(_float(m.Equal()(q, Cast(p.dtype)(m.Greater()(p, threshold)))), -1))


@_function("categorical_accuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest of y_pred is where the largest of y_true is; of equal ones the first counts."""
    return _float(m.Equal()(argmax(interpreter.as_tensor(y_true), -1), argmax(interpreter.as_tensor(y_pred), -1)))


@_function("sparse_categorical_accuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest of y_pred [..., K] is the class that y_true [...] or [..., 1] names."""
    q, p = without_extra_axis(interpreter.as_tensor(y_true), interpreter.as_tensor(y_pred), 1)
    return _float(m.Equal()(f.as_classes(q), argmax(p, -1)))


@_function("sparse_top_k_categorical_accuracy")
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where less than k classes have a larger y_pred [..., K] than the class that y_true [...] names."""
    from pullback.ops.array.one_hot import one_hot

    q, p = without_extra_axis(interpreter.as_tensor(y_true), interpreter.as_tensor(y_pred), 1)
    p = _float(p)
    chosen = reduce_sum(p * one_hot(f.as_classes(q), p.shape[-1]), -1)
    larger = reduce_sum(_float(m.Greater()(p, expand_dims(chosen, -1))), -1)
    return _float(m.Less()(larger, float(k)))


@_function("top_k_categorical_accuracy")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """`sparse_top_k_categorical_accuracy` for one-hot labels."""
    return sparse_top_k_categorical_accuracy(argmax(interpreter.as_tensor(y_true), -1), y_pred, k)


def cosine(y_true: Any, y_pred: Any, axis: Any = -1) -> Tensor:
    """The cosine of the angle between y_true and y_pred along an axis."""
    return -f.cosine_similarity(y_true, y_pred, axis)


def _mean_of(class_name: str, function: Callable[..., Any], default: str) -> type[MeanMetricWrapper]:
    """The running mean of a function without settings."""

    def __init__(self: Any, name: str | None = default, dtype: Any = None) -> None:
        MeanMetricWrapper.__init__(self, function, name, dtype)

    doc = f"The running mean of `{function.__name__}`.\n\n    {function.__doc__}"
    made = type(class_name, (MeanMetricWrapper,), {"__init__": __init__, "__module__": __name__, "__doc__": doc})
    return named(class_name)(made)


Accuracy = _mean_of("Accuracy", accuracy, "accuracy")
CategoricalAccuracy = _mean_of("CategoricalAccuracy", categorical_accuracy, "categorical_accuracy")
SparseCategoricalAccuracy = _mean_of(
    "SparseCategoricalAccuracy", sparse_categorical_accuracy, "sparse_categorical_accuracy"
)
MeanSquaredError = _mean_of("MeanSquaredError", f.mean_squared_error, "mean_squared_error")
MeanAbsoluteError = _mean_of("MeanAbsoluteError", f.mean_absolute_error, "mean_absolute_error")
MeanAbsolutePercentageError = _mean_of(
    "MeanAbsolutePercentageError", f.mean_absolute_percentage_error, "mean_absolute_percentage_error"
)
MeanSquaredLogarithmicError = _mean_of(
    "MeanSquaredLogarithmicError", f.mean_squared_logarithmic_error, "mean_squared_logarithmic_error"
)
Hinge = _mean_of("Hinge", f.hinge, "hinge")
SquaredHinge = _mean_of("SquaredHinge", f.squared_hinge, "squared_hinge")
CategoricalHinge = _mean_of("CategoricalHinge", f.categorical_hinge, "categorical_hinge")
LogCoshError = _mean_of("LogCoshError", f.log_cosh, "logcosh")
Poisson = _mean_of("Poisson", f.poisson, "poisson")
KLDivergence = _mean_of("KLDivergence", f.kl_divergence, "kl_divergence")


@named("BinaryAccuracy")
class BinaryAccuracy(MeanMetricWrapper):
    """The running mean of `binary_accuracy`."""

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


@named("TopKCategoricalAccuracy")
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The running mean of `top_k_categorical_accuracy`."""

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


@named("SparseTopKCategoricalAccuracy")
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The running mean of `sparse_top_k_categorical_accuracy`."""

    def __init__(self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k)


@named("CosineSimilarity")
class CosineSimilarity(MeanMetricWrapper):
    """The running mean of the cosine between labels and predictions: 1 is the same direction."""

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: Any = -1) -> None:
        super().__init__(cosine, name, dtype, axis=axis)


@named("BinaryCrossentropy")
class BinaryCrossentropy(MeanMetricWrapper):
    """The running mean of `binary_crossentropy`."""

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: Any = 0,
    ) -> None:
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(f.binary_crossentropy, name, dtype, **settings)


@named("CategoricalCrossentropy")
class CategoricalCrossentropy(MeanMetricWrapper):
    """The running mean of `categorical_crossentropy`."""

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: Any = 0,
        axis: int = -1,
    ) -> None:
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(f.categorical_crossentropy, name, dtype, **settings)


@named("SparseCategoricalCrossentropy")
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The running mean of `sparse_categorical_crossentropy`; entries of ignore_class count with loss 0."""

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        settings = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(f.sparse_categorical_crossentropy, name, dtype, **settings)


@named("RootMeanSquaredError")
class RootMeanSquaredError(Mean):
    """The root of the mean of (y_pred - y_true)^2 over all entries."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:  # type: ignore[override]
        q, p = without_extra_axis(cast(y_true, self._dtype), cast(y_pred, self._dtype))
        return super().update_state(m.SquaredDifference()(p, q), sample_weight)

    def result(self) -> Tensor:
        return m.Sqrt()(divide_no_nan(self.total, self.count.value()))
