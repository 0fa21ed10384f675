"""`evalcli models check`: which models can be called now."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from urllib.parse import urlsplit

import click

from evalcli.commands.arguments import PROMPT_LIBRARY
from evalcli.commands.models.source import MODELS, load_named
from evalcli.evaluation.providers import resolve
from evalcli.exits import Exit
from evalcli.reports.availability import Answer, availability_table, is_all_served
from evalcli.terminal.output import warn
from evalcli.terminal.tables import print_table
from evalcore.clients.registry import open_client
from evalcore.errors import ModelError
from evalcore.library.models import Endpoint, ModelsFile, NotConfigured, Provider


@click.command()
@PROMPT_LIBRARY
@MODELS
def command(prompt_library: Path, path: Path | None) -> int:
    """Ask each provider whether it is there, accepts the key, and can serve the models now.

    Exit code 1 where a model whose key is present cannot be served, 3 where no key is present.
    """
    models_file = load_named(prompt_library, path)
    answers = asyncio.run(_ask(models_file))
    print_table(availability_table(models_file.models, answers))
    if all(isinstance(answer, NotConfigured) for answer in answers.values()):
        reasons = dict.fromkeys(
            answer.reason for answer in answers.values() if isinstance(answer, NotConfigured)
        )
        warn(f"no provider can be asked: {'; '.join(reasons)}")
        return Exit.NOTHING
    return Exit.DONE if is_all_served(models_file.models, answers) else Exit.INCOMPLETE


async def _ask(models_file: ModelsFile) -> dict[str, Answer]:
    names = list(dict.fromkeys(model.provider for model in models_file.models))
    answers = await asyncio.gather(*(_ask_one(models_file.providers[name]) for name in names))
    return dict(zip(names, answers, strict=True))


async def _ask_one(provider: Provider) -> Answer:
    found = resolve(provider, os.environ)
    if not isinstance(found, Endpoint):
        return found
    try:
        async with open_client(provider, found.base_url, found.api_key) as client:
            return await client.served()
    except ModelError as error:
        host = urlsplit(found.base_url)
        return type(error)(
            error.what, where=f"{provider.name} at {host.scheme}://{host.netloc}", hint=error.hint
        )
