"""`tf.contrib.layers` and `slim`: pooling of two and three axes. x [N,H,W,C] or [N,D,H,W,C], or C second."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import add_arg_scope, contrib
from pullback.contrib.layer_arguments import n_positive_integers
from pullback.contrib.variables import noted

_BOTH = "layers slim"
_FORMATS = {2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}


def _pooled(given: dict[str, Any], pool: Any, name: str, rank: int) -> Any:
    kind = given["data_format"]
    if kind not in _FORMATS[rank]:
        raise ValueError(f"data_format has to be either {_FORMATS[rank][0]} or {_FORMATS[rank][1]}.")
    with tf.name_scope(given["scope"], name, [given["inputs"]]):
        inputs = tf.convert_to_tensor(given["inputs"])

        def over(value: Any) -> list[int]:
            sizes = n_positive_integers(rank, value)
            return [1, 1, *sizes] if kind.startswith("NC") else [1, *sizes, 1]

        window, steps = over(given["kernel_size"]), over(given["stride"])
        outputs = pool(inputs, window, steps, given["padding"].upper(), data_format=kind)
        return noted(outputs, given["outputs_collections"])


def _pooling(pool: Any, kind: str, rank: int, doc: str) -> Any:
    def pooling(
        inputs: Any,
        kernel_size: Any,
        stride: Any = 2,
        padding: str = "VALID",
        data_format: str = _FORMATS[rank][0],
        outputs_collections: Any = None,
        scope: Any = None,
    ) -> Any:
        return _pooled(dict(locals()), pool, f"{kind.capitalize()}Pool{rank}D", rank)

    pooling.__name__ = pooling.__qualname__ = f"{kind}_pool{rank}d"
    pooling.__doc__ = f"{doc} kernel_size, stride: a number, or one an axis."
    return contrib(_BOTH, pooling.__name__)(add_arg_scope(pooling))


max_pool2d = _pooling(tf.nn.max_pool, "max", 2, "The largest value in each window.")
avg_pool2d = _pooling(tf.nn.avg_pool, "avg", 2, "The mean of each window.")
max_pool3d = _pooling(tf.nn.max_pool3d, "max", 3, "The largest value in each window of three axes.")
avg_pool3d = _pooling(tf.nn.avg_pool3d, "avg", 3, "The mean of each window of three axes.")


@contrib(_BOTH, "pool")
@add_arg_scope
def pool(
    inputs: Any,
    kernel_size: Any,
    pooling_type: str,
    padding: str = "VALID",
    data_format: Any = None,
    dilation_rate: Any = 1,
    stride: Any = 1,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """`tf.nn.pool` of as many axes as the inputs have.

    Args:
      pooling_type: "MAX" or "AVG". kernel_size, dilation_rate, stride: a number, or one an axis.
    Raises:
      ValueError: the inputs' rank is not known, or below 3.
    """
    with tf.name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as name:
        inputs = tf.convert_to_tensor(inputs)
        if inputs.shape.ndims is None:
            raise ValueError("Rank of inputs must be known")
        if inputs.shape.ndims < 3:
            raise ValueError(f"Rank of inputs must be >= 3, but is {inputs.shape.ndims}")
        count = inputs.shape.ndims - 2
        outputs = tf.nn.pool(
            inputs,
            n_positive_integers(count, kernel_size),
            pooling_type,
            padding,
            dilation_rate=n_positive_integers(count, dilation_rate),
            strides=n_positive_integers(count, stride),
            data_format=data_format,
            name=name,
        )
        return noted(outputs, outputs_collections)
