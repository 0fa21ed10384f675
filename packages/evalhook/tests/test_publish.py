"""Commit-back against a real git remote and GitHub's REST API, simulated: the story, and its bad days."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evalcore.errors import LeaderboardError, RepositoryError
from evalcore.git import Clone, Credentials, commit_file
from evalcore.git.errors import CloneMissing, PushOutdated, PushRefused, UnsafePath
from evalcore.github.client import GitHub
from evalcore.github.tokens import FixedToken
from evalcore.github.transport import PullRequestRefused
from evalcore.publishing.committer import Committer
from evalcore.publishing.outbox import Outbox, Published
from evalcore.publishing.refresh import Refresher
from evalcore.runs.leaderboard import (
    encode_leaderboard,
    leaderboard_of,
    merge_leaderboards,
    parse_leaderboard,
)
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord
from evalcore.secret import Secret
from evalsim.github import Fault, SimulatedGitHub
from evalsim.serving import running
from evalsim.testing import git, make_component, make_job_plan, make_record

TOKEN = "ghp_canary_7f3a9b2c4d5e6f708192a3b4c5d6e7f8"
NAME = "acme/prompt-library"
BOARD = "components/budget/leaderboard.json"
EMPTY = b'{"schema_version": 1, "component": "budget", "runs": []}'
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def record(run_id: str, model: str = "good", **changes: Any) -> RunRecord:
    values = {
        "run_id": run_id,
        "job_id": "job-1",
        "component_version": "1.2.0",
        "prompt_commit": "c" * 40,
        "model": model,
        "replicates": 2,
        "case_results": [],
        "calls": {"total": 2, "ok": 2, "api_error": 0, "parse_error": 0, "truncated": 0},
    }
    return make_record(**values | changes)


class World:
    """A simulated GitHub with a prompt library, and the service's clone of it."""

    def __init__(self, root: Path, app: SimulatedGitHub, url: str) -> None:
        self.root, self.app, self.url = root, app, url
        self.api = f"{url}/api/v3"
        self.clone = self.make_clone()

    def make_clone(self) -> Clone:
        folder, remote = self.root / "clone", f"{self.url}/{NAME}.git"
        git(self.root, "clone", "-q", str(self.bare.path), str(folder))
        git(folder, "remote", "set-url", "origin", remote)
        return Clone(folder, work=self.root / "work", credentials=Credentials(self.url, lambda: TOKEN))

    def github(self, token: str = TOKEN) -> GitHub:
        return GitHub(NAME, FixedToken(Secret(token)), api_url=self.api, retries=0)

    def committer(self, mode: Any = "pr", *, second: int = 5, **settings: Any) -> Committer:
        values = {
            "github": self.github(),
            "now": lambda: MOMENT.replace(second=second),
        }
        return Committer(settings.pop("clone", self.clone), mode=mode, **values | settings)

    def plan(self, job_id: str = "job-1") -> JobPlan:
        return make_job_plan(
            job_id=job_id,
            component=make_component("budget", version="1.2.0", output="json"),
            prompt_commit=self.bare.branch("main"),
        )

    @property
    def repository(self) -> Any:
        return self.app.state.repositories[NAME]

    @property
    def bare(self) -> Any:
        return self.repository.bare

    def runs(self, branch: str) -> list[str]:
        data = self.bare.file(branch, BOARD)
        return [] if data is None else [str(run["run_id"]) for run in parse_leaderboard(data, BOARD).runs]

    def merge(self, branch: str) -> None:
        github = self.github()
        with github._opened("merge") as repository:
            (pull,) = [pull for pull in repository.get_pulls(state="open") if pull.head.ref == branch]
            assert pull.merge().merged

    def commit_to_main(self, path: str, text: str) -> None:
        """Somebody else's push, made where it arrives."""
        there = Clone(self.bare.path, work=self.root / "work")
        commit = commit_file(there, self.bare.branch("main"), path, text.encode(), "Theirs")
        git(self.bare.path, "update-ref", "refs/heads/main", commit)

    def add_to_main(self, run_id: str) -> None:
        """Somebody else's results."""
        kept = parse_leaderboard(self.bare.file("main", BOARD) or EMPTY, BOARD)
        added = merge_leaderboards(kept, leaderboard_of("budget", [record(run_id, run_id)]))
        self.commit_to_main(BOARD, encode_leaderboard(added).decode())

    def link_on_main(self, path: str) -> None:
        """Somebody else's commit of a symbolic link."""
        author = self.root / "author"
        git(self.root, "clone", "-q", str(self.bare.path), str(author))
        if (author / path).exists():
            git(author, "mv", path, f"{path}-moved")
        (author / path).symlink_to("elsewhere")
        git(author, "add", "--all")
        git(author, "commit", "-q", "-m", "Theirs")
        git(author, "push", "-q", "origin", "HEAD:main")

    def fault(self, **what: Any) -> None:
        self.app.state.faults.add(Fault(**what))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatedGitHub, str]]:
    app = SimulatedGitHub(tmp_path_factory.mktemp("github"), token=TOKEN)
    with running(app) as url:
        yield app, url


@pytest.fixture
def world(served: tuple[SimulatedGitHub, str], tmp_path: Path) -> World:
    """A repository of this test's own on the simulated GitHub."""
    app, url = served
    seed = tmp_path / "seed"
    (seed / "components" / "budget").mkdir(parents=True)
    (seed / "components" / "budget" / "prompt.md").write_text("---\nname: b\nversion: 1.2.0\n---\n")
    (seed / ".gitattributes").write_text("* text eol=crlf\n")
    app.state.faults.clear()
    app.state.root = tmp_path / "github"
    app.state.add_repository(NAME, seed)
    return World(tmp_path, app, url)


def test_results_become_a_labelled_pull_request_and_once_merged_are_on_main(world: World) -> None:
    plan = world.plan()
    published = world.committer().publish(plan, [record("r1"), record("r2", "poor")])
    assert published.branch == f"eval-results/budget-{plan.prompt_commit[:12]}-20260102T030405Z"
    assert published.pull_request_url == f"{world.url}/{NAME}/pull/1"
    (pull,) = world.repository.pulls
    assert (pull.title, pull.base, pull.labels) == (
        "eval(budget): 1.2.0, 2 models",
        "main",
        ["eval-results", "automerge"],
    )
    assert "| 1 | `good` | 90.0 % |" in pull.body
    assert world.runs("main") == []
    world.merge(published.branch)
    assert world.runs("main") == ["r1", "r2"]


def test_one_commit_changes_one_file_and_the_clone_stays_as_it_was(world: World) -> None:
    before = git(world.clone.path, "status", "--porcelain=v2", "--branch")
    published = world.committer(commit_suffix="[skip ci]").publish(world.plan(), [record("r1")])
    log = git(world.bare.path, "log", "--format=%s", "--name-only", f"main..{published.branch}")
    assert log.split("\n") == ["eval(budget): 1.2.0, 1 models [skip ci]", "", BOARD]
    assert git(world.clone.path, "status", "--porcelain=v2", "--branch") == before
    data = world.bare.file(published.branch, BOARD)
    assert b"\r" not in data
    assert data.endswith(b"}\n")


def test_branch_starts_from_the_freshly_fetched_default_branch(world: World) -> None:
    world.commit_to_main("new.txt", "new\n")
    published = world.committer().publish(world.plan(), [record("r1")])
    assert world.bare.file(published.branch, "new.txt") == b"new\n"


def test_second_results_stack_on_the_open_ones_and_both_merge(world: World) -> None:
    first = world.committer(second=1).publish(world.plan("job-1"), [record("r1")])
    second = world.committer(second=2).publish(world.plan("job-2"), [record("r2", "poor")])
    assert world.runs(second.branch) == ["r1", "r2"]
    world.commit_to_main("new.txt", "new\n")
    for branch in (first.branch, second.branch):
        world.merge(branch)
    assert world.runs("main") == ["r1", "r2"]


def test_results_do_not_stack_on_a_branch_that_conflicts_with_main(world: World) -> None:
    world.committer(second=1).publish(world.plan("job-1"), [record("r1")])
    world.add_to_main("r2")
    third = world.committer(second=3).publish(world.plan("job-3"), [record("r3")])
    assert sorted(world.runs(third.branch)) == ["r2", "r3"]
    world.merge(third.branch)
    assert sorted(world.runs("main")) == ["r2", "r3"]


def test_doing_it_again_doubles_nothing(world: World) -> None:
    committer, plan = world.committer(), world.plan()
    first = committer.publish(plan, [record("r1")])
    tip = world.bare.branch(first.branch)
    assert committer.publish(plan, [record("r1")]) == first
    assert world.bare.branch(first.branch) == tip
    assert len(world.repository.pulls) == 1


class Kept:
    """What a job file keeps of its outbox."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self.steps: list[Outbox] = []
        self.die_at: int | None = None

    def save(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.steps.append(outbox)
        if len(self.steps) == self.die_at:
            raise Killed


class Killed(Exception):
    """The process ends right after a step was kept."""


def publish(world: World, kept: Kept, **settings: Any) -> Published:
    return world.committer(**settings).publish(world.plan(), [record("r1")], {}, kept.outbox, kept.save)


def assert_one_of_each(world: World, published: Published) -> None:
    (pull,) = world.repository.pulls
    assert (pull.labels, pull.head) == (["eval-results", "automerge"], published.branch)
    assert published.pull_request_url == f"{world.url}/{NAME}/pull/{pull.number}"
    assert world.runs(published.branch or "") == ["r1"]
    assert len([name for name in world.bare.branches() if name.startswith("eval-results/")]) == 1


@pytest.mark.parametrize("lost", ["push", "pulls.create", "labels.add"])
def test_answer_that_got_lost_doubles_nothing(world: World, lost: str) -> None:
    world.fault(on=lost, answer_lost=True, times=1)
    kept = Kept()
    with suppress(RepositoryError):
        publish(world, kept)
    assert_one_of_each(world, publish(world, kept, second=9))


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_killed_after_any_step_the_next_start_finishes_it(world: World, step: int) -> None:
    kept = Kept()
    kept.die_at = step
    with pytest.raises(Killed):
        publish(world, kept)
    kept.die_at = None
    assert_one_of_each(world, publish(world, kept, second=9))


@pytest.mark.parametrize("step", [1, 2, 3])
def test_killed_before_a_step_was_noted_the_next_start_finds_it_done(world: World, step: int) -> None:
    kept = Kept()
    publish(world, kept)
    again = Kept()
    again.outbox = kept.steps[step - 1]
    assert_one_of_each(world, publish(world, again, second=9))


def test_results_that_were_merged_meanwhile_are_not_published_again(world: World) -> None:
    kept = Kept()
    published = publish(world, kept)
    world.merge(published.branch or "")
    git(world.bare.path, "update-ref", "-d", f"refs/heads/{published.branch}")
    for done in kept.steps:
        again = Kept()
        again.outbox = done
        found = publish(world, again, second=9)
        assert found == published
    assert len(world.repository.pulls) == 1
    assert list(world.bare.branches()) == ["main"]


def test_branch_name_that_another_took_is_left_to_it(world: World) -> None:
    taken = f"eval-results/budget-{world.plan().prompt_commit[:12]}-20260102T030405Z"
    git(world.bare.path, "branch", taken, "main")
    published = publish(world, Kept())
    assert published.branch == taken.replace("05Z", "06Z")
    assert world.bare.branch(taken) == world.bare.branch("main")


def test_branch_name_that_another_took_after_it_was_chosen_is_left_to_it(world: World) -> None:
    kept = Kept()
    kept.die_at = 1
    with pytest.raises(Killed):
        publish(world, kept)
    kept.die_at = None
    git(world.bare.path, "branch", str(kept.outbox.branch), "main")
    published = publish(world, kept, second=9)
    assert published.branch != kept.steps[0].branch
    assert world.bare.branch(str(kept.steps[0].branch)) == world.bare.branch("main")


def test_refused_push_is_told_in_the_remotes_words(world: World) -> None:
    world.fault(on="push", message="GH006: Protected branch update failed")
    with pytest.raises(PushRefused, match="GH006: Protected branch update failed"):
        world.committer().publish(world.plan(), [record("r1")])
    assert world.repository.pulls == []


@pytest.mark.parametrize("status", [401, 403])
def test_push_that_the_token_may_not_do_is_told(world: World, status: int) -> None:
    world.fault(on="push", status=status, message="Write access to repository not granted.")
    with pytest.raises(PushRefused, match="refuses the push"):
        world.committer().publish(world.plan(), [record("r1")])


def test_refused_pull_request_is_told_and_the_branch_kept(world: World) -> None:
    world.fault(on="pulls.create", status=422, message="Validation Failed")
    kept = Kept()
    with pytest.raises(PullRequestRefused, match="cannot open the pull request: GitHub answers 422, Valid"):
        publish(world, kept)
    assert kept.outbox.is_pushed
    world.app.state.faults.clear()
    assert_one_of_each(world, publish(world, kept, second=9))


def test_push_mode_puts_the_record_on_main(world: World) -> None:
    published = world.committer("push", github=None).publish(world.plan(), [record("r1")])
    assert (published.branch, published.pull_request_url) == ("main", None)
    assert world.runs("main") == ["r1"]
    assert world.committer("push").publish(world.plan(), [record("r1")]) == published
    assert git(world.bare.path, "rev-list", "--count", "main") == "2"


class MovingClone(Clone):
    """A clone whose remote's default branch moves right after each of the first fetches."""

    world: World
    moves: int

    def fetch(self, branch: str, *, timeout: float = 60) -> None:
        super().fetch(branch, timeout=timeout)
        if self.moves > 0:
            self.moves -= 1
            self.world.add_to_main(f"other-{self.moves}")


def moving(world: World, moves: int) -> MovingClone:
    credentials = Credentials(world.url, lambda: TOKEN)
    clone = MovingClone(world.clone.path, work=world.root / "work", credentials=credentials)
    clone.world, clone.moves = world, moves
    return clone


def test_push_onto_a_moved_branch_merges_with_what_is_there(world: World) -> None:
    world.committer("push", clone=moving(world, 2)).publish(world.plan(), [record("mine")])
    assert sorted(world.runs("main")) == ["mine", "other-0", "other-1"]


def test_push_gives_up_on_a_branch_that_never_rests(world: World) -> None:
    with pytest.raises(PushOutdated, match="moved 5 times"):
        world.committer("push", clone=moving(world, 9)).publish(world.plan(), [record("mine")])
    assert "mine" not in world.runs("main")


def test_none_mode_touches_nothing(world: World) -> None:
    published = world.committer("none").publish(world.plan(), [record("r1")])
    assert (published.branch, published.pull_request_url) == (None, None)
    assert list(world.bare.branches()) == ["main"]


@pytest.mark.parametrize("mode", ["pr", "push"])
def test_invalid_leaderboard_is_never_overwritten(world: World, mode: str) -> None:
    world.commit_to_main(BOARD, '{"schema_version": 1, "runs": [}')
    with pytest.raises(LeaderboardError, match=r"components/budget/leaderboard\.json at"):
        world.committer(mode).publish(world.plan(), [record("r1")])
    assert world.bare.file("main", BOARD) == b'{"schema_version": 1, "runs": [}'
    assert list(world.bare.branches()) == ["main"]


@pytest.mark.parametrize("path", [BOARD, "components/budget"])
def test_links_in_the_repository_are_not_followed(world: World, path: str) -> None:
    world.link_on_main(path)
    with pytest.raises(UnsafePath, match="no regular file"):
        world.committer().publish(world.plan(), [record("r1")])


def refresh(world: World) -> list[str]:
    return list(Refresher(world.clone, world.github()).refresh())


def merges(world: World, branch: str) -> bool:
    try:
        git(world.bare.path, "merge-tree", "--write-tree", "main", branch)
    except subprocess.CalledProcessError:
        return False
    return True


def test_open_results_that_no_longer_merge_get_a_merge_commit_with_all_records(world: World) -> None:
    published = publish(world, Kept())
    branch = str(published.branch)
    world.add_to_main("from-actions")
    assert not merges(world, branch)
    assert refresh(world) == [branch]
    assert world.runs(branch) == ["from-actions", "r1"]
    assert git(world.bare.path, "log", "-1", "--format=%P", branch).count(" ") == 1
    world.merge(branch)
    assert world.runs("main") == ["from-actions", "r1"]


def test_no_gitattributes_decides_how_leaderboards_are_merged(world: World) -> None:
    world.commit_to_main(".gitattributes", "leaderboard.json merge=union\n")
    branch = str(publish(world, Kept()).branch)
    world.add_to_main("from-actions")
    world.clone.fast_forward()
    assert (world.clone.path / ".gitattributes").exists()
    assert refresh(world) == [branch]
    assert world.runs(branch) == ["from-actions", "r1"]


def test_two_open_results_of_one_component_both_merge_whatever_came_between(world: World) -> None:
    first = world.committer(second=1).publish(world.plan("job-1"), [record("r1")])
    second = world.committer(second=2).publish(world.plan("job-2"), [record("r2", "poor")])
    world.add_to_main("from-actions")
    for branch in (first.branch, second.branch):
        refresh(world)
        world.merge(str(branch))
    assert sorted(world.runs("main")) == ["from-actions", "r1", "r2"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_open_results_that_were_refreshed_still_stand_on_each_other(
    world: World, order: tuple[int, ...]
) -> None:
    branches = [
        world.committer(second=at).publish(world.plan(f"job-{at}"), [record(f"r{at}")]).branch
        for at in (1, 2, 3)
    ]
    world.add_to_main("from-actions")
    assert refresh(world) == branches
    assert refresh(world) == []
    for at in order:
        world.merge(str(branches[at]))
    assert sorted(world.runs("main")) == ["from-actions", "r1", "r2", "r3"]


def test_open_results_that_merge_are_left_as_they_are(world: World) -> None:
    published = publish(world, Kept())
    world.commit_to_main("new.txt", "new\n")
    tip = world.bare.branch(str(published.branch))
    assert refresh(world) == []
    assert world.bare.branch(str(published.branch)) == tip


def test_a_conflict_in_anything_else_is_left_to_people(world: World) -> None:
    published = publish(world, Kept())
    branch = str(published.branch)
    there = Clone(world.bare.path, work=world.root / "work")
    theirs = commit_file(there, str(world.bare.branch(branch)), "README.md", b"one\n", "By hand")
    git(world.bare.path, "update-ref", f"refs/heads/{branch}", theirs)
    world.commit_to_main("README.md", "two\n")
    world.add_to_main("from-actions")
    assert refresh(world) == []
    assert world.bare.branch(branch) == theirs


def test_a_leaderboard_that_is_not_valid_is_not_merged_over(world: World) -> None:
    published = publish(world, Kept())
    world.commit_to_main(BOARD, "{")
    tip = world.bare.branch(str(published.branch))
    assert refresh(world) == []
    assert world.bare.branch(str(published.branch)) == tip


def test_a_clone_that_is_lost_or_damaged_is_made_anew_where_its_url_is_known(world: World) -> None:
    url = f"{world.url}/{NAME}.git"
    clone = Clone(
        world.root / "own",
        work=world.root / "work",
        url=url,
        credentials=Credentials(world.url, lambda: TOKEN),
    )
    with pytest.raises(CloneMissing, match="it is made anew; ask again"):
        clone.fast_forward()
    clone.ensure()
    for path in (clone.path / ".git" / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"damaged")
    assert clone.rebuild()
    assert clone.fast_forward() == world.bare.branch("main")
    assert [path.name for path in clone.path.parent.glob(".own*")] == []
    assert not world.clone.rebuild()


def test_a_lock_that_a_killed_git_left_is_removed_at_the_next_start(world: World) -> None:
    lock = world.clone.path / ".git" / "index.lock"
    lock.touch()
    world.clone.ensure()
    assert lock.exists()
    os.utime(lock, (1, 1))
    world.clone.ensure()
    assert not lock.exists()
