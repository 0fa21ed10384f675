"""What other servers wrote, made fit to be kept and shown: short, one line, without addresses or keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

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
