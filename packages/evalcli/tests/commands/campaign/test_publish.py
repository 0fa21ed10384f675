"""`evalcli campaign publish`: a pull request for each component, one for all, or the leaderboards at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalcore.github.client import GitHub
from evalcore.github.tokens import FixedToken
from evalcore.runs.leaderboard import parse_leaderboard
from evalcore.secret import Secret
from evalsim.github import Fault, SimulatedGitHub
from evalsim.github.app import API
from evalsim.mindrouter import Fault as GatewayFault
from evalsim.serving import running
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git

pytestmark = pytest.mark.usefixtures("_seconds_between")

PRIVATE = "acme-merger"
BROKEN = "acme-lawsuit"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[tuple[SimulatedGitHub, str]]:
    app = SimulatedGitHub(tmp_path / "github", token=GITHUB_TOKEN)
    with running(app) as url:
        yield app, url


@pytest.fixture
def world(make_world: Callable[..., Any], tmp_path: Path) -> Any:
    """A campaign of two components that has ended, with cases of data sets."""
    for name, expected in ((PRIVATE, '{"amount": 5}'), (BROKEN, "{")):
        case = tmp_path / "evaluation-data-sets" / "memo" / name
        case.mkdir(parents=True)
        (case / "input.md").write_text(f"Of {name}.")
        (case / "expected.json").write_text(expected)
    made = make_world()
    made.file.write_text("models: [alpha]\nreplicates: 1\n")
    done = made.run("run", made.file)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def publish(world: Any, github: tuple[SimulatedGitHub, str]) -> Callable[..., Any]:
    app, url = github
    app.state.add_repository(REPOSITORY, world.library)
    access = {"GITHUB_TOKEN": GITHUB_TOKEN, "GITHUB_API_URL": f"{url}{API}", "GITHUB_REPOSITORY": REPOSITORY}
    return lambda *options, **changed: world.look("publish", "nightly", *options, **access | changed)


def published(app: SimulatedGitHub, head: str, slug: str) -> list[dict[str, Any]]:
    path = f"components/{slug}/leaderboard.json"
    data = app.state.repositories[REPOSITORY].bare.file(head, path)
    return [] if data is None else [dict(run) for run in parse_leaderboard(data, path).runs]


def test_each_component_has_a_pull_request_all_may_have_one_and_twice_is_nothing_new(
    world: Any, publish: Callable[..., Any], github: tuple[SimulatedGitHub, str]
) -> None:
    app, url = github
    records = {run["run_id"] for run in world.status()["runs"]}
    done = publish()
    assert done.code == 0, done.err
    assert done.out.splitlines() == [f"{url}/{REPOSITORY}/pull/{number}" for number in (1, 2)]
    repository = app.state.repositories[REPOSITORY]
    brought = [published(app, pull.head, slug) for pull in repository.pulls for slug in ("memo", "budget")]
    assert sorted(map(len, brought)) == [0, 0, 1, 1]
    assert {run["run_id"] for runs in brought for run in runs} == records
    again = publish()
    assert (again.code, again.out, len(repository.pulls)) == (0, "", 2), again.err
    commit = git(world.library, "rev-parse", "HEAD")[:12]
    for slug in ("budget", "memo"):
        said = f"nothing new: {REPOSITORY} has 1 run of {slug} 1.0.0 at {commit} already"
        assert said in again.err.splitlines()

    together = publish("--together")
    assert (together.code, together.out) == (0, f"{url}/{REPOSITORY}/pull/3\n"), together.err
    one = repository.pulls[2]
    assert {run["run_id"] for slug in ("memo", "budget") for run in published(app, one.head, slug)} == records
    assert "automerge" not in one.labels
    assert publish("--together").out == together.out
    assert len(repository.pulls) == 3
    assert git(repository.bare.path, "rev-list", "--count", f"main..{one.head}") == "1"

    # A private case's name is in the folders of this machine's runs, and nowhere else.
    pages = [f"{pull.title}\n{pull.body}" for pull in repository.pulls]
    boards = [json.dumps(published(app, pull.head, "memo")) for pull in repository.pulls]
    database = b"".join(path.read_bytes() for path in world.runs_dir.glob("campaigns.sqlite*"))
    assert records <= set(re.findall(r"[0-9a-f-]{36}", database.decode(errors="replace")))
    for name in (PRIVATE, BROKEN):
        assert not any(name in text for text in (*pages, *boards, done.err, together.err))
        assert name.encode() not in database
    cases = {case["case"] for board in boards for run in json.loads(board) for case in run["case_results"]}
    assert len(cases) == 3
    assert {"one", "two"} < cases
    assert any(PRIVATE in path.read_text() for path in world.runs_dir.glob("*/run.json"))


def test_here_the_leaderboards_at_hand_have_the_runs_once(world: Any) -> None:
    for _ in range(2):
        done = world.look("publish", world.file, "--here")
        assert done.code == 0, done.err
        for slug in ("memo", "budget"):
            path = world.library / "components" / slug / "leaderboard.json"
            assert len(parse_leaderboard(path.read_bytes(), "it").runs) == 1
            assert f"1 run is in components/{slug}/leaderboard.json" in done.err


def test_what_has_not_ended_complete_is_left_out_and_what_github_refuses_is_exit_code_1(
    make_world: Callable[..., Any], github: tuple[SimulatedGitHub, str]
) -> None:
    app, url = github
    world = make_world()
    world.file.write_text("models: [alpha]\ncomponents: [memo]\nreplicates: 1\n")
    app.state.add_repository(REPOSITORY, world.library)
    world.look("run", world.file, "--no-work")
    access = {"GITHUB_TOKEN": GITHUB_TOKEN, "GITHUB_API_URL": f"{url}{API}"}
    assert world.look("publish", "nightly").code == 2
    nothing = world.look("publish", "nightly", "--repo", REPOSITORY, **access)
    assert (nothing.code, nothing.out) == (3, "")
    assert "1 run is not published" in nothing.err
    assert world.run("worker").returncode == 0
    app.state.faults.add(Fault(on="push", message="protected branch", times=1))
    for options in ((), ("--together",)):
        app.state.faults.add(Fault(on="push", message="protected branch", times=1))
        refused = world.look("publish", "nightly", "--repo", REPOSITORY, *options, **access)
        assert (refused.code, refused.out) == (1, "")
        assert GITHUB_TOKEN not in refused.err
    app.state.faults.clear()
    assert world.look("publish", "nightly", "--repo", REPOSITORY, **access).code == 0


@pytest.fixture
def regression(
    make_world: Callable[..., Any], github: tuple[SimulatedGitHub, str]
) -> Callable[..., tuple[Any, Any]]:
    """A campaign of memo 1.1.0, which a merged pull request has brought and which is worse than 1.0.0.

    Returns what publishes it, and the repository.
    """
    app, url = github
    world = make_world()
    world.file.write_text("models: [alpha]\ncomponents: [memo]\nreplicates: 6\n")
    assert world.run("run", world.file).returncode == 0
    assert world.look("publish", world.file, "--here").code == 0
    git(world.library, "add", "--all")
    git(world.library, "commit", "-q", "-m", "results of 1.0.0")
    repository = app.state.add_repository(REPOSITORY, world.library)
    prompt = world.library / "components" / "memo" / "prompt.md"
    prompt.write_text(prompt.read_text().replace("1.0.0", "1.1.0"))
    git(world.library, "commit", "-q", "--all", "-m", "bump")
    git(world.library, "push", "-q", str(repository.bare.path), "HEAD:refs/heads/bump")
    GitHub(REPOSITORY, FixedToken(Secret(GITHUB_TOKEN)), api_url=f"{url}{API}").open_pull_request(
        "bump", "main", "bump", ""
    )
    (pull,) = repository.pulls
    pull.head_sha = git(world.library, "rev-parse", "HEAD")
    pull.merge_commit_sha = repository.bare.merge("main", pull.head_sha, "Merge")
    pull.state, pull.merged_at, pull.closed_at = "closed", "2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z"
    world.mindrouter.faults.add([GatewayFault(kind="broken_json")])
    second = world.file.with_name("second.yaml")
    second.write_text(world.file.read_text())
    assert world.run("run", second).returncode == 0
    access = {"GITHUB_TOKEN": GITHUB_TOKEN, "GITHUB_API_URL": f"{url}{API}", "GITHUB_REPOSITORY": REPOSITORY}
    return lambda *options: world.look("publish", "second", *options, **access), repository


@pytest.mark.parametrize("options", [(), ("--together",)], ids=["each", "together"])
def test_the_pull_request_that_brought_a_regression_is_told_once(
    regression: tuple[Callable[..., Any], Any], options: tuple[str, ...]
) -> None:
    publish, repository = regression
    done = publish(*options)
    assert done.code == 0, done.err
    bump, results = repository.pulls
    assert "regression, left for a person to merge: 1.1.0: alpha -100.0\n" in done.err
    assert f"told on {done.out.strip().replace('/pull/2', '/pull/1')}\n" in done.err
    assert publish(*options).code == 0
    (comment,) = bump.comments
    assert comment.body.startswith(
        "**Regression** in `memo` version `1.1.0`, which this pull request brought"
    )
    assert f"/pull/{results.number}" in comment.body
    assert results.labels == ["eval-results"]
