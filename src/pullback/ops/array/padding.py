"""Putting entries around a tensor: Pad, PadV2 with a constant, MirrorPad with its own; and Tile, which repeats it.

Pad --> StridedSlice --> StridedSliceGrad      MirrorPad <-> MirrorPadGrad      Tile --> SumTo
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import BroadcastTo, OnesLike, Shape_, SumTo, shape_of, static_tuple
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.joining import ConcatV2, Pack, chain
from pullback.ops.array.shape import ExpandDims, Reshape, axis_in, differentiable, dims, drawn
from pullback.ops.array.slicing import Slice
from pullback.ops.math.select import Identity

_PADDINGS = "paddings: int32|int64"
_NONE = ((0, 0),)


def _known(paddings: Spec, rank: int, what: str) -> tuple[tuple[Any, Any], ...]:
    """(before, after) of each axis as far as known.

    Raises:
      ShapeError: there is not one pair an axis, or a number is negative.
    """
    if not shape.compatible(paddings.shape, (rank, 2)):
        raise ShapeError(
            f"{what}: paddings have shape {shape.text(paddings.shape)}, but a tensor of rank {rank} needs [{rank},2]: "
            "(before, after) for each axis"
        )
    pairs: Any = paddings.value if isinstance(paddings.value, tuple) else ((None, None),) * rank
    if any(n is not None and n < 0 for pair in pairs for n in pair):
        raise ShapeError(f"{what}: paddings {[list(p) for p in pairs]} must not be negative; use tf.slice to cut")
    return pairs


class _Padded(Op):
    """Base of the four. x [n_i..], paddings [rank, 2] -> y [before_i + n_i + after_i ..]"""

    T = dtypes.ANY
    static = (1,)

    def infer(self, x: Spec, paddings: Spec, *value: Spec) -> Spec:
        assert x.shape is not None
        pairs = _known(paddings, len(x.shape), self.type)
        for spec in value:
            if spec.shape not in ((), None):
                raise ShapeError(
                    f"{self.type}: constant_values must be a scalar, but has shape {shape.text(spec.shape)}"
                )
        return x.with_shape(
            tuple(None if None in (n, *p) else p[0] + n + p[1] for n, p in zip(x.shape, pairs, strict=True))
        )

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, paddings, *value = inputs
        if any(a is not None for a in axes[1:]):
            return NotImplemented
        return self(x, _after_none(paddings), *value), 0

    def attrs(self) -> dict[str, Any]:
        return {}


def _settled(paddings: Tensor) -> Any:
    """(before, after) of each axis where all are known now, else None."""
    known: Any = static_tuple(paddings)
    return None if known is None or any(n is None for pair in known for n in pair) else known


def _after_none(paddings: Tensor) -> Any:
    """Paddings for one more leading axis, which gets none."""
    known = _settled(paddings)
    return ConcatV2()(np.zeros((1, 2), paddings.dtype.numpy), paddings, 0) if known is None else (*_NONE, *known)


def _inside(dy: Any, node: Any) -> Any:
    """What of dy lies where x was."""
    x, paddings = node.inputs[:2]
    known = _settled(paddings)
    begin = paddings[:, 0] if known is None else tuple(p[0] for p in known)
    return Slice()(dy, begin, shape_of(x))


def _samples(cls: Any, rng: np.random.Generator, *value: Any) -> Iterator[Sample]:
    wrt = (0, 2) if value else (0,)
    yield Sample(cls(), (rng.normal(size=(2, 3)), np.array([[1, 2], [0, 1]], np.int32), *value), wrt=wrt)
    yield Sample(cls(), (rng.normal(size=(2, 0)), np.array([[0, 0], [2, 1]]), *value), wrt=wrt, name="empty")
    yield Sample(cls(), (rng.normal(size=()), np.zeros((0, 2), np.int32), *value), wrt=wrt, name="scalar")
    for t in cls.T:
        if t is not dtypes.string or value:
            args = (drawn(rng, (2,), t), np.array([[1, 1]], np.int32), *(drawn(rng, (), t) for _ in value))
            yield Sample(cls(), args, differentiable(t, *wrt), order=1, name=t.name)


def _mistakes(cls: Any, *value: Any) -> Iterator[tuple[Any, type[Exception], str]]:
    yield lambda: cls()(np.ones((2, 3)), np.array([[1, 1]]), *value), ShapeError, "needs [2,2]"
    yield lambda: cls()(np.ones(2), np.array([[-1, 1]]), *value), ShapeError, "negative"


@op
class Pad(_Padded):
    """Zeros around x."""

    signature = f"input: T, {_PADDINGS} -> output: T"

    def reference(self, x: Any, paddings: Any) -> Any:
        return np.pad(x, np.asarray(paddings)) if np.ndim(x) else x

    def grad(self, node: Any, dy: Any) -> Any:
        return _inside(dy, node), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        return _samples(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        return _mistakes(cls)


@op
class PadV2(_Padded):
    """One value around x."""

    signature = f"input: T, {_PADDINGS}, constant_values: T -> output: T"

    def reference(self, x: Any, paddings: Any, value: Any) -> Any:
        y = np.full(np.shape(x) + np.sum(paddings, 1).astype(int), value, x.dtype)
        y[
            tuple(
                slice(before, before + n)
                for (before, _), n in zip(np.asarray(paddings).tolist(), np.shape(x), strict=True)
            )
        ] = x
        return y

    def grad(self, node: Any, dy: Any) -> Any:
        dx = _inside(dy, node)
        return dx, None, SumTo()(dy, ()) - SumTo()(dx, ())

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        return _samples(cls, rng, rng.normal(size=()))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        return _mistakes(cls, 1.0)


class _Mirror(_Padded):
    """Base of MirrorPad and its gradient. mode: REFLECT leaves the border itself out, SYMMETRIC repeats it."""

    mode: str

    def check(self) -> None:
        if self.mode not in ("REFLECT", "SYMMETRIC"):
            raise ArgumentError(f"{self.type}: mode must be 'REFLECT' or 'SYMMETRIC', not {self.mode!r}")

    def source(self, of: Any, paddings: Any) -> Any:
        """For each place of the padded tensor, the flat place in x [of] that it shows."""
        pairs = np.asarray(paddings).tolist()
        short = 1 if self.mode == "REFLECT" else 0
        for axis, (n, pair) in enumerate(zip(of, pairs, strict=True)):
            if max(pair) > max(n - short, 0):
                raise ShapeError(
                    f"{self.type}: paddings {pair} of axis {axis} are larger than mode {self.mode} can mirror "
                    f"from {n} entries: at most {max(n - short, 0)}"
                )
        flat = np.arange(int(np.prod(of))).reshape(of)
        return np.pad(flat, pairs, self.mode.lower()) if len(pairs) else flat  # type: ignore[call-overload]

    def attrs(self) -> dict[str, Any]:
        return {"mode": self.mode.encode()}


@op
class MirrorPad(_Mirror):
    """x with its own mirror images around."""

    signature = f"input: T, {_PADDINGS} -> output: T"
    mode: str = "REFLECT"

    def infer(self, x: Spec, paddings: Spec, *value: Spec) -> Spec:
        y = super().infer(x, paddings)
        if x.known and isinstance(paddings.value, tuple) and y.known:
            self.source(x.shape, paddings.value)
        return y

    def reference(self, x: Any, paddings: Any) -> Any:
        return np.ravel(x)[self.source(np.shape(x), paddings)]

    def grad(self, node: Any, dy: Any) -> Any:
        return MirrorPadGrad(self.mode)(dy, node.inputs[1]), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for mode in ("REFLECT", "SYMMETRIC"):
            yield Sample(cls(mode), (rng.normal(size=(3, 4)), np.array([[2, 1], [0, 3]], np.int32)), wrt=(0,))
            yield Sample(
                cls(mode), (rng.normal(size=(0, 2)), np.array([[0, 0], [0, 0]])), wrt=(0,), name=f"{mode}_empty"
            )
        yield Sample(cls(), (np.arange(3), np.array([[1, 2]])), name="int64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(2), np.array([[2, 0]])), ShapeError, "at most 1"
        yield lambda: cls("WRAP"), ArgumentError, "'WRAP'"
        yield from _mistakes(cls)


@op
class MirrorPadGrad(_Mirror):
    """The adjoint of MirrorPad: what lies in the mirror images is added to what they show. y [padded] -> x"""

    signature = f"input: T, {_PADDINGS} -> output: T"
    T = dtypes.NUMBERS
    mode: str = "REFLECT"

    def infer(self, dy: Spec, paddings: Spec, *value: Spec) -> Spec:
        assert dy.shape is not None
        pairs: Any = _known(paddings, len(dy.shape), self.type)
        sides: Any = zip(dy.shape, pairs, strict=True)
        out = tuple(None if None in (n, *p) else n - sum(p) for n, p in sides)
        if any(n is not None and n < 0 for n in out):
            raise ShapeError(
                f"MirrorPadGrad: {shape.text(dy.shape)} is smaller than its paddings {[list(p) for p in pairs]}"
            )
        return dy.with_shape(out)

    def reference(self, dy: Any, paddings: Any) -> Any:
        x = np.zeros([int(n - sum(p)) for n, p in zip(np.shape(dy), np.asarray(paddings), strict=True)], dy.dtype)
        np.add.at(x.reshape(-1), self.source(x.shape, paddings), dy)
        return x

    def grad(self, node: Any, dx: Any) -> Any:
        return MirrorPad(self.mode)(dx, node.inputs[1]), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for mode in ("REFLECT", "SYMMETRIC"):
            yield Sample(cls(mode), (rng.normal(size=(6, 7)), np.array([[2, 1], [0, 3]], np.int32)), wrt=(0,))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(2), np.array([[2, 1]])), ShapeError, "smaller than its paddings"


@op
class Tile(Op):
    """x repeated along each axis. x [n_i..], multiples [rank] -> y [n_i multiples_i ..]"""

    signature = "input: T, multiples: int32|int64 -> output: T"
    T = dtypes.ANY
    static = (1,)

    def infer(self, x: Spec, multiples: Spec) -> Spec:
        assert x.shape is not None
        times = known_vector(multiples) or (None,) * len(x.shape)
        if len(times) != len(x.shape) or multiples.rank not in (1, None):
            raise ShapeError(f"Tile: multiples must hold {len(x.shape)} numbers, one an axis, not {len(times)}")
        if any(m is not None and m < 0 for m in times):
            raise ShapeError(f"Tile: multiples {list(times)} must not be negative")
        return x.with_shape(
            tuple(None if n is None or m is None else n * m for n, m in zip(x.shape, times, strict=True))
        )

    def reference(self, x: Any, multiples: Any) -> Any:
        return np.tile(x, tuple(map(int, multiples)))

    def grad(self, node: Any, dy: Any) -> Any:
        """y = x broadcast over [m_1, n_1, m_2, n_2, ...]: the sum over the m."""
        x, multiples = node.inputs
        times, known = static_tuple(multiples), x.spec.known
        if known and times is not None:
            apart: Any = sum(zip(times, x.spec.shape, strict=True), ())
            ones: Any = sum(((1, n) for n in x.spec.shape), ())
        else:
            sizes = Shape_(multiples.dtype)(x)
            apart, ones = (Reshape()(Pack(1)(m, sizes), (-1,)) for m in (multiples, OnesLike()(sizes)))
        return Reshape()(SumTo()(Reshape()(dy, apart), ones), shape_of(x)), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, multiples = inputs
        known = static_tuple(multiples)
        if axes[1] is not None:
            return NotImplemented
        return self(x, chain((1,), multiples if known is None else known)), 0

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)), (2, 3)), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(2, 1, 2)), (1, 4, 0)), wrt=(0,), name="none")
        yield Sample(cls(), (rng.normal(size=()), ()), wrt=(0,), name="scalar")
        yield from [
            Sample(cls(), (drawn(rng, (2,), t), (2,)), differentiable(t, 0), order=1, name=t.name) for t in cls.T
        ]

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), (2,)), ShapeError, "one an axis"
        yield lambda: cls()(np.ones(2), (-1,)), ShapeError, "negative"


# --- public names ---------------------------------------------------------------------------------------------------


@public("pad", v1=None)
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None
) -> Tensor:
    """A tensor with entries put around.

    Args:
      paddings: (before, after) for each axis.
      mode: "CONSTANT": constant_values; "REFLECT": the tensor mirrored at its border entries; "SYMMETRIC": mirrored
        between them and outside. In any case of letters.
    Raises:
      ShapeError: there is not one pair an axis, or more is to be mirrored than there is. ArgumentError: another mode.
    """
    word = mode.upper() if isinstance(mode, str) else mode
    if word not in ("CONSTANT", "REFLECT", "SYMMETRIC"):
        raise ArgumentError(f"pad: mode must be 'CONSTANT', 'REFLECT' or 'SYMMETRIC', not {mode!r}").locate()
    if word != "CONSTANT":
        return MirrorPad(word)(tensor, paddings, name=name)
    if not isinstance(constant_values, (Tensor, np.ndarray)) and constant_values == 0:
        return Pad()(tensor, paddings, name=name)
    return PadV2()(tensor, paddings, constant_values, name=name)


@public(v1="pad")
def pad_v1(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> Tensor:
    """As `pad`, in TensorFlow 1's order of arguments."""
    return pad(tensor, paddings, mode, constant_values, name)


@public("tile", v1=("tile", "manip.tile"))
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """A tensor repeated `multiples[i]` times along axis i.

    Gradient: the sum over the repetitions.
    """
    return Tile()(input, dims(multiples), name=name)


@public("repeat")
def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """A tensor with each slice along an axis repeated in place.

    Args:
      repeats: how often: one number, or one for each slice.
      axis: by default the tensor is made flat first.
    """
    from pullback.ops.array.gather import GatherV2

    x = interpreter.as_tensor(input)
    if axis is None:
        x, axis = Reshape()(x, (-1,)), 0
    if x.spec.rank is None:
        raise ShapeError("repeat: the number of axes must be known").locate()
    at = axis_in(axis, x.spec.rank, "repeat")
    times = dims(repeats)
    if isinstance(times, tuple) and len(times) == 1:
        times = times[0]
    if isinstance(times, int) or (isinstance(times, Tensor) and times.spec.rank == 0):
        lead = shape_of(x)
        wide = BroadcastTo()(ExpandDims()(x, at + 1), chain(lead[: at + 1], (times,), lead[at + 1 :]))
        # Not -1: beside another axis of size 0 it could be any number.
        return Reshape()(wide, chain(lead[:at], (lead[at] * times,), lead[at + 1 :]), name=name)
    return GatherV2()(Identity()(x), _repeated(times, shape_of(x)[at]), at, name=name)


def _repeated(times: Any, n: Any) -> Any:
    """0, 0, 1, ...: each place as often as `times` says."""
    from pullback.ops.array.masks import boolean_mask
    from pullback.ops.array.ranges import range_, sequence_mask

    counts = interpreter.as_tensor(times)
    if type(counts) is EagerTensor:
        return np.repeat(np.arange(len(counts.value), dtype=np.int32), counts.value)
    mask = sequence_mask(counts)
    return boolean_mask(BroadcastTo()(ExpandDims()(range_(n), 1), Shape_()(mask)), mask)
