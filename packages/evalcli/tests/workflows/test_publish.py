"""`evalcli publish`: the pull request of the service, from runs' folders and from records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evalcli.workflows import publishing
from evalcore.formats.strict_json import sha256_hex
from evalcore.git.clone import Clone
from evalcore.git.credentials import Credentials
from evalcore.github.client import GitHub
from evalcore.github.tokens import FixedToken
from evalcore.library.models import Model
from evalcore.publishing.committer import Committer
from evalcore.runs.folder import RunFolder
from evalcore.runs.leaderboard import parse_leaderboard
from evalcore.runs.record import RunRecord, record_object
from evalcore.scoring.score_run import score_run
from evalcore.secret import Secret
from evalsim.github import Fault, SimulatedGitHub
from evalsim.github.app import API
from evalsim.serving import running
from evalsim.testing import (
    GITHUB_TOKEN,
    REPOSITORY,
    git,
    make_case,
    make_committer,
    make_component,
    make_job_plan,
    make_record,
    make_reply,
    make_run_plan,
    make_scored_record,
    write_component,
    write_leaderboard,
)

pytestmark = pytest.mark.usefixtures("_seconds_between")

BOARD = "components/memo/leaderboard.json"
PROMPT = sha256_hex(b"Answer.")
NAME = re.compile(r"eval-results/memo-([0-9a-f]{12})-\d{8}T\d{6}Z")


class World:
    def __init__(self, root: Path, app: SimulatedGitHub, url: str) -> None:
        self.root, self.app, self.url = root, app, url
        self.commit = ""

    def add(self, name: str = REPOSITORY) -> Any:
        seed = self.root / name.replace("/", "-")
        git(self.root, "init", "-q", "--initial-branch=main", str(seed))
        write_component(seed, cases={"one": {}})
        write_component(seed, "other", prompt_file="---\nname: o\nversion: 1.0.0\n---\n## Prompt\nElse.\n")
        git(seed, "add", "--all")
        git(seed, "commit", "-q", "-m", "library")
        self.commit = git(seed, "rev-parse", "HEAD")
        return self.app.state.add_repository(name, seed)

    def record(self, number: int = 1, **fields: Any) -> RunRecord:
        given = {"prompt_commit": self.commit, "prompt_sha256": PROMPT, "origin": "actions", **fields}
        return make_record(number, **given)

    def write(self, name: str, *records: RunRecord) -> Path:
        path = self.root / name
        path.write_text(json.dumps([record_object(record) for record in records]))
        return path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    app = SimulatedGitHub(tmp_path / "github", token=GITHUB_TOKEN)
    with running(app) as url:
        made = World(tmp_path, app, url)
        made.add()
        yield made


@pytest.fixture
def publish(evalcli: Callable[..., Any], world: World) -> Callable[..., Any]:
    def run(*arguments: object, repo: str = REPOSITORY, **environment: str | None) -> Any:
        given = {
            "GITHUB_TOKEN": GITHUB_TOKEN,
            "GITHUB_API_URL": f"{world.url}{API}",
            "GITHUB_ACTIONS": "true",
        }
        return evalcli("publish", *arguments, "--repo", repo, **{**given, **environment})

    return run


def board(world: World, branch: str, repo: str = REPOSITORY) -> list[dict[str, Any]]:
    data = world.app.state.repositories[repo].bare.file(branch, BOARD)
    return [dict(run) for run in parse_leaderboard(data, BOARD).runs]


def test_the_pull_request_is_the_services_word_for_word(world: World, publish: Callable[..., Any]) -> None:
    records = [world.record(1), world.record(2, model="beta", mean=0.5)]
    path = world.write("records.json", *records)
    ended = publish(path)
    assert (ended.code, ended.out) == (0, f"{world.url}/{REPOSITORY}/pull/1\n"), ended.err
    theirs = world.add("acme/service")
    clone = Clone(
        world.root / "clone",
        work=world.root / "work",
        url=f"{world.url}/acme/service.git",
        credentials=Credentials(world.url, lambda: GITHUB_TOKEN),
    )
    clone.ensure()
    github = GitHub("acme/service", FixedToken(Secret(GITHUB_TOKEN)), api_url=f"{world.url}{API}")
    plan = make_job_plan(
        job_id=records[0].job_id,
        component=make_component(),
        prompt_commit=world.commit,
        replicates=1,
    )
    make_committer(clone, github=github).publish(plan, records)
    ours = world.app.state.repositories[REPOSITORY]
    ((mine,), (other,)) = (ours.pulls, theirs.pulls)
    assert (mine.title, mine.body, mine.labels, mine.base) == (
        other.title,
        other.body,
        other.labels,
        other.base,
    )
    for repository, pull in ((ours, mine), (theirs, other)):
        assert NAME.fullmatch(pull.head)[1] == world.commit[:12]
        shown = git(repository.bare.path, "log", "-1", "--format=%B%an%ae", "--name-status", pull.head)
        assert shown.startswith("eval(memo): 1.0.0, 2 models\n\n")
    logs = [
        git(repository.bare.path, "log", "--format=%B%an%ae%T", "--name-status", f"main..{pull.head}")
        for repository, pull in ((ours, mine), (theirs, other))
    ]
    assert logs[0] == logs[1]


def test_records_of_a_matrix_are_merged_and_publishing_again_changes_nothing(
    world: World, publish: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Branches are named by the second: in the same one the first pull request would be found again.
    minutes = (datetime(2026, 1, 5, 9, minute, tzinfo=UTC) for minute in count())
    monkeypatch.setattr(publishing, "Committer", partial(Committer, now=lambda: next(minutes)))
    first = world.write("a.json", world.record(1), world.record(2, model="beta"))
    second = world.write("b.json", world.record(2, model="beta"), world.record(3, model="gamma", job_id="j"))
    assert publish(first, second).code == 0
    (pull,) = world.app.state.repositories[REPOSITORY].pulls
    assert [run["model"] for run in board(world, pull.head)] == ["alpha", "beta", "gamma"]
    again = publish(second, first)
    assert (again.code, again.out) == (0, "")
    assert "nothing new" in again.err
    third = publish(world.write("c.json", world.record(4, model="delta")))
    assert third.out.endswith("/pull/2\n")
    pulls = world.app.state.repositories[REPOSITORY].pulls
    assert len(board(world, pulls[1].head)) == 4  # built on the open one


def test_a_leaderboard_names_its_component_and_so_does_a_runs_folder(
    world: World, publish: Callable[..., Any], make_run: Callable[..., Path]
) -> None:
    leaderboard = world.root / "leaderboard.json"
    runs = [record_object(world.record(1))]
    leaderboard.write_text(json.dumps({"schema_version": 1, "component": "memo", "runs": runs}))
    component = make_component(version="1.0.0")
    folder = make_run([{}], 5, prompt_commit=world.commit, component=component, origin="actions")
    assert publish(leaderboard, folder).code == 0
    (pull,) = world.app.state.repositories[REPOSITORY].pulls
    assert len(board(world, pull.head)) == 2


@pytest.mark.parametrize("named", ["memo", "memo@1.0.0", "the beginning of its id"])
def test_a_run_of_the_library_that_one_is_in_is_named_as_everywhere(
    world: World,
    publish: Callable[..., Any],
    make_run: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    named: str,
) -> None:
    folder = make_run([{}], 5, prompt_commit=world.commit, component=make_component(version="1.0.0"))
    library = world.root / REPOSITORY.replace("/", "-")
    (library / ".evaluator" / "runs").mkdir(parents=True)
    folder.rename(library / ".evaluator" / "runs" / folder.name)
    monkeypatch.chdir(library / "components" / "memo")
    ended = publish(named if named.startswith("memo") else folder.name[:-1])
    assert ended.code == 0, ended.err
    assert ended.out.endswith("/pull/1\n")
    # A component's name may stand for several runs: which they were is said.
    assert f"1 run of memo 1.0.0: {folder.name} (" in ended.err


@pytest.fixture
def kept(world: World, make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Keep a run in the library that one is in."""
    library = world.root / REPOSITORY.replace("/", "-")
    (library / ".evaluator" / "runs").mkdir(parents=True)
    monkeypatch.chdir(library / "components" / "memo")

    def keep(number: int, version: str = "1.0.0", *, is_recorded: bool = True, **fields: Any) -> Path:
        given = {"prompt_commit": world.commit, "component": make_component(version=version)} | fields
        folder = make_run([{}], number, is_recorded=is_recorded, **given)
        return folder.rename(library / ".evaluator" / "runs" / folder.name)

    return keep


def test_a_components_name_stands_for_all_complete_runs_of_its_newest_version_and_what_is_left_is_said(
    world: World, publish: Callable[..., Any], kept: Callable[..., Path]
) -> None:
    alpha, beta = kept(5, model=Model("alpha", "mindrouter")), kept(6, model=Model("beta", "mindrouter"))
    partial = kept(7)
    record = json.loads((partial / "record.json").read_text()) | {"status": "partial"}
    (partial / "record.json").write_text(json.dumps(record))
    unfinished, elsewhere = kept(8, is_recorded=False), kept(9, prompt_commit=None)
    kept(3, version="0.9.0")
    ended = publish("memo")
    assert ended.code == 0, ended.err
    (pull,) = world.app.state.repositories[REPOSITORY].pulls
    assert {run["run_id"] for run in board(world, pull.head)} == {alpha.name, beta.name}
    assert "2 runs of memo 1.0.0: " in ended.err
    left = ended.err.splitlines()[-1]
    assert left.startswith("not published: 1 complete run of memo 0.9.0 (`evalcli publish memo@0.9.0`); ")
    assert f"1 run of no commit ({elsewhere.name})" in left
    assert f"1 partial run (by its id, to have it shown and not ranked: {partial.name})" in left
    assert f"1 unfinished run ({unfinished.name})" in left
    again = publish("memo@1.0.0/alpha")
    assert "nothing new" in again.err
    assert "complete run of memo 1.0.0" not in again.err


def test_a_run_that_is_named_leaves_the_others_and_says_so(
    publish: Callable[..., Any], kept: Callable[..., Path]
) -> None:
    kept(5, model=Model("alpha", "mindrouter"))
    kept(6, model=Model("beta", "mindrouter"))
    ended = publish("memo@1.0.0/alpha")
    assert ended.code == 0, ended.err
    assert ended.err.splitlines()[-1] == (
        "not published: 1 complete run of memo 1.0.0 (`evalcli publish memo@1.0.0`)"
    )
    assert "not published" not in publish("memo").err


def test_cases_of_the_data_sets_are_never_named(
    world: World, publish: Callable[..., Any], make_run: Callable[..., Path]
) -> None:
    secret = {"case": "acme-merger", "sha256": "c" * 64, "validated_against_version": None,
              "scores": [1.0], "reproducibility": None}  # fmt: skip
    named = world.write("named.json", world.record(7, case_results=[secret]))
    refused = publish(named)
    assert (refused.code, "names a case that is not the prompt library's own" in refused.err) == (2, True)
    assert "acme-merger" not in refused.err
    case = make_case("one", source="data_sets")
    folder = make_run(["{}"], prompt_commit=world.commit, component=make_component(), cases=[case])
    assert publish(folder, GITHUB_ACTIONS=None).code == 0
    (pull,) = world.app.state.repositories[REPOSITORY].pulls
    (run,) = board(world, pull.head)
    assert re.fullmatch(r"unpaired-[0-9a-f]{20}", run["case_results"][0]["case"])
    assert publish(named, EVALHOOK_PUBLISH_CASES="names").code == 0


def test_what_cannot_be_used_is_2_and_changes_nothing(world: World, publish: Callable[..., Any]) -> None:
    text = world.root / "text.json"
    text.write_text("{")
    unknown = world.root / "unknown.json"
    unknown.write_text(json.dumps([record_object(world.record(1)) | {"of_tomorrow": 1}]))
    empty = world.root / "folder"
    empty.mkdir()
    for path, words in (
        (text, "not valid JSON"),
        (unknown, "has fields that this version does not know"),
        (empty, "no run"),
        (world.write("none.json", world.record(1, prompt_commit=None)), "is of no commit"),
        (world.write("prompt.json", world.record(1, prompt_sha256="f" * 64)), "has no such prompt there"),
        (world.write("version.json", world.record(1, component_version="1.0.1")), "has no such prompt there"),
        (world.root / "absent.json", "no run is "),
    ):
        ended = publish(path)
        assert (ended.code, ended.out) == (2, ""), path
        assert words in ended.err
        assert len(ended.err.splitlines()) == 1
    assert publish(text, GITHUB_TOKEN=None).code == 2
    assert publish(world.write("a.json", world.record(1)), GITHUB_API_URL="http://127.0.0.1:1/odd").code == 1
    assert world.app.state.repositories[REPOSITORY].pulls == []


def test_an_empty_repository_is_named_and_no_folder_that_is_gone(
    world: World, publish: Callable[..., Any]
) -> None:
    git(world.app.state.repositories[REPOSITORY].bare.path, "update-ref", "-d", "refs/heads/main")
    ended = publish(world.write("a.json", world.record(1)))
    said = f"evalcli: {REPOSITORY}: it has no branch main yet; push the prompt library there first\n"
    assert (ended.code, ended.err) == (1, said)


def test_a_refusal_is_1_and_the_next_try_completes_it(world: World, publish: Callable[..., Any]) -> None:
    path = world.write("a.json", world.record(1))
    assert publish(world.write("b.json", world.record(1, prompt_commit="f" * 40))).code == 1
    assert publish(path, repo="acme/none").code == 1
    assert publish(path, GITHUB_TOKEN="ghp_unknown").code == 1
    world.app.state.faults.add(Fault(on="push", message="protected branch", times=1))
    refused = publish(path)
    assert (refused.code, refused.out) == (1, "")
    assert GITHUB_TOKEN not in refused.err
    assert publish(path).code == 0
    (pull,) = world.app.state.repositories[REPOSITORY].pulls
    assert pull.labels == ["eval-results", "automerge"]


def test_a_clone_that_is_there_is_used_and_left_as_it_is(world: World, publish: Callable[..., Any]) -> None:
    path = world.write("a.json", world.record(1))
    bare = world.app.state.repositories[REPOSITORY].bare.path
    for depth, folder in (("--depth=1", "shallow"), ("--no-local", "whole")):
        git(world.root, "clone", "-q", depth, f"file://{bare}", folder)
        git(world.root / folder, "remote", "set-url", "origin", f"{world.url}/{REPOSITORY}.git")
    assert publish(path, "--prompt-library", world.root / "whole").code == 0
    assert git(world.root / "whole", "status", "--porcelain", "--branch") == "## main...origin/main"
    git(world.root / "whole", "remote", "set-url", "origin", f"{world.url}/acme/other.git")
    another = publish(path, "--prompt-library", world.root / "whole")
    assert (another.code, "its origin is" in another.err) == (1, True)
    git(world.root / "shallow", "fetch", "-q", "--depth=1", f"file://{bare}", "main")
    if git(world.root / "shallow", "rev-parse", "--is-shallow-repository") == "true":
        ended = publish(path, "--prompt-library", world.root / "shallow")
        assert (ended.code, "shallow" in ended.err) == (2, True)


def test_a_record_is_carried_whole(world: World, publish: Callable[..., Any]) -> None:
    record = world.record(1, schema_valid_rate=0.123456789)
    publish(world.write("a.json", record))
    (pull,) = world.app.state.repositories[REPOSITORY].pulls
    assert msgspec.convert(board(world, pull.head)[0], RunRecord) == record


def regression(world: World) -> Path:
    """Let a merged pull request bring a commit, and return its results, worse than the version before."""
    repository, seed = world.app.state.repositories[REPOSITORY], world.root / REPOSITORY.replace("/", "-")
    old = make_scored_record(1, [0.9] * 10, component_version="0.9.0", model="good")
    write_leaderboard(seed / BOARD, old)
    git(seed, "add", "--all")
    git(seed, "commit", "-q", "-m", "bump")
    git(seed, "push", "-q", str(repository.bare.path), "HEAD:refs/heads/bump")
    world.commit = git(seed, "rev-parse", "HEAD")
    GitHub(REPOSITORY, FixedToken(Secret(GITHUB_TOKEN)), api_url=f"{world.url}{API}").open_pull_request(
        "bump", "main", "bump", ""
    )
    (pull,) = repository.pulls
    pull.merge_commit_sha, pull.head_sha = repository.bare.merge("main", world.commit, "Merge"), world.commit
    pull.state, pull.merged_at, pull.closed_at = "closed", "2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z"
    scored = {"prompt_commit": world.commit, "prompt_sha256": PROMPT, "model": "good"}
    new = make_scored_record(2, [0.5] * 10, component_version="1.0.0", **scored)
    return world.write("worse.json", new)


def test_the_pull_request_that_brought_a_regression_is_told_once(
    world: World, publish: Callable[..., Any]
) -> None:
    path = regression(world)
    ended = publish(path)
    assert (ended.code, "told on " in ended.err) == (0, True)
    publish(path)
    bump, results = world.app.state.repositories[REPOSITORY].pulls
    (comment,) = bump.comments
    assert comment.body.startswith("**Regression** in `memo` version `1.0.0`")
    assert f"/pull/{results.number}" in comment.body
    assert results.labels == ["eval-results"]


def test_results_are_published_where_comments_may_not_be_written(
    world: World, publish: Callable[..., Any]
) -> None:
    path = regression(world)
    world.app.state.faults.add(Fault(on="comments.create", status=403))
    ended = publish(path)
    assert ended.code == 0
    assert ended.out.startswith(f"{world.url}/{REPOSITORY}/pull/")
    assert "the pull request that brought the version is not told: " in ended.err


def test_the_pull_request_links_to_the_dashboard(world: World, publish: Callable[..., Any]) -> None:
    publish(world.write("a.json", world.record(1)), EVALHOOK_DASHBOARD_URL="https://university.example/e")
    (pull,) = world.app.state.repositories[REPOSITORY].pulls
    assert "[Dashboard](https://university.example/e/components/" in pull.body


def test_a_dashboard_that_is_no_address_is_refused(world: World, publish: Callable[..., Any]) -> None:
    ended = publish(world.write("a.json", world.record(1)), EVALHOOK_DASHBOARD_URL="javascript:alert(1)")
    assert ended.code == 2
    assert ended.err == (
        "evalcli: EVALHOOK_DASHBOARD_URL: is not the address of a site; write it as "
        "https://owner.github.io/name\n"
    )


def test_results_are_set_to_merge_as_the_services_are(world: World, publish: Callable[..., Any]) -> None:
    repository = world.app.state.repositories[REPOSITORY]
    repository.allow_auto_merge, repository.required_contexts = True, ("checks",)
    publish(world.write("a.json", world.record(1)))
    publish(world.write("b.json", world.record(2)), EVALHOOK_AUTO_MERGE="1")
    labelled, automatic = repository.pulls
    assert (labelled.labels, labelled.auto_merge) == (["eval-results", "automerge"], None)
    assert (automatic.labels, automatic.auto_merge is None) == (["eval-results"], False)


def run_folder(world: World, answer: str) -> Path:
    """The folder of a finished run of the library's own case, as `evaluate` leaves it."""
    plan = make_run_plan(
        run_id=make_record(1).run_id,
        component=make_component(),
        cases=[make_case("one", {"title": "expected"})],
        replicates=1,
        prompt_commit=world.commit,
    )
    folder = RunFolder.create(world.root / "runs", plan)
    try:
        folder.append(make_reply("one", 0, answer))
        folder.write_record(score_run(plan, folder.replies_of))
    finally:
        folder.close()
    return folder.path


@pytest.mark.parametrize("how", ["option", "setting", "neither"])
def test_reports_are_published_where_they_are_asked_for(
    world: World, publish: Callable[..., Any], how: str
) -> None:
    options = ["--publish-report"] if how == "option" else []
    environment = {"EVALHOOK_PUBLISH_REPORTS": "1"} if how == "setting" else {}
    ended = publish(run_folder(world, '{"title": "answered"}'), *options, **environment)
    assert ended.code == 0, ended.err
    repository = world.app.state.repositories[REPOSITORY]
    (pull,) = repository.pulls
    changed = git(repository.bare.path, "diff", "--name-only", "main", pull.head).splitlines()
    pages = [path for path in changed if path.endswith("REPORT.md")]
    assert len(pages) == (how != "neither")
    if pages:
        assert "answered" in git(repository.bare.path, "show", f"{pull.head}:{pages[0]}")
        again = publish(world.root / "runs" / make_record(1).run_id, *options, **environment)
        assert again.err.startswith("nothing new"), again.err


def test_a_commit_that_was_never_pushed_is_named_with_what_to_do(
    world: World, publish: Callable[..., Any]
) -> None:
    ended = publish(world.write("records.json", world.record(1, prompt_commit="a" * 40)))
    assert (ended.code, ended.out) == (1, "")
    assert "main does not hold commit aaaaaaaaaaaa, which was evaluated; merge it first" in ended.err
