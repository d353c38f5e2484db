"""Operations between a model's layers (x / 255 - 1), as configurations hold them.

    {"op": type, "fields": {name: value}, "inputs": [tensors]}      {"constant": a TensorProto in base 64, "inputs": []}

Only what computes is written or read: no operation of a file touches more than its inputs.
"""

from __future__ import annotations

import base64
import json
from typing import Any, NoReturn

from pullback.core import interpreter
from pullback.core.basics import Const
from pullback.core.errors import ArgumentError, OpError
from pullback.core.op import REGISTRY, Op
from pullback.core.tensor import EagerTensor, Operation, Tensor
from pullback.io import messages
from pullback.io.attributes import Unwritable, fields_as_text, fields_of_text
from pullback.io.tensors import array_of_proto, tensor_proto


def written(node: Operation, model: str) -> dict[str, Any]:
    """An operation without its inputs.

    Raises:
      ArgumentError: it does more than compute, or holds what JSON has no words for: a variable, a function.
    """
    outer = {id(inner): outer for outer, inner in node.graph.captures.values()}
    held: Any = outer.get(id(node.results[0])) if node.results else None
    value = node.op.value if isinstance(node.op, Const) else held.value if isinstance(held, EagerTensor) else None
    if value is not None and node.results[0].dtype.is_numpy_compatible:
        data = tensor_proto(value).SerializeToString(deterministic=True)
        return {"constant": base64.b64encode(data).decode("ascii")}

    def function(body: Any) -> NoReturn:
        raise Unwritable("it holds a function")

    try:
        if held is not None or _does_more(type(node.op)):
            raise Unwritable("it does more than compute")
        return {"op": node.op.type, "fields": json.loads(fields_as_text(node.op, function))}
    except Unwritable as error:
        raise ArgumentError(
            f"Model {model!r}: operation {node.name!r} between the layers cannot be saved: {error}; make it a layer, "
            "as keras.layers.Lambda or one of your own"
        ).locate() from None


def made(said: dict[str, Any], inputs: list[Tensor]) -> list[Tensor]:
    """The results of an operation that was `written`.

    Raises:
      ArgumentError: there is no such operation, it does more than compute, or its fields or inputs do not fit.
    """
    if "constant" in said:
        proto = messages.TensorProto()
        proto.ParseFromString(base64.b64decode(said["constant"]))
        return [interpreter.as_tensor(array_of_proto(proto, "a model's constant"))]
    kind = str(said["op"])
    try:
        cls: Any = REGISTRY[kind]
        if _does_more(cls):
            raise ArgumentError("it does more than compute")
        fields = fields_of_text(json.dumps(said["fields"]).encode(), _no_function, "operation")
        first = cls(**fields)(*inputs)
    except KeyError:
        raise ArgumentError(f"a model's operation {kind!r} is not known").locate() from None
    except (TypeError, OpError) as error:
        raise ArgumentError(f"a model's operation {kind!r} cannot be made: {error}").locate() from None
    tensor = first[0] if isinstance(first, (list, tuple)) else first
    return list(tensor.node.results)


def _does_more(cls: type[Op]) -> bool:
    return cls.effect or cls.takes_store


def _no_function(name: str) -> NoReturn:
    raise KeyError(name)
