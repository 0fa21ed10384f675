"""Jobs as files: they survive a restart, are never half-written, and belong to one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from evalcore.errors import ConfigurationError, StorageError
from evalhook import jobs
from evalhook.jobs import Failed, Job, Progress, Queued
from evalhook.recovery import end_interrupted
from evalhook.store import JobStore

NOW = "2026-01-01T00:00:00.000Z"


def make_job(job_id: str, created_at: str = NOW) -> Job:
    return Job(
        job_id=job_id,
        skill_name="memo",
        replicates=2,
        git_sha=None,
        prompt_commit="1" * 40,
        dataset_commit=None,
        created_at=created_at,
        progress=Progress(done=3, total=8),
        state=Queued(),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    store = JobStore(tmp_path / "jobs")
    store.open()
    yield store
    store.close()


def reopened(store: JobStore, folder: Path) -> JobStore:
    store.close()
    again = JobStore(folder)
    again.open()
    return again


def test_written_jobs_are_there_after_a_restart(store: JobStore, tmp_path: Path) -> None:
    job = jobs.start(make_job("a"), NOW)
    store.write(job)
    again = reopened(store, tmp_path / "jobs")
    assert again.get("a") == job
    again.close()


def test_showing_a_job_touches_no_file(store: JobStore, tmp_path: Path) -> None:
    store.show(make_job("a"))
    assert store.get("a") is not None
    assert not list((tmp_path / "jobs").glob("*.json"))


def test_the_newest_come_first_and_no_more_than_asked_for(store: JobStore) -> None:
    for day in (2, 1, 3):
        store.show(make_job(str(day), f"2026-01-0{day}T00:00:00.000Z"))
    assert [job.job_id for job in store.newest(2)] == ["3", "2"]


def test_a_second_process_is_refused(store: JobStore, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="another evalhook"):
        JobStore(tmp_path / "jobs").open()
    store.close()
    other = JobStore(tmp_path / "jobs")
    other.open()
    other.close()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"job_id": "broken"}', b"x" * 2_000_000])
def test_an_unreadable_file_is_passed_over_and_left_alone(
    store: JobStore, tmp_path: Path, damage: bytes
) -> None:
    file = tmp_path / "jobs" / "broken.json"
    file.write_bytes(damage)
    store.write(make_job("a"))
    again = reopened(store, tmp_path / "jobs")
    assert [job.job_id for job in again.newest(10)] == ["a"]
    assert file.read_bytes() == damage
    again.close()


def test_a_file_that_holds_another_job_is_passed_over(store: JobStore, tmp_path: Path) -> None:
    (tmp_path / "jobs" / "b.json").write_bytes(msgspec.json.encode(make_job("a")))
    again = reopened(store, tmp_path / "jobs")
    assert again.newest(10) == []
    again.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match="EVALHOOK_STATE_DIR"):
        JobStore(tmp_path / "file" / "jobs").open()


def test_a_job_that_cannot_be_written_is_a_storage_error(store: JobStore, tmp_path: Path) -> None:
    (tmp_path / "jobs" / "a.json").mkdir()
    with pytest.raises(StorageError):
        store.write(make_job("a"))


def test_jobs_left_unfinished_are_failed_as_interrupted(store: JobStore, tmp_path: Path) -> None:
    store.write(make_job("queued"))
    store.write(jobs.start(make_job("running"), NOW))
    again = reopened(store, tmp_path / "jobs")
    end_interrupted(again, NOW)
    third = reopened(again, tmp_path / "jobs")
    for job_id in ("queued", "running"):
        job = third.get(job_id)
        assert job is not None
        assert isinstance(job.state, Failed)
        assert job.state.error.code == "interrupted"
        assert "replies are kept" in job.state.error.message
    assert third.unfinished() == []
    third.close()
