"""Words for others: answers, jobs, issues. The log and `evalhook check` have the same words as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path


class Outward:
    """Masks secrets, and calls the folders of this machine by what they are.

    A refusal is in the log of an Actions run and a failure in an issue, and both may be public: where the
    service keeps its files helps nobody there. Whoever can correct it finds the path in the log.
    """

    def __init__(self, scrub: Callable[[str], str], folders: Iterable[tuple[Path, str]]) -> None:
        self._scrub = scrub
        # Git speaks of a folder behind a link by its real name. The longer path goes first, since one may
        # hold another; and a path ends where its name does.
        self._words = {str(each): words for path, words in folders for each in (path, path.resolve())}
        longest_first = sorted(self._words, key=len, reverse=True)
        self._paths = re.compile(rf"(?<![\w.~-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w.~-])")

    def __call__(self, text: str) -> str:
        """Return the text as others may read it."""
        return self._paths.sub(lambda found: self._words[found[0]], self._scrub(text))
