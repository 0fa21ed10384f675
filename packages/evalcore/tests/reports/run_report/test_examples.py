"""What is wrong, with the values side by side."""

from __future__ import annotations

EXPECTED = {"one": {"award_title": "A", "pages": 3}, "two": {"award_title": "B", "pages": 4}}


def examples(run):
    return {row.field: row.examples for row in run.report.summary.accuracy.fields}


def test_the_worst_reply_stands_beside_the_expected_answer(make_reported):
    answers = {
        "one": [{"award_title": "A", "pages": 3}, {"award_title": "X", "pages": 9}],
        "two": [{"award_title": "B", "pages": 4}, {"award_title": "B"}],
    }
    found = examples(make_reported(answers, EXPECTED))
    (wrong,) = found["award_title"]
    assert (wrong.doc, wrong.replicate, wrong.status) == ("one", 1, "wrong")
    assert (wrong.expected, wrong.answered) == ('"A"', '"X"')
    assert [(one.doc, one.status, one.answered) for one in found["pages"]] == [
        ("one", "wrong", "9"),
        ("two", "missed", ""),
    ]


def test_nothing_of_a_document_that_may_not_be_quoted_is_shown(make_reported):
    run = make_reported({"one": [{"award_title": "X"}, {"award_title": "Y"}]}, EXPECTED, quoted=False)
    assert all(one == () for one in examples(run).values())


def test_what_is_right_has_no_example(make_reported):
    run = make_reported({"one": [EXPECTED["one"], EXPECTED["one"]]}, EXPECTED)
    assert all(one == () for one in examples(run).values())


def test_a_reply_that_is_none_has_no_values_and_the_next_worst_is_shown(make_reported):
    answers = {"one": ["no JSON", {"award_title": "A", "pages": 9}]}
    found = examples(make_reported(answers, EXPECTED))
    assert [one.replicate for one in found["pages"]] == [1]


def test_long_values_are_cut_where_they_differ(make_reported):
    text = "word " * 200
    expected = {"one": {"award_title": text + "end"}}
    found = examples(make_reported({"one": [{"award_title": text + "other"}] * 2}, expected))
    (one,) = found["award_title"]
    assert max(len(one.expected), len(one.answered)) <= 160
    assert "end" in one.expected
    assert "other" in one.answered
