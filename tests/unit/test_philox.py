"""Philox words are the published ones, draws are TensorFlow's, and neither hangs on how they are made."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullback.core.errors import ArgumentError, DTypeError
from pullback.ops.random import philox

REALS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
DRAWS = {"uniform": philox.uniform, "normal": philox.normal, "truncated_normal": philox.truncated_normal}
KEYS = st.integers(0, 2**64 - 1)
COUNTERS = st.integers(0, 2**128 - 1)


def joined(parts: list[int]) -> int:
    """One number of 32-bit parts, the lowest first."""
    return sum(part << 32 * place for place, part in enumerate(parts))


# Random123, tests/kat_vectors, the lines "philox4x32 10": counter, key, words.
PUBLISHED = {
    "zeros": ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    "ones": ([2**32 - 1] * 4, [2**32 - 1] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    "pi": (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_words_are_the_published_ones(name: str) -> None:
    counter, key, expected = PUBLISHED[name]
    assert philox.words(joined(key), joined(counter), 4).tolist() == expected


def test_normals_are_those_in_tensorflows_documentation() -> None:
    """`tf.random.set_seed(5); tf.random.normal([2, 2], 0, 1, tf.float32, seed=1)`."""
    drawn = philox.normal(*philox.from_seeds(5, 1), (2, 2))
    expected = [[-1.3768897, -0.01258316], [-0.169515, 1.0824056]]
    np.testing.assert_allclose(drawn, np.array(expected, np.float32), rtol=1e-6)


def test_uniforms_are_those_in_tensorflows_documentation() -> None:
    """`tf.random.set_seed(1234)`, then two of `tf.random.uniform([1])`: op seeds come from Python's generator."""
    seeds = random.Random(1234)
    drawn = [philox.uniform(*philox.from_seeds(1234, seeds.randint(0, 2**31 - 1)), (1,)) for _ in range(2)]
    np.testing.assert_array_equal(drawn, np.array([[0.5380393], [0.3253647]], np.float32))


# TensorFlow 2.21: `set_seed(77)`, then `f([40], seed=13, dtype=...)`, elements 0, 17 and 39.
TENSORFLOWS = {
    ("uniform", "float32"): [0.8038256168365479, 0.2243441343307495, 0.17791366577148438],
    ("uniform", "float64"): [0.43060561431973277, 0.46388259969487255, 0.1646005256963723],
    ("normal", "float32"): [-0.4755815863609314, 0.15959209203720093, 1.136609435081482],
    ("normal", "float64"): [-0.7958555890098303, -1.1477345264128385, 1.0424827757949515],
    ("truncated_normal", "float32"): [-0.4755815863609314, -1.3097683191299438, -0.2029191553592682],
    ("truncated_normal", "float64"): [-0.7958555890098303, 0.45607637000530227, -0.7404249509127938],
}


@pytest.mark.parametrize(("draw", "dtype"), TENSORFLOWS)
def test_draws_are_tensorflows(draw: str, dtype: str) -> None:
    """Uniforms to the bit; normals as far as two libraries' logarithms agree."""
    drawn = DRAWS[draw](*philox.from_seeds(77, 13), (40,), dtype)[[0, 17, 39]]
    tolerance = 0.0 if draw == "uniform" else 4 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(drawn, np.array(TENSORFLOWS[draw, dtype], dtype), rtol=tolerance, atol=0)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("int32", [456216499, 664581962, 71722956]), ("int64", [921618824, 964811236, 427211196])],
)
def test_integers_are_tensorflows(dtype: str, expected: list[int]) -> None:
    """`tf.random.uniform([40], -5, 10**9, dtype, seed=13)` after `set_seed(77)`, elements 0, 17 and 39."""
    drawn = philox.integers(*philox.from_seeds(77, 13), (40,), -5, 10**9, dtype)
    assert drawn[[0, 17, 39]].tolist() == expected


def test_stateless_draws_are_tensorflows() -> None:
    """`tf.random.stateless_uniform([40], [3, -9])`, and over all of uint64, as TensorFlow 2.21 draws them."""
    key, counter = philox.scrambled(3, -9)
    uniforms = [0.21066689491271973, 0.8531777858734131, 0.2203739881515503]
    assert philox.uniform(key, counter, (40,))[[0, 17, 39]].tolist() == uniforms
    wide = [4220923350137632546, 11458110863020423885, 7084958432720174716]
    assert philox.bits(key, counter, (40,), "uint64")[[0, 17, 39]].tolist() == wide


@given(KEYS, COUNTERS, st.integers(0, 70), st.integers(0, 70))
def test_a_prefix_is_the_same_as_fewer_words(key: int, counter: int, few: int, more: int) -> None:
    many = philox.words(key, counter, few + more)
    np.testing.assert_array_equal(many[:few], philox.words(key, counter, few))


@given(KEYS, COUNTERS, st.integers(0, 20))
def test_skipping_blocks_is_adding_to_the_counter(key: int, counter: int, skipped: int) -> None:
    whole = philox.words(key, counter, 4 * skipped + 8)
    later = philox.words(key, (counter + skipped) % 2**128, 8)
    np.testing.assert_array_equal(whole[4 * skipped :], later)


@pytest.mark.parametrize("bits", [32, 64, 96, 128])
def test_the_counter_carries_into_every_quarter_and_wraps(bits: int) -> None:
    whole = philox.words(7, 2**bits - 1, 8)
    np.testing.assert_array_equal(whole[4:], philox.words(7, 2**bits % 2**128, 4))


def test_long_streams_are_their_blocks() -> None:
    count = 4 * philox._AT_A_TIME + 41
    some = np.array([0, 1, philox._AT_A_TIME - 1, philox._AT_A_TIME, philox._AT_A_TIME + 9], np.uint64)
    whole = philox.words(3, 2**64 - 100, count)
    for block in some.tolist():
        expected = philox.words(3, 2**64 - 100 + block, 4)
        np.testing.assert_array_equal(whole[4 * block : 4 * block + 4], expected)
    np.testing.assert_array_equal(philox.blocks(3, 2**64 - 100, some)[1], whole[4:8])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("draw", DRAWS)
@given(few=st.integers(0, 30), more=st.integers(0, 30), key=KEYS, counter=COUNTERS)
def test_a_prefix_is_the_same_as_fewer_draws(
    draw: str, dtype: str, few: int, more: int, key: int, counter: int
) -> None:
    many = DRAWS[draw](key, counter, (few + more,), dtype)
    np.testing.assert_array_equal(many[:few], DRAWS[draw](key, counter, (few,), dtype))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (5,), (2, 3, 5)])
@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("draw", DRAWS)
def test_draws_have_the_shape_and_type_asked_for(draw: str, dtype: str, shape: tuple[int, ...]) -> None:
    drawn = DRAWS[draw](1, 2, shape, dtype)
    assert drawn.shape == shape
    assert drawn.dtype.name == dtype


def truncated_variance(limit: float) -> float:
    """Variance of N(0, 1) kept within +-limit: 1 - 2 limit pdf(limit) / (cdf(limit) - cdf(-limit))."""
    pdf = math.exp(-limit * limit / 2) / math.sqrt(2 * math.pi)
    return 1 - 2 * limit * pdf / math.erf(limit / math.sqrt(2))


# mean, variance, fourth central moment, least, greatest
MOMENTS: dict[str, tuple[float, float, float, float, float]] = {
    "uniform": (0.5, 1 / 12, 1 / 80, 0.0, 1.0),
    "normal": (0.0, 1.0, 3.0, -5.7, 5.7),
    "truncated_normal": (0.0, truncated_variance(2.0), 1.416, -2.0, 2.0),
}


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("draw", DRAWS)
def test_moments(draw: str, dtype: str) -> None:
    count = 200_000
    mean, variance, fourth, least, greatest = MOMENTS[draw]
    drawn = DRAWS[draw](20, 26, (count,), dtype).astype(np.float64)
    # Uniforms are cut down to a multiple of 2^-b, so their mean lies half a step lower.
    steps = {"bfloat16": 2.0**-8, "float16": 2.0**-11}
    mean -= steps.get(dtype, 0.0) if draw == "uniform" else 0.0
    assert abs(drawn.mean() - mean) < 5 * math.sqrt(variance / count)
    assert abs(drawn.var() - variance) < 5 * math.sqrt((fourth - variance**2) / count) + 1e-4
    assert least <= drawn.min() and drawn.max() <= greatest
    if draw == "uniform":
        assert drawn.max() < 1
    if draw == "truncated_normal" and dtype in ("float32", "float64"):
        assert np.abs(drawn).max() < 2


def test_neighbouring_normals_are_not_correlated() -> None:
    drawn = philox.normal(5, 6, (200_000,)).astype(np.float64)
    assert abs(np.mean(drawn[:-1] * drawn[1:])) < 5 / math.sqrt(len(drawn))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_truncated_normals_are_the_first_normals_that_fit(dtype: str) -> None:
    """Group by group, from TensorFlow's description: 256 words set aside for each output."""
    size, groups = (4, 60) if dtype == "float32" else (2, 60)
    expected: list[Any] = []
    for group in range(groups):
        candidates = philox.normal(8, 9 + group * size * 256 // 4, (40,), dtype)
        expected += [x for x in candidates if abs(x) < 2][:size]
    np.testing.assert_array_equal(philox.truncated_normal(8, 9, (size * groups,), dtype), expected)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_low_plus_the_remainder(dtype: str) -> None:
    size = np.dtype(dtype).itemsize
    low, high = (3, 100) if dtype.startswith("u") else (-50, 51)
    drawn = philox.integers(11, 12, (40,), low, high, dtype)
    stream = [int(w) for w in philox.words(11, 12, 80)]
    if size == 8:
        stream = [stream[2 * i] + (stream[2 * i + 1] << 32) for i in range(40)]
    assert drawn.tolist() == [low + w % (high - low) for w in stream[:40]]
    assert drawn.dtype.name == dtype


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_reach_over_the_whole_type(dtype: str) -> None:
    least, greatest = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    drawn = philox.integers(13, 14, (20_000,), least, greatest + 1, dtype).astype(np.float64)
    width = float(greatest) - float(least)
    assert abs(drawn.mean() - (float(least) + float(greatest)) / 2) < 0.02 * width
    assert drawn.min() < least + 0.01 * width and drawn.max() > greatest - 0.01 * width


@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_bits_are_the_words(dtype: str) -> None:
    np.testing.assert_array_equal(philox.bits(1, 2, (9,), dtype).view(np.uint32), philox.words(1, 2, 9))


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_wide_bits_are_two_words_the_low_one_first(dtype: str) -> None:
    drawn = philox.bits(1, 2, (9,), dtype).view(np.uint64)
    words = philox.words(1, 2, 18).astype(np.uint64)
    np.testing.assert_array_equal(drawn, words[::2] + (words[1::2] << np.uint64(32)))


def test_scrambling_is_one_block_under_tensorflows_key() -> None:
    key, counter = philox.scrambled(17, -3)
    block = philox.words(joined([0x3EC8F720, 0x02461E29]), joined([17, 0, 2**32 - 3, 2**32 - 1]), 4).tolist()
    assert (key, counter) == (joined(block[:2]), joined([0, 0, *block[2:]]))


@pytest.mark.parametrize(
    ("low", "high", "dtype"), [(3, 3, "int32"), (4, 3, "int64"), (0, 257, "uint8"), (-1, 1, "uint8")]
)
def test_integers_refuse_a_range_that_holds_nothing_or_too_much(low: int, high: int, dtype: str) -> None:
    with pytest.raises(ArgumentError, match=rf"\[{low}, {high}\).*{dtype}"):
        philox.integers(0, 0, (1,), low, high, dtype)


def test_types_that_fit_no_draw_are_refused() -> None:
    with pytest.raises(DTypeError, match="int32"):
        philox.uniform(0, 0, (1,), "int32")
    with pytest.raises(DTypeError, match="complex64"):
        philox.normal(0, 0, (1,), "complex64")
    with pytest.raises(DTypeError, match="float32"):
        philox.integers(0, 0, (1,), 0, 2, "float32")
