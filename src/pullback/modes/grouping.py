"""Operations that stand for several: group, tuple, no_op."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import EagerTensor
from pullback.ops.math.select import Identity
from pullback.ops.state import NoOp


@public("no_op")
def no_op(name: str | None = None) -> Any:
    """An operation that does nothing; something to hang control inputs on. Eagerly None."""
    here = interpreter.current()
    return here.append(NoOp(), (), name) if isinstance(here, Graph) else None


@public("group")
def group(*inputs: Any, **kwargs: Any) -> Any:
    """An operation that is done when all inputs are. Eagerly they are done already, and the answer is None.

    Args:
      name: its name.
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"group takes only `name` as a keyword, not {sorted(kwargs)}")
    items = [x for x in inputs if x is not None and type(x) is not EagerTensor]
    here = interpreter.current()
    graph = here if isinstance(here, Graph) else next((x.graph for x in items), None)
    if graph is None:
        return None
    with graph.control_dependencies(items):
        return graph.append(NoOp(), (), name or "group_deps")


@public("tuple", v1=None)
def tuple_v2(tensors: Any, control_inputs: Any = None, name: str | None = None) -> list[Any]:
    """The same tensors, none of them available before all are."""
    return tuple_v1(tensors, name, control_inputs)


@public(v1="tuple")
def tuple_v1(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The same tensors, none of them available before all are."""
    here = interpreter.current()
    present = [t for t in tensors if t is not None]
    if not isinstance(here, Graph):
        return list(tensors)
    with here.name_scope(name or "tuple"), here.control_dependencies([*present, *(control_inputs or ())]):
        return [None if t is None else Identity()(t, name="control_dependency") for t in tensors]
