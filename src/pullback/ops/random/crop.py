"""random_crop, stateless_random_crop: a piece of a tensor, from a random place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import int32
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.sizes import shape_
from pullback.ops.array.slicing import slice_
from pullback.ops.control.assertions import assert_less_equal
from pullback.ops.math.scopes import scope
from pullback.ops.random.functions import random_uniform, stateless_uniform


@public("image.random_crop", v1=("random_crop", "image.random_crop"))
def random_crop(value: Any, size: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """A piece of `size` from `value`, every place as likely.

    Args:
      size: vector, as long as value has axes.
    Raises:
      InvalidArgumentError: the piece is larger than the value.
    """
    with scope(name, "random_crop", value):
        return cropped(value, size, "random_crop", lambda shape: random_uniform(shape, 0, int32.max, int32, seed))


@public("image.stateless_random_crop", v1=None)
def stateless_random_crop(value: Any, size: Any, seed: Any, name: str | None = None) -> Tensor:
    """`random_crop` as a pure function: the same seed, two integers, gives the same piece."""
    with scope(name, "stateless_random_crop", value, seed):
        what = "stateless_random_crop"
        return cropped(value, size, what, lambda shape: stateless_uniform(shape, seed, 0, int32.max, int32))


def cropped(value: Any, size: Any, what: str, drawn: Callable[[Any], Tensor]) -> Tensor:
    """The piece of `size` from the place that `drawn(shape)`, whole numbers, says by its remainders."""
    value = interpreter.as_tensor(value)
    size = interpreter.as_tensor(size, int32)
    whole: Any = shape_(value)
    checked = assert_less_equal(size, whole, f"{what}: the piece must fit into the value")
    here = interpreter.current()
    if checked is not None:
        with here.control_dependencies([checked]):
            whole = whole + 0
    return slice_(value, drawn([value.spec.rank]) % (whole - size + 1), size)
