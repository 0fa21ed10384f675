"""`evalsim cloud`: one simulated provider of the cloud as a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click
import msgspec
import uvicorn

from evalsim.cloud.app import SimulatedCloud
from evalsim.cloud.config import CloudConfig, CloudModel, ProviderKind
from evalsim.mindrouter.answers import AnswerBook
from evalsim.serving import address, listen_or_refuse, server_config


@click.command("cloud")
@click.argument("kind", metavar="PROVIDER", type=click.Choice(get_args(ProviderKind)))
@click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Models, limits and faults (JSON); without it, two models of different quality.",
)
@click.option(
    "--answers",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A prompt library or data sets to answer from; may be repeated, the last one wins.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8082, show_default=True, help="0 for any free port.")
@click.option("--key", "keys", multiple=True, help="A key to accept; without it, every key is.")
def command(
    kind: ProviderKind,
    config_file: Path | None,
    folders: tuple[Path, ...],
    host: str,
    port: int,
    keys: tuple[str, ...],
) -> None:
    """Simulate a provider (anthropic, openai or google): it refuses and fails as they describe it."""
    config = _read_config(config_file)
    if keys:
        config = msgspec.structs.replace(config, keys=(*config.keys, *keys))
    book = AnswerBook.from_folders(folders)
    with listen_or_refuse(host, port) as bound:
        url = address(bound)
        click.echo(f"simulated {kind} on {url}, {len(book)} known inputs, base_url={url}", err=True)
        uvicorn.Server(server_config(SimulatedCloud(kind, config, book))).run(sockets=[bound])


def _read_config(path: Path | None) -> CloudConfig:
    if path is None:
        large = CloudModel(id="large-1", quality=0.95, noise=0.1, latency=0.05)
        small = CloudModel(id="small-1", quality=0.7, noise=0.4, latency=0.02)
        return CloudConfig(models=(large, small))
    try:
        return msgspec.json.decode(path.read_bytes(), type=CloudConfig)
    except (OSError, msgspec.MsgspecError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--config") from error
