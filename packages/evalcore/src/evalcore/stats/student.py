"""Student's t distribution: its tail and its quantiles, for any number of degrees of freedom."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

_TINY: Final = 1e-300
_ENOUGH: Final = 1e-13
_STEPS: Final = 500


def t_tail(value: float, freedom: float) -> float:
    """Return the chance that Student's t exceeds a value.

    Half the regularised incomplete beta function I_x(freedom / 2, 1 / 2) at freedom / (freedom + t^2)
    (Abramowitz & Stegun 26.7.1).
    """
    half = _incomplete_beta(freedom / (freedom + value * value), freedom / 2) / 2
    return half if value >= 0 else 1.0 - half


# A dashboard asks for the same few of each component's many models.
@lru_cache(maxsize=256)
def t_quantile(freedom: float, tail: float = 0.025) -> float:
    """Return the value that Student's t exceeds with chance `tail`, at most one half; by bisection."""
    low, high = 0.0, 1.0
    # With few degrees of freedom the quantile may be in the hundreds.
    while t_tail(high, freedom) > tail:
        low, high = high, high * 2
    # Each step halves the interval: 60 bring it to the last digit of a double.
    for _ in range(60):
        middle = (low + high) / 2
        if t_tail(middle, freedom) > tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(x: float, a: float) -> float:
    """Return I_x(a, 1/2), by its continued fraction (Abramowitz & Stegun 26.5.8)."""
    b = 0.5
    if x >= 1.0:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    # Below this the fraction converges fast; above, that of the mirrored function does.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Evaluate the continued fraction by Lentz's method (Thompson & Barnett 1986)."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    # A zero here would be a division by zero later; a tiny number in its place changes no digit.
    d = 1.0 / (d or _TINY)
    result = d
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / ((1.0 + term * d) or _TINY)
            c = (1.0 + term / c) or _TINY
            change = c * d
            result *= change
        if abs(change - 1.0) < _ENOUGH:
            break
    return result
