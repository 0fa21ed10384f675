"""How like two texts are: the leaf comparison of ANLS* (arXiv 2402.03848)."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

LONGEST_TEXT = 65_536
"""Characters. Longer texts are equal or not at all alike: the distance takes time by the square."""


def normalise(text: str) -> str:
    """Lower the case and make each run of white space one blank."""
    return " ".join(text.lower().split())


def similarity(left: str, right: str) -> float:
    """Return 1 - Levenshtein distance / the longer length, of two normalised texts; 0 where below 0.5."""
    if left == right:
        return 1.0
    longest, shortest = len(left), len(right)
    if longest < shortest:
        longest, shortest = shortest, longest
    allowed = longest // 2
    # So many letters have to be inserted at least, which spares the distance.
    if longest - shortest > allowed or longest > LONGEST_TEXT:
        return 0.0
    distance = Levenshtein.distance(left, right, score_cutoff=allowed)
    return 0.0 if distance > allowed else 1 - distance / longest


def find_similar(text: str, others: Sequence[str]) -> list[int]:
    """Return where texts stand that may be similar; none of those left out is."""
    # A little below one half: which of the borderline ones are, `similarity` says.
    found = process.extract(
        text, others, scorer=Levenshtein.normalized_similarity, score_cutoff=0.499, limit=None
    )
    return [at for _, _, at in found]
