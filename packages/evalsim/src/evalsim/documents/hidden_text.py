"""What stands on a made document's pages, carried inside its bytes.

A simulated model cannot see. It finds here what a real one would read off the pages. The mark is letters and
digits alone, so that it stands in a PDF's keywords, a PNG's text, a JPEG's comment, a TIFF's description or a
ZIP's comment as it is, whoever writes the file.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import msgspec

from evalcore.decoding import decode_json

_MARK = re.compile(rb"evalsimpages([0-9a-f]+)z")


def hidden(pages: Sequence[str]) -> str:
    """The mark that carries the Markdown of each page."""
    return f"evalsimpages{zlib.compress(msgspec.json.encode(pages)).hex()}z"


def pages_hidden_in(document: bytes) -> list[str] | None:
    """The Markdown of each page of a made document; None where it carries none."""
    found = _MARK.search(document)
    if found is None:
        return None
    try:
        return decode_json(zlib.decompress(bytes.fromhex(found[1].decode())), list[str])
    except (ValueError, zlib.error, msgspec.MsgspecError):
        return None
