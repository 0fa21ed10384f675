"""Two runs side by side, for a terminal: the verdict, the figures, and the first few of what moved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from evalcli.reports.run_comparison import MOST_SHOWN, comparison_lines
from evalcli.terminal.text import Line, plain_line
from evalcore.clients.reply import Reply
from evalcore.compare.verdict import NotComparable
from evalcore.library.component import Case
from evalcore.reports.run_report.comparison import (
    ExampleMoved,
    Moved,
    MovedCount,
    ReportedRun,
    RunComparison,
    compare_runs,
)
from evalcore.reports.run_report.make import make_report
from evalcore.reports.run_report.tally import CaseLabel
from evalcore.scoring.score_run import score_run
from evalsim.testing import make_case, make_component, make_reply, make_run_plan

RIGHT, WRONG = {"decision": "approve", "amount": 4125}, {"decision": "approve", "amount": 9}


def reported(version: str, answers: Sequence[object]) -> ReportedRun:
    """A run of three cases that gave these answers to each."""
    names = ("one", "two", "three")
    plan = make_run_plan(
        component=make_component(version=version),
        cases=[make_case(name, RIGHT) for name in names],
        replicates=len(answers),
    )

    def replies_of(case: Case) -> list[Reply]:
        return [make_reply(case.name, at, json.dumps(answer)) for at, answer in enumerate(answers)]

    record = score_run(plan, replies_of)
    labels = {name: CaseLabel(name, True) for name in names}
    report = make_report(plan, replies_of, record, labels, record.case_results)
    return ReportedRun(plan, replies_of, record, labels, report)


@pytest.fixture(scope="module")
def fallen() -> RunComparison:
    return compare_runs(reported("1.0.0", [RIGHT] * 4), reported("1.1.0", [WRONG] * 4))


def text(compared: RunComparison, **parts: Any) -> str:
    return "".join(map(plain_line, comparison_lines(compared._replace(**parts))))


def styles(compared: RunComparison, holding: str) -> set[str]:
    lines: list[Line] = [one for one in comparison_lines(compared) if holding in plain_line(one)]
    return {span.style for one in lines for span in one}


def test_the_two_sides_and_the_verdict_stand_first(fallen: RunComparison) -> None:
    lines = text(fallen).splitlines()
    assert lines[0] == "memo: 1.0.0 -> 1.1.0"
    assert lines[1].startswith("regression: accuracy 100.0 % to ")
    assert "bad" in styles(fallen, "regression:")


def test_sides_that_cannot_be_compared_say_why_and_still_have_their_figures(fallen: RunComparison) -> None:
    shown = text(fallen, outcome=NotComparable("alpha", "the cases are others"))
    assert "not comparable: the cases are others" in shown
    assert "calls answered" in shown
    refused = fallen._replace(outcome=NotComparable("alpha", "the cases are others"))
    assert "warn" in styles(refused, "not comparable")


def test_figures_stand_in_columns(fallen: RunComparison) -> None:
    lines = [one for one in text(fallen).splitlines() if "of 12" in one]
    lines += [one for one in text(fallen).splitlines() if one.startswith("  unparsable")]
    assert [one.split()[0] for one in lines] == ["calls", "unparsable"]
    assert lines[0].index("12 of 12") == lines[1].index("0")


def test_what_moved_has_both_figures_and_the_points_between(fallen: RunComparison) -> None:
    assert "  -100.0  amount: 100.0 % -> 0.0 %" in text(fallen)
    assert "bad" in styles(fallen, " amount:")
    risen = fallen._replace(fields=(Moved("amount", 0.25, 0.5),))
    assert "   +25.0  amount: 25.0 % -> 50.0 %" in text(risen)
    assert "good" in styles(risen, " amount:")


def test_where_nothing_moved_that_is_said(fallen: RunComparison) -> None:
    shown = text(fallen, fields=(), docs=())
    assert "fields that moved most: none" in shown
    assert "cases that moved most: none" in shown


def test_of_many_the_first_few_are_shown_and_all_are_counted(fallen: RunComparison) -> None:
    many = tuple(Moved(f"field-{at}", 0.1, 0.2) for at in range(MOST_SHOWN + 3))
    shown = text(fallen, fields=many)
    assert f"fields that moved most ({MOST_SHOWN} of {MOST_SHOWN + 3})" in shown
    assert f"field-{MOST_SHOWN - 1}:" in shown
    assert f"field-{MOST_SHOWN}:" not in shown
    assert "fields that moved most\n" in text(fallen, fields=many[:MOST_SHOWN])


@pytest.mark.parametrize(
    ("part", "title"),
    [
        ("undeclared", "undeclared keys"),
        ("missing", "declared keys that answers lack"),
        ("errors", "violations of the schema"),
    ],
)
def test_what_no_answer_has_on_either_side_is_left_out(fallen: RunComparison, part: str, title: str) -> None:
    assert title not in text(fallen, **{part: ()})
    shown = text(fallen, **{part: (MovedCount("titel", (0, 12), (3, 12)),)})
    assert f"{title}\n  titel: 0 of 12 -> 3 of 12 answers\n" in shown


@pytest.mark.parametrize(("way", "side"), [("worse", "after"), ("better", "before")])
def test_an_example_shows_the_side_that_is_wrong(fallen: RunComparison, way: Any, side: str) -> None:
    lines = text(fallen, examples=(ExampleMoved(way, "amount", "one", "4125", "9"),)).splitlines()
    at = lines.index(f"  {way}  amount of one")
    assert [one.split() for one in lines[at + 1 : at + 3]] == [["expected", "4125"], [side, "9"]]
    nothing = text(fallen, examples=(ExampleMoved(way, "amount", "one", "4125", ""),))
    assert nothing.splitlines()[at + 2].split() == [side, "nothing"]


def test_without_an_example_there_is_no_heading_of_examples(fallen: RunComparison) -> None:
    assert "examples" in text(fallen)
    assert "examples" not in text(fallen, examples=())
