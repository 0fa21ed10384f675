from __future__ import annotations

import pytest

from evalcli.terminal.tables import print_lines
from evalcli.terminal.text import Span, line

LINES = [line("model ", Span("regression", "bad")), line("[red]\x1b[2Jx[/red]", Span(" ", "dim"))]


def test_without_a_terminal_lines_are_plain_text(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_lines(LINES)
    assert capfdbinary.readouterr().out == b"model regression\n[red]\\x1b[2Jx[/red]\n"
