"""`evalhook rescore`: leaderboards come to the present rules by one pull request each, whatever is killed."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from evalcore.effects import real_effects
from evalcore.errors import ConfigurationError, EvaluatorError, UnknownComponent
from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.folder import RECORD, RunFolder
from evalcore.runs.leaderboard import known_records, parse_leaderboard
from evalcore.runs.record import RunRecord, record_object
from evalcore.scoring.score_run import score_run
from evalcore.version import SCORING_VERSION
from evalhook.commands.rescore import rescore_leaderboards
from evalhook.main import cli
from evalhook.storage.store import InUse, take_lock
from evalhook.worker import rescoring
from evalsim.github import Fault, SimulatedGitHub
from evalsim.github.state import App
from evalsim.serving import running
from evalsim.testing import (
    GITHUB_TOKEN,
    REPOSITORY,
    make_component,
    make_reply,
    make_run_plan,
    write_component,
    write_leaderboard,
)

IDS = [f"018f0000-0000-7000-8000-00000000000{number}" for number in range(1, 6)]


class Stage:
    """A library on a simulated GitHub, whose leaderboards are of older rules, and runs on this machine."""

    def __init__(self, folder: Path, app: SimulatedGitHub, url: str, environment: dict[str, str]) -> None:
        self.folder, self.app, self.url = folder, app, url
        self.environment = environment
        self.runs_dir = folder / "state" / "runs"
        self.seed = folder / "seed"
        self.records: dict[str, list[RunRecord]] = {}

    def run(self, run_id: str, slug: str = "memo", version: str = "1.0.0", text: str = '{"a": 1}') -> None:
        """A run as it was scored by the rules before the present ones."""
        if not self.records.get(slug):
            write_component(self.seed, slug)
        plan = make_run_plan(
            run_id=run_id,
            origin="vm",
            component=make_component(slug, version=version),
            prompt_commit="0" * 40,
            replicates=2,
        )
        folder = RunFolder.create(self.runs_dir, plan)
        for replicate in range(2):
            folder.append(make_reply(replicate=replicate, text=text))
        record = score_run(plan, folder.replies_of)
        record = msgspec.structs.replace(folder.with_hashes(record), scoring_version=SCORING_VERSION - 1)
        folder.close()
        (folder.path / RECORD).write_bytes(encode_canonical(record_object(record)))
        self.records.setdefault(slug, []).append(record)

    def publish_library(self) -> None:
        for slug, records in self.records.items():
            write_leaderboard(self.seed / "components" / slug / "leaderboard.json", *records, slug=slug)
        self.app.state.add_repository(REPOSITORY, self.seed)

    @property
    def repository(self) -> Any:
        return self.app.state.repositories[REPOSITORY]

    def rescore(self, slug: str | None = None) -> list[rescoring.RescoredComponent]:
        async def no_wait(seconds: float) -> None:
            del seconds

        effects = msgspec.structs.replace(real_effects(), sleep=no_wait)
        return list(rescore_leaderboards(self.environment, slug, effects))

    def at(self, branch: str, slug: str = "memo") -> list[RunRecord]:
        data = self.repository.bare.file(branch, f"components/{slug}/leaderboard.json")
        return known_records(parse_leaderboard(data, "x"))

    def merge(self) -> None:
        bare = self.repository.bare
        for pull in self.repository.pulls:
            bare.merge("main", bare.branch(pull.head), "Merge")
            pull.state = "closed"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatedGitHub, str]]:
    app = SimulatedGitHub(tmp_path_factory.mktemp("github"), token=GITHUB_TOKEN)
    with running(app) as url:
        yield app, url


@pytest.fixture
def stage(
    served: tuple[SimulatedGitHub, str], environment: Callable[..., dict[str, str]], tmp_path: Path
) -> Stage:
    app, url = served
    app.state.faults.clear()
    app.state.root = tmp_path / "github"
    chosen = environment(
        EVALHOOK_COMMIT_BACK="pr",
        EVALHOOK_GITHUB_REPO=REPOSITORY,
        EVALHOOK_GITHUB_API_URL=f"{url}/api/v3",
        EVALHOOK_PROMPT_LIBRARY_URL=f"{url}/{REPOSITORY}.git",
        GITHUB_TOKEN=GITHUB_TOKEN,
    )
    return Stage(tmp_path, app, url, chosen)


def test_every_component_has_one_pull_request_with_all_its_runs(stage: Stage) -> None:
    stage.run(IDS[0])
    stage.run(IDS[1], version="1.1.0")
    stage.run(IDS[2], slug="other")
    stage.publish_library()
    memo, other = stage.rescore()
    assert (memo.slug, memo.rescored, memo.absent, memo.problems) == ("memo", 2, 0, ())
    assert (other.slug, other.rescored) == ("other", 1)
    first, second = stage.repository.pulls
    assert (first.title, first.labels) == ("eval(memo): 1.1.0, 1 models", ["eval-results", "automerge"])
    assert "no model was called; runs of versions `1.0.0` (1), `1.1.0` (1)." in first.body
    assert second.title.startswith("eval(other)")
    before, after = stage.at("main"), stage.at(first.head)
    assert {record.run_id for record in before} < {record.run_id for record in after}
    new = [record for record in after if record not in before]
    assert {record.rescored_from for record in new} == set(IDS[:2])
    assert {record.scoring_version for record in new} == {SCORING_VERSION}


def test_once_merged_nothing_is_left_to_do_and_asking_again_opens_nothing(stage: Stage) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    stage.rescore("memo")
    stage.rescore("memo")
    assert len(stage.repository.pulls) == 1
    stage.merge()
    (done,) = stage.rescore("memo")
    assert (done.rescored, done.absent, done.published) == (0, 0, None)
    assert len(stage.repository.pulls) == 1


def test_runs_whose_replies_are_gone_or_altered_stay_as_they_were_scored(stage: Stage) -> None:
    for run_id in IDS[:3]:
        stage.run(run_id)
    stage.publish_library()
    (stage.runs_dir / IDS[0] / "run.json").unlink()
    replies = stage.runs_dir / IDS[1] / "replies.jsonl"
    replies.write_text(replies.read_text().replace('{\\"a\\": 1}', '{\\"a\\": 2}'))
    (done,) = stage.rescore()
    assert (done.rescored, done.absent) == (1, 1)
    (problem,) = done.problems
    assert f"{IDS[1]}: its files are not what they were" in problem


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
def test_killed_after_any_step_the_next_call_finishes_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    written: list[int] = []
    write = rescoring.write_atomically

    def dying(path: Path, data: bytes) -> None:
        write(path, data)
        written.append(1)
        if len(written) == step:
            raise Killed

    monkeypatch.setattr(rescoring, "write_atomically", dying)
    with pytest.raises(Killed):
        stage.rescore("memo")
    (done,) = stage.rescore("memo")
    (pull,) = stage.repository.pulls
    assert done.published is not None
    assert done.published.branch == pull.head
    assert pull.labels == ["eval-results", "automerge"]
    assert len(stage.at(pull.head)) == 2
    assert [name for name in stage.repository.bare.branches() if name != "main"] == [pull.head]


def test_what_was_left_of_another_publication_is_not_taken_for_this_one(stage: Stage) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    left = stage.folder / "state" / "rescoring" / "memo.json"
    left.parent.mkdir(parents=True)
    left.write_text(
        '{"job_id": "x", "run_ids": ["y"], "outbox": '
        '{"branch": "b", "is_pushed": true, "pull_request_url": "u", "is_labelled": true}}'
    )
    stage.rescore("memo")
    assert len(stage.repository.pulls) == 1
    left.write_text("no json")
    stage.rescore("memo")
    assert len(stage.repository.pulls) == 1


def test_a_failure_that_passes_is_waited_out(stage: Stage) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    stage.app.state.faults.add(Fault(on="labels.add", status=502, times=1))
    (done,) = stage.rescore()
    assert done.published is not None
    assert len(stage.repository.pulls) == 1


def test_cases_of_the_data_sets_stay_hashed(stage: Stage) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    stage.environment["EVALHOOK_PUBLISH_CASES"] = "hashed"
    (done,) = stage.rescore()
    assert done.published is not None
    new = next(record for record in stage.at(done.published.branch or "") if record.rescored_from)
    assert new.case_results[0].case != "one"


def test_the_command_says_what_became_of_each(stage: Stage) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    result = CliRunner().invoke(cli, ["rescore"], env=stage.environment)
    assert result.exit_code == 0, result.output
    said = f"memo: 1 run rescored, 0 without replies here; {stage.url}/{REPOSITORY}/pull/1"
    assert said in result.output
    assert GITHUB_TOKEN not in result.output


def test_a_component_without_runs_and_a_service_that_publishes_nothing_are_errors(stage: Stage) -> None:
    stage.run(IDS[0])
    with pytest.raises(UnknownComponent, match="no run of it is here"):
        stage.rescore("nothing")
    stage.environment["EVALHOOK_COMMIT_BACK"] = "none"
    with pytest.raises(ConfigurationError, match="nothing is committed back"):
        stage.rescore()


def test_two_at_once_are_one_too_many(stage: Stage) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    under_way = rescore_leaderboards(stage.environment, None)
    next(under_way)
    with pytest.raises(ConfigurationError, match="another `evalhook rescore`"):
        stage.rescore()
    under_way.close()


MINTED = "ghs_canary_of_an_installation_5e6f7081"


@pytest.fixture
def by_app(stage: Stage, app_key: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the service be an App whose tokens are known; give a line of its private key."""
    private, public = app_key
    stage.app.state.add_app("77", public)
    mint = stage.app.state.mint

    def minted(app: App) -> tuple[str, datetime]:
        _, expires = mint(app)
        stage.app.state.add_token(MINTED, login="evaluator-77[bot]", permissions=app.permissions)
        return MINTED, expires

    monkeypatch.setattr(stage.app.state, "mint", minted)
    del stage.environment["GITHUB_TOKEN"]
    stage.environment["EVALHOOK_GITHUB_APP_ID"] = "77"
    stage.environment["EVALHOOK_GITHUB_APP_PRIVATE_KEY"] = private
    stage.environment["EVALHOOK_AUTO_MERGE"] = "1"
    return private.splitlines()[3]


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(on="graphql", status=500, message=f"no {MINTED}", times=1),
        Fault(on="push", message=f"no {MINTED}", times=1),
        Fault(on="pulls.create", status=422, message=f"no {MINTED}"),
        Fault(on="installation", status=403, message="no"),
    ],
    ids=[
        "well",
        "auto-merge fails",
        "the push is refused",
        "the pull request is refused",
        "no token is made",
    ],
)
def test_an_apps_key_and_tokens_are_in_no_log_no_error_and_no_file(
    stage: Stage, by_app: str, fault: Fault | None, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    if fault is not None:
        stage.app.state.faults.add(fault)
    said = ""
    try:
        stage.rescore()
    except EvaluatorError as error:
        said = f"{error!r} {error.line} {''.join(traceback.format_exception(error))}"
    printed = capsys.readouterr()
    files = [path for path in (stage.folder / "state").rglob("*") if path.is_file()]
    assert files
    for canary in (by_app, MINTED):
        assert canary not in said + printed.out + printed.err
        assert [path for path in files if canary.encode() in path.read_bytes()] == []
    assert stage.app.state.tokens.get(MINTED) is not None or fault is not None


def test_a_second_one_is_refused_while_one_is_at_work(stage: Stage) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    folder = stage.folder / "state" / "rescoring"
    folder.mkdir(parents=True)
    held = take_lock(folder / ".lock", "", where="", hint="")
    with pytest.raises(InUse, match=r"another `evalhook rescore` is at work.*wait for its end"):
        stage.rescore()
    os.close(held)
    assert [one.rescored for one in stage.rescore()] == [1]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes through /proc")
def test_an_apps_key_and_tokens_are_in_no_process_that_is_started(stage: Stage, by_app: str) -> None:
    stage.run(IDS[0])
    stage.publish_library()
    stage.app.state.faults.add(Fault(on="push", delay=0.4))
    working = threading.Thread(target=stage.rescore)
    working.start()
    looked, told = 0, []
    while working.is_alive():
        for entry in Path("/proc").iterdir():
            # What git is given goes by a pipe: no argument holds it.
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                seen = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            looked += b"git" in seen
            told += [seen for canary in (by_app, MINTED) if canary.encode() in seen]
    working.join()
    assert len(stage.repository.pulls) == 1
    assert looked
    assert told == []
