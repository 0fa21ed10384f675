"""-q and -v: named by some commands, taken by all."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from evalcli.commands.verbosity import how_much_is_said, take_how_much_is_said
from evalcli.terminal.output import detail, warn


@click.command()
def say() -> None:
    warn("careful")
    detail("read from here")


@click.group()
def group() -> None:
    pass


group.add_command(say)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "warning: careful\n"),
        (["-q"], ""),
        (["--quiet"], ""),
        (["-v"], "warning: careful\nread from here\n"),
        (["-q", "--verbose"], "read from here\n"),
    ],
)
def test_a_command_takes_them_unseen_and_so_does_each_below_a_group(options: list[str], said: str) -> None:
    take_how_much_is_said(group)
    take_how_much_is_said(group)  # a second time changes nothing
    for line in ([*options, "say"], ["say", *options]):
        assert CliRunner().invoke(group, line).output == said
    assert "--quiet" not in CliRunner().invoke(group, ["say", "--help"]).output


def test_a_command_that_names_them_keeps_its_own() -> None:
    named = how_much_is_said(click.Command("named", callback=lambda: warn("careful")))
    take_how_much_is_said(named)
    assert [parameter.opts for parameter in named.params] == [["-v", "--verbose"], ["-q", "--quiet"]]
    assert "No progress, no warnings." in CliRunner().invoke(named, ["--help"]).output
