"""`evalsim cloud`: one simulated provider of the cloud as a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click
import msgspec
import uvicorn

from evalsim.cloud.app import SimulatedCloud
from evalsim.cloud.config import CloudConfig, ProviderKind, default_config
from evalsim.command_options import model_server_options, read_config
from evalsim.mindrouter.answers import AnswerBook
from evalsim.serving import address, listen_or_refuse, server_config


@click.command("cloud")
@click.argument("kind", metavar="PROVIDER", type=click.Choice(get_args(ProviderKind)))
@model_server_options(port=8082, default="two models of different quality")
def command(
    kind: ProviderKind,
    config_file: Path | None,
    folders: tuple[Path, ...],
    host: str,
    port: int,
    keys: tuple[str, ...],
) -> None:
    """Simulate a provider (anthropic, openai or google): it refuses and fails as they describe it."""
    config = default_config() if config_file is None else read_config(config_file, CloudConfig)
    if keys:
        config = msgspec.structs.replace(config, keys=(*config.keys, *keys))
    book = AnswerBook.from_folders(folders)
    with listen_or_refuse(host, port) as bound:
        url = address(bound)
        click.echo(f"simulated {kind} on {url}, {len(book)} known inputs, base_url={url}", err=True)
        uvicorn.Server(server_config(SimulatedCloud(kind, config, book))).run(sockets=[bound])
