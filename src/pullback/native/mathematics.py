"""Exponentials, logarithms, sines and cosines on vectors of float32 or float64.

    exp x = 2^n (1 + p)       n = round(x / ln 2), r = x - n ln 2, p = e^r - 1 by its series, |r| <= ln 2 / 2
    expm1 x = 2^n p + (2^n - 1), exact near 0 too: tanh and sigmoid follow from it
    log x = e ln 2 + 2 atanh(f / (2 + f))      x = 2^e (1 + f), 1/sqrt 2 <= 1 + f < sqrt 2

ln 2 is split in two so that n ln 2 loses nothing (Cody & Waite 1980). Infinities, zeros, subnormals and NaN come out
as IEEE 754's functions have them. Errors are within 3 units in the last place.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from pullback.native.ir import I32, I64, Function, Type, Value


class _Format(NamedTuple):
    """What the formulas need to know of a floating type."""

    word: Type  # the integer of the same width
    fraction: int  # bits of the fraction
    bias: int  # of the exponent
    high: float  # ln 2 to fewer bits, and the rest
    low: float
    terms: int  # of e^r - 1
    odd: int  # terms of atanh
    largest: float  # beyond it exp overflows
    least: float  # below it exp is zero
    tiny: float  # smallest normal number
    flat: float  # below it 1 + e^x is 1


_FORMATS = {
    "float": _Format(I32, 23, 127, 0.693359375, -2.12194440e-4, 7, 5, 88.8, -104.0, 2.0**-126, -20.0),
    "double": _Format(
        I64, 52, 1023, 6.93147180369123816490e-01, 1.90821492927058770002e-10, 13, 10, 709.8, -746.0, 2.0**-1022, -40.0
    ),
}
LOG2E = math.log2(math.e)


def _power_of_two(f: Function, n: Value, of: _Format, like: Type) -> Value:
    """2^n for whole n within the normal exponents."""
    word = of.word.by(n.type.lanes)
    return ((n.to(of.word) + f.as_value(of.bias, word)) << f.as_value(of.fraction, word)).bits_as(like)


def _parts(f: Function, x: Value) -> tuple[Value, Value, Value, Value]:
    """x bounded so that scaling cannot wrap; two factors whose product is 2^n; and p."""
    of = _FORMATS[x.type.name]
    bounded = f.maximum(f.minimum(x, of.largest), of.least)
    n, p = _reduced(f, bounded, of)
    half = f.unary("floor", n * 0.5)
    return bounded, _power_of_two(f, half, of, x.type), _power_of_two(f, n - half, of, x.type), p


def _reduced(f: Function, x: Value, of: _Format) -> tuple[Value, Value]:
    """n and p."""
    n = f.unary("rint", x * LOG2E)
    r = f.fma(n, -of.low, f.fma(n, -of.high, x))
    p = f.constant(1.0 / math.factorial(of.terms), x.type)
    for k in range(of.terms - 1, 0, -1):
        p = f.fma(p, r, f.constant(1.0 / math.factorial(k), x.type))
    return n, p * r


def exp(f: Function, x: Value) -> Value:
    """e^x."""
    _, one, other, p = _parts(f, x)
    return (p + 1.0) * one * other


def expm1(f: Function, x: Value) -> Value:
    """e^x - 1, exact near 0."""
    _, one, other, p = _parts(f, x)
    scale = one * other
    # 2^n overflows one step before e^x does.
    small = f.fma(scale, p, scale - 1.0)
    large = (p + 1.0) * one * other - 1.0
    return f.copysign(f.unary("fabs", f.select(x > 1.0, large, small)), x)


def tanh(f: Function, x: Value) -> Value:
    """(e^2x - 1) / (e^2x + 1), by -2|x| so that nothing overflows; below `flat`, e^2x - 1 is -1."""
    of = _FORMATS[x.type.name]
    doubled = f.unary("fabs", x) * -2.0
    n, p = _reduced(f, f.select(doubled < of.flat, of.flat, doubled), of)
    scale = _power_of_two(f, n, of, x.type)
    down = f.fma(scale, p, scale - 1.0)
    return f.copysign(down / (down + 2.0), x)


def sigmoid(f: Function, x: Value) -> Value:
    """1 / (1 + e^-x), on either side by the exponential that does not overflow."""
    e = exp(f, -f.unary("fabs", x))
    return f.select(x < 0.0, e, 1.0) / (e + 1.0)


def log(f: Function, x: Value) -> Value:
    """ln x: -inf at 0, NaN below."""
    of = _FORMATS[x.type.name]
    word = of.word.by(x.type.lanes)
    subnormal = x < of.tiny
    scaled = f.select(subnormal, x * 2.0**of.fraction, x)
    # Adding this carries fractions above sqrt 2 into the exponent.
    shift = f.as_value(_exponent_of_one(of) - _bits_of_root_half(of), word)
    bits = scaled.bits_as(word) + shift
    e = (bits >> f.as_value(of.fraction, word)).to(x.type) - float(of.bias)
    e = f.select(subnormal, e - float(of.fraction), e)
    fraction = (bits & f.as_value((1 << of.fraction) - 1, word)) + f.as_value(_bits_of_root_half(of), word)
    g = fraction.bits_as(x.type) - 1.0
    s = g / (g + 2.0)
    z = s * s
    series = f.constant(2.0 / (2 * of.odd + 1), x.type)
    for k in range(of.odd - 1, 0, -1):
        series = f.fma(series, z, f.constant(2.0 / (2 * k + 1), x.type))
    # g - g^2/2 + s (g^2/2 + z series): the leading terms carry no rounding of the division.
    square = g * g * 0.5
    found = f.fma(e, of.high, g - (square - f.fma(s, square + z * series, e * of.low)))
    found = f.select(x.equals(math.inf), x, found)
    found = f.select(x.equals(0.0), -math.inf, found)
    return f.select(x >= 0.0, found, math.nan)


def log1p(f: Function, x: Value) -> Value:
    """ln(1 + x), exact near 0: what 1 + x rounds away is put back."""
    u = x + 1.0
    lost = x - (u - 1.0)
    found = log(f, u) + lost / u
    found = f.select(u.equals(1.0), x, found)
    return f.select(u.equals(math.inf) | u.equals(0.0), log(f, u), found)


def sine_and_cosine(f: Function, x: Value) -> tuple[Value, Value]:
    """Of float64 up to a few turns from 0: x = n pi/2 + r, both series of r, which change places with odd n."""
    n = f.unary("rint", x * (2 / math.pi))
    r = f.fma(n, -6.123233995736766e-17, f.fma(n, -math.pi / 2, x))
    square = r * r
    sine = f.fma(_alternating(f, square, 17, 3) * square, r, r)
    cosine = f.fma(_alternating(f, square, 16, 4) * square, square, 1.0 - square * 0.5)
    turn = n.to(I64)
    odd = (turn & 1).differs(0)
    first, second = f.select(odd, cosine, sine), f.select(odd, sine, cosine)
    return (
        f.select((turn & 2).differs(0), -first, first),
        f.select(((turn + 1) & 2).differs(0), -second, second),
    )


def _alternating(f: Function, square: Value, last: int, first: int) -> Value:
    """The part of the series of sine (odd) or cosine (even) from r^first to r^last, divided by r^first."""
    total = f.constant((-1) ** (last // 2) / math.factorial(last), square.type)
    for k in range(last - 2, first - 1, -2):
        total = f.fma(total, square, f.constant((-1) ** (k // 2) / math.factorial(k), square.type))
    return total


def _exponent_of_one(of: _Format) -> int:
    return of.bias << of.fraction


def _bits_of_root_half(of: _Format) -> int:
    return {23: 0x3F3504F3, 52: 0x3FE6A09E667F3BCD}[of.fraction]
