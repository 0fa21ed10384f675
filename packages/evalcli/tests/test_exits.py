"""How a command ends: its exit code, and one line on standard error for a user's mistake."""

from __future__ import annotations

import click
import pytest

from evalcli.exits import Exit, Interrupted, refuse, run
from evalcore.errors import ConfigurationError, StorageError


def ended(action, capsys, *arguments):
    @click.group()
    def cli():
        pass

    @cli.command()
    @click.option("--count", type=int)
    @click.argument("name", required=False)
    def act(count, name):
        del count, name
        return action()

    code = run(cli, arguments or ("act",))
    seen = capsys.readouterr()
    assert seen.out == ""
    return code, seen.err


def raising(error):
    def act():
        raise error

    return act


@pytest.mark.parametrize("code", list(Exit))
def test_a_commands_own_code_is_its_exit_code(code, capsys):
    assert ended(lambda: code, capsys) == (code, "")


@pytest.mark.parametrize("result", [None, "text"])
def test_a_command_that_says_nothing_is_done(result, capsys):
    assert ended(lambda: result, capsys) == (Exit.DONE, "")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            ConfigurationError("is unknown", where="models.yaml:3", hint="remove it"),
            2,
            "models.yaml:3: is unknown; remove it",
        ),
        (StorageError("disk full"), 2, "disk full"),
        (click.UsageError("one; two"), 2, "one; two"),
        (click.ClickException("a\nb"), 2, "a b"),
        (click.Abort(), 130, "interrupted"),
    ],
)
def test_a_mistake_is_one_line(error, code, line, capsys):
    assert ended(raising(error), capsys) == (code, f"evalcli: {line}\n")


@pytest.mark.parametrize("line", [("act", "--count"), ("act", "--two", "1")])
def test_an_option_that_lacks_a_value_names_the_help_too(line, capsys):
    @click.group()
    def cli():
        pass

    @cli.command()
    @click.option("--count", type=int)
    @click.option("--two", nargs=2)
    def act(count, two):
        del count, two

    assert run(cli, line) == Exit.UNUSABLE
    assert capsys.readouterr().err.endswith("; see `evalcli act --help`\n")


def test_ctrl_c_ends_the_line_that_the_terminal_was_at(capsys):
    assert ended(raising(KeyboardInterrupt()), capsys) == (130, "\nevalcli: interrupted\n")


def test_an_interrupted_command_has_already_said_what_is_kept(capsys):
    assert ended(raising(Interrupted()), capsys) == (Exit.INTERRUPTED, "")


def test_wrong_usage_names_the_help(capsys):
    code, line = ended(lambda: 0, capsys, "act", "--count", "x")
    assert code == Exit.UNUSABLE
    assert line == "evalcli: Invalid value for '--count': 'x' is no whole number; see `evalcli act --help`\n"
    assert "see `evalcli --help`" in ended(lambda: 0, capsys, "nothing")[1]


def test_a_refusal_says_what_to_do_and_names_no_help(capsys):
    code, line = ended(lambda: refuse("there are two", hint="name one"), capsys)
    assert (code, line) == (Exit.UNUSABLE, "evalcli: there are two; name one\n")


def test_an_error_of_the_program_itself_is_no_users_mistake(capsys):
    with pytest.raises(RuntimeError, match="boom"):
        ended(raising(RuntimeError("boom")), capsys)


def test_without_a_command_the_help_is_shown(capsys):
    @click.group()
    def cli():
        """Do things."""

    assert run(cli, []) == Exit.UNUSABLE
    assert "Do things." in capsys.readouterr().err


def test_what_an_error_quotes_cannot_move_a_cursor(capsys):
    _, line = ended(raising(ConfigurationError("a\x1b[2Jb\nc")), capsys)
    assert line == "evalcli: a [2Jb c\n"
