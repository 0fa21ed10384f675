"""Cases whose expected answer was last checked against an older version of the component."""

from __future__ import annotations

from collections.abc import Iterable

import semver

from evalcore.record import RunRecord


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
