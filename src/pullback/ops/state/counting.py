"""Counting up to a limit, which ends an input after so many epochs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import INDICES, int64
from pullback.core.errors import DTypeError, OutOfRangeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.store import PROCESS, Resource, Store

_lock = threading.Lock()


@op
class CountUpTo(Op):
    """The variable's value, which then grows by one; OutOfRangeError when it has reached the limit."""

    signature = "ref: resource -> output: any"
    takes_store = True
    effect = True
    any_rank = True
    limit: int

    def infer(self, handle: Spec) -> Spec:
        if handle.held.dtype not in INDICES:
            raise DTypeError(f"CountUpTo: the variable must be int32 or int64, but is {handle.held.dtype.name}")
        return Spec((), handle.held.dtype)

    def reference(self, store: Store, held: Resource) -> Any:
        with _lock:
            value = store.read(held)
            if value >= self.limit:
                raise OutOfRangeError(f"Reached limit of {self.limit}")
            store.write(held, np.asarray(value + 1))
        return np.asarray(value)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        held = Resource("sample", Spec((), int64))
        PROCESS.write(held, np.array(0))
        yield Sample(cls(1 << 30), (held,), ())
