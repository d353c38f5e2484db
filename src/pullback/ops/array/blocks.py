"""Blocks of pixels moved into the channels or the batch, and back.

SpaceToDepth <-> DepthToSpace     SpaceToBatchND <-> BatchToSpaceND     each other's gradients
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import shape_tuple, static_tuple
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.array.layout import Transpose
from pullback.ops.array.shape import Reshape, differentiable, dims, drawn, one_of
from pullback.ops.nn.conv import batching


class _Depth(Op):
    """Base of the pair between space and depth, b being block_size: x [N, H b, W b, C] <-> y [N, H, W, b b C]"""

    signature = "input: T -> output: T"
    T = dtypes.ANY
    block_size: int
    data_format: str

    def check(self) -> None:
        if self.block_size < 2:
            raise ArgumentError(f"{self.type}: block_size must be at least 2, not {self.block_size}")
        if self.data_format not in ("NHWC", "NCHW"):
            raise ArgumentError(f"{self.type}: data_format must be 'NHWC' or 'NCHW', not {self.data_format!r}")

    def infer(self, x: Spec) -> Spec:
        if len(x.shape or ()) != 4:
            raise ShapeError(
                f"{self.type}: the input must have 4 axes, {self.data_format}, but has shape {shape.text(x.shape)}"
            )
        return x.with_shape(self._arranged(self.after(*self._split(x.shape))))

    def _split(self, dims: Any) -> Any:
        """(N, H, W, C) of a shape in the op's format."""
        return dims if self.data_format == "NHWC" else (dims[0], dims[2], dims[3], dims[1])

    def _arranged(self, nhwc: Any) -> Any:
        n, h, w, c = nhwc
        return (n, h, w, c) if self.data_format == "NHWC" else (n, c, h, w)

    def after(self, n: Any, h: Any, w: Any, c: Any) -> Shape:
        """(N, H, W, C) of the result."""
        raise TypeError(f"{self.type} does not say its shape")

    def moved(self, x: Any) -> Any:
        """The result of a channels-last array."""
        raise TypeError(f"{self.type} does not say what it does")

    def reference(self, x: Any) -> Any:
        self.infer(Spec(x.shape, dtypes.from_numpy(x.dtype)))
        if self.data_format == "NHWC":
            return self.moved(x)
        return np.moveaxis(self.moved(np.moveaxis(x, 1, -1)), -1, 1)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if not inputs[0].spec.known:
            return NotImplemented
        return batching.out_of_batch(self(batching.into_batch(inputs[0])), size), 0

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(2)(np.ones((1, 3, 4, 3))), ShapeError, "multiple"
        yield lambda: cls(2)(np.ones((3, 4, 1))), ShapeError, "4 axes"
        yield lambda: cls(1), ArgumentError, "at least 2"
        yield lambda: cls(2, "HWNC"), ArgumentError, "HWNC"


def _divided(n: int | None, by: int, what: str) -> int | None:
    if n is not None and n % by:
        raise ShapeError(f"{what} {n} must be a multiple of {by}")
    return None if n is None else n // by


def _times(n: int | None, by: int) -> int | None:
    return None if n is None else n * by


@op
class SpaceToDepth(_Depth):
    """Each block of block_size x block_size pixels as one pixel; its channels are the block's pixels in order."""

    block_size: int
    data_format: str = "NHWC"

    def after(self, n: Any, h: Any, w: Any, c: Any) -> Shape:
        b = self.block_size
        return n, _divided(h, b, "SpaceToDepth: height"), _divided(w, b, "SpaceToDepth: width"), _times(c, b * b)

    def moved(self, x: Any) -> Any:
        n, h, w, c = x.shape
        b = self.block_size
        apart = x.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
        return apart.reshape(n, h // b, w // b, b * b * c)

    def grad(self, node: Any, dy: Any) -> Any:
        return DepthToSpace(self.block_size, self.data_format)(dy)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(2), (rng.normal(size=(2, 4, 6, 3)),))
        yield Sample(cls(3, "NCHW"), (rng.normal(size=(1, 2, 3, 6)),))
        yield Sample(cls(2), (rng.normal(size=(0, 2, 2, 1)),), name="no_batch")
        yield from [
            Sample(cls(2), (drawn(rng, (1, 2, 2, 1), t),), differentiable(t, 0), order=1, name=t.name) for t in cls.T
        ]


@op
class DepthToSpace(_Depth):
    """Each pixel as a block of block_size x block_size pixels, which its channels hold one after another."""

    block_size: int
    data_format: str = "NHWC"

    def after(self, n: Any, h: Any, w: Any, c: Any) -> Shape:
        b = self.block_size
        return n, _times(h, b), _times(w, b), _divided(c, b * b, "DepthToSpace: the number of channels")

    def moved(self, x: Any) -> Any:
        n, h, w, c = x.shape
        b = self.block_size
        apart = x.reshape(n, h, w, b, b, c // (b * b)).transpose(0, 1, 3, 2, 4, 5)
        return apart.reshape(n, h * b, w * b, c // (b * b))

    def grad(self, node: Any, dy: Any) -> Any:
        return SpaceToDepth(self.block_size, self.data_format)(dy)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(2), (rng.normal(size=(2, 2, 3, 8)),))
        yield Sample(cls(2, "NCHW"), (rng.normal(size=(1, 4, 2, 3)),))
        yield Sample(cls(2), (rng.normal(size=(0, 1, 1, 4)),), name="no_batch")
        yield from [
            Sample(cls(2), (drawn(rng, (1, 1, 1, 4), t),), differentiable(t, 0), order=1, name=t.name) for t in cls.T
        ]


class _Batch(Op):
    """Base of the pair between space and batch; b = block_shape, p = paddings (or crops).

    x [N, s_1 .. s_m, r..] <-> y [N b_1..b_m, (s_1 + p_1) / b_1, .., r..]
    """

    T = dtypes.ANY
    static = (1, 2)

    def infer(self, x: Spec, blocks: Spec, edges: Spec) -> Spec:
        assert x.shape is not None
        b: Any = known_vector(blocks)
        if b is None:
            return x.with_shape((None,) * len(x.shape))
        m = len(b)
        if m + 1 > len(x.shape) or not shape.compatible(edges.shape, (m, 2)):
            raise ShapeError(
                f"{self.type}: block_shape of {m} numbers needs an input of at least {m + 1} axes and {self.edge} "
                f"of shape [{m},2], not {shape.text(x.shape)} and {shape.text(edges.shape)}"
            )
        pairs: Any = edges.value if isinstance(edges.value, tuple) else ((None, None),) * m
        if any(n is not None and n < 1 for n in b) or any(n is not None and n < 0 for p in pairs for n in p):
            raise ShapeError(f"{self.type}: block_shape must be at least 1 and {self.edge} at least 0")
        rows: Any = zip(x.shape[1:], b, pairs, strict=False)
        sides = tuple(None if None in (n, k, *p) else self.side(n, k, sum(p)) for n, k, p in rows)
        count = None if None in b else math.prod(b)
        return x.with_shape((self.batches(x.shape[0], count), *sides, *x.shape[m + 1 :]))

    edge = "paddings"

    def side(self, n: int, block: int, edge: int) -> int:
        """The size of an axis of the result."""
        raise TypeError(f"{self.type} does not say its shape")

    def batches(self, n: int | None, blocks: int | None) -> int | None:
        """The number of batches of the result."""
        raise TypeError(f"{self.type} does not say its shape")

    def attrs(self) -> dict[str, Any]:
        return {}

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        """b joins N: the batches of the larger side are [phases, b, N] while the op runs."""
        x, *blocks = inputs
        b = static_tuple(blocks[0])
        if axes[1:] != (None, None) or b is None or not x.spec.known:
            return NotImplemented
        phases, n = math.prod(b), x.spec.shape[1]
        if isinstance(self, SpaceToBatchND):
            y = self(batching.into_batch(x), *blocks)
            inner = shape_tuple(y)[1:]
            return Reshape()(_swapped(y, (phases, size, n, *inner)), (size, phases * n, *inner)), 0
        if n % phases:
            return NotImplemented
        inner, n = x.spec.shape[2:], n // phases
        together = Reshape()(_swapped(x, (size, phases, n, *inner)), (phases * size * n, *inner))
        return batching.out_of_batch(self(together, *blocks), size), 0

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        none = np.array([[0, 0]])
        yield lambda: cls()(np.ones((4, 2)), (0,), none), ShapeError, "block_shape must be at least 1"
        yield lambda: cls()(np.ones((4, 2)), (2,), none - 1), ShapeError, f"{cls.edge} at least 0"
        yield lambda: cls()(np.ones((4, 2)), (2, 2), none), ShapeError, "at least 3 axes"
        yield lambda: cls()(np.ones((4, 2)), (2,), none[0]), ShapeError, f"{cls.edge} of shape [1,2]"


def _swapped(x: Tensor, apart: tuple[int, ...]) -> Tensor:
    """x as an array of this shape, its first two axes exchanged."""
    return Transpose()(Reshape()(x, apart), (1, 0, *range(2, len(apart))))


@op
class SpaceToBatchND(_Batch):
    """Zeros put around, then each of the b_1..b_m phases of the pixels as a batch of its own, phase by phase."""

    signature = "input: T, block_shape: int32|int64, paddings: int32|int64 -> output: T"

    def side(self, n: int, block: int, edge: int) -> int:
        return _divided(n + edge, block, "SpaceToBatchND: a padded size of")  # type: ignore[return-value]

    def batches(self, n: int | None, blocks: int | None) -> int | None:
        return None if n is None or blocks is None else n * blocks

    def reference(self, x: Any, blocks: Any, paddings: Any) -> Any:
        b = [int(k) for k in blocks]
        m = len(b)
        padded = np.pad(x, [(0, 0), *np.asarray(paddings).tolist(), *[(0, 0)] * (x.ndim - m - 1)])
        sides = [self.side(n, k, 0) for n, k in zip(padded.shape[1:], b, strict=False)]
        apart = padded.reshape(len(x), *[n for pair in zip(sides, b, strict=True) for n in pair], *x.shape[m + 1 :])
        order = [*range(2, 2 * m + 1, 2), 0, *range(1, 2 * m, 2), *range(2 * m + 1, apart.ndim)]
        return apart.transpose(order).reshape(len(x) * math.prod(b), *sides, *x.shape[m + 1 :])

    def grad(self, node: Any, dy: Any) -> Any:
        return BatchToSpaceND()(dy, *node.inputs[1:]), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        edges = np.array([[1, 1], [0, 2]], np.int32)
        yield Sample(cls(), (rng.normal(size=(2, 4, 4, 2)), (2, 3), edges), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(1, 4)), (2,), np.zeros((1, 2), np.int32)), wrt=(0,), name="one_axis")
        yield Sample(cls(), (rng.normal(size=(0, 2, 1)), (2,), np.zeros((1, 2), np.int32)), wrt=(0,), name="no_batch")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield from super().mistakes()
        yield lambda: cls()(np.ones((1, 3)), (2,), np.array([[0, 0]])), ShapeError, "must be a multiple of 2"


@op
class BatchToSpaceND(_Batch):
    """The inverse of SpaceToBatchND: batches put back as phases of the pixels, and the border cut off."""

    signature = "input: T, block_shape: int32|int64, crops: int32|int64 -> output: T"
    edge = "crops"

    def side(self, n: int, block: int, edge: int) -> int:
        if n * block < edge:
            raise ShapeError(f"BatchToSpaceND: crops of {edge} are larger than {n * block} pixels")
        return n * block - edge

    def batches(self, n: int | None, blocks: int | None) -> int | None:
        return None if blocks is None else _divided(n, blocks, "BatchToSpaceND: the number of batches")

    def reference(self, x: Any, blocks: Any, crops: Any) -> Any:
        b = [int(k) for k in blocks]
        m, n = len(b), self.batches(len(x), math.prod(int(k) for k in blocks))
        apart = x.reshape(*b, n, *x.shape[1:])
        order = [m, *(i for k in range(m) for i in (m + 1 + k, k)), *range(2 * m + 1, apart.ndim)]
        whole = apart.transpose(order).reshape(
            n, *[s * k for s, k in zip(x.shape[1:], b, strict=False)], *x.shape[m + 1 :]
        )
        kept = [
            slice(int(c0), size - int(c1)) for (c0, c1), size in zip(np.asarray(crops), whole.shape[1:], strict=False)
        ]
        return whole[(slice(None), *kept)]

    def grad(self, node: Any, dy: Any) -> Any:
        return SpaceToBatchND()(dy, *node.inputs[1:]), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        edges = np.array([[1, 1], [0, 2]], np.int32)
        yield Sample(cls(), (rng.normal(size=(12, 3, 2, 2)), (2, 3), edges), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(2, 2)), (2,), np.zeros((1, 2), np.int32)), wrt=(0,), name="one_axis")
        yield Sample(cls(), (rng.normal(size=(0, 2, 1)), (2,), np.zeros((1, 2), np.int32)), wrt=(0,), name="no_batch")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield from super().mistakes()
        yield lambda: cls()(np.ones((3, 2)), (2,), np.array([[0, 0]])), ShapeError, "multiple of 2"
        yield lambda: cls()(np.ones((2, 1)), (2,), np.array([[2, 1]])), ShapeError, "crops of 3"


# --- public names ---------------------------------------------------------------------------------------------------


@public("nn.space_to_depth", v1=None)
def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    """Blocks of pixels moved into the channels. [N, H, W, C] -> [N, H/b, W/b, b b C]

    Args:
      block_size: b, at least 2, in pixels.
      data_format: "NHWC", or "NCHW" with channels before height and width.
    Raises:
      ShapeError: height or width is no multiple of b.
    """
    return SpaceToDepth(int(block_size), data_format)(input, name=name)


@public(v1=("space_to_depth", "nn.space_to_depth"))
def space_to_depth_v1(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """As `space_to_depth`, in TensorFlow 1's order of arguments."""
    return space_to_depth(input, block_size, data_format, name)


@public("nn.depth_to_space", v1=None)
def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    """Channels spread over blocks of pixels. [N, H, W, b b C] -> [N, H b, W b, C]

    Args:
      block_size: b, at least 2, in pixels.
      data_format: "NHWC", or "NCHW" with channels before height and width.
    Raises:
      ShapeError: the number of channels is no multiple of b b.
    """
    return DepthToSpace(int(block_size), data_format)(input, name=name)


@public(v1=("depth_to_space", "nn.depth_to_space"))
def depth_to_space_v1(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """As `depth_to_space`, in TensorFlow 1's order of arguments."""
    return depth_to_space(input, block_size, data_format, name)


@public("space_to_batch", "nn.space_to_batch", v1=None)
def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """Phases of the pixels as batches: y[phase N + n, p..] = padded x[n, p b + phase ..].

    Args:
      input: [N, s_1 .. s_m, r..]. block_shape: m numbers b. paddings: (before, after) for each of the m axes.
    Raises:
      ShapeError: a padded size is no multiple of its block's.
    """
    return SpaceToBatchND()(input, dims(block_shape), paddings, name=name)


@public("space_to_batch_nd", v1=("space_to_batch_nd", "manip.space_to_batch_nd"))
def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """`space_to_batch` by the name of its op."""
    return space_to_batch(input, block_shape, paddings, name)


@public(v1=("space_to_batch", "nn.space_to_batch"))
def space_to_batch_v1(
    input: Any, paddings: Any, block_size: Any = None, name: str | None = None, block_shape: Any = None
) -> Tensor:
    """As `space_to_batch`; block_size is one number for two axes."""
    return space_to_batch(input, _blocks(block_size, block_shape), paddings, name)


def _blocks(block_size: Any, block_shape: Any) -> Any:
    given = one_of("block_shape", block_shape, "block_size", block_size, required=True)
    return (int(given),) * 2 if block_shape is None else given


@public("batch_to_space", v1=None)
def batch_to_space(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """The inverse of `space_to_batch`, with crops in the place of paddings."""
    return BatchToSpaceND()(input, dims(block_shape), crops, name=name)


@public(v1=("batch_to_space_nd", "manip.batch_to_space_nd"))
def batch_to_space_nd(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """`batch_to_space` by the name of its op."""
    return batch_to_space(input, block_shape, crops, name)


@public(v1="batch_to_space")
def batch_to_space_v1(
    input: Any, crops: Any, block_size: Any, name: str | None = None, block_shape: Any = None
) -> Tensor:
    """As `batch_to_space`; block_size is one number for two axes."""
    return batch_to_space(input, _blocks(block_size, block_shape), crops, name)
