"""MindRouter's reading without I/O: what is sent, what it costs, what the answer says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.documents import ocr
from evalcore.documents.interface import ReadText, Unreadable
from evalcore.library.reading import ReadingSettings
from evalsim.mindrouter.ocr import chunks_of
from evalsim.mindrouter.uploads import read_upload

from .conftest import document_of

NOW = datetime(2026, 1, 5, tzinfo=UTC)
RECORDINGS = Path(__file__).parents[4] / "tests/data/mindrouter"


@given(st.binary(max_size=200), st.sampled_from(["input.pdf", "input.PNG", "input.docx"]), st.integers(1, 20))
def test_a_request_says_what_the_gateway_has_to_know_and_not_what_the_case_is(content, name, size):
    settings = ReadingSettings(model="qwen/qwen3.5-122b", chunk_size=size, dpi=150)
    upload = ocr.upload(document_of(content, name, case="confidential-name"), content, settings)
    read = read_upload(upload.content_type, upload.body)
    assert (read.content, read.model, read.chunk_size) == (content, "qwen/qwen3.5-122b", size)
    assert read.name == name.lower()
    assert read.content_type == "application/octet-stream"  # its real one makes the gateway fail
    assert read.output_format == "markdown"
    assert read.overlap is not None
    assert read.overlap < size
    assert b"confidential-name" not in upload.body.replace(content, b"")


@given(st.integers(1, 200), st.integers(1, 20))
def test_the_calls_that_are_told_are_those_that_the_gateway_makes_at_most(pages, size):
    settings = ReadingSettings(chunk_size=size)
    read = chunks_of(pages, size, ocr.overlap(size))
    assert ocr.chunks(pages, settings) == len(read)
    assert ocr.most_calls(pages, settings) == 3 * len(read)


def test_as_recorded_fourteen_pages_in_chunks_of_six_are_nine_calls():
    assert ocr.most_calls(14, ReadingSettings(chunk_size=6)) == 9


def test_a_document_has_the_time_of_its_chunks_and_never_less_than_the_proxies_allow():
    assert ocr.seconds(1, ReadingSettings()) == 720
    assert ocr.seconds(200, ReadingSettings()) == 199 * 180


@pytest.mark.parametrize("name", ["94b-ocr-octet-stream.json"])
def test_the_recorded_answer_is_read(name):
    body = json.loads((RECORDINGS / name).read_text())["response"]["body"]
    read = ocr.read_answer(json.dumps(body).encode(), 1)
    assert read == ReadText(body["content"], 1)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"content": 1, "pages": 1}', b'{"content": "a"}'])
def test_another_answer_is_no_reading(body):
    assert isinstance(ocr.read_answer(body, 1), Unreadable)


def test_an_answer_that_leaves_pages_out_is_no_reading():
    read = ocr.read_answer(b'{"content": "a", "pages": 2}', 3)
    assert read == Unreadable("MindRouter read 2 of its 3 pages")


def detail(words: str) -> bytes:
    return json.dumps({"detail": words}).encode()


INTERNAL = b'{"error": {"message": "Internal server error", "type": "server_error"}}'
BLIND = detail("Model 'x' does not support multimodal/image input")
TOO_LONG = detail("Document has 201 pages, exceeding the maximum of 200")
FAST = detail("Rate limit exceeded: 3 requests per minute (current: 3)")
FULL = detail("No backend capacity available (waited 150.0s)")
MISSING = b'{"detail": [{"type": "missing", "loc": ["body", "file"]}]}'


@pytest.mark.parametrize(
    ("status", "body", "code", "scope", "retry"),
    [
        (400, BLIND, "parameter_refused", "model", False),
        (400, TOO_LONG, "bad_request", "call", False),
        (404, detail("Model 'x' not found"), "model_unavailable", "model", True),
        (404, b"Model 'x' not found", "model_unavailable", "model", True),
        (413, detail("File exceeds maximum size of 100MB"), "bad_request", "call", False),
        (422, MISSING, "bad_request", "call", False),
        (429, FAST, "rate_limited", "provider", True),
        (429, detail("Token quota exceeded"), "quota_exceeded", "provider", False),
        (500, INTERNAL, "server_error", "call", True),
        (501, detail("LibreOffice is not installed."), "bad_request", "call", False),
        (502, detail("All 3 backend attempts failed."), "bad_gateway", "model", True),
        (503, FULL, "no_capacity", "call", True),
    ],
)
def test_a_refusal_says_whom_it_concerns_and_whether_to_come_back(status, body, code, scope, *, retry):
    failure = ocr.OCR.read_failure(status, {}, body, NOW)
    assert (failure.code, failure.scope, failure.retry) == (code, scope, retry)
