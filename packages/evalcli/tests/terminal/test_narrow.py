"""Tables on terminals of 60, 80 and 120 columns, read from real pseudo-terminals."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from evalcli.terminal.narrow import Blocks, FittedTable, fit
from evalcli.terminal.text import Table, width_of
from evalcore.runs.record import RunRecord
from evalsim.testing import TerminalRun, run_on_terminal, write_component, write_leaderboard

EVALCLI = [sys.executable, "-c", "from evalcli.main import main; main()"]
MODEL = "an-organisation/some-model-of-40-letters"
OTHER = "an-organisation/other-model-f-40-letters"
COLUMNS = [60, 80, 100, 120]
KEY = {"MINDROUTER_API_KEY": "k" * 40, "MINDROUTER_BASE_URL": "http://127.0.0.1:9", "OPENAI_API_KEY": ""}


def _on_terminal(columns: int, library: Path, *arguments: str) -> TerminalRun:
    done = run_on_terminal([*EVALCLI, *arguments], columns, cwd=library, environment=KEY)
    too_wide = [line for line in done.out.splitlines() if width_of(line.rstrip()) > columns]
    assert not too_wide, done.out
    return done


@pytest.fixture
def library(tmp_path: Path, make_record: Callable[..., RunRecord]) -> Path:
    root = tmp_path / "library"
    cases = {"a-case-whose-name-has-forty-letters-in-it": {"amount": 1}, "two": {"amount": 2}}
    write_component(root, schema={"type": "object"}, cases=cases)
    write_leaderboard(
        root / "components" / "memo" / "leaderboard.json",
        make_record(1, mean=0.875, model=MODEL),
        make_record(2, mean=0.75, model=OTHER, component_version="0.9.0"),
        make_record(3, mean=0.5, model=OTHER, status="partial"),
    )
    models = root / ".evaluator" / "models.yaml"
    models.parent.mkdir()
    models.write_text(
        f"models:\n  - {{id: {MODEL}, provider: mindrouter}}\n  - {{id: {OTHER}, provider: openai}}\n"
    )
    return root


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_ranking_keeps_model_and_status(library: Path, columns: int) -> None:
    done = _on_terminal(columns, library, "leaderboard", "show", "memo")
    assert done.code == 0
    for said in (MODEL, OTHER, "complete", "partial", "0.875"):
        assert said in done.out


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_dry_run_keeps_models_cases_and_reasons(library: Path, columns: int) -> None:
    done = _on_terminal(columns, library, "evaluate", "memo", "--dry-run")
    assert done.code == 0, done.err
    for said in (MODEL, OTHER, "a-case-whose-name-has-forty-letters-in-it", "used", "OPENAI_API_KEY"):
        assert said in done.out


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_check_keeps_models_and_notes(library: Path, columns: int) -> None:
    done = _on_terminal(columns, library, "models", "check")
    assert MODEL in done.out
    assert OTHER in done.out
    assert "OPENAI_API_KEY" in done.out


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_comparison_keeps_models_and_breaks_lines_between_words(library: Path, columns: int) -> None:
    done = _on_terminal(columns, library, "compare", "memo@0.9.0", "memo@1.0.0")
    assert done.code == 0, done.err
    assert f"{MODEL}: not comparable" in done.out
    assert f"{OTHER}: not comparable" in done.out


def _results(*rows: tuple[str, ...]) -> Table:
    headings = ("model", "accuracy", "no reply", "USD", "status")
    return Table(headings=headings, rows=rows, numeric=frozenset(headings) - {"model", "status"})


def test_columns_of_zeros_go_first_and_are_named() -> None:
    table = _results((MODEL, "0.900", "0", "-", "complete"), (OTHER, "0.000", "0", "-", "complete"))
    whole = fit(table, 80, 0, 2)
    assert not isinstance(whole, Blocks)
    assert whole.table.headings == table.headings
    narrow = fit(table, 66, 0, 2)
    assert not isinstance(narrow, Blocks)
    assert narrow.table.headings == ("model", "accuracy", "status")
    assert narrow.left_out == "Not shown, 0 or - in every row: no reply, USD."


def test_no_column_of_zeros_stays_where_another_goes() -> None:
    table = _results((MODEL, "0.900", "0", "-", "complete"), (OTHER, "0.000", "0", "-", "complete"))
    columns = zip(table.headings, *table.rows, strict=True)
    whole = sum(max(map(len, column)) for column in columns) + 2 * (len(table.headings) - 1)
    assert isinstance(fit(table, whole, 0, 2), FittedTable)
    narrow = fit(table, whole - 1, 0, 2)  # one column less would do
    assert isinstance(narrow, FittedTable)
    assert narrow.table.headings == ("model", "accuracy", "status")


def test_a_block_does_not_tell_what_is_nothing() -> None:
    narrow = fit(_results((MODEL, "0.900", "2", "1", "complete"), (OTHER, "-", "-", "", "skipped")), 50, 0, 2)
    assert isinstance(narrow, Blocks)
    assert narrow.rows[1] == (OTHER, "status skipped")


def test_an_accuracy_of_nothing_is_no_column_of_zeros() -> None:
    table = _results((MODEL, "0.000", "0", "-", "partial"))
    narrow = fit(table, 50, 0, 2)
    assert isinstance(narrow, Blocks)
    assert narrow.rows == ((MODEL, "accuracy 0.000, status partial"),)


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=50), *[st.text(max_size=60)] * 4), min_size=1, max_size=4
    ),
    st.integers(20, 200),
)
def test_what_is_said_to_fit_does(rows: list[tuple[str, ...]], width: int) -> None:
    fitted = fit(_results(*rows), width, 2, 2)
    if not isinstance(fitted, Blocks):
        assert 2 + sum(fitted.widths) + 2 * (len(fitted.widths) - 1) <= width
        for always in ("model", "status"):
            assert always in fitted.table.headings or f"{always} {rows[0][-1][:3]}"[:6] in fitted.left_out


def test_what_every_row_repeats_is_told_once() -> None:
    table = _results((MODEL, "0.900", "2", "1", "complete"), (OTHER, "0.000", "2", "0", "complete"))
    narrow = fit(table, 60, 0, 2)
    assert not isinstance(narrow, Blocks)
    assert narrow.table.headings == ("model", "accuracy", "USD")
    assert narrow.left_out == "In every row: no reply 2, status complete."


def test_a_single_row_repeats_nothing() -> None:
    narrow = fit(_results((MODEL, "0.900", "2", "1", "complete")), 60, 0, 2)
    assert isinstance(narrow, Blocks)
    assert narrow.rows == ((MODEL, "accuracy 0.900, no reply 2, USD 1, status complete"),)


SPARING = Table(
    headings=("run", "time", "model", "accuracy", "folder"),
    rows=(
        ("0123456789-a", "2026-07-01T10:00:00.123Z", "alpha", "0.9", "runs/0123456789-a"),
        ("0123456789-b", "2026-07-02T10:00:00.123Z", "beta", "0.8", "runs/0123456789-b"),
    ),
    numeric=frozenset({"accuracy"}),
    spare=("folder", "time"),
    enough=(("time", 16),),
)


@pytest.mark.parametrize(
    ("width", "headings", "note"),
    [
        (90, ("run", "time", "model", "accuracy", "folder"), ""),
        (66, ("run", "time", "model", "accuracy", "folder"), ""),
        (50, ("run", "time", "model", "accuracy"), "Not shown, for want of room: folder."),
        (32, ("run", "model", "accuracy"), "Not shown, for want of room: time, folder."),
    ],
)
def test_ids_are_cut_before_what_can_be_spared_goes(width: int, headings: tuple[str, ...], note: str) -> None:
    fitted = fit(SPARING, width, 0, 2)
    assert not isinstance(fitted, Blocks)
    assert (fitted.table.headings, fitted.left_out) == (headings, note)
    times = {row[1] for row in fitted.table.rows}
    assert "2026-07-01T10:00:00.123Z" in times if width == 90 else "2026-07-01T10:00:00.123Z" not in times


def test_blocks_have_room_for_what_a_table_spares() -> None:
    blocks = fit(SPARING, 20, 0, 2)
    assert isinstance(blocks, Blocks)
    assert blocks.left_out == ""
    assert blocks.rows[0] == (
        "0123456789-a",
        "time 2026-07-01T10:00, model alpha, accuracy 0.9, folder runs/0123456789-a",
    )


def test_blocks_are_without_what_only_repeats_another_column() -> None:
    blocks = fit(replace(SPARING, spare_in_blocks=frozenset({"folder"})), 20, 0, 2)
    assert isinstance(blocks, Blocks)
    assert blocks.left_out == "Not shown, for want of room: folder."
    assert blocks.rows[0] == ("0123456789-a", "time 2026-07-01T10:00, model alpha, accuracy 0.9")
