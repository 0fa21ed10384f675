from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evalcli.evaluation.forecast import blind_sentences, forecast, forecast_table, together
from evalcore.library.models import Model, Price
from evalcore.runs.record import Calls, CaseResult, RunRecord, Tokens

MakeRecord = Callable[..., RunRecord]
MODEL = Model("big", "mindrouter", price=Price(input=2.0, output=10.0))


def _past(make_record: MakeRecord, number: int = 1, **fields: Any) -> RunRecord:
    """A run of 30 calls that took half an hour and 3,000 + 600 tokens."""
    values = {
        "calls": Calls(30, 30, 0, 0, 0),
        "tokens": Tokens(3000, 600),
        "started_at": "2026-01-05T09:00:00.000Z",
        "finished_at": "2026-01-05T09:30:00.000Z",
    }
    return make_record(number, **(values | fields))


def test_what_is_to_come_is_what_was_in_proportion_to_the_calls(make_record: MakeRecord) -> None:
    told = forecast(MODEL, 3, 20, [_past(make_record)])
    assert (told.past_runs, told.hours) == (1, 1.0)
    assert (told.prompt_tokens, told.completion_tokens) == (6000, 1200)
    assert told.cost_usd == (6000 * 2 + 1200 * 10) / 1e6


def test_several_past_runs_are_pooled(make_record: MakeRecord) -> None:
    longer = _past(make_record, 2, finished_at="2026-01-05T10:00:00.000Z", tokens=Tokens(9000, 600))
    told = forecast(MODEL, 3, 20, [_past(make_record), longer])
    assert (told.past_runs, told.hours, told.prompt_tokens) == (2, 1.5, 12000)


def test_only_complete_runs_of_the_model_at_the_newest_version_tell(make_record: MakeRecord) -> None:
    told = forecast(
        MODEL,
        3,
        20,
        [
            _past(make_record, component_version="1.10.0"),
            _past(make_record, 2, component_version="1.9.0", tokens=Tokens(9, 9)),
            _past(make_record, 3, component_version="1.11.0", status="partial"),
            _past(make_record, 4, component_version="1.11.0", model="other"),
        ],
    )
    assert (told.past_runs, told.prompt_tokens) == (1, 6000)


def test_a_run_and_its_later_scoring_are_one_run(make_record: MakeRecord) -> None:
    run = _past(make_record)
    again = _past(make_record, 2, rescored_from=run.run_id, scoring_version=9)
    assert forecast(MODEL, 3, 10, [run, again]).past_runs == 1


def test_records_of_no_calls_or_of_impossible_times_tell_nothing_and_stop_nothing(
    make_record: MakeRecord,
) -> None:
    empty = _past(make_record, calls=Calls(0, 0, 0, 0, 0))
    assert forecast(MODEL, 3, 20, [empty]).past_runs == 0
    odd = forecast(MODEL, 3, 20, [_past(make_record, started_at="2026-13-45T99:99:99Z")])
    assert (odd.hours, odd.prompt_tokens) == (None, 6000)


def test_what_no_past_run_tells_is_unknown(make_record: MakeRecord) -> None:
    nothing = forecast(MODEL, 3, 20, [])
    no_usage = forecast(MODEL, 3, 20, [_past(make_record, tokens=Tokens(None, None))])
    free = forecast(Model("big", "mindrouter"), 3, 20, [_past(make_record)])
    rows = forecast_table([nothing, no_usage, free]).rows
    assert rows[0][:-1] == ("big", "0", "unknown", "unknown", "unknown", "unknown")
    assert rows[1][:-1] == ("big", "1", "1.00", "unknown", "unknown", "unknown")
    assert rows[2][:-1] == ("big", "1", "1.00", "6,000", "1,200", "unknown")
    # What is known is summed up, and half a sum says that it is one.
    assert rows[3][2:] == ("1.00 + 1 unknown", "6,000 + 2 unknown", "1,200 + 2 unknown", "unknown", "")


def test_models_are_called_at_the_same_time(make_record: MakeRecord) -> None:
    one, two = forecast(MODEL, 3, 20, [_past(make_record)]), forecast(MODEL, 3, 10, [_past(make_record)])
    both = together([one, two])
    assert (both.calls, both.hours, both.prompt_tokens) == (90, 1.0, 9000)


def test_what_it_could_show_shrinks_with_replicates_and_with_steady_past_runs(
    make_record: MakeRecord,
) -> None:
    steady = _past(make_record, case_results=(CaseResult("one", "c" * 64, None, (0.9,) * 40, None),))
    few, many = forecast(MODEL, 3, 5, []).smallest_change, forecast(MODEL, 3, 20, []).smallest_change
    known = forecast(MODEL, 3, 20, [steady]).smallest_change
    assert few is not None
    assert many is not None
    assert known is not None
    assert few > many > known
    assert forecast(MODEL, 1, 1, []).smallest_change is None
    assert forecast_table([forecast(MODEL, 1, 1, [])]).rows[0][-1] == "none"


def test_what_it_could_show_of_one_model_depends_on_how_many_are_compared() -> None:
    alone, among = (forecast(MODEL, 3, 5, [], models=count).smallest_change for count in (1, 50))
    assert alone is not None
    assert among is not None
    assert among > alone
    # One case of five replies can be dealt in 252 ways: too few to show anything of one among eight.
    assert forecast(MODEL, 1, 5, [], models=8).smallest_change is None


def test_where_no_fall_would_show_it_is_said_with_what_would_help() -> None:
    few = [forecast(Model(name, "mindrouter"), 1, 2, []) for name in ("big", "small")]
    (said,) = blind_sentences([*few, forecast(MODEL, 3, 20, [])])
    assert said == (
        "big, small: in 2 replicates of 1 case no fall of accuracy would show, however large;"
        " --replicates 4, or more cases, would help"
    )
    assert forecast(MODEL, 1, 3, []).smallest_change is None
    assert forecast(MODEL, 1, 4, []).smallest_change is not None


def test_where_no_number_of_replicates_helps_only_cases_are_named(make_record: MakeRecord) -> None:
    """A model that is wrong nearly always has nothing left to lose."""
    wrong = _past(make_record, case_results=(CaseResult("one", "c" * 64, None, (0.0,) * 40, None),))
    (said,) = blind_sentences([forecast(MODEL, 1, 5, [wrong])])
    assert "so few past answers are right that there is little to lose: only more cases" in said


def test_where_no_fall_of_any_of_several_models_would_show_none_is_named() -> None:
    few = [forecast(Model(name, "mindrouter"), 1, 2, []) for name in ("big", "small")]
    (said,) = blind_sentences(few)
    assert said.startswith("every model: in 2 replicates of 1 case no fall of accuracy would show")
