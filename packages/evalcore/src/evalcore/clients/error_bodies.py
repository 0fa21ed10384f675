"""What a server says of a failure, whichever of MindRouter's four envelopes it says it in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from evalcore.structs import Frozen

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not as expected: not JSON, of other types, or nested without end."""


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


_QUOTED_MESSAGE = re.compile(r"""'message': (?P<quote>['"])(?P<words>.{0,2000}?)(?P=quote)[,}]""", re.DOTALL)


def unquoted(message: str) -> str:
    """Take the words out of what MindRouter makes of a backend's JSON in a stream: Python's repr of it."""
    found = _QUOTED_MESSAGE.search(message)
    if found is None:
        return message
    # what is left out may hold the code that tells one refusal from another
    codes = " ".join(code for code in ("context_length_exceeded", "dlp_blocked") if code in message)
    return f"{found['words']} ({codes})" if codes else found["words"]


LONGEST = 300
"""Characters of a message."""

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{0,15}://[^\s'\"<>]+", re.IGNORECASE)
_HOST = re.compile(
    r"\b(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[\d.-]*[a-z])[a-z0-9](?:[a-z0-9-]*\.)*[a-z0-9-]+(?=:\d{2,5}\b))(?::\d{2,5})?\b",
    re.IGNORECASE,
)
_SECRET = re.compile(r"\b(?:sk-|mr2_|Bearer\s+)[\w.\-*]+", re.IGNORECASE)


def safe_text(text: str) -> str:
    """One line of at most 300 characters, with control characters, addresses and keys taken out."""
    # a server's text may be megabytes: what cannot be shown is not searched either
    text = text[: LONGEST * 4]
    text = _SECRET.sub("[key]", text)
    text = _ADDRESS.sub("[address]", text)
    text = _HOST.sub("[address]", text)
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def retry_after_seconds(value: str | None, now: datetime | None) -> float | None:
    """Read a Retry-After header: seconds, or an HTTP date; None where it is neither or absent."""
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if now is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
