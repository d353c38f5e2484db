"""The ready-made estimators with TensorFlow 2's arguments: no partitioners, and a batch's loss is the mean."""

from __future__ import annotations

import inspect
from typing import Any

from pullback.core.names import public
from pullback.estimator import canned

_MEAN = "sum_over_batch_size"


def _averaged(cls: Any) -> Any:
    """The class `cls` of TensorFlow 1 with TensorFlow 2's arguments."""
    taken = [p for p in inspect.signature(cls.__init__).parameters.values() if "partitioner" not in p.name]
    signature = inspect.Signature([p.replace(default=_MEAN) if p.name == "loss_reduction" else p for p in taken])

    def __init__(*args: Any, **kwargs: Any) -> None:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        cls.__init__(**given.arguments)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    doc = f"{cls.__doc__.strip()}\n    Here a batch's loss is the mean over its examples by default."
    body = {"__init__": __init__, "__module__": __name__, "__qualname__": cls.__name__, "__doc__": doc}
    return public(f"estimator.{cls.__name__}", v1=None)(type(cls.__name__, (cls,), body))


LinearClassifier = _averaged(canned.LinearClassifier)
LinearRegressor = _averaged(canned.LinearRegressor)
DNNClassifier = _averaged(canned.DNNClassifier)
DNNRegressor = _averaged(canned.DNNRegressor)
DNNLinearCombinedClassifier = _averaged(canned.DNNLinearCombinedClassifier)
DNNLinearCombinedRegressor = _averaged(canned.DNNLinearCombinedRegressor)
