"""Reading by MindRouter, simulated with its faults: what is waited out, what skips a case, what ends it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from evalcore.clients.outage import OutagePolicy
from evalcore.documents.interface import ReadText, Unreadable
from evalcore.documents.mindrouter import open_mindrouter_reader
from evalcore.errors import ModelError
from evalcore.library.models import Endpoint
from evalcore.library.reading import ReadingSettings
from evalsim.documents import pdf, word
from evalsim.documents.notices import Notice
from evalsim.mindrouter import Fault, SimConfig, SimModel, SimulatedMindRouter
from evalsim.testing import make_provider

from .conftest import document_of

MODEL = "qwen/qwen3.5-122b"
PAGES = Notice(1).pages(3)
SCAN = pdf.scanned_pdf(PAGES)


class Clock:
    """Time that passes when somebody waits."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class Read:
    """What came of a reading, and what it took."""

    def __init__(
        self, *faults: Fault, model: str = MODEL, key: str | None = "mr2_key", **config: Any
    ) -> None:
        self.clock = Clock()
        models = config.pop("models", (SimModel(id=MODEL), SimModel(id="blind/text-only")))
        settings = SimConfig(models=models, faults=faults, **config)
        self.app = SimulatedMindRouter(settings, clock=self.clock, sleep=self.clock.sleep)
        self.settings = ReadingSettings(model=model)
        self.key = key
        self.waits: list[str] = []

    def document(
        self,
        content: bytes = SCAN,
        pages: int | None = 3,
        name: str = "input.pdf",
        then: Fault | None = None,
    ) -> ReadText | Unreadable:
        """Read a document; a second time once a fault is in force, where one is to be."""
        return asyncio.run(self._read(content, pages, name, then))

    async def _read(
        self, content: bytes, pages: int | None, name: str, then: Fault | None
    ) -> ReadText | Unreadable:
        opening = open_mindrouter_reader(
            self.settings,
            make_provider(),
            Endpoint(base_url="http://sim", api_key=self.key),
            on_wait=lambda _model, code, _seconds: self.waits.append(code),
            outage=OutagePolicy(budget=120),
            clock=self.clock,
            sleep=self.clock.sleep,
            transport=httpx.ASGITransport(self.app),
        )
        async with opening as reader:
            self.version = await reader.version()
            if then is not None:
                await reader.read(document_of(content, name), content, pages)
                self.app.faults.add([then])
            return await reader.read(document_of(content, name), content, pages)

    @property
    def sent(self) -> int:
        return sum(self.app.gateway.documents.values())


def test_a_document_is_read_as_markdown_by_a_gateway_that_says_its_version():
    read = Read()
    found = read.document()
    assert isinstance(found, ReadText)
    assert found.pages == 3
    assert "Award number" in found.text
    assert found.text.endswith("\n")
    assert (read.version, read.sent) == ("2.9.58", 1)


def test_a_word_file_is_read_whatever_its_pages():
    found = Read().document(word.docx(PAGES[0]), None, "input.docx")
    assert isinstance(found, ReadText)
    assert found.pages == 1


@pytest.mark.parametrize("kind", ["server_error", "bad_gateway", "no_capacity", "hang_up", "backend_429"])
def test_what_passes_is_waited_out(kind):
    # as often as the gateway itself tries a chunk, so that it gives up once
    read = Read(Fault(kind=kind, endpoint="ocr", times=3))
    assert isinstance(read.document(), ReadText)
    assert read.sent >= 2


def test_the_rate_limit_is_waited_for_and_the_document_read_then():
    read = Read(Fault(kind="rate_limited", endpoint="ocr", times=6))
    assert isinstance(read.document(), ReadText)
    assert "rate_limited" in read.waits
    assert read.clock.now >= 60


def test_a_document_of_more_calls_than_a_minute_allows_ends_the_reading_with_what_to_do():
    read = Read(requests_per_minute=1)
    with pytest.raises(ModelError, match="raise the limit or `chunk_size`"):
        read.document()


def test_a_failure_that_stays_while_the_model_is_served_is_the_documents():
    read = Read(Fault(kind="server_error", endpoint="ocr"))
    found = read.document()
    assert isinstance(found, Unreadable)
    assert "failed on it, and serves others" in found.reason


def test_a_chunk_that_takes_over_its_time_is_the_documents_and_says_what_to_lower():
    slow = SimModel(id=MODEL, seconds_per_page=100.0)
    found = Read(models=(slow,)).document()
    assert isinstance(found, Unreadable)
    assert "lower `chunk_size` or `dpi`" in found.reason


def test_what_the_gateway_says_of_the_document_skips_it_at_once():
    read = Read()
    many = pdf.text_pdf(["page"] * 201)
    found = read.document(many, 201)
    assert isinstance(found, Unreadable)
    assert "201 pages" in found.reason
    assert read.sent == 1


def test_a_gateway_without_a_converter_skips_office_documents():
    found = Read(has_office=False).document(word.docx("a"), None, "input.docx")
    assert isinstance(found, Unreadable)
    assert "converter" in found.reason


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (Read(model="blind/text-only"), "cannot see pictures"),
        (Read(model="no/such-model"), "not served now"),
        (Read(Fault(kind="quota", endpoint="ocr")), "quota"),
        (Read(Fault(kind="gone", endpoint="ocr", seconds=10_000)), "not served now"),
    ],
    ids=["blind", "unknown", "quota", "gone"],
)
def test_what_every_document_would_meet_ends_the_reading(read, words):
    with pytest.raises(ModelError, match=words):
        read.document()


def test_a_key_that_is_refused_ends_it_before_anything_is_sent():
    read = Read(key="mr2_wrong", keys=("mr2_right",))
    with pytest.raises(ModelError):
        read.document()
    assert read.sent == 0


@pytest.mark.parametrize("kind", ["garbage", "empty", "cut"])
def test_an_answer_that_is_none_is_no_reading(kind):
    assert isinstance(Read(Fault(kind=kind, endpoint="ocr")).document(), Unreadable)


def test_a_model_that_goes_away_in_the_middle_is_waited_for():
    read = Read()
    gone = Fault(kind="gone", endpoint="ocr", seconds=100, times=1)
    assert isinstance(read.document(then=gone), ReadText)
    assert read.clock.now >= 100


def test_one_that_stays_away_ends_the_reading_once_an_outage_has_lasted_too_long():
    read = Read()
    with pytest.raises(ModelError, match="not served now"):
        read.document(then=Fault(kind="gone", endpoint="ocr", seconds=10_000))
    assert 120 <= read.clock.now < 900


def test_an_answer_without_end_is_no_reading(monkeypatch):
    monkeypatch.setattr("evalcore.clients.http.LONGEST_ANSWER", 100)
    found = Read().document()
    assert isinstance(found, Unreadable)
