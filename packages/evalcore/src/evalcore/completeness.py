"""Planned = kept = scored: checked before a record is written, so that none can be made of anything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evalcore.component import Case
from evalcore.errors import StorageError
from evalcore.plan import RunPlan
from evalcore.record import RunRecord
from evalcore.reply import Reply


def require_complete(plan: RunPlan, replies_of: Callable[[Case], Sequence[Reply]], record: RunRecord) -> None:
    """Check that every planned call has one reply of its own, and that each of them was scored.

    Raises StorageError.
    """
    seen: set[str] = set()
    kept = 0
    for case in plan.cases:
        for reply in replies_of(case):
            kept += 1
            if reply.request_id in seen:
                _refuse(plan, f"the reply to request {reply.request_id} stands for two calls")
            seen.add(reply.request_id)
    scored = sum(len(result.scores) for result in record.case_results)
    if not plan.calls == kept == scored == record.calls.total:
        _refuse(plan, f"{plan.calls} calls are planned, {kept} kept, {scored} scored")


def _refuse(plan: RunPlan, what: str) -> None:
    raise StorageError(what, where=f"run {plan.run_id}", hint="no record is written; start the run anew")
