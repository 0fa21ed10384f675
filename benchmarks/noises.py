"""Models whose truth is known: how each answers a case, for `calibrate.py`.

A case's replies are of a few kinds. Each has its chance, its accuracy, and its agreement with the
others, so that the true accuracy and reproducibility are sums, not estimates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from random import Random

from evalcore.stats.uncertainty import Pairs
from evalcore.structs import Frozen


class Noise(Frozen, frozen=True):
    """How a model answers one case."""

    chances: tuple[float, ...]
    scores: tuple[float, ...]
    agreement: tuple[tuple[float, ...], ...]

    @property
    def accuracy(self) -> float:
        """The true mean score."""
        return math.fsum(chance * score for chance, score in zip(self.chances, self.scores, strict=True))

    @property
    def spread(self) -> float:
        """The true standard deviation of a reply's score."""
        mean = self.accuracy
        return math.sqrt(
            math.fsum(p * (score - mean) ** 2 for p, score in zip(self.chances, self.scores, strict=True))
        )

    @property
    def reproducibility(self) -> float:
        """The true agreement of two independent replies."""
        return math.fsum(
            p * q * self.agreement[at][other]
            for at, p in enumerate(self.chances)
            for other, q in enumerate(self.chances)
        )

    def replies(self, count: int, rng: Random) -> list[int]:
        """Draw the kinds of so many replies."""
        return rng.choices(range(len(self.chances)), self.chances, k=count)

    def scores_of(self, kinds: list[int]) -> list[float]:
        """Return the replies' scores."""
        return [self.scores[kind] for kind in kinds]

    def pairs_of(self, kinds: list[int]) -> Pairs:
        """Return the replies' agreement, as `agree_case` does."""
        counts = sorted(Counter(kinds).items())
        rows = [
            [self.agreement[kind][other] for other, _ in counts[: at + 1]]
            for at, (kind, _) in enumerate(counts)
        ]
        return Pairs(counts=tuple(count for _, count in counts), agreement=tuple(map(tuple, rows)))


def binary(right: float) -> Noise:
    """Right, or wrong in one of three ways."""
    wrong = (1 - right) / 3
    return _noise([right, wrong, wrong, wrong], [1, 0, 0, 0], lambda at, other: float(at == other))


def smooth(best: float) -> Noise:
    """Many small differences, bell-shaped, over a fifth of the scale."""
    steps = 20
    chances = [math.comb(steps, k) * 0.6**k * 0.4 ** (steps - k) for k in range(steps + 1)]
    scores = [best - 0.2 + 0.2 * k / steps for k in range(steps + 1)]
    return _noise(chances, scores, lambda at, other: 1 - 2 * abs(scores[at] - scores[other]))


def zero_inflated(worse: float, usual: float) -> Noise:
    """One and the same reply, but for a share that is much worse, in three ways."""
    scores = [usual, usual - 0.35, usual - 0.5, usual - 0.65]
    chances = [1 - worse, worse / 3, worse / 3, worse / 3]
    return _noise(chances, scores, lambda at, other: 1.0 if at == other else 0.4 + 0.2 * (0 in {at, other}))


def unparsable(share: float, usual: float) -> Noise:
    """Two usual replies, and a share that cannot be parsed: accuracy 0, agreeing with nothing."""
    chances = [0.8 * (1 - share), 0.2 * (1 - share), share]
    return _noise(
        chances,
        [usual, usual - 0.07, 0.0],
        lambda at, other: 0.0 if 2 in {at, other} else 1.0 if at == other else 0.9,
    )


def stable(score: float) -> Noise:
    """Always one and the same reply."""
    return _noise([1.0], [score], lambda _at, _other: 1.0)


def wide() -> Noise:
    """Three replies that have little in common."""
    return _noise([0.6, 0.25, 0.15], [0.9, 0.5, 0.1], lambda at, other: 1.0 if at == other else 0.4)


def _noise(chances: list[float], scores: list[float], agree: Callable[[int, int], float]) -> Noise:
    kinds = range(len(chances))
    return Noise(
        chances=tuple(chances),
        scores=tuple(scores),
        agreement=tuple(tuple(agree(at, other) for other in kinds) for at in kinds),
    )


def _one_noisy(case: int, fall: float) -> Noise:
    if case:
        return stable(0.95 - fall)
    return lowered(wide(), fall)


def lowered(noise: Noise, fall: float) -> Noise:
    """Lower every score above 0, so that the mean falls by so much."""
    scored = math.fsum(p for p, score in zip(noise.chances, noise.scores, strict=True) if score > 0)
    scores = tuple(max(0.0, score - fall / scored) for score in noise.scores)
    return Noise(chances=noise.chances, scores=scores, agreement=noise.agreement)


NOISES: dict[str, Callable[[int, float], Noise]] = {
    "binary 0.95": lambda _case, fall: binary(0.95 - fall),
    "binary 0.80": lambda _case, fall: binary(0.80 - fall),
    "smooth": lambda case, fall: smooth(0.95 - 0.02 * (case % 4) - fall),
    "5 % worse": lambda case, fall: lowered(zero_inflated(0.05, 0.95 - 0.02 * (case % 4)), fall),
    "20 % worse": lambda case, fall: lowered(zero_inflated(0.20, 0.95 - 0.02 * (case % 4)), fall),
    "3 % unparsable": lambda case, fall: lowered(unparsable(0.03, 0.92 - 0.02 * (case % 4)), fall),
    "one noisy case": _one_noisy,
}
"""By name: the noise of a case (numbered from 0), its true mean lowered by so much."""
