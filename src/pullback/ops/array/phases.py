"""How much border makes sizes multiples of their blocks, and the functions that run on phases of the pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter, shape
from pullback.core.basics import Shape_, static_tuple
from pullback.core.dtypes import int32
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.blocks import BatchToSpaceND, DepthToSpace, SpaceToBatchND, SpaceToDepth
from pullback.ops.array.joining import Pack
from pullback.ops.math.arithmetic import FloorMod, Neg
from pullback.ops.math.scopes import scope
from pullback.ops.raw_op import NEEDED, keywords_only, raw_op, sizes_of


@public("required_space_to_batch_paddings")
def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The paddings that make sizes multiples of their blocks, and the crops that take them away again.

    Args:
      input_shape: m sizes. block_shape: m numbers b.
      base_paddings: [m,2], the least (before, after); none when left out.
    Returns:
      (paddings, crops), both int32 [m,2]: paddings are base_paddings with more after, crops (0, what was added).
    Raises:
      ShapeError: one of them has another shape.
    """
    where = "required_space_to_batch_paddings"
    sizes, blocks = (interpreter.as_tensor(sizes_of(v), int32) for v in (input_shape, block_shape))
    count = blocks.spec.shape[0] if blocks.spec.rank == 1 and blocks.spec.shape else None
    if count is None or not shape.compatible(sizes.spec.shape, (count,)):
        raise ShapeError(
            f"{where}: input_shape and block_shape must be vectors of one length, not of shapes {sizes.shape} and "
            f"{blocks.shape}"
        ).locate()
    base = interpreter.as_tensor(np.zeros((count, 2), np.int32) if base_paddings is None else base_paddings, int32)
    if not shape.compatible(base.spec.shape, (count, 2)):
        raise ShapeError(f"{where}: base_paddings must have shape [{count},2], not {base.shape}").locate()
    known = [static_tuple(t) for t in (sizes, blocks, base)]
    if None not in known:
        n, b, pad = map(np.array, known)
        more = -(n + pad.reshape(-1, 2).sum(1)) % b
        both = (pad.reshape(-1, 2) + np.stack([0 * more, more], 1), np.stack([0 * more, more], 1))
        return tuple([interpreter.as_tensor(found.astype(np.int32)) for found in both])  # type: ignore[return-value]
    with scope(name, where, sizes, blocks, base):
        before, after = base[:, 0], base[:, 1]
        more = FloorMod()(Neg()(sizes + before + after), blocks)
        return Pack(1)(before, after + more), Pack(1)(more * 0, more)


@public("nn.with_space_to_batch")
def with_space_to_batch(
    input: Any,
    dilation_rate: Any,
    padding: str,
    op: Callable[[Tensor, int, str], Tensor],
    filter_shape: Any = None,
    spatial_dims: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """An op with a window over every rate-th pixel: the phases of the pixels as images of their own, op on these, and
    the phases put together again.

    Args:
      input: Tensor [N,...] with m spatial axes.
      dilation_rate: m numbers, in pixels.
      padding: "SAME", which needs filter_shape, or "VALID".
      op: op(input, m, padding); where a rate is more than 1, on the phases and with "VALID".
      filter_shape: the window, m numbers or more, of which the first m count.
      spatial_dims: the m spatial axes, rising; those after the batch, or after the channels of data_format "NC...".
    Raises:
      ArgumentError: a rate, padding or axis means nothing.
    """
    where = "with_space_to_batch"
    x, rates = interpreter.as_tensor(input), static_tuple(interpreter.as_tensor(sizes_of(dilation_rate), int32))
    if rates is None or not rates or min(rates) < 1:
        raise ArgumentError(
            f"{where}: dilation_rate must be positive ints, one for each spatial axis, not {dilation_rate!r}"
        ).locate()
    axes = _spatial_axes(where, x, len(rates), spatial_dims, data_format)
    if not callable(op):
        raise ArgumentError(f"{where}: op must be a function (input, axes, padding) -> tensor, not {op!r}").locate()
    if padding not in ("SAME", "VALID"):
        raise ArgumentError(f'{where}: padding must be "SAME" or "VALID", not {padding!r}; use tf.pad').locate()
    if max(rates) == 1:
        return op(x, len(rates), padding)
    blocks: list[int] = [1] * axes[-1]
    borders = np.zeros((axes[-1], 2), np.int32)
    for axis, rate, span in zip(axes, rates, _spans(where, padding, filter_shape, rates), strict=True):
        blocks[axis - 1], borders[axis - 1] = rate, (span // 2, span - span // 2)
    inner = (None,) if x.spec.shape is None else x.spec.shape[1 : axes[-1] + 1]
    sizes = Shape_()(x)[1 : axes[-1] + 1] if None in inner else inner
    paddings, crops = required_space_to_batch_paddings(sizes, blocks, borders)
    made = op(SpaceToBatchND()(x, blocks, paddings), len(rates), "VALID")
    return BatchToSpaceND()(made, blocks, crops)


def _spatial_axes(where: str, x: Tensor, m: int, given: Any, data_format: Any) -> list[int]:
    """The m spatial axes of x.

    Raises:
      ArgumentError: those given are not m rising ones, or the layout is none. ShapeError: x has fewer.
    """
    if data_format is not None and not isinstance(data_format, str):
        raise ArgumentError(f'{where}: data_format must be a layout as "NHWC" or "NCHW", not {data_format!r}').locate()
    first = 2 if data_format is not None and data_format.startswith("NC") else 1
    axes = list(range(first, first + m)) if given is None else [int(axis) for axis in given]
    if len(axes) != m or sorted({*axes}) != axes or axes[0] < 1:
        raise ArgumentError(f"{where}: spatial_dims must be {m} rising axes after the batch, not {given!r}").locate()
    if x.spec.shape is not None and len(x.spec.shape) <= axes[-1]:
        raise ShapeError(
            f"{where}: input must have an axis for each of spatial_dims {axes}, but has shape {x.shape}"
        ).locate()
    return axes


def _spans(where: str, padding: str, filter_shape: Any, rates: tuple[int, ...]) -> list[int]:
    """Cells that "SAME" puts around each axis: what the dilated window spans beyond one. None for "VALID".

    Raises:
      ArgumentError: the window is not known.
    """
    if padding == "VALID":
        return [0] * len(rates)
    window = None if filter_shape is None else static_tuple(interpreter.as_tensor(sizes_of(filter_shape), int32))
    if window is None or len(window) < len(rates):
        raise ArgumentError(f'{where}: padding "SAME" needs filter_shape, {len(rates)} ints').locate()
    return [(k - 1) * rate for k, rate in zip(window, rates, strict=False)]


# --- the ops by TensorFlow's attributes -----------------------------------------------------------


def _depth(kind: Any, block_size: Any, data_format: Any) -> Any:
    return kind(int(block_size), data_format)


for _kind in (SpaceToDepth, DepthToSpace):
    raw_op(globals(), _kind, _depth, {"block_size": NEEDED, "data_format": "NHWC"})
for _kind in (SpaceToBatchND, BatchToSpaceND):
    raw_op(globals(), _kind, lambda kind: kind(), {})


@public("raw_ops.SpaceToBatch")
@keywords_only
def raw_space_to_batch(input: Any, paddings: Any, block_size: int, name: str | None = None) -> Tensor:
    """SpaceToBatchND over height and width, with one block size for both."""
    return SpaceToBatchND()(input, (int(block_size),) * 2, paddings, name=name)


@public("raw_ops.BatchToSpace")
@keywords_only
def raw_batch_to_space(input: Any, crops: Any, block_size: int, name: str | None = None) -> Tensor:
    """BatchToSpaceND over height and width, with one block size for both."""
    return BatchToSpaceND()(input, (int(block_size),) * 2, crops, name=name)
