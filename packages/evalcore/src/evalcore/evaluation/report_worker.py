"""The process that makes reports: requests in on standard input, a line each, and files out."""

from __future__ import annotations

import os
import resource
import sys
import traceback
from pathlib import Path

import msgspec

from evalcore.decoding import decode_json
from evalcore.errors import EvaluatorError
from evalcore.evaluation.report import published_files
from evalcore.evaluation.report_process import ReportAnswer, ReportRequest
from evalcore.evaluation.scoring_worker import MEMORY, NICENESS
from evalcore.reports.run_report.png import draw_png


def main() -> None:
    """Make the reports that are asked for on standard input until it ends."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin.buffer:
        answer = _made(decode_json(line, ReportRequest))
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


def _made(request: ReportRequest) -> ReportAnswer:
    try:
        files = published_files(Path(request.folder), request.record, request.labels, draw_png)
    except EvaluatorError as error:
        return ReportAnswer({}, error.line)
    except Exception as error:  # noqa: BLE001 - sent to the asking process, which publishes without
        # Kind and place without the error's own words, which may hold a case's text and would reach a log.
        last = traceback.extract_tb(error.__traceback__)[-1]
        return ReportAnswer({}, f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}")
    return ReportAnswer(files)


if __name__ == "__main__":
    main()
