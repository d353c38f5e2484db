"""`tf.contrib.learn`: its ready-made estimators, the models of `tf.estimator` with `fit`, and its names of results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.learn import Estimator, ModeKeys
from pullback.core.errors import ArgumentError
from pullback.estimator.heads import ClassHead, Head, RegressionHead, classes
from pullback.estimator.models import Deep, Wide, model_fn

# What contrib.learn calls the metrics of tf.estimator; others are not among its metrics.
_METRICS = {
    "accuracy": "accuracy",
    "auc": "auc",
    "auc_precision_recall": "auc_precision_recall",
    "label/mean": "labels/actual_label_mean",
    "prediction/mean": "labels/prediction_mean",
    "precision": "precision/positive_threshold_0.500000_mean",
    "recall": "recall/positive_threshold_0.500000_mean",
}


class _Clipping(tf.train.Optimizer):
    """An optimizer whose gradients together are no longer than a norm."""

    def __init__(self, optimizer: Any, norm: float) -> None:
        super().__init__(False, "Clipping")
        self._optimizer, self._norm = optimizer, norm

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        gradients, variables = zip(*self._optimizer.compute_gradients(*args, **kwargs), strict=True)
        return list(zip(tf.clip_by_global_norm(gradients, self._norm)[0], variables, strict=True))

    def apply_gradients(self, *args: Any, **kwargs: Any) -> Any:
        return self._optimizer.apply_gradients(*args, **kwargs)


def _trained_by(optimizer: Any, default: Callable[[], Any], clip_norm: float | None) -> Callable[[], Any]:
    """A function that gives the optimizer. default: one for None."""
    by_name = {
        "Adagrad": tf.train.AdagradOptimizer,
        "Adam": tf.train.AdamOptimizer,
        "Ftrl": tf.train.FtrlOptimizer,
        "Momentum": lambda rate: tf.train.MomentumOptimizer(rate, 0.9),
        "RMSProp": tf.train.RMSPropOptimizer,
        "SGD": tf.train.GradientDescentOptimizer,
    }

    def make() -> Any:
        if optimizer is None:
            made = default()
        elif isinstance(optimizer, str):
            if optimizer not in by_name:
                raise ArgumentError(f"no optimizer is named {optimizer!r}; there are {sorted(by_name)}").locate()
            made = by_name[optimizer](0.05)
        else:
            made = optimizer if isinstance(optimizer, tf.train.Optimizer) else optimizer()
        return made if clip_norm is None else _Clipping(made, clip_norm)

    return make


def _left_out(what: str, **refused: Any) -> None:
    """Raises ArgumentError for an argument that asks for what is not there."""
    for name, value in refused.items():
        if value:
            raise ArgumentError(f"tf.contrib.learn.{what}: {name} is not there; leave it out").locate()


def _listed(columns: Any) -> tuple[Any, ...]:
    return tuple(columns) if isinstance(columns, (list, tuple, set)) else (columns,)


class _Canned(Estimator):
    """Base: a model of tf.estimator, whose predictions and metrics have contrib.learn's names."""

    _predictions: Any  # a method of each kind: {name: tensor} of the inner model's

    def __init__(self, parts: tuple[Deep | Wide, ...], head: Head, model_dir: Any, config: Any, engineer: Any) -> None:
        self._inner = model_fn(parts, head)
        super().__init__(self._named, model_dir, config, None, engineer)

    def _named(self, features: Any, labels: Any, mode: str) -> Any:
        # Features that are one matrix are the column "".
        spec = self._inner(features if isinstance(features, dict) else {"": features}, labels, mode)
        found = spec.eval_metric_ops or {}
        metrics = {name: found[key] for key, name in _METRICS.items() if key in found}
        return spec._replace(
            predictions=self._predictions(spec.predictions),
            eval_metric_ops=metrics if mode == ModeKeys.EVAL else None,
        )

    def _one(self, key: str, x: Any, input_fn: Any, batch_size: Any, as_iterable: bool) -> Any:
        """One of the predictions alone."""
        made = Estimator.predict(self, x, input_fn, batch_size, [key], as_iterable)
        return (row[key] for row in made) if as_iterable else made[key]


class _Classifier(_Canned):
    """Predictions: classes, probabilities, logits, and logistic with two classes."""

    def __init__(self, parts: Any, head: Any, model_dir: Any, config: Any, engineer: Any) -> None:
        self._words = isinstance(head, ClassHead) and head.vocabulary is not None
        super().__init__(parts, head, model_dir, config, engineer)

    def _predictions(self, made: dict[str, Any]) -> dict[str, Any]:
        kept = {k: made[k] for k in ("probabilities", "logits", "logistic") if k in made}
        return {"classes": tf.squeeze(made["classes" if self._words else "class_ids"], 1), **kept}

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x: Any = None, input_fn: Any = None, batch_size: Any = None, outputs: Any = None, as_iterable: bool = True
    ) -> Any:
        """The classes, or dicts of `outputs`: of "classes", "probabilities", "logits"."""
        if outputs:
            return super().predict(x, input_fn, batch_size, outputs, as_iterable)
        return self.predict_classes(x, input_fn, batch_size, as_iterable)

    def predict_classes(
        self, x: Any = None, input_fn: Any = None, batch_size: Any = None, as_iterable: bool = True
    ) -> Any:
        """Each example's class: its number, or its word where label_keys are given."""
        return self._one("classes", x, input_fn, batch_size, as_iterable)

    def predict_proba(
        self, x: Any = None, input_fn: Any = None, batch_size: Any = None, as_iterable: bool = True
    ) -> Any:
        """Each example's probabilities [n_classes]."""
        return self._one("probabilities", x, input_fn, batch_size, as_iterable)


class _Regressor(_Canned):
    """Predictions: scores."""

    def _predictions(self, made: dict[str, Any]) -> dict[str, Any]:
        y = made["predictions"]
        return {"scores": tf.squeeze(y, 1) if y.shape.as_list()[1] == 1 else y}

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x: Any = None, input_fn: Any = None, batch_size: Any = None, outputs: Any = None, as_iterable: bool = True
    ) -> Any:
        """The scores, or dicts of `outputs`, of which there is "scores"."""
        if outputs:
            return super().predict(x, input_fn, batch_size, outputs, as_iterable)
        return self.predict_scores(x, input_fn, batch_size, as_iterable)

    def predict_scores(
        self, x: Any = None, input_fn: Any = None, batch_size: Any = None, as_iterable: bool = True
    ) -> Any:
        """Each example's score: a number, or [label_dimension]."""
        return self._one("scores", x, input_fn, batch_size, as_iterable)


def _wide(columns: Any, optimizer: Any, clip_norm: Any) -> tuple[Wide]:
    listed = _listed(columns)
    rate = min(0.2, len(listed) ** -0.5)
    return (Wide(listed, "sum", None, _trained_by(optimizer, lambda: tf.train.FtrlOptimizer(rate), clip_norm)),)


def _deep(units: Any, columns: Any, optimizer: Any, clip_norm: Any, activation: Any, dropout: Any) -> tuple[Deep]:
    make = _trained_by(optimizer, lambda: tf.train.AdagradOptimizer(0.05), clip_norm)
    return (Deep(_listed(columns), tuple(int(n) for n in units), activation, dropout, False, None, make),)


# A batch's loss is the mean over its examples.
_MEAN = tf.losses.Reduction.SUM_OVER_BATCH_SIZE


@contrib("learn", "LinearClassifier")
class LinearClassifier(_Classifier):
    """`tf.estimator.LinearClassifier` with `fit`; a batch's loss is the mean over its examples.

    Args:
      weight_column_name: the feature of examples' weights. optimizer: an optimizer, a name, or a function; by default
        Ftrl with the rate min(0.2, 1 / sqrt(number of columns)). gradient_clip_norm: how long all gradients together
        may be. label_keys: names of the classes, when labels are words.
      enable_centered_bias, _joint_weight: must be left out.
    Metrics: accuracy, loss; with two classes labels/actual_label_mean, labels/prediction_mean, auc and others.
    """

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        _joint_weight: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        label_keys: Any = None,
    ) -> None:
        _left_out("LinearClassifier", enable_centered_bias=enable_centered_bias, _joint_weight=_joint_weight)
        head = classes(n_classes, weight_column_name, label_keys, _MEAN)
        parts = _wide(feature_columns, optimizer, gradient_clip_norm)
        super().__init__(parts, head, model_dir, config, feature_engineering_fn)


@contrib("learn", "LinearRegressor")
class LinearRegressor(_Regressor):
    """`tf.estimator.LinearRegressor` with `fit`. Arguments as of `LinearClassifier`."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        label_dimension: int = 1,
        _joint_weights: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
    ) -> None:
        _left_out("LinearRegressor", enable_centered_bias=enable_centered_bias, _joint_weights=_joint_weights)
        head = RegressionHead(label_dimension, weight_column_name, _MEAN)
        parts = _wide(feature_columns, optimizer, gradient_clip_norm)
        super().__init__(parts, head, model_dir, config, feature_engineering_fn)


@contrib("learn", "DNNClassifier")
class DNNClassifier(_Classifier):
    """`tf.estimator.DNNClassifier` with `fit`; the optimizer is Adagrad with the rate 0.05 by default.

    embedding_lr_multipliers, input_layer_min_slice_size: must be left out. Others as of `LinearClassifier`.
    """

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        activation_fn: Any = tf.nn.relu,
        dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
        label_keys: Any = None,
    ) -> None:
        _left_out(
            "DNNClassifier",
            enable_centered_bias=enable_centered_bias,
            embedding_lr_multipliers=embedding_lr_multipliers,
            input_layer_min_slice_size=input_layer_min_slice_size,
        )
        head = classes(n_classes, weight_column_name, label_keys, _MEAN)
        parts = _deep(hidden_units, feature_columns, optimizer, gradient_clip_norm, activation_fn, dropout)
        super().__init__(parts, head, model_dir, config, feature_engineering_fn)


@contrib("learn", "DNNRegressor")
class DNNRegressor(_Regressor):
    """`tf.estimator.DNNRegressor` with `fit`. Arguments as of `DNNClassifier`."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        activation_fn: Any = tf.nn.relu,
        dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        config: Any = None,
        feature_engineering_fn: Any = None,
        label_dimension: int = 1,
        embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: Any = None,
    ) -> None:
        _left_out(
            "DNNRegressor",
            enable_centered_bias=enable_centered_bias,
            embedding_lr_multipliers=embedding_lr_multipliers,
            input_layer_min_slice_size=input_layer_min_slice_size,
        )
        head = RegressionHead(label_dimension, weight_column_name, _MEAN)
        parts = _deep(hidden_units, feature_columns, optimizer, gradient_clip_norm, activation_fn, dropout)
        super().__init__(parts, head, model_dir, config, feature_engineering_fn)
