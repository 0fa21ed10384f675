"""What a report's folder is called, and what it holds."""

from __future__ import annotations

import re
from typing import Final

from evalcore.runs.record import RunRecord

PAGE: Final = "REPORT.md"
SUMMARY: Final = "summary.json"
CHARTS: Final = "charts"
"""The folder of the charts."""
REPORT_FILE: Final = re.compile(r"REPORT\.md|summary\.json|charts/[a-z0-9_]{1,60}\.(?:svg|png)")
"""The paths that a report's folder may have, whole."""
MODEL_LENGTH: Final = 60
"""Characters of the model in a report's name."""
# With its hyphen: the time is 12 hex digits.
ID_LENGTH: Final = 13


def report_name(record: RunRecord) -> str:
    """Name a report by day, model and the run's id, as `2026-04-20-openai-gpt-oss-120b-0199a1b2-c3d4`.

    Of the id that is the time in milliseconds (a UUIDv7's first 48 bits), by which `evalcli show` finds
    it. The name is a folder's: letters, digits, `.`, `_` and `-`.
    """
    model = re.sub(r"[^A-Za-z0-9._-]+", "-", record.model)[:MODEL_LENGTH].strip("-.") or "model"
    run = re.sub(r"[^0-9a-f-]", "", record.run_id)[:ID_LENGTH]
    return f"{record.started_at[:10]}-{model}-{run}"


def reports_folder(slug: str) -> str:
    """Return where the prompt library keeps a component's reports."""
    return f"components/{slug}/evals/reports"
