"""prompt.md: its YAML front matter, and the prompt in its body."""

from __future__ import annotations

from evalcore.errors import ComponentError, Problems
from evalcore.formats.versions import parse_version
from evalcore.formats.yaml_tree import YamlNode, read_yaml
from evalcore.near_names import did_you_mean
from evalcore.structs import Frozen

PROMPT_HEADING = "## Prompt"
_FENCE = "---"


class PromptFile(Frozen, frozen=True):
    """A parsed prompt.md."""

    name: str
    version: str
    category: str | None
    prompt: str


def parse_prompt_file(text: str, where: str) -> PromptFile:
    """Parse prompt.md; raises ComponentError with file and line.

    The prompt is all that follows the first line equal to `## Prompt`, to the end of the file, stripped;
    with no such line, the whole body.
    """
    # Not splitlines(), which also ends lines at a form feed or U+2028: the prompt would be put together
    # otherwise than it is written, and lines in messages would be counted wrong.
    lines = text.split("\n")
    end = _end_of_front_matter(lines, where)
    front = read_yaml("\n".join(lines[1:end]), where, ComponentError, first_line=2)
    if front is None or not isinstance(front.value, dict):
        raise ComponentError(
            "the front matter holds no `name` and `version`",
            where=f"{where}:1",
            hint="write them between the `---`",
        )
    problems = Problems(ComponentError)
    name = version = ""
    with problems:
        name = _required(front, "name", where)
    with problems:
        version = _version(front, where)
    prompt = _prompt_of(lines[end + 1 :])
    if not prompt:
        hint = f"write it below `{PROMPT_HEADING}`"
        problems.add([ComponentError("the prompt is empty", where=where, hint=hint)])
    problems.end()
    category = front.items().get("category")
    named = category.text if category is not None else None
    return PromptFile(name=name, version=version, category=named, prompt=prompt)


def _end_of_front_matter(lines: list[str], where: str) -> int:
    if lines[0].rstrip() != _FENCE:
        raise ComponentError(
            "has no front matter", where=f"{where}:1", hint="begin it with `---`, name, version, `---`"
        )
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _FENCE:
            return number
    raise ComponentError("the front matter has no end", where=f"{where}:1", hint="close it with a line `---`")


def _prompt_of(body: list[str]) -> str:
    # Windows line ends are the file's, not the heading's.
    for number, line in enumerate(body):
        if line.removesuffix("\r") == PROMPT_HEADING:
            return "\n".join(body[number + 1 :]).strip()
    return "\n".join(body).strip()


def _required(front: YamlNode, key: str, where: str) -> str:
    node = front.items().get(key)
    if node is None or not node.text or not node.text.strip() or node.value is None:
        mistyped = [known for known in front.items() if did_you_mean(known, [key])] if node is None else []
        line = node.line if node is not None else front.items()[mistyped[0]].line if mistyped else 1
        hint = f"write `{key}: ...`" + (f" for `{mistyped[0]:.60}`" if mistyped else "")
        raise ComponentError(f"the front matter has no `{key}`", where=f"{where}:{line}", hint=hint)
    # The text as written: YAML would take the version 1.10 for the number 1.1.
    return node.text


def _version(front: YamlNode, where: str) -> str:
    version = _required(front, "version", where)
    if parse_version(version) is None:
        line = front.items()["version"].line
        shown = version[:40]
        raise ComponentError(
            f"the version `{shown}` is not a semantic version",
            where=f"{where}:{line}",
            hint="write e.g. `1.2.0`",
        )
    return version


def written_version(text: str, where: str) -> str | None:
    """Return the version that a prompt.md's front matter writes, be it a version or not; None without one.

    Whatever else is wrong with the file is of no importance here. Raises ComponentError where the front
    matter cannot be read.
    """
    # Read apart from `parse_prompt_file`: between two commits a version can rise in a file whose prompt is
    # broken.
    lines = text.split("\n")
    end = _end_of_front_matter(lines, where)
    front = read_yaml("\n".join(lines[1:end]), where, ComponentError, first_line=2)
    node = front.items().get("version") if front is not None else None
    return node.text.strip() or None if node is not None and node.text is not None else None
