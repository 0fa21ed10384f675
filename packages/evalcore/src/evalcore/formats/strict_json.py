"""JSON as RFC 8259 and I-JSON (RFC 7493) have it: read exactly and within bounds, written in one way."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import NoReturn

from evalcore.structs import JsonObject, JsonValue

# Far below Python's own limit, near which a value could be read and then not be written.
MAX_DEPTH = 200
# More would not fit a double, which is what other programs read it into.
MAX_DIGITS = 300
"""Of one integer."""

SIGNIFICANT_DIGITS = 9
"""Of a float as it is written; more would be noise."""

_INDENTED = json.JSONEncoder(indent=2, ensure_ascii=False, allow_nan=False)
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
    # Counted first: most values have fewer brackets than may be nested, and need no walk.
    if text.count("[") + text.count("{") > MAX_DEPTH and is_too_deep(value):
        raise ValueError(f"it is nested over {MAX_DEPTH} deep")
    if _ESCAPED_SURROGATE.search(text) and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise ValueError("it holds half of a surrogate pair")
    return value


def parse_carried_json(text: str) -> JsonValue:
    """Parse JSON that another program may have written and that is written again as it stands.

    As `parse_json`, but whatever JSON allows in a string or an integer passes. Raises ValueError, and
    RecursionError for what is nested deeper than the decoder goes.
    """
    value: JsonValue = _carrying_decoder.decode(text)
    return value


def is_too_deep(value: JsonValue) -> bool:
    """Whether a value is nested over 200 deep."""
    # Level by level, not by recursion: how deep Python may recurse is what must not decide.
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
# No bound on integers: what another program wrote into a leaderboard must not keep our results from being
# published.
_carrying_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant
)


def rounded(value: JsonValue) -> JsonValue:
    """Return the value with every float rounded to 9 significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


def encode_canonical(value: JsonValue) -> bytes:
    """Write UTF-8 JSON with two-space indent, keys as they stand, floats as `repr`, and a final newline.

    Raises ValueError for NaN and infinities, which JSON cannot hold.
    """
    # Piece by piece: the text as a whole beside its bytes would take twice the memory.
    data = bytearray()
    for piece in _INDENTED.iterencode(value):
        data += _escape_surrogates(piece).encode()
    data += b"\n"
    return bytes(data)


def fingerprint(value: JsonValue) -> bytes:
    """Write compact JSON with sorted keys: equal for equal contents, whatever the order of keys."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return _escape_surrogates(text).encode()


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of bytes as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of(value: JsonObject) -> str:
    """Return the SHA-256 of a JSON object's fingerprint."""
    return sha256_hex(fingerprint(value))


def _escape_surrogates(text: str) -> str:
    # A reply may hold "\ud800": legal in JSON as an escape, impossible in UTF-8.
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
