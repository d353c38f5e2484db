"""random_crop: a piece of a tensor, from a random place."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import int32
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.sizes import shape_
from pullback.ops.array.slicing import slice_
from pullback.ops.control.assertions import assert_less_equal
from pullback.ops.math.scopes import scope
from pullback.ops.random.functions import random_uniform


@public("image.random_crop", v1=("random_crop", "image.random_crop"))
def random_crop(value: Any, size: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """A piece of `size` from `value`, every place as likely.

    Args:
      size: vector, as long as value has axes.
    Raises:
      InvalidArgumentError: the piece is larger than the value.
    """
    with scope(name, "random_crop", value):
        value = interpreter.as_tensor(value)
        size = interpreter.as_tensor(size, int32)
        whole: Any = shape_(value)
        checked = assert_less_equal(size, whole, "random_crop: the piece must fit into the value")
        here = interpreter.current()
        if checked is not None:
            with here.control_dependencies([checked]):
                whole = whole + 0
        drawn: Any = random_uniform([value.spec.rank], 0, int32.max, int32, seed)
        return slice_(value, drawn % (whole - size + 1), size)
