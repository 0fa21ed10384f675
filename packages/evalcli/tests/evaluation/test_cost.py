"""`--max-cost`: no call begins that could exceed it, and the command never waits for ever."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcli.evaluation.cost import CostLimit
from evalcore.clients.reply import CallError, Usage
from evalcore.errors import ConfigurationError
from evalcore.library.component import Document
from evalcore.library.models import BUILT_IN, Model, Price
from evalcore.runs.plan import Server, plan_run
from evalsim.testing import make_case, make_component, make_job_plan, make_reply

PRICE = Price(input=0.0, output=1e6)
"""A token out costs a dollar."""


def job(*models, params=None):
    return make_job_plan(
        origin="local",
        component=make_component(),
        cases=[make_case("a", {"x": 1})],
        models=models
        or [Model("big", "google", params={"max_tokens": 3} if params is None else params, price=PRICE)],
        providers={"google": BUILT_IN["google"], "mindrouter": BUILT_IN["mindrouter"]},
        replicates=5,
    )


class Counted:
    """A limit, and a dispatcher's part played by hand."""

    def __init__(self, most, plan=None, past=()):
        self.job = plan or job()
        self.limit = CostLimit(most, self.job, past)
        self.stops = 0
        self.limit.stop = self.stopped
        self.plan = plan_run(self.job, self.job.models[0], "run", Server())
        self.limit.run_started(self.plan, Path(), 0)

    def stopped(self):
        self.stops += 1

    def begin(self):
        if not self.limit.may_call():
            return False
        self.limit.call_started(self.plan, "a", 0)
        return True

    def end(self, tokens):
        usage = None if tokens is None else Usage(0, tokens)
        self.limit.replied(self.plan, make_reply("a", usage=usage))


def test_calls_in_flight_count_as_what_they_may_cost():
    counted = Counted(7.0)
    assert [counted.begin() for _ in range(3)] == [True, True, False]
    assert counted.stops == 0, "those in flight may turn out cheaper"


def test_what_turned_out_cheaper_makes_room():
    counted = Counted(7.0)
    counted.begin()
    counted.begin()
    counted.end(1)
    assert counted.begin()


def test_it_stops_where_nothing_is_in_flight_and_the_next_call_could_exceed_it():
    counted = Counted(4.0)
    counted.begin()
    counted.end(2)
    assert not counted.begin()
    assert counted.stops == 1
    assert counted.limit.is_reached
    assert "2.0000 USD are spent" in counted.limit.reason


def test_a_call_that_cost_more_raises_what_the_next_one_may_cost():
    counted = Counted(12.0)
    counted.begin()
    counted.end(7)
    assert not counted.begin()


def test_an_answer_without_counts_is_taken_to_cost_what_was_expected_and_a_refusal_nothing():
    counted = Counted(20.0)
    counted.begin()
    counted.end(None)
    assert counted.limit.spent == 3.0
    counted.begin()
    refused = make_reply("a", text=None, usage=None, error=CallError("infrastructure", "timeout", "late"))
    counted.limit.replied(counted.plan, refused)
    assert counted.limit.spent == 3.0


def test_a_batch_costs_half():
    counted = Counted(20.0)
    counted.begin()
    counted.limit.replied(counted.plan, make_reply("a", usage=Usage(0, 2), batched=True))
    assert counted.limit.spent == 1.0


def test_once_all_calls_are_made_nothing_is_stopped():
    counted = Counted(15.0)
    for _ in range(5):
        assert counted.begin()
        counted.end(3)
    assert counted.limit.may_call()
    assert counted.stops == 0


def test_a_model_that_is_skipped_holds_nothing_back():
    counted = Counted(3.0)
    counted.begin()
    counted.limit.model_skipped("big", "refused")
    assert counted.limit.may_call()


def test_a_cloud_model_without_a_price_is_refused_and_a_local_one_is_free():
    with pytest.raises(ConfigurationError, match="has no price"):
        CostLimit(1.0, job(Model("big", "google")), ())
    assert CostLimit(1.0, job(Model("near", "mindrouter")), ()).sentences == []


def test_it_is_said_by_what_a_call_is_reckoned():
    (said,) = Counted(1.0).limit.sentences
    assert "by an estimate of" in said
    assert "3 out" in said


@given(
    most=st.integers(1, 40), costs=st.lists(st.integers(0, 3), min_size=5, max_size=5), wide=st.integers(1, 5)
)
def test_what_is_spent_never_exceeds_the_limit_where_calls_keep_to_theirs(most, costs, wide):
    counted = Counted(float(most))
    left, out = list(costs), []
    while left or out:
        while left and len(out) < wide and counted.begin():
            out.append(left.pop())
        if not out:
            assert counted.stops
            break
        counted.end(out.pop(0))
    assert counted.limit.spent <= most


def test_a_document_that_is_sent_as_it_is_is_taken_to_cost_what_its_pages_do():
    document = Document("input.pdf", "0" * 64, 9, "x/input.pdf", reader="none", pages=20)
    model = Model("big", "google", params={"max_tokens": 0}, price=Price(input=1.0, output=0.0))
    plan = msgspec.structs.replace(job(model), cases=(make_case("a", input="", document=document),))
    (sentence,) = CostLimit(1.0, plan, ()).sentences
    assert "100,0" in sentence  # tokens: 20 pages of 5,000, and the prompt
