"""What reading a job's documents will cost, before anything is sent: each is looked at, none is read."""

from __future__ import annotations

from evalcore.documents.inspection import inspect_document
from evalcore.documents.interface import Originals
from evalcore.documents.ocr import most_calls
from evalcore.errors import InputError
from evalcore.library.cases import skipped_document
from evalcore.library.component import Case, SkippedCase
from evalcore.library.reading import ReadingSettings
from evalcore.runs.plan import JobPlan, with_cases
from evalcore.structs import Frozen


class ReadingForecast(Frozen, frozen=True):
    """What is to be read, and with how many calls at most where nothing was read before."""

    documents: int = 0
    pages: int = 0
    """Of those whose pages can be counted."""
    uncounted: int = 0
    """Documents whose pages only drawing them shows (DOCX)."""
    calls: int = 0
    """Calls of the reader's model, each of which counts for the rate limit and the quota."""


async def forecast_reading(job: JobPlan, originals: Originals) -> tuple[JobPlan, ReadingForecast]:
    """Return the job without the cases whose documents cannot be used, and what reading the others costs.

    Raises NoUsableCase where no case is left. `originals` is called in the loop, one document at a time.
    """
    looked: dict[str, Case | SkippedCase] = {}
    pages: list[int | None] = []
    for case in job.unread:
        # One after the other: each look is a process that may take 1.5 GiB.
        problem, counted = await _looked_at(case, originals, job.reading)
        looked[case.name] = case if problem is None else skipped_document(case, problem)
        if problem is None:
            pages.append(counted)
    return with_cases(job, looked), _sum(pages, job.reading)


def _sum(pages: list[int | None], settings: ReadingSettings) -> ReadingForecast:
    counted = [count for count in pages if count is not None]
    return ReadingForecast(
        documents=len(pages),
        pages=sum(counted),
        uncounted=len(pages) - len(counted),
        calls=sum(most_calls(count, settings) for count in counted) if settings.reader == "mindrouter" else 0,
    )


async def _looked_at(
    case: Case, originals: Originals, settings: ReadingSettings
) -> tuple[str | None, int | None]:
    if case.document is None:
        return None, None
    try:
        data = originals(case)
    except InputError as error:
        return f"{error.what}; {error.hint}", None
    looked = await inspect_document(case.document, data, dpi=settings.dpi)
    return looked.problem, looked.pages
