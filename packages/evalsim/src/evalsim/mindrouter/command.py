"""`evalsim mindrouter`: the simulated MindRouter as a process of its own."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
import uvicorn

from evalsim.command_options import model_server_options, read_config
from evalsim.mindrouter.answers import AnswerBook
from evalsim.mindrouter.app import SimulatedMindRouter
from evalsim.mindrouter.config import SimConfig, default_config
from evalsim.serving import address, listen_or_refuse, server_config


@click.command("mindrouter")
@model_server_options(port=8081, default="four models of different quality")
def command(
    config_file: Path | None, folders: tuple[Path, ...], host: str, port: int, keys: tuple[str, ...]
) -> None:
    """Simulate MindRouter: an OpenAI-like gateway that fails as the real one does."""
    config = default_config() if config_file is None else read_config(config_file, SimConfig)
    if keys:
        config = msgspec.structs.replace(config, keys=(*config.keys, *keys))
    book = AnswerBook.from_folders(folders)
    with listen_or_refuse(host, port) as bound:
        url = address(bound)
        click.echo(
            f"simulated MindRouter on {url}, {len(book)} known inputs, MINDROUTER_BASE_URL={url}", err=True
        )
        uvicorn.Server(server_config(SimulatedMindRouter(config, book))).run(sockets=[bound])
