"""keras.preprocessing.image: pictures read, transformed and normalised in batches, as Keras does it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

import pullback as tf
from pullback.networks.preprocessing import affine

image = tf.keras.preprocessing.image
LAST: dict[str, Any] = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
# Any picture: four of them, of unequal sides.
PICTURES = (np.arange(4 * 5 * 6 * 3) * 37 % 251).reshape(4, 5, 6, 3).astype("float32")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes: three pictures of cats, grey 10, 20, 30, one in a folder below; two of dogs, 110 and 120."""
    for name, shade in (
        ("cat/a.png", 10),
        ("cat/b.bmp", 20),
        ("cat/deep/c.PNG", 30),
        ("dog/a.jpg", 110),
        ("dog/b.png", 120),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 4), (shade, shade, shade)).save(path)
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    return tmp_path


# --- one picture ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize(("theta", "turns"), [(90, -1), (180, 2), (-90, 1)])
def test_right_angles_turn_squares_without_loss(order: int, theta: int, turns: int) -> None:
    square = PICTURES[0, :5, :5]
    got = image.apply_affine_transform(square, theta=theta, order=order, **LAST)
    np.testing.assert_allclose(got, np.rot90(square, -turns), atol=1e-3)


@pytest.mark.parametrize("order", range(1, 6))
def test_a_spline_passes_through_polynomials_of_its_degree(order: int) -> None:
    """Far from the border a spline of degree k through values of a polynomial of degree k is that polynomial."""
    line = np.arange(60.0)
    surface = (line[:, None] / 30 - 1) ** order + (line / 30 - 1) ** min(order, 2)
    shift = np.array([0.3, 0.6])
    got = affine.sampled(surface[..., None], np.eye(2), shift, order, "reflect", 0)[20:40, 20:40, 0]
    wanted = ((line + 0.3)[:, None] / 30 - 1) ** order + ((line + 0.6) / 30 - 1) ** min(order, 2)
    np.testing.assert_allclose(got, wanted[20:40, 20:40], atol=1e-4 if order > 3 else 1e-7)


@pytest.mark.parametrize("fill_mode", affine.FILL_MODES)
@pytest.mark.parametrize("order", range(6))
def test_affine_maps_are_scipys(fill_mode: str, order: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(order)
    x, matrix, offset = rng.normal(size=(30, 40)), rng.normal(size=(2, 2)), rng.normal(size=2) * 9
    wanted = ndimage.affine_transform(x, matrix, offset, order=order, mode=fill_mode, cval=0.5)
    got = affine.sampled(x[..., None], matrix, offset, order, fill_mode, 0.5)[..., 0]
    # Beyond the border both let the spline settle over 12 pixels, which it does to 4 digits at order 5.
    np.testing.assert_allclose(got, wanted, atol=2e-4 if fill_mode == "nearest" and order > 2 else 1e-9)


# Of "wrap" the ends are one pixel: the second before the first is the last but two.
@pytest.mark.parametrize(
    ("fill_mode", "wanted"),
    [("nearest", [1, 1, 1, 2]), ("reflect", [2, 1, 1, 2]), ("wrap", [2, 3, 1, 2]), ("constant", [9, 9, 1, 2])],
)
def test_what_lies_beyond_the_border(fill_mode: str, wanted: list[int]) -> None:
    row = np.array([1.0, 2, 3, 4])[None, :, None]
    got = affine.sampled(row, np.eye(2), (0, -2), 0, fill_mode, 9)
    assert got.ravel().tolist() == wanted


def test_whole_numbers_are_rounded_and_keep_their_type() -> None:
    row = np.array([10, 11, 255, 255], np.uint8)[None, :, None]
    got = affine.sampled(row, np.eye(2), (0, 0.5), 1, "nearest", 0)
    assert got.dtype == np.uint8
    assert got.ravel().tolist() == [11, 133, 255, 255]


def test_nothing_asked_for_gives_the_picture_itself() -> None:
    x = PICTURES[0]
    assert image.apply_affine_transform(x, **LAST) is x


def test_channels_first_is_channels_last_moved() -> None:
    kwargs = {"theta": 12, "tx": 0.5, "shear": 3, "zx": 1.2}
    first = image.apply_affine_transform(PICTURES[0].transpose(2, 0, 1), **kwargs)
    last = image.apply_affine_transform(PICTURES[0], **kwargs, **LAST)
    np.testing.assert_array_equal(first.transpose(1, 2, 0), last)


def test_channel_shift_stays_between_the_pictures_bounds() -> None:
    got = image.apply_channel_shift(np.array([[[0.0, 5, 10]]]), 4, 2)
    assert got.ravel().tolist() == [4, 9, 10]


def test_brightness_goes_towards_black_in_whole_numbers() -> None:
    x = np.array([[[0.0], [100], [255]]])
    assert image.apply_brightness_shift(x, 0.5, scale=False).ravel().tolist() == [0, 50, 127]
    assert image.apply_brightness_shift(x / 255, 1.0).ravel().tolist() == [0, 100, 255]


@pytest.mark.parametrize(
    ("call", "args"),
    [("random_rotation", (30,)), ("random_shift", (0.3, 0.2)), ("random_shear", (20,)), ("random_zoom", ((0.5, 0.8),))],
)
def test_a_seed_fixes_what_is_drawn(call: str, args: tuple[Any, ...]) -> None:
    made = []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        made.append(getattr(image, call)(PICTURES[0], *args, **LAST))
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


# --- files and arrays ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_saved_and_loaded_is_the_same(tmp_path: Path, channels: int, layout: str) -> None:
    x = np.arange(5 * 7 * channels).reshape(5, 7, channels) % 256
    x = x.transpose(2, 0, 1) if layout == "channels_first" else x
    path = tmp_path / "x.png"
    tf.keras.utils.save_img(path, x, data_format=layout, scale=False)
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    got = image.img_to_array(image.load_img(path, color_mode=mode), layout)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, x)
    assert [p.name for p in tmp_path.iterdir()] == ["x.png"]  # and no partial file


def test_scale_brings_values_to_0_and_255() -> None:
    assert np.asarray(image.array_to_img(np.array([[[-1.0], [0], [1]]]))).tolist() == [[0, 127, 255]]


def test_grey_beyond_255_has_32_bits() -> None:
    made = image.array_to_img(np.array([[[1.0], [70000]]]), scale=False)
    assert made.mode == "I"
    assert np.asarray(made).tolist() == [[1, 70000]]


def test_a_jpeg_loses_the_fourth_channel(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="does not support RGBA"):
        image.save_img(tmp_path / "x.jpg", np.zeros((3, 3, 4)))
    assert image.load_img(tmp_path / "x.jpg").mode == "RGB"


def test_loading_keeps_the_proportions_when_asked(tmp_path: Path) -> None:
    wide = np.zeros((4, 12, 3))
    wide[:, 4:8] = 200  # the middle third
    image.save_img(tmp_path / "x.png", wide, scale=False)
    got = image.load_img(tmp_path / "x.png", target_size=(2, 2), keep_aspect_ratio=True)
    assert np.asarray(got).tolist() == [[[200] * 3] * 2] * 2


def test_smart_resize_cuts_the_middle_and_keeps_the_kind() -> None:
    wide = np.arange(8.0, dtype="float32").reshape(1, 2, 4, 1)
    got = image.smart_resize(wide, (2, 2))
    assert isinstance(got, np.ndarray)
    assert got.ravel().tolist() == [1, 2, 5, 6]
    first = image.smart_resize(tf.constant(wide[0].transpose(2, 0, 1)), (2, 2), data_format="channels_first")
    assert isinstance(first, tf.Tensor)
    assert first.numpy().tolist() == [[[1, 2], [5, 6]]]


def test_what_would_start_another_program_is_no_picture() -> None:
    """Pillow reads PostScript by running Ghostscript on it."""
    page = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\nshowpage\n"
    with pytest.raises(UnidentifiedImageError):
        image.load_img(io.BytesIO(page))


# --- ImageDataGenerator --------------------------------------------------------------------------------------------


def test_what_is_drawn_is_what_keras_draws() -> None:
    """Numbers printed by Keras 3 in TensorFlow 2.21."""
    made = image.ImageDataGenerator(
        rotation_range=20, width_shift_range=0.1, height_shift_range=2, shear_range=10, zoom_range=0.2,
        horizontal_flip=True, vertical_flip=True, channel_shift_range=9, brightness_range=(0.5, 1.5),
    )  # fmt: skip
    got = made.get_random_transform((5, 6, 3), seed=9)
    wanted = {
        "theta": -19.58503, "tx": 0, "ty": -0.00507, "shear": -7.32341, "zx": 0.85684, "zy": 0.88742,
        "flip_horizontal": 1, "flip_vertical": 1, "channel_shift_intensity": -7.48693, "brightness": 0.8455,
    }  # fmt: skip
    assert got == pytest.approx(wanted, abs=1e-5)


def test_batches_are_keras_batches() -> None:
    """Labels, and the channels' means, printed by Keras 3 in TensorFlow 2.21."""
    made = image.ImageDataGenerator(
        rotation_range=20, width_shift_range=0.1, zoom_range=0.2, horizontal_flip=True, fill_mode="reflect",
        rescale=1 / 255,
    )  # fmt: skip
    flow = made.flow(PICTURES, np.arange(4), batch_size=2, seed=7)
    wanted = [
        ([2, 1], [[0.47729, 0.49007, 0.47423], [0.45256, 0.48809, 0.49964]]),
        ([0, 3], [[0.52525, 0.49431, 0.48099], [0.50328, 0.48538, 0.50059]]),
        ([1, 3], [[0.46740, 0.49156, 0.51100], [0.50908, 0.46857, 0.50236]]),
    ]
    for labels, means in wanted:
        x, y = next(flow)
        assert y.tolist() == labels
        np.testing.assert_allclose(x.mean((1, 2)), means, atol=2e-5)


def test_featurewise_normalisation_is_of_what_fit_saw() -> None:
    made = image.ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True, rescale=0.5)
    made.fit(PICTURES)
    got = made.standardize(PICTURES.copy())
    np.testing.assert_allclose(got.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(got.std((0, 1, 2)), 1, atol=1e-5)


def test_samplewise_normalisation_is_of_each_picture() -> None:
    made = image.ImageDataGenerator(samplewise_center=True, samplewise_std_normalization=True)
    for picture in next(made.flow(PICTURES, shuffle=False)):
        assert picture.mean() == pytest.approx(0, abs=1e-5)
        assert picture.std() == pytest.approx(1, abs=1e-5)


def test_whitening_leaves_pixels_uncorrelated() -> None:
    x = np.random.default_rng(0).normal(size=(200, 2, 2, 1)) + np.linspace(0, 3, 200).reshape(-1, 1, 1, 1)
    made = image.ImageDataGenerator(featurewise_center=True, zca_whitening=True, dtype="float64")
    made.fit(x)
    white = made.standardize(x.copy()).reshape(200, 4)
    np.testing.assert_allclose(white.T @ white / 200, np.eye(4), atol=1e-6)


def test_fit_sees_what_training_sees_when_augmenting() -> None:
    made = image.ImageDataGenerator(featurewise_center=True, rescale=2, preprocessing_function=None, vertical_flip=True)
    made.fit(PICTURES, augment=True, rounds=3, seed=1)
    np.testing.assert_allclose(made.mean.ravel(), 2 * PICTURES.mean((0, 1, 2)), rtol=1e-5)  # flips keep means


def test_settings_that_need_others_say_so() -> None:
    with pytest.warns(UserWarning, match="`zca_whitening`, which overrides setting of `featurewise_center`"):
        made = image.ImageDataGenerator(zca_whitening=True)
    assert made.featurewise_center
    with pytest.warns(UserWarning, match="hasn't been fit"):
        made.standardize(np.ones((2, 2, 1)))


def test_validation_takes_the_first_share_and_training_the_others() -> None:
    made = image.ImageDataGenerator(validation_split=0.25)
    labels = np.zeros(4)
    kwargs: dict[str, Any] = {"shuffle": False, "sample_weight": np.arange(4)}
    assert next(made.flow(PICTURES, labels, subset="validation", **kwargs))[2].tolist() == [0]
    assert next(made.flow(PICTURES, labels, subset="training", **kwargs))[2].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="different number of classes"):
        made.flow(PICTURES, np.arange(4), subset="training")


def test_what_goes_with_pictures_goes_along() -> None:
    (x, a, b), y = next(
        image.ImageDataGenerator().flow((PICTURES, [np.arange(4), -np.arange(4)]), np.arange(4), seed=3)
    )
    assert a.tolist() == y.tolist() == (-b).tolist()
    np.testing.assert_array_equal(x, PICTURES[y])


def test_pictures_given_are_saved(tmp_path: Path) -> None:
    made = image.ImageDataGenerator().flow(PICTURES, batch_size=3, shuffle=False, save_to_dir=tmp_path, save_prefix="p")
    next(made)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert [n[:4] for n in names] == ["p_0_", "p_1_", "p_2_"]
    assert all(n.endswith(".png") for n in names)


# --- folders -------------------------------------------------------------------------------------------------------


def test_folders_are_classes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = image.ImageDataGenerator().flow_from_directory(folder, (2, 3), shuffle=False, batch_size=4)
    assert capsys.readouterr().out == "Found 5 images belonging to 2 classes.\n"
    assert flow.class_indices == {"cat": 0, "dog": 1}
    assert flow.classes.tolist() == flow.labels.tolist() == [0, 0, 0, 1, 1]
    assert [p.replace("\\", "/") for p in flow.filenames] == [
        "cat/a.png",
        "cat/b.bmp",
        "cat/deep/c.PNG",
        "dog/a.jpg",
        "dog/b.png",
    ]
    assert len(flow) == 2
    x, y = next(flow)
    assert x.shape == (4, 2, 3, 3)
    assert x[:3, 0, 0, 0].tolist() == [10, 20, 30]
    assert y.tolist() == [[1, 0], [1, 0], [1, 0], [0, 1]]
    assert next(flow)[1].tolist() == [[0, 1]]


@pytest.mark.parametrize("class_mode", ["binary", "sparse", None, "input"])
def test_labels_by_class_mode(folder: Path, class_mode: Any) -> None:
    made = image.ImageDataGenerator()
    flow = made.flow_from_directory(str(folder), (4, 4), "grayscale", ["dog", "cat"], class_mode, shuffle=False, seed=0)
    batch = next(flow)
    if class_mode is None:
        assert batch.shape == (5, 4, 4, 1)
    elif class_mode == "input":
        np.testing.assert_array_equal(batch[0], batch[1])
    else:
        assert batch[1].tolist() == [0, 0, 1, 1, 1]  # dogs before cats


def test_subsets_share_each_folder(folder: Path) -> None:
    made = image.ImageDataGenerator(validation_split=0.5)
    kept = {s: made.flow_from_directory(folder, subset=s).filenames for s in ("training", "validation")}
    assert [Path(p).name for p in kept["validation"]] == ["a.png", "a.jpg"]
    assert [Path(p).name for p in kept["training"]] == ["b.bmp", "c.PNG", "b.png"]


def test_an_order_is_drawn_for_each_epoch_and_seeds_fix_it(folder: Path) -> None:
    made = image.ImageDataGenerator()
    runs = [made.flow_from_directory(folder, (2, 2), batch_size=5, class_mode="sparse", seed=4) for _ in range(2)]
    first, second = ([next(run)[0][:, 0, 0, 0].tolist() for _ in range(3)] for run in runs)
    assert first == second
    assert first[0] != first[1]
    assert sorted(map(round, first[0])) == [10, 20, 30, 110, 120]


# --- data frames ---------------------------------------------------------------------------------------------------


def test_a_data_frame_names_files(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "filename": ["dog/a.jpg", "cat/a.png", "cat/none.png"],
            "class": ["d", "c", "c"],
            "w": [0.5, 2.0, 1.0],
            "v": [1, 2, 3],
        }
    )
    made = image.ImageDataGenerator()
    with pytest.warns(UserWarning, match="Found 1 invalid image filename"):
        flow = made.flow_from_dataframe(frame, str(folder), weight_col="w", target_size=(2, 2), shuffle=False)
    x, y, w = next(flow)
    assert x[:, 0, 0, 0].round().tolist() == [110, 10]
    assert y.tolist() == [[0, 1], [1, 0]]
    assert w.tolist() == [0.5, 2]
    raw = made.flow_from_dataframe(
        frame[:2], str(folder), y_col=["v", "w"], class_mode="multi_output", shuffle=False, target_size=(2, 2)
    )
    assert [list(part) for part in next(raw)[1]] == [[1, 2], [0.5, 2]]
    both = pandas.DataFrame({"filename": ["cat/a.png", "dog/b.png"], "class": [["x", "y"], ["z"]]})
    some = made.flow_from_dataframe(both, str(folder), classes=["y", "x"], target_size=(2, 2))
    assert next(some)[1].tolist() == [[1, 1]]


def test_what_is_no_data_frame_is_told() -> None:
    with pytest.raises(TypeError, match="must be a pandas DataFrame, but is a dict"):
        image.ImageDataGenerator().flow_from_dataframe({"filename": []})


# --- in programs ---------------------------------------------------------------------------------------------------


def test_a_network_is_trained_and_asked_in_order() -> None:
    """fit draws, predict keeps the order of files even after `next` was called."""
    rng = np.random.default_rng(0)
    labels = np.arange(32) % 2
    x = (rng.normal(size=(32, 4, 4, 1)) * 0.1 + labels[:, None, None, None]).astype("float32")
    model = tf.keras.Sequential([tf.keras.layers.Flatten(input_shape=(4, 4, 1)), tf.keras.layers.Dense(1, "sigmoid")])
    model.compile(tf.keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    made = image.ImageDataGenerator(horizontal_flip=True, width_shift_range=0.2)
    history = model.fit(made.flow(x, labels, batch_size=8, seed=1), epochs=8, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    plain = image.ImageDataGenerator().flow(x, batch_size=8, shuffle=False)
    next(plain)
    np.testing.assert_allclose(model.predict(plain, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


def test_a_sequence_is_told_that_an_epoch_ended() -> None:
    class Batches(tf.keras.utils.Sequence):
        ended = 0

        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Any:
            return np.ones((3, 1), "float32"), np.ones((3, 1), "float32")

        def on_epoch_end(self) -> None:
            self.ended += 1

    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    batches = Batches()
    model.fit(batches, epochs=3, verbose=0)
    assert batches.ended == 3


# --- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"zoom_range": [1, 2, 3]}, "zoom_range"),
        ({"validation_split": 2.0}, "strictly between 0 and 1"),
        ({"data_format": "x"}, "channels_last"),
        ({"brightness_range": 3}, "brightness_range"),
    ],
)
def test_settings_that_mean_nothing(kwargs: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        image.ImageDataGenerator(**kwargs)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda g: g.flow(PICTURES, np.arange(3)), "same length"),
        (lambda g: g.flow((PICTURES, np.arange(3))), "same length"),
        (lambda g: g.flow(PICTURES[0]), "rank 4"),
        (lambda g: g.flow(PICTURES, subset="test"), "Invalid subset name: test"),
        (lambda g: g.flow(PICTURES)[1], "has length 1"),
        (lambda g: g.fit(PICTURES[0]), "rank 4"),
        (lambda g: g.flow_from_directory(".", class_mode="x"), "Invalid class_mode: x"),
        (lambda g: g.flow_from_directory(".", color_mode="x"), "Invalid color mode: x"),
        (lambda g: g.flow_from_directory(".", subset="x"), "Invalid subset name: x"),
        (lambda g: image.apply_affine_transform(PICTURES[0], 9, row_axis=1, col_axis=1), "must be distinct"),
        (lambda g: image.apply_affine_transform(PICTURES[0], 9, row_axis=4), "Invalid axis"),
        (lambda g: image.apply_affine_transform(PICTURES, 9), "2D images"),
        (lambda g: image.apply_affine_transform(PICTURES[0], 9, 0, 0, 0, 1, 1, 0, 2, 1), "Channels"),
        (lambda g: image.apply_affine_transform(PICTURES[0], 9, fill_mode="x"), "fill_mode must be one of"),
        (lambda g: image.apply_affine_transform(PICTURES[0], 9, order=6), "order of interpolation"),
        (lambda g: image.random_zoom(PICTURES[0], (1, 2, 3)), "zoom_range"),
        (lambda g: image.array_to_img(PICTURES), "rank 3"),
        (lambda g: image.array_to_img(np.zeros((2, 2, 2))), "Unsupported channel number: 2"),
        (lambda g: image.img_to_array(PICTURES), "Unsupported image shape"),
        (lambda g: image.smart_resize(PICTURES, (1, 2, 3)), "tuple of 2 integers"),
        (lambda g: image.smart_resize(PICTURES[0, 0], (1, 2)), "incorrect rank"),
    ],
)
def test_what_does_not_fit_is_told(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(image.ImageDataGenerator())


def test_files_that_cannot_be_read_are_told(folder: Path) -> None:
    with pytest.raises(TypeError, match="path should be path-like"):
        image.load_img(3)
    with pytest.raises(UnidentifiedImageError):
        image.load_img(folder / "cat" / "notes.txt")
    with pytest.raises(ValueError, match="color_mode must be"):
        image.load_img(folder / "cat" / "a.png", color_mode="x")
    with pytest.raises(ValueError, match="Invalid interpolation method x"):
        image.load_img(folder / "cat" / "a.png", target_size=(3, 3), interpolation="x")
    with pytest.raises(FileNotFoundError):
        image.ImageDataGenerator().flow_from_directory(folder / "none")
