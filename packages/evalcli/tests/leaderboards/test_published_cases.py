"""Which cases are named where others read: by the setting, and by where the command runs."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from evalcli.leaderboards.published_cases import KEY, NAMES_KEY, SETTING, origin, published_cases
from evalcore.errors import ConfigurationError
from evalcore.library.component import SkippedCase
from evalcore.runs.case_privacy import CasePrivacy
from evalsim.testing import make_case, make_job_plan, make_record

ACTIONS = {"GITHUB_ACTIONS": "true"}
SECRET = "acme-merger"


@pytest.mark.parametrize(
    ("environ", "setting"),
    [
        ({}, "names"),
        (ACTIONS, None),
        ({SETTING: " hashed "}, "hashed"),
        (ACTIONS | {SETTING: "names"}, "names"),
        (ACTIONS | {SETTING: "none"}, "none"),
    ],
)
def test_the_setting_counts_and_else_the_place(environ: dict[str, str], setting: str | None) -> None:
    assert published_cases(environ).setting == setting


def test_a_dry_run_names_its_cases_everywhere() -> None:
    assert published_cases(ACTIONS | {SETTING: "none"}, is_dry_run=True).setting == "names"


def test_runs_made_in_actions_stay_hashed_on_a_laptop() -> None:
    assert published_cases({}, made="actions").setting is None


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="use names, hashed or none"):
        published_cases({SETTING: "all"})


def test_actions_and_a_machine_are_told_apart() -> None:
    assert [origin(environ) for environ in (ACTIONS, {}, {"GITHUB_ACTIONS": "false"})] == [
        "actions",
        "local",
        "local",
    ]


def test_a_warning_names_no_case_of_the_data_sets() -> None:
    skipped = (
        SkippedCase("open", "components/memo/evals/cases/open: has no input"),
        SkippedCase(SECRET, f"evaluation-data-sets/memo/{SECRET}: is empty"),
    )
    named, hidden = published_cases(ACTIONS).warnings(skipped)
    assert "case open is skipped: components/memo" in named
    assert hidden.startswith("1 case cannot be used")
    assert len(published_cases({}).warnings(skipped)) == 2
    assert SECRET in published_cases({}).warnings(skipped)[1]


def test_a_record_names_cases_by_the_key_beside_the_runs(tmp_path: Path) -> None:
    plan = make_job_plan(cases=[make_case(SECRET, source="data_sets")])
    record = make_record(case_results=[result_of(SECRET)])
    published = published_cases(ACTIONS)
    first = published.record(record, plan, tmp_path)
    assert first.case_results[0].case.startswith("unpaired-")
    assert published.record(record, plan, tmp_path) == first
    assert (tmp_path / KEY).exists()
    assert published_cases({}).record(record, plan, tmp_path) == record


@pytest.mark.parametrize("written", [b"k" * 32, (b"k" * 32).hex()])
def test_with_the_services_key_names_are_hashed_as_the_service_does(
    tmp_path: Path, written: bytes | str
) -> None:
    plan = make_job_plan(cases=[make_case(SECRET, source="data_sets")])
    record = make_record(case_results=[result_of(SECRET)])
    text = written if isinstance(written, str) else base64.b64encode(written).decode() + "\n"
    published = published_cases(ACTIONS | {NAMES_KEY: text})
    theirs = CasePrivacy(None, b"k" * 32).record(record, plan.component, plan.cases)
    assert published.record(record, plan, tmp_path) == theirs
    assert theirs.case_results[0].case.startswith("case-")
    assert text.strip() not in repr(published)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["short", "!" * 44, "k" * 64, base64.b64encode(b"k" * 31).decode()])
def test_a_key_that_is_none_is_refused_without_being_shown(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="EVAL_CASE_NAMES_KEY: is no key of 32 bytes") as refused:
        published_cases(ACTIONS | {NAMES_KEY: wrong})
    assert wrong not in str(refused.value)


def result_of(case: str) -> dict[str, object]:
    return {
        "case": case,
        "sha256": "c" * 64,
        "validated_against_version": None,
        "scores": [1.0],
        "reproducibility": None,
    }
