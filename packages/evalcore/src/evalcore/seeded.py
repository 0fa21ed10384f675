"""The one door to random numbers that reach a record: always the same ones for the same words."""

from __future__ import annotations

import random

from evalcore.canonical import sha256_hex
from evalcore.sampling import Uniform


def seeded_uniform(*words: str) -> Uniform:
    """Return a source of uniform numbers whose seed is the SHA-256 of the words.

    `random.Random(int).random` is promised to stay the same over all versions of Python.
    """
    seed = int(sha256_hex("\0".join(words).encode()), 16)
    return random.Random(seed).random  # noqa: S311 (a simulation that must be repeatable, no secret)
