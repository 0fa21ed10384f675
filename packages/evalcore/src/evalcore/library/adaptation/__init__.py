"""What a provider's structured output takes of a schema: it is rewritten, and that undone in answers."""

from evalcore.library.adaptation.adapt import (
    AdaptedSchema,
    SchemaDialect,
    SchemaNotTaken,
    adapt_schema,
    as_forced_tool,
)
from evalcore.library.adaptation.undo import undo_adaptation

__all__ = [
    "AdaptedSchema",
    "SchemaDialect",
    "SchemaNotTaken",
    "adapt_schema",
    "as_forced_tool",
    "undo_adaptation",
]
