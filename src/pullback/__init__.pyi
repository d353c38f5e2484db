# Made by `make names`; not edited by hand.
from typing import Any

from pullback.modes.default import GraphV2 as Graph
from pullback.core.slices import IndexedSlices as IndexedSlices
from pullback.modes.variable import Variable as Variable
from pullback.modes.variable import VariableAggregation as VariableAggregation
from pullback.modes.variable import VariableSynchronization as VariableSynchronization
from pullback.core.basics import add_n as add_n
from pullback.modes.default import control_dependencies as control_dependencies
from pullback.modes.default import device as device
from pullback.engines.base import engine as engine
from pullback.modes.default import executing_eagerly as executing_eagerly
from pullback.modes.variable import group as group
from pullback.modes.default import init_scope as init_scope
from pullback.modes.default import name_scope as name_scope
from pullback.modes.variable import tuple_v2 as tuple

__all__ = [
    "Graph",
    "IndexedSlices",
    "Variable",
    "VariableAggregation",
    "VariableSynchronization",
    "add_n",
    "control_dependencies",
    "device",
    "engine",
    "executing_eagerly",
    "group",
    "init_scope",
    "name_scope",
    "tuple",
]

def __getattr__(name: str) -> Any: ...
