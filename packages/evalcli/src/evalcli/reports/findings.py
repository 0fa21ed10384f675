"""What `check` shows: each finding a line, errors first, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from evalcli.terminal.text import Line, Span, Style, line
from evalcore.evaluation.finding import Finding, Severity
from evalcore.structs import JsonObject

_ORDER: Final[tuple[Severity, ...]] = ("error", "warning", "note")
_STYLES: Final[dict[Severity, Style]] = {"error": "bad", "warning": "warn", "note": "dim"}


def finding_lines(components: int, findings: Sequence[Finding]) -> Iterator[Line]:
    """Lay findings out for reading, errors first."""
    for finding in sorted(findings, key=lambda one: _ORDER.index(one.severity)):
        yield line(Span(finding.severity, _STYLES[finding.severity]), f": {finding.line}")
    errors, warnings = counts(findings)
    yield line(f"{components} component(s): {errors} error(s), {warnings} warning(s)")


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
