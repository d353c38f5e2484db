"""Keras' metrics: figures kept in variables over calls. Metric, Sum, Mean, MeanTensor, and the mean of a function.

metric.update_state(...) per batch;  metric.result();  metric.reset_state()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.modes.variable import Variable, VariableAggregation, VariableSynchronization
from pullback.ops.array.sizes import size
from pullback.ops.math.functions import divide_no_nan
from pullback.ops.math.reduce_functions import reduce_mean, reduce_sum
from pullback.ops.math.select import Cast, Identity
from pullback.train.initializers import snake
from pullback.train.weighting import cast, fitting, spread, without_extra_axis


def named(name: str) -> Any:
    """A metric class of TensorFlow 2, and of TensorFlow 1's Keras."""
    return public(f"metrics.{name}", f"keras.metrics.{name}", v1=f"keras.metrics.{name}")


@named("Metric")
class Metric:
    """Base of metrics: a subclass makes its variables by `add_weight`, and says `update_state` and `result`.

    Args:
      name: of the metric; its class's by default.
      dtype: what it counts in; float32 by default.
    """

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        self.name = name or snake(type(self).__name__)
        self._dtype = dtypes.float32 if dtype is None else as_dtype(dtype)
        self._kept: list[Variable] = []

    @property
    def dtype(self) -> Any:
        return self._dtype

    def add_weight(
        self,
        name: str | None = None,
        shape: Any = (),
        aggregation: Any = VariableAggregation.SUM,
        synchronization: Any = VariableSynchronization.ON_READ,
        initializer: Any = None,
        dtype: Any = None,
    ) -> Variable:
        """A variable of the metric.

        Args:
          aggregation, synchronization: how copies of it agree; one process holds one.
          initializer: its first value, by a word or a callable (shape, dtype); zeros by default.
        """
        from pullback.train.initializers import get

        kind = self._dtype if dtype is None else as_dtype(dtype)
        start = get("zeros" if initializer is None else initializer)
        made = Variable(
            lambda: start(as_shape(shape), kind),
            trainable=False,
            name=name or "Variable",
            synchronization=synchronization,
            aggregation=aggregation,
        )
        self._kept.append(made)
        return made

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Counts a batch in."""
        raise NotImplementedError(f"{type(self).__name__} must say update_state")

    def result(self) -> Any:
        """The figure so far, as a tensor."""
        raise NotImplementedError(f"{type(self).__name__} must say result")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Counts a batch in; gives the figure after it."""
        self.update_state(*args, **kwargs)
        return self.result()

    def reset_state(self) -> None:
        """Forgets everything counted."""
        for v in self.variables:
            sizes: Any = v.spec.shape
            v.assign(np.zeros(sizes, v.dtype.numpy))

    def reset_states(self) -> None:
        """The former name of `reset_state`."""
        self.reset_state()

    def merge_state(self, metrics: Any) -> None:
        """Adds what other metrics of the same kind have counted.

        Raises:
          ValueError: one keeps other variables.
        """
        for other in metrics:
            if len(other.variables) != len(self.variables):
                raise ArgumentError(f"merge_state: Metric {other!r} is not compatible with {self!r}").locate()
            for mine, theirs in zip(self.variables, other.variables, strict=True):
                mine.assign_add(theirs)

    @property
    def variables(self) -> list[Variable]:
        """The metric's variables, those of metrics it holds included."""
        held = [v for x in vars(self).values() if isinstance(x, Metric) for v in x.variables]
        return [*self._kept, *held]

    @property
    def weights(self) -> list[Variable]:
        return self.variables

    @property
    def non_trainable_variables(self) -> list[Variable]:
        return self.variables

    @property
    def trainable_variables(self) -> list[Variable]:
        return []

    def get_config(self) -> dict[str, Any]:
        """What the constructor was given."""
        return {"name": self.name, "dtype": self._dtype.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The metric that a configuration describes; it has counted nothing."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name},dtype={self._dtype.name})"


def matched(values: Tensor, sample_weight: Any, reduce: Callable[..., Tensor]) -> tuple[Tensor, Tensor]:
    """(values, weights) of one shape; values with more axes than weights are reduced over the last ones."""
    w = fitting(cast(sample_weight, values.dtype), values)
    if w.spec.shape and values.spec.rank is not None and len(w.spec.shape) < values.spec.rank:
        values = reduce(values, list(range(len(w.spec.shape), values.spec.rank)))
    return values, spread(w, values)


@named("Sum")
class Sum(Metric):
    """The weighted sum of all values."""

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total = self.add_weight("total")

    def update_state(self, values: Any, sample_weight: Any = None) -> Any:
        values = cast(values, self._dtype)
        if sample_weight is not None:
            values, w = matched(values, sample_weight, reduce_sum)
            values = values * w
        return self.total.assign_add(reduce_sum(values))

    def result(self) -> Tensor:
        return Identity()(self.total)


@named("Mean")
class Mean(Metric):
    """The weighted mean of all values: sum w v / sum w; 0 before the first."""

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total, self.count = self.add_weight("total"), self.add_weight("count")

    def update_state(self, values: Any, sample_weight: Any = None) -> Any:
        """Counts values in.

        Args:
          sample_weight: a number, or a tensor of values' leading axes.
        """
        values = cast(values, self._dtype)
        if sample_weight is None:
            number = Cast(self._dtype)(size(values))
        else:
            values, w = matched(values, sample_weight, reduce_mean)
            values, number = values * w, reduce_sum(w)
        self.total.assign_add(reduce_sum(values))
        return self.count.assign_add(number)

    def result(self) -> Tensor:
        return divide_no_nan(self.total, self.count.value())


@named("MeanTensor")
class MeanTensor(Metric):
    """The weighted mean of tensors, entry by entry.

    Args:
      shape: of the tensors; that of the first by default.
    """

    def __init__(self, name: str | None = "mean_tensor", dtype: Any = None, shape: Any = None) -> None:
        super().__init__(name, dtype)
        self._shape: Any = None
        if shape is not None:
            self._build(shape)

    def _build(self, shape: Any) -> None:
        self._shape = as_shape(shape)
        self.total, self.count = self.add_weight("total", self._shape), self.add_weight("count", self._shape)

    def update_state(self, values: Any, sample_weight: Any = None) -> Any:
        values = cast(values, self._dtype)
        if self._shape is None:
            self._build(values.spec.shape)
        if values.spec.shape != self._shape:
            raise ShapeError(
                "MeanTensor input values must always have the same shape. "
                f"Expected shape (set during the first call): {self._shape}. Got: {values.spec.shape}."
            ).locate()
        w = spread(fitting(cast(1.0 if sample_weight is None else sample_weight, self._dtype), values), values)
        self.total.assign_add(values * w)
        return self.count.assign_add(w)

    def result(self) -> Tensor:
        """
        Raises:
          ValueError: nothing was counted and no shape was given.
        """
        if self._shape is None:
            raise ArgumentError("MeanTensor does not have any value yet. Please call the MeanTensor instance").locate()
        return divide_no_nan(self.total, self.count.value())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shape": self._shape}


@named("MeanMetricWrapper")
class MeanMetricWrapper(Mean):
    """The mean of a function of labels and predictions.

    Args:
      fn: (y_true, y_pred, **kwargs) -> a figure for each example.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self._fn, self._fn_kwargs = fn, kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:  # type: ignore[override]
        q, p = without_extra_axis(interpreter.as_tensor(y_true), interpreter.as_tensor(y_pred))
        return super().update_state(self._fn(q, p, **self._fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"fn": self._fn} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self._fn_kwargs}
