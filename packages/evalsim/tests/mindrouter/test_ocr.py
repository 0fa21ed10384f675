"""The simulated reading of documents: what is refused, what a document costs, and what goes wrong."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsim.documents import images, pdf, word
from evalsim.documents.notices import Notice
from evalsim.mindrouter import Fault, FaultKind, SimConfig, SimModel, SimulatedMindRouter
from evalsim.mindrouter.ocr import chunks_of
from evalsim.serving import ConnectionCut

MODEL = "qwen/qwen3.5-122b"
OCR, OCRMD = "/v1/ocr", "/v1/ocrmd"
SHORT = "# A short page"
LONG = "A sentence that takes its place on the page. " * 12
SERVER_ERROR = {"error": {"message": "Internal server error", "type": "server_error"}}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def simulated(
    *faults: Fault, model: SimModel | None = None, **config: Any
) -> tuple[SimulatedMindRouter, Clock]:
    clock = Clock()
    models = (model or SimModel(id=MODEL),)
    settings = SimConfig(models=models, faults=faults, **config)
    return SimulatedMindRouter(settings, clock=clock, sleep=clock.sleep), clock


def read(
    app: SimulatedMindRouter,
    document: bytes,
    name: str = "input.pdf",
    kind: str = "application/octet-stream",
    path: str = OCR,
    **form: Any,
) -> httpx.Response:
    fields: dict[str, Any] = {"model": MODEL} | form
    parts: dict[str, Any] = {key: (None, str(value)) for key, value in fields.items() if value is not None}

    async def tell() -> httpx.Response:
        headers = {"Authorization": "Bearer mr2_any"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sim", headers=headers) as client:
            return await client.post(path, files={"file": (name, document, kind)} | parts)

    return asyncio.run(tell())


def calls(app: SimulatedMindRouter) -> int:
    return app.gateway.page_calls[MODEL]


def said(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("detail", answer.json())


def test_a_document_comes_back_as_the_markdown_that_stands_on_its_pages():
    pages = Notice(1).pages(3)
    app, _ = simulated()
    answer = read(app, pdf.scanned_pdf(pages), chunk_size=2, overlap=0)
    body = answer.json()
    assert answer.status_code == 200
    assert body["content"] == "\n\n".join(pages)
    assert (body["pages"], body["chunks_processed"], body["format"]) == (3, 2, "markdown")
    assert body["model"] == MODEL
    assert (
        body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    )


@pytest.mark.parametrize("settings", [{}, {"chunk_size": 1, "overlap": 0}, {"chunk_size": 3, "overlap": 1}])
def test_chunks_change_nothing_of_what_is_read(settings):
    pages = Notice(1).pages(14)
    answer = read(simulated()[0], pdf.text_pdf(pages), **settings)
    assert answer.json()["content"] == "\n\n".join(pages)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("input.png", images.png(SHORT)),
        ("input.jpg", images.jpeg(SHORT)),
        ("input.tiff", images.tiff([SHORT])),
        ("input.docx", word.docx(SHORT)),
        ("INPUT.PDF", pdf.rotated(pdf.scanned_pdf([SHORT]), 90)),
    ],
)
def test_images_and_office_documents_are_read_too(name, document):
    answer = read(simulated()[0], document, name, path=OCRMD)
    assert (answer.status_code, answer.text) == (200, SHORT)


def test_pages_are_given_apart_where_json_is_asked_for():
    answer = read(simulated()[0], pdf.text_pdf(["one", "two"]), output_format="json")
    assert answer.json()["format"] == "json"
    assert '"page_number":2,"content":"two"' in answer.json()["content"]


def test_a_document_of_somebody_elses_is_read_by_its_text_layer():
    document = pdf.text_pdf(["some words"]).replace(b"evalsimpages", b"somebodyelse")
    assert read(simulated()[0], document).json()["content"] == "some words"


@pytest.mark.parametrize(
    ("pages", "form", "expected"),
    [
        ([SHORT], {}, 3),
        ([LONG], {}, 1),
        ([SHORT, SHORT], {"chunk_size": 2, "overlap": 0}, 3),
        ([SHORT, SHORT, SHORT], {"chunk_size": 2, "overlap": 0}, 6),
        ([LONG, SHORT], {"chunk_size": 1, "overlap": 0}, 4),
        ([SHORT] * 14, {}, 9),
    ],
)
def test_a_chunk_that_comes_out_short_costs_three_calls(pages, form, expected):
    app, _ = simulated()
    read(app, pdf.text_pdf(pages), **form)
    assert calls(app) == expected


def test_each_call_counts_for_rate_and_quota():
    app, _ = simulated(requests_per_minute=3)
    assert read(app, pdf.text_pdf([SHORT])).status_code == 200
    assert said(read(app, pdf.text_pdf([SHORT]))) == (
        429,
        "Rate limit exceeded: 3 requests per minute (current: 3)",
    )
    app, _ = simulated(token_quota=1)
    assert said(read(app, pdf.text_pdf([SHORT]))) == (429, "Token quota exceeded")


def test_a_rate_limit_is_tried_three_times_before_it_is_told():
    app, _ = simulated(Fault(kind="rate_limited", times=2))
    assert read(app, pdf.text_pdf([LONG])).status_code == 200
    assert calls(app) == 3
    app, _ = simulated(Fault(kind="rate_limited", times=3))
    assert read(app, pdf.text_pdf([LONG])).status_code == 429
    assert calls(app) == 3


def test_every_document_taken_is_counted_by_what_it_is():
    app, _ = simulated()
    document = pdf.text_pdf([LONG])
    read(app, document)
    read(app, document)
    assert app.gateway.documents == app.gateway.documents_read == {sha256(document).hexdigest(): 2}
    assert app.gateway.calls == {}


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"chunk_size": 2}, "overlap must be less than chunk_size"),
        ({"chunk_size": 2, "overlap": 2}, "overlap must be less than chunk_size"),
        ({"output_format": "html"}, "output_format must be 'markdown' or 'json'"),
        ({"name": "input"}, "Unsupported file type: application/octet-stream"),
        ({"name": "input.txt"}, "Unsupported file type: application/octet-stream"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_anything_is_read(form, problem):
    app, _ = simulated()
    status, words = said(read(app, pdf.text_pdf([SHORT]), **form))
    assert status == 400
    assert words.startswith(problem)
    assert not app.gateway.documents


def test_a_number_that_is_none_is_not_valid():
    status, problems = said(read(simulated()[0], pdf.text_pdf([SHORT]), dpi="fine"))
    assert (status, problems[0]["loc"], problems[0]["type"]) == (422, ["body", "dpi"], "int_parsing")


@pytest.mark.parametrize("kind", ["application/pdf", "image/png"])
@pytest.mark.parametrize("path", [OCR, OCRMD])
def test_a_real_content_type_is_the_releases_downfall(kind, path):
    answer = read(simulated()[0], pdf.text_pdf([SHORT]), kind=kind, path=path)
    assert said(answer) == (500, SERVER_ERROR)
    assert "x-request-id" not in answer.headers


def test_a_missing_model_is_told_as_json_or_as_text():
    app, _ = simulated()
    answer = read(app, pdf.text_pdf([SHORT]), model="not-there")
    assert said(answer) == (404, "Model 'not-there' not found")
    answer = read(app, pdf.text_pdf([SHORT]), model="not-there", path=OCRMD)
    assert (answer.status_code, answer.text) == (404, "Model 'not-there' not found")


def test_a_model_that_goes_away_while_it_reads_is_a_404_in_json_after_three_attempts():
    app, _ = simulated(Fault(kind="gone", times=1))
    answer = read(app, pdf.text_pdf([SHORT]), path=OCRMD)
    assert said(answer) == (404, f"Model '{MODEL}' not found")
    assert calls(app) == 3


def test_a_model_that_takes_no_images_is_a_400():
    app, _ = simulated(model=SimModel(id=MODEL, multimodal=False))
    words = f"Model '{MODEL}' does not support multimodal/image input"
    assert said(read(app, pdf.text_pdf([SHORT]), path=OCRMD)) == (400, words)


def test_more_than_200_pages_are_a_400_and_no_call():
    app, _ = simulated()
    words = "Document has 201 pages, exceeding the maximum of 200"
    assert said(read(app, pdf.text_pdf([SHORT] * 201))) == (400, words)
    answer = read(app, pdf.text_pdf([SHORT] * 201), path=OCRMD)
    assert (answer.status_code, answer.text) == (400, words)
    assert calls(app) == 0


def test_a_document_that_is_too_large_is_a_413():
    app, _ = simulated(largest_document=2**20)
    answer = read(app, pdf.text_pdf([SHORT]) + bytes(2**20))
    assert said(answer) == (413, "File exceeds maximum size of 1MB")


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("input.pdf", b""),
        ("input.pdf", b"no PDF at all"),
        ("input.pdf", pdf.truncated(pdf.text_pdf([SHORT]))),
        ("input.pdf", pdf.encrypted_pdf([SHORT], "secret")),
        ("input.png", b""),
        ("input.png", images.png_bomb()),
        ("input.jpg", pdf.truncated(images.jpeg(SHORT))),
    ],
)
def test_what_is_broken_is_a_500_that_looks_like_a_passing_one(name, document):
    app, _ = simulated()
    answer = read(app, document, name)
    assert said(answer) == (500, SERVER_ERROR)
    assert "x-request-id" not in answer.headers
    assert calls(app) == 0


def test_without_office_its_documents_are_a_501():
    app, _ = simulated(has_office=False)
    status, words = said(read(app, word.docx(SHORT), "input.docx"))
    assert status == 501
    assert words.startswith("LibreOffice is not installed")
    assert said(read(simulated()[0], b"no archive", "input.docx"))[0] == 501


def test_a_pdf_of_no_pages_is_a_400():
    assert said(read(simulated()[0], pdf.pdf_without_pages())) == (400, "Document produced no pages")


def test_a_chunk_has_180_seconds_and_begins_again():
    slow = SimModel(id=MODEL, seconds_per_page=50.0)
    app, clock = simulated(model=slow)
    assert read(app, pdf.text_pdf([LONG, LONG]), chunk_size=2, overlap=0).status_code == 200
    assert clock.now == 100.0

    app, clock = simulated(model=slow)
    answer = read(app, pdf.text_pdf([LONG] * 6))
    assert said(answer) == (404, f"Model '{MODEL}' not found")
    assert clock.now == 3 * 180.0


def test_a_chunk_that_is_late_once_is_read_at_the_second_attempt():
    app, clock = simulated(Fault(kind="slow", seconds=500, times=1), attempt_seconds=2.0)
    assert read(app, pdf.text_pdf([LONG])).status_code == 200
    assert clock.now == 2.0
    assert calls(app) == 1


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("quota", 429),
        ("no_capacity", 503),
        ("content_refused", 422),
        ("server_error", 500),
        ("backend_400", 400),
        ("backend_429", 429),
        ("context_length", 400),
        ("unsuitable", 503),
    ],
)
def test_what_goes_wrong_for_good_is_told_after_three_attempts(kind: FaultKind, status: int):
    app, _ = simulated(Fault(kind=kind))
    assert read(app, pdf.text_pdf([SHORT])).status_code == status
    assert calls(app) == 3


@pytest.mark.parametrize("kind", ["hang_up", "cut"])
def test_connections_are_cut_as_they_are_for_other_calls(kind: FaultKind):
    app, _ = simulated(Fault(kind=kind))
    with pytest.raises(ConnectionCut):
        read(app, pdf.text_pdf([LONG]))


def test_a_proxy_may_answer_with_something_else():
    app, _ = simulated(Fault(kind="garbage", times=1))
    assert read(app, pdf.text_pdf([LONG])).text == "<html>Bad gateway</html>"


def test_faults_are_of_one_endpoint_where_they_say_so():
    app, _ = simulated(Fault(kind="server_error", endpoint="chat"))
    assert read(app, pdf.text_pdf([LONG])).status_code == 200
    app, _ = simulated(Fault(kind="fenced"))
    assert read(app, pdf.text_pdf([LONG])).json()["content"] == LONG.strip()


@given(st.integers(1, 60), st.integers(1, 9), st.data())
def test_chunks_hold_every_page_and_overlap_as_told(pages, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    chunks = chunks_of(pages, size, overlap)
    assert {page for start, end in chunks for page in range(start, end)} == set(range(pages))
    assert all(end - start <= size for start, end in chunks)
    assert all(first[1] - second[0] == overlap for first, second in pairwise(chunks))
