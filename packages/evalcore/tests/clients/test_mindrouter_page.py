"""docs/mindrouter.md names tests, rows and files; all of them exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    return (project_root / "docs" / "mindrouter.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tests(project_root: Path) -> str:
    files = [*project_root.glob("packages/*/tests/**/test_*.py"), *project_root.glob("tests/**/test_*.py")]
    return "\n".join(path.read_text("utf-8") for path in files)


def test_every_test_that_the_page_names_exists(page: str, tests: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", page))
    missing = {name for name in named if f"def {name}(" not in tests}
    assert len(named) > 40
    assert not missing


def test_every_row_that_the_page_names_exists(page: str, tests: str) -> None:
    named = {name.strip() for name in re.findall(r"row: ([^,|…]+)", page)}
    missing = {name for name in named if f'"{name}",' not in tests}
    assert len(named) > 15
    assert not missing


def test_every_file_that_the_page_names_exists(page: str, project_root: Path) -> None:
    folder = project_root / "packages" / "evalcore" / "src" / "evalcore" / "clients"
    named = set(re.findall(r"`([\w/]+\.py)`", page)) - {"test_failures.py"}
    assert {name for name in named if not (folder / name).is_file()} == set()
