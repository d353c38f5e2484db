"""TensorFlow 1's summary ops: tensors that are serialised Summary messages, for a FileWriter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.errors import ArgumentError, InvalidArgumentError, ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import compatible
from pullback.core.shape import text as shape_text
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.io import messages
from pullback.io.tensors import tensor_proto
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.train.summaries import values as made

_SUMMARY = Spec((), dtypes.string)
_BAD = re.compile(r"[^-/\w.]")


class _Summary(Op):
    """Base of the summary ops. -> one serialised Summary"""

    any_rank = True

    def infer(self, *inputs: Spec) -> Spec:
        return _SUMMARY

    def grad(self, node: Any, dy: Any) -> Any:
        return (None,) * len(node.inputs)


def _word(message: Any) -> Any:
    return _bytes(message.SerializeToString(deterministic=True))


def _bytes(data: bytes) -> Any:
    out = np.empty((), object)
    out[()] = data
    return out


def _tag(tag: Any) -> str:
    return np.asarray(tag).item().decode()


@op
class ScalarSummary(_Summary):
    """A number under each tag. tags [..], values [..]"""

    signature = "tags: string, values: T -> summary: string"
    T = (*dtypes.REALS, *dtypes.INTS)

    def reference(self, tags: Any, values: Any) -> Any:
        if np.shape(tags) != np.shape(values):
            raise ShapeError(
                f"ScalarSummary: tags and values must have one shape, not {np.shape(tags)} and {np.shape(values)}"
            )
        summary = messages.Summary()
        for tag, value in zip(np.ravel(tags).tolist(), np.ravel(values), strict=True):
            summary.value.add(tag=tag.decode(), simple_value=float(value))
        return _word(summary)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (_bytes(b"loss"), np.array(0.5)), ())
        yield Sample(cls(), (np.array([b"a", b"b"], object), np.array([1, 2])), (), name="two")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()("loss", np.ones(2)), ShapeError, "must have one shape"


@op
class HistogramSummary(_Summary):
    """How values are distributed. tag [], values [..]"""

    signature = "tag: string, values: T -> summary: string"
    T = (*dtypes.REALS, *dtypes.INTS)

    def reference(self, tag: Any, values: Any) -> Any:
        if not np.isfinite(np.asarray(values, np.float64)).all():
            kind = "Nan" if np.isnan(np.asarray(values, np.float64)).any() else "Infinity"
            raise InvalidArgumentError(f"{kind} in summary histogram for: {_tag(tag)}")
        summary = messages.Summary()
        summary.value.add(tag=_tag(tag)).histo.CopyFrom(made.histogram(values))
        return _word(summary)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (_bytes(b"weights"), rng.normal(size=(3, 4))), ())
        yield Sample(cls(), (_bytes(b"weights"), np.zeros(0)), (), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()("w", np.array([np.nan])), InvalidArgumentError, "Nan in summary histogram for: w"


def _at_least_one(op_type: str, most: int) -> None:
    if most < 1:
        raise ArgumentError(f"{op_type}: max_outputs must be 1 or more, not {most}")


@op
class ImageSummary(_Summary):
    """Pictures, at most max_images of them. tag [], tensor [N,H,W,C] with C 1, 3 or 4"""

    signature = "tag: string, tensor: T -> summary: string"
    T = (dtypes.float32, dtypes.uint8, dtypes.float16, dtypes.float64)
    max_images: int = 3

    def check(self) -> None:
        _at_least_one("ImageSummary", self.max_images)

    def infer(self, tag: Spec, x: Spec) -> Spec:
        if not compatible(x.shape, (None,) * 4) or (x.shape and x.shape[3] not in (None, 1, 3, 4)):
            raise ShapeError(
                f"ImageSummary: tensor must be [N,H,W,C] with 1, 3 or 4 channels, but is {shape_text(x.shape)}"
            )
        return _SUMMARY

    def reference(self, tag: Any, tensor: Any) -> Any:
        summary, word = messages.Summary(), _tag(tag)
        for i, image in enumerate(tensor[: self.max_images]):
            name = f"{word}/image" if self.max_images == 1 else f"{word}/image/{i}"
            height, width, channels = image.shape
            summary.value.add(tag=name).image.CopyFrom(
                messages.Summary.Image(
                    height=height,
                    width=width,
                    colorspace=channels,
                    encoded_image_string=made.png(made.as_bytes(image)),
                )
            )
        return _word(summary)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(1), (_bytes(b"picture"), np.abs(rng.normal(size=(2, 3, 4, 3)))), ())
        yield Sample(cls(), (_bytes(b"picture"), np.ones((1, 2, 2, 1), np.uint8)), (), name="uint8")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()("p", np.ones((2, 2, 1), np.float32)), ShapeError, "must be [N,H,W,C]"


@op
class AudioSummaryV2(_Summary):
    """Sounds, at most max_outputs of them. tag [], tensor [N,frames,channels] or [N,frames], sample_rate []"""

    signature = "tag: string, tensor: float32, sample_rate: float32 -> summary: string"
    max_outputs: int = 3

    def check(self) -> None:
        _at_least_one("AudioSummary", self.max_outputs)

    def reference(self, tag: Any, tensor: Any, sample_rate: Any) -> Any:
        summary, word = messages.Summary(), _tag(tag)
        for i, sound in enumerate(tensor[: self.max_outputs]):
            name = f"{word}/audio" if self.max_outputs == 1 else f"{word}/audio/{i}"
            frames = sound[:, None] if sound.ndim == 1 else sound
            summary.value.add(tag=name).audio.CopyFrom(
                messages.Summary.Audio(
                    sample_rate=float(sample_rate),
                    num_channels=frames.shape[1],
                    length_frames=len(frames),
                    encoded_audio_string=made.wav(frames, float(sample_rate)),
                    content_type="audio/wav",
                )
            )
        return _word(summary)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        sound = rng.uniform(-1, 1, size=(1, 8, 2)).astype(np.float32)
        yield Sample(cls(), (_bytes(b"sound"), sound, np.float32(8000)), ())


@op
class TensorSummaryV2(_Summary):
    """A tensor as it is. tag [], tensor [..], serialized_summary_metadata []"""

    signature = "tag: string, tensor: any, serialized_summary_metadata: string -> summary: string"

    def reference(self, tag: Any, tensor: Any, metadata: Any) -> Any:
        summary = messages.Summary()
        value = summary.value.add(tag=_tag(tag), tensor=tensor_proto(np.asarray(tensor)))
        value.metadata.CopyFrom(messages.parsed(messages.SummaryMetadata(), np.asarray(metadata).item(), "metadata"))
        return _word(summary)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (_bytes(b"tensor"), rng.normal(size=(2, 3)), _bytes(b"")), ())


@op
class MergeSummary(_Summary):
    """Several summaries as one."""

    signature = "*inputs: string -> summary: string"

    def reference(self, *inputs: Any) -> Any:
        merged = messages.Summary()
        seen: set[str] = set()
        for data in (d for x in inputs for d in np.ravel(x).tolist()):
            for value in messages.parsed(messages.Summary(), data, "a summary").value:
                if value.tag in seen:
                    raise InvalidArgumentError(f"Duplicate tag {value.tag} found in summary inputs")
                seen.add(value.tag)
                merged.value.add().CopyFrom(value)
        return _word(merged)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        parts = [_bytes(messages.Summary().SerializeToString()) for _ in range(2)]
        yield Sample(cls(), tuple(parts), ())


def clean_tag(name: str | None) -> str | None:
    """A tag with other characters than letters, digits, "-", "_", "." and "/" made underscores."""
    return None if name is None else _BAD.sub("_", name).lstrip("/")


def _summarised(name: str, family: str | None, default: str, collections: Any, operation: Op, *inputs: Any) -> Any:
    """The op under the tag that name, family and scopes give, in its collections."""
    here = interpreter.current()
    if not isinstance(here, Graph):
        return interpreter.as_tensor(b"")
    label, group = clean_tag(name), clean_tag(family)
    with here.name_scope((label if group is None else f"{group}/{label}") or default) as scope:
        tag = scope.rstrip("/") if group is None else f"{group}/{scope.rstrip('/')}"
        summary = operation(tag, *inputs, name=scope)
    for key in [GraphKeys.SUMMARIES] if collections is None else collections:
        here.add_to_collection(key, summary)
    return summary


@public(v1="summary.scalar")
def scalar(name: str, tensor: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """A summary of a number.

    Args:
      name: the tag, under the name scopes in force. tensor: [], a number.
      collections: where the summary is kept, by default SUMMARIES. family: stands before the tag.
    Returns:
      A serialised Summary, [] string. Eagerly empty: write with TensorFlow 2's tf.summary there.
    """
    return _summarised(name, family, "ScalarSummary", collections, ScalarSummary(), tensor)


@public(v1="summary.histogram")
def histogram(name: str, values: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """A summary of how values [..] are distributed; else as `scalar`.

    Raises:
      InvalidArgumentError, when it runs: a value is not finite.
    """
    return _summarised(name, family, "HistogramSummary", collections, HistogramSummary(), values)


@public(v1="summary.image")
def image(name: str, tensor: Any, max_outputs: int = 3, collections: Any = None, family: str | None = None) -> Tensor:
    """A summary of the first max_outputs pictures of tensor [N,H,W,C], C 1, 3 or 4; else as `scalar`.

    Bytes are shown as they are. Of floats the largest value becomes 255; where there are negative ones 0 becomes 128.
    """
    return _summarised(name, family, "ImageSummary", collections, ImageSummary(max_outputs), tensor)


@public(v1="summary.audio")
def audio(
    name: str, tensor: Any, sample_rate: Any, max_outputs: int = 3, collections: Any = None, family: str | None = None
) -> Tensor:
    """A summary of the first max_outputs sounds of tensor [N,frames,channels] or [N,frames], in [-1, 1]."""
    rate = interpreter.as_tensor(sample_rate, dtypes.float32)
    return _summarised(name, family, "AudioSummary", collections, AudioSummaryV2(max_outputs), tensor, rate)


@public(v1="summary.tensor_summary")
def tensor_summary(
    name: str,
    tensor: Any,
    summary_description: str | None = None,
    collections: Any = None,
    summary_metadata: Any = None,
    family: str | None = None,
    display_name: str | None = None,
) -> Tensor:
    """A summary that holds a tensor as it is, with metadata that says which plugin shows it."""
    metadata = messages.SummaryMetadata()
    if summary_metadata is not None:
        metadata.CopyFrom(summary_metadata)
    if display_name is not None:
        metadata.display_name = display_name
    if summary_description is not None:
        metadata.summary_description = summary_description
    held = _bytes(metadata.SerializeToString(deterministic=True))
    return _summarised(name, family, "TensorSummary", collections, TensorSummaryV2(), tensor, held)


@public(v1="summary.text")
def text(name: str, tensor: Any, collections: Any = None) -> Tensor:
    """A summary of words, [..] string; TensorBoard reads them as Markdown.

    Raises:
      ValueError: the tensor holds no strings.
    """
    words = interpreter.as_tensor(tensor)
    if words.dtype is not dtypes.string:
        raise ValueError(f"Expected tensor {words!r} to have dtype string, got {words.dtype.name}")
    metadata = messages.SummaryMetadata(plugin_data=messages.SummaryMetadata.PluginData(plugin_name="text"))
    return tensor_summary(name, words, collections=collections, summary_metadata=metadata)


@public(v1="summary.merge")
def merge(inputs: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """Several summaries as one.

    Raises:
      RuntimeError: in eager mode. InvalidArgumentError, when it runs: two have one tag.
    """
    here = interpreter.current()
    if not isinstance(here, Graph):
        raise RuntimeError("Merging tf.summary.* ops is not compatible with eager execution.")
    label = clean_tag(name)
    with here.name_scope(label or "Merge"):
        merged = MergeSummary()(*inputs, name=label)
    for key in collections or ():
        here.add_to_collection(key, merged)
    return merged


@public(v1="summary.merge_all")
def merge_all(key: Any = GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None) -> Any:
    """All summaries of a collection (of names that begin with scope) as one; None when there is none."""
    found = get_default_graph().get_collection(key, scope)
    return merge(found, name=name) if found else None
