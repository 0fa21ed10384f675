"""A Markdown answer as named sections with fields, items and rows, headings of two answers matched.

`parse_markdown` gives a list of sections. Here each is found by its heading, numbering aside (`A. Key
dates` is `Key dates`) where headings are distinct without it, and lines such as `Amount: $4,125`, and
tables of two columns, become fields:

    {"sections": {"Key dates": {"heading": "Key dates", "fields": {"Amount": "$4,125"},
                                "items": [...], "paragraphs": [...], "rows": [...], "code": [...]}}}
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from evalcore.formats.markdown import LONGEST_INLINE
from evalcore.scoring.assignment import UNIT, best_matching
from evalcore.scoring.plain_text import plain_text
from evalcore.scoring.statement_likeness import likeness
from evalcore.scoring.statements import statement_of
from evalcore.structs import JsonObject, JsonValue

BEGINNING = "(beginning)"
"""The name of what stands before the first heading."""
MOST_HEADINGS = 300
"""Of one answer that are matched by likeness; beyond, by equality."""

_KEY_VALUE = re.compile(r"([^\s:][^:\n]{0,59}):\s+(\S.*)", re.DOTALL)
# `1.`, `2.1`, `(a)`, `IV.`, `Step 3:`, `2 Scope`; never a year, a quarter (`Q1:`) or a code (`F31 -`).
_NUMBERING = re.compile(
    r"(?:(?:section|part|step|chapter|appendix)\s+)?(?:\d{1,2}(?:\.\d{1,2})*|[a-z]|[ivx]{1,5})\s*[.):-]\s+"
    r"|\((?:\d{1,2}|[a-z]|[ivx]{1,5})\)\s+|\d{1,2}(?:\.\d{1,2})*\s+"
)
_MOST_KEY_WORDS = 6
_BRACKETS = str.maketrans("[].", "()-")


def markdown_fields(tree: JsonValue) -> JsonValue:
    """Return the named sections of a tree that `parse_markdown` made; anything else as it stands."""
    sections = tree.get("sections") if isinstance(tree, dict) else None
    if not isinstance(sections, list):
        return tree
    named: JsonObject = {}
    counts: dict[str, int] = {}
    parts = [section for section in sections if isinstance(section, dict)]
    if len(parts) < len(sections):
        return tree
    headings = [heading if isinstance(heading := part.get("heading"), str) else "" for part in parts]
    for section, name in zip(parts, _section_names(headings), strict=True):
        unique = name
        # Equal headings are kept apart, so that no section overwrites another and is lost to the score.
        while unique in named:
            counts[name] = counts.get(name, 1) + 1
            unique = f"{name} ({counts[name]})"
        named[unique] = _section(section, name)
    return {"sections": named}


def match_names(tree: JsonValue, known: Iterable[str], fields_of: Mapping[str, Iterable[str]]) -> JsonValue:
    """Give an answer's sections, and the fields in them, the names of those that they are most like.

    `known` are the section names to match, `fields_of` the names of the fields in each.
    """
    sections = _sections(tree)
    if not sections:
        return tree
    names = _matched(list(sections), list(known))
    renamed: JsonObject = {}
    for name, section in sections.items():
        new = names.get(name, name)
        # A heading that is nothing like the one whose name it bears must not be taken for it.
        while new in renamed:
            new += "'"
        renamed[new] = _with_field_names(section, fields_of.get(new, ()))
    return {"sections": renamed}


def section_fields(tree: JsonValue) -> dict[str, list[str]]:
    """Return the sections of a tree by name, each with the names of its fields."""
    return {name: list(_fields(section)) for name, section in _sections(tree).items()}


def _sections(tree: JsonValue) -> JsonObject:
    sections = tree.get("sections") if isinstance(tree, dict) else None
    return sections if isinstance(sections, dict) else {}


def _fields(section: JsonValue) -> JsonObject:
    fields = section.get("fields") if isinstance(section, dict) else None
    return fields if isinstance(fields, dict) else {}


def _section_names(headings: Sequence[str]) -> list[str]:
    """Return the headings without their numbering, where they are still distinct without it."""
    whole = [" ".join(heading.split()) for heading in headings]
    bare = [_without_numbering(heading) for heading in whole]
    times = Counter(plain_text(name) for name in bare)
    names = [
        short if times[plain_text(short)] == 1 else heading
        for short, heading in zip(bare, whole, strict=True)
    ]
    return [name.translate(_BRACKETS).strip() or BEGINNING for name in names]


def _without_numbering(heading: str) -> str:
    numbering = _NUMBERING.match(heading.lower())
    return (heading[numbering.end() :] if numbering else heading) or heading


def _section(section: JsonObject, name: str) -> JsonObject:
    fields: JsonObject = {}
    placed: JsonObject = {}
    if isinstance(section.get("heading"), str):
        placed["heading"] = name
    for kind in ("paragraphs", "items"):
        texts = section.get(kind)
        left = [text for text in _lines(texts) if not _take_field(text, fields)]
        if left:
            placed[kind] = left
    rows = section.get("rows")
    if isinstance(rows, list):
        left = [row for table in _tables(rows) for row in _rows_left(table, fields)]
        if left:
            placed["rows"] = left
    if fields:
        placed["fields"] = fields
    if "code" in section:
        placed["code"] = section["code"]
    return placed


def _lines(texts: JsonValue) -> list[JsonValue]:
    if not isinstance(texts, list):
        return []
    return [line for text in texts for line in _split(text)]


def _split(text: JsonValue) -> list[JsonValue]:
    # Lines of a very long paragraph would be very many fields.
    if isinstance(text, str) and len(text) <= LONGEST_INLINE:
        return [*text.split("\n")]
    return [text]


def _take_field(text: JsonValue, fields: JsonObject) -> bool:
    found = _KEY_VALUE.fullmatch(text) if isinstance(text, str) else None
    # A colon after many words is a sentence that goes on, not the name of a field.
    if found is None or len(found[1].split()) > _MOST_KEY_WORDS:
        return False
    # Brackets and dots are how paths are written: in a name they would make another path of it.
    name = " ".join(found[1].split()).translate(_BRACKETS)
    # The first one keeps the name; the line stays what it was, an item or a paragraph.
    if name in fields:
        return False
    fields[name] = found[2].strip()
    return True


def _tables(rows: Sequence[JsonValue]) -> Iterator[list[JsonValue]]:
    """Yield the rows of each table: those that follow each other with the same columns."""
    for _, table in groupby(rows, _columns):
        yield list(table)


def _columns(row: JsonValue) -> list[str]:
    return list(row) if isinstance(row, dict) else []


def _rows_left(table: Sequence[JsonValue], fields: JsonObject) -> list[JsonValue]:
    """Take a table for fields where it says the same as a list of them; return its rows where it does not.

    It has two columns then, and in the first one a text for each row, no two alike.
    """
    pairs = [list(row.values()) for row in table if isinstance(row, dict) and len(row) == 2]  # noqa: PLR2004
    # A colon at the end of a name is typing, as blanks are.
    named = {
        " ".join(name.removesuffix(":").split()).translate(_BRACKETS): value
        for name, value in pairs
        if isinstance(name, str)
    }
    told_apart = len({plain_text(name) for name in (*named, *fields) if name})
    if len(pairs) < len(table) or told_apart < len(table) + len(fields):
        return [_without_blanks(row) for row in table]
    fields.update({name: value for name, value in named.items() if value != ""})
    return []


def _without_blanks(row: JsonValue) -> JsonValue:
    if not isinstance(row, dict):
        return row
    return {name.translate(_BRACKETS): cell for name, cell in row.items() if cell != ""}


def _with_field_names(section: JsonValue, known: Iterable[str]) -> JsonValue:
    fields = _fields(section)
    if not fields or not isinstance(section, dict):
        return section
    spelled = {plain_text(name): name for name in known}
    renamed: JsonObject = {}
    for name, value in fields.items():
        new = spelled.get(plain_text(name), name)
        renamed[new if new not in renamed else name] = value
    return {**section, "fields": renamed}


def _matched(names: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Match headings one to one: equal ones first, then by the highest sum of likeness.

    Below one half none belong together.
    """
    free = {plain_text(name): name for name in known}
    matched: dict[str, str] = {}
    left: list[tuple[str, str]] = []
    for name in names:
        plain = plain_text(name)
        if plain in free:
            matched[name] = free.pop(plain)
        else:
            left.append((name, plain))
    if not left or not free or max(len(names), len(known)) > MOST_HEADINGS:
        return matched
    # A heading's digits are no spelling either: `2024 Budget` is not `2025 Budget`.
    others = [(name, statement_of(plain)) for plain, name in free.items()]
    alike = [
        [int(likeness(statement, other) * UNIT) for _, other in others]
        for statement in (statement_of(plain) for _, plain in left)
    ]
    pairs = ((at, to) for at, to in best_matching(alike) if alike[at][to])
    return matched | {left[at][0]: others[to][0] for at, to in pairs}
