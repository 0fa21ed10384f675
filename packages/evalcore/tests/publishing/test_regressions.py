"""What got worse is merged by nobody but a person, and is said; all else merges by itself where it may."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from evalcore.errors import RepositoryError
from evalcore.github.reports import CONTEXT
from evalcore.publishing.outbox import Outbox, Published
from evalcore.publishing.regressions import LONGEST_SUMMARY, comment_text, describe, regressions
from evalcore.runs.leaderboard import leaderboard_of


def allow_auto_merge(world) -> None:
    world.repository.allow_auto_merge = True
    world.repository.required_contexts = (CONTEXT,)


def publish(
    world, *records: Any, outbox: Outbox | None = None, job: str = "job-1", **settings: Any
) -> Published:
    kept = [outbox or Outbox()]
    committer = world.committer(**settings)
    return committer.publish(world.plan(job), records, {}, kept[-1], kept.append)


def test_results_are_set_to_merge_where_the_repository_allows_it_and_else_labelled(world) -> None:
    first = publish(world, world.record("r1"), auto_merge=True)
    assert world.repository.pulls[0].labels == ["eval-results", "automerge"]
    allow_auto_merge(world)
    publish(world, world.record("r2"), job="job-2", second=6, auto_merge=True)
    assert first.regression is None
    assert world.repository.pulls[1].labels == ["eval-results"]
    assert world.repository.pulls[1].auto_merge is not None


def test_nothing_is_set_to_merge_that_nobody_asked_for(world) -> None:
    allow_auto_merge(world)
    world.publish()
    (pull,) = world.repository.pulls
    assert (pull.labels, pull.auto_merge) == (["eval-results", "automerge"], None)


def test_regression_is_neither_set_to_merge_nor_labelled(world) -> None:
    allow_auto_merge(world)
    world.put_on_main(world.better("old", version="1.1.0"))
    published = publish(world, world.worse("new", version="1.2.0"), auto_merge=True)
    (pull,) = world.repository.pulls
    assert (pull.labels, pull.auto_merge) == (["eval-results"], None)
    assert published.regression is not None
    assert published.regression.summary == "good -50.0"
    assert "- `good`: regression, 94.2 %" in published.regression.details


def test_results_that_stand_on_a_regression_wait_with_it(world) -> None:
    world.put_on_main(world.better("old", version="1.1.0"))
    publish(world, world.worse("new", version="1.2.0"), second=1)
    later = publish(world, world.record("other", "other"), job="job-2", second=2)
    assert later.regression is None
    assert world.runs(later.branch or "") == ["old", "new", "other"]
    assert [pull.labels for pull in world.repository.pulls] == [["eval-results"], ["eval-results"]]


@pytest.mark.parametrize("mode", ["pr", "push"])
def test_regression_is_found_again_whatever_was_interrupted(world, mode: Any) -> None:
    world.put_on_main(world.better("old", version="1.1.0"))
    new = world.worse("new", version="1.2.0")
    steps: list[Outbox] = []
    first = world.committer(mode).publish(world.plan(), [new], {}, Outbox(), steps.append)
    assert first.regression is not None
    assert steps[-1].regression == first.regression
    for done in steps:
        again: list[Outbox] = [done]
        found = world.committer(mode, second=9).publish(world.plan(), [new], {}, done, again.append)
        assert found == first
        assert again[-1].regression == first.regression
    assert len(world.repository.pulls) == (1 if mode == "pr" else 0)


@pytest.mark.parametrize("lost", ["graphql", "labels.add"])
def test_answer_that_got_lost_is_found_again(world, lost: str) -> None:
    allow_auto_merge(world)
    world.fault(on=lost, answer_lost=True, times=2)
    kept: list[Outbox] = [Outbox()]
    for _ in range(3):
        with suppress(RepositoryError):
            committer = world.committer(auto_merge=True)
            committer.publish(world.plan(), [world.record("r1")], {}, kept[-1], kept.append)
    (pull,) = world.repository.pulls
    assert pull.labels == ["eval-results"]
    assert pull.auto_merge is not None


def test_two_new_versions_at_once_are_compared_with_each_other(world) -> None:
    old, new = world.better("a", version="1.1.0"), world.worse("b", version="1.2.0")
    assert [each.model for each in regressions(leaderboard_of("budget", []), [new, old])] == ["good"]
    assert regressions(leaderboard_of("budget", []), [new]) == []
    assert regressions(leaderboard_of("budget", [new, old]), [old]) == []


def test_many_models_are_named_as_far_as_a_status_has_room(world) -> None:
    names = [f"vendor/a-model-with-a-long-name-{number}" for number in range(12)]
    old = [world.better(f"o{name}", version="1.1.0", model=name) for name in names]
    new = [world.worse(f"n{name}", version="1.2.0", model=name) for name in names]
    told = describe(regressions(leaderboard_of("budget", old), new))
    assert told is not None
    assert len(told.summary) <= LONGEST_SUMMARY
    assert told.summary.endswith("and 10 more")
    assert describe([]) is None


def test_comment_shows_foreign_text_as_text(world) -> None:
    hostile = "@everyone <img src=x> `|`"
    old = world.better("o", version="1.1.0", model=hostile)
    new = world.worse("n", version="1.2.0", model=hostile)
    told = describe(regressions(leaderboard_of("budget", [old]), [new]))
    assert told is not None
    text = comment_text("budget", told, "https://github.example/pull/7")
    assert "https://github.example/pull/7" in text
    assert "`` @everyone <img src=x> `¦` ``" in text
