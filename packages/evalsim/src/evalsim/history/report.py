"""A published report of a run, as far as the dashboard quotes it: what was missed, what was invented."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from evalcore.runs.record import RunRecord
from evalcore.structs import JsonValue

MOST_EXAMPLES: Final = 4
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.]+")
_RUN_DIGITS: Final = 13


def write_report(component: Path, record: RunRecord, own_cases: tuple[str, ...]) -> None:
    """Write the report of a run below a component's folder; it quotes the library's own cases alone."""
    model = _UNSAFE.sub("-", record.model.rpartition("/")[2])
    name = f"{record.finished_at[:10]}-{model}-{record.run_id[:_RUN_DIGITS]}"
    folder = component / "evals" / "reports" / name
    folder.mkdir(parents=True)
    text = f"# {component.name} {record.component_version}: {record.model}\n\nMade up, as the results are.\n"
    (folder / "REPORT.md").write_text(text, encoding="utf-8")
    summary = json.dumps(_summary(name, record, own_cases), indent=2)
    (folder / "summary.json").write_text(f"{summary}\n", encoding="utf-8")


def _summary(name: str, record: RunRecord, own_cases: tuple[str, ...]) -> JsonValue:
    calls = record.calls
    worst = sorted(record.accuracy.by_field, key=lambda field: (record.accuracy.by_field[field], field))
    valid = round(calls.ok * (record.schema_valid_rate or 0.0))
    return {
        "run_name": name,
        "generated_at": record.finished_at,
        "config": {
            "run_id": record.run_id,
            "component_version": record.component_version,
            "model": record.model,
            "n_replicates": record.replicates,
            "structured_output": record.structured_output,
        },
        "headline": {
            "n_documents": record.cases,
            "n_replicates_attempted": calls.total,
            "n_success": calls.ok,
            "n_api_error": calls.api_error,
            "n_parse_error": calls.parse_error,
        },
        "validation": {
            "n_total": calls.ok,
            "n_valid": valid,
            "valid_rate_pct": round(100 * valid / calls.ok, 1) if calls.ok else None,
            "name_drift": {
                "extra_top_keys": [["notes", max(1, calls.ok // 9)], ["remarks", max(1, calls.ok // 20)]],
                "missing_top_keys": [
                    [field, max(1, calls.ok // 6 - at)] for at, field in enumerate(worst[:3])
                ],
            },
        },
        "accuracy": {
            "fields": [
                {
                    "field": field,
                    "accuracy": record.accuracy.by_field[field],
                    "examples": [_example(at, own_cases[at % len(own_cases)])] if own_cases else [],
                }
                for at, field in enumerate(worst[:MOST_EXAMPLES])
            ]
        },
    }


def _example(at: int, case: str) -> JsonValue:
    status, expected, answered = (
        ("missed", '"2026-11-15"', ""),
        ("wrong", '"solicitation"', '"notice"'),
        ("invented", "", '"not stated in the document"'),
        ("nearly", '"National Science Foundation"', '"National Science Fundation"'),
    )[at % MOST_EXAMPLES]
    return {"doc": case, "replicate": at, "status": status, "expected": expected, "answered": answered}
