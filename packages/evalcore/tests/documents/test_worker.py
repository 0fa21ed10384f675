"""The process that parses one document: its bounds, and what it says whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from evalcore.documents import worker
from evalsim.documents import pdf

GOOD = pdf.text_pdf(["A page."])


def said(*arguments: str, content: bytes = GOOD) -> dict:
    program = [sys.executable, "-m", "evalcore.documents.worker", *arguments]
    done = subprocess.run(program, input=content, capture_output=True, check=True, timeout=100)
    return json.loads(done.stdout)


def test_a_document_goes_in_and_one_answer_comes_out():
    assert said("inspect", "pdf", "200") == {"problem": None, "pages": 1, "text": ""}
    assert said("text", "pdf", "0") == {"problem": None, "pages": 1, "text": "A page.\n"}


def test_a_picture_has_no_text_layer():
    assert "has no text layer" in said("text", "png", "0")["problem"]


@pytest.mark.parametrize("error", [ValueError("Zebra"), RecursionError("Zebra"), KeyError("Zebra")])
def test_whatever_a_library_raises_is_a_reason_that_quotes_nothing(monkeypatch, error):
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("evalcore.documents.pdf.inspect", broken)
    problem = worker._answer("inspect", "pdf", 200, GOOD).problem
    assert problem == f"is broken: it cannot be read as PDF ({type(error).__name__})"


def test_too_little_memory_is_a_reason(monkeypatch):
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("evalcore.documents.pdf.inspect", greedy)
    assert "of memory" in (worker._answer("inspect", "pdf", 200, GOOD).problem or "")


def test_memory_and_processor_are_bounded_and_it_writes_no_file():
    code = (
        "import sys, resource; from evalcore.documents import worker;"
        "sys.argv = ['', 'inspect', 'pdf', '200']; worker.main();"
        "names = ('RLIMIT_AS', 'RLIMIT_CPU', 'RLIMIT_FSIZE', 'RLIMIT_CORE');"
        "print(*(resource.getrlimit(getattr(resource, name))[1] for name in names), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=GOOD, capture_output=True, check=True)
    assert [int(part) for part in done.stderr.split()] == [1536 << 20, 60, 0, 0]
