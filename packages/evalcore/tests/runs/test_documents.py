"""Documents that are sent as they are: in the run's folder, so that a resumed run has them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from evalcore.clients.interface import Attachment
from evalcore.errors import StorageError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.component import Case, Document
from evalcore.runs.documents import attachment_of
from evalcore.runs.folder import RunFolder
from evalcore.runs.integrity import altered
from evalsim.testing import make_case, make_run_plan

PDF = b"%PDF-1"
DOCUMENT = Document(
    "input.pdf", sha256_hex(PDF), 6, "components/memo/evals/cases/one/input.pdf", reader="none"
)
CASE = make_case(input="", sha256=sha256_hex(PDF + b"\0{}"), document=DOCUMENT)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "kept.pdf"
    path.write_bytes(PDF)
    return path


@pytest.fixture
def folder(tmp_path: Path, kept: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs", make_run_plan(cases=[CASE]), lambda _case: kept)


def test_a_run_holds_the_documents_that_it_sends(folder, kept):
    kept.unlink()  # as where what was read is removed for others
    assert attachment_of(folder.path, CASE) == Attachment("input.pdf", "application/pdf", PDF)
    folder.close()
    reopened = RunFolder.open(folder.path)
    assert attachment_of(reopened.path, reopened.plan.cases[0]).data == PDF
    reopened.close()


def test_a_run_of_texts_holds_none(tmp_path):
    folder = RunFolder.create(tmp_path, make_run_plan())
    folder.close()
    assert not (folder.path / "documents").exists()


def test_where_no_links_are_made_it_is_copied(tmp_path, kept, monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr("os.link", refused)
    folder = RunFolder.create(tmp_path / "runs", make_run_plan(cases=[CASE]), lambda _case: kept)
    folder.close()
    assert attachment_of(folder.path, CASE).data == PDF


@pytest.mark.parametrize("originals", [None, lambda _case: Path("/nowhere/kept.pdf")])
def test_a_run_whose_document_is_not_there_is_not_begun(tmp_path, originals):
    with pytest.raises(StorageError, match="a document of the run is not there"):
        RunFolder.create(tmp_path, make_run_plan(cases=[CASE]), originals)
    assert not list(tmp_path.glob("*/run.json"))


def test_another_document_is_never_sent_and_the_run_is_called_altered(folder):
    (path,) = (folder.path / "documents").iterdir()
    assert altered(folder, None) == ()
    path.unlink()
    path.write_bytes(b"%PDF-2")
    with pytest.raises(StorageError, match="not the document that was hashed"):
        attachment_of(folder.path, CASE)
    assert altered(folder, None) == ("the document of case one is not there, or not the one that was hashed",)
    folder.close()


def test_a_run_that_is_discarded_leaves_nothing(folder):
    folder.discard()
    assert not folder.path.exists()


def test_a_case_that_was_read_as_text_is_checked_as_a_text(tmp_path):
    read = msgspec.structs.replace(DOCUMENT, reader="text")
    case: Case = make_case(input="# Text\n", document=read)
    folder = RunFolder.create(tmp_path, make_run_plan(cases=[case]))
    assert altered(folder, None) == ()
    folder.close()
