"""HTML made of functions: whatever is not made here is text and is escaped, here and nowhere else."""

from __future__ import annotations

import unicodedata
from html import escape
from typing import Final

VOID: Final = frozenset({"meta", "link", "input", "br"})
MAX_TEXT: Final = 2000
BIDI: Final = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class Markup(str):
    """HTML that is finished: nothing but `element` and `join` makes it."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """Make an element; children that are no Markup are escaped.

    `class_` and `for_` stand for the attributes, `_` in a name for `-`; True is a bare attribute, False
    and None leave it out.
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """Put pieces one behind the other."""
    return Markup("".join(child if isinstance(child, Markup) else escape(plain(child)) for child in children))


def document(*children: str) -> Markup:
    """Make a whole page."""
    return Markup(f"<!doctype html>\n{element('html', *children, lang='en')}\n")


def plain(text: str) -> str:
    """Bound a text, and take out what could turn the direction of its surroundings or does not show."""
    cut = text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
    return "".join(
        " " if unicodedata.category(char) in {"Cc", "Cs"} or unicodedata.bidirectional(char) in BIDI else char
        for char in cut
    )


def _attribute(key: str, value: str | float | bool | None) -> str:  # noqa: FBT001 - an attribute may be bare
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(plain(str(value)))}"'
