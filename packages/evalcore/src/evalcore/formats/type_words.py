"""What msgspec says of a value that does not fit, in the words of those who write files."""

from __future__ import annotations

import re
from typing import Final

_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
}
"""What msgspec calls the types of values, in words."""
_BOUNDS: Final = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}

_EXPECTED: Final = re.compile(r"^Expected `([a-z |]+)`(?: (>=|<=|>|<) ([0-9.e+-]+))?")


def in_type_words(what: str) -> str:
    """Put what was expected and what is there into words."""
    what = _EXPECTED.sub(lambda found: f"it should be {_kinds(found[1])}{_bound(found)}", what)
    what = re.sub(r", got `([a-z |]+)`$", lambda found: f", and is {_kinds(found[1])}", what)
    return re.sub(r"^Invalid enum value '(.*)'$", r"`\1` is not one of its values", what)


def _kinds(names: str) -> str:
    return " or ".join(_KINDS.get(name, name) for name in names.split(" | "))


def _bound(expected: re.Match[str]) -> str:
    return f" {_BOUNDS[expected[2]]} {float(expected[3]):g}" if expected[2] else ""
