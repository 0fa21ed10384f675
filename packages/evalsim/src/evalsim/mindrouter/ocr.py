"""POST /v1/ocr and /v1/ocrmd: a document's pages, read in chunks by a model that sees.

A chunk that comes out short is read again, and each reading is a call of the model that counts for the
user's limits. Pages come out as they stand in the made document, whatever the chunks and the model.
"""

from __future__ import annotations

import asyncio
import time
import uuid
import zipfile
from collections.abc import Awaitable, Callable
from hashlib import sha256
from io import BytesIO
from pathlib import PurePosixPath
from typing import Final

from evalcore.structs import JsonObject, JsonValue
from evalsim.mindrouter import wire
from evalsim.mindrouter.admission import ALL_FAILED, SERVER_ERROR, Admission, Refused, cannot_see
from evalsim.mindrouter.config import Fault, SimModel
from evalsim.mindrouter.faults import FaultPlan
from evalsim.mindrouter.gateway import Gateway
from evalsim.mindrouter.http import Exchange, Response
from evalsim.mindrouter.pages import PDF, TYPES, Unreadable, pages_of
from evalsim.mindrouter.requests import tokens
from evalsim.mindrouter.uploads import NotValid, Upload, read_upload
from evalsim.serving import ConnectionCut

Sleep = Callable[[float], Awaitable[None]]

CHUNK_SIZE: Final = 6
OVERLAP: Final = 2
MOST_PAGES: Final = 200
LEAST_CHARACTERS: Final = 400
"""Of a page; a chunk with fewer is read again."""
READINGS: Final = 3
"""How often a chunk is read at most, and how often it may fail."""
ATTEMPTS: Final = 3
"""How often a backend is asked for one reading."""
AT_ONCE: Final = 4
"""Chunks of one document that are read side by side."""
TOKENS_OF_A_PAGE: Final = 1000
"""About what an image of a page counts for."""
UNTYPED: Final = "application/octet-stream"
MARKDOWN: Final = b"text/markdown; charset=utf-8"
PLAIN: Final = b"text/plain; charset=utf-8"
SUPPORTED: Final = ". Supported: images, PDF, DOCX, PPTX, XLSX"
NO_OFFICE: Final = (
    "LibreOffice is not installed. Office document OCR requires 'libreoffice' or 'soffice' on PATH."
)


class Ocr:
    """Answers requests to read a document. `sleep` is awaited for the time that pages take."""

    def __init__(self, gateway: Gateway, faults: FaultPlan, sleep: Sleep) -> None:
        self._gateway = gateway
        self._admission = Admission(gateway)
        self._faults = faults
        self._sleep = sleep

    async def answer_json(self, exchange: Exchange) -> None:
        """Answer POST /v1/ocr."""
        await self._answer(exchange, is_bare=False)

    async def answer_markdown(self, exchange: Exchange) -> None:
        """Answer POST /v1/ocrmd: the bare text, and its own refusals as text too."""
        await self._answer(exchange, is_bare=True)

    async def _answer(self, exchange: Exchange, *, is_bare: bool) -> None:
        try:
            # Multipart is checked by the gateway's framework, before its own code has seen anything: hence
            # the other envelope.
            upload = read_upload(exchange.headers.get("content-type", ""), await exchange.body())
        except NotValid as error:
            await exchange.answer(Response(422, wire.detail(error.problems)))
            return
        try:
            kind, target = self._checked(upload, is_bare=is_bare)
        except Refused as refused:
            await exchange.answer(_as_text(refused) if is_bare else refused.response)
            return
        if upload.content_type not in {"", UNTYPED}:
            await exchange.answer(SERVER_ERROR)  # the release's bug: a real content type is its downfall
            return
        await self._read(exchange, upload, kind, target, is_bare=is_bare)

    def _checked(self, upload: Upload, *, is_bare: bool) -> tuple[str, str]:
        """The document's type and the model that reads it; raises Refused for what is refused unread."""
        if not is_bare and upload.output_format not in {None, "markdown", "json"}:
            raise Refused(400, "output_format must be 'markdown' or 'json'")
        size, overlap = _chunking(upload)
        if overlap >= size:
            raise Refused(400, "overlap must be less than chunk_size")
        kind = upload.content_type or UNTYPED
        # The file's name says what a part without a type is: so it must be sent, for a real type is a 500.
        if kind == UNTYPED:
            kind = TYPES.get(PurePosixPath(upload.name).suffix.lower(), kind)
        if kind not in TYPES.values():
            raise Refused(400, f"Unsupported file type: {kind}" + ("" if is_bare else SUPPORTED))
        target = self._gateway.target(upload.model or self._gateway.config.ocr_model)
        if self._gateway.served(target) is None:
            raise Refused(404, f"Model '{target}' not found")
        largest = self._gateway.config.largest_document
        if len(upload.content) > largest:
            raise Refused(413, f"File exceeds maximum size of {largest // 2**20}MB")
        return kind, target

    async def _read(
        self, exchange: Exchange, upload: Upload, kind: str, target: str, *, is_bare: bool
    ) -> None:
        document = sha256(upload.content).hexdigest()
        self._gateway.documents[document] += 1
        reading = _Reading(exchange, target)
        try:
            pages = await self._pages(upload, kind)
            chunks = chunks_of(len(pages), *_chunking(upload))
            places = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(self._chunk(reading, pages[a:b], places) for a, b in chunks))
        except Unreadable:
            await exchange.answer(SERVER_ERROR)
            return
        # Before its base class: in /v1/ocrmd these are text, while what calls of models end with is JSON
        # there too.
        except _OfTheDocument as refused:
            await exchange.answer(_as_text(refused) if is_bare else refused.response)
            return
        except Refused as refused:
            await exchange.answer(refused.response)
            return
        # Counted though nobody may wait for it any more: the gateway goes on reading for a client that has
        # gone.
        self._gateway.documents_read[document] += 1
        content = _joined(pages, upload.output_format if not is_bare else "markdown")
        response = Response(200, content.encode(), content_type=MARKDOWN)
        if not is_bare:
            body = _result(target, content, upload.output_format or "markdown", len(pages), len(chunks))
            body["usage"] = reading.usage
            response = Response(200, wire.encode(body))
        await _send(exchange, response, reading.fault)

    async def _pages(self, upload: Upload, kind: str) -> list[str]:
        is_office = kind != PDF and not kind.startswith("image/")
        if is_office and not self._gateway.config.has_office:
            raise _OfTheDocument(501, NO_OFFICE)
        if is_office and not zipfile.is_zipfile(BytesIO(upload.content)):
            raise _OfTheDocument(501, "LibreOffice produced no PDF output")
        pages = await asyncio.to_thread(pages_of, upload.content, kind)
        if not pages:
            raise _OfTheDocument(400, "Document produced no pages")
        if len(pages) > MOST_PAGES:
            words = f"Document has {len(pages)} pages, exceeding the maximum of {MOST_PAGES}"
            raise _OfTheDocument(400, words)
        return pages

    async def _chunk(self, reading: _Reading, pages: list[str], places: asyncio.Semaphore) -> None:
        """Read a chunk until it is long enough, at most three times; its third failure is the document's."""
        text = _joined(pages, "markdown")
        async with places:
            for number in range(1, READINGS + 1):
                try:
                    await self._call(reading, len(pages))
                except Refused:
                    if number == READINGS:
                        raise
                    continue
                # For each reading, the useless ones too: a short page costs three calls, and all of them are
                # charged.
                reading.count(len(pages) * TOKENS_OF_A_PAGE, tokens(text))
                self._gateway.charge(len(pages) * TOKENS_OF_A_PAGE + tokens(text))
                if len(text) >= LEAST_CHARACTERS * len(pages):
                    return

    async def _call(self, reading: _Reading, pages: int) -> None:
        """Call the model once for a chunk of pages; raises Refused."""
        target = reading.target
        self._gateway.page_calls[target] += 1
        fault = self._faults.take(target, "ocr")
        kind = fault.kind if fault else None
        reading.fault = fault or reading.fault
        if fault is not None and kind == "gone":
            self._gateway.trip(target, fault.seconds)
        model = self._gateway.served(target)
        if model is None:
            raise Refused(404, f"Model '{target}' not found")
        if not model.sees:
            raise Refused(400, cannot_see(target))
        self._admission.check_limits(kind)
        async with self._admission.slot(model, kind):
            if kind == "silent":
                await reading.exchange.disconnection()
            if kind in {"silent", "hang_up"}:
                raise ConnectionCut
            await self._attempts(model, pages, (fault.seconds or 0.0) if fault and kind == "slow" else 0.0)
            if fault is not None:
                self._admission.refuse(fault, model, pages * TOKENS_OF_A_PAGE, model.context_length)

    async def _attempts(self, model: SimModel, pages: int, late: float) -> None:
        """Take the time of the call: an attempt that takes too long is cut, and begun again without delay.

        `late` is by how many seconds the first attempt is slower than its pages are.
        """
        longest = self._gateway.config.attempt_seconds
        for attempt in range(ATTEMPTS):
            needed = model.latency + model.seconds_per_page * pages + (late if attempt == 0 else 0.0)
            if needed:
                await self._sleep(min(needed, longest))
            if needed <= longest:
                return
        # As three failures of any kind do: a document that is too slow takes its model away from everybody.
        self._gateway.trip(model.id, None)
        raise Refused(502, ALL_FAILED)


class _OfTheDocument(Refused):
    """Refused for what the document is, and not by the path that calls models."""


class _Reading:
    """One document on its way: what its calls used, and the last that went wrong."""

    def __init__(self, exchange: Exchange, target: str) -> None:
        self.exchange = exchange
        self.target = target
        self.fault: Fault | None = None
        self._prompt = 0
        self._completion = 0

    def count(self, prompt: int, completion: int) -> None:
        self._prompt += prompt
        self._completion += completion

    @property
    def usage(self) -> JsonObject:
        return {
            "prompt_tokens": self._prompt,
            "completion_tokens": self._completion,
            "total_tokens": self._prompt + self._completion,
        }


def chunks_of(pages: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """The ranges of pages that are read together, each begun `overlap` pages before the last one's end."""
    chunks = []
    start, end = 0, 0
    while end < pages:
        end = min(start + size, pages)
        chunks.append((start, end))
        start += size - overlap
    return chunks


def _chunking(upload: Upload) -> tuple[int, int]:
    size = CHUNK_SIZE if upload.chunk_size is None else upload.chunk_size
    return size, OVERLAP if upload.overlap is None else upload.overlap


def _joined(pages: list[str], output_format: str | None) -> str:
    if output_format != "json":
        return "\n\n".join(pages).strip()
    listed: list[JsonValue] = [
        {"page_number": n + 1, "content": text, "tables": []} for n, text in enumerate(pages)
    ]
    return wire.encode({"pages": listed}).decode()


def _as_text(refused: Refused) -> Response:
    return Response(refused.status, str(refused.words).encode(), content_type=PLAIN)


def _result(model: str, content: str, output_format: str, pages: int, chunks: int) -> JsonObject:
    return {
        "id": f"ocr-{uuid.uuid4().hex[:24]}",
        "object": "ocr.result",
        "created": int(time.time()),
        "model": model,
        "content": content,
        "format": output_format,
        "pages": pages,
        "chunks_processed": chunks,
    }


async def _send(exchange: Exchange, response: Response, fault: Fault | None) -> None:
    kind = fault.kind if fault else None
    if kind in {"cut", "stalled"}:
        await exchange.cut_after(response, len(response.body) // 2)
    if kind in {"empty", "garbage"}:
        response = Response(200, b"" if kind == "empty" else b"<html>Bad gateway</html>")
    await exchange.answer(response)
