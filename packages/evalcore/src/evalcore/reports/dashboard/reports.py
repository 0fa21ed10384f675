"""A published report's `summary.json`, as far as the dashboard shows it: any evaluator's, old ones too."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from evalcore.decoding import convert
from evalcore.formats.strict_json import parse_json
from evalcore.reports.dashboard.facts import LibraryFacts
from evalcore.reports.dashboard.site import FieldCount, Report, ReportExample
from evalcore.structs import Frozen

MOST_SHOWN: Final = 30
"""Keys, and examples, of one report."""
REPORT: Final = "REPORT.md"
SUMMARY: Final = "summary.json"


# Only what is shown is read: reports that were made by hand have other fields besides, and lack some of
# these.
class _Config(Frozen, frozen=True):
    run_id: str | None = None
    model: str | None = None
    component_version: str | None = None


class _Headline(Frozen, frozen=True):
    n_success: int | None = None


class _NameDrift(Frozen, frozen=True):
    extra_top_keys: tuple[tuple[str, int], ...] = ()
    missing_top_keys: tuple[tuple[str, int], ...] = ()


class _Validation(Frozen, frozen=True):
    name_drift: _NameDrift = _NameDrift()


class _Example(Frozen, frozen=True):
    doc: str
    status: Literal["wrong", "missed", "invented", "nearly"]
    expected: str
    answered: str


class _Field(Frozen, frozen=True):
    field: str
    examples: tuple[_Example, ...] = ()


class _Accuracy(Frozen, frozen=True):
    fields: tuple[_Field, ...] = ()


class _Summary(Frozen, frozen=True):
    generated_at: str | None = None
    config: _Config = _Config()
    headline: _Headline = _Headline()
    validation: _Validation = _Validation()
    accuracy: _Accuracy = _Accuracy()


def published_report(name: str, folder: str, summary: str | None, library: LibraryFacts) -> Report:
    """Return what is shown of a report in a folder of the library, given the text of its summary.json."""
    problem, found = None, _Summary()
    if summary is None:
        problem = f"it has no readable {SUMMARY}"
    else:
        try:
            found = convert(parse_json(summary), _Summary)
        except (ValueError, msgspec.ValidationError) as error:
            problem = f"{SUMMARY}: {error}"
    drift = found.validation.name_drift
    # Whoever wrote it has decided what may be quoted; here it is only bounded.
    examples = [
        ReportExample(field.field, one.doc, one.status, one.expected, one.answered)
        for field in found.accuracy.fields
        for one in field.examples
    ]
    return Report(
        name=name,
        path=folder,
        url=library.file(f"{folder}/{REPORT}"),
        run_id=found.config.run_id,
        model=found.config.model,
        component_version=found.config.component_version,
        generated_at=found.generated_at,
        replies=found.headline.n_success,
        missed=_counts(drift.missing_top_keys),
        invented=_counts(drift.extra_top_keys),
        examples=tuple(examples[:MOST_SHOWN]),
        problem=problem,
    )


def _counts(keys: tuple[tuple[str, int], ...]) -> tuple[FieldCount, ...]:
    return tuple(FieldCount(field, count) for field, count in keys[:MOST_SHOWN])
