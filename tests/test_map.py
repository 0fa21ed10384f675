"""`make map` draws rooms, arrows and circles as they are."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def drawn(project_root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("map_of_packages", project_root / ".ci" / "map.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks its annotations up
    spec.loader.exec_module(module)
    return module


def arrows(**rooms: str) -> dict[str, frozenset[str]]:
    return {room: frozenset(to.split()) for room, to in rooms.items()}


def test_a_room_stands_above_all_that_it_imports(drawn: Any) -> None:
    found = drawn.floors(arrows(web="worker jobs", worker="jobs store", store="jobs", jobs="", alone=""))
    assert found == {"jobs": 0, "alone": 0, "store": 1, "worker": 2, "web": 3}


def test_rooms_that_reach_each_other_are_a_circle_on_one_floor(drawn: Any) -> None:
    rooms = arrows(top="a", a="b", b="c", c="a base", base="")
    assert drawn.circles(rooms) == [("a", "b", "c")]
    assert drawn.floors(rooms) == {"base": 0, "a": 1, "b": 1, "c": 1, "top": 2}


def test_no_circle_is_seen_where_there_is_none(drawn: Any) -> None:
    assert drawn.circles(arrows(a="b c", b="c", c="")) == []


def test_comments_for_tools_do_not_count_but_their_reasons_do(drawn: Any) -> None:
    text = (
        '"""Doc."""\n\nimport os  # noqa: F401\n# why it is so\nx = 1  # noqa: S105 - a name\n\n'
        "def f() -> None:\n    import sys\n"
    )
    size = drawn.size_of(text)
    assert (size.lines, size.comments, size.inner_imports) == (6, 2, 1)


def test_every_package_has_a_map(drawn: Any, capsys: pytest.CaptureFixture[str]) -> None:
    drawn.main([])
    printed = capsys.readouterr().out
    for package in drawn.PACKAGES:
        assert f"\n{package}: " in f"\n{printed}"
    assert "scoring ->" in printed


def test_an_unknown_package_is_a_mistake_of_the_users(drawn: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert drawn.main(["evalmap"]) == 2
    assert "evalmap" in capsys.readouterr().err
