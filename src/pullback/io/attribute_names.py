"""Where TensorFlow's attributes differ from what an op's signature and `attrs` say. Facts about its op definitions.

Type attributes are listed by the input they come from: "Tidx=1" is the type of input 1.
"""

from __future__ import annotations

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
    "index_type=0": "Fill",
    "shape_type=0": "TensorListReserve",
}
_ABSENT = {
    "N": "Assert EagerPyFunc Print",
    "T": (
        "GatherNd GatherV2 LogicalAnd LogicalNot LogicalOr PlaceholderWithDefault RandomPoissonV2 Range "
        "TensorListFromTensor TensorListSplit"
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
