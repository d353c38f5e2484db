"""An ONNX model as a function of tensors: its nodes, in their order, each by the function that the table has for it.

    model = load("network.onnx")
    with tf.GradientTape() as tape:
        tape.watch(x)
        (y,) = model(x)
    dx = tape.gradient(y, x)

Nothing here knows an operator, and nothing of the rest knows a file. Eagerly each call computes; in a graph, as inside
`tf.function`, it records; so values, gradients of any order and pictures come as for any other function.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

import onnx

import pullback as tf
from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.interop.onnx import table, values
from pullback.interop.onnx.functions import expanded
from pullback.interop.onnx.table import OWN


class Step(NamedTuple):
    """A node, ready to run."""

    name: str
    row: table.Row
    inputs: tuple[str, ...]  # "" for one that is left out
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    def __call__(self, known: dict[str, Any]) -> None:
        """Adds the results to what is known, by name."""
        asked = max([i + 1 for i, name in enumerate(self.outputs) if name], default=0)
        try:
            with tf.name_scope(_scope(self.name or self.row.name)):
                made = self.row([known[name] if name else None for name in self.inputs], self.attributes, asked)
        except Exception as error:
            error.add_note(f"in ONNX node {self.name!r}: {self.row.name}{list(self.inputs)} -> {list(self.outputs)}")
            raise
        if len(made) < asked:
            raise ArgumentError(
                f"ONNX node {self.name!r} asks {self.row.name} for {asked} outputs, which has {len(made)}"
            ).locate()
        known.update({name: y for name, y in zip(self.outputs, made, strict=False) if name})


def _scope(name: str) -> str:
    """The name of a node as TensorFlow lets scopes be named."""
    plain = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name).lstrip("_/->\\")
    return plain or "node"


def step(node: onnx.NodeProto, version: int) -> Step:
    """A node with its function and attributes.

    Raises:
      UnimplementedError: its operator or one of its attributes is not translated.
    """
    attributes = {a.name: values.attribute(a) for a in node.attribute}
    return Step(node.name, table.row(node.op_type, version), tuple(node.input), tuple(node.output), attributes)


class Graph:
    """An ONNX model's graph as a function.

    inputs: names of what must be given. outputs: names of what comes back. initializers: name -> array, the weights.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        """
        Raises:
          UnimplementedError: it has operators or types that are not translated; names all of them.
          ArgumentError: the model's data are in other files, see `load`.
        """
        self.name = model.graph.name
        self.version = version_of(model)
        model = expanded(model, self.version)
        if lacking := _lacking(model, self.version):
            raise table.untranslated(f"ONNX graph {self.name!r}", lacking)
        graph = model.graph
        self.initializers = {t.name: values.array(t) for t in graph.initializer}
        self.elements = {v.name: v.type.tensor_type.elem_type for v in graph.input}
        self.inputs = [name for name in self.elements if name not in self.initializers]
        self.outputs = [v.name for v in graph.output]
        self.steps = [step(node, self.version) for node in graph.node]

    def __call__(self, /, *inputs: Any, **named: Any) -> tuple[Tensor, ...]:
        """The outputs, in their order.

        Args:
          inputs: tensors, or what becomes some, in the order of `inputs`.
          named: the same by name; also replaces initializers, as by variables that are trained. Names that are not
            Python's are given by `model(**{"conv1.weight": w})`.
        Raises:
          ArgumentError: an input is missing or given twice, or a name is neither an input nor an initializer.
        """
        given = dict(zip(self.inputs, inputs, strict=False))
        fed = {**given, **named}
        known_names = {*self.inputs, *self.initializers}
        faults = {
            "missing": [name for name in self.inputs if name not in fed],
            "unknown": [name for name in named if name not in known_names],
            "given twice": [name for name in named if name in given],
            "too many": list(range(len(self.inputs), len(inputs))),
        }
        if any(faults.values()):
            said = ", ".join(f"{fault}: {names}" for fault, names in faults.items() if names)
            raise ArgumentError(
                f"ONNX graph {self.name!r} takes the inputs {self.inputs}, in order or by name, and by name any of its "
                f"{len(self.initializers)} initializers; {said}"
            ).locate()
        known = {name: tf.constant(array) for name, array in self.initializers.items() if name not in fed}
        known |= {name: self._input(name, value) for name, value in fed.items()}
        for run in self.steps:
            run(known)
        return tuple([known[name] for name in self.outputs])

    def _input(self, name: str, value: Any) -> Tensor:
        element = self.elements.get(name, 0)
        array = self.initializers.get(name)
        dtype = values.dtype(element) if element else None if array is None else array.dtype
        return interpreter.as_tensor(value, dtype, what=f"ONNX input {name}")


def version_of(model: onnx.ModelProto) -> int:
    """The operator set that the model is written in."""
    return max([o.version for o in model.opset_import if o.domain in OWN], default=1)


def untranslated(model: onnx.ModelProto) -> list[str]:
    """All that a model holds and the table does not, in words: operators, types, data."""
    version = version_of(model)
    return _lacking(expanded(model, version), version)


def _lacking(model: onnx.ModelProto, version: int) -> list[str]:
    """As `untranslated`, of a model that is expanded."""
    found = []
    for node in model.graph.node:
        if node.domain not in OWN:
            found.append(f"operator {node.domain}.{node.op_type}")
        elif not table.is_translated(node.op_type, version):
            found.append(table.lacking(node.op_type))
    ends = [v for v in [*model.graph.input, *model.graph.output] if not values.is_translated(v.type)]
    found += [f"{values.type_name(v.type)} as the type of {v.name!r}" for v in ends]
    weights = [t for t in model.graph.initializer if t.data_type not in values.ELEMENTS]
    found += [f"{values.element_name(t.data_type)} as the type of {t.name!r}" for t in weights]
    return [*found, *[f"sparse initializer {t.values.name!r}" for t in model.graph.sparse_initializer]]


def load(path: str | os.PathLike[str]) -> Graph:
    """The graph in a file; data that lie in files beside it are read too.

    Raises:
      FileNotFoundError: there is no such file.
      onnx.checker.ValidationError: it is no valid model.
      UnimplementedError: it has operators that are not translated; names all of them.
    """
    model = onnx.load(os.fspath(path))
    onnx.checker.check_model(model)
    return Graph(model)
