"""Curves by step on a logarithmic scale, as SVG in the page's colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from numpy.typing import NDArray

from pullback.explain.markup import number

# Curves bear their names where there are no more than these.
MOST_LABELS = 20
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 860, 340, 64, 130, 14, 40
_LABEL = 14

Points = list[tuple[float, float]]


class _Scale:
    """Where a step and a value lie."""

    def __init__(self, steps: Sequence[int], least: float, largest: float) -> None:
        self.low = math.floor(math.log10(least))
        self.high = max(math.ceil(math.log10(largest)), self.low + 1)
        self.first, self.last = steps[0], max(steps[-1], steps[0] + 1)

    def across(self, step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (step - self.first) / (self.last - self.first)

    def down(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)

    def axes(self) -> list[str]:
        parts = []
        for power in range(self.low, self.high + 1, max((self.high - self.low) // 8, 1)):
            y = self.down(10.0**power)
            parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="var(--line)"/>')
            parts.append(_text(_LEFT - 8, y + 4, f"1e{power}", "end"))
        middle = (self.first + self.last) // 2
        parts += [
            _text(self.across(s), _HEIGHT - 18, str(s), "middle") for s in sorted({self.first, middle, self.last})
        ]
        return [*parts, _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 2, "step", "middle")]


def curves(what: str, steps: Sequence[int], series: Mapping[str, NDArray[Any]]) -> str:
    """A line a name, from the first (blue) to the last (red); what is not positive and finite is left out.

    Args:
      what: what is drawn, for who cannot see it.
      series: name -> values, one a step.
    """
    drawn = [v for values in series.values() for v in values if _visible(v)]
    if not drawn:
        return f'<p class="soft">No {escape(what.lower())} to draw.</p>'
    scale = _Scale(steps, min(drawn), max(drawn))
    lines = {
        name: [(scale.across(s), scale.down(v)) for s, v in zip(steps, values, strict=True) if _visible(v)]
        for name, values in series.items()
    }
    parts = scale.axes()
    for i, (name, points) in enumerate(lines.items()):
        parts.append(_line(name, points, _colour(i, len(lines))))
    if len(lines) <= MOST_LABELS:
        parts += _labels(lines)
    said = "; ".join(f"{n} from {number(float(v[0]))} to {number(float(v[-1]))}" for n, v in series.items())
    style = f"width:100%;min-width:560px;max-width:{_WIDTH}px;font-size:13px"
    opening = (
        f'<svg role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" style="{style}" aria-label="{escape(what)}: {escape(said)}">'
    )
    return f'<figure tabindex="0">{opening}{"".join(parts)}</svg></figure>'


def _visible(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _colour(i: int, count: int) -> str:
    return f"color-mix(in oklab, var(--backward) {100 * i / max(count - 1, 1):.0f}%, var(--forward))"


def _line(name: str, points: Points, colour: str) -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    start = f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{colour}"/>' if points else ""
    line = f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
    return f"<g><title>{escape(name)}</title>{line}{start}</g>"


def _labels(lines: Mapping[str, Points]) -> list[str]:
    """Names at the lines' ends, pushed apart so that none covers another."""
    ends = sorted((points[-1][1], i, name) for i, (name, points) in enumerate(lines.items()) if points)
    places: list[float] = []
    for y, _, _ in ends:
        places.append(max(y, places[-1] + _LABEL) if places else max(y, _TOP))
    below = places[-1] - (_HEIGHT - _BOTTOM) if places else 0.0
    if below > 0:  # back up, from the last one on
        limit = float(_HEIGHT - _BOTTOM)
        for i in reversed(range(len(places))):
            places[i] = min(places[i], limit)
            limit = places[i] - _LABEL
    return [
        _text(_WIDTH - _RIGHT + 8, y + 4, _short(name), "start", _colour(i, len(lines)))
        for y, (_, i, name) in zip(places, ends, strict=True)
    ]


def _text(x: float, y: float, said: str, anchor: str, colour: str = "var(--soft)") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(said)}</text>'


def _short(name: str, most: int = 16) -> str:
    return name if len(name) <= most else f"...{name[-most + 2 :]}"
