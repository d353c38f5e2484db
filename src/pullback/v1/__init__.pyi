# Made by `make names`; not edited by hand.
from typing import Any

from pullback.modes.scopes import AUTO_REUSE as AUTO_REUSE
from pullback.modes.gradients import AggregationMethod as AggregationMethod
from pullback.ops.control.world import assert_true as Assert
from pullback.io.messages import AttrValue as AttrValue
from pullback.app.versions import COMPILER_VERSION as COMPILER_VERSION
from pullback.io.messages import ConfigProto as ConfigProto
from pullback.core.dtypes import DType as DType
from pullback.core.shape import Dimension as Dimension
from pullback.io.messages import Event as Event
from pullback.data.queues import FIFOQueueV1 as FIFOQueue
from pullback.data.features import FixedLenFeature as FixedLenFeature
from pullback.data.features import FixedLenSequenceFeature as FixedLenSequenceFeature
from pullback.data.readers import FixedLengthRecordReader as FixedLengthRecordReader
from pullback.app.versions import GIT_VERSION_1 as GIT_VERSION
from pullback.io.messages import GPUOptions as GPUOptions
from pullback.app.versions import GRAPH_DEF_VERSION_1 as GRAPH_DEF_VERSION
from pullback.app.versions import GRAPH_DEF_VERSION_MIN_CONSUMER as GRAPH_DEF_VERSION_MIN_CONSUMER
from pullback.app.versions import GRAPH_DEF_VERSION_MIN_PRODUCER as GRAPH_DEF_VERSION_MIN_PRODUCER
from pullback.modes.tape import GradientTape as GradientTape
from pullback.modes.default import GraphV1 as Graph
from pullback.io.messages import GraphDef as GraphDef
from pullback.modes.default import GraphKeys as GraphKeys
from pullback.io.messages import GraphOptions as GraphOptions
from pullback.io.messages import HistogramProto as HistogramProto
from pullback.data.readers import IdentityReader as IdentityReader
from pullback.core.slices import IndexedSlices as IndexedSlices
from pullback.modes.session import IndexedSlicesValue as IndexedSlicesValue
from pullback.modes.session import InteractiveSession as InteractiveSession
from pullback.io.messages import LogMessage as LogMessage
from pullback.io.messages import MetaGraphDef as MetaGraphDef
from pullback.modes.module import Module as Module
from pullback.io.messages import NameAttrList as NameAttrList
from pullback.modes.custom import NotDifferentiable as NoGradient
from pullback.io.messages import NodeDef as NodeDef
from pullback.modes.custom import NotDifferentiable as NotDifferentiable
from pullback.core.errors import OpError as OpError
from pullback.core.tensor import Operation as Operation
from pullback.io.messages import OptimizerOptions as OptimizerOptions
from pullback.data.queues import PaddingFIFOQueueV1 as PaddingFIFOQueue
from pullback.ops.control.world import print_v1 as Print
from pullback.data.queues import PriorityQueueV1 as PriorityQueue
from pullback.data.queues import QueueBase as QueueBase
from pullback.modes.ragged import RaggedTensorV1 as RaggedTensor
from pullback.data.queues import RandomShuffleQueueV1 as RandomShuffleQueue
from pullback.data.readers import ReaderBase as ReaderBase
from pullback.modes.custom import RegisterGradient as RegisterGradient
from pullback.io.messages import RunMetadata as RunMetadata
from pullback.io.messages import RunOptions as RunOptions
from pullback.modes.session import Session as Session
from pullback.io.messages import SessionLog as SessionLog
from pullback.data.features import SparseFeature as SparseFeature
from pullback.modes.sparse import SparseTensorV1 as SparseTensor
from pullback.ops.sparse import SparseTensorSpec as SparseTensorSpec
from pullback.ops.sparse import SparseTensorValue as SparseTensorValue
from pullback.io.messages import Summary as Summary
from pullback.io.messages import SummaryMetadata as SummaryMetadata
from pullback.data.readers import TFRecordReader as TFRecordReader
from pullback.core.tensor import Tensor as Tensor
from pullback.modes.tensor_array import TensorArrayV1 as TensorArray
from pullback.io.messages import TensorInfo as TensorInfo
from pullback.core.shape import TensorShapeV1 as TensorShape
from pullback.modes.function import TensorSpec as TensorSpec
from pullback.data.readers import TextLineReader as TextLineReader
from pullback.modes.gradients import UnconnectedGradients as UnconnectedGradients
from pullback.app.versions import VERSION_1 as VERSION
from pullback.data.features import VarLenFeature as VarLenFeature
from pullback.modes.variable import VariableV1 as Variable
from pullback.modes.variable import VariableAggregation as VariableAggregation
from pullback.modes.scopes import VariableScope as VariableScope
from pullback.modes.variable import VariableSynchronization as VariableSynchronization
from pullback.data.readers import WholeFileReader as WholeFileReader
from pullback.ops.math.functions import abs_ as abs
from pullback.core.basics import accumulate_n as accumulate_n
from pullback.ops.math.functions import acos as acos
from pullback.ops.math.functions import acosh as acosh
from pullback.ops.math.functions import add as add
from pullback.explain.checks.numerics import add_check_numerics_ops as add_check_numerics_ops
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
from pullback.ops.strings.numbers import as_string as as_string
from pullback.ops.math.functions import asin as asin
from pullback.ops.math.functions import asinh as asinh
from pullback.ops.control.assertions import assert_equal_v1 as assert_equal
from pullback.ops.control.assertions import assert_greater_v1 as assert_greater
from pullback.ops.control.assertions import assert_greater_equal_v1 as assert_greater_equal
from pullback.ops.control.assertions import assert_integer as assert_integer
from pullback.ops.control.assertions import assert_less_v1 as assert_less
from pullback.ops.control.assertions import assert_less_equal_v1 as assert_less_equal
from pullback.ops.control.assertions import assert_near_v1 as assert_near
from pullback.ops.control.assertions import assert_negative_v1 as assert_negative
from pullback.ops.control.assertions import assert_non_negative_v1 as assert_non_negative
from pullback.ops.control.assertions import assert_non_positive_v1 as assert_non_positive
from pullback.ops.control.assertions import assert_none_equal_v1 as assert_none_equal
from pullback.ops.control.assertions import assert_positive_v1 as assert_positive
from pullback.ops.control.assertions import assert_proper_iterable as assert_proper_iterable
from pullback.ops.control.assertions import assert_rank_v1 as assert_rank
from pullback.ops.control.assertions import assert_rank_at_least_v1 as assert_rank_at_least
from pullback.ops.control.assertions import assert_rank_in_v1 as assert_rank_in
from pullback.ops.control.assertions import assert_same_float_dtype as assert_same_float_dtype
from pullback.ops.control.assertions import assert_scalar_v1 as assert_scalar
from pullback.ops.control.assertions import assert_type as assert_type
from pullback.modes.variables import assign as assign
from pullback.modes.variables import assign_add as assign_add
from pullback.modes.variables import assign_sub as assign_sub
from pullback.ops.math.functions import atan as atan
from pullback.ops.math.functions import atan2 as atan2
from pullback.ops.math.functions import atanh as atanh
from pullback.ops.array.gather import batch_gather as batch_gather
from pullback.ops.array.blocks import batch_to_space_v1 as batch_to_space
from pullback.ops.array.blocks import batch_to_space_nd as batch_to_space_nd
from pullback.ops.math.beta import betainc as betainc
from pullback.ops.math.counting import bincount_v1 as bincount
from pullback.ops.array.bitcast import bitcast as bitcast
from pullback.ops.array.masks import boolean_mask_v1 as boolean_mask
from pullback.ops.array.sizes import broadcast_dynamic_shape as broadcast_dynamic_shape
from pullback.ops.array.sizes import broadcast_static_shape as broadcast_static_shape
from pullback.ops.array.sizes import broadcast_to as broadcast_to
from pullback.ops.control.cond import case as case
from pullback.ops.array.conversion import cast as cast
from pullback.ops.math.functions import ceil as ceil
from pullback.ops.math.check_numerics import check_numerics as check_numerics
from pullback.ops.linalg.solving import cholesky as cholesky
from pullback.ops.linalg.solving import cholesky_solve as cholesky_solve
from pullback.ops.math.clipping import clip_by_average_norm as clip_by_average_norm
from pullback.ops.math.clipping import clip_by_global_norm as clip_by_global_norm
from pullback.ops.math.clipping import clip_by_norm as clip_by_norm
from pullback.ops.math.clipping import clip_by_value as clip_by_value
from pullback.contrib.inner import colocate_with as colocate_with
from pullback.ops.math.functions import complex_ as complex
from pullback.ops.array.joining import concat as concat
from pullback.ops.control.cond import cond as cond
from pullback.ops.math.counting import confusion_matrix_v1 as confusion_matrix
from pullback.ops.math.functions import conj as conj
from pullback.ops.array.conversion import constant_v1 as constant
from pullback.train.initializers_v1 import constant_initializer as constant_initializer
from pullback.modes.default import control_dependencies_v1 as control_dependencies
from pullback.modes.default import control_flow_v2_enabled as control_flow_v2_enabled
from pullback.ops.nn.conv.raw import conv as conv
from pullback.ops.nn.conv.raw import conv2d_backprop_filter_v2 as conv2d_backprop_filter_v2
from pullback.ops.nn.conv.raw import conv2d_backprop_input_v2 as conv2d_backprop_input_v2
from pullback.ops.array.conversion import convert_to_tensor_v1 as convert_to_tensor
from pullback.ops.array.rows import convert_to_tensor_or_indexed_slices as convert_to_tensor_or_indexed_slices
from pullback.ops.array.conversion import convert_to_tensor_or_sparse_tensor as convert_to_tensor_or_sparse_tensor
from pullback.ops.math.functions import cos as cos
from pullback.ops.math.functions import cosh as cosh
from pullback.ops.math.reduce_functions import count_nonzero_v1 as count_nonzero
from pullback.data.input_producers import count_up_to as count_up_to
from pullback.ops.linalg.solving import cross as cross
from pullback.ops.math.cumulative import cumprod as cumprod
from pullback.ops.math.cumulative import cumsum as cumsum
from pullback.modes.custom import custom_gradient as custom_gradient
from pullback.ops.strings.elementwise import decode_base64 as decode_base64
from pullback.data.contents import decode_compressed as decode_compressed
from pullback.data.rows import decode_csv_v1 as decode_csv
from pullback.data.contents import decode_raw_v1 as decode_raw
from pullback.ops.array.blocks import depth_to_space_v1 as depth_to_space
from pullback.modes.default import device_v1 as device
from pullback.ops.linalg.tensor_diagonals import tensor_diag as diag
from pullback.ops.linalg.tensor_diagonals import tensor_diag_part as diag_part
from pullback.ops.math.gamma import digamma as digamma
from pullback.app.text import dimension_at_index as dimension_at_index
from pullback.app.text import dimension_value as dimension_value
from pullback.modes.default import disable_eager_execution as disable_eager_execution
from pullback.modes.default import disable_resource_variables as disable_resource_variables
from pullback.modes.default import disable_tensor_equality as disable_tensor_equality
from pullback.modes.default import disable_eager_execution as disable_v2_behavior
from pullback.modes.default import disable_v2_tensorshape as disable_v2_tensorshape
from pullback.ops.math.functions import div as div
from pullback.ops.math.functions import divide_no_nan as div_no_nan
from pullback.ops.math.functions import divide as divide
from pullback.ops.array.partition import dynamic_partition as dynamic_partition
from pullback.ops.array.partition import dynamic_stitch as dynamic_stitch
from pullback.ops.sparse.sets import edit_distance as edit_distance
from pullback.ops.linalg.einsum import einsum as einsum
from pullback.modes.default import enable_control_flow_v2 as enable_control_flow_v2
from pullback.modes.default import enable_eager_execution as enable_eager_execution
from pullback.modes.default import enable_resource_variables as enable_resource_variables
from pullback.modes.default import enable_tensor_equality as enable_tensor_equality
from pullback.modes.default import enable_v2_behavior as enable_v2_behavior
from pullback.modes.default import enable_v2_tensorshape as enable_v2_tensorshape
from pullback.ops.strings.elementwise import encode_base64 as encode_base64
from pullback.ops.array.sizes import ensure_shape as ensure_shape
from pullback.ops.math.functions import equal as equal
from pullback.ops.math.functions import erf as erf
from pullback.ops.math.functions import erfc as erfc
from pullback.modes.default import executing_eagerly_v1 as executing_eagerly
from pullback.ops.math.functions import exp as exp
from pullback.ops.array.shape import expand_dims_v1 as expand_dims
from pullback.explain import explain as explain
from pullback.explain.plan import explain_plan as explain_plan
from pullback.ops.math.functions import expm1 as expm1
from pullback.ops.image.patches import extract_image_patches as extract_image_patches
from pullback.ops.image.patches import extract_volume_patches as extract_volume_patches
from pullback.ops.array.one_hot import eye as eye
from pullback.ops.signal.fourier import fft as fft
from pullback.ops.signal.fourier import fft2d as fft2d
from pullback.ops.signal.fourier import fft3d as fft3d
from pullback.ops.array.creation import fill as fill
from pullback.modes.partitioned import fixed_size_partitioner as fixed_size_partitioner
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
from pullback.modes.scope_variants import get_local_variable as get_local_variable
from pullback.app.log import get_logger as get_logger
from pullback.ops.random.seeds import get_seed as get_seed
from pullback.ops.array.knowledge import get_static_value as get_static_value
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
from pullback.ops.math.counting import histogram_fixed_width as histogram_fixed_width
from pullback.ops.math.counting import histogram_fixed_width_bins as histogram_fixed_width_bins
from pullback.ops.array.conversion import identity as identity
from pullback.ops.array.conversion import identity_n as identity_n
from pullback.ops.signal.fourier import ifft as ifft
from pullback.ops.signal.fourier import ifft2d as ifft2d
from pullback.ops.signal.fourier import ifft3d as ifft3d
from pullback.ops.math.gamma import igamma as igamma
from pullback.ops.math.gamma import igammac as igammac
from pullback.ops.math.functions import imag as imag
from pullback.io.graphs import import_graph_def as import_graph_def
from pullback.modes.default import init_scope as init_scope
from pullback.modes.variables import global_variables_initializer as initialize_all_variables
from pullback.modes.variables import local_variables_initializer as initialize_local_variables
from pullback.modes.variables import variables_initializer as initialize_variables
from pullback.ops.array.layout import invert_permutation as invert_permutation
from pullback.ops.math.functions import is_finite as is_finite
from pullback.ops.math.functions import is_inf as is_inf
from pullback.ops.math.functions import is_nan as is_nan
from pullback.ops.control.assertions import is_non_decreasing as is_non_decreasing
from pullback.ops.array.knowledge import is_numeric_tensor as is_numeric_tensor
from pullback.ops.control.assertions import is_strictly_increasing as is_strictly_increasing
from pullback.ops.array.knowledge import is_symbolic_tensor as is_symbolic_tensor
from pullback.ops.array.knowledge import is_tensor as is_tensor
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
from pullback.io.tensors import make_ndarray as make_ndarray
from pullback.modes.module import make_template as make_template
from pullback.io.tensors import make_tensor_proto as make_tensor_proto
from pullback.ops.control.functional import map_fn as map_fn
from pullback.data.contents import matching_files as matching_files
from pullback.ops.linalg.matmul import matmul as matmul
from pullback.ops.linalg.bands import band_part as matrix_band_part
from pullback.ops.linalg.solving import det as matrix_determinant
from pullback.ops.linalg.bands import diag as matrix_diag
from pullback.ops.linalg.bands import diag_part as matrix_diag_part
from pullback.ops.linalg.solving import inv as matrix_inverse
from pullback.ops.linalg.bands import set_diag as matrix_set_diag
from pullback.ops.linalg.solving import solve as matrix_solve
from pullback.ops.linalg.least_squares import lstsq as matrix_solve_ls
from pullback.ops.linalg.matrix_functions import sqrtm as matrix_square_root
from pullback.ops.array.layout import matrix_transpose as matrix_transpose
from pullback.ops.linalg.solving import triangular_solve as matrix_triangular_solve
from pullback.ops.math.functions import maximum as maximum
from pullback.ops.array.ranges import meshgrid as meshgrid
from pullback.modes.partitioned import min_max_variable_partitioner as min_max_variable_partitioner
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
from pullback.data.parsing import parse_example_v1 as parse_example
from pullback.data.parsing import parse_single_example_v1 as parse_single_example
from pullback.data.sequences import parse_single_sequence_example as parse_single_sequence_example
from pullback.data.contents import parse_tensor as parse_tensor
from pullback.modes.session import placeholder as placeholder
from pullback.modes.session import placeholder_with_default as placeholder_with_default
from pullback.ops.math.gamma import polygamma as polygamma
from pullback.ops.math.functions import pow_ as pow
from pullback.ops.control.world import print_v2 as print
from pullback.ops.control.world import py_func as py_func
from pullback.ops.control.world import py_function as py_function
from pullback.ops.linalg.factors import qr as qr
from pullback.ops.random.crop import random_crop as random_crop
from pullback.ops.random.distributions import random_gamma as random_gamma
from pullback.ops.random.functions import random_normal as random_normal
from pullback.train.initializers_v1 import random_normal_initializer as random_normal_initializer
from pullback.ops.random.distributions import random_poisson_v1 as random_poisson
from pullback.ops.random.functions import random_shuffle as random_shuffle
from pullback.ops.random.functions import random_uniform as random_uniform
from pullback.train.initializers_v1 import random_uniform_initializer as random_uniform_initializer
from pullback.ops.array.ranges import range_ as range
from pullback.ops.array.sizes import rank as rank
from pullback.data.contents import read_file as read_file
from pullback.ops.math.functions import real as real
from pullback.ops.math.functions import realdiv as realdiv
from pullback.ops.math.functions import reciprocal as reciprocal
from pullback.modes.recompute import recompute_grad as recompute_grad
from pullback.ops.math.reduce_functions import reduce_all_v1 as reduce_all
from pullback.ops.math.reduce_functions import reduce_any_v1 as reduce_any
from pullback.ops.strings.joining import reduce_join_v1 as reduce_join
from pullback.ops.math.reduce_functions import reduce_logsumexp_v1 as reduce_logsumexp
from pullback.ops.math.reduce_functions import reduce_max_v1 as reduce_max
from pullback.ops.math.reduce_functions import reduce_mean_v1 as reduce_mean
from pullback.ops.math.reduce_functions import reduce_min_v1 as reduce_min
from pullback.ops.math.reduce_functions import reduce_prod_v1 as reduce_prod
from pullback.ops.math.reduce_functions import reduce_sum_v1 as reduce_sum
from pullback.ops.strings.elementwise import regex_replace as regex_replace
from pullback.ops.array.knowledge import register_tensor_conversion_function as register_tensor_conversion_function
from pullback.ops.array.padding import repeat as repeat
from pullback.modes.variables import report_uninitialized_variables as report_uninitialized_variables
from pullback.ops.array.phases import required_space_to_batch_paddings as required_space_to_batch_paddings
from pullback.modes.default import reset_default_graph as reset_default_graph
from pullback.ops.array.shape import reshape as reshape
from pullback.modes.default import resource_variables_enabled as resource_variables_enabled
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
from pullback.modes.scattering import scatter_add as scatter_add
from pullback.modes.scattering import scatter_div as scatter_div
from pullback.modes.scattering import scatter_max as scatter_max
from pullback.modes.scattering import scatter_min as scatter_min
from pullback.modes.scattering import scatter_mul as scatter_mul
from pullback.ops.array.places import scatter_nd as scatter_nd
from pullback.modes.scattering import scatter_nd_add as scatter_nd_add
from pullback.modes.scattering import scatter_nd_sub as scatter_nd_sub
from pullback.modes.scattering import scatter_nd_update as scatter_nd_update
from pullback.modes.scattering import scatter_sub as scatter_sub
from pullback.modes.scattering import scatter_update as scatter_update
from pullback.ops.array.bounds import searchsorted as searchsorted
from pullback.ops.array.segments import segment_max as segment_max
from pullback.ops.array.segments import segment_mean as segment_mean
from pullback.ops.array.segments import segment_min as segment_min
from pullback.ops.array.segments import segment_prod as segment_prod
from pullback.ops.array.segments import segment_sum as segment_sum
from pullback.ops.linalg.eigen import eigh as self_adjoint_eig
from pullback.ops.linalg.eigen import eigvalsh as self_adjoint_eigvals
from pullback.ops.array.ranges import sequence_mask as sequence_mask
from pullback.ops.random.seeds import set_seed as set_random_seed
from pullback.ops.array.differences import setdiff1d as setdiff1d
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
from pullback.ops.sparse.reductions import add_v1 as sparse_add
from pullback.ops.sparse.reductions import concat_v1 as sparse_concat
from pullback.ops.sparse.functions import fill_empty_rows as sparse_fill_empty_rows
from pullback.ops.sparse.functions import mask as sparse_mask
from pullback.ops.sparse.reductions import maximum as sparse_maximum
from pullback.ops.sparse.reductions import merge as sparse_merge
from pullback.ops.sparse.reductions import minimum as sparse_minimum
from pullback.modes.sparse import sparse_placeholder as sparse_placeholder
from pullback.ops.sparse.reductions import reduce_max_v1 as sparse_reduce_max
from pullback.ops.sparse.reductions import reduce_max_sparse_v1 as sparse_reduce_max_sparse
from pullback.ops.sparse.reductions import reduce_sum_v1 as sparse_reduce_sum
from pullback.ops.sparse.reductions import reduce_sum_sparse_v1 as sparse_reduce_sum_sparse
from pullback.ops.sparse.functions import reorder as sparse_reorder
from pullback.ops.sparse.functions import reset_shape as sparse_reset_shape
from pullback.ops.sparse.functions import reshape as sparse_reshape
from pullback.ops.sparse.functions import retain as sparse_retain
from pullback.ops.sparse.functions import slice_ as sparse_slice
from pullback.ops.sparse.reductions import softmax as sparse_softmax
from pullback.ops.sparse.reductions import split_v1 as sparse_split
from pullback.ops.sparse.functions import sparse_dense_matmul as sparse_tensor_dense_matmul
from pullback.ops.sparse.functions import to_dense as sparse_tensor_to_dense
from pullback.ops.sparse.functions import sparse_to_dense as sparse_to_dense
from pullback.ops.sparse.functions import to_indicator as sparse_to_indicator
from pullback.ops.sparse.functions import transpose as sparse_transpose
from pullback.ops.array.splitting import split as split
from pullback.ops.math.functions import sqrt as sqrt
from pullback.ops.math.functions import square as square
from pullback.ops.math.functions import squared_difference as squared_difference
from pullback.ops.array.shape import squeeze_v1 as squeeze
from pullback.ops.array.joining import stack as stack
from pullback.modes.custom import stop_gradient as stop_gradient
from pullback.ops.array.slicing import strided_slice as strided_slice
from pullback.ops.strings.joining import join as string_join
from pullback.ops.strings.joining import string_split as string_split
from pullback.ops.strings.elementwise import strip as string_strip
from pullback.ops.strings.hashing import to_hash_bucket_v1 as string_to_hash_bucket
from pullback.ops.strings.hashing import to_hash_bucket_fast as string_to_hash_bucket_fast
from pullback.ops.strings.hashing import to_hash_bucket_strong as string_to_hash_bucket_strong
from pullback.ops.strings.numbers import to_number_v1 as string_to_number
from pullback.ops.strings.elementwise import substr_v1 as substr
from pullback.ops.math.functions import subtract as subtract
from pullback.ops.linalg.factors import svd as svd
from pullback.modes.second_names import tables_initializer as tables_initializer
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
from pullback.ops.math.counting import unravel_index as unravel_index
from pullback.ops.array.segments import unsorted_segment_max as unsorted_segment_max
from pullback.ops.array.segments import unsorted_segment_mean as unsorted_segment_mean
from pullback.ops.array.segments import unsorted_segment_min as unsorted_segment_min
from pullback.ops.array.segments import unsorted_segment_prod as unsorted_segment_prod
from pullback.ops.array.segments import unsorted_segment_sqrt_n as unsorted_segment_sqrt_n
from pullback.ops.array.rows import unsorted_segment_sum as unsorted_segment_sum
from pullback.ops.array.joining import unstack as unstack
from pullback.modes.partitioned import variable_axis_size_partitioner as variable_axis_size_partitioner
from pullback.modes.creators import variable_creator_scope as variable_creator_scope
from pullback.modes.scope_variants import variable_op_scope as variable_op_scope
from pullback.modes.scopes import variable_scope as variable_scope
from pullback.modes.variables import variables_initializer as variables_initializer
from pullback.train.initializers_v1 import variance_scaling_initializer as variance_scaling_initializer
from pullback.modes.vectorized import vectorized_map as vectorized_map
from pullback.ops.math.check_numerics import verify_tensor_all_finite as verify_tensor_all_finite
from pullback.ops.array.masks import where_v1 as where
from pullback.ops.array.masks import where as where_v2
from pullback.ops.control.loop import while_loop as while_loop
from pullback.data.contents import write_file as write_file
from pullback.ops.array.creation import zeros as zeros
from pullback.train.initializers_v1 import zeros_initializer as zeros_initializer
from pullback.ops.array.creation import zeros_like_v1 as zeros_like
from pullback.ops.math.gamma import zeta as zeta

__all__ = [
    "AUTO_REUSE",
    "AggregationMethod",
    "Assert",
    "AttrValue",
    "COMPILER_VERSION",
    "ConfigProto",
    "DType",
    "Dimension",
    "Event",
    "FIFOQueue",
    "FixedLenFeature",
    "FixedLenSequenceFeature",
    "FixedLengthRecordReader",
    "GIT_VERSION",
    "GPUOptions",
    "GRAPH_DEF_VERSION",
    "GRAPH_DEF_VERSION_MIN_CONSUMER",
    "GRAPH_DEF_VERSION_MIN_PRODUCER",
    "GradientTape",
    "Graph",
    "GraphDef",
    "GraphKeys",
    "GraphOptions",
    "HistogramProto",
    "IdentityReader",
    "IndexedSlices",
    "IndexedSlicesValue",
    "InteractiveSession",
    "LogMessage",
    "MetaGraphDef",
    "Module",
    "NameAttrList",
    "NoGradient",
    "NodeDef",
    "NotDifferentiable",
    "OpError",
    "Operation",
    "OptimizerOptions",
    "PaddingFIFOQueue",
    "Print",
    "PriorityQueue",
    "QueueBase",
    "RaggedTensor",
    "RandomShuffleQueue",
    "ReaderBase",
    "RegisterGradient",
    "RunMetadata",
    "RunOptions",
    "Session",
    "SessionLog",
    "SparseFeature",
    "SparseTensor",
    "SparseTensorSpec",
    "SparseTensorValue",
    "Summary",
    "SummaryMetadata",
    "TFRecordReader",
    "Tensor",
    "TensorArray",
    "TensorInfo",
    "TensorShape",
    "TensorSpec",
    "TextLineReader",
    "UnconnectedGradients",
    "VERSION",
    "VarLenFeature",
    "Variable",
    "VariableAggregation",
    "VariableScope",
    "VariableSynchronization",
    "WholeFileReader",
    "abs",
    "accumulate_n",
    "acos",
    "acosh",
    "add",
    "add_check_numerics_ops",
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
    "as_string",
    "asin",
    "asinh",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_integer",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_type",
    "assign",
    "assign_add",
    "assign_sub",
    "atan",
    "atan2",
    "atanh",
    "batch_gather",
    "batch_to_space",
    "batch_to_space_nd",
    "betainc",
    "bincount",
    "bitcast",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "case",
    "cast",
    "ceil",
    "check_numerics",
    "cholesky",
    "cholesky_solve",
    "clip_by_average_norm",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "colocate_with",
    "complex",
    "concat",
    "cond",
    "confusion_matrix",
    "conj",
    "constant",
    "constant_initializer",
    "control_dependencies",
    "control_flow_v2_enabled",
    "conv",
    "conv2d_backprop_filter_v2",
    "conv2d_backprop_input_v2",
    "convert_to_tensor",
    "convert_to_tensor_or_indexed_slices",
    "convert_to_tensor_or_sparse_tensor",
    "cos",
    "cosh",
    "count_nonzero",
    "count_up_to",
    "cross",
    "cumprod",
    "cumsum",
    "custom_gradient",
    "decode_base64",
    "decode_compressed",
    "decode_csv",
    "decode_raw",
    "depth_to_space",
    "device",
    "diag",
    "diag_part",
    "digamma",
    "dimension_at_index",
    "dimension_value",
    "disable_eager_execution",
    "disable_resource_variables",
    "disable_tensor_equality",
    "disable_v2_behavior",
    "disable_v2_tensorshape",
    "div",
    "div_no_nan",
    "divide",
    "dynamic_partition",
    "dynamic_stitch",
    "edit_distance",
    "einsum",
    "enable_control_flow_v2",
    "enable_eager_execution",
    "enable_resource_variables",
    "enable_tensor_equality",
    "enable_v2_behavior",
    "enable_v2_tensorshape",
    "encode_base64",
    "ensure_shape",
    "equal",
    "erf",
    "erfc",
    "executing_eagerly",
    "exp",
    "expand_dims",
    "explain",
    "explain_plan",
    "expm1",
    "extract_image_patches",
    "extract_volume_patches",
    "eye",
    "fft",
    "fft2d",
    "fft3d",
    "fill",
    "fixed_size_partitioner",
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
    "get_local_variable",
    "get_logger",
    "get_seed",
    "get_static_value",
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
    "histogram_fixed_width",
    "histogram_fixed_width_bins",
    "identity",
    "identity_n",
    "ifft",
    "ifft2d",
    "ifft3d",
    "igamma",
    "igammac",
    "imag",
    "import_graph_def",
    "init_scope",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "invert_permutation",
    "is_finite",
    "is_inf",
    "is_nan",
    "is_non_decreasing",
    "is_numeric_tensor",
    "is_strictly_increasing",
    "is_symbolic_tensor",
    "is_tensor",
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
    "make_ndarray",
    "make_template",
    "make_tensor_proto",
    "map_fn",
    "matching_files",
    "matmul",
    "matrix_band_part",
    "matrix_determinant",
    "matrix_diag",
    "matrix_diag_part",
    "matrix_inverse",
    "matrix_set_diag",
    "matrix_solve",
    "matrix_solve_ls",
    "matrix_square_root",
    "matrix_transpose",
    "matrix_triangular_solve",
    "maximum",
    "meshgrid",
    "min_max_variable_partitioner",
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
    "parse_example",
    "parse_single_example",
    "parse_single_sequence_example",
    "parse_tensor",
    "placeholder",
    "placeholder_with_default",
    "polygamma",
    "pow",
    "print",
    "py_func",
    "py_function",
    "qr",
    "random_crop",
    "random_gamma",
    "random_normal",
    "random_normal_initializer",
    "random_poisson",
    "random_shuffle",
    "random_uniform",
    "random_uniform_initializer",
    "range",
    "rank",
    "read_file",
    "real",
    "realdiv",
    "reciprocal",
    "recompute_grad",
    "reduce_all",
    "reduce_any",
    "reduce_join",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "regex_replace",
    "register_tensor_conversion_function",
    "repeat",
    "report_uninitialized_variables",
    "required_space_to_batch_paddings",
    "reset_default_graph",
    "reshape",
    "resource_variables_enabled",
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
    "scatter_div",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_nd",
    "scatter_nd_add",
    "scatter_nd_sub",
    "scatter_nd_update",
    "scatter_sub",
    "scatter_update",
    "searchsorted",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "self_adjoint_eig",
    "self_adjoint_eigvals",
    "sequence_mask",
    "set_random_seed",
    "setdiff1d",
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
    "sparse_add",
    "sparse_concat",
    "sparse_fill_empty_rows",
    "sparse_mask",
    "sparse_maximum",
    "sparse_merge",
    "sparse_minimum",
    "sparse_placeholder",
    "sparse_reduce_max",
    "sparse_reduce_max_sparse",
    "sparse_reduce_sum",
    "sparse_reduce_sum_sparse",
    "sparse_reorder",
    "sparse_reset_shape",
    "sparse_reshape",
    "sparse_retain",
    "sparse_slice",
    "sparse_softmax",
    "sparse_split",
    "sparse_tensor_dense_matmul",
    "sparse_tensor_to_dense",
    "sparse_to_dense",
    "sparse_to_indicator",
    "sparse_transpose",
    "split",
    "sqrt",
    "square",
    "squared_difference",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "string_join",
    "string_split",
    "string_strip",
    "string_to_hash_bucket",
    "string_to_hash_bucket_fast",
    "string_to_hash_bucket_strong",
    "string_to_number",
    "substr",
    "subtract",
    "svd",
    "tables_initializer",
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
    "unravel_index",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
    "unstack",
    "variable_axis_size_partitioner",
    "variable_creator_scope",
    "variable_op_scope",
    "variable_scope",
    "variables_initializer",
    "variance_scaling_initializer",
    "vectorized_map",
    "verify_tensor_all_finite",
    "where",
    "where_v2",
    "while_loop",
    "write_file",
    "zeros",
    "zeros_initializer",
    "zeros_like",
    "zeta",
]

def __getattr__(name: str) -> Any: ...
