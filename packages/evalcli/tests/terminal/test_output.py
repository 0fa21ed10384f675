from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from evalcli.terminal.rich_output import print_fitted
from evalcli.terminal.text import MAX_SHOWN, Table, plain_table, shown
from evalsim.testing import run_on_terminal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("right\u202eleft", "right\\u202eleft"),
        ("\ud800", "\\ud800"),
        ("[bold]größe[/]", "[bold]größe[/]"),
    ],
)
def test_text_from_outside_cannot_steer_a_terminal(text: str, expected: str) -> None:
    assert shown(text) == expected


@given(st.text(max_size=1000))
def test_whatever_is_shown_is_one_bounded_printable_line(text: str) -> None:
    line = shown(text)
    assert len(line) <= MAX_SHOWN * 10
    assert "\x1b" not in line
    assert len(line.splitlines()) <= 1
    line.encode()


def test_a_plain_table_aligns_numbers_right_and_wide_letters_by_their_width() -> None:
    table = Table(
        headings=("name", "n"), rows=(("模型", "1"), ("b", "100")), numeric=frozenset({"n"}), title="T"
    )
    assert plain_table(table) == "T\nname    n\n模型    1\nb     100\n"


def test_a_cell_cannot_begin_a_new_row() -> None:
    table = Table(headings=("name",), rows=(("evil\nrow",),))
    assert plain_table(table).count("\n") == 2


def test_a_terminal_table_takes_markup_for_text() -> None:
    out = StringIO()
    table = Table(headings=("[red]x",), rows=(("[link=http://evil]m[/link]\x1b[2J",),), title="[blink]t")
    print_fitted(table, Console(file=out, width=100, force_terminal=True))
    text = out.getvalue()
    assert "[link=http://evil]m[/link]\\x1b[2J" in text
    assert "[blink]t" in text
    assert "\x1b[2J" not in text


def test_a_reader_who_stops_early_sees_no_error() -> None:
    code = "import sys; from evalcli.terminal.output import print_bytes, say\n"
    code += "for _ in range(200): print_bytes(b'x' * 9999 + b'\\n')\n"
    code += "say('went on'); sys.exit(7)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=30), err) == (7, "went on\n")


@pytest.mark.parametrize(
    ("columns", "lines"), [(0, ["a line of a few words"]), (12, ["a line of a", "  few words"])]
)
def test_a_terminal_that_does_not_say_how_wide_it_is_breaks_lines_itself(
    tmp_path: Path, columns: int, lines: list[str]
) -> None:
    code = "from evalcli.terminal.output import print_line; print_line('a line of a few words')"
    shown_there = run_on_terminal([sys.executable, "-c", code], columns, cwd=tmp_path)
    assert (shown_there.out.splitlines(), shown_there.code) == (lines, 0)
