"""What a prompt library says, as the dashboard needs it; what cannot be read is said, not raised."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evalcli.leaderboards.places import data_sets_of, no_library
from evalcore.errors import ConfigurationError, EvaluatorError
from evalcore.formats.strict_json import sha256_hex
from evalcore.github.repository_name import REPOSITORY
from evalcore.library.catalog import CATALOG_PATH, CatalogPresentation, read_presentation
from evalcore.library.checkout import Checkout, FolderCheckout, read_text
from evalcore.library.checkout.git import head_commit
from evalcore.library.front_matter import PromptFile
from evalcore.library.loader import (
    COMPONENTS,
    MODELS_PATH,
    list_components,
    load_models,
    read_policy,
    read_prompt,
)
from evalcore.reports.dashboard.facts import (
    CLOUD_WORKFLOW,
    LOCAL_WORKFLOW,
    ComponentFacts,
    LibraryFacts,
    ModelFacts,
)
from evalcore.reports.dashboard.reports import SUMMARY, published_report
from evalcore.reports.dashboard.site import Report
from evalcore.structs import Frozen

GITHUB: Final = "https://github.com"
WORKFLOWS: Final = ".github/workflows"


class LibraryRead(Frozen, frozen=True):
    """A library, and its components by slug."""

    library: LibraryFacts
    components: tuple[ComponentFacts, ...]


def read_library(
    folder: Path, data_sets: Path | None, repository: str | None, server: str = GITHUB
) -> LibraryRead:
    """Read what the dashboard needs of a library, its leaderboards aside.

    `repository` is owner/name on GitHub; else what the catalog says. Raises ConfigurationError where the
    folder is no library, or the repository no owner/name.
    """
    checkout = FolderCheckout(folder)
    slugs = list_components(checkout)
    if not slugs:
        raise no_library(folder)
    if repository is not None and not REPOSITORY.fullmatch(repository):
        raise ConfigurationError(f"{repository!r:.100} is no owner/name", where="--repo", hint="name it so")
    catalog = _catalog(checkout)
    named = repository or catalog.repository
    # What the catalog says is foreign text and goes into links: passed over, while a wrong --repo is refused.
    if named is not None and not REPOSITORY.fullmatch(named):
        named = None
    models, problem = _models(checkout)
    policies = data_sets_of(folder, data_sets)
    library = LibraryFacts(
        name=catalog.name or (named.partition("/")[2] if named is not None else checkout.name),
        commit=head_commit(folder),
        url=None if named is None else f"{server.rstrip('/')}/{named}",
        repository=named,
        workflows=tuple(
            name for name in (LOCAL_WORKFLOW, CLOUD_WORKFLOW) if checkout.has(f"{WORKFLOWS}/{name}")
        ),
        models=models,
        models_problem=problem,
        has_data_sets=policies is not None,
    )
    components = tuple(_component(checkout, policies, slug, catalog, library) for slug in slugs)
    return LibraryRead(library=library, components=components)


def _component(
    checkout: Checkout,
    data_sets: Checkout | None,
    slug: str,
    catalog: CatalogPresentation,
    library: LibraryFacts,
) -> ComponentFacts:
    problems = []
    prompt: PromptFile | None = None
    policy: tuple[str | None, str | None] = None, None
    try:
        prompt = read_prompt(checkout, slug)
    except EvaluatorError as error:
        problems.append(error.line)
    try:
        policy = read_policy(checkout, data_sets, slug)
    except EvaluatorError as error:
        problems.append(error.line)
    text, path = policy
    return ComponentFacts(
        slug=slug,
        name=slug if prompt is None else prompt.name,
        description=catalog.summaries.get(slug),
        category=None if prompt is None else prompt.category,
        version=None if prompt is None else prompt.version,
        prompt_sha256=None if prompt is None else sha256_hex(prompt.prompt.encode()),
        policy_path=path,
        policy_sha256=None if text is None else sha256_hex(text.encode()),
        problem="; ".join(problems) or None,
        reports=_reports(checkout, slug, library),
    )


def _reports(checkout: Checkout, slug: str, library: LibraryFacts) -> tuple[Report, ...]:
    folder = f"{COMPONENTS}/{slug}/evals/reports"
    try:
        names = checkout.folders(folder)
    except EvaluatorError:
        return ()
    # Their names begin with the date.
    return tuple(
        published_report(name, f"{folder}/{name}", _text(checkout, f"{folder}/{name}/{SUMMARY}"), library)
        for name in reversed(names)
    )


def _catalog(checkout: Checkout) -> CatalogPresentation:
    text = _text(checkout, CATALOG_PATH)
    try:
        return CatalogPresentation() if text is None else read_presentation(text)
    except ValueError:
        return CatalogPresentation()  # `evalcli check` says what is wrong with it


def _models(checkout: Checkout) -> tuple[tuple[ModelFacts, ...], str | None]:
    if not checkout.has(MODELS_PATH):
        return (), None
    try:
        found = load_models(checkout).models
    except EvaluatorError as error:
        return (), error.line
    return tuple(ModelFacts(model.id, model.provider) for model in found), None


def _text(checkout: Checkout, path: str) -> str | None:
    try:
        return read_text(checkout, path) if checkout.has(path) else None
    except EvaluatorError:
        return None
