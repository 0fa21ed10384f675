"""A Markdown answer as named sections with fields, items and rows, headings of two answers matched.

`parse_markdown` gives a list of sections. Here each is found by its heading, numbering aside (`A. Key
dates` is `Key dates`), and lines such as `Amount: $4,125` become fields:

    {"sections": {"Key dates": {"heading": "Key dates", "fields": {"Amount": "$4,125"},
                                "items": [...], "paragraphs": [...], "rows": [...], "code": [...]}}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from evalcore.formats.markdown import LONGEST_INLINE
from evalcore.scoring.assignment import UNIT, best_matching
from evalcore.scoring.comparators import similarity
from evalcore.scoring.values import plain_text
from evalcore.structs import JsonObject, JsonValue

BEGINNING = "(beginning)"
"""The name of what stands before the first heading."""
MOST_HEADINGS = 300
"""Of one answer that are matched by likeness; beyond, by equality."""

_KEY_VALUE = re.compile(r"([^\s:][^:\n]{0,59}):\s+(\S.*)", re.DOTALL)
_NUMBERING = re.compile(r"(?:(?:section|part|step)\s+)?(?:[a-z]\d*|\d+|[ivx]+)(?:\.\d+)*\s*[.):-]\s+|\d+\s+")
_MOST_KEY_WORDS = 6
_BRACKETS = str.maketrans("[].", "()-")


def markdown_fields(tree: JsonValue) -> JsonValue:
    """Return the named sections of a tree that `parse_markdown` made; anything else as it stands."""
    sections = tree.get("sections") if isinstance(tree, dict) else None
    if not isinstance(sections, list):
        return tree
    named: JsonObject = {}
    counts: dict[str, int] = {}
    for section in sections:
        if not isinstance(section, dict):
            return tree
        heading = section.get("heading")
        name = _section_name(heading if isinstance(heading, str) else "")
        unique = name
        while unique in named:
            counts[name] = counts.get(name, 1) + 1
            unique = f"{name} ({counts[name]})"
        named[unique] = _section(section)
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


def _section_name(heading: str) -> str:
    words = " ".join(heading.split())
    numbering = _NUMBERING.match(words.lower())
    bare = words[numbering.end() :] if numbering else words
    return (bare or words).translate(_BRACKETS).strip() or BEGINNING


def _section(section: JsonObject) -> JsonObject:
    fields: JsonObject = {}
    placed: JsonObject = {}
    heading = section.get("heading")
    if isinstance(heading, str):
        placed["heading"] = _section_name(heading)
    for kind in ("paragraphs", "items"):
        texts = section.get(kind)
        left = [text for text in _lines(texts) if not _take_field(text, fields)]
        if left:
            placed[kind] = left
    if fields:
        placed["fields"] = fields
    rows = section.get("rows")
    if isinstance(rows, list):
        placed["rows"] = [_without_blanks(row) for row in rows]
    if "code" in section:
        placed["code"] = section["code"]
    return placed


def _lines(texts: JsonValue) -> list[JsonValue]:
    if not isinstance(texts, list):
        return []
    return [line for text in texts for line in _split(text)]


def _split(text: JsonValue) -> list[JsonValue]:
    if isinstance(text, str) and len(text) <= LONGEST_INLINE:
        return [*text.split("\n")]
    return [text]


def _take_field(text: JsonValue, fields: JsonObject) -> bool:
    found = _KEY_VALUE.fullmatch(text) if isinstance(text, str) else None
    if found is None or len(found[1].split()) > _MOST_KEY_WORDS:
        return False
    name = " ".join(found[1].split()).translate(_BRACKETS)
    if name in fields:
        return False
    fields[name] = found[2].strip()
    return True


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
    """Match headings one to one by the highest sum of likeness; below one half none belong together."""
    plain, others = [plain_text(name) for name in names], [plain_text(name) for name in known]
    if not names or not known or max(len(names), len(known)) > MOST_HEADINGS:
        spelled = dict(zip(others, known, strict=True))
        return {name: spelled[text] for name, text in zip(names, plain, strict=True) if text in spelled}
    likeness = [[int(similarity(text, other) * UNIT) for other in others] for text in plain]
    return {names[at]: known[to] for at, to in best_matching(likeness) if likeness[at][to]}
