"""Random draws for the intervals of means and of shares; those of one seed are made once for many models.

What is drawn depends on how many replies there are, and hardly on what these say. Models that answered the
same cases are measured with one seed: they take the same numbers for as long as their cases are alike.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat, starmap
from typing import NamedTuple, TypeAlias

from evalcore.stats.sampling import Uniform, make_beta, make_beta_reader, seeded_random
from evalcore.structs import Frozen

LARGEST_KEPT = 1_500_000
"""Uniform numbers that are held, 8 bytes each. Of more replies the draws pass by, one after the other."""

Draw: TypeAlias = tuple[Sequence[float], float]
"""What shares the replies' part of the weight, and the part of the pseudo-observation."""


class Drawn(NamedTuple):
    """Draws that were made of uniform numbers in a row."""

    numbers: array[float]
    """Of each draw, one after the other."""
    extras: array[float]
    """The parts of the pseudo-observation."""
    after: int
    """The place behind the uniform numbers that were taken."""


class MeanStratum(Frozen, frozen=True):
    """Replies with scores. The numbers of a draw are the cuts of [0, 1] between their weights, sorted."""

    parts: int
    mass: float
    """The weight of the pseudo-observation."""
    differ: bool
    """Where all scores are equal their weights play no part: then there are no cuts."""

    @property
    def size(self) -> int:
        """How many numbers a draw has."""
        return self.parts - 1 if self.differ else 0

    @property
    def most_taken(self) -> int:
        """How many uniform numbers a draw takes at most."""
        return self.size + self.parts

    def draws(self, count: int, uniform: Uniform) -> Iterator[Draw]:
        """Yield so many draws."""
        beta = make_beta(self.mass, self.parts, uniform)
        cuts = range(self.size)
        for _ in range(count):
            yield sorted([uniform() for _ in cuts]), beta()

    def read(self, count: int, numbers: Sequence[float], place: int) -> Drawn:
        """Make the same draws of the uniform numbers from a place on."""
        cuts, extras = array("d"), array("d")
        size, beta = self.size, make_beta_reader(self.mass, self.parts)
        for _ in range(count):
            cuts.fromlist(sorted(numbers[place : place + size]))
            extra, place = beta(numbers, place + size)
            extras.append(extra)
        return Drawn(cuts, extras, place)


class ShareStratum(Frozen, frozen=True):
    """Replies that are right or wrong. The only number of a draw is the weight of the commoner kind."""

    parts: int
    rarer: int
    """Replies of the rarer kind: a draw takes as many factors."""
    mass: float
    """The weight of the pseudo-observation."""

    @property
    def size(self) -> int:
        """How many numbers a draw has."""
        return 1

    @property
    def most_taken(self) -> int:
        """How many uniform numbers a draw takes at most."""
        return self.rarer + self.parts

    def draws(self, count: int, uniform: Uniform) -> Iterator[Draw]:
        """Yield so many draws."""
        beta = make_beta(self.mass, self.parts, uniform)
        commoner = make_beta(self.parts - self.rarer, self.rarer, uniform)
        for _ in range(count):
            yield (commoner(),), beta()

    def read(self, count: int, numbers: Sequence[float], place: int) -> Drawn:
        """Make the same draws of the uniform numbers from a place on."""
        shares, extras = array("d"), array("d")
        beta = make_beta_reader(self.mass, self.parts)
        commoner = make_beta_reader(self.parts - self.rarer, self.rarer)
        for _ in range(count):
            share, place = commoner(numbers, place)
            extra, place = beta(numbers, place)
            shares.append(share)
            extras.append(extra)
        return Drawn(shares, extras, place)


Drawable: TypeAlias = MeanStratum | ShareStratum

DrawSource: TypeAlias = Callable[[Sequence[Drawable], int], Iterable[Iterable[Draw]]]
"""Gives so many draws of each stratum, which are taken in this order."""


def draws_from(uniform: Uniform) -> DrawSource:
    """Return a source that draws anew at each call."""

    def draw_all(strata: Sequence[Drawable], count: int) -> Iterator[Iterable[Draw]]:
        return (stratum.draws(count, uniform) for stratum in strata)

    return draw_all


def draws_of_seed(*words: str) -> DrawSource:
    """Return a source of draws whose seed is the SHA-256 of the words, for one call."""
    return draws_from(seeded_random(*words).random)


class SharedDraws:
    """A source whose every call gives the draws of `draws_of_seed`.

    The uniform numbers are held, and the draws of the call before: strata that begin alike are not drawn
    again.
    """

    def __init__(self, *words: str) -> None:
        self._words = words
        self._uniform = seeded_random(*words).random
        self._numbers = array("d")
        self._count = 0
        self._kept: list[tuple[Drawable, Drawn]] = []

    def __call__(self, strata: Sequence[Drawable], count: int) -> Iterable[Iterable[Draw]]:
        """Give so many draws of each stratum, which may be taken in any order."""
        if sum(stratum.most_taken for stratum in strata) * count > LARGEST_KEPT:
            return draws_of_seed(*self._words)(strata, count)
        if count != self._count:
            self._kept, self._count = [], count
        pairs = zip(strata, self._kept, strict=False)
        differs = [at for at, (stratum, kept) in enumerate(pairs) if stratum != kept[0]]
        if differs:
            del self._kept[differs[0] :]
        for stratum in strata[len(self._kept) :]:
            self._kept.append((stratum, self._drawn(stratum)))
        return [_again(*kept) for kept in self._kept[: len(strata)]]

    def _drawn(self, stratum: Drawable) -> Drawn:
        place = self._kept[-1][1].after if self._kept else 0
        missing = place + stratum.most_taken * self._count - len(self._numbers)
        # `starmap` calls without arguments at machine speed.
        self._numbers.extend(starmap(self._uniform, repeat((), max(0, missing))))
        return stratum.read(self._count, self._numbers, place)


def _again(stratum: Drawable, drawn: Drawn) -> Iterator[Draw]:
    rows = zip(*[iter(drawn.numbers)] * stratum.size, strict=True) if stratum.size else repeat(())
    return zip(rows, drawn.extras, strict=False)
