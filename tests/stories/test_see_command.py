"""`pullback see`: a model file, weights and image files in, a page out; and what it says where one of them is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import pullback.v1 as tf
from pullback.cli import main
from pullback.explain.see.photographs import Preparation

MODEL = '''
"""A model of TensorFlow 1 as its users write it."""
import tensorflow as tf

IMAGES = {"size": (12, 12), "channels": 1}
FEEDS = {"keep_prob": 1.0}


def build(images):
    keep_prob = tf.placeholder(tf.float32, [], name="keep_prob")
    with tf.variable_scope("conv1"):
        w = tf.get_variable("weights", [3, 3, 1, 4], initializer=tf.truncated_normal_initializer(seed=1))
        conv1 = tf.nn.relu(tf.nn.conv2d(images, w, [1, 1, 1, 1], "SAME"))
    dropped = tf.nn.dropout(tf.nn.max_pool(conv1, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"), keep_prob)
    return {"conv1": conv1, "logits": tf.reduce_mean(dropped, [1, 2], name="logits")}
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a model, weights and two images, and in it."""
    (tmp_path / "tiny.py").write_text(MODEL)
    rng = np.random.default_rng(5)
    for name in ("a.png", "b.png"):
        Image.fromarray(rng.integers(0, 255, (20, 16, 3), np.uint8)).save(tmp_path / name)
    np.savez(tmp_path / "tiny.npz", **{"conv1/weights": rng.normal(size=(3, 3, 1, 4)).astype(np.float32)})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def see(*words):
    return CliRunner().invoke(main, ["see", *map(str, words)])


def said(*words):
    done = see(*words)
    assert done.exit_code != 0 and not isinstance(done.exception, (RuntimeError, TypeError)), done.output
    return done.output


@pytest.mark.parametrize(
    "method, more",
    [
        ("deconvnet", ["--layer", "conv1", "--top", 3, "--strongest"]),
        ("guided_backprop", ["--layer", "conv1", "--channel", 1, "--channel", 2]),
        ("saliency", ["--layer", "logits", "--channel", 0]),
        ("smoothgrad", ["--layer", "logits"]),
        ("integrated_gradients", ["--layer", "logits"]),
        ("grad_cam", ["--layer", "logits", "--maps", "conv1"]),
        ("occlusion", ["--layer", "logits"]),
        ("top_activations", ["--layer", "conv1", "--top", 1]),
    ],
)
def test_every_method_writes_its_page(folder, method, more):
    done = see("tiny.py", "a.png", "b.png", "--weights", "tiny.npz", "--method", method, *more, "-o", "out.html")
    assert done.exit_code == 0, done.output
    text = (folder / "out.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and text.count("<img ") >= 4


def test_an_image_is_made_where_none_is_given(folder):
    done = see("tiny.py", "--method", "activation_maximization", "--layer", "conv1", "--channel", 2, "-o", "out.png")
    assert done.exit_code == 0, done.output
    with Image.open(folder / "out.png") as drawn:
        assert drawn.size[0] > 100
    assert "initial values" in done.output


def test_a_checkpoint_gives_the_weights(folder):
    if not hasattr(tf.train, "Saver"):
        pytest.skip("tf.train.Saver is not there yet")
    with tf.Graph().as_default(), tf.Session() as session:
        with tf.variable_scope("conv1"):
            w = tf.get_variable("weights", initializer=np.full((3, 3, 1, 4), 0.25, np.float32))
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver([w]).save(session, str(folder / "trained"))
    done = see("tiny.py", "a.png", "--weights", path, "--layer", "conv1", "--top", 2)
    assert done.exit_code == 0, done.output
    assert (folder / "tiny-conv1-deconvnet.html").exists()


def test_the_layers_are_listed(folder):
    done = see("tiny.py", "--layers")
    assert done.exit_code == 0
    names = [line.split()[0] for line in done.stdout.splitlines() if "float32" in line]
    assert names[:2] == ["conv1", "logits"] and "conv1/Relu" in names


class TestMistakes:
    def test_a_wrong_layer_names_the_nearest(self, folder):
        text = said("tiny.py", "a.png", "--layer", "conv2")
        assert "no layer 'conv2'" in text and "'conv1'" in text and ".py:" not in text

    @pytest.mark.parametrize(
        "words, told",
        [
            (["none.py", "a.png", "--layer", "x"], "there is no such file"),
            (["nothing_of_this_name", "a.png", "--layer", "x"], "neither a Python file"),
            (["tiny.py:make", "a.png", "--layer", "x"], "no function make(images)"),
            (["tiny.py", "a.png"], "--layers lists them"),
            (["tiny.py", "--layer", "conv1"], "which image?"),
            (["tiny.py", "tiny.npz", "--layer", "conv1"], "no image that can be read"),
            (["tiny.py", "a.png", "--layer", "conv1", "--weights", "a.png"], "no checkpoint"),
            (["tiny.py", "a.png", "--layer", "conv1", "--feed", "drop=1"], "its placeholders"),
            (["tiny.py", "a.png", "--layer", "conv1", "--feed", "drop"], "no '='"),
            (["tiny.py", "a.png", "--layer", "conv1", "--size", "12"], "HEIGHTxWIDTH"),
            (
                ["tiny.py", "a.png", "--layer", "logits", "--method", "saliency", "--strongest"],
                "--strongest means nothing",
            ),
            (["tiny.py", "a.png", "--layer", "logits", "--method", "grad_cam"], "--maps PATH"),
            (["tiny.py", "a.png", "--layer", "conv1", "-o", "no/such/folder/out.html"], "cannot write"),
            (["tiny.py", "a.png", "--layer", "conv1", "-o", "out.pdf"], ".html or .png"),
        ],
    )
    def test_each_says_what_is_wrong_and_how_to_mend_it(self, folder, words, told):
        assert told in " ".join(said(*words).split())

    def test_weights_that_do_not_fit_say_how(self, folder):
        np.savez("short.npz", **{"conv1/weight": np.zeros((3, 3, 1, 4))})
        assert "the nearest to the first are 'conv1/weight'" in " ".join(
            said("tiny.py", "a.png", "--layer", "conv1", "--weights", "short.npz").split()
        )
        np.savez("flat.npz", **{"conv1/weights": np.zeros((9, 4))})
        assert "has shape [9,4], but the model's is [3,3,1,4]" in said(
            "tiny.py", "a.png", "--layer", "conv1", "--weights", "flat.npz"
        )

    def test_pickled_objects_are_never_loaded(self, folder):
        np.savez("evil.npz", **{"conv1/weights": np.array([{"a": 1}], dtype=object)})
        assert "not an .npz file of plain arrays" in said(
            "tiny.py", "a.png", "--layer", "conv1", "--weights", "evil.npz"
        )

    def test_images_of_different_sizes_need_a_size(self, folder):
        (folder / "free.py").write_text(MODEL.replace('"size": (12, 12), ', ""))
        Image.new("RGB", (9, 9)).save("small.png")
        assert "choose one with --size" in said("free.py", "a.png", "small.png", "--layer", "conv1")


class TestPreparation:
    def test_size_scale_mean_and_inversion(self, tmp_path):
        Image.fromarray(np.array([[0, 255], [51, 102]], np.uint8)).save(tmp_path / "x.png")
        read = Preparation(channels=1, scale=(0, 255)).read(tmp_path / "x.png")
        np.testing.assert_array_equal(read[..., 0], [[0, 255], [51, 102]])
        read = Preparation(channels=1, scale=(-1, 1), invert=True).read(tmp_path / "x.png")
        np.testing.assert_allclose(read[..., 0], [[1, -1], [0.6, 0.2]], rtol=1e-6)
        read = Preparation(mean=(0.1, 0.2, 0.3), std=2.0, size=(4, 6)).read(tmp_path / "x.png")
        assert read.shape == (4, 6, 3) and read.dtype == np.float32
        np.testing.assert_allclose(read[..., 0] - read[..., 2], 0.1, rtol=1e-4)

    def test_what_cannot_be_chosen_is_named(self):
        with pytest.raises(ValueError, match="'sizes' is nothing that can be chosen"):
            Preparation().changed({"sizes": (1, 1)})
        with pytest.raises(ValueError, match="channels=4"):
            Preparation(channels=4)


TF2_MODEL = """
import tensorflow as tf

IMAGES = {"size": (12, 12)}


def build(images):
    w = tf.Variable(tf.random.normal([3, 3, 3, 4], seed=1), name="conv/w")
    h = tf.nn.relu(tf.nn.conv2d(images, w, 1, "SAME"), name="conv")
    return {"conv": h, "scores": tf.reduce_mean(h, [1, 2])}
"""


def test_a_model_of_tensorflow_2_in_a_package(folder):
    (folder / "models").mkdir()
    (folder / "models" / "__init__.py").touch()
    (folder / "models" / "two.py").write_text(TF2_MODEL)
    np.savez("two.npz", **{"conv/w": np.ones((3, 3, 3, 4), np.float32)})
    done = see("models.two:build", "a.png", "--layer", "scores", "--method", "saliency", "--weights", "two.npz")
    assert done.exit_code == 0, done.output
    assert (folder / "two-scores-saliency.html").exists()


def test_labels_of_the_model_file_stand_on_the_page(folder):
    (folder / "named.py").write_text(MODEL + '\nLABELS = {"logits": ["one", "two", "three", "four"]}\n')
    done = see("named.py", "a.png", "--layer", "logits", "--method", "saliency", "--channel", 3, "-o", "out.html")
    assert done.exit_code == 0, done.output
    assert "four (channel 3):" in (folder / "out.html").read_text(encoding="utf-8")
