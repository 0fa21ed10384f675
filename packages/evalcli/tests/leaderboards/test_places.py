"""Where things lie beside and inside a prompt library."""

from __future__ import annotations

from evalcli.leaderboards.places import DATA_SETS_BESIDE, data_sets_beside


def test_data_sets_are_found_beside_the_library(tmp_path):
    library = tmp_path / "library"
    library.mkdir()
    assert data_sets_beside(library) is None
    (tmp_path / DATA_SETS_BESIDE).mkdir()
    assert data_sets_beside(library) == tmp_path / DATA_SETS_BESIDE


def test_a_file_of_that_name_is_none(tmp_path):
    (tmp_path / DATA_SETS_BESIDE).write_text("")
    assert data_sets_beside(tmp_path / "library") is None


def test_a_relative_library_has_its_real_neighbours(tmp_path, monkeypatch):
    (tmp_path / "library").mkdir()
    (tmp_path / DATA_SETS_BESIDE).mkdir()
    monkeypatch.chdir(tmp_path / "library")
    assert data_sets_beside(type(tmp_path)(".")) == tmp_path / DATA_SETS_BESIDE


def test_a_linked_library_has_the_neighbours_of_what_it_leads_to(tmp_path):
    (tmp_path / "real" / "library").mkdir(parents=True)
    (tmp_path / "real" / DATA_SETS_BESIDE).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "library")
    assert data_sets_beside(tmp_path / "link") == tmp_path / "real" / DATA_SETS_BESIDE
