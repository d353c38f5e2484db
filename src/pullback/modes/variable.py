"""Variables: handles with a name, in graphs of either style and eagerly.

A use of a variable is a read. In a session's graph, outside of control dependencies, all uses share one read Node,
which gives the value before the run; under control dependencies and in bodies each use reads anew, where it stands.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError, GraphError, ShapeError
from pullback.core.graph import Graph, ancestors
from pullback.core.names import method_of, public
from pullback.core.shape import as_shape
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.core.tensor import EagerTensor, Operation, Reference, Tensor
from pullback.modes.creators import Creators
from pullback.modes.default import GraphKeys, building, init_scope
from pullback.modes.scattering import Scattered
from pullback.ops.math import operators
from pullback.ops.state import (
    Assign,
    AssignAdd,
    AssignSub,
    ReadVariableOp,
    VarHandleOp,
    VariableV2,
    VarIsInitializedOp,
    eager_handle,
)

# Who waits for variables to be made, as restorations of checkpoints do: told `made()`, and `read()` before a read.
watchers: list[Any] = []


@public("VariableSynchronization")
class VariableSynchronization(enum.Enum):
    """When copies of a variable agree. One process holds one copy."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


@public("VariableAggregation")
class VariableAggregation(enum.Enum):
    """How gradients of copies of a variable combine. One process holds one copy."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


@public("Variable", v1=None)
class Variable(Scattered, metaclass=Creators):
    """A tensor that keeps its value between runs, and can be assigned to.

    Args:
      initial_value: what `convert_to_tensor` takes, or a function without arguments that gives it.
      trainable: whether tapes watch it by themselves and optimizers train it.
      validate_shape: whether later values must have the initial value's shape.
      name: its name; made unique in graphs.
      dtype: what the initial value is converted to.
      constraint: a function of the new value, applied by optimizers after each update.
      shape: a shape that later values have; may be looser than the initial value's.
    Raises:
      ValueError: no initial value was given.
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Any], Any] | None = None,
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
    ) -> None:
        if variable_def is not None or import_scope is not None:
            raise ArgumentError(
                "Variable: variable_def and import_scope (VariableDef messages) are not supported; give initial_value"
            )
        self._make(initial_value, trainable, (), validate_shape, name, dtype, constraint, shape)
        self.synchronization, self.aggregation = synchronization, aggregation

    synchronization = VariableSynchronization.AUTO
    aggregation = VariableAggregation.NONE

    def _make(
        self,
        initial_value: Any,
        trainable: bool | None,
        collections: Any,
        validate_shape: bool,
        name: str | None,
        dtype: Any,
        constraint: Any,
        declared: Any,
    ) -> None:
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        if constraint is not None and not callable(constraint):
            raise ValueError("The `constraint` argument must be a callable.")
        self.trainable = True if trainable is None else bool(trainable)
        self.constraint, self._initializer = constraint, None
        self._cached: Any = None
        self._save_slice_info: Any = None
        dtype = None if dtype is None else as_dtype(dtype)
        body = interpreter.current()
        with init_scope():
            here = interpreter.current()
            if isinstance(here, Graph):
                self._make_in_graph(here, initial_value, collections, validate_shape, name, dtype, declared)
            else:
                self._make_eagerly(body, initial_value, validate_shape, name, dtype, declared)
        for watcher in watchers:
            watcher.made()

    def _make_eagerly(
        self, body: Any, initial_value: Any, validate: bool, name: str | None, dtype: Any, declared: Any
    ) -> None:
        value = _initial(initial_value, dtype, body)
        spec = Spec(_shape_of_variable(value, validate, declared), value.dtype)
        held = Resource(name or "Variable", spec)
        self.handle: Any = eager_handle(held)
        self._name, self._graph, self._initial_value = f"{held.name}:0", None, None
        interpreter.eager().store.write(held, np.array(value.value))

    def _make_in_graph(
        self,
        graph: Graph,
        initial_value: Any,
        collections: Any,
        validate: bool,
        name: str | None,
        dtype: Any,
        declared: Any,
    ) -> None:
        with graph.control_dependencies(None), graph.name_scope(name or "Variable") as scope:
            full = scope.rstrip("/")
            with graph.name_scope(scope):
                value = _initial(initial_value, dtype, graph, "initial_value")
            held = Resource(full, Spec(_shape_of_variable(value, validate, declared), value.dtype))
            made = VariableV2 if graph.dialect.variable == "VariableV2" else VarHandleOp
            self.handle = made(held)(name=scope)
            self._name, self._graph, self._initial_value = f"{full}:0", graph, value
            assigned = Assign()(self.handle, value, name=scope + "Assign/")
            self._initializer = assigned.op
            self._cached = ReadVariableOp()(self.handle, name=scope + "read/")
        graph.reads[id(self.handle)] = self._cached
        keys = [GraphKeys.GLOBAL_VARIABLES] if collections is None or collections == () else list(collections)
        if self.trainable and GraphKeys.TRAINABLE_VARIABLES not in keys:
            keys.append(GraphKeys.TRAINABLE_VARIABLES)
        for key in keys:
            graph.add_to_collection(key, self)

    # --- reading ---------------------------------------------------------------------------------------------------

    def __pullback_tensor__(self, here: Any = None) -> Tensor:
        for watcher in watchers:
            watcher.read()
        here = here or interpreter.current()
        around = here
        while around is not None:  # tapes of enclosing functions and loops hear of the read too
            for tape in around.tapes:
                tape.accessed(self)
            around = getattr(around, "outer", None)
        if self._graph is not None:
            if not isinstance(here, Graph):
                here = self._graph
            if here is self._graph and not here.controls:
                return self._cached
        return here.bind(ReadVariableOp(), (self.handle,), None)

    def value(self) -> Tensor:
        """The value as a tensor."""
        return self.__pullback_tensor__()

    def read_value(self) -> Tensor:
        """The value read anew, after the control dependencies in force."""
        here = interpreter.current()
        if self._graph is None or (isinstance(here, Graph) and here is not self._graph):
            return self.value()
        with self._graph.as_default():
            return ReadVariableOp()(self.handle)

    def initialized_value(self) -> Tensor:
        """The value; the initial value when it is not initialised yet."""
        if self._graph is None:
            return self.value()
        from pullback.ops.control.cond import cond

        with self._graph.as_default():
            return cond(VarIsInitializedOp()(self.handle), self.read_value, lambda: self._initial_value)

    @property
    def initial_value(self) -> Tensor:
        if self._initial_value is None:
            raise RuntimeError("initial_value is not kept for variables made eagerly")
        return self._initial_value

    @property
    def initializer(self) -> Operation:
        """The operation that assigns the initial value."""
        if self._initializer is None:
            raise RuntimeError("a variable made eagerly is initialised already and has no initializer")
        return self._initializer

    def is_initialized(self, name: str | None = None) -> Tensor:
        return VarIsInitializedOp()(self.handle, name=name)

    def eval(self, session: Any = None) -> Any:
        """The value in a session (the default one)."""
        return self.value().eval(session=session)

    def numpy(self) -> Any:
        """The value as an array; eager only."""
        if self._graph is not None:
            raise AttributeError(f"variable {self._name!r} lives in a graph: use Session.run, or eval()")
        return self.value().numpy()

    # --- assigning -------------------------------------------------------------------------------------------------

    def _update(self, op: Any, inputs: tuple[Any, ...], name: str | None, read_value: bool) -> Any:
        here = interpreter.current()
        if self._graph is not None and not isinstance(here, Graph):
            here = self._graph
        new = here.bind(op, (self.handle, *inputs), name)
        if isinstance(here, Graph) and here is self._graph:
            return new if read_value else new.op
        if not read_value:
            return None
        return self if not isinstance(here, Graph) else _Assigned(self, new)

    def _value(self, value: Any, what: str) -> Any:
        if isinstance(value, Tensor) or hasattr(type(value), "__pullback_tensor__"):
            return value
        where = self._graph if self._graph is not None and not isinstance(interpreter.current(), Graph) else None
        return interpreter.as_tensor(value, self.dtype, here=where, what=f"{what} of {self._name}")

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Gives the variable a new value.

        Returns: in a session's graph the new value as a tensor (its Operation when not read_value); else the variable.
        Raises:
          ShapeError, DTypeError: the value does not fit.
        """
        return self._update(Assign(), (self._value(value, "assign"),), name, read_value)

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Adds to the variable; returns as `assign` does."""
        return self._update(AssignAdd(), (self._value(delta, "assign_add"),), name, read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtracts from the variable; returns as `assign` does."""
        return self._update(AssignSub(), (self._value(delta, "assign_sub"),), name, read_value)

    def load(self, value: Any, session: Any = None) -> None:
        """Writes a value into a session's variable, without adding to the graph."""
        from pullback.modes.session import default_session

        session = session or default_session("load")
        session.store.write(self.handle.op.op.resource, np.array(value, self.dtype.numpy))

    # --- what it is ------------------------------------------------------------------------------------------------

    @property
    def dialect(self) -> Any:
        return self.handle.dialect

    @property
    def spec(self) -> Spec:
        return self.handle.spec.held

    @property
    def dtype(self) -> dtypes.DType:
        return self.spec.dtype

    @property
    def shape(self) -> shape.TensorShape:
        return self.dialect.shape(self.spec.shape)

    def get_shape(self) -> shape.TensorShape:
        return self.shape

    def set_shape(self, new: Any) -> None:
        if not shape.compatible(self.spec.shape, as_shape(new)):
            raise ShapeError(f"set_shape: {new} contradicts {self.shape}").locate()

    @property
    def name(self) -> str:
        return self._name

    @property
    def _shared_name(self) -> str:
        return self._name.rpartition(":")[0]

    @property
    def op(self) -> Operation:
        return self.handle.op

    @property
    def graph(self) -> Any:
        return self._graph if self._graph is not None else self.handle.graph

    @property
    def device(self) -> str:
        return self.handle.device

    def ref(self) -> Reference:
        return Reference(self)

    def experimental_ref(self) -> Reference:
        return Reference(self)

    def _ref(self) -> Any:
        return self.handle

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.value().__array__(dtype)

    def __bool__(self) -> bool:
        return bool(self.value())

    def __int__(self) -> int:
        return int(self.value())

    def __float__(self) -> float:
        return float(self.value())

    def __index__(self) -> int:
        return self.value().__index__()

    def __len__(self) -> int:
        return len(self.value())

    def __getitem__(self, key: Any) -> Any:
        """The part as a tensor, whose `assign` writes to the variable: `v[1:, 0].assign(value)`."""
        part = self.value()[key]
        part.part_of = self, key
        return part

    def __deepcopy__(self, memo: Any) -> Variable:
        if self._graph is not None:
            raise NotImplementedError("a variable of a graph cannot be copied; build another")
        return Variable(self.numpy(), self.trainable, name=self._shared_name, constraint=self.constraint)

    def __repr__(self) -> str:
        if self._graph is not None:
            return f"<tf.Variable '{self._name}' shape={self.shape} dtype={self.dtype.name}>"
        held = self.handle.value
        store = interpreter.eager().store
        shown = repr(self.value()).partition("numpy=")[2][:-1] if store.holds(held) else "<uninitialised>"
        return f"<tf.Variable '{self._name}' shape={self.shape} dtype={self.dtype.name}, numpy={shown}>"


operators.install(Variable)


@method_of(Tensor, "assign")
def _assign_part(
    self: Tensor, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
) -> Any:
    """Of `variable[key]`: gives that part of the variable a new value, which broadcasts to it. Returns as
    `Variable.assign` does.

    Raises:
      AttributeError: the tensor is no part of a variable. ShapeError, DTypeError: the value does not fit.
    """
    variable, key = getattr(self, "part_of", (None, None))
    if variable is None:
        raise AttributeError("a tensor has no `assign`; only variables and their parts, variable[...], have")
    from pullback.ops.array.indexing import bounds_of
    from pullback.ops.array.slice_assign import ResourceStridedSliceAssign

    begin, end, strides, masks = bounds_of(key)
    value = variable._value(value, "assign to a part")
    return variable._update(ResourceStridedSliceAssign(**masks), (begin, end, strides, value), name, read_value)


_elementwise_equality = Variable.__eq__


def _hash(self: Any) -> int:
    if self.dialect.elementwise_equality:
        raise TypeError("Variable is unhashable. Instead, use variable.ref() as the key. (Variable: " + self.name + ")")
    return id(self)


Variable.__hash__ = _hash


@public(v1="Variable")
class VariableV1(Variable):
    """A variable made by TensorFlow 1's signature.

    Args (beyond those of Variable):
      collections: the graph collections it joins; GLOBAL_VARIABLES by default.
      expected_shape: deprecated name for a shape the initial value must have.
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Any], Any] | None = None,
        use_resource: bool | None = None,
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
        shape: Any = None,
    ) -> None:
        if variable_def is not None or import_scope is not None:
            raise ArgumentError(
                "Variable: variable_def and import_scope (VariableDef messages) are not supported; give initial_value"
            )
        with building():
            self._make(initial_value, trainable, collections, validate_shape, name, dtype, constraint, shape)
        if expected_shape is not None:
            self.set_shape(expected_shape)
        self.synchronization, self.aggregation = synchronization, aggregation


class _Assigned:
    """What an assignment inside a function body gives: the variable, and its new value where a tensor is needed."""

    def __init__(self, variable: Variable, new: Tensor) -> None:
        self._variable, self._new = variable, new

    def __pullback_tensor__(self, here: Any = None) -> Tensor:
        return self._new

    def __getattr__(self, name: str) -> Any:
        return getattr(self._variable, name)


operators.install(_Assigned)


def _shape_of_variable(value: Tensor, validate: bool, declared: Any) -> shape.Shape:
    if declared is not None:
        wanted = as_shape(declared)
        if not shape.compatible(wanted, value.spec.shape):
            raise ShapeError(
                f"Variable: the initial value's shape {shape.text(value.spec.shape)} is not compatible with the shape "
                f"argument {shape.text(wanted)}"
            ).locate()
        return wanted
    if not validate:
        return None
    if value.spec.shape is None and type(value) is not EagerTensor:
        raise ValueError(f"initial_value must have a shape specified: {value!r}; or pass validate_shape=False")
    return value.spec.shape


def _initial(value: Any, dtype: Any, body: Any, name: str | None = None) -> Any:
    """The initial value as a tensor of the interpreter outside of bodies."""
    here = interpreter.current()
    value = value() if callable(value) else value
    if isinstance(value, Tensor) and type(value) is not EagerTensor and value.node.graph is not here:
        value = lifted(value, here)
    if isinstance(value, Tensor) and dtype is not None and value.dtype is not dtype:
        raise ValueError(
            f"the initial value is {value.dtype.name}, but dtype {dtype.name} was asked for; cast it first"
        )
    tensor = interpreter.as_tensor(value, dtype, name)
    return tensor


def lifted(tensor: Tensor, here: Any) -> Tensor:
    """A tensor of a body made again outside of it, possible where it hangs on no parameter of the body.

    Raises:
      GraphError: it hangs on one.
    """
    made: dict[int, Tensor] = {}
    graph = tensor.node.graph
    outside = {id(inner): outer for outer, inner in graph.captures.values()}
    for node in ancestors([tensor]):
        for t in node.results:
            if id(t) in outside:
                made[id(t)] = outside[id(t)]
            elif node.op.type == "Placeholder":
                raise GraphError(
                    f"a variable made inside a function takes its initial value from {tensor.name!r}, which hangs on "
                    "the function's argument; make the variable outside, or give a function as initial_value"
                ).locate()
        if all(id(t) in made for t in node.results):
            continue
        again = here.run(node.op, tuple(made[id(t)] for t in node.inputs), node.name)
        made.update((id(t), new) for t, new in zip(node.results, again, strict=True))
    return made[id(tensor)]
