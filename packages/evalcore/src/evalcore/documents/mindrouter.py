"""The reader `mindrouter`: documents are sent to MindRouter's OCR, whose outages are waited out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import httpx
import msgspec

from evalcore.clients.circuit import NEVER_ANSWERED_S
from evalcore.clients.failures import Failure
from evalcore.clients.http import HttpClient, open_http_client
from evalcore.clients.interface import OnWait
from evalcore.clients.outage import AWAY, LOOK_FIRST_S, LOOK_LAST_S, OWN_FAILURES, PERHAPS_AWAY, OutagePolicy
from evalcore.clients.retry import RetryPolicy
from evalcore.documents import ocr
from evalcore.documents.interface import ReadText, Unreadable
from evalcore.documents.plain_text import plain_text
from evalcore.errors import ModelError, ProviderUnreachable
from evalcore.library.component import Document
from evalcore.library.models import Endpoint, Provider
from evalcore.library.reading import ReadingSettings

# A document of 200 pages may take most of an hour, and is begun again as a whole.
POLICY: Final = RetryPolicy(tries=3, budget=7200.0)
ASSUMED_PAGES: Final = 40
"""For the time limit of a document whose pages nobody has counted."""
_ENDS_ALL: Final = frozenset(
    {"forbidden", "parameter_refused", "quota_exceeded", "rate_limited", "unauthorized"}
)
"""Failures that each further document would meet as well, and that no waiting ends."""


@asynccontextmanager
async def open_mindrouter_reader(
    settings: ReadingSettings,
    provider: Provider,
    endpoint: Endpoint,
    *,
    on_wait: OnWait | None = None,
    retry: RetryPolicy = POLICY,
    outage: OutagePolicy | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[MindRouterReader]:
    """Open a reader; `endpoint` is where MindRouter is. `clock` and `sleep` are for its waits."""
    opening = open_http_client(
        ocr.OCR,
        provider,
        endpoint.base_url,
        endpoint.api_key,
        retry=retry,
        on_wait=on_wait,
        clock=clock,
        sleep=sleep,
        transport=transport,
        proxy=endpoint.proxy,
    )
    async with opening as client:
        yield MindRouterReader(settings, client, outage or OutagePolicy(), sleep)


class MindRouterReader:
    """Reads documents through MindRouter; see evalcore.documents.interface.Reader."""

    name: Final = "mindrouter"

    def __init__(
        self,
        settings: ReadingSettings,
        client: HttpClient,
        outage: OutagePolicy,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._model = settings.model or ""
        self._client = client
        self._outage = outage
        self._sleep = sleep
        self._has_answered = False

    async def version(self) -> str | None:
        """Return the gateway's version; raises ModelError where it cannot be asked."""
        return (await self._client.served()).version

    async def read(self, document: Document, data: bytes, pages: int | None) -> ReadText | Unreadable:
        """Read one document; raises ModelError where none can be read any more."""
        body = ocr.upload(document, data, self._settings)
        seconds = ocr.seconds(pages or ASSUMED_PAGES, self._settings)
        failures = 0
        while True:
            answer = await self._client.send(ocr.PATH, self._model, body, seconds)
            if not isinstance(answer, Failure):
                self._has_answered = True
                # In a thread: a long answer takes its time, and others wait in the loop.
                return await asyncio.to_thread(_read, answer, pages)
            if answer.code in _ENDS_ALL:
                raise self._cannot_go_on(answer)
            if answer.code not in AWAY | PERHAPS_AWAY:
                return Unreadable(f"MindRouter does not read it: {answer.message}")
            # A broken document is the same 500 as a passing failure: only where the model is served
            # meanwhile, twice, is it the document's.
            await self._require_served(answer)
            failures += 1
            if failures >= OWN_FAILURES:
                return Unreadable(
                    f"MindRouter failed on it, and serves others: {answer.message}"
                    " (a page may take over 180 s: lower `chunk_size` or `dpi`)"
                )

    async def _require_served(self, failure: Failure) -> None:
        """Wait until the gateway serves the model again; raises ModelError where it does not."""
        waited, pause = 0.0, LOOK_FIRST_S
        # One that never answered may not be there at all, or has just been taken off by its breaker.
        budget = self._outage.budget if self._has_answered else min(NEVER_ANSWERED_S, self._outage.budget)
        while not await self._is_served():
            if waited >= budget:
                raise self._cannot_go_on(failure)
            await self._sleep(pause)
            waited, pause = waited + pause, min(2 * pause, LOOK_LAST_S)

    async def _is_served(self) -> bool:
        try:
            return self._model in (await self._client.served()).models
        except ProviderUnreachable:
            return False

    def _cannot_go_on(self, failure: Failure) -> ModelError:
        hint = "what was read is kept: do it again once that is mended"
        if failure.code == "rate_limited":
            hint = "a long document takes many calls at once: raise the limit or `chunk_size`"
        return ModelError(
            f"documents cannot be read with {self._model}: {failure.message}",
            where="mindrouter",
            hint=hint,
        )


def _read(answer: bytes, pages: int | None) -> ReadText | Unreadable:
    read = ocr.read_answer(answer, pages)
    if isinstance(read, Unreadable):
        return read
    text = plain_text(read.text)
    return msgspec.structs.replace(read, text=f"{text}\n" if text else "")
