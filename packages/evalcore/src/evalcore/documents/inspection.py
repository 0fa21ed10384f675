"""Looking at a document, and reading its text layer, in a process of its own with bounds on time and memory.

Whoever parses a foreign document can be made to run for ever, to take all memory, or to crash: here that
ends one process (evalcore.documents.worker), which has no secret in its environment, and skips one case.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Final, Literal

import msgspec

from evalcore.decoding import decode_json
from evalcore.documents.answer import WorkerAnswer
from evalcore.documents.interface import Inspected, ReadText, Unreadable
from evalcore.library.component import Document

# What decides is the processor's time (worker.PROCESSOR_SECONDS), which is the same on a busy machine: this
# is for a process that gets none.
SECONDS: Final = 300.0
"""For one document."""
LONGEST_ANSWER: Final = 32 << 20
"""Bytes of what the process says."""
_ENVIRONMENT: Final = frozenset({"HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV"})

Task = Literal["inspect", "text"]


async def inspect_document(document: Document, data: bytes, *, dpi: int) -> Inspected:
    """Look at a document: whether it is whole, open to all, not empty, and within bounds once it is drawn."""
    if not data:
        return Inspected("is empty")
    answer = await _ask("inspect", document, data, dpi)
    return Inspected(answer.problem, answer.pages)


async def text_layer(document: Document, data: bytes) -> ReadText | Unreadable:
    """Read the text of a PDF or a DOCX without any model."""
    answer = await _ask("text", document, data, 0)
    if answer.problem is not None:
        return Unreadable(answer.problem)
    return ReadText(answer.text, answer.pages)


async def _ask(task: Task, document: Document, data: bytes, dpi: int) -> WorkerAnswer:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "evalcore.documents.worker",
        task,
        document.kind,
        str(dpi),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # What a library complains of may quote the document, which may be confidential.
        stderr=asyncio.subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name in _ENVIRONMENT},
        # A terminal's Ctrl-C goes to the whole process group: this one is ended by us, quietly.
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(SECONDS):
            said = await _exchange(process, data)
            await process.wait()
    except TimeoutError:
        return WorkerAnswer(f"takes over {SECONDS:.0f} s to look at")
    finally:
        if process.returncode is None:
            _end(process)
            await process.wait()
    try:
        return decode_json(said, WorkerAnswer)
    except msgspec.MsgspecError:
        return WorkerAnswer(
            "takes more time or memory to look at than a document may, or crashes what reads it"
        )


async def _exchange(process: asyncio.subprocess.Process, data: bytes) -> bytes:
    """Hand the document over, and return what is said of it, cut at the bound."""
    if process.stdin is None or process.stdout is None:  # never: both were asked for
        return b""
    with contextlib.suppress(ConnectionError):  # it has died; what it said tells
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()
    said = bytearray()
    while piece := await process.stdout.read(1 << 16):
        said += piece
        if len(said) > LONGEST_ANSWER:
            _end(process)
            return b""
    return bytes(said)


def _end(process: asyncio.subprocess.Process) -> None:
    # Not process.kill: that may reap it before asyncio does, which then remarks on it. And it may have ended.
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
