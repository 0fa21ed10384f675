"""A job and its states: a tagged union, changed by pure functions only.

queued -> running -> publishing -> completed, and from each of the first three -> failed | cancelled;
failed | cancelled -> publishing again, by hand. docs/job-lifecycle.md draws it.
"""

from __future__ import annotations

from evalcore.structs import Frozen


class Outbox(Frozen, frozen=True):
    """How far publishing is: each step is noted here once it is done, and looked for before it is done."""

    branch: str | None = None
    """Fixed, and kept, before anything is pushed."""
    is_pushed: bool = False
    pull_request_url: str | None = None
    is_labelled: bool = False
    tries: int = 0
    """How often it was begun."""


class Published(Frozen, frozen=True):
    """Where the results are; None where the mode of commit-back makes no such thing."""

    pull_request_url: str | None
    branch: str | None
    reason: str | None = None
    """Why nothing was committed back, where that was decided for this job alone."""
