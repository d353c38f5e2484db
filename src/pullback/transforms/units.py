"""Every unit vector of a space at once: the cotangents that a Jacobian's rows are pulled back from.

    e_i scale_i, for each entry i of a shape

What is linear and works entry by entry changes the scale, a reshape the shape. A room that knows what its op makes of
unit vectors says so (`Op.units`): a convolution lays out its filter, and no products are done. All others are given the
unit vectors as a tensor.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.op import REGISTRY
from pullback.core.spec import Spec
from pullback.core.tensor import Node, Tensor
from pullback.ops.math.elementwise import Elementwise

_RESHAPES = frozenset({"Reshape", "ExpandDims", "Squeeze", "Identity"})


class Units:
    """The unit vectors of a space, each times its entry of `scale` (of the space's shape; None is 1)."""

    def __init__(self, spec: Spec, scale: Tensor | None = None) -> None:
        self.spec, self.scale = spec, scale
        self.shape: tuple[int, ...] = spec.shape  # type: ignore[assignment]
        self._dense: Tensor | None = None

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def dense(self) -> Tensor:
        """[size, shape]"""
        if self._dense is None:
            eye = interpreter.as_tensor(np.eye(self.size, dtype=self.spec.dtype.numpy).reshape(self.size, *self.shape))
            self._dense = self._scaled(eye)
        return self._dense

    def _scaled(self, rows: Tensor) -> Tensor:
        """Rows that unit vectors became, each times its entry of the scale."""
        if self.scale is None:
            return rows
        ones = (1,) * (len(rows.spec.shape) - 1)  # type: ignore[arg-type]
        return rows * REGISTRY["Reshape"]()(self.scale, (self.size, *ones))

    def through(self, node: Node, at: int, others: list[Any]) -> Any:
        """What a node makes of them in input `at`: Units, a tensor [size, shape], or None if it does not say."""
        op, to = node.op, node.results[0].spec
        if op.type in _RESHAPES and at == 0 and to.known:
            scale = None if self.scale is None else REGISTRY["Reshape"]()(self.scale, to.shape)
            return Units(to, scale)
        if isinstance(op, Elementwise) and at in op.linear and to.shape == self.shape:
            one = np.broadcast_to(np.ones((), self.spec.dtype.numpy), self.shape) if self.scale is None else self.scale
            return Units(to, op(*others[:at], one, *others[at + 1 :]))
        if not op.has("units"):
            return None
        made = op.units(at, (*others[:at], self.spec, *others[at + 1 :]))
        if made is NotImplemented:
            return None
        return self._scaled(REGISTRY["Reshape"]()(made, (self.size, *made.spec.shape[len(self.shape) :])))
