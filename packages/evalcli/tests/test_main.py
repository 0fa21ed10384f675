from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from evalcli.exits import Exit, run
from evalcli.main import COMMANDS
from evalcore.errors import ConfigurationError
from evalcore.version import __version__


def test_help_lists_every_command(evalcli: Callable[..., Any]) -> None:
    ended = evalcli("--help")
    assert ended.code == 0
    assert all(name in ended.out for name in COMMANDS)


def test_version(evalcli: Callable[..., Any]) -> None:
    assert __version__ in evalcli("--version").out


@pytest.mark.parametrize(
    "command", [[name] for name in COMMANDS] + [["leaderboard", "show"], ["models", "add"]]
)
def test_every_command_has_help(evalcli: Callable[..., Any], command: list[str]) -> None:
    ended = evalcli(*command, "--help")
    assert ended.code == 0
    assert "Usage: evalcli" in ended.out


@pytest.mark.parametrize(
    "line",
    [
        ["nonsense"],
        ["evaluate"],
        ["evaluate", "x", "--nonsense"],
        ["evaluate", "x", "--replicates", "0"],
        ["evaluate", "x", "--replicates", "101"],
        ["evaluate", "x", "--prompt-library", "/nowhere"],
        ["leaderboard", "validate"],
        ["leaderboard", "show", "/nowhere/leaderboard.json"],
        ["models", "add", "x"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(evalcli: Callable[..., Any], line: list[str]) -> None:
    ended = evalcli(*line)
    assert ended.code == 2
    assert ended.err.startswith("evalcli: ")
    assert ended.err.count("\n") == 1
    assert ended.out == ""


def test_help_imports_no_command() -> None:
    code = "import sys; sys.argv[1:] = ['--help']\nfrom evalcli.main import main\n"
    code += "try: main()\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split("\n")[-2].split())
    assert not loaded & {
        "rich",
        "httpx",
        "aiohttp",
        "asyncio",
        "evalcli.commands.evaluate",
        "evalcore.scoring",
        "ruamel",
    }


def _command(error: BaseException | int) -> click.Command:
    @click.command()
    def failing() -> int:
        if isinstance(error, int):
            return error
        raise error

    return failing


def test_an_error_is_one_line_even_when_it_quotes_a_hostile_file(capsys: pytest.CaptureFixture[str]) -> None:
    error = ConfigurationError("bad\x1b[2J\nkey", where="models.yaml:3", hint="mend it")
    assert run(_command(error), []) == Exit.UNUSABLE
    said = capsys.readouterr().err
    assert said.startswith("evalcli: models.yaml:3: bad")
    assert said.endswith(" key; mend it\n")
    assert said.count("\n") == 1
    assert "\x1b" not in said


def test_ctrl_c_is_130_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(_command(KeyboardInterrupt()), []) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("code", list(Exit))
def test_a_command_returns_its_exit_code(code: Exit) -> None:
    assert run(_command(code), []) == code


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run(_command(ZeroDivisionError()), [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("line", [["leaderboard", "schema"], ["--help"], ["show", "--help"], ["--version"]])
def test_a_full_disk_under_the_output_is_one_line(line: list[str]) -> None:
    code = f"import sys; sys.argv[1:] = {line}\nfrom evalcli.main import main; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("evalcli: the output: it cannot be written")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_run_by_a_test(name: str) -> None:
    here = Path(__file__)
    # the first argument of a call: that of the fixture evalcli, or of a list that it is given
    called = re.compile(rf'\(\s*\[?"{name}"[,)\]]')
    tests = (path for path in here.parent.rglob("test_*.py") if path != here)
    is_run = any(called.search(path.read_text("utf-8")) for path in tests)
    assert is_run, (
        f'commands/test_{name}.py: call evalcli("{name}", ...), for what it shows and its exit codes'
    )
