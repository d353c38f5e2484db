"""Keras' loss classes: a loss function, weights for the examples, and a reduction.

loss(y_true, y_pred, sample_weight) = sum_i w_i l_i / n        n: how many losses there are
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.sizes import size
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import divide_no_nan
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast
from pullback.train import identifiers
from pullback.train import losses as f
from pullback.train.weighting import cast, fitting, without_extra_axis


@public("keras.losses.Reduction", "losses.Reduction", v1="keras.losses.Reduction")
class Reduction:
    """How the losses of the examples become one. AUTO is SUM_OVER_BATCH_SIZE."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE

    @classmethod
    def validate(cls, key: Any) -> None:
        """
        Raises:
          ValueError: there is no such reduction.
        """
        if key is not None and key not in cls.all():
            raise ArgumentError(f'Invalid Reduction Key: {key}. Expected keys are "{cls.all()}"').locate()


def _class(name: str) -> Any:
    return public(f"losses.{name}", f"keras.losses.{name}", v1=f"keras.losses.{name}")


@_class("Loss")
class Loss:
    """Base of losses: a subclass says `call(y_true, y_pred)`, a loss for each example.

    Args:
      reduction: "sum_over_batch_size" (also "auto"), "sum", or "none".
      name: scope of the operations.
    """

    def __init__(self, reduction: Any = Reduction.AUTO, name: str | None = None) -> None:
        Reduction.validate(reduction)
        self.reduction, self.name = reduction, name

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """The reduced loss.

        Args:
          sample_weight: a number, or a tensor that fits the losses, with a last axis of 1 more or less.
        """
        with scope(self.name, type(self).__name__, y_true, y_pred, sample_weight):
            return self._reduced(interpreter.as_tensor(self.call(y_true, y_pred)), sample_weight, None)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each example."""
        raise NotImplementedError(f"{type(self).__name__} must say call(y_true, y_pred)")

    def _reduced(self, values: Tensor, sample_weight: Any, count: Tensor | None) -> Tensor:
        """count: how many losses there are, when not all of them count."""
        if sample_weight is not None:
            w = fitting(cast(sample_weight, values.dtype), values)
            values = m.Mul()(values, w)
        if self.reduction in (Reduction.NONE, None):
            return values
        total = reduce_sum(values)
        if self.reduction == Reduction.SUM:
            return total
        return divide_no_nan(total, Cast(values.dtype)(size(values)) if count is None else count)

    def get_config(self) -> dict[str, Any]:
        """What the constructor was given."""
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The loss that a configuration describes."""
        return cls(**config)


class _FunctionLoss(Loss):
    """A loss class over a function."""

    function: Callable[..., Tensor]

    def __init__(self, reduction: Any, name: str | None, **settings: Any) -> None:
        super().__init__(reduction, name)
        self._settings = settings

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        p = interpreter.as_tensor(y_pred)
        q = interpreter.as_tensor(y_true)
        q, p = without_extra_axis(q, p)
        return type(self).function(q, p, **self._settings)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._settings}


def _plain(class_name: str, function: Callable[..., Tensor], default: str) -> type[_FunctionLoss]:
    """The class of a function without settings."""

    def __init__(self: Any, reduction: Any = Reduction.AUTO, name: str | None = default) -> None:
        _FunctionLoss.__init__(self, reduction, name)

    made = type(
        class_name,
        (_FunctionLoss,),
        {
            "__init__": __init__,
            "__module__": __name__,
            "__doc__": f"`{function.__name__}`, weighted and reduced as in `Loss`.\n\n    {function.__doc__}",
            "function": staticmethod(function),
        },
    )
    return _class(class_name)(made)


MeanSquaredError = _plain("MeanSquaredError", f.mean_squared_error, "mean_squared_error")
MeanAbsoluteError = _plain("MeanAbsoluteError", f.mean_absolute_error, "mean_absolute_error")
MeanAbsolutePercentageError = _plain(
    "MeanAbsolutePercentageError", f.mean_absolute_percentage_error, "mean_absolute_percentage_error"
)
MeanSquaredLogarithmicError = _plain(
    "MeanSquaredLogarithmicError", f.mean_squared_logarithmic_error, "mean_squared_logarithmic_error"
)
Hinge = _plain("Hinge", f.hinge, "hinge")
SquaredHinge = _plain("SquaredHinge", f.squared_hinge, "squared_hinge")
CategoricalHinge = _plain("CategoricalHinge", f.categorical_hinge, "categorical_hinge")
LogCosh = _plain("LogCosh", f.log_cosh, "log_cosh")
Poisson = _plain("Poisson", f.poisson, "poisson")
KLDivergence = _plain("KLDivergence", f.kl_divergence, "kl_divergence")


@_class("Huber")
class Huber(_FunctionLoss):
    """`huber`, weighted and reduced as in `Loss`."""

    function = staticmethod(f.huber)

    def __init__(self, delta: float = 1.0, reduction: Any = Reduction.AUTO, name: str | None = "huber_loss") -> None:
        super().__init__(reduction, name, delta=delta)


@_class("CosineSimilarity")
class CosineSimilarity(_FunctionLoss):
    """`cosine_similarity`, weighted and reduced as in `Loss`."""

    function = staticmethod(f.cosine_similarity)

    def __init__(self, axis: Any = -1, reduction: Any = Reduction.AUTO, name: str | None = "cosine_similarity") -> None:
        super().__init__(reduction, name, axis=axis)


@_class("BinaryCrossentropy")
class BinaryCrossentropy(_FunctionLoss):
    """`binary_crossentropy`, weighted and reduced as in `Loss`."""

    function = staticmethod(f.binary_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: Any = -1,
        reduction: Any = Reduction.AUTO,
        name: str | None = "binary_crossentropy",
    ) -> None:
        super().__init__(reduction, name, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


@_class("BinaryFocalCrossentropy")
class BinaryFocalCrossentropy(_FunctionLoss):
    """`binary_focal_crossentropy`, weighted and reduced as in `Loss`."""

    function = staticmethod(f.binary_focal_crossentropy)

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: Any = -1,
        reduction: Any = Reduction.AUTO,
        name: str | None = "binary_focal_crossentropy",
    ) -> None:
        super().__init__(
            reduction,
            name,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@_class("CategoricalCrossentropy")
class CategoricalCrossentropy(_FunctionLoss):
    """`categorical_crossentropy`, weighted and reduced as in `Loss`."""

    function = staticmethod(f.categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: Any = Reduction.AUTO,
        name: str | None = "categorical_crossentropy",
    ) -> None:
        super().__init__(reduction, name, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


@_class("CategoricalFocalCrossentropy")
class CategoricalFocalCrossentropy(_FunctionLoss):
    """`categorical_focal_crossentropy`, weighted and reduced as in `Loss`."""

    function = staticmethod(f.categorical_focal_crossentropy)

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: Any = Reduction.AUTO,
        name: str | None = "categorical_focal_crossentropy",
    ) -> None:
        super().__init__(
            reduction,
            name,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@_class("SparseCategoricalCrossentropy")
class SparseCategoricalCrossentropy(_FunctionLoss):
    """`sparse_categorical_crossentropy`, weighted and reduced as in `Loss`; entries of ignore_class do not count."""

    function = staticmethod(f.sparse_categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: Any = Reduction.AUTO,
        name: str | None = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(reduction, name, from_logits=from_logits, ignore_class=ignore_class)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        ignored = self._settings["ignore_class"]
        if ignored is None:
            return super().__call__(y_true, y_pred, sample_weight)
        with scope(self.name, type(self).__name__, y_true, y_pred, sample_weight):
            values = self.call(y_true, y_pred)
            kept = m.NotEqual()(f.as_classes(y_true), ignored)
            return self._reduced(values, sample_weight, reduce_sum(Cast(values.dtype)(kept)))


_SHORT = {"mse": "mean_squared_error", "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error"}
_SHORT |= {"msle": "mean_squared_logarithmic_error", "kld": "kl_divergence", "logcosh": "log_cosh"}
_SHORT |= {"kullback_leibler_divergence": "kl_divergence"} | {k.upper(): v for k, v in _SHORT.items() if len(k) <= 4}
_FUNCTIONS = (
    f.mean_squared_error,
    f.mean_absolute_error,
    f.mean_absolute_percentage_error,
    f.mean_squared_logarithmic_error,
    f.hinge,
    f.squared_hinge,
    f.categorical_hinge,
    f.huber,
    f.log_cosh,
    f.poisson,
    f.kl_divergence,
    f.cosine_similarity,
    f.categorical_crossentropy,
    f.categorical_focal_crossentropy,
    f.sparse_categorical_crossentropy,
    f.binary_crossentropy,
    f.binary_focal_crossentropy,
)
BY_NAME: dict[str, Any] = {made.__name__: made for made in _FUNCTIONS}
BY_NAME |= {short: BY_NAME[full] for short, full in _SHORT.items()}
BY_NAME |= {
    name: made for name, made in list(globals().items()) if isinstance(made, type) and issubclass(made, _FunctionLoss)
}
del BY_NAME["_FunctionLoss"]


@public("losses.get", "keras.losses.get", v1="keras.losses.get")
def get(identifier: Any) -> Any:
    """The loss that a word, a configuration, a class, a function or a loss stands for; None for None.

    Raises:
      ValueError: it stands for none.
    """
    return identifiers.find(identifier, BY_NAME, "loss function")


@public("losses.deserialize", "keras.losses.deserialize", v1="keras.losses.deserialize")
def deserialize(name: Any, custom_objects: Any = None) -> Any:
    """The loss of {"class_name", "config"} or of a function's name. custom_objects: further names -> losses."""
    return identifiers.made(name, BY_NAME, "loss function", custom_objects)


@public("losses.serialize", "keras.losses.serialize", v1="keras.losses.serialize")
def serialize(loss: Any) -> Any:
    """{"class_name", "config"} of a loss; of a function its name."""
    return identifiers.described(loss)
