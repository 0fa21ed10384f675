"""Jobs as files: they survive a restart, are never half-written, and belong to one process."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from evalcore.errors import ConfigurationError, StorageError
from evalhook import jobs
from evalhook.jobs import Job, Progress, Queued
from evalhook.storage.store import JobStore, PlanLost

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


def test_what_is_made_is_nobody_elses_to_read(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "above" / "state" / "jobs")
    store.open()
    store.close()
    made = [tmp_path / "above" / "state", tmp_path / "above" / "state" / "jobs"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in made] == [0o700, 0o700]


def test_what_a_killed_writer_left_is_removed_at_the_next_start(store: JobStore, tmp_path: Path) -> None:
    store.write(make_job("a"))
    (tmp_path / "jobs" / ".a.json.x1y2.tmp").write_text("{")
    again = reopened(store, tmp_path / "jobs")
    again.close()
    assert sorted(path.name for path in (tmp_path / "jobs").iterdir()) == [".lock", "a.json"]


def test_showing_a_job_touches_no_file(store: JobStore, tmp_path: Path) -> None:
    store.update(make_job("a"))
    assert store.get("a") is not None
    assert not list((tmp_path / "jobs").glob("*.json"))


def test_the_newest_come_first_and_no_more_than_asked_for(store: JobStore) -> None:
    for day in (2, 1, 3):
        store.update(make_job(str(day), f"2026-01-0{day}T00:00:00.000Z"))
    assert [job.job_id for job in store.newest(2)] == ["3", "2"]


def test_a_second_process_is_refused(store: JobStore, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="another evalhook"):
        JobStore(tmp_path / "jobs").open()
    store.close()
    other = JobStore(tmp_path / "jobs")
    other.open()
    other.close()


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b'{"job_id": "broken"}',
    b'{"job_id": "\xff"}',
    b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b"x" * 2_000_000,
]


@pytest.mark.parametrize("damage", DAMAGED, ids=range(len(DAMAGED)))
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


def test_jobs_left_unfinished_are_found_again_in_every_state(store: JobStore, tmp_path: Path) -> None:
    running = jobs.start(make_job("running"), NOW)
    for job in (make_job("queued"), running, jobs.publish(replace(running, job_id="publishing"), ())):
        store.write(job)
    store.write(jobs.fail(make_job("failed"), NOW, jobs.JobError("x", "y")))
    again = reopened(store, tmp_path / "jobs")
    assert {job.job_id for job in again.unfinished()} == {"queued", "running", "publishing"}
    again.close()


def test_a_plan_that_is_lost_or_damaged_is_told_as_interrupted(store: JobStore, tmp_path: Path) -> None:
    for contents in (None, *DAMAGED):
        if contents is not None:
            (tmp_path / "jobs" / "a.plan").write_bytes(contents)
        with pytest.raises(PlanLost, match="cannot go on; its replies are kept"):
            store.read_plan("a")


def test_a_killed_process_gives_the_folder_up(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from evalhook.storage.store import JobStore, PlanLost; "
        "JobStore(pathlib.Path(sys.argv[1])).open(); print('open', flush=True); sys.stdin.read()"
    )
    folder = tmp_path / "jobs"
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ConfigurationError, match="another evalhook"):
            JobStore(folder).open()
        holder.kill()
    mine = JobStore(folder)
    mine.open()
    mine.close()
