"""The models of the ready-made estimators: a linear one, a deep one, and their sum; and how they are trained."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.estimator.config import EstimatorSpec, ModeKeys
from pullback.estimator.heads import Head
from pullback.feature_column.input_layer import input_layer, linear_model
from pullback.layers.tf_layers import batch_normalization, dense, dropout
from pullback.modes.default import GraphKeys, control_dependencies, get_default_graph
from pullback.modes.gradients import gradients
from pullback.modes.grouping import group
from pullback.modes.scopes import variable_scope
from pullback.modes.variables import assign_add
from pullback.ops.nn.affine import zero_fraction
from pullback.train.global_step import get_global_step
from pullback.train.initializers_v1 import glorot_uniform_initializer
from pullback.train.optimizer import Optimizer
from pullback.train.optimizer_v2 import OptimizerV2
from pullback.train.optimizers.adagrad import AdagradOptimizer
from pullback.train.optimizers.adam import AdamOptimizer
from pullback.train.optimizers.ftrl import FtrlOptimizer
from pullback.train.optimizers.gradient_descent import GradientDescentOptimizer
from pullback.train.optimizers.rmsprop import RMSPropOptimizer
from pullback.train.summaries.graph_ops import histogram, scalar

_BY_NAME: dict[str, Any] = {
    "Adagrad": AdagradOptimizer,
    "Adam": AdamOptimizer,
    "Ftrl": FtrlOptimizer,
    "RMSProp": RMSPropOptimizer,
    "SGD": GradientDescentOptimizer,
}


@dataclass(frozen=True)
class Deep:
    """Fully connected layers over an input layer. columns: dense ones. hidden_units: of each layer."""

    columns: Any
    hidden_units: tuple[int, ...]
    activation: Any
    dropout: float | None
    batch_norm: bool
    partitioner: Any
    optimizer: Any
    rate: float = 0.05
    scope = "dnn"

    def logits(self, features: Any, mode: str, size: int) -> Tensor:
        """[B, size]"""
        training = mode == ModeKeys.TRAIN
        with variable_scope(self.scope, values=list(features.values()), partitioner=self.partitioner):
            with variable_scope("input_from_feature_columns"):
                net = input_layer(features, self.columns)
            for i, units in enumerate(self.hidden_units):
                name = f"hiddenlayer_{i}"
                start = glorot_uniform_initializer()
                net = dense(net, units, self.activation, kernel_initializer=start, name=name)
                if self.dropout is not None and training:
                    net = dropout(net, self.dropout, training=True)
                if self.batch_norm:
                    net = batch_normalization(net, momentum=0.999, training=training, name=f"{name}/batchnorm_{i}")
                _summarize(net, f"{self.scope}/{name}")
            made = dense(net, size, None, kernel_initializer=glorot_uniform_initializer(), name="logits")
            _summarize(made, f"{self.scope}/logits")
        return made


def _summarize(value: Tensor, tag: str) -> None:
    scalar(f"{tag}/fraction_of_zero_values", zero_fraction(value))
    histogram(f"{tag}/activation", value)


@dataclass(frozen=True)
class Wide:
    """A linear model. rate: the largest; more columns have a smaller one."""

    columns: Any
    combiner: str
    partitioner: Any
    optimizer: Any
    largest_rate: float = 0.2
    scope = "linear"

    @property
    def rate(self) -> float:
        return min(self.largest_rate, 1 / math.sqrt(len(self.columns)))

    def logits(self, features: Any, mode: str, size: int) -> Tensor:
        """[B, size]"""
        with variable_scope(self.scope, values=list(features.values()), partitioner=self.partitioner):
            made = linear_model(features, self.columns, size, self.combiner)
        scalar(f"{self.scope}/fraction_of_zero_values", zero_fraction(made))
        return made


def model_fn(parts: tuple[Deep | Wide, ...], head: Head) -> Callable[..., EstimatorSpec]:
    """The model function of an estimator: the parts' logits, added."""

    def model(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        if not isinstance(features, dict):
            raise ValueError(f"features should be a dictionary of `Tensor`s. Given type: {type(features)}")
        logits = [part.logits(features, mode, head.size) for part in parts]
        total = logits[0] if len(logits) == 1 else logits[0] + logits[1]
        return head.spec(features, mode, labels, total, lambda loss: _trained(parts, loss))

    return model


def _trained(parts: tuple[Deep | Wide, ...], loss: Tensor) -> Any:
    """The operation that trains every part's variables by its optimizer, then moves the global step on."""
    graph: Any = get_default_graph()
    steps = []
    with control_dependencies(graph.get_collection(GraphKeys.UPDATE_OPS)):
        for part in parts:
            variables = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES, f"{part.scope}/")
            steps.append(_step(_optimizer(part.optimizer, part.rate), loss, variables))
    with control_dependencies([group(*steps)]):
        return assign_add(get_global_step(graph), 1).op


def _step(optimizer: Any, loss: Tensor, variables: list[Any]) -> Any:
    if isinstance(optimizer, Optimizer):
        return optimizer.minimize(loss, var_list=variables)
    return optimizer.apply_gradients(list(zip(gradients(loss, variables), variables, strict=True)))


def _optimizer(given: Any, rate: float) -> Any:
    """An optimizer, or one made by name or by a function, anew for each graph.

    Raises:
      ValueError: the name is not known, or it is no optimizer.
    """
    if isinstance(given, str):
        if given not in _BY_NAME:
            raise ValueError(f"Unsupported optimizer name: {given}. Supported names are: {tuple(sorted(_BY_NAME))}")
        return _BY_NAME[given](learning_rate=rate)
    if isinstance(given, OptimizerV2):
        with interpreter.entered(interpreter.eager()):  # where its rate is kept
            settings = given.get_config()
        return type(given).from_config(settings)
    made = given() if callable(given) and not isinstance(given, Optimizer) else given
    if not isinstance(made, (Optimizer, OptimizerV2)):
        raise ArgumentError(
            f"the optimizer must be a name, a tf.train or keras optimizer, or a function that gives one, not {made!r}"
        ).locate()
    return made
