"""What a prompt library holds, component by component; what cannot be read is said, not raised."""

from __future__ import annotations

from pathlib import Path

from evalcli.leaderboards.files import existing_leaderboard, leaderboard_path
from evalcli.leaderboards.places import data_sets_of, no_library
from evalcli.reports.lists import ListedComponent
from evalcore.compare.versions import evaluated_versions
from evalcore.errors import EvaluatorError, InputError
from evalcore.library.cases import NoUsableCase, load_cases
from evalcore.library.checkout import Checkout, FolderCheckout
from evalcore.library.loader import list_components, load_component
from evalcore.runs.leaderboard import known_records


def overview(prompt_library: Path, data_sets: Path | None) -> list[ListedComponent]:
    """Read every component of a library; raises ConfigurationError where it has none."""
    library = FolderCheckout(prompt_library)
    slugs = list_components(library)
    if not slugs:
        raise no_library(prompt_library)
    cases = data_sets_of(prompt_library, data_sets)
    return [_listed(prompt_library, library, cases, slug) for slug in slugs]


def _listed(
    prompt_library: Path, library: FolderCheckout, data_sets: Checkout | None, slug: str
) -> ListedComponent:
    problems: list[str] = []
    version, used, skipped = None, 0, 0
    try:
        component = load_component(library, data_sets, slug)
        version = component.version
        cases, left_out = load_cases(library, data_sets, component)
        used, skipped = len(cases), len(left_out)
    # Before its base class: a component without a case that can be used is listed with those that cannot.
    except NoUsableCase as error:
        skipped = len(error.skipped)
    except InputError as error:
        problems.append(error.line)
    evaluated: str | None = None
    models: set[str] = set()
    try:
        # Apart from the component: one whose prompt cannot be read still has its results, and the other way
        # round.
        records = known_records(existing_leaderboard(leaderboard_path(prompt_library, slug), slug))
        evaluated = next(iter(evaluated_versions(records)), None)
        complete = (record for record in records if record.status == "complete")
        models = {record.model for record in complete if record.component_version == evaluated}
    except EvaluatorError as error:
        problems.append(error.line)
    return ListedComponent(
        component=slug,
        version=version,
        cases=used,
        skipped_cases=skipped,
        evaluated_version=evaluated,
        models=tuple(sorted(models)),
        problem="; ".join(problems) or None,
    )
