"""TensorFlow 2's optimizers by name: `optimizers.get("adam")`, and to and from configurations."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.train import identifiers
from pullback.train.loss_scale_optimizer import LossScaleOptimizer
from pullback.train.optimizer_v2 import OptimizerV2
from pullback.train.optimizers.adadelta import Adadelta
from pullback.train.optimizers.adagrad import Adagrad
from pullback.train.optimizers.adam import Adam
from pullback.train.optimizers.adam_family import Adamax, AdamW, Lamb, Lion, Nadam
from pullback.train.optimizers.ftrl import Ftrl
from pullback.train.optimizers.gradient_descent import SGD
from pullback.train.optimizers.rmsprop import RMSprop

_KINDS = (SGD, Adam, AdamW, Adamax, Nadam, Lamb, Lion, Adagrad, Adadelta, RMSprop, Ftrl, LossScaleOptimizer)
BY_NAME: dict[str, Any] = {name: cls for cls in _KINDS for name in (cls.__name__, cls.__name__.lower())}


@public("optimizers.get", "keras.optimizers.get", v1="keras.optimizers.get")
def get(identifier: Any) -> Any:
    """The optimizer that a word ("adam"), a dictionary or a class describes; an optimizer is itself.

    Raises:
      ArgumentError: it describes none.
    """
    if isinstance(identifier, OptimizerV2):
        return identifier
    return identifiers.find(identifier.lower() if isinstance(identifier, str) else identifier, BY_NAME, "optimizer")


@public("optimizers.serialize", "keras.optimizers.serialize", v1="keras.optimizers.serialize")
def serialize(optimizer: Any) -> dict[str, Any]:
    """An optimizer as {"class_name": ..., "config": ...}."""
    return identifiers.described(optimizer)


@public("optimizers.deserialize", "keras.optimizers.deserialize", v1="keras.optimizers.deserialize")
def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The optimizer that `serialize` wrote.

    Raises:
      ArgumentError: its class is none of ours and not in custom_objects.
    """
    return identifiers.made(config, BY_NAME, "optimizer", custom_objects)
