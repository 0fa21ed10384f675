"""`evalcli models served`: which models each provider serves now, and which of them models.yaml has."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import click

from evalcli.commands.arguments import PROMPT_LIBRARY
from evalcli.commands.models.ask import located
from evalcli.commands.models.source import MODELS, load_named
from evalcli.exits import PROGRAM, Exit, refuse
from evalcli.reports.availability import Answer
from evalcli.reports.served import served_models, served_object, served_table
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import note, print_bytes, say, warn
from evalcli.terminal.tables import print_table
from evalcore.clients.registry import open_client
from evalcore.errors import ModelError
from evalcore.formats.strict_json import encode_canonical
from evalcore.library.loader import MODELS_PATH
from evalcore.library.models import (
    BUILT_IN,
    Endpoint,
    ModelsFile,
    NotConfigured,
    Provider,
    resolve_provider,
)
from evalcore.near_names import did_you_mean


@click.command()
@click.argument("names", metavar="[PROVIDER]...", nargs=-1, shell_complete=completed_by("providers"))
@PROMPT_LIBRARY
@MODELS
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
def command(names: tuple[str, ...], prompt_library: Path, path: Path | None, *, as_json: bool) -> int:
    """List the models that providers serve now, and say which of them are in models.yaml.

    Each PROVIDER is asked, or without one every provider whose address and key are present; no model is
    called. Exit code 1 where one cannot be asked or does not answer, 3 where none has its key.
    """
    models_file = _models_file(prompt_library, path)
    known = models_file.providers
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(sorted(known))}"
            refuse(f"there is no provider {name!r:.110}", hint=hint)
    asked = [known[name] for name in (dict.fromkeys(names) or known)]
    answers = asyncio.run(_ask(asked))
    served = served_models(answers, models_file.models)
    if as_json:
        print_bytes(encode_canonical(served_object(served)))
    elif served:
        print_table(served_table(served))
    reasons = [answer.reason for answer in answers.values() if isinstance(answer, NotConfigured)]
    failed = [answer.line for answer in answers.values() if isinstance(answer, ModelError)]
    for line in (*failed, *(reasons if names else ())):
        warn(line)
    if len(reasons) == len(answers):
        if not names:
            warn(f"no provider can be asked: {'; '.join(reasons)}")
        return Exit.NOTHING
    if not served and not failed:
        say("no model is served now")
    elif any(not one.is_listed for one in served):
        note(f"`{PROGRAM} models add ID --provider NAME` adds one to models.yaml")
    return Exit.INCOMPLETE if failed or (names and reasons) else Exit.DONE


def _models_file(prompt_library: Path, path: Path | None) -> ModelsFile:
    # It is asked for what to write into the file, which need not be there yet.
    if path is None and not (prompt_library / MODELS_PATH).exists():
        return ModelsFile(providers=dict(BUILT_IN), models=())
    return load_named(prompt_library, path)


async def _ask(providers: Sequence[Provider]) -> dict[str, Answer]:
    # All at the same time: one that does not answer holds up no other.
    answers = await asyncio.gather(*(_ask_one(provider) for provider in providers))
    return {provider.name: answer for provider, answer in zip(providers, answers, strict=True)}


async def _ask_one(provider: Provider) -> Answer:
    found = resolve_provider(provider, os.environ)
    if not isinstance(found, Endpoint):
        return found
    try:
        async with open_client(provider, found.base_url, found.api_key) as client:
            return await client.served()
    except ModelError as error:
        return located(error, provider, found)
