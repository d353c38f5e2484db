"""Keras' metrics of right and wrong answers at thresholds: counts, Precision, Recall, AUC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.ops.array.conversion import constant
from pullback.ops.array.shape import expand_dims
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import divide_no_nan
from pullback.ops.math.reduce_functions import reduce_mean, reduce_sum
from pullback.ops.math.select import Cast, Identity, Select
from pullback.train import confusion
from pullback.train.metric import Metric, named
from pullback.train.weighting import cast, fitting, spread, without_extra_axis

# What predictions outside of the top k count as: below every threshold.
_NEVER = -1e10


def _limits(thresholds: Any, default: float) -> list[float]:
    """
    Raises:
      ValueError: a threshold is outside [0, 1].
    """
    given = [default] if thresholds is None else thresholds if isinstance(thresholds, (list, tuple)) else [thresholds]
    wrong = [t for t in given if t is None or ((t < 0 or t > 1) and thresholds is not None)]
    if wrong:
        raise ArgumentError(f"Threshold values must be in [0, 1]. Received: {wrong}").locate()
    return list(given)


def _ready(
    y_true: Any, y_pred: Any, sample_weight: Any, top_k: int | None = None, class_id: int | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """(labels, predictions, weights) that fit each other; predictions outside of the top k count as never made."""
    q, p = without_extra_axis(interpreter.as_tensor(y_true), cast(y_pred, dtypes.float32))
    w = None if sample_weight is None else spread(fitting(cast(sample_weight, dtypes.float32), p), p)
    if top_k is not None:
        # How many entries stand before each: those larger, and of equal ones those with a lower index.
        mine, other = expand_dims(p, -1), expand_dims(p, -2)
        width = p.shape[-1]
        earlier = constant(np.tril(np.ones((int(width), int(width)), bool), -1))
        before = m.LogicalOr()(m.Greater()(other, mine), m.LogicalAnd()(m.Equal()(other, mine), earlier))
        p = Select()(m.Less()(reduce_sum(Cast(dtypes.float32)(before), -1), float(top_k)), p, _NEVER)
    if class_id is not None:
        q, p = q[..., class_id], p[..., class_id]
        w = None if w is None else w[..., class_id]
    return q, p, w


class _Counting(Metric):
    """Base: keeps some of the four counts, at thresholds."""

    kinds: Sequence[str] = ()

    def __init__(self, thresholds: Any, name: str | None, dtype: Any, default: float = 0.5) -> None:
        super().__init__(name, dtype)
        self.init_thresholds = thresholds
        self.thresholds = _limits(thresholds, default)
        for kind in self.kinds:
            setattr(self, kind, self.add_weight(kind, (len(self.thresholds),)))

    def _count(self, q: Tensor, p: Tensor, w: Tensor | None) -> Any:
        counts = confusion.counted(q, p, self.thresholds, w)
        done = None
        for kind in self.kinds:
            done = getattr(self, kind).assign_add(Cast(self._dtype)(counts[kind]))
        return done

    def _one(self, figure: Tensor) -> Tensor:
        return figure[0] if len(self.thresholds) == 1 else figure

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


class _Single(_Counting):
    """One of the four counts. A number for one threshold, [T] for several."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return self._count(*_ready(y_true, y_pred, sample_weight))

    def result(self) -> Tensor:
        return self._one(Identity()(getattr(self, self.kinds[0])))


@named("TruePositives")
class TruePositives(_Single):
    """How many 1s were predicted above the threshold, 0.5 by default."""

    kinds = ("true_positives",)


@named("FalsePositives")
class FalsePositives(_Single):
    """How many 0s were predicted above the threshold, 0.5 by default."""

    kinds = ("false_positives",)


@named("TrueNegatives")
class TrueNegatives(_Single):
    """How many 0s were not predicted above the threshold, 0.5 by default."""

    kinds = ("true_negatives",)


@named("FalseNegatives")
class FalseNegatives(_Single):
    """How many 1s were not predicted above the threshold, 0.5 by default."""

    kinds = ("false_negatives",)


class _Share(_Counting):
    """First count / sum of both counts; 0 where there are none.

    Args:
      thresholds: a number or a list; 0.5 by default. With top_k, every prediction among the top counts by default.
      top_k: only the k largest predictions along the last axis count as made.
      class_id: look at this entry of the last axis only.
    """

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(thresholds, name, dtype, 0.5 if top_k is None else _NEVER)
        self.top_k, self.class_id = top_k, class_id

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return self._count(*_ready(y_true, y_pred, sample_weight, self.top_k, self.class_id))

    def result(self) -> Tensor:
        right, wrong = (getattr(self, kind).value() for kind in self.kinds)
        return self._one(divide_no_nan(right, right + wrong))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "top_k": self.top_k, "class_id": self.class_id}


@named("Precision")
class Precision(_Share):
    __doc__ = f"TP / (TP + FP). {_Share.__doc__}"

    kinds = ("true_positives", "false_positives")


@named("Recall")
class Recall(_Share):
    __doc__ = f"TP / (TP + FN). {_Share.__doc__}"

    kinds = ("true_positives", "false_negatives")


@named("AUC")
class AUC(Metric):
    """The area under a curve over thresholds: ROC (true against false positive rate) or PR (precision, recall).

    Args:
      num_thresholds: how many, evenly from 0 to 1, when `thresholds` are not given.
      curve: "ROC" or "PR".
      summation_method: "interpolation", "minoring" or "majoring".
      thresholds: those inside (0, 1); the ends are added.
      multi_label: an area for each entry of the last axis, then their mean.
      num_labels: how many labels; that of the first predictions by default.
      label_weights: of the labels.
      from_logits: predictions are logits.
    Raises:
      ValueError: curve or summation_method is not known, or a threshold is outside [0, 1].
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name or "auc", dtype)
        if str(curve).upper() not in ("ROC", "PR"):
            raise ArgumentError(f"AUC: Invalid AUC curve value: {curve!r}; give 'ROC' or 'PR'").locate()
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ArgumentError(
                f"AUC: Invalid AUC summation method value: {summation_method!r}; give 'interpolation', 'minoring' or "
                "'majoring'"
            ).locate()
        if num_labels is not None and not multi_label:
            raise ArgumentError("AUC: `num_labels` is needed only when `multi_label` is True.").locate()
        self._given = thresholds
        if thresholds is None:
            self.thresholds = confusion.thresholds_between(num_thresholds)
        else:
            self.thresholds = [0.0 - 1e-7, *sorted(_limits(thresholds, 0.5)), 1.0 + 1e-7]
        self.num_thresholds = len(self.thresholds)
        self.curve, self.summation_method = str(curve).upper(), summation_method
        self.multi_label, self.num_labels, self.label_weights = multi_label, num_labels, label_weights
        self._from_logits, self._built = from_logits, False
        if not multi_label or num_labels is not None:
            self._build(num_labels)

    def _build(self, labels: int | None) -> None:
        self._built, self.num_labels = True, labels
        sizes = (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        for kind in confusion.KINDS:
            setattr(self, kind, self.add_weight(kind, sizes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        q, p, w = _ready(y_true, y_pred, sample_weight)
        if not self._built:
            self._build(int(p.shape[-1]))
        p = m.Sigmoid()(p) if self._from_logits else p
        if self.label_weights is not None and not self.multi_label:
            by_label = spread(cast(self.label_weights, dtypes.float32)[None, :], p)
            w = by_label if w is None else w * by_label
        counts = confusion.counted(q, p, self.thresholds, w, self.multi_label)
        done = None
        for kind in confusion.KINDS:
            done = getattr(self, kind).assign_add(Cast(self._dtype)(counts[kind]))
        return done

    def result(self) -> Tensor:
        if not self._built:
            raise ArgumentError("AUC: with multi_label and no num_labels, there is no result before an update").locate()
        held = {kind: getattr(self, kind).value() for kind in confusion.KINDS}
        careful = self.curve == "PR" and self.summation_method == "interpolation"
        method = "careful_interpolation" if careful else self.summation_method
        areas = confusion.area(held, self.curve, method, divide_no_nan, divide_no_nan, divide_no_nan)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return reduce_mean(areas)
        w = cast(self.label_weights, areas.dtype)
        return divide_no_nan(reduce_sum(areas * w), reduce_sum(w))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "thresholds": self._given,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels if self.multi_label else None,
            "label_weights": self.label_weights,
            "from_logits": self._from_logits,
        }
