"""What is said of a run's replies."""

from __future__ import annotations

import pytest

from evalcli.reports.run_words import (
    MOST_REPLICATES,
    ExaminedRun,
    case_text,
    replicates_text,
    sample_text,
)
from evalcore.library.models import Model
from evalcore.scoring.examine import ExaminedCase, Sample
from evalsim.testing import make_record, make_run_plan


def case(**fields):
    values = {
        "case": "one", "accuracy": 0.5, "replies": 0, "right": 0, "wrong": 0, "other_prose": 0,
        "unparsable": 0, "absent": 0, "truncated": 0, "truncated_unparsable": 0, "samples": (),
    }  # fmt: skip
    return ExaminedCase(**values | fields)


def sample(fate="answered", **fields):
    values = {
        "replicates": (0,), "accuracy": 0.5, "reason": "", "is_truncated": False, "difference": None,
        "text": "x",
    }  # fmt: skip
    return Sample(fate=fate, **values | fields)


def run(*cases, record=None, **plan):
    return ExaminedRun(make_run_plan(**plan), record, cases)


def test_a_run_is_named_by_component_version_model_and_id():
    examined = run()
    assert examined.title == f"memo 1.0.0, alpha: run {examined.plan.run_id}"


def test_how_a_run_fared():
    assert run().state == "1 case x 2; it has no record yet"
    assert run(record=make_record(1)).state == "1 case x 2, 2026-01-05T09:00:01Z, complete: accuracy 0.900"


def test_where_nothing_is_shown_nothing_is_wrong():
    assert run().all_right == "Nothing is wrong: every reply that was asked for is right."
    assert run(case()).all_right == ""


@pytest.mark.parametrize(
    ("cases", "is_said"),
    [
        ([], False),
        ([case()], False),
        ([case(unparsable=2, truncated_unparsable=2)], True),
        ([case(unparsable=2, truncated_unparsable=1)], False),
        ([case(unparsable=1, truncated_unparsable=1), case(unparsable=1)], False),
    ],
)
def test_where_all_unparsable_replies_were_cut_the_limit_is_to_be_raised(cases, is_said):
    assert bool(run(*cases).truncation_hint) is is_said


@pytest.mark.parametrize(
    ("params", "now"),
    [
        ({}, ""),
        ({"max_tokens": 512}, " (now max_tokens: 512)"),
        ({"max_completion_tokens": 9}, " (now max_completion_tokens: 9)"),
    ],
)
def test_the_hint_names_the_present_limit(params, now):
    model = Model(id="alpha", provider="mindrouter", params=params)
    hint = run(case(unparsable=3, truncated_unparsable=3), model=model).truncation_hint
    assert hint == (
        "All 3 unparsable replies were cut at the token limit: "
        f"raise `max_tokens` in the model's `params` in models.yaml{now}."
    )


def test_the_replies_to_a_case_are_counted_by_how_they_ended():
    said = case_text(case(replies=9, right=1, wrong=2, unparsable=3, absent=3, truncated=1))
    assert said == "accuracy 0.500; of 9 replies: 1 right, 2 wrong, 3 unparsable, 3 never came, 1 truncated"
    # As the share of replies that are right throughout has it: `right` and these together.
    assert case_text(case(replies=3, right=1, other_prose=2)).endswith(": 1 right, 2 right but for prose")
    assert case_text(case(accuracy=None)) == "accuracy -; of 0 replies: none came yet"


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (sample(), "replicate 0: accuracy 0.500"),
        (sample(is_truncated=True), "replicate 0: accuracy 0.500, cut at the token limit"),
        (sample("unparsable", reason="it is empty"), "replicate 0: unparsable: it is empty"),
        (
            sample("unparsable", reason="it ends early", is_truncated=True),
            "replicate 0: unparsable, cut at the token limit: it ends early",
        ),
        (
            sample("no reply", reason="timeout: gone", accuracy=None),
            "replicate 0: no reply came: timeout: gone",
        ),
    ],
)
def test_a_sample_says_which_replies_and_how_they_ended(one, said):
    assert sample_text(one) == said


def test_replies_that_ended_alike_are_named_up_to_a_few():
    assert replicates_text([3]) == "replicate 3"
    assert replicates_text([3, 5, 7]) == "replicate 3, and 5, 7 alike"
    many = replicates_text(range(MOST_REPLICATES + 4))
    assert many.endswith(f", {MOST_REPLICATES} and 3 more alike")
