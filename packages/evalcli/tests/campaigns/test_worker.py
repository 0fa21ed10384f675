"""A worker and the processes of its runs."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from evalcli.campaigns.address import sqlite_url
from evalcli.campaigns.assignment import Places
from evalcli.campaigns.database import CampaignDatabase
from evalcli.campaigns.plan import EVALUATOR
from evalcli.campaigns.worker import SIGN, Worker, send
from evalcli.leaderboards.places import Sources


def test_a_sign_of_life_for_a_process_that_has_ended_is_no_error() -> None:
    """A process ends between two signs: one may come too late, and is not kept until the pipe is closed."""
    with subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE) as process:
        process.wait()
        send(process, SIGN)
        send(process, SIGN)
    assert process.returncode == 0


def test_what_is_sent_arrives_at_once_and_whole() -> None:
    """Longer than a pipe holds, so that it is written in parts."""
    request = b"x" * 1_000_000
    reading = "import sys; print(len(sys.stdin.readline()))"
    with subprocess.Popen(
        [sys.executable, "-c", reading], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        send(process, request + SIGN)
        assert process.stdout is not None
        assert process.stdout.readline() == b"1000001\n"


def test_a_worker_that_others_took_for_lost_gives_its_runs_up(tmp_path: Path) -> None:
    """A machine that was asleep notices nothing by its own clock: others have its runs by now."""
    with closing(CampaignDatabase(sqlite_url(tmp_path / "campaigns.sqlite"))) as database:
        worker = Worker(database, Places(Sources(tmp_path, None, None), tmp_path), 2.0, EVALUATOR)

        def taken_for_lost() -> bool:
            database.workers.forget(worker.id)
            return False

        has_kept_its_runs = worker.serve(("mindrouter",), taken_for_lost)
    assert not has_kept_its_runs
