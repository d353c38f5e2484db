"""Where TensorFlow's attributes and names of outputs differ from what an op's signature and `attrs` say. Facts about
its op definitions.

Type attributes are listed by the input they come from: "Tidx=1" is the type of input 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_TYPES = {
    "Index=1, T=4": "ResourceStridedSliceAssign",
    "Index=1": "Slice StridedSlice StridedSliceGrad",
    "R=1, S=0": "RandomPoissonV2",
    "S=0": "RandomGamma",
    "T=0": (
        "RandomStandardNormal RandomUniform RandomUniformInt Rank ScaleAndTranslateGrad Shape ShapeN "
        "Size TruncatedNormal"
    ),
    "T=1": "Assign AssignAdd AssignSub TensorSummaryV2",
    "T=2, Tindices=1": "ScatterAdd ScatterSub ScatterUpdate",
    "TInput=0": "MaxPool3DGrad",
    "Taxis=2, Tparams=0": "GatherV2",
    "Taxis=2, Tshift=1": "Roll",
    "Tblock_shape=1, Tcrops=2": "BatchToSpaceND",
    "Tblock_shape=1, Tpaddings=2": "SpaceToBatchND",
    "Tdim=1": "ExpandDims",
    "Tidx=-1": "ConcatV2",
    "Tidx=0": "Range",
    "Tidx=1": "ArgMax ArgMin BroadcastTo ReverseV2",
    "Tindices=1": "SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum",
    "Tlabels=1": "SparseSoftmaxCrossEntropyWithLogits",
    "Tlen=1": "SplitV",
    "Tmultiples=1": "Tile",
    "Tnumsegments=2": "UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum",
    "Tpaddings=1": "MirrorPad MirrorPadGrad Pad PadV2",
    "Tparams=0": "GatherNd",
    "Tperm=1": "ConjugateTranspose Transpose",
    "Tshape=0, dtype=4": "StatelessRandomUniformIntV2",
    "Tshape=0": (
        "Conv3DBackpropInputV2 StatelessRandomNormalV2 StatelessRandomUniformFullIntV2 "
        "StatelessRandomUniformV2 StatelessTruncatedNormalV2"
    ),
    "Tshape=1": "Reshape",
    "dtype=0": "PlaceholderWithDefault",
    "element_dtype=0, shape_type=1": "TensorListFromTensor TensorListSplit",
    "element_dtype=1": "TensorListScatterIntoExistingList",
    "element_dtype=2": "TensorListSetItem",
    "shape_type=1": "TensorListConcatV2",
    "index_type=0": "Fill",
    "shape_type=0": "TensorListReserve",
}
_ABSENT = {
    "C": "IRFFT IRFFT2D IRFFT3D",
    "R": "RFFT RFFT2D RFFT3D",
    "N": "Assert EagerPyFunc Print PyFunc PyFuncStateless",
    "T": (
        "GatherNd GatherV2 LogicalAnd LogicalNot LogicalOr PlaceholderWithDefault RandomPoissonV2 Range "
        "TensorListFromTensor TensorListScatterIntoExistingList TensorListSetItem TensorListSplit"
    ),
    "Tout": "StatelessRandomUniformIntV2",
    "arguments": "IdentityN",
    "explicit_paddings": (
        "AvgPool AvgPool3D AvgPool3DGrad AvgPoolGrad Conv3D Conv3DBackpropFilterV2 Conv3DBackpropInputV2 "
        "MaxPool3D MaxPool3DGrad MaxPool3DGradGrad MaxPoolGradGrad"
    ),
}
# Op type -> {type attribute: input it is the type of}.
TYPES_OF_INPUTS: dict[str, dict[str, int]] = {
    kind: {name: int(place) for name, _, place in (part.partition("=") for part in said.split(", "))}
    for said, kinds in _TYPES.items()
    for kind in kinds.split()
}
# Op type -> the attribute that lists types of inputs, and the first of those.
TYPE_LISTS: dict[str, tuple[str, int]] = {
    "Assert": ("T", 1),
    "IdentityN": ("T", 0),
    "Print": ("U", 1),
    "QueueEnqueueManyV2": ("Tcomponents", 1),
    "QueueEnqueueV2": ("Tcomponents", 1),
}
# Op type -> attributes of ours that it does not have.
ABSENT: dict[str, set[str]] = {
    kind: {name for name, others in _ABSENT.items() if kind in others.split()}
    for kinds in _ABSENT.values()
    for kind in kinds.split()
}
# Attributes that say how TensorFlow's kernels share memory or order; ours always do the one thing.
FIXED: dict[str, dict[str, Any]] = {
    "Assign": {"validate_shape": True, "use_locking": True},
    **{kind: {"use_locking": False} for kind in ("AssignAdd", "AssignSub", "ScatterAdd", "ScatterSub")},
    "ScatterUpdate": {"use_locking": True},
}
_OUTPUTS = {
    "activations": "Elu Relu Relu6 Selu Softplus Softsign",
    "backprops": "EluGrad Relu6Grad ReluGrad SeluGrad SoftplusGrad SoftsignGrad",
    "diagonal": "DiagPart",
    "handle": "TensorListReserve",
    "output": (
        "AsString BroadcastTo Conj DecodeBase64 Diag EagerPyFunc EncodeBase64 FFT FFT2D FFT3D IFFT IFFT2D IFFT3D IRFFT "
        "IRFFT2D IRFFT3D Identity IdentityN If LowerBound PartitionedCall PlaceholderWithDefault PreventGradient Print "
        "PyFunc PyFuncStateless "
        "RFFT RFFT2D RFFT3D ReduceJoin RegexFullMatch RegexReplace SelectV2 Shape StatefulPartitionedCall StatelessIf "
        "StatelessWhile StopGradient StringJoin StringLength StringLower StringStrip StringToNumber StringUpper Substr "
        "UnicodeEncode UnicodeTranscode UpperBound While"
    ),
    "output_handle": "TensorListFromTensor TensorListScatterIntoExistingList TensorListSetItem TensorListSplit",
    "output_ref": "Assign AssignAdd AssignSub ScatterAdd ScatterSub ScatterUpdate",
    "records_produced": "ReaderNumRecordsProducedV2",
    "ref": "VariableV2",
    "resource": "VarHandleOp",
    "resource_handle": "IteratorFromStringHandleV2",
    "units_completed": "ReaderNumWorkUnitsCompletedV2",
    "y": (
        "Abs Acos Acosh Asin Asinh Atan Atanh BesselI0 BesselI0e BesselI1 BesselI1e Ceil Cos Cosh Digamma Erf Erfc "
        "Erfinv Exp Expm1 Floor IsFinite IsInf IsNan Lgamma Log Log1p LogicalNot Ndtri Neg Reciprocal Rint Round Rsqrt "
        "Sigmoid Sign Sin Sinh Sqrt Square Tan Tanh"
    ),
}
# Op type -> the name of its one output, or of its list of outputs, where the signature has another.
OUTPUTS: dict[str, str] = {kind: name for name, kinds in _OUTPUTS.items() for kind in kinds.split()}
# The same of ops with several.
SEVERAL: dict[str, tuple[str, ...]] = {
    "SparseReorder": ("output_indices", "output_values"),
    "SparseToSparseSetOperation": ("result_indices", "result_values", "result_shape"),
    "UnicodeDecode": ("row_splits", "char_values"),
}


def output_place(kind: str, names: Sequence[str], index: int) -> tuple[str, int]:
    """How functions name an output: its argument's name, and the place in it.

    Args:
      kind: the type as it is written. names: of the op's results by its signature. index: which result.
    """
    if kind in SEVERAL:
        return SEVERAL[kind][index], 0
    if kind in OUTPUTS:
        return OUTPUTS[kind], index
    if index < len(names):
        return names[index], 0
    return names[-1], index - len(names) + 1
