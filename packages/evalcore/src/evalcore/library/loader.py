"""The edge that reads a prompt library: its components and its models.yaml."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from evalcore.errors import (
    CheckoutError,
    ComponentError,
    ConfigurationError,
    InputError,
    UnknownComponent,
)
from evalcore.formats.strict_json import sha256_hex, sha256_of
from evalcore.library.catalog import CATALOG_PATH, CatalogEntry, parse_catalog
from evalcore.library.checkout import (
    MAX_BYTES,
    Checkout,
    CommitState,
    FolderCheckout,
    commit_state,
    read_text,
)
from evalcore.library.component import DATA_SETS, Component, OutputFormat
from evalcore.library.front_matter import PromptFile, parse_prompt_file
from evalcore.library.models import ModelsFile
from evalcore.library.models_file import parse_inputs, parse_models
from evalcore.library.reading import INPUTS_FILE, ReadingEntry
from evalcore.library.schema import bundle_schema, make_validator
from evalcore.near_names import did_you_mean
from evalcore.structs import JsonObject

COMPONENTS = "components"
MODELS_PATH = ".evaluator/models.yaml"
# A slug becomes part of paths, branch names and messages: no `/`, and nothing hidden (`.git`) or that git or
# a shell would take for an option.
SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")

Contract: TypeAlias = tuple[OutputFormat, JsonObject | None]
"""What a component answers with, and the bundled schema of that."""
PolicyText: TypeAlias = tuple[str | None, str | None]
"""A scoring policy's text and path; None twice where there is none."""


def load_component(
    library: Checkout,
    data_sets: Checkout | None,
    slug: str,
    check_schema: Callable[[JsonObject, str], object] = make_validator,
) -> Component:
    """Read a component: prompt, catalog entry, bundled schema, and the text of its scoring policy.

    `check_schema` raises ComponentError for a bundled schema, from the file that it is given, which cannot
    be used.

    Raises UnknownComponent, or ComponentError naming the file that cannot be used.
    """
    check_slug(library, slug)
    try:
        # An error of any file here makes the whole component unusable, so that it is a component's error to
        # the caller.
        return make_component(
            slug,
            read_prompt(library, slug),
            read_contract(library, slug, check_schema),
            read_policy(library, data_sets, slug),
        )
    except CheckoutError as error:
        raise ComponentError(error.what, where=error.where, hint=error.hint) from None


def make_component(slug: str, prompt: PromptFile, contract: Contract, policy: PolicyText) -> Component:
    """Put a component together from its parts."""
    (output, schema), (text, where) = contract, policy
    return Component(
        slug=slug,
        name=prompt.name,
        version=prompt.version,
        category=prompt.category,
        prompt=prompt.prompt,
        prompt_sha256=sha256_hex(prompt.prompt.encode()),
        output=output,
        schema=schema,
        schema_sha256=sha256_of(schema) if schema is not None else None,
        policy=text,
        policy_where=where,
        policy_sha256=sha256_hex(text.encode()) if text is not None else None,
    )


def read_prompt(library: Checkout, slug: str) -> PromptFile:
    """Read a component's prompt.md; raises ComponentError with file and line, or CheckoutError."""
    path = f"{COMPONENTS}/{slug}/prompt.md"
    if not library.has(path):
        raise ComponentError("is not there", where=path, hint="write the component's prompt")
    return parse_prompt_file(read_text(library, path), path)


def check_slug(library: Checkout, slug: str) -> None:
    """Raise UnknownComponent, with names that are near, unless the library has such a component."""
    if SLUG.fullmatch(slug) and slug in (known := list_components(library)):
        return
    # Two messages: of what can be no name there is no near one to suggest.
    if not SLUG.fullmatch(slug):
        # It comes from a request or the command line: no control characters reach a terminal or a log.
        shown = slug[:100].encode("unicode_escape").decode()
        raise UnknownComponent(f"`{shown}` is not a component's name", hint="use a-z, 0-9, `.`, `_` and `-`")
    if not known:
        raise UnknownComponent(
            f"`{library.name}` is not a prompt library: it has no components",
            where=COMPONENTS,
            hint="go to one, or name it",
        )
    hint = did_you_mean(slug, known, 3) or "`evalcli list` shows which there are"
    raise UnknownComponent(f"there is no component `{slug}`", where=f"{COMPONENTS}/{slug}", hint=hint)


def list_components(library: Checkout) -> tuple[str, ...]:
    """Return the slugs of a prompt library, sorted."""
    return tuple(name for name in library.folders(COMPONENTS) if SLUG.fullmatch(name))


def misnamed_folders(library: Checkout) -> tuple[str, ...]:
    """Return the folders with a prompt whose names no component can have, sorted: nothing reads them."""
    names = library.folders(COMPONENTS)
    return tuple(
        name for name in names if not SLUG.fullmatch(name) and library.has(f"{COMPONENTS}/{name}/prompt.md")
    )


def component_state(library: Path, slug: str) -> CommitState:
    """Return the commit that a component is read at, and which files that decide about it differ from it.

    What the evaluator itself writes there does not count.
    """
    folder = f"{COMPONENTS}/{slug}"
    paths = (CATALOG_PATH, folder, *_schema_files(FolderCheckout(library), slug))
    return commit_state(library, paths, but=(f"{folder}/leaderboard.json",))


def _schema_files(library: Checkout, slug: str) -> Sequence[str]:
    """Return the files that a component's schema is put together from; of one that cannot be, all schemas."""
    files: list[str] = []

    def read(path: str) -> bytes:
        files.append(path)
        return library.read(path)

    try:
        _, path, entry_point = _schema_source(library, slug)
        if path is not None:
            bundle_schema(path, entry_point, read)
    except InputError:
        return (f"{COMPONENTS}/*/schema.json",)
    # They are taken for patterns, and nothing keeps a bracket out of a file name.
    return [glob.escape(path) for path in files]


def load_models(library: Checkout, path: str = MODELS_PATH) -> ModelsFile:
    """Read a prompt library's models.yaml; raises ConfigurationError with file and line."""
    if not library.has(path):
        hint = "write it, or begin it with `evalcli models add`"
        raise ConfigurationError("is not there", where=path, hint=hint)
    try:
        return parse_models(library.read(path), path)
    except CheckoutError as error:
        raise ConfigurationError(error.what, where=error.where, hint=error.hint) from None


def load_models_file(path: Path) -> ModelsFile:
    """Read a models.yaml that the user named; raises ConfigurationError with file and line."""
    try:
        with path.open("rb") as file:
            # A user may name any file; the YAML reader refuses by length what is over its own, far lower
            # bound.
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read ({error.strerror})", where=str(path), hint="name a models.yaml"
        ) from None
    return parse_models(data, str(path))


def read_catalog_entry(library: Checkout, slug: str) -> CatalogEntry | None:
    """Return what the catalog says of a component; raises ComponentError or CheckoutError."""
    if not library.has(CATALOG_PATH):
        return None
    return parse_catalog(read_text(library, CATALOG_PATH), slug)


def read_contract(
    library: Checkout, slug: str, check_schema: Callable[[JsonObject, str], object] = make_validator
) -> Contract:
    """Return the answer's format and its schema, which `check_schema` raises ComponentError for.

    The component's own schema.json counts where the catalog lacks the component, or names no format.
    Raises ComponentError, naming catalog or schema, or CheckoutError.
    """
    output, path, entry_point = _schema_source(library, slug)
    if path is None:
        return output, None
    schema = bundle_schema(path, entry_point, library.read)
    check_schema(schema, path)
    return output, schema


def _schema_source(library: Checkout, slug: str) -> tuple[OutputFormat, str | None, str]:
    """Return the answer's format, the file of its schema (None where there is none), and the entry point."""
    entry = read_catalog_entry(library, slug)
    own = f"{COMPONENTS}/{slug}/schema.json"
    # A catalog that names a format and no schema means that there is none, whatever lies in the folder.
    path = entry.schema_path if entry is not None else None
    if path is None and (entry is None or entry.output is None) and library.has(own):
        path = own
    output = entry.output if entry is not None else None
    output = output or ("json" if path is not None else "markdown")
    return output, None if output == "markdown" else path, entry.entry_point if entry is not None else "#"


def read_policy(library: Checkout, data_sets: Checkout | None, slug: str) -> PolicyText:
    """Return the scoring policy that applies, unparsed, and its path; raises CheckoutError."""
    path = f"{slug}/scoring.yaml"
    # As with cases, what stands in the data sets wins over the library's own.
    if data_sets is not None and data_sets.has(path):
        where = f"{DATA_SETS}/{path}"
        return read_text(data_sets, path, where), where
    path = f"{COMPONENTS}/{slug}/evals/scoring.yaml"
    if library.has(path):
        return read_text(library, path), path
    return None, None


def read_inputs(library: Checkout, slug: str) -> ReadingEntry:
    """Read what a component's inputs.yaml says of how its documents are read; raises ComponentError."""
    path = f"{COMPONENTS}/{slug}/{INPUTS_FILE}"
    if not library.has(path):
        return ReadingEntry()
    try:
        return parse_inputs(read_text(library, path), path)
    except CheckoutError as error:
        raise ComponentError(error.what, where=error.where, hint=error.hint) from None
