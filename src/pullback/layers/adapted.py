"""Normalization: inputs by a mean and variance that are given, or learnt from data by `adapt`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.layers import phase
from pullback.layers.image_framing import OfImages
from pullback.layers.sizes import axes_of
from pullback.ops.array.shape import reshape
from pullback.ops.math.arithmetic import Maximum
from pullback.ops.math.functions import sqrt
from pullback.ops.math.select import Cast


def batches_of(data: Any, batch_size: int | None = None, steps: int | None = None) -> Iterable[Any]:
    """The arrays of data: an array or a list (in batches of batch_size, all at once by default), or a Dataset."""
    if hasattr(data, "element_spec"):
        for i, batch in enumerate(data):
            if steps is not None and i >= steps:
                return
            yield batch.numpy() if isinstance(batch, Tensor) else batch
        return
    whole = data.numpy() if hasattr(data, "numpy") else np.asarray(data)
    if not whole.ndim:
        whole = whole[None]
    size = batch_size or max(len(whole), 1)
    parts = [whole[i : i + size] for i in range(0, len(whole), size)] if len(whole) else []
    yield from parts[:steps]


@public("keras.layers.Normalization", "keras.layers.experimental.preprocessing.Normalization")
class Normalization(OfImages):
    """(x - mean) / max(sqrt(variance), 1e-7)

    Args:
      axis: the axes along which mean and variance differ; None: there is one of each.
      mean, variance: theirs, as numbers or arrays; without them `adapt` finds them.
      invert: undo the normalisation instead: x max(sqrt(variance), 1e-7) + mean.
    Raises:
      ValueError: only one of mean and variance is given, axis does not fit, or its size is not known.
    """

    settings = ("axis", "invert")

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ArgumentError("Normalization: give both mean and variance, or none of them").locate()
        self.axis = None if axis is None else list(axis) if isinstance(axis, (list, tuple)) else axis
        self.invert = invert
        self.input_mean, self.input_variance = mean, variance
        self.mean: Any = None
        self.variance: Any = None
        self.adapt_mean: Any = None
        self.adapt_variance: Any = None
        self.count: Any = None

    def build(self, input_shape: Any) -> None:
        sizes = as_shape(input_shape)
        if sizes is None:
            raise ArgumentError("Normalization: the inputs must have a known number of axes").locate()
        rank = len(sizes)
        kept = [] if self.axis is None else axes_of(self.axis, rank, "Normalization") if rank else []
        self._kept = sorted(kept)
        shape: Any = [sizes[a] for a in self._kept]
        if None in shape:
            raise ArgumentError(
                f"Normalization: the sizes of axes {self.axis} must be known, but inputs are {sizes}"
            ).locate()
        self._wide = [sizes[a] if a in self._kept else 1 for a in range(rank)]
        self._shape = shape
        if self.input_mean is None:
            self.adapt_mean = self.add_weight("mean", shape, initializer="zeros", trainable=False)
            self.adapt_variance = self.add_weight("variance", shape, initializer="ones", trainable=False)
            self.count = self.add_weight("count", (), "int32", "zeros", trainable=False)
            self.mean, self.variance = self.adapt_mean, self.adapt_variance
        else:
            given = (np.asarray(v, self._dtype or phase.floatx()) for v in (self.input_mean, self.input_variance))
            self.mean, self.variance = (interpreter.as_tensor(np.broadcast_to(v, shape).copy()) for v in given)
        self.built = True

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Finds mean and variance, of all of the data; what was found before is forgotten.

        Args:
          data: an array, or a Dataset of batches. batch_size: has a meaning for arrays only: what is read at a time.
          steps: how many batches are read; all by default.
        Raises:
          ValueError: mean and variance were given to the constructor, or there are no data.
        """
        if self.input_mean is not None:
            raise ArgumentError("Normalization: mean and variance were given, so there is nothing to adapt").locate()
        total, mean, square = 0, np.zeros(()), np.zeros(())
        for batch in batches_of(data, batch_size, steps):
            x = np.asarray(batch, np.float64)
            if not self.built:
                self.build((None, *x.shape[1:]) if 0 not in self._axes_of_array(x) else x.shape)
            rest = tuple(a for a in range(x.ndim) if a not in self._kept)
            n = int(np.prod([x.shape[a] for a in rest]))
            m, v = x.mean(axis=rest), x.var(axis=rest)  # Chan, Golub & LeVeque 1979: two parts of a sample as one
            square = square + v * n + (m - mean) ** 2 * (total * n / max(total + n, 1))
            mean = mean + (m - mean) * (n / max(total + n, 1))
            total += n
        if not total:
            raise ArgumentError("Normalization: adapt needs data, but was given none").locate()
        self.adapt_mean.assign(mean.astype(self.adapt_mean.dtype.numpy))
        self.adapt_variance.assign((square / total).astype(self.adapt_variance.dtype.numpy))
        self.count.assign(np.int32(min(total, 2**31 - 1)))

    def _axes_of_array(self, x: Any) -> list[int]:
        return [] if self.axis is None or not x.ndim else axes_of(self.axis, x.ndim, "Normalization")

    def call(self, inputs: Any) -> Any:
        x = self.as_float(inputs)
        mean, variance = (reshape(v, self._wide) for v in (self.mean, self.variance))
        mean, variance = (v if v.dtype is x.dtype else Cast(x.dtype)(v) for v in (mean, variance))
        scale = Maximum()(sqrt(variance), phase.epsilon())
        return x * scale + mean if self.invert else (x - mean) / scale

    def get_config(self) -> dict[str, Any]:
        given = (None if v is None else np.asarray(v).tolist() for v in (self.input_mean, self.input_variance))
        return {**super().get_config(), **dict(zip(("mean", "variance"), given, strict=True))}
