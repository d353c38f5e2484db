"""ONNX's backend suite: models with inputs and outputs, which come with the package onnx.

Node tests are models of one operator each, or of the simpler operators that one is made of ("expanded"). The other
kinds are models that PyTorch wrote, and whole networks for images whose weights are constants.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

from pullback.interop import onnx as ours

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


class Case(NamedTuple):
    """A model and what it must answer."""

    name: str
    model: onnx.ModelProto
    data: list[tuple[list[Any], list[Any]]]  # (inputs, outputs)
    rtol: float
    atol: float

    @property
    def operators(self) -> set[str]:
        return {node.op_type for node in self.model.graph.node}

    def fault(self) -> str | None:
        """What is wrong with our answer; None where nothing is."""
        try:
            prepared = ours.prepare(self.model)
            for inputs, outputs in self.data:
                Runner.assert_similar_outputs(outputs, prepared.run(inputs), self.rtol, self.atol)
        except Exception as error:
            return f"{self.name}: {type(error).__name__}: {error} {getattr(error, '__notes__', '')}"
        return None


@functools.cache
def cases(kind: str) -> list[Case]:
    """The suite's cases of a kind: "node", "simple", "pytorch-operator", "pytorch-converted"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the formulas that make the expected values
        return [_case(test) for test in load_model_tests(kind=kind)]


def _case(test: Any) -> Case:
    if test.model_dir is None:
        data = [tuple([list(map(_array, side)) for side in pair]) for pair in test.data_sets]
        return Case(test.name, test.model, data, test.rtol, test.atol)
    folder = Path(test.model_dir)
    data = [(_stored(d, "input"), _stored(d, "output")) for d in sorted(folder.glob("test_data_set_*"))]
    return Case(test.name, onnx.load(folder / "model.onnx"), data, test.rtol, test.atol)


def _array(value: Any) -> Any:
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def _stored(folder: Path, which: str) -> list[Any]:
    paths = [folder / f"{which}_{i}.pb" for i in range(len(list(folder.glob(f"{which}_*.pb"))))]
    return [_tensor(path) for path in paths]


def _tensor(path: Path) -> Any:
    """A stored tensor; None of what is none, as a sequence, which no model that is translated takes."""
    try:
        return numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))
    except (ValueError, TypeError):
        return None


def in_double(case: Case) -> tuple[onnx.ModelProto, list[Any]]:
    """A node test's model and first inputs, float32 become float64, in which differences can be trusted; and moved a
    little, so that no two numbers are equal where a maximum is taken."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    for value in (*model.graph.input, *model.graph.output):
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
            value.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    rng = np.random.default_rng(0)
    inputs = [x + 1e-3 * rng.normal(size=x.shape) if x.dtype == np.float32 else x for x in case.data[0][0]]
    return model, inputs


def networks() -> Iterator[Case]:
    """Whole networks, AlexNet to ResNet and DenseNet, on the picture that the suite's runner makes up."""
    for path in sorted(LIGHT.glob("*.onnx")):
        model = onnx.load(path)
        stored = {tensor.name for tensor in model.graph.initializer}
        inputs = [Runner.generate_dummy_data(value) for value in model.graph.input if value.name not in stored]
        yield Case(path.stem, model, [(inputs, [_tensor(path.with_name(f"{path.stem}_output_0.pb"))])], 1e-3, 1e-7)
