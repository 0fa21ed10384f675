"""What was worked out before is taken where nothing changed, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from evalcli.dashboard import digests
from evalcli.dashboard.digests import component_digests
from evalcli.leaderboards.cache import cache_folder
from evalcore.reports.dashboard.component import ComponentDigest
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts
from evalsim.testing import make_record, write_component, write_leaderboard

MEMO = ComponentFacts(slug="memo", name="Memo", version="1.0.0")
LIBRARY = LibraryFacts(name="library", commit="a" * 40)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    write_component(root)
    write_leaderboard(root / "components/memo/leaderboard.json", make_record(1))
    return root


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The components whose part was worked out, one after the other."""
    found: list[str] = []
    real = digests.component_digest

    def noted(component: ComponentFacts, *arguments: object, **settings: object) -> ComponentDigest:
        found.append(component.slug)
        return real(component, *arguments, **settings)

    monkeypatch.setattr(digests, "component_digest", noted)
    return found


def test_nothing_is_worked_out_twice(library: Path, worked_out: list[str]) -> None:
    first = component_digests(library, [MEMO], LIBRARY)
    # Every commit would else throw everything away.
    again = component_digests(library, [MEMO], msgspec.structs.replace(LIBRARY, commit="b" * 40))
    assert first == again
    assert worked_out == ["memo"]


@pytest.mark.parametrize("change", ["leaderboard", "component", "library"])
def test_whatever_changes_is_worked_out_anew(library: Path, worked_out: list[str], change: str) -> None:
    component_digests(library, [MEMO], LIBRARY)
    component, facts = MEMO, LIBRARY
    if change == "leaderboard":
        write_leaderboard(library / "components/memo/leaderboard.json", make_record(1), make_record(2))
    elif change == "component":
        component = msgspec.structs.replace(MEMO, version="1.1.0")
    else:
        facts = msgspec.structs.replace(LIBRARY, url="https://github.com/acme/prompts")
    component_digests(library, [component], facts)
    assert worked_out == ["memo", "memo"]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"key": "x", "digest": {}}', b"\xff"])
def test_a_damaged_cache_is_done_without(library: Path, damage: bytes, worked_out: list[str]) -> None:
    first = component_digests(library, [MEMO], LIBRARY)
    (stored,) = (cache_folder() / digests.FOLDER).iterdir()
    stored.write_bytes(damage)
    assert component_digests(library, [MEMO], LIBRARY) == first
    assert worked_out == ["memo", "memo"]


def test_where_nothing_can_be_stored_it_is_worked_out_each_time(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (digest,) = component_digests(library, [MEMO], LIBRARY)
    assert digest.view.runs == 1


def test_a_component_without_a_leaderboard_has_no_runs_and_no_problem(tmp_path: Path) -> None:
    write_component(tmp_path)
    (digest,) = component_digests(tmp_path, [MEMO], LIBRARY)
    assert (digest.view.runs, digest.view.leaderboard_problem) == (0, None)
    assert [gap.kind for gap in digest.view.gaps] == ["component"]
