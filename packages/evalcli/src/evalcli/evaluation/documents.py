"""The documents among a job's inputs: read before the first call, and what that will cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec

from evalcli.evaluation.plan import Prepared
from evalcli.evaluation.run import DocumentSource, Evaluation, end_on_signals, make_progress
from evalcli.terminal.progress import ProgressObserver, with_ticks
from evalcore.documents.cache import FOLDER, DocumentCache
from evalcore.documents.forecast import ReadingForecast, forecast_reading
from evalcore.documents.readers import open_reader, reader_endpoint
from evalcore.documents.reading import read_documents
from evalcore.runs.plan import JobPlan


def document_source(prepared: Prepared, runs_dir: Path, environ: Mapping[str, str]) -> DocumentSource | None:
    """Return where a job's documents are and what reads them; None where all inputs are texts.

    Raises ConfigurationError where this machine cannot read them as the library wants.
    """
    job = prepared.job
    if not job.unread:
        return None
    endpoint = reader_endpoint(job.reading, job.providers, environ, job.component.slug)
    return DocumentSource(originals=prepared.originals, endpoint=endpoint, cache=runs_dir / FOLDER)


def read_inputs(evaluation: Evaluation) -> Evaluation:
    """Return the evaluation with its documents read, showing progress.

    Raises EvaluatorError as `read_documents`, KeyboardInterrupt where the user ends it.
    """
    source = evaluation.documents
    if source is None or not evaluation.job.unread:
        return evaluation
    return msgspec.structs.replace(evaluation, job=read_job(evaluation.job, source))


def read_job(job: JobPlan, source: DocumentSource) -> JobPlan:
    """Return the job with its documents read, showing progress; raises as `read_inputs`."""
    with make_progress() as progress:
        try:
            return asyncio.run(_read(job, source, progress))
        # A signal cancels the task (`end_on_signals`), which those above know as an interruption.
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _read(job: JobPlan, source: DocumentSource, progress: ProgressObserver) -> JobPlan:
    end_on_signals()
    async with open_reader(job.reading, job.providers, source.endpoint, progress.waited) as reader:
        work = read_documents(job, reader, source.originals, DocumentCache(source.cache), progress.reading)
        return await with_ticks(work, progress)


def with_reading_forecast(prepared: Prepared) -> tuple[Prepared, ReadingForecast]:
    """Look at the documents: leave out those that cannot be used, and say what reading the others costs.

    Raises NoUsableCase where no case is left.
    """
    if not prepared.job.unread:
        return prepared, ReadingForecast()
    job, foreseen = asyncio.run(forecast_reading(prepared.job, prepared.originals))
    return msgspec.structs.replace(prepared, job=job), foreseen
