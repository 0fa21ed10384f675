"""Where a campaign stands, as it is shown: its runs, what they came to, and when it will be done."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from evalcli.campaigns.assignment import OPEN, RunState, WorkerState
from evalcli.campaigns.plan import CampaignPlan, shown_model
from evalcli.campaigns.remaining import seconds_left
from evalcli.campaigns.schedule import moment_after
from evalcli.terminal.text import Table, figure
from evalcore.formats.counts import counted
from evalcore.formats.durations import duration_text
from evalcore.structs import Frozen, JsonObject, JsonValue

HEADINGS = ("component", "model", "status", "accuracy", "calls", "worker", "why")


class CampaignStatus(Frozen, frozen=True):
    """Where a campaign stands at a moment."""

    plan: CampaignPlan
    states: tuple[RunState, ...]
    """Of the runs that are queued; fewer than planned where queueing was cut short."""
    workers: tuple[WorkerState, ...]
    now: datetime

    @property
    def counts(self) -> Counter[str]:
        """How many runs stand how, by the words that are shown."""
        return Counter(word_of(state) for state in self.states)

    @property
    def open(self) -> list[RunState]:
        """The runs that have not ended."""
        return [state for state in self.states if state.phase in OPEN]

    @property
    def at_work(self) -> list[WorkerState]:
        """The workers that do its runs: those of the version that planned them."""
        return [one for one in self.workers if not one.is_lost and one.evaluator == self.plan.evaluator]

    @property
    def is_complete(self) -> bool:
        """Whether every planned run has ended complete."""
        return self.counts["complete"] == len(self.plan.runs)

    @property
    def cost_usd(self) -> float:
        """What the runs with a record have cost, as far as they say it."""
        records = [state.result.record for state in self.states if state.result is not None]
        return math.fsum(record.cost_usd or 0.0 for record in records if record is not None)

    @property
    def seconds_left(self) -> float | None:
        """How long it still takes, by what the runs that have ended took beside their forecasts."""
        return seconds_left(self.plan, self.states, self.now)

    @property
    def end(self) -> datetime | None:
        """When it will be done; None while nobody is at work on it."""
        left = self.seconds_left
        return None if left is None or not self.at_work else moment_after(self.now, left)


def word_of(state: RunState) -> str:
    """Return how a run stands, in one word."""
    if state.phase != "ended":
        return state.phase
    return state.result.status if state.result is not None else "failed"


def summary(status: CampaignStatus) -> str:
    """Say where a campaign stands, in one sentence."""
    total = len(status.plan.runs)
    parts = [f"{count} {word}" for word, count in sorted(status.counts.items()) if word != "complete"]
    if len(status.states) < total:
        parts.append(f"{total - len(status.states)} not queued")
    text = f"{status.plan.campaign.name}: {status.counts['complete']} of {counted(total, 'run')} complete"
    text = ", ".join([text, *parts])
    if status.cost_usd:
        text += f"; {status.cost_usd:.2f} USD"
    return text + _when(status)


def _when(status: CampaignStatus) -> str:
    """Say when it will be done, as far as that is known."""
    left, deadline = status.seconds_left, status.plan.campaign.deadline
    if left is None:
        return ""
    about = f"about {duration_text(left)}"
    text = f"; done in {about}" if status.at_work else f"; it takes {about} once a worker is at work"
    end = moment_after(status.now, left)
    if deadline is not None and end > deadline:
        text += f", {duration_text((end - deadline).total_seconds())} after the deadline"
    return text


def status_table(status: CampaignStatus) -> Table:
    """Lay out where each run stands; what waits comes last."""
    # What is amiss stands first.
    order = {
        "failed": 0,
        "partial": 1,
        "skipped": 2,
        "stopped": 3,
        "interrupted": 4,
        "running": 5,
        "cancelled": 6,
    }
    states = sorted(
        status.states,
        key=lambda state: (order.get(word_of(state), 9), word_of(state), state.assignment.run.key),
    )
    return Table(headings=HEADINGS, rows=tuple(map(_row, states)), numeric=frozenset({"accuracy", "calls"}))


def _row(state: RunState) -> tuple[str, ...]:
    run, result = state.assignment.run, state.result
    record = result.record if result is not None else None
    return (
        run.component,
        shown_model(run),
        word_of(state),
        figure(record.accuracy.mean if record is not None else None),
        str(run.calls),
        (result.worker if result is not None and result.worker else state.worker) or "-",
        (result.reason if result is not None else None) or "",
    )


def status_object(status: CampaignStatus) -> JsonObject:
    """Write where a campaign stands for `--json`."""
    end = status.end
    return {
        "campaign": status.plan.campaign.name,
        "runs": [_object(state) for state in status.states],
        "planned": len(status.plan.runs),
        "counts": dict(status.counts),
        "cost_usd": status.cost_usd,
        "end": None if end is None else end.isoformat(timespec="seconds"),
        "workers": _plain([worker for worker in status.workers if worker.lease_s >= 0]),
    }


def _object(state: RunState) -> JsonObject:
    run, result = state.assignment.run, state.result
    record = result.record if result is not None else None
    return {
        "component": run.component,
        "component_version": run.version,
        "model": run.model,
        "rescored": run.rescored,
        "provider": run.provider,
        "run_id": state.assignment.run_id,
        "attempt": state.assignment.attempt,
        "status": word_of(state),
        "reason": result.reason if result is not None else None,
        "calls": run.calls,
        "accuracy": record.accuracy.mean if record is not None else None,
        "worker": result.worker if result is not None else state.worker,
        "run_dir": result.run_dir if result is not None else None,
        "begun_at": _plain(state.begun_at),
        "ended_at": _plain(state.ended_at),
        "foreseen_s": run.forecast.seconds,
    }


def _plain(value: WorkerState | Sequence[WorkerState] | datetime | None) -> JsonValue:
    plain: JsonValue = msgspec.to_builtins(value)
    return plain
