"""Random weights made of uniform numbers alone, so that they are the same on every Python."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import mul
from typing import TypeAlias

from evalcore.formats.strict_json import sha256_hex

Uniform: TypeAlias = Callable[[], float]
"""Gives the next number of [0, 1): `random.Random(seed).random`, passed in."""

BetaReader: TypeAlias = Callable[[Sequence[float], int], tuple[float, int]]
"""Reads a number from uniform ones, from a place on; also returns the place behind those that it took."""

NEGLIGIBLE = 1e-12
"""A weight below this changes no figure that is stored (9 significant digits)."""
_SURELY = 1.0 - 1e-9
"""So far below a bound the rounding of a power changes nothing."""


def cuts(parts: int, uniform: Uniform) -> list[float]:
    """Cut [0, 1] at random into parts: 0, the sorted cuts, 1.

    The gaps are Dirichlet(1, ..., 1): the Bayesian bootstrap's weights (Rubin 1981, Ann. Statist. 9).
    """
    inner = sorted([uniform() for _ in range(parts - 1)])
    return [0.0, *inner, 1.0]


def make_beta(shape: float, count: int, uniform: Uniform) -> Uniform:
    """Make a source of Beta(shape, count) numbers, `count` whole.

    The product of Beta(shape + k, 1) over k = 0 .. count - 1, each the power 1 / (shape + k) of a
    uniform number (Jambunathan 1954, Ann. Math. Statist. 25). It is the pseudo-observation's part of
    Dirichlet(1, ..., 1, shape), and independent of how the others share the rest.
    """
    if not count:
        return lambda: 1.0
    first, *others = _powers(shape, count)
    vanishing = _vanishing(shape)

    def beta() -> float:
        drawn = uniform()
        if drawn < vanishing:
            return 0.0
        value: float = drawn**first
        if value < NEGLIGIBLE:
            return 0.0
        for power in others:
            value *= uniform() ** power
            if value < NEGLIGIBLE:
                return 0.0
        return value

    return beta


def make_beta_reader(shape: float, count: int) -> BetaReader:
    """Make what reads the numbers that `make_beta` draws from uniform numbers in a row, sooner."""
    if not count:
        return lambda _, place: (1.0, place)
    first, *others = _powers(shape, count)
    vanishing, most = _vanishing(shape), len(others)

    def read(numbers: Sequence[float], place: int) -> tuple[float, int]:
        drawn = numbers[place]
        place += 1
        if drawn < vanishing:
            return 0.0, place
        value: float = drawn**first
        if value < NEGLIGIBLE:
            return 0.0, place
        rest = numbers[place : place + most]
        product: float = math.prod(map(pow, rest, others), start=value)
        if product >= NEGLIGIBLE:
            return product, place + most
        # A draw ends where the product vanishes, and the next one takes the numbers from there.
        products = accumulate(map(pow, rest, others), mul, initial=value)
        return 0.0, place + next(at for at, product in enumerate(products) if product < NEGLIGIBLE)

    return read


def _powers(shape: float, count: int) -> list[float]:
    return [1.0 / (shape + k) for k in range(count)]


def _vanishing(shape: float) -> float:
    """Return below which first uniform number a draw surely vanishes.

    With many cases the shape is small and the product nearly always vanishes: most draws end at the first
    factor, and this many of them without its power, which takes longest.
    """
    least: float = NEGLIGIBLE**shape
    return least * _SURELY


def deal(items: list[float], count: int, uniform: Uniform) -> list[float]:
    """Put some of the items in front, all choices equally likely, and return them (Fisher-Yates)."""
    # By hand: of all that `random` offers, `random()` alone is promised to stay the same over versions of
    # Python.
    size = len(items)
    for at in range(count):
        other = at + int(uniform() * (size - at))
        items[at], items[other] = items[other], items[at]
    return items[:count]


def seeded_random(*words: str) -> random.Random:
    """Return a source of random numbers whose seed is the SHA-256 of the words.

    `random.Random(int).random` is promised to stay the same over all versions of Python.
    """
    seed = int(sha256_hex("\0".join(words).encode()), 16)
    return random.Random(seed)  # noqa: S311 (a simulation that must be repeatable, no secret)


def seeded_uniform(*words: str) -> Uniform:
    """Return a source of uniform numbers whose seed is the SHA-256 of the words."""
    return seeded_random(*words).random
