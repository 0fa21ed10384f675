"""Which version of a component comes before which, of those that have complete runs."""

from __future__ import annotations

from collections.abc import Iterable

import semver

from evalcore.runs.record import RunRecord


def evaluated_versions(records: Iterable[RunRecord]) -> list[str]:
    """Return the versions that have a complete run, the newest first; what is no semver is left out."""
    versions = {record.component_version for record in records if record.status == "complete"}
    parsed = [(key, version) for version in versions if (key := _semver(version)) is not None]
    return [version for _, version in sorted(parsed, reverse=True)]


def previous_version(records: Iterable[RunRecord], version: str) -> str | None:
    """Return the highest version below this one that has a complete run."""
    current = _semver(version)
    if current is None:
        return None
    below = (known for known in evaluated_versions(records) if semver.Version.parse(known) < current)
    return next(below, None)


def _semver(text: str) -> semver.Version | None:
    try:
        return semver.Version.parse(text)
    except ValueError:
        return None


def stale_cases(records: Iterable[RunRecord]) -> dict[str, str]:
    """Return case -> the older version it was last validated against, sorted by case.

    A version that is no semver on either side says nothing, and is passed over.
    """
    stale: dict[str, str] = {}
    for record in records:
        evaluated = _version(record.component_version)
        for result in record.case_results:
            validated = _version(result.validated_against_version)
            if validated is not None and evaluated is not None and validated < evaluated:
                stale[result.case] = str(result.validated_against_version)
    return {case: stale[case] for case in sorted(stale)}


def _version(text: str | None) -> semver.Version | None:
    if text is None:
        return None
    try:
        # People write `1.2` for 1.2.0 into metadata.yaml.
        return semver.Version.parse(text, optional_minor_and_patch=True)
    except ValueError:
        return None
