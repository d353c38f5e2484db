"""The global step: the graph's own count of steps. TensorFlow 1 only."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import int64
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.modes.scopes import get_variable
from pullback.modes.variable import Variable


@public(v1="train.global_step")
def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of the global step, in a session or eagerly."""
    if not isinstance(interpreter.current(), Graph) and getattr(global_step_tensor, "_graph", sess) is None:
        return int(global_step_tensor.numpy())
    return int(sess.run(global_step_tensor))


@public(v1="train.get_global_step")
def get_global_step(graph: Any = None) -> Any:
    """The global step of a graph: what its collection GLOBAL_STEP holds, else what is named `global_step`; or None.

    Raises:
      TypeError: it is no integer scalar.
    """
    graph = graph or get_default_graph()
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if not found:
        found = [v for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES) if v.name == "global_step:0"]
    if not found and "global_step" in graph._by_name:
        found = graph.get_operation_by_name("global_step").outputs[:1]
    if len(found) != 1:
        return None
    assert_global_step(found[0])
    return found[0]


@public(v1="train.create_global_step")
def create_global_step(graph: Any = None) -> Variable:
    """Makes the global step of a graph, an int64 variable of value 0.

    Raises:
      ValueError: there is one.
    """
    graph = graph or get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    if not isinstance(interpreter.current(), Graph):
        made = Variable(np.int64(0), trainable=False, name="global_step")
        graph.add_to_collection(GraphKeys.GLOBAL_STEP, made)
        return made
    with graph.as_default(), graph.name_scope(None):
        return get_variable(
            GraphKeys.GLOBAL_STEP,
            shape=[],
            dtype=int64,
            initializer=lambda wanted, dtype: np.zeros(wanted, dtype.numpy),
            trainable=False,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


@public(v1="train.get_or_create_global_step")
def get_or_create_global_step(graph: Any = None) -> Any:
    """The global step of a graph, made if there is none."""
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


@public(v1="train.assert_global_step")
def assert_global_step(global_step_tensor: Any) -> None:
    """Raises TypeError when it is no integer scalar variable or tensor."""
    if not isinstance(global_step_tensor, (Variable, Tensor)):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {global_step_tensor}.')
    if not global_step_tensor.dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}')
    if global_step_tensor.spec.shape not in ((), None):
        raise TypeError(f'Existing "global_step" is not scalar: {global_step_tensor.shape}')
