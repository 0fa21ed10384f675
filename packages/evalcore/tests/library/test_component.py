"""What prompt.md and component_catalog.json say, and how their mistakes are told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evalcore.errors import ComponentError
from evalcore.library.catalog import CatalogEntry, parse_catalog
from evalcore.library.front_matter import parse_prompt_file

FRONT = "---\nname: demo\nversion: 1.2.0\n---\n"


def prompt_of(body: str) -> str:
    return parse_prompt_file(FRONT + body, "prompt.md").prompt


# prompt.md


def test_prompt_is_all_below_its_heading() -> None:
    body = "# Demo\n\nAbout it.\n\n## Prompt\n\nDo this.\n\n## Prompt\n\n### Then\n\nthat.\n\n"
    assert prompt_of(body) == "Do this.\n\n## Prompt\n\n### Then\n\nthat."


@pytest.mark.parametrize(
    "heading", ["## Prompts", "### Prompt", "## prompt", " ## Prompt", "## Prompt:", "text ## Prompt"]
)
def test_only_the_exact_heading_counts(heading: str) -> None:
    assert prompt_of(f"Before.\n{heading}\nAfter.") == f"Before.\n{heading}\nAfter."


def test_without_the_heading_the_whole_body_is_the_prompt() -> None:
    assert prompt_of("\nDo this.\n---\nAnd that.\n") == "Do this.\n---\nAnd that."


def test_windows_line_ends_and_other_breaks_in_a_line_are_no_matter() -> None:
    file = parse_prompt_file(
        (FRONT + "About.\n## Prompt\nDo this.\nNow.\n").replace("\n", "\r\n"), "prompt.md"
    )
    assert (file.name, file.version, file.prompt) == ("demo", "1.2.0", "Do this.\r\nNow.")
    assert prompt_of("About\u2028## Prompt\u2028this") == "About\u2028## Prompt\u2028this"


def test_front_matter_gives_name_version_and_category() -> None:
    front = (
        "# a comment\nname: 'demo'\nversion: 2.0.0-rc.1+b5\ncategory: review\ntags: [a, b]\nextra: {x: 1}\n"
    )
    text = f"---\n{front}---\nDo.\n"
    file = parse_prompt_file(text, "prompt.md")
    assert (file.name, file.version, file.category) == ("demo", "2.0.0-rc.1+b5", "review")
    assert parse_prompt_file(FRONT + "Do.", "prompt.md").category is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Do this.", "p.md:1: has no front matter"),
        ("", "p.md:1: has no front matter"),
        ("---\nname: x\nversion: 1.0.0\nDo this.", "p.md:1: the front matter has no end"),
        ("---\n---\nDo.", "p.md:1: the front matter holds no"),
        ("---\n- a\n---\nDo.", "p.md:1: the front matter holds no"),
        ("---\nname: x\n---\nDo.", "p.md:1: the front matter has no `version`"),
        ("---\nversion: 1.0.0\n---\nDo.", "p.md:1: the front matter has no `name`"),
        ("---\nversion: 1.0.0\nname:\n---\nDo.", "p.md:3: the front matter has no `name`"),
        ("---\nversion: 1.0.0\nname: [x]\n---\nDo.", "p.md:3: the front matter has no `name`"),
        ("---\nname: x\nversion: 1.0\n---\nDo.", "p.md:3: the version `1.0` is not a semantic version"),
        ("---\nname: x\nversion: v1.0.0\n---\nDo.", "p.md:3: the version `v1.0.0` is not"),
        ("---\nname: x\nversion: 1.0.0\na: [b\n---\nDo.", "p.md:4: is not YAML"),
        ("---\nname: x\nname: y\nversion: 1.0.0\n---\nDo.", "p.md:3: the key `name` stands twice"),
        ("---\nname: x\n\tversion: 1.0.0\n---\nDo.", "p.md:3: is not YAML"),
        ("---\nname: x\nversion: *v\n---\nDo.", "p.md:3: nothing is called &v"),
        ("---\nname: x\nversion: 1.0.0\n---\n", "p.md: the prompt is empty"),
        ("---\nname: x\nversion: 1.0.0\n---\nAbout.\n## Prompt\n \n", "p.md: the prompt is empty"),
    ],
)
def test_mistakes_in_prompt_md_are_told_with_their_line(text: str, told: str) -> None:
    with pytest.raises(ComponentError) as error:
        parse_prompt_file(text, "p.md")
    assert error.value.line.startswith(told)
    assert error.value.hint


@pytest.mark.parametrize(
    "front",
    [
        "a: " + "[" * 5_000,
        "a: " + "{a: " * 5_000,
        "a0: &a0 [x, x]\n"
        + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)),
        "a: " + "x" * 300_000,
        "a: " + "9" * 6_000,
        "a: &a [*a]",
    ],
)
@pytest.mark.timeout(20)
def test_hostile_front_matter_is_refused(front: str) -> None:
    with pytest.raises(ComponentError):
        parse_prompt_file(f"---\nname: x\nversion: 1.0.0\n{front}\n---\nDo.", "p.md")


def test_mappings_merged_over_and_over_are_no_matter() -> None:
    merges = "\n".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12))
    text = f"---\nname: x\nversion: 1.0.0\na0: &a0 {{x: 1}}\n{merges}\n---\nDo."
    assert parse_prompt_file(text, "p.md").prompt == "Do."


# component_catalog.json


def entry_of(output: Any, slug: str = "demo") -> CatalogEntry | None:
    catalog = {"components": [{"slug": "other"}, {"slug": "demo", "contracts": {"output": output}}]}
    return parse_catalog(json.dumps(catalog), slug)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("json_object", "json_object"),
        ("json_array", "json_array"),
        ("markdown_checklist", "markdown"),
        ("markdown_review", "markdown"),
        (None, None),
    ],
)
def test_format_of_the_answer(name: str | None, output: str | None) -> None:
    entry = entry_of({"format": name, "schema_path": "components/demo/schema.json"})
    assert entry is not None
    assert entry.output == output
    assert entry.schema_path == "components/demo/schema.json"


@pytest.mark.parametrize(
    ("points", "chosen"),
    [
        (["#"], "#"),
        (["#/$defs/input"], "#/$defs/input"),
        (["#/$defs/input", "#/$defs/output"], "#/$defs/output"),
        (["#/output", "#/$defs/my_output"], "#/output"),
        ([], "#"),
        (None, "#"),
    ],
)
def test_entry_point_of_the_answer(points: list[str] | None, chosen: str) -> None:
    entry = entry_of({"format": "json_object", "schema_entrypoints": points})
    assert entry is not None
    assert entry.entry_point == chosen


def test_component_that_the_catalog_lacks_has_no_entry() -> None:
    assert entry_of({}, slug="unlisted") is None


def test_component_without_a_contract_has_an_empty_entry() -> None:
    catalog = json.dumps({"components": [{"slug": "demo"}]})
    assert parse_catalog(catalog, "demo") == CatalogEntry(output=None, schema_path=None, entry_point="#")


@pytest.mark.parametrize(
    "output",
    [
        {"format": "csv"},
        {"format": 7},
        {"schema_path": 7},
        {"schema_entrypoints": "#"},
        {"schema_entrypoints": [7]},
        {"schema_entrypoints": ["$defs/x"]},
        {"schema_entrypoints": ["#/a", "#/b"]},
        {"schema_entrypoints": ["#/a/output", "#/b/output"]},
        "json_object",
    ],
)
def test_entry_that_cannot_be_used_is_told(output: Any) -> None:
    with pytest.raises(ComponentError, match=r"component_catalog\.json \(demo\): "):
        entry_of(output)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"components": {}}', '{"components": [], "components": []}']
)
def test_broken_catalog_is_told(text: str) -> None:
    with pytest.raises(ComponentError, match=r"component_catalog\.json: "):
        parse_catalog(text, "demo")


def test_slug_that_is_named_twice_is_told() -> None:
    with pytest.raises(ComponentError, match="2 times"):
        parse_catalog(json.dumps({"components": [{"slug": "demo"}, {"slug": "demo"}]}), "demo")
