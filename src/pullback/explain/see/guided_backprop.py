"""Guided back-propagation: the gradient, without what holds a unit back.

    relu's own rule      dx = dy where x > 0
    the deconvnet's      dx = dy where dy > 0
    guided               dx = dy where both

Source: Springenberg et al., "Striving for simplicity: the all convolutional net", ICLR 2015 workshop, section 3.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pullback.core.tensor import Tensor
from pullback.explain.see.deconvnet import RECTIFIERS
from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import BATCH, Progress, Pulls, projected
from pullback.explain.see.projections import Projections
from pullback.explain.see.selection import Selection, Unit, ones_at
from pullback.ops.nn.activation import Relu


def guided(node: Any, dy: Tensor) -> Any:
    """The rule: the nonlinearity's own, of what comes down and is positive."""
    return node.op.grad(node, Relu()(dy))


RULES = dict.fromkeys(RECTIFIERS, guided)


def guided_backprop(
    model: Any,
    images: Any,
    layer: Any,
    *,
    channel: int | Sequence[int] | None = None,
    unit: Unit | None = None,
    top: int | None = None,
    by: Literal["channel", "unit"] = "channel",
    strongest: bool = False,
    session: Any = None,
    feeds: Any = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Projections:
    """The guided gradient of units' sum by the pixels. Arguments, answer and errors as of `deconvnet`; what comes back
    begins from ones at the units, as a gradient does, not from their activations."""
    pulls = Pulls(network_of(model, session=session, feeds=feeds), layer, RULES)
    selection = Selection(channel, unit, top, by, strongest)
    lead = (
        "Each picture is the gradient of these units with respect to the pixels, of which each relu lets pass only "
        "what is positive, where its input was positive too (Springenberg et al. 2015)."
    )
    return projected("guided back-propagation", pulls, images, selection, ones_at, batch, progress, lead)
