"""The deconvnet: what in the picture made a unit fire, projected back to pixels.

    picture -> conv -> relu -> max pool -> conv -> relu -> [ one channel, one unit ]
    picture <- conv' <- rectify <- unpool <- conv' <- rectify <----+

Three of the four are the chain rule's own: a convolution's gradient is the transposed convolution, a max pool's puts
each value back where its maximum was (the "switches"). Only relu differs: the deconvnet rectifies what comes down
instead of masking it by what went up. So it is one call of `backprop` with one rule replaced.

Source: Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pullback.core.tensor import Tensor
from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import BATCH, Progress, Pulls, projected
from pullback.explain.see.projections import Projections
from pullback.explain.see.selection import Selection, Unit
from pullback.ops.nn.activation import Elu, LeakyRelu, Relu, Relu6, Selu

# Nonlinearities that bend at zero: the deconvnet passes what comes down through relu in the place of each.
RECTIFIERS: tuple[type, ...] = (Relu, Relu6, LeakyRelu, Elu, Selu)


def rectified(node: Any, dy: Tensor) -> Tensor:
    """The deconvnet's rule for relu: what comes down passes where it is positive."""
    return Relu()(dy)


RULES = dict.fromkeys(RECTIFIERS, rectified)


def deconvnet(
    model: Any,
    images: Any,
    layer: Any,
    *,
    channel: int | Sequence[int] | None = None,
    unit: Unit | None = None,
    top: int | None = None,
    by: Literal["channel", "unit"] = "channel",
    strongest: bool = False,
    onto: Any = None,
    session: Any = None,
    feeds: Any = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Projections:
    """Projects a layer's activations back to the pixels.

    Args:
      model, session, feeds: the network, as `network_of` takes it.
      images: [N,H,W,C], or one image [H,W,C].
      layer: path of a layer [N,P,Q,K] or [N,K], as a rule after its relu. Of a model that computes channels first
        channels and units are asked for, and answered, in this order too.
      channel: only this one, or each of several. unit: only the one at this (row, column).
      top: the strongest channels of each image, as many as that, by their largest unit; with by="unit" single units.
      strongest: of each part only its largest unit, as in the paper's figures.
      onto: project to this layer instead of the images.
      batch: how many images are shown at once. progress: called with (done, in all).
    Returns:
      Projections, `values` [N,K,H,W,C]: K is 1, the number of channels, or `top`. With `onto` of that layer's shape.
    Raises:
      ArgumentError, ShapeError, DTypeError: no such layer, channel or unit; images that are empty or hold NaN.
    Ties: of equal units the first in row order is the strongest; max pooling's switches are the forward pass's.
    """
    pulls = Pulls(network_of(model, session=session, feeds=feeds), layer, RULES, onto)
    selection = Selection(channel, unit, top, by, strongest)
    lead = (
        "Each picture shows what in the input made these units fire: their activations, sent back through the "
        "network's own filters and switches, rectified at every relu (Zeiler & Fergus 2014). Above the projection of a "
        "single unit stands the part of the image that it comes from."
    )
    return projected("deconvnet", pulls, images, selection, lambda a, p: p.within(a, a), batch, progress, lead)
