"""What a server says of a failure, whichever of MindRouter's four envelopes it says it in."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from evalcore.clients.dialect import UNREADABLE
from evalcore.structs import Frozen

_QUOTED_MESSAGE: Final = re.compile(
    r"""'message': (?P<quote>['"])(?P<words>.{0,2000}?)(?P=quote)[,}]""", re.DOTALL
)


class _ErrorObject(Frozen, frozen=True):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class _Envelope(Frozen, frozen=True):
    """The four envelopes: `detail` a string, an object or a list; or `error` at the top."""

    detail: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")


class Stated(Frozen, frozen=True):
    """What a server says of a failure, whatever the envelope."""

    message: str = ""
    kind: str = ""
    code: str | int | None = None
    is_object: bool = False
    """A backend's own words (an object), not the gateway's (a string)."""


def read_error(body: bytes) -> Stated:
    """Read an error's body; nothing is stated where it is in no known envelope."""
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
        error = bytes(envelope.error)
        return read_error_object(error) if error != b"null" else _from_detail(bytes(envelope.detail))
    except UNREADABLE:
        # a proxy's page of HTML tells the user nothing
        return Stated()


def _from_detail(detail: bytes) -> Stated:
    if detail.startswith(b'"'):
        return Stated(message=msgspec.json.decode(detail, type=str))
    if detail.startswith(b"{"):
        inner = bytes(msgspec.json.decode(detail, type=_Envelope).error)
        return read_error_object(inner if inner != b"null" else detail)
    if detail.startswith(b"["):
        return Stated(message="the request is not valid")
    return Stated()


def read_error_object(error: bytes) -> Stated:
    """Read an error object (or a bare string) by itself."""
    try:
        read = msgspec.json.decode(error, type=_ErrorObject | str)
    except UNREADABLE:
        return Stated(is_object=True)
    if isinstance(read, str):
        return Stated(message=read)
    return Stated(message=read.message or "", kind=read.type or "", code=read.code, is_object=True)


def unquoted(message: str) -> str:
    """Take the words out of what MindRouter makes of a backend's JSON in a stream: Python's repr of it."""
    found = _QUOTED_MESSAGE.search(message)
    if found is None:
        return message
    # what is left out may hold the code that tells one refusal from another
    codes = " ".join(code for code in ("context_length_exceeded", "dlp_blocked") if code in message)
    return f"{found['words']} ({codes})" if codes else found["words"]
