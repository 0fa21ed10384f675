"""prompt.md: front matter with name and version, and the prompt below its heading."""

from __future__ import annotations

import pytest

from evalcore.errors import ComponentError
from evalcore.library.front_matter import parse_prompt_file, written_version

WHERE = "components/memo/prompt.md"


def file(*body: str, front: str = "name: memo\nversion: 1.2.0") -> str:
    return "\n".join(("---", front, "---", *body))


def refused(text: str) -> ComponentError:
    with pytest.raises(ComponentError) as caught:
        parse_prompt_file(text, WHERE)
    return caught.value


def test_the_prompt_is_what_follows_its_heading_to_the_end_of_the_file() -> None:
    parsed = parse_prompt_file(file("# Memo", "## Prompt", "", "Read.", "## Prompt", "Answer.", ""), WHERE)
    assert (parsed.name, parsed.version, parsed.category) == ("memo", "1.2.0", None)
    assert parsed.prompt == "Read.\n## Prompt\nAnswer."


def test_without_the_heading_the_whole_body_is_the_prompt() -> None:
    assert (
        parse_prompt_file(file("# Memo", "### Prompt", "Read."), WHERE).prompt == "# Memo\n### Prompt\nRead."
    )


def test_line_ends_of_windows_hide_no_heading() -> None:
    text = file("Before.", "## Prompt", "Read.").replace("\n", "\r\n")
    assert parse_prompt_file(text, WHERE).prompt == "Read."


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("# Memo\n", "has no front matter", ":1"),
        ("", "has no front matter", ":1"),
        ("---\nname: memo\n", "the front matter has no end", ":1"),
        ("---\n---\nRead.", "the front matter holds no `name` and `version`", ":1"),
        ("---\n- a\n---\nRead.", "the front matter holds no `name` and `version`", ":1"),
        (file("Read.", front="version: 1.2.0"), "the front matter has no `name`", ":1"),
        (file("Read.", front="name: memo\nversion:"), "the front matter has no `version`", ":3"),
        (
            file("Read.", front="name: memo\nversion: 1.2"),
            "the version `1.2` is not a semantic version",
            ":3",
        ),
        (file("## Prompt", "  "), "the prompt is empty", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, what: str, line: str) -> None:
    error = refused(text)
    assert (error.what, error.where) == (what, f"{WHERE}{line}")


@pytest.mark.parametrize(
    ("front", "version"),
    [
        ("version: 1.2.0", "1.2.0"),
        ("version: '  '", None),
        ("version: 1.10", "1.10"),
        ("name: memo", None),
        ("", None),
    ],
)
def test_the_version_is_read_as_it_is_written_whatever_else_is_wrong(front: str, version: str | None) -> None:
    assert written_version(file(front=front), WHERE) == version


def test_all_that_is_wrong_is_named_at_once() -> None:
    error = refused("---\nname:\nversion: 1.2\n---\n## Prompt\n")
    assert [one.what for one in error.each] == [
        "the prompt is empty",
        "the front matter has no `name`",
        "the version `1.2` is not a semantic version",
    ]


def test_a_key_that_is_misspelt_is_named_with_its_line() -> None:
    error = refused(file("Prompt.", front="version: 1.2.0\nnmae: memo"))
    assert error.line == f"{WHERE}:3: the front matter has no `name`; write `name: ...` for `nmae`"
