"""A job's documents become texts before the first call, each of them once."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from evalcore.documents.cache import DocumentCache
from evalcore.documents.interface import ReadText, Unreadable
from evalcore.documents.readers import TextLayer, UnchangedDocument
from evalcore.documents.reading import read_documents
from evalcore.errors import CaseError, CheckoutError, ModelError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.cases import NoUsableCase
from evalcore.library.component import Case, Document
from evalcore.library.reading import ReadingSettings
from evalcore.runs.plan import JobPlan
from evalsim.documents import pdf
from evalsim.testing import make_case

ONE, TWO, THREE = (pdf.text_pdf([f"Page of {name}."]) for name in ("one", "two", "three"))
BROKEN = pdf.truncated(ONE)


class Counting:
    """A reader that says what it is asked for."""

    name = "mindrouter"

    def __init__(self, outcome: dict[bytes, Any] | None = None) -> None:
        self.outcome = outcome or {}
        self.asked: list[bytes] = []

    async def version(self) -> str | None:
        return "2.9"

    async def read(self, document: Document, data: bytes, pages: int | None) -> ReadText | Unreadable:
        del document
        self.asked.append(data)
        outcome = self.outcome.get(data, ReadText(f"# {len(self.asked)}\n", pages))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class Documents:
    """The documents of a job, with the cache beside its runs."""

    def __init__(self, folder: Any, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self.cache = DocumentCache(folder / "documents")
        self.told: list[tuple[int, int]] = []

    def original(self, case: Case) -> bytes:
        return self.contents[case.name]

    def read(self, job: JobPlan, reader: Any) -> JobPlan:
        work = read_documents(job, reader, self.original, self.cache, lambda *told: self.told.append(told))
        return asyncio.run(work)


@pytest.fixture
def documents(tmp_path):
    return Documents(tmp_path, {"a": ONE, "b": TWO, "c": THREE, "again": ONE, "bad": BROKEN})


def test_the_text_is_the_input_and_the_hash_covers_it(documents, job_of):
    job = documents.read(job_of({"a": ONE}), Counting())
    (case,) = job.cases
    assert case.input == "# 1\n"
    assert case.sha256 == sha256_hex(b"# 1\n\0{}")
    told = case.document
    assert (told.reader, told.version, told.pages, told.sha256) == ("mindrouter", "2.9", 1, sha256_hex(ONE))
    assert job.unread == ()


def test_a_case_that_somebody_stored_as_text_is_the_same_case(documents, job_of):
    (read,) = documents.read(job_of({"a": ONE}), Counting()).cases
    assert make_case("a", "{}", input="# 1\n").sha256 == read.sha256


def test_texts_stay_and_nothing_is_asked_for_them(documents, job_of):
    job = job_of({}, cases=(make_case("text"),))
    reader = Counting()
    assert documents.read(job, reader) is job
    assert (reader.asked, documents.told) == ([], [])


def test_one_content_is_read_once_and_a_second_time_nothing_is(documents, job_of):
    reader = Counting()
    job = job_of({"a": ONE, "again": ONE, "b": TWO})
    first = documents.read(job, reader)
    assert reader.asked == [ONE, TWO]
    assert documents.told == [(1, 3), (2, 3), (3, 3)]
    assert documents.read(job, reader) == first
    assert reader.asked == [ONE, TWO]


def test_an_end_in_the_middle_loses_the_document_in_hand_alone(documents, job_of):
    job = job_of({"a": ONE, "b": TWO, "c": THREE})
    with pytest.raises(KeyboardInterrupt):
        documents.read(job, Counting({TWO: KeyboardInterrupt()}))
    reader = Counting()
    assert len(documents.read(job, reader).cases) == 3
    assert reader.asked == [TWO, THREE]


def test_a_document_that_cannot_be_used_skips_its_case_and_is_not_sent(documents, job_of):
    reader = Counting({TWO: Unreadable("no text on it")})
    job = documents.read(job_of({"a": ONE, "bad": BROKEN, "b": TWO}), reader)
    assert [case.name for case in job.cases] == ["a"]
    assert [(skipped.case, skipped.reason, skipped.broken) for skipped in job.skipped_cases] == [
        ("b", "components/memo/evals/cases/b/input.pdf: no text on it", True),
        (
            "bad",
            "components/memo/evals/cases/bad/input.pdf: is cut short: a PDF ends with %%EOF",
            True,
        ),
    ]
    assert BROKEN not in reader.asked


@pytest.mark.parametrize(
    ("text", "words"), [(" \n", "read no text of it"), ("x" * (8 * 2**20 + 1), "its text is over 8 MiB")]
)
def test_no_text_and_too_much_of_it_skip_the_case(documents, job_of, text, words):
    job = documents.read(job_of({"a": ONE, "b": TWO}), Counting({TWO: ReadText(text)}))
    assert words in job.skipped_cases[0].reason


def test_without_any_case_left_there_is_nothing_to_evaluate(documents, job_of):
    with pytest.raises(NoUsableCase) as raised:
        documents.read(job_of({"bad": BROKEN}), Counting())
    assert [case.case for case in raised.value.skipped] == ["bad"]


def test_what_ends_all_reading_is_raised(documents, job_of):
    with pytest.raises(ModelError, match="the key"):
        documents.read(job_of({"a": ONE}), Counting({ONE: ModelError("the key")}))


@pytest.mark.parametrize("error", [CheckoutError("is gone", hint="x"), CaseError("has changed meanwhile")])
def test_a_document_that_is_not_there_any_more_skips_its_case(tmp_path, job_of, error):
    class Gone(Documents):
        def original(self, case: Case) -> bytes:
            if case.name == "b":
                raise error
            return super().original(case)

    job = Gone(tmp_path, {"a": ONE}).read(job_of({"a": ONE, "b": TWO}), Counting())
    assert error.what in job.skipped_cases[0].reason


def test_a_confidential_case_is_named_where_it_lies(documents, job_of):
    job = job_of({"bad": BROKEN, "a": ONE})
    cases = tuple(msgspec.structs.replace(case, source="data_sets") for case in job.cases)
    read = documents.read(msgspec.structs.replace(job, cases=cases), Counting())
    assert read.skipped_cases[0].source == "data_sets"


def test_the_text_layer_reads_with_its_libraries_versions(documents, job_of):
    job = documents.read(job_of({"a": ONE}, reading=ReadingSettings(reader="text")), TextLayer())
    assert job.cases[0].input == "Page of one.\n"
    assert "pypdf" in job.cases[0].document.version


def test_a_document_that_is_sent_itself_is_kept_and_its_hash_stays(documents, job_of):
    job = job_of({"a": ONE}, reading=ReadingSettings(reader="none"))
    read = documents.read(job, UnchangedDocument())
    (case,) = read.cases
    assert (case.input, case.sha256) == ("", job.cases[0].sha256)
    assert case.is_sent_itself
    assert documents.cache.original(case).read_bytes() == ONE
    documents.cache.original(case).unlink()
    documents.read(job, UnchangedDocument())
    assert documents.cache.original(case).read_bytes() == ONE
