"""Tensor, EagerTensor, Node, Operation: values, and the one record of how they came to be.

    Tensor (symbolic)  --node-->  Operation(op, inputs, results)  --inputs-->  Tensor ...
    EagerTensor        holds its value; a tape's Node says where it came from

Upper layers install the operators and methods (`@method_of(Tensor)`).
"""

from __future__ import annotations

import linecache
import os
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.core.dialect import V2, Dialect
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, StaticOnly
from pullback.core.names import public
from pullback.core.shape import TensorShape, as_shape, merged
from pullback.core.spec import Spec

if TYPE_CHECKING:
    from pullback.core.graph import Graph


class Reference:
    """Hashable stand-in for a tensor or variable, equal for the same object."""

    __slots__ = ("_to",)

    def __init__(self, to: Any) -> None:
        self._to = to

    def deref(self) -> Any:
        return self._to

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._to is other._to

    def __hash__(self) -> int:
        return id(self._to)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._to!r}>"


@public("Tensor")
class Tensor:
    """A value, or the promise of one. `spec` says what is known of it before it is computed."""

    __slots__ = ("__weakref__", "index", "node", "part_of", "spec")
    __array_priority__ = 100  # NumPy leaves `array + tensor` to us
    spec: Spec
    node: Any
    index: int
    part_of: Any  # of variable[key]: (variable, key), so that it can be assigned to; else not set

    def __init__(self, spec: Spec, node: Any, index: int) -> None:
        self.spec, self.node, self.index = spec, node, index

    if TYPE_CHECKING:  # installed by the layers that own what they do, see `method_of`
        eval: Any
        __iter__: Any
        __getitem__: Any
        __neg__: Any
        __abs__: Any
        __invert__: Any
        __add__: Any
        __radd__: Any
        __sub__: Any
        __rsub__: Any
        __mul__: Any
        __rmul__: Any
        __truediv__: Any
        __rtruediv__: Any
        __floordiv__: Any
        __rfloordiv__: Any
        __mod__: Any
        __rmod__: Any
        __pow__: Any
        __rpow__: Any
        __matmul__: Any
        __rmatmul__: Any
        __and__: Any
        __rand__: Any
        __or__: Any
        __ror__: Any
        __xor__: Any
        __rxor__: Any
        __lt__: Any
        __le__: Any
        __gt__: Any
        __ge__: Any

    @property
    def dtype(self) -> DType:
        return self.spec.dtype

    @property
    def dialect(self) -> Dialect:
        return self.node.graph.dialect

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape."""
        return self.dialect.shape(self.spec.shape)

    @property
    def ndim(self) -> int | None:
        return self.spec.rank

    def get_shape(self) -> TensorShape:
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Adds what the caller knows of the shape.

        Raises:
          ShapeError: it contradicts what is known.
        """
        self.spec = self.spec.with_shape(merged(self.spec.shape, as_shape(shape)))

    @property
    def op(self) -> Any:
        """The Operation that makes the tensor."""
        return self.node

    @property
    def graph(self) -> Graph:
        return self.node.graph

    @property
    def value_index(self) -> int:
        return self.index

    @property
    def name(self) -> str:
        return f"{self.node.name}:{self.index}"

    @property
    def device(self) -> str:
        return self.node.device

    def consumers(self) -> list[Any]:
        """The Operations that read the tensor."""
        return [node for node in self.graph.nodes if any(t is self for t in node.inputs)]

    def ref(self) -> Reference:
        """A hashable stand-in, for use as a key."""
        return Reference(self)

    def experimental_ref(self) -> Reference:
        return Reference(self)

    def numpy(self) -> Any:
        raise StaticOnly(self._no_value("numpy()")).locate()

    def _no_value(self, what: str) -> str:
        return (
            f"{what} was asked of symbolic tensor {self.name!r}, which has no value before it is run: "
            "fetch it with Session.run, or use tf.cond and tf.while_loop where Python would branch on it. In a "
            "tf.function `if`, `while` and `for` take tensors, unless autograph is off or there is no source to convert"
        )

    def __bool__(self) -> bool:
        raise StaticOnly(self._no_value("a Python bool")).locate()

    def __int__(self) -> int:
        raise StaticOnly(self._no_value("a Python int")).locate()

    def __float__(self) -> float:
        raise StaticOnly(self._no_value("a Python float")).locate()

    def __index__(self) -> int:
        raise StaticOnly(self._no_value("a Python index")).locate()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise StaticOnly(self._no_value("a NumPy array")).locate()

    def __len__(self) -> int:
        raise StaticOnly(
            f"len is not defined for symbolic tensor {self.name!r}; use tf.shape(x)[0] or x.shape[0]"
        ).locate()

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        shape = "" if self.spec.shape is None else f", shape={self.shape}"
        return f'Tensor("{self.name}"{shape}, dtype={self.dtype.name})'

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class EagerTensor(Tensor):
    """A tensor that holds its value: an array that nobody changes."""

    __slots__ = ("value",)
    value: Any

    def __init__(self, spec: Spec, value: Any) -> None:
        self.spec = spec
        self.value = value

    @property
    def dialect(self) -> Dialect:
        return V2

    @property
    def op(self) -> Any:
        raise AttributeError("Tensor.op is meaningless when eager execution is enabled.")

    @property
    def graph(self) -> Any:
        raise AttributeError("Tensor.graph is meaningless when eager execution is enabled.")

    @property
    def name(self) -> str:
        raise AttributeError("Tensor.name is meaningless when eager execution is enabled.")

    @property
    def device(self) -> str:
        return "/job:localhost/replica:0/task:0/device:CPU:0"

    def set_shape(self, shape: Any) -> None:
        merged(self.spec.shape, as_shape(shape))

    def numpy(self) -> Any:
        """The value, the caller's own to change: an array, for a scalar a NumPy scalar, bytes for a string."""
        if self.spec.dtype.name == "string" or not isinstance(self.value, np.ndarray):
            return self.value[()] if getattr(self.value, "shape", None) == () else self.value
        return self.value[()] if self.value.ndim == 0 else self.value.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = np.asarray(self.value)
        return array.astype(dtype) if dtype is not None and dtype != array.dtype else array.copy()

    def _scalar(self, what: str) -> Any:
        if np.size(self.value) != 1:
            raise ArgumentError(
                f"a tensor of shape {self.shape} has no single value, so it is no Python {what}"
            ).locate()
        return np.asarray(self.value).reshape(())[()]

    def __bool__(self) -> bool:
        return bool(self._scalar("bool"))

    def __int__(self) -> int:
        return int(self._scalar("int"))

    def __float__(self) -> float:
        return float(self._scalar("float"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self) -> int:
        return self._scalar("index").__index__()

    def __len__(self) -> int:
        if not self.spec.shape:
            raise TypeError("a scalar tensor has no len()")
        return self.spec.shape[0]  # type: ignore[return-value]

    def __repr__(self) -> str:
        if not self.spec.dtype.is_numpy_compatible:
            return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, value={self.value!r}>"
        shown = repr(np.asarray(self.value)) if self.spec.dtype.name != "string" else repr(self.numpy())
        if shown.startswith("array("):
            numbers = np.array2string(np.asarray(self.value), separator=", ", prefix="array(")
            shown = f"array({numbers}, dtype={self.dtype.name})" if "dtype=" in shown else f"array({numbers})"
        return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={_bare(shown)}>"

    def __str__(self) -> str:
        plain = self.spec.dtype.is_numpy_compatible and self.spec.dtype.name != "string"
        shown = str(np.asarray(self.value)) if plain else repr(self.numpy())
        return f"tf.Tensor({shown}, shape={self.shape}, dtype={self.dtype.name})"

    def __reduce__(self) -> tuple[Any, ...]:
        return EagerTensor, (self.spec, self.value)

    def __copy__(self) -> EagerTensor:
        return self

    def __deepcopy__(self, memo: Any) -> EagerTensor:
        return self


def _bare(shown: str) -> str:
    """A 0-d array prints as its number."""
    if shown.startswith("array(") and "[" not in shown:
        return shown[len("array(") :].split(", dtype")[0].rstrip(")")
    return shown


class Node:
    """What happened: an op, the tensors it read, the tensors it made.

    `results` are all outputs, residuals included; `outputs` those that users see.
    """

    __slots__ = ("index", "inputs", "op", "results")
    mark: Any = None  # a gradient rule bound when the node was made, see Operation
    name: str = ""

    def __init__(self, op: Any, inputs: tuple[Any, ...], results: tuple[Tensor, ...], index: int = 0) -> None:
        self.op, self.inputs, self.results, self.index = op, inputs, results, index

    @property
    def type(self) -> str:
        return self.op.type

    @property
    def outputs(self) -> list[Tensor]:
        return list(self.results[: self.op.visible(len(self.results))])

    @property
    def where(self) -> str:
        """ "train.py:41" of the line that made the node; "" when not known."""
        return ""

    def get_attr(self, name: str) -> Any:
        """The attribute by TensorFlow's name: words are bytes, strides four numbers.

        Raises:
          ValueError: the op has no such attribute.
        """
        attrs = self.op.attrs()
        if name in attrs:
            return attrs[name]
        dtypes = {
            a.variable: t.dtype for a, t in zip(self.op.parsed.arguments(len(self.inputs)), self.inputs, strict=True)
        }
        if name in dtypes:
            return dtypes[name]
        raise ArgumentError(
            f"Operation {self.name!r} of type {self.type} has no attr named {name!r}; it has {sorted(attrs)}"
        )

    def again(self, inputs: tuple[Any, ...]) -> Any:
        """The same op on other inputs, in the current interpreter. Returns its results, residuals included."""
        from pullback.core import interpreter

        return interpreter.current().run(self.op, inputs, self.name or None)

    def __repr__(self) -> str:
        return f"<{self.type} node>"


@public("Operation")
class Operation(Node):
    """A Node of a graph: has a name, control inputs, a device, and the user's line that made it."""

    __slots__ = ("control_inputs", "device", "graph", "mark", "name", "source")

    def __init__(
        self,
        graph: Graph,
        op: Any,
        inputs: tuple[Tensor, ...],
        specs: tuple[Spec, ...],
        name: str,
        control_inputs: tuple[Operation, ...],
        source: tuple[CodeType, int] | None,
    ) -> None:
        self.graph, self.op, self.inputs, self.name, self.source = graph, op, inputs, name, source
        self.control_inputs = control_inputs
        self.results = tuple([Tensor(spec, self, i) for i, spec in enumerate(specs)])
        self.index = len(graph.nodes)
        self.mark: Any = None
        self.device = ""

    @property
    def op_def(self) -> Any:
        return self.op

    @property
    def traceback(self) -> list[tuple[str, int, str, str]]:
        """The user's line as (file, line, function, text)."""
        if self.source is None:
            return []
        code, line = self.source
        return [(code.co_filename, line, code.co_name, linecache.getline(code.co_filename, line).strip())]

    @property
    def where(self) -> str:
        return "" if self.source is None else f"{os.path.basename(self.source[0].co_filename)}:{self.source[1]}"

    def get_attr(self, name: str) -> Any:
        if name == "_gradient_op_type" and self.mark is not None:
            return self.mark.name.encode()
        return Node.get_attr(self, name)

    def values(self) -> tuple[Tensor, ...]:
        return tuple(self.outputs)

    def again(self, inputs: tuple[Any, ...]) -> Any:
        """The same op on other inputs in the current interpreter, keeping name, line and mark."""
        from pullback.core import interpreter

        made = interpreter.current().run(self.op, inputs, self.name)
        if made and not isinstance(made[0], EagerTensor):
            node = made[0].node
            node.mark, node.source, node.device = self.mark, self.source, self.device
        return made

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"

    def __str__(self) -> str:
        inputs = "".join(f'input: "{t.name}"\n' for t in self.inputs)
        return f'name: "{self.name}"\nop: "{self.type}"\n{inputs}'
