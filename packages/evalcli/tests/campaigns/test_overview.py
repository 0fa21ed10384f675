"""What a campaign will take, in sentences and as an object: at the limits, and where little is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from evalcli.campaigns.overview import late, left_out_lines, plan_object, runs_table, sentences, too_dear
from evalcli.campaigns.plan import CampaignPlan, LeftOut, PlannedRun

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
Plan = Callable[..., CampaignPlan]


@pytest.fixture
def run(make_planned: Callable[..., PlannedRun]) -> Callable[..., PlannedRun]:
    """A planned run with what is foreseen of it."""

    def planned(key: str, **foreseen: Any) -> PlannedRun:
        one = make_planned(key)
        return msgspec.structs.replace(one, forecast=msgspec.structs.replace(one.forecast, **foreseen))

    return planned


@pytest.mark.parametrize(
    ("ahead_s", "said"),
    [
        (61.0, None),
        (60.0, None),
        (59.0, "The deadline 2026-01-05T09:00+00:00 is missed by 1 s"),
        (0.0, "The deadline 2026-01-05T09:00+00:00 is over"),
    ],
)
def test_a_deadline_is_kept_up_to_its_very_moment(
    run: Callable[..., PlannedRun], make_plan: Plan, ahead_s: float, said: str | None
) -> None:
    plan = make_plan(run("memo/alpha", seconds=60.0), deadline=NOW + timedelta(seconds=ahead_s))
    assert late(plan, NOW) == said
    assert plan_object(plan, NOW)["deadline_met"] is (said is None)
    assert any(said in line for line in sentences(plan, NOW)) if said else True


def test_a_budget_suffices_up_to_its_last_cent(run: Callable[..., PlannedRun], make_plan: Plan) -> None:
    runs = [run("memo/alpha", cost_usd=1.25), run("memo/beta", cost_usd=0.75)]
    assert too_dear(make_plan(*runs, budget_usd=2.0)) is None
    said = "The budget of 1.99 USD does not suffice: 2.00 USD are foreseen"
    assert too_dear(make_plan(*runs, budget_usd=1.99)) == said
    assert f"{said}." in sentences(make_plan(*runs, budget_usd=1.99), NOW)


def test_what_is_known_of_some_runs_is_said_with_how_many_it_is_not_known_of(
    run: Callable[..., PlannedRun], make_plan: Plan
) -> None:
    plan = make_plan(run("memo/alpha", seconds=60.0, cost_usd=1.0), run("memo/beta"), run("memo/gamma"))
    said = sentences(plan, NOW)
    assert said[0] == "nightly: 3 runs, 12 calls."
    assert any(line.endswith("of which 2 runs by the mean of the others.") for line in said)
    assert "It costs about 1.00 USD; of 2 runs it is not known, or nothing." in said
    # A sum of some of the runs would mislead in the budget too, but what is known is over it already.
    assert too_dear(msgspec.structs.replace(plan, campaign=make_plan(budget_usd=0.5).campaign)) is not None


def test_where_nothing_is_known_of_the_cost_nothing_is_said_of_it(
    run: Callable[..., PlannedRun], make_plan: Plan
) -> None:
    plan = make_plan(run("memo/alpha", seconds=60.0), budget_usd=0.01)
    assert too_dear(plan) is None
    assert not any("cost" in line or "budget" in line for line in sentences(plan, NOW))
    assert plan_object(plan, NOW)["cost_usd"] is None


def test_scoring_kept_replies_again_calls_nothing(
    make_planned: Callable[..., PlannedRun], make_plan: Plan
) -> None:
    plan = make_plan(make_planned("memo/alpha", rescored="0190", calls=0), task="rescore")
    assert sentences(plan, NOW) == ["nightly: the kept replies of 1 run; no model is called."]
    table = runs_table(plan)
    assert table.headings == ("component", "version", "model", "run")
    assert table.rows == (("memo", "1.0.0", "alpha", "0190"),)


def test_a_row_has_what_is_foreseen_and_unknown_where_nothing_is(
    run: Callable[..., PlannedRun], make_plan: Plan
) -> None:
    foreseen = {"seconds": 90.0, "prompt_tokens": 12345, "completion_tokens": 678, "cost_usd": 0.125}
    table = runs_table(make_plan(run("memo/alpha", **foreseen, smallest_change=0.0415), run("memo/beta")))
    known, unknown = (dict(zip(table.headings, row, strict=True)) for row in table.rows)
    assert (known["tokens in"], known["tokens out"], known["USD"]) == ("12,345", "678", "0.12")
    assert "0.042" in known.values()
    assert (unknown["time"], unknown["USD"], "none" in unknown.values()) == ("unknown", "unknown", True)


def test_components_that_are_left_out_are_named_with_the_reason(make_plan: Plan) -> None:
    plan = msgspec.structs.replace(make_plan(), left_out=(LeftOut("memo", "it has no case"),))
    assert left_out_lines(plan) == ["memo is left out: it has no case"]
    assert plan_object(plan, NOW)["left_out"] == [{"component": "memo", "reason": "it has no case"}]
