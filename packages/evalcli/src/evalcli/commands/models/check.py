"""`evalcli models check`: which models can be called now, and whether they take what they are asked with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import click

from evalcli.commands.arguments import PROMPT_LIBRARY, SKILL
from evalcli.commands.models.ask import located
from evalcli.commands.models.source import MODELS, load_named
from evalcli.exits import Exit
from evalcli.reports.availability import (
    Answer,
    ModelNotes,
    availability_object,
    availability_table,
    is_all_served,
)
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import print_bytes, warn
from evalcli.terminal.tables import print_table
from evalcore.clients.interface import Client, ServedModel
from evalcore.clients.registry import open_client
from evalcore.errors import InputError, ModelError
from evalcore.evaluation.probe import Asked, asked_of, over_limit, refused_by
from evalcore.evaluation.schema_check import check_schema
from evalcore.formats.strict_json import encode_canonical
from evalcore.library.checkout import FolderCheckout
from evalcore.library.component import Component
from evalcore.library.loader import load_component
from evalcore.library.models import (
    Endpoint,
    Model,
    ModelsFile,
    NotConfigured,
    Provider,
    is_local,
    resolve_provider,
)


@click.command()
@click.option(
    "--skill",
    type=SKILL,
    metavar="NAME",
    shell_complete=completed_by("components"),
    help="Also ask with this component's schema, and say what is changed in it.",
)
@PROMPT_LIBRARY
@MODELS
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
def command(skill: str | None, prompt_library: Path, path: Path | None, *, as_json: bool) -> int:
    """Ask each provider whether it is there, accepts the key, and can serve the models now.

    Each cloud model is also called once, for one token, so that a parameter or a schema that it refuses
    is known before an evaluation. Exit code 1 where a model whose key is present cannot be served or
    refuses what it is asked with, 3 where no key is present. --json has a column of the table as a key:
    true, false, a number or text, null where nothing is known.
    """
    models_file = load_named(prompt_library, path)
    library = FolderCheckout(prompt_library)
    component = None if skill is None else load_component(library, None, skill, check_schema)
    notes = ModelNotes()
    answers = asyncio.run(_ask(models_file, component, notes))
    if as_json:
        print_bytes(encode_canonical(availability_object(models_file.models, answers, notes)))
    else:
        print_table(availability_table(models_file.models, answers, notes))
    if all(isinstance(answer, NotConfigured) for answer in answers.values()):
        reasons = dict.fromkeys(
            answer.reason for answer in answers.values() if isinstance(answer, NotConfigured)
        )
        warn(f"no provider can be asked: {'; '.join(reasons)}")
        return Exit.NOTHING
    is_usable = is_all_served(models_file.models, answers) and not notes.refused
    return Exit.DONE if is_usable else Exit.INCOMPLETE


async def _ask(models_file: ModelsFile, component: Component | None, notes: ModelNotes) -> dict[str, Answer]:
    names = list(dict.fromkeys(model.provider for model in models_file.models))
    asked = (
        _ask_one(
            models_file.providers[name],
            [model for model in models_file.models if model.provider == name],
            component,
            notes,
        )
        for name in names
    )
    # All at the same time: one that does not answer holds up no other.
    return dict(zip(names, await asyncio.gather(*asked), strict=True))


async def _ask_one(
    provider: Provider, models: Sequence[Model], component: Component | None, notes: ModelNotes
) -> Answer:
    found = resolve_provider(provider, os.environ)
    if not isinstance(found, Endpoint):
        return found
    try:
        async with open_client(provider, found.base_url, found.api_key) as client:
            served = await client.served()
            for model in models:
                # Not of local models: MindRouter drops a parameter that it does not know without a word, so
                # that a call would tell nothing.
                if not is_local(model) and model.id in served.models:
                    await _try(client, provider, model, served.models[model.id], component, notes)
            return served
    except ModelError as error:
        return located(error, provider, found)


async def _try(
    client: Client,
    provider: Provider,
    model: Model,
    served: ServedModel,
    component: Component | None,
    notes: ModelNotes,
) -> None:
    try:
        asked = Asked(model, None) if component is None else asked_of(model, component, provider)
    except InputError as error:
        notes.refused[model.id] = error.line
        return
    notes.changes[model.id] = asked.changes
    if (refusal := over_limit(asked, served) or await refused_by(client, asked)) is not None:
        notes.refused[model.id] = refusal
