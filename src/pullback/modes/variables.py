"""Functions over variables: lists of them, their initialisers, assignment by TensorFlow 1's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.names import public
from pullback.modes.default import GraphKeys, executing_eagerly_v1, get_default_graph
from pullback.modes.grouping import group
from pullback.modes.variable import Variable
from pullback.ops.math.arithmetic import LogicalAnd


@public(v1="global_variables")
def global_variables(scope: str | None = None) -> list[Variable]:
    """All variables of the default graph that are shared between runs."""
    return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


@public(v1="all_variables")
def all_variables() -> list[Variable]:
    """The former name of `global_variables`."""
    return global_variables()


@public(v1="local_variables")
def local_variables(scope: str | None = None) -> list[Variable]:
    """The variables of the collection LOCAL_VARIABLES."""
    return get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


@public(v1="model_variables")
def model_variables(scope: str | None = None) -> list[Variable]:
    """The variables of the collection MODEL_VARIABLES."""
    return get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


@public(v1="trainable_variables")
def trainable_variables(scope: str | None = None) -> list[Variable]:
    """All variables of the default graph made with trainable=True."""
    return get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


@public(v1="moving_average_variables")
def moving_average_variables(scope: str | None = None) -> list[Variable]:
    """The variables that have moving averages."""
    return get_default_graph().get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


@public(v1=("variables_initializer", "initialize_variables"))
def variables_initializer(var_list: Any, name: str = "init") -> Any:
    """An operation that initialises the variables of a list."""
    return group(*[v.initializer for v in var_list], name=name)


@public(v1=("global_variables_initializer", "initialize_all_variables"))
def global_variables_initializer() -> Any:
    """An operation that initialises all global variables. Does nothing in eager mode."""
    if executing_eagerly_v1():
        return group()
    return variables_initializer(global_variables())


@public(v1=("local_variables_initializer", "initialize_local_variables"))
def local_variables_initializer() -> Any:
    """An operation that initialises all local variables."""
    return variables_initializer(local_variables())


@public(v1="assign")
def assign(ref: Any, value: Any, validate_shape: Any = None, use_locking: Any = None, name: str | None = None) -> Any:
    """Gives a variable a new value; the answer is that value. With validate_shape=False any shape is taken, if the
    variable was made so."""
    return ref.assign(value, name=name)


@public(v1="assign_add")
def assign_add(ref: Any, value: Any, use_locking: Any = None, name: str | None = None) -> Any:
    """Adds to a variable; the answer is the new value."""
    return ref.assign_add(value, name=name)


@public(v1="assign_sub")
def assign_sub(ref: Any, value: Any, use_locking: Any = None, name: str | None = None) -> Any:
    """Subtracts from a variable; the answer is the new value."""
    return ref.assign_sub(value, name=name)


@public(v1="is_variable_initialized")
def is_variable_initialized(variable: Any) -> Any:
    """Whether a variable has a value."""
    return variable.is_initialized()


@public(v1="report_uninitialized_variables")
def report_uninitialized_variables(var_list: Any = None, name: str = "report_uninitialized_variables") -> Any:
    """Names of the variables that have no value yet, as a vector of strings."""
    from pullback.core.op import REGISTRY

    variables = global_variables() + local_variables() if var_list is None else list(var_list)
    if not variables:
        return interpreter.as_tensor(np.zeros([0], object), dtypes.string)
    flags = REGISTRY["Pack"](0)(*[v.is_initialized() for v in variables])
    missing = LogicalAnd()(REGISTRY["LogicalNot"]()(flags), True)
    places = REGISTRY["Squeeze"]((1,))(REGISTRY["Where"]()(missing))
    names = interpreter.as_tensor([v._shared_name for v in variables])
    return REGISTRY["GatherV2"]()(names, places, 0, name=name)
