"""What reads documents: the protocol of the readers, and what they return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from evalcore.library.component import Case, Document, ReaderName
from evalcore.library.reading import ReadingSettings
from evalcore.structs import Frozen, JsonValue

Originals = Callable[[Case], bytes]
"""Gives the bytes of a case's document; raises InputError where they are not there any more. May block."""
OnDocument = Callable[[int, int], None]
"""Called before each document is read: its number from 1, and how many there are."""


class Inspected(Frozen, frozen=True):
    """What a look at a document says of it, before it is sent or read."""

    problem: str | None = None
    """Why it cannot be used; None where nothing speaks against it."""
    pages: int | None = None
    """None where only drawing it would show them (DOCX)."""


class ReadText(Frozen, frozen=True):
    """What was read of a document."""

    text: str
    """Markdown."""
    pages: int | None = None


class Unreadable(Frozen, frozen=True):
    """Why one document cannot be read, where others can."""

    reason: str


class Reader(Protocol):
    """Turns documents into Markdown, one at a time. It is opened and closed by whoever makes it."""

    @property
    def name(self) -> ReaderName:
        """What it is called in models.yaml and in records."""
        ...

    async def version(self) -> str | None:
        """Return its version; None where it does not say. Raises ModelError where it cannot be asked."""
        ...

    async def read(self, document: Document, data: bytes, pages: int | None) -> ReadText | Unreadable:
        """Read a document that was inspected and has so many pages.

        Raises EvaluatorError where no document can be read any more.
        """
        ...


def settings_read_by(settings: ReadingSettings) -> dict[str, JsonValue]:
    """Return the settings that decide about what is read, and no others."""
    if settings.reader != "mindrouter":
        return {"reader": settings.reader}
    return {
        "reader": settings.reader,
        "model": settings.model,
        "chunk_size": settings.chunk_size,
        "dpi": settings.dpi,
    }
