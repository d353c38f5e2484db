"""keras.utils: datasets of folders of pictures and texts, of windows of a series, and of the parts of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pullback as tf

utils = tf.keras.utils
SHADES = {"cat/a.png": 10, "cat/b.bmp": 20, "cat/deep/c.PNG": 30, "dog/a.png": 110, "dog/b.gif": 120}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures 6 wide and 4 high, of one shade but for the columns at the ends, which are black; a text beside each."""
    for name, shade in SHADES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = np.zeros((4, 6, 3), np.uint8)
        picture[:, 1:5] = shade
        Image.fromarray(picture).save(path)
        path.with_suffix(".txt").write_text(f"shade {shade}")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def images(folder: Path, **kwargs: Any) -> Any:
    return utils.image_dataset_from_directory(folder, **{"image_size": (4, 6), "verbose": False, **kwargs})


def shades(batch: Any) -> list[float]:
    """The shade in the middle of each picture."""
    return np.asarray(batch)[:, 2, 3, 0].tolist()


def test_folders_are_classes_in_the_order_of_their_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = images(folder, shuffle=False, batch_size=4, verbose=True)
    assert capsys.readouterr().out == "Found 5 files belonging to 2 classes.\n"
    assert made.class_names == ["cat", "dog"]
    assert [str(Path(p).relative_to(folder).as_posix()) for p in made.file_paths] == list(SHADES)
    assert len(made) == 2
    (x, y), (rest, _) = made
    assert x.dtype == tf.float32
    assert x.shape == (4, 4, 6, 3)
    assert made.element_spec[0].shape.as_list() == [None, 4, 6, 3]
    assert shades(x) + shades(rest) == list(SHADES.values())
    assert y.dtype == tf.int32
    assert y.numpy().tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("label_mode", "wanted"),
    [("binary", [[0], [0], [0], [1], [1]]), ("categorical", [[1, 0]] * 3 + [[0, 1]] * 2), ("int", [0, 0, 0, 1, 1])],
)
def test_labels_by_mode(folder: Path, label_mode: str, wanted: Any) -> None:
    _, y = next(iter(images(folder, shuffle=False, label_mode=label_mode)))
    assert y.numpy().tolist() == wanted


def test_class_names_choose_folders_and_their_order(folder: Path) -> None:
    made = images(folder, shuffle=False, class_names=["dog", "cat"])
    x, y = next(iter(made))
    assert made.class_names == ["dog", "cat"]
    assert shades(x) == [110, 120, 10, 20, 30]
    assert y.numpy().tolist() == [0, 0, 1, 1, 1]


def test_labels_may_be_given_or_left_out(folder: Path) -> None:
    made = images(folder, shuffle=False, labels=[7, 8, 9, 7, 8])
    assert made.class_names == ["7", "8", "9"]
    assert next(iter(made))[1].numpy().tolist() == [7, 8, 9, 7, 8]
    bare = images(folder, labels=None, batch_size=None)
    assert bare.class_names is None
    assert next(iter(bare)).shape == (4, 6, 3)


@pytest.mark.parametrize(("color_mode", "channels"), [("rgb", 3), ("rgba", 4), ("grayscale", 1)])
def test_channels_by_color_mode(folder: Path, color_mode: str, channels: int) -> None:
    x, _ = next(iter(images(folder / "cat" / "..", class_names=["cat"], color_mode=color_mode)))
    assert x.shape == (3, 4, 6, channels)


def test_a_seed_draws_an_order_and_each_iteration_another(folder: Path) -> None:
    one, two, other = (images(folder, seed=s, batch_size=5) for s in (3, 3, 4))
    assert one.file_paths == two.file_paths != other.file_paths
    epochs = [[shades(x) for x, _ in made] for made in (one, two) for _ in range(3)]
    assert epochs[:3] == epochs[3:]
    assert len({str(e) for e in epochs[:3]}) > 1
    for x, y in one:
        assert [int(s > 100) for s in shades(x)] == y.numpy().tolist()


def test_subsets_part_the_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kwargs: dict[str, Any] = {"validation_split": 0.4, "seed": 1}
    train, held = (images(folder, subset=s, **kwargs) for s in ("training", "validation"))
    assert capsys.readouterr().out == "Using 3 files for training.\nUsing 2 files for validation.\n"
    assert sorted(train.file_paths + held.file_paths) == sorted(str(folder / name) for name in SHADES)
    both = images(folder, subset="both", **kwargs)
    assert [part.file_paths for part in both] == [train.file_paths, held.file_paths]
    assert [shades(x) for x, _ in both[1]] == [shades(x) for x, _ in both[1]]  # the held part keeps its order


def test_pictures_are_stretched_cut_or_bordered(folder: Path) -> None:
    def row(**kwargs: Any) -> Any:
        """The middle row of the last picture of cats, shade 30, as a square of side 4."""
        made = images(folder, class_names=["cat"], shuffle=False, image_size=4, interpolation="nearest", **kwargs)
        return next(iter(made))[0].numpy()[2, ..., 0]

    assert row()[2].tolist() == [0, 30, 30, 0]
    assert row(crop_to_aspect_ratio=True)[2].tolist() == [30, 30, 30, 30]
    padded = row(pad_to_aspect_ratio=True)
    assert padded[1].tolist() == [0, 30, 30, 0]
    assert padded[3].tolist() == [0, 0, 0, 0]
    first = images(folder, class_names=["cat"], shuffle=False, image_size=(4, 6), data_format="channels_first")
    assert next(iter(first))[0].shape == (3, 3, 4, 6)


def test_a_network_is_trained_on_folders(folder: Path) -> None:
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Rescaling(1 / 128), layers.Flatten(), layers.Dense(1, "sigmoid")])
    model.compile(tf.keras.optimizers.Adam(0.1), "binary_crossentropy")
    losses = model.fit(images(folder, label_mode="binary", seed=1), epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_texts_with_labels(folder: Path) -> None:
    made = utils.text_dataset_from_directory(folder, shuffle=False, verbose=False, max_length=7)
    assert made.class_names == ["cat", "dog"]
    x, y = next(iter(made))
    assert x.numpy().tolist() == [b"shade 1", b"shade 2", b"shade 3", b"shade 1", b"shade 1"]
    assert y.numpy().tolist() == [0, 0, 0, 1, 1]


# --- windows of a series -------------------------------------------------------------------------------------------


def test_windows_and_their_targets() -> None:
    made = utils.timeseries_dataset_from_array(np.arange(10), np.arange(10) * 10, 3, 2, 2, batch_size=2)
    batches = [(x.numpy().tolist(), y.numpy().tolist()) for x, y in made]
    assert batches == [([[0, 2, 4], [2, 4, 6]], [0, 20]), ([[4, 6, 8]], [40])]


def test_windows_lie_between_the_indices_and_stop_with_the_targets() -> None:
    made = utils.timeseries_dataset_from_array(np.arange(10), None, 2, start_index=3, end_index=7, batch_size=None)
    assert [x.numpy().tolist() for x in made] == [[3, 4], [4, 5], [5, 6]]
    short = utils.timeseries_dataset_from_array(np.arange(10), np.arange(3), 2)
    assert next(iter(short))[1].numpy().tolist() == [0, 1, 2]


def test_windows_are_drawn_by_the_seed() -> None:
    one, two = (
        utils.timeseries_dataset_from_array(np.arange(50), np.arange(50), 3, shuffle=True, seed=2) for _ in "ab"
    )
    (x, y), (again, _) = next(iter(one)), next(iter(two))
    assert x.numpy().tolist() == again.numpy().tolist()
    assert y.numpy().tolist() == x.numpy()[:, 0].tolist() != sorted(y.numpy().tolist())


# --- parts of a dataset --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [((0.6, None), (6, 4)), ((None, 3), (7, 3)), ((2, 3), (2, 3)), ((0.5, 0.2), (5, 2)), ((4, 0.5), (4, 5))],
)
def test_sizes_of_the_parts(sizes: Any, wanted: tuple[int, int]) -> None:
    left, right = utils.split_dataset(np.arange(10), *sizes)
    found = [[int(v) for v in part] for part in (left, right)]
    assert found == [list(range(wanted[0])), list(range(10 - wanted[1], 10))]


def test_structures_and_batches_are_kept() -> None:
    pairs = tf.data.Dataset.from_tensor_slices({"a": np.arange(8), "b": np.arange(16.0).reshape(8, 2)})
    left, right = utils.split_dataset(pairs.batch(3), 5)
    assert [e["a"].numpy().tolist() for e in left] == [[0, 1, 2], [3, 4]]
    assert next(iter(right))["b"].numpy().tolist() == [[10, 11], [12, 13], [14, 15]]
    tuples, _ = utils.split_dataset([np.arange(4), np.arange(4) * 2], 2)
    assert [tuple(int(v) for v in e) for e in tuples] == [(0, 0), (1, 2)]
    whole, _ = utils.split_dataset(tf.data.Dataset.range(6).batch(2).map(lambda x: x), 2)  # no longer made by batch
    assert [e.numpy().tolist() for e in whole] == [[0, 1], [2, 3]]


def test_parts_are_drawn_by_the_seed() -> None:
    """The order that Keras 3 draws."""
    left, right = utils.split_dataset(np.arange(12), 0.5, shuffle=True, seed=4)
    assert [int(v) for v in left] + [int(v) for v in right] == [11, 2, 8, 10, 5, 0, 9, 7, 6, 1, 4, 3]


# --- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"labels": "x"}, "list/tuple of integer labels"),
        ({"labels": [1] * 5, "class_names": ["cat"]}, 'only pass `class_names` if `labels="inferred"`'),
        ({"labels": None, "class_names": ["cat"]}, "class_names"),
        ({"labels": [1, 2]}, "2 while we found 5 files"),
        ({"label_mode": "x"}, "label_mode"),
        ({"label_mode": "binary", "class_names": ["cat"]}, "exactly 2 class_names"),
        ({"color_mode": "x"}, "color_mode"),
        ({"image_size": (1, 2, 3)}, "image_size"),
        ({"interpolation": "x"}, "interpolation must be one of"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one of"),
        ({"data_format": "x"}, "channels_last"),
        ({"format": "grain"}, 'should be "tf"'),
        ({"class_names": ["bird"]}, "did not match the names"),
        ({"validation_split": 2.0, "subset": "training"}, "between 0 and 1"),
        ({"validation_split": 0.5}, "If `subset` is set"),
        ({"subset": "training"}, "If `subset` is set"),
        ({"validation_split": 0.5, "subset": "x"}, "`subset` must be"),
        ({"validation_split": 0.5, "subset": "training"}, "must provide a `seed`"),
        ({"class_names": []}, "No files found"),
    ],
)
def test_folder_arguments_that_mean_nothing(folder: Path, kwargs: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        images(folder, **kwargs)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        images(tmp_path / "none")


@pytest.mark.parametrize(
    "kwargs",
    [
        {"start_index": -1}, {"start_index": 9}, {"start_index": 3, "end_index": 3}, {"end_index": 9},
        {"sampling_rate": 0}, {"sequence_stride": 9}, {"format": "grain"},
    ],
)  # fmt: skip
def test_window_arguments_that_mean_nothing(kwargs: Any) -> None:
    with pytest.raises(ValueError, match=f"`{list(kwargs)[-1]}`"):
        utils.timeseries_dataset_from_array(np.arange(9), None, 2, **kwargs)


@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        ((3, 0.5), TypeError, "must be either a `tf.data.Dataset` object"),
        ((np.arange(4),), ValueError, "At least one of"),
        (([], 0.5), ValueError, "empty list"),
        (([[1, 2]], 0.5), ValueError, "numpy.ndarray"),
        (([np.arange(3), np.arange(4)], 0.5), ValueError, "different lengths"),
        ((np.arange(4), "a"), TypeError, "Invalid `left_size` Type"),
        ((np.arange(4), 4), ValueError, "smaller than 4"),
        ((np.arange(4), None, 1.5), ValueError, "`right_size` should be"),
        ((np.arange(4), 0.6, 0.6), ValueError, "greater than 1"),
        ((np.arange(4), 3, 2), ValueError, "smaller than the 4"),
        ((np.arange(4), 0.01), ValueError, "one side is empty"),
        ((np.arange(0), 0.5), ValueError, "empty dataset"),
        ((np.arange(4), 0.5, None, False, None, "torch"), ValueError, "preferred_backend"),
    ],
)
def test_parts_that_cannot_be(args: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        utils.split_dataset(*args)


@pytest.mark.parametrize("sizes", [(9, 12, 7, 7), (12, 9, 5, 11), (3, 30, 20, 20)])
def test_borders_of_pictures_whose_size_is_known_late(sizes: tuple[int, int, int, int]) -> None:
    """resize_with_pad inside a dataset's map, where a file's size is not known, is that outside."""
    height, width, *target = sizes
    x = np.random.default_rng(0).uniform(size=(height, width, 2)).astype("float32")

    @tf.function(input_signature=[tf.TensorSpec([None, None, 2])])
    def late(picture: Any) -> Any:
        return tf.image.resize_with_pad(picture, *target)

    np.testing.assert_array_equal(late(x), tf.image.resize_with_pad(x, *target))


def test_grey_of_a_png_is_libpngs() -> None:
    """Colours whose grey TensorFlow 2.21 gives as 136, 160, 190 and 38: rounded down, weights 9797, 19234, 3737."""
    x = np.array([[[20, 210, 68], [144, 153, 238], [172, 230, 40], [22, 31, 116]]], np.uint8)
    got = tf.io.decode_png(tf.io.encode_png(x), channels=1)
    assert got.numpy().ravel().tolist() == [136, 160, 190, 38]
