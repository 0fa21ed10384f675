"""Random weights in each stratum, for figures that are made of pairs of replies.

They depend on how many replies there are, not on what these say: so they can be drawn while the replies are
still on their way, and once for all models that answered the same cases.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import mul, sub
from typing import NamedTuple, TypeAlias

from evalcore.stats.sampling import Uniform, cuts, make_beta, seeded_uniform

SETS_KEPT = 2
"""Sets of draws that are held at once: of one job all models have the same, but where calls failed."""
LARGEST_KEPT = 1_000_000
"""Numbers in a set that is held, 8 bytes each. Of more replies the draws pass by, one case at a time."""


class Stratum(NamedTuple):
    """What shares one set of weights: the replies to a case, or cases that are taken together."""

    parts: int
    mass: float
    """The weight of its pseudo-observation."""


class StratumWeights(NamedTuple):
    """The draws of one stratum's weights."""

    parts: int
    cuts: array[float]
    """Of each draw: 0, the sorted cuts, 1; the gaps between them are the weights of the parts."""
    among: array[float]
    """Of each draw: the weight of all pairs of two different parts, in either order."""
    extra: array[float]
    """Of each draw: the part of the pseudo-observation."""

    def cuts_of(self, draw: int) -> Sequence[float]:
        """Return 0, the sorted cuts and 1 of one draw."""
        size = self.parts + 1
        return self.cuts[draw * size : (draw + 1) * size]


WeightSource: TypeAlias = Callable[[tuple[Stratum, ...], int], Iterable[StratumWeights]]
"""Gives the weights in each stratum, this many draws of them."""


def weights_from(uniform: Uniform) -> WeightSource:
    """Return a source that draws anew at each call."""

    def draw_all(strata: tuple[Stratum, ...], draws: int) -> Iterator[StratumWeights]:
        return (_drawn(stratum, draws, uniform) for stratum in strata)

    return draw_all


def weights_of_seed(*words: str) -> WeightSource:
    """Return a source of draws whose seed is the SHA-256 of the words; the last sets made are cached."""

    def draw_all(strata: tuple[Stratum, ...], draws: int) -> Iterable[StratumWeights]:
        # What is kept stays for as long as the process runs, be it of a run of a hundred thousand replies.
        if sum(stratum.parts for stratum in strata) * draws > LARGEST_KEPT:
            return weights_from(seeded_uniform(*words))(strata, draws)
        return _kept(words, strata, draws)

    return draw_all


@lru_cache(maxsize=SETS_KEPT)
def _kept(words: tuple[str, ...], strata: tuple[Stratum, ...], draws: int) -> Sequence[StratumWeights]:
    return tuple(weights_from(seeded_uniform(*words))(strata, draws))


def gaps_of(cut: Sequence[float]) -> list[float]:
    """Return the weights between the cuts."""
    return list(map(sub, cut[1:], cut))


def _drawn(stratum: Stratum, draws: int, uniform: Uniform) -> StratumWeights:
    beta = make_beta(stratum.mass, stratum.parts, uniform)
    weights = StratumWeights(stratum.parts, array("d"), array("d"), array("d"))
    for _ in range(draws):
        cut = cuts(stratum.parts, uniform)
        gaps = gaps_of(cut)
        weights.cuts.extend(cut)
        weights.among.append(1.0 - math.fsum(map(mul, gaps, gaps)))
        weights.extra.append(beta())
    return weights
