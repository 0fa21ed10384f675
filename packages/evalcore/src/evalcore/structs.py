"""The base Structs and the JSON types: everything that crosses a boundary is one of these."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

JsonScalar: TypeAlias = None | bool | int | float | str
JsonValue: TypeAlias = "JsonScalar | list[JsonValue] | dict[str, JsonValue]"
JsonObject: TypeAlias = "dict[str, JsonValue]"


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """What we hold and what others send us: unknown fields are passed over."""


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people write for us (configuration, requests): an unknown field is their mistake."""
