"""`evalcli models`: list, check, add, remove."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import click
import msgspec

from evalcli.commands.arguments import PROMPT_LIBRARY
from evalcli.evaluation.plan import resolve
from evalcli.exits import Exit, refuse
from evalcli.reports.availability import Answer, availability_table, is_all_served
from evalcli.terminal.output import print_bytes, print_line, warn
from evalcli.terminal.rich_output import print_table
from evalcli.terminal.text import Table
from evalcore.clients.registry import open_client
from evalcore.errors import ConfigurationError, ModelError, StorageError
from evalcore.formats.strict_json import encode_canonical
from evalcore.library.checkout import MAX_BYTES, FolderCheckout
from evalcore.library.loader import MODELS_PATH, load_models, load_models_file
from evalcore.library.models import (
    MAX_SECONDS,
    Endpoint,
    Model,
    ModelsFile,
    NotConfigured,
    Price,
    Provider,
    StructuredOutput,
    concurrency_by_default,
    streams_by_default,
)
from evalcore.library.models_edit import add_model, remove_model
from evalcore.runs.files import write_atomically
from evalcore.structs import JsonObject, JsonValue

MODELS = click.option(
    "--models",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default=f"{MODELS_PATH} in the library",
    help="The file of models.",
)


SECONDS = click.FloatRange(min=0, min_open=True, max=MAX_SECONDS)


@click.group(name="models")
def command() -> None:
    """List, check, add and remove the models to evaluate."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
@PROMPT_LIBRARY
@MODELS
def list_models(prompt_library: Path, path: Path | None, *, as_json: bool) -> int:
    """List the models, and whether their keys are present; nothing is asked of the network."""
    models_file = _load(prompt_library, path)
    if as_json:
        print_bytes(encode_canonical([_object(model, models_file) for model in models_file.models]))
        return Exit.DONE
    rows = tuple(_listed(model, models_file.providers[model.provider]) for model in models_file.models)
    print_table(Table(headings=("model", "provider", "structured output", "key"), rows=rows))
    return Exit.DONE


@command.command()
@PROMPT_LIBRARY
@MODELS
def check(prompt_library: Path, path: Path | None) -> int:
    """Ask each provider whether it is there, accepts the key, and can serve the models now.

    Exit code 1 where a model whose key is present cannot be served, 3 where no key is present.
    """
    models_file = _load(prompt_library, path)
    answers = asyncio.run(_ask(models_file))
    print_table(availability_table(models_file.models, answers))
    if all(isinstance(answer, NotConfigured) for answer in answers.values()):
        reasons = dict.fromkeys(
            answer.reason for answer in answers.values() if isinstance(answer, NotConfigured)
        )
        warn(f"no provider can be asked: {'; '.join(reasons)}")
        return Exit.NOTHING
    return Exit.DONE if is_all_served(models_file.models, answers) else Exit.INCOMPLETE


@command.command()
@click.argument("model_id", metavar="ID")
@click.option("--provider", required=True, help="mindrouter, openai, ... or one that the file defines.")
@click.option("--structured-output", type=click.Choice(get_args(StructuredOutput)), default="none")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="Sent with each call; the value is JSON, or text.",
)
@click.option("--concurrency", type=int, help="Calls in flight. Default: as the provider's others.")
@click.option("--stream/--no-stream", "is_streamed", default=None, help="Default: as the provider's others.")
@click.option("--timeout", type=SECONDS, default=720.0, show_default=True, help="Seconds for one call.")
@click.option("--price-input", type=click.FloatRange(min=0), help="USD per million tokens.")
@click.option("--price-output", type=click.FloatRange(min=0), help="USD per million tokens.")
@PROMPT_LIBRARY
@MODELS
def add(
    model_id: str,
    provider: str,
    structured_output: StructuredOutput,
    params: tuple[str, ...],
    concurrency: int | None,
    timeout: float,
    price_input: float | None,
    price_output: float | None,
    prompt_library: Path,
    path: Path | None,
    *,
    is_streamed: bool | None,
) -> int:
    """Add a model at the end of models.yaml; its comments and layout are kept."""
    model = Model(
        id=model_id,
        provider=provider,
        structured_output=structured_output,
        params=_parse_params(params),
        concurrency=concurrency_by_default(provider) if concurrency is None else concurrency,
        stream=streams_by_default(provider) if is_streamed is None else is_streamed,
        timeout=timeout,
        price=_price(price_input, price_output),
    )
    target = path if path is not None else prompt_library / MODELS_PATH
    write_to = target.resolve()  # a link to a shared file stays a link
    edited = add_model(_read(target), model, str(target))
    _make_folder(write_to.parent)
    write_atomically(write_to, edited.encode())
    print_line(f"{model_id} is in {target}")
    return Exit.DONE


@command.command()
@click.argument("model_id", metavar="ID")
@PROMPT_LIBRARY
@MODELS
def remove(model_id: str, prompt_library: Path, path: Path | None) -> int:
    """Remove a model from models.yaml; all else is kept, comments and layout included.

    Its runs stay in the leaderboards.
    """
    target = path if path is not None else prompt_library / MODELS_PATH
    edited = remove_model(_read(target), model_id, str(target))
    write_atomically(target.resolve(), edited.encode())
    print_line(f"{model_id} is no longer in {target}")
    return Exit.DONE


def _load(prompt_library: Path, path: Path | None) -> ModelsFile:
    return load_models(FolderCheckout(prompt_library)) if path is None else load_models_file(path)


def _listed(model: Model, provider: Provider) -> tuple[str, ...]:
    found = resolve(provider, os.environ)
    if isinstance(found, NotConfigured):
        key = found.reason
    elif provider.api_key_env is None:
        key = "not needed"
    else:
        key = "present"
    return model.id, model.provider, model.structured_output, key


def _object(model: Model, models_file: ModelsFile) -> JsonObject:
    found = resolve(models_file.providers[model.provider], os.environ)
    written: JsonObject = msgspec.to_builtins(model)
    reason = found.reason if isinstance(found, NotConfigured) else None
    return {**written, "usable": reason is None, "reason": reason}


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


def _parse_params(params: tuple[str, ...]) -> JsonObject:
    parsed: JsonObject = {}
    for item in params:
        name, separator, text = item.partition("=")
        if not separator or not name:
            refuse(f"--param {item!r:.110} is not NAME=VALUE", hint="write, say, --param temperature=0.1")
        if name in parsed:
            refuse(f"--param {name!r:.110} is there twice", hint="leave one out")
        parsed[name] = _parse_value(text)
    return parsed


def _parse_value(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return text
    return value


def _price(price_input: float | None, price_output: float | None) -> Price | None:
    if price_input is None and price_output is None:
        return None
    if price_input is None or price_output is None:
        refuse("a price needs both directions", hint="give --price-input and --price-output")
    return Price(input=price_input, output=price_output)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read ({error.strerror or error})", where=str(path), hint="name a models.yaml"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError("is not UTF-8", where=str(path), hint="save it as UTF-8") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot be made ({error.strerror or error})", where=str(folder), hint="mend its permissions"
        ) from error
