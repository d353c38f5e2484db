"""Every function of convolution, pooling, unpooling and patches in every type, on empty batches, on sizes and ranks
that are not known, and with arguments as ints, lists and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from closeness import close
from properties import check_with_unknown_sizes, gradient, integers
from window_functions import FUNCTIONS

import pullback as tf
import pullback.v1 as v1
from pullback.core import nest

# Relative to the largest entry; sums of small whole numbers are rounded once or twice.
BOUNDS = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6, "complex64": 1e-6, "complex128": 1e-14}
# An order among complex numbers is none.
ORDERED = ("max_pool", "dilation", "erosion", "fractional", "pool, dilated maximum")
# What takes its number of batch axes from the input.
NEEDS_RANK = "conv, two batch axes"


def first(y: Any) -> Any:
    return nest.flatten(y)[0][0]


def drawn(name: str, dtype: Any = tf.float64) -> list[Any]:
    """Whole numbers, no two alike near each other, as arrays of a type."""
    rng = np.random.default_rng(len(name))
    shapes = FUNCTIONS[name][1]
    parts = [rng.permutation(int(np.prod(s))).reshape(s) % 7 - (3 if i else 0) for i, s in enumerate(shapes)]
    if tf.as_dtype(dtype).is_complex:
        parts = [x + 1j * rng.integers(-3, 4, x.shape) for x in parts]
    return [x.astype(tf.as_dtype(dtype).as_numpy_dtype) for x in parts]


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_type(name: str, dtype: str) -> None:
    """Values and gradients are those of double precision, rounded, and have the type that went in."""
    f, complex_ = FUNCTIONS[name][0], dtype.startswith("complex")
    if complex_ and name.startswith(ORDERED):
        with pytest.raises(tf.errors.InvalidArgumentError, match="must be one of"):
            f(*drawn(name, dtype))
        return
    wide = [x.astype(np.complex128 if complex_ else np.float64) for x in drawn(name, dtype)]
    y, want = first(f(*map(tf.constant, drawn(name, dtype)))), first(f(*map(tf.constant, wide)))
    assert y.dtype.name == dtype
    assert close(y.numpy(), want.numpy(), BOUNDS[dtype])
    g = (np.arange(want.numpy().size).reshape(want.shape) % 5 - 2).astype(want.numpy().dtype)
    ours = gradient(lambda *xs: first(f(*xs)), drawn(name, dtype), g.astype(y.numpy().dtype))
    theirs = gradient(lambda *xs: first(f(*xs)), wide, g)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == y.numpy().dtype and close(a, b, BOUNDS[dtype])


def sized(name: str) -> bool:
    """Whether the batch may be another: no size is written into the call."""
    written = ("transpose", "Backprop", "backprop", "unpool", "batch_to_space")
    return not any(word in name for word in written) or "worked out" in name or name == "avg_unpool of rows"


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if sized(name)])
def test_empty_batch(name: str) -> None:
    f, (x, *others) = FUNCTIONS[name][0], drawn(name)
    want, empty = first(f(x, *others)), x[:0]
    y = first(f(empty, *others))
    assert y.shape == (0, *want.shape[1:])
    dxs = gradient(lambda *xs: first(f(*xs)), [empty, *others], np.zeros(y.shape))
    assert [d.shape for d in dxs] == [empty.shape, *[w.shape for w in others]]
    assert not any(d.any() for d in dxs)


@pytest.mark.parametrize("known", ["batch unknown", "sizes unknown", "rank unknown"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_in_a_graph_that_does_not_know_the_sizes(name: str, known: str) -> None:
    """The static shape, as far as it is known, is no lie; the value is that of known sizes."""
    f, (x, *others) = FUNCTIONS[name][0], drawn(name)
    want = first(f(x, *others)).numpy()
    hidden = {"batch unknown": [True] + [False] * (x.ndim - 1), "sizes unknown": [True] * x.ndim}.get(known)
    if hidden is None and name.startswith(NEEDS_RANK):
        with v1.Graph().as_default(), pytest.raises(tf.errors.InvalidArgumentError, match="known"):
            f(v1.placeholder(tf.float64), *others)
        return
    check_with_unknown_sizes(lambda p: first(f(p, *others)), x, hidden, want)


# --- output_shape of a transposed convolution -------------------------------------------------------------------------

ASKED: dict[str, Any] = {
    "a list": lambda x: [2, 7, 6, 3],
    "a shape": lambda x: tf.TensorShape([2, 7, 6, 3]),
    "a tensor": lambda x: tf.constant([2, 7, 6, 3]),
    "an array": lambda x: np.array([2, 7, 6, 3]),
    "a list with tensors": lambda x: [tf.shape(x)[0], 7, tf.constant(6), 3],
    "a stack": lambda x: tf.stack([tf.shape(x)[0], 7, 6, 3]),
    "partly left out": lambda x: [None, 7, 6, None],
}


@pytest.mark.parametrize("how", ASKED)
def test_output_shape_however_it_is_given(how: str) -> None:
    """Eagerly and in graphs; what is known of it is the static shape, before anything runs."""
    x, w = integers(1, (2, 4, 3, 2)), integers(2, (3, 3, 3, 2))
    want = tf.nn.conv2d_transpose(x, w, [2, 7, 6, 3], 2)
    np.testing.assert_array_equal(tf.nn.conv2d_transpose(x, w, ASKED[how](tf.constant(x)), 2), want)
    for batch in (2, None):
        with v1.Graph().as_default(), v1.Session() as session:
            p = v1.placeholder(tf.float64, [batch, 4, 3, 2])
            y = v1.nn.conv2d_transpose(p, w, ASKED[how](p), [1, 2, 2, 1])
            known = batch or (None if how in ("a list with tensors", "a stack", "partly left out") else 2)
            assert y.shape.as_list() == [known, 7, 6, 3]
            np.testing.assert_array_equal(session.run(y, {p: x}), want)


@pytest.mark.parametrize(("padding", "sizes"), [("SAME", [8, 6]), ("VALID", [9, 7])])
def test_output_shape_left_out(padding: str, sizes: list[int]) -> None:
    """P stride for SAME, (P-1) stride + window for VALID: also where P is not known."""
    x, w = np.ones((2, 4, 3, 2)), np.ones((3, 3, 3, 2))
    y = tf.nn.conv2d_transpose(x, w, None, 2, padding)
    assert y.shape == (2, *sizes, 3)
    check_with_unknown_sizes(
        lambda p: tf.nn.conv2d_transpose(p, w, None, 2, padding), x, [True, True, True, False], y.numpy()
    )


@pytest.mark.parametrize(
    "two", [2, [2], [2, 2], (1, 2, 2, 1), np.array([2, 2]), np.int64(2), tf.constant([2, 2]), tf.constant(2)]
)
def test_numbers_as_ints_lists_arrays_and_tensors(two: Any) -> None:
    x, w = integers(1, (1, 7, 6, 1)), np.ones((3, 3, 1, 1))
    np.testing.assert_array_equal(tf.nn.conv2d(x, w, two, "SAME"), tf.nn.conv2d(x, w, 2, "SAME"))
    np.testing.assert_array_equal(tf.nn.conv2d(x, w, 1, "SAME", dilations=two), tf.nn.atrous_conv2d(x, w, 2, "SAME"))
    np.testing.assert_array_equal(tf.nn.max_pool2d(x, two, two, "SAME"), tf.nn.max_pool2d(x, 2, 2, "SAME"))


def test_numbers_of_a_placeholder_are_refused() -> None:
    with v1.Graph().as_default(), pytest.raises(tf.errors.InvalidArgumentError, match="known when the operation is"):
        v1.nn.conv2d(np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1)), v1.placeholder(tf.int32, [4]), "SAME")
