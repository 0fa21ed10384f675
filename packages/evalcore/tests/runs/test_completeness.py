"""A record is made of exactly the planned replies, each of its own request, or not at all."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from evalcore.clients.reply import Reply
from evalcore.errors import StorageError
from evalcore.library.component import Case
from evalcore.runs.completeness import CountedReplies
from evalcore.runs.record import RunRecord
from evalcore.scoring.score_run import score_run
from evalsim.testing import make_case, make_reply, make_run_plan

PLAN = make_run_plan(cases=[make_case(name, {"a": 1}) for name in ("x", "y")])


def replies(case: Case) -> list[Reply]:
    return [make_reply(case.name, replicate, '{"a": 1}') for replicate in range(2)]


def scored(replies_of: Callable[[Case], list[Reply]]) -> tuple[CountedReplies, RunRecord]:
    counted = CountedReplies(PLAN, replies_of)
    return counted, score_run(PLAN, counted.of)


def test_planned_kept_and_scored_agree() -> None:
    counted, record = scored(replies)
    counted.require_complete(record)


def test_no_reply_stands_for_two_calls() -> None:
    def doubled(case: Case) -> list[Reply]:
        return [msgspec.structs.replace(item, request_id="one") for item in replies(case)]

    counted, record = scored(doubled)
    with pytest.raises(StorageError, match="stands for two calls"):
        counted.require_complete(record)


def test_a_record_of_fewer_calls_than_planned_is_refused() -> None:
    counted, record = scored(replies)
    fewer = msgspec.structs.replace(record, case_results=record.case_results[:1])
    with pytest.raises(StorageError, match="4 calls are planned, 4 kept, 2 scored"):
        counted.require_complete(fewer)
    counted = CountedReplies(PLAN, lambda case: replies(case)[: 1 if case.name == "x" else 2])
    for case in PLAN.cases:
        counted.of(case)
    with pytest.raises(StorageError, match="4 calls are planned, 3 kept"):
        counted.require_complete(record)
