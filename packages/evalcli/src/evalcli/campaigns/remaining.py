"""How long a campaign that is under way still takes: by the pace of the runs that have ended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from evalcli.campaigns.assignment import OPEN, RunState
from evalcli.campaigns.plan import CampaignPlan
from evalcli.campaigns.schedule import Timed, time_of_all


def seconds_left(plan: CampaignPlan, states: Sequence[RunState], now: datetime) -> float | None:
    """Return in how many seconds all runs have ended; None where none is left, or that of no run is known.

    A run takes as many times its forecast as those that ended complete did; one without a forecast takes as
    long as the others that are left, on average.
    """
    pace = _pace(states)
    left = {_key(state): _left(state, pace, now) for state in states if state.phase in OPEN}
    known = [seconds for seconds in left.values() if seconds is not None]
    if not known:
        return None
    mean = math.fsum(known) / len(known)
    times = {key: mean if seconds is None else seconds for key, seconds in left.items()}
    return max(_of_provider(plan, provider, states, times, now) for provider in plan.providers)


def _of_provider(
    plan: CampaignPlan, provider: str, states: Sequence[RunState], times: Mapping[str, float], now: datetime
) -> float:
    """Return in how many seconds a provider's runs have ended, by how long each of them still takes."""
    own = [state for state in states if state.assignment.run.provider == provider]
    # How much is kept of an interrupted run is not known here: it is taken for one that begins anew.
    waiting = {_key(state) for state in own if state.phase in {"waiting", "interrupted"}}
    under_way = [state.assignment.run for state in own if state.phase == "running"]
    return time_of_all(
        # In the order in which they are begun, which is that of the plan.
        [Timed(times[run.key], run.model) for run in plan.runs if run.key in waiting],
        plan.at_once(provider),
        under_way=[Timed(times[run.key], run.model) for run in under_way],
        begun=[_since(state.begun_at, now) for state in own if state.begun_at is not None],
    )


def _left(state: RunState, pace: float, now: datetime) -> float | None:
    foreseen = state.assignment.run.forecast.seconds
    if foreseen is None:
        return None
    been = 0.0
    if state.phase == "running" and state.begun_at is not None:
        been = _since(state.begun_at, now)
    return max(0.0, foreseen * pace - been)


def _pace(states: Sequence[RunState]) -> float:
    """Return how long runs took, for each second that was foreseen."""
    took, foreseen = 0.0, 0.0
    for state in states:
        seconds = state.assignment.run.forecast.seconds
        is_complete = state.result is not None and state.result.is_complete
        if seconds and state.begun_at and state.ended_at and is_complete:
            took += _since(state.begun_at, state.ended_at)
            foreseen += seconds
    return took / foreseen if foreseen else 1.0


def _since(moment: datetime, later: datetime) -> float:
    """Return the seconds between two moments; none where by the clocks of two hosts the first is later."""
    return max(0.0, (later - moment).total_seconds())


def _key(state: RunState) -> str:
    return state.assignment.run.key
