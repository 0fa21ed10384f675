"""Write the help texts of evalcli into docs/commands.md: `make docs`.

Each block that begins with `$ evalcli ... --help` is replaced by what the program says, 80 columns wide. A
command that has no block gets one at the end of the page, under a heading of its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from evalcli.main import cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
BLOCK = re.compile(r"```console\n\$ evalcli ([^\n]*--help)\n.*?```\n", re.DOTALL)


def lines(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the `--help` line of a group and of all commands below it."""
    yield " ".join((*words, "--help"))
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from lines(command, (*words, name))
            else:
                yield " ".join((*words, name, "--help"))


def block(line: str) -> str:
    """Return a command's help as it stands on the page."""
    said = CliRunner().invoke(cli, line.split(), prog_name="evalcli", env={"COLUMNS": "80"})
    return f"```console\n$ evalcli {line}\n{said.output}```\n"


def with_help_texts(page: str) -> str:
    """Return the page with every help text as the program has it."""
    present = set(BLOCK.findall(page))
    missing = [line for line in lines(cli) if line not in present]
    page = BLOCK.sub(lambda found: block(found[1]), page)
    return page + "".join(f"\n## {line.removesuffix(' --help')}\n\n{block(line)}" for line in missing)


if __name__ == "__main__":
    before = PAGE.read_text("utf-8")
    after = with_help_texts(before)
    PAGE.write_text(after, "utf-8")
    sys.stdout.write(f"{PAGE.name}: {'unchanged' if after == before else 'written'}\n")
