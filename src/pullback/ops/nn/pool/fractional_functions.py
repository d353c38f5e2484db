"""The public functions of fractional pooling, and TensorFlow's raw ops."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.nn.pool.arguments import image, made
from pullback.ops.nn.pool.fractional import (
    FractionalAvgPool,
    FractionalAvgPoolGrad,
    FractionalMaxPool,
    FractionalMaxPoolGrad,
)
from pullback.ops.random import philox
from pullback.ops.random.functions import next_counter
from pullback.ops.random.seeds import get_seed
from pullback.ops.raw_op import raw_function, raw_op

# Random words set aside for a draw whose seed nobody says.
_WORDS = 1 << 16


class FractionalPool(NamedTuple):
    """What fractional pooling answers."""

    output: Tensor
    row_pooling_sequence: Tensor
    col_pooling_sequence: Tensor


def _ratio(where: str, given: Any) -> tuple[float, ...]:
    """[1, rows, columns, 1], of one number, two or four.

    Raises:
      ArgumentError: it is none of these.
    """
    values = np.ravel(given).tolist() if isinstance(given, (int, float, list, tuple, np.ndarray)) else []
    if len(values) not in (1, 2, 4) or not all(isinstance(v, (int, float)) for v in values):
        raise ArgumentError(
            f"{where}: pooling_ratio must be a number, two (rows, columns) or four [1, rows, columns, 1], not {given!r}"
        ).locate()
    inner = values[1:3] if len(values) == 4 else values * (2 // len(values))
    ends = (values[0], values[3]) if len(values) == 4 else (1, 1)
    return tuple(map(float, (ends[0], *inner, ends[1])))


def _pooled(
    kind: Any,
    value: Any,
    pooling_ratio: Any,
    pseudo_random: bool,
    overlapping: bool,
    deterministic: bool,
    seed: Any,
    seed2: Any,
    name: str | None,
) -> FractionalPool:
    for what, given in (("seed", seed), ("seed2", seed2)):
        if not isinstance(given, (int, np.integer)):
            raise ArgumentError(f"{kind.type}: {what} must be an int, not {given!r}").locate()
    if not deterministic and (seed or seed2):
        raise ArgumentError(
            f"{kind.type}: seed {seed} and seed2 {seed2} must be 0 where deterministic is False; say deterministic=True"
        ).locate()
    op = made(kind, (_ratio(kind.type, pooling_ratio), bool(pseudo_random), bool(overlapping)))
    x = image(value, kind.type, what="value")
    if not deterministic:
        return FractionalPool(*op(x, *next_counter(op, None, (1,), _WORDS), name=name))
    if not (seed or seed2):
        seed, seed2 = secrets.randbits(63), secrets.randbits(63)
    key, counter = philox.from_seeds(int(seed), int(seed2))
    halves = np.array([counter % 2**64, counter >> 64], np.uint64).astype(np.int64)
    return FractionalPool(*op(x, np.uint64(key).astype(np.int64), halves, name=name))


def _pair(seed: Any) -> tuple[Any, Any]:
    """(seed, seed2) of an op seed; zeros where there is none."""
    return get_seed(seed) if seed and isinstance(seed, int) else (seed, 0)


@public("nn.fractional_max_pool", v1=None)
def fractional_max_pool(
    value: Any,
    pooling_ratio: Any,
    pseudo_random: bool = False,
    overlapping: bool = False,
    seed: int = 0,
    name: str | None = None,
) -> FractionalPool:
    """The largest value in each window, the windows so drawn that the image shrinks by any ratio.

    Args:
      value: Tensor [N,H,W,C], real.
      pooling_ratio: how often smaller the image becomes, at least 1: a number, two (rows, columns), or
        [1, rows, columns, 1]. H becomes floor(H / rows).
      pseudo_random: windows of the two sizes alternate evenly instead of at random.
      overlapping: windows share the pixel between them.
      seed: of the windows, the same in every run; 0 draws others in every run.
    Returns:
      (output [N,P,Q,C], row_pooling_sequence int64 [P+1], col_pooling_sequence int64 [Q+1]), the last two being the
      windows' bounds.
    Raises:
      ArgumentError: pooling_ratio is none of these. ShapeError: value is no image, or smaller than the ratio.
    Gradient: dy goes to the winning pixel; on a tie, to the first in row order. Of every order.
    Source: Graham, "Fractional max-pooling", 2015.
    """
    return _pooled(FractionalMaxPool, value, pooling_ratio, pseudo_random, overlapping, bool(seed), *_pair(seed), name)


@public("nn.fractional_avg_pool", v1=None)
def fractional_avg_pool(
    value: Any,
    pooling_ratio: Any,
    pseudo_random: bool = False,
    overlapping: bool = False,
    seed: int = 0,
    name: str | None = None,
) -> FractionalPool:
    """The mean of each window of `fractional_max_pool`, whose arguments it has.

    Raises:
      ArgumentError, ShapeError: as `fractional_max_pool`.
    Gradient: each dy spread evenly over its window. Of every order.
    """
    return _pooled(FractionalAvgPool, value, pooling_ratio, pseudo_random, overlapping, bool(seed), *_pair(seed), name)


@public(v1="nn.fractional_max_pool")
def fractional_max_pool_v1(
    value: Any,
    pooling_ratio: Any,
    pseudo_random: bool = False,
    overlapping: bool = False,
    deterministic: bool = False,
    seed: int = 0,
    seed2: int = 0,
    name: str | None = None,
) -> FractionalPool:
    """`fractional_max_pool` by TensorFlow's attributes: `seed` and `seed2` count where `deterministic`."""
    return _pooled(
        FractionalMaxPool, value, pooling_ratio, pseudo_random, overlapping, deterministic, seed, seed2, name
    )


@public(v1="nn.fractional_avg_pool")
def fractional_avg_pool_v1(
    value: Any,
    pooling_ratio: Any,
    pseudo_random: bool = False,
    overlapping: bool = False,
    deterministic: bool = False,
    seed: int = 0,
    seed2: int = 0,
    name: str | None = None,
) -> FractionalPool:
    """`fractional_avg_pool` by TensorFlow's attributes: `seed` and `seed2` count where `deterministic`."""
    return _pooled(
        FractionalAvgPool, value, pooling_ratio, pseudo_random, overlapping, deterministic, seed, seed2, name
    )


def _by_attributes(kind: Any, overlapping: bool) -> Any:
    return kind(bool(overlapping))


raw_function(globals(), "FractionalMaxPool", fractional_max_pool_v1)
raw_function(globals(), "FractionalAvgPool", fractional_avg_pool_v1)
for _kind in (FractionalMaxPoolGrad, FractionalAvgPoolGrad):
    raw_op(globals(), _kind, _by_attributes, {"overlapping": False})
