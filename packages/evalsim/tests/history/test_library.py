"""A library with a made-up year: what befalls its components, the same every time."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from evalcore.compare.versions import evaluated_versions
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import load_component, load_models
from evalcore.runs.leaderboard import known_records, parse_leaderboard
from evalcore.runs.record import RunRecord
from evalsim.history.command import command
from evalsim.history.library import write_year
from evalsim.history.world import FP8_WEEK, MODELS
from evalsim.history.year import BEGIN, HALF
from evalsim.library import write_sample_library


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    write_sample_library(folder / "source")
    write_year(folder / "source", folder / "year")
    return folder / "year"


def records_of(library: Path, slug: str) -> list[RunRecord]:
    path = library / "components" / slug / "leaderboard.json"
    if not path.exists():
        return []
    board = parse_leaderboard(path.read_bytes(), str(path))
    records = known_records(board)
    assert len(records) == len(board.runs)
    return records


def every_record(library: Path) -> list[RunRecord]:
    slugs = [path.name for path in (library / "components").iterdir()]
    return [record for slug in slugs for record in records_of(library, slug)]


def test_the_same_library_has_the_same_year(year: Path, tmp_path: Path) -> None:
    write_sample_library(tmp_path / "source")
    # Each component's year is its own, by its place, and takes long: one with runs is enough, and the one
    # whose schema it refers to.
    first, _, *others = sorted((tmp_path / "source" / "components").iterdir())
    for other in others:
        shutil.rmtree(other)
    assert write_year(tmp_path / "source", tmp_path / "again")[first.name]
    files = [
        path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*") if path.is_file()
    ]
    assert all((tmp_path / "again" / path).read_bytes() == (year / path).read_bytes() for path in files)


def test_the_sample_it_was_made_of_stays_as_it_was(year: Path, tmp_path: Path) -> None:
    write_sample_library(tmp_path / "sample")
    source = year.parent / "source"
    files = [path.relative_to(source) for path in source.rglob("*") if path.is_file()]
    assert all((tmp_path / "sample" / path).read_bytes() == (source / path).read_bytes() for path in files)


def test_one_component_has_never_been_evaluated_and_another_stands_at_a_later_patch(year: Path) -> None:
    library = FolderCheckout(year)
    slugs = sorted(path.name for path in (year / "components").iterdir())
    newest = {slug: next(iter(evaluated_versions(records_of(year, slug))), None) for slug in slugs}
    present = {slug: load_component(library, None, slug).version for slug in slugs}
    assert None in newest.values()
    assert any(version is not None and version != present[slug] for slug, version in newest.items())
    assert any(version == present[slug] for slug, version in newest.items())


def test_the_prompt_of_the_present_version_is_the_one_in_the_library(year: Path) -> None:
    library = FolderCheckout(year)
    found = 0
    for path in (year / "components").iterdir():
        component = load_component(library, None, path.name)
        for record in records_of(year, path.name):
            is_present = record.component_version == component.version
            assert (record.prompt_sha256 == component.prompt_sha256) == is_present
            found += is_present
    assert found


def test_calls_and_replies_add_up(year: Path) -> None:
    for record in every_record(year):
        scores = [score for result in record.case_results for score in result.scores]
        calls = record.calls
        assert calls.total == len(scores) == calls.ok + calls.api_error + calls.parse_error
        assert calls.api_error == scores.count(None)
        assert (record.status == "partial") == (record.reason is not None)


def test_over_the_year_servers_change_cases_are_added_runs_fail_and_models_come_and_go(year: Path) -> None:
    records = every_record(year)
    weeks = {record.run_id: (time_of(record) - BEGIN).days // 7 for record in records}
    quantized = {weeks[record.run_id] for record in records if record.server.quantization == "fp8"}
    assert quantized
    assert min(quantized) >= FP8_WEEK
    assert {record.cases for record in records if weeks[record.run_id] < HALF} == {8}
    assert {record.cases for record in records if weeks[record.run_id] >= HALF} == {11}
    assert any(record.status == "partial" for record in records)
    assert any(record.calls.parse_error for record in records)
    configured = {model.id for model in load_models(FolderCheckout(year)).models}
    evaluated = {record.model for record in records}
    assert evaluated - configured
    assert configured - evaluated
    assert configured | evaluated == {model.id for model in MODELS}


def test_the_newest_runs_have_reports_that_quote_the_librarys_own_cases(year: Path) -> None:
    ids = {record.run_id for record in every_record(year)}
    summaries = [json.loads(path.read_text()) for path in year.rglob("evals/reports/*/summary.json")]
    assert summaries
    for summary in summaries:
        assert summary["config"]["run_id"] in ids
        examples = [one for field in summary["accuracy"]["fields"] for one in field["examples"]]
        assert not any(one["doc"].startswith("case-") for one in examples)


def test_the_command_says_how_many_runs_there_are_and_leaves_a_folder_that_is_there_alone(
    tmp_path: Path,
) -> None:
    done = CliRunner().invoke(command, [str(tmp_path / "year")])
    assert done.exit_code == 0
    board = json.loads((tmp_path / "year/components/award-notice-review/leaderboard.json").read_text())
    assert f"award-notice-review: {len(board['runs'])} runs" in done.output
    again = CliRunner().invoke(command, [str(tmp_path / "year")])
    assert again.exit_code == 2
    assert "is there already" in again.output


def time_of(record: RunRecord) -> datetime:
    return datetime.fromisoformat(record.finished_at)
