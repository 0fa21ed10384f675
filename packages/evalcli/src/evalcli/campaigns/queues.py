"""A provider's queue: the limits that hold for its runs, whoever does them."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from dbos import DBOSClient, Queue

from evalcli.campaigns.file import RESCORE
from evalcli.campaigns.plan import CampaignPlan
from evalcli.campaigns.rows import queue_of
from evalcli.campaigns.schedule import HOUR_S

POLL_S: Final = 1.0
"""Seconds between two looks of a worker at a queue."""
LOOKS: Final = 3
"""So many of them after which every worker knows what has changed; they may be a little late."""


class _Limits(NamedTuple):
    runs: int | None
    of_a_worker: int | None
    of_a_model: int | None
    hourly: int | None


def register(client: DBOSClient, plan: CampaignPlan, provider: str, *, is_shared: bool) -> bool:
    """Make a provider's queue with a campaign's limits; says whether there was one with others."""
    name, limits = queue_of(provider), _limits(plan, provider, is_shared=is_shared)
    before = _known(client.retrieve_queue(name))
    client.register_queue(
        name,
        global_concurrency=limits.runs,
        worker_concurrency=limits.of_a_worker,
        partition_concurrency=limits.of_a_model,
        limiter=None if limits.hourly is None else {"limit": limits.hourly, "period": HOUR_S},
        polling_interval_sec=POLL_S,
    )
    return before is not None and before != limits


def is_by_model(plan: CampaignPlan, provider: str) -> bool:
    """Whether a provider's queue has a part for each model, of which a few runs are taken at once."""
    at_once = plan.at_once(provider)
    return at_once.of_a_model < at_once.runs


def _limits(plan: CampaignPlan, provider: str, *, is_shared: bool) -> _Limits:
    limits, at_once = plan.campaign.limits_of(provider), plan.at_once(provider)
    # Scoring takes a core for each run, which calls do not.
    here = (os.cpu_count() or 1) if provider == RESCORE else limits.runs
    # One where workers share: the first to look would take all that may run, and its host be busy while the
    # others are idle.
    each = limits.runs_per_worker or (1 if is_shared else here)
    # A queue in parts is emptied part by part, in no order: only where it has to be.
    of_a_model = at_once.of_a_model if is_by_model(plan, provider) else None
    return _Limits(limits.runs, min(each, limits.runs), of_a_model, at_once.hourly)


def _known(queue: Queue | None) -> _Limits | None:
    if queue is None:
        return None
    hourly = None if queue.limiter is None else queue.limiter["limit"]
    return _Limits(queue.global_concurrency, queue.worker_concurrency, queue.partition_concurrency, hourly)
