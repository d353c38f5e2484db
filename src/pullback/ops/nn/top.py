"""in_top_k: whether the right class is among the k likeliest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.dtypes import bool_
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor


@op
class InTopKV2(Op):
    """Whether fewer than k classes have a larger prediction than the target's.

    predictions [B, K], targets [B], k [] -> precision [B], bool

    False where a prediction is not finite, or the target is no class.
    """

    signature = "predictions: float32, targets: T, k: T -> precision: bool"
    T = ("int32", "int64")

    def infer(self, predictions: Spec, targets: Spec, k: Spec) -> Spec:
        if predictions.rank != 2 or targets.rank != 1:
            raise ShapeError(
                f"InTopKV2: predictions must be [batch, classes] and targets [batch], but their shapes are "
                f"{shape.text(predictions.shape)} and {shape.text(targets.shape)}"
            )
        rows = shape.merged((predictions.shape or (None,))[:1], targets.shape, "InTopKV2: predictions and targets")
        return Spec(rows, bool_)

    def reference(self, predictions: Any, targets: Any, k: Any) -> Any:
        classes = predictions.shape[1]
        right = (targets >= 0) & (targets < classes) & np.isfinite(predictions).all(1)
        own = predictions[np.arange(len(targets)), np.clip(targets, 0, max(classes - 1, 0))] if classes else targets
        larger = (predictions > np.reshape(own, (-1, 1))).sum(1)
        return right & (larger < k)

    def grad(self, node: Any, dy: Any) -> Any:
        return None, None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        p = np.array([[0.1, 0.3, 0.3], [1.0, 2.0, 3.0], [np.inf, 0, 1], [1, 2, 3]], np.float32)
        for kind in (np.int32, np.int64):
            yield Sample(cls(), (p, np.array([1, 0, 1, 7], kind), kind(2)), wrt=(), name=np.dtype(kind).name)
        yield Sample(cls(), (np.ones((0, 3), np.float32), np.zeros(0, np.int32), np.int32(1)), wrt=(), name="no_batch")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(3, np.float32), np.array([1]), 1), ShapeError, "[batch, classes]"


@public("math.in_top_k", "nn.in_top_k", v1=None)
def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether each target is among the k largest predictions; classes that tie with the k-th count as in.

    Args:
      targets: int [B]. predictions: float32 [B, K]. k: int.
    Returns:
      bool [B].
    """
    return InTopKV2()(predictions, targets, k, name=name or "InTopKV2")


@public(v1=("math.in_top_k", "nn.in_top_k"))
def in_top_k_v1(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Tensor:
    """`in_top_k`, predictions first."""
    return in_top_k(targets, predictions, k, name)
