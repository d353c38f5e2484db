"""ONNX models through Pullback's own ops: values, and gradients of any order.

    from pullback.interop import onnx
    model = onnx.load("network.onnx")        # a function of tensors, see `graph`
    onnx.operators()                         # what is translated
    onnx.prepare(proto).run([x])             # the interface that ONNX gives backends, see `backend`

Each operator is one function in the file of its family, declared by `@operator`; `table` says how they are found. An
operator of one's own is declared in the same way, from anywhere.
"""

try:
    import onnx as _onnx  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "pullback.interop.onnx needs the package onnx; install it by pip install 'pullback[onnx]'", name="onnx"
    ) from error

from pullback.interop.onnx import (  # noqa: F401  the rows of the table
    activation,
    arithmetic,
    constant,
    convolution,
    layout,
    linear,
    normalization,
    pooling,
    reduction,
    resizing,
    selection,
)
from pullback.interop.onnx.backend import Backend
from pullback.interop.onnx.graph import Graph, load
from pullback.interop.onnx.table import operator, operators

is_compatible = Backend.is_compatible
prepare = Backend.prepare
run_model = Backend.run_model
run_node = Backend.run_node
supports_device = Backend.supports_device

__all__ = [
    "Backend",
    "Graph",
    "is_compatible",
    "load",
    "operator",
    "operators",
    "prepare",
    "run_model",
    "run_node",
    "supports_device",
]
