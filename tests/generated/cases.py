"""Every op with every sample: what the generated tests are made from.

    rooms --import--> REGISTRY --samples(rng)--> Case(op type, sample, id)

Adding an op adds its tests. An op's samples come from a generator seeded by its name, so they are the same in every
run and every worker.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import pkgutil
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from closeness import close

import pullback.core
import pullback.engines
import pullback.ops
from pullback._names import OPS
from pullback.core import dtypes, interpreter
from pullback.core.op import REGISTRY, Op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.store import PROCESS, Resource, Store
from pullback.core.tensor import EagerTensor, Node

# Lowerings: the engine that asks for them loads them.
LOWERINGS = {"blas", "native", "xla"}
# Relative to the largest entry. Integers, bools and strings are exact.
TOLERANCE = {
    "float64": 1e-10,
    "complex128": 1e-10,
    "float32": 1e-5,
    "complex64": 1e-5,
    "float16": 1e-2,
    "bfloat16": 5e-2,
}
BROKEN: dict[str, Exception] = {}  # a room that does not import, or whose samples raise, fails its own test only


def _import_rooms(package: Any) -> None:
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        name = f"{package.__name__}.{found.name}"
        if found.name in LOWERINGS:
            continue
        try:
            module = importlib.import_module(name)
        except Exception as error:
            BROKEN[name] = error
            continue
        if found.ispkg:
            _import_rooms(module)


_import_rooms(pullback.core)
_import_rooms(pullback.ops)
for room in sorted(set(OPS.values())):  # rooms beside `ops`: files, queues, tables
    importlib.import_module(room)
CLASSES: list[type[Op]] = [REGISTRY[kind] for kind in sorted(REGISTRY)]


class Case:
    """One op on one sample."""

    def __init__(self, cls: type[Op], position: int, sample: Sample, name: str) -> None:
        self.cls, self.position, self.sample, self.name = cls, position, sample, name

    @property
    def op(self) -> Any:
        return self.sample.op

    def rng(self, seed: int = 0) -> np.random.Generator:
        """Numbers for seeds and directions."""
        return np.random.default_rng([zlib.crc32(self.name.encode()), seed])

    @functools.cached_property
    def tensors(self) -> tuple[EagerTensor, ...]:
        """The arguments as the door would convert them; their arrays refuse to be written to."""
        tensors = _tensors(self.op, self.sample.args)
        for t in tensors:
            if isinstance(t.value, np.ndarray):
                t.value.flags.writeable = False
        return tensors

    def redrawn(self, seed: int) -> tuple[EagerTensor, ...]:
        """Other arguments of the same shapes, from the room's own generator; the same ones where there are none."""
        samples = list(self.cls.samples(_generator(self.cls, seed)))
        other = _tensors(self.op, samples[self.position].args) if self.position < len(samples) else self.tensors
        same = len(other) == len(self.tensors) and all(
            a.spec.shape == b.spec.shape and a.dtype is b.dtype for a, b in zip(other, self.tensors, strict=False)
        )
        return other if same else self.tensors

    @functools.cached_property
    def unfit(self) -> bool:
        """Whether the op does not take its own sample. Every test then runs on it, and says what is wrong."""
        try:
            self.op.specs(self.specs())
        except Exception:
            return True
        return False

    @functools.cached_property
    def static(self) -> frozenset[int]:
        """Positions of the inputs whose value settles shapes."""
        return frozenset(i % len(self.tensors) for i in self.cls.static)

    @functools.cached_property
    def constants(self) -> frozenset[int]:
        """Positions of what a user would write as plain numbers: static inputs, axes."""
        args = enumerate(self.sample.args)
        plain = (i for i, a in args if isinstance(a, (int, float, str, bytes)) and not isinstance(a, np.generic))
        return self.static | frozenset(plain)

    @property
    def retyped(self) -> bool:
        """Whether the sample is there for its dtype only: its name is one. Such cases run through fewer variations."""
        return self.sample.name in dtypes._BY_NAME

    @property
    def wrt(self) -> tuple[int, ...]:
        """Positions of the inputs that are differentiated."""
        return tuple(i for i in self.sample.wrt if self.tensors[i].dtype.is_differentiable)

    @property
    def stateful(self) -> bool:
        return self.cls.takes_store or self.cls.effect

    def store(self) -> Store:
        """A fresh Store that holds what the sample's handles need."""
        store = Store()
        held = [t.value for t in self.tensors if isinstance(t.value, Resource)]
        for resource in held:
            if PROCESS.holds(resource):
                store.write(resource, PROCESS.read(resource))
        return store

    def run(self, kernel: Callable[..., Any], values: tuple[Any, ...]) -> tuple[Any, ...]:
        """All results of a kernel, as the engines call it."""
        with np.errstate(all="ignore"):
            made = kernel(self.store(), *values) if self.cls.takes_store else kernel(*values)
        return made if isinstance(made, tuple) else (made,)

    def specs(self, shape: Callable[[Spec], Any] = lambda s: s.shape, static: bool = True) -> tuple[Spec, ...]:
        """Specs of the inputs with shapes as `shape` says; static inputs with their values, where `static`."""
        out = []
        for i, t in enumerate(self.tensors):
            if i in self.static and static:
                out.append(t.spec.with_value(interpreter.static_value(t)))
            elif t.dtype in (dtypes.resource, dtypes.variant):
                out.append(t.spec)
            else:
                out.append(Spec(shape(t.spec), t.dtype))
        return tuple(out)

    def differs(self, what: str, ours: Any, theirs: Any, seed: int | None = None) -> str:
        """What a failing check prints."""
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" ", 1)[0]
        return (
            f"{what}\n  op    {self.sample!r}\n  ours  {ours!r}\n  other {theirs!r}"
            + (f"\n  seed  {seed}" if seed is not None else "")
            + f"\n  again: pytest '{test}'"
        )

    def same(self, what: str, ours: Any, theirs: Any, factor: float = 1.0) -> None:
        """Asserts that two arrays agree: shape, type, and values to the type's tolerance; inf and nan in place."""
        if isinstance(ours, tuple) and isinstance(theirs, tuple):
            assert len(ours) == len(theirs), self.differs(what, ours, theirs)
            for a, b in zip(ours, theirs, strict=True):
                self.same(what, a, b, factor)
            return
        if not isinstance(ours, (np.ndarray, np.generic)):
            assert ours is theirs or ours == theirs, self.differs(what, ours, theirs)
            return
        assert np.shape(ours) == np.shape(theirs), self.differs(f"{what}: shapes", np.shape(ours), np.shape(theirs))
        assert ours.dtype == theirs.dtype, self.differs(f"{what}: types", ours.dtype, theirs.dtype)
        bound = TOLERANCE.get(ours.dtype.name)
        if bound is None:
            assert np.array_equal(ours, theirs), self.differs(what, ours, theirs)
            return
        assert close(ours, theirs, bound * factor * self.sample.tolerance), self.differs(what, ours, theirs)


def _generator(cls: type[Op], seed: int = 0) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(cls.type.encode()), seed])


def _tensors(op: Op, args: tuple[Any, ...]) -> tuple[EagerTensor, ...]:
    eager = interpreter.eager()
    if op.parsed.free:
        return tuple(interpreter.as_tensor(_boxed(a, False)) for a in args)
    lists = [dtypes.variant in (a.allowed or ()) for a in op.parsed.arguments(len(args))]
    given = tuple(_boxed(a, islist) for a, islist in zip(args, lists, strict=True))
    return tuple(interpreter.converted(eager, op, given, None))


def _boxed(arg: Any, islist: bool) -> Any:
    """Handles and lists of tensors as tensors; anything else as the door takes it."""
    if isinstance(arg, Resource):
        return EagerTensor(arg.handle_spec, arg)
    if isinstance(arg, tuple) and islist:
        return EagerTensor(Spec((), dtypes.variant), arg)
    if isinstance(arg, (tuple, list)):
        return np.array(arg, np.int32)
    return arg.copy() if isinstance(arg, np.ndarray) else arg


def _name(cls: type[Op], sample: Sample) -> str:
    """`Conv2D-stride2`, or with the fields that are not their defaults."""
    op = sample.op
    shown = sample.name or "-".join(
        str(getattr(op, f)) for f in op.fields if _short(getattr(op, f)) and getattr(op, f) != cls.defaults.get(f)
    )
    shown = "".join(c if c.isalnum() or c in "-_." else "_" for c in shown).strip("_-")
    return f"{cls.type}-{shown}" if shown else cls.type


def _short(field: Any) -> bool:
    return isinstance(field, (bool, int, float, str, tuple, dtypes.DType)) and len(str(field)) <= 24


def _collect() -> Iterator[Case]:
    seen: dict[str, int] = {}
    for cls in CLASSES:
        try:
            samples = list(cls.samples(_generator(cls)))
        except Exception as error:
            BROKEN[cls.type] = error
            continue
        for position, sample in enumerate(samples):
            name = _name(cls, sample)
            seen[name] = count = seen.get(name, 0) + 1
            yield Case(cls, position, sample, name if count == 1 else f"{name}-n{count}")


CASES: list[Case] = list(_collect())


def every_case(where: Callable[[Case], bool] = lambda case: True) -> Any:
    """Decorator: the test runs on each case for which `where` holds."""
    chosen = [case for case in CASES if case.unfit or where(case)]
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in chosen])


def every_op(where: Callable[[Case], bool] = lambda case: True) -> Any:
    """Decorator: the test runs once on each op value, whatever its arguments."""
    first = {id(case.op): case for case in reversed(CASES)}
    return every_case(lambda case: first[id(case.op)] is case and where(case))


def every_class(where: Callable[[type[Op]], bool] = lambda cls: True) -> Any:
    """Decorator: the test runs on each op class for which `where` holds."""
    return pytest.mark.parametrize("cls", [pytest.param(cls, id=cls.type) for cls in CLASSES if where(cls)])


class Recorder:
    """The smallest tape: keeps the Node of all that runs."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def record(self, op: Any, inputs: Any, results: Any, node: Any) -> None:
        self.nodes.append(node or Node(op, inputs, results, len(self.nodes)))

    def watches(self, inputs: Any) -> bool:
        return True

    def accessed(self, variable: Any) -> None:
        pass


@contextlib.contextmanager
def recorded() -> Iterator[list[Node]]:
    """The Nodes of what runs eagerly inside."""
    eager, tape = interpreter.eager(), Recorder()
    before, eager.tapes = eager.tapes, (tape,)
    try:
        yield tape.nodes
    finally:
        eager.tapes = before
