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
from pullback.ops.control.tensor_array import TensorArray as TensorArray
from pullback.core.shape import TensorShapeV1 as TensorShape
from pullback.modes.function import TensorSpec as TensorSpec
from pullback.modes.gradients import UnconnectedGradients as UnconnectedGradients
from pullback.modes.variable import VariableV1 as Variable
from pullback.modes.variable import VariableAggregation as VariableAggregation
from pullback.modes.scopes import VariableScope as VariableScope
from pullback.modes.variable import VariableSynchronization as VariableSynchronization
from pullback.ops.math.functions import abs_ as abs
from pullback.core.basics import accumulate_n as accumulate_n
from pullback.ops.math.functions import acos as acos
from pullback.ops.math.functions import acosh as acosh
from pullback.ops.math.functions import add as add
from pullback.core.basics import add_n as add_n
from pullback.modes.default import add_to_collection as add_to_collection
from pullback.modes.default import add_to_collections as add_to_collections
from pullback.modes.variables import all_variables as all_variables
from pullback.ops.math.functions import angle as angle
from pullback.ops.array.search import arg_max as arg_max
from pullback.ops.array.search import arg_min as arg_min
from pullback.ops.array.search import argmax_v1 as argmax
from pullback.ops.array.search import argmin_v1 as argmin
from pullback.ops.array.ordering import argsort as argsort
from pullback.core.dtypes import as_dtype as as_dtype
from pullback.ops.math.functions import asin as asin
from pullback.ops.math.functions import asinh as asinh
from pullback.modes.variables import assign as assign
from pullback.modes.variables import assign_add as assign_add
from pullback.modes.variables import assign_sub as assign_sub
from pullback.ops.math.functions import atan as atan
from pullback.ops.math.functions import atan2 as atan2
from pullback.ops.math.functions import atanh as atanh
from pullback.ops.array.gather import batch_gather as batch_gather
from pullback.ops.array.blocks import batch_to_space_v1 as batch_to_space
from pullback.ops.array.blocks import batch_to_space_nd as batch_to_space_nd
from pullback.ops.array.masks import boolean_mask_v1 as boolean_mask
from pullback.ops.array.sizes import broadcast_dynamic_shape as broadcast_dynamic_shape
from pullback.ops.array.sizes import broadcast_static_shape as broadcast_static_shape
from pullback.ops.array.sizes import broadcast_to as broadcast_to
from pullback.ops.control.cond import case as case
from pullback.ops.array.conversion import cast as cast
from pullback.ops.math.functions import ceil as ceil
from pullback.ops.linalg.solving import cholesky as cholesky
from pullback.ops.linalg.solving import cholesky_solve as cholesky_solve
from pullback.ops.math.clipping import clip_by_average_norm as clip_by_average_norm
from pullback.ops.math.clipping import clip_by_global_norm as clip_by_global_norm
from pullback.ops.math.clipping import clip_by_norm as clip_by_norm
from pullback.ops.math.clipping import clip_by_value as clip_by_value
from pullback.ops.math.functions import complex_ as complex
from pullback.ops.array.joining import concat as concat
from pullback.ops.control.cond import cond as cond
from pullback.ops.math.functions import conj as conj
from pullback.ops.array.conversion import constant_v1 as constant
from pullback.train.initializers_v1 import constant_initializer as constant_initializer
from pullback.modes.default import control_dependencies_v1 as control_dependencies
from pullback.ops.array.conversion import convert_to_tensor_v1 as convert_to_tensor
from pullback.ops.array.rows import convert_to_tensor_or_indexed_slices as convert_to_tensor_or_indexed_slices
from pullback.ops.math.functions import cos as cos
from pullback.ops.math.functions import cosh as cosh
from pullback.ops.math.reduce_functions import count_nonzero_v1 as count_nonzero
from pullback.ops.linalg.solving import cross as cross
from pullback.ops.math.cumulative import cumprod as cumprod
from pullback.ops.math.cumulative import cumsum as cumsum
from pullback.modes.custom import custom_gradient as custom_gradient
from pullback.ops.array.blocks import depth_to_space_v1 as depth_to_space
from pullback.modes.default import device_v1 as device
from pullback.ops.math.gamma import digamma as digamma
from pullback.modes.default import disable_eager_execution as disable_eager_execution
from pullback.modes.default import disable_eager_execution as disable_v2_behavior
from pullback.ops.math.functions import div as div
from pullback.ops.math.functions import divide_no_nan as div_no_nan
from pullback.ops.math.functions import divide as divide
from pullback.ops.array.partition import dynamic_partition as dynamic_partition
from pullback.ops.array.partition import dynamic_stitch as dynamic_stitch
from pullback.ops.linalg.einsum import einsum as einsum
from pullback.modes.default import enable_eager_execution as enable_eager_execution
from pullback.modes.default import enable_v2_behavior as enable_v2_behavior
from pullback.ops.array.sizes import ensure_shape as ensure_shape
from pullback.ops.math.functions import equal as equal
from pullback.ops.math.functions import erf as erf
from pullback.ops.math.functions import erfc as erfc
from pullback.modes.default import executing_eagerly_v1 as executing_eagerly
from pullback.ops.math.functions import exp as exp
from pullback.ops.array.shape import expand_dims_v1 as expand_dims
from pullback.ops.math.functions import expm1 as expm1
from pullback.ops.image.patches import extract_image_patches as extract_image_patches
from pullback.ops.array.one_hot import eye as eye
from pullback.ops.array.creation import fill as fill
from pullback.ops.math.functions import floor as floor
from pullback.ops.math.functions import floor_div as floor_div
from pullback.ops.math.functions import floordiv as floordiv
from pullback.ops.math.functions import floormod as floormod
from pullback.ops.control.folds import foldl as foldl
from pullback.ops.control.folds import foldr as foldr
from pullback.modes.function import function as function
from pullback.ops.array.gather import gather_v1 as gather
from pullback.ops.array.places import gather_nd_v1 as gather_nd
from pullback.modes.default import get_collection as get_collection
from pullback.modes.default import get_collection_ref as get_collection_ref
from pullback.modes.default import get_default_graph as get_default_graph
from pullback.modes.session import get_default_session as get_default_session
from pullback.ops.random.seeds import get_seed as get_seed
from pullback.modes.scopes import get_variable as get_variable
from pullback.modes.scopes import get_variable_scope as get_variable_scope
from pullback.ops.math.clipping import global_norm as global_norm
from pullback.modes.variables import global_variables as global_variables
from pullback.modes.variables import global_variables_initializer as global_variables_initializer
from pullback.train.initializers_v1 import glorot_normal_initializer as glorot_normal_initializer
from pullback.train.initializers_v1 import glorot_uniform_initializer as glorot_uniform_initializer
from pullback.modes.custom import grad_pass_through as grad_pass_through
from pullback.modes.gradients import gradients as gradients
from pullback.ops.math.functions import greater as greater
from pullback.ops.math.functions import greater_equal as greater_equal
from pullback.modes.grouping import group as group
from pullback.modes.gradients import hessians_v1 as hessians
from pullback.ops.array.conversion import identity as identity
from pullback.ops.array.conversion import identity_n as identity_n
from pullback.ops.math.gamma import igamma as igamma
from pullback.ops.math.gamma import igammac as igammac
from pullback.ops.math.functions import imag as imag
from pullback.modes.default import init_scope as init_scope
from pullback.modes.variables import global_variables_initializer as initialize_all_variables
from pullback.modes.variables import local_variables_initializer as initialize_local_variables
from pullback.modes.variables import variables_initializer as initialize_variables
from pullback.ops.array.layout import invert_permutation as invert_permutation
from pullback.ops.math.functions import is_finite as is_finite
from pullback.ops.math.functions import is_inf as is_inf
from pullback.ops.math.functions import is_nan as is_nan
from pullback.modes.variables import is_variable_initialized as is_variable_initialized
from pullback.ops.math.gamma import lbeta as lbeta
from pullback.ops.math.functions import less as less
from pullback.ops.math.functions import less_equal as less_equal
from pullback.ops.math.gamma import lgamma as lgamma
from pullback.ops.array.ranges import linspace as lin_space
from pullback.ops.array.ranges import linspace as linspace
from pullback.modes.variables import local_variables as local_variables
from pullback.modes.variables import local_variables_initializer as local_variables_initializer
from pullback.ops.math.functions import log as log
from pullback.ops.math.functions import log1p as log1p
from pullback.ops.nn.smooth import log_sigmoid as log_sigmoid
from pullback.ops.math.functions import logical_and as logical_and
from pullback.ops.math.functions import logical_not as logical_not
from pullback.ops.math.functions import logical_or as logical_or
from pullback.ops.math.functions import logical_xor as logical_xor
from pullback.ops.control.functional import map_fn as map_fn
from pullback.ops.linalg.matmul import matmul as matmul
from pullback.ops.linalg.bands import band_part as matrix_band_part
from pullback.ops.linalg.solving import det as matrix_determinant
from pullback.ops.linalg.bands import diag as matrix_diag
from pullback.ops.linalg.bands import diag_part as matrix_diag_part
from pullback.ops.linalg.solving import inv as matrix_inverse
from pullback.ops.linalg.bands import set_diag as matrix_set_diag
from pullback.ops.linalg.solving import solve as matrix_solve
from pullback.ops.array.layout import matrix_transpose as matrix_transpose
from pullback.ops.linalg.solving import triangular_solve as matrix_triangular_solve
from pullback.ops.math.functions import maximum as maximum
from pullback.ops.array.ranges import meshgrid as meshgrid
from pullback.ops.math.functions import minimum as minimum
from pullback.ops.math.functions import mod as mod
from pullback.modes.variables import model_variables as model_variables
from pullback.modes.variables import moving_average_variables as moving_average_variables
from pullback.ops.random.distributions import multinomial as multinomial
from pullback.ops.math.functions import multiply as multiply
from pullback.modes.default import name_scope_v1 as name_scope
from pullback.ops.math.functions import negative as negative
from pullback.modes.custom import NotDifferentiable as no_gradient
from pullback.modes.grouping import no_op as no_op
from pullback.modes.scopes import no_regularizer as no_regularizer
from pullback.ops.linalg.norm import norm_v1 as norm
from pullback.ops.math.functions import not_equal as not_equal
from pullback.ops.control.world import numpy_function as numpy_function
from pullback.ops.array.one_hot import one_hot as one_hot
from pullback.ops.array.creation import ones as ones
from pullback.train.initializers_v1 import ones_initializer as ones_initializer
from pullback.ops.array.creation import ones_like_v1 as ones_like
from pullback.modes.default import op_scope as op_scope
from pullback.train.initializers_v1 import orthogonal_initializer as orthogonal_initializer
from pullback.ops.array.padding import pad_v1 as pad
from pullback.ops.array.joining import parallel_stack as parallel_stack
from pullback.modes.session import placeholder as placeholder
from pullback.modes.session import placeholder_with_default as placeholder_with_default
from pullback.ops.math.gamma import polygamma as polygamma
from pullback.ops.math.functions import pow_ as pow
from pullback.ops.control.world import print_v2 as print
from pullback.ops.control.world import py_func as py_func
from pullback.ops.control.world import py_function as py_function
from pullback.ops.random.distributions import random_gamma as random_gamma
from pullback.ops.random.functions import random_normal as random_normal
from pullback.train.initializers_v1 import random_normal_initializer as random_normal_initializer
from pullback.ops.random.distributions import random_poisson_v1 as random_poisson
from pullback.ops.random.functions import random_shuffle as random_shuffle
from pullback.ops.random.functions import random_uniform as random_uniform
from pullback.train.initializers_v1 import random_uniform_initializer as random_uniform_initializer
from pullback.ops.array.ranges import range_ as range
from pullback.ops.array.sizes import rank as rank
from pullback.ops.math.functions import real as real
from pullback.ops.math.functions import realdiv as realdiv
from pullback.ops.math.functions import reciprocal as reciprocal
from pullback.modes.recompute import recompute_grad as recompute_grad
from pullback.ops.math.reduce_functions import reduce_all_v1 as reduce_all
from pullback.ops.math.reduce_functions import reduce_any_v1 as reduce_any
from pullback.ops.math.reduce_functions import reduce_logsumexp_v1 as reduce_logsumexp
from pullback.ops.math.reduce_functions import reduce_max_v1 as reduce_max
from pullback.ops.math.reduce_functions import reduce_mean_v1 as reduce_mean
from pullback.ops.math.reduce_functions import reduce_min_v1 as reduce_min
from pullback.ops.math.reduce_functions import reduce_prod_v1 as reduce_prod
from pullback.ops.math.reduce_functions import reduce_sum_v1 as reduce_sum
from pullback.ops.array.padding import repeat as repeat
from pullback.modes.variables import report_uninitialized_variables as report_uninitialized_variables
from pullback.modes.default import reset_default_graph as reset_default_graph
from pullback.ops.array.shape import reshape as reshape
from pullback.ops.array.layout import reverse as reverse
from pullback.ops.array.partition import reverse_sequence_v1 as reverse_sequence
from pullback.ops.array.layout import reverse as reverse_v2
from pullback.ops.math.functions import rint as rint
from pullback.ops.array.layout import roll as roll
from pullback.ops.math.functions import round_ as round
from pullback.ops.math.functions import rsqrt as rsqrt
from pullback.ops.array.conversion import saturate_cast as saturate_cast
from pullback.ops.math.functions import scalar_mul as scalar_mul
from pullback.ops.control.folds import scan as scan
from pullback.modes.variables import scatter_add as scatter_add
from pullback.ops.array.places import scatter_nd as scatter_nd
from pullback.modes.variables import scatter_sub as scatter_sub
from pullback.modes.variables import scatter_update as scatter_update
from pullback.ops.array.segments import segment_max as segment_max
from pullback.ops.array.segments import segment_mean as segment_mean
from pullback.ops.array.segments import segment_min as segment_min
from pullback.ops.array.segments import segment_prod as segment_prod
from pullback.ops.array.segments import segment_sum as segment_sum
from pullback.ops.array.ranges import sequence_mask as sequence_mask
from pullback.ops.random.seeds import set_seed as set_random_seed
from pullback.ops.array.sizes import shape_v1 as shape
from pullback.ops.array.sizes import shape_n as shape_n
from pullback.ops.math.functions import sigmoid as sigmoid
from pullback.ops.math.functions import sign as sign
from pullback.ops.math.functions import sin as sin
from pullback.ops.math.functions import sinh as sinh
from pullback.ops.array.sizes import size_v1 as size
from pullback.ops.array.slicing import slice_ as slice
from pullback.ops.array.ordering import sort as sort
from pullback.ops.array.blocks import space_to_batch_v1 as space_to_batch
from pullback.ops.array.blocks import space_to_batch_nd as space_to_batch_nd
from pullback.ops.array.blocks import space_to_depth_v1 as space_to_depth
from pullback.ops.array.splitting import split as split
from pullback.ops.math.functions import sqrt as sqrt
from pullback.ops.math.functions import square as square
from pullback.ops.math.functions import squared_difference as squared_difference
from pullback.ops.array.shape import squeeze_v1 as squeeze
from pullback.ops.array.joining import stack as stack
from pullback.modes.custom import stop_gradient as stop_gradient
from pullback.ops.array.slicing import strided_slice as strided_slice
from pullback.ops.math.functions import subtract as subtract
from pullback.ops.math.functions import tan as tan
from pullback.ops.math.functions import tanh as tanh
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
from pullback.ops.linalg.bands import trace as trace
from pullback.modes.variables import trainable_variables as trainable_variables
from pullback.ops.array.layout import transpose_v1 as transpose
from pullback.ops.math.functions import truediv as truediv
from pullback.ops.random.functions import truncated_normal as truncated_normal
from pullback.train.initializers_v1 import truncated_normal_initializer as truncated_normal_initializer
from pullback.ops.math.functions import truncatediv as truncatediv
from pullback.ops.math.functions import truncatemod as truncatemod
from pullback.modes.grouping import tuple_v1 as tuple
from pullback.train.initializers_v1 import uniform_unit_scaling_initializer as uniform_unit_scaling_initializer
from pullback.ops.array.search import unique as unique
from pullback.ops.array.search import unique_with_counts as unique_with_counts
from pullback.ops.array.segments import unsorted_segment_max as unsorted_segment_max
from pullback.ops.array.segments import unsorted_segment_mean as unsorted_segment_mean
from pullback.ops.array.segments import unsorted_segment_min as unsorted_segment_min
from pullback.ops.array.segments import unsorted_segment_prod as unsorted_segment_prod
from pullback.ops.array.segments import unsorted_segment_sqrt_n as unsorted_segment_sqrt_n
from pullback.ops.array.rows import unsorted_segment_sum as unsorted_segment_sum
from pullback.ops.array.joining import unstack as unstack
from pullback.modes.scopes import variable_op_scope as variable_op_scope
from pullback.modes.scopes import variable_scope as variable_scope
from pullback.modes.variables import variables_initializer as variables_initializer
from pullback.train.initializers_v1 import variance_scaling_initializer as variance_scaling_initializer
from pullback.modes.vectorized import vectorized_map as vectorized_map
from pullback.ops.array.masks import where_v1 as where
from pullback.ops.array.masks import where as where_v2
from pullback.ops.control.loop import while_loop as while_loop
from pullback.ops.array.creation import zeros as zeros
from pullback.train.initializers_v1 import zeros_initializer as zeros_initializer
from pullback.ops.array.creation import zeros_like_v1 as zeros_like
from pullback.ops.math.gamma import zeta as zeta

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
    "TensorArray",
    "TensorShape",
    "TensorSpec",
    "UnconnectedGradients",
    "Variable",
    "VariableAggregation",
    "VariableScope",
    "VariableSynchronization",
    "abs",
    "accumulate_n",
    "acos",
    "acosh",
    "add",
    "add_n",
    "add_to_collection",
    "add_to_collections",
    "all_variables",
    "angle",
    "arg_max",
    "arg_min",
    "argmax",
    "argmin",
    "argsort",
    "as_dtype",
    "asin",
    "asinh",
    "assign",
    "assign_add",
    "assign_sub",
    "atan",
    "atan2",
    "atanh",
    "batch_gather",
    "batch_to_space",
    "batch_to_space_nd",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "case",
    "cast",
    "ceil",
    "cholesky",
    "cholesky_solve",
    "clip_by_average_norm",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "complex",
    "concat",
    "cond",
    "conj",
    "constant",
    "constant_initializer",
    "control_dependencies",
    "convert_to_tensor",
    "convert_to_tensor_or_indexed_slices",
    "cos",
    "cosh",
    "count_nonzero",
    "cross",
    "cumprod",
    "cumsum",
    "custom_gradient",
    "depth_to_space",
    "device",
    "digamma",
    "disable_eager_execution",
    "disable_v2_behavior",
    "div",
    "div_no_nan",
    "divide",
    "dynamic_partition",
    "dynamic_stitch",
    "einsum",
    "enable_eager_execution",
    "enable_v2_behavior",
    "ensure_shape",
    "equal",
    "erf",
    "erfc",
    "executing_eagerly",
    "exp",
    "expand_dims",
    "expm1",
    "extract_image_patches",
    "eye",
    "fill",
    "floor",
    "floor_div",
    "floordiv",
    "floormod",
    "foldl",
    "foldr",
    "function",
    "gather",
    "gather_nd",
    "get_collection",
    "get_collection_ref",
    "get_default_graph",
    "get_default_session",
    "get_seed",
    "get_variable",
    "get_variable_scope",
    "global_norm",
    "global_variables",
    "global_variables_initializer",
    "glorot_normal_initializer",
    "glorot_uniform_initializer",
    "grad_pass_through",
    "gradients",
    "greater",
    "greater_equal",
    "group",
    "hessians",
    "identity",
    "identity_n",
    "igamma",
    "igammac",
    "imag",
    "init_scope",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "invert_permutation",
    "is_finite",
    "is_inf",
    "is_nan",
    "is_variable_initialized",
    "lbeta",
    "less",
    "less_equal",
    "lgamma",
    "lin_space",
    "linspace",
    "local_variables",
    "local_variables_initializer",
    "log",
    "log1p",
    "log_sigmoid",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "map_fn",
    "matmul",
    "matrix_band_part",
    "matrix_determinant",
    "matrix_diag",
    "matrix_diag_part",
    "matrix_inverse",
    "matrix_set_diag",
    "matrix_solve",
    "matrix_transpose",
    "matrix_triangular_solve",
    "maximum",
    "meshgrid",
    "minimum",
    "mod",
    "model_variables",
    "moving_average_variables",
    "multinomial",
    "multiply",
    "name_scope",
    "negative",
    "no_gradient",
    "no_op",
    "no_regularizer",
    "norm",
    "not_equal",
    "numpy_function",
    "one_hot",
    "ones",
    "ones_initializer",
    "ones_like",
    "op_scope",
    "orthogonal_initializer",
    "pad",
    "parallel_stack",
    "placeholder",
    "placeholder_with_default",
    "polygamma",
    "pow",
    "print",
    "py_func",
    "py_function",
    "random_gamma",
    "random_normal",
    "random_normal_initializer",
    "random_poisson",
    "random_shuffle",
    "random_uniform",
    "random_uniform_initializer",
    "range",
    "rank",
    "real",
    "realdiv",
    "reciprocal",
    "recompute_grad",
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
    "reverse_sequence",
    "reverse_v2",
    "rint",
    "roll",
    "round",
    "rsqrt",
    "saturate_cast",
    "scalar_mul",
    "scan",
    "scatter_add",
    "scatter_nd",
    "scatter_sub",
    "scatter_update",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "sequence_mask",
    "set_random_seed",
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
    "space_to_depth",
    "split",
    "sqrt",
    "square",
    "squared_difference",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "subtract",
    "tan",
    "tanh",
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
    "trace",
    "trainable_variables",
    "transpose",
    "truediv",
    "truncated_normal",
    "truncated_normal_initializer",
    "truncatediv",
    "truncatemod",
    "tuple",
    "uniform_unit_scaling_initializer",
    "unique",
    "unique_with_counts",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
    "unstack",
    "variable_op_scope",
    "variable_scope",
    "variables_initializer",
    "variance_scaling_initializer",
    "vectorized_map",
    "where",
    "where_v2",
    "while_loop",
    "zeros",
    "zeros_initializer",
    "zeros_like",
    "zeta",
]

def __getattr__(name: str) -> Any: ...
