"""A component's year: which models are run in which week, and what the records say of it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec
import pytest

from evalcore.formats.strict_json import sha256_hex
from evalcore.library.models import Price
from evalcore.runs.record import RunRecord
from evalsim.history.world import FP8_WEEK, WEEKS, Release, SimComponent, SimModel
from evalsim.history.year import AGAIN_AFTER, BEGIN, HALF, cases_of, prompt_sha256, year_of

COMPONENT = SimComponent(
    slug="memo",
    category=None,
    prompt="Answer.",
    fields=("title", "pages"),
    own_cases=("one",),
    releases=(Release(week=0, version="1.0.0", effect=0.0), Release(week=10, version="1.1.0", effect=0.0)),
    present="1.1.0",
    replicates=2,
    cases=3,
    cases_later=1,
)
BIG = SimModel(id="big", provider="mindrouter", ability=0.9, steadiness=0.9, seconds=2.0, tokens=100)


def model(name: str, **fields: object) -> SimModel:
    return msgspec.structs.replace(BIG, id=name, **fields)


def weeks(records: list[RunRecord], name: str) -> list[int]:
    return [week(record) for record in records if record.model == name]


def week(record: RunRecord) -> int:
    return (datetime.fromisoformat(record.finished_at) - BEGIN).days // 7


def test_a_version_is_run_on_every_model_in_its_week_and_now_and_then_again() -> None:
    records = year_of(COMPONENT, [BIG, model("small")])
    for name in ("big", "small"):
        assert {0, 10} <= set(weeks(records, name))
    again = {(week(record) - 10) % AGAIN_AFTER for record in records if week(record) > 10}
    assert again == {0}
    assert {record.component_version for record in records if week(record) < 10} == {"1.0.0"}
    assert {record.component_version for record in records if week(record) >= 10} == {"1.1.0"}


def test_a_model_is_run_from_the_week_it_comes_to_the_one_it_goes() -> None:
    late, given_up = model("late", from_week=30), model("given up", until_week=11)
    never = model("never", from_week=WEEKS)
    records = year_of(COMPONENT, [late, given_up, never])
    assert weeks(records, "late")[0] == 30
    assert weeks(records, "given up")[:1] + weeks(records, "given up")[-1:] == [0, 10]
    assert weeks(records, "never") == []


def test_a_model_that_comes_changes_nothing_of_those_that_were_there() -> None:
    alone = year_of(COMPONENT, [BIG])
    with_others = year_of(COMPONENT, [BIG, model("late", from_week=30), model("never", from_week=WEEKS)])
    assert [record for record in with_others if record.model == "big"] == alone


def test_a_model_that_a_component_never_asks_has_no_run() -> None:
    absent = msgspec.structs.replace(COMPONENT, absent=("big",))
    assert {record.model for record in year_of(absent, [BIG, model("small")])} == {"small"}


def test_a_component_without_a_version_is_never_run() -> None:
    assert year_of(msgspec.structs.replace(COMPONENT, releases=()), [BIG]) == []


def test_own_cases_have_their_names_and_those_of_the_data_sets_are_hashed() -> None:
    names = [name for name, _ in cases_of(COMPONENT, 0)]
    assert names[0] == "one"
    assert all(name == f"case-{digest[:20]}" for name, digest in cases_of(COMPONENT, 0)[1:])
    later = cases_of(COMPONENT, HALF)
    assert later[: len(names)] == cases_of(COMPONENT, HALF - 1)
    assert len(later) == len(names) + 1


def test_the_present_prompt_is_the_librarys_and_an_earlier_one_is_another() -> None:
    assert prompt_sha256(COMPONENT, "1.1.0") == sha256_hex(b"Answer.")
    assert prompt_sha256(COMPONENT, "1.0.0") != prompt_sha256(COMPONENT, "1.1.0")


def test_the_local_models_of_a_week_are_one_job_and_those_of_the_cloud_another() -> None:
    cloud = [model(name, provider=name) for name in ("openai", "anthropic")]
    records = [record for record in year_of(COMPONENT, [BIG, model("small"), *cloud]) if week(record) == 0]
    assert sorted(Counter((record.job_id, record.origin) for record in records).values()) == [2, 2]
    assert {record.origin: record.server.version is None for record in records} == {
        "vm": False,
        "actions": True,
    }


def test_a_run_whose_calls_were_not_all_answered_is_partial_and_says_how_many() -> None:
    records = year_of(COMPONENT, [model("often away", unanswered=1.0)])
    assert any(record.status == "partial" for record in records)
    for record in records:
        lost = record.calls.api_error
        if record.status == "partial":
            assert f"{lost} of {record.calls.total} calls" in (record.reason or "")
        else:
            assert (lost, record.reason) == (0, None)


def test_replies_that_cannot_be_read_are_counted_as_such() -> None:
    for record in year_of(COMPONENT, [model("garbled", unparsed=1.0)]):
        assert (record.calls.ok, record.calls.parse_error) == (0, record.calls.total)
        assert record.accuracy.mean == 0.0


@pytest.mark.parametrize(
    ("price", "kinds"),
    [
        (None, {"unknown"}),
        (Price(input=0.0, output=0.0), {"nothing"}),
        (Price(input=3.0, output=15.0), {"something"}),
    ],
)
def test_what_a_run_cost_is_said_where_the_model_has_a_price(price: Price | None, kinds: set[str]) -> None:
    costs = [record.cost_usd for record in year_of(COMPONENT, [model("priced", price=price)])]
    assert {"unknown" if cost is None else "something" if cost else "nothing" for cost in costs} == kinds


def test_a_server_that_rounds_is_shown_and_makes_a_model_worse() -> None:
    rounded = model("rounded", fp8_loss=0.5)
    records = year_of(msgspec.structs.replace(COMPONENT, cases=40), [rounded])
    before = [record for record in records if week(record) < FP8_WEEK]
    after = [record for record in records if week(record) >= FP8_WEEK]
    assert {record.server.quantization for record in before} == {"bf16"}
    assert {record.server.quantization for record in after} == {"fp8"}
    assert max(record.accuracy.mean or 0 for record in after) < min(
        record.accuracy.mean or 0 for record in before
    )
