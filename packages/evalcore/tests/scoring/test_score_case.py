"""One case: its replies scored, each answer once, with those that cannot be parsed or scored."""

from __future__ import annotations

import pytest

from evalcore.library.schema import make_validator
from evalcore.scoring.score_case import score_case
from evalsim.testing import make_case, make_component

EXPECTED = {"kind": "memo", "pages": 3}
RIGHT, HALF = dict(EXPECTED), {"kind": "memo", "pages": 4}
PROSE = "it has a budget and names the person in charge"


def scored(parsed, unparsed=(), expected=EXPECTED, validator=None):
    return score_case(make_component(), make_case("one", expected), parsed, frozenset(unparsed), validator)


def test_replies_keep_the_numbers_of_their_replicates():
    scores = scored({0: RIGHT, 3: HALF}, {1})
    assert [scores.accuracy_of(at) for at in range(5)] == [1, 0, None, 0.5, None]
    assert [scores.is_exact(at) for at in range(5)] == [True, False, None, False, None]


def test_a_reply_that_cannot_be_parsed_is_wrong_in_everything():
    scores = scored({0: RIGHT}, {1})
    assert scores.answered == 2
    assert sorted(scores.accuracies) == sorted(scores.anls_stars) == [0, 1]
    assert scores.by_field == scores.precision_by_field == {"kind": 0.5, "pages": 0.5}
    assert scores.recall_by_field == {"kind": 0.5, "pages": 0.5}
    assert (scores.precision, scores.recall) == (0.5, 0.5)
    assert scores.rightness == [True, False]


def test_without_any_reply_there_is_no_figure():
    scores = scored({})
    assert (scores.answered, scores.accuracies, scores.rightness) == (0, [], [])
    assert scores.precision is scores.recall is scores.prose is scores.agreement is None
    assert scores.by_field == {}


def test_of_nothing_but_unparsable_replies_all_is_nought():
    scores = scored({}, {0, 1})
    assert scores.accuracies == [0, 0]
    assert (scores.precision, scores.recall, scores.prose) == (0, 0, 0)
    assert scores.by_field == {"kind": 0, "pages": 0}
    assert scores.rightness == [False, False]


def test_two_unparsable_replies_do_not_agree():
    assert scored({}, {0, 1}).agreement.value == 0
    assert scored({0: RIGHT, 1: RIGHT}).agreement.value == 1
    assert scored({0: RIGHT}).agreement is None


def test_prose_has_no_figure_where_none_occurs():
    assert scored({0: RIGHT}).prose is None
    with_prose = {"kind": "memo", "why": PROSE}
    assert scored({0: with_prose}, expected=with_prose).prose == 1
    assert scored({0: with_prose}, {1}, expected=with_prose).prose == 0.5


def test_of_prose_alone_no_reply_is_exact_nor_wrong():
    scores = scored({0: {"why": PROSE}}, {1}, expected={"why": PROSE})
    assert scores.is_exact(0) is scores.is_exact(1) is None
    assert scores.rightness == []


def test_validity_is_counted_over_the_replies_that_were_parsed():
    validator = make_validator({"type": "object", "properties": {"pages": {"maximum": 3}}})
    assert scored({0: RIGHT, 1: HALF, 2: RIGHT}, {3}, validator=validator).schema_valid == 2
    assert scored({0: RIGHT}).schema_valid == 0


def test_a_reply_that_would_take_too_much_work_has_no_figure_at_all():
    twice = {"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]}
    deep = 1
    for _ in range(60):
        deep = [deep]
    scores = scored({0: [1], 1: deep}, expected=[1], validator=make_validator(twice))
    assert scores.unscored == {1}
    assert (scores.accuracy_of(1), scores.answered) == (None, 1)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_the_order_of_replies_plays_no_part_in_the_figures(order):
    answers = {0: RIGHT, 1: HALF, 2: {"kind": "letter"}}
    scores = scored({at: answers[at] for at in order})
    assert scores.by_field == scored(answers).by_field
    assert scores.agreement.value == scored(answers).agreement.value


def test_equal_answers_are_scored_alike_whatever_the_order_of_their_keys():
    scores = scored({0: {"kind": "memo", "pages": 4}, 1: {"pages": 4, "kind": "memo"}})
    assert scores.parsed[0] is scores.parsed[1]


def test_numbers_that_json_tells_apart_are_scored_for_themselves():
    scores = scored({0: {"kind": "memo", "pages": 3}, 1: {"kind": "memo", "pages": 3.0}})
    assert scores.parsed[0] is not scores.parsed[1]
    assert scores.accuracies == [1, 1]
