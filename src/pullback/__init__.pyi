# Made by `make names`; not edited by hand.
from typing import Any

from pullback.modes.gradients import AggregationMethod as AggregationMethod
from pullback.ops.control.world import assert_true as Assert
from pullback.core.dtypes import DType as DType
from pullback.modes.tape import GradientTape as GradientTape
from pullback.modes.default import GraphV2 as Graph
from pullback.core.slices import IndexedSlices as IndexedSlices
from pullback.modes.module import Module as Module
from pullback.core.tensor import Operation as Operation
from pullback.ops.ragged import RaggedTensor as RaggedTensor
from pullback.modes.custom import RegisterGradient as RegisterGradient
from pullback.ops.sparse import SparseTensor as SparseTensor
from pullback.ops.sparse import SparseTensorSpec as SparseTensorSpec
from pullback.core.tensor import Tensor as Tensor
from pullback.ops.control.tensor_array import TensorArray as TensorArray
from pullback.core.shape import TensorShape as TensorShape
from pullback.modes.function import TensorSpec as TensorSpec
from pullback.modes.gradients import UnconnectedGradients as UnconnectedGradients
from pullback.modes.variable import Variable as Variable
from pullback.modes.variable import VariableAggregation as VariableAggregation
from pullback.modes.variable import VariableSynchronization as VariableSynchronization
from pullback.ops.math.functions import abs_ as abs
from pullback.ops.math.functions import acos as acos
from pullback.ops.math.functions import acosh as acosh
from pullback.ops.math.functions import add as add
from pullback.core.basics import add_n as add_n
from pullback.ops.array.search import argmax as argmax
from pullback.ops.array.search import argmin as argmin
from pullback.ops.array.ordering import argsort as argsort
from pullback.core.dtypes import as_dtype as as_dtype
from pullback.ops.strings.numbers import as_string as as_string
from pullback.ops.math.functions import asin as asin
from pullback.ops.math.functions import asinh as asinh
from pullback.ops.control.assertions import assert_equal as assert_equal
from pullback.ops.control.assertions import assert_greater as assert_greater
from pullback.ops.control.assertions import assert_less as assert_less
from pullback.ops.control.assertions import assert_rank as assert_rank
from pullback.ops.math.functions import atan as atan
from pullback.ops.math.functions import atan2 as atan2
from pullback.ops.math.functions import atanh as atanh
from pullback.ops.array.blocks import batch_to_space as batch_to_space
from pullback.ops.array.bitcast import bitcast as bitcast
from pullback.ops.array.masks import boolean_mask as boolean_mask
from pullback.ops.array.sizes import broadcast_dynamic_shape as broadcast_dynamic_shape
from pullback.ops.array.sizes import broadcast_static_shape as broadcast_static_shape
from pullback.ops.array.sizes import broadcast_to as broadcast_to
from pullback.ops.control.cond import case_v2 as case
from pullback.ops.array.conversion import cast as cast
from pullback.ops.math.clipping import clip_by_global_norm as clip_by_global_norm
from pullback.ops.math.clipping import clip_by_norm as clip_by_norm
from pullback.ops.math.clipping import clip_by_value as clip_by_value
from pullback.ops.math.functions import complex_ as complex
from pullback.ops.array.joining import concat as concat
from pullback.ops.control.cond import cond_v2 as cond
from pullback.ops.array.conversion import constant as constant
from pullback.train.initializers import constant_initializer as constant_initializer
from pullback.modes.default import control_dependencies as control_dependencies
from pullback.ops.nn.conv.raw import conv as conv
from pullback.ops.nn.conv.raw import conv2d_backprop_filter_v2 as conv2d_backprop_filter_v2
from pullback.ops.nn.conv.raw import conv2d_backprop_input_v2 as conv2d_backprop_input_v2
from pullback.ops.array.conversion import convert_to_tensor as convert_to_tensor
from pullback.ops.math.functions import cos as cos
from pullback.ops.math.functions import cosh as cosh
from pullback.ops.math.cumulative import cumsum as cumsum
from pullback.modes.custom import custom_gradient as custom_gradient
from pullback.modes.default import device as device
from pullback.ops.math.functions import divide as divide
from pullback.ops.array.partition import dynamic_partition as dynamic_partition
from pullback.ops.array.partition import dynamic_stitch as dynamic_stitch
from pullback.ops.sparse.sets import edit_distance as edit_distance
from pullback.ops.linalg.einsum import einsum as einsum
from pullback.engines.base import engine as engine
from pullback.ops.array.sizes import ensure_shape as ensure_shape
from pullback.ops.math.functions import equal as equal
from pullback.modes.default import executing_eagerly as executing_eagerly
from pullback.ops.math.functions import exp as exp
from pullback.ops.array.shape import expand_dims as expand_dims
from pullback.explain import explain as explain
from pullback.explain.plan import explain_plan as explain_plan
from pullback.ops.image.patches import extract_volume_patches as extract_volume_patches
from pullback.ops.array.one_hot import eye as eye
from pullback.ops.array.creation import fill as fill
from pullback.ops.math.functions import floor as floor
from pullback.ops.control.folds import foldl as foldl
from pullback.ops.control.folds import foldr as foldr
from pullback.modes.function import function as function
from pullback.ops.array.gather import gather as gather
from pullback.ops.array.places import gather_nd as gather_nd
from pullback.app.log import get_logger as get_logger
from pullback.ops.array.knowledge import get_static_value as get_static_value
from pullback.modes.custom import grad_pass_through as grad_pass_through
from pullback.modes.gradients import gradients_v2 as gradients
from pullback.ops.math.functions import greater as greater
from pullback.ops.math.functions import greater_equal as greater_equal
from pullback.modes.grouping import group as group
from pullback.modes.gradients import hessians as hessians
from pullback.ops.math.counting import histogram_fixed_width as histogram_fixed_width
from pullback.ops.math.counting import histogram_fixed_width_bins as histogram_fixed_width_bins
from pullback.ops.array.conversion import identity as identity
from pullback.ops.array.conversion import identity_n as identity_n
from pullback.io.graphs import import_graph_def as import_graph_def
from pullback.modes.default import init_scope as init_scope
from pullback.ops.array.knowledge import is_symbolic_tensor as is_symbolic_tensor
from pullback.ops.array.knowledge import is_tensor as is_tensor
from pullback.ops.math.functions import less as less
from pullback.ops.math.functions import less_equal as less_equal
from pullback.ops.array.ranges import linspace as linspace
from pullback.ops.math.functions import logical_and as logical_and
from pullback.ops.math.functions import logical_not as logical_not
from pullback.ops.math.functions import logical_or as logical_or
from pullback.io.tensors import make_ndarray as make_ndarray
from pullback.io.tensors import make_tensor_proto as make_tensor_proto
from pullback.ops.control.functional import map_fn as map_fn
from pullback.ops.linalg.matmul import matmul as matmul
from pullback.ops.math.functions import maximum as maximum
from pullback.ops.array.ranges import meshgrid as meshgrid
from pullback.ops.math.functions import minimum as minimum
from pullback.ops.math.functions import multiply as multiply
from pullback.modes.default import name_scope as name_scope
from pullback.ops.math.functions import negative as negative
from pullback.modes.custom import NotDifferentiable as no_gradient
from pullback.modes.grouping import no_op as no_op
from pullback.ops.linalg.norm import norm as norm
from pullback.ops.math.functions import not_equal as not_equal
from pullback.ops.control.world import numpy_function as numpy_function
from pullback.ops.array.one_hot import one_hot as one_hot
from pullback.ops.array.creation import ones as ones
from pullback.train.initializers import Ones as ones_initializer
from pullback.ops.array.creation import ones_like as ones_like
from pullback.ops.array.padding import pad as pad
from pullback.ops.array.joining import parallel_stack as parallel_stack
from pullback.ops.math.functions import pow_ as pow
from pullback.ops.control.world import print_v2 as print
from pullback.ops.control.world import py_function as py_function
from pullback.train.initializers import RandomNormal as random_normal_initializer
from pullback.train.initializers import RandomUniform as random_uniform_initializer
from pullback.ops.array.ranges import range_ as range
from pullback.ops.array.sizes import rank as rank
from pullback.ops.math.functions import realdiv as realdiv
from pullback.modes.recompute import recompute_grad as recompute_grad
from pullback.ops.math.reduce_functions import reduce_all as reduce_all
from pullback.ops.math.reduce_functions import reduce_any as reduce_any
from pullback.ops.math.reduce_functions import reduce_logsumexp as reduce_logsumexp
from pullback.ops.math.reduce_functions import reduce_max as reduce_max
from pullback.ops.math.reduce_functions import reduce_mean as reduce_mean
from pullback.ops.math.reduce_functions import reduce_min as reduce_min
from pullback.ops.math.reduce_functions import reduce_prod as reduce_prod
from pullback.ops.math.reduce_functions import reduce_sum as reduce_sum
from pullback.ops.array.knowledge import register_tensor_conversion_function as register_tensor_conversion_function
from pullback.ops.array.padding import repeat as repeat
from pullback.ops.array.phases import required_space_to_batch_paddings as required_space_to_batch_paddings
from pullback.ops.array.shape import reshape as reshape
from pullback.ops.array.layout import reverse as reverse
from pullback.ops.array.partition import reverse_sequence as reverse_sequence
from pullback.ops.array.layout import roll as roll
from pullback.ops.math.functions import round_ as round
from pullback.ops.array.conversion import saturate_cast as saturate_cast
from pullback.ops.math.functions import scalar_mul as scalar_mul
from pullback.ops.control.folds import scan as scan
from pullback.ops.array.places import scatter_nd as scatter_nd
from pullback.ops.array.bounds import searchsorted as searchsorted
from pullback.ops.array.ranges import sequence_mask as sequence_mask
from pullback.ops.array.sizes import shape_ as shape
from pullback.ops.array.sizes import shape_n as shape_n
from pullback.ops.math.functions import sigmoid as sigmoid
from pullback.ops.math.functions import sign as sign
from pullback.ops.math.functions import sin as sin
from pullback.ops.math.functions import sinh as sinh
from pullback.ops.array.sizes import size as size
from pullback.ops.array.slicing import slice_ as slice
from pullback.ops.array.ordering import sort as sort
from pullback.ops.array.blocks import space_to_batch as space_to_batch
from pullback.ops.array.blocks import space_to_batch_nd as space_to_batch_nd
from pullback.ops.array.splitting import split as split
from pullback.ops.math.functions import sqrt as sqrt
from pullback.ops.math.functions import square as square
from pullback.ops.array.shape import squeeze as squeeze
from pullback.ops.array.joining import stack as stack
from pullback.modes.custom import stop_gradient as stop_gradient
from pullback.ops.array.slicing import strided_slice as strided_slice
from pullback.ops.math.functions import subtract as subtract
from pullback.ops.control.cond import switch_case as switch_case
from pullback.ops.math.functions import tan as tan
from pullback.ops.math.functions import tanh as tanh
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_add as tensor_scatter_nd_add
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_max as tensor_scatter_nd_max
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_min as tensor_scatter_nd_min
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_sub as tensor_scatter_nd_sub
from pullback.ops.array.tensor_scatter import tensor_scatter_nd_update as tensor_scatter_nd_update
from pullback.ops.linalg.matmul import tensordot as tensordot
from pullback.ops.array.padding import tile as tile
from pullback.ops.array.layout import transpose as transpose
from pullback.ops.math.functions import truediv as truediv
from pullback.ops.math.functions import truncatediv as truncatediv
from pullback.ops.math.functions import truncatemod as truncatemod
from pullback.modes.grouping import tuple_v2 as tuple
from pullback.ops.array.search import unique as unique
from pullback.ops.array.search import unique_with_counts as unique_with_counts
from pullback.ops.math.counting import unravel_index as unravel_index
from pullback.ops.array.joining import unstack as unstack
from pullback.modes.creators import variable_creator_scope as variable_creator_scope
from pullback.modes.vectorized import vectorized_map as vectorized_map
from pullback.ops.array.masks import where as where
from pullback.ops.control.loop import while_loop_v2 as while_loop
from pullback.ops.array.creation import zeros as zeros
from pullback.train.initializers import Zeros as zeros_initializer
from pullback.ops.array.creation import zeros_like as zeros_like

__all__ = [
    "AggregationMethod",
    "Assert",
    "DType",
    "GradientTape",
    "Graph",
    "IndexedSlices",
    "Module",
    "Operation",
    "RaggedTensor",
    "RegisterGradient",
    "SparseTensor",
    "SparseTensorSpec",
    "Tensor",
    "TensorArray",
    "TensorShape",
    "TensorSpec",
    "UnconnectedGradients",
    "Variable",
    "VariableAggregation",
    "VariableSynchronization",
    "abs",
    "acos",
    "acosh",
    "add",
    "add_n",
    "argmax",
    "argmin",
    "argsort",
    "as_dtype",
    "as_string",
    "asin",
    "asinh",
    "assert_equal",
    "assert_greater",
    "assert_less",
    "assert_rank",
    "atan",
    "atan2",
    "atanh",
    "batch_to_space",
    "bitcast",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "case",
    "cast",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "complex",
    "concat",
    "cond",
    "constant",
    "constant_initializer",
    "control_dependencies",
    "conv",
    "conv2d_backprop_filter_v2",
    "conv2d_backprop_input_v2",
    "convert_to_tensor",
    "cos",
    "cosh",
    "cumsum",
    "custom_gradient",
    "device",
    "divide",
    "dynamic_partition",
    "dynamic_stitch",
    "edit_distance",
    "einsum",
    "engine",
    "ensure_shape",
    "equal",
    "executing_eagerly",
    "exp",
    "expand_dims",
    "explain",
    "explain_plan",
    "extract_volume_patches",
    "eye",
    "fill",
    "floor",
    "foldl",
    "foldr",
    "function",
    "gather",
    "gather_nd",
    "get_logger",
    "get_static_value",
    "grad_pass_through",
    "gradients",
    "greater",
    "greater_equal",
    "group",
    "hessians",
    "histogram_fixed_width",
    "histogram_fixed_width_bins",
    "identity",
    "identity_n",
    "import_graph_def",
    "init_scope",
    "is_symbolic_tensor",
    "is_tensor",
    "less",
    "less_equal",
    "linspace",
    "logical_and",
    "logical_not",
    "logical_or",
    "make_ndarray",
    "make_tensor_proto",
    "map_fn",
    "matmul",
    "maximum",
    "meshgrid",
    "minimum",
    "multiply",
    "name_scope",
    "negative",
    "no_gradient",
    "no_op",
    "norm",
    "not_equal",
    "numpy_function",
    "one_hot",
    "ones",
    "ones_initializer",
    "ones_like",
    "pad",
    "parallel_stack",
    "pow",
    "print",
    "py_function",
    "random_normal_initializer",
    "random_uniform_initializer",
    "range",
    "rank",
    "realdiv",
    "recompute_grad",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "register_tensor_conversion_function",
    "repeat",
    "required_space_to_batch_paddings",
    "reshape",
    "reverse",
    "reverse_sequence",
    "roll",
    "round",
    "saturate_cast",
    "scalar_mul",
    "scan",
    "scatter_nd",
    "searchsorted",
    "sequence_mask",
    "shape",
    "shape_n",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "size",
    "slice",
    "sort",
    "space_to_batch",
    "space_to_batch_nd",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "subtract",
    "switch_case",
    "tan",
    "tanh",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
    "tensordot",
    "tile",
    "transpose",
    "truediv",
    "truncatediv",
    "truncatemod",
    "tuple",
    "unique",
    "unique_with_counts",
    "unravel_index",
    "unstack",
    "variable_creator_scope",
    "vectorized_map",
    "where",
    "while_loop",
    "zeros",
    "zeros_initializer",
    "zeros_like",
]

def __getattr__(name: str) -> Any: ...
