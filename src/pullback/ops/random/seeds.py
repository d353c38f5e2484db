"""Seeds, as TensorFlow 2.21 combines them.

    global seed   op seed    what is drawn
    none          none       other numbers in every stream
    none          given      the op's own sequence: (87654321, op seed)
    given         none       the op's own sequence, its seed counted (graphs) or drawn (eagerly) from the global one
    given         given      the op's own sequence: (global seed, op seed)

A graph has a global seed of its own; eager mode and functions traced from it have the process's.
"""

from __future__ import annotations

import random
import threading
import weakref
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.store import Resource

DEFAULT_GRAPH_SEED = 87654321
_MOST = 2**31 - 1


class _Process:
    """The process's seed, the generator of op seeds that hangs on it, and the streams that eager ops draw from."""

    seed: int | None = None
    op_seeds = random.Random()
    streams: dict[Any, Resource] = {}
    counts: weakref.WeakKeyDictionary[Graph, int] = weakref.WeakKeyDictionary()
    lock = threading.Lock()


@public("random.set_seed", v1=("set_random_seed", "random.set_random_seed"))
def set_seed(seed: Any) -> None:
    """Sets the global seed: of the current graph, or of eager mode, whose sequences then start anew.

    Args:
      seed: int; None takes the seed away, so that ops without a seed draw other numbers every time.
    """
    seed = None if seed is None else int(np.asarray(seed))
    here = interpreter.current()
    if isinstance(here, Graph):
        here.seed = seed
        return
    with _Process.lock:
        _Process.seed, _Process.op_seeds = seed, random.Random(seed)
        _Process.streams.clear()


def global_seed() -> int | None:
    """The global seed in force: the current graph's; a function body's is that of where it was traced."""
    here = interpreter.current()
    if isinstance(here, Graph):
        if here.seed is not None or here.outer is None:
            return here.seed
        here = here.outermost
    return here.seed if isinstance(here, Graph) else _Process.seed


@public(v1=("get_seed", "random.get_seed"))
def get_seed(op_seed: Any) -> tuple[int | None, int | None]:
    """The two seeds that an op draws by.

    Args:
      op_seed: int or None.
    Returns:
      (graph seed, op seed); both None when neither is given.
    """
    seed = global_seed()
    if seed is None:
        if op_seed is None:
            return None, None
        pair = DEFAULT_GRAPH_SEED, int(op_seed) % _MOST
    else:
        pair = seed % _MOST, (_next_op_seed() if op_seed is None else int(op_seed)) % _MOST
    return pair if pair != (0, 0) else (0, _MOST)


def _next_op_seed() -> int:
    here = interpreter.current()
    with _Process.lock:
        if not isinstance(here, Graph):
            return _Process.op_seeds.randint(0, _MOST)
        count = _Process.counts.get(here, 0)
        _Process.counts[here] = count + 1
        return count


def eager_stream(key: Any, made: Resource) -> Resource:
    """The process's stream under a key; `made` when there was none."""
    with _Process.lock:
        return _Process.streams.setdefault(key, made)
