"""Labels, predictions and weights made to fit each other, as tf.losses and tf.metrics do.

values  [N, a, b]          weights  []  or  [N or 1, a or 1, b or 1]
"""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import BroadcastTo, ZerosLike, shape_of
from pullback.core.dtypes import DType
from pullback.core.errors import ShapeError
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import expand_dims, squeeze
from pullback.ops.math.arithmetic import NotEqual
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.select import Cast


def cast(x: Any, dtype: DType) -> Tensor:
    """x as a tensor of a type; Python's floats are not refused where integers or bool are wanted."""
    plain = dtype.is_floating and not _typed(x) and not interpreter.holds_tensor(x)
    x = interpreter.as_tensor(x, dtype if plain else None)
    return x if x.dtype is dtype else Cast(dtype)(x)


def _typed(x: Any) -> bool:
    return hasattr(x, "dtype")


def in_float(*values: Any) -> list[Tensor]:
    """Values as tensors of one floating type: that of the last one which has one, else float32."""
    tensors = [interpreter.as_tensor(x) for x in values]
    typed = [t.dtype for t, x in zip(tensors, values, strict=True) if _typed(x) and t.dtype.is_floating]
    dtype = typed[-1] if typed else dtypes.float32
    return [t if t.dtype is dtype else Cast(dtype)(t) for t in tensors]


def same_shape(what: str, labels: Tensor, predictions: Tensor) -> None:
    """
    Raises:
      ShapeError: the shapes can never be the same.
    """
    if not shape.compatible(labels.spec.shape, predictions.spec.shape):
        raise ShapeError(
            f"{what}: Shapes {shape.text(predictions.spec.shape)} and {shape.text(labels.spec.shape)} are incompatible"
            ": predictions (logits) and labels must have the same shape"
        ).locate()


def without_extra_axis(labels: Tensor, predictions: Tensor, difference: int = 0) -> tuple[Tensor, Tensor]:
    """(labels, predictions), where either loses a last axis of 1 that it has too much.

    Args:
      difference: how many axes more predictions should have.
    """
    have = labels.spec.shape, predictions.spec.shape
    if have[0] is None or have[1] is None:
        return labels, predictions
    extra = len(have[1]) - len(have[0]) - difference
    if extra == 1 and have[1][-1] in (1, None):
        predictions = squeeze(predictions, [-1])
    elif extra == -1 and have[0][-1] in (1, None):
        labels = squeeze(labels, [-1])
    return labels, predictions


def fitting(weights: Tensor, values: Tensor) -> Tensor:
    """Weights with a last axis of 1 taken away or added, when the ranks differ by one."""
    have, rank = weights.spec.shape, values.spec.rank
    if not have or rank is None:
        return weights
    if len(have) - rank == 1 and have[-1] in (1, None):
        return squeeze(weights, [-1])
    return expand_dims(weights, -1) if rank - len(have) == 1 else weights


def check_broadcast(weights: Tensor, values: Tensor) -> None:
    """
    Raises:
      ShapeError: weights are neither a scalar nor, axis by axis, 1 or as long as values.
    """
    have, wanted = weights.spec.shape, values.spec.shape
    if not have or wanted is None:
        return
    if len(have) != len(wanted) or any(
        w != 1 and w is not None and v is not None and w != v for w, v in zip(have, wanted, strict=True)
    ):
        raise ShapeError(
            f"weights can not be broadcast to values. values.shape={shape.text(wanted)}, "
            f"weights.shape={shape.text(have)}: give a scalar, or as many axes, each 1 or as long"
        ).locate()


def spread(weights: Tensor, values: Tensor) -> Tensor:
    """Weights of the values' own shape.

    Raises:
      ShapeError: they do not fit.
    """
    check_broadcast(weights, values)
    same = shape.known(values.spec.shape) and weights.spec.shape == values.spec.shape
    return weights if same else BroadcastTo()(weights, shape_of(values))


def count_present(weights: Tensor, values: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """How many values have a weight other than 0."""
    present = Cast(weights.dtype)(NotEqual()(weights, ZerosLike()(weights)))
    return reduce_sum(spread(present, values), axis, keepdims)
