"""Publishing again and again until it is done: decisions first, then the loop that follows them.

What has been done already is for the publisher to find (see `publish`); nothing is doubled by
beginning again.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from typing import Final, Protocol, TypeVar

from evalcore.errors import EvaluatorError, RepositoryError, StorageError
from evalcore.git.errors import InsecureRemote, UnsafePath
from evalcore.publishing.outbox import Outbox, Published
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord

T = TypeVar("T")
BASE_S: Final = 2.0
CAP_S: Final = 300.0
"""The n-th wait is drawn from [0, min(cap, base * 2**n)): full jitter."""
PASSING_S: Final = 3600.0
"""How long what passes by itself is tried again: time-outs, 5xx, rate limits, a full or read-only disk."""
REFUSALS: Final = 6
"""How often what was refused is tried: a person may be mending it, but not for an hour."""
HOPELESS: Final = (UnsafePath, InsecureRemote)
UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
UNWRITABLE_WORDS: Final = (
    "no space left",
    "disk is full",
    "quota exceeded",
    "read-only file",
    "permission denied",
    "operation not permitted",
)


class Publisher(Protocol):
    """Commits results back."""

    def publish(
        self,
        plan: JobPlan,
        records: Sequence[RunRecord],
        skipped_models: Mapping[str, str],
        outbox: Outbox,
        save: Callable[[Outbox], None],
    ) -> Published:
        """Commit the records back, blocking, from where `outbox` says that it is.

        `skipped_models` gives the reasons of those left out; `save` keeps each step before the next one.
        Raises RepositoryError, LeaderboardError or StorageError.
        """
        ...


def is_unwritable(error: EvaluatorError) -> bool:
    """Whether an error is a full or read-only disk's, which passes once somebody mends that."""
    if not isinstance(error, StorageError):
        return False
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in UNWRITABLE:
        return True
    words = error.line.lower()
    return any(text in words for text in UNWRITABLE_WORDS)


def wait_after(error: EvaluatorError, tries: int, elapsed: float, random: float) -> float | None:
    """Seconds to wait before the next try, or None where it is given up.

    `tries` have been made in `elapsed` seconds; `random` is uniform in [0, 1).
    """
    is_passing = is_unwritable(error) or (isinstance(error, RepositoryError) and error.retryable)
    is_refusal = isinstance(error, RepositoryError) and not isinstance(error, HOPELESS)
    if not is_passing and not (is_refusal and tries < REFUSALS):
        return None
    asked = getattr(error, "retry_after", None) or 0.0
    wait = max(float(asked), 0.0) + random * min(CAP_S, BASE_S * 2.0**tries)
    return wait if elapsed + wait <= PASSING_S else None


async def persist(
    attempt: Callable[[], Awaitable[T]],
    *,
    told: Callable[[EvaluatorError, int, float], Awaitable[None]],
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    random: Callable[[], float],
) -> T:
    """Make attempts until one succeeds; `told` hears of each failure, its number and the wait.

    Raises the last failure where it is given up.
    """
    began = monotonic()
    for tries in count(1):
        try:
            return await attempt()
        except EvaluatorError as error:
            wait = wait_after(error, tries, monotonic() - began, random())
            if wait is None:
                raise
            await told(error, tries, wait)
        await sleep(wait)
    raise AssertionError  # count() has no end
