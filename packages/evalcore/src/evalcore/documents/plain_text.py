"""Text that was read of a document, as it may be sent and stored."""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_GAP: Final = re.compile(r"\n{3,}")


def plain_text(text: str) -> str:
    """Return a text in UTF-8's characters without control characters, trailing blanks and long gaps."""
    # A PDF's broken fonts give half surrogate pairs, which neither a request nor a record can hold.
    whole = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    lines = (line.rstrip(" \t") for line in _CONTROL.sub("", whole).split("\n"))
    return _GAP.sub("\n\n", "\n".join(lines)).strip()
