"""A run's stored replies scored by the scoring policy that its component has now.

The record is one of its own beside the others, `record-<scoring version>-<policy>.json`, whose
`rescored_from` names the run: no scoring ever replaces another, and none is paid for twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from evalcli.leaderboards.present_policy import policy_sha256
from evalcli.leaderboards.rescoring import (
    Rescored,
    RescoredRuns,
    is_at_hand,
    keep_record,
    rescore_folder,
    scored,
)
from evalcore.formats.strict_json import encode_canonical
from evalcore.library.component import Component
from evalcore.library.loader import PolicyText
from evalcore.runs.record import RunRecord, record_object
from evalcore.runs.rescoring import first_run_id, rescored_run_id
from evalcore.version import SCORING_VERSION

POLICY_RECORD: Final = "record-{}-{}.json"
"""The file of a record by another policy: scoring version, and the beginning of the policy's SHA-256."""
_DIGITS: Final = 12
_NONE: Final = "none"
"""Stands in the file's name for a component without a policy."""


def rescore_by_policy(run_dir: Path, policy: PolicyText, first: RunRecord | None = None) -> Rescored:
    """Score a run's replies by a policy and the present rules, and keep the record.

    Where it is the policy that the run was made with, this is `rescore_folder`. Raises as that does, and
    ComponentError for a policy that cannot be used.
    """
    # By its own policy first: that checks the files, and gives the figures to say what the other policy
    # changes.
    as_planned = rescore_folder(run_dir, first)
    plan = as_planned.plan
    component = with_policy(plan.component, policy)
    # Files that are not what they were would be scored wrongly by any policy.
    if component.policy_sha256 == plan.component.policy_sha256 or not as_planned.is_usable:
        return as_planned
    plan = msgspec.structs.replace(plan, component=component)
    record = scored(run_dir, plan)
    run_id = rescored_run_id(plan.run_id, SCORING_VERSION, policy_sha256=component.policy_sha256 or _NONE)
    record = msgspec.structs.replace(record, run_id=run_id, rescored_from=plan.run_id)
    path = run_dir / POLICY_RECORD.format(SCORING_VERSION, (component.policy_sha256 or _NONE)[:_DIGITS])
    verdict = keep_record(path, encode_canonical(record_object(record)), is_later=True)
    return Rescored(
        plan=plan, path=path, verdict=verdict, record=record, before=as_planned.before or as_planned.record
    )


def rescore_to_policy(records: Iterable[RunRecord], runs_dir: Path, policy: PolicyText) -> RescoredRuns:
    """Score those runs by a policy that have no record by it and the present rules.

    Raises StorageError where a folder cannot be used, ComponentError for a policy that cannot be used.
    """
    known = list(records)
    sha256 = policy_sha256(policy)
    runs = {first_run_id(record): record for record in known}
    firsts = {record.run_id: record for record in known if record.rescored_from is None}
    current = {
        first_run_id(record)
        for record in known
        if record.policy_sha256 == sha256 and record.scoring_version == SCORING_VERSION
    }
    due = [run_id for run_id in runs if run_id not in current]
    at_hand = [run_id for run_id in due if is_at_hand(runs_dir, run_id)]
    return RescoredRuns(
        rescored=tuple(
            rescore_by_policy(runs_dir / run_id, policy, firsts.get(run_id)) for run_id in at_hand
        ),
        current=len(current),
        absent=tuple(runs[run_id] for run_id in due if run_id not in at_hand),
    )


def with_policy(component: Component, policy: PolicyText) -> Component:
    """Return a component as it is scored by a policy."""
    text, where = policy
    return msgspec.structs.replace(
        component, policy=text, policy_where=where, policy_sha256=policy_sha256(policy)
    )
