"""`evalcli check`: what is wrong with a prompt library, read from its files and its history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from evalcli.leaderboards.files import existing_leaderboard, leaderboard_path
from evalcli.leaderboards.places import Sources, data_sets_of
from evalcli.leaderboards.present_policy import current_policy, policy_sha256
from evalcore.errors import EvaluatorError, InputError
from evalcore.evaluation.check import changed_text, check_component
from evalcore.evaluation.finding import Finding, findings_of
from evalcore.formats.counts import first_few
from evalcore.formats.strict_json import parse_json
from evalcore.library.catalog import CATALOG_PATH, REMAKE_CATALOG
from evalcore.library.checkout import Checkout, FolderCheckout, read_text
from evalcore.library.checkout.history import earlier_texts
from evalcore.library.loader import (
    COMPONENTS,
    MODELS_PATH,
    SLUG,
    list_components,
    load_models,
    load_models_file,
    misnamed_folders,
    read_prompt,
)
from evalcore.library.models import ModelsFile
from evalcore.runs.leaderboard import known_records
from evalcore.runs.record import RunRecord
from evalcore.scoring.rules.policy import parse_policy

NAMES_OF_COMPONENTS: Final = "rename it: a-z, 0-9, `.`, `_` and `-`, a letter or digit first"
MOST_NAMED: Final = 10
"""Components that one finding names."""


def check_library(sources: Sources, slugs: Sequence[str], *, is_whole: bool) -> list[Finding]:
    """Check these components of a library, which are there, and what they share; `is_whole`: all of it."""
    library = FolderCheckout(sources.prompt_library)
    data_sets = data_sets_of(sources.prompt_library, sources.data_sets)
    found = [*_catalog(library), *_misnamed(library)] if is_whole else []
    models_file = _models(library, sources.models, found)
    for slug in slugs:
        found += check_component(library, data_sets, slug, models_file)
        found += _leaderboard(sources.prompt_library, data_sets, slug)
    # A broken catalog is one finding, not one for each component.
    once = list({(finding.where, finding.what): finding for finding in reversed(found)}.values())[::-1]
    return _by_file(once)


def _by_file(found: Sequence[Finding]) -> list[Finding]:
    """Put the findings of one file together, where its first one stands."""
    files: dict[tuple[str | None, str], list[Finding]] = {}
    for finding in found:
        files.setdefault((finding.component, finding.where.partition(":")[0]), []).append(finding)
    return [finding for of_file in files.values() for finding in of_file]


def _misnamed(library: Checkout) -> Iterator[Finding]:
    """Yield the folders of prompts that nothing reads, since no component has such a name."""
    for name in misnamed_folders(library):
        what = "is not a component's name, so nothing reads what is there"
        yield Finding("error", None, f"{COMPONENTS}/{name}", what, NAMES_OF_COMPONENTS)


def unversioned_change(prompt_library: Path, slug: str, records: Sequence[RunRecord]) -> Iterator[Finding]:
    """Yield that a prompt's text has changed and its version has not; nothing where it cannot be read."""
    try:
        prompt = read_prompt(FolderCheckout(prompt_library), slug)
        earlier = earlier_texts(prompt_library, f"{COMPONENTS}/{slug}/prompt.md")
        yield from changed_text(slug, prompt, records, earlier)
    except InputError:
        return  # which whoever reads the component says


def _models(library: Checkout, path: Path | None, found: list[Finding]) -> ModelsFile | None:
    try:
        return load_models_file(path) if path is not None else load_models(library)
    except InputError as error:
        # A library without models.yaml is one that is being begun; one that names a file means it.
        is_absent = path is None and not library.has(MODELS_PATH)
        found[:0] = findings_of(error, None, "warning" if is_absent else "error")
        return None


def _catalog(library: Checkout) -> Iterator[Finding]:
    """Yield components that the catalog names and the library lacks."""
    try:
        catalog = parse_json(read_text(library, CATALOG_PATH)) if library.has(CATALOG_PATH) else None
    except (InputError, ValueError):
        return  # which reading each component's entry says
    entries = catalog.get("components") if isinstance(catalog, dict) else None
    entries = entries if isinstance(entries, list) else []
    there = set(list_components(library))
    named = [entry.get("slug") for entry in entries if isinstance(entry, dict)]
    # Only what could be a component's name is shown: the catalog is foreign text.
    absent = [slug for slug in named if isinstance(slug, str) and SLUG.fullmatch(slug) and slug not in there]
    if absent:
        listed = first_few((f"`{slug}`" for slug in absent), MOST_NAMED)
        what = f"names what is not in {COMPONENTS}/: {listed}"
        yield Finding("warning", None, CATALOG_PATH, what, REMAKE_CATALOG)


def _leaderboard(prompt_library: Path, data_sets: Checkout | None, slug: str) -> Iterator[Finding]:
    records: list[RunRecord] = []
    try:
        records = known_records(existing_leaderboard(leaderboard_path(prompt_library, slug), slug))
    except EvaluatorError as error:
        yield from findings_of(error, slug)
    yield from unversioned_change(prompt_library, slug, records)
    yield from _other_policy(prompt_library, data_sets, slug, records)


def _other_policy(
    prompt_library: Path, data_sets: Checkout | None, slug: str, records: Sequence[RunRecord]
) -> Iterator[Finding]:
    """Yield that all figures of the present version are by another policy than the component has now."""
    library = FolderCheckout(prompt_library)
    try:
        version = read_prompt(library, slug).version
        policy = current_policy(library, data_sets, slug)
        if policy[0] is not None:
            parse_policy(policy[0], policy[1] or "")
        now = policy_sha256(policy)
    except InputError:
        return  # which whoever reads the component says
    # Of complete runs alone: a partial one's figures are shown and never ranked, by whatever policy.
    policies = {
        one.policy_sha256 for one in records if one.component_version == version and one.status == "complete"
    }
    if policies and now not in policies:
        yield Finding(
            "warning",
            slug,
            f"{COMPONENTS}/{slug}/leaderboard.json",
            f"all figures of {version} are by another scoring policy than the present one",
            f"`evalcli leaderboard rescore {slug} --policy current` scores what is kept by it",
        )
