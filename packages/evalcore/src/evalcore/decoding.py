"""Decoding into types: the one door to what msgspec builds of a type when it is first used.

msgspec 0.22 is not safe there: it shows the description of a Struct to other threads before it is whole, and
a second thread that decodes into the same type, or one that holds it, ends the process (SIGSEGV). So the
descriptions are built one at a time here; a description that is whole is safe for all threads.
"""

from __future__ import annotations

import threading
from typing import Any, Final, TypeAlias, TypeVar, overload

import msgspec

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
