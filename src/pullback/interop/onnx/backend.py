"""Pullback as a backend of ONNX: what `onnx.backend.base.Backend` asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx.backend.base import Backend as Base
from onnx.backend.base import BackendRep, namedtupledict

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.interop.onnx.graph import Graph, step, untranslated


class Prepared(BackendRep):
    """A model ready to run."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The outputs as arrays, a tuple that is also known by their names.

        Args:
          inputs: arrays in the order of the graph's inputs, or by name; one may stand bare.
        Raises:
          ArgumentError: inputs are missing, or an option is given; there are none.
        """
        _no_options(kwargs)
        if isinstance(inputs, Mapping):
            made = self.graph(**inputs)
        else:
            made = self.graph(*(inputs if isinstance(inputs, (list, tuple)) else [inputs]))
        return _named(self.graph.outputs, made)


def _named(names: list[str], made: Any) -> Any:
    return namedtupledict("Outputs", names)(*[np.asarray(y.numpy()) for y in made])


def _no_options(options: Mapping[str, Any]) -> None:
    if options:
        raise ArgumentError(f"the ONNX backend of Pullback has no options, but {sorted(options)} were given").locate()


def _on_cpu(device: str) -> None:
    if not Backend.supports_device(device):
        raise ArgumentError(f'the ONNX backend of Pullback computes on "CPU", not on {device!r}').locate()


class Backend(Base):
    """ONNX's interface for one that computes its models. All on the CPU, by Pullback's current engine."""

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether all of the model's operators and types are translated."""
        return cls.supports_device(device) and not untranslated(model)

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> Prepared:
        """The model, checked and translated.

        Raises:
          onnx.checker.ValidationError: it is no valid model.
          UnimplementedError: it has operators that are not translated; names all of them.
          ArgumentError: another device, or an option; there are none.
        """
        _no_options(kwargs)
        _on_cpu(device)
        onnx.checker.check_model(model)
        return Prepared(Graph(model))

    @classmethod
    def run_model(cls, model: onnx.ModelProto, inputs: Any, device: str = "CPU", **kwargs: Any) -> tuple[Any, ...]:
        """prepare(model).run(inputs)"""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(
        cls, node: onnx.NodeProto, inputs: Any, device: str = "CPU", outputs_info: Any = None, **kwargs: Any
    ) -> tuple[Any, ...]:
        """The outputs of one node as arrays.

        Args:
          inputs: arrays for the node's inputs, in order, without those left out; or by name.
          outputs_info: (dtype, shape) of each output; they are checked.
          kwargs: opset_version, the newest where left out.
        """
        version = kwargs.pop("opset_version", onnx.defs.onnx_opset_version())
        _no_options(kwargs)
        _on_cpu(device)
        super().run_node(node, inputs, device, outputs_info, opset_version=version)
        names = [name for name in node.input if name]
        fed = inputs if isinstance(inputs, Mapping) else dict(zip(names, inputs, strict=True))
        known = {name: interpreter.as_tensor(value) for name, value in fed.items()}
        step(node, version)(known)
        outputs = [name for name in node.output if name]
        made = _named(outputs, [known[name] for name in outputs])
        for name, y, (dtype, shape) in zip(outputs, made, outputs_info or [], strict=False):
            if (y.dtype, y.shape) != (np.dtype(dtype), tuple(shape)):
                raise ArgumentError(
                    f"ONNX node {node.name!r}: output {name!r} is {y.dtype}{list(y.shape)}, where outputs_info says "
                    f"{np.dtype(dtype)}{list(shape)}"
                ).locate()
        return made

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether it is "CPU"."""
        return device == "CPU"
