"""Calls for the tests of progress: a clock that is set by hand, a plan, and replies to it."""

from __future__ import annotations

from evalcli.terminal.progress import ProgressObserver
from evalcore.clients.reply import CallError, Reply
from evalcore.library.models import Model
from evalcore.runs.plan import RunPlan
from evalsim.testing import make_reply, make_run_plan


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def plan_of(model: str = "big", replicates: int = 10) -> RunPlan:
    return make_run_plan(model=Model(id=model, provider="mindrouter"), replicates=replicates)


def reply_to(replicate: int, *, is_error: bool = False) -> Reply:
    error = CallError("infrastructure", "timeout", "no answer") if is_error else None
    return make_reply("one", replicate, error=error)


def call(progress: ProgressObserver, plan: RunPlan, replicate: int, *, is_error: bool = False) -> None:
    progress.call_started(plan, "one", replicate)
    progress.replied(plan, reply_to(replicate, is_error=is_error))
