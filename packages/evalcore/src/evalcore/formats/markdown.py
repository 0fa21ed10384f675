"""A Markdown answer as a tree: its headings, and under each its paragraphs, list items and table rows.

    {"sections": [
        {"heading": "Key dates",
         "paragraphs": ["All deadlines are 5 p.m."],
         "items": ["Cover sheet", "[x] Budget"],
         "rows": [{"Milestone": "Letter of intent", "Round 1": "June 16"}],
         "code": ["make install"]},
        ...]}

Every heading opens a section, whatever its rank and however often it is repeated, and so does a line that
is bold and nothing else; what stands before the first one is a section without a heading, and what is empty
is left out. Sections are not put inside each other: models choose ranks and titles freely, and one `#` more
or fewer would otherwise move all that follows to another place, where nothing is compared with it. For the
same reason the items of nested lists stand in one list, and quoted text counts as if it were not quoted. A
ticked box stays as `[x]`, an open one is dropped. A table's row is an object by column heading. Inline
formatting is reduced to its text, a link to its words, an image to its description. A paragraph keeps its
line breaks where its writer asked for them (two blanks, a backslash), or where each of its lines says `key:
value`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from evalcore.structs import JsonObject, JsonValue

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

DEEPEST = 40
"""Levels of quotes and lists within each other; what is nested deeper is left out."""
# Brackets that stay open take the parser quadratic time: 5,000 of them 0.2 s, 20,000 a second.
LONGEST_INLINE = 5_000
"""Characters of one paragraph, item or cell; a longer one is taken as it stands, as plain text."""

# Parsing a hostile text of more takes seconds.
LONGEST_DOCUMENT = 100_000
"""Characters; a longer text is one paragraph as it stands."""

MOST_LINES = 5_000
"""A text of more lines is taken as one of more characters is."""

_HARD_BREAK = "\v"
# Possessive, and only from the first blank of a gap on: a paragraph of nothing but blanks would take
# quadratic time.
_TWO_BLANKS = re.compile(r"(?<! ) {2,}+\n")
_KEY_VALUE = re.compile(r"[^\s:][^:]{0,59}:\s")

_BOX = re.compile(r"\[([ xX])\]\s+")
# A colon may end it, no full stop: a bold sentence is no heading.
_BOLD_LINE = re.compile(r"(\*\*|__)(?=\S)(?P<text>(?:(?!\1).){1,120})(?<=[^\s.!?])\1:?")
_IMAGE = re.compile(r"(?<!\\)!\[")
_MARKUP = re.compile(r"[*_`\[\]<&\\]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Parsers(NamedTuple):
    blocks: MarkdownIt
    inline: MarkdownIt


@functools.cache
def _parsers() -> _Parsers:
    # Loaded for Markdown alone: it is a seventh of what `evalcli score` of an answer in JSON takes.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    # Without the inline rules: paragraphs are parsed one by one, where LONGEST_INLINE bounds each.
    blocks = MarkdownIt("commonmark", {"maxNesting": DEEPEST}).enable("table").disable("inline")
    return _Parsers(blocks, MarkdownIt("commonmark", {"maxNesting": DEEPEST}))


def parse_markdown(text: str) -> JsonValue:
    """Return the tree of a Markdown text; every text has one."""
    if len(text) > LONGEST_DOCUMENT or text.count("\n") > MOST_LINES:
        return {"sections": [{"paragraphs": [text]}]}
    builder = _Builder()
    builder.read(_parsers().blocks.parse(_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)))
    return builder.tree()


class _Builder:
    """Takes the parser's tokens one after another."""

    def __init__(self) -> None:
        self._sections: list[dict[str, list[JsonValue]]] = [{}]
        self._headings = [""]
        self._items: list[list[str]] = []
        self._columns: list[str] = []
        self._cells: list[str] = []

    def tree(self) -> JsonObject:
        sections: list[JsonValue] = []
        for heading, parts in zip(self._headings, self._sections, strict=True):
            section: JsonObject = {"heading": heading} if heading else {}
            section |= parts
            if section:
                sections.append(section)
        return {"sections": sections} if sections else {}

    def read(self, tokens: Sequence[Token]) -> None:
        for at, token in enumerate(tokens):
            match token.type:
                case "inline":
                    opener = tokens[at - 1]
                    if (
                        opener.type == "paragraph_open"
                        and not self._items
                        and "**" in token.content.replace("__", "**")
                    ):
                        self._paragraph(token.content)
                    else:
                        self._place(opener, _plain_text(token.content))
                case "fence" | "code_block":
                    self._add("code", token.content.strip("\n"))
                case "html_block":
                    self._add("paragraphs", " ".join(token.content.split()))
                case "list_item_open":
                    self._items.append([])
                case "list_item_close":
                    self._add("items", " ".join(self._items.pop()))
                case "thead_open":
                    self._columns = []
                case "tr_close":
                    self._end_row()
                case _:
                    pass

    def _place(self, opener: Token, text: str) -> None:
        if opener.type == "heading_open":
            self._headings.append(text)
            self._sections.append({})
        elif opener.type == "th_open":
            self._columns.append(text)
        elif opener.type == "td_open":
            self._cells.append(text)
        elif self._items:
            self._items[-1].append(text)
        elif text:
            self._add("paragraphs", text)

    def _paragraph(self, source: str) -> None:
        """Place a paragraph; its lines that are bold and nothing else are headings."""
        lines: list[str] = []
        for line in source.split("\n"):
            heading = _BOLD_LINE.fullmatch(line.strip()) if line.strip()[:2] in {"**", "__"} else None
            if heading is None:
                lines.append(line)
                continue
            self._add("paragraphs", _plain_text("\n".join(lines)))
            lines = []
            self._headings.append(_plain_text(heading["text"].removesuffix(":")))
            self._sections.append({})
        self._add("paragraphs", _plain_text("\n".join(lines)))

    def _end_row(self) -> None:
        if self._cells:
            row = dict(zip(_distinct(self._columns), self._cells, strict=False))
            self._sections[-1].setdefault("rows", []).append({**row})
        self._cells = []

    def _add(self, kind: str, text: str) -> None:
        if text:
            self._sections[-1].setdefault(kind, []).append(text)


def _distinct(names: Sequence[str]) -> Iterator[str]:
    """Yield column names, the second of one name as `name (2)`."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


def _plain_text(source: str) -> str:
    """Reduce inline Markdown to its text, white space made one, lines broken where the writer broke them."""
    box = _BOX.match(source)
    mark = ""
    if box:
        mark = "" if box[1] == " " else "[x] "
        source = source[box.end() :]
    if len(source) <= LONGEST_INLINE and _MARKUP.search(source):
        # As links, images give their description as well, and in less time where brackets stay open.
        source = "".join(_inline_texts(_parsers().inline.parseInline(_IMAGE.sub("[", source))))
    else:
        source = _TWO_BLANKS.sub(_HARD_BREAK, source)
    return mark + "\n".join(filter(None, map(_joined, source.split(_HARD_BREAK))))


def _joined(text: str) -> str:
    """Make the lines of a text one, unless each of them says `key: value`."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    is_table = len(lines) > 1 and all(map(_KEY_VALUE.match, lines))
    return ("\n" if is_table else " ").join(filter(None, lines))


def _inline_texts(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield from _inline_texts(token.children or ())
        elif token.type == "hardbreak":
            yield _HARD_BREAK
        elif token.type == "softbreak":
            yield "\n"
        elif token.type == "html_inline":
            yield " " if token.content.lower().startswith("<br") else ""
        else:
            yield token.content
