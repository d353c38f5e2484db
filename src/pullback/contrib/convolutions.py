"""`tf.contrib.layers` and `slim`: convolutions; pooling is in pooling.py.

x [N,H,W,C], filters [R,S,C,K]; data formats that begin with "NC" put C second.
"""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import add_arg_scope, contrib
from pullback.contrib.layers import finished, kept_in
from pullback.contrib.regularizers import xavier_initializer
from pullback.contrib.variables import model_variable

_BOTH = "layers slim"
_FORMATS = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}


def _sizes(value: Any, rank: int) -> list[int]:
    return [int(value)] * rank if isinstance(value, int) else [int(v) for v in value]


def _format(data_format: Any, rank: int) -> str:
    if data_format is None:
        return _FORMATS[rank][0]
    if data_format not in _FORMATS[rank]:
        raise ValueError(f"data_format has to be either {_FORMATS[rank][0]} or {_FORMATS[rank][1]}.")
    return data_format


def _channels(inputs: Any, data_format: str) -> int:
    size = tf.dimension_value(inputs.shape[1 if data_format.startswith("NC") else -1])
    if size is None:
        raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
    return size


def _biased(outputs: Any, size: int, given: Any, data_format: str) -> Any:
    """The outputs plus a variable `biases`, unless a normalizer makes it needless."""
    if given["normalizer_fn"] is not None or given["biases_initializer"] is None:
        return outputs
    biases = model_variable(
        "biases",
        [size],
        outputs.dtype.base_dtype,
        given["biases_initializer"],
        given["biases_regularizer"],
        given["trainable"],
        kept_in(given["variables_collections"], "biases"),
    )
    return tf.nn.bias_add(outputs, biases, data_format="NCHW" if data_format.startswith("NC") else "NHWC")


def _convolved(rank: int | None, inputs: Any, num_outputs: int, given: dict[str, Any]) -> Any:
    with tf.variable_scope(given["scope"], "Conv", [inputs], reuse=given["reuse"]):
        inputs = tf.convert_to_tensor(inputs)
        found = inputs.shape.ndims - 2
        if rank not in (None, found):
            raise ValueError(f"Convolution expects input with rank {rank + 2}, got {found + 2}")
        kind = _format(given["data_format"], found)
        weights = model_variable(
            "weights",
            [*_sizes(given["kernel_size"], found), _channels(inputs, kind), num_outputs],
            inputs.dtype.base_dtype,
            given["weights_initializer"],
            given["weights_regularizer"],
            given["trainable"],
            kept_in(given["variables_collections"], "weights"),
        )
        outputs = tf.nn.convolution(
            inputs,
            weights,
            given["padding"],
            strides=_sizes(given["stride"], found),
            dilation_rate=_sizes(given["rate"], found),
            data_format=kind,
        )
        outputs = _biased(outputs, num_outputs, given, kind)
        return finished(
            outputs,
            given["activation_fn"],
            given["normalizer_fn"],
            given["normalizer_params"],
            given["outputs_collections"],
        )


def _convolution(rank: int | None, names: tuple[str, ...], name: str) -> Any:
    def convolution(
        inputs: Any,
        num_outputs: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: str = "SAME",
        data_format: Any = None,
        rate: Any = 1,
        activation_fn: Any = tf.nn.relu,
        normalizer_fn: Any = None,
        normalizer_params: Any = None,
        weights_initializer: Any = xavier_initializer(),
        weights_regularizer: Any = None,
        biases_initializer: Any = tf.zeros_initializer(),
        biases_regularizer: Any = None,
        reuse: Any = None,
        variables_collections: Any = None,
        outputs_collections: Any = None,
        trainable: bool = True,
        scope: Any = None,
    ) -> Any:
        """activation(x * w + b), a convolution of as many axes as the inputs have.

        Variables: `weights` [R,S,C,num_outputs], `biases` [num_outputs] (not with normalizer_fn).

        Args:
          stride, rate: a number, or one an axis; not both above 1. rate: distance between taps.
        Raises:
          ValueError: the inputs' rank is another, or their channels are not known.
        """
        given = dict(locals())
        return _convolved(rank, given.pop("inputs"), given.pop("num_outputs"), given)

    convolution.__name__ = convolution.__qualname__ = name
    return contrib(_BOTH, *names)(add_arg_scope(convolution))


convolution = _convolution(None, ("convolution",), "convolution")
convolution1d = _convolution(1, ("conv1d", "convolution1d"), "convolution1d")
convolution2d = _convolution(2, ("conv2d", "convolution2d"), "convolution2d")
convolution3d = _convolution(3, ("conv3d", "convolution3d"), "convolution3d")


def _transposed(rank: int, inputs: Any, num_outputs: int, given: dict[str, Any]) -> Any:
    with tf.variable_scope(given["scope"], f"Conv{rank}d_transpose", [inputs], reuse=given["reuse"]):
        inputs = tf.convert_to_tensor(inputs)
        kind, padding = _format(given["data_format"], rank), given["padding"].upper()
        kernel, strides = _sizes(given["kernel_size"], rank), _sizes(given["stride"], rank)
        weights = model_variable(
            "weights",
            [*kernel, num_outputs, _channels(inputs, kind)],
            inputs.dtype.base_dtype,
            given["weights_initializer"],
            given["weights_regularizer"],
            given["trainable"],
            kept_in(given["variables_collections"], "weights"),
        )
        first = kind.startswith("NC")
        sizes, known = tf.shape(inputs), inputs.shape.as_list()
        extra = [max(k - s, 0) if padding == "VALID" else 0 for k, s in zip(kernel, strides, strict=True)]
        space = [
            (known[a] * s + e) if known[a] is not None else sizes[a] * s + e
            for a, (s, e) in enumerate(zip(strides, extra, strict=True), 2 if first else 1)
        ]
        batch = sizes[0] if known[0] is None else known[0]
        shape = [batch, num_outputs, *space] if first else [batch, *space, num_outputs]
        steps = [1, 1, *strides] if first else [1, *strides, 1]
        transpose = {2: tf.nn.conv2d_transpose, 3: tf.nn.conv3d_transpose}[rank]
        outputs = transpose(inputs, weights, tf.stack(shape), strides=steps, padding=padding, data_format=kind)
        outputs = _biased(outputs, num_outputs, given, kind)
        return finished(
            outputs,
            given["activation_fn"],
            given["normalizer_fn"],
            given["normalizer_params"],
            given["outputs_collections"],
        )


def _transposed_convolution(rank: int) -> Any:
    def convolution_transpose(
        inputs: Any,
        num_outputs: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: str = "SAME",
        data_format: str = _FORMATS[rank][0],
        activation_fn: Any = tf.nn.relu,
        normalizer_fn: Any = None,
        normalizer_params: Any = None,
        weights_initializer: Any = xavier_initializer(),
        weights_regularizer: Any = None,
        biases_initializer: Any = tf.zeros_initializer(),
        biases_regularizer: Any = None,
        reuse: Any = None,
        variables_collections: Any = None,
        outputs_collections: Any = None,
        trainable: bool = True,
        scope: Any = None,
    ) -> Any:
        """activation(transposed convolution + b). [N,H,W,C] -> [N,H*stride,W*stride,num_outputs] with "SAME"; "VALID"
        adds max(kernel - stride, 0). With three axes likewise.

        Variables: `weights` [R,S,num_outputs,C], `biases` [num_outputs] (not with normalizer_fn).
        """
        given = dict(locals())
        return _transposed(rank, given.pop("inputs"), given.pop("num_outputs"), given)

    convolution_transpose.__name__ = convolution_transpose.__qualname__ = f"convolution{rank}d_transpose"
    names = (f"conv{rank}d_transpose", f"convolution{rank}d_transpose")
    return contrib(_BOTH, *names)(add_arg_scope(convolution_transpose))


convolution2d_transpose = _transposed_convolution(2)
convolution3d_transpose = _transposed_convolution(3)


@contrib(_BOTH, "separable_conv2d", "separable_convolution2d")
@add_arg_scope
def separable_convolution2d(
    inputs: Any,
    num_outputs: int | None,
    kernel_size: Any,
    depth_multiplier: int = 1,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str = "NHWC",
    rate: Any = 1,
    activation_fn: Any = tf.nn.relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    pointwise_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = tf.zeros_initializer(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """A convolution of each channel, then one of 1 x 1 over the channels (not with num_outputs None).

    Variables: `depthwise_weights` [R,S,C,depth_multiplier], `pointwise_weights` [1,1,C*depth_multiplier,num_outputs],
    `biases`.
    """
    given = dict(locals())
    with tf.variable_scope(scope, "SeparableConv2d", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        kind = _format(data_format, 2)
        channels, dtype = _channels(inputs, kind), inputs.dtype.base_dtype
        kept = kept_in(variables_collections, "weights")
        depthwise = model_variable(
            "depthwise_weights",
            [*_sizes(kernel_size, 2), channels, depth_multiplier],
            dtype,
            weights_initializer,
            weights_regularizer,
            trainable,
            kept,
        )
        strides = _sizes(stride, 2)
        steps = [1, 1, *strides] if kind.startswith("NC") else [1, *strides, 1]
        rates = _sizes(rate, 2)
        if num_outputs is None:
            size = channels * depth_multiplier
            outputs = tf.nn.depthwise_conv2d(inputs, depthwise, steps, padding, rate=rates, data_format=kind)
        else:
            size = num_outputs
            pointwise = model_variable(
                "pointwise_weights",
                [1, 1, channels * depth_multiplier, num_outputs],
                dtype,
                pointwise_initializer or weights_initializer,
                weights_regularizer,
                trainable,
                kept,
            )
            outputs = tf.nn.separable_conv2d(inputs, depthwise, pointwise, steps, padding, rate=rates, data_format=kind)
        outputs = _biased(outputs, size, given, kind)
        return finished(outputs, activation_fn, normalizer_fn, normalizer_params, outputs_collections)
