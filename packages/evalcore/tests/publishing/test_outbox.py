"""Publishing that was interrupted is finished, and nothing is doubled: lost answers, a process killed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from evalcore.errors import RepositoryError
from evalcore.github.transport import PullRequestRefused
from evalcore.publishing.outbox import Outbox, Published
from evalsim.testing import REPOSITORY, git


class SavedOutbox:
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


def publish(world, kept: SavedOutbox, **settings: Any) -> Published:
    return world.committer(**settings).publish(world.plan(), [world.record("r1")], {}, kept.outbox, kept.save)


def assert_one_of_each(world, published: Published) -> None:
    (pull,) = world.repository.pulls
    assert (pull.labels, pull.head) == (["eval-results", "automerge"], published.branch)
    assert published.pull_request_url == f"{world.url}/{REPOSITORY}/pull/{pull.number}"
    assert world.runs(published.branch or "") == ["r1"]
    assert len([name for name in world.bare.branches() if name.startswith("eval-results/")]) == 1


@pytest.mark.parametrize("lost", ["push", "pulls.create", "labels.add"])
def test_answer_that_got_lost_doubles_nothing(world, lost: str) -> None:
    world.fault(on=lost, answer_lost=True, times=1)
    kept = SavedOutbox()
    with suppress(RepositoryError):
        publish(world, kept)
    assert_one_of_each(world, publish(world, kept, second=9))


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
def test_killed_after_any_step_the_next_start_finishes_it(world, step: int) -> None:
    kept = SavedOutbox()
    kept.die_at = step
    with pytest.raises(Killed):
        publish(world, kept)
    kept.die_at = None
    assert_one_of_each(world, publish(world, kept, second=9))


@pytest.mark.parametrize("step", [1, 2, 3])
def test_killed_before_a_step_was_noted_the_next_start_finds_it_done(world, step: int) -> None:
    kept = SavedOutbox()
    publish(world, kept)
    again = SavedOutbox()
    again.outbox = kept.steps[step - 1]
    assert_one_of_each(world, publish(world, again, second=9))


def test_results_that_were_merged_meanwhile_are_not_published_again(world) -> None:
    kept = SavedOutbox()
    published = publish(world, kept)
    world.merge(published.branch or "")
    git(world.bare.path, "update-ref", "-d", f"refs/heads/{published.branch}")
    for done in kept.steps:
        again = SavedOutbox()
        again.outbox = done
        found = publish(world, again, second=9)
        assert found == published
    assert len(world.repository.pulls) == 1
    assert list(world.bare.branches()) == ["main"]


def test_branch_name_that_another_took_after_it_was_chosen_is_left_to_it(world) -> None:
    kept = SavedOutbox()
    kept.die_at = 1
    with pytest.raises(Killed):
        publish(world, kept)
    kept.die_at = None
    git(world.bare.path, "branch", str(kept.outbox.branch), "main")
    published = publish(world, kept, second=9)
    assert published.branch != kept.steps[0].branch
    assert world.bare.branch(str(kept.steps[0].branch)) == world.bare.branch("main")


def test_refused_pull_request_is_told_and_the_branch_kept(world) -> None:
    world.fault(on="pulls.create", status=422, message="Validation Failed")
    kept = SavedOutbox()
    with pytest.raises(PullRequestRefused, match="cannot open the pull request: GitHub answers 422, Valid"):
        publish(world, kept)
    assert kept.outbox.is_pushed
    world.app.state.faults.clear()
    assert_one_of_each(world, publish(world, kept, second=9))


@pytest.mark.parametrize("mode", ["pr", "push"])
def test_what_the_results_come_to_is_stored_in_one_sentence(world, mode: str) -> None:
    kept = SavedOutbox()
    world.committer(mode).publish(world.plan(), [world.record("r1")], {}, kept.outbox, kept.save)
    assert kept.outbox.sentence is not None
    assert kept.outbox.sentence.startswith("good alone is ranked, accuracy ")
