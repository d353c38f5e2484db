"""keras.utils.image_dataset_from_directory, text_dataset_from_directory: files as datasets, their folders as labels."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.dtypes import float32
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.data.contents import read_file
from pullback.data.dataset import AUTOTUNE
from pullback.data.datasets import Dataset
from pullback.layers import phase
from pullback.layers.image_framing import method_of
from pullback.networks.preprocessing.folders import Asked, Files, found, subset_of
from pullback.networks.preprocessing.pictures import smart_resize
from pullback.ops.array.layout import transpose
from pullback.ops.array.one_hot import one_hot
from pullback.ops.array.shape import expand_dims
from pullback.ops.image.codecs import decode_image
from pullback.ops.image.framing import resize_with_pad
from pullback.ops.image.resize import resize
from pullback.ops.math.select import Cast
from pullback.ops.strings.elementwise import substr

_PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


@public("keras.utils.image_dataset_from_directory", "keras.preprocessing.image_dataset_from_directory")
def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A dataset of the picture files (PNG, JPEG, GIF, BMP) in a folder's folders, each of these a class.

    Args:
      labels: "inferred" from the folders' names in their order, None for none, or a number for each file, in the order
        of their paths; these lie anywhere below directory.
      label_mode: "int", int32 []; "binary", float32 [1]; "categorical", float32 [classes]; None for no labels.
      class_names: the folders to read, in their order.
      color_mode: "rgb", "rgba" or "grayscale". image_size: (height, width) in pixels.
      batch_size: None for single pictures.
      shuffle: draw an order; the same for the same seed, and within it another in each iteration.
      validation_split, subset: the last share of files is for "validation", the others for "training"; "both" gives
        the pair (training, validation), the latter in a fixed order.
      interpolation: a method of `tf.image.resize`.
      crop_to_aspect_ratio: cut what would distort the picture; pad_to_aspect_ratio: add black borders instead.
      data_format: "channels_last" or "channels_first". format: "tf", the only one. verbose: say how many were found.
    Returns:
      A dataset of (pictures, labels), or of pictures: float32 [H,W,C] in [0, 255], with batch_size [N,H,W,C]. Its
      attributes: class_names, and file_paths in the order before each iteration's draws.
    Raises:
      ValueError: two arguments contradict each other, a word is not known, or there are no files.
    """
    asked = Asked(labels, label_mode, class_names, shuffle, seed, validation_split, subset, follow_links, verbose)
    asked.check()
    if color_mode not in _CHANNELS:
        raise ArgumentError(
            f'`color_mode` must be one of {{"rgb", "rgba", "grayscale"}}. Received: color_mode={color_mode}'
        ).locate()
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise ArgumentError(
            f"Invalid `image_size` value. Expected a tuple of 2 integers. Received: image_size={image_size}"
        ).locate()
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to `True`.").locate()
    method, layout = method_of(interpolation), phase.layout_of(data_format)
    fit = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else "stretch"

    def load(path: Tensor) -> Tensor:
        return _picture(path, (size[0], size[1]), _CHANNELS[color_mode], method, fit, layout)

    return _datasets(directory, _PICTURES, asked, batch_size, format, load)


def _picture(path: Tensor, size: tuple[int, int], channels: int, method: str, fit: str, layout: str) -> Tensor:
    """A picture file in a size: stretched, or its middle ("crop"), or with borders ("pad")."""
    image: Any = decode_image(read_file(path), channels, expand_animations=False)
    image.set_shape((None, None, channels))
    if fit == "crop":
        made = smart_resize(image, size, method)
    elif fit == "pad":
        made = resize_with_pad(image, *size, method)
    else:
        made = resize(image, size, method)
    made.set_shape((*size, channels))
    return transpose(made, [2, 0, 1]) if layout == "channels_first" else made


@public("keras.utils.text_dataset_from_directory", "keras.preprocessing.text_dataset_from_directory")
def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A dataset of the .txt files in a folder's folders, each of these a class: (texts, labels) or texts, strings [].

    Args:
      max_length: keep so many bytes of each.
      The others: as `image_dataset_from_directory` has them.
    Raises:
      ValueError: two arguments contradict each other, a word is not known, or there are no files.
    """
    asked = Asked(labels, label_mode, class_names, shuffle, seed, validation_split, subset, follow_links, verbose)
    asked.check()

    def load(path: Tensor) -> Tensor:
        text = read_file(path)
        return text if max_length is None else substr(text, 0, max_length)

    return _datasets(directory, (".txt",), asked, batch_size, format, load)


def only_tf(format: str) -> None:
    """
    Raises:
      ValueError: another format is asked for.
    """
    if format != "tf":
        raise ArgumentError(
            f'`format` should be "tf": datasets of grain are not made. Received: format={format}'
        ).locate()


def _datasets(
    directory: Any,
    endings: tuple[str, ...],
    asked: Asked,
    batch_size: int | None,
    format: str,
    load: Callable[[Tensor], Tensor],
) -> Any:
    """The dataset of the subset; of "both" a list of two."""
    only_tf(format)
    seed = np.random.randint(10**6) if asked.seed is None else asked.seed
    files = found(os.fspath(directory), endings, asked, seed)
    made = []
    for subset in ("training", "validation") if asked.subset == "both" else (asked.subset,):
        part = subset_of(files, asked.validation_split, subset)
        if not part.paths:
            raise ArgumentError(
                f"No {subset + ' ' if subset else ''}files found in directory {directory}. Allowed formats: {endings}"
            ).locate()
        drawn = asked.shuffle and not (asked.subset == "both" and subset == "validation")
        made.append(_dataset(part, asked.label_mode, seed if drawn else None, batch_size, load))
    return made if asked.subset == "both" else made[0]


def _dataset(
    files: Files, label_mode: str | None, seed: int | None, batch_size: int | None, load: Callable[[Tensor], Tensor]
) -> Any:
    dataset: Any = Dataset.from_tensor_slices(files.paths)
    if files.labels is not None:
        classes = len(files.class_names or ())
        dataset = Dataset.zip((dataset, _labels(files.labels, label_mode, classes)))
    if seed is not None:
        dataset = dataset.shuffle(8 * batch_size if batch_size else 1024, seed)

    def loaded(path: Tensor, *label: Tensor) -> Any:
        return (load(path), *label) if label else load(path)

    dataset = dataset.map(loaded, AUTOTUNE)
    dataset = (dataset if batch_size is None else dataset.batch(batch_size)).prefetch(AUTOTUNE)
    dataset.class_names, dataset.file_paths = files.class_names, files.paths
    return dataset


def _labels(labels: Any, label_mode: str | None, classes: int) -> Any:
    dataset: Any = Dataset.from_tensor_slices(labels)
    if label_mode == "binary":
        return dataset.map(lambda label: expand_dims(Cast(float32)(label), -1))
    return dataset.map(lambda label: one_hot(label, classes)) if label_mode == "categorical" else dataset
