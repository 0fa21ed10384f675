"""component_catalog.json: what the prompt library says of a component's answer."""

from __future__ import annotations

import msgspec

from evalcore.errors import ComponentError, Problems
from evalcore.formats.strict_json import parse_json
from evalcore.library.component import OutputFormat
from evalcore.structs import Frozen, JsonObject, JsonValue

CATALOG_PATH = "component_catalog.json"
REMAKE_CATALOG = "correct it there, or run the library's own script for it; evalcli only reads it"
ROOT = "#"


class CatalogEntry(Frozen, frozen=True):
    """What the catalog says of one component."""

    output: OutputFormat | None
    """None where it names no format."""
    schema_path: str | None
    """From the root of the prompt library."""
    entry_point: str
    """Where in that schema the answer's schema is: `#`, or `#/` and a JSON pointer."""
    version: str | None = None
    """As the catalog repeats it from prompt.md; None where it does not."""


class CatalogPresentation(Frozen, frozen=True):
    """What the catalog says to readers."""

    name: str | None = None
    """Of the library."""
    repository: str | None = None
    """On GitHub: owner/name, unchecked."""
    summaries: dict[str, str] = msgspec.field(default_factory=dict)
    """What each component is for, by slug."""


def parse_catalog(text: str, slug: str, where: str = CATALOG_PATH) -> CatalogEntry | None:
    """Return what the catalog says of a component; None where it lacks it.

    Raises ComponentError, naming the catalog, when it cannot be read or contradicts itself.
    """
    try:
        catalog = parse_json(text)
    except ValueError as error:
        raise ComponentError(f"is not JSON: {error}", where=where, hint="mend or remove it") from None
    components = catalog.get("components") if isinstance(catalog, dict) else None
    if not isinstance(components, list):
        raise ComponentError("has no list `components`", where=where, hint="mend or remove it")
    entries = [entry for entry in components if isinstance(entry, dict) and entry.get("slug") == slug]
    # Which of them counts would depend on the order in the file, and with it the schema that answers must
    # obey.
    if len(entries) > 1:
        raise ComponentError(f"names `{slug}` {len(entries)} times", where=where, hint="keep one")
    return _entry(entries[0], f"{where} ({slug})") if entries else None


def read_presentation(text: str) -> CatalogPresentation:
    """Return what the catalog says to readers; what it does not say, or not as a text, is left out.

    Raises ValueError where it is not JSON.
    """
    catalog = parse_json(text)
    found = catalog if isinstance(catalog, dict) else {}
    repo, components = found.get("repo"), found.get("components")
    entries = (
        [entry for entry in components if isinstance(entry, dict)] if isinstance(components, list) else []
    )
    # For readers only: what is missing or wrong there must keep no dashboard from being written.
    return CatalogPresentation(
        name=_text(repo, "name"),
        repository=_text(repo, "slug"),
        summaries={
            slug: summary
            for entry in entries
            if (slug := _text(entry, "slug")) is not None and (summary := _text(entry, "summary")) is not None
        },
    )


def _text(value: JsonValue, key: str) -> str | None:
    text = value.get(key) if isinstance(value, dict) else None
    return text.strip() or None if isinstance(text, str) else None


def _entry(entry: JsonObject, where: str) -> CatalogEntry:
    problems = Problems(ComponentError)
    output: JsonObject = {}
    with problems:
        output = _object(_object(entry, "contracts", where), "output", where)
    path = output.get("schema_path")
    if path is not None and (not isinstance(path, str) or not path):
        problems.add(
            [ComponentError("`schema_path` is not a path", where=where, hint="write a path or null")]
        )
        path = None
    form, point = None, ROOT
    with problems:
        form = _output_format(output.get("format"), where)
    with problems:
        point = _entry_point(output.get("schema_entrypoints"), where)
    problems.end()
    version = entry.get("version")
    return CatalogEntry(
        output=form,
        schema_path=path,
        entry_point=point,
        version=version if isinstance(version, str) else None,
    )


def _object(parent: JsonObject, key: str, where: str) -> JsonObject:
    child = parent.get(key)
    if child is None:
        return {}
    if not isinstance(child, dict):
        raise ComponentError(f"`{key}` is not an object", where=where, hint="mend it")
    return child


def _output_format(name: JsonValue, where: str) -> OutputFormat | None:
    if name is None:
        return None
    # Libraries name kinds of Markdown (`markdown_report`); all are scored as Markdown.
    if name in ("json_object", "json_array", "json"):
        return name  # type: ignore[return-value]  # one of the literals, by the line above
    if isinstance(name, str) and (name == "markdown" or name.startswith("markdown_")):
        return "markdown"
    shown = str(name)[:40]
    raise ComponentError(
        f"the format `{shown}` is unknown", where=where, hint="use json_object, json_array or markdown_*"
    )


def _entry_point(points: JsonValue, where: str) -> str:
    if points is None or points == []:
        return ROOT
    if not isinstance(points, list) or not all(isinstance(p, str) and p.startswith(ROOT) for p in points):
        raise ComponentError("`schema_entrypoints` is not a list of `#...`", where=where, hint="mend it")
    names = [str(point) for point in points]
    if len(names) == 1:
        return names[0]
    # A component's schema file may describe its input beside its answer.
    outputs = [name for name in names if name.rpartition("/")[2] == "output"]
    if len(outputs) != 1:
        raise ComponentError(
            f"{len(outputs)} of several `schema_entrypoints` end in `output`",
            where=where,
            hint="name just one so",
        )
    return outputs[0]
