"""`evalsim mindrouter`: the simulated MindRouter as a process of its own."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
import uvicorn

from evalsim.mindrouter.answers import AnswerBook
from evalsim.mindrouter.app import SimulatedMindRouter
from evalsim.mindrouter.config import SimConfig, default_config
from evalsim.serving import address, listen_or_refuse, server_config


@click.command("mindrouter")
@click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Models, limits and faults (JSON); without it, four models of different quality.",
)
@click.option(
    "--answers",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A prompt library or data sets to answer from; may be repeated, the last one wins.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8081, show_default=True, help="0 for any free port.")
@click.option("--key", "keys", multiple=True, help="A key to accept; without it, every key is.")
def command(
    config_file: Path | None, folders: tuple[Path, ...], host: str, port: int, keys: tuple[str, ...]
) -> None:
    """Simulate MindRouter: an OpenAI-like gateway that fails as the real one does."""
    config = _read_config(config_file)
    if keys:
        config = msgspec.structs.replace(config, keys=(*config.keys, *keys))
    book = AnswerBook.from_folders(folders)
    with listen_or_refuse(host, port) as bound:
        url = address(bound)
        click.echo(
            f"simulated MindRouter on {url}, {len(book)} known inputs, MINDROUTER_BASE_URL={url}", err=True
        )
        uvicorn.Server(server_config(SimulatedMindRouter(config, book))).run(sockets=[bound])


def _read_config(path: Path | None) -> SimConfig:
    if path is None:
        return default_config()
    try:
        return msgspec.json.decode(path.read_bytes(), type=SimConfig)
    except (OSError, msgspec.MsgspecError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--config") from error
