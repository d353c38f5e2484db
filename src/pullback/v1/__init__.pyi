# Made by `make names`; not edited by hand.
from typing import Any

from pullback.modes.scopes import AUTO_REUSE as AUTO_REUSE
from pullback.modes.gradients import AggregationMethod as AggregationMethod
from pullback.ops.control.world import assert_true as Assert
from pullback.core.dtypes import DType as DType
from pullback.core.shape import Dimension as Dimension
from pullback.modes.tape import GradientTape as GradientTape
from pullback.modes.default import GraphV1 as Graph
from pullback.modes.default import GraphKeys as GraphKeys
from pullback.core.slices import IndexedSlices as IndexedSlices
from pullback.modes.session import IndexedSlicesValue as IndexedSlicesValue
from pullback.modes.session import InteractiveSession as InteractiveSession
from pullback.modes.custom import NotDifferentiable as NoGradient
from pullback.modes.custom import NotDifferentiable as NotDifferentiable
from pullback.core.errors import OpError as OpError
from pullback.core.tensor import Operation as Operation
from pullback.ops.control.world import print_v1 as Print
from pullback.modes.custom import RegisterGradient as RegisterGradient
from pullback.modes.session import Session as Session
from pullback.core.tensor import Tensor as Tensor
from pullback.core.shape import TensorShapeV1 as TensorShape
from pullback.modes.function import TensorSpec as TensorSpec
from pullback.modes.gradients import UnconnectedGradients as UnconnectedGradients
from pullback.modes.variable import VariableV1 as Variable
from pullback.modes.variable import VariableAggregation as VariableAggregation
from pullback.modes.scopes import VariableScope as VariableScope
from pullback.modes.variable import VariableSynchronization as VariableSynchronization
from pullback.core.basics import accumulate_n as accumulate_n
from pullback.core.basics import add_n as add_n
from pullback.modes.default import add_to_collection as add_to_collection
from pullback.modes.default import add_to_collections as add_to_collections
from pullback.modes.variable import all_variables as all_variables
from pullback.ops.array.search import arg_max as arg_max
from pullback.ops.array.search import arg_min as arg_min
from pullback.ops.array.search import argmax_v1 as argmax
from pullback.ops.array.search import argmin_v1 as argmin
from pullback.core.dtypes import as_dtype as as_dtype
from pullback.modes.variable import assign as assign
from pullback.modes.variable import assign_add as assign_add
from pullback.modes.variable import assign_sub as assign_sub
from pullback.ops.array.gather import batch_gather as batch_gather
from pullback.ops.array.masks import boolean_mask_v1 as boolean_mask
from pullback.ops.array.sizes import broadcast_dynamic_shape as broadcast_dynamic_shape
from pullback.ops.array.sizes import broadcast_static_shape as broadcast_static_shape
from pullback.ops.array.sizes import broadcast_to as broadcast_to
from pullback.ops.control.cond import case as case
from pullback.ops.array.conversion import cast as cast
from pullback.ops.array.joining import concat as concat
from pullback.ops.control.cond import cond as cond
from pullback.ops.array.conversion import constant_v1 as constant
from pullback.modes.default import control_dependencies_v1 as control_dependencies
from pullback.ops.array.conversion import convert_to_tensor_v1 as convert_to_tensor
from pullback.ops.array.rows import convert_to_tensor_or_indexed_slices as convert_to_tensor_or_indexed_slices
from pullback.ops.math.reduce_functions import count_nonzero_v1 as count_nonzero
from pullback.ops.math.cumulative import cumprod as cumprod
from pullback.ops.math.cumulative import cumsum as cumsum
from pullback.modes.custom import custom_gradient as custom_gradient
from pullback.modes.default import device_v1 as device
from pullback.modes.default import disable_eager_execution as disable_eager_execution
from pullback.modes.default import disable_eager_execution as disable_v2_behavior
from pullback.modes.default import enable_eager_execution as enable_eager_execution
from pullback.modes.default import enable_v2_behavior as enable_v2_behavior
from pullback.ops.array.sizes import ensure_shape as ensure_shape
from pullback.modes.default import executing_eagerly_v1 as executing_eagerly
from pullback.ops.array.shape import expand_dims_v1 as expand_dims
from pullback.ops.array.one_hot import eye as eye
from pullback.ops.array.creation import fill as fill
from pullback.modes.function import function as function
from pullback.ops.array.gather import gather_v1 as gather
from pullback.ops.array.places import gather_nd_v1 as gather_nd
from pullback.modes.default import get_collection as get_collection
from pullback.modes.default import get_collection_ref as get_collection_ref
from pullback.modes.default import get_default_graph as get_default_graph
from pullback.modes.session import get_default_session as get_default_session
from pullback.modes.scopes import get_variable as get_variable
from pullback.modes.scopes import get_variable_scope as get_variable_scope
from pullback.modes.variable import global_variables as global_variables
from pullback.modes.variable import global_variables_initializer as global_variables_initializer
from pullback.modes.custom import grad_pass_through as grad_pass_through
from pullback.modes.gradients import gradients as gradients
from pullback.modes.variable import group as group
from pullback.modes.gradients import hessians_v1 as hessians
from pullback.ops.array.conversion import identity as identity
from pullback.ops.array.conversion import identity_n as identity_n
from pullback.modes.default import init_scope as init_scope
from pullback.modes.variable import global_variables_initializer as initialize_all_variables
from pullback.modes.variable import local_variables_initializer as initialize_local_variables
from pullback.modes.variable import variables_initializer as initialize_variables
from pullback.ops.array.layout import invert_permutation as invert_permutation
from pullback.modes.variable import is_variable_initialized as is_variable_initialized
from pullback.ops.array.ranges import linspace as lin_space
from pullback.ops.array.ranges import linspace as linspace
from pullback.modes.variable import local_variables as local_variables
from pullback.modes.variable import local_variables_initializer as local_variables_initializer
from pullback.ops.control.functional import map_fn as map_fn
from pullback.ops.linalg.matmul import matmul as matmul
from pullback.ops.array.layout import matrix_transpose as matrix_transpose
from pullback.ops.array.ranges import meshgrid as meshgrid
from pullback.modes.variable import model_variables as model_variables
from pullback.modes.variable import moving_average_variables as moving_average_variables
from pullback.modes.default import name_scope_v1 as name_scope
from pullback.modes.custom import NotDifferentiable as no_gradient
from pullback.modes.scopes import no_regularizer as no_regularizer
from pullback.ops.control.world import numpy_function as numpy_function
from pullback.ops.array.one_hot import one_hot as one_hot
from pullback.ops.array.creation import ones as ones
from pullback.ops.array.creation import ones_like_v1 as ones_like
from pullback.modes.default import op_scope as op_scope
from pullback.ops.array.padding import pad_v1 as pad
from pullback.ops.array.joining import parallel_stack as parallel_stack
from pullback.modes.session import placeholder as placeholder
from pullback.ops.control.world import print_v2 as print
from pullback.ops.control.world import py_func as py_func
from pullback.ops.control.world import py_function as py_function
from pullback.ops.array.ranges import range_ as range
from pullback.ops.array.sizes import rank as rank
from pullback.ops.math.reduce_functions import reduce_all_v1 as reduce_all
from pullback.ops.math.reduce_functions import reduce_any_v1 as reduce_any
from pullback.ops.math.reduce_functions import reduce_logsumexp_v1 as reduce_logsumexp
from pullback.ops.math.reduce_functions import reduce_max_v1 as reduce_max
from pullback.ops.math.reduce_functions import reduce_mean_v1 as reduce_mean
from pullback.ops.math.reduce_functions import reduce_min_v1 as reduce_min
from pullback.ops.math.reduce_functions import reduce_prod_v1 as reduce_prod
from pullback.ops.math.reduce_functions import reduce_sum_v1 as reduce_sum
from pullback.ops.array.padding import repeat as repeat
from pullback.modes.variable import report_uninitialized_variables as report_uninitialized_variables
from pullback.modes.default import reset_default_graph as reset_default_graph
from pullback.ops.array.shape import reshape as reshape
from pullback.ops.array.layout import reverse as reverse
from pullback.ops.array.layout import reverse as reverse_v2
from pullback.ops.array.layout import roll as roll
from pullback.ops.array.conversion import saturate_cast as saturate_cast
from pullback.modes.variable import scatter_add as scatter_add
from pullback.ops.array.places import scatter_nd as scatter_nd
from pullback.modes.variable import scatter_sub as scatter_sub
from pullback.modes.variable import scatter_update as scatter_update
from pullback.ops.array.ranges import sequence_mask as sequence_mask
from pullback.ops.array.sizes import shape_v1 as shape
from pullback.ops.array.sizes import shape_n as shape_n
from pullback.ops.array.sizes import size_v1 as size
from pullback.ops.array.slicing import slice_ as slice
from pullback.ops.array.joining import split as split
from pullback.ops.array.shape import squeeze_v1 as squeeze
from pullback.ops.array.joining import stack as stack
from pullback.modes.custom import stop_gradient as stop_gradient
from pullback.ops.array.slicing import strided_slice as strided_slice
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_add as tensor_scatter_add
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_add as tensor_scatter_nd_add
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_max as tensor_scatter_nd_max
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_min as tensor_scatter_nd_min
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_sub as tensor_scatter_nd_sub
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_update as tensor_scatter_nd_update
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_sub as tensor_scatter_sub
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_update as tensor_scatter_update
from pullback.ops.linalg.matmul import tensordot as tensordot
from pullback.ops.array.padding import tile as tile
from pullback.ops.array.conversion import to_bfloat16 as to_bfloat16
from pullback.ops.array.conversion import to_complex128 as to_complex128
from pullback.ops.array.conversion import to_complex64 as to_complex64
from pullback.ops.array.conversion import to_double as to_double
from pullback.ops.array.conversion import to_float as to_float
from pullback.ops.array.conversion import to_int32 as to_int32
from pullback.ops.array.conversion import to_int64 as to_int64
from pullback.modes.variable import trainable_variables as trainable_variables
from pullback.ops.array.layout import transpose_v1 as transpose
from pullback.modes.variable import tuple_v1 as tuple
from pullback.ops.array.search import unique as unique
from pullback.ops.array.search import unique_with_counts as unique_with_counts
from pullback.ops.array.rows import unsorted_segment_sum as unsorted_segment_sum
from pullback.ops.array.joining import unstack as unstack
from pullback.modes.scopes import variable_op_scope as variable_op_scope
from pullback.modes.scopes import variable_scope as variable_scope
from pullback.modes.variable import variables_initializer as variables_initializer
from pullback.ops.array.masks import where_v1 as where
from pullback.ops.array.masks import where as where_v2
from pullback.ops.control.loop import while_loop as while_loop
from pullback.ops.array.creation import zeros as zeros
from pullback.ops.array.creation import zeros_like_v1 as zeros_like

__all__ = [
    "AUTO_REUSE",
    "AggregationMethod",
    "Assert",
    "DType",
    "Dimension",
    "GradientTape",
    "Graph",
    "GraphKeys",
    "IndexedSlices",
    "IndexedSlicesValue",
    "InteractiveSession",
    "NoGradient",
    "NotDifferentiable",
    "OpError",
    "Operation",
    "Print",
    "RegisterGradient",
    "Session",
    "Tensor",
    "TensorShape",
    "TensorSpec",
    "UnconnectedGradients",
    "Variable",
    "VariableAggregation",
    "VariableScope",
    "VariableSynchronization",
    "accumulate_n",
    "add_n",
    "add_to_collection",
    "add_to_collections",
    "all_variables",
    "arg_max",
    "arg_min",
    "argmax",
    "argmin",
    "as_dtype",
    "assign",
    "assign_add",
    "assign_sub",
    "batch_gather",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "case",
    "cast",
    "concat",
    "cond",
    "constant",
    "control_dependencies",
    "convert_to_tensor",
    "convert_to_tensor_or_indexed_slices",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "custom_gradient",
    "device",
    "disable_eager_execution",
    "disable_v2_behavior",
    "enable_eager_execution",
    "enable_v2_behavior",
    "ensure_shape",
    "executing_eagerly",
    "expand_dims",
    "eye",
    "fill",
    "function",
    "gather",
    "gather_nd",
    "get_collection",
    "get_collection_ref",
    "get_default_graph",
    "get_default_session",
    "get_variable",
    "get_variable_scope",
    "global_variables",
    "global_variables_initializer",
    "grad_pass_through",
    "gradients",
    "group",
    "hessians",
    "identity",
    "identity_n",
    "init_scope",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "invert_permutation",
    "is_variable_initialized",
    "lin_space",
    "linspace",
    "local_variables",
    "local_variables_initializer",
    "map_fn",
    "matmul",
    "matrix_transpose",
    "meshgrid",
    "model_variables",
    "moving_average_variables",
    "name_scope",
    "no_gradient",
    "no_regularizer",
    "numpy_function",
    "one_hot",
    "ones",
    "ones_like",
    "op_scope",
    "pad",
    "parallel_stack",
    "placeholder",
    "print",
    "py_func",
    "py_function",
    "range",
    "rank",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "repeat",
    "report_uninitialized_variables",
    "reset_default_graph",
    "reshape",
    "reverse",
    "reverse_v2",
    "roll",
    "saturate_cast",
    "scatter_add",
    "scatter_nd",
    "scatter_sub",
    "scatter_update",
    "sequence_mask",
    "shape",
    "shape_n",
    "size",
    "slice",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "tensor_scatter_add",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
    "tensor_scatter_sub",
    "tensor_scatter_update",
    "tensordot",
    "tile",
    "to_bfloat16",
    "to_complex128",
    "to_complex64",
    "to_double",
    "to_float",
    "to_int32",
    "to_int64",
    "trainable_variables",
    "transpose",
    "tuple",
    "unique",
    "unique_with_counts",
    "unsorted_segment_sum",
    "unstack",
    "variable_op_scope",
    "variable_scope",
    "variables_initializer",
    "where",
    "where_v2",
    "while_loop",
    "zeros",
    "zeros_like",
]

def __getattr__(name: str) -> Any: ...
