"""How far publishing a job's results is, and where results are published: what is stored between steps."""

from __future__ import annotations

from typing import Literal

from evalcore.structs import Frozen

CommitBack = Literal["pr", "push", "none"]
"""Whether results become a pull request, a commit on the default branch, or stay where they are."""


class Regression(Frozen, frozen=True):
    """What is said of the models that got worse in a version."""

    version: str
    summary: str
    """Plain text for one line."""
    details: str
    """Markdown for a comment."""


class Outbox(Frozen, frozen=True):
    """How far publishing is: each step is noted here once it is done, and looked for before it is done."""

    branch: str | None = None
    """Fixed, and stored, before anything is pushed."""
    is_pushed: bool = False
    pull_request_url: str | None = None
    is_labelled: bool = False
    regression: Regression | None = None
    """What got worse, once the pull request is there, or the branch is pushed to."""
    sentence: str | None = None
    """What the results come to, in one or two sentences of plain text."""
    figures: str | None = None
    """Markdown of results that are shown on a pull request and committed nowhere."""
    tries: int = 0
    """How often it was begun."""


class Published(Frozen, frozen=True):
    """Where the results are; None where the mode of commit-back makes no such thing."""

    pull_request_url: str | None
    branch: str | None
    reason: str | None = None
    """Why nothing was committed back, where that was decided for this job alone."""
    regression: Regression | None = None
    """What got worse; such results are left for a person to merge."""
    sentence: str | None = None
    """What the results come to, in one or two sentences of plain text."""
