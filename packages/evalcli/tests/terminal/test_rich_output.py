from __future__ import annotations

import pytest

from evalcli.terminal.rich_output import print_styled
from evalcli.terminal.text import Span, line

LINES = [line("model ", Span("regression", "bad")), line("[red]\x1b[2Jx[/red]", Span(" ", "dim"))]


def test_a_terminal_gets_colour_but_none_from_the_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_styled(LINES)
    first, second = capsys.readouterr().out.splitlines()
    assert "\x1b[" in first
    assert second.startswith("[red]\\x1b[2Jx[/red]")


def test_colour_can_be_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    print_styled(LINES)
    assert "\x1b[" not in capsys.readouterr().out
