"""Decoding into types: the one door to what msgspec builds of a type when it is first used.

msgspec 0.22 is not safe there: it shows the description of a Struct to other threads before it is whole, and
a second thread that decodes into the same type, or one that holds it, ends the process (SIGSEGV). So the
descriptions are built one at a time here; a description that is whole is safe for all threads.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Final, TypeAlias, TypeVar, overload

import msgspec

from evalcore.errors import MOST_PROBLEMS

Decoded = TypeVar("Decoded")
Data: TypeAlias = bytes | bytearray | memoryview | str | msgspec.Raw

_building: Final = threading.Lock()
_decoders: Final[dict[object, msgspec.json.Decoder[Any]]] = {}


@overload
def json_decoder(kind: type[Decoded]) -> msgspec.json.Decoder[Decoded]: ...
@overload
def json_decoder(kind: object) -> msgspec.json.Decoder[Any]: ...
def json_decoder(kind: object) -> msgspec.json.Decoder[Any]:
    """Return the decoder of JSON for a type, made once in a process."""
    found = _decoders.get(kind)
    if found is None:
        with _building:
            found = _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    return found


@overload
def decode_json(data: Data, kind: type[Decoded]) -> Decoded: ...
@overload
def decode_json(data: Data, kind: object) -> Any: ...  # noqa: ANN401 - a union is no type for a checker
def decode_json(data: Data, kind: object) -> object:
    """Return JSON as a value of a type; raises what `clients.dialect.UNREADABLE` lists."""
    return json_decoder(kind).decode(data)


@overload
def convert(value: object, kind: type[Decoded]) -> Decoded: ...
@overload
def convert(value: object, kind: object) -> Any: ...  # noqa: ANN401 - as above
def convert(value: object, kind: object) -> object:
    """Return plain data, as JSON is read, as a value of a type; raises msgspec.ValidationError."""
    json_decoder(kind)  # builds the description, which both share
    return msgspec.convert(value, kind)


_MISSING: Final = re.compile(r"missing required field `(.*)`")
_UNKNOWN: Final = re.compile(r"unknown field `(.*)`")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def convert_mostly(value: object, kind: type[Decoded]) -> tuple[list[str], Decoded | None]:
    """Return all that keeps plain data from being a value of a type, in msgspec's words, and what is left.

    What is wrong is left out of `value`, which is taken apart for it; what is left is None where something
    needful is missing then, or where more is wrong than is told at once.
    """
    said: list[str] = []
    left_out: set[tuple[str, str]] = set()
    while True:
        try:
            return said, convert(value, kind)
        except msgspec.ValidationError as error:
            what, _, path = str(error).partition(" - at `$")
            path = path.removesuffix("`")
            missing = _MISSING.search(what)
            if missing is None or (path, missing[1]) not in left_out:
                said.append(str(error))
            if missing is not None:
                return said, None
            unknown = _UNKNOWN.search(what)
            parent, key = (path, unknown[1]) if unknown else _last_step(path)
            left_out.add((parent, key))
            # Each mistake takes a conversion of the whole.
            if len(said) > MOST_PROBLEMS or not _leave_out(value, parent, key):
                return said, None


def _last_step(path: str) -> tuple[str, str]:
    """Return the mapping that a path leads through last, and the key there: of an element, its list's."""
    steps = [step for step in _STEP.finditer(path) if step[1]]
    return (path[: steps[-1].start()], steps[-1][1]) if steps else ("", "")


def _leave_out(value: object, parent: str, key: str) -> bool:
    """Leave the entry of a mapping out, and return whether it was there."""
    for name, index in _STEP.findall(parent):
        if name and isinstance(value, dict):
            value = value.get(name)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
    if isinstance(value, dict) and key in value:
        del value[key]
        return True
    return False
