"""The numbers behind summaries: histograms, pictures and sounds as messages hold them."""

from __future__ import annotations

import functools
import io
import struct
from typing import Any

import numpy as np

from pullback.core.errors import InvalidArgumentError
from pullback.io import messages

# Below it the largest value of a picture counts as black all over.
_BLACK = 1e-6


@functools.cache
def bucket_limits() -> Any:
    """Upper limits of a histogram's buckets: each ten per cent further from 0, from 1e-12 to 1e20 on both sides."""
    limits, v = [], 1e-12
    while v < 1e20:
        limits.append(v)
        v *= 1.1
    limits.append(np.finfo(np.float64).max)
    return np.array([*[-x for x in reversed(limits)], 0.0, *limits])


def histogram(values: Any) -> Any:
    """The HistogramProto of an array; runs of empty buckets are one."""
    flat = np.ravel(values).astype(np.float64)
    with np.errstate(over="ignore"):
        squares = float((flat * flat).sum())
    proto = messages.HistogramProto(num=flat.size, sum=float(flat.sum()), sum_squares=squares)
    limits = bucket_limits()
    if flat.size:
        proto.min, proto.max = float(flat.min()), float(flat.max())
    else:
        proto.min, proto.max = float(np.finfo(np.float64).max), float(-np.finfo(np.float64).max)
    places = np.minimum(np.searchsorted(limits, flat, side="right"), len(limits) - 1)
    counts = np.bincount(places, minlength=len(limits))
    filled = counts > 0
    # Of a run of empty buckets only the last one stays.
    stays = filled | np.append(filled[1:], True)
    proto.bucket_limit.extend(limits[stays].tolist())
    proto.bucket.extend(counts[stays].astype(np.float64).tolist())
    return proto


def bucketed(values: Any, count: int) -> Any:
    """Buckets of equal width over an array's range. -> [count,3] float64: left edge, right edge, how many

    Of an array of one value the last bucket holds all; of an empty one all are empty.
    """
    flat = np.ravel(values).astype(np.float64)
    if not flat.size or not count:
        return np.zeros((count, 3))
    low, high = flat.min(), flat.max()
    if low == high:
        held = np.zeros(count)
        held[-1] = flat.size
        return np.stack([np.full(count, low), np.full(count, high), held], 1)
    at = np.minimum(((flat - low) / ((high - low) / count)).astype(np.int64), count - 1)
    edges = np.linspace(low, high, count + 1)
    edges[-1] = high
    return np.stack([edges[:-1], edges[1:], np.bincount(at, minlength=count)], 1)


def as_bytes(image: Any, bad_color: Any = (255, 0, 0, 255)) -> Any:
    """A picture [H,W,C] as bytes. Of floats the largest becomes 255; where there are negative ones 0 becomes 128 and
    the largest magnitude 127 more or less. A pixel that is not finite takes bad_color."""
    if image.dtype == np.uint8:
        return image
    values = image.astype(np.float32)
    fine = np.isfinite(values).all(-1)
    low, high = (values[fine].min(), values[fine].max()) if fine.any() else (0.0, 0.0)
    reach, shift = (max(abs(low), abs(high)), 128.0) if low < 0 else (high, 0.0)
    scale = np.float32((127.0 if low < 0 else 255.0) / reach if reach >= _BLACK else 0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        out = np.where(fine[..., None], values * scale + np.float32(shift), 0).astype(np.uint8)
    out[~fine] = np.asarray(bad_color, np.uint8)[: image.shape[-1]]
    return out


def png(image: Any) -> bytes:
    """A picture uint8 [H,W,C] as a PNG file; C is 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).

    Raises:
      InvalidArgumentError: C is another number.
    """
    from PIL import Image

    channels = image.shape[-1]
    if image.ndim != 3 or channels not in (1, 2, 3, 4):
        raise InvalidArgumentError(f"a picture must be [height,width,1, 2, 3 or 4], but has shape {image.shape}")
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image[..., 0] if channels == 1 else image), mode).save(file, "PNG")
    return file.getvalue()


def wav(samples: Any, rate: float) -> bytes:
    """Sound [frames, channels] in [-1, 1] as a WAV file of 16 bit."""
    channels = samples.shape[1]
    data = np.clip(np.round(samples * 32767.0), -32768, 32767).astype("<i2").tobytes()
    rate = round(rate)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, channels, rate,
                       rate * channels * 2, channels * 2, 16, b"data", len(data))  # fmt: skip
    return head + data
