"""Datasets of folders, windows and parts, the same for pullback and for Keras 3: what each gives.

Run by TensorFlow's Python with a folder and a path, it writes Keras' answers there. Shuffles are compared too: both
draw the files' order by NumPy's generator, and an epoch's by tf.data's.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Answer = dict[str, Any]
SERIES = np.arange(60, dtype=np.float32).reshape(20, 3)
# Arguments of image_dataset_from_directory beside the folder and image_size.
PICTURES: dict[str, dict[str, Any]] = {
    "in order": {"shuffle": False},
    "grey, categorical": {"shuffle": False, "label_mode": "categorical", "color_mode": "grayscale", "batch_size": 5},
    "binary": {"label_mode": "binary", "class_names": ["c", "a"], "color_mode": "rgba", "shuffle": False},
    "no labels": {"labels": None, "shuffle": False, "batch_size": None},
    "labels given": {"labels": list(range(12)), "seed": 1, "label_mode": "categorical"},
    "drawn": {"seed": 3, "batch_size": 2},
    "training": {"seed": 7, "validation_split": 0.4, "subset": "training", "batch_size": 3},
    "validation": {"seed": 7, "validation_split": 0.4, "subset": "validation"},
    "both": {"seed": 7, "validation_split": 0.3, "subset": "both", "batch_size": 4},
    "cut": {"shuffle": False, "crop_to_aspect_ratio": True, "interpolation": "bicubic"},
    "with borders": {"shuffle": False, "pad_to_aspect_ratio": True, "data_format": "channels_first"},
    "nearest": {"shuffle": False, "interpolation": "nearest"},
    "area": {"shuffle": False, "interpolation": "area"},
}
TEXTS: dict[str, dict[str, Any]] = {
    "in order": {"shuffle": False},
    "drawn": {"seed": 2, "max_length": 6, "label_mode": "categorical"},
    "both": {"seed": 2, "validation_split": 0.5, "subset": "both", "batch_size": 2},
}
WINDOWS: dict[str, dict[str, Any]] = {
    "plain": {},
    "wide apart": {"sequence_stride": 2, "sampling_rate": 3},
    "between": {"start_index": 3, "end_index": 15, "batch_size": 4},
    "drawn": {"shuffle": True, "seed": 5, "batch_size": 4},
    "drawn singly": {"shuffle": True, "seed": 5, "batch_size": None},
}


def laid_out(folder: Path, encode: Callable[[Any], bytes]) -> None:
    """Writes pictures and texts of three classes."""
    rng = np.random.RandomState(0)
    for name, count in (("a", 5), ("b", 3), ("c", 4)):
        for i in range(count):
            here = folder / name / ("deep" if i == 2 else "")
            here.mkdir(parents=True, exist_ok=True)
            height, width = rng.randint(8, 20, 2)
            pixels = rng.randint(0, 256, (height, width, [3, 4, 1][i % 3])).astype(np.uint8)
            (here / f"{i}.png").write_bytes(encode(pixels))
            (here / f"{i}.txt").write_text(f"text {i} of {name}", encoding="utf-8")


def leaves(value: Any) -> list[Any]:
    """The arrays of an element, words as str."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in leaves(part)]
    array = np.asarray(value)
    words = array.dtype == object
    return [np.array([w.decode() for w in array.ravel()], "U").reshape(array.shape) if words else array]


def elements(made: Any, epochs: int = 2) -> Answer:
    """The first elements of a dataset or of several, of two iterations; and the classes' names."""
    out: Answer = {}
    for i, dataset in enumerate(made if isinstance(made, (list, tuple)) else [made]):
        out[f"{i} names"] = np.array(repr(getattr(dataset, "class_names", None)))
        for epoch in range(epochs):
            for j, element in enumerate(itertools.islice(iter(dataset), 4)):
                out.update((f"{i} {epoch} {j} {k}", leaf) for k, leaf in enumerate(leaves(element)))
    return out


def runs(tf: Any, folder: str) -> dict[str, Callable[[], Answer]]:
    """Everything that is compared, by name."""
    made, data = tf.keras.utils, tf.data.Dataset
    quiet: dict[str, Any] = {"verbose": False}
    pictures, texts = made.image_dataset_from_directory, made.text_dataset_from_directory
    windows, split = made.timeseries_dataset_from_array, made.split_dataset
    numbers = np.arange(20) * 10
    parts: dict[str, tuple[Any, dict[str, Any]]] = {
        "arrays": ([np.arange(12), np.arange(24).reshape(12, 2)], {"right_size": 4}),
        "batched": (data.range(10).batch(3), {"left_size": 7}),
        "batched once": (data.range(9).batch(3).map(lambda x: x), {"left_size": 2}),
        "drawn": (data.range(12), {"left_size": 0.5, "shuffle": True, "seed": 4}),
        "dictionaries": (data.from_tensor_slices({"a": np.arange(8), "b": np.ones((8, 2))}), {"right_size": 0.25}),
    }
    return {
        **{
            f"pictures {k}": lambda v=v: elements(pictures(folder, image_size=(9, 12), **quiet, **v))
            for k, v in PICTURES.items()
        },
        **{f"texts {k}": lambda v=v: elements(texts(folder, **quiet, **v)) for k, v in TEXTS.items()},
        **{f"windows {k}": lambda v=v: elements(windows(SERIES, numbers, 4, **v)) for k, v in WINDOWS.items()},
        **{f"parts {k}": lambda v=v: elements(split(v[0], **v[1])) for k, v in parts.items()},
    }


def main() -> None:
    import tensorflow as tf  # pyright: ignore[reportMissingImports]

    folder, file = sys.argv[1:]
    made = {what: run() for what, run in runs(tf, folder).items()}
    np.savez(file, **{f"{what}|{part}": v for what, answer in made.items() for part, v in answer.items()})


if __name__ == "__main__":
    main()
