"""Writing a site: what changed, what is stale, and what is somebody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalcli.dashboard.site import MANIFEST, check_folder, write_site
from evalcore.errors import ConfigurationError, StorageError


def file(path: str, text: str, drawn: list[str] | None = None):
    def content() -> bytes:
        if drawn is not None:
            drawn.append(path)
        return text.encode()

    return path, f"made of {text}", content


def test_what_is_as_before_is_not_even_drawn(tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert write_site(site, [file("a.html", "1"), file("models/b.html", "2")]) == (2, 0, 0)
    drawn: list[str] = []
    assert write_site(site, [file("a.html", "1", drawn), file("models/b.html", "3", drawn)]) == (1, 1, 0)
    assert drawn == ["models/b.html"]
    assert (site / "models/b.html").read_text() == "3"


def test_what_somebody_changed_is_written_again(tmp_path: Path) -> None:
    write_site(tmp_path, [file("a.html", "1")])
    (tmp_path / "a.html").write_text("changed")
    assert write_site(tmp_path, [file("a.html", "1")]) == (1, 0, 0)
    assert (tmp_path / "a.html").read_text() == "1"


def test_what_the_site_has_no_more_is_removed_unless_somebody_changed_it(tmp_path: Path) -> None:
    write_site(tmp_path, [file("a.html", "1"), file("b.html", "2"), file("c.html", "3")])
    (tmp_path / "c.html").write_text("mine now")
    (tmp_path / "notes.txt").write_text("mine")
    assert write_site(tmp_path, [file("a.html", "1")]) == (0, 1, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST, "a.html", "c.html", "notes.txt"]


def test_a_file_of_somebody_elses_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("mine")
    with pytest.raises(StorageError, match="is there, and not the dashboard's; move it"):
        write_site(tmp_path, [file("a.html", "1")])
    assert (tmp_path / "a.html").read_text() == "mine"


def test_links_in_the_site_lead_nowhere(tmp_path: Path) -> None:
    outside, site = tmp_path / "outside", tmp_path / "site"
    outside.mkdir()
    site.mkdir()
    (site / "models").symlink_to(outside)
    with pytest.raises(StorageError, match="is a link; remove it"):
        write_site(site, [file("models/a.html", "1")])
    assert not list(outside.iterdir())


@pytest.mark.parametrize("path", ["../outside.txt", "/outside.txt", "a/../../outside.txt", "..", ".", ""])
def test_a_manifest_that_names_other_places_removes_nothing_there(tmp_path: Path, path: str) -> None:
    site = tmp_path / "site"
    write_site(site, [file("a.html", "1")])
    outside = tmp_path / "outside.txt"
    outside.write_text("1")
    manifest = json.loads((site / MANIFEST).read_text())
    manifest["files"][path] = manifest["files"]["a.html"]
    (site / MANIFEST).write_text(json.dumps(manifest))
    assert write_site(site, [file("a.html", "1")]).removed == 0
    assert outside.exists()


def test_a_new_an_empty_and_our_own_folder_are_written_to(tmp_path: Path) -> None:
    check_folder(tmp_path / "new", may_have_others=False)
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty", may_have_others=False)
    write_site(tmp_path / "new", [file("a.html", "1")])
    check_folder(tmp_path / "new", may_have_others=False)


@pytest.mark.parametrize("text", ["{", "[]", '{"files": 1}'])
def test_a_folder_with_another_manifest_is_not_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ConfigurationError, match="is not empty, and no dashboard of ours"):
        check_folder(tmp_path, may_have_others=False)
    check_folder(tmp_path, may_have_others=True)


def test_a_file_is_no_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("")
    with pytest.raises(ConfigurationError, match="is no folder"):
        check_folder(tmp_path / "site", may_have_others=True)
