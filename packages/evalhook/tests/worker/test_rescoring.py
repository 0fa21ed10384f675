"""A component's runs by later rules: which are scored again, which are left, and what is remembered of it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import msgspec
import pytest

from evalcore.errors import LeaderboardError
from evalcore.formats.strict_json import encode_canonical
from evalcore.git.clone import Clone
from evalcore.git.errors import PushRefused
from evalcore.runs.case_privacy import CasePrivacy
from evalcore.runs.folder import RECORD, RunFolder
from evalcore.runs.leaderboard import known_records, parse_leaderboard
from evalcore.runs.record import RunRecord, record_object
from evalcore.scoring.score_run import score_run
from evalcore.version import SCORING_VERSION
from evalhook.worker.rescoring import ComponentRescorer, RescoredComponent, runs_by_component
from evalsim.library import as_git
from evalsim.testing import (
    git,
    make_committer,
    make_component,
    make_reply,
    make_run_plan,
    write_component,
    write_leaderboard,
)

IDS = [f"018f0000-0000-7000-8000-00000000000{number}" for number in range(1, 6)]
BOARD = "components/memo/leaderboard.json"


class Library:
    """A prompt library on a remote of this disk, whose results are pushed, and runs beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs_dir = folder, folder / "runs"
        self.remote = folder / "library"
        self.pending = folder / "rescoring" / "memo.json"
        self.records: list[RunRecord] = []
        self.ids: list[str] = []
        self.runs_dir.mkdir()
        self.pending.parent.mkdir()
        write_component(self.remote, "memo")

    def run(self, run_id: str, *, scoring_version: int = SCORING_VERSION - 1) -> Path:
        """Make a run as it was scored by other rules; it is in the leaderboard once that is published."""
        planned = make_run_plan(
            run_id=run_id,
            origin="vm",
            component=make_component("memo"),
            prompt_commit="0" * 40,
            replicates=1,
        )
        folder = RunFolder.create(self.runs_dir, planned)
        folder.append(make_reply(text='{"a": 1}', request_id=run_id))
        record = folder.with_hashes(score_run(planned, folder.replies_of))
        record = msgspec.structs.replace(record, scoring_version=scoring_version)
        folder.close()
        (folder.path / RECORD).write_bytes(encode_canonical(record_object(record)))
        self.records.append(record)
        return folder.path

    def publish(self) -> None:
        write_leaderboard(self.remote / BOARD, *self.records)
        as_git(self.remote)
        git(self.remote, "config", "receive.denyCurrentBranch", "ignore")

    def rescore(self, **privacy) -> RescoredComponent:
        clone = Clone(
            self.folder / "clone",
            work=self.folder / "work",
            url=f"file://{self.remote}",
            default_branch="main",
        )
        clone.ensure()
        rescorer = ComponentRescorer(
            clone,
            make_committer(clone, mode="push"),
            CasePrivacy(privacy.get("setting", "names"), b"k" * 32),
            self.pending.parent,
            self._new_id,
        )
        return rescorer.rescore("memo", runs_by_component(self.runs_dir).get("memo", {}))

    def _new_id(self) -> str:
        self.ids.append(str(uuid.uuid4()))
        return self.ids[-1]

    def published(self) -> list[RunRecord]:
        data = git(self.remote, "show", f"main:{BOARD}").encode()
        return known_records(parse_leaderboard(data, "x"))

    def rescored(self) -> list[str | None]:
        """The runs of which the leaderboard has a record by the present rules beside the first."""
        found = [one for one in self.published() if one.rescored_from is not None]
        assert {one.scoring_version for one in found} <= {SCORING_VERSION}
        return sorted(one.rescored_from for one in found)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


# which runs there are


def test_run_folders_are_known_by_their_component_and_id(tmp_path: Path) -> None:
    for run_id, slug in [(IDS[0], "memo"), (IDS[1], "other"), (IDS[2], "memo")]:
        RunFolder.create(tmp_path, make_run_plan(run_id=run_id, component=make_component(slug))).close()
    found = runs_by_component(tmp_path)
    assert {slug: sorted(runs) for slug, runs in found.items()} == {
        "memo": [IDS[0], IDS[2]],
        "other": [IDS[1]],
    }
    assert found["other"][IDS[1]] == tmp_path / IDS[1]


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b'{"component": {}}',
    b'{"component": {"slug": 7}}',
    b'{"component": {"slug": "\xff"}}',
    b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
]


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
def test_a_folder_without_a_readable_plan_is_left_out_and_the_others_are_found(tmp_path: Path, data) -> None:
    RunFolder.create(tmp_path, make_run_plan(run_id=IDS[0], component=make_component("memo"))).close()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_bytes(data)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a-file").write_text("")
    assert {slug: sorted(runs) for slug, runs in runs_by_component(tmp_path).items()} == {"memo": [IDS[0]]}


def test_of_no_folder_there_are_no_runs(tmp_path: Path) -> None:
    assert runs_by_component(tmp_path / "nothing") == {}


# which are scored again


def test_only_runs_of_older_rules_are_scored_again(library: Library) -> None:
    library.run(IDS[0])
    library.run(IDS[1], scoring_version=SCORING_VERSION)
    library.publish()
    done = library.rescore()
    assert (done.rescored, done.absent, done.problems) == (1, 0, ())
    assert library.rescored() == [IDS[0]]


def test_the_records_by_the_older_rules_stay(library: Library) -> None:
    library.run(IDS[0])
    library.publish()
    before = library.published()
    library.rescore()
    assert [one for one in library.published() if one.rescored_from is None] == before


def test_where_all_is_by_the_present_rules_nothing_is_published(library: Library) -> None:
    library.run(IDS[0], scoring_version=SCORING_VERSION)
    library.publish()
    tip = git(library.remote, "rev-parse", "main")
    assert library.rescore() == RescoredComponent("memo", 0, 0, (), None)
    assert git(library.remote, "rev-parse", "main") == tip


def test_a_second_time_there_is_nothing_left(library: Library) -> None:
    library.run(IDS[0])
    library.publish()
    library.rescore()
    done = library.rescore()
    assert (done.rescored, done.absent, done.published) == (0, 0, None)


def test_a_run_whose_folder_is_elsewhere_is_counted_as_absent(library: Library) -> None:
    path = library.run(IDS[0])
    library.run(IDS[1])
    library.publish()
    path.rename(library.folder / "elsewhere")
    done = library.rescore()
    assert (done.rescored, done.absent) == (1, 1)
    assert library.rescored() == [IDS[1]]


def test_a_run_that_nobody_published_is_not_published_now(library: Library) -> None:
    library.run(IDS[0])
    library.publish()
    library.run(IDS[1])
    assert library.rescore().rescored == 1
    assert library.rescored() == [IDS[0]]


def test_a_run_without_all_its_replies_is_a_problem_and_the_others_are_published(library: Library) -> None:
    path = library.run(IDS[0])
    library.run(IDS[1])
    library.publish()
    (path / "replies.jsonl").write_text("")
    done = library.rescore()
    assert done.rescored == 1
    (problem,) = done.problems
    assert "0 of 1 replies" in problem
    assert library.rescored() == [IDS[1]]


def test_a_reply_that_was_changed_is_a_problem_and_no_new_number(library: Library) -> None:
    path = library.run(IDS[0])
    library.publish()
    replies = path / "replies.jsonl"
    replies.write_text(replies.read_text().replace('{\\"a\\": 1}', '{\\"a\\": 2}'))
    done = library.rescore()
    assert (done.rescored, done.published) == (0, None)
    assert done.problems[0].startswith(f"{IDS[0]}: its files are not what they were: replies.jsonl")
    assert library.rescored() == []


def test_a_run_is_held_against_its_own_record_since_cases_of_the_leaderboard_may_be_hashed(library) -> None:
    path = library.run(IDS[0])
    hashed = CasePrivacy("hashed", b"k" * 32)
    (record,) = library.records
    plan = RunFolder.open_to_read(path).plan
    library.records = [hashed.record(record, plan.component, plan.cases)]
    library.publish()
    done = library.rescore(setting="hashed")
    assert (done.rescored, done.problems) == (1, ())
    assert all(result.case != "one" for one in library.published() for result in one.case_results)


def test_where_the_folder_lost_its_record_the_one_of_the_leaderboard_counts(library: Library) -> None:
    path = library.run(IDS[0])
    library.publish()
    (path / RECORD).unlink()
    assert library.rescore().rescored == 1
    assert library.rescored() == [IDS[0]]


def test_a_leaderboard_that_cannot_be_read_is_an_error_and_stays(library: Library) -> None:
    library.run(IDS[0])
    library.publish()
    (library.remote / BOARD).write_text("{")
    git(library.remote, "commit", "--quiet", "--all", "--message=Break")
    with pytest.raises(LeaderboardError):
        library.rescore()
    assert git(library.remote, "show", f"main:{BOARD}") == "{"


# what is remembered


def test_once_published_nothing_is_remembered(library: Library) -> None:
    library.run(IDS[0])
    library.publish()
    library.rescore()
    assert not library.pending.exists()
    assert len(library.ids) == 1


def test_what_was_remembered_goes_where_nothing_is_left_to_do(library: Library) -> None:
    library.run(IDS[0], scoring_version=SCORING_VERSION)
    library.publish()
    library.pending.write_text('{"job_id": "x", "run_ids": []}')
    library.rescore()
    assert not library.pending.exists()


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
def test_what_cannot_be_read_of_before_is_begun_anew(library: Library, data: bytes) -> None:
    library.run(IDS[0])
    library.publish()
    library.pending.write_bytes(data)
    assert library.rescore().rescored == 1
    assert library.rescored() == [IDS[0]]


def test_what_broke_off_goes_on_under_the_id_it_was_begun_with(library: Library) -> None:
    library.run(IDS[0])
    library.publish()
    hook = library.remote / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PushRefused):
        library.rescore()
    begun = json.loads(library.pending.read_bytes())
    hook.unlink()
    assert library.rescore().rescored == 1
    assert library.ids == [begun["job_id"]]
    assert not library.pending.exists()
