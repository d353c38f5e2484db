"""Boxes in pictures: drawn, drawn at random, and the best of those that overlap.

A box is (y1, x1, y2, x2), as parts of height and width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.dtypes import float16, float32, int32
from pullback.core.errors import ArgumentError, InvalidArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import NotDifferentiable, Op, op
from pullback.core.sample import Sample
from pullback.core.shape import compatible, text
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import dims
from pullback.ops.random import philox
from pullback.ops.random.draws import DrawCounter
from pullback.ops.random.functions import next_counter

# Red, green, blue, opacity; boxes take them in turn.
_COLOURS = ((1, 1, 0, 1), (0, 0, 1, 1), (1, 0, 0, 1), (0, 1, 0, 1), (0.5, 0, 0.5, 1), (0.5, 0.5, 0, 1),
            (0.5, 0, 0, 1), (0, 0, 0.5, 1), (0, 1, 1, 1), (1, 0, 1, 1))  # fmt: skip


@op
class DrawBoundingBoxesV2(Op):
    """Pictures with the borders of boxes, a pixel wide. images [N,H,W,C], boxes [N,B,4], colors [K,4] -> [N,H,W,C]"""

    signature = "images: T, boxes: float32, colors: float32 -> output: T"
    T = (float32, float16)

    def infer(self, images: Spec, boxes: Spec, colors: Spec) -> Spec:
        if not compatible(images.shape, (None,) * 4) or not compatible(boxes.shape, (None, None, 4)):
            raise ShapeError(
                f"draw_bounding_boxes: images must be [N,H,W,C] and boxes [N,B,4], not "
                f"{text(images.shape)} and {text(boxes.shape)}"
            )
        return images.with_shape(images.shape)

    def reference(self, images: Any, boxes: Any, colors: Any) -> Any:
        out = np.array(images)
        table = colors if len(colors) else np.array(_COLOURS, np.float32)
        height, width, channels = out.shape[1:]
        for canvas, places in zip(out, boxes, strict=True):
            for i, box in enumerate(places):
                colour = np.ones(1) if channels == 1 else table[i % len(table)][:channels]
                _outline(canvas, (box * np.array([height - 1, width - 1] * 2, np.float32)).astype(np.int64), colour)
        return out

    def grad(self, node: Any, dy: Any) -> Any:
        return NotDifferentiable("borders cover what was there"), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        boxes = np.array([[[0.1, 0.2, 0.7, 0.8], [0.5, -0.5, 2.0, 0.4]]], np.float32)
        for channels in (1, 3):
            x = rng.uniform(size=(1, 6, 8, channels)).astype(np.float32)
            yield Sample(cls(), (x, boxes, np.zeros((0, 4), np.float32)), (), name=str(channels))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        x, colors = np.zeros((1, 2, 2, 3), np.float32), np.zeros((1, 4), np.float32)
        yield lambda: cls()(x, np.zeros((1, 4), np.float32), colors), ShapeError, "boxes [N,B,4]"


def _outline(canvas: Any, box: Any, colour: Any) -> None:
    """Draws the sides of a box, in pixels, that lie in the picture."""
    height, width = canvas.shape[:2]
    top, left, bottom, right = box.tolist()
    if top > bottom or left > right or top >= height or bottom < 0 or left >= width or right < 0:
        return
    rows = slice(max(top, 0), min(bottom, height - 1) + 1)
    columns = slice(max(left, 0), min(right, width - 1) + 1)
    if top >= 0:
        canvas[top, columns] = colour
    if bottom < height:
        canvas[bottom, columns] = colour
    if left >= 0:
        canvas[rows, left] = colour
    if right < width:
        canvas[rows, right] = colour


@op
class NonMaxSuppressionV3(Op):
    """The boxes that no better one overlaps by more than a share, best first.

    boxes [n,4], scores [n], max_output_size [], iou_threshold [], score_threshold [] -> selected [at most that many]
    """

    signature = (
        "boxes: T, scores: T, max_output_size: int32, iou_threshold: float32, score_threshold: float32 "
        "-> selected_indices: int32"
    )
    T = (float32, float16)

    def infer(self, boxes: Spec, scores: Spec, *limits: Spec) -> Spec:
        if not compatible(boxes.shape, (None, 4)) or not compatible(scores.shape, boxes.shape and boxes.shape[:1]):
            raise ShapeError(
                f"non_max_suppression: boxes must be [n,4] and scores [n], but they are {text(boxes.shape)} and "
                f"{text(scores.shape)}"
            )
        return Spec((None,), int32)

    def reference(self, boxes: Any, scores: Any, most: Any, share: Any, least: Any) -> Any:
        if not 0 <= share <= 1:
            raise ArgumentError(f"non_max_suppression: iou_threshold must be in [0, 1], but is {share}")
        if most < 0:
            raise ArgumentError(f"non_max_suppression: max_output_size must not be negative, but is {most}")
        chosen: list[int] = []
        order = [i for i in np.argsort(-scores, kind="stable").tolist() if scores[i] > least]
        for i in order:
            if len(chosen) >= most:
                break
            if all(_overlap(boxes[i], boxes[k]) <= share for k in chosen):
                chosen.append(i)
        return np.array(chosen, np.int32)

    def grad(self, node: Any, dy: Any) -> Any:
        return (None,) * 5

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        boxes = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 2, 1, 3], [1, 0, 0, 1]], np.float32)
        limits = (np.int32(3), np.float32(0.5), np.float32(-np.inf))
        yield Sample(cls(), (boxes, rng.uniform(size=4).astype(np.float32), *limits), ())
        yield Sample(cls(), (boxes[:0], np.zeros(0, np.float32), *limits), (), name="none")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        box, score = np.zeros((1, 4), np.float32), np.zeros(1, np.float32)
        yield lambda: cls()(box, np.zeros(2, np.float32), 1, 0.5, 0.0), ShapeError, "scores [n]"
        yield lambda: cls()(box, score, 1, 1.5, -1.0), ArgumentError, "iou_threshold must be in [0, 1]"


def _overlap(a: Any, b: Any) -> float:
    """Intersection over union of two boxes, whichever corners they name."""
    (a1, a2), (b1, b2) = ((np.minimum(x[:2], x[2:]), np.maximum(x[:2], x[2:])) for x in (a, b))
    areas = float(np.prod(a2 - a1)), float(np.prod(b2 - b1))
    if min(areas) <= 0:
        return 0.0
    both = float(np.prod(np.maximum(np.minimum(a2, b2) - np.maximum(a1, b1), 0)))
    return both / (sum(areas) - both)


class _Words:
    """Philox words in order, and the numbers made of them."""

    def __init__(self, key: int, counter: int, most: int) -> None:
        self._left = philox.words(key, counter, most).tolist()[::-1]

    def below(self, n: int) -> int:
        return self._left.pop() % n

    def share(self) -> np.float32:
        """In [0, 1)."""
        word = (127 << 23) | (self._left.pop() & 0x7FFFFF)
        return np.uint32(word).view(np.float32) - np.float32(1)


@op
class SampleDistortedBoundingBoxV2(Op):
    """A box drawn at random, which covers enough of a given one.

    image_size [3], bounding_boxes [..,B,4], min_object_covered [], key [], counter [2]
    -> begin [3], size [3], box [1,1,4]
    """

    signature = (
        "image_size: T, bounding_boxes: float32, min_object_covered: float32, key: int64, counter: int64 "
        "-> begin: T, size: T, bboxes: float32"
    )
    T = (int32, dtypes.int64, dtypes.uint8, dtypes.int8, dtypes.int16)
    random = True
    aspect_ratio_range: tuple[float, float] = (0.75, 1.33)
    area_range: tuple[float, float] = (0.05, 1.0)
    max_attempts: int = 100
    use_image_if_no_bounding_boxes: bool = False

    def check(self) -> None:
        (low, high), (small, large) = self.aspect_ratio_range, self.area_range
        if not (0 < low <= high and 0 < small <= large and small <= 1) or self.max_attempts < 1:
            raise ArgumentError(
                f"sample_distorted_bounding_box: aspect_ratio_range {self.aspect_ratio_range}, area_range "
                f"{self.area_range} and max_attempts {self.max_attempts} must be positive ranges and numbers"
            )

    def infer(self, size: Spec, boxes: Spec, *others: Spec) -> tuple[Spec, ...]:
        return Spec((3,), size.dtype), Spec((3,), size.dtype), Spec((1, 1, 4), float32)

    def reference(self, size: Any, boxes: Any, covered: Any, key: Any, counter: Any) -> tuple[Any, ...]:
        height, width = int(size[0]), int(size[1])
        given = np.reshape(boxes, (-1, 4))
        if not len(given) and not self.use_image_if_no_bounding_boxes:
            raise InvalidArgumentError(
                "No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes if you wish to "
                "not provide any bounding boxes."
            )
        if ((given < 0) | (given > 1)).any():
            raise InvalidArgumentError("All bounding box coordinates must be in [0.0, 1.0]")
        scale = np.array([height, width] * 2, np.float32)
        objects = (given * scale).astype(np.int64) if len(given) else np.array([[0, 0, height, width]])
        start = int(counter[0]) % 2**64 | (int(counter[1]) % 2**64) << 64
        words = _Words(int(key) % 2**64, start, 4 * self.max_attempts)
        low, high = (np.float32(a) for a in self.aspect_ratio_range)
        box = (0, 0, height, width)
        for _ in range(self.max_attempts):
            ratio = words.share() * (high - low) + low
            crop = _crop(height, width, self.area_range, ratio, words)
            if crop is not None and _covers(crop, objects, float(covered)):
                box = crop
                break
        top, left, bottom, right = box
        begin, shape = (top, left, 0), (bottom - top, right - left, -1)
        place = np.array([top, left, bottom, right], np.float32) / scale
        return np.array(begin, size.dtype), np.array(shape, size.dtype), place.reshape(1, 1, 4).astype(np.float32)

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * 5

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        boxes = np.array([[[0.1, 0.2, 0.7, 0.8]]], np.float32)
        args = (np.array([40, 50, 3], np.int32), boxes, np.float32(0.1), np.int64(5), np.array([1, 2]))
        yield Sample(cls(), args, ())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        args = np.float32(0.1), np.int64(5), np.array([1, 2])
        size, none = np.array([4, 5, 3], np.int32), np.zeros((1, 0, 4), np.float32)
        yield lambda: cls()(size, none, *args), InvalidArgumentError, "No bounding boxes provided"
        yield lambda: cls(area_range=(2.0, 1.0)), ArgumentError, "must be positive ranges"


def _rounded(x: Any) -> int:
    return int(np.rint(np.float32(x)))


def _crop(height: int, width: int, areas: Any, ratio: Any, words: _Words) -> tuple[int, int, int, int] | None:
    """A box of this ratio (width over height), whose area and place are drawn; None when it does not fit."""
    least, most = (np.float32(a * width * height) for a in areas)
    h, top = _rounded(np.sqrt(least / ratio)), _rounded(np.sqrt(most / ratio))
    if _rounded(top * ratio) > width:
        top = int((width + 0.5 - 1e-7) / ratio)
    top = min(top, height)
    h = min(h, top)
    if h < top:
        h += words.below(top - h + 1)
    w = _rounded(h * ratio)
    if w * h < least:
        h += 1
        w = _rounded(h * ratio)
    if w * h > most:
        h -= 1
        w = _rounded(h * ratio)
    if not (least <= w * h <= most and 0 < w <= width and 0 < h <= height):
        return None
    y = words.below(height - h) if h < height else 0
    x = words.below(width - w) if w < width else 0
    return y, x, y + h, x + w


def _covers(crop: tuple[int, int, int, int], objects: Any, share: float) -> bool:
    """Whether a box covers a share of one of the objects that have an area."""
    top, left, bottom, right = crop
    for y1, x1, y2, x2 in objects.tolist():
        area = (y2 - y1) * (x2 - x1)
        both = max(min(bottom, y2) - max(top, y1), 0) * max(min(right, x2) - max(left, x1), 0)
        if area > 0 and both >= share * area:
            return True
    return False


# --- public names ---------------------------------------------------------------------------------------------------


@public("image.draw_bounding_boxes", v1=None)
def draw_bounding_boxes(images: Any, boxes: Any, colors: Any, name: str | None = None) -> Tensor:
    """Pictures with the borders of boxes.

    Args:
      images: [N,H,W,C], floats. boxes: [N,B,4]. colors: [K,4] red, green, blue and opacity, which boxes take in turn;
        None for ten of TensorFlow's.
    """
    table = np.zeros((0, 4), np.float32) if colors is None else colors
    return DrawBoundingBoxesV2()(images, boxes, table, name=name)


@public(v1="image.draw_bounding_boxes")
def draw_bounding_boxes_v1(images: Any, boxes: Any, name: str | None = None, colors: Any = None) -> Tensor:
    """As `draw_bounding_boxes`, in TensorFlow 1's order of arguments."""
    return draw_bounding_boxes(images, boxes, colors, name)


@public("image.non_max_suppression")
def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    name: str | None = None,
) -> Tensor:
    """Numbers of the boxes that are kept, best first: those above score_threshold that no better one overlaps by more
    than iou_threshold (intersection over union), at most max_output_size.

    boxes: [n,4], any two opposite corners. scores: [n]. Ties: the first comes first.
    """
    boxes = interpreter.as_tensor(boxes)
    limits = [x if isinstance(x, Tensor) else np.float32(x) for x in (iou_threshold, score_threshold)]
    return NonMaxSuppressionV3()(boxes, scores, max_output_size, *limits, name=name)


class SampledBox(NamedTuple):
    """A box drawn at random: where it begins and its size, for `tf.slice`, and itself, for `draw_bounding_boxes`."""

    begin: Tensor
    size: Tensor
    bboxes: Tensor


@public(v1="image.sample_distorted_bounding_box")
def sample_distorted_bounding_box_v1(
    image_size: Any,
    bounding_boxes: Any,
    seed: Any = None,
    seed2: Any = None,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: Any = None,
    use_image_if_no_bounding_boxes: Any = None,
    name: str | None = None,
) -> SampledBox:
    """As `sample_distorted_bounding_box`; seed and seed2 are the two seeds, where they are given."""
    image_size = interpreter.as_tensor(dims(image_size), name="image_size")
    op_ = SampleDistortedBoundingBoxV2(
        tuple(float(a) for a in aspect_ratio_range or (0.75, 1.33)),
        tuple(float(a) for a in area_range or (0.05, 1.0)),
        100 if max_attempts is None else int(max_attempts),
        bool(use_image_if_no_bounding_boxes),
    )
    if seed2:
        start = _two_seeds(op_, int(seed or 0), int(seed2))
    else:
        start = next_counter(op_, seed or None, (op_.max_attempts,), words=4)
    covered = interpreter.as_tensor(min_object_covered, float32)
    return SampledBox(*op_(image_size, bounding_boxes, covered, *start, name=name))


def _two_seeds(op_: Op, first: int, second: int) -> tuple[Tensor, Tensor]:
    """(key, counter) where both seeds are said."""
    from pullback.core.graph import Graph
    from pullback.core.store import Resource
    from pullback.core.tensor import EagerTensor
    from pullback.ops.random.draws import STREAM
    from pullback.ops.random.seeds import eager_stream

    made = Resource(f"{op_.type} stream", STREAM)
    here: Any = interpreter.current()
    if isinstance(here, Graph):
        handle = here.constant(made, Spec((), dtypes.resource, STREAM), "stream")
    else:
        held = eager_stream((op_, first, second), made)
        handle = EagerTensor(held.handle_spec, held)
    return DrawCounter(first, second, 4)(handle, (op_.max_attempts,))  # type: ignore[attr-defined]


@public("image.sample_distorted_bounding_box", v1=None)
def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: Any = 0,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: Any = None,
    use_image_if_no_bounding_boxes: Any = None,
    name: str | None = None,
) -> SampledBox:
    """A box drawn at random from a picture, for random cropping.

    Args:
      image_size: [3], height, width, channels. bounding_boxes: [N,B,4], of which the box must cover a part.
      min_object_covered: the share of one of them at least. aspect_ratio_range: of width to height (0.75, 1.33).
      area_range: of the picture's area (0.05, 1). max_attempts: then the whole picture is taken (100).
      use_image_if_no_bounding_boxes: whether without boxes the picture counts as one.
    Returns:
      (begin [3], size [3], box [1,1,4])
    Raises, when it runs:
      InvalidArgumentError: there are no boxes, or one leaves the picture.
    """
    return sample_distorted_bounding_box_v1(
        image_size,
        bounding_boxes,
        seed or None,
        None,
        min_object_covered,
        aspect_ratio_range,
        area_range,
        max_attempts,
        use_image_if_no_bounding_boxes,
        name,
    )
