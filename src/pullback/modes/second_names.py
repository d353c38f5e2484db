"""Functions that TensorFlow 1 shows under a second name, and the initializer of tables."""

from __future__ import annotations

from typing import Any

from pullback.core.basics import accumulate_n, add_n
from pullback.core.names import public
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.modes.grouping import group, no_op
from pullback.modes.variables import (
    global_variables_initializer,
    local_variables_initializer,
    variables_initializer,
)
from pullback.ops.array.conversion import cast

public(v1="initializers.global_variables")(global_variables_initializer)
public(v1="initializers.local_variables")(local_variables_initializer)
public(v1="initializers.variables")(variables_initializer)
public("dtypes.cast")(cast)
public("math.add_n")(add_n)
public("math.accumulate_n")(accumulate_n)


@public(v1=("tables_initializer", "initializers.tables_initializer"))
def tables_initializer(name: str = "init_all_tables") -> Any:
    """An operation that initialises the tables of the collection TABLE_INITIALIZERS."""
    found = get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS)
    return group(*found, name=name) if found else no_op(name)
