"""What scoring a run again gave, in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalcli.leaderboards.rescoring import Rescored
from evalcli.reports.rescoring import missing_sentence, sentence
from evalsim.testing import make_record, make_run_plan

PATH = Path("runs/r/record-2.json")


def said(verdict, before=None, altered=(), **fields):
    record = make_record(mean=0.5, **{"scoring_version": 2} | fields)
    return sentence(Rescored(make_run_plan(), PATH, verdict, record, before, altered))


FIGURES = f"{make_record().model}, accuracy 0.500 instead of 0.900; record.json stays"
BEFORE = make_record(mean=0.9, scoring_version=1)


@pytest.mark.parametrize(
    ("verdict", "before", "words"),
    [
        ("identical", BEFORE, "identical, byte for byte, by scoring version 2"),
        (
            "differs",
            BEFORE,
            "differs from what scoring version 2 makes of the replies; it is left as it stands",
        ),
        ("first", None, "scored for the first time, by scoring version 2"),
        ("new", None, "scored for the first time, by scoring version 2"),
        (
            "new",
            BEFORE,
            f"scored by version 2 instead of 1: {FIGURES}",
        ),
        (
            "known",
            BEFORE,
            f"scored by version 2 instead of 1 (as it was there already): {FIGURES}",
        ),
    ],
)
def test_each_verdict_has_its_words(verdict, before, words):
    assert said(verdict, before) == f"{PATH}: {words}"


def test_another_policy_is_named():
    policy = {"policy_sha256": "d" * 64}
    assert said("new", BEFORE, **policy) == (f"{PATH}: scored by the component's present policy: {FIGURES}")
    assert "scored by no policy (as it was there already): " in said("known", make_record(**policy))


def test_what_was_changed_is_named_with_the_folder():
    assert said("altered", BEFORE, ("run.json: the prompt is another", "x\ny")) == (
        "runs/r: not what it was when the run was scored: run.json: the prompt is another; x\\ny; "
        "nothing is written"
    )


def test_a_figure_that_is_not_there_is_a_dash():
    assert "accuracy 0.500 instead of -" in said("new", make_record(mean=None))


def test_what_a_ranking_lacks_is_counted_by_where_it_was_made_with_what_helps():
    records = [
        make_record(1, model="big", origin="vm"),
        make_record(2, model="small", origin="vm"),
        make_record(3, model="small", origin="actions"),
        make_record(4, model="late", status="partial"),
    ]
    assert missing_sentence(records, Path("runs"), "by the present policy") == (
        "the ranking by the present policy lacks 3 complete runs of big, small: put the folders made in"
        " GitHub Actions (1), on the service's VM (2) into runs and run this again, or evaluate anew"
    )
    assert missing_sentence(records[3:], Path("runs"), "by the present policy") is None
