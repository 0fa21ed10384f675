"""From a reply's text to the answer it holds. Nothing broken is ever repaired: it is a parse error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from evalcore.formats.markdown import parse_markdown
from evalcore.formats.strict_json import MAX_DEPTH, parse_json
from evalcore.library.component import OutputFormat
from evalcore.structs import Frozen, JsonValue

__all__ = ["Parsed", "Unparsed", "holds_no_answer", "parse_answer", "parse_json"]

MAX_CANDIDATES = 10_000
"""Fences, and values amid prose, of one reply; with more of them none is the answer."""

_TAG = "(think|thinking|thought)"
_OPENING_TAG = re.compile(rf"^[ \t]*<{_TAG}>", re.IGNORECASE | re.MULTILINE)
# A closing tag within a JSON string would be followed by the rest of that string.
_STRAY_CLOSING_TAG = re.compile(rf"</{_TAG}>(?=[ \t\r]*$|\s*+(?:[\[{{]|```))", re.IGNORECASE | re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)[ \t]*+([^\n`]*+)$", re.MULTILINE)
# How JSON begins; in prose, brackets are followed by other things.
_JSON_BEGINS = re.compile(r'\{(?=\s*+["}])|\[(?=\s*+[\[{"\]\-0-9tfn])')
# Any brace may enclose a value; a bracket of prose that does (`[so it is {"a": 1}]`) is no broken list,
# unless a comment or another kind of quotation mark follows it.
_OPENING_BRACKET = re.compile(r"""\{|\[(?=\s*+(?:[\[{"\]\-0-9tfn'\u2018-\u201f]|//|/\*))""")
# Harmony, the format of gpt-oss: the tokens stay in the text where a server does not take them out, and
# where it takes out the tokens alone their names stay.
_FINAL_CHANNEL = re.compile(
    r"<\|channel\|>\s*final[^<>\n]{0,40}(?:<\|constrain\|>[^<>\n]{0,40})?<\|message\|>"
    r"|\A\s*analysis.*assistantfinal(?=\W|[A-Z])",
    re.DOTALL,
)
_OTHER_CHANNEL = re.compile(r"\A\s*(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*(?:analysis|commentary)\b")
_SPECIAL_TOKEN = re.compile(r"<\|(?:start|end|return|call|channel|im_end|eot_id|endoftext)\|>")
# What an introduction to a document does not hold: a document's own headings, items and tables.
_STRUCTURE = re.compile(r"^[ \t]*(?:#{1,6}[ \t]|[-*+][ \t]|\d+[.)][ \t]|\|)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)
LONGEST_INTRODUCTION = 1_000
"""Characters before or after a fence that holds a Markdown document."""
# A string (to the end of the text where it is not closed), or a run of opening or closing brackets.
# Possessive, so that hostile text costs no backtracking.
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]++|[\]}]++', re.DOTALL)
_OPENERS = {"json_object": "{", "json_array": "[", "json": "{["}
_ASKED_FOR = {
    "json_object": "a JSON object",
    "json_array": "a JSON array",
    "json": "a JSON object or array",
}


class Parsed(Frozen, frozen=True):
    """The answer that a reply holds."""

    value: JsonValue


class Unparsed(Frozen, frozen=True):
    """Why a reply holds no answer of the asked-for format."""

    reason: str


def parse_answer(text: str | None, output: OutputFormat) -> Parsed | Unparsed:
    """Find the answer in a reply. Never raises, and takes linear time.

    Thinking (`<think>`, `<thinking>`, `<thought>`) is passed over: a block that begins a line, up to its
    closing tag or, unclosed, to the end of the reply; and all before a closing tag that has no opening.
    So is what harmony's channels other than `final` hold.

    *Markdown* is the text that is left, without a fence around the whole of it, or around all but an
    introduction and a closing remark.

    *JSON* of the asked-for kind is looked for in three places, and the first that has a candidate decides:

    1. the whole text;
    2. fenced blocks: the **last** one, since drafts, examples and echoed schemas come before the answer;
    3. values amid prose, only the outermost: the **last** of those at least half as long as the longest,
       since a draft comes before the answer, and snippets (a citation `[1]`) on either side of it.

    The candidate is chosen before it is parsed. So when it is broken, or cut short, the reply is unparsable:
    neither an earlier draft nor a fragment within is mistaken for the answer. A brace that is not followed
    by a key (`{'a': ...`, `{// ...`, `{{`) begins a candidate too where it encloses what looks like JSON.
    """
    if text is None or not text.strip():
        return Unparsed(reason="the reply is empty")
    if output == "markdown":
        return _markdown(text)
    answer = _without_thinking(_final_channel(text))
    # First as it stands: what looks like thinking may be part of a string.
    for whole in dict.fromkeys((text.strip(), answer)):
        if isinstance(parsed := _parsed(whole, output), Parsed):
            return parsed
    openers = _OPENERS[output]
    candidate = _last_fenced(answer, openers) or _last_amid_prose(answer, openers)
    return _parsed(answer if candidate is None else candidate, output)


def holds_no_answer(text: str | None) -> bool:
    """Whether a reply is empty, or nothing but thinking."""
    return text is None or not _without_thinking(text)


def _parsed(text: str, output: OutputFormat) -> Parsed | Unparsed:
    if not text:
        return Unparsed(reason="the reply holds nothing but thinking")
    if text[0] not in _OPENERS[output]:
        return Unparsed(reason=f"the reply does not hold {_ASKED_FOR[output]}")
    try:
        return Parsed(value=parse_json(text))
    except ValueError as error:
        return Unparsed(reason=f"the reply's JSON is broken: {error}")


def _markdown(text: str) -> Parsed | Unparsed:
    answer = _document(_without_thinking(_final_channel(text)))
    if not answer:
        return Unparsed(reason="the reply holds nothing but thinking, or an empty fence")
    return Parsed(value=parse_markdown(answer))


def _without_thinking(text: str) -> str:
    """Return the text without thinking, stripped.

    A tag counts at the beginning of a line only, where it cannot be inside a JSON string.
    """
    kept, at = [], 0
    while opening := _OPENING_TAG.search(text, at):
        kept.append(text[at : opening.start()])
        closing = re.compile(f"</{opening.group(1)}>", re.IGNORECASE).search(text, opening.end())
        at = closing.end() if closing else len(text)
    left = "".join([*kept, text[at:]])
    strays = list(_STRAY_CLOSING_TAG.finditer(left))
    return left[strays[-1].end() :].strip() if strays else left.strip()


def _final_channel(text: str) -> str:
    """Return what harmony's final channel holds; the text as it stands where there are no channels."""
    if "<|" not in text and "final" not in text:
        return text
    # The last one counts, as of fenced blocks: drafts come before the answer.
    begins = 0
    for found in _FINAL_CHANNEL.finditer(text):
        begins = found.end()
    # Thinking alone: the answer was never begun, or cut off before it.
    if not begins and _OTHER_CHANNEL.match(text):
        return ""
    ends = _SPECIAL_TOKEN.search(text, begins)
    # Without channels, tokens are taken off the end alone: a document may be about them.
    if ends and not begins and _SPECIAL_TOKEN.sub("", text[ends.start() :]).strip():
        return text
    return text[begins : ends.start()] if ends else text[begins:]


def _document(text: str) -> str:
    """Take off the fence around a Markdown answer, with the introduction before it and a remark after it."""
    fences = _fences(text)
    if not fences:
        return text
    opening, closing = fences[0], fences[-1]
    closes = closing.group(1).startswith(opening.group(1)) and not closing.group(2).strip()
    language = opening.group(2).strip().lower()
    before, after = text[: opening.start()].strip(), text[closing.end() :].strip() if closes else ""
    # A fence of no language, with others between, may as well be the first of several blocks.
    is_named = language in {"markdown", "md"}
    if not (is_named or (not language and fences[1:] == [closing])):
        return text
    if not closes:
        # Cut short, or never closed: what stands in the fence is the document all the same.
        return text[opening.end() :].strip() if is_named and _is_remark(before) else text
    inside = text[opening.end() : closing.start()].strip() if closing is not opening else ""
    if not before and not after:
        return inside
    encloses = is_named or _HEADING.search(inside)
    return inside if encloses and _is_remark(before) and _is_remark(after) else text


def _is_remark(text: str) -> bool:
    return len(text) <= LONGEST_INTRODUCTION and not _STRUCTURE.search(text)


def _last_fenced(text: str, openers: str) -> str | None:
    """Return the last fenced block that begins like the asked-for kind; unclosed, it ends with the text."""
    last: str | None = None
    opening: re.Match[str] | None = None
    for fence in _fences(text):
        if opening is None:
            opening = fence
        elif fence.group(1).startswith(opening.group(1)) and not fence.group(2).strip():
            last = _begun_like(openers, text[_block_start(text, opening) : fence.start()]) or last
            opening = None
    if opening is not None:
        last = _begun_like(openers, text[_block_start(text, opening) :]) or last
    return last


def _block_start(text: str, fence: re.Match[str]) -> int:
    """Return where a fenced block begins: most often after the fence's line, at times on it."""
    begins = _OPENING_BRACKET.search(text, fence.start(2), fence.end())
    if begins is None:
        # The search's end hides what follows an opener at the end of the line.
        last = text[fence.start(2) : fence.end()].rstrip()
        return fence.start(2) + len(last) - 1 if last.endswith("[") else fence.end()
    # `{.line-numbers}` are a block's attributes.
    is_attribute = not _JSON_BEGINS.match(text, begins.start()) and "}" in text[begins.start() : fence.end()]
    return fence.end() if is_attribute else begins.start()


def _fences(text: str) -> list[re.Match[str]]:
    fences = list(islice(_FENCE.finditer(text), MAX_CANDIDATES + 1))
    return fences if len(fences) <= MAX_CANDIDATES else []


def _begun_like(openers: str, block: str) -> str | None:
    block = block.strip()
    return block if block and block[0] in openers else None


def _last_amid_prose(text: str, openers: str) -> str | None:
    """Return the last value of the asked-for kind that is at least half as long as the longest."""
    found = list(islice(_top_level_spans(text), MAX_CANDIDATES + 1))
    if len(found) > MAX_CANDIDATES:
        return None
    spans = [span for span in found if text[span.start] in openers]
    longest = max((len(span) for span in spans), default=0)
    chosen = [span for span in spans if 2 * len(span) >= longest]
    return text[chosen[-1].start : chosen[-1].stop] if chosen else None


def _top_level_spans(text: str) -> Iterator[range]:
    """Find the outermost spans that begin like JSON, or enclose what does, each to its closing bracket.

    One that is never closed reaches to the end of the text: what is inside it is no value of its own.
    """
    at = 0
    while opening := _OPENING_BRACKET.search(text, at):
        start, at = opening.start(), _end_of_value(text, opening.start())
        if _JSON_BEGINS.match(text, start) or _JSON_BEGINS.search(text, start + 1, at):
            yield range(start, at)


def _end_of_value(text: str, start: int) -> int:
    depth = 0
    for token in _TOKENS.finditer(text, start):
        first, length = text[token.start()], token.end() - token.start()
        if first in "[{":
            depth += length
        elif first in "]}":
            # Several brackets are one token; the value ends within it.
            if length >= depth:
                return token.start() + depth
            depth -= length
        # The parser would refuse it, wherever it ends.
        if depth > MAX_DEPTH:
            break
    return len(text)
