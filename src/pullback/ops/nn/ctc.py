"""Connectionist temporal classification: the likelihood of labels, summed over all their alignments with the frames.

The labels l_1 .. l_U are set between blanks, b l_1 b l_2 b .. l_U b; alpha[s] is the log probability to stand at
state s. From frame to frame one stays, goes one state on, or skips a blank between two different labels:

    alpha'[s] = log(exp alpha[s] + exp alpha[s-1] + exp alpha[s-2] where it may skip) + log p[label of s]

Made of ordinary ops, so every order of derivative exists. Source: Graves et al. 2006, section 4.1.
"""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.basics import ZerosLike, shape_of
from pullback.core.dtypes import int32
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.creation import Fill
from pullback.ops.array.joining import ConcatV2
from pullback.ops.array.layout import Transpose
from pullback.ops.array.ranges import Range
from pullback.ops.array.rows import unsorted_segment_sum
from pullback.ops.array.shape import ExpandDims, Reshape
from pullback.ops.control.loop import while_loop
from pullback.ops.linalg.einsum import Einsum
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce_functions import reduce_logsumexp
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Select
from pullback.ops.nn.softmax import LogSoftmax
from pullback.ops.sparse import SparseTensor
from pullback.ops.sparse.functions import to_dense

_NEVER = -1e30  # log of 0, but finite: its multiples and differences are numbers


def _either(*logs: Tensor) -> Tensor:
    """log of the sum of exp."""
    return reduce_logsumexp(ConcatV2()(*[ExpandDims()(x, -1) for x in logs], -1), -1)


def dense_labels(labels: SparseTensor) -> tuple[Tensor, Tensor]:
    """Labels [B,U] and how many each row has, [B] int32, of a sparse [B,U] whose rows' entries lie at the beginning."""
    dense, rows = to_dense(labels), labels.indices[:, 0]
    ones = Cast(int32)(ZerosLike()(rows)) + 1
    return dense, unsorted_segment_sum(ones, rows, shape_of(dense)[0])


def _column(x: Tensor, width: int, value: Any) -> Tensor:
    """The value as [B, width], of x's type."""
    return Fill()((shape_of(x)[0], width), interpreter.as_tensor(value, x.dtype))


def _states(labels: Tensor, blank: int) -> Tensor:
    """Labels [B,U] between blanks: [B, 2 U + 1]."""
    blanks = ZerosLike()(labels) + blank
    pairs = ConcatV2()(ExpandDims()(blanks, 2), ExpandDims()(labels, 2), 2)
    rows = Reshape()(pairs, (shape_of(labels)[0], shape_of(labels)[1] * 2))
    return ConcatV2()(rows, _column(labels, 1, blank), 1)


def _later(x: Tensor, by: int, fill: Any) -> Tensor:
    """y[b, s] = x[b, s - by], `fill` before."""
    return ConcatV2()(_column(x, by, fill), x, 1)[:, :-by]


@public("nn.ctc_loss", v1="nn.ctc_loss_v2")
def ctc_loss(
    labels: Any,
    logits: Any,
    label_length: Any,
    logit_length: Any,
    logits_time_major: bool = True,
    unique: Any = None,
    blank_index: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Minus the log likelihood of labels given logits of frames, over all alignments.

    Args:
      labels: int32 [B,U], what lies beyond a length does not count; or a SparseTensor [B,U], which knows the lengths.
      logits: [T,B,K], unscaled; [B,T,K] unless logits_time_major. K must be known when a graph is built.
      label_length, logit_length: int32 [B]; label_length is None of sparse labels.
      unique: has no meaning here; in TensorFlow it saves time.
      blank_index: the blank's class, 0 by default; negative ones count from the end.
    Returns:
      [B]; infinite where the frames are too few for the labels, and no gradient passes there.
    Raises:
      ShapeError: logits are not of three axes. ArgumentError: K is not known, there is no such blank, or
      label_length and sparse labels are both given, or neither.
    """
    if isinstance(labels, SparseTensor) == (label_length is not None):
        raise ArgumentError("ctc_loss: give label_length with dense labels, and None with a SparseTensor").locate()
    with scope(name, "ctc_loss_dense", logits):
        if isinstance(labels, SparseTensor):
            labels, label_length = dense_labels(labels)
        x = interpreter.as_tensor(logits)
        if x.spec.rank != 3:
            raise ShapeError(f"ctc_loss: logits must be [frames,batch,classes], not {x.shape}").locate()
        x = x if logits_time_major else Transpose()(x, (1, 0, 2))
        classes, blank = (x.spec.shape or (None,) * 3)[2], blank_index or 0
        if classes is None:
            raise ArgumentError("ctc_loss: the number of classes must be known; use set_shape").locate()
        if not -classes <= blank < classes:
            raise ArgumentError(f"ctc_loss: blank_index {blank} is not a class of {classes}").locate()
        targets, lengths, limits = (interpreter.as_tensor(t, int32) for t in (labels, label_length, logit_length))
        return _loss(LogSoftmax()(x), targets, lengths, limits, classes, blank % classes)


def _loss(log_p: Tensor, labels: Tensor, lengths: Tensor, limits: Tensor, classes: int, blank: int) -> Tensor:
    """The recursion over the frames of log_p [T,B,K]: unrolled where T is known, else a loop."""
    dtype, frames = log_p.dtype, (log_p.spec.shape or (None,))[0]
    states = _states(labels, blank)
    chosen = Cast(dtype)(m.Equal()(ExpandDims()(states, 2), Range()(0, classes, 1)))
    emitted = Einsum("tbk,bsk->tbs")(log_p, chosen)
    other = m.LogicalAnd()(m.NotEqual()(states, blank), m.NotEqual()(states, _later(states, 2, blank)))
    skips = (1.0 - Cast(dtype)(other)) * _NEVER
    at = Range()(0, shape_of(states)[1], 1)
    alpha = ZerosLike()(skips) + (1.0 - Cast(dtype)(m.Equal()(at, 0))) * _NEVER

    def step(t: Any, alpha: Tensor) -> list[Any]:
        moved = _either(alpha, _later(alpha, 1, _NEVER), _later(alpha, 2, _NEVER) + skips) + emitted[t]
        return [t + 1, Select()(ExpandDims()(m.Greater()(limits, t), 1), moved, alpha)]

    if frames is None:
        start, count = interpreter.as_tensor(0, int32), shape_of(log_p)[0]
        _, alpha = while_loop(lambda t, _: m.Less()(t, count), step, [start, alpha], [(), (None, None)])
    else:
        for t in range(frames):
            alpha = step(t, alpha)[1]
    last = ExpandDims()(lengths * 2, 1)
    ends = m.LogicalOr()(m.Equal()(at, last), m.Equal()(at, last - 1))
    loss = -reduce_logsumexp(alpha + (1.0 - Cast(dtype)(ends)) * _NEVER, 1)
    lost = m.Greater()(loss, -_NEVER / 2)
    return Select()(lost, ZerosLike()(loss) + float("inf"), loss)
