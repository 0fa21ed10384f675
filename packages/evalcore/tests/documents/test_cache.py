"""What was read of documents, kept beside the runs."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from evalcore.documents.cache import DocumentCache
from evalcore.documents.interface import ReadText
from evalcore.library.reading import ReadingSettings

from .conftest import case_of

SETTINGS = ReadingSettings(model="big")
READ = ReadText("# Text\n", 3)
CASE = case_of("one", b"%PDF-1")


@pytest.fixture
def cache(tmp_path: Path) -> DocumentCache:
    return DocumentCache(tmp_path / "documents")


def files(tmp_path: Path) -> list[Path]:
    return sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_what_was_read_is_there_for_every_case_of_the_same_document(cache):
    cache.put(CASE, SETTINGS, "2.9", READ)
    assert cache.get(case_of("another", b"%PDF-1"), SETTINGS, "2.9") == READ


@pytest.mark.parametrize(
    ("case", "settings", "version"),
    [
        (case_of("one", b"%PDF-2"), SETTINGS, "2.9"),
        (case_of("one", b"%PDF-1", "input.docx"), SETTINGS, "2.9"),
        (CASE, SETTINGS, "3.0"),
        (CASE, ReadingSettings(model="small"), "2.9"),
        (CASE, ReadingSettings(model="big", chunk_size=1), "2.9"),
        (CASE, ReadingSettings(model="big", dpi=100), "2.9"),
        (CASE, ReadingSettings(reader="text"), "2.9"),
    ],
)
def test_another_document_reader_setting_or_version_is_read_anew(cache, case, settings, version):
    cache.put(CASE, SETTINGS, "2.9", READ)
    assert cache.get(case, settings, version) is None


def test_settings_of_another_reader_do_not_count(cache):
    cache.put(CASE, ReadingSettings(reader="text", dpi=100), "1", READ)
    assert cache.get(CASE, ReadingSettings(reader="text", model="big"), "1") == READ


def test_a_confidential_documents_text_is_never_given_to_another_case(cache):
    confidential = msgspec.structs.replace(CASE, source="data_sets")
    cache.put(confidential, SETTINGS, "2.9", READ)
    assert cache.get(CASE, SETTINGS, "2.9") is None
    assert cache.get(confidential, SETTINGS, "2.9") == READ


def test_names_tell_neither_case_nor_document_and_only_the_owner_may_look(cache, tmp_path):
    cache.put(case_of("secret-name", b"%PDF-1"), SETTINGS, "2.9", READ)
    (path,) = files(tmp_path)
    assert "secret" not in str(path.relative_to(tmp_path))
    assert CASE.document is not None
    assert CASE.document.sha256 not in path.name
    assert "secret" not in path.read_text()
    assert (tmp_path / "documents").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", ["", "{", '{"key": {}}', "cut", "other text"])
def test_what_is_damaged_is_read_anew(cache, tmp_path, damage):
    cache.put(CASE, SETTINGS, "2.9", READ)
    (path,) = files(tmp_path)
    text = path.read_text()
    path.write_text({"cut": text[:-20], "other text": text.replace("# Text", "# Tixt")}.get(damage, damage))
    assert cache.get(CASE, SETTINGS, "2.9") is None


def test_what_somebody_else_wrote_is_read_anew(cache, monkeypatch):
    cache.put(CASE, SETTINGS, "2.9", READ)
    owner = os.geteuid()
    # Nobody but root could give a file to another user: so this is another user who asks.
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    assert cache.get(CASE, SETTINGS, "2.9") is None
    monkeypatch.setattr("os.geteuid", lambda: owner)
    assert cache.get(CASE, SETTINGS, "2.9") == READ


def test_an_entry_that_is_a_link_is_not_followed(cache, tmp_path):
    cache.put(CASE, SETTINGS, "2.9", READ)
    (path,) = files(tmp_path)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.get(CASE, SETTINGS, "2.9") is None


def test_over_its_bound_what_was_not_used_for_longest_goes_first(tmp_path):
    names = ("a", "b", "c", "d")
    cases = [case_of(name, name.encode()) for name in names]
    unbounded = DocumentCache(tmp_path / "documents")
    for at, case in enumerate(cases[:3]):
        unbounded.put(case, SETTINGS, "2.9", READ)
        os.utime(max(files(tmp_path), key=lambda path: path.stat().st_mtime_ns), (at, at))
    three = sum(path.stat().st_size for path in files(tmp_path))
    cache = DocumentCache(tmp_path / "documents", most=three)
    assert cache.get(cases[0], SETTINGS, "2.9") == READ  # which uses it
    cache.put(cases[3], SETTINGS, "2.9", READ)
    kept = [name for name, case in zip(names, cases, strict=True) if cache.get(case, SETTINGS, "2.9")]
    assert kept == ["a", "c", "d"]


def test_what_is_larger_than_the_bound_is_there_until_it_is_used(tmp_path):
    cache = DocumentCache(tmp_path / "documents", most=10)
    cache.put(CASE, SETTINGS, "2.9", READ)
    assert cache.get(CASE, SETTINGS, "2.9") == READ


def test_a_document_that_is_sent_itself_is_kept_with_its_kind(cache):
    cache.keep_original(CASE, b"%PDF-1")
    assert cache.original(CASE).read_bytes() == b"%PDF-1"
    assert cache.original(CASE).suffix == ".pdf"
