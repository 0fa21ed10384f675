"""MindRouter's `POST /v1/ocr`, without I/O: a document to a request's bytes, an answer's bytes to its text.

What the gateway does with a request is in docs/mindrouter.md, *Documents*.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from evalcore.clients.dialect import UNREADABLE, Upload
from evalcore.clients.failures import Failure
from evalcore.clients.openai.dialect import OpenAI
from evalcore.decoding import decode_json
from evalcore.documents.interface import ReadText, Unreadable
from evalcore.library.component import Document
from evalcore.library.reading import ReadingSettings
from evalcore.structs import Frozen

PATH: Final = "/v1/ocr"
# MindRouter reads a chunk with under 400 characters a page twice more, and one whose call fails likewise.
CALLS_A_CHUNK: Final = 3
"""Calls of the model for one chunk, at most."""
# The gateway's own limit for a call that is not streamed, after which it begins the chunk again.
CHUNK_SECONDS: Final = 180.0
"""For each chunk."""
# What the proxies before MindRouter allow: giving up earlier leaves it reading for nobody.
LEAST_SECONDS: Final = 720.0
"""For a document, however few its chunks."""
MOST_RATE_WAITS: Final = 5
# MindRouter's own default. It joins chunks by the lines that they share: of chunks without a common page it
# would cut off lines that are only alike.
_OVERLAP: Final = 2
_BAD_REQUEST: Final = 400
_NO_CONVERTER: Final = 501


class _Answer(Frozen, frozen=True):
    content: str
    pages: Annotated[int, Meta(ge=0)]


class Ocr(OpenAI):
    """MindRouter's dialect, with the failures that only reading documents has."""

    def read_failure(self, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
        """Say what an answer that is not 200 means."""
        read = super().read_failure(status, headers, body, now)
        # Of the model: the documents that follow would be refused like this one.
        if status == _BAD_REQUEST and b"multimodal" in body:
            message = "the model cannot see pictures (400)"
            return Failure(code="parameter_refused", message=message, scope="model")
        if status == _NO_CONVERTER:
            message = "it has no converter for this kind of document (501)"
            return Failure(code="bad_request", message=message)
        if read.code == "rate_limited":
            # Its chunks may be more calls than a minute has: then waiting for the next one never helps.
            return msgspec.structs.replace(read, at_most=MOST_RATE_WAITS)
        return read


OCR: Final = Ocr()


def overlap(chunk_size: int) -> int:
    """Return how many pages a chunk shares with the one before.

    It is always named, for the gateway's own default of 2 does not go with chunks of 2 pages. Chunks are put
    together by the lines that they share; of chunks that share no page, lines that are alike may be cut off.
    """
    # The gateway answers 400 where the overlap is not less than the chunk, as its default is not with chunks
    # of 2 pages.
    return min(_OVERLAP, chunk_size - 1)


def chunks(pages: int, settings: ReadingSettings) -> int:
    """Return the number of chunks that a document is read in."""
    stride = settings.chunk_size - overlap(settings.chunk_size)
    return 1 + max(0, -(-(pages - settings.chunk_size) // stride))


def most_calls(pages: int, settings: ReadingSettings) -> int:
    """Return how many calls of the model reading a document costs at most, if none fails."""
    return CALLS_A_CHUNK * chunks(pages, settings)


def seconds(pages: int, settings: ReadingSettings) -> float:
    """Return how long a document may take."""
    return max(LEAST_SECONDS, CHUNK_SECONDS * chunks(pages, settings))


def upload(document: Document, data: bytes, settings: ReadingSettings) -> Upload:
    """Return the request's body: multipart/form-data (RFC 7578).

    The file's part is octet-stream, for its real type makes the gateway fail (500); what it is, its name
    says, which is never the case's.
    """
    fields = {
        "model": settings.model or "",
        "chunk_size": str(settings.chunk_size),
        "overlap": str(overlap(settings.chunk_size)),
        "dpi": str(settings.dpi),
        "output_format": "markdown",
    }
    # A hash of the document cannot occur in it.
    boundary = f"evaluator-{hashlib.sha256(data).hexdigest()}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="input.{document.kind}"\r\n'
        # With its real type the gateway fails (500, release 2.9.58); it goes by the extension. The
        # case's own name may be confidential.
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = "".join([*parts, head]).encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return Upload(body, f"multipart/form-data; boundary={boundary}")


def read_answer(body: bytes, pages: int | None) -> ReadText | Unreadable:
    """Read the body of a 200; `pages` are those that the document has, where that is known."""
    try:
        answer = decode_json(body, _Answer)
    except UNREADABLE:
        return Unreadable("MindRouter's answer is not what /v1/ocr answers with")
    # A page that is missing would make figures of another input, and nobody would know.
    if pages is not None and answer.pages != pages:
        return Unreadable(f"MindRouter read {answer.pages} of its {pages} pages")
    return ReadText(answer.content, answer.pages)
