"""`evalsim github`: the simulated GitHub as a process of its own."""

from __future__ import annotations

import re
from pathlib import Path

import click
import uvicorn

from evalsim.github.app import API, SimulatedGitHub
from evalsim.serving import address, listen_or_refuse, server_config


@click.command("github")
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where the repositories are kept.",
)
@click.option(
    "--repository",
    "repositories",
    multiple=True,
    metavar="OWNER/NAME[=SEED]",
    help="A repository, made from the seed folder where it is not there yet.",
)
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar="[LOGIN=]TOKEN",
    help="A token that may read and write, and whose it is.",
)
@click.option(
    "--app",
    "apps",
    multiple=True,
    metavar="ID=FILE",
    help="A GitHub App that is installed everywhere, and the file of its public key (PEM).",
)
@click.option("--public", is_flag=True, help="Let everybody read.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8082, show_default=True)
def command(
    root: Path,
    repositories: tuple[str, ...],
    tokens: tuple[str, ...],
    apps: tuple[str, ...],
    host: str,
    port: int,
    *,
    public: bool,
) -> None:
    """Simulate GitHub: REST under /api/v3, git remotes at /OWNER/NAME.git."""
    if not tokens and not apps:
        raise click.UsageError("nobody could do anything here; name a --token or an --app")
    app = SimulatedGitHub(root.resolve())
    for item in tokens:
        login, named, token = item.partition("=")
        if named:
            app.state.add_token(token, login=login)
        else:
            app.state.add_token(item)
    for item in apps:
        app.state.add_app(*_read_app(item))
    for item in repositories:
        full_name, seed = _read_repository(item)
        app.state.add_repository(full_name, seed, private=not public)
    with listen_or_refuse(host, port) as bound:
        click.echo(
            f"simulated GitHub on {address(bound)}, EVALHOOK_GITHUB_API_URL={address(bound)}{API}", err=True
        )
        uvicorn.Server(server_config(app)).run(sockets=[bound])


def _read_repository(item: str) -> tuple[str, Path | None]:
    full_name, _, seed = item.partition("=")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", full_name):
        raise click.BadParameter(f"{full_name} is not OWNER/NAME", param_hint="--repository")
    if seed and not Path(seed).is_dir():
        raise click.BadParameter(f"there is no folder {seed}", param_hint="--repository")
    return full_name, Path(seed) if seed else None


def _read_app(item: str) -> tuple[str, str]:
    app_id, _, file = item.partition("=")
    try:
        return app_id, Path(file).read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{file or item} cannot be read", param_hint="--app") from error
