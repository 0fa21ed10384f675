"""Which declared key is likely meant by one that is not declared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rapidfuzz import fuzz

from evalcore.reports.run_report.summary import Counterpart

LEAST_ALIKE: Final = 60.0
"""Of 100; `title` and `award_title` are 100, `start` and `begin` are not alike."""
MOST_BEHIND: Final = 15.0
"""Of 100, that the second is less like the key than the first."""
MOST_NAMED: Final = 2
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def likely_keys(key: str, instead: Mapping[str, int]) -> tuple[Counterpart, ...]:
    """Return declared keys that are spelt like `key`, the likeliest first.

    `instead` counts for each declared key the replies that have `key` and lack the other in one object.
    """
    words = _words(key)
    alike = ((_likeness(words, _words(lacking)), count, lacking) for lacking, count in instead.items())
    found = sorted(
        (-likeness, -count, lacking) for likeness, count, lacking in alike if likeness >= LEAST_ALIKE
    )
    return tuple(
        Counterpart(lacking, -count)
        for likeness, count, lacking in found[:MOST_NAMED]
        if likeness <= found[0][0] + MOST_BEHIND
    )


def _words(key: str) -> str:
    """Write a key as words: `awardTitle` and `award_title` are the same two."""
    return " ".join(_WORDS.findall(key)).lower() or key.lower()


def _likeness(one: str, other: str) -> float:
    # Words in common, whatever else the longer name holds; or spelt alike as a whole.
    return max(fuzz.token_set_ratio(one, other), fuzz.ratio(one, other))
