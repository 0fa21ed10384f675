"""Our part of the navigation in mkdocs.yml: put there, renewed, and nothing else touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tests.made_sites import hostile, small

from evalcore.reports.pages.mkdocs import navigation, with_navigation

SITE, HOSTILE = small(), hostile()
LINES = st.lists(
    st.sampled_from(["  - Home: index.md", "  # a comment", "", "  - More:", "      - x: y.md"]), max_size=8
)


def test_it_is_yaml_whatever_models_are_called() -> None:
    (ours,) = YAML(typ="safe", pure=True).load(navigation(HOSTILE))
    (models,) = [one["By model"] for one in ours["Evaluations"] if "By model" in one]
    assert '<script>alert("model")</script>' in [next(iter(one)) for one in models]


@given(LINES)
def test_what_stood_there_stays_and_twice_is_once(lines: list[str]) -> None:
    config = "site_name: x\nnav:\n" + "".join(f"{line}\n" for line in lines) + "extra:\n  a: 1\n"
    once = with_navigation(config, SITE)
    assert with_navigation(once, SITE) == once
    for line in filter(None, lines):
        assert line in once.splitlines()
    assert once.startswith("site_name: x\nnav:\n")
    assert once.endswith("extra:\n  a: 1\n")
    assert once.count("- Evaluations:") == 1


@pytest.mark.parametrize("indent", ["", "  ", "    "])
def test_it_stands_as_deep_as_its_neighbours(indent: str) -> None:
    config = f"nav:\n{indent}- Home: index.md\n"
    written = with_navigation(config, SITE)
    assert f"\n{indent}- Evaluations:\n" in written
    assert len(YAML(typ="safe", pure=True).load(written)["nav"]) == 2


def test_one_of_another_library_is_replaced() -> None:
    config = "nav:\n  - Home: index.md\n"
    assert with_navigation(with_navigation(config, HOSTILE), SITE) == with_navigation(config, SITE)


def test_without_a_navigation_nothing_is_put_there() -> None:
    assert with_navigation("site_name: x\n", SITE) == "site_name: x\n"


def test_a_last_line_without_an_end_is_no_trouble() -> None:
    assert with_navigation("nav:\n  - Home: index.md", SITE).startswith(
        "nav:\n  - Home: index.md\n  - Evaluations:"
    )
