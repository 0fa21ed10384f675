"""Whose branches new results are built on, and what a pull request of ours carries: our records."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from evalcore.errors import LeaderboardError, RepositoryError
from evalcore.git.clone import Clone
from evalcore.git.commits import changes_of_commits
from evalcore.git.errors import GitFailed
from evalcore.publishing.changes import ForeignChange, require_only_results
from evalcore.publishing.outbox import Outbox, Published
from evalcore.runs.leaderboard import MAX_BYTES, encode_leaderboard, leaderboard_of
from evalsim.testing import REPOSITORY, commit_file, git

BOARD = "components/budget/leaderboard.json"
WORKFLOW = ".github/workflows/steal.yml"
MALLORY = "ghp_mallory_0123456789abcdef"
ADDED = (BOARD,)


def there(world: Any) -> Clone:
    """The remote itself, where others' commits are made."""
    return Clone(world.bare.path, work=world.root / "work")


def add(
    world: Any, branch: str, path: str, data: bytes, message: str = "eval(budget): 1.2.0, 1 models"
) -> str:
    """Somebody who may push commits a file on top of a branch."""
    commit = commit_file(there(world), str(world.bare.branch(branch)), path, data, message)
    git(world.bare.path, "update-ref", f"refs/heads/{branch}", commit)
    return commit


def open_as(world: Any, login: str, branch: str, base: str = "main") -> None:
    """Another account opens a pull request."""
    world.app.state.add_token(MALLORY, login=login)
    world.github(MALLORY).open_pull_request(branch, base, "eval(budget): 1.2.0, 1 models", "Only figures.")


def carried(world: Any, branch: str) -> list[str]:
    """Every path that a commit of the branch's changes, merges apart."""
    listing = git(world.bare.path, "log", "--no-merges", "--name-only", "--format=", f"main..{branch}")
    return sorted(set(listing.split()))


def publish(world: Any, run_id: str, *, second: int, **settings: Any) -> Published:
    committer = world.committer(second=second, **settings)
    return committer.publish(world.plan(f"job-{run_id}"), [world.record(run_id)])


def theirs_beside(world: Any, path: str, data: bytes) -> str:
    """A branch with a name like ours, which somebody has made and pushed."""
    branch = f"eval-results/budget-{world.plan().prompt_commit[:12]}-20250102T030405Z"
    git(world.bare.path, "branch", branch, "main")
    add(world, branch, path, data)
    return branch


def test_a_branch_named_like_ours_that_somebody_else_proposes_is_not_built_on(world) -> None:
    branch = theirs_beside(world, WORKFLOW, b"on: push\n")
    open_as(world, "mallory", branch)
    published = publish(world, "r1", second=5)
    assert carried(world, str(published.branch)) == [BOARD]
    assert world.refresh() == []


def test_not_even_one_that_only_adds_records_until_its_account_is_trusted(world) -> None:
    data = encode_leaderboard(leaderboard_of("budget", [world.record("theirs")]))
    open_as(world, "github-actions[bot]", theirs_beside(world, BOARD, data))
    assert world.runs(str(publish(world, "r1", second=1).branch)) == ["r1"]
    world.repository.pulls[-1].state = "closed"
    trusting = world.github(trusted=["GitHub-Actions[bot]"])
    published = publish(world, "r2", second=2, github=trusting)
    assert world.runs(str(published.branch)) == ["r2", "theirs"]


def reverted(world: Any, branch: str) -> None:
    add(world, branch, WORKFLOW, b"on: push\n")
    tree = git(world.bare.path, "rev-parse", f"{branch}^^{{tree}}")
    commit = git(world.bare.path, "commit-tree", tree, "-p", branch, "-m", "Revert")
    git(world.bare.path, "update-ref", f"refs/heads/{branch}", commit)


def merged_in(world: Any, branch: str) -> None:
    """A merge commit that brings in more than either side has."""
    commit = commit_file(there(world), str(world.bare.branch(branch)), WORKFLOW, b"on: push\n", "x")
    tree = git(world.bare.path, "rev-parse", f"{commit}^{{tree}}")
    world.commit_to_main("new.txt", "new")
    arguments = ("commit-tree", tree, "-p", branch, "-p", "main", "-m", "Merge main")
    git(world.bare.path, "update-ref", f"refs/heads/{branch}", git(world.bare.path, *arguments))


def merged_in_and_out(world: Any, branch: str) -> None:
    """Two merge commits, of which one brings in more than either side has, and the next takes it out."""
    before = str(world.bare.branch(branch))
    merged_in(world, branch)
    world.commit_to_main("newer.txt", "newer")
    clean = git(world.bare.path, "merge-tree", "--write-tree", before, "main")
    arguments = ("commit-tree", clean, "-p", branch, "-p", "main", "-m", "Merge main again")
    git(world.bare.path, "update-ref", f"refs/heads/{branch}", git(world.bare.path, *arguments))


def linked(world: Any, branch: str) -> None:
    author = world.root / "author"
    git(world.root, "clone", "-q", "-b", branch, str(world.bare.path), str(author))
    (author / BOARD).unlink()
    (author / BOARD).symlink_to("../../prompt.md")
    git(author, "commit", "-q", "--all", "-m", "Theirs")
    git(author, "push", "-q", "origin", f"HEAD:{branch}")


def executable(world: Any, branch: str) -> None:
    author = world.root / "author"
    git(world.root, "clone", "-q", "-b", branch, str(world.bare.path), str(author))
    (author / BOARD).chmod(0o755)
    git(author, "commit", "-q", "--all", "-m", "Theirs")
    git(author, "push", "-q", "origin", f"HEAD:{branch}")


def unrelated(world: Any, branch: str) -> None:
    commit = git(world.bare.path, "commit-tree", f"{branch}^{{tree}}", "-m", "A beginning of its own")
    git(world.bare.path, "update-ref", f"refs/heads/{branch}", commit)


def wordy(world: Any, branch: str) -> None:
    """More commits than anybody looks at."""
    said = "".join(
        f"commit refs/heads/{branch}\ncommitter a <a@b.c> {number} +0000\ndata 1\nx\n"
        + (f"from refs/heads/{branch}^0\n" if number == 0 else "")
        for number in range(1001)
    )
    git(world.bare.path, "fast-import", "--quiet", stdin=said.encode())


HOSTILE: dict[str, Callable[[Any, str], object]] = {
    "a workflow": lambda world, branch: add(world, branch, WORKFLOW, b"on: push\n"),
    "a prompt": lambda world, branch: add(world, branch, "components/budget/prompt.md", b"Lie."),
    "another component's leaderboard": lambda world, branch: add(
        world, branch, "components/x/leaderboard.json", b"{}"
    ),
    "a workflow, taken back": reverted,
    "a workflow in a merge commit": merged_in,
    "a workflow that a merge commit brings in and the next takes out": merged_in_and_out,
    "a leaderboard that is a link": linked,
    "a leaderboard that is executable": executable,
    "a leaderboard that is not valid": lambda world, branch: add(world, branch, BOARD, b"{"),
    "another's leaderboard": lambda world, branch: add(
        world, branch, BOARD, encode_leaderboard(leaderboard_of("other", []))
    ),
    "a history of its own": unrelated,
    "a thousand commits": wordy,
}


@pytest.mark.parametrize("change", HOSTILE)
def test_an_open_branch_of_ours_that_somebody_has_pushed_to_is_not_built_on(world, change: str) -> None:
    first = publish(world, "r1", second=1)
    HOSTILE[change](world, str(first.branch))
    second = publish(world, "r2", second=2)
    assert world.runs(str(second.branch)) == ["r2"]
    assert carried(world, str(second.branch)) == [BOARD]


def test_an_open_branch_in_which_a_record_of_the_default_branch_differs_is_not_built_on(world) -> None:
    world.add_to_main("on-main")
    first = publish(world, "r1", second=1)
    kept = json.loads(world.bare.file(first.branch, BOARD))
    (on_main,) = [run for run in kept["runs"] if run["run_id"] == "on-main"]
    on_main["accuracy"]["mean"] = 1.0
    add(world, str(first.branch), BOARD, json.dumps(kept).encode())
    assert sorted(world.runs(str(publish(world, "r2", second=2).branch))) == ["on-main", "r2"]


def test_an_open_branch_that_drops_a_record_of_the_default_branch_is_not_built_on(world) -> None:
    world.add_to_main("on-main")
    first = publish(world, "r1", second=1)
    data = encode_leaderboard(leaderboard_of("budget", [world.record("r1")]))
    add(world, str(first.branch), BOARD, data)
    assert sorted(world.runs(str(publish(world, "r2", second=2).branch))) == ["on-main", "r2"]


def test_open_results_that_somebody_has_pushed_to_are_not_refreshed(world) -> None:
    branch = str(world.publish().branch)
    add(world, branch, WORKFLOW, b"on: push\n")
    world.add_to_main("from-actions")
    tip = world.bare.branch(branch)
    assert world.refresh() == []
    assert world.bare.branch(branch) == tip


class Pushed:
    """A job that was killed right after its branch was pushed, and what its file says."""

    def __init__(self, world: Any) -> None:
        self.world, self.outbox = world, Outbox()

    def save(self, outbox: Outbox) -> None:
        self.outbox = outbox

    def push(self) -> str:
        self.world.fault(on="pulls.create", status=500)
        with suppress(RepositoryError):
            self.publish()
        self.world.app.state.faults.clear()
        assert self.outbox.is_pushed
        return str(self.outbox.branch)

    def publish(self, *, second: int = 5) -> Published:
        committer = self.world.committer(second=second)
        return committer.publish(self.world.plan(), [self.world.record("r1")], {}, self.outbox, self.save)


def forged(world: Any, branch: str) -> None:
    """A commit that says that it is the job's."""
    message = git(world.bare.path, "log", "-1", "--format=%B", branch)
    add(world, branch, WORKFLOW, b"on: push\n", f"{message}\n")


def emptied(world: Any, branch: str) -> None:
    message = git(world.bare.path, "log", "-1", "--format=%B", branch)
    add(world, branch, BOARD, encode_leaderboard(leaderboard_of("budget", [])), f"{message}\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda world, branch: add(world, branch, WORKFLOW, b"on: push\n"),
        forged,
        emptied,
        lambda world, branch: open_as(world, "mallory", branch),
    ],
    ids=["a workflow", "a workflow under the job's name", "a record taken out", "a pull request"],
)
def test_a_pushed_branch_that_somebody_got_hold_of_is_left_and_another_proposed(world, change) -> None:
    job = Pushed(world)
    branch = job.push()
    change(world, branch)
    published = job.publish(second=5)
    assert published.branch != branch
    assert world.runs(str(published.branch)) == ["r1"]
    assert carried(world, str(published.branch)) == [BOARD]
    (ours,) = [pull for pull in world.repository.pulls if pull.user == "evaluator-bot"]
    assert (ours.head, ours.labels) == (published.branch, ["eval-results", "automerge"])
    assert all(not pull.labels for pull in world.repository.pulls if pull is not ours)


def test_a_branch_is_looked_at_once_more_between_its_push_and_its_pull_request(world) -> None:
    """Somebody pushes in the moment after ours."""

    def save(outbox: Outbox) -> None:
        if outbox.is_pushed and not outbox.pull_request_url:
            add(world, str(outbox.branch), WORKFLOW, b"on: push\n")

    with pytest.raises(ForeignChange, match="the next try takes another name"):
        world.committer().publish(world.plan(), [world.record("r1")], {}, Outbox(), save)
    assert world.repository.pulls == []


def test_a_pull_request_to_another_branch_is_not_taken_for_ours(world) -> None:
    job = Pushed(world)
    branch = job.push()
    git(world.bare.path, "branch", "elsewhere", "main")
    open_as(world, "mallory", branch, "elsewhere")
    assert job.publish().branch == branch
    assert [(pull.user, pull.labels) for pull in world.repository.pulls] == [
        ("mallory", []),
        ("evaluator-bot", ["eval-results", "automerge"]),
    ]


@pytest.mark.parametrize("mode", ["pr", "push"])
def test_an_over_large_leaderboard_is_invalid_and_named_by_its_path_in_the_repository(
    world, mode: str
) -> None:
    world.commit_to_main(BOARD, " " * (MAX_BYTES + 1))
    with pytest.raises(LeaderboardError) as refused:
        world.committer(mode).publish(world.plan(), [world.record("r1")])
    assert refused.value.code == "invalid_leaderboard"
    assert refused.value.where.startswith(f"{BOARD} at ")
    assert str(world.root) not in refused.value.line


def test_a_difference_too_large_to_be_read_whole_is_no_difference_known(
    world, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.commit_to_main("new.txt", "new")
    main = world.bare.branch("main")
    assert changes_of_commits(there(world), f"{main}^", main, 1)
    monkeypatch.setattr("evalcore.git.commits.OUTPUT_LIMIT", 8)
    with pytest.raises(GitFailed, match="larger than 8 bytes"):
        changes_of_commits(there(world), f"{main}^", main, 1)


def test_results_alone_are_let_through_whatever_came_to_the_default_branch_meanwhile(world) -> None:
    branch = str(world.publish().branch)
    world.commit_to_main("new.txt", "new")
    world.add_to_main("from-actions")
    main, tip = world.bare.branch("main"), world.bare.branch(branch)
    require_only_results(there(world), "budget", main, tip, has_reports=False)
    assert Path(world.bare.path).name == f"{REPOSITORY.partition('/')[2]}.git"
