"""The base Structs and the JSON types: everything that crosses a boundary is one of these.

A Struct says `class Name(Frozen, frozen=True)`: type checkers do not see the inherited `frozen`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

JsonScalar: TypeAlias = bool | int | float | str | None
if TYPE_CHECKING:
    JsonValue: TypeAlias = "JsonScalar | list[JsonValue] | dict[str, JsonValue]"
else:
    # msgspec cannot decode into a recursive alias; what it decodes from JSON is a JsonValue anyway.
    JsonValue = Any
JsonObject: TypeAlias = dict[str, JsonValue]


class Frozen(msgspec.Struct, frozen=True):
    """What we hold and what others send us: unknown fields are passed over."""


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people write for us (configuration, requests): an unknown field is their mistake."""
