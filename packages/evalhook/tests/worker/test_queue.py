"""The run queue: one job at a time holds the slot; the others wait in order, up to a number."""

from __future__ import annotations

import pytest

from evalhook import errors
from evalhook.errors import CurrentJob
from evalhook.jobs import Job, Progress, Queued
from evalhook.worker.queue import JobQueue

FIRST = CurrentJob("first", "memo", "2026-01-01T00:00:00Z")
SECOND = CurrentJob("second", "memo", "2026-01-01T00:00:00Z")


def job(job_id: str) -> Job:
    return Job(
        job_id=job_id, skill_name="memo", replicates=1, git_sha=None, prompt_commit="a" * 40,
        dataset_commit=None, created_at="2026-01-01T00:00:00Z", progress=Progress(), state=Queued(),
    )  # fmt: skip


def test_a_second_job_is_refused_with_the_first_ones_name() -> None:
    queue = JobQueue(0)
    queue.take(FIRST)
    with pytest.raises(errors.Busy) as refused:
        queue.take(SECOND)
    assert refused.value.current == FIRST


def test_only_its_holder_frees_the_slot() -> None:
    queue = JobQueue(0)
    queue.take(FIRST)
    queue.release(SECOND)
    assert queue.holder == FIRST
    queue.release(FIRST)
    assert queue.holder is None
    queue.take(SECOND)


def test_a_stopping_service_gives_the_slot_to_nobody() -> None:
    queue = JobQueue(0)
    queue.close()
    with pytest.raises(errors.NotReady):
        queue.take(FIRST)


def test_jobs_wait_in_order_and_know_their_position() -> None:
    queue = JobQueue(3)
    for name in ("a", "b", "c"):
        queue.add(job(name))
    assert (queue.waiting(), queue.is_full) == (("a", "b", "c"), True)
    assert [queue.position(name) for name in ("a", "c", "x")] == [1, 3, None]
    assert queue.remove("b")
    assert not queue.remove("b")
    assert (queue.pop(), queue.pop(), queue.pop()) == ("a", "c", None)


def test_a_reserved_place_counts_while_its_request_is_checked() -> None:
    queue = JobQueue(1)
    with queue.reserved():
        assert queue.is_full
    assert not queue.is_full
    assert (JobQueue(0).has_places, queue.has_places) == (False, True)
