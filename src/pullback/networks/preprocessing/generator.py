"""keras.preprocessing.image.ImageDataGenerator: pictures as a network is trained on them, each time a little other."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers import phase
from pullback.networks.preprocessing.file_iterators import DataFrameIterator, DirectoryIterator
from pullback.networks.preprocessing.iterators import NumpyArrayIterator, warn_of_channels
from pullback.networks.preprocessing.transforms import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    pair_of,
    zoom_drawn,
)

# What a setting needs besides, and what it rules out.
_NEEDS = (
    ("zca_whitening", "featurewise_center", True),
    ("zca_whitening", "featurewise_std_normalization", False),
    ("featurewise_std_normalization", "featurewise_center", True),
    ("samplewise_std_normalization", "samplewise_center", True),
)


@public("keras.preprocessing.image.ImageDataGenerator")
class ImageDataGenerator:
    """Pictures transformed at random and normalised, in batches by `flow`, `flow_from_directory`,
    `flow_from_dataframe`. Numbers are drawn from NumPy's global generator, in Keras' order, so that its seeds hold.

    Args:
      featurewise_center, featurewise_std_normalization: less the channels' means, by their standard deviations, both
        found by `fit`. samplewise_*: of each picture's own.
      zca_whitening: decorrelate all pixels, as found by `fit`; zca_epsilon is added to the singular values.
      rotation_range, shear_range: in degrees, drawn between -range and range.
      width_shift_range, height_shift_range: below 1 a share of the side, else pixels; an int n draws one of 0 to n-1,
        a list one of its numbers, each with either sign.
      zoom_range: (low, high), or z for (1 - z, 1 + z), drawn twice. channel_shift_range: added to all values.
      brightness_range: (low, high), as `apply_brightness_shift` takes it.
      horizontal_flip, vertical_flip: of every second picture.
      fill_mode, cval, interpolation_order: as `apply_affine_transform` takes them.
      preprocessing_function: of one picture, after it is transformed. rescale: a factor, after that.
      data_format: "channels_last" or "channels_first". dtype: of batches, float32 by default.
      validation_split: the share that subset="validation" gives.
    Raises:
      ValueError: a range, the share or the data_format is none.
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Any = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ) -> None:
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval, self.interpolation_order = fill_mode, cval, interpolation_order
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.dtype = dtype or phase.floatx()
        self.data_format = phase.layout_of(data_format)
        last = self.data_format == "channels_last"
        self.row_axis, self.col_axis, self.channel_axis = (1, 2, 3) if last else (2, 3, 1)
        if validation_split and not 0 < validation_split < 1:
            raise ArgumentError(
                f"`validation_split` must be strictly between 0 and 1. Received: {validation_split}"
            ).locate()
        self._validation_split = validation_split
        self.zoom_range = _zoom_range(zoom_range)
        self.brightness_range = None if brightness_range is None else pair_of(brightness_range, "brightness_range")
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None
        for setting, other, value in _NEEDS:
            if getattr(self, setting) and bool(getattr(self, other)) is not value:
                setattr(self, other, value)
                warnings.warn(
                    f"This ImageDataGenerator specifies `{setting}`, which overrides setting of `{other}`.",
                    stacklevel=2,
                )

    # --- batches ---------------------------------------------------------------------------------------------------

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of arrays, as `NumpyArrayIterator` says."""
        return NumpyArrayIterator(
            x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format, save_to_dir, save_prefix,
            save_format, subset, ignore_class_split, self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: Any = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of the files in a folder's folders, as `DirectoryIterator` says."""
        return DirectoryIterator(
            directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle, seed, self.data_format,
            save_to_dir, save_prefix, save_format, follow_links, subset, interpolation, keep_aspect_ratio, self.dtype,
        )  # fmt: skip

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: Any = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Batches of the files that a pandas data frame names, as `DataFrameIterator` says. "other" is "raw".

        Raises:
          TypeError: dataframe is no pandas data frame, or another argument is given.
        """
        for name in kwargs:
            if name not in ("has_ext", "sort", "drop_duplicates"):
                raise TypeError(f"flow_from_dataframe() got an unexpected keyword argument {name!r}")
            warnings.warn(f"{name} is deprecated, and of no effect: prepare the data frame", DeprecationWarning, 2)
        if class_mode == "other":
            warnings.warn('`class_mode="other"` is deprecated, please use `class_mode="raw"`.', DeprecationWarning, 2)
            class_mode = "raw"
        return DataFrameIterator(
            dataframe, directory, self, x_col, y_col, weight_col, target_size, color_mode, classes, class_mode,
            batch_size, shuffle, seed, self.data_format, save_to_dir, save_prefix, save_format, subset, interpolation,
            False, self.dtype, validate_filenames,
        )  # fmt: skip

    # --- one picture -----------------------------------------------------------------------------------------------

    def standardize(self, x: Any) -> Any:
        """A picture, or a batch of them, normalised; in place, where preprocessing_function lets it be.

        What `fit` was to find and was not called for is left out, with a warning."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self._fitted("featurewise_center", self.mean):
            x -= self.mean
        if self._fitted("featurewise_std_normalization", self.std):
            x /= self.std + 1e-6
        if self._fitted("zca_whitening", self.zca_whitening_matrix):
            x = (x.reshape(-1, math.prod(x.shape[-3:])) @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _fitted(self, setting: str, found: Any) -> bool:
        if getattr(self, setting) and found is None:
            warnings.warn(
                f"This ImageDataGenerator specifies `{setting}`, but it hasn't been fit on any training data. Fit it "
                "first by calling `.fit(numpy_data)`.",
                stacklevel=3,
            )
        return getattr(self, setting) and found is not None

    def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
        """What `apply_transform` is to do to a picture of this shape, drawn at random."""
        if seed is not None:
            np.random.seed(seed)
        drawn: dict[str, Any] = {"theta": _drawn(self.rotation_range)}
        drawn["tx"] = _shift_drawn(self.height_shift_range, img_shape[self.row_axis - 1])
        drawn["ty"] = _shift_drawn(self.width_shift_range, img_shape[self.col_axis - 1])
        drawn["shear"] = _drawn(self.shear_range)
        drawn["zx"], drawn["zy"] = zoom_drawn(self.zoom_range)
        drawn["flip_horizontal"] = (np.random.random() < 0.5) * self.horizontal_flip
        drawn["flip_vertical"] = (np.random.random() < 0.5) * self.vertical_flip
        shift = self.channel_shift_range
        drawn["channel_shift_intensity"] = _drawn(shift) if shift else None
        drawn["brightness"] = None if self.brightness_range is None else np.random.uniform(*self.brightness_range)
        return drawn

    def apply_transform(self, x: Any, transform_parameters: dict[str, Any]) -> Any:
        """A picture transformed.

        Args:
          transform_parameters: theta, tx, ty, shear, zx, zy as `apply_affine_transform` takes them,
            channel_shift_intensity, flip_horizontal, flip_vertical and brightness; what is not there is not done.
        """
        row, column, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        given: Any = transform_parameters.get
        x = apply_affine_transform(
            x, given("theta", 0), given("tx", 0), given("ty", 0), given("shear", 0), given("zx", 1), given("zy", 1),
            row, column, channel, self.fill_mode, self.cval, self.interpolation_order,
        )  # fmt: skip
        if given("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, given("channel_shift_intensity"), channel)
        for flip, axis in (("flip_horizontal", column), ("flip_vertical", row)):
            x = np.flip(x, axis) if given(flip, False) else x
        return x if given("brightness") is None else apply_brightness_shift(x, given("brightness"), False)

    def random_transform(self, x: Any, seed: int | None = None) -> Any:
        """A picture transformed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    # --- what fit finds --------------------------------------------------------------------------------------------

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Finds means, deviations and the whitening matrix of pictures, as far as they are asked for.

        Args:
          x: [N,H,W,C], or [N,C,H,W]; rescaled first. augment: of pictures transformed at random, `rounds` of each.
        Raises:
          ValueError: x has another number of axes.
        """
        x = np.array(x, self.dtype)
        if x.ndim != 4:
            raise ArgumentError(f"Input to `.fit()` should have rank 4. Got array with shape: {x.shape}").locate()
        warn_of_channels(x, self.data_format)
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.array([self.random_transform(picture) for _ in range(rounds) for picture in x], self.dtype)
        pixels = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, pixels, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, pixels, keepdims=True)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            u, s, _ = np.linalg.svd(x.reshape(len(x), -1).T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))) @ u.T


def _zoom_range(given: Any) -> list[float]:
    if isinstance(given, (int, float)):
        return [1 - given, 1 + given]
    if len(given) == 2 and all(isinstance(v, (int, float)) for v in given):
        return list(given)
    raise ArgumentError(f"`zoom_range` should be a float or a tuple or list of two floats. Received: {given}").locate()


def _drawn(most: float) -> float:
    return np.random.uniform(-most, most) if most else 0


def _shift_drawn(given: Any, side: int) -> Any:
    """A shift in pixels."""
    if np.ndim(given) == 0 and not given:
        return 0
    if np.ndim(given) or isinstance(given, (int, np.integer)):
        drawn = np.random.choice(given) * np.random.choice([-1, 1])
    else:
        drawn = np.random.uniform(-given, given)
    return drawn * side if np.max(given) < 1 else drawn
