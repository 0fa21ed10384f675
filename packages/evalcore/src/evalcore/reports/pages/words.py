"""What a page says first: its answer in a sentence, from the site's data. Plain text, escaped by the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evalcore.reports.dashboard.site import Failures, Gap, Site
from evalcore.reports.pages.figures import counted, share, spread

MOST_NAMED: Final = 3
_LOW: Final = 0.999
"""Accuracy below which a case or a field is named as hard."""


def overview_sentence(site: Site) -> str:
    """Say how far the library is evaluated."""
    totals = site.totals
    if not totals.components:
        return "There is nothing to show yet."
    said = (
        f"{totals.evaluated_components} of {counted(totals.components, 'component')} evaluated at the "
        f"present version, with {counted(totals.models, 'model')}"
    )
    return f"{said}: {counted(totals.runs, 'run')}, {totals.replies:,} replies."


def models_sentence(site: Site) -> str:
    """Say which models are best or level with the best most often."""
    first = sorted(site.models, key=lambda model: (-model.first_places, model.id))
    if not first or not first[0].first_places:
        return "No model is evaluated at the present version of any component."
    most = first[0].first_places
    names = [model.id for model in first if model.first_places == most]
    places = f"best or level with the best at {counted(most, 'component')}"
    if len(names) > MOST_NAMED:
        return f"{len(names)} models are {places} each."
    return f"{_listed(names)} {'is' if len(names) == 1 else 'are each'} {places}, more than any other."


def failure_sentence(failures: Failures | None) -> str:
    """Say which cases and fields are hardest, and which case is noisiest."""
    if failures is None or not failures.cases:
        return "No complete run says where models fail."
    parts = []
    cases = [line for line in failures.cases if line.accuracy is not None and line.accuracy < _LOW]
    if cases:
        parts.append(f"The hardest case is {cases[0].case} ({share(cases[0].accuracy)} over all models)")
    fields = [line for line in failures.fields if line.accuracy is not None and line.accuracy < _LOW]
    if fields:
        worst = [f"{line.field} ({share(line.accuracy)})" for line in fields[:MOST_NAMED]]
        parts.append(f"the hardest {'field is' if len(worst) == 1 else 'fields are'} {_listed(worst)}")
    noisy = max(failures.cases, key=lambda line: line.noise or 0.0)
    if noisy.noise:
        parts.append(f"the noisiest case is {noisy.case} ({spread(noisy.noise)} points)")
    if not parts:
        return "Nothing: every model has every case right."
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def gap_sentence(gaps: Sequence[Gap]) -> str:
    """Say how much has no complete run."""
    if not gaps:
        return "Everything is evaluated: every component, at its present version, with every model."
    never, outdated, pairs = (
        sum(gap.kind == kind for gap in gaps) for kind in ("component", "version", "model")
    )
    said = []
    if never:
        said.append(f"{counted(never, 'component')} {'has' if never == 1 else 'have'} never been evaluated")
    if outdated:
        whose = "its" if outdated == 1 else "their"
        said.append(f"{counted(outdated, 'component')} not at {whose} present version")
    if pairs:
        models = counted(len({gap.model for gap in gaps if gap.kind == "model"}), "model")
        said.append(f"{models} of models.yaml not everywhere ({counted(pairs, 'run')} to do)")
    return f"{'; '.join(said)}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
