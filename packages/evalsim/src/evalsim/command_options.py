"""What the commands that serve simulated models have in common: options, and how `--config` is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json

T = TypeVar("T", bound=msgspec.Struct)
Command = TypeVar("Command", bound=Callable[..., None])


def model_server_options(*, port: int, default: str) -> Callable[[Command], Command]:
    """Give a command the options of a server of models; `default` is what it serves without `--config`."""
    options = (
        click.option(
            "--config",
            "config_file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help=f"Models, limits and faults (JSON); without it, {default}.",
        ),
        click.option(
            "--answers",
            "folders",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            multiple=True,
            help="A prompt library or data sets to answer from; may be repeated, the last one wins.",
        ),
        click.option("--host", default="127.0.0.1", show_default=True),
        click.option("--port", default=port, show_default=True, help="0 for any free port."),
        click.option("--key", "keys", multiple=True, help="A key to accept; without it, every key is."),
    )

    def decorate(command: Command) -> Command:
        # Decorators work from the last one upwards, and `--help` lists options as they stand above.
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def read_config(path: Path, kind: type[T]) -> T:
    """Read the file of `--config`; raises click.BadParameter where it cannot be used."""
    try:
        return decode_json(path.read_bytes(), kind)
    except (OSError, *UNREADABLE) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--config") from error
