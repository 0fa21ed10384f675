"""Reports in a process of their own, so that making one cannot hold up whoever answers requests.

It is started for one job's runs and ends with them (evalcore.evaluation.report_worker).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from evalcore.decoding import decode_json
from evalcore.errors import ScoringError
from evalcore.evaluation.report import labels_of
from evalcore.evaluation.scoring_process import ENVIRONMENT
from evalcore.reports.run_report.tally import CaseLabel
from evalcore.runs.case_privacy import CasePrivacy
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen

LONGEST_S: Final = 300.0
"""Seconds for the reports of one job."""
_HINT: Final = "the records are published without; report this"


class ReportRequest(Frozen, frozen=True):
    """What the process is asked: the report of a run's folder, a JSON line each."""

    folder: str
    record: RunRecord
    """As it may be published."""
    labels: dict[str, CaseLabel]
    """By case, what is published of it."""


class ReportAnswer(Frozen, frozen=True):
    """What the process says of one run."""

    files: dict[str, bytes]
    """By their paths in the prompt library; none where there is an error."""
    error: str | None = None


def reports_of_job(
    runs_dir: Path, plan: JobPlan, records: Sequence[RunRecord], privacy: CasePrivacy
) -> dict[str, bytes]:
    """Return the files of the reports of a job's runs, by their paths in the prompt library; blocking.

    `records` are the runs' own. Raises ScoringError where one cannot be made.
    """
    labels = labels_of(plan.component.slug, plan.cases, privacy)
    lines = [
        msgspec.json.encode(
            ReportRequest(
                folder=str(runs_dir / record.run_id),
                # Hashed here: the process that makes reports is not given the key of the names.
                record=privacy.record(record, plan.component, plan.cases),
                labels=labels,
            )
        )
        for record in records
    ]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "evalcore.evaluation.report_worker"],
            input=b"\n".join(lines),
            stdout=subprocess.PIPE,
            # Its words would stand in the middle of a service's log; what goes wrong is in its answers.
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name in ENVIRONMENT},
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ScoringError(f"reports took over {LONGEST_S:.0f} s", where=plan.job_id, hint=_HINT) from None
    # A process that is killed, as for want of memory, may leave a line torn: that answer is none.
    whole = [line for line in done.stdout.splitlines(keepends=True) if line.endswith(b"\n")]
    answers = [decode_json(line, ReportAnswer) for line in whole]
    errors = [answer.error for answer in answers if answer.error is not None]
    if errors or len(answers) < len(lines):
        what = f"a report cannot be made: {errors[0] if errors else 'the process died'}"
        raise ScoringError(what, where=plan.job_id, hint=_HINT)
    return {path: data for answer in answers for path, data in answer.files.items()}
