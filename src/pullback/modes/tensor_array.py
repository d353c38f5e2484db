"""TensorFlow 1's TensorArray: made in the default graph."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.modes.default import building
from pullback.modes.sparse import SameInstances
from pullback.ops.control.tensor_array import TensorArray


@public(v1="TensorArray")
class TensorArrayV1(TensorArray, metaclass=SameInstances):
    """A TensorArray whose list is a tensor of the default graph."""

    def __new__(
        cls,
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
    ) -> Any:
        with building():
            return TensorArray(
                dtype,
                size,
                dynamic_size,
                clear_after_read,
                tensor_array_name,
                handle,
                flow,
                infer_shape,
                element_shape,
                colocate_with_first_write_call,
                name,
            )
