"""Files in a folder's folders, each of these a class: what lies there, in which order, for which subset."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pullback.core.errors import ArgumentError

_LABEL_MODES = ("int", "categorical", "binary", None)
_SUBSETS = ("training", "validation", "both", None)


class Files(NamedTuple):
    """Paths, the number of each one's class (None where there are no labels), and the classes' names."""

    paths: list[str]
    labels: Any
    class_names: list[str] | None


def files_below(folder: str, endings: tuple[str, ...], follow_links: bool) -> Iterator[str]:
    """Paths of the files with these endings in a folder and those below it, in order."""
    for root, _, files in sorted(os.walk(folder, followlinks=follow_links)):
        for name in sorted(files):
            if name.lower().endswith(endings):
                yield os.path.join(root, name)


class Asked(NamedTuple):
    """What both datasets of files are told, as `image_dataset_from_directory` has it."""

    labels: Any
    label_mode: str | None
    class_names: Any
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool

    def check(self) -> None:
        """
        Raises:
          ValueError: two of them contradict each other, or one means nothing.
        """
        if self.labels not in ("inferred", None):
            if not isinstance(self.labels, (list, tuple)):
                _refuse(
                    "`labels` argument should be a list/tuple of integer labels, of the same size as the number of "
                    "files in the target directory; labels='inferred' takes them from the names of its folders, "
                    f"labels=None gives none. Received: labels={self.labels}"
                )
            if self.class_names:
                _refuse(
                    f'You can only pass `class_names` if `labels="inferred"`. Received: labels={self.labels}, and '
                    f"class_names={self.class_names}"
                )
        if self.label_mode not in _LABEL_MODES:
            _refuse(f"`label_mode` argument must be one of {_LABEL_MODES}. Received: label_mode={self.label_mode}")
        if self.validation_split and not 0 < self.validation_split < 1:
            _refuse(f"`validation_split` must be between 0 and 1, received: {self.validation_split}")
        if bool(self.validation_split) is not bool(self.subset):
            _refuse("If `subset` is set, `validation_split` must be set, and inversely.")
        if self.subset not in _SUBSETS:
            _refuse(f'`subset` must be either "training", "validation" or "both", received: {self.subset}')
        if self.validation_split and self.shuffle and self.seed is None:
            _refuse(
                "If using `validation_split` and shuffling the data, you must provide a `seed` argument, to make sure "
                "that there is no overlap between the training and validation subset."
            )

    @property
    def labelled(self) -> bool:
        return self.labels is not None and self.label_mode is not None


def _refuse(message: str) -> None:
    raise ArgumentError(message).locate()


def found(directory: Any, endings: tuple[str, ...], asked: Asked, seed: int) -> Files:
    """The files of a directory, in the order that the seed draws.

    Raises:
      ValueError: class_names are not its folders, there are not as many labels as files, or "binary" labels are not
        of two classes. FileNotFoundError: there is no such directory.
    """
    inferred = asked.labelled and asked.labels == "inferred"
    names = _folders(directory, asked.class_names) if inferred else [""]
    if asked.class_names is not None and not inferred:
        _refuse("When `labels` is not 'inferred', or there are none, argument `class_names` cannot be specified.")
    of_class = [[*files_below(os.path.join(directory, name), endings, asked.follow_links)] for name in names]
    paths = [path for group in of_class for path in group]
    labels: Any = None
    classes: list[str] | None = None
    if inferred:
        labels, classes = np.repeat(np.arange(len(names), dtype="int32"), [len(group) for group in of_class]), names
    elif asked.labelled:
        if len(asked.labels) != len(paths):
            _refuse(
                "Expected the lengths of `labels` to match the number of files in the target directory. len(labels) is "
                f"{len(asked.labels)} while we found {len(paths)} files in directory {directory}."
            )
        labels, classes = list(asked.labels), [str(label) for label in sorted(set(asked.labels))]
    if asked.verbose:
        sys.stdout.write(
            f"Found {len(paths)} files" + (f" belonging to {len(classes)} classes.\n" if classes else ".\n")
        )
    if asked.label_mode == "binary" and asked.labelled and len(classes or ()) != 2:
        _refuse(
            f'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: class_names={classes}'
        )
    if asked.shuffle:
        for items in (paths, labels):
            if items is not None:
                np.random.RandomState(seed).shuffle(items)
    return Files(paths, labels, classes)


def _folders(directory: Any, class_names: Any) -> list[str]:
    there = sorted(
        name for name in os.listdir(directory)
        if os.path.isdir(os.path.join(directory, name)) and not name.startswith(".")
    )  # fmt: skip
    if class_names is None:
        return there
    if not set(class_names) <= set(there):
        _refuse(
            "The `class_names` passed did not match the names of the subdirectories of the target directory. Expected: "
            f"{there} (or a subset of it), but received: class_names={class_names}"
        )
    return list(class_names)


def subset_of(files: Files, share: float | None, subset: str | None) -> Files:
    """The last share of files for "validation", the others for "training"."""
    if not share or subset is None:
        return files
    held = int(share * len(files.paths))
    count = held if subset == "validation" else len(files.paths) - held
    sys.stdout.write(f"Using {count} files for {subset}.\n")
    part = slice(-held, None) if subset == "validation" else slice(-held)
    return Files(files.paths[part], None if files.labels is None else files.labels[part], files.class_names)
