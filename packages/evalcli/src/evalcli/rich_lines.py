"""Lines with coloured parts on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.text import Text

from evalcli.output import shown
from evalcli.styled_lines import LONGEST, Line

_STYLES: Final = {
    "plain": "",
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "dim": "dim",
    "strong": "bold",
}


def print_rich_lines(lines: Iterable[Line]) -> None:
    """Write lines to the terminal, in colour where it has any; what they hold is text, never markup."""
    console = Console(highlight=False)
    for line in lines:
        text = Text.assemble(*((shown(span.text, LONGEST), _STYLES[span.style]) for span in line))
        console.print(text, soft_wrap=True)
