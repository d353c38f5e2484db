"""Frames of signals, windows, and the short-time Fourier transform made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype, float32
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.gather import gather
from pullback.ops.array.joining import concat
from pullback.ops.array.knowledge import get_static_value
from pullback.ops.array.layout import roll, transpose
from pullback.ops.array.padding import pad
from pullback.ops.array.ranges import range_
from pullback.ops.array.rows import unsorted_segment_sum
from pullback.ops.array.shape import reshape
from pullback.ops.array.sizes import shape_
from pullback.ops.math.functions import maximum
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.scopes import scope
from pullback.ops.signal.fourier import irfft, rfft


def _number(x: Any, what: str) -> int:
    known = get_static_value(interpreter.as_tensor(x))
    if known is None or np.ndim(known) or int(known) < 1:
        raise ArgumentError(f"{what} must be a known whole number above 0, but is {x!r}").locate()
    return int(known)


@public("signal.frame")
def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: bool = False,
    pad_value: Any = 0,
    axis: int = -1,
    name: str | None = None,
) -> Tensor:
    """Overlapping pieces of a signal. [..., n, ...] -> [..., frames, frame_length, ...]

    Args:
      frame_length, frame_step: samples in a frame, and from one frame's begin to the next.
      pad_end: frames reach beyond the end, where the signal is pad_value; else only whole ones count.
      axis: along which the signal runs.
    """
    length, step = _number(frame_length, "frame_length"), _number(frame_step, "frame_step")
    with scope(name, "frame", signal):
        x: Any = interpreter.as_tensor(signal)
        if x.spec.rank is None:
            raise ArgumentError("frame: the signal's rank must be known").locate()
        if not -x.spec.rank <= axis < x.spec.rank:
            raise ArgumentError(f"frame: a signal of rank {x.spec.rank} has no axis {axis}").locate()
        at = axis % x.spec.rank
        known = x.spec.shape[at]
        n: Any = shape_(x)[at] if known is None else known  # type: ignore[index]
        if pad_end:
            frames: Any = -(-n // step)
            short = length + step * (frames - 1) - n
            short = maximum(short, 0) if known is None else max(short, 0)
            ends = [(0, 0)] * x.spec.rank
            ends[at] = (0, short)
            x = pad(x, ends, constant_values=interpreter.as_tensor(pad_value, x.dtype))
        else:
            frames = 1 + (n - length) // step
            frames = maximum(frames, 0) if known is None else max(frames, 0)
        places: Any = range_(frames)[:, None] * step + np.arange(length, dtype=np.int32)  # type: ignore[index]
        return gather(x, places, axis=at)


@public("signal.overlap_and_add")
def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """Frames laid over each other, each frame_step behind the one before, and added.
    [..., frames, frame_length] -> [..., (frames - 1) * frame_step + frame_length]"""
    step = _number(frame_step, "frame_step")
    with scope(name, "overlap_and_add", signal):
        x: Any = interpreter.as_tensor(signal)
        if x.spec.rank is None or x.spec.rank < 2:
            raise ArgumentError("overlap_and_add: the frames must have at least two axes").locate()
        sizes: Any = shape_(x)
        known = x.spec.shape[-2:]
        count, length = (s if s is not None else sizes[i] for i, s in zip((-2, -1), known, strict=True))
        total: Any = (count - 1) * step + length
        places: Any = range_(count)[:, None] * step + range_(length)  # type: ignore[index]
        rank = x.spec.rank
        last_first = transpose(x, (rank - 2, rank - 1, *range(rank - 2)))
        added = unsorted_segment_sum(last_first, places, total)
        return transpose(added, (*range(1, rank - 1), 0))


# --- windows -------------------------------------------------------------------------------------------------------


def _raised_cosine(length: Any, periodic: Any, dtype: Any, a: float, name: str) -> Tensor:
    kind = as_dtype(dtype)
    if not kind.is_floating:
        raise ArgumentError(f"{name}: dtype must be a floating point type, not {kind.name}").locate()
    n = _number(length, "window_length")
    if n == 1:
        return interpreter.as_tensor(np.ones(1), kind)
    # Of an even length a periodic window is that of one sample more, without it; of an odd one it is symmetric.
    steps = n - 1 + (1 if periodic and n % 2 == 0 else 0)
    turns = 2 * np.pi * np.arange(n) / steps
    return interpreter.as_tensor((a - (1 - a) * np.cos(turns)).astype(kind.as_numpy_dtype))


@public("signal.hann_window")
def hann_window(window_length: Any, periodic: Any = True, dtype: Any = float32, name: str | None = None) -> Tensor:
    """0.5 - 0.5 cos(2 pi k / (n - 1)) for k < n; over n when periodic and n is even."""
    return _raised_cosine(window_length, periodic, dtype, 0.5, "hann_window")


@public("signal.hamming_window")
def hamming_window(window_length: Any, periodic: Any = True, dtype: Any = float32, name: str | None = None) -> Tensor:
    """0.54 - 0.46 cos(2 pi k / (n - 1)) for k < n; over n when periodic and n is even."""
    return _raised_cosine(window_length, periodic, dtype, 0.54, "hamming_window")


@public("signal.vorbis_window")
def vorbis_window(window_length: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """sin(pi/2 sin^2(pi (k + 1/2) / n)) for k < n."""
    n = _number(window_length, "window_length")
    inner = np.sin(np.pi * (np.arange(n) + 0.5) / n)
    return interpreter.as_tensor(np.sin(np.pi / 2 * inner**2).astype(as_dtype(dtype).as_numpy_dtype))


# --- the short-time transform --------------------------------------------------------------------------------------


def _enclosing_power(length: int) -> int:
    return 1 << max(length - 1, 0).bit_length()


@public("signal.stft")
def stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window,
    pad_end: bool = False,
    name: str | None = None,
) -> Tensor:
    """Half spectra of windowed frames. [..., n] -> [..., frames, fft_length // 2 + 1], complex.

    Args:
      fft_length: by default the next power of two from frame_length on.
      window_fn: (frame_length, dtype=) -> window; None: none.
      pad_end: frames reach beyond the end, over zeros.
    """
    with scope(name, "stft", signals):
        x: Any = interpreter.as_tensor(signals)
        length = _number(frame_length, "frame_length")
        n = _enclosing_power(length) if fft_length is None else _number(fft_length, "fft_length")
        framed: Any = frame(x, length, frame_step, pad_end)
        if window_fn is not None:
            framed = framed * window_fn(length, dtype=x.dtype)
        return rfft(framed, [n])


@public("signal.inverse_stft_window_fn")
def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Callable[..., Any] = hann_window, name: str | None = None
) -> Callable[..., Any]:
    """The window for `inverse_stft` that undoes a window of `stft`: it over the sum of its overlapping squares.

    Source: Griffin & Lim 1984.
    """
    step = _number(frame_step, "frame_step")

    def window(frame_length: Any, dtype: Any) -> Tensor:
        length = _number(frame_length, "frame_length")
        forward: Any = forward_window_fn(length, dtype=dtype)
        overlaps = -(-length // step)
        squares = pad(forward * forward, [(0, overlaps * step - length)])
        total: Any = reshape(squares, [overlaps, step])
        total = concat([reduce_sum(total, 0)] * overlaps, 0)[:length]  # type: ignore[index]
        return forward / total

    return window


@public("signal.inverse_stft")
def inverse_stft(
    stfts: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window,
    name: str | None = None,
) -> Tensor:
    """Real signals of short-time spectra: each frame transformed back, windowed, laid over the others and added.

    Args:
      window_fn: `inverse_stft_window_fn(frame_step)` gives back what `stft` was given.
    """
    with scope(name, "inverse_stft", stfts):
        x: Any = interpreter.as_tensor(stfts)
        length = _number(frame_length, "frame_length")
        n = _enclosing_power(length) if fft_length is None else _number(fft_length, "fft_length")
        frames: Any = irfft(x, [n])[..., :length]  # type: ignore[index]
        if n < length:
            frames = pad(frames, [(0, 0)] * (frames.spec.rank - 1) + [(0, length - n)])
        if window_fn is not None:
            frames = frames * window_fn(length, dtype=frames.dtype)
        return overlap_and_add(frames, frame_step)


# --- order and scale of spectra ------------------------------------------------------------------------------------


def _shifted(x: Any, axes: Any, sign: int) -> Tensor:
    x = interpreter.as_tensor(x)
    at = range(x.spec.rank) if axes is None else [axes] if isinstance(axes, int) else list(axes)
    sizes: Any = shape_(x)
    for axis in at:
        half = sizes[axis] // 2
        x = roll(x, half if sign > 0 else -half, axis)
    return x


@public("signal.fftshift")
def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Frequency 0 moved to the middle of axes, all by default."""
    return _shifted(x, axes, 1)


@public("signal.ifftshift")
def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Undoes fftshift."""
    return _shifted(x, axes, -1)


def _mel(hertz: Any) -> Any:
    """The mel scale: 1127 ln(1 + f / 700)."""
    return 1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0)


@public("signal.linear_to_mel_weight_matrix")
def linear_to_mel_weight_matrix(
    num_mel_bins: Any = 20,
    num_spectrogram_bins: Any = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """A matrix [num_spectrogram_bins, num_mel_bins] that turns spectra into mel bins.

    The bins are triangles, each from the middle of the one before to that of the next, evenly spaced in mel.
    Frequency 0 counts nowhere.

    Raises:
      ValueError: the edges are not 0 <= lower < upper <= sample_rate / 2.
    """
    bins, linear = _number(num_mel_bins, "num_mel_bins"), _number(num_spectrogram_bins, "num_spectrogram_bins")
    nyquist = float(sample_rate) / 2
    if not 0 <= lower_edge_hertz < upper_edge_hertz <= nyquist:
        raise ArgumentError(
            f"linear_to_mel_weight_matrix: edges must be 0 <= lower < upper <= {nyquist}, but are {lower_edge_hertz}, "
            f"{upper_edge_hertz}"
        ).locate()
    mels = _mel(np.linspace(0.0, nyquist, linear)[1:])[:, None]
    edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), bins + 2)
    lower, middle, upper = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (mels - lower) / (middle - lower), (upper - mels) / (upper - middle)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    return interpreter.as_tensor(np.pad(weights, ((1, 0), (0, 0))).astype(as_dtype(dtype).as_numpy_dtype), name=name)
