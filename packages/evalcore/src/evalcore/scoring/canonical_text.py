"""A value as one text, without recursion: equal for equal values, however deep they are nested."""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii

from evalcore.structs import JsonScalar, JsonValue

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def canonical_text(value: JsonValue) -> str:
    """Write compact JSON with sorted keys.

    1, 1.0 and true are three values, as they are to ANLS*, which compares their texts. Unlike
    `strict_json.fingerprint` it never fails: a model's reply may be nested thousands deep.
    """
    try:
        # The same text, many times as fast.
        return _ENCODER.encode(value)
    except (RecursionError, ValueError):  # nested too deep for it, or over 4300 digits
        return _text_without_recursion(value)


def _text_without_recursion(value: JsonValue) -> str:
    parts: list[str] = []
    # What is still to be written, the next one last; a `str` in a tuple is written as it stands.
    pending: list[JsonValue | tuple[str]] = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, tuple):
            parts.append(part[0])
        elif isinstance(part, list):
            _open_list(part, pending)
        elif isinstance(part, dict):
            _open_dict(part, pending)
        else:
            parts.append(scalar_text(part))
    return "".join(parts)


def _open_list(items: list[JsonValue], pending: list[JsonValue | tuple[str]]) -> None:
    # What comes last goes on the stack first.
    pending.append(("]",))
    for at in range(len(items) - 1, -1, -1):
        pending.append(items[at])
        pending.append(("," if at else "[",))
    if not items:
        pending.append(("[",))


def _open_dict(fields: dict[str, JsonValue], pending: list[JsonValue | tuple[str]]) -> None:
    pending.append(("}",))
    keys = sorted(fields)
    for at in range(len(keys) - 1, -1, -1):
        pending.append(fields[keys[at]])
        pending.append((f"{',' if at else '{'}{json.dumps(keys[at])}:",))
    if not keys:
        pending.append(("{",))


def scalar_text(value: JsonScalar) -> str:
    """Write one scalar."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)  # what json.dumps comes to, in a third of the time
    try:
        return json.dumps(value)
    except ValueError:
        # Python writes over 4300 digits in no decimal; in hexadecimal it takes linear time.
        return hex(value) if isinstance(value, int) else repr(value)
