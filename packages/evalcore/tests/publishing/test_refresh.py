"""Open results are made to merge again after others have reached the default branch."""

from __future__ import annotations

import subprocess

import pytest

from evalcore.git.clone import Clone
from evalsim.testing import commit_file, git

BOARD = "components/budget/leaderboard.json"


def merges(world, branch: str) -> bool:
    try:
        git(world.bare.path, "merge-tree", "--write-tree", "main", branch)
    except subprocess.CalledProcessError:
        return False
    return True


def test_open_results_that_no_longer_merge_get_a_merge_commit_with_all_records(world) -> None:
    published = world.publish()
    branch = str(published.branch)
    world.add_to_main("from-actions")
    assert not merges(world, branch)
    assert world.refresh() == [branch]
    assert world.runs(branch) == ["from-actions", "r1"]
    assert git(world.bare.path, "log", "-1", "--format=%P", branch).count(" ") == 1
    world.merge(branch)
    assert world.runs("main") == ["from-actions", "r1"]


def test_no_gitattributes_decides_how_leaderboards_are_merged(world) -> None:
    world.commit_to_main(".gitattributes", "leaderboard.json merge=union\n")
    branch = str(world.publish().branch)
    world.add_to_main("from-actions")
    world.clone.fast_forward()
    assert (world.clone.path / ".gitattributes").exists()
    assert world.refresh() == [branch]
    assert world.runs(branch) == ["from-actions", "r1"]


def test_two_open_results_of_one_component_both_merge_whatever_came_between(world) -> None:
    first = world.committer(second=1).publish(world.plan("job-1"), [world.record("r1")])
    second = world.committer(second=2).publish(world.plan("job-2"), [world.record("r2", "poor")])
    world.add_to_main("from-actions")
    for branch in (first.branch, second.branch):
        world.refresh()
        world.merge(str(branch))
    assert sorted(world.runs("main")) == ["from-actions", "r1", "r2"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_open_results_that_were_refreshed_still_stand_on_each_other(world, order: tuple[int, ...]) -> None:
    branches = [
        world.committer(second=at).publish(world.plan(f"job-{at}"), [world.record(f"r{at}")]).branch
        for at in (1, 2, 3)
    ]
    world.add_to_main("from-actions")
    assert world.refresh() == branches
    assert world.refresh() == []
    for at in order:
        world.merge(str(branches[at]))
    assert sorted(world.runs("main")) == ["from-actions", "r1", "r2", "r3"]


def test_open_results_that_merge_are_left_as_they_are(world) -> None:
    published = world.publish()
    world.commit_to_main("new.txt", "new\n")
    tip = world.bare.branch(str(published.branch))
    assert world.refresh() == []
    assert world.bare.branch(str(published.branch)) == tip


def test_a_conflict_in_anything_else_is_left_to_people(world) -> None:
    published = world.publish()
    branch = str(published.branch)
    there = Clone(world.bare.path, work=world.root / "work")
    theirs = commit_file(there, str(world.bare.branch(branch)), "README.md", b"one\n", "By hand")
    git(world.bare.path, "update-ref", f"refs/heads/{branch}", theirs)
    world.commit_to_main("README.md", "two\n")
    world.add_to_main("from-actions")
    assert world.refresh() == []
    assert world.bare.branch(branch) == theirs


def test_a_leaderboard_that_is_not_valid_is_not_merged_over(world) -> None:
    published = world.publish()
    world.commit_to_main(BOARD, "{")
    tip = world.bare.branch(str(published.branch))
    assert world.refresh() == []
    assert world.bare.branch(str(published.branch)) == tip
