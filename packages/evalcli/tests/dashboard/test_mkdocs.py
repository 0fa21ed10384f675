"""Pages for MkDocs: where they go, the navigation, and a site that it builds strictly of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsim.testing import make_scored_record, write_component, write_leaderboard

Evalcli = Callable[..., Any]
ROOT = Path(__file__).parents[4]
MKDOCS = ROOT / ".venv" / "mkdocs" / "bin" / "mkdocs"
CONFIG = """\
site_name: A library
theme:
  name: material
  features: [navigation.instant, navigation.tabs]
markdown_extensions:
  - attr_list
  - md_in_html
  - pymdownx.snippets
  - pymdownx.superfences:
      custom_fences:
        - name: mermaid
          class: mermaid
          format: !!python/name:pymdownx.superfences.fence_code_format
nav:
  - Home: index.md
  # the end

extra:
  social: []
"""
OURS = "  - Evaluations:\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    write_component(root, "memo", cases={"one": {"amount": 1}})
    hostile = "--8<-- 'index.md' <script>alert(1)</script> ```"
    write_leaderboard(
        root / "components/memo/leaderboard.json",
        make_scored_record(1, [0.9, 0.8, 0.9]),
        make_scored_record(2, [0.4, 0.5, 0.4], model=hostile),
    )
    (root / "docs").mkdir()
    (root / "docs/index.md").write_text("# Home\n")
    (root / "mkdocs.yml").write_text(CONFIG)
    return root


@pytest.mark.parametrize("named", [".", "docs"])
def test_pages_go_among_the_sites_own_and_into_its_navigation(
    evalcli: Evalcli, library: Path, named: str
) -> None:
    ended = evalcli("dashboard", "--prompt-library", library, "--mkdocs", library / named)
    assert (ended.code, ended.err) == (0, "")
    pages = library / "docs/evaluations"
    names = {path.relative_to(pages).as_posix() for path in pages.rglob("*.md")}
    assert {"index.md", "components/memo.md", "history/memo.md", "failures/memo.md", "figures.md"} <= names
    assert {"index.json", "data/rankings.csv"} <= {
        path.relative_to(pages).as_posix() for path in pages.rglob("*") if path.is_file()
    }
    config = (library / "mkdocs.yml").read_text()
    before, _, after = config.partition(OURS)
    assert before == CONFIG.partition("\nextra:")[0]
    assert after.endswith("\nextra:\n  social: []\n")
    linked = set(re.findall(r'"evaluations/([^"]*\.md)"', after))
    assert linked == names


def test_written_again_nothing_changes(evalcli: Evalcli, library: Path) -> None:
    evalcli("dashboard", "--prompt-library", library, "--mkdocs", library)
    config = (library / "mkdocs.yml").read_text()
    again = evalcli("dashboard", "--prompt-library", library, "--mkdocs", library / "docs")
    assert "0 files written" in again.out
    assert (library / "mkdocs.yml").read_text() == config


def test_a_component_that_is_gone_leaves_the_navigation(evalcli: Evalcli, library: Path) -> None:
    write_component(library, "other", cases={"one": {"amount": 1}})
    evalcli("dashboard", "--prompt-library", library, "--mkdocs", library)
    assert '"other"' in (library / "mkdocs.yml").read_text()
    shutil.rmtree(library / "components/other")
    evalcli("dashboard", "--prompt-library", library, "--mkdocs", library)
    config = (library / "mkdocs.yml").read_text()
    assert '"other"' not in config
    assert config.count(OURS) == 1
    assert not (library / "docs/evaluations/components/other.md").exists()


def test_a_navigation_that_mkdocs_finds_by_itself_is_left_alone(evalcli: Evalcli, library: Path) -> None:
    (library / "mkdocs.yml").write_text("site_name: A library\ndocs_dir: pages  # ours\n")
    (library / "pages").mkdir()
    assert evalcli("dashboard", "--prompt-library", library, "--mkdocs", library).code == 0
    assert (library / "mkdocs.yml").read_text() == "site_name: A library\ndocs_dir: pages  # ours\n"
    assert (library / "pages/evaluations/index.md").is_file()


def test_where_pages_have_no_folders_links_are_of_files(evalcli: Evalcli, library: Path) -> None:
    evalcli("dashboard", "--prompt-library", library, "--mkdocs", library)
    assert 'href="components/memo/"' in (library / "docs/evaluations/index.md").read_text()
    (library / "mkdocs.yml").write_text(f"use_directory_urls: false\n{CONFIG}")
    evalcli("dashboard", "--prompt-library", library, "--mkdocs", library)
    assert 'href="components/memo.html"' in (library / "docs/evaluations/index.md").read_text()


def test_a_folder_of_no_site_gets_the_pages_and_a_word(
    evalcli: Evalcli, library: Path, tmp_path: Path
) -> None:
    (tmp_path / "pages").mkdir()
    ended = evalcli("dashboard", "--prompt-library", library, "--mkdocs", tmp_path / "pages")
    assert ended.code == 0
    assert "evaluations/index.md is the first page" in ended.err
    assert (tmp_path / "pages/evaluations/index.md").is_file()


@pytest.mark.parametrize("options", [[], ["--out", "a", "--mkdocs", "."]])
def test_one_place_is_named(evalcli: Evalcli, library: Path, options: list[str]) -> None:
    ended = evalcli("dashboard", "--prompt-library", library, *options)
    assert ended.code == 2
    assert "--mkdocs" in ended.err


@pytest.mark.timeout(300)
def test_mkdocs_builds_it_strictly_and_every_link_leads_somewhere(evalcli: Evalcli, library: Path) -> None:
    if not MKDOCS.is_file():
        if os.environ.get("EVALUATOR_REQUIRE") == "all":
            pytest.fail("MkDocs is required here (EVALUATOR_REQUIRE=all): make test")
        pytest.skip("needs MkDocs, which make test fetches")
    evalcli("dashboard", "--prompt-library", library, "--mkdocs", library / "docs")
    built = subprocess.run(
        [MKDOCS, "build", "--strict"], cwd=library, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    site = library / "site/evaluations"
    pages = {path: path.read_text() for path in site.rglob("*.html")}
    assert site / "components/memo/index.html" in pages
    for path, page in pages.items():
        (own,) = re.findall(r'<div class="evaluations">.*', page, re.DOTALL)
        own = own.partition("</article>")[0]
        assert "<script>alert" not in own
        assert own.count("# Home") == 0
        for address in re.findall(r'(?:href|src)="([^"]+)"', own):
            if address.startswith(("https://", "#")):
                continue
            target = (path.parent / address.partition("#")[0]).resolve()
            assert (target / "index.html" if target.is_dir() else target).is_file(), (path, address)
