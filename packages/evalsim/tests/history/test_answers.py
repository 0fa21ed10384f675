"""What simulated models answer: steady where they are said to be, and figures as scoring has them."""

from __future__ import annotations

import pytest

from evalcore.stats.sampling import seeded_uniform
from evalsim.history.answers import (
    INVENTED,
    MISSED,
    RIGHT,
    Answers,
    accuracy_of,
    answer_case,
    case_result,
    reproducibility_of,
    unparsed,
)

FIELDS = ("title", "pages")
ALL_RIGHT = (RIGHT, RIGHT)
HALF_MISSED = (RIGHT, MISSED)
HALF_INVENTED = (RIGHT, INVENTED)
NOTHING = (MISSED, MISSED)


def answers(*replies: tuple[str, ...] | None, case: str = "one") -> Answers:
    return Answers(case=case, sha256="0" * 64, replies=replies)


def replies(ability: float, steadiness: float, count: int = 20) -> list[tuple[str, ...]]:
    """What a model answers to one case, time after time."""
    draw = seeded_uniform("replies")
    return [answer_case(("memo", "big", "one"), ability, steadiness, 40, draw) for _ in range(count)]


def test_a_model_that_never_wavers_gives_its_usual_answer_every_time() -> None:
    assert len(set(replies(0.7, 1.0))) == 1
    assert len(set(replies(0.7, 0.5))) > 1


def test_a_better_version_turns_no_right_answer_wrong() -> None:
    (worse, *_), (better, *_) = replies(0.6, 1.0), replies(0.8, 1.0)
    pairs = list(zip(worse, better, strict=True))
    assert all(after == RIGHT for before, after in pairs if before == RIGHT)
    assert any(before != RIGHT and after == RIGHT for before, after in pairs)


@pytest.mark.parametrize("ability", [-1.0, 2.0])
def test_no_model_is_always_wrong_or_always_right(ability: float) -> None:
    given = [outcome == RIGHT for reply in replies(ability, 0.0, 200) for outcome in reply]
    assert 0 < sum(given) < len(given)


def test_a_reply_that_misses_every_field_could_not_be_read() -> None:
    assert [unparsed(reply) for reply in (NOTHING, HALF_MISSED, ALL_RIGHT)] == [True, False, False]


def test_replies_that_did_not_come_have_no_figures() -> None:
    result = case_result(answers(ALL_RIGHT, None, HALF_MISSED), "1.0.0")
    assert result.scores == (1.0, None, 0.5)
    assert result.exact == (True, None, False)
    assert result.may_differ is None
    nothing = case_result(answers(None, None), "1.0.0")
    assert (nothing.scores, nothing.reproducibility, nothing.precision) == ((None, None), None, None)


def test_how_often_identical_replies_may_still_differ_is_said_of_several_alone() -> None:
    assert case_result(answers(ALL_RIGHT, ALL_RIGHT), None).may_differ is not None
    assert case_result(answers(ALL_RIGHT), None).may_differ is None


def test_what_was_missed_costs_recall_and_what_was_invented_costs_precision() -> None:
    missed = accuracy_of([answers(HALF_MISSED)], FIELDS, None, "0")
    assert (missed.mean, missed.precision, missed.recall) == (0.5, 1.0, 0.5)
    assert missed.recall_by_field == {"title": 1.0, "pages": 0.0}
    invented = accuracy_of([answers(HALF_INVENTED)], FIELDS, None, "0")
    assert (invented.mean, invented.precision, invented.recall) == (0.5, 0.5, 1.0)
    assert invented.precision_by_field == {"title": 1.0, "pages": 0.0}


def test_a_case_without_a_reply_changes_no_figure_of_the_others() -> None:
    answered = [answers(ALL_RIGHT, HALF_MISSED), answers(HALF_INVENTED, case="two")]
    unanswered = answers(None, None, case="three")
    assert accuracy_of([*answered, unanswered], FIELDS, None, "0") == accuracy_of(answered, FIELDS, None, "0")


def test_a_run_without_any_reply_has_no_figures() -> None:
    accuracy = accuracy_of([answers(None, None)], FIELDS, None, "0")
    assert (accuracy.mean, accuracy.ci95, accuracy.precision, accuracy.exact_rate) == (None,) * 4
    agreement = reproducibility_of([answers(None, None)], FIELDS, "0")
    assert (agreement.mean, agreement.identical_rate, agreement.by_chance) == (None,) * 3


def test_replies_agree_field_by_field() -> None:
    found = reproducibility_of([answers(ALL_RIGHT, HALF_MISSED), answers(ALL_RIGHT)], FIELDS, "0")
    assert (found.mean, found.identical_rate) == (0.5, 0.0)
    assert found.by_field == {"title": 1.0, "pages": 0.0}


@pytest.mark.parametrize(
    ("category", "measures"), [(None, "correctness"), ("extraction", "correctness"), ("drafting", "wording")]
)
def test_where_prose_is_the_product_its_wording_is_measured(category: str | None, measures: str) -> None:
    assert accuracy_of([answers(ALL_RIGHT)], FIELDS, category, "0").measures == measures
