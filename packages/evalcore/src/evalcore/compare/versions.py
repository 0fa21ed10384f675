"""Versions of a component: which were evaluated, which came before, and which its cases were checked with."""

from __future__ import annotations

from collections.abc import Iterable

from evalcore.formats.versions import parse_version
from evalcore.runs.record import RunRecord


def evaluated_versions(records: Iterable[RunRecord]) -> list[str]:
    """Return the versions that have a complete run, the newest first; what is no semver is left out."""
    versions = {record.component_version for record in records if record.status == "complete"}
    parsed = [(key, version) for version in versions if (key := parse_version(version)) is not None]
    return [version for _, version in sorted(parsed, reverse=True)]


def previous_version(records: Iterable[RunRecord], version: str) -> str | None:
    """Return the highest version below this one that has a complete run."""
    current = parse_version(version)
    if current is None:
        return None
    for known in evaluated_versions(records):
        below = parse_version(known)
        if below is not None and below < current:
            return known
    return None


def stale_cases(records: Iterable[RunRecord]) -> dict[str, str]:
    """Return case -> the older version it was last validated against, sorted by case.

    A version that is no semver on either side says nothing, and is passed over.
    """
    stale: dict[str, str] = {}
    for record in records:
        evaluated = parse_version(record.component_version, is_short_allowed=True)
        for result in record.case_results:
            validated = parse_version(result.validated_against_version or "", is_short_allowed=True)
            # Said by the library itself; "1.1" stands in many metadata files and means 1.1.0.
            if validated is not None and evaluated is not None and validated < evaluated:
                stale[result.case] = str(result.validated_against_version)
    return {case: stale[case] for case in sorted(stale)}
