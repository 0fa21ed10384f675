"""A run's folder -> the report of it, with no more of its cases than may be published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from evalcore.errors import StorageError
from evalcore.evaluation.rescore import rescore_run
from evalcore.library.component import Case
from evalcore.reports.run_report.comparison import ReportedRun
from evalcore.reports.run_report.files import reports_folder
from evalcore.reports.run_report.make import RunReport, make_report, report_files
from evalcore.reports.run_report.tally import CaseLabel
from evalcore.runs.case_privacy import CasePrivacy
from evalcore.runs.folder import RECORD, RunFolder, read_record
from evalcore.runs.integrity import altered
from evalcore.runs.record import RunRecord
from evalcore.version import SCORING_VERSION


def report_run(run_dir: Path, privacy: CasePrivacy | None = None) -> RunReport:
    """Report a run by the present scoring; without `privacy` every case is named.

    Only the library's own cases are quoted, and of these only what `privacy` names. Nothing is written.
    Raises StorageError where replies are missing, or files are not what they were.
    """
    with reported_run(run_dir, privacy) as run:
        return run.report


@contextmanager
def reported_run(run_dir: Path, privacy: CasePrivacy | None = None) -> Iterator[ReportedRun]:
    """Give a run with its report, as `report_run` does, while its replies can be read."""
    first = read_record(run_dir) if (run_dir / RECORD).exists() else None
    folder = RunFolder.open_to_read(run_dir)
    try:
        changes = altered(folder, first)
        if changes:
            what, hint = f"its files are not what they were: {changes[0]}", "restore them"
            raise StorageError(what, where=str(run_dir), hint=hint)
        plan = folder.plan
        record = _scored(run_dir, first)
        published = record if privacy is None else privacy.record(record, plan.component, plan.cases)
        labels = labels_of(plan.component.slug, plan.cases, privacy)
        report = make_report(plan, folder.replies_of, published, labels, record.case_results)
        yield ReportedRun(plan, folder.replies_of, record, labels, report)
    finally:
        folder.close()


def published_files(
    run_dir: Path, published: RunRecord, labels: Mapping[str, CaseLabel], draw_png: Callable[[str], bytes]
) -> dict[str, bytes]:
    """Return the files of a run's report, by their paths in the prompt library.

    `published` is the run's record as it may be published, `labels` says the same of its cases. Raises as
    `report_run`.
    """
    record = _scored(run_dir, read_record(run_dir))
    folder = RunFolder.open_to_read(run_dir)
    try:
        plan = folder.plan
        report = make_report(plan, folder.replies_of, published, labels, record.case_results)
    finally:
        folder.close()
    return in_library(plan.component.slug, report, draw_png)


def in_library(slug: str, report: RunReport, draw_png: Callable[[str], bytes] | None) -> dict[str, bytes]:
    """Return the files of a report by their paths in the prompt library."""
    place = f"{reports_folder(slug)}/{report.summary.run_name}"
    return {f"{place}/{name}": data for name, data in report_files(report, draw_png).items()}


def labels_of(slug: str, cases: Iterable[Case], privacy: CasePrivacy | None) -> dict[str, CaseLabel]:
    """Say of each case, by its name, what is published of it."""
    return {case.name: _label(slug, case, privacy) for case in cases}


def _scored(run_dir: Path, first: RunRecord | None) -> RunRecord:
    """Return the run's record by the present scoring, which the figures of its replies go with."""
    if first is not None and first.scoring_version == SCORING_VERSION:
        return first
    return rescore_run(run_dir, first).record


def _label(slug: str, case: Case, privacy: CasePrivacy | None) -> CaseLabel:
    # The data sets may be confidential while the library, where a report lies, is public.
    is_own = case.source == "library"
    if privacy is None:
        return CaseLabel(case.name, may_be_quoted=is_own)
    return CaseLabel(
        privacy.case_name(slug, case), may_be_quoted=is_own and privacy.mode(case.source) == "names"
    )
