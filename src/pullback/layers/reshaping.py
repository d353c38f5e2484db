"""Layers that move entries about: Flatten, Reshape, Permute, RepeatVector, padding, cropping, upsampling."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.layers import phase
from pullback.layers.base import Layer
from pullback.layers.convolution import numbers
from pullback.layers.image_framing import method_of
from pullback.layers.input_spec import InputSpec
from pullback.layers.sizes import packed, positive, sizes_of
from pullback.ops.array.layout import transpose
from pullback.ops.array.padding import pad, repeat, tile
from pullback.ops.array.shape import expand_dims, reshape
from pullback.ops.image.resize import resize


@public("keras.layers.Flatten")
class Flatten(Layer):
    """[N, ...] -> [N, product of the rest]; a vector [N] becomes [N, 1].

    data_format: "channels_first" puts channels last before flattening, so that both orders give the same.
    """

    settings = ("data_format",)

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = phase.layout_of(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        rank = inputs.spec.rank
        if self.data_format == "channels_first" and rank is not None and rank > 2:
            inputs = transpose(inputs, [0, *range(2, rank), 1])
        sizes = inputs.spec.shape
        if rank == 1:
            return expand_dims(inputs, 1)
        if sizes is not None and None not in sizes[1:]:
            return reshape(inputs, [-1 if sizes[0] is None else sizes[0], math.prod(sizes[1:])])
        return reshape(inputs, packed([sizes_of(inputs)[0], -1]))


@public("keras.layers.Reshape")
class Reshape(Layer):
    """Entries in another shape, row by row. target_shape: without the batch; -1 stands for what is left."""

    settings = ("target_shape",)

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(int(n) for n in target_shape)

    def call(self, inputs: Any) -> Any:
        sizes = inputs.spec.shape
        target: tuple[int, ...] = self.target_shape
        if -1 in target and sizes is not None and None not in sizes[1:]:
            rest = math.prod(sizes[1:]) // math.prod(n for n in target if n != -1)
            target = tuple(rest if n == -1 else n for n in target)
        first = sizes_of(inputs)[0]
        whole = [first, *target] if isinstance(first, int) or -1 in target else [-1, *target]
        return reshape(inputs, packed(whole))


@public("keras.layers.Permute")
class Permute(Layer):
    """Axes in another order. dims: (2, 1) swaps the first two after the batch's; counts from 1."""

    settings = ("dims",)

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"Invalid permutation argument `dims` for Permute Layer: {dims}; the set of indices must be "
                "consecutive and start from 1"
            ).locate()
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return transpose(inputs, (0, *self.dims))


@public("keras.layers.RepeatVector")
class RepeatVector(Layer):
    """[N, C] -> [N, n, C], the same vector n times."""

    settings = ("n",)

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.n = positive(n, "RepeatVector: n")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return tile(expand_dims(inputs, 1), [1, self.n, 1])


def _pairs(value: Any, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """(before, after) for each spatial axis; of an axis one number means both, one number alone all.

    Raises:
      ValueError: there are pairs for more or fewer axes, or one is not of whole numbers of at least 0.
    """
    if not isinstance(value, Iterable):
        return (numbers(value, 2, name, 0),) * rank  # type: ignore[return-value]
    each = [tuple(value)] if rank == 1 else list(value)
    if len(each) != rank:
        raise ArgumentError(f"`{name}` should have {rank} elements; received: {value}").locate()
    return tuple(numbers(v, 2, name, 0) for v in each)  # type: ignore[misc]


class _Edges(Layer):
    """Base of padding and cropping: `edges`, pairs (before, after) for each spatial axis."""

    rank = 2

    def __init__(self, edges: Any, what: str, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.edges, self.data_format = _pairs(edges, self.rank, what), phase.layout_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def first(self) -> int:
        """The first spatial axis."""
        return 1 if self.data_format == "channels_last" else 2

    def whole(self) -> list[tuple[int, int]]:
        """A pair for every axis."""
        out = [(0, 0)] * (self.rank + 2)
        out[self.first : self.first + self.rank] = self.edges
        return out


class _ZeroPadding(_Edges):
    """Zeros around the spatial axes. padding: a number, a number for each axis, or a pair (before, after) for each."""

    settings = ("padding", "data_format")

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, "padding", data_format, **kwargs)
        self.padding = self.edges if self.rank > 1 else self.edges[0]

    def call(self, inputs: Any) -> Any:
        return pad(inputs, self.whole())


class _Cropping(_Edges):
    """Cuts the spatial axes' ends off. cropping: a number, a number for each axis, or a pair for each."""

    settings = ("cropping", "data_format")

    def __init__(self, cropping: Any = 0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, "cropping", data_format, **kwargs)
        self.cropping = self.edges if self.rank > 1 else self.edges[0]

    def call(self, inputs: Any) -> Any:
        sizes = inputs.spec.shape or (None,) * (self.rank + 2)
        for size, ends in zip(sizes, self.whole(), strict=True):
            if size and sum(ends) >= size:
                raise ShapeError(
                    f"{type(self).__name__}: cropping {self.edges} leaves nothing of an axis of {size}: the inputs' "
                    f"shape is {inputs.shape}"
                ).locate()
        return inputs[tuple(slice(before, -after if after else None) for before, after in self.whole())]


class _UpSampling(Layer):
    """Each place repeated along the spatial axes. size: how often, a number for each axis or one."""

    settings = ("size", "data_format")
    rank = 3

    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.data_format = numbers(size, self.rank, "size"), phase.layout_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        for i, times in enumerate(self.size):
            inputs = repeat(inputs, times, first + i) if times > 1 else inputs
        return inputs


def _class(name: str, base: type, rank: int) -> Any:
    doc = f"{(base.__doc__ or '').splitlines()[0]} Of {rank} spatial axes."
    return public(f"keras.layers.{name}")(type(name, (base,), {"rank": rank, "__doc__": doc, "__module__": __name__}))


ZeroPadding1D = _class("ZeroPadding1D", _ZeroPadding, 1)
ZeroPadding2D = _class("ZeroPadding2D", _ZeroPadding, 2)
ZeroPadding3D = _class("ZeroPadding3D", _ZeroPadding, 3)
Cropping1D = _class("Cropping1D", _Cropping, 1)
Cropping2D = _class("Cropping2D", _Cropping, 2)
Cropping3D = _class("Cropping3D", _Cropping, 3)
UpSampling1D = _class("UpSampling1D", _UpSampling, 1)
UpSampling3D = _class("UpSampling3D", _UpSampling, 3)


@public("keras.layers.UpSampling2D")
class UpSampling2D(_UpSampling):
    """Images made larger.

    interpolation: "nearest" repeats pixels; "bilinear", "bicubic", "area", ... as tf.image.resize.
    """

    settings = ("interpolation",)
    rank = 2

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = method_of(interpolation)

    def call(self, inputs: Any) -> Any:
        if self.interpolation == "nearest":
            return super().call(inputs)
        last = self.data_format == "channels_last"
        x = inputs if last else transpose(inputs, [0, 2, 3, 1])
        height, width = sizes_of(x)[1:3]
        y = resize(x, [height * self.size[0], width * self.size[1]], self.interpolation)
        return y if last else transpose(y, [0, 3, 1, 2])
