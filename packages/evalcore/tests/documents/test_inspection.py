"""What is refused before anything is sent, and how the process that looks is bounded."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from evalcore.documents import inspection
from evalcore.documents.inspection import inspect_document, text_layer
from evalcore.documents.interface import Inspected, ReadText, Unreadable
from evalsim.documents.collection import Made, made_documents, unreadable_documents
from evalsim.documents.notices import plain

from .conftest import document_of

REASONS = {
    "bad-encrypted": "is encrypted",
    "bad-truncated": "is cut short",
    "bad-empty": "is empty",
    "bad-without-pages": "has no pages",
    "bad-no-pdf": "is no PDF, though its name says so",
    "bad-bomb": "unpacks to more than a page can hold",
    "bad-image-bomb": "has over 100,000,000 pixels",
    "bad-image-truncated": "is broken or cut short",
    "bad-word-bomb": "unpacks to over 200 MiB",
    "bad-word-entity": "declares entities",
}
READABLE = [made for made in made_documents() if made.pages]


def looked_at(made: Made) -> Inspected:
    document = document_of(made.content, made.file)
    return asyncio.run(inspect_document(document, made.content, dpi=200))


def read(made: Made) -> ReadText | Unreadable:
    return asyncio.run(text_layer(document_of(made.content, made.file), made.content))


@pytest.mark.parametrize("made", unreadable_documents(), ids=lambda made: made.case)
def test_each_bad_document_is_refused_with_its_reason(made):
    problem = looked_at(made).problem
    assert problem is not None
    assert REASONS[made.case] in problem
    assert "/etc/passwd" not in problem
    assert isinstance(read(made), Unreadable) or made.case.startswith("bad-image")


def test_every_bad_document_is_spoken_of():
    assert {made.case for made in unreadable_documents()} == REASONS.keys()


@pytest.mark.parametrize("made", READABLE, ids=lambda made: made.case)
def test_good_documents_have_their_pages_counted_where_they_can_be(made):
    pages = None if made.file.endswith("docx") else len(made.pages)
    assert looked_at(made) == Inspected(problem=None, pages=pages)


def words(text: str) -> list[str]:
    return sorted(plain(text).replace("|", " ").replace("-", " ").replace("#", " ").split())


@pytest.mark.parametrize("made", [made for made in READABLE if made.has_text], ids=lambda made: made.case)
def test_the_text_layer_is_every_word_that_stands_on_the_pages(made):
    found = read(made)
    assert isinstance(found, ReadText)
    assert words(found.text) == words("\n".join(made.pages))


@pytest.mark.parametrize("made", [made for made in READABLE if not made.has_text], ids=lambda made: made.case)
def test_what_has_to_be_seen_has_no_text_layer_and_is_not_read_as_if_it_were_empty(made):
    found = read(made)
    assert isinstance(found, Unreadable)
    assert "reader: mindrouter" in found.reason


def run_instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str) -> None:
    """Let the process that looks be another program."""
    script = tmp_path / "instead"
    script.write_text(f"#!{sys.executable}\n{program}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


PDF = next(made for made in READABLE if made.case == "one-page")


BEGUN = asyncio.Event()


@pytest.fixture
def started(monkeypatch) -> list[int]:
    """The ids of the processes that are started; whoever waits at `BEGUN` is woken."""
    ids: list[int] = []
    start = asyncio.create_subprocess_exec
    BEGUN.clear()

    async def noted(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*arguments, **options)
        ids.append(process.pid)
        BEGUN.set()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    return ids


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_document_that_takes_too_long_ends_its_process_alone(monkeypatch, tmp_path, started):
    run_instead(monkeypatch, tmp_path, "import time\ntime.sleep(600)")
    monkeypatch.setattr(inspection, "SECONDS", 1.0)
    assert looked_at(PDF).problem == "takes over 1 s to look at"
    assert [is_there(process) for process in started] == [False]


def test_one_that_crashes_its_reader_is_refused(monkeypatch, tmp_path):
    run_instead(monkeypatch, tmp_path, "import os\nos.abort()")
    assert "crashes what reads it" in (looked_at(PDF).problem or "")


def test_one_that_makes_its_reader_talk_without_end_is_refused(monkeypatch, tmp_path):
    run_instead(monkeypatch, tmp_path, "import sys\nwhile True: sys.stdout.write('x' * 65536)")
    monkeypatch.setattr(inspection, "LONGEST_ANSWER", 1 << 20)
    assert "crashes what reads it" in (looked_at(PDF).problem or "")


def test_one_that_says_too_much_and_ends_before_it_is_ended_is_refused(monkeypatch):
    async def said() -> bytes:
        talker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "print('x' * 1000)",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await talker.wait()
        return await inspection._exchange(talker, b"")

    monkeypatch.setattr(inspection, "LONGEST_ANSWER", 100)
    assert asyncio.run(said()) == b""


def test_the_process_has_no_secret_in_its_environment(monkeypatch, tmp_path):
    run_instead(
        monkeypatch, tmp_path, "import json, os\nprint(json.dumps({'problem': ' '.join(sorted(os.environ))}))"
    )
    monkeypatch.setenv("MINDROUTER_API_KEY", "mr2_secret")
    assert "MINDROUTER_API_KEY" not in (looked_at(PDF).problem or "")


def test_a_look_that_is_cancelled_leaves_no_process(monkeypatch, tmp_path, started):
    run_instead(monkeypatch, tmp_path, "import time\ntime.sleep(600)")

    async def cancelled() -> None:
        looking = asyncio.create_task(inspect_document(document_of(b"x"), b"x", dpi=200))
        await BEGUN.wait()
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking

    asyncio.run(cancelled())
    assert [is_there(process) for process in started] == [False]
