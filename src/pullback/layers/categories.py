"""Layers of categories by number: CategoryEncoding, Discretization, Hashing.

ids [..., n] -> "int" [..., n] · "one_hot" [..., n, depth] (n of 1 falls away) · "multi_hot", "count" [..., depth]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype, float32, int64, string
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import EagerTensor, Tensor
from pullback.layers import phase
from pullback.layers.adapted import batches_of
from pullback.layers.base import Layer
from pullback.layers.sizes import positive
from pullback.ops.array.buckets import Bucketize
from pullback.ops.array.one_hot import one_hot
from pullback.ops.array.shape import expand_dims, squeeze
from pullback.ops.math.arithmetic import Equal
from pullback.ops.math.reduce_functions import reduce_max, reduce_sum
from pullback.ops.math.select import Cast, Select
from pullback.ops.ragged import RaggedTensor
from pullback.ops.sparse import SparseTensor
from pullback.ops.sparse.functions import from_dense, to_dense
from pullback.ops.strings.hashing import to_hash_bucket_fast, to_hash_bucket_strong
from pullback.ops.strings.numbers import as_string

MODES = ("int", "one_hot", "multi_hot", "count")


def mode_of(output_mode: str, known: tuple[str, ...], layer: str, sparse: bool = False) -> str:
    """
    Raises:
      ValueError: there is no such mode, or a sparse result is asked for where there is none.
    """
    if output_mode not in known:
        raise ArgumentError(f"{layer}: output_mode must be one of {', '.join(known)}, not {output_mode!r}").locate()
    if sparse and output_mode == "int":
        raise ArgumentError(f'{layer}: sparse=True is for other output modes than "int"').locate()
    return output_mode


def encoded(ids: Any, mode: str, depth: int, dtype: Any, sparse: bool = False, weights: Any = None) -> Any:
    """Ids as they are, or as vectors of `depth` entries; see the module. What is outside of [0, depth) counts nothing.

    weights: what each id adds in the mode "count", of the ids' shape; 1 by default.
    """
    kind = as_dtype(dtype)
    if mode == "int":
        return ids if ids.dtype is kind else _cast(ids, kind)
    ids = dense_of(ids)
    if ids.spec.rank == 0:
        ids = expand_dims(ids, 0)
        mode = "multi_hot" if mode == "one_hot" else mode
    if mode == "one_hot" and (ids.spec.rank or 0) > 1 and ids.spec.shape[-1] == 1:
        ids = squeeze(ids, [-1])
    hot = one_hot(ids, depth, dtype=kind)
    if mode == "multi_hot":
        hot = reduce_max(hot, -2)
    if mode == "count":
        hot = reduce_sum(hot if weights is None else hot * expand_dims(weights, -1), -2)
    return from_dense(hot) if sparse else hot


def dense_of(ids: Any) -> Tensor:
    """Ids with -1 where rows of a ragged or sparse tensor have none."""
    if isinstance(ids, RaggedTensor):
        return ids.to_tensor(default_value=interpreter.as_tensor(-1, ids.dtype))
    return to_dense(ids, default_value=interpreter.as_tensor(-1, ids.dtype)) if isinstance(ids, SparseTensor) else ids


def _cast(x: Any, kind: Any) -> Any:
    if isinstance(x, RaggedTensor):
        return x.with_flat_values(Cast(kind)(x.flat_values))
    if isinstance(x, SparseTensor):
        return SparseTensor(x.indices, Cast(kind)(x.values), x.dense_shape)
    return Cast(kind)(x)


class OfCategories(Layer):
    """Base: inputs may be lists of words or numbers, sparse or ragged."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer."""
        given = inputs
        if isinstance(inputs, (list, tuple, np.ndarray, str, bytes)):
            given = interpreter.as_tensor(np.asarray(inputs) if isinstance(inputs, (list, tuple)) else inputs)
        return super().__call__(given, *args, **kwargs)

    @staticmethod
    def on_values(work: Any, x: Any) -> Any:
        """work(tensor), of the entries of a sparse or ragged tensor."""
        if isinstance(x, RaggedTensor):
            return x.with_flat_values(work(x.flat_values))
        return SparseTensor(x.indices, work(x.values), x.dense_shape) if isinstance(x, SparseTensor) else work(x)


@public("keras.layers.CategoryEncoding", "keras.layers.experimental.preprocessing.CategoryEncoding")
class CategoryEncoding(OfCategories):
    """Whole numbers in [0, num_tokens) as vectors of num_tokens entries.

    Args:
      num_tokens: how many categories there are. sparse: give a SparseTensor.
      output_mode: "one_hot": a vector an entry; "multi_hot": a vector a row, 1 where an entry names it; "count": how
        often.
    Call argument: count_weights: what each entry counts, in the mode "count".
    Raises:
      ValueError: num_tokens is missing, the mode not known, eager inputs not in [0, num_tokens), or count_weights given
        in another mode.
    """

    settings = ("num_tokens", "output_mode", "sparse")

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_tokens = positive(num_tokens, "CategoryEncoding: num_tokens")
        self.output_mode, self.sparse = mode_of(output_mode, MODES[1:], "CategoryEncoding"), sparse

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None and self.output_mode != "count":
            raise ArgumentError(
                f'CategoryEncoding: count_weights are for output_mode "count", not {self.output_mode!r}'
            ).locate()
        ids = self.on_values(lambda x: x if x.dtype.is_integer else Cast(int64)(x), inputs)
        if isinstance(ids, EagerTensor):
            self._check(np.asarray(ids))
        kind = self._dtype or phase.floatx()
        weights = None if count_weights is None else Cast(as_dtype(kind))(interpreter.as_tensor(count_weights))
        return encoded(ids, self.output_mode, self.num_tokens, kind, self.sparse, weights)

    def _check(self, ids: Any) -> None:
        if ids.size and (ids.min() < 0 or ids.max() >= self.num_tokens):
            raise ArgumentError(
                f"CategoryEncoding: inputs must lie in [0, num_tokens), with num_tokens={self.num_tokens}, but go from "
                f"{ids.min()} to {ids.max()}"
            ).locate()


@public("keras.layers.Discretization", "keras.layers.experimental.preprocessing.Discretization")
class Discretization(OfCategories):
    """Numbers as the bins they fall into: bin i is [bin_boundaries[i-1], bin_boundaries[i]), the outer ones endless.

    Args:
      bin_boundaries: in order. num_bins: without them, how many bins of like many numbers `adapt` makes.
      epsilon: how far off `adapt` may be, as a part of the numbers.
      output_mode, sparse: as of CategoryEncoding, or "int".
    Raises:
      ValueError: both or neither of bin_boundaries and num_bins are given, or a mode is not known; in a call: `adapt`
        was not called.
    """

    settings = ("epsilon", "output_mode", "sparse")

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        if (bin_boundaries is None) == (num_bins is None):
            raise ArgumentError("Discretization: give one of bin_boundaries and num_bins").locate()
        self.num_bins = None if num_bins is None else positive(num_bins, "Discretization: num_bins")
        self.bin_boundaries = None if bin_boundaries is None else sorted(float(b) for b in bin_boundaries)
        self.epsilon, self.sparse = epsilon, sparse
        self.output_mode = mode_of(output_mode, MODES, "Discretization", sparse)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Finds num_bins bins of like many numbers: boundaries at quantiles of the data (an array, or a Dataset).

        Raises:
          ValueError: boundaries were given, or there are no data.
        """
        if self.num_bins is None:
            raise ArgumentError("Discretization: bin_boundaries were given, so there is nothing to adapt").locate()
        parts = [np.asarray(b, np.float32).ravel() for b in batches_of(data, batch_size, steps)]
        values = np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.float32)
        if not values.size:
            raise ArgumentError("Discretization: adapt needs data, but was given none").locate()
        step = max(len(values) * self.epsilon, 1.0)  # every step-th value stands for step of them
        kept = values[int(step - 1) :: int(step)]
        if len(kept) <= self.num_bins - 1:
            self.bin_boundaries = [float(v) for v in kept]
            return
        shares = np.arange(1, len(kept) + 1) / len(kept)
        found = np.interp(np.arange(1, self.num_bins) / self.num_bins, shares, kept)
        self.bin_boundaries = [float(v) for v in found.astype(np.float32)]

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise ArgumentError("Discretization: give bin_boundaries, or call adapt first").locate()
        bucket = Bucketize(tuple(self.bin_boundaries))
        bins = self.on_values(lambda x: bucket(_not_short(x)), inputs)
        kind = "int64" if self.output_mode == "int" else self._dtype or phase.floatx()
        return encoded(bins, self.output_mode, len(self.bin_boundaries) + 1, kind, self.sparse)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bin_boundaries": self.bin_boundaries, "num_bins": self.num_bins}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        adapted = config.get("num_bins") is not None and config.get("bin_boundaries") is not None
        made = cls(**{k: v for k, v in config.items() if not (adapted and k == "bin_boundaries")})
        if adapted:
            made.bin_boundaries = config["bin_boundaries"]
        return made


@public("keras.layers.Hashing", "keras.layers.experimental.preprocessing.Hashing")
class Hashing(OfCategories):
    """Words or numbers as one of num_bins bins, by the hash of their text.

    Args:
      num_bins: how many. mask_value: has bin 0 for itself.
      salt: a number or two: keys of SipHash; without it FarmHash, which strings can be made to collide under.
      output_mode, sparse: as of CategoryEncoding, or "int". dtype: of the result, int64 of "int".
    Raises:
      ValueError: num_bins is not positive, or salt or a mode cannot be.
    """

    settings = ("num_bins", "mask_value", "salt", "output_mode", "sparse")

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs["dtype"] = kwargs.get("dtype") or ("int64" if output_mode == "int" else phase.floatx())
        super().__init__(**kwargs)
        self.num_bins, self.mask_value = positive(num_bins, "Hashing: num_bins"), mask_value
        self.output_mode, self.sparse = mode_of(output_mode, MODES, "Hashing", sparse), sparse
        keys = [salt, salt] if isinstance(salt, int) else salt
        if keys is not None and (not isinstance(keys, (list, tuple)) or len(keys) != 2):
            raise ArgumentError(f"Hashing: salt must be a number or two, not {salt!r}").locate()
        self.salt = None if keys is None else list(keys)

    def call(self, inputs: Any) -> Any:
        return encoded(self.on_values(self._bins, inputs), self.output_mode, self.num_bins, self._dtype, self.sparse)

    def _bins(self, x: Tensor) -> Tensor:
        masked = self.mask_value is not None and self.num_bins > 1
        count = self.num_bins - masked
        whole = Cast(int64)(x) if x.dtype.is_floating else x
        text = whole if x.dtype is string else as_string(whole)
        bins = to_hash_bucket_fast(text, count) if self.salt is None else to_hash_bucket_strong(text, count, self.salt)
        if not masked:
            return bins
        return Select()(Equal()(x, self.mask_value), bins * 0, bins + 1)


def _not_short(x: Tensor) -> Tensor:
    """Floats of 16 bits, which buckets are not made of, as float32."""
    return Cast(float32)(x) if x.dtype.is_floating and x.dtype.size == 2 else x
