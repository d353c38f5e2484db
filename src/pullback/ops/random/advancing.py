"""RngReadAndSkip: where the next draws of a generator whose state is a variable begin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import int32, int64, uint64
from pullback.core.errors import ArgumentError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.store import PROCESS, Resource, Store
from pullback.ops.random.draws import _halves, _lock, _whole

PHILOX = 1  # TensorFlow's number of the generator
# Counters that TensorFlow sets aside for each number drawn, and for each count of `skip`.
COUNTERS_EACH = 256


@op
class RngReadAndSkip(Op):
    """Advances a state (counter's low half, high half, key; int64 [3]) by 256 delta counters. Output: the state before.

    resource: handle to the state. alg [], 1 for Philox. delta []: how many numbers are about to be drawn.
    """

    signature = "resource: resource, alg: int32, delta: uint64 -> value: int64"
    takes_store = True
    effect = True

    def infer(self, held: Spec, alg: Spec, delta: Spec) -> Spec:
        return Spec((3,), int64)

    def reference(self, store: Store, held: Resource, alg: Any, delta: Any) -> Any:
        if int(alg) != PHILOX:
            raise ArgumentError(f"RngReadAndSkip: algorithm {int(alg)} is unknown; 1, Philox, is known")
        with _lock:
            state = np.array(store.read(held))
            after = _halves(_whole(state[:2]) + COUNTERS_EACH * int(delta))
            store.write(held, np.append(after, state[2]))
        return state

    def grad(self, node: Any, dy: Any) -> Any:
        return None, None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        held = Resource("state", Spec((3,), int64))
        PROCESS.write(held, np.array([3, 0, 7], np.int64))
        yield Sample(cls(), (held, np.asarray(PHILOX, int32.numpy), np.asarray(6, uint64.numpy)), wrt=())
