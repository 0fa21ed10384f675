"""What of a case is published: names, keyed hashes, or nothing; never what is in it."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import msgspec
import pytest

from evalcore.clients.reply import CallError, Reply
from evalcore.errors import ComponentError, StorageError
from evalcore.library.cases import NoUsableCase
from evalcore.library.component import Case, Component, Document, SkippedCase
from evalcore.runs.case_privacy import (
    UNQUOTED,
    CasePrivacy,
    PublishCases,
    public_line,
    public_reason,
    read_key,
)
from evalcore.runs.plan import JobPlan, Server, plan_run
from evalcore.runs.record import RunRecord, record_object
from evalcore.scoring.score_run import score_run
from evalsim.testing import SHA, make_case, make_component, make_job_plan, make_reply

KEY = b"k" * 32
PRIVATE_NAME = "acme-merger-2026"
UNSCORED = "2 of 9 replies would take more work to score than one is worth"
CANARIES = ("Zebra-Input", "Zebra-Expected", "Zebra-Key", "Zebra-Reply", "Zebra-Reason", "Zebra-Version")
SCHEMA = {
    "type": "object",
    "properties": {"due": {"type": "string"}, "items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
    "$defs": {"item": {"type": "object", "properties": {"page": {"type": "string"}}}},
}
EXPECTED = b'{"due": "Zebra-Expected", "items": [{"page": "1", "Zebra-Key": "x"}], "Zebra-Key": {"due": "2"}}'


def component(schema: dict | None) -> Component:
    return make_component(schema=schema, schema_sha256=None if schema is None else SHA)


def case(name: str, source: str) -> Case:
    version = "1.0.0" if source == "library" else "Zebra-Version"
    expected = EXPECTED.decode()
    return make_case(name, expected, input="Zebra-Input", validated_against_version=version, source=source)


def job(schema: dict | None = SCHEMA) -> JobPlan:
    skipped = (
        SkippedCase("open", "components/memo/evals/cases/open: has no input"),
        SkippedCase("closed-case", "evaluation-data-sets/memo/closed-case/expected.json: Zebra-Reason"),
    )
    return make_job_plan(
        component=component(schema),
        cases=(case(PRIVATE_NAME, "data_sets"), case("public-case", "library")),
        skipped_cases=skipped,
        prompt_commit="a" * 40,
        dataset_commit="b" * 40,
    )


def record_of(plan: JobPlan) -> RunRecord:
    """A real record: the replies hold half of what is expected, and more."""
    text = '{"due": "Zebra-Reply", "items": [{"page": "1"}], "Zebra-Key": {"due": "2"}}'

    def replies(of: Case) -> list[Reply]:
        return [make_reply(of.name, number, text) for number in range(plan.replicates)]

    return score_run(plan_run(plan, plan.models[0], "run", Server()), replies)


def published(setting: PublishCases | None, schema: dict | None = SCHEMA) -> tuple[JobPlan, RunRecord, str]:
    plan = job(schema)
    shown, (record,) = CasePrivacy(setting, KEY).published(plan, [record_of(plan)])
    return shown, record, (msgspec.json.encode(record) + msgspec.json.encode(shown)).decode()


def test_by_default_the_librarys_cases_have_names_and_the_data_sets_hashes() -> None:
    plan, record, _ = published(None)
    assert [result.case for result in record.case_results][1] == "public-case"
    assert record.case_results[0].case.startswith("case-")
    assert plan.skipped_cases[0].case == "open"
    assert plan.skipped_cases == record.skipped_cases
    assert plan.cases == ()


@pytest.mark.parametrize("setting", [None, "hashed", "none"])
@pytest.mark.parametrize("schema", [SCHEMA, None])
def test_nothing_of_a_private_case_is_in_what_is_published(setting: PublishCases | None, schema) -> None:
    _, _, everything = published(setting, schema)
    assert [canary for canary in (*CANARIES, PRIVATE_NAME, "closed-case") if canary in everything] == []


def failing(words: str) -> RunRecord:
    plan = job()
    error = CallError(fault="infrastructure", code="bad_request", message=words)

    def replies(of: Case) -> list[Reply]:
        return [make_reply(of.name, number, None, error=error) for number in range(plan.replicates)]

    return score_run(plan_run(plan, plan.models[0], "run", Server()), replies)


@pytest.mark.parametrize(
    "words", ["input was: Zebra-Input", "a\nZebra-Input; 1 of 1 replies", "x, Zebra-Input, y"]
)
def test_a_server_that_quotes_the_request_publishes_no_case(words: str) -> None:
    plan, record = job(), failing(words)
    assert record.reason is not None
    assert "Zebra-Input" in record.reason
    _, (shown,) = CasePrivacy(None, KEY).published(plan, [record])
    assert shown.reason == f"4 of 4 calls were never answered: bad_request ({UNQUOTED})"
    _, (whole,) = CasePrivacy("names", KEY).published(plan, [record])
    assert whole.reason == record.reason


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (None, None),
        (UNSCORED, UNSCORED),
        (
            f"1 of 9 calls were never answered: timeout, quote; {UNSCORED}",
            f"1 of 9 calls were never answered: timeout ({UNQUOTED}); {UNSCORED}",
        ),
        ("what another version says", UNQUOTED),
    ],
)
def test_why_a_run_is_partial_is_told_without_a_servers_words(reason: str | None, shown: str | None) -> None:
    assert public_reason(reason, job().cases, None) == shown
    assert public_reason(reason, job().cases[1:], None) == reason, "the library's own cases are public"


@pytest.mark.parametrize(("setting", "kept"), [("names", 2), ("hashed", 2), ("none", 0)])
def test_the_setting_holds_for_all_cases_wherever_they_come_from(setting: PublishCases, kept: int) -> None:
    plan, record, everything = published(setting)
    assert len(record.case_results) == len(plan.skipped_cases) == kept
    assert ("public-case" in everything) == (setting == "names")
    assert record.cases == 2, "how many there were is told"


def test_names_are_published_as_they_are_where_the_operator_says_so() -> None:
    plan = job()
    record = record_of(plan)
    _, (shown,) = CasePrivacy("names", KEY).published(plan, [record])
    assert record_object(shown) == record_object(record)


def test_figures_stay_for_fields_that_the_schema_names() -> None:
    _, record, _ = published(None)
    assert set(record.accuracy.by_field) == {"due", "items[].page"}
    _, without_schema, _ = published(None, None)
    assert without_schema.accuracy.by_field == {}


def test_scores_stay_as_they_were() -> None:
    plan = job()
    record = record_of(plan)
    _, (shown,) = CasePrivacy(None, KEY).published(plan, [record])
    assert [result.scores for result in shown.case_results] == [
        result.scores for result in record.case_results
    ]
    assert shown.accuracy.mean == record.accuracy.mean
    assert shown.cases_sha256 == record.cases_sha256


def test_a_hash_is_the_same_in_each_run_and_no_guess_confirms_it() -> None:
    name = published(None)[1].case_results[0]
    assert published(None)[1].case_results[0] == name
    other = CasePrivacy(None, b"x" * 32).published(job(), [record_of(job())])[1][0].case_results[0]
    assert (other.case, other.sha256) != (name.case, name.sha256)
    for guess in (PRIVATE_NAME, f"memo\0{PRIVATE_NAME}"):
        assert hashlib.sha256(guess.encode()).hexdigest()[:20] not in name.case


def test_the_key_is_made_once_for_the_service_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "key"
    key = read_key(path)
    assert read_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"torn")
    with pytest.raises(StorageError):
        read_key(path)


@pytest.mark.parametrize(
    ("setting", "is_told"), [(None, False), ("hashed", False), ("none", False), ("names", True)]
)
def test_a_refusal_quotes_no_case_of_the_data_sets(setting: PublishCases | None, *, is_told: bool) -> None:
    error = NoUsableCase("memo", job().skipped_cases[1:])
    assert ("Zebra-Reason" in public_line(error, setting)) == is_told
    assert "components/memo" in public_line(error, setting)


def test_other_refusals_are_told_whole() -> None:
    mine = NoUsableCase("memo", job().skipped_cases[:1])
    for error in (mine, ComponentError("is not there", where="components/memo/prompt.md")):
        assert public_line(error, None) == error.line


def test_keys_that_look_like_paths_are_not_taken_for_the_schemas(tmp_path: Path) -> None:
    privacy = CasePrivacy(None, read_key(tmp_path / "key"))
    plan = msgspec.structs.replace(job(), cases=(case("x", "data_sets"),))
    record = record_of(plan)
    for path in (
        "due.x",
        "due[]",
        "items.page",
        "items[].page.y",
        "[]",
        "Zebra",
        "items[][].page",
        "$defs.item",
    ):
        accuracy = msgspec.structs.replace(record.accuracy, by_field={path: 1.0})
        _, (shown,) = privacy.published(plan, [msgspec.structs.replace(record, accuracy=accuracy)])
        assert shown.accuracy.by_field == {}, path


@pytest.mark.parametrize(("setting", "count"), [(None, 2), ("hashed", 2), ("none", 0), ("names", 2)], ids=str)
def test_of_documents_as_much_is_published_as_of_their_cases(
    setting: PublishCases | None, count: int
) -> None:
    document = Document("input.pdf", "d" * 64, 9, "memo/x/input.pdf", "mindrouter", "2.9.58", 3)
    plan = job()
    cases = tuple(msgspec.structs.replace(case, document=document) for case in plan.cases)
    plan = msgspec.structs.replace(plan, cases=cases)
    _, (record,) = CasePrivacy(setting, KEY).published(plan, [record_of(plan)])
    assert record.documents is not None
    told = {one.case: one for one in record.documents}
    assert len(told) == count
    # Whoever knows a confidential document, or guesses its case's name, finds neither confirmed.
    assert (PRIVATE_NAME in told) == (setting == "names")
    named = {result.case for result in record.case_results}
    assert told.keys() == named
    for name, one in told.items():
        is_public = setting == "names" or (setting is None and name == "public-case")
        assert (one.sha256 == "d" * 64) == is_public
        assert (one.reader, one.version, one.pages) == ("mindrouter", "2.9.58", 3)


def test_a_record_without_documents_says_so() -> None:
    assert published(None)[1].documents is None
