"""Results become a branch, a commit and a pull request: real git, and GitHub's REST API simulated."""

from __future__ import annotations

from typing import Any

import pytest

from evalcore.errors import LeaderboardError
from evalcore.git.clone import Clone
from evalcore.git.credentials import Credentials
from evalcore.git.errors import PushOutdated, PushRefused, UnsafePath
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git

BOARD = "components/budget/leaderboard.json"


def test_results_become_a_labelled_pull_request_and_once_merged_are_on_main(world) -> None:
    plan = world.plan()
    published = world.committer().publish(plan, [world.record("r1"), world.record("r2", "poor")])
    assert published.branch == f"eval-results/budget-{plan.prompt_commit[:12]}-20260102T030405Z"
    assert published.pull_request_url == f"{world.url}/{REPOSITORY}/pull/1"
    (pull,) = world.repository.pulls
    assert (pull.title, pull.base, pull.labels) == (
        "eval(budget): 1.2.0, 2 models",
        "main",
        ["eval-results", "automerge"],
    )
    assert "| 1–2 | `good` | 90.0 % |" in pull.body
    assert world.runs("main") == []
    world.merge(published.branch)
    assert world.runs("main") == ["r1", "r2"]


def test_one_commit_changes_one_file_and_the_clone_stays_as_it_was(world) -> None:
    before = git(world.clone.path, "status", "--porcelain=v2", "--branch")
    published = world.committer(commit_suffix="[skip ci]").publish(world.plan(), [world.record("r1")])
    log = git(world.bare.path, "log", "--format=%s", "--name-only", f"main..{published.branch}")
    assert log.split("\n") == ["eval(budget): 1.2.0, 1 models [skip ci]", "", BOARD]
    assert git(world.clone.path, "status", "--porcelain=v2", "--branch") == before
    data = world.bare.file(published.branch, BOARD)
    assert b"\r" not in data
    assert data.endswith(b"}\n")


def test_branch_starts_from_the_freshly_fetched_default_branch(world) -> None:
    world.commit_to_main("new.txt", "new\n")
    published = world.committer().publish(world.plan(), [world.record("r1")])
    assert world.bare.file(published.branch, "new.txt") == b"new\n"


def test_second_results_stack_on_the_open_ones_and_both_merge(world) -> None:
    first = world.committer(second=1).publish(world.plan("job-1"), [world.record("r1")])
    second = world.committer(second=2).publish(world.plan("job-2"), [world.record("r2", "poor")])
    assert world.runs(second.branch) == ["r1", "r2"]
    world.commit_to_main("new.txt", "new\n")
    for branch in (first.branch, second.branch):
        world.merge(branch)
    assert world.runs("main") == ["r1", "r2"]


def test_results_do_not_stack_on_a_branch_that_conflicts_with_main(world) -> None:
    world.committer(second=1).publish(world.plan("job-1"), [world.record("r1")])
    world.add_to_main("r2")
    third = world.committer(second=3).publish(world.plan("job-3"), [world.record("r3")])
    assert sorted(world.runs(third.branch)) == ["r2", "r3"]
    world.merge(third.branch)
    assert sorted(world.runs("main")) == ["r2", "r3"]


def test_doing_it_again_doubles_nothing(world) -> None:
    committer, plan = world.committer(), world.plan()
    first = committer.publish(plan, [world.record("r1")])
    tip = world.bare.branch(first.branch)
    assert committer.publish(plan, [world.record("r1")]) == first
    assert world.bare.branch(first.branch) == tip
    assert len(world.repository.pulls) == 1


def test_branch_name_that_another_took_is_left_to_it(world) -> None:
    taken = f"eval-results/budget-{world.plan().prompt_commit[:12]}-20260102T030405Z"
    git(world.bare.path, "branch", taken, "main")
    published = world.publish()
    assert published.branch == taken.replace("05Z", "06Z")
    assert world.bare.branch(taken) == world.bare.branch("main")


def test_refused_push_is_told_in_the_remotes_words(world) -> None:
    world.fault(on="push", message="GH006: Protected branch update failed")
    with pytest.raises(PushRefused, match="GH006: Protected branch update failed"):
        world.committer().publish(world.plan(), [world.record("r1")])
    assert world.repository.pulls == []


@pytest.mark.parametrize("status", [401, 403])
def test_push_that_the_token_may_not_do_is_told(world, status: int) -> None:
    world.fault(on="push", status=status, message="Write access to repository not granted.")
    with pytest.raises(PushRefused, match="refuses the push"):
        world.committer().publish(world.plan(), [world.record("r1")])


def test_push_mode_puts_the_record_on_main(world) -> None:
    published = world.committer("push", github=None).publish(world.plan(), [world.record("r1")])
    assert (published.branch, published.pull_request_url) == ("main", None)
    assert world.runs("main") == ["r1"]
    assert world.committer("push").publish(world.plan(), [world.record("r1")]) == published
    assert git(world.bare.path, "rev-list", "--count", "main") == "2"


class MovingClone(Clone):
    """A clone whose remote's default branch moves right after each of the first fetches."""

    world: Any
    moves: int

    def fetch(self, branch: str, *, timeout: float = 60) -> None:
        super().fetch(branch, timeout=timeout)
        if self.moves > 0:
            self.moves -= 1
            self.world.add_to_main(f"other-{self.moves}")


def moving(world, moves: int) -> MovingClone:
    credentials = Credentials(world.url, lambda: GITHUB_TOKEN)
    clone = MovingClone(world.clone.path, work=world.root / "work", credentials=credentials)
    clone.world, clone.moves = world, moves
    return clone


def test_push_onto_a_moved_branch_merges_with_what_is_there(world) -> None:
    world.committer("push", clone=moving(world, 2)).publish(world.plan(), [world.record("mine")])
    assert sorted(world.runs("main")) == ["mine", "other-0", "other-1"]


def test_push_gives_up_on_a_branch_that_never_rests(world) -> None:
    with pytest.raises(PushOutdated, match="moved 5 times"):
        world.committer("push", clone=moving(world, 9)).publish(world.plan(), [world.record("mine")])
    assert "mine" not in world.runs("main")


def test_none_mode_touches_nothing(world) -> None:
    published = world.committer("none").publish(world.plan(), [world.record("r1")])
    assert (published.branch, published.pull_request_url) == (None, None)
    assert list(world.bare.branches()) == ["main"]


@pytest.mark.parametrize("mode", ["pr", "push"])
def test_invalid_leaderboard_is_never_overwritten(world, mode: str) -> None:
    world.commit_to_main(BOARD, '{"schema_version": 1, "runs": [}')
    with pytest.raises(LeaderboardError, match=r"components/budget/leaderboard\.json at"):
        world.committer(mode).publish(world.plan(), [world.record("r1")])
    assert world.bare.file("main", BOARD) == b'{"schema_version": 1, "runs": [}'
    assert list(world.bare.branches()) == ["main"]


@pytest.mark.parametrize("path", [BOARD, "components/budget"])
def test_links_in_the_repository_are_not_followed(world, path: str) -> None:
    world.link_on_main(path)
    with pytest.raises(UnsafePath, match="no regular file"):
        world.committer().publish(world.plan(), [world.record("r1")])
