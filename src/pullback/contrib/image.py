"""`tf.contrib.image` and `tf.contrib.resampler`: images through transforms, flows and at any places."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.core.errors import ArgumentError
from pullback.ops.image.projective import ImageProjectiveTransformV2


def _batched(images: Any, work: Any) -> Any:
    """work([N,H,W,C]) of images of two, three or four axes: [H,W], [H,W,C] or [N,H,W,C].

    Raises:
      TypeError: they have another number of axes.
    """
    x = tf.convert_to_tensor(images, name="images")
    rank = x.shape.ndims
    if rank not in (2, 3, 4):
        raise TypeError("Images should have rank between 2 and 4.")
    y = work({2: lambda: x[None, :, :, None], 3: lambda: x[None], 4: lambda: x}[rank]())
    return {2: lambda: y[0, :, :, 0], 3: lambda: y[0], 4: lambda: y}[rank]()


@contrib("image", "angles_to_projective_transforms")
def angles_to_projective_transforms(angles: Any, image_height: Any, image_width: Any, name: str | None = None) -> Any:
    """The transforms [N,8] that turn images about their middles. angles: radians, a scalar or [N]."""
    with tf.name_scope(name, "angles_to_projective_transforms"):
        angle = tf.reshape(tf.convert_to_tensor(angles, tf.float32, name="angles"), [-1])
        down, right = ((tf.cast(n, tf.float32) - 1.0) / 2.0 for n in (image_height, image_width))
        c, s = tf.cos(angle), tf.sin(angle)
        zero = tf.zeros_like(angle)
        return tf.stack([c, -s, right - c * right + s * down, s, c, down - s * right - c * down, zero, zero], axis=1)


@contrib("image", "translations_to_projective_transforms")
def translations_to_projective_transforms(translations: Any, name: str | None = None) -> Any:
    """The transforms [N,8] that shift images by (dx, dy) pixels. translations: [2] or [N,2]."""
    with tf.name_scope(name, "translations_to_projective_transforms"):
        shift = tf.reshape(tf.convert_to_tensor(translations, tf.float32, name="translations"), [-1, 2])
        zero = tf.zeros_like(shift[:, 0])
        one = zero + 1.0
        return tf.stack([one, zero, -shift[:, 0], zero, one, -shift[:, 1], zero, zero], axis=1)


@contrib("image", "flat_transforms_to_matrices")
def flat_transforms_to_matrices(transforms: Any, name: str | None = None) -> Any:
    """Transforms [N,8] as matrices [N,3,3], whose last entry is 1."""
    with tf.name_scope(name, "flat_transforms_to_matrices"):
        flat = tf.reshape(tf.convert_to_tensor(transforms, tf.float32), [-1, 8])
        return tf.reshape(tf.concat([flat, tf.ones_like(flat[:, :1])], axis=1), [-1, 3, 3])


@contrib("image", "matrices_to_flat_transforms")
def matrices_to_flat_transforms(transform_matrices: Any, name: str | None = None) -> Any:
    """Matrices [N,3,3] as transforms [N,8]: divided by their last entry."""
    with tf.name_scope(name, "matrices_to_flat_transforms"):
        flat = tf.reshape(tf.convert_to_tensor(transform_matrices, tf.float32), [-1, 9])
        return flat[:, :8] / flat[:, 8:]


@contrib("image", "compose_transforms")
def compose_transforms(*transforms: Any) -> Any:
    """One transform [N,8] for several, the first seen through first."""
    if not transforms:
        raise ArgumentError("compose_transforms: give at least one transform").locate()
    with tf.name_scope("compose_transforms"):
        made = flat_transforms_to_matrices(transforms[0])
        for other in transforms[1:]:
            made = tf.matmul(made, flat_transforms_to_matrices(other))
        return matrices_to_flat_transforms(made)


@contrib("image", "transform")
def transform(
    images: Any, transforms: Any, interpolation: str = "NEAREST", output_shape: Any = None, name: str | None = None
) -> Any:
    """Images seen through projective transforms; 0 beyond the border.

    Args:
      images: [N,H,W,C], [H,W,C] or [H,W]. transforms: [8], or [N,8]: pixel (x, y) of the result looks at
      ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), k = c0 x + c1 y + 1. interpolation: "NEAREST" or "BILINEAR".
      output_shape: (height, width); the images' by default.
    Gradient: reaches the images, by the exact adjoint; transforms have none.
    """
    with tf.name_scope(name, "transform"):
        rows = tf.convert_to_tensor(transforms, tf.float32, name="transforms")
        if rows.shape.ndims == 1:
            rows = rows[None]
        elif rows.shape.ndims != 2:
            raise TypeError("Transforms should have rank 1 or 2.")

        def work(x: Any) -> Any:
            size = tf.shape(x)[1:3] if output_shape is None else tf.convert_to_tensor(output_shape, tf.int32)
            return ImageProjectiveTransformV2(interpolation.upper())(x, rows, size)

        return _batched(images, work)


def _size(images: Any) -> tuple[Any, Any]:
    shape = tf.shape(images)
    first = 1 if images.shape.ndims == 4 else 0
    return shape[first], shape[first + 1]


@contrib("image", "rotate")
def rotate(images: Any, angles: Any, interpolation: str = "NEAREST", name: str | None = None) -> Any:
    """Images turned about their middles, counter-clockwise by angles in radians (a scalar, or one an image)."""
    with tf.name_scope(name, "rotate"):
        x = tf.convert_to_tensor(images, name="images")
        return transform(x, angles_to_projective_transforms(angles, *_size(x)), interpolation)


@contrib("image", "translate")
def translate(images: Any, translations: Any, interpolation: str = "NEAREST", name: str | None = None) -> Any:
    """Images shifted by (dx, dy) pixels, [2] or one an image [N,2]."""
    with tf.name_scope(name, "translate"):
        return transform(images, translations_to_projective_transforms(translations), interpolation)


def _at_places(data: Any, rows: Any, columns: Any) -> Any:
    """data [N,H,W,C] at places (rows, columns) [N,K], in proportion to the four pixels around; 0 beyond the border.
    [N,K,C]"""
    height, width = (tf.shape(data)[i] for i in (1, 2))
    top, left = tf.floor(rows), tf.floor(columns)
    total: Any = 0.0
    for r in (top, top + 1.0):
        for c in (left, left + 1.0):
            weight = (1.0 - tf.abs(rows - r)) * (1.0 - tf.abs(columns - c))
            i, j = tf.cast(r, tf.int32), tf.cast(c, tf.int32)
            inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
            at = tf.stack([tf.clip_by_value(i, 0, height - 1), tf.clip_by_value(j, 0, width - 1)], axis=-1)
            found = tf.gather_nd(data, at, batch_dims=1)
            total += found * (weight * tf.cast(inside, data.dtype))[..., None]
    return total


@contrib("resampler", "resampler")
def resampler(data: Any, warp: Any, name: str = "resampler") -> Any:
    """data [N,H,W,C] at places warp [N,...,2] (x, y), bilinear; 0 beyond the border. [N,...,C]

    Gradient: of data and of places, which bend where a place is a whole number.
    """
    with tf.name_scope(name, "resampler", [data, warp]):
        x, places = tf.convert_to_tensor(data, name="data"), tf.convert_to_tensor(warp, name="warp")
        shape = tf.shape(places)
        flat = tf.reshape(places, [shape[0], -1, 2])
        found = _at_places(x, flat[..., 1], flat[..., 0])
        y = tf.reshape(found, tf.concat([shape[:-1], tf.shape(x)[-1:]], 0))
        y.set_shape([*places.shape.as_list()[:-1], x.shape.as_list()[-1]])
        return y


@contrib("image", "dense_image_warp")
def dense_image_warp(image: Any, flow: Any, name: str = "dense_image_warp") -> Any:
    """Each pixel (j, i) of the result is the image at (j - flow[.., 0], i - flow[.., 1]): rows, then columns.

    image [N,H,W,C], flow [N,H,W,2] in pixels; places beyond the border are moved onto it. At least 2 x 2 pixels.
    """
    with tf.name_scope(name):
        x, moved = tf.convert_to_tensor(image), tf.convert_to_tensor(flow)
        n, height, width = (tf.shape(x)[i] for i in range(3))
        rows, columns = tf.meshgrid(tf.range(height), tf.range(width), indexing="ij")
        places = tf.cast(tf.stack([rows, columns], axis=2), moved.dtype)[None] - moved
        flat = tf.reshape(places, [n, -1, 2])
        ends = [tf.cast(size - 1, flat.dtype) for size in (height, width)]
        held = (tf.clip_by_value(flat[..., i], 0.0, end) for i, end in enumerate(ends))
        y = tf.reshape(_at_places(x, *held), tf.shape(x))
        y.set_shape(x.shape)
        return y
