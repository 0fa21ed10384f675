"""JSON as RFC 8259 and I-JSON have it, from people and models alike: exact, bounded, in linear time."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import NoReturn

from evalcore.structs import JsonValue

MAX_DEPTH = 200
MAX_DIGITS = 300
"""Of one integer: more would not fit a double, which is what other programs read it into."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str) -> JsonValue:
    """Parse one JSON value; raises ValueError, never RecursionError.

    Refused besides what is not JSON: NaN and infinities, numbers that are no finite double, integers of
    over 300 digits, duplicate keys, lone surrogates (which UTF-8 cannot hold), nesting over 200 deep.
    """
    if _SURROGATE.search(text):
        raise ValueError("it holds half of a surrogate pair")
    try:
        value: JsonValue = _decoder.decode(text)
    except RecursionError:  # how deep the decoder goes depends on the Python
        raise ValueError(f"it is nested over {MAX_DEPTH} deep") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and is_too_deep(value):
        raise ValueError(f"it is nested over {MAX_DEPTH} deep")
    if _ESCAPED_SURROGATE.search(text) and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise ValueError("it holds half of a surrogate pair")
    return value


def is_too_deep(value: JsonValue) -> bool:
    """Whether a value is nested over 200 deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(value: JsonValue) -> Iterable[JsonValue]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise ValueError(f"the key {json.dumps(twice[:60])} stands twice in one object")
    return entries


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of over {MAX_DIGITS} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_finite, parse_constant=_no_constant
)
