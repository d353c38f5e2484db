"""Layers of several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot; and as functions."""

from __future__ import annotations

import functools
from typing import Any

from pullback.core import nest
from pullback.core.basics import ZerosLike
from pullback.core.errors import ArgumentError
from pullback.core.names import public, public_value
from pullback.layers.base import Layer
from pullback.layers.sizes import axes_of
from pullback.ops.array.joining import concat
from pullback.ops.array.shape import expand_dims
from pullback.ops.linalg.einsum import einsum
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce_functions import reduce_all
from pullback.ops.nn.normalization import l2_normalize


class _Merge(Layer):
    """Base: two or more inputs of shapes that broadcast, missing axes inserted behind the batch's."""

    supports_masking = True
    fewest = 2

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise ArgumentError(
                f"A merge layer should be called on a list of inputs. Received: inputs={inputs} (not a list of tensors)"
            ).locate()
        if len(inputs) < self.fewest:
            raise ArgumentError(
                f"A merge layer should be called on a list of at least {self.fewest} inputs. Received {len(inputs)}"
            ).locate()
        most = max(x.spec.rank or 0 for x in inputs)
        level = []
        for x in inputs:
            for _ in range(most - (x.spec.rank or most)):
                x = expand_dims(x, 1)
            level.append(x)
        return self.merged(level)

    def merged(self, inputs: list[Any]) -> Any:
        """The output of inputs of one rank."""
        return inputs[0]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        found = [v for v in nest.leaves_of(mask) if v is not None]
        return functools.reduce(lambda a, b: m.LogicalAnd()(a, b), found) if found else None


@public("keras.layers.Add")
class Add(_Merge):
    """The sum of the inputs."""

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda a, b: a + b, inputs)


@public("keras.layers.Subtract")
class Subtract(_Merge):
    """The first input less the second."""

    def merged(self, inputs: list[Any]) -> Any:
        if len(inputs) != 2:
            raise ArgumentError(f"A `Subtract` layer should be called on exactly 2 inputs, not {len(inputs)}").locate()
        return inputs[0] - inputs[1]


@public("keras.layers.Multiply")
class Multiply(_Merge):
    """The product of the inputs, entry by entry."""

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda a, b: a * b, inputs)


@public("keras.layers.Average")
class Average(_Merge):
    """The mean of the inputs."""

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda a, b: a + b, inputs) / len(inputs)


@public("keras.layers.Maximum")
class Maximum(_Merge):
    """The largest of the inputs, entry by entry."""

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda a, b: m.Maximum()(a, b), inputs)


@public("keras.layers.Minimum")
class Minimum(_Merge):
    """The smallest of the inputs, entry by entry."""

    def merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda a, b: m.Minimum()(a, b), inputs)


@public("keras.layers.Concatenate")
class Concatenate(Layer):
    """The inputs end to end along an axis."""

    settings = ("axis",)
    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ArgumentError(
                f"A `Concatenate` layer should be called on a list of at least 1 input. Received: {inputs}"
            ).locate()
        return concat(list(inputs), self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        flat = nest.leaves_of(mask)
        if all(v is None for v in flat):
            return None
        full = [_whole_mask(x, v) for x, v in zip(inputs, flat, strict=True)]
        return reduce_all(concat(full, self.axis), -1)


def _whole_mask(x: Any, mask: Any) -> Any:
    """The mask in x's shape; all True where there is none."""
    every = m.GreaterEqual()(ZerosLike()(x), 0)
    if mask is None:
        return every
    while (mask.spec.rank or 0) < (x.spec.rank or 0):
        mask = expand_dims(mask, -1)
    return m.LogicalAnd()(every, mask)


@public("keras.layers.Dot")
class Dot(Layer):
    """Sums of products of two inputs along an axis of each, example by example.

    Args:
      axes: the axis of both, or a pair; counted with the batch.
      normalize: rows are first divided by their lengths, which gives cosines.
    """

    settings = ("axes", "normalize")
    supports_masking = True

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axes, self.normalize = list(axes) if isinstance(axes, tuple) else axes, normalize

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise ArgumentError("A `Dot` layer should be called on a list of 2 inputs.").locate()
        a, b = inputs
        first, second = self.axes if isinstance(self.axes, list) else (self.axes, self.axes)
        (first,), (second,) = axes_of(first, a.spec.rank, "Dot"), axes_of(second, b.spec.rank, "Dot")
        if self.normalize:
            a, b = l2_normalize(a, first), l2_normalize(b, second)
        left = [*"zabcdefgh"][: a.spec.rank]
        right = ["z", *"ijklmnopq"][: b.spec.rank]
        right[second] = left[first]
        kept = [c for c in left if c != left[first]] + [c for c in right if c not in ("z", left[first])]
        y = einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", a, b)
        return expand_dims(y, 1) if y.spec.rank == 1 else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


def _function(cls: Any, name: str) -> Any:
    def merge(inputs: Any, **kwargs: Any) -> Any:
        return cls(**kwargs)(inputs)

    merge.__name__ = merge.__qualname__ = name
    merge.__doc__ = f"{cls.__doc__.splitlines()[0]} Makes a `{cls.__name__}` and calls it on a list of inputs."
    return merge


add = _function(Add, "add")
subtract = _function(Subtract, "subtract")
multiply = _function(Multiply, "multiply")
average = _function(Average, "average")
maximum = _function(Maximum, "maximum")
minimum = _function(Minimum, "minimum")
for _name in ("add", "subtract", "multiply", "average", "maximum", "minimum"):
    public_value(_name, f"keras.layers.{_name}")


@public("keras.layers.concatenate")
def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """The inputs end to end along an axis. Makes a `Concatenate` and calls it."""
    return Concatenate(axis=axis, **kwargs)(inputs)


@public("keras.layers.dot")
def dot(inputs: Any, axes: Any, normalize: bool = False, **kwargs: Any) -> Any:
    """Sums of products of two inputs along axes. Makes a `Dot` and calls it."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
