"""How inputs that are no text are read: `documents:` of models.yaml, `evals/inputs.yaml` of a component."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from evalcore.library.component import ReaderName
from evalcore.structs import Frozen, Strict

INPUTS_FILE: Final = "evals/inputs.yaml"
"""In a component's folder: the same keys as `documents:`, for its cases alone."""


class ReadingSettings(Frozen, frozen=True):
    """How documents are read."""

    # The library decides, not the machine: read by another reader a case has another input, and other
    # figures.
    reader: ReaderName = "mindrouter"
    model: str | None = None
    """The model that MindRouter reads pages with; None where none is named."""
    # MindRouter's own default is six; each chunk has 180 s there, after which all of it begins again.
    chunk_size: int = 2
    """Pages that MindRouter reads in one call."""
    dpi: int = 200
    """Dots per inch that MindRouter draws pages with."""


class ReadingEntry(Strict, frozen=True):
    """What a file says of it."""

    reader: ReaderName | UnsetType = UNSET
    model: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType | None = UNSET
    chunk_size: Annotated[int, Meta(ge=1, le=20)] | UnsetType = UNSET
    dpi: Annotated[int, Meta(ge=50, le=600)] | UnsetType = UNSET

    def over(self, settings: ReadingSettings) -> ReadingSettings:
        """Return the settings with what this says in the place of theirs."""
        said = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not UNSET}
        return msgspec.structs.replace(settings, **said)
