"""What reading will cost, before anything is sent."""

from __future__ import annotations

import asyncio

import pytest

from evalcore.documents.forecast import ReadingForecast, forecast_reading
from evalcore.errors import CheckoutError
from evalcore.library.cases import NoUsableCase
from evalcore.library.reading import ReadingSettings
from evalsim.documents import pdf, word
from evalsim.testing import make_case

from .conftest import case_of

THREE = pdf.text_pdf(["a", "b", "c"])
WORD = word.docx("text")
BROKEN = pdf.truncated(THREE)
CONTENTS = {"pdf": THREE, "word": WORD, "bad": BROKEN, "text": b""}
CASES = (
    case_of("bad", BROKEN),
    case_of("pdf", THREE),
    make_case("text"),
    case_of("word", WORD, "input.docx"),
)


def forecast(job):
    return asyncio.run(forecast_reading(job, lambda case: CONTENTS[case.name]))


def test_calls_are_those_of_the_pages_that_can_be_counted_and_bad_documents_are_left_out(job_of):
    job, cost = forecast(job_of({}, cases=CASES))
    # Two chunks of two pages with one in common, each read three times at most.
    assert cost == ReadingForecast(documents=2, pages=3, uncounted=1, calls=6)
    assert [case.name for case in job.cases] == ["pdf", "text", "word"]
    assert [case.case for case in job.skipped_cases] == ["bad"]


@pytest.mark.parametrize("reader", ["text", "none"])
def test_other_readers_call_nobody(job_of, reader):
    _, cost = forecast(job_of({}, cases=CASES, reading=ReadingSettings(reader=reader)))
    assert (cost.documents, cost.calls) == (2, 0)


def test_with_bad_documents_alone_there_is_nothing_to_evaluate(job_of):
    with pytest.raises(NoUsableCase):
        forecast(job_of({"bad": BROKEN}))


def test_a_document_that_is_not_there_is_left_out(job_of):
    def gone(case):
        if case.name == "a":
            raise CheckoutError("is not there", hint="check the file")
        return THREE

    job, _ = asyncio.run(forecast_reading(job_of({"a": THREE, "b": THREE}), gone))
    assert "is not there" in job.skipped_cases[0].reason
