"""The scoring process itself: run folders in on standard input, a line each; their records written.

Apart from scoring_process, so that it starts without asyncio.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import msgspec

from evalcore.errors import EvaluatorError
from evalcore.evaluation.scoring_process import ScoringAnswer
from evalcore.runs.folder import CountedReplies, RunFolder
from evalcore.scoring.score_run import score_run

NICENESS = 10
LONGEST_TRACE = 16_000
"""Characters; its end says most."""


def _score(path: Path) -> ScoringAnswer:
    try:
        folder = RunFolder.open_to_read(path)
        try:
            replies = CountedReplies(folder.plan, folder.replies_of)
            record = score_run(folder.plan, replies.of)
            replies.require_complete(record)
            folder.write_record(record)
        finally:
            folder.close()
    except EvaluatorError as error:
        return ScoringAnswer(error.line)
    except Exception as error:  # noqa: BLE001 - sent to the asking process, which raises it there
        frames = traceback.extract_tb(error.__traceback__)
        what = f"{type(error).__name__} in {Path(frames[-1].filename).name}:{frames[-1].lineno}"
        return ScoringAnswer(what, f"Traceback:\n{''.join(frames.format())}"[-LONGEST_TRACE:])
    return ScoringAnswer()


def main() -> None:
    """Score the run folders named on standard input until it ends."""
    # Whoever makes the calls, and answers those who ask, goes first where processors are short.
    os.nice(NICENESS)
    for line in sys.stdin.buffer:
        answer = _score(Path(msgspec.json.decode(line, type=str)))
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
