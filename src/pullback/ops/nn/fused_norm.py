"""Batch normalisation as one op, and its gradient.

    FusedBatchNormV3 --> FusedBatchNormGradV3 --> ordinary ops

With < > the mean over all axes but the channels', h = (x - <x>) r, r = 1 / sqrt(variance + epsilon), in training

    y  = scale h + offset
    dx = scale r P(dy),   dscale = sum(dy h),   doffset = sum(dy),      P(g) = g - <g> - h <g h>

and these once more, from cotangents gx, gs, go of the three (n entries a channel; P is its own adjoint):

    to dy      scale r P(gx) + gs h + go
    to scale   r n <gx P(dy)>
    to x       r P(c) - scale r^2 <gx P(dy)> h,     c = gs dy - scale r (gx <dy h> + dy <gx h>)

The statistics that are outputs pass no cotangent, as in TensorFlow. Source: Ioffe & Szegedy 2015.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.basics import ZerosLike
from pullback.core.dtypes import REALS, float32, float64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce import Mean, Sum
from pullback.ops.math.select import Cast

_FORMATS = {"NHWC": 4, "NCHW": 4, "NDHWC": 5, "NCDHW": 5}
_LEAST_EPSILON = 1.001e-5  # as cuDNN wants it, and TensorFlow therefore everywhere


class _Fused(Op):
    """Base of the pair."""

    T = REALS
    U = (float32, float64)
    epsilon: Any
    data_format: Any
    is_training: Any

    def check(self) -> None:
        if self.data_format not in _FORMATS:
            raise ArgumentError(f"{self.type}: data_format must be one of {sorted(_FORMATS)}, not {self.data_format!r}")

    @property
    def channel(self) -> int:
        """The channels' axis."""
        return 1 if self.data_format.startswith("NC") else _FORMATS[self.data_format] - 1

    @property
    def folded(self) -> tuple[int, ...]:
        """All other axes."""
        return tuple(i for i in range(_FORMATS[self.data_format]) if i != self.channel)

    def channels(self, x: Spec, *vectors: Spec) -> Any:
        """How many channels.

        Raises:
          ShapeError: x or a vector does not have this shape.
        """
        if len(x.shape or ()) != _FORMATS[self.data_format]:
            raise ShapeError(f"{self.type}: x must be {self.data_format}, but its shape is {shape.text(x.shape)}")
        together = (x.shape[self.channel],)  # type: ignore[index]
        for v in vectors:
            together = shape.merged(together, v.shape, f"{self.type}: x {shape.text(x.shape)} has channels")
        return together

    def row(self, v: Any) -> Any:
        """A vector [C] as an array that broadcasts over x."""
        return np.reshape(v, [-1 if i == self.channel else 1 for i in range(_FORMATS[self.data_format])])

    def row_of(self, v: Tensor) -> Tensor:
        """`row` of a tensor."""
        return REGISTRY["Reshape"]()(v, [-1 if i == self.channel else 1 for i in range(_FORMATS[self.data_format])])


@op
class FusedBatchNormV3(_Fused):
    """x normalised channel by channel: in training by its own statistics, else by those given.

    x [N,H,W,C], scale, offset, mean, variance [C] -> y [N,H,W,C], batch_mean, batch_variance [C] and what the gradient
    reads: mean, variance [C] and nothing [0]. batch_variance is divided by n - 1; mean and variance given in training
    are averaged in, weighing 1 - exponential_avg_factor.
    """

    signature = (
        "x: T, scale: U, offset: U, mean: U, variance: U -> y: T, batch_mean: U, batch_variance: U, "
        "reserve_space_1: U, reserve_space_2: U, reserve_space_3: U"
    )
    epsilon: float = 0.0001
    exponential_avg_factor: float = 1.0
    data_format: str = "NHWC"
    is_training: bool = True

    def infer(self, x: Spec, scale: Spec, offset: Spec, mean: Spec, variance: Spec) -> tuple[Spec, ...]:
        given = () if self.is_training and self.exponential_avg_factor == 1 else (mean, variance)
        c = self.channels(x, scale, offset, *given)
        return x.with_shape(x.shape), *(scale.with_shape(c),) * 4, scale.with_shape((0,))

    def reference(self, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        wide = x.astype(np.float64 if x.dtype == np.float64 else np.float32)
        kept = mean, variance
        if self.is_training:
            n, f = wide.size // max(len(scale), 1), self.exponential_avg_factor
            own = [wide.mean(self.folded), wide.var(self.folded)] if n else [np.zeros_like(scale)] * 2
            own_kept = own[0], own[1] * (n / max(n - 1, 1))
            kept = own_kept if f == 1 else [(1 - f) * k + f * o for k, o in zip(kept, own_kept, strict=True)]
            mean, variance = own
        h = (wide - self.row(mean)) / np.sqrt(self.row(variance) + max(self.epsilon, _LEAST_EPSILON))
        y = (h * self.row(scale) + self.row(offset)).astype(x.dtype)
        return y, *(np.asarray(v, scale.dtype) for v in (*kept, mean, variance, np.zeros(0)))

    def expand(self, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        """In training at full precision, as sums and products that can be fused."""
        if x.dtype is not scale.dtype or not self.is_training or not x.spec.known or 0 in x.spec.shape:
            return NotImplemented
        n, f = math.prod(x.spec.shape[i] for i in self.folded), self.exponential_avg_factor
        own = Mean()(x, self.folded)
        off = x - self.row_of(own)
        spread = Mean()(off * off, self.folded)
        kept = [own, spread * (n / max(n - 1, 1))]
        if f != 1:
            kept = [k * (1 - f) + o * f for k, o in zip((mean, variance), kept, strict=True)]
        r = m.Rsqrt()(spread + max(self.epsilon, _LEAST_EPSILON))
        y = off * self.row_of(r * scale) + self.row_of(offset)
        return y, *kept, own, spread, np.zeros(0, scale.dtype.numpy)

    def grad(self, node: Any, dy: Any, *others: Any) -> Any:
        if dy is None:
            return (None,) * 5
        x, scale = node.inputs[:2]
        back = FusedBatchNormGradV3(self.epsilon, self.data_format, self.is_training)
        dx, dscale, doffset = back(dy, x, scale, *node.results[3:])[:3]
        return dx, dscale, doffset, None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        def args(*size: int, channel: int = -1, dtype: Any = np.float64) -> tuple[Any, ...]:
            vectors = [rng.uniform(0.5, 1.5, size[channel]) for _ in range(4)]
            narrow = dtype if dtype == np.float64 else np.float32
            return rng.normal(size=size).astype(dtype), *(v.astype(narrow) for v in vectors)

        # The statistics that are outputs pass no cotangent, so that differences see more than the gradient.
        most: dict[str, Any] = {"wrt": (0, 1, 2), "smooth": False}
        yield Sample(cls(), args(2, 3, 2, 2), **most)
        yield Sample(cls(is_training=False), args(2, 3, 2, 2), **most)
        yield Sample(cls(0.01, 0.25, "NCHW"), args(2, 3, 2, 2, channel=1), **most)
        yield Sample(cls(data_format="NCDHW"), args(2, 3, 2, 1, 2, channel=1), **most)
        yield Sample(cls(is_training=False), args(0, 3, 2, 2), name="no_batch", **most)
        for t in (t for t in cls.T if t is not float64):
            yield Sample(cls(), args(2, 2, 2, 2, dtype=t.numpy), order=1, name=t.name, **most)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        one = np.ones(2)
        yield lambda: cls()(np.ones((2, 2)), *(one,) * 4), ShapeError, "must be NHWC"
        yield lambda: cls()(np.ones((1, 2, 2, 3)), *(one,) * 4), ShapeError, "not compatible"
        yield lambda: cls(data_format="HWCN"), ArgumentError, "data_format"


@op
class FusedBatchNormGradV3(_Fused):
    """The gradient of FusedBatchNormV3. dy, x [N,H,W,C], scale, mean, variance [C], nothing [0] -> dx, dscale, doffset

    In training the statistics are x's own, and its gradient knows that.
    """

    signature = (
        "y_backprop: T, x: T, scale: U, reserve_space_1: U, reserve_space_2: U, reserve_space_3: U -> "
        "x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_4: U, reserve_space_5: U"
    )
    epsilon: float = 0.0001
    data_format: str = "NHWC"
    is_training: bool = True

    def infer(self, dy: Spec, x: Spec, scale: Spec, mean: Spec, variance: Spec, nothing: Spec) -> tuple[Spec, ...]:
        c = self.channels(x, scale, mean, variance)
        together = shape.merged(dy.shape, x.shape, "FusedBatchNormGradV3: cotangent and x")
        return x.with_shape(together), *(scale.with_shape(c),) * 2, *(scale.with_shape((0,)),) * 2

    def reference(self, dy: Any, x: Any, scale: Any, mean: Any, variance: Any, nothing: Any) -> Any:
        dy, wide = (a.astype(np.float64 if x.dtype == np.float64 else np.float32) for a in (dy, x))
        r = 1 / np.sqrt(self.row(variance) + max(self.epsilon, _LEAST_EPSILON))
        h = (wide - self.row(mean)) * r
        dx = dy
        if self.is_training and x.size:
            dx = dy - dy.mean(self.folded, keepdims=True) - h * (dy * h).mean(self.folded, keepdims=True)
        sums = (dy * h).sum(self.folded), dy.sum(self.folded), np.zeros(0), np.zeros(0)
        return (self.row(scale) * r * dx).astype(x.dtype), *(s.astype(scale.dtype) for s in sums)

    def expand(self, dy: Any, x: Any, scale: Any, mean: Any, variance: Any, nothing: Any) -> Any:
        """In training at full precision, as sums and products that can be fused."""
        if x.dtype is not scale.dtype or not self.is_training or not x.spec.known or 0 in x.spec.shape:
            return NotImplemented
        n = math.prod(x.spec.shape[i] for i in self.folded)
        r = m.Rsqrt()(variance + max(self.epsilon, _LEAST_EPSILON))
        h = (x - self.row_of(mean)) * self.row_of(r)
        sums, total = Sum()(dy * h, self.folded), Sum()(dy, self.folded)
        dx = dy - self.row_of(total / n) - h * self.row_of(sums / n)
        return self.row_of(scale * r) * dx, sums, total, nothing, nothing

    def grad(self, node: Any, gx: Any, gs: Any, go: Any, *nothing: Any) -> Any:
        dy, x, scale, mean, variance, _ = node.inputs
        out = x.dtype
        dy, x = (t if t.dtype is scale.dtype else Cast(scale.dtype)(t) for t in (dy, x))
        gx = ZerosLike()(x) if gx is None else gx if gx.dtype is scale.dtype else Cast(scale.dtype)(gx)
        gs, go = (self.row_of(ZerosLike()(scale) if g is None else g) for g in (gs, go))
        to = self._in_training if self.is_training else self._in_use
        to_dy, to_x, to_scale = to(gx, gs, go, dy, x, self.row_of(scale), self.row_of(mean), self.row_of(variance))
        to_dy, to_x = (t if t.dtype is out else Cast(out)(t) for t in (to_dy, to_x))
        return to_dy, to_x, Sum()(to_scale, self.folded), None, None, None

    def _mean(self, t: Tensor) -> Tensor:
        return Mean(True)(t, self.folded)

    def _in_training(
        self, gx: Any, gs: Any, go: Any, dy: Any, x: Any, scale: Any, mean: Any, variance: Any
    ) -> tuple[Any, ...]:
        """Cotangents of dy, of x, and of scale before its sum; the statistics are taken anew, as functions of x."""
        off = x - self._mean(x)
        r = m.Rsqrt()(self._mean(off * off) + max(self.epsilon, _LEAST_EPSILON))
        h = off * r

        def centered(g: Any) -> Any:
            return g - self._mean(g) - h * self._mean(g * h)

        slope = self._mean(gx * centered(dy))
        c = gs * dy - scale * r * (gx * self._mean(dy * h) + dy * self._mean(gx * h))
        to_dy = scale * r * centered(gx) + gs * h + go
        return to_dy, r * centered(c) - scale * r * r * slope * h, r * gx * centered(dy)

    def _in_use(
        self, gx: Any, gs: Any, go: Any, dy: Any, x: Any, scale: Any, mean: Any, variance: Any
    ) -> tuple[Any, ...]:
        """Cotangents of dy, of x, and of scale before its sum; the statistics are constants."""
        r = m.Rsqrt()(variance + max(self.epsilon, _LEAST_EPSILON))
        return scale * r * gx + gs * (x - mean) * r + go, gs * r * dy, r * gx * dy

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        def args(*size: int, channel: int = -1, dtype: Any = np.float64) -> tuple[Any, ...]:
            dy, x = rng.normal(size=(2, *size)).astype(dtype)
            others = tuple(i for i in range(len(size)) if i != channel % len(size))
            narrow = np.float64 if dtype == np.float64 else np.float32
            wide = x.astype(narrow)
            scale = rng.uniform(0.5, 1.5, size[channel]).astype(narrow)
            return dy, x, scale, wide.mean(others), wide.var(others), np.zeros(0, narrow)

        # In training a change of x changes the statistics, which here are inputs: differences do not see that.
        yield Sample(cls(), args(2, 3, 2, 2), wrt=(0, 2))
        yield Sample(cls(), args(2, 3, 2, 2), wrt=(0, 1, 2), smooth=False, name="x too")
        yield Sample(cls(is_training=False), args(2, 3, 2, 2), wrt=(0, 1, 2))
        yield Sample(cls(data_format="NCHW"), args(2, 3, 2, 2, channel=1), wrt=(0, 2), order=2)
        for t in (t for t in cls.T if t is not float64):
            yield Sample(cls(), args(2, 2, 2, 2, dtype=t.numpy), wrt=(0, 2), smooth=False, order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        one, none, image = np.ones(2), np.ones(0), np.ones((1, 2, 2, 2))
        yield lambda: cls()(np.ones((2, 2, 2, 2)), image, one, one, one, none), ShapeError, "not compatible"


@public(v1="nn.fused_batch_norm")
def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
    exponential_avg_factor: float = 1.0,
) -> Any:
    """Images normalised channel by channel.

    Args:
      x: [N,H,W,C], or as data_format says. scale, offset: [C].
      mean, variance: [C]; needed unless in training.
      epsilon: a small number, so that nothing is divided by 0; at least 1.001e-5.
      is_training: normalise by x's own statistics, else by those given.
      exponential_avg_factor: in training, how much the batch weighs in the statistics that are answered.
    Returns:
      (y, mean, variance).
    Raises:
      ShapeError: the shapes do not fit. ArgumentError: statistics are needed, and lack.
    """
    given = mean is not None and variance is not None
    if not given and (not is_training or exponential_avg_factor != 1.0):
        raise ArgumentError("fused_batch_norm: mean and variance must be given unless in training").locate()
    from pullback.core import interpreter

    x = interpreter.as_tensor(x)
    kind = x.dtype if x.dtype is float64 else float32
    vectors = [interpreter.as_tensor(v, kind) for v in (scale, offset)]
    vectors += [interpreter.as_tensor(v if given else np.zeros(0, kind.numpy), kind) for v in (mean, variance)]
    made = FusedBatchNormV3(float(epsilon), float(exponential_avg_factor), data_format, bool(is_training))
    return made(x, *vectors, name=name)[:3]
