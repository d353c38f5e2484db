"""Right and wrong answers at thresholds, and the areas under the curves they draw.

    TP  label 1, prediction > threshold      FN  label 1, not above
    FP  label 0, prediction > threshold      TN  label 0, not above

With thresholds rising, TP and FP fall: the curves are walked from right to left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pullback.core import dtypes
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.ops.array.conversion import constant
from pullback.ops.array.shape import reshape
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import divide_no_nan
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.select import Cast, Select
from pullback.train.weighting import cast, spread

KINDS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
Ratio = Callable[[Tensor, Tensor], Tensor]


def thresholds_between(count: int) -> list[float]:
    """`count` thresholds, evenly from just below 0 to just above 1.

    Raises:
      ArgumentError: count is not above 1.
    """
    if count <= 1:
        raise ArgumentError(f"num_thresholds must be > 1, but is {count}").locate()
    return [0.0 - 1e-7, *((i + 1) / (count - 1) for i in range(count - 2)), 1.0 + 1e-7]


def counted(
    labels: Any, predictions: Tensor, thresholds: Sequence[float], weights: Any = None, per_label: bool = False
) -> dict[str, Tensor]:
    """How often, by weight, each of the four happens at each threshold.

    Args:
      labels: of predictions' shape; not 0 is true.
      weights: of a shape that broadcasts to predictions'.
      per_label: count each entry of the last axis by itself.
    Returns:
      {kind: Tensor [T]}, or [T, L] per label, float32.
    """
    axis = predictions.spec.shape[-1] if per_label and predictions.spec.shape else None
    flat = (1, -1, axis) if per_label else (1, -1)
    limits = reshape(constant(list(thresholds), dtypes.float32), (-1, 1, 1) if per_label else (-1, 1))
    above = m.Greater()(reshape(cast(predictions, dtypes.float32), flat), limits)
    true = reshape(cast(labels, dtypes.bool_), flat)
    no, below = m.LogicalNot()(true), m.LogicalNot()(above)
    w = None if weights is None else reshape(spread(cast(weights, dtypes.float32), predictions), flat)

    def total(a: Tensor, b: Tensor) -> Tensor:
        both = Cast(dtypes.float32)(m.LogicalAnd()(a, b))
        return reduce_sum(both if w is None else both * w, 1)

    return dict(zip(KINDS, (total(true, above), total(no, above), total(no, below), total(true, below)), strict=True))


def _halves(y: Tensor) -> tuple[Tensor, Tensor]:
    return y[:-1], y[1:]


def area(
    held: dict[str, Tensor], curve: str, method: str, recall_of: Ratio, rate_of: Ratio, precision_of: Ratio
) -> Tensor:
    """The area under a curve of counts at rising thresholds.

    Args:
      curve: "ROC", true against false positive rate, or "PR", precision against recall.
      method: how to fill between thresholds: "trapezoidal" the mean, "minoring" the smaller, "majoring" the larger
        height; "careful_interpolation" for PR keeps true and false positives linear.
      recall_of, rate_of, precision_of: numerator and denominator -> ratio.
    Source: Davis and Goadrich 2006, "The relationship between precision-recall and ROC curves".
    """
    tp, fp, tn, fn = (held[kind] for kind in KINDS)
    if curve == "PR" and method == "careful_interpolation":
        return interpolated_precision(tp, fp, fn)
    recall = recall_of(tp, tp + fn)
    x, y = (rate_of(fp, fp + tn), recall) if curve == "ROC" else (recall, precision_of(tp, tp + fp))
    left, right = _halves(y)
    if method == "minoring":
        heights = m.Minimum()(left, right)
    elif method == "majoring":
        heights = m.Maximum()(left, right)
    else:
        heights = (left + right) / 2.0
    before, after = _halves(x)
    return reduce_sum((before - after) * heights, 0)


def interpolated_precision(tp: Tensor, fp: Tensor, fn: Tensor) -> Tensor:
    """The area under precision against recall, true positives linear in all positives between thresholds.

    With P = TP + FP, TP = a + b P between two thresholds, so the area is the integral of b (a + b P) / P:
    b (dTP + a log(P_left / P_right)) / (TP + FN).
    """
    positives = tp + fp
    left, right = _halves(positives)
    d_true = tp[:-1] - tp[1:]
    slope = divide_no_nan(d_true, m.Maximum()(left - right, 0.0))
    start = tp[1:] - slope * right
    both = m.LogicalAnd()(left > 0, right > 0)
    ratio = Select()(both, divide_no_nan(left, m.Maximum()(right, 0.0)), 1.0)
    pieces = divide_no_nan(slope * (d_true + start * m.Log()(ratio)), m.Maximum()(tp[1:] + fn[1:], 0.0))
    return reduce_sum(pieces, 0)


def plus(small: float, above: bool = False) -> Ratio:
    """Ratios whose denominator (and numerator, if `above`) is a little larger, so that none is 0 / 0."""
    return lambda a, b: (a + small if above else a) / (b + small)
