"""Results of many components in one pull request: what it brings, once, and what it refuses to touch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from evalcore.errors import LeaderboardError, RepositoryError
from evalcore.github.client import GitHub
from evalcore.publishing.changes import ForeignChange
from evalcore.publishing.committer import RESULTS_LABEL
from evalcore.publishing.outbox import Published
from evalcore.publishing.pull_request import LONGEST
from evalcore.publishing.together import ComponentResults, publish_together
from evalcore.runs.leaderboard import parse_leaderboard
from evalsim.testing import git, make_component, make_job_plan


def part(world: Any, slug: str, *run_ids: str, **fields: Any) -> ComponentResults:
    """The results of one component of the commit on main."""
    plan = make_job_plan(
        component=make_component(slug, version="1.2.0", output="json"),
        prompt_commit=world.bare.branch("main"),
    )
    return ComponentResults(plan, [world.record(run_id, **{"model": run_id} | fields) for run_id in run_ids])


@pytest.fixture
def publish(world: Any) -> Callable[..., Published]:
    def run(*parts: ComponentResults, name: str = "nightly", github: GitHub | None = None) -> Published:
        return publish_together(world.clone, github or world.github(), name, parts).published

    return run


def runs(world: Any, branch: str, slug: str) -> list[str]:
    path = f"components/{slug}/leaderboard.json"
    data = world.bare.file(branch, path)
    return [] if data is None else [str(run["run_id"]) for run in parse_leaderboard(data, path).runs]


def test_one_commit_on_main_and_one_pull_request_bring_every_leaderboard(
    world: Any, publish: Callable[..., Published]
) -> None:
    made = publish(part(world, "budget", "r1", "r2"), part(world, "memo", "r3"))
    (pull,) = world.repository.pulls
    assert (made.pull_request_url, made.branch) == (f"{world.url}/acme/prompt-library/pull/1", pull.head)
    assert made.sentence == "nightly: 3 runs of 2 components"
    assert pull.title == "eval(nightly): 3 runs of 2 components"
    assert (pull.base, pull.labels) == ("main", [RESULTS_LABEL])
    assert pull.head.startswith("eval-campaigns/nightly-")
    assert (runs(world, pull.head, "budget"), runs(world, pull.head, "memo")) == (["r1", "r2"], ["r3"])
    changed = git(world.bare.path, "log", "--format=", "--name-only", f"main..{pull.head}").splitlines()
    assert changed == ["components/budget/leaderboard.json", "components/memo/leaderboard.json"]
    for slug in ("budget", "memo"):
        assert f"- `{slug} 1.2.0`: " in pull.body
        assert f"<summary>{slug} 1.2.0</summary>" in pull.body


def test_the_same_records_are_published_once_in_any_order(
    world: Any, publish: Callable[..., Published]
) -> None:
    one, two = part(world, "budget", "r1", "r2"), part(world, "memo", "r3")
    first = publish(one, two)
    tip = world.bare.branch(first.branch)
    # As two workers report them, of one component at two moments.
    halves = [ComponentResults(one.plan, records) for records in (one.records[1:], one.records[:1])]
    again = publish(two, *halves)
    assert again == first
    assert (len(world.repository.pulls), world.bare.branch(first.branch)) == (1, tip)


def test_what_main_has_already_is_not_brought_again(world: Any, publish: Callable[..., Published]) -> None:
    world.put_on_main(world.record("r1", "r1"))
    assert publish(part(world, "budget", "r1")) == Published(None, None)
    assert world.repository.pulls == []
    made = publish(part(world, "budget", "r1", "r2"), part(world, "memo", "r3"))
    assert made.sentence == "nightly: 2 runs of 2 components"
    assert runs(world, made.branch, "budget") == ["r1", "r2"]
    world.merge(made.branch)
    assert publish(part(world, "budget", "r1", "r2"), part(world, "memo", "r3")) == Published(None, None)


def test_further_records_are_another_pull_request(world: Any, publish: Callable[..., Published]) -> None:
    first = publish(part(world, "budget", "r1"))
    second = publish(part(world, "budget", "r1", "r2"))
    assert first.branch != second.branch
    assert len(world.repository.pulls) == 2
    assert publish(part(world, "budget", "r1"), name="other").branch not in {first.branch, second.branch}


def test_cut_off_before_the_pull_request_the_next_try_completes_it(
    world: Any, publish: Callable[..., Published]
) -> None:
    world.fault(on="pulls.create", status=502, times=1)
    with pytest.raises(RepositoryError):
        publish(part(world, "budget", "r1"))
    (branch,) = [name for name in world.bare.branches() if name.startswith("eval-campaigns/")]
    tip = world.bare.branch(branch)
    assert publish(part(world, "budget", "r1")).branch == branch
    assert (world.bare.branch(branch), len(world.repository.pulls)) == (tip, 1)


def test_a_branch_of_that_name_with_something_else_is_left_alone(
    world: Any, publish: Callable[..., Published]
) -> None:
    branch = publish(part(world, "budget", "r1")).branch
    world.repository.pulls.clear()
    git(world.bare.path, "update-ref", f"refs/heads/{branch}", world.bare.branch("main"))
    with pytest.raises(RepositoryError, match="the branch holds something else than these records"):
        publish(part(world, "budget", "r1"))
    assert world.bare.branch(branch) == world.bare.branch("main")
    assert world.repository.pulls == []


def test_anothers_pull_request_from_that_branch_is_named_and_left_alone(
    world: Any, publish: Callable[..., Published]
) -> None:
    publish(part(world, "budget", "r1"))
    (pull,) = world.repository.pulls
    pull.user = "somebody-else"
    with pytest.raises(ForeignChange, match="another account has opened it"):
        publish(part(world, "budget", "r1"))
    assert len(world.repository.pulls) == 1


def test_a_leaderboard_that_is_not_valid_is_never_overwritten(
    world: Any, publish: Callable[..., Published]
) -> None:
    world.commit_to_main("components/memo/leaderboard.json", "{ not JSON")
    with pytest.raises(LeaderboardError, match=r"components/memo/leaderboard\.json"):
        publish(part(world, "budget", "r1"), part(world, "memo", "r3"))
    assert world.repository.pulls == []
    assert not [name for name in world.bare.branches() if name.startswith("eval-campaigns/")]


def test_what_is_too_much_for_one_pull_request_is_left_out_of_its_text_alone(
    world: Any, publish: Callable[..., Published]
) -> None:
    parts = [
        part(world, f"component-{number:03}", *(f"{number}-{at}" for at in range(8))) for number in range(60)
    ]
    made = publish(*parts)
    (pull,) = world.repository.pulls
    assert len(pull.body) <= LONGEST + 100
    assert pull.body.count("\n- `component-") == 60
    assert "left out here" in pull.body
    assert all(len(runs(world, made.branch, f"component-{number:03}")) == 8 for number in (0, 59))


def test_text_of_records_is_text_in_the_pull_request(world: Any, publish: Callable[..., Published]) -> None:
    publish(part(world, "budget", "r1", model="@everyone](http://x) <script>|"))
    (pull,) = world.repository.pulls
    # In code GitHub links, mentions and interprets nothing.
    outside = re.sub("`[^`\n]*`", "", pull.body)
    assert "everyone" in pull.body
    assert not [word for word in ("everyone", "http://x", "script") if word in outside]
