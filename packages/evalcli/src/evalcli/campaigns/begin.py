"""Which runs of a campaign are to be queued: those that were never, and those that did not end complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evalcli.campaigns.assignment import OPEN, Assignment, RunState
from evalcli.campaigns.plan import CampaignPlan
from evalcore.errors import ConfigurationError
from evalcore.formats.counts import first_few


def require_same(asked: CampaignPlan, begun: CampaignPlan) -> None:
    """Raise ConfigurationError where a campaign of this name was begun with something else.

    What forecasts say, and by when it is to be done, may differ.
    """
    name = asked.campaign.name
    if begun.evaluator != asked.evaluator:
        what = f"it was begun with evaluator {begun.evaluator}, and this is {asked.evaluator}"
        raise ConfigurationError(what, where=name, hint="go on with that version, or give it another name")
    now, then = _inputs(asked), _inputs(begun)
    differing = sorted({key for key in now.keys() | then.keys() if now.get(key) != then.get(key)})
    if differing:
        named = first_few(differing, 1)
        what = f"a campaign of this name was begun with other files or settings for {named}"
        hint = "check out what it was begun with, or give the new one another name"
        raise ConfigurationError(what, where=name, hint=hint)
    # The provider's queue may be that of another campaign too, which was begun with the same limits.
    for provider in asked.providers:
        if asked.campaign.limits_of(provider) != begun.campaign.limits_of(provider):
            what = f"a campaign of this name was begun with other limits of {provider}"
            raise ConfigurationError(what, where=name, hint="keep those, or give the new one another name")


def to_be_queued(
    plan: CampaignPlan, states: Sequence[RunState], new_id: Callable[[], str]
) -> list[tuple[Assignment, int]]:
    """Return the runs to be queued, each with its priority: 1 for the first of the plan."""
    known = {state.assignment.run.key: state for state in states}
    jobs = {state.assignment.run.component: state.assignment.job_id for state in states}
    queued = []
    for place, run in enumerate(plan.runs, start=1):
        state = known.get(run.key)
        if state is not None and (state.phase in OPEN or _is_done(state)):
            continue
        # One job for each component: its runs are published together.
        job_id = jobs[run.component] = jobs.get(run.component) or new_id()
        assignment = Assignment(
            campaign=plan.campaign.name,
            attempt=1 if state is None else state.assignment.attempt + 1,
            job_id=job_id,
            run_id=_kept_id(state) or new_id(),
            run=run,
            spent_usd=_spent(state),
        )
        queued.append((assignment, place))
    return queued


def _is_done(state: RunState) -> bool:
    return state.result is not None and state.result.is_complete


def _spent(state: RunState | None) -> float:
    """Return what a run's attempts have cost whose replies are not gone on with."""
    if state is None:
        return 0.0
    record = state.result.record if state.result is not None else None
    return state.assignment.spent_usd + ((record.cost_usd or 0.0) if record is not None else 0.0)


def _kept_id(state: RunState | None) -> str | None:
    """Return the id of an attempt without a record: its replies are gone on with, not paid for again."""
    if state is None or (state.result is not None and state.result.record is not None):
        return None
    return state.assignment.run_id


def _inputs(plan: CampaignPlan) -> dict[str, tuple[str, int, int]]:
    return {run.key: (run.inputs_sha256, run.replicates, run.in_flight) for run in plan.runs}
