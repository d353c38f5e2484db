"""Pictures turned, cropped, coloured, compared and coded. Numbers that NumPy does not give are TensorFlow 2.21's."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pullback as tf
import pullback.v1 as v1

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
FLOATS = RNG.uniform(size=(2, 5, 7, 3)).astype(np.float32)
FRAMED = {
    "flip_left_right": (lambda x: tf.image.flip_left_right(x), lambda x: x[..., :, ::-1, :]),
    "flip_up_down": (lambda x: tf.image.flip_up_down(x), lambda x: x[..., ::-1, :, :]),
    "rot90": (lambda x: tf.image.rot90(x), lambda x: np.rot90(x, 1, (-3, -2))),
    "rot90 thrice": (lambda x: tf.image.rot90(x, 3), lambda x: np.rot90(x, 3, (-3, -2))),
    "transpose": (lambda x: tf.image.transpose(x), lambda x: np.swapaxes(x, -3, -2)),
    "central_crop": (lambda x: tf.image.central_crop(x, 0.5), lambda x: x[..., 1:4, 1:6, :]),
    "crop": (lambda x: tf.image.crop_to_bounding_box(x, 1, 2, 3, 4), lambda x: x[..., 1:4, 2:6, :]),
    "pad": (lambda x: tf.image.pad_to_bounding_box(x, 1, 2, 8, 10), lambda x: padded(x, (1, 2), (2, 1))),
    "crop and pad": (
        lambda x: tf.image.resize_with_crop_or_pad(x, 3, 10),
        lambda x: padded(x[..., 1:4, :, :], (0, 0), (1, 2)),
    ),
}  # fmt: skip


def padded(x: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    return np.pad(x, (*((0, 0),) * (x.ndim - 3), rows, columns, (0, 0)))


@pytest.mark.parametrize("name", FRAMED)
@pytest.mark.parametrize("x", [BYTES, BYTES[0], FLOATS], ids=["bytes", "one", "floats"])
def test_frames(name: str, x: np.ndarray) -> None:
    call, expected = FRAMED[name]
    np.testing.assert_array_equal(call(x), expected(x))


def test_numbers_between_types() -> None:
    to = tf.image.convert_image_dtype
    assert to(np.uint8([0, 128, 255]), tf.float32).numpy().tolist() == pytest.approx([0, 128 / 255, 1])
    assert to(np.float32([0, 0.5, 1]), tf.uint8).numpy().tolist() == [0, 127, 255]
    assert to(np.float32([-1, 2]), tf.uint8, saturate=True).numpy().tolist() == [0, 255]
    assert to(np.uint8([1, 255]), tf.uint16).numpy().tolist() == [256, 65280]
    assert to(np.uint16([256, 65280]), tf.uint8).numpy().tolist() == [1, 255]


def test_colour_spaces_go_back() -> None:
    for there, back in (("rgb_to_hsv", "hsv_to_rgb"), ("rgb_to_yuv", "yuv_to_rgb"), ("rgb_to_yiq", "yiq_to_rgb")):
        again = getattr(tf.image, back)(getattr(tf.image, there)(FLOATS))
        np.testing.assert_allclose(again, FLOATS, atol=1e-3)
    assert tf.image.rgb_to_hsv([[[0.2, 0.2, 0.2], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]]).numpy().tolist() == [
        [[0, 0, pytest.approx(0.2)], [0, 1, 1], [0.5, 1, 0.5]]
    ]


def test_adjustments() -> None:
    np.testing.assert_allclose(tf.image.adjust_brightness(FLOATS, 0.2), FLOATS + 0.2, rtol=1e-5)
    assert tf.image.adjust_brightness(np.uint8([[[250]]]), 0.2).numpy() == 255, "what is too bright is white"
    mean = FLOATS.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(tf.image.adjust_contrast(FLOATS, 1.7), (FLOATS - mean) * 1.7 + mean, atol=1e-5)
    np.testing.assert_allclose(tf.image.adjust_gamma(FLOATS, 2.0, 0.9), 0.9 * FLOATS**2, rtol=1e-5)
    np.testing.assert_allclose(tf.image.adjust_hue(tf.image.adjust_hue(FLOATS, 0.3), -0.3), FLOATS, atol=1e-5)
    grey = tf.image.adjust_saturation(FLOATS, 0.0)
    np.testing.assert_allclose(grey, np.repeat(FLOATS.max(-1, keepdims=True), 3, -1), atol=1e-6)
    np.testing.assert_allclose(tf.image.rgb_to_grayscale(FLOATS)[..., 0], FLOATS @ [0.2989, 0.587, 0.114], rtol=1e-5)


def test_standardised_pictures_have_mean_0_and_deviation_1() -> None:
    made = tf.image.per_image_standardization(BYTES).numpy()
    np.testing.assert_allclose(made.mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(made.std((1, 2, 3)), 1, rtol=1e-5)
    assert not tf.image.per_image_standardization(np.full((2, 2, 1), 7.0, np.float32)).numpy().any()


def test_random_adjustments_draw_what_the_seeds_say() -> None:
    tf.random.set_seed(1)
    shift = (tf.image.random_brightness(FLOATS, 0.3, seed=2).numpy() - FLOATS)[0, 0, 0, 0]
    tf.random.set_seed(1)
    assert shift == pytest.approx(float(tf.random.uniform([], -0.3, 0.3, seed=2)), abs=1e-6)
    flips = [tf.image.random_flip_left_right(FLOATS[0], seed=i).numpy() for i in range(16)]
    kept = [np.array_equal(f, FLOATS[0]) for f in flips]
    assert all(np.array_equal(f, FLOATS[0]) or np.array_equal(f, FLOATS[0][:, ::-1]) for f in flips)
    assert 0 < sum(kept) < 16


def test_roughness_and_likeness() -> None:
    down, across = np.abs(np.diff(FLOATS, axis=1)).sum((1, 2, 3)), np.abs(np.diff(FLOATS, axis=2)).sum((1, 2, 3))
    np.testing.assert_allclose(tf.image.total_variation(FLOATS), down + across, rtol=1e-5)
    error = ((FLOATS - FLOATS[::-1]) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(tf.image.psnr(FLOATS, FLOATS[::-1], 1.0), -10 * np.log10(error), rtol=1e-5)
    dy, _ = tf.image.image_gradients(tf.constant(FLOATS))
    np.testing.assert_allclose(dy[:, :-1], np.diff(FLOATS, axis=1))
    assert not dy[:, -1].numpy().any()
    ramp = np.tile(np.arange(5, dtype=np.float32), (1, 5, 1))[..., None]
    edges = tf.image.sobel_edges(tf.constant(ramp)).numpy()
    assert edges.shape == (1, 5, 5, 1, 2)
    assert edges[0, 2, 2, 0].tolist() == [0, 8]


def test_equal_pictures_are_like_each_other() -> None:
    x = RNG.uniform(size=(2, 16, 18, 3)).astype(np.float32)
    np.testing.assert_allclose(tf.image.ssim(x, x, 1.0), 1, rtol=1e-5)
    assert (tf.image.ssim(x, 1 - x, 1.0).numpy() < 0).all()
    np.testing.assert_allclose(tf.image.ssim_multiscale(x, x, 1.0, (0.5, 0.5), filter_size=5), 1, rtol=1e-5)


def test_png_comes_back() -> None:
    data = tf.image.encode_png(BYTES[0])
    np.testing.assert_array_equal(tf.image.decode_png(data), BYTES[0])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data.numpy()))), BYTES[0])
    assert tf.image.decode_png(data, channels=1).shape == [5, 7, 1]
    assert tf.image.decode_image(data, channels=4).numpy()[..., 3].min() == 255
    np.testing.assert_allclose(tf.image.decode_image(data, dtype=tf.float32), BYTES[0] / 255, rtol=1e-5)
    np.testing.assert_array_equal(tf.image.decode_png(data, dtype=tf.uint16), BYTES[0].astype(np.uint16) * 257)


def test_jpeg_is_near() -> None:
    smooth = np.tile(np.arange(0, 256, 8, dtype=np.uint8)[:, None, None], (1, 32, 3))
    data = tf.image.encode_jpeg(smooth)
    assert bool(tf.image.is_jpeg(data)) and not bool(tf.image.is_jpeg(tf.image.encode_png(smooth)))
    assert np.abs(tf.image.decode_jpeg(data).numpy().astype(int) - smooth).max() <= 3
    assert tf.image.decode_jpeg(data, ratio=2, channels=1).shape == [16, 16, 1]


def test_all_frames_of_a_gif() -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (4, 3), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    made = tf.image.decode_gif(file.getvalue()).numpy()
    assert made.shape == (2, 3, 4, 3)
    assert made[:, 0, 0].tolist() == [[255, 0, 0], [0, 0, 255]]
    assert tf.image.decode_image(file.getvalue(), expand_animations=False).shape == [3, 4, 3]


def test_pictures_of_unknown_size_in_graphs() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        data = v1.placeholder(tf.string, [])
        picture = v1.image.decode_png(data, channels=3)
        assert picture.shape.as_list() == [None, None, 3]
        fitted = v1.image.resize_image_with_crop_or_pad(picture, 4, 9)
        cropped = v1.image.central_crop(picture, 0.5)
        assert fitted.shape.as_list() == [4, 9, 3]
        feeds: Any = {data: png(BYTES[0])}
        np.testing.assert_array_equal(session.run(fitted, feeds), padded(BYTES[0][:4], (0, 0), (1, 1)))
        np.testing.assert_array_equal(session.run(cropped, feeds), BYTES[0][1:4, 1:6])


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_mistakes_are_explained() -> None:
    with pytest.raises(ValueError, match="upper must be > lower"):
        tf.image.random_contrast(FLOATS, 0.5, 0.2)
    with pytest.raises(ValueError, match=r"within \(0, 1\]"):
        tf.image.central_crop(FLOATS, 2.0)
    with pytest.raises(ValueError, match="height must be >= target"):
        tf.image.crop_to_bounding_box(FLOATS, 0, 0, 9, 3)
    with pytest.raises(ValueError, match="max_delta must be"):
        tf.image.random_hue(FLOATS, 0.7)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Unknown image file format"):
        tf.image.decode_png(b"no picture")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must be \[\.\.,3\]"):
        tf.image.rgb_to_hsv(FLOATS[..., :2])


def test_boxes_are_outlined() -> None:
    black = np.zeros((1, 5, 6, 3), np.float32)
    drawn = tf.image.draw_bounding_boxes(black, [[[0.25, 0.2, 0.75, 0.8]]], [[1.0, 0.0, 0.0, 1.0]])
    red = drawn.numpy()[0, ..., 0]
    expected = np.zeros((5, 6))
    expected[1:4, 1:5] = 1
    expected[2, 2:4] = 0
    np.testing.assert_array_equal(red, expected)
    assert not drawn.numpy()[..., 1:].any()


def test_the_best_of_overlapping_boxes() -> None:
    boxes = np.float32([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 2, 1, 3], [1, 1, 0, 0]])
    scores = np.float32([0.9, 0.95, 0.3, 0.8])
    assert tf.image.non_max_suppression(boxes, scores, 4).numpy().tolist() == [1, 2]
    assert tf.image.non_max_suppression(boxes, scores, 4, iou_threshold=0.9).numpy().tolist() == [1, 0, 2]
    assert tf.image.non_max_suppression(boxes, scores, 4, score_threshold=0.5).numpy().tolist() == [1]


def test_random_box_is_that_of_the_seeds() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        drawn = v1.image.sample_distorted_bounding_box([40, 50, 3], [[[0.1, 0.2, 0.7, 0.8]]], seed=3, seed2=4)
        begin, size, box = session.run(drawn)
    assert (begin.tolist(), size.tolist()) == ([5, 12, 0], [28, 36, -1])
    np.testing.assert_allclose(box.ravel(), [0.125, 0.24, 0.825, 0.96], rtol=1e-6)


def chunked(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("side", [12_000, 20_000, 2**31 - 1])
def test_a_small_file_cannot_ask_for_all_memory(side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunked(b"IHDR", header) + chunked(b"IDAT", zlib.compress(b"\0" * 99))
    with pytest.raises(tf.errors.InvalidArgumentError, match="decoded"):
        tf.io.decode_png(bomb + chunked(b"IEND", b""))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_damaged_files_raise_errors_of_ours(kind: str) -> None:
    """Whatever Pillow stumbles over."""
    file, draws = io.BytesIO(), np.random.default_rng(3)
    Image.fromarray(BYTES[0]).save(file, kind)
    whole, refused = np.frombuffer(file.getvalue(), np.uint8), 0
    for _ in range(60):
        damaged = whole.copy()
        damaged[draws.integers(0, min(60, len(whole)), 4)] = draws.integers(0, 256, 4)
        damaged = damaged[: draws.integers(4, len(whole) + 1)]
        for decode in (tf.io.decode_image, tf.io.decode_gif):
            try:
                decode(damaged.tobytes())
            except tf.errors.InvalidArgumentError:
                refused += 1
    assert refused > 30


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tf.io.encode_png(BYTES[0, :0]), "without pixels"),
        (lambda: tf.image.adjust_hue(FLOATS, 3.0), r"delta must be in \[-1, 1\]"),
        (lambda: tf.image.crop_and_resize(FLOATS, [[0.0, 0.0, np.nan, 1.0]], [0], [2, 2]), "boxes must be finite"),
        (lambda: tf.image.non_max_suppression(np.ones((1, 4), np.float32), [1.0], -1), "must not be negative"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(call: Any, words: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        call()
