"""The tables of a pull request: their order, what each cell is of, and what is left out."""

from __future__ import annotations

from evalcore.publishing.results_table import MOST_MODELS, details_table, results_table, sorted_rows
from evalcore.publishing.verdicts import compare_with
from evalcore.reports.ranking import rankings
from evalsim.testing import make_record, make_scored_record

GOOD, FAIR = [0.95, 0.9, 0.92, 0.94, 0.96], [0.5, 0.52, 0.48, 0.51, 0.5]


def pools(*records):
    """What each run counts in, by run id."""
    return {
        record.run_id: row for ranking in rankings(records) for row in ranking.rows for record in row.records
    }


def cells(table, heading):
    """One column of a table, by model."""
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
    at, model = head.index(heading), head.index("Model")
    return {row[model].strip("` "): row[at] for row in rows}


def table_of(*records, earlier=(), outcomes=None):
    return results_table(sorted_rows(records, pools(*earlier, *records), {}, outcomes or {}))


def test_models_stand_in_the_order_of_their_ranks_and_those_without_one_last_the_most_accurate_first():
    runs = [
        make_scored_record(1, [1.0], model="cut", status="partial"),
        make_scored_record(2, FAIR, model="fair"),
        make_scored_record(3, [0.2], model="torn", status="partial"),
        make_scored_record(4, GOOD, model="good"),
    ]
    assert list(cells(table_of(*runs), "#").items()) == [
        ("good", "1"), ("fair", "2"), ("cut", "-"), ("torn", "-"),
    ]  # fmt: skip
    assert table_of(*runs) == table_of(*reversed(runs))


def test_beyond_a_hundred_models_the_rest_is_counted():
    runs = [make_record(number, model=f"m{number:03}") for number in range(MOST_MODELS + 2)]
    rows = sorted_rows(runs, {}, {}, {})
    table, _, more = results_table(rows).partition("\n\n")
    assert more == "2 more models are in the leaderboard."
    assert len(table.splitlines()) == len(details_table(rows).splitlines()) == 2 + MOST_MODELS


def test_of_several_runs_together_the_reproducibility_has_no_interval():
    def run(number):
        agreed = {"mean": 0.8, "ci95": [0.7, 0.9], "identical_rate": 0.5, "by_field": {}}
        case = {"case": "one", "sha256": "c" * 64, "validated_against_version": None, "scores": GOOD}
        results = [case | {"reproducibility": 0.8}]
        return make_scored_record(number, GOOD, reproducibility=agreed, case_results=results)

    first, second = run(1), run(2)
    assert cells(table_of(first), "Reproducibility") == {"alpha": "80.0 % (70.0 to 90.0)"}
    both = table_of(second, earlier=[first])
    assert cells(both, "Reproducibility") == {"alpha": "80.0 %"}
    assert cells(both, "Runs") == {"alpha": "2 (10 replies)"}


def test_a_partial_run_has_no_verdict_whatever_others_of_its_model_have():
    before = make_scored_record(1, GOOD, component_version="1.0.0")
    whole = make_scored_record(2, FAIR, component_version="1.1.0")
    outcomes = compare_with("1.0.0", "1.1.0", [before], [whole])
    cut = make_scored_record(3, FAIR, component_version="1.1.0", status="partial")
    shown = results_table(sorted_rows([whole, cut], pools(whole, cut), {}, outcomes))
    changes = [line.split(" | ")[3] for line in shown.splitlines()[2:]]
    assert changes == ["**regression** (-43.2)", "-"]


def test_failed_calls_are_named_by_their_kinds():
    def calls(api, parse):
        return {"total": 9, "ok": 9 - api - parse, "api_error": api, "parse_error": parse, "truncated": 0}

    runs = [
        make_record(1, model="none", calls=calls(0, 0)),
        make_record(2, model="one", calls=calls(2, 0)),
        make_record(3, model="other", calls=calls(0, 3)),
        make_record(4, model="both", calls=calls(2, 3)),
    ]
    assert cells(table_of(*runs), "Calls failed") == {
        "none": "0 of 9",
        "one": "2 of 9 without reply",
        "other": "3 of 9 unparsable",
        "both": "5 of 9: 2 without reply, 3 unparsable",
    }


def test_what_cost_nothing_is_told_from_what_nobody_counted():
    runs = [
        make_record(1, model="free", cost_usd=0.0),
        make_record(2, model="dear", cost_usd=0.25),
        make_record(3, model="unknown", cost_usd=None),
    ]
    assert cells(table_of(*runs), "Cost") == {"free": "0 USD", "dear": "0.2500 USD", "unknown": "-"}
    assert "Cost" not in table_of(runs[0])


def test_the_accuracy_before_is_of_all_runs_that_the_verdict_compares_with():
    before = [make_scored_record(number, [score] * 5) for number, score in ((1, 0.9), (2, 0.7))]
    now = make_scored_record(3, [0.8] * 5, component_version="1.1.0")
    outcomes = compare_with("1.0.0", "1.1.0", before, [now])
    rows = sorted_rows([now], pools(*before, now), {}, outcomes)
    assert cells(details_table(rows), "Accuracy before") == {"alpha": "80.0 %"}


def test_a_models_name_can_end_no_cell():
    shown = table_of(make_record(1, model="a|b\n| c"))
    assert len(shown.splitlines()) == 3
    assert {line.count("|") for line in shown.splitlines()} == {shown.splitlines()[0].count("|")}
