"""The deconvnet: what in the picture made a unit fire, projected back to pixels.

    picture -> conv -> relu -> max pool -> conv -> relu -> [ one channel, one unit ]
    picture <- conv' <- rectify <- unpool <- conv' <- rectify <----+

Three of the four are the chain rule's own: a convolution's gradient is the transposed convolution, a max pool's puts
each value back where its maximum was (the "switches"). Only relu differs: the deconvnet rectifies what comes down
instead of masking it by what went up. So it is one call of `backprop` with one rule replaced.

Source: Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 2.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.shape import text
from pullback.core.tensor import EagerTensor, Tensor
from pullback.modes.gradients import gradients
from pullback.ops.nn.activation import Relu


def rectified(node: Any, dy: Tensor) -> Tensor:
    """The deconvnet's rule for relu: what comes down passes where it is positive."""
    return Relu()(dy)


RULES = {Relu: rectified}


def deconvnet(
    target: Tensor,
    wrt: Any,
    *,
    tape: Any = None,
    channel: int | None = None,
    unit: tuple[int, int] | None = None,
    strongest: bool = False,
) -> Any:
    """Projects a layer's activations back.

    Args:
      target: the layer after its relu, [N,P,Q,K].
      wrt: the picture [N,H,W,C], or a list of tensors between picture and layer.
      tape: the GradientTape that heard an eager target being computed; a graph's tensors need none.
      channel: projects only this one; by default all.
      unit: projects only the unit at this (row, column).
      strongest: projects only the largest unit of each picture, in `channel` if that is given.
    Returns:
      For each of wrt its projection, of wrt's shape; None where target does not depend on it.
    Raises:
      ShapeError: target has not four dimensions, or has no such channel or unit.
      ArgumentError: an eager target without a tape; unit together with strongest.
    Ties: of equal units the first in row order is the strongest; max pooling's switches are the forward pass's.
    """
    if target.spec.rank not in (4, None):
        raise ShapeError(
            f"deconvnet: target has shape {text(target.spec.shape)}; it must be a layer [N,P,Q,K]"
        ).locate()
    if unit is not None and strongest:
        raise ArgumentError("deconvnet: give `unit` or `strongest`, not both").locate()
    if isinstance(target, EagerTensor):
        if tape is None:
            raise ArgumentError("deconvnet: an eager target needs `tape`, the GradientTape that heard it").locate()
        with interpreter.paused_tapes():
            seed = _chosen(target, channel, unit, strongest)
        return tape.gradient(target, wrt, output_gradients=seed, rules=RULES)
    with target.graph.as_default(), target.graph.name_scope("deconvnet"):
        seed = _chosen(target, channel, unit, strongest)
    found = gradients(target, wrt, grad_ys=seed, name="deconvnet", rules=RULES)
    return found if isinstance(wrt, (list, tuple)) else found[0]


def _chosen(target: Tensor, channel: int | None, unit: tuple[int, int] | None, strongest: bool) -> Tensor:
    """The activations to project, zero elsewhere."""
    _, rows, columns, channels = target.spec.shape or (None, None, None, None)
    seed = target
    if channel is not None:
        seed = seed * _one(channel, channels, "channel", (-1,), target)
    if unit is not None:
        row, column = (
            _one(unit[0], rows, "row", (-1, 1, 1), target),
            _one(unit[1], columns, "column", (-1, 1), target),
        )
        seed = seed * row * column
    if strongest:
        seed = seed * _largest(seed)
    return seed


def _one(which: int, count: int | None, what: str, shape: tuple[int, ...], like: Tensor) -> Any:
    """A vector of zeros with a one in it, shaped to multiply a layer."""
    if count is None:
        raise ShapeError(
            f"deconvnet: the number of {what}s of {like!r} must be known to choose {what} {which}"
        ).locate()
    if not 0 <= which < count:
        raise ShapeError(
            f"deconvnet: {what} {which} of a layer of shape {text(like.spec.shape)}; it has 0 to {count - 1}"
        ).locate()
    return np.eye(count, dtype=like.dtype.numpy)[which].reshape(shape)


def _largest(layer: Tensor) -> Tensor:
    """One at the first largest entry of each picture's layer, zero elsewhere."""
    from pullback.core.op import REGISTRY

    shape = layer.spec.shape
    if shape is None or None in shape[1:]:
        raise ShapeError(
            f"deconvnet: the layer's size must be known to choose its strongest unit, but is {text(shape)}"
        ).locate()
    size = int(np.prod(shape[1:]))  # type: ignore[arg-type]
    flat = REGISTRY["Reshape"]()(layer, (-1, size))
    first = REGISTRY["ArgMax"]()(flat, 1)
    mask = REGISTRY["OneHot"]()(first, size, np.ones((), layer.dtype.numpy), np.zeros((), layer.dtype.numpy))
    return REGISTRY["Reshape"]()(mask, (-1, *shape[1:]))
