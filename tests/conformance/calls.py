"""How each op of the grid is called through the public TensorFlow-2 functions.

An op not listed here is the function of its name, in `tf.math`, `tf.nn`, `tf.linalg` or `tf`, with the case's inputs
in order and its attributes by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback.v1 as tf1

Call = Callable[[Any, list[Any], dict[str, Any]], Any]


def found(tf: Any, name: str) -> Any:
    """tf.NAME, or None when it is not served; "v1:NAME" is TensorFlow 1's."""
    at = tf1 if name.startswith("v1:") else tf
    for part in name.removeprefix("v1:").split("."):
        try:
            at = getattr(at, part)
        except (AttributeError, ImportError):
            return None
    return at


RENAMED = {
    "neg": "math.negative",
    "swish": "nn.swish",
    "norm": "norm",
    "truncatemod": "truncatemod",
    "truncatediv": "truncatediv",
    "l2_normalize": "math.l2_normalize",
    "where": "where",
    "matvec": "linalg.matvec",
}


def place(op: str, tf: Any) -> str | None:
    """The public name that serves an op without an entry in CALLS."""
    names = [RENAMED[op]] if op in RENAMED else [f"math.{op}", f"nn.{op}", f"linalg.{op}", op]
    return next((name for name in names if found(tf, name) is not None), None)


def spread(pair: list[int], attrs: dict[str, Any]) -> list[int]:
    """Sizes for the spatial axes as sizes for all."""
    last = attrs.get("data_format", "NHWC").endswith("C")
    return [1, *pair, 1] if last else [1, 1, *pair]


def full(attrs: dict[str, Any], *names: str) -> dict[str, Any]:
    return {k: spread(v, attrs) if k in names else v for k, v in attrs.items()}


def _backprop_input(name: str) -> Call:
    def call(tf: Any, args: list[Any], attrs: dict[str, Any]) -> Any:
        sizes = {k: v for k, v in attrs.items() if k != "input_sizes"}
        return found(tf, name)(attrs["input_sizes"], *args, **full(sizes, "strides", "dilations"))

    return call


def _backprop_filter(name: str) -> Call:
    def call(tf: Any, args: list[Any], attrs: dict[str, Any]) -> Any:
        sizes = {k: v for k, v in attrs.items() if k != "filter_sizes"}
        return found(tf, name)(args[0], attrs["filter_sizes"], args[1], **full(sizes, "strides", "dilations"))

    return call


def raw_attributes(attrs: dict[str, Any]) -> dict[str, Any]:
    """As the raw ops take them: padding by pairs is "EXPLICIT" with a flat list."""
    made = full(attrs, "strides", "dilations")
    if not isinstance(attrs["padding"], str):
        made |= {"padding": "EXPLICIT", "explicit_paddings": [n for pair in attrs["padding"] for n in pair]}
    return made


def _convolution_backprop(part: str) -> Call:
    """TensorFlow 1's function where a session's graph is being built, else the raw op, which TensorFlow 2 has too."""
    first = "filter" if part == "input" else "input"
    by_v1 = (_backprop_input if part == "input" else _backprop_filter)(f"v1:nn.conv2d_backprop_{part}")

    def call(tf: Any, args: list[Any], attrs: dict[str, Any]) -> Any:
        if args[0].dialect.name == "v1":
            return by_v1(tf, args, attrs)
        raw = found(tf, f"raw_ops.Conv2DBackprop{part.capitalize()}")
        return raw(**{first: args[0], "out_backprop": args[1]}, **raw_attributes(attrs))

    return call


def _morphology(name: str) -> Call:
    return lambda tf, args, attrs: found(tf, name)(*args, data_format="NHWC", **full(attrs, "strides", "dilations"))


def _listed(name: str) -> Call:
    return lambda tf, args, attrs: found(tf, name)(args, **attrs)


def _norm(tf: Any, args: list[Any], attrs: dict[str, Any]) -> Any:
    order = attrs["ord"]
    kind = {"inf": np.inf}.get(order) or (order if order in ("euclidean", "fro") else float(order))
    return tf.norm(*args, **{**attrs, "ord": kind})


def _sliced(x: Any, text: str) -> Any:
    return eval(text, {"x": x, "newaxis": None})


def _cast(tf: Any, args: list[Any], attrs: dict[str, Any]) -> Any:
    (x,) = args
    if "expression" in attrs:  # float(int(x))*x
        return tf.cast(tf.cast(x, tf.int32), x.dtype) * x
    return tf.cast(x, attrs["dtype"])


def _fused_batch_norm(tf: Any, args: list[Any], attrs: dict[str, Any]) -> Any:
    x, scale, offset = args[:3]
    mean, variance = args[3:] or (tf.zeros([0], scale.dtype),) * 2
    made = tf.raw_ops.FusedBatchNormV3(x=x, scale=scale, offset=offset, mean=mean, variance=variance, **attrs)
    return tuple(made)[:3]


def _raw(name: str, first: str) -> Call:
    return lambda tf, args, attrs: found(tf, f"raw_ops.{name}")(**{first: args[0]}, **attrs)


def _ctc_loss(tf: Any, args: list[Any], attrs: dict[str, Any]) -> Any:
    return tf.nn.ctc_loss(logits=args[0], logits_time_major=True, **attrs)


# op -> (public names that must exist, the call)
CALLS: dict[str, tuple[tuple[str, ...], Call]] = {
    "where through sqrt": (("where", "sqrt"), lambda tf, args, attrs: tf.where(args[0], args[1], tf.sqrt(args[2]))),
    "gelu_approximate": (("nn.gelu",), lambda tf, args, attrs: tf.nn.gelu(*args, approximate=True)),
    "norm": (("norm",), _norm),
    "add_n": (("add_n",), _listed("add_n")),
    "concat": (("concat",), _listed("concat")),
    "stack": (("stack",), _listed("stack")),
    "cast": (("cast",), _cast),
    "strided_slice": (
        ("strided_slice",),
        lambda tf, args, attrs: _sliced(args[0], attrs["slice"]),
    ),
    "dynamic_stitch": (("dynamic_stitch",), lambda tf, args, attrs: tf.dynamic_stitch(attrs["indices"], args)),
    "reverse_sequence": (
        ("reverse_sequence",),
        lambda tf, args, attrs: tf.reverse_sequence(*args, seq_axis=1, batch_axis=0),
    ),
    "einsum": (("einsum",), lambda tf, args, attrs: tf.einsum(attrs["equation"], *args)),
    "image.extract_patches": (
        ("image.extract_patches",),
        lambda tf, args, attrs: tf.image.extract_patches(*args, **attrs),
    ),
    "clip_by_global_norm": (
        ("clip_by_global_norm",),
        lambda tf, args, attrs: tf.clip_by_global_norm(args, attrs["clip_norm"])[0],
    ),
    "fused_batch_norm": (("raw_ops.FusedBatchNormV3",), _fused_batch_norm),
    # The grid's inputs lie in (-1, 1) and were brought into (0, 1) first.
    "ndtri": (("math.ndtri",), lambda tf, args, attrs: tf.math.ndtri(args[0] * 0.5 + 0.5)),
    "dropout with a given mask": ((), lambda tf, args, attrs: args[0] * args[1] / (1 - attrs["rate"])),
    "ctc_loss": (("nn.ctc_loss",), _ctc_loss),
    "conv2d_backprop_input": (
        ("v1:nn.conv2d_backprop_input", "raw_ops.Conv2DBackpropInput"),
        _convolution_backprop("input"),
    ),
    "conv2d_backprop_filter": (
        ("v1:nn.conv2d_backprop_filter", "raw_ops.Conv2DBackpropFilter"),
        _convolution_backprop("filter"),
    ),
    "depthwise_conv2d": (
        ("nn.depthwise_conv2d",),
        lambda tf, args, attrs: tf.nn.depthwise_conv2d(*args, **full(attrs, "strides")),
    ),
    "depthwise_conv2d_backprop_input": (
        ("nn.depthwise_conv2d_backprop_input",),
        _backprop_input("nn.depthwise_conv2d_backprop_input"),
    ),
    "depthwise_conv2d_backprop_filter": (
        ("nn.depthwise_conv2d_backprop_filter",),
        _backprop_filter("nn.depthwise_conv2d_backprop_filter"),
    ),
    "separable_conv2d": (
        ("nn.separable_conv2d",),
        lambda tf, args, attrs: tf.nn.separable_conv2d(*args, **full(attrs, "strides")),
    ),
    "conv3d": (("nn.conv3d",), lambda tf, args, attrs: tf.nn.conv3d(*args, **full(attrs, "strides", "dilations"))),
    "conv3d_transpose": (
        ("nn.conv3d_transpose",),
        lambda tf, args, attrs: tf.nn.conv3d_transpose(*args, **full(attrs, "strides", "dilations")),
    ),
    "dilation2d": (("nn.dilation2d",), _morphology("nn.dilation2d")),
    "erosion2d": (("nn.erosion2d",), _morphology("nn.erosion2d")),
    "raw ClipByValue": (
        ("raw_ops.ClipByValue",),
        lambda tf, args, attrs: tf.raw_ops.ClipByValue(t=args[0], clip_value_min=args[1], clip_value_max=args[2]),
    ),
    "raw ResizeBilinear": (("raw_ops.ResizeBilinear",), _raw("ResizeBilinear", "images")),
    "raw ResizeNearestNeighbor": (("raw_ops.ResizeNearestNeighbor",), _raw("ResizeNearestNeighbor", "images")),
    "raw ResizeBicubic": (("raw_ops.ResizeBicubic",), _raw("ResizeBicubic", "images")),
    **{
        f"image.{name}": (
            (f"image.{name}",),
            lambda tf, args, attrs, name=name: found(tf, f"image.{name}")(*args, **attrs),
        )
        for name in ("resize", "crop_and_resize")
    },
}


def call_of(tf: Any, op: str) -> Call | None:
    """What calls the op; None when its public functions are not there."""
    if op in CALLS:
        names, call = CALLS[op]
        return call if all(found(tf, name) is not None for name in names) else None
    name = place(op, tf)
    if name is None:
        return None
    return lambda tf, args, attrs: found(tf, name)(*args, **attrs)
