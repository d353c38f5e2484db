"""Pictures of the tour: digits and projections as PNG, the losses as SVG. Functions of the numbers alone."""

from __future__ import annotations

import math

import numpy as np

from pullback.explain.markup import number
from pullback.explain.pictures import Picture, enlarged, features, inked, png, signed
from pullback.tour.network import Training
from pullback.tour.responses import Channel, Response


def panels(response: Response) -> list[Picture]:
    """Digit, what the channel saw in it, and that pulled back to pixels."""
    return [inked(response.image), features(response.features), signed(response.projection)]


def mosaic(channels: tuple[Channel, ...], rows: int = 4, each: int = 4) -> bytes:
    """The README's picture: a row a channel, in it digit, features and projection, again and again."""
    size, gap, apart, edge = 72, 6, 26, 20
    triple = 3 * size + 2 * gap
    chosen = channels[:rows]
    most = max((len(c.responses[:each]) for c in chosen), default=0)
    width = 2 * edge + most * triple + max(most - 1, 0) * apart
    height = 2 * edge + len(chosen) * size + max(len(chosen) - 1, 0) * (apart - 8)
    canvas = np.full((height, width, 3), (236, 238, 242), np.uint8)
    for i, channel in enumerate(chosen):
        top = edge + i * (size + apart - 8)
        for j, response in enumerate(channel.responses[:each]):
            for k, panel in enumerate(panels(response)):
                left = edge + j * (triple + apart) + k * (size + gap)
                canvas[top : top + size, left : left + size] = enlarged(panel, size)
    return png(canvas)


def loss_curves(first: Training, second: Training) -> str:
    """Both losses by step, on a logarithmic scale: the first broad, the second a thin line on top of it."""
    width, height, left, bottom, top, right = 760, 300, 60, 44, 14, 14
    values = np.concatenate([first.losses, second.losses]).astype(float)
    low = math.floor(math.log10(max(float(values.min()), 1e-6)))
    high = math.ceil(math.log10(max(float(values.max()), 1e-6)))
    high = max(high, low + 1)
    count = len(first.losses)

    def across(step: float) -> float:
        return left + (width - left - right) * step / max(count - 1, 1)

    def down(value: float) -> float:
        share = (math.log10(max(value, 1e-6)) - low) / (high - low)
        return top + (height - top - bottom) * (1 - share)

    parts = []
    for power in range(low, high + 1):
        y = down(10.0**power)
        parts.append(f'<line class="rule" x1="{left}" y1="{y:.1f}" x2="{width - right}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{number(10.0**power)}</text>')
    for step in _ticks(count):
        x = across(step - 1)
        parts.append(f'<text x="{x:.1f}" y="{height - bottom + 18}" text-anchor="middle">{step}</text>')
    parts.append(f'<text x="{(left + width) / 2:.0f}" y="{height - 8}" text-anchor="middle">step</text>')
    for training, kind in ((first, "first"), (second, "second")):
        points = " ".join(f"{across(i):.1f},{down(float(v)):.1f}" for i, v in enumerate(training.losses))
        parts.append(f'<polyline class="{kind}" points="{points}"/>')
    title = f"Loss of both trainings over {count} steps, from {first.losses[0]:.3g} to {first.losses[-1]:.3g}"
    return (
        f'<svg class="losses" role="img" viewBox="0 0 {width} {height}" aria-label="{title}"><title>{title}</title>'
        f"{''.join(parts)}</svg>"
    )


def _ticks(count: int) -> list[int]:
    """Round steps to write on the axis, the first step among them; about six."""
    raw = max(count / 6, 1)
    size = 10 ** math.floor(math.log10(raw))
    stride = next(m * size for m in (1, 2, 5, 10) if m * size >= raw)
    return [1, *range(stride if stride > 1 else 2, count + 1, stride)]
