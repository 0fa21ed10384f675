"""`evalsim demo`: its options, and how it ends."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
from rich.console import Console

from evalcli.terminal.text import shown
from evalcore.errors import EvaluatorError, InputError
from evalsim.demo.failure import DemoError
from evalsim.demo.screen import Screen
from evalsim.demo.script import Options, run_script

DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WRONG_INPUT = 2


@click.command(name="demo")
@click.option("--prompt-library", type=DIRECTORY, help="A library of yours: copied, never touched.")
@click.option("--data-sets", type=DIRECTORY, help="Its evaluation data sets: copied, never touched.")
@click.option("--skill", help="The component to evaluate; default: the first that has usable cases.")
@click.option(
    "--replicates",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    help="Independent calls for each case.",
)
@click.option("--keep", is_flag=True, help="Keep the folder with everything that came about, and say where.")
def command(
    *, prompt_library: Path | None, data_sets: Path | None, skill: str | None, replicates: int, keep: bool
) -> None:
    """Evaluate a component on this machine, from the request to the merged pull request.

    The service is the real one; MindRouter (with its models) and GitHub are simulated. Nothing leaves this
    machine, and no key, no Docker and no network are needed.
    """
    if data_sets is not None and prompt_library is None:
        raise click.UsageError("--data-sets goes with --prompt-library: the sample has its own")
    options = Options(library=prompt_library, data_sets=data_sets, skill=skill, replicates=replicates)
    sys.exit(_run(options, keep=keep))


def _run(options: Options, *, keep: bool) -> int:
    screen = Screen(Console(highlight=False))
    try:
        with _interruptible(), _folder(keep=keep) as folder:
            run_script(options, screen, folder)
    except DemoError as error:
        _say_failure(error)
        return error.exit_code
    except EvaluatorError as error:
        _say_failure(error)
        return WRONG_INPUT if isinstance(error, InputError) else 1
    except KeyboardInterrupt as interruption:
        click.echo("evalsim demo: interrupted; its processes are ended", err=True)
        # As a shell reports a program that a signal ended.
        number: int = (interruption.args or (signal.SIGINT,))[0]
        return 128 + number
    return 0


def _say_failure(error: EvaluatorError) -> None:
    click.echo(f"evalsim demo: {shown(error.line, 2000)}", err=True)
    for line in error.log if isinstance(error, DemoError) else ():
        click.echo(f"  service: {shown(line, 500)}", err=True)


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="evaluator-demo-"))
    try:
        yield folder
    finally:
        if keep:
            click.echo(f"Everything is kept in {folder}")
        else:
            shutil.rmtree(folder)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let every signal to end unwind the demo in order, so that its processes and files go with it."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        del frame
        # A second Ctrl-C must not cut short the cleaning up after the first.
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    before = [(number, signal.signal(number, leave)) for number in ENDING_SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
