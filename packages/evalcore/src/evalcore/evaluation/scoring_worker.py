"""The scoring process itself: requests in on standard input, a line each; records written.

Apart from scoring_process, so that whoever makes the calls does not load what scores.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec

from evalcore.clients.reply import Reply
from evalcore.decoding import decode_json
from evalcore.errors import EvaluatorError
from evalcore.evaluation.scoring_process import ScoringAnswer, ScoringRequest
from evalcore.library.component import Case
from evalcore.runs.completeness import CountedReplies
from evalcore.runs.folder import RunFolder, read_plan
from evalcore.scoring.figures import prepare_reproducibility
from evalcore.scoring.score_run import score_run

NICENESS = 10
# What asks for more crashes, and nothing else on the machine: the replies are still there.
MEMORY = 4 * 1024**3
"""Bytes of address space."""
# The end of a traceback says most.
LONGEST_TRACE = 16_000
"""Characters."""


def _score(path: Path, scoring: Callable[[int], None] = lambda case: None) -> ScoringAnswer:  # noqa: ARG005
    try:
        folder = RunFolder.open_to_read(path)
        try:
            turns = {case.name: number for number, case in enumerate(folder.plan.cases)}

            def replies_of(case: Case) -> list[Reply]:
                scoring(turns[case.name])
                return folder.replies_of(case)

            replies = CountedReplies(folder.plan, replies_of)
            record = score_run(folder.plan, replies.of)
            replies.require_complete(record)
            folder.write_record(record)
        finally:
            folder.close()
    except EvaluatorError as error:
        return ScoringAnswer(error=error.line)
    except Exception as error:  # noqa: BLE001 - sent to the asking process, which raises it there
        frames = traceback.extract_tb(error.__traceback__)
        # Kind and place without the error's own words, which may hold a case's text and would reach a log.
        what = f"{type(error).__name__} in {Path(frames[-1].filename).name}:{frames[-1].lineno}"
        return ScoringAnswer(error=what, crash=f"Traceback:\n{''.join(frames.format())}"[-LONGEST_TRACE:])
    return ScoringAnswer()


def main() -> None:
    """Score the run folders named on standard input until it ends."""
    # Whoever makes the calls, and answers those who ask, goes first where processors are short.
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin.buffer:
        request = decode_json(line, ScoringRequest)
        if request.is_complete:
            _say(_score(Path(request.folder), lambda case: _say(ScoringAnswer(case=case))))
        else:
            _prepare(Path(request.folder))


def _prepare(path: Path) -> None:
    """Do what can be done before the replies are there, while nothing waits for it."""
    # A plan that cannot be read is reported by `_score`, to whom waits for an answer.
    with contextlib.suppress(EvaluatorError):
        prepare_reproducibility(read_plan(path))


def _say(answer: ScoringAnswer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
