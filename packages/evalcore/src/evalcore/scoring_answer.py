"""What the scoring process answers; apart, since who asks it has no need to load what scores."""

from __future__ import annotations

from evalcore.structs import Frozen


class ScoringAnswer(Frozen, frozen=True):
    """What the scoring process says of one run; no error where its record is written."""

    error: str | None = None
    crash: str | None = None
    """Where an error of our own was raised, as a traceback; without its words, which may be of a case."""
