"""Which call to the simulated gateway gets which fault."""

from __future__ import annotations

from evalsim.mindrouter.config import OF_OCR, Fault
from evalsim.mindrouter.faults import FaultPlan


def taken(plan, *models):
    return [fault.kind if (fault := plan.take(model)) else None for model in models]


def test_without_faults_nothing_goes_wrong():
    assert taken(FaultPlan([]), "m", "m") == [None, None]


def test_each_kth_call_gets_a_fault():
    plan = FaultPlan([Fault(kind="slow", every=3)])
    assert taken(plan, *"mmmmmm") == [None, None, "slow", None, None, "slow"]


def test_a_fault_is_shown_so_many_times():
    plan = FaultPlan([Fault(kind="slow", every=2, times=2)])
    assert taken(plan, *"mmmmmmmm") == [None, "slow", None, "slow", None, None, None, None]
    assert taken(FaultPlan([Fault(kind="slow", times=0)]), "m") == [None]


def test_a_fault_of_one_model_leaves_the_others_alone_and_does_not_count_them():
    plan = FaultPlan([Fault(kind="slow", model="m", every=2)])
    assert taken(plan, "n", "m", "n", "m") == [None, None, None, "slow"]


def test_a_call_gets_the_first_fault_that_is_due():
    plan = FaultPlan([Fault(kind="slow", times=1), Fault(kind="garbage")])
    assert taken(plan, "m", "m") == ["slow", "garbage"]


def test_faults_are_added_and_cleared():
    plan = FaultPlan([])
    plan.add([Fault(kind="cut")])
    assert taken(plan, "m") == ["cut"]
    plan.clear()
    assert taken(plan, "m") == [None]


def test_a_fault_of_chat_calls_alone_leaves_those_that_read_pages_alone_and_does_not_count_them():
    plan = FaultPlan([Fault(kind="truncated", every=2)])
    assert "truncated" not in OF_OCR
    shown = [plan.take("m", endpoint) for endpoint in ("ocr", "chat", "ocr", "chat")]
    assert [fault is not None for fault in shown] == [False, False, False, True]


def test_a_fault_of_one_endpoint_is_of_that_alone():
    plan = FaultPlan([Fault(kind="slow", endpoint="ocr"), Fault(kind="cut", endpoint="chat")])
    assert [plan.take("m", endpoint).kind for endpoint in ("chat", "ocr")] == ["cut", "slow"]


def test_a_fault_that_was_shown_often_enough_counts_no_further_calls():
    """Another fault of the same calls has its own count, from the first call that reaches it."""
    plan = FaultPlan([Fault(kind="slow", times=1), Fault(kind="cut", every=2)])
    assert taken(plan, *"mmmmm") == ["slow", None, "cut", None, "cut"]
