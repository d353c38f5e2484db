"""Rows of small pictures, as one image file and as sections of a page."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pullback.explain.pictures import AGAINST, FOR, INK, Picture, inked, photograph, png, signed

_GREY = (96, 102, 112)
# Numbers in a picture up to which its every pixel is kept.
SMALL_PICTURE = 50_000
_MARGIN, _GAP, _LINE = 16, 12, 15


@dataclass(frozen=True)
class Panel:
    """A small picture with words below it.

    caption: a line or more. alt: for who cannot see it; the caption, where left out.
    """

    shown: Picture
    caption: str
    alt: str = ""


@dataclass(frozen=True)
class Strip:
    """Panels that belong together, and what they show."""

    title: str
    panels: tuple[Panel, ...]


def as_photograph(image: NDArray[Any]) -> Picture:
    """An image [H,W,C] as one sees it: one channel as ink where it lies in 0 to 1, else grey; three as colours; of more
    the mean."""
    channels = image.shape[-1]
    if channels == 1 and image.min() >= 0 and image.max() <= 1:
        return inked(image[..., 0])
    if channels not in (1, 3):
        image = image.mean(axis=-1, keepdims=True)
    return photograph(image)


def as_projection(values: NDArray[Any]) -> Picture:
    """What came back to the pixels [H,W,C]: three channels as colours around grey, which is zero; else red where it is
    positive and blue where negative."""
    if values.shape[-1] != 3:
        return signed(values.sum(axis=-1))
    largest = max(float(np.percentile(np.abs(values), 99.9)), 1e-12)
    return np.round(255 * np.clip(0.5 + 0.5 * values / largest, 0, 1)).astype(np.uint8)


def as_heat(heat: NDArray[Any], image: NDArray[Any]) -> Picture:
    """A map [H,W] as glow over the image in pale grey: red above 0, blue below."""
    pale = photograph(image.mean(axis=-1)).astype(float) * 0.4 + 150
    share = 0.9 * np.clip(heat / _large(heat), -1, 1)[..., None]
    colour = np.where(share >= 0, np.array(FOR), np.array(AGAINST))
    return np.round(pale * (1 - np.abs(share)) + colour * np.abs(share)).astype(np.uint8)


def as_attribution(values: NDArray[Any]) -> Picture:
    """What each pixel adds, summed over the colours: red above 0, blue below."""
    summed = values.sum(axis=-1)
    return signed(summed, _large(summed))


def _large(values: NDArray[Any]) -> float:
    """The magnitude that one in two hundred exceeds, so that a few extremes leave the rest its colour."""
    magnitudes = np.abs(values)
    return max(float(np.percentile(magnitudes, 99.5)), float(magnitudes.max()) * 1e-3, 1e-12)


def as_filter(weights: NDArray[Any]) -> Picture:
    """A convolution's filter [R,S,C]: of three channels in colours, else a tile a channel, red above 0, blue below."""
    rows, columns, channels = weights.shape
    if channels == 3:
        return as_projection(weights)
    across = math.ceil(math.sqrt(channels))
    down = math.ceil(channels / across)
    largest = max(float(np.abs(weights).max()), 1e-12)
    canvas = np.full((down * (rows + 1) - 1, across * (columns + 1) - 1, 3), 255, np.uint8)
    for c in range(channels):
        y, x = c // across * (rows + 1), c % across * (columns + 1)
        canvas[y : y + rows, x : x + columns] = signed(weights[..., c], largest)
    return canvas


def stacked(above: Picture, below: Picture) -> Picture:
    """Two pictures of one width, one above the other."""
    gap = np.full((max(above.shape[1] // 16, 1), above.shape[1], 3), 255, np.uint8)
    return np.concatenate([above, gap, below])


def sized(shown: Picture, size: int) -> Picture:
    """The picture about `size` wide: enlarged by whole pixels, or made smaller."""
    height, width = shown.shape[:2]
    if width <= size:
        times = max(size // width, 1)
        return np.repeat(np.repeat(shown, times, axis=0), times, axis=1)
    small = Image.fromarray(np.ascontiguousarray(shown)).resize((size, max(height * size // width, 1)), _SMOOTH)
    return np.asarray(small)


_SMOOTH = Image.Resampling.LANCZOS


def mosaic(strips: Sequence[Strip], size: int = 128, across: int = 10) -> Image.Image:
    """Strips below each other; a strip of more than `across` panels goes on in a new line."""
    lines: list[tuple[str, tuple[Panel, ...]]] = []
    for strip in strips:
        pieces = [strip.panels[i : i + across] for i in range(0, len(strip.panels), across)]
        lines += [(strip.title if i == 0 else "", piece) for i, piece in enumerate(pieces)]
    drawn = [[sized(p.shown, size) for p in panels] for _, panels in lines]
    cell = max([size, *(d.shape[1] for row in drawn for d in row)])
    wide = max([len(panels) for _, panels in lines], default=0)
    font, bold = ImageFont.load_default(11), ImageFont.load_default(13)
    blocks = [
        (title, panels, row, max(d.shape[0] for d in row), max(len(_wrapped(p.caption, cell, font)) for p in panels))
        for (title, panels), row in zip(lines, drawn, strict=True)
    ]
    height = 2 * _MARGIN + sum((20 if b[0] else 0) + b[3] + 6 + b[4] * _LINE + _GAP for b in blocks)
    canvas = Image.new("RGB", (2 * _MARGIN + wide * (cell + _GAP) - _GAP, height), (255, 255, 255))
    pen, y = ImageDraw.Draw(canvas), _MARGIN
    for title, panels, row, tall, said in blocks:
        if title:
            pen.text((_MARGIN, y), title, fill=INK, font=bold)
            y += 20
        for j, (panel, shown) in enumerate(zip(panels, row, strict=True)):
            x = _MARGIN + j * (cell + _GAP)
            canvas.paste(Image.fromarray(np.ascontiguousarray(shown)), (x, y))
            for i, line in enumerate(_wrapped(panel.caption, cell, font)):
                pen.text((x, y + tall + 4 + i * _LINE), line, fill=_GREY, font=font)
        y += tall + 6 + said * _LINE + _GAP
    return canvas


def _wrapped(text: str, width: int, font: Any) -> list[str]:
    lines: list[str] = []
    for part in text.split("\n"):
        words, line = part.split(" "), ""
        for word in words:
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def section(strip: Strip, size: int = 128) -> str:
    """The strip's panels as HTML."""
    items = []
    for panel in strip.panels:
        small = panel.shown.shape[1] <= size
        shown = panel.shown if small else sized(panel.shown, size)
        times = max(size // shown.shape[1], 1)  # the page enlarges by whole pixels
        image = inline(shown, panel.alt or panel.caption.replace("\n", ", "), times)
        told = "<br>".join(map(escape, panel.caption.split("\n")))
        wide = max(times * shown.shape[1], 64)
        items.append(f'<li><figure style="max-width:{wide}px">{image}<figcaption>{told}</figcaption></figure></li>')
    return f'<ul class="pictures" style="align-items:flex-start">{"".join(items)}</ul>'


def inline(shown: Picture, alt: str, times: int = 1) -> str:
    """The picture as an element of a page, its pixels `times` as large: a PNG; of a large one a JPEG if smaller."""
    kind, data = "png", png(shown)
    if shown.size > SMALL_PICTURE:
        out = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(shown)).save(out, "JPEG", quality=85, subsampling=0, optimize=True)
        if out.tell() < len(data):
            kind, data = "jpeg", out.getvalue()
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return f'<img class="pixels" src="{source}" alt="{escape(alt)}" width="{times * shown.shape[1]}">'
