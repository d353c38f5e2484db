"""The one door: every operation enters here, and the current interpreter says what becomes of it.

    Op.__call__(*inputs)  -->  current().bind(op, inputs)
                                  Eager: convert, run the kernel, tell the tapes
                                  Graph: convert, infer, append an Operation

Interpreters form a stack a thread; at its foot is the thread's Eager. When Eager meets a symbolic tensor it hands
the call to that tensor's graph, so programs of both styles mix.
"""

from __future__ import annotations

import contextlib
import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from pullback.core import dtypes
from pullback.core.dialect import V2, Dialect
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import DTypeError, OpError
from pullback.core.signature import array_of
from pullback.core.spec import MOST_STATIC, Spec
from pullback.core.store import PROCESS, Store
from pullback.core.tensor import EagerTensor, Node, Tensor

_spec, _value = operator.attrgetter("spec"), operator.attrgetter("value")


class Engine(Protocol):
    """Who computes. `engines` sets it; see engines/base.py."""

    name: str

    def kernel(self, op: Any, reads: Sequence[Spec] = (), makes: Sequence[Spec] = ()) -> Callable[..., Any]:
        """What runs the op on arrays, of these specs where they are given: a tuple of arrays out, or one array bare."""
        ...

    def program(self, graph: Any) -> Callable[..., Any]:
        """What runs a body graph: (store, *arrays) -> tuple of arrays."""
        ...


class Listener(Protocol):
    """A tape, to an interpreter."""

    def record(self, op: Any, inputs: tuple[Tensor, ...], results: tuple[Tensor, ...], node: Any) -> None: ...

    def watches(self, inputs: tuple[Tensor, ...]) -> bool: ...


class Eager:
    """Runs each op at once."""

    dialect: Dialect = V2
    store: Store = PROCESS

    def __init__(self) -> None:
        self.tapes: tuple[Listener, ...] = ()
        self.scope = ""

    def bind(self, op: Any, inputs: tuple[Any, ...], name: str | None = None) -> Any:
        """Runs the op; returns its visible outputs as the door promises them."""
        results = self._results(op, inputs, name)
        if results is None:
            return _graph_of(inputs).bind(op, inputs, name)
        if len(results) == 1:
            return results[0]
        count = op.visible(len(results))
        return results[0] if count == 1 else results[:count] if count else Node(op, inputs, results)

    def run(self, op: Any, inputs: tuple[Any, ...], name: str | None = None) -> tuple[Any, ...]:
        """Runs the op; returns all results, residuals included."""
        results = self._results(op, inputs, name)
        return _graph_of(inputs).run(op, inputs, name) if results is None else results

    def _results(self, op: Any, inputs: tuple[Any, ...], name: str | None) -> tuple[EagerTensor, ...] | None:
        """All results; None where an input is symbolic, so that its graph has to do it."""
        for x in inputs:
            if type(x) is not EagerTensor:
                found = self._beside_numbers(op, inputs)
                if found is None:
                    if _graph_of(inputs) is not None:
                        return None
                    inputs = converted(self, op, inputs, name)
                    found = inputs, *self._kernel(op, inputs)
                inputs, kernel, shapes = found
                break
        else:
            kernel, shapes = self._kernel(op, inputs)
        try:
            values = kernel(*map(_value, inputs))
        except OpError as error:
            raise error.locate() from None
        if shapes is None:
            values = values if type(values) is tuple else (values,)
            results = tuple([EagerTensor(spec_of(v), v) for v in values])
        elif len(shapes) == 1:
            results = (EagerTensor(shapes[0], values[0] if type(values) is tuple else values),)
        else:
            results = tuple([EagerTensor(s, v) for s, v in zip(shapes, values, strict=True)])
        for tape in self.tapes:
            tape.record(op, inputs, results, None)
        return results

    def _kernel(self, op: Any, inputs: tuple[Any, ...]) -> tuple[Callable[..., Any], Any]:
        """The kernel for inputs like these, and the results' specs where they do not hang on what is computed."""
        key = (_thread.engine, *map(_spec, inputs))
        if op.static:
            key += tuple([static_value(inputs[i]) for i in op.static])
        return op.kernels.get(key) or self._prepare(op, inputs, key)

    def _beside_numbers(self, op: Any, inputs: tuple[Any, ...]) -> tuple[Any, Any, Any] | None:
        """Eager tensors, and beside them numbers and tuples of ints as constants of the types that the tensors settle,
        with what `_kernel` finds for them; None where anything else is among them, or a type is not settled."""
        parts: list[Any] = [_thread.engine]
        for x in inputs:
            kind = type(x)
            if kind is EagerTensor:
                parts.append(x.spec)
            elif kind is float or (kind is int and -_BEYOND <= x < _BEYOND):
                parts.append(kind)
            elif kind is tuple and {*map(type, x)} == _INTS:
                parts.append(x)
            else:
                return None
        parts += [static_value(inputs[i]) if type(inputs[i]) is EagerTensor else inputs[i] for i in op.static]
        key = tuple(parts)
        found = op.beside.get(key)
        if found is None:
            types = _settled(op, inputs)
            if types is None:
                return None
            # For each input its type; of a tuple, which the key holds, the constant itself.
            hows = [number(x, t) if type(x) is tuple else t for x, t in zip(inputs, types, strict=True)]
            kernel, shapes = self._kernel(op, _as_constants(inputs, hows))
            if len(op.beside) >= 256:
                op.beside.clear()
            found = op.beside[key] = hows, kernel, shapes
        hows, kernel, shapes = found
        return _as_constants(inputs, hows), kernel, shapes

    def _prepare(self, op: Any, inputs: tuple[Any, ...], key: Any) -> tuple[Callable[..., Any], Any]:
        """Checks the inputs, finds the kernel, and keeps both for these specs."""
        specs = [x.spec for x in inputs]
        for i in op.static:
            specs[i] = specs[i].with_value(static_value(inputs[i]))
        outputs = op.specs(tuple(specs))
        fixed = tuple([Spec(s.shape, s.dtype) for s in outputs]) if all(s.known for s in outputs) else None
        kernel = _thread.engine.kernel(op, specs, outputs)
        if op.takes_store:
            plain, store = kernel, self.store
            kernel = lambda *values: plain(store, *values)  # noqa: E731
        if len(op.kernels) >= 1024:
            op.kernels.clear()
        op.kernels[key] = kernel, fixed
        return kernel, fixed

    def constant(self, array: Any, spec: Spec, name: str | None = None) -> EagerTensor:
        return EagerTensor(Spec(spec.shape, spec.dtype), array)

    def adopt(self, tensor: Tensor) -> Tensor:
        return tensor

    def watches(self, inputs: tuple[Any, ...]) -> bool:
        return any(tape.watches(inputs) for tape in self.tapes)

    @contextlib.contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Names nothing here, but the tags of summaries begin with it."""
        before = self.scope
        self.scope = "" if not name else name if name.endswith("/") else f"{before}{name}/"
        try:
            yield self.scope
        finally:
            self.scope = before


class _Thread(threading.local):
    """The interpreters and the engine of a thread."""

    def __init__(self) -> None:
        self.stack: list[Any] = [Eager()]
        self.top: Any = self.stack[0]
        self.engine: Any = default_engine[0] if default_engine else None


default_engine: list[Any] = []
_thread = _Thread()


def set_default_engine(engine: Engine) -> None:
    """Makes `engine` compute wherever no other is chosen."""
    default_engine[:] = [engine]
    _thread.engine = engine


def engine() -> Any:
    """The engine in force in this thread."""
    return _thread.engine


@contextlib.contextmanager
def using_engine(engine: Engine) -> Iterator[None]:
    """Lets `engine` compute inside the context."""
    before, _thread.engine = _thread.engine, engine
    try:
        yield
    finally:
        _thread.engine = before


def current() -> Any:
    """The interpreter that the next operation goes to."""
    return _thread.top


def eager() -> Eager:
    """This thread's Eager, whether current or not."""
    return _thread.stack[0]


def enclosing() -> list[Any]:
    """The interpreters of this thread, innermost last."""
    return list(_thread.stack)


@contextlib.contextmanager
def entered(interpreter: Any) -> Iterator[Any]:
    """Makes an interpreter current."""
    stack = _thread.stack
    stack.append(interpreter)
    _thread.top = interpreter
    try:
        yield interpreter
    finally:
        stack.pop()
        _thread.top = stack[-1]


@contextlib.contextmanager
def paused_tapes() -> Iterator[None]:
    """Lets the current interpreter's tapes hear nothing."""
    top = _thread.top
    tapes, top.tapes = top.tapes, ()
    try:
        yield
    finally:
        top.tapes = tapes


def static_value(tensor: EagerTensor) -> Any:
    """The value of a small integer tensor as a Spec carries it; None of a large one, and of other types."""
    return plain_value(tensor.value) if tensor.spec.dtype.is_integer else None


def plain_value(array: Any) -> Any:
    """A small integer scalar, vector or matrix as ints in tuples; None of what is larger."""
    rank = np.ndim(array)
    if rank == 0:
        return int(array)
    if rank > 2 or array.size > MOST_STATIC:
        return None
    return tuple(array.tolist()) if rank == 1 else tuple(map(tuple, array.tolist()))


def spec_of(array: Any) -> Spec:
    """Spec of an array."""
    if not isinstance(array, (np.ndarray, np.generic)):
        return Spec((), dtypes.variant)
    return Spec(array.shape, dtypes.from_numpy(array.dtype))


def _graph_of(inputs: tuple[Any, ...]) -> Any:
    """The graph of the first symbolic tensor, also behind variables and inside lists; None when all is eager."""
    for x in inputs:
        kind = type(x)
        if kind is EagerTensor or kind in _PLAIN:
            continue
        if isinstance(x, Tensor):
            return x.node.graph
        if kind is list or kind is tuple:
            graph = _graph_of(tuple(x))
            if graph is not None:
                return graph
        elif (handle := getattr(x, "handle", None)) is not None:
            graph = _graph_of((handle,))
            if graph is not None:
                return graph
    return None


# Types of Python values that are no tensors and hold none.
_PLAIN = frozenset(
    [int, float, bool, complex, str, bytes, type(None), np.ndarray, np.float32, np.float64, np.int32, np.int64]
)
_INTS = {int}
_BEYOND = 2**31  # an int from there on is no int32
_numbers: dict[Any, EagerTensor] = {}


def number(x: Any, dtype: DType | None) -> EagerTensor | None:
    """The eager constant of a Python number or a tuple of ints, made once; None of anything else."""
    kind = type(x)
    if kind is tuple:
        if {*map(type, x)} != _INTS:
            return None
    elif kind is not int and kind is not float:
        return None
    key = kind, x or repr(x), dtype  # -0.0 equals 0.0
    found = _numbers.get(key)
    if found is None:
        try:
            array = array_of(x, dtype)
        except OpError as error:
            raise error.locate() from None
        found = EagerTensor(Spec(array.shape, dtype or dtypes.from_numpy(array.dtype)), array)
        if len(_numbers) >= 4096:
            _numbers.clear()
        _numbers[key] = found
    return found


def converted(here: Any, op: Any, inputs: tuple[Any, ...], name: str | None) -> tuple[Any, ...]:
    """The inputs as tensors: what is no tensor takes the type that the tensors beside it settle."""
    tensors = [None if type(x) in _PLAIN else as_own(here, x) for x in inputs]
    signature = op.parsed
    known = [t.spec.dtype if t is not None else None for t in tensors]
    if None not in known:
        return tuple(tensors)
    wanted = signature.wanted(op, known)
    out: list[Any] = []
    for i, (x, tensor, dtype) in enumerate(zip(inputs, tensors, wanted, strict=True)):
        if tensor is None and type(here) is Eager:
            tensor = number(x, dtype)
        if tensor is None:
            argument = signature.arguments(len(inputs))[i]
            if dtype is None and argument.allowed and isinstance(x, (list, tuple)) and not x:
                dtype = argument.allowed[0]  # an empty shape says no type by itself
            label = f"{name or op.type}/{argument.name}/"  # absolute: already under the op's own name
            tensor = as_tensor(x, dtype, label, here, what=f"{op.type}: {argument.name}")
        if known[i] is None:
            known[i] = tensor.spec.dtype
            if dtype is None and None in known[i + 1 :]:
                wanted[:] = signature.wanted(op, known)
        out.append(tensor)
    return tuple(out)


def _as_constants(inputs: tuple[Any, ...], hows: list[Any]) -> tuple[EagerTensor, ...]:
    """Eager tensors as they are, and constants of what stands beside them: how is the type, or the constant itself."""
    pairs = zip(inputs, hows, strict=True)
    return tuple(
        [
            x if type(x) is EagerTensor else how if type(how) is EagerTensor else number(x, how)  # type: ignore[misc]
            for x, how in pairs
        ]
    )


def _settled(op: Any, inputs: tuple[Any, ...]) -> list[DType | None] | None:
    """For each of eager tensors and numbers the type it must have, None where it says so itself; nothing at all where
    another has to settle one."""
    if op.parsed.free:
        return None
    known = [x.spec.dtype if type(x) is EagerTensor else None for x in inputs]
    wanted, arguments = op.parsed.wanted(op, known), op.parsed.arguments(len(known))
    unsettled = [a.variable for a, dtype in zip(arguments, wanted, strict=True) if a.variable and dtype is None]
    return None if len(set(unsettled)) < len(unsettled) else wanted


def as_own(here: Any, x: Any) -> Any:
    """A tensor that `here` can use, of what is one or stands for one; None of anything else.

    What stands for a tensor, as a variable does, has a method `__pullback_tensor__(interpreter)`.
    """
    if isinstance(x, Tensor):
        return here.adopt(x)
    stands_for = getattr(type(x), "__pullback_tensor__", None)
    return here.adopt(x.__pullback_tensor__(here)) if stands_for is not None else None


# Set by ops/array: makes one tensor of a nested list that holds tensors.
pack: list[Callable[[Any, DType | None], Tensor]] = []


def holds_tensor(value: Any) -> bool:
    """Whether a nested list holds a tensor or what stands for one."""
    if isinstance(value, (list, tuple)):
        return any(holds_tensor(v) for v in value)
    return isinstance(value, Tensor) or hasattr(type(value), "__pullback_tensor__")


def as_tensor(value: Any, dtype: Any = None, name: str | None = None, here: Any = None, what: str = "value") -> Any:
    """The tensor that `value` is, stands for, or becomes as a constant.

    Raises:
      DTypeError: a tensor has another dtype, or a value does not convert to it.
    """
    here = here or current()
    dtype = None if dtype is None else as_dtype(dtype)
    tensor = as_own(here, value)
    if tensor is None and isinstance(value, (list, tuple)) and holds_tensor(value):
        tensor = pack[0](value, dtype)
    if tensor is not None:
        if dtype is not None and tensor.spec.dtype is not dtype:
            raise DTypeError(
                f"{what}: a tensor of type {tensor.spec.dtype.name} was given where {dtype.name} is needed; "
                f"tensors are never converted silently, use tf.cast(x, tf.{dtype.name})"
            ).locate()
        return tensor
    if value is None:
        raise DTypeError(f"{what}: None is no tensor").locate()
    try:
        array = array_of(value, dtype, what)
    except OpError as error:
        raise error.locate() from None
    return here.constant(array, constant_spec(array, dtype), name)


def constant_spec(array: Any, dtype: DType | None = None) -> Spec:
    """Spec of a constant: small integer scalars, vectors and matrices carry their value."""
    spec = Spec(array.shape, dtype or dtypes.from_numpy(array.dtype))
    return spec.with_value(plain_value(array)) if spec.dtype.is_integer else spec
