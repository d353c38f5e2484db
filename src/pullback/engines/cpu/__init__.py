"""The CPU engine: graphs as machine code made from Python.

A program runs node by node the first time that it meets inputs of given shapes; the second time it is planned for them
(plan.py) and from then on a few native calls replace it. What cannot be planned goes on node by node. Single ops, as
eager programs run them, have plans of one node where the room has a lowering to machine code.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.config import config
from pullback.core.op import Op
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.core.tensor import Operation, Tensor
from pullback.engines.base import Engine, Program, load_lowerings
from pullback.engines.blas import BLAS
from pullback.engines.cpu import plan
from pullback.engines.cpu.direct import Direct, runner
from pullback.engines.cpu.trace import UnplannableError, passes_over

MOST_PLANS = 32  # of one program; the ones made longest ago go first
# Numbers in the variables of a program that is planned at first sight.
HEAVY = 1 << 22
# Bytes that a single op reads and makes, from which on machine code does what NumPy does as well.
MUCH = 1 << 17
_planning = threading.RLock()  # one plan is made at a time; no process forks meanwhile
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_planning.acquire, after_in_parent=_planning.release, after_in_child=_planning.release)
# An integer argument of at most so many entries may settle shapes.
FEW = 16


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Lets Python look for no garbage meanwhile: a plan's many objects are all in use until it is made."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class CpuEngine(Engine):
    """Native code where there is any, NumPy and BLAS elsewhere."""

    def __init__(self) -> None:
        super().__init__("cpu", lowers=("blas",))
        self._lately: deque[Op] = deque(maxlen=MOST_PLANS)  # ops are held weakly: these keep their plans

    def kernel(self, op: Op, reads: Sequence[Spec] = (), makes: Sequence[Spec] = ()) -> Callable[..., Any]:
        """What runs the op on arrays: machine code where it is quicker, from the second time on."""
        load_lowerings(type(op).__module__, "native")
        slow = BLAS.kernel(op)
        if "native" not in type(op).lowerings and not (passes_over(op) and _is_much([*reads, *makes])):
            return slow
        self._lately.append(op)
        static = {i % len(reads) for i in op.static} if reads else set(op.static)
        return _Single(op, slow, static, not reads or any(reads[i].value is None for i in static))

    def compiled(self, nodes: Sequence[Operation], inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Any:
        return Planned(nodes, inputs, outputs)


def _is_much(specs: Sequence[Spec]) -> bool:
    """Whether memory is passed over that makes up for the call: NumPy's own is the shorter one."""
    sizes = [prod(s.shape) * np.dtype(s.dtype.numpy).itemsize for s in specs if s.known]  # type: ignore[arg-type]
    return sum(sizes) >= MUCH


class Planned:
    """A program: `planned(store, *arrays)`. Holds one plan for each set of shapes it has met twice."""

    def __init__(self, nodes: Sequence[Operation], inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        self._what = nodes, inputs, outputs
        self._slow = Program(BLAS, nodes, inputs, outputs)
        self._by_value = False
        self._plans: OrderedDict[Any, Any] = OrderedDict()
        self._met: OrderedDict[Any, int] = OrderedDict()  # how often, of shapes that have no plan
        # The plan used last, where it tells by itself whether it fits: for which Winograd, and for which resources.
        self._last: tuple[Any, list[tuple[int, Any]], Direct] | None = None

    def __call__(self, store: Any, *values: Any) -> tuple[Any, ...]:
        last = self._last
        if last is not None and last[0] == config.winograd and all([values[i] is held() for i, held in last[1]]):
            made = last[2].tried(store, values)
            if made is not None:
                return made
        key = self._key(values)
        run = self._plans.get(key)
        if run is None:
            run = self._next(key, values)
        self._last = None
        if isinstance(run, Direct) and not self._by_value:
            resources = [(i, weakref.ref(v)) for i, v in enumerate(values) if isinstance(v, Resource)]
            self._last = config.winograd, resources, run
        return run(store, *values)

    def _key(self, values: Sequence[Any]) -> Any:
        """What a plan hangs on: the shapes and the settings that choose kernels."""
        if self._by_value:
            return config.winograd, *[_key_of(v, _decides(v)) for v in values]
        return config.winograd, *[(v.shape, v.dtype) if type(v) is np.ndarray else _key_of(v, False) for v in values]

    def _next(self, key: Any, values: Sequence[Any]) -> Any:
        """What runs this time: node by node at first sight, then a plan."""
        with _planning:
            found = self._plans.get(key)
            if found is None:
                met = self._met.get(key, 0)
                if met < config.plan_after and not self._is_heavy(values):
                    self._met[key] = met + 1
                    while len(self._met) > 2 * MOST_PLANS:
                        self._met.popitem(last=False)
                    return self._slow
                found = self._plans[key] = self._made(values)
                while len(self._plans) > MOST_PLANS:
                    self._plans.popitem(last=False)
            return found

    def _is_heavy(self, values: Sequence[Any]) -> bool:
        """Whether the variables in it are so large that running node by node once would cost more memory and time than
        planning."""
        held = [node.op.resource for node in self._what[0] if hasattr(node.op, "resource")]
        held += [v for v in values if isinstance(v, Resource)]
        return sum(prod(r.spec.shape) for r in held if r.spec.known) >= HEAVY

    def _made(self, values: Sequence[Any]) -> Any:
        try:
            given = [_given(v, self._by_value and _decides(v)) for v in values]
            with _uncollected():
                return runner(plan.made(*self._what, given, BLAS))
        except UnplannableError:
            if not self._by_value and any(map(_decides, values)):
                self._by_value = True  # perhaps an argument is a shape
            return self._slow


class _Single:
    """One op on arrays: planned for their shapes when met a second time.

    static: positions of the inputs whose value settles shapes. varies: whether calls may be given others there.
    """

    def __init__(self, op: Op, slow: Callable[..., Any], static: set[int], varies: bool) -> None:
        self.op, self._slow, self._static, self._plannable = op, slow, static, True
        self._varies = varies and bool(static)
        self._plans: dict[Any, Any] = {}
        # The plan used last, where it tells by itself whether it fits: for which Winograd, and for which static values.
        self._last: tuple[Any, list[Any], Direct] | None = None

    def __call__(self, *values: Any) -> Any:
        last = self._last
        if last is not None and last[0] == config.winograd and (not self._varies or last[1] == self._settling(values)):
            made = last[2].tried(None, values)
            if made is not None:
                return made[0] if len(made) == 1 else made
        if not self._plannable:
            return self._slow(*values)
        key = config.winograd, *[_key_of(v, i in self._static) for i, v in enumerate(values)]
        found = self._plans.get(key, 0)
        if type(found) is int:
            if found < config.plan_after:
                if len(self._plans) >= 4 * MOST_PLANS:
                    self._plans.clear()
                self._plans[key] = found + 1
                return self._slow(*values)
            found = self._plans[key] = self._made(values)
        self._last = (config.winograd, self._settling(values), found) if isinstance(found, Direct) else None
        made = found(None, *values)
        return made[0] if len(made) == 1 else made

    def _settling(self, values: Sequence[Any]) -> list[Any]:
        return [_key_of(values[i], True) for i in self._static]

    def _made(self, values: Sequence[Any]) -> Any:
        try:
            return runner(plan.one(self.op, [_given(v, i in self._static) for i, v in enumerate(values)], BLAS))
        except UnplannableError:
            slow = self._slow
            self._plannable = self._varies

            def run(store: Any, *arrays: Any) -> Any:
                made = slow(*arrays)
                return made if type(made) is tuple else (made,)

            return run


def _decides(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "iu" and value.size <= FEW


def _key_of(value: Any, by_value: bool) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return (value.shape, value.dtype, value.tobytes()) if by_value else (value.shape, value.dtype)
    return id(value) if isinstance(value, Resource) else type(value)


def _given(value: Any, by_value: bool) -> Any:
    """What a plan may rely on of an argument."""
    if isinstance(value, Resource) or by_value:
        return value
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "biufcV":
        raise UnplannableError(f"an argument is a {type(value).__name__}")
    return Spec(value.shape, dtypes.from_numpy(value.dtype))


CPU = CpuEngine()
