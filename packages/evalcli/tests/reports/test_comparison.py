"""What `compare` shows of outcomes: regressions first, figures with their intervals, JSON beside it."""

from __future__ import annotations

import msgspec
import pytest

from evalcli.reports.comparison import ComparedRuns, comparison_lines, comparison_object
from evalcli.terminal.text import plain_line
from evalcore.compare.pool import pools
from evalcore.compare.verdict import FieldChange, NotComparable, compare_two
from evalsim.testing import make_record


def outcome(before, after, model="big", cases=1):
    """Compare two runs of so many cases, given the scores of each."""

    def run(number, version, scores):
        results = [
            {
                "case": f"case-{at}",
                "sha256": f"{at:064x}",
                "validated_against_version": None,
                "scores": scores,
                "reproducibility": None,
            }
            for at in range(cases)
        ]
        record = make_record(
            number, model=model, component_version=version, case_results=results, replicates=len(scores)
        )
        (pool,) = pools([record])
        return pool

    return compare_two(run(1, "1.0.0", before), run(2, "1.1.0", after), 0.02)


REGRESSION = outcome([0.9] * 10, [0.5] * 10)
IMPROVEMENT = outcome([0.5] * 10, [0.9] * 10, "small")
NONE = outcome([0.9, 0.8] * 5, [0.9, 0.8] * 5, "same")
REFUSED = NotComparable(model="other", reason="scored by two policies")


def text(*outcomes, stale=None, sides=None):
    compared = ComparedRuns("memo 1.0.0", "memo 1.1.0", outcomes, stale or {}, sides)
    return "".join(map(plain_line, comparison_lines(compared)))


def test_what_is_compared_stands_first():
    assert text().splitlines() == ["memo 1.0.0 -> memo 1.1.0"]


def test_verdicts_stand_in_the_order_in_which_they_need_a_reader():
    shown = text(REFUSED, NONE, IMPROVEMENT, REGRESSION)
    places = [shown.index(name) for name in ("big: reg", "small: imp", "same: no evidence", "other: not")]
    assert places == sorted(places)


def test_each_side_has_its_mean_its_interval_and_its_replies():
    lines = text(REGRESSION).splitlines()
    before, after = (next(line for line in lines if line.startswith(f"  1.{at}.0  ")) for at in (0, 1))
    assert before.startswith("  1.0.0  0.900 (")
    assert before.endswith("), 10 replies in 1 run")
    assert after.startswith("  1.1.0  0.500 (")
    assert any(line.startswith("  change -0.400; ") for line in lines)


def test_what_moves_by_less_than_a_figure_shows_is_not_said_to_move():
    moved = (FieldChange("title", 0.9998, 0.9996), FieldChange("amount", 0.5, 0.75))
    assert "moved most: amount 0.500 -> 0.750\n" in text(msgspec.structs.replace(NONE, fields=moved))
    assert "moved most" not in text(msgspec.structs.replace(NONE, fields=moved[:1]))


def test_sides_may_have_names_of_their_own_aligned():
    lines = text(REGRESSION, sides=("a", "longer")).splitlines()
    assert any(line.startswith("  a       0.900") for line in lines)
    assert any(line.startswith("  longer  0.500") for line in lines)


def test_over_what_it_is_compared_is_said():
    assert "  over 3 cases, of each 10" in text(outcome([0.9] * 10, [0.5] * 10, cases=3))


def test_cases_of_one_side_alone_are_counted():
    fewer = msgspec.structs.replace(REGRESSION, cases_left_out=2)
    assert "; 2 left out, of one side alone" in text(fewer)


def test_what_is_not_comparable_says_why_and_has_no_figures():
    shown = text(REFUSED)
    assert "other: not comparable\n  scored by two policies\n" in shown
    assert "Intervals" not in shown


def test_what_intervals_are_for_is_said_once():
    assert text(REGRESSION, IMPROVEMENT).count("Intervals are 95 %") == 1
    assert "if nothing drifts while a run is under way" in text(REGRESSION)


def test_stale_cases_are_named_at_the_end():
    assert "one (1.0.0)" in text(NONE, stale={"one": "1.0.0"}).splitlines()[-1]


def test_a_hostile_name_is_escaped():
    shown = text(NotComparable(model="\x1b[31mred", reason="a\nb"))
    assert "\x1b" not in shown
    assert "a\\nb" in shown


@pytest.mark.parametrize("outcomes", [(), (REGRESSION,), (REFUSED, REGRESSION)])
def test_json_has_an_object_for_each_model_in_the_order_given(outcomes):
    written = comparison_object("memo 1.0.0", "memo 1.1.0", outcomes)
    assert (written["before"], written["after"]) == ("memo 1.0.0", "memo 1.1.0")
    assert [one["model"] for one in written["models"]] == [one.model for one in outcomes]


def test_json_tells_the_change_and_rounds_its_floats():
    (model,) = comparison_object("a", "b", [REGRESSION])["models"]
    assert (model["verdict"], model["change"]) == ("regression", -0.4)
    assert model["before"]["mean"] == 0.9
    assert comparison_object("a", "b", [REFUSED])["models"] == [
        {"model": "other", "verdict": "not comparable", "reason": "scored by two policies"}
    ]
