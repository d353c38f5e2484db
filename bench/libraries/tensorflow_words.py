"""Works in TensorFlow's words: the same programs on TensorFlow and on Pullback.

`declare` is told which modules are meant, and what they say differently.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.worker import Prepared, makes


@dataclass(frozen=True)
class Words:
    """A library that speaks TensorFlow.

    unpool: (pooled, argmax, shape) -> image. adam, momentum: make optimizers with `apply_gradients`, and with
    `keep(variables)` if they must be told of them outside the step.
    batch_in_at: whether the argmax that unpool is given counts over the whole batch.
    lacks: variants that it does not know.
    longest_chain: more ops in a row are not asked for.
    """

    tf: Any
    v1: Any
    unpool: Callable[..., Any]
    adam: Callable[[], Any]
    momentum: Callable[[], Any]
    batch_in_at: bool
    lacks: tuple[str, ...] = ()
    longest_chain: int = 10**9


SharedMaker = Callable[[Words, dict[str, Any], str, Any], Prepared]
_SHARED: dict[str, tuple[SharedMaker, tuple[str, ...]]] = {}


def in_words(*kinds: str, variants: tuple[str, ...] = ("",)) -> Callable[[SharedMaker], SharedMaker]:
    """Declares a maker that is told the library first: `maker(words, case, variant, dtype)`."""

    def declare(maker: SharedMaker) -> SharedMaker:
        for kind in kinds:
            _SHARED[kind] = maker, variants
        return maker

    return declare


def declare(words: Words) -> None:
    """Registers every work for this library."""
    for part in ("kernels", "training", "calls"):
        importlib.import_module(f"bench.libraries.tensorflow_{part}")
    for kind, (maker, variants) in _SHARED.items():
        makes(kind, variants=tuple(v for v in variants if v not in words.lacks))(functools.partial(maker, words))
