"""What `check` shows: each finding a line, errors first, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from evalcli.terminal.text import Line, Span, Style, line
from evalcore.evaluation.finding import Finding, Severity
from evalcore.formats.counts import counted
from evalcore.structs import JsonObject

_ORDER: Final[tuple[Severity, ...]] = ("error", "warning", "note")
MOST_TOGETHER: Final = 20
"""Paths that are written as one."""
_STYLES: Final[dict[Severity, Style]] = {"error": "bad", "warning": "warn", "note": "dim"}


def finding_lines(components: int, findings: Sequence[Finding]) -> Iterator[Line]:
    """Lay findings out for reading, errors first; one line says what is the same of several files."""
    for finding in _together(sorted(findings, key=lambda one: _ORDER.index(one.severity))):
        yield line(Span(finding.severity, _STYLES[finding.severity]), f": {finding.line}")
    errors, warnings = counts(findings)
    yield line(
        f"{counted(components, 'component')}: {counted(errors, 'error')}, {counted(warnings, 'warning')}"
    )


def _together(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield findings in their order; those that differ only in one part of their path become one."""
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        # Only paths of as many parts can differ in one of them.
        depth = finding.where.count("/")
        key = (finding.severity, finding.component, finding.what, finding.hint, depth)
        alike.setdefault(key, []).append(finding)
    for several in alike.values():
        where = _braced([finding.where for finding in several])
        yield from several if where is None else [msgspec.structs.replace(several[0], where=where)]


def _braced(paths: Sequence[str]) -> str | None:
    """Write paths that differ in one part as a shell has it, `a/{b,c}/d`; None where they are not such."""
    parts = [list(dict.fromkeys(names)) for names in zip(*(path.split("/") for path in paths), strict=True)]
    if [len(names) for names in parts if len(names) > 1] != [len(paths)] or len(paths) > MOST_TOGETHER:
        return None
    return "/".join(names[0] if len(names) == 1 else f"{{{','.join(names)}}}" for names in parts)


def findings_object(slugs: Sequence[str], findings: Sequence[Finding]) -> JsonObject:
    """Write findings for `--json`."""
    errors, warnings = counts(findings)
    return {
        "components": list(slugs),
        "errors": errors,
        "warnings": warnings,
        "findings": [msgspec.to_builtins(finding) for finding in findings],
    }


def counts(findings: Sequence[Finding]) -> tuple[int, int]:
    """Return the numbers of errors and of warnings."""
    errors = sum(finding.severity == "error" for finding in findings)
    return errors, sum(finding.severity == "warning" for finding in findings)
