"""The one way we write JSON that is kept: the same contents give the same bytes on every Python."""

from __future__ import annotations

import hashlib
import json
import re

from evalcore.structs import JsonObject, JsonValue

SIGNIFICANT_DIGITS = 9
_INDENTED = json.JSONEncoder(indent=2, ensure_ascii=False, allow_nan=False)
_SURROGATE = re.compile("[\ud800-\udfff]")


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
