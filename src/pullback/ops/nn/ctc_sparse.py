"""TensorFlow 1's CTC: the loss of sparse labels, and greedy decoding. Source: Graves et al. 2006."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter, shape
from pullback.core.basics import ZerosLike
from pullback.core.dtypes import float32, float64, int32, int64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import one_of
from pullback.ops.math.arithmetic import Equal
from pullback.ops.math.select import Select
from pullback.ops.nn.ctc import ctc_loss as ctc_loss_dense
from pullback.ops.nn.ctc import dense_labels
from pullback.ops.sparse import SparseTensor, as_sparse


@public(v1="nn.ctc_loss")
def ctc_loss_v1(
    labels: Any,
    inputs: Any = None,
    sequence_length: Any = None,
    preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True,
    ignore_longer_outputs_than_inputs: bool = False,
    time_major: bool = True,
    logits: Any = None,
) -> Tensor:
    """Minus the log likelihood of labels given logits of frames, over all alignments. The last class is the blank.

    Args:
      labels: int32 SparseTensor [B, U], the entries of each row at its beginning.
      inputs, logits: [T, B, K], unscaled; [B, T, K] unless time_major. Two names of one argument.
      sequence_length: int32 [B], how many frames each example has.
      preprocess_collapse_repeated, ctc_merge_repeated: must be False and True, the standard CTC.
      ignore_longer_outputs_than_inputs: the loss is 0 where the frames are too few for the labels, else infinite.
    Returns:
      [B]
    Raises:
      ArgumentError: a variant of CTC is asked for that is not there.
    """
    if preprocess_collapse_repeated or not ctc_merge_repeated:
        raise ArgumentError(
            "ctc_loss: preprocess_collapse_repeated=True and ctc_merge_repeated=False are not there; collapse the "
            "labels before, or leave them out"
        ).locate()
    x = one_of("logits", logits, "inputs", inputs, required=True)
    if sequence_length is None:
        raise ArgumentError("ctc_loss: sequence_length is needed").locate()
    dense, lengths = dense_labels(as_sparse(labels, "ctc_loss: labels"))
    x = interpreter.as_tensor(x)
    loss = ctc_loss_dense(dense, x, lengths, sequence_length, time_major, None, -1, "CTCLoss")
    if not ignore_longer_outputs_than_inputs:
        return loss
    return Select()(Equal()(loss, float("inf")), ZerosLike()(loss), loss)


def _check_frames(x: Spec, lengths: Spec) -> None:
    """
    Raises:
      ShapeError: the inputs are not [T, B, K] and [B].
    """
    if x.rank != 3 or lengths.rank != 1 or not shape.compatible((x.shape or ())[1:2], lengths.shape):
        raise ShapeError(
            f"CTCGreedyDecoder: inputs must be [frames, batch, classes] and sequence_length [batch], but their shapes "
            f"are {shape.text(x.shape)} and {shape.text(lengths.shape)}"
        )


def _sparse(rows: list[list[int]]) -> tuple[Any, Any, Any]:
    """Lists of labels as indices, values, shape."""
    indices = [(b, i) for b, row in enumerate(rows) for i in range(len(row))]
    values = [label for row in rows for label in row]
    longest = max((len(row) for row in rows), default=0)
    return (
        np.array(indices, np.int64).reshape(-1, 2),
        np.array(values, np.int64),
        np.array([len(rows), longest], np.int64),
    )


@op
class CTCGreedyDecoder(Op):
    """The best class of each frame, repeats merged, blanks left out; and minus the sum of the best scores."""

    signature = (
        "inputs: T, sequence_length: int32 -> decoded_indices: int64, decoded_values: int64, decoded_shape: int64, "
        "log_probability: T"
    )
    T = (float32, float64)
    merge_repeated: bool = False
    blank_index: int = -1

    def infer(self, x: Spec, lengths: Spec) -> tuple[Spec, ...]:
        _check_frames(x, lengths)
        many = (x.shape or (None,) * 3)[1]
        return Spec((None, 2), int64), Spec((None,), int64), Spec((2,), int64), x.with_shape((many, 1))

    def reference(self, x: Any, lengths: Any) -> Any:
        if (lengths > len(x)).any():
            raise ArgumentError(f"{self.type}: sequence_length {lengths.max()} is larger than the {len(x)} frames")
        blank = self.blank_index % x.shape[2]
        best, rows = x.argmax(2), []
        total = np.zeros((x.shape[1], 1), x.dtype)
        for b, length in enumerate(lengths):
            path = best[:length, b].tolist()
            kept = [c for t, c in enumerate(path) if not (self.merge_repeated and t and path[t - 1] == c)]
            rows.append([c for c in kept if c != blank])
            total[b] = -x[:length, b].max(1).sum() if length else 0
        return *_sparse(rows), total

    def grad(self, node: Any, *dys: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x, lengths = rng.normal(size=(5, 2, 3)), np.array([5, 3], np.int32)
        yield Sample(cls(), (x, lengths), wrt=())
        yield Sample(cls(True, 0), (x.astype(np.float32), lengths), wrt=(), name="merged")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), np.array([1], np.int32)), ShapeError, "[frames, batch, classes]"
        yield lambda: cls()(np.ones((2, 1, 3)), np.array([3], np.int32)), ArgumentError, "larger than"


@public("nn.ctc_greedy_decoder")
def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: int | None = None
) -> tuple[list[SparseTensor], Tensor]:
    """The best class of each frame, repeats merged, blanks left out.

    Args:
      inputs: [T, B, K], scores of the classes. sequence_length: int32 [B].
      merge_repeated: neighbours that are equal count once.
      blank_index: the blank's class, the last by default; negative ones count from the end.
    Returns:
      ([SparseTensor of labels, int64 [B, U]], minus the sum of the best scores [B, 1]).
    """
    lengths = interpreter.as_tensor(sequence_length, int32)
    made = CTCGreedyDecoder(bool(merge_repeated), -1 if blank_index is None else int(blank_index))
    indices, values, dense_shape, score = made(inputs, lengths, name="CTCGreedyDecoder")
    return [SparseTensor(indices, values, dense_shape)], score
