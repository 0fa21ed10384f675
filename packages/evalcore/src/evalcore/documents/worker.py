"""The process that parses one foreign document: its bytes in on standard input, one JSON answer out.

The libraries that parse are loaded here alone, so that nothing else pays for them.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
import warnings
from typing import Final

import msgspec

from evalcore.documents.answer import MEMORY, READ_BY_MODEL, DocumentProblem, WorkerAnswer

PROCESSOR_SECONDS: Final = 60
# Whoever waits in the loop goes first, and the document is still looked at on a busy machine.
NICENESS: Final = 5


def main() -> None:
    """Answer what was asked of the document on standard input."""
    task, kind, dpi = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    # It writes no file, and no core dump: a document may be confidential.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What its libraries remark is about a foreign file, and for nobody.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    answer = _answer(task, kind, dpi, sys.stdin.buffer.read())
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    sys.stdout.buffer.flush()


def _answer(task: str, kind: str, dpi: int, data: bytes) -> WorkerAnswer:
    try:
        return _text(kind, data) if task == "text" else _inspected(kind, dpi, data)
    except DocumentProblem as problem:
        return WorkerAnswer(str(problem))
    except MemoryError:
        return WorkerAnswer(f"takes over {MEMORY >> 20} MiB of memory to look at")
    except Exception as error:  # noqa: BLE001 - a foreign file can make its library raise anything
        # The error's own words may quote the document.
        return WorkerAnswer(f"is broken: it cannot be read as {kind.upper()} ({type(error).__name__})")


def _text(kind: str, data: bytes) -> WorkerAnswer:
    match kind:
        case "pdf":
            from evalcore.documents import pdf  # noqa: PLC0415 - each kind loads its own library

            return pdf.text(data)
        case "docx":
            from evalcore.documents import word  # noqa: PLC0415

            return word.text(data)
    return WorkerAnswer(f"is a picture, which has no text layer: {READ_BY_MODEL}")


def _inspected(kind: str, dpi: int, data: bytes) -> WorkerAnswer:
    match kind:
        case "pdf":
            from evalcore.documents import pdf  # noqa: PLC0415 - each kind loads its own library

            return pdf.inspect(data, dpi)
        case "docx":
            from evalcore.documents import word  # noqa: PLC0415

            return word.inspect(data)
    from evalcore.documents import picture  # noqa: PLC0415

    return picture.inspect(data, kind)


if __name__ == "__main__":
    main()
