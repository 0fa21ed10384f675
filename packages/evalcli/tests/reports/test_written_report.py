"""Reports, written where they are to lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalcli.reports.written_report import write_files
from evalcore.errors import StorageError


def test_files_are_written_with_the_folders_around_them(tmp_path: Path) -> None:
    write_files(tmp_path / "new", {"REPORT.md": b"a", "charts/x.svg": b"b"})
    assert (tmp_path / "new" / "charts" / "x.svg").read_bytes() == b"b"


def test_a_file_that_is_there_is_replaced_and_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("theirs")
    (tmp_path / "REPORT.md").symlink_to("other")
    write_files(tmp_path, {"REPORT.md": b"ours"})
    assert (tmp_path / "other").read_text() == "theirs"
    assert (tmp_path / "REPORT.md").read_text() == "ours"


def test_where_a_folder_cannot_be_made_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "charts").write_text("a file")
    with pytest.raises(StorageError, match="cannot be made"):
        write_files(tmp_path, {"charts/x.svg": b"x"})
