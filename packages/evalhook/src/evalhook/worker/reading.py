"""Reading a job's documents before its first call: each once, as its observers see it.

What is read is of cases that may be confidential: nothing here says or logs a case's name or its text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from evalcore.clients.outage import OutagePolicy
from evalcore.documents.cache import DocumentCache
from evalcore.documents.interface import Reader, ReadText, Unreadable
from evalcore.documents.reading import read_documents
from evalcore.errors import CaseError
from evalcore.evaluation.outcome import Observer
from evalcore.library.cases import NoUsableCase
from evalcore.library.component import Document, ReaderName
from evalcore.runs.case_privacy import PublishCases, public_line
from evalcore.runs.plan import JobPlan
from evalcore.structs import Frozen
from evalhook.worker.intake import Gateway, RepositoryReader

log = structlog.stdlib.get_logger(__name__)


class DocumentSources(Frozen, frozen=True):
    """Where documents are, what reads them, and where what was read is kept."""

    repositories: RepositoryReader
    gateway: Gateway
    cache: DocumentCache


async def with_documents_read(
    plan: JobPlan,
    sources: DocumentSources,
    observer: Observer,
    *,
    outage: OutagePolicy,
    publish_cases: PublishCases | None,
    monotonic: Callable[[], float],
    may_read: Callable[[], bool],
    idle: Callable[[], None],
) -> JobPlan:
    """Return the plan with its documents read, those that cannot be read left out with the reason.

    Once `may_read` returns False no document is begun any more: `idle` is called, and the caller is to
    cancel. Raises EvaluatorError where reading cannot go on; what was read until then is kept.
    """
    job_id = plan.job_id
    log.info("documents_to_read", job_id=job_id, documents=len(plan.unread), reader=plan.reading.reader)

    def waited(model: str, code: str, seconds: float) -> None:
        log.info("reader_waits", job_id=job_id, model=model, code=code, seconds=round(seconds))

    with sources.repositories.originals(plan) as originals:
        async with sources.gateway.open_reader(plan, waited, outage) as reader:
            watched = _WatchedReader(reader, observer, job_id, monotonic, may_read, idle)
            try:
                read = await read_documents(plan, watched, originals, sources.cache, observer.reading)
            except NoUsableCase as error:
                # It names every case; the job's error is shown in a public log of Actions.
                raise CaseError(public_line(error, publish_cases)) from error
    left_out = len(plan.cases) - len(read.cases)
    log.info("documents_read", job_id=job_id, documents=len(plan.unread), left_out=left_out)
    observer.documents_read(read)
    return read


class _WatchedReader:
    """A reader whose work is seen, and that begins nothing once the service stops."""

    def __init__(
        self,
        reader: Reader,
        observer: Observer,
        job_id: str,
        monotonic: Callable[[], float],
        may_read: Callable[[], bool],
        idle: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._observer = observer
        self._job_id = job_id
        self._monotonic = monotonic
        self._may_read = may_read
        self._idle = idle

    @property
    def name(self) -> ReaderName:
        return self._reader.name

    async def version(self) -> str | None:
        return await self._reader.version()

    async def read(self, document: Document, data: bytes, pages: int | None) -> ReadText | Unreadable:
        if not self._may_read():
            self._idle()
            # Nothing can be returned here: any outcome would count as this document's, and be stored.
            await asyncio.Event().wait()  # until the caller cancels
        began = self._monotonic()
        outcome = await self._reader.read(document, data, pages)
        seconds = self._monotonic() - began
        problem = outcome.reason if isinstance(outcome, Unreadable) else None
        counted = outcome.pages if isinstance(outcome, ReadText) else pages
        log.info(
            "document_read" if problem is None else "document_unreadable",
            job_id=self._job_id,
            reader=self.name,
            bytes=len(data),
            pages=counted,
            seconds=round(seconds, 1),
            **({} if problem is None else {"reason": problem}),
        )
        self._observer.document_read(self.name, seconds, counted, problem)
        return outcome
