"""What a campaign will take, as it is shown before anything is begun."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from evalcli.campaigns.plan import CampaignPlan, PlannedRun
from evalcli.evaluation.forecast import SMALLEST_FALL, SMALLEST_FALL_MEANS, UNKNOWN, fall_text
from evalcli.terminal.text import Table
from evalcore.formats.counts import counted
from evalcore.formats.durations import duration_text
from evalcore.formats.strict_json import rounded
from evalcore.structs import JsonObject

_RUN = ("component", "model", "calls", "at once", "time")
HEADINGS = (*_RUN, "tokens in", "tokens out", "USD", SMALLEST_FALL, "by")


def runs_table(plan: CampaignPlan) -> Table:
    """Lay out the runs in the order in which they are begun, with what each will take."""
    if plan.campaign.task == "rescore":
        rows = tuple((run.component, run.version, run.model, run.rescored or "") for run in plan.runs)
        return Table(headings=("component", "version", "model", "run"), rows=rows)
    return Table(
        title=f"{SMALLEST_FALL_MEANS}; by: which past runs say so",
        headings=HEADINGS,
        rows=tuple(map(_row, plan.runs)),
        numeric=frozenset(HEADINGS) - {"component", "model", "by"},
        spare=("tokens in", "tokens out", "at once", SMALLEST_FALL, "by"),
    )


def sentences(plan: CampaignPlan, now: datetime) -> list[str]:
    """Say what all runs together will take, and whether that is within what the campaign allows."""
    name = plan.campaign.name
    if plan.campaign.task == "rescore":
        return [f"{name}: the kept replies of {counted(len(plan.runs), 'run')}; no model is called."]
    calls = sum(run.calls for run in plan.runs)
    said = [f"{name}: {counted(len(plan.runs), 'run')}, {counted(calls, 'call')}."]
    for provider in plan.providers:
        limits = plan.campaign.limits_of(provider)
        many = counted(sum(run.provider == provider for run in plan.runs), "run")
        at_most = [f"{counted(limits.calls, 'call')} and {counted(limits.runs, 'run')} at once"]
        if (of_a_model := limits.runs_of_a_model(provider)) < limits.runs:
            at_most.append(f"{of_a_model} of each model")
        if limits.runs_per_hour is not None:
            at_most.append(f"{counted(limits.runs_per_hour, 'run')} begun within an hour")
        comma = "," if len(at_most) > 1 else ""
        said.append(f"{provider}: {many}, at most {', '.join(at_most)}{comma} over all workers.")
    if plan.seconds is None:
        said.append("How long it takes is not known: there is no past run that says so.")
    else:
        missing = sum(run.forecast.seconds is None for run in plan.runs)
        rest = f", of which {counted(missing, 'run')} by the mean of the others" if missing else ""
        said.append(f"It takes about {duration_text(plan.seconds)} where no worker is missing{rest}.")
    blind = sum(run.forecast.smallest_change is None for run in plan.runs)
    if blind:
        many = counted(blind, "run shows", "runs show")
        said.append(f"{many} no fall of accuracy, however large: more replicates or more cases would help.")
    said += [f"{text}." for text in (_cost(plan), late(plan, now), too_dear(plan)) if text]
    return said


def late(plan: CampaignPlan, now: datetime) -> str | None:
    """Say that the deadline is over, or not met by the forecast; None where it is met, or there is none."""
    end, deadline = plan.end(now), plan.campaign.deadline
    if deadline is not None and deadline <= now:
        return f"The deadline {deadline.isoformat(timespec='minutes')} is over"
    if deadline is None or end is None or end <= deadline:
        return None
    by = duration_text((end - deadline).total_seconds())
    return f"The deadline {deadline.isoformat(timespec='minutes')} is missed by {by}"


def too_dear(plan: CampaignPlan) -> str | None:
    """Say that the budget does not suffice by the forecast; None where it does, or there is none."""
    budget, cost = plan.campaign.budget_usd, _sum(plan.runs, lambda run: run.forecast.cost_usd)
    if budget is None or cost is None or cost <= budget:
        return None
    return f"The budget of {budget:.2f} USD does not suffice: {cost:.2f} USD are foreseen"


def plan_object(plan: CampaignPlan, now: datetime) -> JsonObject:
    """Write a plan for `--json`."""
    end, deadline = plan.end(now), plan.campaign.deadline
    # One that is over is missed whatever is foreseen; of one ahead nothing is known without an end.
    is_open = deadline is None or (end is None and deadline > now)
    value: JsonObject = {
        "campaign": plan.campaign.name,
        "evaluator": plan.evaluator,
        "calls": sum(run.calls for run in plan.runs),
        "seconds": plan.seconds,
        "end": None if end is None else end.isoformat(timespec="seconds"),
        "deadline_met": None if is_open else late(plan, now) is None,
        "cost_usd": _sum(plan.runs, lambda run: run.forecast.cost_usd),
        "limits": {name: msgspec.to_builtins(plan.campaign.limits_of(name)) for name in plan.providers},
        "runs": [msgspec.to_builtins(run) for run in plan.runs],
        "left_out": [msgspec.to_builtins(one) for one in plan.left_out],
    }
    return {key: rounded(item) for key, item in value.items()}


def _cost(plan: CampaignPlan) -> str | None:
    cost = _sum(plan.runs, lambda run: run.forecast.cost_usd)
    priced = [run for run in plan.runs if run.forecast.cost_usd is not None]
    if cost is None:
        return None
    without = len(plan.runs) - len(priced)
    more = f"; of {counted(without, 'run')} it is not known, or nothing" if without else ""
    return f"It costs about {cost:.2f} USD{more}"


def _sum(runs: Sequence[PlannedRun], of: Callable[[PlannedRun], float | None]) -> float | None:
    """Sum up what is known; None where nothing is."""
    known = [value for run in runs if (value := of(run)) is not None]
    return math.fsum(known) if known else None


def _row(run: PlannedRun) -> tuple[str, ...]:
    foreseen = run.forecast
    return (
        run.component,
        run.model,
        str(run.calls),
        str(run.in_flight),
        UNKNOWN if foreseen.seconds is None else duration_text(foreseen.seconds),
        UNKNOWN if foreseen.prompt_tokens is None else f"{foreseen.prompt_tokens:,}",
        UNKNOWN if foreseen.completion_tokens is None else f"{foreseen.completion_tokens:,}",
        UNKNOWN if foreseen.cost_usd is None else f"{foreseen.cost_usd:.2f}",
        fall_text(foreseen.smallest_change),
        foreseen.basis,
    )


def left_out_lines(plan: CampaignPlan) -> list[str]:
    """Say which components are left out, and why."""
    return [f"{one.component} is left out: {one.reason}" for one in plan.left_out]
