"""What the process that parses documents says, and its bounds."""

from __future__ import annotations

from typing import Final

from evalcore.structs import Frozen

MEMORY: Final = 1536 << 20
"""Bytes of address space of the process."""
READ_BY_MODEL: Final = "read it with `reader: mindrouter`"
# MindRouter's limit. Every reader has it, so that whether a case counts does not depend on the reader.
MOST_PAGES: Final = 200
"""Of one document."""


class WorkerAnswer(Frozen, frozen=True):
    """What the process says of a document."""

    problem: str | None = None
    """Why it cannot be used."""
    pages: int | None = None
    text: str = ""


class DocumentProblem(Exception):
    """Why a document cannot be used, in the words that are shown."""


def checked_pages(pages: int) -> int:
    """Return how many pages a document has; raises DocumentProblem for none, or too many."""
    if not pages:
        raise DocumentProblem("has no pages")
    if pages > MOST_PAGES:
        raise DocumentProblem(f"has {pages} pages, over {MOST_PAGES}: divide it")
    return pages
