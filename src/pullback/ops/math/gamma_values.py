"""Values of the gamma family in double precision, one number at a time or by arrays. No op here.

Sources: NIST Digital Library of Mathematical Functions (dlmf.nist.gov), chapters 5, 8 and 25, by equation; the
continued fraction of the incomplete gamma function in the form that Cephes (Moshier 1989) has it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# B_2, B_4, ..., B_24 (DLMF 24.2.1).
BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
    854513 / 138, -236364091 / 2730,
)  # fmt: skip
_FAR = 15.0  # from here on the asymptotic series are exact to double precision
_EPS = 2.0**-53
_MOST_TERMS = 200_000
_BIG = 2.0**52


def lgamma(x: float) -> float:
    """log |gamma x|; infinite at 0, -1, -2, ..."""
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


def digamma(x: Any) -> Any:
    """The derivative of log gamma, of an array: brought beyond 15 by psi(x) = psi(x + 1) - 1/x (DLMF 5.5.2), there the
    asymptotic series 5.11.2; negative x by reflection, 5.5.4. nan at 0, -1, -2, ..."""
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        below = x <= 0
        part = x - np.round(x)
        reflected = np.where(below, -np.pi / np.tan(np.pi * part), 0.0)
        reflected = np.where(below & (part == 0), np.nan, reflected)
        z = np.where(below, 1 - x, x)
        total = np.zeros_like(z)
        while np.any(near := z < _FAR):
            total = np.where(near, total - 1 / z, total)
            z = np.where(near, z + 1, z)
        series = sum(b / (2 * k) * z ** (-2.0 * k) for k, b in enumerate(BERNOULLI[:9], 1))
        return total + np.log(z) - 0.5 / z - series + reflected


def zeta(s: Any, q: Any) -> Any:
    """Hurwitz' zeta function, the sum of (q + k)^-s over k = 0, 1, ..., of arrays: terms one by one up to q + k >= 15,
    the rest by Euler and Maclaurin (DLMF 25.11.5 with 2.10.1). Infinite at s = 1 and at q = 0, -1, ...; nan for s < 1,
    and for negative q where s is no whole number."""
    s, q = np.broadcast_arrays(np.asarray(s, np.float64), np.asarray(q, np.float64))
    with np.errstate(all="ignore"):
        pole = (q <= 0) & (q == np.floor(q))
        lost = (s < 1) | np.isnan(s) | np.isnan(q) | ((q < 0) & (s != np.floor(s))) | (q < -_MOST_TERMS)
        z = np.where(pole | lost, _FAR, q)
        total = np.zeros_like(z)
        while np.any(near := z < _FAR):
            total = np.where(near, total + z**-s, total)
            z = np.where(near, z + 1, z)
        power = z**-s
        total = total + power * z / (s - 1) + power / 2
        factor = s * power / z  # s (s+1) .. (s+2k-2) / (2k)! times z^(-s-2k+1), without B_2k
        for k, b in enumerate(BERNOULLI, 1):
            factor = factor / (2 * k) if k == 1 else factor / ((2 * k - 1) * (2 * k))
            total = total + b * factor
            factor = factor * (s + 2 * k - 1) * (s + 2 * k) / (z * z)
        return np.where(lost, np.nan, np.where(pole | (s == 1), np.inf, total))


def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of digamma, (-1)^(n+1) n! zeta(n + 1, x) (DLMF 25.11.12); nan unless n = 0, 1, 2, ..."""
    n, x = np.broadcast_arrays(np.asarray(n, np.float64), np.asarray(x, np.float64))
    whole = (n >= 0) & (n == np.floor(n))
    order = np.where(whole & (n > 0), n, 1.0)
    factorial = np.reshape([math.exp(lgamma(v + 1)) if v > 20 else math.gamma(v + 1) for v in order.ravel()], n.shape)
    with np.errstate(all="ignore"):
        high = np.where(order % 2 == 0, -1.0, 1.0) * factorial * zeta(order + 1, x)
    return np.where(~whole, np.nan, np.where(n == 0, digamma(x), high))


# --- incomplete gamma function ----------------------------------------------------------------------------------------


def _density(a: float, x: float) -> float:
    """x^a e^-x / gamma(a + 1). For large a by the distance of x from a, so that nothing large cancels (DLMF 8.12.1 has
    the same form); the rest of Stirling's formula is 5.11.1."""
    if a < 10:
        return math.exp(a * math.log(x) - x - lgamma(a + 1))
    mu = (x - a) / a
    rest = sum(b / (2 * k * (2 * k - 1)) * a ** (1 - 2 * k) for k, b in enumerate(BERNOULLI[:9], 1))
    slope = math.log1p(mu) - mu if mu > -0.9 else math.log(x / a) - mu
    return math.exp(a * slope - rest) / math.sqrt(2 * math.pi * a)


def _lower(a: float, x: float) -> tuple[float, float]:
    """P(a, x) by its power series (DLMF 8.7.1), and its derivative by a, term by term."""
    term, slope = 1.0, 0.0
    total, total_slope = 1.0, 0.0
    for n in range(1, _MOST_TERMS):
        slope = (slope - term / (a + n)) * x / (a + n)
        term *= x / (a + n)
        total, total_slope = total + term, total_slope + slope
        if term <= _EPS * total and abs(slope) <= _EPS * abs(total_slope):
            break
    front = _density(a, x)
    by_a = math.log(x) - float(digamma(a + 1))
    return front * total, front * (total_slope + total * by_a)


def _upper(a: float, x: float) -> tuple[float, float]:
    """Q(a, x) = 1 - P(a, x) by its continued fraction (DLMF 8.9.2, Cephes' igamc), and its derivative by a."""
    y, z, c = 1 - a, x + 2 - a, 0.0
    p2, q2, p1, q1 = 1.0, x, x + 1, z * x
    dp2, dq2, dp1, dq1 = 0.0, 0.0, 0.0, -x
    ratio, slope = p1 / q1, -p1 * dq1 / (q1 * q1)
    for _ in range(_MOST_TERMS):
        c, y, z = c + 1, y + 1, z + 2
        yc = y * c
        p, q = p1 * z - p2 * yc, q1 * z - q2 * yc
        dp = dp1 * z - p1 - dp2 * yc + p2 * c
        dq = dq1 * z - q1 - dq2 * yc + q2 * c
        settled = False
        if q != 0:
            new, new_slope = p / q, (dp - p / q * dq) / q
            settled = abs(new - ratio) <= _EPS * abs(new) and abs(new_slope - slope) <= _EPS * (
                abs(new_slope) + abs(new)
            )
            ratio, slope = new, new_slope
        p2, p1, q2, q1 = p1, p, q1, q
        dp2, dp1, dq2, dq1 = dp1, dp, dq1, dq
        if abs(p) > _BIG:
            p2, p1, q2, q1, dp2, dp1, dq2, dq1 = (v / _BIG for v in (p2, p1, q2, q1, dp2, dp1, dq2, dq1))
        if settled:
            break
    front = _density(a, x) * a
    return front * ratio, front * (slope + ratio * (math.log(x) - float(digamma(a))))


def incomplete(a: float, x: float) -> tuple[float, float, float]:
    """P(a, x), Q(a, x) = 1 - P and dP/da; nan where a <= 0 or x < 0."""
    if not (a > 0 and x >= 0):
        return math.nan, math.nan, math.nan
    if math.isinf(a) or math.isinf(x):
        both = math.isinf(a) and math.isinf(x)
        p = math.nan if both else 0.0 if math.isinf(a) else 1.0
        return p, 1 - p, math.nan if both else 0.0
    if x == 0:
        return 0.0, 1.0, 0.0
    if x > 1 and x > a:
        q, slope = _upper(a, x)
        return 1 - q, q, -slope
    p, slope = _lower(a, x)
    return p, 1 - p, slope
