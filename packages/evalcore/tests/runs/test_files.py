from __future__ import annotations

import stat
from pathlib import Path

import pytest

from evalcore.errors import StorageError
from evalcore.runs.files import write_atomically


def test_a_file_is_made_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    write_atomically(path, b"one\n")
    assert path.read_bytes() == b"one\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [entry.name for entry in tmp_path.iterdir()] == ["new.json"]


def test_replacing_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(b"one\n")
    path.chmod(0o640)
    write_atomically(path, b"two\n")
    assert path.read_bytes() == b"two\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_reader_keeps_the_old_bytes(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(b"one\n")
    with path.open("rb") as reader:
        write_atomically(path, b"two\n")
        assert reader.read() == b"one\n"


def test_a_link_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"elsewhere\n")
    link.symlink_to(target)
    write_atomically(link, b"here\n")
    assert target.read_bytes() == b"elsewhere\n"
    assert not link.is_symlink()
    assert link.read_bytes() == b"here\n"


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written") as raised:
        write_atomically(tmp_path / "none" / "file", b"")
    assert str(tmp_path / "none" / "file") in raised.value.line


def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    (taken / "inside").mkdir(parents=True)
    with pytest.raises(StorageError):
        write_atomically(taken, b"a file cannot replace a folder")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]
    assert [entry.name for entry in taken.iterdir()] == ["inside"]
