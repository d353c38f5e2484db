"""estimator.export: what a model function says its model gives to those who serve it (EstimatorSpec.export_outputs)."""

from __future__ import annotations

from typing import Any

from pullback.core.dtypes import string
from pullback.core.names import public
from pullback.core.tensor import Tensor


@public("estimator.export.ExportOutput")
class ExportOutput:
    """Base of what export_outputs holds by name."""


@public("estimator.export.PredictOutput")
class PredictOutput(ExportOutput):
    """Any outputs.

    outputs: a tensor, which is named "output", or {name: tensor}.
    Raises:
      ValueError: a name is no string, or an output no tensor.
    """

    def __init__(self, outputs: Any) -> None:
        named = outputs if isinstance(outputs, dict) else {"output": outputs}
        for name, value in named.items():
            if not isinstance(name, str):
                raise ValueError(f"PredictOutput: the name of an output must be a string, not {name!r}")
            if not isinstance(value, Tensor):
                raise ValueError(f"PredictOutput: the output {name!r} must be a tensor, not {value!r}")
        self._outputs = dict(named)

    @property
    def outputs(self) -> dict[str, Any]:
        return self._outputs


@public("estimator.export.RegressionOutput")
class RegressionOutput(ExportOutput):
    """Numbers. value: a float tensor [B]. ValueError when it is none."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, Tensor) or not value.dtype.is_floating:
            raise ValueError(f"RegressionOutput: value must be a float tensor, not {value!r}")
        self._value = value

    @property
    def value(self) -> Any:
        return self._value


@public("estimator.export.ClassificationOutput")
class ClassificationOutput(ExportOutput):
    """Classes: scores [B, n], floats; or classes [B, n], their names; or both.

    Raises:
      ValueError: neither is given, or one has another type.
    """

    def __init__(self, scores: Any = None, classes: Any = None) -> None:
        if scores is None and classes is None:
            raise ValueError("ClassificationOutput: give scores, classes or both")
        if scores is not None and not (isinstance(scores, Tensor) and scores.dtype.is_floating):
            raise ValueError(f"ClassificationOutput: scores must be a float tensor, not {scores!r}")
        if classes is not None and not (isinstance(classes, Tensor) and classes.dtype is string):
            raise ValueError(f"ClassificationOutput: classes must be a tensor of strings, not {classes!r}")
        self._scores, self._classes = scores, classes

    @property
    def scores(self) -> Any:
        return self._scores

    @property
    def classes(self) -> Any:
        return self._classes
