"""keras.preprocessing.image: batches of picture files, found in folders or named in a data frame."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers import phase
from pullback.networks.preprocessing.folders import files_below
from pullback.networks.preprocessing.iterators import Iterator, made_by, save_batch
from pullback.networks.preprocessing.pictures import img_to_array, load_img

_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}
_WITH_CLASSES = ("categorical", "binary", "sparse")


class OfFiles(Iterator):
    """Base of iterators over files: how they are read, what labels go with them.

    Args:
      target_size: (height, width) in pixels to which pictures are resized. color_mode: "rgb", "rgba" or "grayscale".
      class_mode: what labels are: "categorical" rows with ones, "binary" or "sparse" numbers of classes, "input" the
        pictures themselves, None no labels; of data frames also "raw" a column's values, "multi_output" a list of them.
      subset: "validation" for the first share of files, image_data_generator's validation_split, "training" the others.
      interpolation, keep_aspect_ratio: as `load_img` has them.
      save_to_dir, save_prefix, save_format: as `NumpyArrayIterator` has them.
    Raises:
      ValueError: a word is not known.
    """

    allowed_class_modes: tuple[Any, ...] = (*_WITH_CLASSES, "input", None)
    filenames: list[str]
    classes: Any
    class_indices: dict[str, int]
    sample_weight: Any = None
    _targets: Any = None

    def _read_as(
        self,
        image_data_generator: Any,
        target_size: Any,
        color_mode: str,
        class_mode: Any,
        data_format: str | None,
        save: tuple[Any, str, str],
        subset: str | None,
        interpolation: str,
        keep_aspect_ratio: bool,
        dtype: Any,
    ) -> None:
        if color_mode not in _CHANNELS:
            raise ArgumentError(f'Invalid color mode: {color_mode}; expected "rgb", "rgba", or "grayscale".').locate()
        if subset not in ("training", "validation", None):
            raise ArgumentError(f'Invalid subset name: {subset}; expected "training" or "validation".').locate()
        if class_mode not in self.allowed_class_modes:
            raise ArgumentError(
                f"Invalid class_mode: {class_mode}; expected one of: {self.allowed_class_modes}"
            ).locate()
        self.image_data_generator = image_data_generator
        self.target_size, self.color_mode, self.class_mode = tuple(target_size), color_mode, class_mode
        self.data_format, self.dtype = phase.layout_of(data_format), dtype or phase.floatx()
        self.save_to_dir, self.save_prefix, self.save_format = save
        self.subset, self.interpolation, self.keep_aspect_ratio = subset, interpolation, keep_aspect_ratio
        share = image_data_generator._validation_split if subset else 0.0
        self.split = {"validation": (0, share), "training": (share, 1), None: None}[subset]
        channels = (_CHANNELS[color_mode],)
        last = self.data_format == "channels_last"
        self.image_shape = (*self.target_size, *channels) if last else (*channels, *self.target_size)

    def _part(self, items: Any) -> slice:
        """Which of items belong to the subset."""
        return slice(*(int(share * len(items)) for share in self.split)) if self.split else slice(None)

    def _found(self, filenames: list[str], directory: str) -> None:
        self.filenames, self.samples = filenames, len(filenames)
        self._filepaths = [os.path.join(directory, name) for name in filenames]

    @property
    def filepaths(self) -> list[str]:
        """The files, in order."""
        return self._filepaths

    @property
    def labels(self) -> Any:
        """The class of each file, by number; of "raw" and "multi_output" the values."""
        return self.classes if self._targets is None else self._targets

    def _picture(self, path: str) -> Any:
        size, between = self.target_size, self.interpolation
        with load_img(path, self.color_mode, size, between, self.keep_aspect_ratio) as image:
            x = img_to_array(image, self.data_format)
        return made_by(self.image_data_generator, x) if self.image_data_generator else x

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        batch = np.zeros((len(index_array), *self.image_shape), self.dtype)
        for i, j in enumerate(index_array):
            batch[i] = self._picture(self._filepaths[j])
        save_batch(self, batch, index_array, 10**7)
        if self.class_mode is None:
            return batch
        labels = self._labels_of(batch, index_array)
        return (batch, labels) if self.sample_weight is None else (batch, labels, self.sample_weight[index_array])

    def _labels_of(self, batch: Any, index_array: Any) -> Any:
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode == "multi_output":
            return [values[index_array] for values in self._targets]
        if self.class_mode == "raw":
            return self._targets[index_array]
        classes = [self.classes[j] for j in index_array]
        if self.class_mode != "categorical":
            return np.array(classes, self.dtype)
        rows = np.zeros((len(batch), len(self.class_indices)), self.dtype)
        for row, found in zip(rows, classes, strict=True):
            row[found] = 1
        return rows


@public("keras.preprocessing.image.DirectoryIterator")
class DirectoryIterator(OfFiles):
    """Batches of the picture files in a folder's folders, each of these a class; the rest as `OfFiles` says.

    Attributes: filenames, filepaths, classes (a number a file), class_indices ({folder: number}), samples.

    Args:
      classes: the folders to read, in their order; all in the order of their names by default.
      follow_links: also go into folders that links name.
    Raises:
      ValueError: a word is not known. FileNotFoundError: there is no such folder.
    """

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: Any = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ) -> None:
        self._read_as(
            image_data_generator, target_size, color_mode, class_mode, data_format,
            (save_to_dir, save_prefix, save_format), subset, interpolation, keep_aspect_ratio, dtype,
        )  # fmt: skip
        self.directory = directory
        names = classes or sorted(d for d in os.listdir(directory) if os.path.isdir(os.path.join(directory, d)))
        self.num_classes, self.class_indices = len(names), {name: i for i, name in enumerate(names)}
        of_class = []
        for name in names:
            found = [*files_below(os.path.join(directory, name), self.white_list_formats, follow_links)]
            of_class.append([os.path.relpath(path, directory) for path in found[self._part(found)]])
        self._found([path for paths in of_class for path in paths], directory)
        self.classes = np.repeat(np.arange(len(names), dtype="int32"), [len(paths) for paths in of_class])
        sys.stdout.write(f"Found {self.samples} images belonging to {self.num_classes} classes.\n")
        super().__init__(self.samples, batch_size, shuffle, seed)


class DataFrameIterator(OfFiles):
    """Batches of the picture files that a pandas data frame names, with labels from its columns.

    Args:
      dataframe: a pandas DataFrame. directory: what the names are relative to. x_col: the column of names.
      y_col: the column of labels, or a list of them. weight_col: the column of sample weights.
      classes: which labels to keep, in their order. validate_filenames: leave out what is no picture file.
    Raises:
      TypeError: dataframe is none, or a column holds other values than the class_mode needs.
      ValueError: a word is not known, or "binary" labels are not of two classes.
    """

    allowed_class_modes = (*_WITH_CLASSES, "input", "multi_output", "raw", None)

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
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
        data_format: str | None = "channels_last",
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = "float32",
        validate_filenames: bool = True,
    ) -> None:
        _require_frame(dataframe)
        self._read_as(
            image_data_generator, target_size, color_mode, class_mode, data_format,
            (save_to_dir, save_prefix, save_format), subset, interpolation, keep_aspect_ratio, dtype,
        )  # fmt: skip
        self.directory = directory or ""
        frame = dataframe.copy()
        self._check_columns(frame, x_col, y_col, weight_col, classes)
        if validate_filenames:
            frame = self._with_files(frame, x_col)
        if class_mode in _WITH_CLASSES:
            frame, names = _with_classes(frame, y_col, classes)
            self.class_indices = {name: i for i, name in enumerate(names)}
        frame = frame.iloc[self._part(frame)]
        if class_mode in _WITH_CLASSES:
            numbers = self.class_indices
            self.classes = [
                [numbers[name] for name in label] if isinstance(label, (list, tuple)) else numbers[label]
                for label in frame[y_col]
            ]
        self._found(frame[x_col].tolist(), self.directory)
        self.sample_weight = frame[weight_col].to_numpy() if weight_col else None
        if class_mode == "multi_output":
            self._targets = [np.array(frame[column].tolist()) for column in y_col]
        if class_mode == "raw":
            self._targets = frame[y_col].to_numpy()
        of = f" belonging to {len(self.class_indices)} classes" if class_mode in _WITH_CLASSES else ""
        checked = "validated" if validate_filenames else "non-validated"
        sys.stdout.write(f"Found {self.samples} {checked} image filenames{of}.\n")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _check_columns(self, frame: Any, x_col: str, y_col: Any, weight_col: Any, classes: Any) -> None:
        mode = self.class_mode
        if mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(f'If class_mode="{mode}", y_col must be a list. Received {type(y_col).__name__}.')
        if not all(isinstance(name, str) for name in frame[x_col]):
            raise TypeError(f"All values in column x_col={x_col} must be strings.")
        kinds = {"binary": (str,), "sparse": (str,), "categorical": (str, list, tuple)}.get(mode)
        if kinds and not all(isinstance(label, kinds) for label in frame[y_col]):
            words = "type string, list or tuple" if list in kinds else "strings"
            raise TypeError(f'If class_mode="{mode}", y_col="{y_col}" column values must be {words}.')
        if mode == "binary" and (count := len(set(classes or frame[y_col]))) != 2:
            raise ArgumentError(f'If class_mode="binary" there must be 2 classes. Found {count} classes.').locate()
        if classes and mode not in _WITH_CLASSES:
            warnings.warn(f'`classes` will be ignored given the class_mode="{mode}"', stacklevel=4)
        if weight_col and not issubclass(frame[weight_col].dtype.type, np.number):
            raise TypeError(f"Column weight_col={weight_col} must be numeric.")

    def _with_files(self, frame: Any, x_col: str) -> Any:
        """The rows that name picture files."""
        paths = [os.path.join(self.directory, name) for name in frame[x_col]]
        kept = np.array([p.lower().endswith(self.white_list_formats) and os.path.isfile(p) for p in paths], bool)
        if not kept.all():
            warnings.warn(
                f'Found {(~kept).sum()} invalid image filename(s) in x_col="{x_col}". These filename(s) will be '
                "ignored.",
                stacklevel=4,
            )
        return frame[kept]


def _require_frame(frame: Any) -> None:
    """
    Raises:
      TypeError: it is no pandas data frame.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(frame, pandas.DataFrame):
        raise TypeError(
            f"flow_from_dataframe: dataframe must be a pandas DataFrame, but is a {type(frame).__name__}; without "
            "pandas, lay the files out by class and use flow_from_directory"
        )


def _with_classes(frame: Any, y_col: str, classes: Any) -> tuple[Any, list[str]]:
    """(the rows whose labels are of the classes, the classes)."""
    labels = [[label] if isinstance(label, str) else list(label) for label in frame[y_col]]
    if not classes:
        return frame, sorted({name for label in labels for name in label})
    names = list(dict.fromkeys(classes))
    held = [[name for name in label if name in names] for label in labels]
    kept = np.array([bool(label) for label in held], bool)
    column = [
        label if isinstance(label, str) else found
        for label, found, k in zip(frame[y_col], held, kept, strict=True)
        if k
    ]
    frame = frame[kept].copy()
    frame[y_col] = column
    return frame, names
