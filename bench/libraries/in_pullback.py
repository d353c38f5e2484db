"""Pullback's works: those in TensorFlow's words, with what is Pullback's own."""

from __future__ import annotations

from typing import Any

import pullback
import pullback.v1
from bench.data import ADAM, MOMENTUM
from bench.libraries import tensorflow_words
from bench.libraries.tensorflow_words import Words


def version() -> str:
    return pullback.__version__


def unpool(pooled: Any, at: Any, shape: tuple[int, ...]) -> Any:
    return pullback.nn.max_unpool(pooled, at, shape)


def adam() -> Any:
    return pullback.optimizers.Adam(ADAM["rate"], ADAM["b1"], ADAM["b2"], ADAM["epsilon"])


def momentum() -> Any:
    return pullback.optimizers.SGD(MOMENTUM["rate"], momentum=MOMENTUM["momentum"])


tensorflow_words.declare(
    Words(
        tf=pullback,
        v1=pullback.v1,
        unpool=unpool,
        adam=adam,
        momentum=momentum,
        batch_in_at=False,
        lacks=("xla",),
    )
)
