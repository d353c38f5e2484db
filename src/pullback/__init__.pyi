# Made by `make names`; not edited by hand.
from typing import Any

from pullback.modes.gradients import AggregationMethod as AggregationMethod
from pullback.ops.control.world import assert_true as Assert
from pullback.modes.tape import GradientTape as GradientTape
from pullback.modes.default import GraphV2 as Graph
from pullback.core.slices import IndexedSlices as IndexedSlices
from pullback.modes.custom import RegisterGradient as RegisterGradient
from pullback.modes.function import TensorSpec as TensorSpec
from pullback.modes.gradients import UnconnectedGradients as UnconnectedGradients
from pullback.modes.variable import Variable as Variable
from pullback.modes.variable import VariableAggregation as VariableAggregation
from pullback.modes.variable import VariableSynchronization as VariableSynchronization
from pullback.core.basics import add_n as add_n
from pullback.ops.array.shape import broadcast_dynamic_shape as broadcast_dynamic_shape
from pullback.ops.array.shape import broadcast_static_shape as broadcast_static_shape
from pullback.ops.array.shape import broadcast_to as broadcast_to
from pullback.ops.control.cond import case_v2 as case
from pullback.ops.array.joining import concat as concat
from pullback.ops.control.cond import cond_v2 as cond
from pullback.modes.default import control_dependencies as control_dependencies
from pullback.modes.custom import custom_gradient as custom_gradient
from pullback.modes.default import device as device
from pullback.engines.base import engine as engine
from pullback.ops.array.shape import ensure_shape as ensure_shape
from pullback.modes.default import executing_eagerly as executing_eagerly
from pullback.ops.array.shape import expand_dims as expand_dims
from pullback.modes.function import function as function
from pullback.modes.custom import grad_pass_through as grad_pass_through
from pullback.modes.gradients import gradients_v2 as gradients
from pullback.modes.variable import group as group
from pullback.modes.gradients import hessians as hessians
from pullback.modes.default import init_scope as init_scope
from pullback.modes.default import name_scope as name_scope
from pullback.modes.custom import NotDifferentiable as no_gradient
from pullback.ops.control.world import numpy_function as numpy_function
from pullback.ops.array.joining import parallel_stack as parallel_stack
from pullback.ops.control.world import print_v2 as print
from pullback.ops.control.world import py_function as py_function
from pullback.ops.array.shape import rank as rank
from pullback.ops.array.shape import reshape as reshape
from pullback.ops.array.layout import reverse as reverse
from pullback.ops.array.layout import roll as roll
from pullback.ops.array.shape import shape_ as shape
from pullback.ops.array.shape import shape_n as shape_n
from pullback.ops.array.shape import size as size
from pullback.ops.array.joining import split as split
from pullback.ops.array.shape import squeeze as squeeze
from pullback.ops.array.joining import stack as stack
from pullback.modes.custom import stop_gradient as stop_gradient
from pullback.ops.control.cond import switch_case as switch_case
from pullback.ops.array.layout import transpose as transpose
from pullback.modes.variable import tuple_v2 as tuple
from pullback.ops.array.joining import unstack as unstack
from pullback.ops.control.loop import while_loop_v2 as while_loop

__all__ = [
    "AggregationMethod",
    "Assert",
    "GradientTape",
    "Graph",
    "IndexedSlices",
    "RegisterGradient",
    "TensorSpec",
    "UnconnectedGradients",
    "Variable",
    "VariableAggregation",
    "VariableSynchronization",
    "add_n",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "case",
    "concat",
    "cond",
    "control_dependencies",
    "custom_gradient",
    "device",
    "engine",
    "ensure_shape",
    "executing_eagerly",
    "expand_dims",
    "function",
    "grad_pass_through",
    "gradients",
    "group",
    "hessians",
    "init_scope",
    "name_scope",
    "no_gradient",
    "numpy_function",
    "parallel_stack",
    "print",
    "py_function",
    "rank",
    "reshape",
    "reverse",
    "roll",
    "shape",
    "shape_n",
    "size",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "switch_case",
    "transpose",
    "tuple",
    "unstack",
    "while_loop",
]

def __getattr__(name: str) -> Any: ...
