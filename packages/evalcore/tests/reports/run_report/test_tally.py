"""What is counted of replies: what is valid, missing, undeclared, filled, and how far answers agree."""

from __future__ import annotations

from evalcore.clients.reply import CallError
from evalcore.reports.run_report import tally

GOOD = {"award_title": "A", "pages": 3, "items": [{"name": "x", "amount": 1}]}


def test_replies_that_never_came_count_nowhere_and_unparsable_ones_are_no_answers(make_reported):
    lost = {"text": None, "error": CallError("infrastructure", "timeout", "no byte")}
    run = make_reported({"one": [GOOD, "no JSON", lost]})
    found = run.report.tally
    assert (found.answers, len(found.latencies), len(found.completion_tokens)) == (1, 2, 2)
    assert run.report.summary.headline.n_api_error == 1


def test_values_are_compared_as_written_and_an_absent_one_is_null(make_reported):
    answers = [
        GOOD,
        GOOD | {"pages": 4},
        {"award_title": "A", "items": GOOD["items"]},
        GOOD | {"pages": None},
    ]
    (case,) = make_reported({"one": answers}).report.tally.cases
    assert case.distinct["pages"] == 3
    assert case.distinct["award_title"] == 1


def test_one_and_true_are_two_values(make_reported):
    (case,) = make_reported(
        {"one": [{"award_title": 1}, {"award_title": True}, {"award_title": 1.0}]}
    ).report.tally.cases
    assert case.distinct["award_title"] == 3


def test_the_order_of_a_list_is_no_matter_of_its_elements_fields(make_reported):
    two = [{"name": "x"}, {"name": "y"}]
    answers = [{"award_title": "A", "items": two}, {"award_title": "A", "items": two[::-1]}]
    (case,) = make_reported({"one": answers}).report.tally.cases
    assert case.distinct["items[].name"] == 1


def test_one_answer_alone_agrees_with_nothing(make_reported):
    (case,) = make_reported({"one": [GOOD, "no JSON"]}).report.tally.cases
    assert case.distinct == {}


def test_lengths_stand_in_the_order_of_replicates(make_reported):
    answers = [GOOD, {"award_title": "A", "items": []}, {"award_title": "A"}, GOOD]
    (case,) = make_reported({"one": answers}).report.tally.cases
    assert case.lengths == {"items": [1, 0, 0, 1]}


def test_an_answer_is_valid_without_its_extra_top_level_keys(make_reported):
    answers = [GOOD, GOOD | {"note": "x"}, GOOD | {"note": "x", "pages": "three"}, {"pages": 3}]
    found = make_reported({"one": answers}).report.tally
    assert (found.answers, found.valid, found.valid_without_extras) == (4, 1, 2)


def test_extra_keys_of_elements_are_top_level_where_the_answer_is_a_list(make_reported):
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": {"key": {"type": "string"}}, "additionalProperties": False},
    }
    run = make_reported(
        {"one": [[{"key": "A", "title": "t"}], [{"key": "A"}]]}, {"one": [{"key": "A"}]}, schema=schema
    )
    assert (run.report.tally.valid, run.report.tally.valid_without_extras) == (1, 2)
    assert run.report.summary.validation.name_drift.extra_top_keys == (("title", 1),)


def test_undeclared_keys_of_confidential_documents_are_counted_and_not_named(make_reported):
    run = make_reported({"one": [GOOD | {"Jane Doe, 12 March": 1}, GOOD]}, quoted=False)
    drift = run.report.summary.validation.name_drift
    assert (drift.n_unnamed, drift.extra_keys) == (1, ())


def test_without_a_schema_the_keys_are_those_of_expected_answers(make_reported):
    expected = {"one": {"a": 1, "b": [{"c": 2}]}}
    run = make_reported({"one": [{"a": 1, "b": [{"c": 2, "d": 3}]}, {"a": 1}]}, expected, schema=None)
    drift = run.report.summary.validation.name_drift
    assert [(key.path, key.key) for key in drift.extra_keys] == [("b[]", "d")]
    assert [key.field for key in drift.missing_keys] == ["b"]
    assert run.report.summary.validation.n_valid is None


def test_an_answer_of_very_many_values_is_not_looked_at(make_reported, monkeypatch):
    monkeypatch.setattr(tally, "MOST_VALUES", 50)
    many = GOOD | {"items": [{"name": "x"}] * 100}
    found = make_reported({"one": [many, GOOD]}).report.tally
    assert (found.answers, found.valid, found.too_large) == (1, 1, 1)
    assert found.cases[0].answers == 1


def test_beyond_so_many_values_of_a_run_small_answers_alone_are_looked_at(make_reported, monkeypatch):
    monkeypatch.setattr(tally, "MOST_OF_RUN", 5)
    monkeypatch.setattr(tally, "FEW_VALUES", 8)
    larger = GOOD | {"items": GOOD["items"] * 3}
    found = make_reported({"one": [larger, larger | {"pages": 1}, {"award_title": "A"}]}).report.tally
    assert (found.answers, found.too_large) == (2, 1)


def test_of_very_many_undeclared_keys_some_are_told_apart(make_reported, monkeypatch):
    monkeypatch.setattr(tally, "MOST_UNDECLARED", 30)
    answers = [{f"k{at}-{name}" + "x" * 10_000: 1 for name in range(20)} for at in range(4)]
    found = make_reported({"one": answers}).report.tally
    assert len(found.undeclared) == 30
    assert all(len(key) <= 100 for _, key in found.undeclared)
