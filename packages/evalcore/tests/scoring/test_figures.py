"""What a record says beside accuracy: replies that are right throughout, chance agreement, budgets, drift."""

import json

import msgspec
import pytest

from evalcore.clients.reply import Usage
from evalcore.scoring.score_run import score_run
from evalsim.testing import make_case, make_reply, make_run_plan

PROSE = "it has a budget and names the person in charge"


def scored(answers, expected=None, **fields):
    """Score a run from its answers, by case: values, texts, or replies."""
    expected = expected or {}
    cases = [make_case(name, expected.get(name, {"kind": "memo", "pages": 3})) for name in answers]
    plan = make_run_plan(cases=cases, replicates=len(next(iter(answers.values()))), **fields)

    def replies_of(case):
        return [reply(case.name, at, answer) for at, answer in enumerate(answers[case.name])]

    return score_run(plan, replies_of)


def reply(case, at, answer):
    if isinstance(answer, dict) and "text" in answer:
        return make_reply(case, at, **answer)
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return make_reply(case, at, text, started_at=f"2026-01-05T09:00:{at:02}.000Z")


RIGHT, WRONG = {"pages": 3, "kind": "memo"}, {"kind": "memo", "pages": 4}


def test_a_reply_is_exact_where_every_leaf_is_right():
    record = scored({"one": [RIGHT, WRONG, RIGHT | {"invented": 1}, {"kind": "memo"}, "no JSON"]})
    assert record.case_results[0].exact == (True, False, False, False, False)
    assert record.accuracy.exact_rate == pytest.approx(0.2)
    low, high = record.accuracy.exact_rate_ci95
    assert 0 <= low < 0.2 < high <= 1


def test_prose_plays_no_part_in_that():
    expected = {"one": {"kind": "memo", "why": PROSE}}
    answers = [{"kind": "memo", "why": "see above"}, {"kind": "letter", "why": PROSE}]
    record = scored({"one": answers}, expected)
    assert record.case_results[0].exact == (True, False)


def test_of_prose_alone_nothing_is_exact_or_not():
    record = scored({"one": [{"why": "a"}, "no JSON"]}, {"one": {"why": PROSE}})
    assert record.case_results[0].exact == (None, None)
    assert record.accuracy.exact_rate is record.accuracy.exact_rate_ci95 is None
    assert record.accuracy.all_right_rate is record.accuracy.all_right_rate_ci95 is None


def test_where_nothing_is_expected_an_empty_answer_is_right_and_an_invented_one_is_not():
    record = scored({"one": [{"dates": []}] * 4 + [{"dates": ["2026-01-05"]}]}, {"one": {"dates": []}})
    assert record.case_results[0].exact == (True, True, True, True, False)
    assert record.accuracy.exact_rate == pytest.approx(0.8)
    assert record.accuracy.all_right_rate == 0


def test_what_is_invented_beside_prose_alone_makes_no_case_of_it():
    record = scored({"one": [{"why": "a"}, {"why": "a", "pages": 3}]}, {"one": {"why": PROSE}})
    assert record.case_results[0].exact == (None, None)
    assert record.accuracy.exact_rate is None


def test_all_right_is_the_share_of_cases_in_which_every_replicate_is():
    record = scored({"one": [RIGHT] * 3, "two": [RIGHT, RIGHT, WRONG]})
    assert record.accuracy.all_right_rate == 0.5
    low, high = record.accuracy.all_right_rate_ci95
    assert low < 0.5 < high


def test_a_model_that_does_not_read_its_input_agrees_as_much_by_chance():
    alike = scored({name: [{"kind": "memo"}] * 3 for name in ("one", "two", "three")})
    assert (alike.reproducibility.mean, alike.reproducibility.by_chance) == (1, 1)
    assert alike.hardly_reads_its_input
    answers = {name: [{"kind": name, "pages": at}] * 3 for at, name in enumerate(("one", "two", "three"))}
    apart = scored(answers)
    assert apart.reproducibility.by_chance == 0
    assert not apart.hardly_reads_its_input


def test_unparsable_replies_agree_with_nothing_by_chance_either_and_one_case_has_no_chance():
    assert scored({"one": ["x"] * 2, "two": ["x"] * 2}).reproducibility.by_chance == 0
    assert scored({"one": [RIGHT] * 2}).reproducibility.by_chance is None


def test_replies_that_spent_their_tokens_on_thinking_are_counted_apart():
    spent = Usage(prompt=10, completion=4096)
    empty = {"text": None, "finish_reason": "length", "usage": msgspec.to_builtins(spent)}
    thinking = {"text": "<think>so many words", "finish_reason": "length"}
    nothing = {"text": None, "usage": {"prompt": 10, "completion": 0}}
    calls = scored({"one": [empty, thinking, nothing, "no JSON", RIGHT]}).calls
    assert (calls.parse_error, calls.empty_after_thinking) == (4, 2)


def test_a_run_whose_scores_fall_with_time_is_flagged():
    falling = [{"kind": "memo", "pages": 3}] * 6 + [{"kind": "x", "pages": 3}] * 6
    assert scored({"one": falling, "two": falling}).drifting
    assert not scored({"one": [RIGHT] * 12}).drifting
