"""tf.TensorArray: a list of tensors as a value.

Each method that changes it gives another array. It is structure to `nest`: its one leaf is the list, its `flow`, so
it goes through loops, branches, functions and tapes as any tensor does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, nest, shape
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import REGISTRY
from pullback.core.shape import Shape, TensorShape, as_shape
from pullback.core.tensor import Tensor
from pullback.ops.control import list_pieces as pieces
from pullback.ops.control import lists


@public("TensorArray", v1=None)
class TensorArray:
    """A list of tensors of one type, written and read at places.

    Args:
      dtype: the entries' type.
      size: how many entries, int32; all are unwritten.
      dynamic_size: writing beyond the end makes it longer.
      clear_after_read: lets TensorFlow's runtime free an entry once it is read. A value keeps its entries, so here
        they are freed when the array is dropped, and an entry may be read as often as one likes.
      tensor_array_name, name: what nodes are called.
      handle: must be None: there are no references to arrays, only values.
      flow: the list of another array, to begin with instead of `size`.
      infer_shape: entries must have one shape, which is learnt from the first; not those of concat and split.
      element_shape: what is known of the entries' shape.
      colocate_with_first_write_call: chooses devices, of which there is one.
    Raises:
      ValueError: neither size nor flow is given, or handle is.
    Gradient: of every order; an entry that nothing depends on has none. Unwritten entries are zeros.
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        if handle is not None:
            raise ArgumentError("TensorArray: handle must be None: an array is a value, give its `flow`").locate()
        if (size is None) == (flow is None):
            raise ArgumentError("TensorArray: give either size or flow").locate()
        self._dtype = as_dtype(dtype)
        self._shape: Shape = as_shape(element_shape)
        self._grows, self._infers = bool(dynamic_size), bool(infer_shape)
        if flow is None:
            reserve = lists.TensorListReserve(self._dtype)
            flow = reserve(_element_shape(self._shape), _index(size), name=name or tensor_array_name or "TensorArray")
        self._flow: Tensor = flow

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def flow(self) -> Tensor:
        """The list: a tensor of type variant."""
        return self._flow

    @property
    def handle(self) -> None:
        return None

    @property
    def dynamic_size(self) -> bool:
        return self._grows

    @property
    def element_shape(self) -> TensorShape:
        return TensorShape(self._shape)

    def _changed(self, flow: Any, shape_: Shape) -> TensorArray:
        return _again((self._dtype, shape_, self._grows, self._infers), (flow,))

    def _fitted(self, found: Shape, what: str) -> Shape:
        """The entries' shape, `found` being that of some.

        Raises:
          ShapeError: it does not fit.
        """
        if not shape.compatible(found, self._shape):
            raise _misfit(what, found, self._shape)
        return shape.merged(self._shape, found, what) if self._infers else self._shape

    def _converted(self, value: Any, what: str) -> Tensor:
        here = interpreter.current()
        if not isinstance(here, Graph):  # of an array in a graph, its graph
            here = interpreter._graph_of((self._flow,))
        return interpreter.as_tensor(value, self._dtype, here=here, what=f"TensorArray.{what}: value")

    def identity(self) -> TensorArray:
        """The same array."""
        return self._changed(self._flow, self._shape)

    def grad(self, source: Any, flow: Any = None, name: str | None = None) -> TensorArray:
        """Not for users: TensorFlow 1 keeps gradients in an array of their own.

        Raises:
          ArgumentError: always; the gradient of a list is a list, which tf.gradients and GradientTape handle.
        """
        raise ArgumentError(
            "TensorArray.grad: an array is a value and has no second array for gradients; use tf.gradients or "
            "GradientTape on what is read from it"
        ).locate()

    def size(self, name: str | None = None) -> Tensor:
        """How many entries there are, int32."""
        return lists.TensorListLength()(self._flow, name=name)

    def close(self, name: str | None = None) -> Any:
        """Does nothing: the entries are freed when the array is dropped."""
        return REGISTRY["NoOp"]()(name=name) if hasattr(interpreter.current(), "nodes") else None

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with another entry at an index.

        Raises:
          ArgumentError: the index is beyond the end, and the array may not grow. DTypeError, ShapeError: the value does
          not fit.
        """
        value = self._converted(value, "write")
        fitted = self._fitted(value.spec.shape, "TensorArray.write")
        made = lists.TensorListSetItem(self._grows)(self._flow, _index(index), value, name=name)
        return self._changed(made, fitted)

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The entry at an index; zeros where none was written, if element_shape is known.

        Raises:
          ArgumentError: there is no such entry. ShapeError: it was never written, and its shape is not known.
        """
        said = _element_shape(self._shape)
        return lists.TensorListGetItem(self._dtype)(self._flow, _index(index), said, name=name)

    def stack(self, name: str | None = None) -> Tensor:
        """All entries as rows: [size, ...]. Unwritten ones are zeros."""
        return lists.TensorListStack(self._dtype)(self._flow, _element_shape(self._shape), name=name)

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The entries at indices as rows: [k, ...]."""
        said = _element_shape(self._shape)
        return lists.TensorListGather(self._dtype)(self._flow, _index(indices), said, name=name)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """An array of the rows of value [n, ...], in place of all entries.

        Raises:
          ShapeError: value is a scalar, or its rows do not fit.
        """
        value = self._converted(value, "unstack")
        each = None if value.spec.shape is None else value.spec.shape[1:]
        fitted = self._fitted(each, "TensorArray.unstack")
        return self._changed(
            lists.TensorListFromTensor()(value, _element_shape(fitted), name=name or "unstack"), fitted
        )

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of value [k, ...] at indices [k], which must differ."""
        value = self._converted(value, "scatter")
        each = None if value.spec.shape is None else value.spec.shape[1:]
        fitted = self._fitted(each, "TensorArray.scatter")
        scatters = lists.TensorListScatterIntoExistingList(self._grows)
        return self._changed(scatters(self._flow, value, _index(indices), name=name), fitted)

    def concat(self, name: str | None = None) -> Tensor:
        """The entries end to end along their leading axes, which may differ in length."""
        each = None if self._shape is None else (None, *self._shape[1:])
        joins = pieces.TensorListConcatV2(self._dtype)
        return joins(self._flow, _element_shape(each), np.zeros(0, np.int64), name=name)[0]

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """An array of the pieces of value [n, ...], of these lengths, in place of all entries.

        Raises:
          ArgumentError: lengths do not add up to n.
        """
        value = self._converted(value, "split")
        each = None if not value.spec.shape else (None, *value.spec.shape[1:])
        lengths = interpreter.as_tensor(lengths)
        lengths = lengths if lengths.dtype is dtypes.int64 else REGISTRY["Cast"](dtypes.int64)(lengths)
        made = pieces.TensorListSplit()(value, _element_shape(each), lengths, name=name)
        return self._changed(made, self._fitted(each, "TensorArray.split"))

    def __repr__(self) -> str:
        return f"<tf.TensorArray of {self._dtype.name}{shape.text(self._shape)}>"


def _element_shape(shape_: Shape) -> Any:
    """An element_shape input: -1 stands for what is not known."""
    return np.int32(-1) if shape_ is None else np.array([-1 if n is None else n for n in shape_], np.int32)


def _index(value: Any) -> Tensor:
    index = interpreter.as_tensor(value)
    return index if index.dtype is dtypes.int32 else REGISTRY["Cast"](dtypes.int32)(index)


def _misfit(what: str, found: Shape, wanted: Shape) -> ShapeError:
    return ShapeError(
        f"{what}: an entry of shape {shape.text(found)} does not fit the array's {shape.text(wanted)}; say "
        "infer_shape=False where shapes differ"
    ).locate()  # type: ignore[return-value]


def _apart(array: TensorArray) -> Any:
    return (array._flow,), (array._dtype, array._shape, array._grows, array._infers)


def _again(held: Any, leaves: Any) -> TensorArray:
    array = object.__new__(TensorArray)
    array._dtype, array._shape, array._grows, array._infers = held
    (array._flow,) = leaves
    return array


nest.structured(TensorArray, _apart, _again)
