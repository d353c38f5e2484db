"""`tf.contrib.learn`: estimators with `fit`, from before `tf.estimator`; and what goes with them.

tf.contrib.learn.Estimator(model_fn).fit(x, y, steps=100)     over     tf.estimator.Estimator(...).train(input_fn)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.core.errors import ArgumentError
from pullback.data.datasets import DatasetV1


@contrib("learn", "ModeKeys")
class ModeKeys:
    """What a model function is asked for."""

    TRAIN = "train"
    EVAL = "eval"
    INFER = "infer"


class ModelFnOps(NamedTuple):
    """What a model function returns: `tf.estimator.EstimatorSpec`, by its first name.

    output_alternatives: is for exports, which `tf.estimator` makes; leave it out.
    """

    mode: Any
    predictions: Any = None
    loss: Any = None
    train_op: Any = None
    eval_metric_ops: Any = None
    output_alternatives: Any = None
    training_chief_hooks: Any = None
    training_hooks: Any = None
    scaffold: Any = None


contrib("learn", "ModelFnOps")(ModelFnOps)


@contrib("learn", "MetricSpec")
class MetricSpec:
    """A metric of an evaluation: metric_fn(predictions, labels[, weights]) by name, as of `tf.metrics`.

    prediction_key, label_key: of dicts of predictions and of labels. weight_key: the feature of examples' weights.
    """

    def __init__(
        self,
        metric_fn: Callable[..., Any],
        prediction_key: str | None = None,
        label_key: str | None = None,
        weight_key: str | None = None,
    ) -> None:
        self.metric_fn, self.prediction_key = metric_fn, prediction_key
        self.label_key, self.weight_key = label_key, weight_key

    def create_metric_ops(self, inputs: Any, labels: Any, predictions: Any) -> Any:
        """(value, update) of the metric.

        Raises:
          ValueError: a dict needs a key, or has not the one given.
        """
        given = {
            "predictions": _chosen("prediction_key", predictions, self.prediction_key),
            "labels": _chosen("label_key", labels, self.label_key),
        }
        if self.weight_key is not None:
            given["weights"] = _chosen("weight_key", inputs, self.weight_key)
        return self.metric_fn(**given)


def _chosen(what: str, given: Any, key: str | None) -> Any:
    if not isinstance(given, dict):
        return given
    if key is None and len(given) == 1:
        return next(iter(given.values()))
    if key not in given:
        raise ValueError(f"MetricSpec: {what} must be one of {sorted(map(str, given))}, not {key!r}")
    return given[key]


@contrib("learn", "RunConfig")
class RunConfig(tf.estimator.RunConfig):
    """How an estimator runs: `tf.estimator.RunConfig`, which tells of the arguments.

    master, protocol, evaluation_master: are of clusters; they must be left out. num_cores, log_device_placement,
    gpu_memory_fraction: have no meaning on one CPU.
    """

    def __init__(
        self,
        master: str | None = None,
        num_cores: int = 0,
        log_device_placement: bool = False,
        gpu_memory_fraction: float = 1,
        tf_random_seed: int | None = None,
        save_summary_steps: int | None = 100,
        save_checkpoints_secs: Any = 600,
        save_checkpoints_steps: Any = None,
        keep_checkpoint_max: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000,
        log_step_count_steps: int | None = 100,
        protocol: Any = None,
        evaluation_master: str = "",
        model_dir: Any = None,
        session_config: Any = None,
        session_creation_timeout_secs: int = 7200,
    ) -> None:
        if master or evaluation_master or protocol is not None:
            raise ArgumentError("RunConfig: estimators run in this process; leave master and protocol out").locate()
        super().__init__(
            model_dir,
            tf_random_seed,
            save_summary_steps,
            save_checkpoints_steps,
            None if save_checkpoints_steps is not None else save_checkpoints_secs,
            session_config,
            keep_checkpoint_max,
            keep_checkpoint_every_n_hours,
            log_step_count_steps,
        )


@contrib("learn", "infer_real_valued_columns_from_input")
def infer_real_valued_columns_from_input(x: Any) -> list[Any]:
    """Columns of numbers for an array [examples, n] (one column, named ""), or for a dict of such.

    Raises:
      ValueError: an array is no matrix of numbers, or a feature is sparse.
    """
    if isinstance(x, dict):
        return [_numbers(name, x[name]) for name in sorted(x)]
    return [_numbers("", x)]


@contrib("learn", "infer_real_valued_columns_from_input_fn")
def infer_real_valued_columns_from_input_fn(input_fn: Callable[[], Any]) -> list[Any]:
    """Columns of numbers for what an input function gives as features."""
    with tf.Graph().as_default():
        features, _ = input_fn()
        return infer_real_valued_columns_from_input(features)


def _numbers(name: str, x: Any) -> Any:
    if isinstance(x, tf.SparseTensor):
        raise ValueError(f"SparseTensor is not supported for auto detection. Please define the column {name!r}.")
    symbolic = isinstance(x, tf.Tensor)
    shape = x.shape.as_list() if symbolic else list(np.shape(x))
    kind = x.dtype if symbolic else tf.as_dtype(np.asarray(x).dtype)
    if len(shape) != 2 or shape[1] is None or not (kind.is_floating or kind.is_integer):
        raise ValueError(f"feature {name!r}: a matrix of numbers is needed, not {kind.name} of shape {shape}")
    return tf.feature_column.numeric_column(name, (shape[1],), dtype=kind)


def input_of_arrays(x: Any, y: Any, batch_size: int | None, endless: bool) -> Callable[[], Any]:
    """An input function of arrays, or dicts of them. endless: in random order again and again; else once."""

    def plain(value: Any) -> Any:
        array = np.asarray(value)
        return array.astype(np.float32) if array.dtype == np.float64 else array

    def input_fn() -> Any:
        features = {k: plain(v) for k, v in x.items()} if isinstance(x, dict) else plain(x)
        count = len(next(iter(features.values()))) if isinstance(features, dict) else len(features)
        labels = {k: plain(v) for k, v in y.items()} if isinstance(y, dict) else plain(y) if y is not None else None
        rows = DatasetV1.from_tensor_slices(features if labels is None else (features, labels))
        rows = rows.shuffle(count).repeat() if endless else rows
        made = rows.batch(batch_size or count).make_one_shot_iterator().get_next()
        return (made, None) if labels is None else made

    return input_fn


@contrib("learn", "Estimator")
class Estimator(tf.estimator.Estimator):
    """A model as a function, with `fit`; else as `tf.estimator.Estimator`.

    Args:
      model_fn: (features, labels[, mode][, params][, config][, model_dir]) -> ModelFnOps, EstimatorSpec, or the tuple
        (predictions, loss, train_op).
      feature_engineering_fn: (features, labels) -> (features, labels) for the model function.
    """

    def __init__(
        self,
        model_fn: Callable[..., Any],
        model_dir: Any = None,
        config: Any = None,
        params: Any = None,
        feature_engineering_fn: Callable[..., Any] | None = None,
    ) -> None:
        self._told, self._engineer = model_fn, feature_engineering_fn
        self._metrics: dict[str, MetricSpec] = {}
        super().__init__(self._model, model_dir, config, params)

    def _model(self, features: Any, labels: Any, mode: str, params: Any, config: Any) -> Any:
        if self._engineer is not None:
            features, labels = self._engineer(features, labels)
        offered = {"mode": mode, "params": params, "config": config, "model_dir": self.model_dir}
        taken = inspect.signature(self._told).parameters
        made = self._told(features, labels, **{k: v for k, v in offered.items() if k in taken})
        if isinstance(made, ModelFnOps):
            said = {k: v for k, v in made._asdict().items() if v is not None}
            if "output_alternatives" in said:
                raise ArgumentError("ModelFnOps: output_alternatives is not used; leave it out").locate()
            made = tf.estimator.EstimatorSpec(**said)
        elif not isinstance(made, tf.estimator.EstimatorSpec):
            if not isinstance(made, tuple) or len(made) != 3:
                raise ValueError("Unrecognized value returned by model_fn, please return ModelFnOps.")
            predictions, loss, train_op = made
            made = tf.estimator.EstimatorSpec(mode, predictions, loss, train_op)
        if mode != ModeKeys.EVAL or not self._metrics:
            return made
        more = {k: m.create_metric_ops(features, labels, made.predictions) for k, m in self._metrics.items()}
        return made._replace(eval_metric_ops={**(made.eval_metric_ops or {}), **more})

    def _input(self, x: Any, y: Any, input_fn: Any, batch_size: int | None, endless: bool) -> Callable[..., Any]:
        """The input function, or one of the arrays.

        Raises:
          ValueError: both are given, or neither.
        """
        if (input_fn is None) == (x is None):
            raise ValueError(f"{type(self).__name__}: give either x (and y), or input_fn")
        if input_fn is None:
            return input_of_arrays(x, y, batch_size, endless)
        if y is not None or batch_size is not None:
            raise ValueError(f"{type(self).__name__}: input_fn gives labels and batches; leave y and batch_size out")
        return input_fn

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        steps: int | None = None,
        batch_size: int | None = None,
        monitors: Any = None,
        max_steps: int | None = None,
    ) -> Estimator:
        """Trains on arrays, which come again and again in random order, or on what input_fn gives.

        Args:
          batch_size: of arrays; all examples by default. monitors: hooks of `tf.train`.
        Raises:
          ValueError: arrays are given without steps or max_steps, which would have no end.
        """
        given = self._input(x, y, input_fn, batch_size, True)
        if x is not None and steps is None and max_steps is None:
            raise ValueError("fit: x and y come again and again without end; give steps or max_steps")
        hooks = monitors if isinstance(monitors, (list, tuple)) or monitors is None else [monitors]
        for hook in hooks or ():
            if not isinstance(hook, tf.train.SessionRunHook):
                raise TypeError(f"fit: monitors must be hooks of tf.train, as tf.train.LoggingTensorHook, not {hook!r}")
        self.train(given, hooks, steps, max_steps)
        return self

    def evaluate(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        feed_fn: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        metrics: dict[str, MetricSpec] | None = None,
        name: str | None = None,
        checkpoint_path: Any = None,
        hooks: Any = None,
        log_progress: bool = True,
    ) -> dict[str, Any]:
        """The model's metrics, and those given, over arrays once or `steps` batches of input_fn.

        feed_fn: must be left out: feed by input_fn. log_progress: has no meaning: nothing is printed.
        """
        if feed_fn is not None:
            raise ArgumentError("evaluate: feed_fn is not used; let input_fn give the batches").locate()
        if x is not None and y is None:
            raise ValueError("evaluate: x needs y, its labels")
        self._metrics = dict(metrics or {})
        try:
            given = self._input(x, y, input_fn, batch_size, False)
            return super().evaluate(given, steps, hooks, checkpoint_path, name)
        finally:
            self._metrics = {}

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        x: Any = None,
        input_fn: Any = None,
        batch_size: int | None = None,
        outputs: Any = None,
        as_iterable: bool = True,
        iterate_batches: bool = False,
    ) -> Any:
        """The predictions, one by one.

        Args:
          outputs: names of those wanted. as_iterable: False gives the first batch's as they are.
          iterate_batches: give whole batches.
        """
        given = self._input(x, None, input_fn, batch_size, False)
        made = super().predict(given, outputs, yield_single_examples=as_iterable and not iterate_batches)
        return made if as_iterable else next(made)


@contrib("learn", "SKCompat")
class SKCompat:
    """An estimator as scikit-learn has them: `fit`, `score` and `predict` of arrays, in batches of 128."""

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int = 128,
        steps: int | None = None,
        max_steps: int | None = None,
        monitors: Any = None,
    ) -> SKCompat:
        """`Estimator.fit`."""
        self._estimator.fit(x, y, None, steps, batch_size, monitors, max_steps)
        return self

    def score(
        self,
        x: Any,
        y: Any,
        batch_size: int = 128,
        steps: int | None = None,
        metrics: Any = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """`Estimator.evaluate`."""
        return self._estimator.evaluate(x, y, batch_size=batch_size, steps=steps, metrics=metrics, name=name or "score")

    def predict(self, x: Any, batch_size: int = 128, outputs: Any = None) -> Any:
        """The predictions of all examples together: an array, or a dict of them."""
        made: Iterator[Any] = self._estimator.predict(x, batch_size=batch_size, outputs=outputs)
        rows = list(made)
        if rows and isinstance(rows[0], dict):
            return {key: np.stack([row[key] for row in rows]) for key in rows[0]}
        return np.stack(rows) if rows else np.array(rows)
