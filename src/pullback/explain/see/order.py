"""Which order a layer's axes have. The tools ask, answer and draw channels last, [N,P,Q,K], whatever the model uses.

An op that knows two orders has a field `data_format`; a relu, a sum and the like keep the order of what they are given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core.tensor import Tensor

# What makes another order, or none, of a tensor with four axes.
_REORDERS = frozenset({"Transpose", "Reshape", "BatchToSpaceND", "SpaceToBatchND"})


def channels_first(layer: Tensor) -> bool:
    """Whether a layer of maps is [N,K,P,Q]: so says the op that made it, or the nearest before it that can tell."""
    return _says_first(origin(layer))


def enters_first(images: Tensor, nodes: list[Any]) -> bool:
    """Whether one of the nodes takes the images as [N,C,H,W]."""
    return any(_says_first(n.outputs[0]) and origin(n.inputs[0]) is images for n in nodes if n.inputs and n.outputs)


def origin(tensor: Tensor) -> Tensor:
    """The tensor itself, or the one before it whose order it has kept."""
    while tensor.spec.rank == 4:
        before = kept_from(tensor.node)
        if before is None:
            break
        tensor = before
    return tensor


def kept_from(node: Any) -> Tensor | None:
    """The input whose order of axes a node's result has; None where the node has an order of its own, or no input has
    four axes."""
    if node.type in _REORDERS or hasattr(node.op, "data_format"):
        return None
    return next((x for x in node.inputs if x.spec.rank == 4), None)


def takes_first(op: Any) -> bool:
    """Whether an op is told to work on [N,K,P,Q]."""
    return str(getattr(op, "data_format", "")).startswith("NC")


def _says_first(tensor: Tensor) -> bool:
    return tensor.spec.rank == 4 and takes_first(tensor.node.op)


def last(values: NDArray[Any], first: bool) -> NDArray[Any]:
    """A layer's values with the channels last; first: whether they stand first."""
    return np.moveaxis(values, 1, -1) if first else values


def first(values: NDArray[Any]) -> NDArray[Any]:
    """The way back from `last`, as engines take it."""
    return np.ascontiguousarray(np.moveaxis(values, -1, 1))
