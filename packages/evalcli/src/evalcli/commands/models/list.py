"""`evalcli models list`: which models there are, and whether their keys are present."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from evalcli.commands.arguments import PROMPT_LIBRARY
from evalcli.commands.models.source import MODELS, load_named
from evalcli.exits import Exit
from evalcli.terminal.output import print_bytes
from evalcli.terminal.tables import print_table
from evalcli.terminal.text import Table
from evalcore.formats.strict_json import encode_canonical
from evalcore.library.models import Model, ModelsFile, NotConfigured, Provider, is_local, resolve_provider
from evalcore.structs import JsonObject


@click.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
@click.option("--cloud", "is_cloud_only", is_flag=True, help="Only cloud models: all but MindRouter's.")
@PROMPT_LIBRARY
@MODELS
def command(prompt_library: Path, path: Path | None, *, as_json: bool, is_cloud_only: bool) -> int:
    """List the models, and whether their keys are present; nothing is asked of the network."""
    models_file = load_named(prompt_library, path)
    models = [model for model in models_file.models if not (is_cloud_only and is_local(model))]
    if as_json:
        print_bytes(encode_canonical([_object(model, models_file) for model in models]))
        return Exit.DONE
    rows = tuple(_listed(model, models_file.providers[model.provider]) for model in models)
    print_table(Table(headings=("model", "provider", "structured output", "key"), rows=rows))
    return Exit.DONE


def _listed(model: Model, provider: Provider) -> tuple[str, ...]:
    found = resolve_provider(provider, os.environ)
    if isinstance(found, NotConfigured):
        key = found.reason
    elif provider.api_key_env is None:
        key = "not needed"
    else:
        key = "present"
    return model.id, model.provider, model.structured_output, key


def _object(model: Model, models_file: ModelsFile) -> JsonObject:
    found = resolve_provider(models_file.providers[model.provider], os.environ)
    written: JsonObject = msgspec.to_builtins(model)
    reason = found.reason if isinstance(found, NotConfigured) else None
    return {**written, "usable": reason is None, "reason": reason}
