"""Ops that touch the world outside: Print, Assert, py_function."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, nest
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import InvalidArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.spec import Spec
from pullback.core.tensor import EagerTensor, Tensor


@op
class Print(Op):
    """x itself; each time it runs, writes a line with the data to standard error."""

    signature = "x: T, *data: any -> y: T"
    T = dtypes.ANY
    effect = True
    any_rank = True
    message: str = ""
    first_n: int = -1
    summarize: int = 3
    counter: Any = None  # counts the runs of one node

    def infer(self, x: Spec, *data: Spec) -> Spec:
        return x

    def reference(self, x: Any, *data: Any) -> Any:
        if self.counter is not None:
            self.counter.runs += 1
        if self.first_n < 0 or self.counter is None or self.counter.runs <= self.first_n:
            print(self.message + "".join(f"[{_summary(d, self.summarize)}]" for d in data), file=sys.stderr)
        return x

    def grad(self, node: Any, dy: Any) -> Any:
        return (dy, *(None,) * (len(node.inputs) - 1))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls("sample "), (rng.normal(size=(2, 3)), np.arange(3)), wrt=(0,))


class _Counter:
    """How often a node ran."""

    def __init__(self) -> None:
        self.runs = 0


def _summary(value: Any, count: int) -> str:
    flat = np.ravel(value)
    shown = " ".join(
        str(v.decode(errors="replace") if isinstance(v, bytes) else v) for v in (flat if count < 0 else flat[:count])
    )
    return shown + ("..." if 0 <= count < flat.size else "")


@op
class PrintV2(Op):
    """Each time it runs, writes the formatted values, their places marked {} in `template`."""

    signature = "*values: any ->"
    effect = True
    any_rank = True
    template: str
    stream: str = "stderr"
    end: str = "\n"
    summarize: int = 3

    def infer(self, *values: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, *values: Any) -> Any:
        shown = [
            np.array2string(np.asarray(v), threshold=max(2 * self.summarize, 1), edgeitems=max(self.summarize, 1))
            if np.ndim(v)
            else _scalar(v)
            for v in values
        ]
        parts = self.template.split("\0")
        text = parts[0] + "".join(s + p for s, p in zip(shown, parts[1:], strict=True))
        if self.stream in ("stdout", "stderr"):
            print(text, end=self.end, file=getattr(sys, self.stream))
        else:
            with open(self.stream.removeprefix("file://"), "a", encoding="utf-8") as file:
                file.write(text + self.end)
        return ()

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls("x = \0"), (rng.normal(size=(2, 3)),), wrt=())


def _scalar(value: Any) -> str:
    value = np.asarray(value)[()]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


@op
class Assert(Op):
    """Raises InvalidArgumentError where the condition does not hold, with the data in the message."""

    signature = "condition: bool, *data: any ->"
    effect = True
    any_rank = True
    summarize: int = 3

    def infer(self, condition: Spec, *data: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, condition: Any, *data: Any) -> Any:
        if not np.all(condition):
            shown = " ".join(f"[{_summary(d, self.summarize)}]" for d in data)
            raise InvalidArgumentError(f"assertion failed: {shown}")
        return ()

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.bool_(True), rng.normal(size=2)), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(False, "words"), InvalidArgumentError, "assertion failed: [words]"


@op
class EagerPyFunc(Op):
    """A Python function of eager tensors, run each time. Differentiable: its gradient is that of its own operations."""

    signature = "*inputs: any -> *outputs: any"
    effect = True
    any_rank = True
    function: Any
    Tout: tuple[DType, ...]
    shapes: tuple[Shape, ...] | None = None

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(None if self.shapes is None else self.shapes[i], t) for i, t in enumerate(self.Tout))

    def visible(self, results: int) -> int:
        return results

    def reference(self, *inputs: Any) -> Any:
        here = interpreter.eager()
        with interpreter.entered(here), interpreter.paused_tapes():
            return self._values(self._called([EagerTensor(interpreter.spec_of(x), x) for x in inputs]))

    def _called(self, tensors: list[Any]) -> list[Any]:
        made = self.function(*self._given(tensors))
        leaves = [y for y in nest.leaves_of(made) if y is not None or self.Tout]
        if len(leaves) != len(self.Tout):
            raise InvalidArgumentError(
                f"py_function: {len(self.Tout)} types in Tout, but the function returned {len(leaves)} values"
            )
        return [interpreter.as_tensor(y, t, what="py_function") for y, t in zip(leaves, self.Tout, strict=True)]

    def _given(self, tensors: list[Any]) -> list[Any]:
        return tensors

    def _values(self, tensors: list[Any]) -> tuple[Any, ...]:
        return tuple(t.value for t in tensors)

    def grad(self, node: Any, *dys: Any) -> Any:
        inputs = [i for i, x in enumerate(node.inputs) if x.dtype.is_differentiable]
        outputs = [k for k, t in enumerate(self.Tout) if t.is_differentiable]
        given = [dys[k] if dys[k] is not None else interpreter.as_tensor(np.zeros(1)) for k in outputs]
        present = tuple(dys[k] is not None for k in outputs)
        op_ = EagerPyFunc(
            _Backward(self, tuple(inputs), tuple(outputs), present),
            tuple(node.inputs[i].dtype for i in inputs),
            tuple(node.inputs[i].spec.shape for i in inputs),
        )
        made = op_(*node.inputs, *given)
        made = made if isinstance(made, tuple) else (made,)
        answers: list[Any] = [None] * len(node.inputs)
        for i, dx in zip(inputs, made, strict=True):
            answers[i] = dx
        return tuple(answers)

    def attrs(self) -> dict[str, Any]:
        return {"Tout": list(self.Tout)}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(_cube, (dtypes.float64,), ((2, 3),)), (rng.normal(size=(2, 3)),))


def _cube(x: Tensor) -> Tensor:
    return x * x * x


@op
class PyFunc(EagerPyFunc):
    """A Python function of NumPy arrays, run each time; of gradient None, unless it is overridden."""

    def _given(self, tensors: list[Any]) -> list[Any]:
        return [x.numpy() for x in tensors]

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(np.square, (dtypes.float64,), ((2, 3),)), (rng.normal(size=(2, 3)),), wrt=())


@op
class PyFuncStateless(PyFunc):
    """As PyFunc, of a function that gives the same for the same, and does nothing else."""

    effect = False


class _Backward:
    """The gradient of a Python function, itself a Python function of eager tensors."""

    def __init__(
        self, forward: Any, inputs: tuple[int, ...], outputs: tuple[int, ...], present: tuple[bool, ...]
    ) -> None:
        self.forward, self.inputs, self.outputs, self.present = forward, inputs, outputs, present

    def __call__(self, *tensors: Any) -> list[Any]:
        from pullback.core.backprop import backprop
        from pullback.core.basics import ZerosLike

        here = interpreter.current()
        count = len(tensors) - len(self.outputs)
        xs, dys = list(tensors[:count]), tensors[count:]
        fresh = [EagerTensor(x.spec, x.value) for x in xs]
        record = _Record()
        tapes, here.tapes = here.tapes, (*here.tapes, record)
        try:
            made = self.forward._called(fresh)
        finally:
            here.tapes = tapes
        ys = [made[k] for k, there in zip(self.outputs, self.present, strict=True) if there]
        seeds = [dy for dy, there in zip(dys, self.present, strict=True) if there]
        dxs = backprop(ys, [fresh[i] for i in self.inputs], seeds, record.nodes)
        return [ZerosLike()(fresh[i]) if dx is None else dx for i, dx in zip(self.inputs, dxs, strict=True)]


class _Record:
    """A tape that hears everything."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []

    def record(self, op: Any, inputs: Any, results: Any, node: Any) -> None:
        from pullback.core.tensor import Node

        self.nodes.append(node or Node(op, inputs, results))

    def watches(self, inputs: Any) -> bool:
        return True

    def accessed(self, variable: Any) -> None:
        return None


@public("py_function")
def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name: str | None = None) -> Any:
    """Calls a Python function on eager tensors whenever it runs; differentiable.

    Args:
      func: takes eager tensors, returns what becomes tensors of the types Tout. Left out, the answer decorates one:
        `@tf.py_function(Tout=tf.float32)`.
      inp: list of tensors. Tout: a dtype, or a list of them.
    Raises:
      InvalidArgumentError: the function returns another number of values. DTypeError: of another type.
    """
    return _python(EagerPyFunc, func, inp, Tout, name)


def _python(kind: type[EagerPyFunc], func: Any, inp: Any, Tout: Any, name: str | None) -> Any:
    """What the function gives: at once when eager, else the outputs of an op of this kind; a list where Tout is one.
    Without a function, what makes one of it: of its arguments as `inp`."""
    if func is None:
        return lambda func: functools.wraps(func)(lambda *inp: _python(kind, func, inp, Tout, name))
    many = isinstance(Tout, (list, tuple))
    types = tuple(as_dtype(t) for t in (Tout if many else [] if Tout is None else [Tout]))
    here = interpreter.current()
    if not isinstance(here, Graph) and interpreter._graph_of(tuple(inp)) is None:
        made = kind(func, types)._called([interpreter.as_tensor(x) for x in inp])
        return made if many else made[0] if made else None
    made = kind(func, types)(*inp, name=name)
    return (list(made) if isinstance(made, tuple) else [made]) if many else made


@public("numpy_function", v1="numpy_function")
def numpy_function(
    func: Any = None, inp: Any = None, Tout: Any = None, stateful: bool = True, name: str | None = None
) -> Any:
    """Calls a Python function on NumPy arrays whenever it runs; a decorator where func is left out.

    Its gradient is None unless overridden.

    stateful: whether it may give other values for the same arguments, or does more than to give them.
    """
    return _python(PyFunc if stateful else PyFuncStateless, func, inp, Tout, name)


@public(v1="py_func")
def py_func(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """Calls a Python function on NumPy arrays whenever it runs; its gradient is None unless overridden."""
    return numpy_function(func, inp, Tout, stateful, name)


@public(v1="Print")
def print_v1(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Tensor:
    """The input itself; whenever it runs, writes message and data to standard error.

    Args:
      first_n: only the first so many times. summarize: how many entries of each tensor (3; negative: all).
    """
    op_ = Print(message or "", -1 if first_n is None else first_n, 3 if summarize is None else summarize, _Counter())
    return op_(input_, *data, name=name)


@public("print", v1="print")
def print_v2(*inputs: Any, **kwargs: Any) -> Any:
    """Writes the inputs, formatted, whenever it runs; eagerly at once.

    Args:
      output_stream: sys.stderr (default), sys.stdout, or "file://path". summarize: entries at each end of an axis (3).
      sep: " ". end: newline. name.
    """
    stream = kwargs.pop("output_stream", sys.stderr)
    summarize, sep, end = kwargs.pop("summarize", 3), kwargs.pop("sep", " "), kwargs.pop("end", "\n")
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"print: unknown arguments {sorted(kwargs)}")
    if isinstance(stream, str):
        where = stream
    elif stream in (sys.stdout, sys.stderr):
        where = "stdout" if stream is sys.stdout else "stderr"
    else:
        raise ValueError(f"print: output_stream must be sys.stdout, sys.stderr or 'file://...', not {stream!r}")
    values: list[Any] = []

    def placed(x: Any) -> str:
        if isinstance(x, Tensor) or hasattr(type(x), "__pullback_tensor__"):
            values.append(x)
            return "\0"
        if isinstance(x, (list, tuple)) and interpreter.holds_tensor(x):
            return "[" + ", ".join(placed(v) for v in x) + "]"
        return str(x)

    template = sep.join(placed(x) for x in inputs)
    node = PrintV2(template, where, end, -1 if summarize is None else summarize)(*values, name=name)
    return node if isinstance(interpreter.current(), Graph) or interpreter._graph_of(tuple(values)) else None


@public("Assert", "debugging.Assert", v1=("Assert", "debugging.Assert"))
def assert_true(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> Any:
    """Raises InvalidArgumentError when it runs and the condition does not hold; data goes into the message."""
    node = Assert(3 if summarize is None else summarize)(condition, *data, name=name)
    return node if isinstance(interpreter.current(), Graph) else None
