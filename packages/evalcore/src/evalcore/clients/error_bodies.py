"""What a server says of a failure, whichever envelope it says it in: MindRouter alone has four."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from evalcore.clients.dialect import NULL, UNREADABLE
from evalcore.clients.events import BYTE_ORDER_MARK
from evalcore.decoding import decode_json
from evalcore.structs import Frozen

_NULL: Final = b"null"
DEEPEST: Final = 4
"""How often an error may be wrapped: `detail` around `error` around a list is the most that was seen."""
LONGEST_PLAIN: Final = 4096
"""Bytes that are read of what is no JSON string."""
QUOTED_CODES: Final = ("context_length_exceeded", "exceed_context_size_error", "dlp_blocked")
# The length is bounded, so that a megabyte of quotes that never close is no quadratic search.
_QUOTED_MESSAGE: Final = re.compile(
    r"""'message': (?P<quote>['"])(?P<words>.{0,2000}?)(?P=quote)[,}]""", re.DOTALL
)


class Stated(Frozen, frozen=True):
    """What a server says of a failure, whatever the envelope."""

    message: str = ""
    kind: str = ""
    code: str | int | None = None
    is_object: bool = False
    """A backend's own words (an object), not the gateway's (a string)."""


class _ErrorObject(Frozen, frozen=True):
    """An error object, or an envelope with one in it; each server has field names of its own."""

    error: msgspec.Raw = NULL
    errors: msgspec.Raw = NULL
    detail: msgspec.Raw = NULL
    message: msgspec.Raw = NULL
    msg: msgspec.Raw = NULL
    object: msgspec.Raw = NULL
    type: msgspec.Raw = NULL
    error_type: msgspec.Raw = NULL
    code: msgspec.Raw = NULL

    @property
    def inner(self) -> bytes:
        """What it wraps, as JSON: an error, a list of errors, or a text; null where it wraps nothing."""
        return next((bytes(raw) for raw in (self.error, self.errors, self.detail) if raw != NULL), _NULL)

    @property
    def says_error(self) -> bool:
        """Whether it has the marks of an error: a wrapped one, its kind, or a message at the top."""
        # Servers write an error's mark in either: vLLM `object`, Anthropic `type`.
        kinds = (_text(bytes(self.object)), _text(bytes(self.type)))
        return self.inner != _NULL or "error" in kinds or _text(bytes(self.message)) != ""


def read_error(body: bytes) -> Stated | None:
    """Read an error's body, or an event of a stream; None where it is no JSON that tells of an error."""
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        value = decode_json(body, msgspec.Raw)
        return _read(bytes(value), DEEPEST)
    except UNREADABLE:
        return None


def read_words(body: bytes) -> Stated:
    """Read the body of an answer that is an error by its status; nothing is stated where it is a page."""
    stated = read_error(body)
    if stated is not None:
        return stated
    text = body[:LONGEST_PLAIN].strip()
    if text.startswith((b"<", b"{", b"[")):
        # a proxy's page of HTML tells the user nothing
        return Stated()
    try:
        return Stated(message=text.decode("utf-8"))
    except UnicodeDecodeError:
        return Stated()


def _read(value: bytes, deepest: int) -> Stated | None:
    """Read an error wrapped at most `deepest` times; raises one of UNREADABLE where it is no JSON."""
    if value.startswith(b'"'):
        return Stated(message=_text(value))
    if value.startswith(b"["):
        # Google wraps its errors in a list; a framework's validation errors are one
        items = decode_json(value, list[msgspec.Raw])
        return _read(bytes(items[0]), deepest - 1) if items and deepest else None
    if not value.startswith(b"{"):
        return None
    read = decode_json(value, _ErrorObject)
    # At the top alone: what is wrapped in an error need not say once more that it is one.
    if not read.says_error and deepest == DEEPEST:
        return None
    wrapped = _read(read.inner, deepest - 1) if read.inner != _NULL and deepest else None
    stated = Stated(
        message=_first_text(read.message, read.msg),
        kind=_first_text(read.type, read.error_type),
        code=_code(bytes(read.code)),
        is_object=True,
    )
    if wrapped is None:
        return stated
    return msgspec.structs.replace(
        wrapped,
        message=wrapped.message or stated.message,
        kind=wrapped.kind or stated.kind,
        code=wrapped.code if wrapped.code is not None else stated.code,
    )


def _text(raw: bytes) -> str:
    """A JSON string's text; of anything else the JSON itself, so that no words are lost; null is none."""
    if raw == _NULL:
        return ""
    if raw.startswith(b'"'):
        return decode_json(raw, str)
    return raw[:LONGEST_PLAIN].decode("utf-8", "replace")


def _first_text(*values: msgspec.Raw) -> str:
    return next((text for value in values if (text := _text(bytes(value)))), "")


def _code(raw: bytes) -> str | int | None:
    try:
        return decode_json(raw, str | int | None)
    except UNREADABLE:
        return None


def unquoted(message: str) -> str:
    """Take the words out of what MindRouter makes of a backend's JSON in a stream: Python's repr of it."""
    found = _QUOTED_MESSAGE.search(message)
    if found is None:
        return message
    # what is left out may hold the code that tells one refusal from another
    codes = " ".join(code for code in QUOTED_CODES if code in message)
    return f"{found['words']} ({codes})" if codes else found["words"]
