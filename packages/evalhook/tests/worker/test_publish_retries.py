"""What is tried again, how often, and after which waits."""

from __future__ import annotations

import asyncio
import errno
from contextlib import suppress

import pytest

from evalcore.errors import EvaluatorError, LeaderboardError, StorageError
from evalcore.git.errors import (
    CloneCorrupt,
    GitTimedOut,
    PushOutdated,
    PushRefused,
    RemoteRefused,
    RemoteUnreachable,
    UnsafePath,
)
from evalcore.github.transport import GitHubRefused, GitHubUnreachable, PullRequestRefused
from evalhook.worker.publish_retries import CAP_S, REFUSALS, TRANSIENT_S, is_unwritable, persist, wait_after

PASSING = (GitHubUnreachable, RemoteUnreachable, GitTimedOut, PushOutdated)
REFUSED = (PushRefused, PullRequestRefused, GitHubRefused, RemoteRefused, CloneCorrupt)


def limited(seconds: float) -> GitHubUnreachable:
    error = GitHubUnreachable("secondary rate limit")
    error.retry_after = seconds
    return error


def tried(error: EvaluatorError | None, times: int = 10_000, luck: float = 0.5) -> list[float]:
    """The waits of a publishing that fails so many times; the clock moves by them alone."""

    async def run() -> list[float]:
        now, waits, left = 0.0, [], times

        async def attempt() -> str:
            nonlocal left
            left -= 1
            if left >= 0 and error is not None:
                raise error
            return "done"

        async def failed(_error: EvaluatorError, tries: int, wait: float) -> None:
            assert tries == len(waits) + 1
            waits.append(wait)

        async def sleep(seconds: float) -> None:
            nonlocal now
            now += seconds

        with suppress(EvaluatorError):
            await persist(attempt, failed=failed, monotonic=lambda: now, sleep=sleep, random=lambda: luck)
        return waits

    return asyncio.run(run())


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_is_tried_again_for_an_hour_at_growing_waits(kind: type[EvaluatorError]) -> None:
    waits = tried(kind("away"))
    assert waits[:4] == [2, 4, 8, 16]
    assert max(waits) == CAP_S / 2
    assert TRANSIENT_S - CAP_S < sum(waits) <= TRANSIENT_S


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_is_tried_a_few_times(kind: type[EvaluatorError]) -> None:
    assert len(tried(kind("no"))) == REFUSALS - 1


@pytest.mark.parametrize(
    "error", [UnsafePath("a link"), LeaderboardError("not valid"), StorageError("no such file")]
)
def test_what_trying_cannot_mend_is_not_tried_again(error: EvaluatorError) -> None:
    assert tried(error) == []


def test_the_wait_that_github_asks_for_is_kept() -> None:
    assert tried(limited(90), times=1) == [92]


def test_a_wait_longer_than_the_limit_is_given_up_at_once() -> None:
    assert wait_after(limited(TRANSIENT_S + 1), 1, 0, 0) is None


def test_waits_are_drawn_from_zero_to_the_bound() -> None:
    assert wait_after(GitTimedOut("x"), 3, 0, 0) == 0
    assert wait_after(GitTimedOut("x"), 30, 0, 0.999) == pytest.approx(CAP_S, rel=0.01)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_full_or_read_only_disk_is_known_by_its_cause(number: int) -> None:
    error = StorageError("cannot be written")
    error.__cause__ = OSError(number, "why")
    assert is_unwritable(error)


def test_a_full_or_read_only_disk_is_known_by_its_words() -> None:
    assert is_unwritable(StorageError("the disk is full (fatal: no space left on device)"))
    assert is_unwritable(StorageError("record.json: Permission denied"))
    assert not is_unwritable(StorageError("run.json: No such file or directory"))
    assert not is_unwritable(LeaderboardError("no space left"))
