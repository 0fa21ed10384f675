"""The tables as CSV: a cell for each column, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest

from evalcore.reports.dashboard.build import build_site
from evalcore.reports.dashboard.component import component_digest
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts, ModelFacts
from evalcore.reports.dashboard.files import data_files
from evalcore.reports.dashboard.site import FieldCount, Report
from evalcore.reports.dashboard.tables import TABLES, table
from evalcore.runs.leaderboard import leaderboard_of
from evalsim.testing import make_scored_record

FORMULA = "=cmd|' /C calc'!A0"
REPORT = Report(
    name="r", path="p", url=None, run_id=None, model=FORMULA, component_version=None, generated_at=None,
    replies=3, missed=(FieldCount("title", 2),), invented=(FieldCount("+extra", 1),),
)  # fmt: skip


@pytest.fixture(scope="module")
def site():
    records = [
        make_scored_record(1, [0.9, 0.8], accuracy={
            "mean": 0.85, "ci95": [0.8, 0.9], "anls_star": 0.85, "by_field": {"-title": 0.5},
        }),
        make_scored_record(2, [0.4, 0.5], component_version="1.1.0"),
        make_scored_record(3, [0.4, 0.5], component_version="1.1.0", server={"version": "2"}),
        make_scored_record(4, [0.4, 0.5], component_version="1.1.0", server={"version": "3"}),
        make_scored_record(5, [0.4, 0.5], component_version="1.1.0", model=FORMULA, accuracy={
            "mean": 0.45, "ci95": [0.4, 0.5], "anls_star": 0.45, "by_field": {"-title": 0.5},
        }),
        make_scored_record(6, [0.4, 0.6], component_version="1.1.0", status="partial"),
    ]  # fmt: skip
    library = LibraryFacts(name="library", models=(ModelFacts("new", "openai"),))
    memo = ComponentFacts(slug="memo", name="Memo", version="1.1.0", reports=(REPORT,))
    zoo = ComponentFacts(slug="zoo", name="@zoo", version="1.0.0")
    return build_site(
        library,
        [
            component_digest(memo, leaderboard_of("memo", records), library, {}),
            component_digest(zoo, None, library, {}),
        ],
    )


def rows_of(name, site):
    return list(csv.reader(io.StringIO(table(name, site).decode(), newline="")))


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_a_cell_for_each_column(site, name):
    columns, *rows = rows_of(name, site)
    assert rows
    assert {len(row) for row in rows} == {len(columns)}
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize("name", TABLES)
def test_no_text_is_a_formula(site, name):
    for row in rows_of(name, site)[1:]:
        for cell in row:
            is_number = cell.lstrip("-").replace(".", "").replace("e-", "").isdigit()
            assert is_number or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_figures_stand_under_their_names(site):
    runs = [dict(zip(rows_of("runs", site)[0], row, strict=True)) for row in rows_of("runs", site)[1:]]
    first = next(run for run in runs if run["component_version"] == "1.0.0")
    assert (first["accuracy"], first["ci95_low"], first["ci95_high"]) == ("0.85", "0.8", "0.9")
    history = rows_of("history", site)
    worse = [dict(zip(history[0], row, strict=True)) for row in history[1:]]
    assert {row["verdict"] for row in worse} == {"", "cannot alarm"}
    assert any(row["server_changed"] == "version" for row in worse)
    assert any(row["since_server_changed_verdict"] for row in worse)


def test_the_files_are_index_json_and_a_file_for_each_table(site):
    files = {file.path: file.content() for file in data_files(site)}
    assert set(files) == {"index.json", *(f"data/{name}.csv" for name in TABLES)}
    assert files["index.json"].startswith(b'{"schema_version":1,')
