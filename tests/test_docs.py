"""What the pages name is there: files, folders, modules, and the headings that links lead to."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OURS = (".ci/", ".github/", "benchmarks/", "docker/", "docs/", "packages/", "tests/")
MADE_BY_THE_READER = ("docker/.env", "docker/secrets")
"""What the operator makes, which no commit holds."""


@pytest.fixture(scope="module")
def tracked() -> frozenset[str]:
    """Every file and folder of the repository, with a leading slash."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    files = [Path("/", name) for name in listed if name and (ROOT / name).exists()]
    return frozenset(str(path) for file in files for path in (file, *file.parents))


def named_paths(text: str, *, folders: bool) -> Iterator[str]:
    """Modules wherever they stand, and in backticks whatever begins with a folder of ours.

    With `folders`, `clients/` in backticks is a folder somewhere in a package too.
    """
    yield from re.findall(r"(?<![\w./*<-])[\w./-]*\w\.(?:py|sh)\b", text)
    for quoted in re.findall(r"`([^`\s]+)`", text):
        if (quoted.startswith(OURS) and not re.search(r"[<>*$]", quoted)) or (
            folders and re.fullmatch(r"[\w/]+/", quoted)
        ):
            yield quoted.rstrip("/")


def is_there(name: str, tracked: frozenset[str]) -> bool:
    """Whether a path is one from the root, or the end of one: `git/command.py` is in one package."""
    if name.startswith(MADE_BY_THE_READER):
        return True
    whole = "/" + name.removeprefix("./")
    return whole in tracked or any(path.endswith(whole) for path in tracked)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_page_names_is_there(page: Path, tracked: frozenset[str]) -> None:
    text = page.read_text("utf-8")
    missing = {
        name
        for name in named_paths(text, folders=page.name == "ARCHITECTURE.md")
        if not is_there(name, tracked)
    }
    assert not missing


def test_paths_that_are_not_there_are_found(tracked: frozenset[str]) -> None:
    text = (
        "see `scoring/no_such.py`, `docs/none.md` and `nothing/`; but `docs/security.md` and git/command.py"
    )
    found = [name for name in named_paths(text, folders=True) if not is_there(name, tracked)]
    assert sorted(found) == ["docs/none.md", "nothing", "scoring/no_such.py"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_that_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(r"`((?:evalcore|evalhook|evalcli|evalsim)(?:\.\w+)+)`", page.read_text("utf-8")))
    assert {name for name in named if not _is_module(name)} == set()


def _is_module(name: str) -> bool:
    """Whether it is a module, or something that a module holds."""
    above, _, last = name.rpartition(".")
    if importlib.util.find_spec(name.split(".", maxsplit=1)[0]) is None:
        return False
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return hasattr(importlib.import_module(above), last)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        if ":" in path:
            continue
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
            }, target


def test_every_type_that_the_glossary_names_is_there() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in ROOT.glob("packages/*/src/**/*.py"))
    named = set(re.findall(r"`([A-Z]\w+)`", (ROOT / "docs" / "glossary.md").read_text("utf-8"))) - {"SKILL"}
    assert len(named) > 30
    missing = {
        name for name in named if not re.search(rf"^(class )?{name}\b(\(|:| =)", sources, re.MULTILINE)
    }
    assert not missing


def test_one_name_is_one_class_in_all_that_a_program_is_made_of() -> None:
    """The simulated outside is a world of its own: its issues, pulls and answers are called as outside."""
    found = Counter(
        name
        for package in ("evalcore", "evalhook", "evalcli")
        for path in ROOT.glob(f"packages/{package}/src/**/*.py")
        for name in re.findall(r"^class ([A-Z]\w*)", path.read_text("utf-8"), re.MULTILINE)
    )
    assert len(found) > 200
    assert [name for name, count in found.items() if count > 1] == []


def test_every_word_of_the_glossary_stands_there_once() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\*", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(words) == len(set(words)) > 50


def test_the_readme_stays_a_page() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 100
