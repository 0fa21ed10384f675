"""What `check` shows: each finding a line, errors first, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from evalcli.terminal.text import Line, Span, line
from evalcore.evaluation.finding import Finding
from evalcore.structs import JsonObject


def finding_lines(components: int, findings: Sequence[Finding]) -> Iterator[Line]:
    """Lay findings out for reading, errors first."""
    for finding in sorted(findings, key=lambda one: one.severity != "error"):
        yield line(
            Span(finding.severity, "bad" if finding.severity == "error" else "warn"), f": {finding.line}"
        )
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
    return errors, len(findings) - errors
