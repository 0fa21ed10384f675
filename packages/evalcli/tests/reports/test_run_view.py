"""A run on the terminal: per case the worst answers, and samples of what cannot be parsed."""

from __future__ import annotations

import json

from evalcli.reports.run_view import SAMPLE_END, run_lines, run_object
from evalcli.reports.run_words import ExaminedRun
from evalcli.reports.score_tree import LEGEND, TreeView
from evalcli.terminal.text import plain_line
from evalcore.scoring.examine import Selection, examine_run
from evalsim.testing import make_case, make_record, make_reply, make_run_plan

EXPECTED = {"kind": "memo", "pages": 3}


def examined(*texts, record=None, **selection):
    plan = make_run_plan(cases=[make_case("one", EXPECTED)], replicates=max(1, len(texts)))

    def replies_of(case):
        return [make_reply(case.name, at, text) for at, text in enumerate(texts)]

    return ExaminedRun(plan, record, tuple(examine_run(plan, replies_of, Selection(**selection))))


def lines(run, *, is_full=False, **view):
    return "".join(map(plain_line, run_lines(run, TreeView(**view), is_full=is_full))).splitlines()


def test_a_case_has_a_line_a_sample_and_its_tree():
    shown = lines(examined(json.dumps(EXPECTED | {"pages": 4})))
    assert shown[0].startswith("memo 1.0.0, alpha: run ")
    assert shown[1] == "1 case x 1; it has no record yet"
    assert "case one: accuracy 0.500; of 1 reply: 1 wrong" in shown
    assert "  replicate 0: accuracy 0.500" in shown
    assert any(line.startswith("    x pages: 4 instead of 3") for line in shown)
    assert shown[-1] == LEGEND


def test_a_short_text_that_cannot_be_parsed_is_shown_whole():
    assert "    no JSON" in lines(examined("no JSON"))


def test_of_a_long_one_its_beginning_and_its_end_are():
    text = "b" * 300 + "m" * 1000 + "e" * 300
    shown = lines(examined(text))
    assert f"    begins: {'b' * SAMPLE_END}" in shown
    assert f"    ends:   {'e' * SAMPLE_END}" in shown
    assert not any("m" in line for line in shown[4:])


def test_all_of_it_can_be_asked_for_line_by_line():
    shown = lines(examined("first\nsecond " + "x" * 500), is_full=True)
    assert "    first" in shown
    assert f"    second {'x' * 500}" in shown


def test_an_empty_reply_has_a_reason_and_no_text():
    shown = lines(examined(""))
    assert any("unparsable" in line for line in shown)
    assert not any(line.startswith("    ") for line in shown)
    assert LEGEND not in shown


def test_where_nothing_is_wrong_that_is_said():
    run = examined(json.dumps(EXPECTED), wrong_only=True)
    assert "Nothing is wrong: every reply that was asked for is right." in lines(run)


def test_json_has_the_run_and_its_cases():
    written = run_object(examined("{}", record=make_record(status="partial")))
    assert (written["component"], written["component_version"], written["model"]) == (
        "memo",
        "1.0.0",
        "alpha",
    )
    assert (written["status"], written["replicates"]) == ("partial", 1)
    (case,) = written["cases"]
    assert (case["case"], case["accuracy"], case["wrong"]) == ("one", 0, 1)
    assert case["samples"][0]["difference"]["tree"]["status"] == "missed"
    assert json.loads(json.dumps(written)) == written


def test_a_run_without_a_record_has_no_status():
    assert run_object(examined("{}"))["status"] is None
