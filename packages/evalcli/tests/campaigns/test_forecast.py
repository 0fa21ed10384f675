"""What a run will take: by its own past runs, or else by those that are most like it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcli.campaigns.forecast import START_S, RunForecast, forecast_run
from evalcore.library.models import Model, Price
from evalcore.runs.record import RunRecord
from evalsim.testing import make_record

MODEL = Model("big", "lab", price=Price(input=2.0, output=10.0), concurrency=8)


def past(number: int = 1, **fields: Any) -> RunRecord:
    """A run of 30 calls of 2 seconds each, with 100 + 20 tokens a call."""
    values = {
        "model": "big",
        "provider": "lab",
        "calls": {"total": 30, "ok": 30, "api_error": 0, "parse_error": 0, "truncated": 0},
        "tokens": {"prompt": 3000, "completion": 600},
        "latency_ms": {"p50": 2000.0, "p95": 2000.0},
    }
    return make_record(number, **values | fields)


def foresee(
    *component: RunRecord, in_flight: int = 4, models: int = 1, model: Model = MODEL, **others: Any
) -> RunForecast:
    return forecast_run(
        model,
        cases=3,
        replicates=20,
        in_flight=in_flight,
        models=models,
        component=component,
        others=others,
    )


def test_its_own_runs_say_what_it_takes_in_proportion_to_its_calls() -> None:
    told = foresee(past())
    assert (told.basis, told.past_runs) == ("its own runs", 1)
    assert told.seconds == START_S + 60 * 2.0 / 4
    assert (told.prompt_tokens, told.completion_tokens) == (6000, 1200)
    assert told.cost_usd == pytest.approx((6000 * 2 + 1200 * 10) / 1e6)


def test_the_more_models_are_compared_at_once_the_less_is_shown_of_one() -> None:
    alone, of_many = (foresee(past(), models=models).smallest_change for models in (1, 50))
    assert alone is not None
    assert of_many is not None
    assert alone < of_many


def test_without_its_own_those_most_like_it_say_so_and_it_is_said_which() -> None:
    neighbour = past(1, model="small", latency_ms={"p50": 4000.0, "p95": 4000.0})
    far = past(2, model="far", provider="cloud", latency_ms={"p50": 9000.0, "p95": 9000.0})
    elsewhere = past(3, latency_ms={"p50": 1000.0, "p95": 1000.0})
    assert foresee(neighbour, far, other=[elsewhere]).basis == "other models"
    assert foresee(neighbour, far).seconds == START_S + 60 * 4.0 / 4  # of its provider, not of another
    assert foresee(far).seconds == START_S + 60 * 9.0 / 4
    assert foresee(other=[elsewhere]).basis == "other components"
    assert foresee(other=[elsewhere]).seconds == START_S + 60 * 1.0 / 4
    nothing = foresee(other=[past(model="small")])
    assert (nothing.basis, nothing.past_runs, nothing.seconds, nothing.cost_usd) == ("nothing", 0, None, None)


def test_the_newest_version_counts_partial_runs_do_not_and_a_rescored_run_counts_once() -> None:
    run = past(1, component_version="1.10.0")
    again = past(2, component_version="1.10.0", rescored_from=run.run_id, scoring_version=9)
    older = past(3, component_version="1.9.0", latency_ms={"p50": 9e6, "p95": 9e6})
    partial = past(4, component_version="2.0.0", status="partial")
    told = foresee(older, run, again, partial)
    assert (told.past_runs, told.seconds) == (1, START_S + 60 * 2.0 / 4)


def test_of_several_runs_of_a_model_the_newest_says_how_fast_it_is_and_all_how_long_its_answers_are() -> None:
    slow = {"p50": 9000.0, "p95": 9000.0}
    before = [past(number, latency_ms=slow, tokens={"prompt": 3000, "completion": 900}) for number in (1, 2)]
    told = foresee(past(9, finished_at="2026-11-05T09:00:00Z"), *before)
    assert told.seconds == START_S + 60 * 2.0 / 4  # its server was replaced since
    assert (told.past_runs, told.completion_tokens) == (3, 1800)


def test_no_run_is_shorter_than_one_of_its_calls_and_none_has_more_at_once_than_its_model() -> None:
    assert foresee(past(), in_flight=1000).seconds == START_S + 60 * 2.0 / 8
    wide = msgspec.structs.replace(MODEL, concurrency=1000)
    assert foresee(past(), in_flight=1000, model=wide).seconds == START_S + 2.0


def test_a_call_that_is_often_slow_counts_for_more_than_its_median() -> None:
    slow = foresee(past(latency_ms={"p50": 2000.0, "p95": 8000.0})).seconds
    assert slow is not None
    assert START_S + 60 * 2.0 / 4 < slow < START_S + 60 * 8.0 / 4


def test_a_record_without_latencies_tells_by_its_times() -> None:
    told = foresee(
        past(
            latency_ms={"p50": None, "p95": None},
            started_at="2026-01-05T09:00:00Z",
            finished_at="2026-01-05T09:01:00Z",
        ),
        in_flight=1,
    )
    assert told.seconds == START_S + 60 * 2.0
    impossible = past(latency_ms={"p50": None, "p95": None}, started_at="2026-02-31T09:00:00Z")
    assert foresee(impossible).seconds is None


def test_what_one_of_several_runs_does_not_say_is_not_known() -> None:
    told = foresee(past(1), past(2, tokens={"prompt": None, "completion": 9}))
    assert (told.prompt_tokens, told.cost_usd) == (None, None)
    assert foresee(past(), model=Model("big", "lab")).cost_usd is None


MILLISECONDS = st.none() | st.sampled_from([5e-324, 1e12]) | st.floats(0, 1e12)
COUNT = st.integers(0, 2**53)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "latency_ms": st.fixed_dictionaries({"p50": MILLISECONDS, "p95": MILLISECONDS}),
                "tokens": st.fixed_dictionaries(
                    {"prompt": st.none() | COUNT, "completion": st.none() | COUNT}
                ),
                "calls": COUNT.map(
                    lambda total: {
                        "total": total, "ok": total, "api_error": 0, "parse_error": 0, "truncated": 0
                    }
                ),
                "started_at": st.sampled_from(["2026-01-05T09:00:00Z", "2026-99-05T09:00:00Z"]),
            }
        ),
        max_size=4,
    ),
    st.integers(1, 1000),
)  # fmt: skip
def test_whatever_records_say_a_forecast_is_finite_and_can_be_stored(
    fields: list[dict[str, Any]], in_flight: int
) -> None:
    told = foresee(*(past(number, **one) for number, one in enumerate(fields, 1)), in_flight=in_flight)
    assert msgspec.json.decode(msgspec.json.encode(told), type=RunForecast) == told
    assert told.seconds is None or told.seconds >= START_S
