"""keras.backend: variables, sessions, and the state of Keras."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter, nest
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import naming, phase, values
from pullback.layers.calls import call_of, graph_of
from pullback.layers.calls import symbolic as is_symbolic
from pullback.modes.default import get_default_graph, reset_default_graph
from pullback.modes.function import function as traced
from pullback.modes.gradients import gradients as symbolic_gradients
from pullback.modes.session import placeholder as session_placeholder
from pullback.modes.variable import Variable
from pullback.networks import inputs as symbolic
from pullback.networks.functional import Network
from pullback.ops.array import creation
from pullback.ops.array.conversion import constant as tf_constant
from pullback.ops.math.select import StopGradient
from pullback.ops.random.functions import random_normal as tf_normal
from pullback.ops.random.functions import random_uniform as tf_uniform


def _named(name: str) -> Any:
    return public(f"keras.backend.{name}")


# --- variables and symbolic tensors -------------------------------------------------------------------------------


@_named("variable")
def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable."""
    return Variable(value, dtype=as_dtype(dtype or phase.floatx()), name=name, constraint=constraint)


@_named("constant")
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A constant tensor."""
    return tf_constant(value, as_dtype(dtype or phase.floatx()), shape, name or "Const")


@_named("placeholder")
def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
    ragged: bool = False,
) -> Any:
    """A symbolic tensor: in a session's graph a placeholder, else as Input makes.

    Raises:
      ValueError: sparse or ragged ones are asked for.
    """
    if sparse or ragged:
        raise ValueError("placeholder: sparse and ragged ones are not supported")
    shape = (None,) * ndim if shape is None and ndim else shape
    kind = as_dtype(dtype or phase.floatx())
    here = interpreter.current()
    if hasattr(here, "nodes"):
        return session_placeholder(kind, shape, name)
    return symbolic.Input(batch_shape=shape, dtype=kind, name=name)


@_named("zeros")
def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of zeros."""
    return variable(creation.zeros(shape, as_dtype(dtype or phase.floatx())), dtype, name)


@_named("ones")
def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of ones."""
    return variable(creation.ones(shape, as_dtype(dtype or phase.floatx())), dtype, name)


@_named("zeros_like")
def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Zeros of x's shape."""
    return creation.zeros_like(x, dtype, name)


@_named("ones_like")
def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Ones of x's shape."""
    return creation.ones_like(x, dtype, name)


@_named("random_normal")
def random_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normal numbers."""
    return tf_normal(shape, mean, stddev, as_dtype(dtype or phase.floatx()), seed)


@_named("random_uniform")
def random_uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers in [minval, maxval), all equally likely."""
    return tf_uniform(shape, minval, maxval, as_dtype(dtype or phase.floatx()), seed)


@_named("get_value")
def get_value(x: Any) -> Any:
    """The value of a variable or tensor as an array."""
    if isinstance(x, Variable):
        return values.read([x])[0]
    if is_symbolic(x):
        session = values.session_of(x.node.graph)
        return session.run(x)
    return x.numpy() if isinstance(x, Tensor) else x


@_named("batch_get_value")
def batch_get_value(tensors: Any) -> list[Any]:
    """The values of variables as arrays."""
    return [get_value(t) for t in tensors]


@_named("set_value")
def set_value(x: Any, value: Any) -> None:
    """Gives a variable a value."""
    values.write([(x, value)])


@_named("batch_set_value")
def batch_set_value(tuples: Any) -> None:
    """Gives variables values: pairs (variable, array)."""
    values.write(tuples)


@_named("eval")
def eval(x: Any) -> Any:
    """The value as an array."""
    return get_value(x)


@_named("update")
def update(x: Any, new_x: Any) -> Any:
    """Gives a variable a new value."""
    return x.assign(new_x)


@_named("update_add")
def update_add(x: Any, increment: Any) -> Any:
    """Adds to a variable."""
    return x.assign_add(increment)


@_named("update_sub")
def update_sub(x: Any, decrement: Any) -> Any:
    """Subtracts from a variable."""
    return x.assign_sub(decrement)


@_named("stop_gradient")
def stop_gradient(variables: Any) -> Any:
    """The same values, which gradients do not pass."""
    if isinstance(variables, (list, tuple)):
        return [StopGradient()(v) for v in variables]
    return StopGradient()(variables)


@public(v1="keras.backend.gradients")
def gradients(loss: Any, variables: Any) -> list[Any]:
    """Derivatives of a loss, in a graph."""
    return symbolic_gradients(loss, variables)


@public("keras.backend.function")
def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **kwargs: Any) -> Any:
    """What computes outputs of inputs, as arrays: symbolic tensors of a model, or of a session's graph.

    Args:
      updates: operations that run too, in a session's graph.
    Raises:
      ValueError: updates are given outside of a session's graph, or further arguments of Session.run.
    """
    if kwargs:
        raise ArgumentError(f"function: {sorted(kwargs)} are not supported; use a Session's run for them").locate()
    given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    graph: Any = graph_of([*given, outputs])
    if graph is symbolic._Symbolic.graph:
        if updates:
            raise ArgumentError("function: updates are for a session's graph; call `assign` on variables here").locate()
        network = Network(list(given), outputs)
        run = traced(lambda *xs: network.replay(list(xs)))
        return lambda xs: nest.mapped(lambda t: t.numpy(), run(*[interpreter.as_tensor(x) for x in _list(xs)]))

    def fetched(xs: Any) -> Any:
        session = values.started(values.session_of(graph), graph.get_collection("variables"))
        return session.run([outputs, list(updates or ())], dict(zip(given, _list(xs), strict=True)))[0]

    return fetched


def _list(xs: Any) -> list[Any]:
    return list(xs) if isinstance(xs, (list, tuple)) else [xs]


# --- the state of Keras -------------------------------------------------------------------------------------------


@_named("clear_session")
def clear_session() -> None:
    """Forgets layers' names, symbolic tensors, learning phase and sessions; empties the default graph."""
    naming.forget()
    symbolic.forget_graph()
    phase.forget(get_default_graph())
    values.forget_session(get_default_graph())
    if not hasattr(interpreter.current(), "nodes"):
        reset_default_graph()


@public("keras.backend.get_uid")
def get_uid(prefix: str = "") -> int:
    """How often a prefix was asked for, this time included."""
    return int(naming.numbered(prefix or "uid", from_zero=False).rpartition("_")[2])


@public(v1="keras.backend.get_session")
def get_session(op_input_list: Any = ()) -> Any:
    """The session that Keras uses for the default graph, variables initialised that were not.

    op_input_list: has no meaning: there is one session a graph.
    """
    graph = get_default_graph()
    return values.started(values.session_of(graph), graph.get_collection("variables"))


@public(v1="keras.backend.set_session")
def set_session(session: Any) -> None:
    """Makes a session the one that Keras uses for its graph."""
    values.use_session(session)


@_named("is_keras_tensor")
def is_keras_tensor(x: Any) -> bool:
    """Whether a tensor comes from Input or from layers called on what does."""
    return is_symbolic(x) and call_of(x) is not None
