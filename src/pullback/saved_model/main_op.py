"""Operations to run whenever a model is loaded."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.modes.default import get_default_graph
from pullback.modes.grouping import group
from pullback.modes.second_names import tables_initializer
from pullback.modes.variables import global_variables_initializer, local_variables_initializer


@public(v1="saved_model.main_op.main_op")
def main_op() -> Any:
    """An Operation that initialises all variables and tables."""
    return group(global_variables_initializer(), local_variables_initializer(), tables_initializer())


@public(v1=("saved_model.main_op_with_restore", "saved_model.main_op.main_op_with_restore"))
def main_op_with_restore(restore_op_name: Any) -> Any:
    """An Operation that initialises all variables and tables, and then restores.

    Args:
      restore_op_name: name of the restoring operation in the current graph, or the operation itself.
    """
    graph = get_default_graph()
    with graph.control_dependencies([main_op()]):
        restore = graph.as_graph_element(restore_op_name)
        return group(restore)
