"""What the second convolution's channels respond to: the digits that excite them most, projected back to pixels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pullback as tf
from pullback.explain.digits import Digits
from pullback.explain.see.deconvnet import deconvnet
from pullback.explain.see.network import Network, network_of
from pullback.tour.network import Weights, layers


@dataclass(frozen=True)
class Response:
    """A digit, what one channel saw in it, and that pulled back.

    image [8,8], 0 to 1. features [4,4]: the channel, at least 0. projection [8,8]: of its strongest unit, any sign.
    """

    label: int
    strength: float
    image: NDArray[Any]
    features: NDArray[Any]
    projection: NDArray[Any]


@dataclass(frozen=True)
class Channel:
    """A channel and the digits that excite it most, strongest first."""

    index: int
    responses: tuple[Response, ...]

    @property
    def labels(self) -> list[int]:
        return [r.label for r in self.responses]


def strongest_responses(digits: Digits, weights: Weights, channels: int = 8, each: int = 4) -> tuple[Channel, ...]:
    """For `channels` channels of conv2 the `each` digits with the strongest single unit, projected by the deconvnet."""
    w = {name: tf.constant(value) for name, value in weights.items()}
    seen = layers(tf, tf.constant(digits.images), w).conv2.numpy()
    network = network_of(lambda images: layers(tf, images, w))
    peaks = seen.max(axis=(1, 2))
    best = np.argsort(-peaks, axis=0, kind="stable")[:each]
    return tuple(
        _channel(c, best[:, c], digits, network, seen[best[:, c], ..., c])
        for c in _chosen(peaks, best, digits.labels, channels)
    )


def _chosen(peaks: NDArray[Any], best: NDArray[Any], labels: NDArray[Any], count: int) -> list[int]:
    """The channels that respond to their best digits far more than to the average one; first one for each digit."""
    top = np.take_along_axis(peaks, best, axis=0).mean(axis=0)
    order = np.argsort(peaks.mean(axis=0) - top, kind="stable")
    alive = [int(c) for c in order if top[c] > 0]
    favourite = {c: Counter(labels[best[:, c]].tolist()).most_common(1)[0][0] for c in alive}
    first = list({favourite[c]: c for c in reversed(alive)}.values())[::-1]
    first.sort(key=alive.index)
    return (first + [c for c in alive if c not in first])[:count]


def _channel(channel: int, which: NDArray[Any], digits: Digits, network: Network, features: NDArray[Any]) -> Channel:
    back = deconvnet(network, digits.images[which], "conv2", channel=channel, strongest=True)
    return Channel(
        channel,
        tuple(
            Response(int(digits.labels[i]), float(f.max()), digits.images[i, ..., 0], f, p[0, ..., 0])
            for i, f, p in zip(which, features, back.values, strict=True)
        ),
    )
