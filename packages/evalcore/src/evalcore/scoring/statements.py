"""What a short text states: its values, negations, ticked boxes and bounds, and the words that are left.

Digits, negations and ticks are not spelling: two texts in which they differ are two statements, however
like their letters are. How like two statements are is in `evalcore.scoring.statement_likeness`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.plain_text import plain_text, uncased_text
from evalcore.scoring.readers.amounts import read_amount
from evalcore.scoring.readers.dates import MONTHS, read_year_and_month
from evalcore.scoring.readers.numbers import NUMBER_WORDS, Number
from evalcore.scoring.tokens import (
    DIGIT,
    NAMED,
    OPEN,
    OPEN_BOX,
    TICKED,
    WORD,
    Token,
    Value,
    lone_duration,
    tokens_of,
)

LONGEST: Final = 65_536
"""Characters; of a longer text no values are looked for: it is equal or not."""

NEGATED: Final = {
    "prohibited": "permitted", "prohibits": "permitted", "prohibit": "permitted", "forbidden": "permitted",
    "forbids": "permitted", "forbid": "permitted", "disallowed": "permitted", "unallowable": "permitted",
    "unallowed": "permitted", "impermissible": "permitted", "banned": "permitted", "barred": "permitted",
    "ineligible": "eligible", "unauthorized": "authorized", "unauthorised": "authorized", "unable": "able",
    "unavailable": "available", "inapplicable": "applicable", "unacceptable": "acceptable",
    "incomplete": "complete", "invalid": "valid", "inactive": "active", "insufficient": "sufficient",
    "unnecessary": "required", "optional": "required", "excluded": "included", "excludes": "included",
    "excluding": "included", "exclude": "included", "indirect": "direct", "inadmissible": "admissible",
    "without": "with", "cannot": "can", "never": "", "no": "",
    "not": "", "neither": "", "none": "", "nothing": "", "nobody": "", "non": "",
}  # fmt: skip
"""Words that negate, and what they negate: `prohibited` is `not permitted`."""
ALIKE: Final = {
    "allowed": "permitted", "allowable": "permitted", "permissible": "permitted", "permit": "permitted",
    "permits": "permitted", "allow": "permitted", "allows": "permitted", "mandatory": "required",
    "necessary": "required", "requires": "required", "require": "required", "needed": "required",
    "shall": "must", "permitting": "permitted", "allowing": "permitted", "includes": "included",
    "include": "included", "including": "included", "nor": "or",
    "authorised": "authorized",
}  # fmt: skip
"""Words that say the same."""
ZONES: Final = {
    name: zone
    for zone, names in {
        "eastern": "et est edt", "central": "ct cst cdt", "mountain": "mt mst mdt", "pacific": "pt pst pdt",
        "utc": "gmt",
    }.items()
    for name in (zone, *names.split())
}  # fmt: skip
"""Of clock times: a time in one zone is none in another."""
_IGNORED_WORDS: Final = (
    "a an the of in on at for to by and is are was were be been do does did it its this that with from as"
    " between through until"
)
IGNORED: Final = frozenset(_IGNORED_WORDS.split())
"""Words that are not counted, where there are others."""

# Bounds, said with a negation or without one. What is over or under a value says so in front of it.
_BEGINS_VALUE: Final = rf"(?=[\d$\u20ac\u00a3]|(?:{'|'.join(sorted(NUMBER_WORDS | MONTHS.keys()))})\b)"
_MOST: Final = re.compile(
    r"\b(?:(?:no|not) (?:more|greater|longer|larger|higher) than|not to exceed|not exceed(?:ing)?"
    r"|up to|at most|(?:a )?maximum(?: of)?|max\.?|limited to|or (?:fewer|less))(?![a-z])|\u2264 ?|<= ?"
)
_LEAST: Final = re.compile(
    r"\b(?:(?:no|not) (?:less|fewer|lower|shorter|smaller) than|at least|(?:a )?minimum(?: of)?"
    r"|(?<!\d )min\.?|or (?:more|greater))(?![a-z])|\u2265 ?|>= ?"
)
_BY: Final = re.compile(r"\b(?:(?:no|not) later than|on or before)\b")
_FROM: Final = re.compile(r"\b(?:(?:no|not) (?:earlier|sooner) than|on or after|not before)\b")
_OVER: Final = re.compile(
    r"\b(?:(?:more|greater|larger|higher|longer|later) than|in excess of|over|above|exceed(?:s|ing)?|after) "
    + _BEGINS_VALUE
)
_UNDER: Final = re.compile(
    r"\b(?:(?:less|fewer|smaller|lower|shorter|earlier) than|under|below|before) " + _BEGINS_VALUE
)
# Words that bounds are made of: without one of them no bound is looked for.
_BOUNDING: Final = (
    "no not up maximum max minimum min more greater larger higher longer later excess over above exceed"
    " exceeds exceeding after less fewer smaller lower shorter earlier under below before least most limited"
)
_BOUND_WORDS: Final = frozenset(_BOUNDING.split())
# `No. 555` is no negation, and `#555` is `No. 555`.
_NUMBER_SIGN: Final = re.compile(r"\bnos?[.:] ?(?=[a-z]{0,4}[ -]?\d)|\bnumber (?=[a-z]{0,4}-?\d)|#(?=\d)")
# `nonprofit` is `non-profit`; `none` and `nonsense` are words of their own.
_NON: Final = re.compile(r"\bnon-?(?=[a-z]{4})(?!etheless|sense|chalant)")
_SHORT: Final = re.compile(r"\b(?:(fy)|q)(?= ?'?\d)")
_CONTRACTION: Final = re.compile(r"\b(ca|wo|sha|[a-z]+)n't\b")
# `can't`, `won't` and `shan't` leave out letters of the verb.
_FULL: Final = {"ca": "can", "wo": "will", "sha": "must"}
_TICK: Final = re.compile(r"\[([ x*]?)\](?= |$)|([\u2610-\u2612\u2713-\u2718\u2705\u274c\u274e])")
_TICKED: Final = frozenset("x*\u2611\u2612\u2713\u2714\u2705")
_TICK_MARKS: Final = frozenset("[\u2610\u2611\u2612\u2713\u2714\u2715\u2716\u2717\u2718\u2705\u274c\u274e")
_RANGE: Final = re.compile(
    r"(?<![\w.,/:-])([$\u20ac\u00a3]?)([1-9]\d{0,8})-[$\u20ac\u00a3]?([1-9]\d{0,8})"
    r"(?![\w/:-]|[.,]\d)(%| (?:thousand|million|billion|percent)\b)?"
)

TRIGGERS: Final = NUMBER_WORDS | (NAMED - {"the"}) | NEGATED.keys() | ALIKE.keys() | _BOUND_WORDS | {"t"}
"""Words without which a text without digits is nothing but its letters."""


_NOTHING: Final = object()


class Statement:
    """A text taken apart."""

    __slots__ = ("bounds", "guard", "key", "month", "negations", "plain", "rest", "tokens", "values", "words")

    def __init__(self, text: str, original: str = "") -> None:
        """Take apart a plain text; `original` is the text as it was written, in its own case."""
        self.plain = text
        self.guard: object = _NOTHING
        """What makes two texts two statements; one object for all that state nothing but words."""
        self.bounds = (0, 0, 0, 0)
        self.month = read_year_and_month(text) if len(text) <= len("2026-07") else None
        """The month of a year that the whole may be (`2026-07`), where the other side is one."""
        self.negations = 0
        self.values: tuple[Value, ...] = ()
        self.key: frozenset[tuple[tuple[str, object], int]] = frozenset()
        words = WORD.findall(text)
        # Most texts, which are spared the readers.
        is_plain = (
            DIGIT.search(text) is None
            and TRIGGERS.isdisjoint(words)
            and _TICK_MARKS.isdisjoint(text)
            and "non" not in text
        )
        if is_plain or len(text) > LONGEST:
            self.tokens: list[Token] = []
            self.rest = text
        else:
            self.guard = self
            self._take_apart(text, original)
            words = [token for token in self.tokens if isinstance(token, str)]
        self.words = _counted(words, has_values=bool(self.values))

    @classmethod
    def of_number(cls, value: Number) -> Statement:
        """Return what a JSON number states."""
        statement = cls("")
        statement.plain = canonical_text(value)
        statement.guard = statement
        lone = Value("number", value)
        statement.tokens, statement.values, statement.key = [lone], (lone,), _key((lone,))
        return statement

    def _take_apart(self, text: str, original: str) -> None:
        plain = text
        if not _TICK_MARKS.isdisjoint(text):
            text = _TICK.sub(_as_box, text)
        if "n't" in text:
            text = _CONTRACTION.sub(lambda found: f"{_FULL.get(found[1], found[1])} not", text)
        text = _SHORT.sub(lambda found: "fiscal year " if found[1] else "quarter ", text)
        text = _NON.sub("non ", _NUMBER_SIGN.sub("", text))
        text = self._without_bounds(text)
        text = _RANGE.sub(_as_range, text)
        # Codes of currencies that are words are recognised by their case, where nothing has moved them.
        cased = uncased_text(original) if text == plain else ""
        cased = cased if len(cased) == len(text) else ""
        if text[:1] == "(" and (amount := read_amount(text, cased)):
            self.tokens = [Value("number", amount.value, amount.unit)]
        else:
            lone = lone_duration(text)
            self.tokens = [lone] if lone else self._without_negations(tokens_of(text, cased))
        boxes = [token for token in self.tokens if isinstance(token, Value) and token.kind == "box"]
        if boxes == [OPEN_BOX]:
            # A lone box that is open is no more than the mark of a list's item.
            self.tokens.remove(OPEN_BOX)
        self.values = tuple(token for token in self.tokens if isinstance(token, Value))
        if self.values:
            self.key = _key(self.values)
        self.rest = " ".join(token for token in self.tokens if isinstance(token, str))

    def _without_negations(self, found: Iterable[Token]) -> list[Token]:
        tokens: list[Token] = []
        for token in found:
            if not isinstance(token, str):
                tokens.append(token)
            elif token in ZONES and tokens and isinstance(last := tokens[-1], Value) and last.kind == "time":
                tokens.append(Value("zone", ZONES[token]))
            elif token in NEGATED:
                self.negations += 1
                if NEGATED[token]:
                    tokens.append(NEGATED[token])
            else:
                tokens.append(ALIKE.get(token, token))
        return tokens

    def _without_bounds(self, text: str) -> str:
        text, most = _MOST.subn("", text)
        text, least = _LEAST.subn("", text)
        text = _FROM.sub("", _BY.sub("", text))
        # It negates nothing.
        text = text.replace("not only", "")
        text, over = _OVER.subn("", text)
        text, under = _UNDER.subn("", text)
        self.bounds = (most, least, over, under)
        return text


@lru_cache(maxsize=8_192)
def statement_of(text: str) -> Statement:
    """Return what a text states; those met last are cached, since replies repeat each other."""
    return Statement(plain_text(text), text)


def _key(values: Iterable[Value]) -> frozenset[tuple[tuple[str, object], int]]:
    """Return the multiset of values, units aside."""
    return frozenset(Counter((value.kind, value.says) for value in values).items())


def _counted(words: list[str], *, has_values: bool) -> frozenset[str]:
    """Return a multiset of words as a set: each one's second time is another word."""
    counted = [word for word in words if word not in IGNORED]
    if not counted and not has_values:
        counted = words
    found = frozenset(counted)
    if len(found) == len(counted):
        return found
    times: dict[str, int] = {}
    for word in counted:
        times[word] = times.get(word, 0) + 1
    return frozenset(word if at == 0 else f"{word} {at}" for word in times for at in range(times[word]))


def _as_box(found: re.Match[str]) -> str:
    return f" {TICKED if (found[1] or found[2]) in _TICKED else OPEN} "


def _as_range(found: re.Match[str]) -> str:
    """Write `10-15` as `10 to 15`; what does not rise is a number with a hyphen (`26-508` does)."""
    sign, low, high, scale = found.groups("")
    return f"{sign}{low}{scale} to {sign}{high}{scale}" if int(low) < int(high) else found[0]
