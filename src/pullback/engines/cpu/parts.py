"""A large gradient that is made only to be used at once, as an optimizer's step uses a matrix's, is made and used part
by part: it never lies in memory as a whole, and each part is still in the cache when it is used.

    dw = x^T dy;  v = m v + dw;  w = w - a v          some rows of dw, then the same rows of v and w, then the next
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.engines.cpu.fuse import Group
from pullback.engines.cpu.items import Native
from pullback.engines.cpu.run import Slot
from pullback.engines.cpu.task import MOST_SHARES, Buffer, Job
from pullback.native import loops, products
from pullback.native.tiles import split

# Bytes of a part, and the bytes from which on a matrix is cut.
PART = 1 << 22
LARGE = 8 * PART


def in_parts(items: Sequence[Any], jobs: list[list[Job]], readers: dict[int, set[int]]) -> None:
    """Cuts such pairs of neighbours: the jobs of both go to the second. `readers`: buffer -> places of those items that
    read it."""
    for n in range(len(items) - 1):
        if _is_product(items[n], jobs[n]) and _is_pass(items[n + 1], jobs[n + 1]):
            (product,), (use,) = jobs[n], jobs[n + 1]
            dw = product.words[2]
            alone = readers.get(id(dw), set()) == {n + 1} and not isinstance(dw.place, Slot)
            if alone and dw.bytes >= LARGE and sum(w is dw for w in use.words) == 1 and use.words[0] == dw.size:
                jobs[n], jobs[n + 1] = [], _cut(product, use, dw)


def _is_product(item: Any, jobs: Sequence[Job]) -> bool:
    """Whether it is the product of a transposed thin matrix and another."""
    if not isinstance(item, Native) or len(jobs) != 1 or jobs[0].emit is not products.outer:
        return False
    return len(jobs[0].words[2].shape) == 2


def _is_pass(item: Any, jobs: Sequence[Job]) -> bool:
    """Whether it is one pass over memory that leaves nothing but what it writes there."""
    if not isinstance(item, Group) or len(jobs) != 1 or jobs[0].emit is not loops.fused:
        return False
    (nest,) = jobs[0].settings
    return nest.axes == 1 and not nest.folds


def _cut(product: Job, use: Job, dw: Buffer) -> list[Job]:
    """The jobs of both, in turns."""
    (sums,), (nest,) = product.settings, use.settings
    a, b, _, *numbers = product.words
    K, N = dw.shape
    most = max(1, PART // (dw.bytes // K))
    room = Buffer((min(most, K), N), dw.dtype)
    out = []
    for first in range(0, K, most):
        rows = min(most, K - first)
        sizes = tuple(split(rows, sums.sizes[0][0]))
        words = (a.part(first), b, room, *numbers)
        items, cost = sum(times for _, times in sizes), product.cost * rows / K
        out.append(Job(products.outer, (sums._replace(sizes=sizes),), words, items, min(items, MOST_SHARES), cost))
        out.append(_pass_over(use, nest, dw, room, first * N, rows * N))
    return out


def _pass_over(use: Job, nest: loops.Nest, dw: Buffer, room: Buffer, first: int, count: int) -> Job:
    """The pass over some of its points, where `room` holds those of dw."""
    _, _, *pointers = use.words
    varies = [load.varies[0] for load in nest.loads] + [True] * len(nest.stores)
    moved = [room if p is dw else p.part(first) if v else p for p, v in zip(pointers, varies, strict=True)]
    blocks = max(1, min(use.items, count // loops.GRAIN))
    cost = use.cost * count / dw.size
    return Job(loops.fused, use.settings, (count, blocks, *moved), blocks, min(blocks, MOST_SHARES), cost)
