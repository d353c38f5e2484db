"""keras.utils.get_file and keras.datasets read what is there; TensorBoard's files hold what was trained."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1

keras = tf.keras


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of files that are kept."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    folder = tmp_path / "datasets"
    folder.mkdir()
    return folder


def test_files_that_are_there_are_not_downloaded(home: Path) -> None:
    (home / "words.txt").write_text("a b c")
    nowhere = "http://localhost:9/words.txt"
    digest = hashlib.md5(b"a b c", usedforsecurity=False).hexdigest()
    assert keras.utils.get_file("words.txt", nowhere, md5_hash=digest) == str(home / "words.txt")
    with pytest.raises(tf.errors.NotFoundError, match="put it at"):
        keras.utils.get_file("words.txt", nowhere, md5_hash="0" * 32)


def test_downloads_come_whole_or_not_at_all(home: Path, tmp_path: Path) -> None:
    source = tmp_path / "served.txt"
    source.write_text("hello")
    got = keras.utils.get_file("kept.txt", source.as_uri())
    assert Path(got).read_text() == "hello"
    with pytest.raises(ValueError, match="hash"):
        keras.utils.get_file("other.txt", source.as_uri(), file_hash="1" * 64)
    assert sorted(p.name for p in home.iterdir()) == ["kept.txt"]


def test_archives_cannot_write_outside_of_their_folder(home: Path, tmp_path: Path) -> None:
    archive = home / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        entry = tarfile.TarInfo("../escaped.txt")
        entry.size = 4
        file.addfile(entry, io.BytesIO(b"evil"))
    with pytest.raises(tarfile.OutsideDestinationError):
        keras.utils.get_file("evil", "http://localhost:9/evil.tar.gz", untar=True)
    assert not (tmp_path / "escaped.txt").exists()


def test_mnist_from_its_archive(home: Path) -> None:
    x, y = np.arange(784, dtype=np.uint8).reshape(1, 28, 28), np.array([7], np.uint8)
    np.savez(home / "mnist.npz", x_train=x, y_train=y, x_test=x[:, ::-1], y_test=y)
    for dialect in (tf, tf1):
        (train, labels), (test, _) = dialect.keras.datasets.mnist.load_data()
        np.testing.assert_array_equal(train, x)
        np.testing.assert_array_equal(test, x[:, ::-1])
        assert labels.tolist() == [7]


def test_fashion_from_idx_files(home: Path) -> None:
    folder = home / "fashion-mnist"
    folder.mkdir()
    for part in ("train", "t10k"):
        for kind, body in (("images-idx3", bytes(16) + bytes(784)), ("labels-idx1", bytes(8) + bytes([3]))):
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(body))
    (x, y), _ = keras.datasets.fashion_mnist.load_data()
    assert x.shape == (1, 28, 28)
    assert y.tolist() == [3]


def test_cifar_from_its_binary_form(home: Path) -> None:
    folder = home / "cifar-10-batches-bin"
    folder.mkdir()
    row = np.concatenate([[4], np.arange(3072) % 251]).astype(np.uint8)
    for name in (*[f"data_batch_{i}" for i in range(1, 6)], "test_batch"):
        row.tofile(folder / f"{name}.bin")
    (x, y), (test, _) = keras.datasets.cifar10.load_data()
    assert (x.shape, y.shape, test.shape) == ((5, 32, 32, 3), (5, 1), (1, 32, 32, 3))
    assert x[0, 0, 1].tolist() == [1, 1025 % 251, 2049 % 251]


@pytest.mark.parametrize("face", [tf, tf1])
def test_tensorboards_files_hold_the_figures(face: Any, tmp_path: Path) -> None:
    made = face.keras
    model = made.Sequential([made.layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse")
    x = np.ones((4, 3), np.float32)
    told = made.callbacks.TensorBoard(tmp_path / "logs", histogram_freq=1, write_images=True, update_freq="batch")
    model.fit(x, x[:, :2], epochs=2, verbose=0, validation_data=(x, x[:, :2]), callbacks=[told])
    for part, tags in (
        ("train", {b"epoch_loss", b"batch_loss", b"/histogram", b"/image"}),
        ("validation", {b"epoch_loss"}),
    ):
        (file,) = (tmp_path / "logs" / part).iterdir()
        content = file.read_bytes()
        assert all(tag in content for tag in tags)


def test_a_file_of_none_of_the_names_is_no_file_of_the_model(tmp_path: Path) -> None:
    def model(name: str) -> Any:
        return tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,), name=name)])

    model("first").save_weights(tmp_path / "w.npz")
    with pytest.raises(ValueError, match="none of the names of model"):
        model("second").load_weights(tmp_path / "w.npz", by_name=True)
