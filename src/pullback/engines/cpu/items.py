"""What a plan is made of: values known while planning, and things to do.

Map       one value for each point of a shape, from values at that point        (elementwise ops)
Fold      a sum, maximum or minimum over axes                                   (reductions)
Native    jobs that a room's lowering made                                      (convolutions, ...)
Python    a kernel called from Python                                           (everything else)
Write     a variable takes a buffer
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.store import Resource
from pullback.engines.cpu.task import Buffer, Task
from pullback.native.loops import REGISTERS


class Known:
    """A value known while planning: an array, or a handle, list or other object."""

    __slots__ = ("_buffer", "_uniform", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._uniform: Any = self
        self._buffer: Buffer | None = None

    @property
    def uniform(self) -> Any:
        """The one number that all entries are, or None."""
        if self._uniform is self:
            self._uniform = _uniform(self.value)
        return self._uniform

    def buffer(self, held: list[Any]) -> Buffer:
        """The array in memory that stays; `held` keeps it alive."""
        if self._buffer is None:
            array = np.require(self.value, requirements=["C", "A"])
            held.append(array)
            self._buffer = Buffer(array.shape, array.dtype)
            self._buffer.place = ("constant", array.ctypes.data)
        return self._buffer


def _uniform(value: Any) -> Any:
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype not in REGISTERS or value.size == 0:
        return None
    first = value.reshape(-1)[0]
    if not any(value.strides) or value.size == 1:
        return first.item()
    same = (value == first).all() and (value.dtype.kind != "f" or (np.signbit(value) == np.signbit(first)).all())
    return first.item() if same else None


class Item:
    """One thing to do. `reads` and `makes` are Buffers; `effect`: its place among other effects is fixed.

    node: what it was made for. index: its place in the list.
    after: the items that it reads from. The rest is what fusing knows of it; see fuse.py.
    """

    effect = False
    node: Any = None

    def __init__(self, reads: Sequence[Any], makes: Sequence[Buffer]) -> None:
        self.reads = [r for r in reads if isinstance(r, Buffer)]
        self.makes = list(makes)
        self.index = self.first = self.last = -1
        self.after: set[Any] = set()
        self.closed, self.waits = False, 0
        self.sealed: int | None = None
        self.users: list[Any] = []


class Map(Item):
    """y = rule(f, *values) at every point. Operands are Buffers, that may be repeated along axes, or numbers."""

    def __init__(self, rule: Callable[..., Any], operands: Sequence[Any], y: Buffer) -> None:
        super().__init__(operands, [y])
        self.rule, self.operands, self.y = rule, list(operands), y

    @property
    def shape(self) -> tuple[int, ...]:
        return self.y.shape


class Fold(Item):
    """y = x folded over axes, divided by `by`."""

    def __init__(self, how: str, x: Buffer, axes: frozenset[int], y: Buffer, by: int = 1) -> None:
        super().__init__([x], [y])
        self.how, self.x, self.axes, self.y, self.by = how, x, axes, y, by

    @property
    def shape(self) -> tuple[int, ...]:
        return self.x.shape


class Native(Item):
    """The jobs of a room's lowering. `status`: a word that must be zero afterwards, else `kernel` is called with the
    operands, and raises."""

    def __init__(self, task: Task, operands: Sequence[Any], kernel: Any, node: Any) -> None:
        super().__init__(operands, task.outputs)
        self.jobs, self.status = task.jobs, task.status
        self.operands, self.kernel = operands, kernel
        self.node = node


class Python(Item):
    """A kernel called with arrays. Operands that are no Buffers are passed as they are."""

    def __init__(self, kernel: Any, operands: Sequence[Any], makes: Sequence[Buffer], node: Any) -> None:
        super().__init__(operands, makes)
        self.kernel, self.operands = kernel, list(operands)
        self.takes_store = node.op.takes_store
        self.effect = node.op.effect or node.op.takes_store or node.op.random


class Write(Item):
    """A variable takes a buffer."""

    effect = True

    def __init__(self, resource: Resource, value: Buffer) -> None:
        super().__init__([value], [])
        self.resource, self.value = weakref.ref(resource), value
