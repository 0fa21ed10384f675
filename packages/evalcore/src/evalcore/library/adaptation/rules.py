"""What each provider's structured output takes of a JSON Schema, by its documentation of 2026-05 to 2026-08.

- Anthropic: https://platform.claude.com/docs/en/build-with-claude/structured-outputs ("JSON Schema
  limitations"), and what its SDK rewrites (`anthropic.lib._parse._transform`).
- OpenAI: https://platform.openai.com/docs/guides/structured-outputs ("Supported schemas").
- Google: the description of `responseJsonSchema` in the discovery document of v1beta.
"""

from __future__ import annotations

from typing import Final, Literal

from evalcore.structs import Frozen

SchemaDialect = Literal["anthropic", "openai", "google"]
"""Whose structured output is asked; `openai` is OpenAI's own service, no server that is like it."""

_ALL: Final = frozenset({"$defs", "$ref", "type", "title", "description", "enum", "anyOf", "format"})
_ALL_OBJECTS: Final = frozenset({"properties", "required", "additionalProperties", "items"})
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)


class Rules(Frozen, frozen=True):
    """One provider's rules."""

    keywords: frozenset[str]
    """Those that are sent; others are left out, and said."""
    formats: frozenset[str] | None
    """Values of `format` that are sent; None: all."""
    is_closed: bool
    """`additionalProperties` has to be false on every object."""
    is_all_required: bool
    """Every property has to be required; an optional one becomes nullable."""
    has_object_root: bool
    """The root has to be an object."""
    most_items_bound: int | None
    """The highest `minItems` that is taken; None: any."""
    has_tools: bool
    """What the schema cannot say is asked for by a forced tool, whose schema is not compiled."""


RULES: Final[dict[SchemaDialect, Rules]] = {
    "anthropic": Rules(
        keywords=_ALL | _ALL_OBJECTS | {"const", "default", "minItems"},
        formats=_FORMATS | {"uri"},
        is_closed=True,
        is_all_required=False,
        has_object_root=True,
        # Only 0 and 1 are compiled.
        most_items_bound=1,
        has_tools=True,
    ),
    "openai": Rules(
        keywords=_ALL
        | _ALL_OBJECTS
        | {"const", "pattern", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
        | {"minItems", "maxItems"},
        formats=_FORMATS,
        is_closed=True,
        is_all_required=True,
        has_object_root=True,
        most_items_bound=None,
        has_tools=False,
    ),
    "google": Rules(
        keywords=_ALL
        | _ALL_OBJECTS
        | {"prefixItems", "minItems", "maxItems", "minimum", "maximum", "propertyOrdering"},
        formats=None,
        is_closed=False,
        is_all_required=False,
        has_object_root=False,
        most_items_bound=None,
        has_tools=False,
    ),
}

MOST_PROPERTIES: Final = 5_000
MOST_LEVELS: Final = 10
MOST_ENUM_VALUES: Final = 1_000
MOST_CHARACTERS: Final = 120_000
"""OpenAI's limits: properties, levels of objects, values of enums, characters of names and of enum values."""
MOST_OPTIONAL: Final = 24
MOST_UNIONS: Final = 16
"""Anthropic's limits for a schema that is compiled: optional parameters, parameters of several types."""
