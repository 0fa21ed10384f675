"""What goes, and what never does: by age, by size, the clock injected."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalhook import jobs, problems
from evalhook.errors import NotReady
from evalhook.jobs import Job, JobError, JobResult, ModelRow, Progress, Queued
from evalhook.storage.retention import Retention, RetentionLimits, Stored, choose, may_go
from evalhook.storage.space import GB, FreeSpace
from evalhook.storage.store import JobStore

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROW = ModelRow("alpha", "complete", 1.0, 1.0, None)
SKIPPED = ModelRow("beta", "skipped", None, None, "not served")


def stamp(days_ago: float) -> str:
    return (NOW - timedelta(days=days_ago)).isoformat().replace("+00:00", "Z")


def running(job_id: str, days_ago: float = 0) -> Job:
    queued = Job(
        job_id=job_id,
        skill_name="memo",
        replicates=1,
        git_sha=None,
        prompt_commit="1" * 40,
        dataset_commit=None,
        created_at=stamp(days_ago),
        progress=Progress(),
        state=Queued(),
    )
    return jobs.start(queued, stamp(days_ago))


def completed(job_id: str, days_ago: float) -> Job:
    publishing = jobs.publish(running(job_id, days_ago), (ROW,))
    return jobs.complete(publishing, stamp(days_ago), JobResult("https://x", "b", (ROW,)))


def failed(job_id: str, days_ago: float, *rows: ModelRow) -> Job:
    result = JobResult(None, None, rows) if rows else None
    return jobs.fail(running(job_id, days_ago), stamp(days_ago), JobError("push_refused", "x"), result)


def kept(job_id: str, days_ago: float, size: int, *, may: bool = True) -> Stored:
    return Stored(job_id, NOW - timedelta(days=days_ago), may_go=may, size=size)


def test_only_what_is_published_or_had_nothing_to_publish_may_go() -> None:
    assert may_go(completed("a", 1))
    assert may_go(failed("a", 1))
    assert may_go(failed("a", 1, SKIPPED))
    assert not may_go(failed("a", 1, ROW, SKIPPED))
    assert not may_go(running("a"))
    assert not may_go(jobs.publish(running("a"), (ROW,)))


def test_age_goes_first_then_the_oldest_until_there_is_room() -> None:
    items = [kept("new", 1, 40), kept("old", 91, 40), kept("middle", 5, 40), kept("kept", 300, 40, may=False)]
    chosen = choose(items, NOW, days=90, most_bytes=90)
    assert [(item.job_id, item.why) for item in chosen] == [("old", "age"), ("middle", "size")]


def test_runs_of_no_known_job_go_by_age_alone() -> None:
    items = [Stored("a", NOW - timedelta(days=1), may_go=True, size=100, only_by_age=True)]
    assert choose(items, NOW, days=90, most_bytes=1) == []
    assert [item.why for item in choose(items, NOW + timedelta(days=90), 90, 1)] == ["age"]


@given(
    st.lists(
        st.builds(
            Stored,
            job_id=st.uuids().map(str),
            ended=st.none() | st.integers(0, 200).map(lambda days: NOW - timedelta(days=days)),
            may_go=st.booleans(),
            size=st.integers(0, 100),
        ),
        unique_by=lambda item: item.job_id,
    ),
    st.integers(0, 1000),
)
def test_nothing_is_removed_that_may_not_and_nothing_more_than_needed(items: list[Stored], most: int) -> None:
    chosen = choose(items, NOW, days=90, most_bytes=most)
    by_id = {item.job_id: item for item in items}
    assert all(by_id[removal.job_id].may_go and by_id[removal.job_id].ended for removal in chosen)
    left = sum(item.size for item in items) - sum(removal.size for removal in chosen)
    stay = [
        item for item in items if item.may_go and item.ended and item.job_id not in {r.job_id for r in chosen}
    ]
    assert left <= most or not stay
    by_size = [removal for removal in chosen if removal.why == "size"]
    assert not by_size or left + by_size[-1].size > most


class Place:
    """A state directory with jobs and runs."""

    def __init__(self, folder: Path) -> None:
        self.jobs_dir, self.runs_dir = folder / "jobs", folder / "runs"
        self.documents_dir = folder / "documents"
        self.store = JobStore(self.jobs_dir)
        self.store.open()
        self.sizes: list[int] = []

    def add(self, job: Job, size: int = 1000) -> Path:
        self.store.write(job)
        self.store.update(job)
        (self.jobs_dir / job.job_id).mkdir()
        (self.jobs_dir / job.job_id / "job.log").write_text("x")
        return self.add_run(job.job_id, size)

    def add_run(self, job_id: str, size: int = 1000) -> Path:
        run = self.runs_dir / f"run-of-{job_id}"
        run.mkdir(parents=True)
        (run / "run.json").write_text(f'{{"job_id": "{job_id}", "more": 1}}')
        (run / "replies.jsonl").write_bytes(b"a" * size)
        return run

    def sweep(self, days: int = 90, most_bytes: int = GB) -> list[str]:
        limits = RetentionLimits(days=days, most_bytes=most_bytes)
        retention = Retention(
            self.store,
            self.jobs_dir,
            self.runs_dir,
            self.documents_dir,
            limits,
            now=lambda: NOW,
            swept=self.sizes.append,
        )
        return [removal.job_id for removal in asyncio.run(retention.sweep())]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.store.close()


def test_what_was_read_of_documents_goes_once_it_was_not_used_for_the_days_set(place: Place) -> None:
    old, new = place.documents_dir / "data_sets" / "old.json", place.documents_dir / "library" / "new.json"
    for path, days in ((old, 91), (new, 89)):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"a" * 500)
        moment = (NOW - timedelta(days=days)).timestamp()
        os.utime(path, (moment, moment))
    place.sweep()
    assert (old.exists(), new.exists()) == (False, True)
    assert place.sizes == [500]


def test_a_run_counts_with_the_documents_that_it_sent_and_goes_with_them(place: Place) -> None:
    run = place.add(completed("old", 1))
    (run / "documents").mkdir()
    (run / "documents" / "a.pdf").write_bytes(b"a" * 10_000)
    place.sweep()
    assert place.sizes[-1] > 11_000
    place.sweep(days=0)
    assert not run.exists()


def test_a_job_that_goes_takes_all_that_is_its_own(place: Place) -> None:
    old, new = place.add(completed("old", 91)), place.add(completed("new", 1))
    assert place.sweep() == ["old"]
    assert not old.exists()
    assert new.exists()
    assert place.store.get("old") is None
    assert sorted(path.name for path in place.jobs_dir.iterdir()) == [".lock", "new", "new.json"]


def test_unpublished_and_running_jobs_stay_however_old_or_large(place: Place) -> None:
    runs = [place.add(failed("failed", 400, ROW)), place.add(running("running", 400))]
    assert place.sweep(most_bytes=1) == []
    assert all((run / "replies.jsonl").exists() for run in runs)


def test_replies_are_compressed_the_day_after_they_are_published(place: Place) -> None:
    published, unpublished = place.add(completed("a", 2)), place.add(failed("b", 2, ROW))
    fresh = place.add(completed("c", 1))
    place.sweep()
    assert (fresh / "replies.jsonl").exists()
    assert gzip.decompress((published / "replies.jsonl.gz").read_bytes()) == b"a" * 1000
    assert not (published / "replies.jsonl").exists()
    assert (unpublished / "replies.jsonl").exists()
    left = sum(path.stat().st_size for path in place.runs_dir.glob("*/*"))
    assert place.sizes == [left]
    place.sweep()
    assert place.sizes == [left, left]


def test_a_run_whose_plan_is_unreadable_is_neither_fatal_nor_forgotten(place: Place) -> None:
    run = place.add_run("lost")
    (run / "run.json").write_text("{")
    (place.runs_dir / "a-file").write_text("in the way")
    assert place.sweep() == []
    assert run.exists()


def test_too_little_room_is_not_ready() -> None:
    space = FreeSpace(Path(), GB, free=lambda _: 2 * GB)
    space.require()
    space.require(calls=1000)
    with pytest.raises(NotReady) as refused:
        space.require(calls=100_000)
    assert (problems.of_refusal(refused.value).status, refused.value.code) == (503, "not_ready")
    assert "2.0 GB free" in refused.value.message
