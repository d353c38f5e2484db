"""What a lowering to machine code is given: buffers, and a task to put jobs into.

    @lowering("native", Relu6)
    def relu6(op, task):
        (x,), (y,) = task.inputs, task.outputs
        task.job(kernels.relu6, (x.kind,), [x, y], items=..., cost=...)

A lowering is called while a plan is made, with shapes known and no values. It says which kernels run on which
buffers; nothing is computed yet. Returning NotImplemented says that this op with these shapes is not for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from pullback.native import build, ir
from pullback.native.machine import host

ALIGNMENT = 64
# Jobs are cut into at most so many shares, however many threads there are: answers must not hang on that number.
MOST_SHARES = 16
KINDS = {
    np.dtype(name): kind
    for kind, names in {
        ir.F32: ("float32",),
        ir.F64: ("float64",),
        ir.F16: ("float16",),
        ir.BF16: (ml_dtypes.bfloat16,),
        ir.I8: ("bool", "int8", "uint8"),
        ir.I16: ("int16", "uint16"),
        ir.I32: ("int32", "uint32"),
        ir.I64: ("int64", "uint64"),
    }.items()
    for name in names
}


class Buffer:
    """Memory that holds a dense row-major array, or scratch.

    shape, dtype (NumPy's): of the array. bytes: its size. kind: the machine type of an element, None where machine code
    has none (complex, string).
    of: the buffer whose memory this is another view of; itself, usually. skip: how many bytes into it this begins.
    """

    __slots__ = ("bytes", "dtype", "of", "place", "shape", "skip")

    def __init__(self, shape: tuple[int, ...], dtype: Any, of: Buffer | None = None, skip: int = 0) -> None:
        self.shape, self.dtype, self.skip = shape, np.dtype(dtype), skip
        self.bytes = prod(shape) * self.dtype.itemsize
        self.of: Buffer = self if of is None else of.of
        self.place: Any = None  # where the plan has put it

    def part(self, first: int) -> Buffer:
        """From an element on, as jobs are given it; its shape is the rest, flat."""
        return Buffer((self.size - first,), self.dtype, of=self, skip=self.skip + first * self.dtype.itemsize)

    def seen(self, shape: tuple[int, ...]) -> Buffer:
        """The same memory in another shape."""
        return Buffer(shape, self.dtype, of=self, skip=self.skip)

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def kind(self) -> ir.Type | None:
        return KINDS.get(self.dtype)

    def __repr__(self) -> str:
        return f"<Buffer {self.dtype.name}{list(self.shape)}>"


class Job(NamedTuple):
    """One call of a kernel on all its items.

    emit, settings: what writes the kernel, `emit(module, *settings)`; the kernel is named as `emit` is.
    words: its argument table: Buffers, ints, NumPy scalars.
    cost: about how long one thread takes, in nanoseconds.
    """

    emit: Callable[..., None]
    settings: tuple[Any, ...]
    words: tuple[Any, ...]
    items: int
    shares: int
    cost: float

    def address(self) -> int:
        """The kernel's machine code."""
        return kernel(self.emit, self.settings)

    def buffers(self) -> list[Buffer]:
        return [w for w in self.words if isinstance(w, Buffer)]


@functools.cache
def kernel(emit: Callable[..., None], settings: tuple[Any, ...]) -> int:
    """Address of a kernel, compiled at first use."""
    module = host().module()
    emit(module, *settings)
    return build.linked(module)[emit.__name__]


class Task:
    """What one node of a plan becomes: jobs, run in order.

    inputs, outputs: Buffers of the node's inputs and results. An input whose value is known while planning (a constant,
    a shape) is also in `known`, by its position.
    """

    def __init__(self, inputs: Sequence[Buffer], outputs: Sequence[Buffer], known: dict[int, Any]) -> None:
        self.inputs, self.outputs, self.known = tuple(inputs), tuple(outputs), known
        self.jobs: list[Job] = []
        self.status: Buffer | None = None

    @property
    def machine(self) -> Any:
        """The processor; see native/machine.py."""
        return host()

    def scratch(self, shape: tuple[int, ...], dtype: Any = np.uint8) -> Buffer:
        """Memory that lasts for this task only, aligned to a cache line; not cleared."""
        return Buffer(shape, dtype)

    def checked(self) -> Buffer:
        """An int64 word that is zero, and that a job sets to another value, atomically, where what was given is wrong
        (a label, a place): then the op's own kernel is called, which says so."""
        if self.status is None:
            self.status = Buffer((), np.int64)
        return self.status

    def job(
        self,
        emit: Callable[..., None],
        settings: tuple[Any, ...],
        words: Sequence[Any],
        items: int,
        cost: float | None = None,
        shares: int | None = None,
    ) -> None:
        """Adds a call of the kernel that `emit(module, *settings)` writes under its own name.

        Args:
          settings: hashable; what is baked into the code. Keep sizes out of it where they may be arguments.
          words: the kernel's arguments in order.
          items: how many items `begin <= item < end` runs over; none: nothing is run.
          cost: nanoseconds on one thread; left out, from the bytes that the arguments hold.
          shares: into how many calls it is cut; left out, up to MOST_SHARES.
        """
        if items <= 0:
            return
        if cost is None:
            cost = sum(w.bytes for w in words if isinstance(w, Buffer)) / 10
        cut = min(items, MOST_SHARES if shares is None else shares)
        self.jobs.append(Job(emit, tuple(settings), tuple(words), items, cut, cost))
