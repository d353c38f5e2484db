"""Resizing and cross entropies: how they may be called, by both dialects' names, and what mistakes are told."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

IMAGES = np.random.default_rng(0).random((2, 4, 6, 3)).astype(np.float32)


def run(value, feed=None):
    with v1.Session() as session:
        return session.run(value, feed)


class TestResizing:
    METHODS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")

    @pytest.mark.parametrize("method", METHODS)
    def test_flat_images_stay_flat(self, method):
        flat = np.full((1, 4, 6, 2), 0.5, np.float32)
        y = tf.image.resize(flat, [7, 3], method, antialias=method in ("bilinear", "bicubic"))
        assert y.shape == (1, 7, 3, 2)
        np.testing.assert_allclose(y, 0.5, rtol=1e-5)

    def test_one_image_and_its_own_size(self):
        assert tf.image.resize(IMAGES[0], [2, 2]).shape == (2, 2, 3)
        np.testing.assert_array_equal(tf.image.resize(IMAGES, [4, 6]), IMAGES)

    def test_proportions_are_kept(self):
        assert tf.image.resize(IMAGES, [8, 6], preserve_aspect_ratio=True).shape == (2, 4, 6, 3)
        assert tf.image.resize(IMAGES, [8, 8], preserve_aspect_ratio=True).shape == (2, 5, 8, 3)
        with v1.Graph().as_default():
            p, size = v1.placeholder(tf.float32, [None, None, None, 3]), v1.placeholder(tf.int32, [2])
            y = v1.image.resize(p, size, preserve_aspect_ratio=True)
            assert run(y, {p: IMAGES, size: [8, 8]}).shape == (2, 5, 8, 3)

    def test_tensorflow_1s_methods(self):
        with v1.Graph().as_default():
            by_number = [v1.image.resize_images(IMAGES, [2, 3], m) for m in range(4)]
            by_name = [
                v1.image.resize_bilinear(IMAGES, [2, 3]),
                v1.image.resize_nearest_neighbor(IMAGES, [2, 3]),
                v1.image.resize_bicubic(IMAGES, [2, 3]),
                v1.image.resize_area(IMAGES, [2, 3]),
            ]
            found, same = run([by_number, by_name])
            corners = run(v1.image.resize(IMAGES, [7, 11], align_corners=True))
        for a, b in zip(found, same, strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(found[1], IMAGES[:, ::2, ::2])
        np.testing.assert_allclose(found[3], IMAGES.reshape(2, 2, 2, 3, 2, 3).mean((2, 4)), rtol=1e-6)
        np.testing.assert_allclose(corners[:, ::2, ::2], IMAGES, rtol=1e-6)

    def test_mistakes(self):
        for wrong, words in (
            (lambda: tf.image.resize(IMAGES, [2, 2], "cubic"), "'cubic'"),
            (lambda: v1.image.resize(IMAGES, [2, 2], 9), "not 9"),
            (lambda: tf.image.resize(IMAGES[0, 0], [2, 2]), "3 or 4 dimensions"),
            (lambda: tf.image.resize(IMAGES, [2, 2, 2]), r"\(height, width\)"),
        ):
            with pytest.raises(ValueError, match=words):
                wrong()


class TestCrossEntropies:
    LOGITS = np.random.default_rng(1).normal(size=(3, 5, 4))
    LABELS = np.eye(4)[np.random.default_rng(2).integers(0, 4, (3, 5))]

    def want(self, axis=-1):
        return -(self.LABELS * (self.LOGITS - np.log(np.exp(self.LOGITS).sum(axis, keepdims=True)))).sum(axis)

    @pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
    def test_along_every_axis(self, axis):
        logits = tf.constant(self.LOGITS)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = tf.nn.softmax_cross_entropy_with_logits(self.LABELS, logits, axis)
        np.testing.assert_allclose(loss, self.want(axis))
        softmax = np.exp(self.LOGITS) / np.exp(self.LOGITS).sum(axis, keepdims=True)
        np.testing.assert_allclose(tape.gradient(loss, logits), softmax - self.LABELS)

    def test_tensorflow_1_stops_at_the_labels(self):
        with v1.Graph().as_default():
            logits, labels = v1.constant(self.LOGITS), v1.constant(self.LABELS)
            old = v1.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            new = v1.nn.softmax_cross_entropy_with_logits_v2(labels, logits, dim=2)
            assert v1.gradients(old, labels) == [None] and v1.gradients(new, labels) != [None]
            for loss in run([old, new]):
                np.testing.assert_allclose(loss, self.want())

    def test_classes_by_number(self):
        numbers = self.LABELS.argmax(-1).astype(np.int16)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=numbers, logits=self.LOGITS)
        np.testing.assert_allclose(loss, self.want())
        with v1.Graph().as_default():
            old = v1.nn.sparse_softmax_cross_entropy_with_logits(labels=numbers, logits=self.LOGITS.astype(np.float16))
            assert old.dtype is tf.float16
            np.testing.assert_allclose(run(old), self.want(), rtol=5e-3)

    def test_sigmoid(self):
        x, q = self.LOGITS, self.LABELS
        p = 1 / (1 + np.exp(-x))
        loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=q, logits=x)
        np.testing.assert_allclose(loss, -(q * np.log(p) + (1 - q) * np.log(1 - p)))
        assert np.isfinite(tf.nn.sigmoid_cross_entropy_with_logits(labels=[0.0, 1.0], logits=[800.0, -800.0])).all()

    def test_mistakes(self):
        for wrong, error, words in (
            (
                lambda: tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[1.0, 2.0]),
                ValueError,
                "same shape",
            ),
            (lambda: tf.nn.sigmoid_cross_entropy_with_logits(logits=[1.0]), ValueError, "labels"),
            (
                lambda: tf.nn.sparse_softmax_cross_entropy_with_logits([4], [[1.0, 2.0]]),
                tf.errors.InvalidArgumentError,
                "value of 4",
            ),
            (
                lambda: tf.nn.sparse_softmax_cross_entropy_with_logits([[1.0]], [[1.0]]),
                (TypeError, ValueError),
                "float32",
            ),
            (
                lambda: v1.nn.softmax_cross_entropy_with_logits_v2([[1.0]], [[1.0]], axis=0, dim=0),
                ValueError,
                "give one",
            ),
            (lambda: tf.nn.softmax_cross_entropy_with_logits([[1.0]], [[1.0]], axis=2), ValueError, "2"),
        ):
            with pytest.raises(error, match=words), v1.Graph().as_default(), v1.Session() as session:
                session.run(wrong())
