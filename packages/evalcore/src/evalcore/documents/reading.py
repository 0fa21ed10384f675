"""From a job whose inputs are documents to one whose inputs are texts, before anything is called.

Each document is looked at first, in a process of its own, and read once by its hash: models, replicates
and later commands see the same text. One that cannot be read skips its case with the reason.
"""

from __future__ import annotations

import asyncio

import msgspec

from evalcore.documents.cache import DocumentCache
from evalcore.documents.inspection import inspect_document
from evalcore.documents.interface import OnDocument, Originals, Reader, ReadText, Unreadable
from evalcore.errors import InputError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.cases import skipped_document
from evalcore.library.component import Case, Document, SkippedCase
from evalcore.runs.plan import JobPlan, with_cases

LONGEST_TEXT = 8 * 1024 * 1024
"""Bytes that are read of one document, as of an input that is a text."""


async def read_documents(
    job: JobPlan, reader: Reader, originals: Originals, cache: DocumentCache, on_document: OnDocument
) -> JobPlan:
    """Return the job with the documents among its inputs read by `reader`, which is `job.reading.reader`.

    `originals` is asked in a thread, for one document at a time. What is read is in `cache` before the
    next one is begun, so that whatever ends this loses one document at most.

    Raises NoUsableCase where no case is left, ModelError, ConfigurationError or StorageError where
    reading cannot go on; what was read until then stays in the cache.
    """
    unread = job.unread
    if not unread:
        return job
    reading = _Reading(job, reader, originals, cache, await reader.version())
    read: dict[str, Case | SkippedCase] = {}
    # One at a time: a kill loses one document, and the gateway's other users wait for one document's calls.
    for number, case in enumerate(unread, 1):
        on_document(number, len(unread))
        read[case.name] = await reading.read(case)
    return with_cases(job, read)


class _Reading:
    """What reads one job's documents."""

    def __init__(
        self, job: JobPlan, reader: Reader, originals: Originals, cache: DocumentCache, version: str | None
    ) -> None:
        self._settings = job.reading
        self._reader = reader
        self._originals = originals
        self._cache = cache
        self._version = version

    async def read(self, case: Case) -> Case | SkippedCase:
        """Return a case with its document read, or with the reason why it is left out."""
        document = case.document
        if document is None:
            return case
        known = await asyncio.to_thread(self._cache.get, case, self._settings, self._version)
        # What was made room for may be the original alone, without the entry that says that it was looked at.
        is_kept = self._reader.name != "none" or self._cache.original(case).exists()
        if known is not None and is_kept:
            return self._with_text(case, document, known)
        try:
            data = await asyncio.to_thread(self._originals, case)
        except InputError as error:
            return skipped_document(case, f"{error.what}; {error.hint}")
        # Before anything is sent: MindRouter answers a broken or empty document with a 500 like that of a
        # passing failure.
        looked = await inspect_document(document, data, dpi=self._settings.dpi)
        if looked.problem is not None:
            return skipped_document(case, looked.problem)
        outcome = await self._reader.read(document, data, looked.pages)
        if isinstance(outcome, ReadText):
            outcome = self._checked(outcome)
        if isinstance(outcome, Unreadable):
            return skipped_document(case, outcome.reason)
        if self._reader.name == "none":
            await asyncio.to_thread(self._cache.keep_original, case, data)
        await asyncio.to_thread(self._cache.put, case, self._settings, self._version, outcome)
        return self._with_text(case, document, outcome)

    def _checked(self, read: ReadText) -> ReadText | Unreadable:
        if self._reader.name == "none":
            return read
        if not read.text.strip():
            return Unreadable(f"{self._reader.name} read no text of it")
        if len(read.text.encode()) > LONGEST_TEXT:
            return Unreadable(f"its text is over {LONGEST_TEXT >> 20} MiB")
        return read

    def _with_text(self, case: Case, document: Document, read: ReadText) -> Case:
        told = msgspec.structs.replace(
            document, reader=self._reader.name, version=self._version, pages=read.pages
        )
        if self._reader.name == "none":
            # The case's hash is of the document itself already: that is what is sent.
            return msgspec.structs.replace(case, document=told)
        # As for a text that was stored beside the document: both are then the same case.
        hashed = sha256_hex(read.text.encode() + b"\0" + case.expected.encode())
        return msgspec.structs.replace(case, input=read.text, sha256=hashed, document=told)
