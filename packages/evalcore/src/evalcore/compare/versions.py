"""Which version of a component comes before which, of those that have complete runs."""

from __future__ import annotations

from collections.abc import Iterable

import semver

from evalcore.record import RunRecord


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
