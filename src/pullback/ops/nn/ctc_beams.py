"""Decoding CTC by prefix search: of the labellings that the last frames allow, the likeliest so many are kept.

A labelling (prefix) ends, at a frame, either in a blank or in its last label; both probabilities are kept, as logs:

    blank'(l)      = (blank(l) + label(l)) p[-]
    label'(l)      = label(l) p[last of l]                 the last label goes on
    label'(l + c) += blank(l) p[c]  if c is the last of l  a label that comes twice needs a blank between
                   + (blank(l) + label(l)) p[c]  otherwise

Source: Graves 2008, "Supervised Sequence Labelling with Recurrent Neural Networks", section 7.5.2.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import float32, float64, int32, int64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.nn.ctc_sparse import _check_frames, _sparse
from pullback.ops.sparse import SparseTensor

_NEVER = -math.inf
_Beams = dict[tuple[int, ...], tuple[float, float]]  # labelling -> log probability to end in blank, in label
_NONE = (_NEVER, _NEVER)


def _either(a: float, b: float) -> float:
    """log of the sum of exp."""
    if a < b:
        a, b = b, a
    return a if b == _NEVER else a + math.log1p(math.exp(b - a))


def _next(beams: _Beams, log_p: list[float]) -> _Beams:
    """What the labellings become by one frame, log_p [K]; the last class is the blank."""
    blank = len(log_p) - 1
    made: _Beams = {}
    for labels, (in_blank, in_label) in beams.items():
        either, last = _either(in_blank, in_label), labels[-1] if labels else -1
        before = made.get(labels, _NONE)
        goes_on = in_label + log_p[last] if labels else _NEVER
        made[labels] = _either(before[0], either + log_p[blank]), _either(before[1], goes_on)
        for c in range(blank):
            longer = (*labels, c)
            before = made.get(longer, _NONE)
            made[longer] = before[0], _either(before[1], (in_blank if c == last else either) + log_p[c])
    return made


def _search(log_p: Any, width: int, paths: int) -> list[tuple[tuple[int, ...], float]]:
    """The likeliest labellings of log_p [T, K] that a search of that width finds, with their logs, best first."""
    beams: _Beams = {(): (0.0, _NEVER)}
    for frame in log_p.tolist():
        beams = dict(heapq.nlargest(width, _next(beams, frame).items(), lambda pair: _either(*pair[1])))
    scored = [(labels, _either(*ends)) for labels, ends in beams.items()]
    return sorted(scored, key=lambda pair: -pair[1])[:paths]


@op
class CTCBeamSearchDecoder(Op):
    """The likeliest labellings by prefix search: for each of top_paths the indices, values and shape of a SparseTensor,
    all indices first; then the log probabilities [B, top_paths]."""

    signature = "inputs: T, sequence_length: int32 -> *decoded: int64, log_probability: T"
    T = (float32, float64)
    any_rank = True
    beam_width: int
    top_paths: int
    merge_repeated: bool = True

    def visible(self, results: int) -> int:
        return results

    def infer(self, x: Spec, lengths: Spec) -> tuple[Spec, ...]:
        if x.shape is not None and lengths.shape is not None:
            _check_frames(x, lengths)
        if not 1 <= self.top_paths <= self.beam_width:
            raise ArgumentError(
                f"CTCBeamSearchDecoder: top_paths must be at least 1 and at most the beam_width {self.beam_width}, but "
                f"is {self.top_paths}"
            )
        many, n = (x.shape or (None,) * 3)[1], self.top_paths
        parts = [Spec((None, 2), int64)] * n + [Spec((None,), int64)] * n + [Spec((2,), int64)] * n
        return *parts, x.with_shape((many, n))

    def reference(self, x: Any, lengths: Any) -> Any:
        if (lengths > len(x)).any():
            raise ArgumentError(f"{self.type}: sequence_length {lengths.max()} is larger than the {len(x)} frames")
        wide = x.astype(np.float64)
        log_p = wide - np.logaddexp.reduce(wide, 2, keepdims=True)
        rows: list[list[list[int]]] = [[] for _ in range(self.top_paths)]
        scores = np.zeros((x.shape[1], self.top_paths), x.dtype)
        for b, length in enumerate(lengths):
            found = _search(log_p[:length, b], self.beam_width, self.top_paths)
            if len(found) < self.top_paths:
                raise ArgumentError(
                    f"{self.type}: top_paths is {self.top_paths}, but there are {len(found)} labellings"
                )
            for k, (labels, score) in enumerate(found):
                rows[k].append(
                    [c for i, c in enumerate(labels) if not (self.merge_repeated and i and labels[i - 1] == c)]
                )
                scores[b, k] = score
        decoded = zip(*[_sparse(path) for path in rows], strict=True)
        return *[part for parts in decoded for part in parts], scores

    def grad(self, node: Any, *dys: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x, lengths = rng.normal(size=(5, 2, 3)), np.array([5, 3], np.int32)
        yield Sample(cls(4, 1), (x, lengths), wrt=())
        yield Sample(cls(6, 2, False), (x.astype(np.float32), lengths), wrt=(), name="two paths")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(2, 1)(np.ones((2, 3)), np.array([1], np.int32)), ShapeError, "[frames, batch, classes]"
        yield lambda: cls(2, 1)(np.ones((2, 1, 3)), np.array([3], np.int32)), ArgumentError, "larger than"
        yield lambda: cls(2, 3)(np.ones((2, 1, 3)), np.array([2], np.int32)), ArgumentError, "at most the beam_width"


@public(v1="nn.ctc_beam_search_decoder")
def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1, merge_repeated: bool = True
) -> tuple[list[SparseTensor], Tensor]:
    """The likeliest labellings of frames by prefix search. The last class is the blank.

    Args:
      inputs: [T, B, K], logits. sequence_length: int32 [B].
      beam_width: how many labellings are kept from frame to frame. top_paths: how many are returned.
      merge_repeated: neighbours that are equal in the output count once, also those that a blank had parted.
    Returns:
      (top_paths SparseTensors of labels, int64 [B, U], the likeliest first; their log probabilities [B, top_paths]).
    Raises:
      ArgumentError: top_paths is above beam_width; when run, above the number of labellings there are.
    """
    lengths = interpreter.as_tensor(sequence_length, int32)
    *parts, scores = CTCBeamSearchDecoder(int(beam_width), int(top_paths), bool(merge_repeated))(inputs, lengths)
    return [SparseTensor(*parts[k::top_paths]) for k in range(top_paths)], scores


@public("nn.ctc_beam_search_decoder", v1="nn.ctc_beam_search_decoder_v2")
def ctc_beam_search_decoder_v2(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[SparseTensor], Tensor]:
    """As `tf.compat.v1.nn.ctc_beam_search_decoder` with merge_repeated=False: labels that a blank parts stay two."""
    return ctc_beam_search_decoder(inputs, sequence_length, beam_width, top_paths, merge_repeated=False)
