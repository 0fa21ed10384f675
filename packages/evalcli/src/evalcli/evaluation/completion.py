"""What a shell completes: components, cases, models, versions and runs of the prompt library at hand.

A name that cannot be read is none to complete: nothing is said, since the line is still being typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import click

from evalcli.leaderboards.files import leaderboard_path, read_leaderboard
from evalcli.leaderboards.places import RUNS_IN_LIBRARY, data_sets_of
from evalcli.leaderboards.run_folders import find_run, run_heads
from evalcli.terminal.completion import Names
from evalcore.compare.versions import evaluated_versions
from evalcore.errors import EvaluatorError
from evalcore.library.cases import case_folders
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import list_components, load_models, load_models_file
from evalcore.library.models import BUILT_IN, ModelsFile
from evalcore.runs.folder import read_plan
from evalcore.runs.leaderboard import known_records

MOST: Final = 200
"""Names that are offered."""
_IN_FOLDER: Final = re.compile(r"(?:[^/]*/)*?components/")
SLUGS: Final = ("skill", "component")
"""Parameters that hold the component whose cases are meant."""


def complete(names: Names, context: click.Context, incomplete: str) -> list[str]:
    """Return the names that begin with what has been typed."""
    behind = _IN_FOLDER.match(incomplete) if names in {"components", "versions"} else None
    if behind is not None:
        # A component by its folder, as a shell completes one: the rest of it is the component's name.
        found = complete("components", context, incomplete[behind.end() :])
        return [f"{behind[0]}{name}/" for name in found]
    try:
        # One that is not printable would be more than one line to the shell.
        known = dict.fromkeys(name for name in _FINDERS[names](context) if name.isprintable())
    except (EvaluatorError, OSError):
        return []
    return [name for name in known if name.startswith(incomplete)][:MOST]


def _library(context: click.Context) -> Path:
    return Path(context.params.get("prompt_library") or ".")


def _components(context: click.Context) -> Iterable[str]:
    return list_components(FolderCheckout(_library(context)))


def _cases(context: click.Context) -> Iterable[str]:
    library = _library(context)
    # While the value of an option is still to come, click leaves the arguments before it unassigned.
    named = [context.params.get(name) for name in SLUGS]
    slug = next((name for name in (*named, *context.args) if name), None)
    if slug is None:
        return ()
    named_data_sets = context.params.get("data_sets")
    data_sets = data_sets_of(library, Path(named_data_sets) if named_data_sets else None)
    return case_folders(FolderCheckout(library), data_sets, slug)


def _run_cases(context: click.Context) -> Iterable[str]:
    """Return the cases of the run that is named."""
    named = next((name for name in (context.params.get("run"), *context.args) if name), None)
    if named is None:
        return ()
    runs_dir = Path(context.params.get("runs_dir") or _library(context) / RUNS_IN_LIBRARY)
    return [case.name for case in read_plan(find_run(named, runs_dir)).cases]


def _models(context: click.Context) -> Iterable[str]:
    return [model.id for model in _models_file(context).models]


def _providers(context: click.Context) -> Iterable[str]:
    """Return the providers that the file knows, or those that every file does."""
    try:
        return _models_file(context).providers
    except EvaluatorError:
        # Of a library whose first model is being added.
        return BUILT_IN


def _models_file(context: click.Context) -> ModelsFile:
    named = context.params.get("models") or context.params.get("path")
    return load_models_file(Path(named)) if named else load_models(FolderCheckout(_library(context)))


def _versions(context: click.Context) -> Iterable[str]:
    """Yield each component, and its versions that have complete runs."""
    for slug in _components(context):
        yield slug
        path = leaderboard_path(_library(context), slug)
        if path.exists():
            yield from (
                f"{slug}@{version}" for version in evaluated_versions(known_records(read_leaderboard(path)))
            )


def _runs(context: click.Context) -> Iterable[str]:
    """Yield the runs by what they are of, then by their ids, the newest first."""
    heads = run_heads(Path(context.params.get("runs_dir") or _library(context) / RUNS_IN_LIBRARY))
    yield from (head.selector for _, head in heads)
    # The version may be left out, and is by whoever looks at the newest run.
    yield from (f"{head.component.slug}/{head.model.id}" for _, head in heads)
    yield from (head.run_id for _, head in heads)


_FINDERS: Final[Mapping[Names, Callable[[click.Context], Iterable[str]]]] = {
    "components": _components,
    "cases": _cases,
    "models": _models,
    "providers": _providers,
    "versions": _versions,
    "runs": _runs,
    "run_cases": _run_cases,
}
