"""Where the dashboard's files are, from its root."""

from __future__ import annotations

import re
from typing import Final

from evalcore.formats.strict_json import sha256_hex

INDEX_PAGE: Final = "index.html"
INDEX_JSON: Final = "index.json"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_HASH_DIGITS: Final = 8
_LONGEST: Final = 227
"""Characters of a model's id in a file name: of 255 bytes some are for the file that is written first."""


def component_page(slug: str) -> str:
    """Return a component's page; `slug` is the name of a folder that the library has."""
    return f"components/{slug}.html"


def model_page(model: str) -> str:
    """Return a model's page, which no other model has: its name made safe, and a hash of it."""
    safe = _UNSAFE.sub("-", model)[:_LONGEST]
    # Two ids may be one once they are made safe (`a/b` and `a-b`), and file systems may not tell `A` from
    # `a`.
    digest = sha256_hex(model.encode("utf-8", "surrogatepass"))
    return f"models/{safe}-{digest[:_HASH_DIGITS]}.html"


def table_file(table: str) -> str:
    """Return where a table is as CSV."""
    return f"data/{table}.csv"
