"""Tables as CSV (RFC 4180) that a spreadsheet shows as they stand, whoever wrote what is in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

CellValue: TypeAlias = str | int | float | bool | None

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, full-width forms included."""


def csv_table(columns: Sequence[str], rows: Iterable[Sequence[CellValue]]) -> str:
    """Write a table; None is an empty cell, and a text that could be a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: CellValue) -> CellValue:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return "" if value is None else value
    # A spreadsheet shows what follows an apostrophe as text; models are named by whoever serves them.
    text = f"'{value}" if value.startswith(_FORMULA) else value
    # The writer quotes its own line ends alone.
    return text.replace("\r\n", "\n").replace("\r", "\n")
