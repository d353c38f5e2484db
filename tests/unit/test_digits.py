"""The digits that ship are whole, and every run learns from the same ones."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import numpy as np
import pytest

from pullback.core.errors import ArgumentError
from pullback.explain import digits

# SHA-256 of the source's rows, written as whole numbers: 64 pixels and the label.
SOURCE_ROWS = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"


def test_every_digit_is_there_in_the_type_promised() -> None:
    images, labels = digits.load()
    assert images.shape == (1797, 8, 8, 1) and images.dtype == np.float32
    assert labels.shape == (1797,) and labels.dtype == np.int32
    assert images.min() == 0 and images.max() == 1


def test_values_are_the_sources() -> None:
    """Counts of each digit as UCI gives them for the test set, and the digest of the source's rows."""
    images, labels = digits.load()
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    pixels = (images * 16).astype(np.uint8).reshape(-1, 64)
    rows = "".join(",".join(map(str, [*row, label])) + "\n" for row, label in zip(pixels, labels, strict=True))
    assert hashlib.sha256(rows.encode()).hexdigest() == SOURCE_ROWS


def test_parts_are_fixed_apart_and_whole() -> None:
    train, held_out = digits.split()
    assert len(train.images) == len(train.labels) == 1437
    assert len(held_out.images) == len(held_out.labels) == 360
    again = digits.split(seed=0)
    np.testing.assert_array_equal(train.images, again.train.images)
    parts = np.concatenate([train.images, held_out.images]).reshape(1797, -1)
    whole = digits.load().images.reshape(1797, -1)
    np.testing.assert_array_equal(parts[np.lexsort(parts.T)], whole[np.lexsort(whole.T)])


def test_parts_hold_every_digit_about_equally() -> None:
    counts = np.bincount(digits.split().held_out.labels, minlength=10)
    assert counts.min() >= 20 and counts.max() <= 55


def test_pictures_stay_with_their_labels() -> None:
    whole = {image.tobytes(): label for image, label in zip(*digits.load(), strict=True)}
    for image, label in zip(*digits.split(seed=3).held_out, strict=True):
        assert whole[image.tobytes()] == label


def test_another_seed_gives_other_parts() -> None:
    assert not np.array_equal(digits.split(0).train.labels, digits.split(1).train.labels)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_that_does_not_fit_is_refused(seed: int) -> None:
    with pytest.raises(ArgumentError, match=r"2\*\*64"):
        digits.split(seed)


def test_source_and_licence_travel_with_the_data() -> None:
    text = files(digits).joinpath("SOURCE.md").read_text(encoding="utf-8")
    for word in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0", "What was changed"):
        assert word in text
