"""Every argument of every function of convolution, pooling and patches: a wrong one is refused, the message says what
would have been right, and where the user said it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback import _names

# Arguments that any value is right for: truth values, names, and what TensorFlow's GPU kernels read.
FREE = {"name", "use_cudnn_on_gpu", "include_batch_in_index", "pseudo_random", "overlapping", "deterministic"}


def ones(*shape: int) -> Any:
    return np.ones(shape, np.float32)


def unchanged(phases: Any, axes: int, padding: str) -> Any:
    return phases


Wrong = tuple[Any, str]  # a value, and words that the message must hold
WORDS: dict[str, Wrong] = {
    "strides": ([1, 2, 3, 4, 5, 6], "strides must be an int,"),
    "stride": (0, "strides must be an int,"),
    "ksize": (-1, "ksize must be an int,"),
    "padding": ("same", 'did you mean "SAME"'),
    "data_format": ("HWCN", "data_format must be"),
    "dilations": (0, "dilations must be an int,"),
    "rate": ("two", "must be an int,"),
}
IMAGE: Wrong = (ones(5, 5, 2), "must have 4 dimensions")
ROW: Wrong = (ones(5, 2), "must have 3 dimensions")
VOLUME: Wrong = (ones(5, 5, 5, 2), "must have 5 dimensions")
CHANNELS: Wrong = (ones(2, 2, 5, 3), "the image has 2 channels, which must be the filter's 5 or a multiple of it")
SIZES: Wrong = ([1, 9, 9, 2], "must be 5")  # of an image whose convolution is 5 high

x1, x2, x3 = ones(1, 5, 2), ones(1, 5, 5, 2), ones(1, 5, 5, 5, 2)
w1, w2, w3 = ones(2, 2, 2), ones(2, 2, 2, 2), ones(2, 2, 2, 2, 2)
SAME: dict[str, Any] = {"strides": 1, "padding": "SAME"}
POOL: dict[str, Any] = {"ksize": 2, "strides": 2, "padding": "SAME"}
PLAIN: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME"}
DEEP: dict[str, Any] = {"strides": [1, 1, 1, 1, 1], "padding": "SAME"}
RATIO: dict[str, Wrong] = {
    "value": IMAGE,
    "pooling_ratio": ([1, 0.5, 1.5, 1], "pooling_ratio must be [1, rows, columns, 1], each at least 1"),
    "seed": ("seven", "seed must be an int"),
}
INDEX = np.zeros((1, 3, 3, 2), np.int64)

# function: (arguments that it takes, for each a wrong value and words); what is not said stands in WORDS.
V2: dict[str, tuple[dict[str, Any], dict[str, Wrong]]] = {
    "nn.conv1d": (
        {"input": x1, "filters": w1, "stride": 1, "padding": "SAME"},
        {"input": ROW, "filters": (ones(2, 2), "filters must have 3 dimensions")},
    ),
    "nn.conv2d": ({"input": x2, "filters": w2, **SAME}, {"input": IMAGE, "filters": CHANNELS}),
    "nn.conv3d": (
        {"input": x3, "filters": w3, **SAME},
        {"input": VOLUME, "filters": (ones(2, 2, 2, 2), "must have 5 dimensions [depth,height,width,in,out]")},
    ),
    "nn.convolution": (
        {"input": x2, "filters": w2, **SAME},
        {"input": IMAGE, "filters": (ones(2, 2), "filters must have 3 to 5 dimensions, [*window,in,out]")},
    ),
    "nn.conv1d_transpose": (
        {"input": x1, "filters": w1, "output_shape": [1, 5, 2], **SAME},
        {"input": ROW, "filters": (ones(2, 2), "filters must have 3"), "output_shape": ([1, 9, 2], "W must be 5")},
    ),
    "nn.conv2d_transpose": (
        {"input": x2, "filters": w2, "output_shape": x2.shape, **SAME},
        {"input": IMAGE, "filters": (ones(2, 2, 2, 3), "filter [2,2,2,3] needs 3"), "output_shape": SIZES},
    ),
    "nn.conv3d_transpose": (
        {"input": x3, "filters": w3, "output_shape": x3.shape, **SAME},
        {
            "input": VOLUME,
            "filters": (ones(2, 2), "must have 5 dimensions [depth,height,width,in,out]"),
            "output_shape": ([1, 5, 5, 2], "output_shape must be 5 numbers"),
        },
    ),
    "nn.conv_transpose": (
        {"input": x2, "filters": w2, "output_shape": x2.shape, **SAME},
        {"input": IMAGE, "filters": (ones(2), "filters must have 3 to 5 dimensions"), "output_shape": SIZES},
    ),
    "nn.atrous_conv2d": (
        {"value": x2, "filters": w2, "rate": 2, "padding": "SAME"},
        {"value": IMAGE, "filters": CHANNELS},
    ),
    "nn.atrous_conv2d_transpose": (
        {"value": x2, "filters": w2, "output_shape": x2.shape, "rate": 2, "padding": "SAME"},
        {"value": IMAGE, "filters": (w3, "must have 4 dimensions [height,width,in,out]"), "output_shape": SIZES},
    ),
    "nn.depthwise_conv2d": (
        {"input": x2, "filter": w2, **SAME},
        {"input": IMAGE, "filter": (ones(2, 2, 3, 2), "the filter's last but one dimension must be 2, not 3")},
    ),
    "nn.separable_conv2d": (
        {"input": x2, "depthwise_filter": w2, "pointwise_filter": ones(1, 1, 4, 3), **SAME},
        {
            "input": IMAGE,
            "depthwise_filter": (ones(2, 2, 3, 2), "last but one dimension must be 2"),
            "pointwise_filter": (ones(2, 2, 4, 3), "pointwise_filter must be [1,1,in,out]"),
        },
    ),
    "nn.depthwise_conv2d_backprop_input": (
        {"input_sizes": x2.shape, "filter": w2, "out_backprop": ones(1, 5, 5, 4), **PLAIN},
        {
            "input_sizes": SIZES,
            "filter": (ones(2, 2, 2, 3), "needs 6"),
            "out_backprop": (ones(1, 5, 5, 3), "filter [2,2,2,2] needs 4"),
        },
    ),
    "nn.depthwise_conv2d_backprop_filter": (
        {"input": x2, "filter_sizes": w2.shape, "out_backprop": ones(1, 5, 5, 4), **PLAIN},
        {
            "input": IMAGE,
            "filter_sizes": ([2, 2, 2], "filter_sizes must be 4 numbers"),
            "out_backprop": (ones(2, 5, 5, 4), "input has batch 1, but out_backprop 2"),
        },
    ),
    "nn.max_pool": ({"input": x2, **POOL}, {"input": (ones(2, 2), "must have 3 to 5 dimensions")}),
    "nn.max_pool1d": ({"input": x1, **POOL}, {"input": ROW}),
    "nn.max_pool2d": ({"input": x2, **POOL}, {"input": IMAGE}),
    "nn.max_pool3d": ({"input": x3, **POOL}, {"input": VOLUME}),
    "nn.avg_pool": ({"input": x2, **POOL}, {"input": (ones(2, 2), "must have 3 to 5 dimensions")}),
    "nn.avg_pool1d": ({"input": x1, **POOL}, {"input": ROW}),
    "nn.avg_pool2d": ({"input": x2, **POOL}, {"input": IMAGE}),
    "nn.avg_pool3d": ({"input": x3, **POOL}, {"input": VOLUME}),
    "nn.max_pool_with_argmax": (
        {"input": x2, **POOL},
        {
            "input": IMAGE,
            "data_format": ("NCHW", 'data_format must be "NHWC"'),
            "output_dtype": (tf.float32, "must be int32 or int64"),
        },
    ),
    "nn.pool": (
        {"input": x2, "window_shape": [2, 2], "pooling_type": "MAX", "padding": "VALID"},
        {
            "input": IMAGE,
            "window_shape": ([2, 2, 2, 2], "window_shape must have 1 to 3 numbers"),
            "pooling_type": ("MIN", 'pooling_type must be "MAX" or "AVG"'),
        },
    ),
    "nn.fractional_max_pool": ({"value": x2, "pooling_ratio": 1.5}, RATIO),
    "nn.fractional_avg_pool": ({"value": x2, "pooling_ratio": 1.5}, RATIO),
    "nn.max_unpool": (
        {"pooled": ones(1, 3, 3, 2), "argmax": INDEX, "output_shape": [1, 5, 5, 2]},
        {
            "pooled": (ones(1, 3, 2, 2), "values and their switches have shapes that differ"),
            "argmax": (INDEX + 50, "switches must lie in the image, from 0 to 49"),
            "output_shape": ([2, 5, 5, 2], "values [1,3,3,2] have batch 1"),
        },
    ),
    "nn.avg_unpool": (
        {"value": ones(1, 3, 3, 2), **POOL},
        {"value": (ones(3, 2), "must have 3 to 5 dimensions"), "output_shape": ([1, 9, 6, 2], "so H is 5 or 6")},
    ),
    "nn.dilation2d": (
        {"input": x2, "filters": ones(2, 2, 2), **PLAIN, "data_format": "NHWC", "dilations": 1},
        {"input": IMAGE, "filters": (w2, "[height,width,channels]"), "data_format": ("NCHW", 'must be "NHWC"')},
    ),
    "nn.erosion2d": (
        {"value": x2, "filters": ones(2, 2, 2), **PLAIN, "data_format": "NHWC", "dilations": 1},
        {"value": IMAGE, "filters": (w2, "[height,width,channels]"), "data_format": ("NCHW", 'must be "NHWC"')},
    ),
    "nn.space_to_depth": (
        {"input": ones(1, 4, 4, 1), "block_size": 2},
        {"input": (ones(1, 3, 4, 1), "height 3 must be a multiple of 2"), "block_size": (1, "must be at least 2")},
    ),
    "nn.depth_to_space": (
        {"input": ones(1, 4, 4, 4), "block_size": 2},
        {"input": (ones(1, 4, 4, 3), "channels 3 must be a multiple of 4"), "block_size": (0, "must be at least 2")},
    ),
    "space_to_batch": (
        {"input": ones(1, 4), "block_shape": [2], "paddings": [[0, 0]]},
        {
            "input": (ones(4), "an input of at least 2 axes"),
            "block_shape": ([0], "block_shape must be at least 1"),
            "paddings": ([[0, 1]], "a padded size of 5 must be a multiple of 2"),
        },
    ),
    "batch_to_space": (
        {"input": ones(2, 4), "block_shape": [2], "crops": [[0, 0]]},
        {
            "input": (ones(3, 4), "the number of batches 3 must be a multiple of 2"),
            "block_shape": ([0], "block_shape must be at least 1"),
            "crops": ([[5, 5]], "crops of 10 are larger than 8 pixels"),
        },
    ),
    "required_space_to_batch_paddings": (
        {"input_shape": [5], "block_shape": [2], "base_paddings": [[0, 0]]},
        {
            "input_shape": ([5, 5], "must be vectors of one length"),
            "block_shape": ([[2]], "must be vectors of one length"),
            "base_paddings": ([[0, 0, 0]], "base_paddings must have shape [1,2]"),
        },
    ),
    "nn.with_space_to_batch": (
        {"input": ones(1, 4, 1), "dilation_rate": [2], "padding": "SAME", "op": unchanged, "filter_shape": [2]},
        {
            "input": (ones(4), "input must have an axis for each of spatial_dims [1]"),
            "dilation_rate": ([0], "dilation_rate must be positive ints"),
            "padding": ("same", 'padding must be "SAME" or "VALID"'),
            "op": (7, "op must be a function (input, axes, padding)"),
            "filter_shape": (None, 'padding "SAME" needs filter_shape, 1 ints'),
            "spatial_dims": ([0], "spatial_dims must be 1 rising axes after the batch"),
            "data_format": (7, "data_format must be a layout"),
        },
    ),
    "image.extract_patches": (
        {"images": x2, "sizes": [1, 2, 2, 1], "strides": [1, 1, 1, 1], "rates": [1, 1, 1, 1], "padding": "SAME"},
        {
            "images": (ones(5, 5, 2), "the image must be [batch,height,width,channels]"),
            "sizes": ([2, 2], "ksizes must be [1, rows, columns, 1]"),
            "strides": (1, "strides must be a list [1, rows, columns, 1]"),
            "rates": ([1, 0, 1, 1], "rates must be [1, rows, columns, 1], at least 1"),
        },
    ),
    "extract_volume_patches": (
        {"input": x3, "ksizes": [1, 2, 2, 2, 1], "strides": [1, 1, 1, 1, 1], "padding": "SAME"},
        {
            "input": (x2, "the image must be [batch,planes,height,width,channels]"),
            "ksizes": ([1, 2, 2, 1], "ksizes must be [1, planes, rows, columns, 1]"),
            "strides": ([2, 1, 1, 1, 1], "strides must be [1, planes, rows, columns, 1]"),
        },
    ),
    "conv": (
        {"input": x2, "filter": w2, **PLAIN},
        {
            "input": (x3, "input [*batch,*spatial,in] with 1 batch axes"),
            "filter": (ones(2, 2), "one to three"),
            "explicit_paddings": ([1, 1], 'go with padding "EXPLICIT"'),
            "data_format": ("NHWC", "'CHANNELS_LAST' or 'CHANNELS_FIRST'"),
            "batch_dims": (2, "with 2 batch axes"),
            "groups": (2, "2 channels in 2 groups need a filter of 1 input channels, not 2"),
        },
    ),
    "conv2d_backprop_input_v2": (
        {"input": x2, "filter": w2, "out_backprop": x2, **PLAIN},
        {
            "input": (ones(1, 9, 5, 2), "H must be 5"),
            "filter": (ones(2, 2, 2, 3), "filter [2,2,2,3] needs 3"),
            "out_backprop": IMAGE,
            "explicit_paddings": ([1, 1], "explicit_paddings are eight numbers"),
        },
    ),
    "conv2d_backprop_filter_v2": (
        {"input": x2, "filter": w2, "out_backprop": x2, **PLAIN},
        {
            "input": IMAGE,
            "filter": (ones(2, 2, 2), "filter_sizes must be 4 numbers"),
            "out_backprop": (ones(1, 4, 5, 2), "makes 5, but out_backprop has 4"),
            "explicit_paddings": ([1, 1], "explicit_paddings are eight numbers"),
        },
    ),
}  # fmt: skip
V1: dict[str, tuple[dict[str, Any], dict[str, Wrong]]] = {
    "nn.conv2d_backprop_input": (
        {"input_sizes": x2.shape, "filter": w2, "out_backprop": x2, **PLAIN},
        {
            "input_sizes": SIZES,
            "filter": (ones(2, 2, 2, 3), "needs 3"),
            "out_backprop": IMAGE,
            "filters": (w2, "filters and filter are the same argument; give one"),
        },
    ),
    "nn.conv2d_backprop_filter": (
        {"input": x2, "filter_sizes": w2.shape, "out_backprop": x2, **PLAIN},
        {
            "input": IMAGE,
            "filter_sizes": ([2, 2, 2, -1], "negative size"),
            "out_backprop": (ones(1, 5, 5, 3), "the last of filter_sizes must be 3, not 2"),
        },
    ),
    "nn.conv3d_backprop_filter": (
        {"input": x3, "filter_sizes": w3.shape, "out_backprop": x3, **DEEP},
        {
            "input": VOLUME,
            "filter_sizes": ([2, 2, 2, 2], "filter_sizes must be 5 numbers"),
            "out_backprop": (ones(1, 5, 5, 4, 2), "over W = 5 makes 5, but out_backprop has 4"),
        },
    ),
    "nn.conv2d": (
        {"input": x2, "filter": w2, **SAME},
        {"input": IMAGE, "filter": CHANNELS, "filters": (w2, "filters and filter are the same argument")},
    ),
    "nn.max_pool_with_argmax": (
        {"input": x2, **POOL, "Targmax": tf.int64},
        {
            "input": IMAGE,
            "data_format": ("NCHW", 'data_format must be "NHWC"'),
            "Targmax": (tf.uint8, "must be int32 or int64"),
            "output_dtype": (tf.int64, "Targmax and output_dtype are the same argument"),
        },
    ),
    "space_to_batch": (
        {"input": ones(1, 4, 4, 1), "paddings": [[0, 0], [0, 0]], "block_size": 2},
        {
            "input": (ones(1, 4), "an input of at least 3 axes"),
            "paddings": ([[0, 1], [0, 0]], "a padded size of 5 must be a multiple of 2"),
            "block_size": (0, "block_shape must be at least 1"),
            "block_shape": ([2, 2], "block_shape"),
        },
    ),
    "batch_to_space": (
        {"input": ones(4, 2, 2, 1), "crops": [[0, 0], [0, 0]], "block_size": 2},
        {
            "input": (ones(3, 2, 2, 1), "the number of batches 3 must be a multiple of 4"),
            "crops": ([[5, 0], [0, 0]], "crops of 5 are larger than 4 pixels"),
            "block_size": (0, "block_shape must be at least 1"),
            "block_shape": ([2, 2], "block_shape"),
        },
    ),
    "nn.fractional_avg_pool": (
        {"value": x2, "pooling_ratio": 1.5},
        {**RATIO, "seed": (3, "say deterministic=True"), "seed2": ("x", "seed2 must be an int")},
    ),
    "nn.fractional_max_pool": (
        {"value": x2, "pooling_ratio": 1.5},
        {**RATIO, "seed": (3, "say deterministic=True"), "seed2": (3, "say deterministic=True")},
    ),
}

# TensorFlow 1's functions that differ by earlier names alone: {earlier name: later name}. The later name is an argument
# too, and may not be given beside the earlier one.
EARLIER: dict[str, dict[str, str]] = {
    "nn.conv1d": {"value": "input"},
    "nn.conv3d": {"filter": "filters"},
    "nn.convolution": {"filter": "filters", "dilation_rate": "dilations"},
    "nn.conv2d_transpose": {"value": "input", "filter": "filters"},
    "nn.conv3d_transpose": {"value": "input", "filter": "filters"},
    "nn.depthwise_conv2d": {"rate": "dilations"},
    "nn.separable_conv2d": {"rate": "dilations"},
    "nn.max_pool": {"value": "input"},
    "nn.avg_pool": {"value": "input"},
    "nn.pool": {"dilation_rate": "dilations"},
    "nn.dilation2d": {"filter": "filters", "rates": "dilations"},
    "nn.erosion2d": {"kernel": "filters", "rates": "dilations"},
    "image.extract_image_patches": {"ksizes": "sizes"},
}
LATER = {"image.extract_image_patches": "image.extract_patches"}


def earlier(name: str) -> tuple[dict[str, Any], dict[str, Wrong]]:
    """A row of V1 of a row of V2."""
    right, wrong = V2[LATER.get(name, name)]
    names = {new: old for old, new in EARLIER[name].items()}
    given = {names.get(argument, argument): value for argument, value in {"dilations": 1, **right}.items()}
    given = {argument: value for argument, value in given.items() if argument in parameters(v1, name)}
    refused = {old: wrong.get(new, WORDS.get(new)) for old, new in EARLIER[name].items()}
    if name in ("nn.max_pool", "nn.avg_pool"):
        refused["value"] = IMAGE
    for old, new in EARLIER[name].items():
        refused[new] = (given[old], "the same argument")
    return given, {**wrong, **refused}  # type: ignore[dict-item]


def parameters(space: Any, name: str) -> list[str]:
    return list(inspect.signature(named(space, name)).parameters)


def named(space: Any, name: str) -> Callable[..., Any]:
    made = space
    for part in name.split("."):
        made = getattr(made, part)
    return made


V1 |= {name: earlier(name) for name in EARLIER}
V1 |= {
    "space_to_depth": V2["nn.space_to_depth"],
    "depth_to_space": V2["nn.depth_to_space"],
    "batch_to_space_nd": V2["batch_to_space"],
    "nn.depthwise_conv2d_native": V2["nn.depthwise_conv2d"],
}
V2["space_to_batch_nd"] = V2["space_to_batch"]
CASES = [
    pytest.param(space, name, argument, id=f"{dialect}-{name}-{argument}")
    for dialect, space, table in (("v2", tf, V2), ("v1", v1, V1))
    for name in table
    for argument in parameters(space, name)
    if argument not in FREE
]


@pytest.mark.parametrize(("space", "name", "argument"), CASES)
def test_a_wrong_argument_is_explained(space: Any, name: str, argument: str) -> None:
    right, wrong = (V1 if space is v1 else V2)[name]
    value, words = wrong[argument] if argument in wrong else WORDS[argument]
    with v1.Graph().as_default() if space is v1 else tf.name_scope("eager"):
        named(space, name)(**right)
        with pytest.raises(tf.errors.InvalidArgumentError) as raised:
            named(space, name)(**{**right, argument: value})
    assert words in str(raised.value), raised.value
    assert "test_convolution_arguments.py:" in str(raised.value), raised.value
    assert isinstance(raised.value, (ValueError, TypeError))


ROOMS = tuple(
    f"pullback.ops.{room}"
    for room in ("nn.conv", "nn.depthwise", "nn.pool", "nn.morphology", "image.patches", "array.blocks", "array.phases")
)


def test_every_function_has_a_row() -> None:
    """Of both dialects; a function that has several names has a row under one of them."""
    rows = {_names.V2[name] for name in V2} | {_names.V1[name] for name in V1}
    missing = {
        name
        for table in (_names.V2, _names.V1)
        for name, place in table.items()
        if place.startswith(ROOMS) and not name.startswith("raw_ops.") and place not in rows
    }
    assert not missing, missing
