"""component_catalog.json: the answer's format and schema, and what readers are told."""

from __future__ import annotations

import json

import pytest

from evalcore.errors import ComponentError
from evalcore.library.catalog import CatalogEntry, parse_catalog, read_presentation


def catalog(*entries: object) -> str:
    return json.dumps({"components": entries})


def memo(**output: object) -> dict[str, object]:
    return {"slug": "memo", "version": "1.0.0", "contracts": {"output": output}}


def entry(**output: object) -> CatalogEntry | None:
    return parse_catalog(catalog({"slug": "other"}, memo(**output)), "memo")


def refused(text: str) -> str:
    with pytest.raises(ComponentError) as caught:
        parse_catalog(text, "memo")
    return caught.value.line


def test_a_component_that_the_catalog_lacks_has_no_entry() -> None:
    assert parse_catalog(catalog({"slug": "other"}), "memo") is None


def test_what_it_does_not_say_has_a_default() -> None:
    assert parse_catalog(catalog({"slug": "memo"}), "memo") == CatalogEntry(None, None, "#")


@pytest.mark.parametrize(
    ("written", "output"),
    [
        ("json_object", "json_object"),
        ("json_array", "json_array"),
        ("json", "json"),
        ("markdown", "markdown"),
        ("markdown_report", "markdown"),
        (None, None),
    ],
)
def test_formats_are_json_or_markdown(written: str | None, output: str | None) -> None:
    found = entry(format=written)
    assert found is not None
    assert found.output == output


@pytest.mark.parametrize(
    ("points", "entry_point"),
    [
        (None, "#"),
        ([], "#"),
        (["#/$defs/answer"], "#/$defs/answer"),
        (["#/$defs/input", "#/$defs/output"], "#/$defs/output"),
    ],
)
def test_of_several_entry_points_the_one_that_is_called_output_counts(
    points: list[str] | None, entry_point: str
) -> None:
    found = entry(schema_entrypoints=points, schema_path="schema.json")
    assert found == CatalogEntry(None, "schema.json", entry_point, "1.0.0")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "is not JSON"),
        ("[]", "has no list `components`"),
        ('{"components": {}}', "has no list `components`"),
        (catalog(memo(), memo()), "names `memo` 2 times"),
        (catalog({"slug": "memo", "contracts": []}), "`contracts` is not an object"),
        (catalog(memo(format="xml")), "the format `xml` is unknown"),
        (catalog(memo(format=["json"])), "is unknown"),
        (catalog(memo(schema_path="")), "`schema_path` is not a path"),
        (catalog(memo(schema_entrypoints="#")), "`schema_entrypoints` is not a list"),
        (catalog(memo(schema_entrypoints=["output"])), "`schema_entrypoints` is not a list"),
        (
            catalog(memo(schema_entrypoints=["#/a", "#/b"])),
            "0 of several `schema_entrypoints` end in `output`",
        ),
        (
            catalog(memo(schema_entrypoints=["#/a/output", "#/b/output"])),
            "2 of several `schema_entrypoints` end in `output`",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(text: str, what: str) -> None:
    assert what in refused(text)


def test_readers_are_told_what_is_there_as_text() -> None:
    text = json.dumps(
        {
            "repo": {"name": " Prompts ", "slug": "org/prompts"},
            "components": [
                {"slug": "memo", "summary": "Reads memos."},
                {"slug": "odd", "summary": 7},
                {"slug": "blank", "summary": "  "},
                "none",
            ],
        }
    )
    found = read_presentation(text)
    assert (found.name, found.repository) == ("Prompts", "org/prompts")
    assert found.summaries == {"memo": "Reads memos."}


@pytest.mark.parametrize("text", ["[]", "{}", '{"repo": [], "components": {}}', '{"repo": {"name": 1}}'])
def test_readers_are_told_nothing_that_is_not_there(text: str) -> None:
    found = read_presentation(text)
    assert (found.name, found.repository, found.summaries) == (None, None, {})
