"""Commits, trees and blobs are read as they were committed, whatever the machine's configuration says."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalcore.git.errors import BlobTooLarge, CloneCorrupt, UnsafePath
from evalcore.git.objects import entry_at, is_repository, message_of, read_blob
from evalsim.testing import git


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    (folder / "components").mkdir(parents=True)
    (folder / "components" / "board.json").write_bytes(b"{}\r\n")
    (folder / "link").symlink_to("components/board.json")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "First\n\nIts second part: ü.\n")
    return folder


def tip(clone: Path) -> str:
    return git(clone, "rev-parse", "HEAD").strip()


def test_a_file_is_read_byte_for_byte(clone: Path) -> None:
    assert read_blob(clone, tip(clone), "components/board.json") == b"{}\r\n"


@pytest.mark.parametrize("path", ["nowhere.json", "components/nowhere", "components/board.json/x", "."])
def test_what_is_not_there_is_none(clone: Path, path: str) -> None:
    assert read_blob(clone, tip(clone), path) is None


@pytest.mark.parametrize("path", ["components", "link"])
def test_a_folder_or_a_link_is_no_file(clone: Path, path: str) -> None:
    with pytest.raises(UnsafePath, match="no regular file"):
        read_blob(clone, tip(clone), path)


def test_a_file_over_the_limit_is_not_read_and_named_by_its_path_in_the_repository(clone: Path) -> None:
    with pytest.raises(BlobTooLarge, match=r"^components/board\.json at [0-9a-f]{12}: .*larger than 3 bytes"):
        read_blob(clone, tip(clone), "components/board.json", limit=3)


def test_an_entry_has_mode_kind_and_size(clone: Path) -> None:
    commit = tip(clone)
    assert entry_at(clone, commit, "components/board.json") == ("100644", "blob", 4)
    assert entry_at(clone, commit, "components") == ("040000", "tree", 0)
    assert entry_at(clone, commit, "link") == ("120000", "blob", 21)


def test_a_message_is_given_whole(clone: Path) -> None:
    assert message_of(clone, tip(clone)) == "First\n\nIts second part: ü."


def test_a_commit_that_is_not_there_is_damage(clone: Path) -> None:
    with pytest.raises(CloneCorrupt, match="cannot read the clone"):
        read_blob(clone, "f" * 40, "link")


def test_only_the_folder_itself_counts_as_a_repository(clone: Path) -> None:
    assert is_repository(clone)
    assert not is_repository(clone / "components")


def test_neither_the_users_configuration_nor_the_environment_leads_elsewhere(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = tip(clone)
    (tmp_path / ".gitconfig").write_text("[this is no configuration")
    for name, value in {
        "HOME": str(tmp_path),
        "GIT_DIR": "/nowhere",
        "GIT_CONFIG_COUNT": "nonsense",
    }.items():
        monkeypatch.setenv(name, value)
    assert read_blob(clone, commit, "components/board.json") == b"{}\r\n"
