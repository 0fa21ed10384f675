"""A group of commands: all are listed, and only the one that is called is imported."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from evalcli.commands.lazy_group import LazyGroup


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LazyGroup:
    """A group of two modules of this test's own, of which one cannot be imported."""
    (tmp_path / "lazy_greeting.py").write_text(
        "import click\n\n"
        "@click.command()\ndef command():\n    click.echo('hello')\n\n"
        "@click.command()\ndef farewell():\n    click.echo('goodbye')\n"
    )
    (tmp_path / "lazy_broken.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("lazy_greeting", "lazy_broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return LazyGroup(
        name="say",
        lazy={
            "greet": ("lazy_greeting", "Greets."),
            "leave": ("lazy_greeting:farewell", "Takes leave."),
            "break": ("lazy_broken", "Is broken."),
        },
    )


def run(group: LazyGroup, *arguments: str):
    return CliRunner().invoke(group, arguments)


def test_help_lists_every_command_in_its_order_and_imports_none(group: LazyGroup) -> None:
    result = run(group, "--help")
    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    assert lines[lines.index(["Commands:"]) + 1 :] == [
        ["greet", "Greets."],
        ["leave", "Takes", "leave."],
        ["break", "Is", "broken."],
    ]
    assert not {"lazy_greeting", "lazy_broken"} & set(sys.modules)


def test_a_command_is_imported_when_it_is_called_and_no_other(group: LazyGroup) -> None:
    assert run(group, "greet").output == "hello\n"
    assert "lazy_broken" not in sys.modules


def test_a_module_may_hold_several_commands(group: LazyGroup) -> None:
    assert run(group, "leave").output == "goodbye\n"


def test_what_is_wrong_in_a_commands_module_is_not_hidden(group: LazyGroup) -> None:
    assert isinstance(run(group, "break").exception, RuntimeError)


def test_a_command_that_is_not_there_is_answered_with_what_is_near_and_imports_none(group: LazyGroup) -> None:
    result = run(group, "great")
    assert result.exit_code == 2
    assert "No such command 'great'" in result.output
    assert "greet" in result.output
    assert not {"lazy_greeting", "lazy_broken"} & set(sys.modules)


def test_only_names_of_the_table_are_commands(group: LazyGroup) -> None:
    context = click.Context(group)
    assert group.list_commands(context) == ["greet", "leave", "break"]
    assert group.get_command(context, "lazy_greeting") is None
