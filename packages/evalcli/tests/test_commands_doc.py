"""docs/commands.md is true: each help text on it is what the program says, and every command has one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from evalcli.main import cli

DOC = Path(__file__).parents[3] / "docs" / "commands.md"
BLOCKS = re.findall(r"```console\n\$ evalcli ([^\n]*--help)\n(.*?)```\n", DOC.read_text(), re.DOTALL)


def _lines(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the `--help` line of a group and of all commands below it."""
    yield " ".join((*words, "--help"))
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from _lines(command, (*words, name))
            else:
                yield " ".join((*words, name, "--help"))


@pytest.mark.parametrize(("line", "text"), BLOCKS, ids=[line for line, _ in BLOCKS])
def test_a_help_text_is_what_the_program_says(evalcli: Callable[..., Any], line: str, text: str) -> None:
    assert evalcli(*line.split(), COLUMNS="80").out == text, "`make docs` writes what the program says"


def test_every_command_has_its_help_text() -> None:
    assert {line for line, _ in BLOCKS} == set(_lines(cli)), "`make docs` adds what is missing"


def test_the_comparison_shown_is_one_that_was_made() -> None:
    golden = Path(__file__).parent / "golden" / "compare.txt"
    assert f"```text\n{golden.read_text()}```\n" in DOC.read_text()
