"""Local response normalisation: each value divided by what its neighbours in the channels amount to.

y = x p,   p = n^-beta,   n = bias + alpha W(x^2),   W: sums over the channels within depth_radius

LRN --> LRNGrad --> ordinary ops and W, which is its own adjoint
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.dtypes import REALS, float64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.math import arithmetic as m


def window_sums(x: Any, radius: int) -> Any:
    """y[..., d] = sum of x[..., k] over |k - d| <= radius."""
    depth = x.shape[-1]
    within = np.abs(np.subtract.outer(np.arange(depth), np.arange(depth))) <= radius
    return x @ within.astype(x.dtype)


class _Response(Op):
    """Base of LRN and its gradient."""

    T = REALS
    depth_radius: Any
    bias: Any
    alpha: Any
    beta: Any

    def check(self) -> None:
        if self.depth_radius < 0:
            raise ArgumentError(f"{self.type}: depth_radius must not be negative, but is {self.depth_radius}")

    def infer(self, *inputs: Spec) -> Spec:
        together: Any = None
        for x in inputs:
            together = shape.merged(together, x.shape, f"{self.type}: shapes")
        if len(together) != 4:
            raise ShapeError(f"{self.type}: the input must be [N,H,W,C], but has shape {shape.text(together)}")
        return inputs[0].with_shape(together)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        from pullback.ops.image.sampling import over_batch

        return over_batch(self, size, inputs, axes, tuple(range(len(inputs))))


@op
class ChannelWindowSum(Op):
    """y[..., d] = sum of x[..., k] over |k - d| <= radius."""

    signature = "x: T -> y: T"
    T = REALS
    radius: int = 1

    def infer(self, x: Spec) -> Spec:
        if not x.shape:
            raise ShapeError("ChannelWindowSum: the input must have an axis of channels")
        return x.with_shape(x.shape)

    def reference(self, x: Any) -> Any:
        wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
        return window_sums(wide, self.radius).astype(x.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        return self(dy)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 5)),))
        yield Sample(cls(3), (rng.normal(size=(2, 2)),))
        yield Sample(cls(0), (rng.normal(size=(0, 2)),))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.float64(1)), ShapeError, "axis of channels"


@op
class LRN(_Response):
    """y = x (bias + alpha W(x^2))^-beta, W summing the channels within depth_radius. x [N,H,W,C] -> y"""

    signature = "input: T -> output: T"
    depth_radius: int = 5
    bias: float = 1.0
    alpha: float = 1.0
    beta: float = 0.5

    def reference(self, x: Any) -> Any:
        wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
        n = self.bias + self.alpha * window_sums(wide * wide, self.depth_radius)
        return (wide * n**-self.beta).astype(x.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        back = LRNGrad(self.depth_radius, self.bias, self.alpha, self.beta)
        return back(dy, node.inputs[0], node.results[0])

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(1, 2, 2, 3)),))
        yield Sample(cls(1, 2.0, 0.5, 0.75), (rng.normal(size=(2, 1, 2, 5)),))
        yield Sample(cls(), (np.ones((0, 2, 2, 3)),), name="no_batch")
        for t in cls.T:
            if t is not float64:
                yield Sample(cls(), (rng.normal(size=(1, 1, 2, 3)).astype(t.numpy),), order=1, tolerance=4, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3))), ShapeError, "must be [N,H,W,C]"
        yield lambda: cls(-1), ArgumentError, "must not be negative"


@op
class LRNGrad(_Response):
    """dx = dy p - 2 alpha beta x W(dy y / n). dy, x, y [N,H,W,C] -> dx"""

    signature = "input_grads: T, input_image: T, output_image: T -> output: T"
    depth_radius: int = 5
    bias: float = 1.0
    alpha: float = 1.0
    beta: float = 0.5

    def reference(self, dy: Any, x: Any, y: Any) -> Any:
        out = x.dtype
        dy, x, y = (a.astype(np.float32) if out.itemsize == 2 else a for a in (dy, x, y))
        n = self.bias + self.alpha * window_sums(x * x, self.depth_radius)
        dx = dy * n**-self.beta - 2 * self.alpha * self.beta * x * window_sums(dy * y / n, self.depth_radius)
        return dx.astype(out)

    def grad(self, node: Any, c: Any) -> Any:
        dy, x, y = node.inputs
        total, factor = ChannelWindowSum(self.depth_radius), 2 * self.alpha * self.beta
        n = total(x * x) * self.alpha + self.bias
        p = m.Pow()(n, -self.beta)
        spread = total(c * x)  # W(c x), the cotangent of dy y / n over -factor
        to_dy = c * p - factor * spread * y / n
        to_n = factor * spread * dy * y / (n * n) - self.beta * c * dy * p / n
        to_x = (2 * self.alpha) * x * total(to_n) - factor * c * total(dy * y / n)
        return to_dy, to_x, -factor * spread * dy / n

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), tuple(rng.normal(size=(3, 1, 2, 2, 3))))
        yield Sample(cls(1, 2.0, 0.5, 0.75), tuple(rng.normal(size=(3, 1, 1, 2, 5))))
        yield Sample(cls(), (np.ones((0, 2, 2, 3)),) * 3, name="no_batch")
        for t in cls.T:
            if t is not float64:
                args = tuple(rng.normal(size=(3, 1, 1, 2, 3)).astype(t.numpy))
                yield Sample(cls(), args, order=1, tolerance=4, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        one = np.ones((1, 1, 1, 2))
        yield lambda: cls()(one, one, np.ones((1, 1, 1, 3))), ShapeError, "not compatible"


@public("nn.local_response_normalization", "nn.lrn")
def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, name: str | None = None
) -> Tensor:
    """x / (bias + alpha times the sum of x^2 over the channels within depth_radius)^beta.

    Args:
      input: [N,H,W,C], floating. depth_radius: how many channels to either side count.
    Gradient: of every order. (TensorFlow has the first only.) Source: Krizhevsky et al. 2012, section 3.3.
    """
    return LRN(int(depth_radius), float(bias), float(alpha), float(beta))(input, name=name)
