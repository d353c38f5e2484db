"""Fourier transforms against NumPy's, frames and windows against TensorFlow 2.21's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1

X = np.random.default_rng(0).normal(size=(3, 4, 8))


class TestTransforms:
    @pytest.mark.parametrize(
        ("name", "theirs", "axes"),
        [(f"{i}fft{d}", getattr(np.fft, f"{i}fftn"), n) for i in ("", "i") for d, n in (("", 1), ("2d", 2), ("3d", 3))],
    )
    def test_complex(self, name: str, theirs: Any, axes: int) -> None:
        z = X + 1j * X[::-1]
        wanted = theirs(z, axes=tuple(range(-axes, 0)))
        assert np.allclose(getattr(tf.signal, name)(z).numpy(), wanted)
        with tf1.Graph().as_default(), tf1.Session() as session:
            assert np.allclose(session.run(getattr(tf1, name)(z)), wanted)

    @pytest.mark.parametrize(("suffix", "axes", "length"), [("", 1, [9]), ("2d", 2, [3, 10]), ("3d", 3, [2, 4, 7])])
    def test_real(self, suffix: str, axes: int, length: list[int]) -> None:
        over = tuple(range(-axes, 0))
        half = getattr(tf.signal, f"rfft{suffix}")(X)
        assert np.allclose(half.numpy(), np.fft.rfftn(X, axes=over))
        assert np.allclose(getattr(tf.signal, f"irfft{suffix}")(half).numpy(), X)
        assert np.allclose(getattr(tf.signal, f"rfft{suffix}")(X, length).numpy(), np.fft.rfftn(X, length, over))
        spectrum = half.numpy()
        assert np.allclose(
            getattr(tf.signal, f"irfft{suffix}")(spectrum, length).numpy(), np.fft.irfftn(spectrum, length, over)
        )

    def test_gradient_keeps_the_norm(self) -> None:
        """|fft x|^2 = n |x|^2 (Parseval), so its gradient is 2 n x."""
        x = tf.constant(X[0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.square(tf.abs(tf.signal.fft(tf.cast(x, tf.complex128)))))
        assert np.allclose(tape.gradient(y, x).numpy(), 2 * 8 * X[0])

    def test_mistakes(self) -> None:
        with pytest.raises(TypeError, match="must be one of float32, float64"):
            tf.signal.rfft([1, 2])
        with pytest.raises(ValueError, match="above 0"):
            tf.signal.rfft([1.0, 2.0], [0])


class TestFrames:
    @pytest.mark.parametrize(("signal", "axis"), [([[1.0]], 2), ([[1.0]], -3), (1.0, -1)])
    def test_axes_that_are_not_there(self, signal: Any, axis: int) -> None:
        with pytest.raises(ValueError, match=f"has no axis {axis}"):
            tf.signal.frame(signal, 1, 1, axis=axis)

    def test_frame(self) -> None:
        frame, seven = tf.signal.frame, tf.range(7)
        assert frame(seven, 3, 2).numpy().tolist() == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
        padded = frame(seven, 3, 2, pad_end=True, pad_value=-1).numpy().tolist()
        assert padded == [[0, 1, 2], [2, 3, 4], [4, 5, 6], [6, -1, -1]]
        along = frame(tf.reshape(tf.range(12), [6, 2]), 3, 2, axis=0).numpy().tolist()
        assert along == [[[0, 1], [2, 3], [4, 5]], [[4, 5], [6, 7], [8, 9]]]

    def test_frames_of_unknown_length(self) -> None:
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf.float32, [None])
            y = tf1.signal.overlap_and_add(tf1.signal.frame(x, 2, 2), 2)
            assert session.run(y, {x: [1, 2, 3, 4, 5]}).tolist() == [1, 2, 3, 4]

    def test_overlap_and_add(self) -> None:
        assert tf.signal.overlap_and_add(tf.ones([2, 3, 4]), 3).numpy().tolist() == [[1, 1, 1, 2, 1, 1, 2, 1, 1, 1]] * 2

    def test_windows(self) -> None:
        assert np.allclose(tf.signal.hann_window(5), [0, 0.5, 1, 0.5, 0])
        assert np.allclose(tf.signal.hann_window(4), [0, 0.5, 1, 0.5])
        assert np.allclose(tf.signal.hamming_window(5, periodic=False), [0.08, 0.54, 1, 0.54, 0.08])
        assert np.allclose(tf.signal.vorbis_window(4), [0.22801436, 0.9736578, 0.9736578, 0.22801416])

    def test_short_time_transform_and_back(self) -> None:
        x = np.random.default_rng(1).normal(size=(2, 36)).astype(np.float32)
        spectra = tf.signal.stft(x, 16, 4)
        assert spectra.shape.as_list() == [2, 6, 9]
        window = np.hanning(17)[:-1]
        assert np.allclose(spectra[0, 1], np.fft.rfft(x[0, 4:20] * window), atol=1e-4)
        back = tf.signal.inverse_stft(spectra, 16, 4, window_fn=tf.signal.inverse_stft_window_fn(4))
        assert np.allclose(back.numpy()[:, 12:-12], x[:, 12:-12], atol=1e-5)

    def test_order_and_scale(self) -> None:
        assert tf.signal.fftshift(tf.range(5)).numpy().tolist() == [3, 4, 0, 1, 2]
        assert tf.signal.ifftshift(tf.signal.fftshift(tf.range(5))).numpy().tolist() == [0, 1, 2, 3, 4]
        mel = tf.signal.linear_to_mel_weight_matrix(4, 9, 8000).numpy()
        assert mel.shape == (9, 4) and not mel[0].any() and mel.max() <= 1
