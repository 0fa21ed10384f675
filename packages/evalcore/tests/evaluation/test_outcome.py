"""How a run ended, from its record; an observer that looks at nothing."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from evalcore.evaluation.outcome import Observer, RunOutcome, outcome_of
from evalsim.testing import make_record


def test_a_complete_run_has_no_reason():
    record = make_record()
    assert outcome_of(record, Path("runs/r")) == RunOutcome("alpha", "complete", None, record, Path("runs/r"))


def test_a_partial_run_has_the_reason_of_its_record():
    record = make_record(status="partial", reason="3 of 10 calls were never answered: timeout, gone")
    assert outcome_of(record, Path()).reason == "3 of 10 calls were never answered: timeout, gone"


def test_a_record_of_before_reasons_counts_its_calls():
    calls = {"total": 10, "ok": 7, "api_error": 3, "parse_error": 0, "truncated": 0}
    record = make_record(status="partial", calls=calls)
    assert outcome_of(record, Path()).reason == "3 of 10 calls were never answered"


NAMES = [name for name, _ in inspect.getmembers(Observer, inspect.isfunction)]


@pytest.mark.parametrize("name", NAMES)
def test_an_observer_may_leave_out_what_is_of_no_interest(name):
    method = getattr(Observer(), name)
    assert method(*[None] * len(inspect.signature(method).parameters)) is None
