"""What is wrong in a run's replies: the worst answers, the unparsable, and those that never came."""

from __future__ import annotations

import json

import pytest

from evalcore.clients.reply import CallError
from evalcore.scoring.examine import Selection, examine_run
from evalcore.scoring.score_run import score_run
from evalsim.testing import make_case, make_reply, make_run_plan

EXPECTED = {"kind": "memo", "pages": 3}
RIGHT, HALF = json.dumps(EXPECTED), json.dumps({"kind": "memo", "pages": 4})
WRONG = json.dumps({"kind": "letter", "pages": 4})
LOST = CallError("infrastructure", "timeout", "no byte within 120 s")
TOO_LONG = CallError("model", "context_exceeded", "the input is too long")


def replies(name, texts):
    return [
        make_reply(name, at, text=None, error=text)
        if isinstance(text, CallError)
        else make_reply(name, at, **text if isinstance(text, dict) else {"text": text})
        for at, text in enumerate(texts)
    ]


def examined(by_case, **selection):
    cases = [make_case(name, EXPECTED) for name in by_case]
    plan = make_run_plan(cases=cases, replicates=max(map(len, by_case.values())))
    return examine_run(plan, lambda case: replies(case.name, by_case[case.name]), Selection(**selection))


def examined_case(*texts, **selection):
    (found,) = examined({"one": texts}, **selection)
    return found


def test_every_reply_is_counted_by_how_it_ended():
    found = examined_case(RIGHT, HALF, "no JSON", TOO_LONG, LOST)
    assert (found.replies, found.right, found.wrong, found.unparsable, found.absent) == (5, 1, 1, 2, 1)
    assert found.accuracy == pytest.approx((1 + 0.5 + 0 + 0) / 4)
    assert not found.is_all_right


def test_an_answer_whose_prose_alone_differs_is_not_counted_as_wrong():
    """A record calls it right throughout: the two counts would not come out the same."""
    prose = "The applicant has submitted every one of the documents that the call asks for, and is eligible."
    expected = {"kind": "memo", "summary": prose}
    plan = make_run_plan(cases=[make_case("one", expected)], replicates=3)
    texts = [expected, expected | {"summary": "It has all that was asked for."}, expected | {"kind": "x"}]
    (found,) = examine_run(plan, lambda case: replies(case.name, map(json.dumps, texts)), Selection())
    assert (found.right, found.other_prose, found.wrong) == (1, 1, 1)
    record = score_run(plan, lambda case: replies(case.name, map(json.dumps, texts)))
    assert sum(filter(None, record.case_results[0].exact)) == found.right + found.other_prose
    assert not found.is_all_right


def test_a_case_that_is_all_right_says_so():
    assert examined_case(RIGHT, RIGHT).is_all_right
    assert not examined_case(RIGHT, LOST).is_all_right


def test_the_worst_answer_is_shown_with_all_that_gave_it():
    found = examined_case(HALF, WRONG, RIGHT, WRONG)
    (sample,) = found.samples
    assert (sample.fate, sample.replicates, sample.accuracy) == ("answered", (1, 3), 0)
    assert sample.text == WRONG
    assert sample.difference.tree.status == "wrong"


def test_answers_that_differ_in_the_order_of_keys_are_one():
    turned = json.dumps({"pages": 4, "kind": "memo"})
    assert examined_case(HALF, turned).samples[0].replicates == (0, 1)


def test_as_many_samples_are_shown_as_are_asked_for_the_worst_first():
    found = examined_case(RIGHT, HALF, WRONG, worst=2)
    assert [sample.accuracy for sample in found.samples] == [0, 0.5]
    assert len(examined_case(RIGHT, HALF, WRONG, worst=9).samples) == 3
    assert examined_case(RIGHT, worst=0).samples == ()


def test_failures_are_shown_after_the_answers_the_commonest_first():
    found = examined_case("", "no JSON", "", LOST, RIGHT)
    assert [(sample.fate, sample.replicates) for sample in found.samples] == [
        ("answered", (4,)),
        ("unparsable", (0, 2)),
        ("no reply", (3,)),
    ]


def test_why_no_reply_came_is_told_with_its_code():
    found = examined_case(LOST, TOO_LONG)
    assert {sample.fate: sample.reason for sample in found.samples} == {
        "unparsable": "context_exceeded: the input is too long",
        "no reply": "timeout: no byte within 120 s",
    }
    assert all(sample.difference is None for sample in found.samples)


def test_a_reply_that_never_came_has_no_accuracy_one_that_the_model_failed_has_nought():
    found = examined_case(LOST, TOO_LONG)
    assert {sample.fate: sample.accuracy for sample in found.samples} == {"unparsable": 0, "no reply": None}


def test_replies_cut_at_the_token_limit_are_counted():
    cut = {"finish_reason": "length"}
    found = examined_case({"text": RIGHT, **cut}, {"text": '{"kind": ', **cut}, RIGHT)
    assert (found.truncated, found.truncated_unparsable) == (2, 1)
    assert [sample.is_truncated for sample in found.samples] == [True, True]


def test_a_case_to_which_nothing_came_has_no_accuracy_and_stands_first():
    found = examined({"right": [RIGHT], "lost": [LOST], "wrong": [WRONG]})
    assert [(case.case, case.accuracy) for case in found] == [("lost", None), ("wrong", 0), ("right", 1)]


def test_named_cases_alone_are_shown():
    assert [case.case for case in examined({"a": [RIGHT], "b": [WRONG]}, cases=("a",))] == ["a"]
    assert examined({"a": [RIGHT]}, cases=("other",)) == []


def test_one_replicate_alone_is_shown_and_the_counts_stay_those_of_all():
    found = examined_case(RIGHT, WRONG, "no JSON", replicate=1)
    assert [sample.replicates for sample in found.samples] == [(1,)]
    assert (found.replies, found.unparsable) == (3, 1)


def test_wrong_ones_alone_are_shown():
    found = examined({"right": [RIGHT, RIGHT], "mixed": [RIGHT, HALF]}, wrong_only=True, worst=5)
    assert [case.case for case in found] == ["mixed"]
    assert [sample.accuracy for sample in found[0].samples] == [0.5]


def test_a_run_that_is_under_way_is_examined_as_far_as_it_has_come():
    found = examined({"one": [RIGHT], "two": []})
    assert [(case.case, case.replies) for case in found] == [("two", 0), ("one", 1)]
    assert found[0].samples == ()
