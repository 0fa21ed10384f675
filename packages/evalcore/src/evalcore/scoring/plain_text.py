"""Texts that read alike made equal."""

from __future__ import annotations

import re
import unicodedata

_QUOTES = dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032`\u00b4"), "'")
_DOUBLE_QUOTES = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"')
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad"), "-")
_DEGREES = dict.fromkeys(map(ord, "\u00ba\u02da"), "\u00b0")
_ALIKE = _QUOTES | _DOUBLE_QUOTES | _DASHES | _DEGREES
# NFKC makes 102 of 10\u00b2, and 11/2 of 1\u00bd. After a letter (m\u00b2) it may.
_RAISED = re.compile(r"(?<=\d)(?=[\u00b2\u00b3\u00b9\u2070\u2071\u2074-\u207b])")
_LOWERED = re.compile(r"(?<=\d)(?=[\u2080-\u208b])")
_BESIDE = re.compile(r"(?<=\d)(?=[\u00bc-\u00be\u2150-\u215f\u2189\u2460-\u249b\u24ea-\u24ff\u2776-\u2793])")


def plain_text(text: str) -> str:
    """Make texts that read alike equal: Unicode NFKC, case folding, white space, quotes, dashes.

    A raised, lowered or enclosed digit, or a fraction, after a digit is no digit of it.
    """
    # The same for ASCII, and faster.
    return uncased_text(text).casefold() if not text.isascii() else uncased_text(text).lower()


def uncased_text(text: str) -> str:
    """Do all that `plain_text` does but for the case."""
    # Most texts, for which NFKC and the tables change nothing.
    if text.isascii():
        return " ".join(text.replace("`", "'").split())
    text = _RAISED.sub("^", _LOWERED.sub("_", _BESIDE.sub(" ", text)))
    # Before NFKC, which takes an acute accent for a blank and a mark, and after it, since it makes dashes and
    # quotes out of other characters.
    text = unicodedata.normalize("NFKC", text.translate(_ALIKE)).translate(_ALIKE)
    return " ".join(text.split())
