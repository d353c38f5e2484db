"""Small ONNX models, and single nodes, that several tests run."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from pullback.interop import onnx as ours

FLOAT, DOUBLE, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64


def node(operator: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def model(
    nodes: list[Any],
    inputs: dict[str, Any],
    outputs: dict[str, Any],
    weights: dict[str, Any] | None = None,
    *,
    element: int = DOUBLE,
    version: int = 22,
) -> Any:
    """A model whose inputs and outputs have these shapes."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, element, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, element, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=10)


def run(operator: str, *inputs: Any, outputs: int = 1, version: int = 22, **attributes: Any) -> Any:
    """The outputs of one node."""
    names, made = [f"i{i}" for i in range(len(inputs))], [f"o{i}" for i in range(outputs)]
    found = ours.run_node(helper.make_node(operator, names, made, **attributes), list(inputs), opset_version=version)
    return found[0] if outputs == 1 else found


def autoencoder() -> tuple[Any, dict[str, Any]]:
    """Conv, MaxPool, MaxUnpool by its places, ConvTranspose; windows that overlap, so that places are said twice."""
    rng = np.random.default_rng(0)
    weights = {"w": rng.normal(size=(2, 2, 3, 3)), "b": rng.normal(size=2), "v": rng.normal(size=(2, 2, 2, 2))}
    nodes = [
        node("Conv", "x w b", "h", auto_pad="SAME_LOWER"),
        node("MaxPool", "h", "p at", kernel_shape=[3, 3], strides=[2, 2]),
        node("MaxUnpool", "p at", "u", kernel_shape=[3, 3], strides=[2, 2]),
        node("ConvTranspose", "u v", "y", strides=[2, 1], output_padding=[1, 0], pads=[1, 0, 0, 1]),
    ]
    return model(nodes, {"x": [1, 2, 5, 5]}, {"y": [1, 2, 10, 5]}, weights), weights


def classifier() -> Any:
    rng = np.random.default_rng(3)
    shapes = {"conv1.weight": (4, 1, 3, 3), "dense.weight": (10, 36), "dense.bias": (10,)}
    weights = {name: (rng.normal(size=shape) / 4).astype(np.float32) for name, shape in shapes.items()}
    nodes = [
        node("Conv", "x conv1.weight", "a", pads=[1, 1, 1, 1]),
        node("Relu", "a", "b"),
        node("MaxPool", "b", "c", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        node("Flatten", "c", "d"),
        node("Gemm", "d dense.weight dense.bias", "e", transB=1),
        node("Softmax", "e", "y"),
    ]
    return model(nodes, {"x": ["batch", 1, 6, 6]}, {"y": ["batch", 10]}, weights, element=FLOAT)
