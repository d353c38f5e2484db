"""keras.metrics.get, deserialize, serialize: metrics by name or configuration."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.train import identifiers, metric, metric_classes, metric_curves
from pullback.train.loss_classes import BY_NAME as LOSSES
from pullback.train.metric import Metric

_FUNCTIONS = (
    metric_classes.accuracy,
    metric_classes.binary_accuracy,
    metric_classes.categorical_accuracy,
    metric_classes.sparse_categorical_accuracy,
    metric_classes.top_k_categorical_accuracy,
    metric_classes.sparse_top_k_categorical_accuracy,
)
BY_NAME: dict[str, Any] = {name: made for name, made in LOSSES.items() if not isinstance(made, type)}
BY_NAME |= {made.__name__: made for made in _FUNCTIONS} | {"acc": metric_classes.accuracy}
BY_NAME |= {
    name: made
    for module in (metric, metric_classes, metric_curves)
    for name, made in vars(module).items()
    if isinstance(made, type) and issubclass(made, Metric) and not name.startswith("_")
}


@public("metrics.get", "keras.metrics.get", v1="keras.metrics.get")
def get(identifier: Any) -> Any:
    """The metric that a word, a configuration, a class, a function or a metric stands for; None for None."""
    return identifiers.find(identifier, BY_NAME, "metric")


@public("metrics.deserialize", "keras.metrics.deserialize", v1="keras.metrics.deserialize")
def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The metric of {"class_name", "config"} or of a function's name. custom_objects: further names -> metrics."""
    return identifiers.made(config, BY_NAME, "metric", custom_objects)


@public("metrics.serialize", "keras.metrics.serialize", v1="keras.metrics.serialize")
def serialize(metric: Any) -> Any:
    """{"class_name", "config"} of a metric; of a function its name."""
    return identifiers.described(metric)
