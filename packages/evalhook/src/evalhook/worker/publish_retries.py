"""Publishing with retries: how long to wait after which failure, and the loop that does so.

The publisher finds what an earlier attempt has done (see evalcore.publishing.outbox), so that a retry
repeats nothing.
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
TRANSIENT_S: Final = 3600.0
"""How long transient failures are retried: time-outs, 5xx, rate limits, a full or read-only disk."""
REFUSALS: Final = 6
"""How often a refused request is tried: somebody may be correcting the cause, but not for an hour."""
# What no waiting mends: a link in the place of a file, and a remote without encryption.
PERMANENT: Final = (UnsafePath, InsecureRemote)
# A state directory that loses its permissions in mid-run is mended by an operator, as a full disk is.
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
        """Commit the records back, blocking, from the step that `outbox` names.

        `skipped_models` gives the reasons of those left out; `save` stores each step before the next one.
        Raises RepositoryError, LeaderboardError or StorageError.
        """
        ...


def is_unwritable(error: EvaluatorError) -> bool:
    """Whether an error comes from a full or read-only disk, and so passes once that is corrected."""
    if not isinstance(error, StorageError):
        return False
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in UNWRITABLE:
        return True
    # git says it in words alone: its error has no errno.
    words = error.line.lower()
    return any(text in words for text in UNWRITABLE_WORDS)


def wait_after(error: EvaluatorError, tries: int, elapsed: float, random: float) -> float | None:
    """Seconds to wait before the next try, or None where there is to be none.

    `tries` have been made in `elapsed` seconds; `random` is uniform in [0, 1).
    """
    is_transient = is_unwritable(error) or (isinstance(error, RepositoryError) and error.retryable)
    # A branch rule or a token may be corrected while the job waits; an unsafe path never is.
    is_refusal = isinstance(error, RepositoryError) and not isinstance(error, PERMANENT)
    if not is_transient and not (is_refusal and tries < REFUSALS):
        return None
    # Never before the time that GitHub asks for; jitter comes on top, so that clients do not return at once.
    asked = getattr(error, "retry_after", None) or 0.0
    wait = max(float(asked), 0.0) + random * min(CAP_S, BASE_S * 2.0**tries)
    return wait if elapsed + wait <= TRANSIENT_S else None


async def persist(
    attempt: Callable[[], Awaitable[T]],
    *,
    failed: Callable[[EvaluatorError, int, float], Awaitable[None]],
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    random: Callable[[], float],
) -> T:
    """Make attempts until one succeeds; `failed` is called with each failure, its number and the wait.

    Raises the failure after which no further try is to be made.
    """
    began = monotonic()
    for tries in count(1):
        try:
            return await attempt()
        except EvaluatorError as error:
            wait = wait_after(error, tries, monotonic() - began, random())
            if wait is None:
                raise
            await failed(error, tries, wait)
        await sleep(wait)
    raise AssertionError  # count() has no end
