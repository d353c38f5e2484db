"""TensorFlow 1's TensorArrays, which are handles with a flow of control, as lists, which are values: the list flows.

TensorArrayV3 --handle, flow--> TensorArrayWriteV3(handle, index, value, flow) --flow--> ...
TensorListReserve ----list----> TensorListSetItem(list, index, value) ----------list--> ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.basics import Const
from pullback.core.op import REGISTRY
from pullback.core.tensor import Operation, Tensor


def _shape(importer: Any, name: str, attrs: dict[str, Any], like: Any = None) -> Tensor:
    """The shape of an entry, as the list's ops take it: -1 where it is not known."""
    known = attrs.get("element_shape", attrs.get("element_shape_except0"))
    known = like if known is None else known
    value = np.array(-1 if known is None else [-1 if n is None else n for n in known], np.int32)
    return importer.append(Const(value, dtypes.int32), (), f"{name}/element_shape").results[0]


def _new(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Any:
    shape = _shape(importer, name, attrs)
    made = importer.append(REGISTRY["TensorListReserve"](attrs["dtype"]), (shape, inputs[0]), name)
    return [made.results[0], made.results[0]]


def _write(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Operation:
    _, index, value, flow = inputs
    return importer.append(REGISTRY["TensorListSetItem"](), (flow, index, value), name)


def _read(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Operation:
    _, index, flow = inputs
    return importer.append(
        REGISTRY["TensorListGetItem"](attrs["dtype"]), (flow, index, _shape(importer, name, attrs)), name
    )


def _gather(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Operation:
    _, indices, flow = inputs
    shape = _shape(importer, name, attrs)
    return importer.append(REGISTRY["TensorListGather"](attrs["dtype"]), (flow, indices, shape), name)


def _scatter(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Operation:
    _, indices, value, flow = inputs
    return importer.append(REGISTRY["TensorListScatterIntoExistingList"](), (flow, value, indices), name)


def _size(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Operation:
    return importer.append(REGISTRY["TensorListLength"](), (inputs[1],), name)


def _close(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Operation:
    return importer.append(REGISTRY["NoOp"](), (), name)


ARRAYS: dict[str, Callable[..., Any]] = {
    "TensorArrayV3": _new,
    "TensorArrayWriteV3": _write,
    "TensorArrayReadV3": _read,
    "TensorArrayGatherV3": _gather,
    "TensorArrayScatterV3": _scatter,
    "TensorArraySizeV3": _size,
    "TensorArrayCloseV3": _close,
}
