"""`evalcli models add` and `remove`: models.yaml edited, its comments and layout kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import click

from evalcli.commands.arguments import PROMPT_LIBRARY
from evalcli.commands.models.source import MODELS
from evalcli.exits import PROGRAM, Exit, refuse
from evalcli.leaderboards.places import why_no_library_yet
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import note, print_line, warn
from evalcore.errors import ConfigurationError, StorageError
from evalcore.library.checkout import MAX_BYTES
from evalcore.library.loader import MODELS_PATH
from evalcore.library.models import (
    BUILT_IN,
    Model,
    Price,
    StructuredOutput,
    concurrency_by_default,
    streams_by_default,
)
from evalcore.library.models_edit import add_model, remove_model
from evalcore.library.models_file import MAX_SECONDS
from evalcore.runs.files import write_atomically
from evalcore.structs import JsonObject, JsonValue

SECONDS = click.FloatRange(min=0, min_open=True, max=MAX_SECONDS)


@click.command()
@click.argument("model_id", metavar="ID")
@click.option(
    "--provider",
    shell_complete=completed_by("providers"),
    help="mindrouter, openai, ... or one that the file defines.",
)
@click.option("--structured-output", type=click.Choice(get_args(StructuredOutput)), default="none")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="Sent with each call; the value is JSON, or text.",
)
@click.option(
    "--concurrency",
    type=int,
    help="Calls in flight. Default: as the provider's others.",
)
@click.option("--stream/--no-stream", "is_streamed", default=None, help="Default: as the provider's others.")
@click.option("--timeout", type=SECONDS, default=720.0, show_default=True, help="Seconds for one call.")
@click.option("--price-input", type=click.FloatRange(min=0), help="USD per million tokens.")
@click.option("--price-output", type=click.FloatRange(min=0), help="USD per million tokens.")
@PROMPT_LIBRARY
@MODELS
def add(
    model_id: str,
    provider: str | None,
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
    if provider is None:
        hint = f"add --provider: {', '.join(sorted(BUILT_IN))}, or one that the file defines"
        refuse("the provider is not named", hint=hint)
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
    # Only once the new text is known to be one: a wrong option leaves no folder behind.
    _make_folder(write_to.parent)
    write_atomically(write_to, edited.encode())
    print_line(f"{model_id} is in {target}")
    note(f"`{PROGRAM} models check` asks whether it is served")
    if path is None and (why := why_no_library_yet(prompt_library)):
        warn(why)
    return Exit.DONE


@click.command()
@click.argument("model_id", metavar="ID", shell_complete=completed_by("models"))
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
    except RecursionError:
        refuse("a --param is nested too deeply", hint="give it fewer lists and objects inside each other")
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
            # The YAML reader refuses what is over its own, far lower bound: nothing is cut off unseen.
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
